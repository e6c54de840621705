"""Rows of one run and runs of one design: which rows are one run, its last point, and the noise among repeats."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .numbers import column_of_numbers, positive_columns, refuse_no_table
from .vocabulary import STANDS_FOR

__all__ = ["last_points", "seed_noise"]


#: rows of one name have one size up to this factor: sizes that follow from rounded flops and tokens scatter
ONE_SIZE = 1.1


def curves_of(runs: pd.DataFrame) -> pd.DataFrame:
    """The table as curves: where every ``run`` has one row only, the runs of one size make a curve."""
    return runs.drop(columns="run") if "run" in runs and runs["run"].is_unique else runs


def groups_of(labels: pd.Series) -> np.ndarray:
    """One whole number a row, the same for equal labels, in the order of their appearance; a missing label is alone."""
    codes, distinct = pd.factorize(labels)
    missing = codes < 0
    codes[missing] = len(distinct) + np.arange(missing.sum())
    return pd.factorize(codes)[0] if missing.any() else codes


def runs_of(table: pd.DataFrame) -> np.ndarray | None:
    """The run to which each row belongs, as whole numbers; None where every row is a run of its own.

    Rows of one ``run`` are points of one training run. Rows without a name are runs of their own, and so are those of
    a name with several sizes or seeds, which is not the name of a run. ``RunsError`` where sizes are no numbers.
    """
    refuse_no_table(table)
    if "run" not in table or table["run"].is_unique:
        return None
    codes = groups_of(table["run"])
    alone = np.zeros(len(codes), dtype=bool)
    if "params" in table:
        size = column_of_numbers(table, "params")
        least, most = np.full(codes.max() + 1, np.inf), np.zeros(codes.max() + 1)
        np.minimum.at(least, codes, size)
        np.maximum.at(most, codes, size)
        alone |= (most > ONE_SIZE * least)[codes]
    if "seed" in table:
        seed, first = pd.factorize(table["seed"])[0], np.unique(codes, return_index=True)[1]
        alone |= (np.bincount(codes, seed != seed[first][codes]) > 0)[codes]
    codes = groups_of(pd.Series(codes).where(~alone))
    return codes if codes.max() + 1 < len(codes) else None


def count_runs(table: pd.DataFrame) -> int:
    """The number of training runs in a table; rows of one curve are one."""
    codes = runs_of(table)
    return len(table) if codes is None else int(codes.max()) + 1


def rows_or_runs(table: pd.DataFrame) -> str:
    """What the rows of a table are: ``runs``, or ``rows`` where some are points of one curve."""
    return "runs" if runs_of(table) is None else "rows"


def counted(table: pd.DataFrame) -> str:
    """The size of a table in words: ``17 runs``, or ``680 rows of 17 runs``."""
    runs = f"{count_runs(table):,} runs"
    return runs if runs_of(table) is None else f"{len(table):,} rows of {runs}"


def last_rows(table: pd.DataFrame) -> np.ndarray:
    """Which rows (n,) are the last of their run by ``flops``, or without these by tokens; of equals the later one."""
    codes = runs_of(table)
    if codes is None:
        return np.ones(len(table), dtype=bool)
    (spent,) = positive_columns(table, "flops" if "flops" in table else "tokens")
    order = np.lexsort((spent, codes))
    last = np.zeros(len(codes), dtype=bool)
    last[order[np.diff(codes[order], append=-1) != 0]] = True
    return last


def last_points(runs: pd.DataFrame) -> pd.DataFrame:
    """Keep the last row (by flops, or tokens) of every run where runs have several, as curves do.

    Earlier points of a curve are not what a run of that length would have reached, and not independent of the last.
    A ``run`` names the rows of one training run; a name with several sizes or seeds names none, and its rows are
    runs of their own.

    Parameters
    ----------
    runs : DataFrame
        Runs, with ``flops`` or ``tokens`` where a ``run`` has several rows.

    Returns
    -------
    DataFrame
        The rows kept, in their order; the table itself where each run has one.

    Raises
    ------
    RunsError
        If the column that orders them is missing, a value in it is no positive number, or one in ``params`` is no
        number.
    """
    last = last_rows(runs)
    return runs if last.all() else runs[last]


def row_weights(runs: pd.DataFrame) -> np.ndarray | None:
    """The number of rows for which each row of a thinned table stands; None where nothing was thinned by chance."""
    return runs[STANDS_FOR].to_numpy(dtype=float) if STANDS_FOR in runs else None


def seed_noise(runs: pd.DataFrame) -> float:
    """Estimate the noise of ln loss that no law can predict, from runs that share params and tokens.

    The table has one row a run (see :func:`~scaling.runs.last_points`).

    Parameters
    ----------
    runs : DataFrame
        ``params``, ``tokens`` and ``loss``, positive.

    Returns
    -------
    float
        Pooled standard deviation of ln loss; NaN where no two runs share both.

    Raises
    ------
    RunsError
        If a column is missing, or a value in it is no positive finite number.
    """
    N, D, loss = positive_columns(runs, "params", "tokens", "loss")
    if len(np.unique(N + 1j * D)) == len(runs):  # a tenth of the time that grouping takes
        return float("nan")
    log = pd.Series(np.log(loss))
    groups = log.groupby([N, D])
    squares, freedom = float(((log - groups.transform("mean")) ** 2).sum()), len(runs) - groups.ngroups
    return float(np.sqrt(squares / freedom)) if freedom else float("nan")
