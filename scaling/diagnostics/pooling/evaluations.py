"""Several evaluations of one run, which differ far less than a law misses them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...fit.result import Fit
from ...runs.repetition import designs_of
from .designs import EXACT, told_apart
from .result import ONE, Pooling

#: evaluations of one run differ by less than this in ln loss, and so many times less than a law misses them by
EVALUATED, FURTHER = 0.002, 5.0
#: designs that are needed to tell, and rows that repeat one
LEAST_DESIGNS, LEAST_REPEATS = 8, 8


def find_evaluations(fit: Fit, runs: pd.DataFrame, residuals: np.ndarray) -> Pooling | None:
    """Rows of one design that differ far less than the law misses them, and that nothing names as runs."""
    design = designs_of(runs, share=EXACT)
    counts = np.bincount(design)
    many, freedom = counts[design] > 1, len(counts) - len(fit.candidate.constants)
    if many.sum() < max(LEAST_REPEATS, len(runs) / 2) or len(counts) < LEAST_DESIGNS or freedom < 1:
        return None
    log = np.log(runs["loss"].to_numpy())
    away = log - (np.bincount(design, log) / counts)[design]
    spread = float(np.sqrt((away**2).sum() / (len(log) - len(counts))))
    misses = float(np.sqrt(((np.bincount(design, residuals) / counts) ** 2).sum() / freedom))
    if not 0 < spread < EVALUATED or misses < FURTHER * spread or told_apart(runs, design):
        return None
    seen = f"{int(many.sum()):,} rows share params and tokens with others and differ by {100 * spread:.1g}% in loss"
    ask = f"where one law misses them by {100 * misses:.1g}%: are they several evaluations of one run?"
    return Pooling("evaluations", (), f"{seen}, {ask} {ONE}; if they are runs of their own, a column 'seed' says so")
