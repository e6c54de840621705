"""Rows of one run and number of tokens whose losses differ: which of them is what the run reached?

Of several a law would take the last, whatever it is: the loss on another split or text, of an average of weights, of
rounded weights. Rows that a run wrote again, since it went on from an earlier point, are no question.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._words import format_count, name_rows
from .curves import last_rows, runs_of
from .headers import REPEATS, STEPS, carried, is_called, is_tuned, quoted, typed
from .repetition import repeated_rows
from .vocabulary import STANDS_FOR

#: losses within this share are one
ONE = 0.002
#: numbers that are labels have at most so many values
FEW = 12
#: of the rows of a label so many stand beside others, to so near the end, in so many of the runs, where it tells two
#: measurements apart
COVERED, MOST = 0.8, 0.5
_HELD_OUT = re.compile(r"(?i).*(val|eval|test|dev|held).*")


@dataclass(frozen=True)
class Answers:
    """How the question is answered where a table came in: if no column tells rows apart, by runs, by rows.

    ``more`` is what the other runs of this kind are called.
    """

    untold: str
    runs: str
    rows: str
    group: str = ""
    more: str = "{more} more runs"


#: as options of a command
OPTIONS = Answers(
    "--drop leaves rows out by number, a column that tells them apart and --where choose; if all are runs, as of "
    "several seeds, --run {typed} takes them so",
    "--run {typed} names runs so",
    "--where {shell}, or another, chooses",
    ", --group {typed} fits the rows of each by themselves",
)
#: as arguments, for a table in memory
ARGUMENTS = Answers(
    "keep one row of each; if all are runs, as of several seeds, load_runs(df, run={names}) takes them so",
    "load_runs(df, run={names}) names runs so",
    "load_runs(df, where={where}), or another, chooses",
)


def clash(table: pd.DataFrame, beside: Sequence[str] = (), answers: Answers = OPTIONS) -> str:
    """A question where the last rows of a run have several losses, with the ``answers`` to it; else nothing.

    Of columns ``beside`` each value is looked at by itself. The table is a checked one.
    """
    codes = runs_of(table)
    if codes is None or STANDS_FOR in table or _rise(codes, table["tokens"].to_numpy()):
        return ""
    read_from = {each["name"]: each["column"] for each in table.attrs.get("reading", {}).get("mapping", [])}
    table = pd.DataFrame(table, copy=False)  # without its notes, which pandas copies with each column
    own = [*beside, *(name for name, _ in carried(table) if is_called(REPEATS, name))]
    keys = list(dict.fromkeys(["run", "tokens", *own]))
    rows = table[[*keys, "loss"]].assign(run=codes)
    shared = repeated_rows(rows, keys, every=True)
    if not shared.any():
        return ""
    point = np.full(len(rows), -1)
    point[shared] = rows[shared].groupby(keys, dropna=False).ngroup()
    losses = rows["loss"][shared].groupby(point[shared])
    apart = shared.copy()
    apart[shared] = (losses.transform("max") > losses.transform("min") * (1 + ONE)).to_numpy()
    if not apart.any():
        return ""
    ends = apart & np.isin(point, point[last_rows(table)])
    columns = {
        name: levels
        for name, column in carried(table)
        if name not in own and (levels := _levels(name, column, codes)) is not None
    }
    telling = [name for name, levels in columns.items() if _tells(levels, codes, rows.assign(point=point), apart, ends)]
    clashing = apart & _several(columns[telling[0]], point) if telling else ends & ~_later(table, codes, point, ends)
    if not clashing.any():
        return ""
    return _asked(table, codes, point, clashing, _fewest(telling, columns, point, apart), read_from, answers)


def _rise(codes: np.ndarray, tokens: np.ndarray) -> bool:
    """Whether the tokens of every run rise from row to row, so that no two of its rows can clash: soon seen."""
    order = np.argsort(codes, kind="stable")
    return bool((np.diff(tokens[order])[np.diff(codes[order]) == 0] > 0).all())


def _levels(name: str, column: pd.Series, codes: np.ndarray) -> np.ndarray | None:
    """The level of each row (n,); None for a column whose cells are no labels: steps, times, quantities."""
    levels = pd.factorize(column.astype("str"), use_na_sentinel=False)[0]
    many = int(levels.max()) + 1
    if not 2 <= many <= len(levels) / 2:
        return None
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        if is_called(STEPS, name) or (many > FEW and not is_tuned(name)):
            return None
        if pd.Series(levels).groupby(codes).nunique().max() > FEW:  # as of a learning rate that falls
            return None
    return levels


def _several(levels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Whether levels differ (n,) in the group of each row."""
    return (pd.Series(levels).groupby(groups).transform("nunique") > 1).to_numpy()


def _tells(levels: np.ndarray, codes: np.ndarray, rows: pd.DataFrame, apart: np.ndarray, ends: np.ndarray) -> bool:
    """Whether levels are those of two measurements of one run, and not of two parts of its training."""
    point = rows["point"].to_numpy()
    differ = (point >= 0) & _several(levels, point)
    if differ[apart].mean() < MOST:
        return False
    if (differ & ends).any():
        return True
    each = pd.DataFrame({"beside": differ, "tokens": rows["tokens"].to_numpy()}).groupby([codes, levels])
    beside, last = each["beside"].mean(), each["tokens"].max()
    whole = (beside >= COVERED) & (last >= COVERED * last.groupby(level=0).transform("max"))
    return bool(whole.groupby(level=0).any().mean() >= MOST)


def _fewest(telling: list[str], columns: Mapping[str, np.ndarray], point: np.ndarray, apart: np.ndarray) -> list[str]:
    """The first column that tells all rows apart by itself, else all that tell some."""
    for name in telling:
        if not pd.DataFrame({"point": point[apart], "level": columns[name][apart]}).duplicated().any():
            return [name]
    return telling


def _later(table: pd.DataFrame, codes: np.ndarray, point: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Which rows (n,) at the end of a run follow each other in time, so that the last of them counts.

    Their steps rise, or the run went back in between, which most runs do not.
    """
    rows = np.flatnonzero(ends)
    rows = rows[np.argsort(point[rows], kind="stable")]
    together = np.diff(point[rows]) == 0
    for name, column in carried(table):
        steps = column.iloc[rows] if pd.api.types.is_numeric_dtype(column) and is_called(STEPS, name) else None
        if steps is not None and (np.diff(steps.to_numpy(dtype=float, na_value=np.nan))[together] > 0).all():
            return ends
    order = np.argsort(codes, kind="stable")
    last = table["tokens"].groupby(codes).transform("max").to_numpy()
    lower = np.empty(len(codes), dtype=int)
    lower[order] = np.cumsum((table["tokens"].to_numpy() < last)[order])
    back = np.zeros(len(codes), dtype=bool)
    back[rows] = (pd.Series(lower[rows]).groupby(point[rows]).transform("nunique") > 1).to_numpy()
    return back & (len(np.unique(codes[back])) < MOST * (codes.max() + 1))


def _asked(
    table: pd.DataFrame,
    codes: np.ndarray,
    point: np.ndarray,
    clashing: np.ndarray,
    columns: list[str],
    read_from: Mapping[str, str],
    answers: Answers,
) -> str:
    """The question about these rows, which the columns tell apart."""
    first = np.flatnonzero(clashing)[0]
    same = clashing & (point == point[first])
    rows = table[same]
    losses = ", ".join(f"{loss:.5g}" for loss in rows["loss"].iloc[:4]) + (", ..." if len(rows) > 4 else "")
    more = len(np.unique(codes[clashing])) - 1
    seen = (
        f"run {str(table['run'].iloc[first])[:40]!r} has {len(rows)} losses at {format_count(rows['tokens'].iloc[0])} "
    )
    seen += f"tokens ({name_rows(table.index, same)}: {losses})"
    seen += f", and so have {answers.more.format(more=more)}" if more else ""
    run = read_from.get("run", "run").split(" and ")
    by_run = [*run, *(columns or [read_from.get("loss", "loss")])]
    runs = {"typed": typed(by_run), "names": by_run}
    if not columns:
        reached = "and no column tells them apart: which is what the run reached?"
        return f"{seen}, {reached} {answers.untold.format(**runs)}"
    told = f"which {' and '.join(map(repr, columns))} tell{'s' * (len(columns) == 1)} apart"
    if any(is_tuned(name) for name in columns):
        return f"{seen}, {told}: {answers.runs.format(**runs)}"
    where = " and ".join(_condition(name, rows[name]) for name in columns if rows[name].notna().any())
    chooses = answers.rows.format(shell=shlex.quote(where), where=repr(where))
    chooses += answers.group.format(typed=typed(columns)) if len(columns) == 1 else ""
    shown = ", ".join(dict.fromkeys(" / ".join(map(str, cells)) for cells in rows[columns].to_numpy()[:6]))
    return f"{seen}, {told} ({shown}): which is meant? {chooses}"


def _condition(name: str, cells: pd.Series) -> str:
    """The condition that keeps one of these cells, as that of held-out text where one is called so."""
    known = cells.dropna().unique().tolist()
    cell = next((each for each in known if _HELD_OUT.fullmatch(str(each))), known[0])
    if isinstance(cell, bool):
        return quoted(name) if cell else f"not {quoted(name)}"
    return f"{quoted(name)} == {json.dumps(cell, default=str, ensure_ascii=False)}"
