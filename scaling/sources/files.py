"""Where the embedded tables and the pages are: in an installed wheel, or beside the package in a checkout."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

__all__ = ["book_file", "chapter_files", "checksum", "checksum_of_list", "data_file"]


_HERE = Path(__file__).resolve().parents[1]


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum_of_list(files: Iterable[tuple[str, str]]) -> str:
    """SHA-256 of what ``sha256sum`` prints for files, given as (checksum, name)."""
    lines = "".join(f"{sha256}  {name}\n" for sha256, name in files)
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def data_file(name: str) -> Path:
    """Path of the embedded file ``name``, such as ``"published.csv"``.

    A wheel carries the tables as ``scaling/_data``; a checkout or an editable install has them in
    ``data`` beside the package. Raises ``FileNotFoundError`` if neither has the file.
    """
    return _embedded("data", name, "table")


def book_file(name: str) -> Path:
    """Path of the book's file or folder ``name``, such as ``"references.bib"``; found as :func:`data_file` finds it."""
    return _embedded("book", name, "page")


def chapter_files() -> list[Path]:
    """The numbered chapters, in their order; the replications, which need downloaded sets, are not among them."""
    for folder in _places("notebooks"):
        if found := sorted(folder.glob("[0-9][0-9]_*.ipynb")):
            return found
    raise FileNotFoundError(f"the chapters are in neither {' nor '.join(map(str, _places('notebooks')))}")


def _places(folder: str) -> list[Path]:
    return [_HERE / f"_{folder}", _HERE.parent / folder]


def _embedded(folder: str, name: str, what: str) -> Path:
    candidates = [place / name for place in _places(folder)]
    for path in candidates:
        if path.exists():
            return path
    raise FileNotFoundError(f"the embedded {what} {name!r} is neither {candidates[0]} nor {candidates[1]}")
