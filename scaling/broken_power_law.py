"""Power laws with smooth breaks: one exponent before, another behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from .fit import FitError
from .laws import _Law, _positive

__all__ = ["BrokenPowerLaw", "fit_broken_power_law"]


@dataclass(frozen=True, repr=False)
class BrokenPowerLaw(_Law):
    r"""A power law whose exponent changes, smoothly, at given places.

    .. math:: y = a + b\,x^{-c_0} \prod_{i} \Bigl(1 + (x/d_i)^{1/f_i}\Bigr)^{-c_i f_i}

    Far below the first break y - a falls with exponent :math:`c_0`, between the first and the second with
    :math:`c_0 + c_1`, and so on. No breaks: :class:`PowerLaw`.

    Parameters
    ----------
    offset : float
        a, what is left at infinite x.
    coefficient : float
        b, at x = 1 if that is far below the first break.
    exponent : float
        :math:`c_0`; positive for a curve that falls.
    breaks : array (k,)
        :math:`d_i`, places of the breaks in the unit of x, positive and rising.
    changes : array (k,)
        :math:`c_i`, what each break adds to the exponent.
    widths : array (k,)
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

    offset: float
    coefficient: float
    exponent: float
    breaks: ArrayLike = ()
    changes: ArrayLike = ()
    widths: ArrayLike = ()

    equation: ClassVar[str] = "y = offset + coefficient * x**-exponent * prod((1 + (x/d)**(1/f))**(-c*f))"

    def __post_init__(self) -> None:
        for name in ("breaks", "changes", "widths"):
            object.__setattr__(self, name, np.atleast_1d(np.asarray(getattr(self, name), dtype=float)))
        if not self.breaks.shape == self.changes.shape == self.widths.shape:
            sizes = ", ".join(str(x.size) for x in (self.breaks, self.changes, self.widths))
            raise ValueError(f"breaks, changes and widths must be of one length, got {sizes}")
        _positive(breaks=self.breaks, widths=self.widths)
        if np.any(np.diff(self.breaks) <= 0):
            raise ValueError(f"breaks must rise, got {self.breaks}")

    @property
    def exponents(self) -> np.ndarray:
        """Signed exponent of y - a before, between and behind the breaks: k + 1 numbers."""
        return -self.exponent - np.concatenate([[0.0], np.cumsum(self.changes)])

    def __call__(self, x: ArrayLike) -> np.ndarray | float:
        """Value at ``x``, positive; ``ValueError`` otherwise."""
        (x,) = _positive(x=x)
        return (self.offset + np.exp(self._log_reducible(np.log(x))))[()]

    def _log_reducible(self, log_x: np.ndarray) -> np.ndarray:
        bend = np.logaddexp(0.0, (log_x[..., None] - np.log(self.breaks)) / self.widths)
        return np.log(self.coefficient) - self.exponent * log_x - bend @ (self.changes * self.widths)

    def local_exponent(self, x: ArrayLike) -> np.ndarray | float:
        """d ln(y - a) / d ln x at ``x``."""
        (x,) = _positive(x=x)
        steps = np.log(x)[..., None] - np.log(self.breaks)
        return (-self.exponent - (0.5 + 0.5 * np.tanh(steps / (2 * self.widths))) @ self.changes)[()]


def fit_broken_power_law(x: ArrayLike, y: ArrayLike, *, n_starts: int = 8, seed: int = 0) -> BrokenPowerLaw:
    """Fit a law with one break and an offset of at least 0, by least squares of ln y from several starts.

    Points on both sides of a break are needed to locate it. Where they are missing some constants end at
    the bounds of the search (a change of the exponent by 50, say), and the law means nothing beyond the points.

    Parameters
    ----------
    x, y : array (n,)
        Positive; n at least 6, as many as the constants.
    n_starts : int
        Starting places of the break and its sharpness, drawn over the range of x.
    seed : int
        Of the draw.

    Raises
    ------
    FitError
        If there are fewer than six points, or x and y differ in length.
    ValueError
        If a value is not positive.
    """
    X, Y = (np.atleast_1d(values) for values in _positive(x=x, y=y))
    if X.shape != Y.shape or len(X) < 6:
        raise FitError(f"six constants need six points or more, got {X.shape} values of x and {Y.shape} of y")
    log_x, log_y, rng = np.log(X), np.log(Y), np.random.default_rng(seed)
    center, span = log_x.mean(), np.ptp(log_x)

    def law(p: np.ndarray) -> BrokenPowerLaw:
        level, exponent, place, change, width, offset = p
        return BrokenPowerLaw(offset, np.exp(level + exponent * center), exponent, np.exp(place), change, np.exp(width))

    def residuals(p: np.ndarray) -> np.ndarray:
        return np.log(law(p)(X)) - log_y

    low = [-50, -5, log_x.min() - span, -50, np.log(1e-3), 0]
    high = [50, 5, log_x.max() + span, 50, np.log(5), Y.min()]
    best = None
    for _ in range(n_starts):
        place, width = rng.uniform(log_x.min(), log_x.max()), np.log(rng.uniform(0.02, 0.5) * span)
        start = [log_y.mean(), 0.1, place, 1.0, np.clip(width, -6, 1), 0.1 * Y.min()]
        trial = least_squares(residuals, start, bounds=(low, high), x_scale=[1, 0.1, 0.1, 1, 1, 0.1], max_nfev=400)
        if best is None or trial.cost < best.cost:
            best = trial
    return law(best.x)
