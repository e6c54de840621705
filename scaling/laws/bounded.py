"""A law between a floor and a ceiling, with a charge for over-fitting: Lovelace et al. 2026 (arXiv:2605.01640)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .base import Law

__all__ = ["BoundedLaw"]


@dataclass(frozen=True, repr=False)
class BoundedLaw(Law):
    r"""The loss between E and the loss L0 of a model that has learned nothing.

    .. math::

        L = E + (L_0 - E)\frac{h}{1 + h}, \qquad
        h = \frac{a}{N^{\alpha}} + \frac{b}{T^{\beta}} + \frac{c\,N^{\gamma}}{D^{\delta}}

    with T tokens read, of which D are distinct. Where h is small this is Hoffmann et al.'s sum with
    :math:`A = (L_0 - E)a` and :math:`B = (L_0 - E)b`, and where it is large the loss is :math:`L_0`, as under
    Rosenfeld's envelope. The third term grows with the size: on few distinct tokens a larger model does worse.

    Parameters
    ----------
    E, L0 : float or array
        Floor and ceiling, nats/token.
    a, b, c : float or array
        Coefficients of the size, of the tokens read, and of over-fitting.
    alpha, beta, gamma, delta : float or array
        Exponents.

    Notes
    -----
    The form is known to us from the paper's abstract alone, and no fitted constants of it.

    References
    ----------
    Lovelace et al. 2026 (arXiv:2605.01640), abstract.

    Examples
    --------
    >>> law = BoundedLaw(E=1.7, L0=10.8, a=50, b=50, c=1e-4, alpha=0.34, beta=0.28, gamma=0.5, delta=0.3)
    >>> round(float(law.loss(1e-30, 1e9, 1e9)), 6)
    10.8
    """

    E: float | np.ndarray
    L0: float | np.ndarray
    a: float | np.ndarray
    b: float | np.ndarray
    c: float | np.ndarray
    alpha: float | np.ndarray
    beta: float | np.ndarray
    gamma: float | np.ndarray
    delta: float | np.ndarray

    equation: ClassVar[str] = "L = E + (L0 - E) h / (1 + h), h = a / N**alpha + b / T**beta + c N**gamma / D**delta"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens", "unique_tokens")

    def loss(self, params: ArrayLike, tokens: ArrayLike, unique_tokens: ArrayLike) -> np.ndarray | float:
        """Predict the loss after reading ``tokens``, of which ``unique_tokens`` are distinct.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        tokens : float or array
            Number of tokens read, T, positive.
        unique_tokens : float or array
            Number of distinct tokens, D, positive.

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
        N, T, D = positive(params=params, tokens=tokens, unique_tokens=unique_tokens)
        h = self.a * N**-self.alpha + self.b * T**-self.beta + self.c * N**self.gamma * D**-self.delta
        return np.asarray(self.L0 - (self.L0 - self.E) / (1 + h))[()]

    def most_params(self, unique_tokens: ArrayLike) -> np.ndarray | float:
        r"""Find the size beyond which more parameters harm, however many tokens are read.

        The pulls of the size and of over-fitting are equal at
        :math:`N = \left(\alpha a D^{\delta} / \gamma c\right)^{1/(\alpha + \gamma)}`.

        Parameters
        ----------
        unique_tokens : float or array
            Number of distinct tokens, positive.

        Returns
        -------
        float or array
            Number of parameters.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (D,) = positive(unique_tokens=unique_tokens)
        pull = self.alpha * self.a * D**self.delta / (self.gamma * self.c)
        return np.asarray(pull ** (1 / (self.alpha + self.gamma)))[()]
