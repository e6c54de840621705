"""What the law says, in one line (Author et al. 2026, arXiv:0000.00000)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .base import Law

__all__ = ["NameLaw"]


@dataclass(frozen=True, repr=False)
class NameLaw(Law):
    r"""What the law is about (arXiv:0000.00000, equation 0).

    .. math:: L(N, D) = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}

    Parameters
    ----------
    E : float or array
        What the constant means, its unit (nats/token), and which values it may have.
    A, B : float or array
        The same for these two.
    alpha, beta : float or array
        The same for the exponents.

    Examples
    --------
    >>> law = NameLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28)
    >>> round(float(law.loss(1e9, 1e10)), 3)
    2.682
    """

    E: float | np.ndarray
    A: float | np.ndarray
    B: float | np.ndarray
    alpha: float | np.ndarray
    beta: float | np.ndarray

    #: the equation in plain text, with the names of the constants above
    equation: ClassVar[str] = "L = E + A / N**alpha + B / D**beta"
    #: the columns of a table of runs on which the law depends, in the order of the arguments of `loss`
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens")

    def loss(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
        """Loss in nats/token at ``params`` and ``tokens`` (positive); ``ValueError`` otherwise."""
        N, D = positive(params=params, tokens=tokens)
        return np.asarray(self.E + self.A * N**-self.alpha + self.B * D**-self.beta)[()]
