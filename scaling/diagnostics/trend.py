"""Do the residuals of a law bend with size, tokens or compute? Then it misses something, also without repeated runs."""

from __future__ import annotations

import numpy as np
import scipy

from .._robust import robust_deviation
from ..fit.result import Fit
from ..laws.coupled import SumLaw
from .discrepancy import SIGMAS, slopes_of
from .pooling.shifts import left_by

#: a ratio of variances below this is nothing unusual, and commands need not wait for SciPy's special functions
USUAL = 2.0


def chance_of_trend(fit: Fit) -> float:
    """How likely residuals of a right law bend as much, by an F test: small where the law misses something.

    Beside the law's constants, to first order, the test has squares and the product of the logarithms of what the loss
    is a function of (of one variable, its square and cube). Residuals count as at most five robust standard deviations.
    1 where the ratio is below 2, which chance alone shows in one table of nine or more. NaN where too few runs are left
    or the law is of another kind. It says that there is a trend, not that it matters.
    """
    used = fit.weights > 0
    names = ["params", "tokens"] if isinstance(fit.candidate, SumLaw) else ["x"]
    if names[0] not in fit.runs or (names == ["x"] and "exponent" not in fit.candidate.constants):
        return float("nan")
    values = [fit.runs[name].to_numpy(dtype=float)[used] for name in names]
    y, logs = fit.residuals[used], [np.log(each) for each in values]
    if isinstance(fit.candidate, SumLaw):
        slopes = slopes_of(fit.candidate, *values)
    else:
        term = values[0] ** fit.candidate.constants["exponent"]
        slopes = np.column_stack([np.ones_like(term), term, term * logs[0]]) / fit.candidate.value(values[0])[:, None]
    scaled = [(each - each.mean()) / max(float(np.std(each)), 1e-12) for each in logs]
    x, z = scaled[0], scaled[-1]
    bends = [x**2, z**2, x * z] if len(logs) > 1 else [x**2, x**3]
    edge = SIGMAS * float(robust_deviation(y))
    y = np.clip(y, -edge, edge)
    slopes = slopes / np.linalg.norm(slopes, axis=0)
    before, after = left_by(slopes, y), left_by(np.column_stack([slopes, *bends]), y)
    free = len(y) - slopes.shape[1] - len(bends)
    if free < 1 or not after > 0:
        return float("nan")
    ratio = (before - after) / len(bends) / (after / free)
    return 1.0 if ratio < USUAL else float(scipy.special.fdtrc(len(bends), free, ratio))
