"""Power laws with smooth breaks: one exponent before, another behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .base import Law

__all__ = ["BrokenPowerLaw"]


@dataclass(frozen=True, repr=False)
class BrokenPowerLaw(Law):
    r"""A power law whose exponent changes, smoothly, at given places.

    .. math:: y = a + b\,x^{-c_0} \prod_{i} \Bigl(1 + (x/d_i)^{1/f_i}\Bigr)^{-c_i f_i}

    Far below the first break y - a falls with exponent :math:`c_0`, between the first and the second with
    :math:`c_0 + c_1`, and so on. No breaks: :class:`~scaling.laws.PowerLaw`.

    Parameters
    ----------
    offset : float or array
        a, what is left at infinite x.
    coefficient : float or array
        b, at x = 1 if that is far below the first break.
    exponent : float or array
        :math:`c_0`; positive for a curve that falls.
    breaks : array (k,) or (…, k)
        :math:`d_i`, places of the breaks in the unit of x, positive and rising.
    changes : array (k,) or (…, k)
        :math:`c_i`, what each break adds to the exponent.
    widths : array (k,) or (…, k)
        :math:`f_i`, positive: a break takes about so many factors of e to either side.

    Raises
    ------
    ValueError
        If the arrays differ in length, a break or a width is not positive, or breaks do not rise.

    References
    ----------
    Caballero et al. 2022 (arXiv:2210.14891), equation 1.

    Examples
    --------
    >>> law = BrokenPowerLaw(0.0, 2.0, 0.1, [1e3], [0.4], [0.2])
    >>> law.exponents
    array([-0.1, -0.5])
    """

    offset: float | np.ndarray
    coefficient: float | np.ndarray
    exponent: float | np.ndarray
    breaks: ArrayLike = ()
    changes: ArrayLike = ()
    widths: ArrayLike = ()

    equation: ClassVar[str] = "y = offset + coefficient * x**-exponent * prod((1 + (x/d)**(1/f))**(-c*f))"
    columns: ClassVar[tuple[str, ...]] = ("x",)

    def __post_init__(self) -> None:
        for name in ("breaks", "changes", "widths"):
            object.__setattr__(self, name, np.atleast_1d(np.asarray(getattr(self, name), dtype=float)))
        breaks, changes, widths = self._bends()
        if not breaks.shape == changes.shape == widths.shape:
            sizes = ", ".join(str(x.size) for x in (breaks, changes, widths))
            raise ValueError(f"breaks, changes and widths must be of one length, got {sizes}")
        positive(breaks=breaks, widths=widths)
        if np.any(np.diff(breaks, axis=-1) <= 0):
            raise ValueError(f"breaks must rise, got {breaks}")

    def _bends(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Breaks, changes and widths as the arrays that they have become."""
        return np.asarray(self.breaks), np.asarray(self.changes), np.asarray(self.widths)

    @property
    def exponents(self) -> np.ndarray:
        """Signed exponent of y - a before, between and behind the breaks: k + 1 numbers."""
        added = np.cumsum(self.changes, axis=-1)
        start = np.zeros((*added.shape[:-1], 1))
        return -np.asarray(self.exponent)[..., None] - np.concatenate([start, added], axis=-1)

    def __call__(self, x: ArrayLike) -> np.ndarray | float:
        """Value at ``x``, positive; ``ValueError`` otherwise."""
        (x,) = positive(x=x)
        return (self.offset + np.exp(self._log_reducible(np.log(x))))[()]

    def value(self, *columns: ArrayLike) -> np.ndarray | float:
        """Evaluate the law at ``x``; the same as calling it.

        Parameters
        ----------
        *columns : float or array
            ``x`` alone, positive.

        Returns
        -------
        float or array
            y, of the shape of ``x``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        return self(*columns)

    def _log_reducible(self, log_x: np.ndarray) -> np.ndarray:
        return log_reducible(log_x, self.coefficient, self.exponent, *self._bends())

    def local_exponent(self, x: ArrayLike) -> np.ndarray | float:
        """Find the slope d ln(y - a) / d ln x at ``x``.

        Parameters
        ----------
        x : float or array
            Where, positive.

        Returns
        -------
        float or array
            Signed exponent, of the shape of ``x``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (x,) = positive(x=x)
        breaks, changes, widths = self._bends()
        steps = np.log(x)[..., None] - np.log(breaks)
        bent = (0.5 + 0.5 * np.tanh(steps / (2 * widths))) * changes
        return (-self.exponent - bent.sum(-1))[()]


def log_reducible(
    log_x: np.ndarray,
    coefficient: float | np.ndarray,
    exponent: float | np.ndarray,
    breaks: np.ndarray,
    changes: np.ndarray,
    widths: np.ndarray,
) -> np.ndarray:
    """The logarithm of what such a law has above its offset."""
    bend = np.logaddexp(0.0, (log_x[..., None] - np.log(breaks)) / widths)
    return np.asarray(np.log(coefficient) - exponent * log_x - (bend * changes * widths).sum(-1))
