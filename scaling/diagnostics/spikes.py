"""Training curves that end on a spike, whose last point is not what the run has reached."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..runs.curves import runs_of

__all__ = ["find_spikes"]


#: points before the last that say where a curve was, and how many of them the last is compared with
BEFORE, NEAR = 8, 5
#: a loss so far above, and so many robust standard deviations of the points before, is a spike
ABOVE, SIGMAS = 0.02, 8.0


def find_spikes(runs: pd.DataFrame) -> pd.DataFrame:
    """The last points of training curves that lie far above the points before them.

    Of each run of nine rows or more the last ln loss is compared with the median of the five before. It is a spike
    where it is 2 % above, and eight robust standard deviations: 1.4826 times the median difference of neighbours among
    the eight points before, over the root of two, and no less than half of the curves have.

    Parameters
    ----------
    runs : DataFrame
        As :func:`~scaling.runs.load_runs` returns it.

    Returns
    -------
    DataFrame
        One row a spike, labelled as in the table: ``run``, ``loss`` and ``before``, the median of the five.
    """
    codes = runs_of(runs)
    if codes is None:
        return pd.DataFrame({"run": [], "loss": [], "before": []})
    order = np.lexsort((runs["flops"].to_numpy(), codes))
    ends = np.flatnonzero(np.diff(codes[order], append=-1) != 0)
    ends = ends[np.diff(ends, prepend=-1) > BEFORE]
    rows = order[ends[:, None] - np.arange(BEFORE, -1, -1)]
    log = np.log(runs["loss"].to_numpy())[rows]
    jumps = np.abs(np.diff(log[:, :-1], axis=1))
    spread = 1.4826 * np.median(jumps, axis=1) / np.sqrt(2)
    spread = np.maximum(spread, np.median(spread) if len(spread) else 0.0)
    before = np.median(log[:, -1 - NEAR : -1], axis=1)
    at = log[:, -1] - before > np.maximum(np.log1p(ABOVE), SIGMAS * spread)
    last = rows[at, -1]
    table = {"run": runs["run"].iloc[last], "loss": np.exp(log[at, -1]), "before": np.exp(before[at])}
    return pd.DataFrame(table, index=runs.index[last])
