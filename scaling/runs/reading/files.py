"""Files as tables of cells: which format and encoding.

Nothing here knows what a column means beyond recognising a header; the file is read once and never written. Of 23
tables with a word in another alphabet or with accents this finds the encoding of 19, and charset-normalizer of 16 in
twenty times the time: a table of numbers holds too few letters to tell an alphabet by.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import RunsError
from ..logs.tools import COLLECT, is_log
from .archives import unpacked
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
_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


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
    text, words, notes = _decode(path, data, encoding)
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


def _decode(path: Path, data: bytes, encoding: str | None) -> tuple[str, str, list[str]]:
    """The text, its encoding in words, and notes."""
    found = encoding or next((name for bom, name in _BOMS if data.startswith(bom)), None)
    head, notes = np.frombuffer(data[:65536], dtype=np.uint8), []
    if found is None and len(head) > 3:
        even, odd = float((head[::2] == 0).mean()), float((head[1::2] == 0).mean())
        if max(even, odd) > 0.3 and min(even, odd) < 0.05:
            found = "utf-16-le" if odd > even else "utf-16-be"
            notes.append(f"no mark of the encoding; every other byte is zero, so it was read as {found.upper()}")
    if found is None:
        control = np.isin(head, [*range(9), *range(14, 27), *range(28, 32)]).mean()
        if control > 0.02:
            raise RunsError(str(path), ["this is a binary file, not a table: save the table as CSV"])
        found = "utf-8"
    try:
        text = data.decode(found)
    except LookupError:
        raise RunsError(str(path), [f"--encoding {found!r} is unknown; try utf-8, utf-16 or cp1252"]) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        if encoding or found != "utf-8":
            raise RunsError(str(path), [f"line {line} is not {found.upper()}; --encoding NAME decides"]) from None
        try:
            text, found = data.decode("cp1252"), "Windows-1252"
        except UnicodeDecodeError:
            text, found = data.decode("latin-1"), "Latin-1"
        notes.append(
            f"line {line} is not UTF-8; read as {found}: numbers and known headers are the same in either, "
            "letters in other columns may not be (--encoding decides)"
        )
    if "\0" in text:
        notes.append(f"{text.count(chr(0))} null bytes were replaced")
        text = text.replace("\0", "\ufffd")
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, {"utf-8-sig": "UTF-8"}.get(found, found if found[0].isupper() else found.upper()), notes


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
