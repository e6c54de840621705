"""A disk on which there is no room at the n-th thing that is written, whoever writes it in this process."""

import builtins
import errno
import io
import os
import shutil
from pathlib import Path
from unittest.mock import patch

_OPEN, _MKDIR, _RENAMES = io.open, os.mkdir, {name: getattr(os, name) for name in ("rename", "replace")}


class FullDisk:
    """Within its block, what is written below ``place`` is counted, and the one of number ``at`` finds no room.

    A file finds it when its letters are written, as on a real disk (``/dev/full`` takes them); a folder and a renaming
    at once.
    """

    def __init__(self, place, at=0):
        self.place, self.at, self.count = Path(place), at, 0

    def _is_full(self, path):
        if not Path(os.fsdecode(path)).is_relative_to(self.place):
            return False
        self.count += 1
        return self.count == self.at

    def _open(self, file, mode="r", *given, **named):
        path = os.readlink(f"/proc/self/fd/{file}") if isinstance(file, int) else file
        writes = set(mode) & set("wax+") and self._is_full(os.path.abspath(path))
        opened = _OPEN(file, mode, *given, **named)
        if writes:  # the name has room, its letters have none
            full = os.open("/dev/full", os.O_WRONLY)
            os.dup2(full, opened.fileno())
            os.close(full)
        return opened

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
