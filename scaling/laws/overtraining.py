"""Over-training: the loss from compute and tokens per parameter, and what a loss means on tasks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
import scipy
from numpy.typing import ArrayLike

from .._checks import numbers, positive
from .base import Law, read_published
from .chinchilla import ChinchillaLaw

__all__ = ["DownstreamLaw", "OvertrainingLaw", "SigmoidLaw"]


#: where the exponent eta is looked for
EXPONENTS = (0.01, 1.0)
#: the data sets with published constants
DATA_SETS = ("c4", "redpajama", "refinedweb")


@dataclass(frozen=True, repr=False)
class OvertrainingLaw(Law):
    r"""The loss from compute C and tokens per parameter M.

    .. math:: L(C, M) = E + (a\,M^{\eta} + b\,M^{-\eta})\,C^{-\eta}

    This is the parametric loss with equal exponents: with :math:`\alpha = \beta = 2\eta`, :math:`C = 6ND`
    and :math:`M = D/N`, the coefficients are :math:`a = A\,6^{\eta}` and :math:`b = B\,6^{\eta}`.

    Parameters
    ----------
    E : float or array
        Irreducible loss, nats/token.
    a, b : float or array
        Coefficients at one FLOP and one token per parameter, nats/token.
    eta : float or array
        Exponent of the compute, half that of size and tokens.

    References
    ----------
    Gadre et al. 2024 (arXiv:2403.08540), equation 4.

    Examples
    --------
    >>> round(float(OvertrainingLaw.from_published("redpajama").best_ratio), 1)
    7.4
    """

    E: float | np.ndarray
    a: float | np.ndarray
    b: float | np.ndarray
    eta: float | np.ndarray

    equation: ClassVar[str] = "L = E + (a * M**eta + b * M**-eta) * C**-eta"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens")

    @classmethod
    def from_published(cls, name: str = "redpajama") -> OvertrainingLaw:
        """Read the paper's constants for a set of training data.

        Parameters
        ----------
        name : {"c4", "redpajama", "refinedweb"}
            The training data.

        Returns
        -------
        OvertrainingLaw
            With these constants.

        Raises
        ------
        ValueError
            For any other name.
        """
        return cls(**_constants(cls, name))

    def loss_of_budget(self, flops: ArrayLike, tokens_per_param: ArrayLike) -> np.ndarray | float:
        """Predict the loss of a budget and a ratio (equation 4).

        Parameters
        ----------
        flops : float or array
            C, training FLOPs, positive.
        tokens_per_param : float or array
            M, positive.

        Returns
        -------
        float or array
            Loss in nats/token, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        C, M = positive(flops=flops, tokens_per_param=tokens_per_param)
        return (self.E + (self.a * M**self.eta + self.b * M**-self.eta) * C**-self.eta)[()]

    def loss(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
        """Predict the loss of N parameters trained on D tokens, with C = 6 N D and M = D/N.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        tokens : float or array
            Number of training tokens D, positive.

        Returns
        -------
        float or array
            Loss in nats/token, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        N, D = positive(params=params, tokens=tokens)
        return self.loss_of_budget(6 * N * D, D / N)

    @property
    def best_ratio(self) -> float | np.ndarray:
        """M*, the compute-optimal tokens per parameter, (b/a)^(1/(2 eta)); NaN unless a and b are positive."""
        a, b = np.asarray(self.a, float), np.asarray(self.b, float)
        ratio = np.divide(b, a, out=np.full(np.broadcast(a, b).shape, np.nan), where=(a > 0) & (b > 0))
        return (ratio ** (1 / (2 * np.asarray(self.eta))))[()]

    @property
    def chinchilla(self) -> ChinchillaLaw:
        """The same law in parameters and tokens."""
        six = 6.0**-self.eta
        return ChinchillaLaw(self.E, self.a * six, self.b * six, 2 * self.eta, 2 * self.eta)


@dataclass(frozen=True, repr=False)
class DownstreamLaw(Law):
    r"""The average error on tasks from the loss.

    .. math:: \text{Err}(L) = \epsilon - k\,e^{-\gamma L}

    Parameters
    ----------
    epsilon : float or array
        The error of a model that knows nothing.
    k : float or array
        How much of it an imaginary loss of zero would remove.
    gamma : float or array
        Per nat.

    References
    ----------
    Gadre et al. 2024 (arXiv:2403.08540), equation 5.

    Examples
    --------
    >>> round(float(DownstreamLaw.from_published("redpajama").error(2.5198)), 3)
    0.493
    """

    epsilon: float | np.ndarray
    k: float | np.ndarray
    gamma: float | np.ndarray

    equation: ClassVar[str] = "Err = epsilon - k * exp(-gamma * L)"
    columns: ClassVar[tuple[str, ...]] = ("loss",)

    @classmethod
    def from_published(cls, name: str = "redpajama", tasks: int = 17) -> DownstreamLaw:
        """Read the paper's constants for a set of training data and an average over tasks.

        Parameters
        ----------
        name : {"c4", "redpajama", "refinedweb"}
            The training data.
        tasks : {17, 46}
            Number of tasks in the average.

        Returns
        -------
        DownstreamLaw
            With these constants.

        Raises
        ------
        ValueError
            For any other name or number of tasks.
        """
        if tasks not in (17, 46):
            raise ValueError(f"tasks must be 17 or 46, got {tasks}")
        return cls(**_constants(cls, name, f"/tasks{tasks}"))

    def error(self, loss: ArrayLike) -> np.ndarray | float:
        """Predict the average error at a loss (equation 5).

        Parameters
        ----------
        loss : float or array
            Nats/token, positive.

        Returns
        -------
        float or array
            The error, of the shape of ``loss``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (L,) = positive(loss=loss)
        return (self.epsilon - self.k * np.exp(-self.gamma * L))[()]

    def value(self, *columns: ArrayLike) -> np.ndarray | float:
        """Predict the average error at a loss, as :meth:`error` does.

        Parameters
        ----------
        *columns : float or array
            The loss alone, nats/token, positive.

        Returns
        -------
        float or array
            The error, of the shape of the loss.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        return self.error(*columns)

    def loss(self, error: ArrayLike) -> np.ndarray | float:
        """Find the loss at which the average error has a value.

        Parameters
        ----------
        error : float or array
            Below epsilon.

        Returns
        -------
        float or array
            Nats/token, of the shape of ``error``.

        Raises
        ------
        ValueError
            If an error is not below epsilon, or is no number.
        """
        gain = np.asarray(self.epsilon - numbers("error", error))
        if np.any(~(gain > 0)):
            raise ValueError(f"error must be below epsilon = {np.max(self.epsilon):g}, got {np.max(error):g}")
        return (-np.log(gain / self.k) / self.gamma)[()]


@dataclass(frozen=True, repr=False)
class SigmoidLaw(Law):
    r"""The share of right answers on a task from a loss.

    .. math:: \text{Acc}(L) = \text{floor} + \frac{\text{ceiling} - \text{floor}}{1 + e^{s\,(L - L_0)}}

    Parameters
    ----------
    floor, ceiling : float or array
        The share at a very high and at a very low loss.
    slope : float or array
        s, per unit of the loss.
    middle : float or array
        :math:`L_0`, the loss halfway between the two.

    References
    ----------
    Bhagia et al. 2024 (arXiv:2412.04403), step 2, where the loss is that of the task's right answers in bits per byte.

    Examples
    --------
    >>> round(float(SigmoidLaw(floor=0.25, ceiling=1.0, slope=5.0, middle=0.7).accuracy(0.7)), 4)
    0.625
    """

    floor: float | np.ndarray
    ceiling: float | np.ndarray
    slope: float | np.ndarray
    middle: float | np.ndarray

    equation: ClassVar[str] = "Acc = floor + (ceiling - floor) / (1 + exp(slope * (L - middle)))"
    columns: ClassVar[tuple[str, ...]] = ("loss",)

    def accuracy(self, loss: ArrayLike) -> np.ndarray | float:
        """Predict the share of right answers at a loss.

        Parameters
        ----------
        loss : float or array
            In the unit of ``middle``, positive.

        Returns
        -------
        float or array
            The share, of the shape of ``loss``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (L,) = positive(loss=loss)
        down = scipy.special.expit(self.slope * (L - self.middle))
        return (self.floor * down + self.ceiling * (1 - down))[()]

    def value(self, *columns: ArrayLike) -> np.ndarray | float:
        """Predict the share of right answers at a loss, as :meth:`accuracy` does.

        Parameters
        ----------
        *columns : float or array
            The loss alone, positive.

        Returns
        -------
        float or array
            The share, of the shape of the loss.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        return self.accuracy(*columns)

    def loss(self, accuracy: ArrayLike) -> np.ndarray | float:
        """Find the loss at which the share of right answers has a value.

        Parameters
        ----------
        accuracy : float or array
            The share, between ``floor`` and ``ceiling``.

        Returns
        -------
        float or array
            In the unit of ``middle``, of the shape of ``accuracy``.

        Raises
        ------
        ValueError
            If a share does not lie between the two, or is no number.
        """
        each = numbers("accuracy", accuracy)
        share = np.asarray((each - self.floor) / (self.ceiling - self.floor))
        if np.any(~((share > 0) & (share < 1))):
            ends = f"floor = {np.max(self.floor):g} and ceiling = {np.min(self.ceiling):g}"
            raise ValueError(f"accuracy must lie between {ends}, got {each.ravel()[0] if each.ndim else each:g}")
        return (self.middle - scipy.special.logit(share) / self.slope)[()]


def _constants(cls: type, name: str, below: str = "") -> dict[str, float]:
    place, names = f"gadre2024/{name}{below}", (f.name for f in fields(cls))
    return read_published(place, *names, known=", ".join(DATA_SETS), called=name)
