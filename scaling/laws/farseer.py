"""The law of Li et al. 2025 ("Farseer", arXiv:2506.10972), whose offset and data term depend on the size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .base import Law

__all__ = ["FarseerLaw"]


@dataclass(frozen=True, repr=False)
class FarseerLaw(Law):
    r"""At each size a power law of the tokens, whose three constants follow from the size (Li et al. 2025).

    .. math:: L(N, D) = e^{a_3 N^{\gamma} + b_3} + e^{a_2 N^{\beta} + b_2}\, D^{-\exp(a_1 N^{\alpha} + b_1)}

    Parameters
    ----------
    a3, b3, gamma : float or array
        Of the loss that a size reaches with endless data, :meth:`floor`.
    a2, b2, beta : float or array
        Of the coefficient of the data term, :meth:`coefficient`.
    a1, b1, alpha : float or array
        Of its exponent, :meth:`exponent`.

    Notes
    -----
    Where A/N^α is small beside E the Chinchilla law is its limit: with :math:`\gamma = -\alpha`, :math:`a_3 = A/E`,
    :math:`b_3 = \ln E` the floor is :math:`E + A/N^{\alpha} + A^2/(2 E N^{2\alpha}) + \dots`, and :math:`a_1 = a_2 = 0`
    leave one data term for all sizes. Nine constants; the exponents may have either sign.

    References
    ----------
    arXiv:2506.10972, equation 3, at second hand.

    Examples
    --------
    >>> law = FarseerLaw(a3=35.0, b3=0.5, gamma=-0.2, a2=0.0, b2=6.0, beta=1.0, a1=0.0, b1=-1.2, alpha=1.0)
    >>> law.loss(1e9, [1e10, 1e11]).round(3)  # a1 = a2 = 0: what more tokens bring does not depend on the size
    array([3.264, 3.067])
    """

    a3: float | np.ndarray
    b3: float | np.ndarray
    gamma: float | np.ndarray
    a2: float | np.ndarray
    b2: float | np.ndarray
    beta: float | np.ndarray
    a1: float | np.ndarray
    b1: float | np.ndarray
    alpha: float | np.ndarray

    equation: ClassVar[str] = "L = exp(a3 N**gamma + b3) + exp(a2 N**beta + b2) / D**exp(a1 N**alpha + b1)"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens")

    def floor(self, params: ArrayLike) -> np.ndarray | float:
        """Predict the loss of a size with endless data.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.

        Returns
        -------
        float or array
            Nats/token, of the shape of ``params``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (N,) = positive(params=params)
        return np.exp(self.a3 * N**self.gamma + self.b3)[()]

    def coefficient(self, params: ArrayLike) -> np.ndarray | float:
        """Compute the coefficient of the data term at a size.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.

        Returns
        -------
        float or array
            Nats/token at one token, of the shape of ``params``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (N,) = positive(params=params)
        return np.exp(self.a2 * N**self.beta + self.b2)[()]

    def exponent(self, params: ArrayLike) -> np.ndarray | float:
        """Compute the exponent of the data term at a size.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.

        Returns
        -------
        float or array
            Positive: the loss falls as D^-exponent.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (N,) = positive(params=params)
        return np.exp(self.a1 * N**self.alpha + self.b1)[()]

    def loss(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
        """Predict the loss of N parameters trained on D tokens.

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
        log_data = self.a2 * N**self.beta + self.b2 - np.exp(self.a1 * N**self.alpha + self.b1) * np.log(D)
        return (np.exp(self.a3 * N**self.gamma + self.b3) + np.exp(log_data))[()]
