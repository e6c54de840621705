"""Rows that repeat others, in very large tables too."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: rows looked at together: few enough for what has been seen of them to stay in a processor's cache
PART = 50_000


def repeated_rows(table: pd.DataFrame, names: list[str], every: bool = False) -> np.ndarray:
    """Which rows repeat the columns ``names`` of an earlier row; with ``every``, those that are repeated as well.

    pandas' ``duplicated``, of parts in each of which all rows are that could be alike: the time grows as the rows do,
    where one of 10 million rows waits for memory.
    """
    keep = False if every else "first"
    columns = table[names]
    if len(table) <= PART:
        return columns.duplicated(keep=keep).to_numpy()
    parts = -(-len(table) // PART)
    part = (pd.util.hash_pandas_object(columns.fillna(0.0), index=False).to_numpy() % parts).astype(np.uint16)
    out = np.empty(len(table), dtype=bool)
    for rows in np.split(np.argsort(part, kind="stable"), np.cumsum(np.bincount(part))[:-1]):
        out[rows] = columns.iloc[rows].duplicated(keep=keep)
    return out
