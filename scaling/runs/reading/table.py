"""Somebody's table of runs as ours: columns and units are recognised, and all that was done is said.

Names and units of others are mapped, where they can be read in one way only; what could be read in two is refused, with
the argument that decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from ...errors import RunsError
from ...sources.files import checksum
from ..nouns import Nouns, nouns_of
from ..preparing.joining import beside
from ..preparing.selection import chosen, named_by, with_derived
from ..vocabulary import LIMITS
from .columns import map_columns
from .conversion import converted
from .doubts import doubts, units_beside
from .files import read_content, read_file
from .flags import failed_runs, is_finished, translate_status, with_failures
from .mapping import Mapped, mapping_table, told
from .matrix import unfolded
from .options import Options
from .parquet import parquet_checksum
from .products import Product
from .stated_units import unit_row
from .summaries import summary_rows
from .text import RawTable, unique_names

__all__ = ["RunsTable", "read_table"]


#: the name of a table that is read from an open file
STREAM = "standard input"


@dataclass(frozen=True, repr=False)
class RunsTable:
    """A table that was read, and how.

    Attributes
    ----------
    frame : DataFrame
        Recognised columns under our names and in our units, then all others as they came; rows are labelled
        by their line in the file (``row`` for formats without lines). Not yet checked: :func:`~scaling.runs.check_runs`
        does.
    mapping : DataFrame
        One row a recognised column: ``name`` (ours), ``column`` (the file's), ``unit``, and where the unit is
        ``from`` (header, option, cells, assumed).
    notes : tuple of str
        What else was done: lines left out, encoding, decimal marks.
    kind, sha256 : str
        Format in words; checksum of the file.
    nouns : Nouns
        What the table calls its loss and its tokens.
    """

    frame: pd.DataFrame
    mapping: pd.DataFrame
    notes: tuple[str, ...]
    kind: str
    sha256: str
    nouns: Nouns = Nouns()

    def __repr__(self) -> str:
        head = f"RunsTable: {len(self.frame)} rows; {self.kind}"
        return "\n".join([head, self.mapping.to_string(index=False), *self.notes])


def read_table(
    path: str | Path | BinaryIO,
    *,
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
    needs: Sequence[str] | None = None,
) -> RunsTable:
    """Read a file of training runs with other people's columns and units.

    CSV and the like (separated by commas, semicolons, tabs or bars, also as Markdown has them; decimal point or comma;
    UTF-8, UTF-16, or else the encoding in which the headers are known), JSON lines, JSON (an array of objects, records
    under a key, columns as a data frame writes them), Parquet or a folder of it. A long table, with names
    of quantities in one column and their values in another, becomes a row a run. Sizes may be written ``70B``,
    ``1.4T``, ``300 million`` or ``1,000,000``; a unit may stand in the header (``tokens (B)``, ``compute_pf_days``,
    ``loss_bits_per_token``, ``val_ppl``, ``Parameter (Mio.)``), also in that of a column named by hand. The file is
    opened for reading and never changed.

    Where no column holds tokens, they may be a product: steps, batch size and sequence length, tokens of the data set
    and epochs, or tokens per parameter and params. Ratios and rates are never taken for quantities. Totals, averages
    and runs that a column such as ``failed`` or ``outcome`` calls failed are left out; a matrix of sizes and budgets
    becomes a row a run. Units that nobody states are judged by all numbers together; where they are improbable, it is
    asked. ``notes`` say all of that.

    Parameters
    ----------
    path : str, Path or binary file
        The file, or the folder of Parquet files; its content, not its name, decides on the format. It is read whole:
        of a table larger than memory, :func:`~scaling.runs.load_runs` keeps a part. It may be packed by gzip, bzip2,
        xz, Zstandard (with pyarrow) or zip. What is open is read to its end, as standard input is.
    columns : mapping, optional
        Our name to the file's, such as ``{"params": "Size"}`` (option ``--column params=Size``).
    units : mapping, optional
        Our name to the unit of its numbers: count, thousands, millions, billions, trillions, a power such as
        ``1e18`` and, for flops, ``PF-days`` or ``EFLOP`` (option ``--unit params=millions``).
    loss_unit : {"nats", "bits", "bits_per_byte", "nats_per_byte", "perplexity", "other"}, optional
        Unit of the loss, per token unless it says otherwise; by default what the header says, or nats. ``other`` is an
        error of another kind, whose numbers are taken as they are.
    bytes_per_token : float, optional
        Bytes of text in one token; needed for a loss per byte.
    ceiling : float, optional
        The limit to which the column of the loss rises, as an accuracy to 1 or a reward to the most that can be had:
        the loss is then what is missing of it, ``ceiling`` less the column, in the column's unit.
    delimiter, decimal, encoding : str, optional
        Instead of what is found in the file.
    sheet : str, optional
        The sheet of a workbook (.xlsx, .ods and others; extra ``sheets``), where several have cells.
    derive : mapping, optional
        New columns by arithmetic on those of the file, such as ``{"tokens": "steps * batch_size * 2048"}``.
    where : str or sequence of str, optional
        Conditions on the rows to keep (see :func:`~scaling.runs.select_runs`), on our columns, which are in our units,
        and on those of the file, which are as they stand there.
    run : str or sequence of str, optional
        The columns of the file that together name a training run, where rows are points of its curve.
    curves : str or Path, optional
        A second file, with the points of the runs' training curves: its rows become those of the table, each with the
        columns of its run in ``path``. Both have a column of the runs' names.
    needs : sequence of str, optional
        The quantities that the table must have; by default ``loss`` and two of ``params``, ``tokens`` and ``flops``.

    Returns
    -------
    RunsTable
        The table, and how it was read.

    Raises
    ------
    RunsError
        If the file is no table, or something in it can be read in two ways; the message says what decides.
    OSError
        If the file may not be read.
    """
    # the arguments as they stand above, so that none of their names is typed again
    return table_of(path, Options.of(locals()))


def table_of(path: str | Path | BinaryIO, options: Options) -> RunsTable:
    """The table of :func:`~scaling.runs.read_table`."""
    names = [*(options.columns or {}).values()]
    form = options.delimiter, options.encoding, names
    if isinstance(path, (str, Path)):
        raw = read_file(Path(path), *form, options.sheet)
        name, digest = str(path), checksum_of(Path(path))
    else:
        data = path.read()
        raw = read_content(Path(STREAM), data, *form, options.sheet)
        name, digest = STREAM, sha256(data)
    if options.curves is not None:
        curves = Path(options.curves)
        points = read_file(curves, *form)
        raw, options = beside(unfolded(points), unfolded(raw), options.run_columns), replace(options, run=())
        name, digest = f"{curves} beside {name}", sha256(f"{checksum_of(curves)}{digest}".encode())
    return recognise(raw, name, options, digest)


def sha256(data: bytes) -> str:
    """The checksum of bytes."""
    return hashlib.sha256(data).hexdigest()


def checksum_of(path: Path) -> str:
    """SHA-256 of a file, or of a folder's list of Parquet files with theirs."""
    return parquet_checksum(path) if path.is_dir() else checksum(path)


def raw_frame(frame: pd.DataFrame) -> RawTable:
    """A table in memory as cells to be recognised; ``RunsError`` where its columns have several levels."""
    if frame.columns.nlevels > 1:
        raise RunsError("the table", ["the columns have several levels: flatten them to plain names"])
    return RawTable(frame.set_axis(unique_names([str(name) for name in frame.columns]), axis=1), "a table in memory")


def repeated(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """A problem for each header that stands in the table more than once; later ones are called ``name (2)``, ..."""
    present = set(frame.columns)
    return [f"column {name!r} stands there twice: keep one" for name in names if f"{name} (2)" in present]


def recognise(raw: RawTable, source: str, options: Options, sha256: str = "") -> RunsTable:
    """Cells as a table of runs: the second half of :func:`~scaling.runs.read_table`."""
    options.check(source)
    raw, columns = _prepared(unfolded(raw), options)
    how = dict(options.units or {}), options.loss_unit, options.needs, options.ceiling
    mapped, product, problems, notes = map_columns(raw.frame, columns, *how)
    raw, mapped = unit_row(raw, mapped)
    problems = [*raw.problems, *problems, *repeated(raw.frame, [m.column for m in mapped])]
    if not problems:
        raw = _without_summaries(raw, mapped)
        frame, mapped, problems, more = _runs(raw, mapped, product, options)
        notes += more
    if problems:
        encoding = [note for note in raw.notes if "--encoding decides" in note]
        raise RunsError(source, [*([raw.shape] if raw.shape else []), *problems, *encoding])
    notes += _unused(mapped, options.bytes_per_token)
    mapping = mapping_table(mapped)
    nouns = nouns_of(told(mapping), options.ceiling)
    return RunsTable(frame, mapping, (*raw.notes, *notes), raw.kind, sha256, nouns)


def _runs(
    raw: RawTable, mapped: list[Mapped], product: Product | None, options: Options
) -> tuple[pd.DataFrame, list[Mapped], list[str], list[str]]:
    """The rows that are asked for in our names and units, the mapping with its units, problems, notes."""
    failed, flags = failed_runs(raw.frame, {m.place for m in mapped})
    frame, mapped, problems, notes = converted(raw, mapped, product, options.decimal, options.bytes_per_token)
    if problems:
        return frame, mapped, problems, notes
    notes += flags
    if options.conditions:
        given = {str(name): each[name] for each in (raw.frame, frame) for name in each.columns}
        kept, words = chosen(options.conditions, given, len(frame), options.decimal)
        frame, failed = frame[kept], None if failed is None else failed[kept]
        notes += words
    frame, words = translate_status(with_failures(frame, failed))
    ended = frame[is_finished(frame)] if "status" in frame else frame
    problems = units_beside(raw.aside, mapped) or doubts(ended, mapped)
    return frame, mapped, problems, [*notes, *words]


def _unused(mapped: list[Mapped], bytes_per_token: float | None) -> list[str]:
    """That the bytes of a token were given for a loss that is not per byte."""
    if bytes_per_token is None or any("per byte" in str(m.unit) for m in mapped if m.name == "loss"):
        return []
    unit = next((m.unit for m in mapped if m.name == "loss"), "nats")
    hint = "--loss-unit bits_per_byte or nats_per_byte says that it is"
    return [f"--bytes-per-token {bytes_per_token:g} changes nothing: the loss is read in {unit}, not per byte; {hint}"]


def _prepared(raw: RawTable, options: Options) -> tuple[RawTable, dict[str, str]]:
    """The cells with the columns that were asked for, and which columns hold quantities of ours."""
    columns, derive, run = dict(options.columns or {}), options.derive or {}, options.run_columns
    if not derive and not run:
        return raw, columns
    frame, words = with_derived(raw.frame, derive, options.decimal)
    columns = columns | {name: name for name in derive if name in LIMITS and name not in columns}
    if run:
        frame, name = named_by(frame, run)
        columns = columns | {"run": name}
    return replace(raw, frame=frame, notes=[*raw.notes, *words], again=None if derive else raw.again), columns


def _without_summaries(raw: RawTable, mapped: list[Mapped]) -> RawTable:
    """The rows without totals and averages, which are said."""
    found = summary_rows(raw.frame, mapped)
    if not found:
        return raw
    noun = raw.frame.index.name or "row"
    notes = [*raw.notes, *(f"{noun} {label}: left out, {words}" for label, words in found.items())]
    return replace(raw, frame=raw.frame[~raw.frame.index.isin(list(found))], notes=notes)
