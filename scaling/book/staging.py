"""A folder that appears whole or not at all: written beside its place, then moved there in one step."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import BookError

__all__ = ["MARK", "staged"]


try:
    import fcntl
except ImportError:  # Windows: no locks, so that leftovers of killed runs are not told from those of live ones
    fcntl = None
#: the file by which a folder is known as written by this command
MARK = "summary.json"
#: the kinds of results: of `scaling rerun` one book or several, of `scaling course` a kit
BOOK, KIT = "book", "kit"
UNFINISHED, REPLACED = ".unfinished", ".replaced"
#: flags of renameat2 (Linux) and renamex_np (macOS) that exchange two names in one step
AT_FDCWD, RENAME_EXCHANGE, RENAME_SWAP = -100, 2, 2


@contextmanager
def staged(target: Path, force: bool, what: str = BOOK) -> Iterator[tuple[Path, Path]]:
    """Two folders beside ``target``: for the result, and for what is only needed on the way.

    When the block ends well the first becomes ``target``, in one step of the file system: until then whatever
    stood there stands. When it does not, both are removed. A run that is killed leaves its folder behind, and
    the next run for the same target removes it.

    Raises
    ------
    BookError
        If there is something at ``target`` and ``force`` is not set, or it is no earlier result of this kind:
        ``"book"`` or ``"kit"``.
    """
    _refuse(target, force, what)
    _clear_leftovers(target)
    stage = Path(tempfile.mkdtemp(prefix=f"{target.name}-", suffix=UNFINISHED, dir=target.parent))
    lock = _lock(stage)
    try:
        result, work = stage / "result", stage / "work"
        result.mkdir()
        work.mkdir()
        yield result, work
        _refuse(target, force, what)  # an hour may have passed
        _put(result, target)
    finally:
        _remove(stage)
        if lock is not None:
            os.close(lock)


def _refuse(target: Path, force: bool, what: str) -> None:
    if not target.parent.is_dir():
        raise BookError(f"there is no folder {target.parent} to put {target.name} in")
    if not os.path.lexists(target):
        return
    if target.is_symlink():
        raise BookError(f"{target} is a link, which is left as it is; name the folder itself")
    if not target.is_dir():
        raise BookError(f"{target} is a file; name a folder")
    if not any(target.iterdir()):
        return
    if not _is_ours(target / MARK, what):
        raise BookError(f"{target} holds files that are not of an earlier run (no {MARK} of one): it is left as it is")
    if not force:
        raise BookError(f"{target} is there already; --force replaces it when the new {what} is complete")


def _is_ours(mark: Path, what: str) -> bool:
    """Whether this is what a result of this kind says of itself: other programs write this name, too."""
    try:
        said = json.loads(mark.read_bytes()) if mark.is_file() else {}
        books = [said] if "versions" in said else list(said.values())
        whole = all("scaling" in each["versions"] and "chapters" in each for each in books)
        return whole and {KIT if KIT in each else BOOK for each in books} == {what}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False


def _clear_leftovers(target: Path) -> None:
    """Finish or remove what killed runs have left beside the target."""
    for left in target.parent.glob(f"{_glob_literal(target.name)}-*{UNFINISHED}"):
        lock = _lock(left)
        if lock is not None:
            _remove(left)
            os.close(lock)
    for old in target.parent.glob(f"{_glob_literal(target.name)}-*{REPLACED}"):
        if os.path.lexists(target):
            _remove(old)
        else:
            old.rename(target)


def _glob_literal(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _lock(folder: Path) -> int | None:
    """A lock on the folder that ends with this process; None if another process holds it, or there are no locks."""
    if fcntl is None:
        return None
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _remove(folder: Path) -> None:
    """Remove a folder in which a process that is being ended may still write."""
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return


def _put(new: Path, target: Path) -> None:
    """Make ``new`` the target in one step; what stood there, if anything, is then at ``new``."""
    new.chmod(0o777 & ~_umask())  # the stage is private, the book is not
    if not os.path.lexists(target) or not any(target.iterdir()):
        with suppress(OSError):  # a file system that will not rename onto an empty folder, or one that was just filled
            new.rename(target)
            return
    if not _exchange(new, target):
        old = new.parent.with_suffix(REPLACED)
        target.rename(old)
        try:
            new.rename(target)  # killed before this line: the next run puts the old one back
        except BaseException:
            old.rename(target)
            raise
        _remove(old)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step of the file system; False where the system cannot."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return libc.renamex_np(os.fsencode(one), os.fsencode(other), RENAME_SWAP) == 0
        return libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0
    except (OSError, AttributeError, TypeError):
        return False


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
