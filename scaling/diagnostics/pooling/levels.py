"""The levels of a column, and how much of what differs among rows they explain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy

from ...runs.headers import is_tuned

#: a column explains residuals where chance would in so few tables (all its columns together), and so much of them
LEVEL, EXPLAINED = 0.002, 0.2
#: a label has at most so many levels, of at least so many rows each; numbers with more are cut into so many parts
MOST_LEVELS, LEAST_ROWS, PARTS = 12, 3, 6


def levels_of(name: str, column: pd.Series) -> np.ndarray | None:
    """The level of each row as whole numbers, 0 for rare ones together; None for a column that is no label.

    Words and flags, numbers of few values, and of those that are tuned any, cut where they have many.
    """
    filled = column[column.notna()]
    words = not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
    distinct = filled.astype(str).nunique() if words else filled.nunique()
    if distinct < 2:
        return None
    if distinct > MOST_LEVELS:
        if words or not is_tuned(name):
            return None
        order = column.rank(method="average", pct=True).fillna(0.0).to_numpy(dtype=float)
        return np.minimum(np.ceil(order * PARTS), PARTS).astype(int)
    codes = pd.factorize(column.astype(str).where(column.notna()))[0] + 1
    counts = np.bincount(codes)
    return np.where(counts[codes] >= LEAST_ROWS, codes, 0)


def share_of(values: np.ndarray, levels: np.ndarray, lost: int = 0) -> tuple[float, float]:
    """The share of the variance of ranks that levels explain, and the chance of as much; ``lost`` means are known."""
    ranks = pd.Series(values).rank().to_numpy()
    ranks = ranks - ranks.mean()
    codes = np.unique(levels, return_inverse=True)[1]
    counts = np.bincount(codes)
    between = float((np.bincount(codes, ranks) ** 2 / counts).sum())
    total, groups = float((ranks**2).sum()), len(counts)
    freedom = len(values) - groups - lost
    if groups < 2 or freedom < 1 or total <= 0:
        return 0.0, 1.0
    ratio = between / (groups - 1) / max((total - between) / freedom, 1e-12 * total)
    return between / total, float(scipy.special.fdtrc(groups - 1, freedom, ratio))


def explaining(columns: dict[str, np.ndarray], values: np.ndarray, lost: int = 0) -> list[tuple[str, float]]:
    """The columns that explain values beyond chance, with their share, the strongest first."""
    found = []
    for name, levels in columns.items():
        share, chance = share_of(values, levels, lost)
        if share >= EXPLAINED and chance < LEVEL / len(columns):
            found.append((name, share))
    return sorted(found, key=lambda each: -each[1])
