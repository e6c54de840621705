"""The one door through which a table of runs comes in: a file, a named set or a table, checked and in our columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from ..._words import name_rows
from ...errors import DatasetError, RunsError
from ...sources.datasets import dataset_checksum, dataset_names, find_dataset, read_dataset
from ..clashes import clash
from ..nouns import UNIT, Nouns
from ..preparing.selection import chosen, named_by, with_derived
from ..problems import bad_rows
from ..table import checked_table
from ..vocabulary import LIMITS, closest_column
from .files import read_file
from .mapping import advice, told
from .options import Options
from .parquet import ParquetTable
from .stream import WHOLE, large_table, thin_runs
from .table import STREAM, RunsTable, checksum_of, raw_frame, recognise, repeated, table_of

__all__ = ["load_runs"]

#: separators that a shell makes hard to type
_SEPARATORS = {"\\t": "\t", "tab": "\t"}


def load_runs(
    source: str | Path | BinaryIO | pd.DataFrame,
    *,
    strict: bool = False,
    include_failed: bool = False,
    skip_bad: bool = False,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    loss_unit: str | None = None,
    bytes_per_token: float | None = None,
    ceiling: float | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    derive: Mapping[str, str] | None = None,
    where: str | Sequence[str] = (),
    run: str | Sequence[str] = (),
    curves: str | Path | None = None,
) -> pd.DataFrame:
    """Read anybody's table of training runs, check it and put it into our columns.

    The same in Python and behind every command. Names and units of other people are recognised where they can be
    read in one way only (see :func:`~scaling.runs.read_table`); what could be read in two is refused, with the
    argument that decides.

    Parquet of more than 1,000,000 rows (extra ``parquet``) may be larger than memory: it is read in one pass, in which
    all rows are checked and few kept. Where a column names the run, these are the last row of each run (a million runs
    at most), which approaches 2 and 3 use, exactly as if the table had been read whole; and, for the curves before,
    some 100,000 rows drawn at random. Without such a column it is the drawn rows alone: each row with the same chance,
    but at least 20 of every cell of half an octave in params and tokens, so that rare large runs stay. Column
    ``stands_for`` says how many rows each of them stands for: give it to a fit as its ``weights``. The draw is the same
    for the same files on every machine. What was done, and what was looked for among the kept rows only (repeats,
    groups, gaps, losses out of the pattern), is in ``attrs["reading"]``, its ``notes`` and its ``thinning``. Of such a
    table only the columns of ours are read, and those of quantities have to be stored as numbers.

    Parameters
    ----------
    source : str, Path, binary file or DataFrame
        The path of a file or of a folder of Parquet files (with others below it, as in ``run=abc/part-0.parquet``), the
        name of a data set or of a group of one (``gadre2024/c4``), or a table (which is not changed). A file goes
        before a data set of the same name; a folder of that name is reached as ``./name`` or by its ``Path``.
    strict : bool, default False
        Take our own columns and units only, and recognise nothing; what is not needed is carried along.
    include_failed : bool, default False
        Keep rows whose ``status`` is not ``finished``; they may lack a loss.
    skip_bad : bool, default False
        Leave out rows with a missing or impossible value; ``attrs["reading"]["notes"]`` says which.
    columns : mapping, optional
        Here and below as for :func:`~scaling.runs.read_table`: our names to the file's.
    units : mapping, optional
        Our names to units.
    loss_unit : str, optional
        Unit of the loss.
    bytes_per_token : float, optional
        For a loss per byte.
    ceiling : float, optional
        The limit to which the column of the loss rises.
    delimiter, decimal, encoding, sheet : str, optional
        Instead of what is found in the file.
    derive : mapping, optional
        Our names to expressions of the file's columns.
    where : str or sequence of str
        Conditions on the rows that are taken.
    run : str or sequence of str
        Columns that name a run.
    curves : str or Path, optional
        Another file, of the runs' curves.

    Returns
    -------
    DataFrame
        As :func:`~scaling.runs.check_runs` returns it; rows of a text file are indexed by their line, those of a folder
        by their place and file.
        ``attrs["reading"]`` says how the table was read: its ``name``, ``sha256``, ``kind``, ``mapping`` and ``notes``
        (of a folder, the checksum is that of what ``sha256sum`` prints for its files in order).

    Raises
    ------
    RunsError
        All that is wrong with the table, at once; or rows of one run and number of tokens with several losses, of which
        nothing says which the run reached.
    DatasetError
        If a named set cannot be had.
    OSError
        If the file may not be read.
    """
    # the arguments as they stand above, so that none of their names is typed again
    runs = loaded(source, Options.of(locals()))
    refuse_clash(runs)
    return runs


def refuse_clash(runs: pd.DataFrame, group: str | None = None) -> None:
    """``RunsError`` where nothing says which row is the end of a run; of a ``group`` each value is asked by itself."""
    story = runs.attrs["reading"]
    if "thinning" in story:  # which asked itself
        return
    if words := clash(runs, [group] if group is not None and group in runs else ()):
        raise RunsError(story["name"], [words])


def loaded(source: str | Path | BinaryIO | pd.DataFrame, options: Options) -> pd.DataFrame:
    """The table of :func:`load_runs`, which of several losses at the end of a run asks nothing."""
    options = replace(options, delimiter=_SEPARATORS.get(options.delimiter or "", options.delimiter))
    if isinstance(source, str) and re.match(r"[a-z][a-z0-9+.]*://", source):
        raise RunsError(source, ["this is an address, and nothing is read from a network: download the file first"])
    if isinstance(source, str) and _is_named(source):
        return _named_set(source, options)
    if options.strict and (options.says_how or options.prepares):
        words = "it takes no columns, units or decimal mark, and derives and chooses nothing"
        raise RunsError(f"a strict reading takes our own columns and units: {words}")
    if isinstance(source, pd.DataFrame):
        name, table = "the table", _table_in_memory(source, options)
    elif isinstance(source, (str, Path)):
        name = str(source)
        if (large := large_table(Path(source), (options.columns or {}).values())) is not None:
            return _thinned(large, name, options)
        table = _strict_file(Path(source), options) if options.strict else table_of(source, options)
    elif hasattr(source, "read") and not options.strict:
        name, table = STREAM, table_of(source, options)
    else:
        kind = type(source).__name__
        raise RunsError(f"a {kind}", ["give a DataFrame, the path of a file, or the name of a data set"])
    return _checked(table, name, options)


def _is_named(name: str) -> bool:
    """Whether a text names a data set or a group of one; ``RunsError`` if it looks like one and is none."""
    path, known = Path(name), dataset_names()
    head, slash, group = name.partition("/")
    if head in known and bool(slash) == bool(group):
        if path.is_file() or (slash and path.exists()):
            return False
        try:
            find_dataset(name)
        except DatasetError as error:
            if path.suffix:
                return False
            raise RunsError(repr(name), [f"there is no file of this name, and {error}"]) from None
        return True
    if path.suffix or name.count("/") > 1 or path.exists():
        return False
    close = closest_column(head, known, cutoff=0.75 if slash else 0.6)
    if slash and not close:
        return False
    hint = f"did you mean the data set {close!r}?" if close else f"data sets: {', '.join(known)}"
    raise RunsError(repr(name), [f"there is neither a file nor a data set of this name; {hint}"])


def _named_set(name: str, options: Options) -> pd.DataFrame:
    """The rows of a data set, chosen, and with the columns that were asked for."""
    if options.says_how or options.says_form:
        raise RunsError(f"{name} is a data set in our own columns: it takes no options of reading, and no curves")
    frame, notes = with_derived(read_dataset(name), options.derive or {})
    if options.run_columns:
        frame, column = named_by(frame, options.run_columns)
        frame = frame.assign(run=frame[column])
    if options.conditions:
        kept, words = chosen(options.conditions, {str(each): frame[each] for each in frame.columns}, len(frame))
        frame, notes = frame[kept], [*notes, *words]
    runs = checked_table(frame, f"data set {name!r}", options.include_failed)
    runs.attrs["reading"] = _story(name, dataset_checksum(name), "data set", notes=notes)
    return runs


def _table_in_memory(frame: pd.DataFrame, options: Options) -> RunsTable:
    """A table in memory, recognised; what it calls its loss stays."""
    if options.curves is not None:
        raise RunsError("curves go with the file of a table of runs, not with a table in memory: join the two there")
    nouns = Nouns.of(frame)
    again = options.loss_unit is None and options.ceiling is None and nouns.measures_otherwise
    options = replace(options, loss_unit="other") if again else options
    if options.strict:
        table = RunsTable(frame, pd.DataFrame(), (), "a table in memory", "")
    else:
        table = recognise(raw_frame(frame), "the table", options)
    return replace(table, nouns=nouns) if again else table


def _thinned(table: ParquetTable, name: str, options: Options) -> pd.DataFrame:
    """The rows that are kept of a table larger than memory, with the story of their reading."""
    if asked := options.prepares:
        problem = f"{' and '.join(asked)}: a table of more than {WHOLE:,} rows is read in one pass, in which rows are "
        problem += "neither chosen nor completed; write the rows that are meant to a file of their own (with Polars or "
        problem += "DuckDB), or name the run by one column: columns={'run': ...}, --column run=COLUMN"
        raise RunsError(name, [problem])
    thin = thin_runs(table, name, options)
    story = _story(_short(name), checksum_of(table.root), thin.kind, told(thin.mapping), thin.notes)
    thin.runs.attrs["reading"] = story | {"thinning": thin.record}
    return thin.runs


def _short(path: str) -> str:
    """The last part of a path."""
    return Path(path).name or path


def _story(name: str, sha256: str, kind: str, mapping: list[Any] | None = None, notes: Any = ()) -> dict[str, Any]:
    return {"name": name, "sha256": sha256, "kind": kind, "mapping": mapping or [], "notes": list(notes)}


def _strict_file(path: Path, options: Options) -> RunsTable:
    """A file's cells under its own headers."""
    raw = read_file(path, options.delimiter, options.encoding, (), options.sheet)
    if problems := [*raw.problems, *repeated(raw.frame, LIMITS)]:
        raise RunsError(str(path), problems)
    frame, nouns = raw.frame, Nouns()
    if UNIT in frame and frame[UNIT].nunique(dropna=False) == 1:
        nouns, frame = Nouns(loss=str(frame[UNIT].iloc[0])), frame.drop(columns=UNIT)
    return RunsTable(frame, pd.DataFrame(), tuple(raw.notes), raw.kind, checksum_of(path), nouns)


def _checked(table: RunsTable, name: str, options: Options) -> pd.DataFrame:
    """The rows in our columns, checked, with the story of their reading."""
    frame, notes = table.frame, list(table.notes)
    if options.skip_bad:
        bad = bad_rows(frame)
        if bad.any():
            notes.append(f"{name_rows(frame.index, bad)}: left out, a value is missing or impossible (--skip-bad)")
            frame = frame[~bad]
    frame = table.nouns.on(frame)
    try:
        runs = checked_table(frame, name, options.include_failed)
    except RunsError as error:
        hints = advice(table.mapping, int(bad_rows(frame).sum()), len(frame), options.skip_bad)
        raise RunsError(name, [*error.problems, *hints]) from None
    short = _short(name) if table.sha256 else name
    runs.attrs["reading"] = _story(short, table.sha256, table.kind, told(table.mapping), notes)
    return runs
