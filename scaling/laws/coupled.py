"""The law whose two terms are joined by a power instead of added: ``L = (A/N^alpha + B/D^beta)^k + E``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .base import Law
from .chinchilla import ChinchillaLaw

__all__ = ["CoupledLaw"]


@dataclass(frozen=True, repr=False)
class CoupledLaw(Law):
    r"""A sum of power terms to a power (Videau et al. 2026, arXiv:2608.07222, at second hand).

    .. math:: L(N, D) = \Bigl(\frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}\Bigr)^{k} + E

    For k = 1 it is :class:`~scaling.laws.ChinchillaLaw`, for E = 0 the joint form of :class:`~scaling.laws.KaplanLaw`.
    What is left of it with endless tokens is :math:`S = A^k N^{-k\alpha}`, with an endless model
    :math:`T = B^k D^{-k\beta}`, and these two are joined as

    .. math:: L - E = \bigl(S^{1/k} + T^{1/k}\bigr)^{k},

    which falls from S + T at k = 1 to the larger of the two as k goes to 0: the smaller k, the less a run that is short
    of tokens gains by a larger model. The loss falls wherever the sum does, so that the best size and tokens of a
    budget are those of the sum, whatever k and E.

    Parameters
    ----------
    E : float or array
        Irreducible loss, nats/token, at least 0.
    A, B : float or array
        Coefficients of the size and the data term in the sum.
    alpha, beta : float or array
        Exponents of the size and the data term in the sum. What the loss falls with are k alpha and k beta.
    k : float or array
        Coupling of the two terms, positive.

    Examples
    --------
    >>> law = CoupledLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28, k=1.0)
    >>> bool(abs(law.loss(1e9, 1e11) - law.base.loss(1e9, 1e11) - 1.7) < 1e-12)
    True
    """

    E: float | np.ndarray
    A: float | np.ndarray
    B: float | np.ndarray
    alpha: float | np.ndarray
    beta: float | np.ndarray
    k: float | np.ndarray

    equation: ClassVar[str] = "L = E + (A / N**alpha + B / D**beta)**k"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens")

    @classmethod
    def joining(cls, law: ChinchillaLaw, k: float | np.ndarray) -> CoupledLaw:
        """Join the terms S and T of a :class:`~scaling.laws.ChinchillaLaw` by a coupling.

        Parameters
        ----------
        law : ChinchillaLaw
            Its E and terms S and T are those of the new law.
        k : float or array
            The coupling, positive.

        Returns
        -------
        CoupledLaw
            Of which ``law`` is :attr:`parted`.
        """
        root = 1.0 / np.asarray(k)[()]
        return cls(law.E, law.A**root, law.B**root, law.alpha * root, law.beta * root, k)

    @property
    def parted(self) -> ChinchillaLaw:
        """E, S and T as a :class:`~scaling.laws.ChinchillaLaw`: what :meth:`joining` joins."""
        k = np.asarray(self.k)[()]
        return ChinchillaLaw(self.E, self.A**k, self.B**k, self.alpha * k, self.beta * k)

    @property
    def base(self) -> ChinchillaLaw:
        """The sum in the brackets, as a law without an irreducible loss: it has the same optimum."""
        return ChinchillaLaw(0.0, self.A, self.B, self.alpha, self.beta)

    @property
    def a(self) -> float | np.ndarray:
        r"""Exponent of the optimal size, :math:`N^* \propto C^a`."""
        return self.base.a

    @property
    def b(self) -> float | np.ndarray:
        r"""Exponent of the optimal number of tokens, :math:`D^* \propto C^b`."""
        return self.base.b

    def terms(self, params: ArrayLike, tokens: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Compute the two terms of the sum, A/N^alpha and B/D^beta.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        tokens : float or array
            Number of training tokens D, positive.

        Returns
        -------
        tuple of float or array
            The two terms.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        N, D = positive(params=params, tokens=tokens)
        return self.A * N**-self.alpha, self.B * D**-self.beta

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
        size, data = self.terms(params, tokens)
        return np.asarray(self.E + (size + data) ** self.k)[()]


#: laws whose loss rises with A/N^alpha + B/D^beta, and which have the optimum of that sum
SumLaw = ChinchillaLaw | CoupledLaw
