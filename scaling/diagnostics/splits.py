"""Which runs are held out: the most expensive, the largest, those trained longest; no level of a design is divided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import FitError, FitErrorKind
from ..fit.isoflop import LEAST_SIZES
from ..runs.budgets import find_budgets
from ..runs.numbers import positive_columns

__all__ = ["HOLDOUTS", "Split", "hold_out"]

#: what is held out, by what orders the runs: name of the quantity, and of the runs
HOLDOUTS = {"compute": "most expensive", "size": "largest", "length": "longest-trained"}
#: one more, which is not among those of every comparison: it mixes the two before
TOKENS = {"tokens": "trained on the most tokens"}
#: the hold-out that a column orders
HELD_BY = {"params": "size", "tokens": "tokens", "flops": "compute"}
#: share of the runs that is held out, as nearly as whole levels allow
SHARE = 0.2
#: values that differ by less than this share are one level of a design
LEVEL = 0.02
#: but for chains of them that span more than this share, whose values count as they are
SPAN = 0.1
#: groups of equal compute are levels where there are so many, which hold this share of the runs
GROUPS, IN_GROUPS = 3, 0.9
#: fewest runs, and distinct sizes and token counts among them, that are fitted, and fewest that are predicted
LEAST_FITTED, LEAST_DISTINCT, LEAST_HELD = 12, 3, 3


@dataclass(frozen=True)
class Split:
    """A table in two: runs to fit and runs to predict.

    Attributes
    ----------
    by : str
        What ordered the runs (a key of :data:`HOLDOUTS`).
    fitted, held : DataFrame
        The two sides, with new row numbers.
    reach : float
        The largest compute, size or tokens per parameter of the runs held out, over that of the runs fitted.
    """

    by: str
    fitted: pd.DataFrame
    held: pd.DataFrame
    reach: float

    @property
    def words(self) -> str:
        """The split in words."""
        counts = f"fitted: {len(self.fitted):,} runs; held out: the {len(self.held):,} {named(self.by)}"
        return f"{counts} ({self.reach:.3g} times the {self.by} of the fitted)"


def hold_out(table: pd.DataFrame, by: str, least: int = LEAST_FITTED) -> Split:
    """Hold out the runs with the largest compute, size or tokens per parameter.

    So many of the highest levels are held out that their runs are nearest to a fifth of all, and three at least. A
    level of compute is a group of equal compute where three groups or more of four sizes each hold nine tenths of the
    runs (:func:`~scaling.runs.find_budgets`); otherwise, and for sizes and lengths, values within 2 % are one level.

    Parameters
    ----------
    table : DataFrame
        Checked runs, one row each, with ``params``, ``tokens``, ``loss`` and ``flops``.
    by : {"compute", "size", "length", "tokens"}
        What orders the runs; length is tokens per parameter.
    least : int
        Fewest runs that have to be left to fit.

    Returns
    -------
    Split
        The two sides.

    Raises
    ------
    FitError
        If fewer runs than ``least``, or fewer than three sizes or token counts, would be left to fit, or fewer than
        three runs to predict.
    RunsError
        If ``params``, ``tokens`` or ``flops`` is missing, or a value in it is no positive finite number.
    ValueError
        For another ``by``.
    """
    values, levels = _levels(table, by)
    distinct, counts = np.unique(levels, return_counts=True)
    held = np.cumsum(counts[::-1])[:-1]
    enough = held >= LEAST_HELD
    if not enough.any():
        raise FitError(f"{len(table)} runs of {len(distinct)} levels of {by}: nothing to hold out", FitErrorKind.FEW)
    miss = np.where(enough, np.abs(held - SHARE * len(table)), np.inf)
    late = levels >= distinct[::-1][int(miss.argmin())]
    fitted, rest = (table[side].reset_index(drop=True) for side in (~late, late))
    _check_left(fitted, by, least)
    return Split(by, fitted, rest, float(values[late].max() / values[~late].max()))


def named(by: str) -> str:
    """What the runs that a hold-out takes away are called."""
    return (HOLDOUTS | TOKENS)[by]


def _check_left(fitted: pd.DataFrame, by: str, least: int) -> None:
    left = {"runs": (len(fitted), least)}
    left |= {
        words: (len(np.unique(levels_of(fitted[name].to_numpy(float)))), LEAST_DISTINCT)
        for name, words in (("params", "sizes"), ("tokens", "token counts"))
    }
    for words, (found, needed) in left.items():
        if found < needed:
            raise FitError(
                f"without the {named(by)} runs: {found} {words} left to fit, and {needed} are needed",
                FitErrorKind.FEW,
            )


def _levels(table: pd.DataFrame, by: str) -> tuple[np.ndarray, np.ndarray]:
    """The quantity that orders the runs, and the level of each."""
    N, D, C = positive_columns(table, "params", "tokens", "flops")
    values = {"compute": C, "size": N, "length": D / N, "tokens": D}.get(by)
    if not len(C):
        raise FitError("the table is empty: nothing to hold out", FitErrorKind.FEW)
    if values is None:
        raise ValueError(f"no hold-out {by!r}; there are {', '.join(HOLDOUTS | TOKENS)}")
    if by == "compute":
        group = find_budgets(table)
        sizes = table["params"].groupby(group).nunique()
        budgets = sizes.index[sizes >= LEAST_SIZES]
        if len(budgets) >= GROUPS and group.isin(budgets).mean() >= IN_GROUPS:
            return values, np.log(group.fillna(pd.Series(C, group.index)).to_numpy(float))
    return values, levels_of(values)


def levels_of(values: np.ndarray) -> np.ndarray:
    """The logarithms of values, with one mean for those that follow each other closely and span little."""
    logs = np.log(values)
    order = np.argsort(logs, kind="stable")
    chain = np.empty(len(logs), int)
    chain[order] = np.cumsum(np.diff(logs[order], prepend=logs[order][0]) > LEVEL)
    low, high = np.full(chain.max() + 1, np.inf), np.full(chain.max() + 1, -np.inf)
    np.minimum.at(low, chain, logs)
    np.maximum.at(high, chain, logs)
    return np.where((high - low <= SPAN)[chain], ((low + high) / 2)[chain], logs)
