"""A fit of the broken power law of Caballero et al. 2023 (arXiv:2210.14891)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from .._checks import positive
from ..errors import FitError
from ..laws.broken import BrokenPowerLaw

__all__ = ["fit_broken_power_law"]


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
    X, Y = (np.atleast_1d(values) for values in positive(x=x, y=y))
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
