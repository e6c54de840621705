"""A file that a command writes: whole or not at all, and never over what is somebody else's."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..errors import DatasetError
from ..sources.datasets import fetch
from .command import BROKEN, Refusal, reason, terminable

__all__ = ["claim", "write_whole"]

#: what every record of ours holds, and the bytes above which a file is none
LAYOUT, LARGEST = ("input", "versions", "options"), 1 << 28
_KINDS = {
    stat.S_ISLNK: "a link",
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}


def claim(path: Path, runs: Sequence[str], force: bool) -> None:
    """Refuse a place at which nothing may be written, before any work and again before the writing.

    A file may be replaced if it is empty or one that this program wrote, others with ``force``. Whatever is no plain
    file never is, and neither is a table of ``runs``.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise Refusal(f"--out {path}: there is no folder {folder}")
    if any(_is_the_table(path, each) for each in runs):
        raise Refusal(f"--out {path} is the table itself, which is never changed: name another file")
    if not os.path.lexists(path):
        return
    mode = path.lstat().st_mode
    for is_kind, kind in _KINDS.items():
        if is_kind(mode):
            raise Refusal(f"--out {path} is {kind}, which is left as it is: name a file; --json prints the same")
    if not (force or _is_ours(path)):
        raise Refusal(f"--out {path} is there already, and no record of a fit of ours: --force replaces it")


def _is_the_table(path: Path, runs: str) -> bool:
    """Whether a path is that of the table, or inside it where it is a folder."""
    table = Path(runs)
    if not table.exists():
        try:
            table = fetch(runs)
        except DatasetError:
            return False
    if table.is_dir():
        return path.resolve().is_relative_to(table.resolve())
    return path.exists() and os.path.samefile(path, table)


def _is_ours(path: Path) -> bool:
    """Whether a file is empty, or a record that this program wrote."""
    size = path.stat().st_size
    if not 0 < size < LARGEST:
        return size == 0
    try:
        record = json.loads(path.read_bytes())
        return all(name in record for name in LAYOUT) and "scaling" in record["versions"]
    except (ValueError, TypeError, OSError, RecursionError):
        return False


def write_whole(path: Path, text: str) -> None:
    """Put a text at a path, in one step of the file system: until then whatever stood there stands."""
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        with terminable():
            _replace(path, text.encode(), mode)
    except OSError as error:
        raise Refusal(
            f"--out {path} could not be written, and nothing there was changed: {reason(error)}", BROKEN
        ) from error


def _replace(path: Path, content: bytes, mode: int) -> None:
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name[:40]}-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # some file systems say only now that they are full
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
