"""Where the embedded tables are: in an installed wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

__all__ = ["data_file"]

_HERE = Path(__file__).resolve().parent


def data_file(name: str) -> Path:
    """Path of the embedded file ``name``, such as ``"published.csv"``.

    A wheel carries the tables as ``scaling/_data``; a checkout or an editable install has them in
    ``data`` beside the package. Raises ``FileNotFoundError`` if neither has the file.
    """
    candidates = [_HERE / "_data" / name, _HERE.parent / "data" / name]
    for path in candidates:
        if path.is_file():
            return path
    raise FileNotFoundError(f"the embedded table {name!r} is neither {candidates[0]} nor {candidates[1]}")
