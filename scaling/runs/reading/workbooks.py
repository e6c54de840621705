"""Workbooks of Excel and of LibreOffice: one sheet, as the text that it would be if it were saved as CSV."""

from __future__ import annotations

import csv
import importlib.util
import io
import zipfile
from pathlib import Path
from typing import Any

from ...errors import RunsError
from .archives import BROKEN, MOST

#: how a workbook begins when it is none of the zip archives, and what an OpenDocument sheet calls itself
_OLD, _OPEN = b"\xd0\xcf\x11\xe0", b"application/vnd.oasis.opendocument.spreadsheet"
#: numbers beyond this are not told from their neighbours by a cell
_WHOLE = 2**53


def is_workbook(data: bytes) -> bool:
    """Whether bytes are a workbook, by what is in them."""
    if data.startswith(_OLD):
        return True
    if not data.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return any(name.startswith("xl/") for name in archive.namelist()) or _OPEN in data[:200]
    except BROKEN:
        return False


def sheet_as_text(path: Path, data: bytes, sheet: str | None) -> tuple[str, str]:
    """The cells of a sheet as CSV, and what was read in words.

    Without ``sheet`` it is the only visible one that has cells. Where several have, ``RunsError`` asks which; it also
    says what is missing or wrong with the file.
    """
    if importlib.util.find_spec("python_calamine") is None:
        install = "run pip install -e '.[sheets]' in the project's folder, or save the sheet as CSV"
        raise RunsError(str(path), [f"this is a workbook, and reading it needs python-calamine: {install}"])
    import python_calamine as calamine

    _refuse_bombs(path, data)
    broken: tuple[type[Exception], ...] = (calamine.CalamineError, *BROKEN)
    try:
        with calamine.load_workbook(io.BytesIO(data)) as book:
            shown = [each.name for each in book.sheets_metadata if each.visible == calamine.SheetVisibleEnum.Visible]
            if sheet is not None and sheet not in book.sheet_names:
                raise RunsError(str(path), [f"there is no sheet {sheet!r}; there are {_named(book.sheet_names)}"])
            names = [sheet] if sheet is not None else shown
            cells = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in names}
    except RunsError:
        raise
    except broken as error:
        words = (
            f"this begins as a workbook and cannot be read ({str(error)[:80]}): is it whole, and without a password?"
        )
        raise RunsError(str(path), [words]) from None
    full = [name for name, rows in cells.items() if any(cell != "" for row in rows for cell in row)]
    if len(full) > 1:
        raise RunsError(str(path), [f"which sheet? {_named(full)} have cells; --sheet NAME decides"])
    name = full[0] if full else names[0] if names else ""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_plain(cell) for cell in row] for row in cells.get(name, []))
    return text.getvalue(), f"a workbook, sheet {name!r}"


def _plain(cell: Any) -> Any:
    """A cell as it would be typed: whole numbers without a point, lines of a cell as one."""
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _WHOLE:
        return int(cell)
    return " ".join(cell.split()) if isinstance(cell, str) else cell


def _refuse_bombs(path: Path, data: bytes) -> None:
    if data.startswith(_OLD):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(each.file_size for each in archive.infolist())
    except BROKEN:
        return  # what the reader says of it is said
    if size > MOST:
        words = f"a workbook of more than {MOST / 2**30:.0f} GB when unpacked: save the sheet as CSV"
        raise RunsError(str(path), [f"this is {words}"])


def _named(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:8]) + (" and more" if len(names) > 8 else "")
