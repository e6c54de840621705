"""Two tables in one: residuals that step at one row of the file, or lie at two heights, and stray little about each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..._robust import robust_deviation
from ..._words import name_rows
from .result import CHOOSE, Pooling

#: fewest rows on either side
LEAST = 6
#: a step is so many times as high as the residuals stray on either side, and at least so high
TIMES, HIGH = 5.0, 0.004
#: of all pairs of rows, one from each side, so many lie as the step does; of a quantity that steps there, too, fewer
APART, SAME = 0.95, 0.9
#: share of the rows that makes a group of its own, and no few odd runs
SHARE = 0.15


def find_appended(runs: pd.DataFrame, residuals: np.ndarray) -> Pooling | None:
    """Two tables below each other that no column tells apart."""
    step = _find_step(residuals, runs)
    if step is None:
        return _two_heights(runs, residuals)
    noun = runs.index.name or "row"
    off = f"{abs(np.expm1(step.height)):.1%} {'above' if step.height > 0 else 'below'} the law of those before"
    seen = f"from {noun} {step.after} on, losses lie {off}, and stray by {step.spread:.2%} on either side"
    why = "two tables below each other, with another unit, data set or way of counting? One law is that of neither"
    hint = "add a column that tells them apart, and --group COLUMN fits the rows of each by themselves"
    return Pooling("appended", (), f"{seen}: {why}. {CHOOSE}: {hint}, --where chooses those of one")


def _two_heights(runs: pd.DataFrame, residuals: np.ndarray) -> Pooling | None:
    """Two groups of rows, in whatever order, that no column tells apart."""
    found = _find_heights(residuals, runs)
    if found is None:
        return None
    few, height, spread = found
    off = f"{abs(np.expm1(height)):.1%} {'above' if height > 0 else 'below'} the law of the others"
    seen = (
        f"{few.sum()} of {len(runs)} rows ({name_rows(runs.index, few)}) lie {off}, and all stray by {spread:.2%} only"
    )
    why = "two families, with another unit, data set or way of counting? One law is that of neither"
    hint = "add a column that tells them apart, and --group COLUMN fits the rows of each by themselves"
    return Pooling("appended", (), f"{seen}: {why}. {CHOOSE}: {hint}, --where chooses those of one")


@dataclass(frozen=True)
class _Step:
    """The rows before and after a step, its height in ln loss, and how far residuals stray on either side."""

    before: object
    after: object
    height: float
    spread: float


def _find_step(residuals: np.ndarray, runs: pd.DataFrame) -> _Step | None:
    """The row at which residuals (n,) of a law in the order of the file step once, unless a quantity steps with them.

    Sorted tables have their small runs at one end: a step there may be the law's failure. So sizes, tokens, compute and
    tokens a parameter must not tell the two sides apart.
    """
    n = len(residuals)
    if n < 2 * LEAST:
        return None
    ranks = pd.Series(residuals).rank().to_numpy() - (n + 1) / 2
    first = np.arange(LEAST, n - LEAST + 1)
    between = np.cumsum(ranks)[first - 1] ** 2 * (1 / first + 1 / (n - first))
    k = _sharpened(residuals, int(first[np.argmax(between)]))
    if not LEAST <= k <= n - LEAST:
        return None
    low, high = residuals[:k], residuals[k:]
    height = float(np.median(high) - np.median(low))
    spread = float(robust_deviation(np.concatenate([low - np.median(low), high - np.median(high)])))
    if abs(height) < max(HIGH, TIMES * spread) or abs(_apart(residuals, k)) < APART:
        return None
    if _told_by_scale(runs, k):
        return None
    return _Step(runs.index[k - 1], runs.index[k], height, spread)


def _find_heights(residuals: np.ndarray, runs: pd.DataFrame) -> tuple[np.ndarray, float, float] | None:
    """The rows (n,) of the smaller of two groups at whose heights residuals lie, its height over the other, the spread.

    Between the two is a gap as wide as a step, and neither the size nor the length of runs tells them apart.
    """
    n, order = len(residuals), np.argsort(residuals, kind="stable")
    if n < 2 * LEAST:
        return None
    gaps = np.diff(residuals[order])[LEAST - 1 : n - LEAST]
    k = LEAST + int(np.argmax(gaps))
    upper = np.zeros(n, dtype=bool)
    upper[order[k:]] = True
    medians = np.median(residuals[upper]), np.median(residuals[~upper])
    spread = float(robust_deviation(residuals - np.where(upper, *medians)))
    few = upper if upper.sum() <= n / 2 else ~upper
    if gaps.max() < max(HIGH, TIMES * spread) or few.mean() < SHARE:
        return None
    if _told_by_scale(runs.iloc[np.argsort(few, kind="stable")], n - int(few.sum())):
        return None
    height = float(medians[0] - medians[1])
    return few, height if few is upper else -height, spread


def _told_by_scale(runs: pd.DataFrame, k: int) -> bool:
    """Whether sizes, tokens, compute or tokens a parameter tell the first k rows from the others."""
    sizes, lengths = (np.log(runs[name].to_numpy()) for name in ("params", "tokens"))
    return max(abs(_apart(x, k)) for x in (sizes, lengths, sizes + lengths, lengths - sizes)) >= SAME


def _sharpened(residuals: np.ndarray, k: int) -> int:
    """The row from which on most residuals lie on the other side of the middle between those before and after row k."""
    medians = np.median(residuals[:k]), np.median(residuals[k:])
    beyond = (residuals > np.mean(medians)) == (medians[1] > medians[0])
    wrong = np.concatenate([[0], np.cumsum(beyond)]) + np.concatenate([np.cumsum(~beyond[::-1])[::-1], [0]])
    return int(np.argmin(wrong))


def _apart(values: np.ndarray, k: int) -> float:
    """From -1 to 1: how much oftener a value from row k on is above one before it than below it."""
    ranks = pd.Series(values).rank().to_numpy()
    rest = len(values) - k
    above = (ranks[k:].sum() - rest * (rest + 1) / 2) / (k * rest)
    return float(2 * above - 1)
