"""Files as tables of cells: which format.

Nothing here knows what a column means beyond recognising a header; the file is read once and never written.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ...errors import RunsError
from ..logs.tools import COLLECT, is_log
from .archives import unpacked
from .encodings import decode
from .objects import read_json, without_comments
from .parquet import begins_as_parquet, open_parquet
from .text import MOST_COLUMNS, RawTable, read_text, unique_names
from .texts import told
from .workbooks import is_workbook, sheet_as_text

#: what a file is, by its first bytes, and what to do with it
_MAGIC = {
    b"%PDF": "a PDF: save the table in it as CSV",
    b"\x89PNG": "an image: a table of numbers is needed",
    b"\xff\xd8\xff": "an image: a table of numbers is needed",
    b"\x89HDF": "an HDF5 file: save its table as CSV or Parquet",
    b"SQLite format 3": "a database: save its table as CSV",
    b"\x93NUMPY": "a NumPy array, without names of columns: save it as CSV with a header",
    b"ARROW1": "a Feather file: save its table as CSV or Parquet",
    b"\x80\x04": "a Python pickle, which is never opened: save its table as CSV",
    b"\x80\x05": "a Python pickle, which is never opened: save its table as CSV",
    b"\x7fELF": "a program: a table of numbers is needed",
    b"<stata_dta>": "a Stata file: save its table as CSV or Parquet",
    b"$FL2": "an SPSS file: save its table as CSV or Parquet",
    b"RDX": "an R data file: save its table as CSV or Parquet",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive: unpack it first",
    b"Rar!": "a RAR archive: unpack it first",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself: git lfs pull fetches it",
}


def read_file(
    path: Path, separator: str | None, encoding: str | None, names: Iterable[str], sheet: str | None = None
) -> RawTable:
    """The cells of a CSV, TSV, JSON-lines or Parquet file, of a sheet, or of a folder of Parquet files.

    ``names`` are headers that the caller knows to be there.
    """
    if not path.exists():
        raise RunsError(str(path), [f"there is no such file (looked in {path.absolute().parent})"])
    if not path.is_dir() and not path.is_file():
        raise RunsError(str(path), ["this is not a regular file; save the table as a file and name that"])
    if path.is_dir() or begins_as_parquet(path):
        table = open_parquet(path, names)
        frame = table.whole()
        return _records(path, frame, table.kind, list(table.notes), frame.index)
    if is_log(path):
        words = f"this is the log of a training run: {COLLECT.format(shlex.quote(str(path)))}, also of a folder of such"
        raise RunsError(str(path), [words])
    return read_content(path, path.read_bytes(), separator, encoding, names, sheet)


def read_content(
    path: Path,
    data: bytes,
    separator: str | None,
    encoding: str | None,
    names: Iterable[str],
    sheet: str | None = None,
) -> RawTable:
    """The cells of a file of these bytes, packed or not; ``path`` is its name in messages."""
    if is_workbook(data):
        text, words = sheet_as_text(path, data, sheet)
        if not text.strip(",\n "):
            raise RunsError(str(path), [f"{words}, is empty; its first row must name the columns"])
        return read_text(path, text, ",", words, [], set(names))
    if sheet is not None:
        raise RunsError(str(path), [f"--sheet {sheet!r} belongs to a workbook, and this is none"])
    data, packed = unpacked(path, data)
    if not data.strip():
        raise RunsError(str(path), ["the file is empty; the first line must name the columns"])
    for magic, words in _MAGIC.items():
        if data.startswith(magic):
            raise RunsError(str(path), [f"this is {words}"])
    text, words, notes = decode(path, data, encoding, separator, set(names))
    notes += packed
    del data
    if not text.strip():
        raise RunsError(str(path), ["the file is empty; the first line must name the columns"])
    if kind := told(path, text):
        raise RunsError(str(path), [kind])
    text, commented = without_comments(text)
    notes += commented
    if text.lstrip()[0] in "[{" and separator is None:
        raw = read_json(path, text, words, notes)
        return _records(path, raw.frame, raw.kind, raw.notes, raw.frame.index)
    return read_text(path, text, separator, words, notes, set(names))


def _records(path: Path, frame: pd.DataFrame, kind: str, notes: list[str], index: pd.Index) -> RawTable:
    """A table whose cells are typed already."""
    if frame.shape[1] > MOST_COLUMNS:
        raise RunsError(
            str(path), [f"{frame.shape[1]:,} columns: one row is one training run, one column one quantity"]
        )
    if not len(frame):
        raise RunsError(str(path), ["there are no rows; one row is one training run"])
    frame.columns = unique_names([str(name).strip() for name in frame.columns])
    frame.index = index
    return RawTable(frame, kind, notes)
