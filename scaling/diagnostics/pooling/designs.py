"""Rows of one design, a size and a number of tokens: whether a column says that they are runs of their own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...runs.headers import REPEATS, is_called, is_tuned
from ...runs.vocabulary import LABELS, LIMITS

#: share within which tokens are the same number
EXACT = 1e-6


def told_apart(runs: pd.DataFrame, design: np.ndarray) -> bool:
    """Whether a column of seeds, of trials or of what is tuned differs within most designs of several rows."""
    several = (np.bincount(design) > 1)[design]
    codes = np.unique(design[several], return_inverse=True)[1]
    for place, name in enumerate(runs.columns):
        tells = is_called(REPEATS, str(name)) or (name not in (*LIMITS, *LABELS) and is_tuned(str(name)))
        if tells and varies(pd.factorize(runs.iloc[several, place])[0], codes):
            return True
    return False


def varies(levels: np.ndarray, codes: np.ndarray) -> bool:
    """Whether levels differ within most groups."""
    groups = codes.max() + 1
    low, high = np.full(groups, levels.max()), np.zeros(groups, dtype=int)
    np.minimum.at(low, codes, levels)
    np.maximum.at(high, codes, levels)
    return bool((high > low).mean() >= 0.5)
