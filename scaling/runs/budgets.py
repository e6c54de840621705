"""IsoFLOP groups in a table of runs: which runs share a budget."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import at_least_zero, numbers
from .numbers import positive_columns

__all__ = ["find_budgets"]


#: runs whose budgets differ by less than this factor belong to one IsoFLOP group
GAP = 1.2
#: a chain of such runs that spans more than this factor is no group: its budgets have to be named
SPAN = 1.5
#: runs belong to a named budget that they miss by at most this share
TOLERANCE = 0.1


def find_budgets(runs: pd.DataFrame, budgets: ArrayLike | None = None, tolerance: float = TOLERANCE) -> pd.Series:
    """Find the IsoFLOP group of each run, as its nominal budget; NaN where it belongs to none.

    By default the column ``budget``. Without one, runs whose ``flops`` follow each other by factors below 1.2 form
    a group, named by the geometric mean of its flops; a chain of them that spans more than a factor of 1.5 is none.

    Parameters
    ----------
    runs : DataFrame
        Column ``flops``, positive.
    budgets : array (n_budgets,), optional
        Nominal budgets in FLOPs; each run joins the nearest within ``tolerance`` (relative).
    tolerance : float
        See ``budgets``.

    Returns
    -------
    Series
        ``budget``, one a run, with the index of ``runs``.

    Raises
    ------
    RunsError
        If there is no such column, or a number in it is not positive and finite.
    ValueError
        If ``budgets`` is not a list of positive finite numbers, or ``tolerance`` is negative.

    Examples
    --------
    >>> find_budgets(pd.DataFrame({"flops": [1e18, 1.1e18, 4e18, 9e18, 1e19]})).round(-16).tolist()
    [1.05e+18, 1.05e+18, 4e+18, 9.49e+18, 9.49e+18]
    """
    return pd.Series(_budgets(runs, budgets, tolerance), index=runs.index, name="budget")


def _budgets(table: pd.DataFrame, budgets: ArrayLike | None, tolerance: float) -> np.ndarray:
    """The nominal budget of each row, NaN where it belongs to none."""
    at_least_zero("tolerance", tolerance)
    if budgets is not None:
        nominal = np.sort(numbers("budgets", budgets), axis=None)
        if np.ndim(budgets) != 1 or not len(nominal) or not (nominal[0] > 0 and np.isfinite(nominal[-1])):
            raise ValueError("budgets must be a list of positive finite numbers of FLOPs")
        distance = np.abs(np.log(positive_columns(table, "flops")[0][:, None] / nominal))
        nearest = distance.argmin(1)
        return np.where(distance.min(1) <= np.log1p(tolerance), nominal[nearest], np.nan)
    if "budget" in table and table["budget"].notna().any():
        return positive_columns(table, "budget", gaps=True)[0]
    (flops,) = positive_columns(table, "flops")
    if not len(flops):
        return flops
    order = np.argsort(flops)
    group = np.empty(len(flops), int)
    rising = flops[order]
    group[order] = np.concatenate([[0], np.cumsum(np.diff(np.log(rising)) > np.log(GAP))])
    means = np.exp(np.bincount(group, np.log(flops)) / np.bincount(group))
    ends = np.cumsum(np.bincount(group))
    span = rising[ends - 1] / rising[np.r_[0, ends[:-1]]]
    return np.where(span <= SPAN, means, np.nan)[group]
