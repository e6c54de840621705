"""A disk on which there is no room at the n-th thing that is written, whoever writes it in this process."""

import builtins
import errno
import io
import os
import shutil
from pathlib import Path
from unittest.mock import patch

_OPEN, _MKDIR, _RENAMES = io.open, os.mkdir, {name: getattr(os, name) for name in ("rename", "replace")}


class _Counted(io.FileIO):
    """A file that asks before each write whether there is room."""

    def write(self, letters):
        if self.is_full():
            letters = memoryview(letters).cast("B")
            super().write(letters[: len(letters) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(letters)


class FullDisk:
    """Within its block, what is written below ``place`` is counted, and the one of number ``at`` finds no room.

    Each write to a file is one, and where it finds no room half of its letters are on the disk; so is a folder, and a
    renaming.
    """

    def __init__(self, place, at=0):
        self.place, self.at, self.count = Path(place), at, 0

    def _is_full(self, path):
        if not Path(os.fsdecode(path)).is_relative_to(self.place):
            return False
        self.count += 1
        return self.count == self.at

    def _open(self, file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
        path = os.path.abspath(os.readlink(f"/proc/self/fd/{file}") if isinstance(file, int) else file)
        if not (set(mode) & set("wax+") and Path(os.fsdecode(path)).is_relative_to(self.place)):
            return _OPEN(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = _Counted(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        raw.is_full = lambda: self._is_full(path)
        if buffering == 0:
            return raw
        buffer = (io.BufferedRandom if "+" in mode else io.BufferedWriter)(raw)
        if "b" in mode:
            return buffer
        text = io.TextIOWrapper(buffer, encoding, errors, newline, line_buffering=buffering == 1)
        text.mode = mode
        return text

    def _refusing(self, function):
        def call(path, *given, **named):
            there = function is _MKDIR and os.path.lexists(path)
            if not there and self._is_full(os.path.abspath(path)):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return function(path, *given, **named)

        return call

    def __enter__(self):
        renames = {name: self._refusing(function) for name, function in _RENAMES.items()}
        self._patches = [
            patch.object(builtins, "open", self._open),
            patch.object(io, "open", self._open),
            patch.object(os, "mkdir", self._refusing(_MKDIR)),
            *(patch.object(os, name, function) for name, function in renames.items()),
            patch.object(shutil, "_USE_CP_SENDFILE", False),  # it would not see what a file has become
        ]
        for each in self._patches:
            each.start()
        return self

    def __exit__(self, *_):
        for each in self._patches:
            each.stop()
