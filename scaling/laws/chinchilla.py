"""The formulas of the papers: frozen dataclasses, vectorised, that know no data.

Symbols are those of the papers: ``N`` parameters, ``D`` tokens, ``C`` training FLOPs, ``L`` loss in
nats per token. Constants may be arrays (one entry a bootstrap resample); they broadcast against the
arguments by NumPy's rules.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .base import Law, read_published

__all__ = ["ChinchillaLaw"]


@dataclass(frozen=True, repr=False)
class ChinchillaLaw(Law):
    r"""Hoffmann et al.'s parametric loss (arXiv:2203.15556, equation 2; fitted as equation 10).

    .. math:: L(N, D) = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}

    Parameters
    ----------
    E : float or array
        Irreducible loss, nats/token, at least 0.
    A, B : float or array
        Coefficients of the size and the data term (nats/token at one parameter, one token).
    alpha, beta : float or array
        Exponents of the size and the data term.

    Examples
    --------
    >>> law = ChinchillaLaw.from_published("hoffmann2022")
    >>> round(float(law.loss(70e9, 1.4e12)), 3)
    1.921
    """

    E: float | np.ndarray
    A: float | np.ndarray
    B: float | np.ndarray
    alpha: float | np.ndarray
    beta: float | np.ndarray

    equation: ClassVar[str] = "L = E + A / N**alpha + B / D**beta"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens")
    #: where each named set of constants stands in ``data/published.csv``
    published_sets: ClassVar[dict[str, str]] = {
        "hoffmann2022": "hoffmann2022/tex",
        "hoffmann2022_rounded": "hoffmann2022/eq10",
        "besiroglu2024": "besiroglu2024/estimates",
    }

    @classmethod
    def from_published(cls, name: str) -> ChinchillaLaw:
        """Make the law of a published set of constants.

        Either one of ``ChinchillaLaw.published_sets``: ``hoffmann2022`` are the unrounded constants of the
        paper's TeX source, ``hoffmann2022_rounded`` the printed ones (equation 10), ``besiroglu2024`` the
        estimates of arXiv:2404.10102; or the place of five constants in ``data/published.csv``, such as
        ``sardana2024/constants``.

        Parameters
        ----------
        name : str
            One of the sets, or a place.

        Returns
        -------
        ChinchillaLaw
            With these constants.

        Raises
        ------
        ValueError
            For a name that is neither.
        """
        known = f"{', '.join(cls.published_sets)}, or a place such as sardana2024/constants"
        place = cls.published_sets.get(name, name)
        return cls(**read_published(place, *(f.name for f in fields(cls)), known=known, called=name))

    @property
    def a(self) -> float | np.ndarray:
        r"""Exponent of the optimal size, :math:`N^* \propto C^a`."""
        return self.beta / (self.alpha + self.beta)

    @property
    def b(self) -> float | np.ndarray:
        r"""Exponent of the optimal number of tokens, :math:`D^* \propto C^b`."""
        return self.alpha / (self.alpha + self.beta)

    def terms(self, params: ArrayLike, tokens: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Compute the size term A/N^alpha and the data term B/D^beta.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        tokens : float or array
            Number of training tokens D, positive.

        Returns
        -------
        tuple of float or array
            The two terms, nats/token.

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
        return np.asarray(self.E + size + data)[()]

    def rounded(self, decimals: dict[str, int]) -> ChinchillaLaw:
        """Round some constants, as with ``{"alpha": 2, "beta": 2}``.

        Parameters
        ----------
        decimals : dict
            Number of decimals of each constant to round.

        Returns
        -------
        ChinchillaLaw
            The others as they are.

        Raises
        ------
        AttributeError
            For a name that is no constant.
        TypeError
            If such a constant is an array of several numbers.
        """
        return replace(self, **{name: round(float(getattr(self, name)), d) for name, d in decimals.items()})
