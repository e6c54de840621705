"""Points of training curves whose runs have no name: whole curves, or a few last checkpoints of every run."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from ...runs.curves import runs_of
from ...runs.headers import STEPS, carried, is_called, typed
from ...runs.repetition import designs_of
from ...runs.vocabulary import STANDS_FOR
from .designs import EXACT, told_apart, varies
from .levels import MOST_LEVELS
from .result import ONE, Pooling

#: token counts of one size that may make a curve: equally spaced, so beside a column of steps, or in other ways
SPACED, STEPPED, MANY = 10, 8, 25
#: share of the rows, or of the gaps, that makes a table of curves
MOST = 0.6
#: last checkpoints follow each other within this share, all of a run within that one, in so many runs at least
CLOSE, CLOSE_ALL, LEAST_ENDS = 0.06, 0.15, 5


def find_checkpoints(table: pd.DataFrame, read_from: Mapping[str, str]) -> Pooling | None:
    """Curves whose runs have no name."""
    named = "run" in table and not table["run"].duplicated().any()
    if named or runs_of(table) is not None or STANDS_FOR in table:
        return None
    stepped = any(is_called(STEPS, name) for name, _ in carried(table))
    pairs = table[["params", "tokens"]].drop_duplicates().sort_values(["params", "tokens"])
    rows = table["params"].value_counts()
    shared = pairs["tokens"].duplicated(keep=False)
    long = pairs.assign(shared=shared)[pairs.groupby("params")["tokens"].transform("size") >= STEPPED]
    curved = [
        size
        for size, points in long.groupby("params")
        if _is_curve(points["tokens"].to_numpy(), float(points["shared"].mean()), stepped)
    ]
    if rows.reindex(curved).sum() < MOST * len(table):
        return _last_checkpoints(table, read_from)
    most = int(pairs.groupby("params").size().max())
    seen = f"no column names the run, and one size has up to {most} numbers of tokens, as checkpoints of a run have"
    few = len(table) // STEPPED
    columns = {name: len(set(column)) for name, column in carried(table.astype(str)) if 1 < len(set(column)) <= few}
    key: tuple[str, ...] = ()
    if (name := _run_names(table, columns)) is not None:
        key, hint = (name,), f"{name!r} tells {columns[name]} runs apart: --run {typed([name])} takes it"
    elif key := _key(table, list(columns)[:MOST_LEVELS], few):
        told, size = " and ".join(["params", *map(repr, key)]), read_from.get("params", "params")
        many = table.groupby(["params", *key], dropna=False).ngroups
        hint = f"{told} together tell {many} runs apart: --run {typed([size, *key])} takes them as the name of a run"
    else:
        hint = "add a column that names the run of each row, and --run COLUMN takes it"
    why = "points before the end of a run are not what a shorter run reaches, and not independent of each other"
    return Pooling("checkpoints", key, f"{seen}: {why}. {hint}")


def _last_checkpoints(table: pd.DataFrame, read_from: Mapping[str, str]) -> Pooling | None:
    """A few last checkpoints of every run: numbers of tokens close together, in all runs at the same distances."""
    end = designs_of(table, share=CLOSE, most=CLOSE_ALL)
    exact = designs_of(table, share=EXACT)
    pairs = pd.DataFrame({"end": end, "exact": exact, "tokens": table["tokens"]}).drop_duplicates("exact")
    tokens = pairs.sort_values(["end", "tokens"]).groupby("end")["tokens"].agg(np.array)
    many = tokens.map(len)
    usual = int(many[many > 1].mode().max()) if (many > 1).any() else 0
    alike = tokens[many == usual]
    if usual < 2 or len(alike) < LEAST_ENDS or np.isin(end, alike.index).sum() < MOST * len(table):
        return None
    points = np.stack(alike.tolist())
    if not (_same_gaps(np.diff(np.log(points))) or _same_gaps(np.diff(points))) or _other_runs(table, end):
        return None
    seen = f"no column names the run, and {len(alike)} times {usual} numbers of tokens of one size lie close together, "
    seen += "as the last checkpoints of a run have: they are not independent of each other"
    few = len(table) // 2
    size = read_from.get("params", "params")
    for name, column in carried(table.astype(str)):
        key = [name] if table.groupby(name, dropna=False)["params"].nunique().max() == 1 else ["params", name]
        groups = pd.Series(end).groupby([table[each].to_numpy() for each in key], dropna=False)
        if column.nunique() > 1 and groups.ngroups <= few and groups.nunique().max() == 1:
            told = typed([size if each == "params" else each for each in key])
            return Pooling("checkpoints", (name,), f"{seen}. --run {told} takes what tells the runs apart")
    hint = "add a column that names the run of each row, and --run COLUMN takes it"
    if designs_of(table).max() == end.max():
        hint = f"{ONE}; or {hint}"
    return Pooling("checkpoints", (), f"{seen}. {hint}")


def _same_gaps(gaps: np.ndarray) -> bool:
    """Whether most rows have the gaps that are usual, to a tenth."""
    usual = np.median(gaps, axis=0)
    return bool((np.abs(gaps - usual) <= 0.1 * usual).all(axis=1).mean() >= MOST)


def _other_runs(table: pd.DataFrame, end: np.ndarray) -> bool:
    """Whether a setting, a seed or a label differs among rows close together, which so are runs of their own."""
    if told_apart(table, end):
        return True
    several = (np.bincount(end) > 1)[end]
    codes = np.unique(end[several], return_inverse=True)[1]
    words = [name for name, column in carried(table) if not pd.api.types.is_numeric_dtype(column)]
    few = [name for name in words if not is_called(STEPS, name) and 1 < table[name].nunique() <= MOST_LEVELS]
    return any(varies(pd.factorize(table.loc[several, name])[0], codes) for name in few)


def _is_curve(tokens: np.ndarray, shared: float, stepped: bool) -> bool:
    """Whether the sorted numbers of tokens of one size are points of curves, not lengths of runs.

    Few of them are if equally spaced; many also if equally spaced in logarithms, or if other sizes have the same.
    """
    if len(tokens) >= MANY and (shared >= MOST or _evenness(np.log(tokens)) >= MOST):
        return True
    return (len(tokens) >= SPACED or stepped) and _evenness(tokens) >= MOST


def _evenness(points: np.ndarray) -> float:
    """The share of gaps between sorted points that are as wide as the one before, to a twentieth."""
    gaps = np.diff(points)
    return float(np.mean(np.abs(np.diff(gaps)) <= 0.05 * gaps[1:]))


def _run_names(table: pd.DataFrame, columns: dict[str, int]) -> str | None:
    """The column of most levels that belong to one size each, and have no number of tokens twice."""
    for name in sorted(columns, key=lambda each: -columns[each]):
        sizes = table.groupby(name, dropna=False)["params"].nunique()
        if sizes.max() == 1 and not table.duplicated([name, "tokens"]).any():
            return name
    return None


def _key(table: pd.DataFrame, columns: list[str], few: int) -> tuple[str, ...]:
    """The fewest columns that, with params, leave no number of tokens twice in a run, and the fewest runs."""
    for many in range(4):
        keys = [key for key in combinations(columns, many) if not table.duplicated(["params", "tokens", *key]).any()]
        runs = [table.groupby(["params", *key], dropna=False).ngroups for key in keys]
        if runs and min(runs) <= few:
            return keys[int(np.argmin(runs))]
    return ()
