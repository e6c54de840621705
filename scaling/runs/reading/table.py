"""Somebody's table of runs as ours: columns and units are recognised, and all that was done is said.

Names and units of others are mapped, where they
can be read in one way only; what could be read in two is refused, with the argument that decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from ..._words import name_rows
from ...errors import RunsError
from ...sources.files import checksum
from ..epochs import remarks as repetition
from ..nouns import Nouns, nouns_of
from ..preparing.joining import beside
from ..preparing.selection import chosen, named_by, with_derived
from ..vocabulary import LIMITS
from .cells import decimal_mark, loss_unit_in, read_numbers, sizes_in_names, undressed, without_spreads
from .columns import Mapped, map_columns, unit_row
from .doubts import doubts, units_beside
from .files import read_content, read_file
from .flags import FINISHED, as_word, failed_runs
from .matrix import unfolded
from .parquet import parquet_checksum
from .products import Product, derive_option, in_backticks, per_token_remarks
from .summaries import summary_rows
from .text import RawTable, unique_names
from .units import to_nats, unit_factor

__all__ = ["RunsTable", "read_table"]


#: without a stated unit, a quantity that never reaches this is in some other unit than ours
_LEAST = {"params": 1e4, "tokens": 1e5, "flops": 1e9, "budget": 1e9}
#: the name of a table that is read from an open file
STREAM = "standard input"
#: between these a count may be a logarithm to base 10, and the bases that are usual
_LOGARITHMS = {"params": (5.0, 13.0), "tokens": (6.0, 16.0), "flops": (12.0, 28.0), "budget": (12.0, 28.0)}
_BASES = {"10": "to base 10", "2.718281828459045": "to base e", "2": "to base 2"}
_EXAMPLES = {"params": "millions", "tokens": "billions", "flops": "PF-days", "budget": "PF-days"}


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
    UTF-8, UTF-16 or Windows-1252), JSON lines, JSON (an array of objects, records under a key, columns as a data frame
    writes them), Parquet or a folder of it. A long table, with a column of names of quantities and one of their values,
    becomes a row a run. Sizes may be written ``70B``, ``1.4T``, ``300 million`` or
    ``1,000,000``; a unit may stand in the header (``tokens (B)``, ``compute_pf_days``, ``loss_bits_per_token``,
    ``val_ppl``, ``Parameter (Mio.)``), also in that of a column named by hand. The file is opened for reading
    and never changed.

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
    options = dict(columns=columns, units=units, loss_unit=loss_unit, bytes_per_token=bytes_per_token, decimal=decimal)
    options |= dict(ceiling=ceiling, derive=derive, where=where, run=run, needs=needs)
    names = [*(columns or {}).values()]
    if not isinstance(path, (str, Path)):
        data = path.read()
        raw, digest, name = read_content(Path(STREAM), data, delimiter, encoding, names, sheet), sha256(data), STREAM
    else:
        raw, digest, name = read_file(Path(path), delimiter, encoding, names, sheet), checksum_of(Path(path)), str(path)
    if curves is not None:
        points = read_file(Path(curves), delimiter, encoding, names)
        raw, options["run"] = beside(unfolded(points), unfolded(raw), listed(run)), ()
        name, digest = f"{curves} beside {name}", sha256(f"{checksum_of(Path(curves))}{digest}".encode())
    return recognise(raw, name, **options, sha256=digest)


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


def recognise(
    raw: RawTable,
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    loss_unit: str | None = None,
    bytes_per_token: float | None = None,
    ceiling: float | None = None,
    decimal: str | None = None,
    derive: Mapping[str, str] | None = None,
    where: str | Sequence[str] = (),
    run: str | Sequence[str] = (),
    needs: Sequence[str] | None = None,
    sha256: str = "",
) -> RunsTable:
    """Cells as a table of runs: the second half of :func:`~scaling.runs.read_table`, whose arguments these are."""
    check_options(source, decimal, bytes_per_token, loss_unit, ceiling)
    raw, columns = _prepared(unfolded(raw), dict(columns or {}), derive or {}, listed(run), decimal)
    mapped, product, problems, notes = map_columns(raw.frame, columns, dict(units or {}), loss_unit, needs, ceiling)
    raw, mapped = unit_row(raw, mapped)
    problems = [*raw.problems, *problems, *repeated(raw.frame, [m.column for m in mapped])]
    if not problems:
        raw = _without_summaries(raw, mapped)
        failed, flags = failed_runs(raw.frame, {m.place for m in mapped})
        frame, mapped, problems, more = _convert(raw, mapped, product, decimal, bytes_per_token)
        notes += [*more, *flags]
    if not problems and (conditions := listed(where)):
        given = {str(name): raw.frame[name] for name in raw.frame.columns}
        kept, words = chosen(
            conditions, given | {str(name): frame[name] for name in frame.columns}, len(frame), decimal
        )
        frame, failed = frame[kept], None if failed is None else failed[kept]
        notes += words
    if not problems:
        frame, words = translate_status(_with_failures(frame, failed))
        notes += words
        problems = units_beside(raw.aside, mapped) or doubts(
            frame if "status" not in frame else frame[_finished(frame)], mapped
        )
    if problems:
        encoding = [note for note in raw.notes if "--encoding decides" in note]
        raise RunsError(source, [*([raw.shape] if raw.shape else []), *problems, *encoding])
    notes += _unused(mapped, bytes_per_token)
    mapping = mapping_table(mapped)
    return RunsTable(frame, mapping, (*raw.notes, *notes), raw.kind, sha256, nouns_of(told(mapping), ceiling))


def _unused(mapped: list[Mapped], bytes_per_token: float | None) -> list[str]:
    """That the bytes of a token were given for a loss that is not per byte."""
    if bytes_per_token is None or any("per byte" in str(m.unit) for m in mapped if m.name == "loss"):
        return []
    unit = next((m.unit for m in mapped if m.name == "loss"), "nats")
    hint = "--loss-unit bits_per_byte or nats_per_byte says that it is"
    return [f"--bytes-per-token {bytes_per_token:g} changes nothing: the loss is read in {unit}, not per byte; {hint}"]


def listed(value: str | Sequence[str]) -> list[str]:
    """One text or several, as a list."""
    return [value] if isinstance(value, str) else list(value)


def _prepared(
    raw: RawTable, columns: dict[str, str], derive: Mapping[str, str], run: list[str], decimal: str | None
) -> tuple[RawTable, dict[str, str]]:
    """The cells with the columns that were asked for, and which columns hold quantities of ours."""
    if not derive and not run:
        return raw, columns
    frame, words = with_derived(raw.frame, derive, decimal)
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


def _with_failures(frame: pd.DataFrame, failed: pd.Series | None) -> pd.DataFrame:
    """The table with a status that says which runs failed, where columns of another name do."""
    if failed is None:
        return frame
    status = frame["status"].astype(object) if "status" in frame else pd.Series("finished", frame.index, dtype=object)
    return frame.assign(status=status.where(failed == "", failed))


def _finished(frame: pd.DataFrame) -> np.ndarray:
    return (frame["status"].astype("str").str.strip().str.lower() == "finished").to_numpy(dtype=bool)


def check_options(
    source: str, decimal: str | None, bytes_per_token: float | None, loss_unit: str | None, ceiling: float | None
) -> None:
    """``RunsError`` for an option of reading that makes no sense."""
    if decimal not in (None, ".", ","):
        raise RunsError(source, [f"--decimal must be . or ,: got {decimal!r}"])
    if bytes_per_token is not None and not (bytes_per_token > 0 and np.isfinite(bytes_per_token)):
        raise RunsError(source, [f"--bytes-per-token must be positive and finite, got {bytes_per_token:g}"])
    if ceiling is not None and not np.isfinite(ceiling):
        raise RunsError(source, [f"--ceiling must be finite, got {ceiling:g}"])
    if ceiling is not None and loss_unit not in (None, "other"):
        words = f"--loss-unit {loss_unit} is of a loss that falls, and --ceiling of a quantity that rises: choose one"
        raise RunsError(source, [words])


def mapping_table(mapped: list[Mapped]) -> pd.DataFrame:
    """How columns were read, one row each."""
    columns = ["name", "column", "unit", "from"]
    return pd.DataFrame([[m.name, m.column, m.unit, m.source] for m in mapped], columns=columns, dtype=object)


def told(mapping: pd.DataFrame) -> list[dict[str, str | None]]:
    """The rows of :func:`mapping_table` as records; None where a column has no unit."""
    return mapping.astype(object).where(mapping.notna(), None).to_dict("records")


def advice(mapping: pd.DataFrame, bad: int, total: int, skipped: bool) -> list[str]:
    """Lines below the problems: how columns were read, and how to go on without the bad ones of all rows."""
    renamed = [
        f"{row['name']} from {row['column']!r}" for row in mapping.to_dict("records") if row["name"] != row["column"]
    ]
    lines = [f"columns were read as: {', '.join(renamed)}"] if renamed else []
    if not skipped and 0 < bad < total:
        lines.append(f"to go on without these rows ({bad} of {total}): --skip-bad, in Python skip_bad=True")
    return lines


def _convert(
    raw: RawTable,
    mapped: list[Mapped],
    product: Product | None,
    decimal: str | None,
    bytes_per_token: float | None,
) -> tuple[pd.DataFrame, list[Mapped], list[str], list[str]]:
    """The frame in our names and units, the mapping with its units, problems, notes."""
    numeric = [m for m in mapped if m.name in LIMITS]
    series = {m.name: raw.frame.iloc[:, m.place] for m in numeric}
    is_text = {n: not pd.api.types.is_numeric_dtype(s) and not pd.api.types.is_bool_dtype(s) for n, s in series.items()}
    mark, notes = decimal or ".", []
    for m in numeric:
        if is_text[m.name]:
            series[m.name], count = without_spreads(m.name, undressed(series[m.name]))
            notes += [f"column {m.column!r}: the spreads behind {count} numbers are left out"] if count else []
    if is_text.get("params") and (sizes := sizes_in_names(series["params"])) is not None:
        notes.append("params are the sizes that the names tell: counts may be other numbers")
        series["params"] = sizes
    if is_text.get("loss"):
        mapped, series["loss"] = _with_unit_of_cells(mapped, series["loss"])
        numeric = [m for m in mapped if m.name in LIMITS]
    if decimal == "," or (decimal is None and any(is_text[n] and _has_comma(s) for n, s in series.items())):
        if raw.again is not None:
            again = raw.again([m.place for m in numeric if not is_text[m.name]])
            texts = again.set_axis([n for n in series if not is_text[n]], axis=1).loc[raw.frame.index]
            texts = texts.assign(**{n: s for n, s in series.items() if is_text[n]})
        else:
            texts = pd.DataFrame({n: s for n, s in series.items() if is_text[n]})
        if decimal is None:
            mark, problem = decimal_mark(dict(texts.items()))
            if problem:
                return raw.frame, mapped, [problem], []
        if mark == ",":
            series |= dict(texts.items())
            is_text |= dict.fromkeys(texts.columns, True)
            notes.append("numbers have decimal commas")
    problems, done = [], {}
    for m in numeric:
        column, own, cell_units = series[m.name], None, []
        if is_text[m.name]:
            if m.unit == "other":  # an error or an accuracy, which may be in per cent
                column = column.astype("str").str.replace(r"\s*%\s*$", "", regex=True).where(column.notna())
            column, own, cell_units = read_numbers(m.name, column, mark)
        done[m.place], found, words = in_our_unit(m, column, own, cell_units, bytes_per_token)
        mapped = [found if other is m else other for other in mapped]
        problems += words
    rest = {m.place: raw.frame.iloc[:, m.place] for m in mapped if m.name not in LIMITS}
    names = {m.place: m.name for m in mapped}
    frame = pd.DataFrame({m.name: (done | rest)[m.place] for m in mapped}, index=raw.frame.index)
    if product is not None and not problems:
        follows = product.values(raw.frame, frame, mark)
        if named := next((m for m in mapped if m.name == product.name), None):
            frame[product.name], used, question = product.beside(named.column, frame[product.name], follows)
            notes, problems = [*notes, *filter(None, [used])], [*filter(None, [question])]
        else:
            frame[product.name] = follows
            mapped = [*mapped, Mapped(product.name, product.words, -1, "count", "product")]
            notes.append(f"{product.name} = {product.words}")
    elif {"params", "flops"} <= {*frame} and "tokens" not in frame:
        notes += per_token_remarks(raw.frame, frame)
    others = raw.frame.iloc[:, [k for k in range(raw.frame.shape[1]) if k not in names]]
    others.columns = [f"{c} (as given)" if c in frame.columns else c for c in others.columns]
    whole = pd.concat([frame, others], axis=1)
    return whole, mapped, problems, notes if problems else [*notes, *repetition(whole)]


def _with_unit_of_cells(mapped: list[Mapped], column: pd.Series) -> tuple[list[Mapped], pd.Series]:
    """The mapping with the unit that all cells of the loss name, unless another is stated, and the bare numbers."""
    bare, unit = loss_unit_in(column)
    known = next(m.unit for m in mapped if m.name == "loss")
    if unit is None or known not in (None, unit):
        return mapped, column
    return [replace(m, unit=unit, source="cells") if m.name == "loss" else m for m in mapped], bare


def _has_comma(column: pd.Series) -> bool:
    return bool(column.astype("str").str.contains(",", regex=False, na=False).any())


def in_our_unit(
    m: Mapped, column: pd.Series, own: np.ndarray | None, cell_units: list[str], bytes_per_token: float | None
) -> tuple[pd.Series, Mapped, list[str]]:
    """A column in our unit, its mapping, and what is unclear about it."""
    where = f"column {m.column!r}" + (f" ({m.name})" if m.name != m.column else "")
    if m.name == "loss":
        unit = m.unit or "nats"
        if unit == "bits_per_character":
            words = (
                "--loss-unit bits where a token is a character, else --loss-unit bits_per_byte --bytes-per-token NUMBER"
            )
            return column, m, [f"{where} is in bits per character: {words}"]
        if unit.endswith("_per_byte") and bytes_per_token is None:
            return (
                column,
                m,
                [f"{where} is in {unit.replace('_', ' ')}: --bytes-per-token NUMBER makes it nats per token"],
            )
        if m.ceiling is not None:
            limit = m.ceiling
            return _apply(column, lambda values: limit - values), replace(m, unit=f"{limit:g} - {m.column}"), []
        column = _apply(column, lambda values: to_nats(values, unit, bytes_per_token))
        return column, replace(m, unit=unit.replace("_", " ")), []
    if pd.api.types.is_bool_dtype(column):
        return column, m, []
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if cell_units:
        bare = ~own & (numbers < _LEAST.get(m.name, 1.0)) & (numbers > 0)
        if m.unit is None and bare.any():
            words = (
                f"{where}, {name_rows(column.index, bare)}: a bare number beside others with a unit ({cell_units[0]!r})"
            )
            return column, m, [f"{words}: write its unit too, or --unit {m.name}=UNIT says it of all bare numbers"]
        factor = unit_factor(m.name, m.unit) if m.unit else 1.0
        column = column.where(own, _apply(column, lambda values: values * factor))
        shown = ", ".join(cell_units[:4]) + (f"; {m.unit} where none" if m.unit else "")
        return column, replace(m, unit=shown, source="option" if m.source == "option" else "cells"), []
    if m.unit is not None:
        factor = unit_factor(m.name, m.unit)
        return (_apply(column, lambda values: values * factor) if factor != 1.0 else column), m, []
    good = numbers[np.isfinite(numbers) & (numbers > 0)]
    if len(good) and good.max() < _LEAST.get(m.name, 0.0):
        words, asked = (
            f"{where} runs from {good.min():g} to {good.max():g}, too little for a count",
            "in which unit is it?",
        )
        low, high = _LOGARITHMS.get(m.name, (np.inf, 0.0))
        bases = {base: np.log(10) / np.log(float(base)) for base in _BASES}
        options = [
            f"{_BASES[base]} ({derive_option(m.name, f'{base} ** {in_backticks(m.column)}', [m.column])})"
            for base, times in bases.items()
            if (good >= low * times).all() and (good <= high * times).all()
        ]
        if options:
            asked = f"is it the logarithm {', '.join(options)}, or in which unit?"
        words = f"{words}: {asked}"
        return (
            column,
            m,
            [f"{words} --unit {m.name}={_EXAMPLES[m.name]}, or --unit {m.name}=count for the numbers as they are"],
        )
    return column, replace(m, unit="count", source="assumed"), []


def _apply(column: pd.Series, change) -> pd.Series:
    """``change`` (array to array) on the numbers of a column; other cells stay."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return pd.Series(change(column.to_numpy(dtype=float, na_value=np.nan)), index=column.index)
    number = np.array([isinstance(cell, (float, int)) and not isinstance(cell, bool) for cell in column], dtype=bool)
    out = column.astype(object).copy()
    out[number] = change(np.array([float(cell) for cell in column[number]]))
    return out


def translate_status(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Other words for a finished run become ``finished``."""
    if "status" not in frame:
        return frame, []
    word = frame["status"].astype("str").map(as_word, na_action="ignore")
    other = word.isin(FINISHED).to_numpy(dtype=bool)
    if not other.any():
        return frame, []
    status = frame["status"].astype(object).where(~other, "finished")
    return frame.assign(status=status), [finished_note(set(word[other]), int(other.sum()))]


def finished_note(words: Iterable[str], rows: int) -> str:
    """What is said of other words for a finished run."""
    return f"status {', '.join(sorted(map(repr, words)))} taken as 'finished' ({rows} rows)"
