"""Spikes of training curves; where a run ends on one, its last point is not what it has reached."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .._robust import robust_deviation
from ..runs.curves import runs_of
from ..runs.numbers import positive_columns

__all__ = ["find_spikes"]


#: points before the last that say where a curve was, and how many of them the last is compared with
BEFORE, NEAR = 8, 5
#: a loss so far above, and so many robust standard deviations of the points before, is a spike
ABOVE, SIGMAS = 0.02, 8.0


def find_spikes(runs: pd.DataFrame) -> pd.DataFrame:
    """Find points of training curves that lie far above the points around them.

    Of each run of nine rows or more the last ln loss is compared with the median of the five before. It is a spike
    where it is 2 % above, and eight robust standard deviations: 1.4826 times the median difference of neighbours among
    the eight points before, over the root of two, and no less than half of the curves have. A point within a curve,
    with five before and five after, is one where it is the highest of these, and as far above the median of either.

    Parameters
    ----------
    runs : DataFrame
        As :func:`~scaling.runs.load_runs` returns it.

    Returns
    -------
    DataFrame
        One row a spike, labelled as in the table: ``run``, ``loss``, and ``before`` and ``after``, the medians of five.
        Nothing is ``after`` a spike on which a run ends; these come first.

    Raises
    ------
    RunsError
        If ``loss``, or ``flops`` and ``tokens``, are not there, or hold no positive finite numbers; or if ``params``
        hold no numbers.
    """
    spent, losses = positive_columns(runs, "flops" if "flops" in runs else "tokens", "loss")
    codes = runs_of(runs)
    if codes is None:
        return pd.DataFrame({"run": [], "loss": [], "before": [], "after": []})
    order = np.lexsort((spent, codes))
    log = np.log(losses)[order]
    ends = np.flatnonzero(np.diff(codes[order], append=-1) != 0)
    ends = ends[np.diff(ends, prepend=-1) > BEFORE]
    lines = log[ends[:, None] - np.arange(BEFORE, -1, -1)]
    spread = _spread(lines[:, :-1])
    usual = np.median(spread) if len(spread) else 0.0
    before = np.median(lines[:, -1 - NEAR : -1], axis=1)
    at = lines[:, -1] - before > _edge(spread, usual)
    within, around = _within(log, codes[order], usual)
    places = np.concatenate([ends[at], within])
    table = {
        "run": runs["run"].iloc[order[places]],
        "loss": np.exp(log[places]),
        "before": np.exp(np.concatenate([before[at], around[:, 0]])),
        "after": np.exp(np.concatenate([np.full(at.sum(), np.nan), around[:, 1]])),
    }
    return pd.DataFrame(table, index=runs.index[order[places]])


def _spread(lines: np.ndarray) -> np.ndarray:
    """Noise (k,) of stretches (k, m) of curves, from the differences of neighbours."""
    return robust_deviation(np.diff(lines, axis=1)) / np.sqrt(2)


def _edge(spread: np.ndarray, usual: float) -> np.ndarray:
    """How far above its neighbours a point is a spike."""
    return np.maximum(np.log1p(ABOVE), SIGMAS * np.maximum(spread, usual))


def _within(log: np.ndarray, codes: np.ndarray, usual: float) -> tuple[np.ndarray, np.ndarray]:
    """Places (k,) of spikes that have ``NEAR`` points on either side, and the medians (k, 2) of these."""
    middle = np.arange(NEAR, len(log) - NEAR)
    high = (log[middle] > log[middle - 1]) & (log[middle] >= log[middle + 1])
    middle = middle[high & (codes[middle - NEAR] == codes[middle + NEAR])]
    lowest = np.min([log[middle - k] for k in range(1, NEAR + 1)], axis=0)
    middle = middle[log[middle] - lowest > np.log1p(ABOVE)]
    lines = log[middle[:, None] + np.arange(-NEAR, NEAR + 1)]
    around = np.column_stack([np.median(each, axis=1) for each in (lines[:, :NEAR], lines[:, NEAR + 1 :])])
    above = lines[:, NEAR] - around.max(axis=1)
    at = (above > _edge(_spread(lines), usual)) & (lines.argmax(axis=1) == NEAR)
    return middle[at], around[at]
