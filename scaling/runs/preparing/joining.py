"""Several tables as one: files of the same kind below each other, and curves beside the table of their runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from ...errors import RunsError
from ..nouns import Nouns
from ..reading.text import RawTable
from ..reading.units import read_header
from ..table import checked_table

#: the column that says from which file a row is
FILE = "file"
#: other people's names for the column of the runs' names, beside those that are known everywhere
_NAMES = ("name", "run_name", "run name", "display_name")


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Checked tables below each other, with a column that says from which file a row is.

    Rows are labelled by their file and their label in it. Runs of one name in two files are two runs.
    """
    stories = [table.attrs["reading"] for table in tables]
    names = _different([story["name"] for story in stories])
    parts = []
    for name, table in zip(names, tables, strict=True):
        part = table.set_axis([f"{name}:{label}" for label in table.index], axis=0)
        part = part.rename_axis(table.index.name or "row")
        if "run" in part and len(names) > 1:
            part = part.assign(run=[None if pd.isna(run) else f"{name}: {run}" for run in part["run"]])
        parts.append(part if FILE in part else part.assign(**{FILE: name}))
    whole = pd.concat(parts)
    whole.attrs = {}
    whole = Nouns.of(tables[0]).on(whole)
    shown = " and ".join(names)
    runs = checked_table(whole, shown, include_failed=False)
    digest = hashlib.sha256("".join(story["sha256"] for story in stories).encode()).hexdigest()
    notes = [f"{name}: {note}" for name, story in zip(names, stories, strict=True) for note in story["notes"]]
    told = {
        "name": shown,
        "sha256": digest,
        "kind": f"{len(tables)} tables",
        "mapping": _mapping(stories),
        "notes": notes,
    }
    runs.attrs["reading"] = told
    return runs


def _different(names: list[str]) -> list[str]:
    """The names, with a number where one stands there before."""
    return [name if name not in names[:k] else f"{name} ({names[:k].count(name) + 1})" for k, name in enumerate(names)]


def _mapping(stories: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """How columns were read, each reading once."""
    rows = [row for story in stories for row in story["mapping"]]
    return [row for k, row in enumerate(rows) if row not in rows[:k]]


def beside(curves: RawTable, runs: RawTable, key: Sequence[str] = ()) -> RawTable:
    """The points of training curves, each with the columns of its run.

    Parameters
    ----------
    curves, runs : RawTable
        A row a point, and a row a run; both with a column of the runs' names.
    key : sequence of str
        The column of that name in both, where it is not plain.

    Raises
    ------
    RunsError
        If a column of names is missing, names a run twice in ``runs``, or no point has a run.
    """
    left, right = _key(curves, key, "the file of --curves"), _key(runs, key, "the table of runs")
    names = runs.frame[right].astype("str").str.strip()
    if names.duplicated().any():
        again = names[names.duplicated()].iloc[0]
        raise RunsError(f"--curves: {again[:60]!r} names two rows of the table of runs: a row has to be one run")
    points = curves.frame[left].astype("str").str.strip()
    lost = ~points.isin(set(names))
    if lost.all():
        words = f"no name in column {left!r} of the curves, such as {points.iloc[0][:60]!r}, is one in column {right!r}"
        raise RunsError(f"--curves: {words} of the runs, such as {names.iloc[0][:60]!r}")
    ends = {
        name
        for name in runs.frame.columns
        if (found := read_header(str(name))) and found.name in ("loss", "tokens", "flops")
    }
    kept = [name for name in runs.frame.columns if name not in {right, *ends, *curves.frame.columns}]
    rows = runs.frame[kept].set_axis(names.to_numpy(), axis=0)
    there = curves.frame[~lost]
    more = rows.loc[points[~lost].to_numpy()].set_axis(there.index, axis=0)
    notes = [*curves.notes, *runs.notes, f"curves and runs were joined by {left!r} and {right!r}"]
    if lost.any():
        first = points[lost].iloc[0][:60]
        notes.append(
            f"{int(lost.sum()):,} points left out: the table of runs has no row for their run, such as {first!r}"
        )
    silent = ~names.isin(set(points))
    if silent.any():
        notes.append(f"{int(silent.sum()):,} runs have no curve, such as {names[silent].iloc[0][:60]!r}")
    frame = pd.concat([there.rename(columns={left: "run"}), more], axis=1)
    return replace(curves, frame=frame, notes=notes, problems=[*curves.problems, *runs.problems], again=None, shape="")


def _key(raw: RawTable, key: Sequence[str], where: str) -> str:
    """The column of the runs' names."""
    columns = [str(name) for name in raw.frame.columns]
    for name in key:
        if name in columns:
            return name
    known = [name for name in columns if (found := read_header(name)) and found.name == "run"]
    known = known or [name for name in columns if name.strip().lower() in _NAMES]
    if len(known) == 1:
        return known[0]
    shown = ", ".join(map(repr, columns[:30]))
    several = " and ".join(map(repr, known[:3]))
    why = f"{several} could each name the run" if known else "no column names the run"
    raise RunsError(f"--curves: in {where} {why}: --run COLUMN does; columns are {shown}")
