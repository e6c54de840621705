"""Runs that a robust fit sets aside, which resamples must not bring back.

Huber's objective gives a run far off one vote, however far off it is. A resample that draws it four times where few
others lie gives it four, and there the law goes through it. So resamples of a robust fit leave out what the fit itself
set aside.
"""

from __future__ import annotations

import math

import numpy as np

from ..._robust import robust_deviation
from .problem import Objective, Problem

#: a residual of more than this many noises is no noise: under normal noise of no table, under Student's with three
#: degrees of freedom of one run in a thousand
FAR = 12.0
#: largest share of the runs that can be set aside: where more are far off, it is the law that is
MOST = 0.1
#: a fit without the runs that differs from that with them, as chance does in less than this share, leaned on them
LEANS = 0.01
#: no larger distance is told from this one
FARTHEST = 1e3


def noise_of(residuals: np.ndarray, n_params: int) -> float:
    """Standard deviation of the residuals (n,) of a fit, from the median of their absolute values."""
    n = len(residuals)
    return float(robust_deviation(residuals) * np.sqrt(n / max(n - n_params, 1)))


def far_off(problem: Problem, theta: np.ndarray, objective: Objective) -> np.ndarray:
    """(n,): which runs a robust fit may have set aside; none under squares, which heed every run."""
    r = np.abs(problem.residuals(theta[None])[0])
    limit = max(FAR * noise_of(r, problem.model.n_free), objective.delta)
    far = (r > limit) & (objective.name != "log_squares")
    return far if far.mean() <= MOST else np.zeros_like(far)


def leans(theta: np.ndarray, without: np.ndarray, each: np.ndarray) -> bool:
    """Whether ``theta`` (p,) lies beyond the spread of resamples (B, p) about the fit ``without`` some runs."""
    gap = theta - without
    spread = np.cov(each, rowvar=False)
    distance = float(gap @ np.linalg.pinv(spread, hermitian=True) @ gap)
    return chance_beyond(distance, len(gap)) < LEANS


def chance_beyond(distance: float, freedom: int) -> float:
    """Probability of a larger chi-squared, a finite sum (Abramowitz and Stegun, 26.4.4 and 26.4.5).

    SciPy's takes about as long to import as a thousand resamples of a small fit to be solved.
    """
    half = min(max(distance, 0.0), FARTHEST) / 2
    chance = math.erfc(math.sqrt(half)) if freedom % 2 else math.exp(-half)
    for order in np.arange(1.0 - 0.5 * (freedom % 2), freedom / 2):
        chance += half**order * math.exp(-half) / math.gamma(order + 1)
    return chance
