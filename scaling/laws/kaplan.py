r"""The laws of Kaplan et al. 2020 (arXiv:2001.08361).

Here ``N`` is the number of parameters *without* embeddings, a batch is counted in tokens, and compute in FLOPs
(the paper counts PF-days). ``S_min`` and ``C_min`` are the steps and the compute that a loss takes at the least:
the steps of a batch far above the critical one, the compute of a batch far below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from ..sources.numbers import published
from .base import Law, only
from .power import PowerLaw

__all__ = ["CriticalBatch", "KaplanLaw", "KaplanStepsLaw", "kaplan_curve"]


#: the paper's power laws of one variable: where their scale and exponent stand, and the scale's unit
CURVES = {
    "params": ("eq1.1/N_c", "eq1.1/alpha_N"),
    "tokens": ("eq1.2/D_c", "eq1.2/alpha_D"),
    "min_flops": ("eq1.3/C_c", "eq1.3/alpha_C"),
    "flops": ("table5/C_c", "table5/alpha_C"),
}


def kaplan_number(name: str) -> float:
    return float(published(f"kaplan2020/{name}"))


class _ScaledLaw(Law):
    """A law of scales, which must not be negative (0: the term is absent), and exponents, which must be positive."""

    def __post_init__(self) -> None:
        for name, value in self.constants.items():
            array = np.asarray(value, dtype=float)
            bad = ~((array > 0) if name.startswith("alpha") else (array >= 0))
            if bad.any():
                limit = "positive" if name.startswith("alpha") else "at least 0"
                raise ValueError(f"{name} must be {limit}, got {array[bad].flat[0]:g}")


def kaplan_curve(variable: str) -> PowerLaw:
    r"""Read one of the paper's power laws of one variable, :math:`L = (X_c/X)^{\alpha_X}`.

    Parameters
    ----------
    variable : {"params", "tokens", "min_flops", "flops"}
        L(N) on unlimited data (equation 1.1), L(D) of large models stopped early (1.2), L(C_min) (1.3), and
        L(C) at a fixed batch size (Table 5). FLOPs, where the paper has PF-days.

    Returns
    -------
    PowerLaw
        Loss in nats/token.

    Raises
    ------
    ValueError
        For another variable.

    References
    ----------
    Kaplan et al. 2020 (arXiv:2001.08361), equations 1.1 to 1.3 and Table 5.

    Examples
    --------
    >>> round(float(kaplan_curve("params")(1e9)), 4)
    2.3756
    """
    if variable not in CURVES:
        raise ValueError(f"no curve of {variable!r}; known: {', '.join(CURVES)}")
    scale, exponent = (kaplan_number(name) for name in CURVES[variable])
    if "flops" in variable:
        scale *= kaplan_number("flops/pf_day")
    return PowerLaw(scale**exponent, -exponent)


@dataclass(frozen=True, repr=False)
class KaplanLaw(_ScaledLaw):
    r"""Loss of a model of N parameters trained on D tokens until it overfits (equation 1.5).

    .. math:: L(N, D) = \left[\left(\frac{N_c}{N}\right)^{\alpha_N/\alpha_D} + \frac{D_c}{D}\right]^{\alpha_D}

    Parameters
    ----------
    N_c : float or array
        Scale of the size, parameters without embeddings.
    D_c : float or array
        Scale of the data, tokens.
    alpha_N, alpha_D : float or array
        Exponents of the two limits, :math:`(N_c/N)^{\alpha_N}` and :math:`(D_c/D)^{\alpha_D}`.

    Raises
    ------
    ValueError
        If a scale is negative, or an exponent is not positive.

    References
    ----------
    Kaplan et al. 2020 (arXiv:2001.08361), equation 1.5 and Table 2.

    Examples
    --------
    >>> round(float(KaplanLaw.from_published().loss(1e9, 1e10)), 4)
    2.4197
    """

    N_c: float | np.ndarray
    D_c: float | np.ndarray
    alpha_N: float | np.ndarray
    alpha_D: float | np.ndarray

    equation: ClassVar[str] = "L = ((N_c / N)**(alpha_N / alpha_D) + D_c / D)**alpha_D"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens")

    @classmethod
    def from_published(cls, name: str = "kaplan2020") -> KaplanLaw:
        """Read the constants of the paper's Table 2.

        Parameters
        ----------
        name : {"kaplan2020"}
            The one set there is.

        Returns
        -------
        KaplanLaw
            With these constants.

        Raises
        ------
        ValueError
            For any other name.
        """
        only(name, "kaplan2020")
        return cls(*(kaplan_number(f"table2/{name}") for name in ("N_c", "D_c", "alpha_N", "alpha_D")))

    def loss(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
        """Predict the loss of N parameters trained on D tokens until it overfits (equation 1.5).

        Parameters
        ----------
        params : float or array
            Parameters without embeddings, positive.
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
        ratio = np.asarray(self.alpha_N) / self.alpha_D
        return np.asarray(((self.N_c / N) ** ratio + self.D_c / D) ** self.alpha_D)[()]

    def overfitting(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
        r"""Compute the share by which the loss exceeds that on unlimited data (equation 4.3).

        .. math:: \delta L = \frac{L(N, D)}{L(N, \infty)} - 1
                  = \left(1 + \left(\frac{N}{N_c}\right)^{\alpha_N/\alpha_D}\frac{D_c}{D}\right)^{\alpha_D} - 1

        Parameters
        ----------
        params : float or array
            Parameters without embeddings, positive.
        tokens : float or array
            Number of training tokens D, positive.

        Returns
        -------
        float or array
            The share, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        N, D = positive(params=params, tokens=tokens)
        load = (N / self.N_c) ** (np.asarray(self.alpha_N) / self.alpha_D) * self.D_c / D
        return np.expm1(self.alpha_D * np.log1p(load))[()]

    def tokens_to_avoid(self, params: ArrayLike, overfitting: ArrayLike) -> np.ndarray | float:
        r"""Find the tokens that keep overfitting at a share (equation 4.3 solved for D).

        .. math:: D = \frac{D_c\,(N/N_c)^{\alpha_N/\alpha_D}}{(1 + \delta L)^{1/\alpha_D} - 1}

        Parameters
        ----------
        params : float or array
            Parameters without embeddings, positive.
        overfitting : float or array
            The share, positive.

        Returns
        -------
        float or array
            Number of tokens, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        N, share = positive(params=params, overfitting=overfitting)
        load = np.expm1(np.log1p(share) / self.alpha_D)
        return (self.D_c * (N / self.N_c) ** (np.asarray(self.alpha_N) / self.alpha_D) / load)[()]


@dataclass(frozen=True, repr=False)
class KaplanStepsLaw(_ScaledLaw):
    r"""Loss of a model of N parameters after S_min steps on unlimited data (equation 1.6).

    .. math:: L(N, S_{min}) = \left(\frac{N_c}{N}\right)^{\alpha_N} + \left(\frac{S_c}{S_{min}}\right)^{\alpha_S}

    Parameters
    ----------
    N_c : float or array
        Scale of the size, parameters without embeddings.
    S_c : float or array
        Scale of the steps.
    alpha_N, alpha_S : float or array
        Exponents.

    Raises
    ------
    ValueError
        If a scale is negative, or an exponent is not positive.

    References
    ----------
    Kaplan et al. 2020 (arXiv:2001.08361), equation 1.6 and Table 3.

    Examples
    --------
    >>> round(float(KaplanStepsLaw.from_published().loss(1e9, 1e5)), 4)
    2.4005
    """

    N_c: float | np.ndarray
    S_c: float | np.ndarray
    alpha_N: float | np.ndarray
    alpha_S: float | np.ndarray

    equation: ClassVar[str] = "L = (N_c / N)**alpha_N + (S_c / S_min)**alpha_S"
    columns: ClassVar[tuple[str, ...]] = ("params", "steps")

    @classmethod
    def from_published(cls, name: str = "kaplan2020") -> KaplanStepsLaw:
        """Read the constants of the paper's Table 3.

        Parameters
        ----------
        name : {"kaplan2020"}
            The one set there is.

        Returns
        -------
        KaplanStepsLaw
            With these constants.

        Raises
        ------
        ValueError
            For any other name.
        """
        only(name, "kaplan2020")
        return cls(*(kaplan_number(f"table3/{name}") for name in ("N_c", "S_c", "alpha_N", "alpha_S")))

    def loss(self, params: ArrayLike, steps: ArrayLike) -> np.ndarray | float:
        """Predict the loss after S_min steps on unlimited data (equation 1.6).

        Parameters
        ----------
        params : float or array
            Parameters without embeddings, positive.
        steps : float or array
            S_min, the steps at a batch far above the critical, positive.

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
        N, S = positive(params=params, steps=steps)
        return np.asarray((self.N_c / N) ** self.alpha_N + (self.S_c / S) ** self.alpha_S)[()]

    def steps(self, params: ArrayLike, loss: ArrayLike) -> np.ndarray | float:
        """Find the S_min that takes a size to a loss.

        Parameters
        ----------
        params : float or array
            Parameters without embeddings, positive.
        loss : float or array
            Nats/token, positive.

        Returns
        -------
        float or array
            S_min, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order. Also for a loss that a model of this size does not reach.
        """
        N, L = positive(params=params, loss=loss)
        above = L - (self.N_c / N) ** self.alpha_N
        if np.any(~(above > 0)):
            least = np.broadcast_to(L - above, above.shape)[~(above > 0)].flat[0]
            raise ValueError(f"loss must be larger than {least:.4g}, that of endless training at this size")
        return np.asarray(self.S_c * above ** (-1.0 / np.asarray(self.alpha_S)))[()]


@dataclass(frozen=True, repr=False)
class CriticalBatch(_ScaledLaw):
    r"""The batch size at which a loss is reached with twice the fewest steps and twice the least data.

    .. math:: B_{crit}(L) = B_* L^{-1/\alpha_B}

    Parameters
    ----------
    B_star : float or array
        Critical batch at a loss of 1 nat/token, tokens.
    alpha_B : float or array
        Exponent.

    Raises
    ------
    ValueError
        If the scale is negative, or the exponent is not positive.

    Notes
    -----
    At batch B the loss takes :math:`S = S_{min}(1 + B_{crit}/B)` steps and
    :math:`E = E_{min}(1 + B/B_{crit})` tokens (equations 5.1, 5.2, 5.4, 5.5).

    References
    ----------
    Kaplan et al. 2020 (arXiv:2001.08361), equations 1.4 and 5.3.
    """

    B_star: float | np.ndarray
    alpha_B: float | np.ndarray

    equation: ClassVar[str] = "B_crit = B_star / L**(1 / alpha_B)"
    columns: ClassVar[tuple[str, ...]] = ("loss",)

    @classmethod
    def from_published(cls, name: str = "kaplan2020") -> CriticalBatch:
        """Read the constants of equation 5.3.

        Parameters
        ----------
        name : {"kaplan2020"}
            The one set there is.

        Returns
        -------
        CriticalBatch
            With these constants.

        Raises
        ------
        ValueError
            For any other name.
        """
        only(name, "kaplan2020")
        return cls(*(kaplan_number(f"eq5.3/{name}") for name in ("B_star", "alpha_B")))

    def __call__(self, loss: ArrayLike) -> np.ndarray | float:
        """Critical batch in tokens at a ``loss`` in nats/token (positive); ``ValueError`` otherwise."""
        (L,) = positive(loss=loss)
        return np.asarray(self.B_star * L ** (-1.0 / np.asarray(self.alpha_B)))[()]

    def value(self, *columns: ArrayLike) -> np.ndarray | float:
        """Compute the critical batch at a loss; the same as calling the law.

        Parameters
        ----------
        *columns : float or array
            The loss alone, nats/token, positive.

        Returns
        -------
        float or array
            Tokens a step, of the shape of the loss.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        return self(*columns)

    def min_steps(self, steps: ArrayLike, batch: ArrayLike, loss: ArrayLike) -> np.ndarray | float:
        """Compute S_min = S / (1 + B_crit/B) (equation 5.4).

        Parameters
        ----------
        steps : float or array
            S, the steps taken, positive.
        batch : float or array
            B, tokens a step, positive.
        loss : float or array
            What they end at, nats/token, positive.

        Returns
        -------
        float or array
            S_min, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        S, B = positive(steps=steps, batch=batch)
        return (S / (1.0 + self(loss) / B))[()]

    def min_flops(self, flops: ArrayLike, batch: ArrayLike, loss: ArrayLike) -> np.ndarray | float:
        """Compute C_min = C / (1 + B/B_crit) (equation 5.5).

        Parameters
        ----------
        flops : float or array
            C, the training FLOPs, positive.
        batch : float or array
            B, tokens a step, positive.
        loss : float or array
            What they end at, nats/token, positive.

        Returns
        -------
        float or array
            C_min in FLOPs, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        C, B = positive(flops=flops, batch=batch)
        return (C / (1.0 + B / self(loss)))[()]
