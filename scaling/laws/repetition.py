"""What repeated tokens are worth: the law of Muennighoff et al. 2023 (arXiv:2305.16264)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from ..sources.numbers import published
from .base import Law, only
from .chinchilla import ChinchillaLaw
from .coupled import SumLaw

__all__ = ["DataConstrainedLaw", "effective_amount"]


def effective_amount(amount: ArrayLike, unique: ArrayLike, decay: ArrayLike) -> np.ndarray | float:
    r"""Compute what an amount is worth of which only part is new.

    .. math:: X' = U + U R^*\,(1 - e^{-R/R^*}), \qquad R = X/U - 1

    The first pass counts in full, the R-th repetition :math:`e^{-R/R^*}` of it; no number of them is
    worth more than :math:`(1 + R^*)\,U`. Where ``amount`` does not exceed ``unique`` it is returned as it is.

    Parameters
    ----------
    amount : float or array
        Tokens read, or parameters.
    unique : float or array
        How many of them are new, positive.
    decay : float or array
        R*, the number of repetitions after which a further one is worth 1/e of the first, positive; infinite:
        each is worth as much as the first.

    Returns
    -------
    float or array
        In the unit of ``amount``.

    Raises
    ------
    ValueError
        If an argument is not positive; the message names it and a value.

    References
    ----------
    Muennighoff et al. 2023 (arXiv:2305.16264), section 3.1.

    Examples
    --------
    >>> float(effective_amount(4.0, 1.0, 15.4).round(2))  # four epochs
    3.73
    """
    X, U, decay = positive(amount=amount, unique=unique, decay=decay)
    repetitions = np.maximum(X / U - 1, 0)
    return (np.minimum(X, U) + U * worth(repetitions, repetitions / decay))[()]


def worth(repetitions: np.ndarray, decays: np.ndarray) -> np.ndarray:
    """R* (1 - exp(-R/R*)) from R and R/R*; R itself where R* is infinite, so that R/R* is zero."""
    decays = np.maximum(decays, 1e-300)
    return repetitions * (-np.expm1(-decays) / decays)


@dataclass(frozen=True, repr=False)
class DataConstrainedLaw(Law):
    r"""The parametric loss with repeated tokens, and parameters beyond those the tokens deserve, worth less.

    .. math:: L(N, D, U_D) = E + \frac{A}{N'^{\alpha}} + \frac{B}{D'^{\beta}}

    D' is :func:`~scaling.laws.effective_amount` of D tokens of which :math:`U_D` are unique; N' that of N parameters of
    which :math:`U_N = \min(N, N_{opt}(U_D))` are useful, where :math:`N_{opt}(U_D)` is the size to which
    :math:`U_D` tokens are compute-optimal.

    Parameters
    ----------
    base : ChinchillaLaw or CoupledLaw
        The law of tokens read once.
    repeated_tokens : float or array
        :math:`R^*_D`, in repetitions.
    excess_params : float or array
        :math:`R^*_N`; infinite (the default): parameters are never in excess.

    References
    ----------
    Muennighoff et al. 2023 (arXiv:2305.16264), equations 5 to 7.
    """

    base: SumLaw
    repeated_tokens: float | np.ndarray
    excess_params: float | np.ndarray = np.inf

    equation: ClassVar[str] = "L = E + A / N'**alpha + B / D'**beta"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens", "unique_tokens")

    @classmethod
    def from_published(cls, name: str = "muennighoff2023") -> DataConstrainedLaw:
        """Read the constants of the authors' code.

        Parameters
        ----------
        name : {"muennighoff2023"}
            The one set there is.

        Returns
        -------
        DataConstrainedLaw
            With these constants.

        Raises
        ------
        ValueError
            For any other name.
        """
        only(name, "muennighoff2023")
        a, b, e = (np.exp(float(published(f"{name}/{symbol}"))) for symbol in "abe")
        alpha = float(published(f"{name}/alpha"))
        repeated, excess = (float(published(f"{name}/{symbol}")) for symbol in ("R_D", "R_N"))
        return cls(ChinchillaLaw(E=e, A=a, B=b, alpha=alpha, beta=alpha), repeated, excess)

    def useful_params(self, unique_tokens: ArrayLike) -> np.ndarray | float:
        r"""Find the size to which tokens are compute-optimal.

        From :math:`\alpha A N^{-\alpha} = \beta B U_D^{-\beta}`.

        Parameters
        ----------
        unique_tokens : float or array
            Number of distinct tokens, positive.

        Returns
        -------
        float or array
            Number of parameters, of the shape of ``unique_tokens``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (U,) = positive(unique_tokens=unique_tokens)
        law = self.base
        return ((law.alpha * law.A / (law.beta * law.B)) ** (1 / law.alpha) * U ** (law.beta / law.alpha))[()]

    def loss(self, params: ArrayLike, tokens: ArrayLike, unique_tokens: ArrayLike) -> np.ndarray | float:
        """Predict the loss after reading ``tokens``, of which ``unique_tokens`` are distinct.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        tokens : float or array
            Number of tokens read, D, positive.
        unique_tokens : float or array
            Number of distinct tokens, U_D, positive.

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
        data = effective_amount(tokens, unique_tokens, self.repeated_tokens)
        size = params
        if not np.all(np.isinf(self.excess_params)):
            size = effective_amount(params, self.useful_params(unique_tokens), self.excess_params)
        return self.base.loss(size, data)
