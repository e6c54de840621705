"""Do the runs settle the best size for a budget, by profile likelihood and by the interval that a plan prints?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .._words import format_count, format_flops, percent
from ..fit.certainty import FACTOR, unsettled
from ..fit.result import Fit


def open_question(fit: Fit, size: pd.Series, flops: float, level: float) -> str:
    """Why the runs do not settle the best size for a budget, in words; nothing where they do.

    ``size`` is the row of a plan: ``estimate``, ``low`` and ``high`` of resampled runs. Where runs stray unevenly, or a
    few of them decide, these intervals are wider than those by profile likelihood, and a size that is said to be known
    within a factor of two has to lie within it by both. An interval that is unknown is said to be so elsewhere.
    """
    if words := unsettled(fit, flops, level):
        return words
    value, low, high = (float(size[name]) for name in ("estimate", "low", "high"))
    if np.isnan([low, high]).any() or (low >= value / FACTOR and high <= value * FACTOR):
        return ""
    words = f"the best size for {format_flops(flops)} FLOPs is not known within a factor of {FACTOR:g}"
    span = f"it lies anywhere from {format_count(low)} to {format_count(high) if np.isfinite(high) else 'any size'}"
    return (
        f"{words} ({percent(level)}%): {span} by resampled runs, which tell it less well than profile likelihood does"
    )
