"""Rows that repeat others, or have their design, in very large tables too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from .numbers import column_of_numbers

#: rows looked at together: few enough for what has been seen of them to stay in a processor's cache
PART = 50_000
#: up to so many rows of floats are compared one by one, which is sooner done than pandas begins
FEW = 2_000
#: digits to which numbers of one design agree
DIGITS = 6
#: tokens of one design follow each other within this share, since steps are whole, and all within that one
NEXT, ALL = 0.0125, 0.03


def repeated_rows(table: pd.DataFrame, names: list[str], every: bool = False) -> np.ndarray:
    """Which rows repeat the columns ``names`` of an earlier row; with ``every``, those that are repeated as well.

    pandas' ``duplicated``, of parts in each of which all rows are that could be alike: the time grows as the rows do,
    where one of 10 million rows waits for memory.
    """
    table = pd.DataFrame(table, copy=False)  # without the notes, which pandas copies with each column
    if len(table) <= FEW and (keys := _as_keys(table, names)):
        return _repeated(keys, every)
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


def _as_keys(table: pd.DataFrame, names: list[str]) -> list[tuple[float, ...]]:
    """The rows of a few columns of floats; none where some are not floats, or missing, which equal each other."""
    columns = [table[name] for name in names]
    if any(column.dtype != float for column in columns):
        return []
    values = [column.to_numpy() for column in columns]
    if any(np.isnan(each).any() for each in values):
        return []
    return list(zip(*(each.tolist() for each in values), strict=True))


def _repeated(keys: list[tuple[float, ...]], every: bool) -> np.ndarray:
    if every:
        counts = Counter(keys)
        return np.array([counts[key] > 1 for key in keys])
    first: dict[tuple[float, ...], int] = {}
    return np.array([first.setdefault(key, i) != i for i, key in enumerate(keys)])


def same_numbers(column: pd.Series) -> pd.Series:
    """Numbers to the digits in which those of one design agree; anything else as it is."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column
    values = column.to_numpy(dtype=float, na_value=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.abs(values))))
        return pd.Series(np.where(values == 0, 0.0, np.round(values * scale) / scale), column.index)


def designs_of(
    table: pd.DataFrame, by: Sequence[str] = ("params", "tokens"), share: float = NEXT, most: float = ALL
) -> np.ndarray:
    """The design of each row (n,), as whole numbers: equal in the columns ``by``, numbers to six digits.

    Tokens, which whole steps round, are those of one design where, in order, each is within ``share`` of the one
    before and all are within ``most`` of the first. Where they go on beyond, as points of a curve do, six digits tell.
    ``RunsError`` where tokens are no numbers.
    """
    labels = {name: same_numbers(table[name]) for name in by}
    exact = pd.MultiIndex.from_arrays(list(labels.values())).factorize()[0]
    if "tokens" not in by or not len(table):
        return exact
    others = [column for name, column in labels.items() if name != "tokens"]
    size = pd.MultiIndex.from_arrays(others).factorize()[0] if others else np.zeros(len(table), dtype=int)
    log = np.log(column_of_numbers(table, "tokens"))
    order = np.lexsort((log, size))
    near = (np.diff(size[order]) == 0) & (np.diff(log[order]) <= np.log1p(share))
    starts = np.concatenate([[True], ~near])
    chain = np.cumsum(starts) - 1
    first = log[order][starts]
    last = log[order][np.concatenate([~near, [True]])]
    wide = (last - first > np.log1p(most))[chain]
    design = np.empty(len(table), dtype=int)
    design[order] = np.where(wide, len(table) + exact[order], chain)
    return np.unique(design, return_inverse=True)[1]
