"""Rows chosen by a condition on their columns, and columns that follow from others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..._words import name_rows
from ...errors import RunsError
from ..reading.cells import decimal_mark
from .expressions import Expression

__all__ = ["select_runs"]


def select_runs(runs: pd.DataFrame, where: str | Sequence[str]) -> pd.DataFrame:
    """Keep the rows for which a condition holds, such as ``"tokens / params < 100 and optimizer == 'adam'"``.

    Parameters
    ----------
    runs : DataFrame
        Any table; it is not changed.
    where : str or sequence of str
        Comparisons (``< <= == != >= >``, ``in (1, 2)``) of arithmetic on columns, numbers and words in quotes, joined
        by ``and``, ``or`` and ``not``; several conditions must all hold. A column of true and false may stand alone, a
        name with blanks or signs stands in backquotes: ```Model Size` > 1e8``. The text is parsed, never run as a
        program. A row in which a missing cell leaves the answer open is left out.

    Returns
    -------
    DataFrame
        These rows; ``attrs["notes"]`` has one sentence more, which says how many were left out.

    Raises
    ------
    RunsError
        If a condition cannot be read, names no column of the table, or leaves no row.
    """
    conditions = [where] if isinstance(where, str) else list(where)
    kept, words = chosen(conditions, {str(name): runs[name] for name in runs.columns}, len(runs))
    table = runs[kept]
    table.attrs = dict(runs.attrs) | {"notes": [*runs.attrs.get("notes", []), *words]}
    return table


def chosen(
    conditions: Sequence[str], columns: Mapping[str, pd.Series], rows: int, decimal: str | None = None
) -> tuple[np.ndarray, list[str]]:
    """Which rows (rows,) all conditions keep, and one sentence a condition."""
    kept, words = np.ones(rows, dtype=bool), []
    for text in conditions:
        expression = Expression(text, "--where", _mark(text, "--where", columns, decimal))
        holds = expression.holds(columns)
        opened = holds.isna().to_numpy()
        found = holds.fillna(False).to_numpy(dtype=bool)
        kept &= found
        note = f"{int((~found).sum()):,} of {rows:,} rows left out (--where {text})"
        if opened.any():
            note += f"; in {int(opened.sum()):,} of them a cell is missing ({name_rows(holds.index, opened)})"
        words.append(note)
    if not kept.any():
        shown = " ".join(f"--where {text!r}" for text in conditions)
        raise RunsError(f"{shown} leaves no row: scaling check without it shows the ranges of the columns")
    return kept, words


def _mark(text: str, option: str, columns: Mapping[str, pd.Series], decimal: str | None) -> str:
    """The decimal mark of the columns of text that an expression names; ``RunsError`` where it cannot be told."""
    if decimal is not None:
        return decimal
    named = {name: columns[name] for name in Expression(text, option).names if name in columns}
    texts = {name: column for name, column in named.items() if not pd.api.types.is_numeric_dtype(column)}
    mark, problem = decimal_mark({name: column for name, column in texts.items() if column.dtype != bool})
    if problem:
        raise RunsError(f"{option} {text[:80]!r}: {problem}")
    return mark


def with_derived(
    frame: pd.DataFrame, derive: Mapping[str, str], decimal: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """A table with columns that follow from others by arithmetic, in order, and one sentence a column."""
    notes: list[str] = []
    for name, text in derive.items():
        if name in frame:
            words = "give the new one another name, and --column says which is meant"
            raise RunsError(f"--derive {name}={text[:80]!r}: there is a column {name!r} already; {words}")
        columns = {str(each): frame[each] for each in frame.columns}
        values = Expression(text, "--derive", _mark(text, "--derive", columns, decimal)).numbers(columns)
        if not np.isfinite(values).any():
            raise RunsError(f"--derive {name}={text[:80]!r}: it gives a number in no row; are its columns numbers?")
        frame = frame.assign(**{name: values})
        missing = ~np.isfinite(values)
        notes.append(
            f"{name} = {text} (--derive)" + (f"; no number in {int(missing.sum()):,} rows" if missing.any() else "")
        )
    return frame, notes


def named_by(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """A table in which one column names the run, and the name of that column; of several it joins the cells.

    Raises
    ------
    RunsError
        If a column is not there.
    """
    for name in columns:
        if name not in frame:
            shown = ", ".join(repr(str(each)) for each in frame.columns[:30])
            raise RunsError(f"--run {name}: there is no such column; columns are {shown}")
    if len(columns) == 1:
        return frame, columns[0]
    name = " and ".join(columns)
    cells = frame[list(columns)].astype("str").apply(lambda column: column.str.strip())
    return frame.assign(**{name: cells.agg(" / ".join, axis=1)}), name
