"""The standard deviation of noise that a few odd values do not move."""

from __future__ import annotations

import numpy as np

#: a median of absolute values times this is the standard deviation of normal noise
MEDIAN_TO_SD = 1.4826


def robust_deviation(off: np.ndarray) -> np.ndarray:
    """Standard deviation (…,) of deviations (…, n) from their centre, from the median of their amounts.

    As if the deviations were normal: half of those lie within a deviation over 1.4826.
    """
    return np.asarray(MEDIAN_TO_SD * np.median(np.abs(off), axis=-1))
