"""Rows of one run and runs of one design: the last points of curves, and the noise among repeated runs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .vocabulary import STANDS_FOR

__all__ = ["last_points", "seed_noise"]


def curves_of(runs: pd.DataFrame) -> pd.DataFrame:
    """The table as curves: where every ``run`` has one row only, the runs of one size make a curve."""
    return runs.drop(columns="run") if "run" in runs and not runs["run"].duplicated().any() else runs


def last_points(runs: pd.DataFrame) -> pd.DataFrame:
    """The last row (by flops) of every run where runs have several, as curves do; else the table itself.

    Earlier points of a curve are not what a run of that length would have reached, and not independent of the last.
    """
    if "run" not in runs or not runs["run"].dropna().duplicated().any():
        return runs
    run = pd.factorize(runs["run"])[0]
    order = np.lexsort((runs["flops"].to_numpy(), run))
    last = np.diff(run[order], append=-2) != 0
    return runs.iloc[np.sort(order[last | (run[order] < 0)])]


def row_weights(runs: pd.DataFrame) -> np.ndarray | None:
    """The number of rows for which each row of a thinned table stands; None where nothing was thinned by chance."""
    return runs[STANDS_FOR].to_numpy(dtype=float) if STANDS_FOR in runs else None


def seed_noise(runs: pd.DataFrame) -> float:
    """Pooled standard deviation of ln loss among runs that share params and tokens, which no law can predict.

    NaN where no two runs do. The table has one row a run (see :func:`~scaling.runs.last_points`).
    """
    log = np.log(runs["loss"])
    groups = log.groupby([runs["params"], runs["tokens"]])
    squares, freedom = float(((log - groups.transform("mean")) ** 2).sum()), len(runs) - groups.ngroups
    return float(np.sqrt(squares / freedom)) if freedom else float("nan")
