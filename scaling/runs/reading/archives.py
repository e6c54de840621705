"""Packed files: unpacked in memory, up to a size that a table of runs does not reach."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from ...errors import RunsError

#: bytes beyond which what is in a packed file is not read: some ten million runs
MOST = 2**30
#: what the library raises for files that are broken, or packed in a way that it does not know
BROKEN: tuple[type[Exception], ...] = (OSError, EOFError, ValueError, RuntimeError, struct.error)
BROKEN += (lzma.LZMAError, zlib.error, zipfile.BadZipFile)
_PIECE = 2**20


def unpacked(path: Path, data: bytes) -> tuple[bytes, list[str]]:
    """The bytes of a table that may be packed, and a note where it was.

    Raises
    ------
    RunsError
        If it cannot be unpacked, holds more than one file, or is larger than a gigabyte when unpacked.
    """
    for magic, (name, opened) in _PACKERS.items():
        if data.startswith(magic):
            try:
                return _bounded(path, name, opened(path, data)), [f"{name}, unpacked in memory"]
            except RunsError:
                raise
            except BROKEN as error:
                words = f"this begins as {name} and cannot be unpacked ({str(error)[:80]}): is it whole?"
                raise RunsError(str(path), [words]) from None
    return data, []


def _bounded(path: Path, name: str, stream: IO[bytes]) -> bytes:
    pieces, total = [], 0
    with stream:
        while piece := stream.read(_PIECE):
            pieces.append(piece)
            if (total := total + len(piece)) > MOST:
                words = f"{name} of more than {MOST / 2**30:.0f} GB when unpacked: unpack it, and keep what is needed"
                raise RunsError(str(path), [f"this is {words}"])
    return b"".join(pieces)


def _zip(path: Path, data: bytes) -> IO[bytes]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    names = [
        each.filename for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX")
    ]
    if any(name.startswith(("word/", "ppt/")) for name in names):
        raise RunsError(str(path), ["this is an Office document, not a table: save its table as CSV"])
    if names and all(name.endswith(".npy") for name in names):
        words = f"this is an archive of NumPy arrays ({', '.join(map(repr, names[:5]))}): save them as columns of a CSV"
        raise RunsError(str(path), [words])
    if len(names) != 1:
        shown = ", ".join(repr(name) for name in names[:5])
        raise RunsError(str(path), [f"this is a zip archive of {len(names)} files ({shown}): unpack it, and name one"])
    if archive.infolist()[0].flag_bits & 1:
        raise RunsError(str(path), ["this is a zip archive with a password: unpack it first"])
    return archive.open(names[0])


def _zstandard(path: Path, data: bytes) -> IO[bytes]:
    if importlib.util.find_spec("pyarrow") is None:
        words = "this is packed by Zstandard: unpack it first (zstd -d), or install pyarrow, which can"
        raise RunsError(str(path), [words])
    import pyarrow

    return pyarrow.CompressedInputStream(pyarrow.BufferReader(data), "zstd")


_PACKERS: dict[bytes, tuple[str, Callable[[Path, bytes], Any]]] = {
    b"\x1f\x8b": ("a gzip file", lambda path, data: gzip.GzipFile(fileobj=io.BytesIO(data))),
    b"BZh": ("a bzip2 file", lambda path, data: bz2.BZ2File(io.BytesIO(data))),
    b"\xfd7zXZ": ("an xz file", lambda path, data: lzma.LZMAFile(io.BytesIO(data))),  # noqa: SIM115 (closed there)
    b"\x28\xb5\x2f\xfd": ("a Zstandard file", _zstandard),
    b"PK\x03\x04": ("a zip archive", _zip),
}
