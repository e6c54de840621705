"""Others' sets of runs: files of a commit of their authors' repository, each known by its SHA-256.

The names and checksums of the files are ours and stand in ``data/<set>/files.csv``; the files themselves are fetched
at first use and kept in pooch's cache folder, or taken from the folder that ``SCALING_DATA_MIRROR`` names.
"""

from __future__ import annotations

import csv
import os
import urllib.parse
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from ..errors import DatasetError
from .files import checksum, checksum_of_list, data_file

MIRROR = "SCALING_DATA_MIRROR"
TIMEOUT = 10  # seconds without an answer


@dataclass(frozen=True)
class Pin:
    """One file: its place in the set's folder and in the repository, and what it has to be."""

    file: str
    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Downloaded:
    """A set of runs at a commit of its authors' repository.

    Attributes
    ----------
    name : str
        Of the set, of its folder in the mirror and the cache, and of ``data/<name>``, where its pins and its passport
        stand.
    repository, commit : str
        Where the files come from, as ``owner/name`` on GitHub.
    licence : str
        As the authors state it.
    source : str
        Who made the set and what it is, in a line.
    rows : int
        Of the table that ``read`` returns.
    read : callable
        From the folder with the files, as their authors published them, to the table in our columns.
    groups : mapping, optional
        The values of column ``group``, in the order of a reader, and the rows of each.
    """

    name: str
    repository: str
    commit: str
    licence: str
    source: str
    rows: int
    read: Callable[[Path], pd.DataFrame]
    groups: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    kind: str = "downloaded"

    @cached_property
    def files(self) -> tuple[Pin, ...]:
        """The pins of ``data/<name>/files.csv``, in the order of the names."""
        with open(data_file(f"{self.name}/files.csv"), newline="", encoding="utf-8") as file:
            pins = [Pin(row["file"], row["path"], row["sha256"], int(row["bytes"])) for row in csv.DictReader(file)]
        return tuple(sorted(pins, key=lambda pin: pin.file))

    @property
    def checksum(self) -> str:
        """SHA-256 of the only file; of several, that of what ``sha256sum`` prints for them in order."""
        if len(self.files) == 1:
            return self.files[0].sha256
        return checksum_of_list((pin.sha256, pin.file) for pin in self.files)

    @property
    def folder(self) -> Path:
        """Where the files are, or have to be put: in the mirror if one is set, else in the cache."""
        try:
            above = os.environ.get(MIRROR)
            return (Path(above).expanduser() if above else Path(_pooch().os_cache("scaling"))) / self.name
        except RuntimeError:
            words = f"{MIRROR} is {os.environ[MIRROR]!r}, and there is no home directory of that user"
            raise DatasetError(f"{words}: name the folder by its path") from None

    @property
    def place(self) -> Path:
        """The file of a set that has one, the folder of one that has several."""
        return self.folder / self.files[0].file if len(self.files) == 1 else self.folder

    def url(self, pin: Pin) -> str:
        """Where a file can be had."""
        path = urllib.parse.quote(pin.path, safe="/=")
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{path}"

    @property
    def is_here(self) -> bool:
        """Whether every file is in its place, and is what it has to be."""
        folder = self.folder
        return all(_is_intact(folder / pin.file, pin) for pin in self.files)

    def fetch(self) -> Path:
        """The folder with all files, intact; what is missing is downloaded, unless a mirror is set."""
        folder = self.folder
        lacking = [pin for pin in self.files if not _is_intact(folder / pin.file, pin)]
        if lacking and os.environ.get(MIRROR):
            self._refuse(folder, lacking)
        elif lacking:
            self._download(folder, lacking)
        return folder

    def _refuse(self, folder: Path, lacking: list[Pin]) -> None:
        """Say which file of the mirror is missing or is another."""
        pin, *others = lacking
        path = folder / pin.file
        more = f" Of its {len(self.files)} files {len(others)} more are missing or others." if others else ""
        if path.is_file():
            raise DatasetError(
                f"{path} is not the published file of {self.name}: its sha256 is {_checksum(path, path.stat())}, "
                f"expected {pin.sha256}. {self._advice(pin, path)}{more}"
            )
        what = self.name if len(self.files) == 1 else f"{pin.file} of {self.name}"
        raise DatasetError(f"{what} is not in the mirror that {MIRROR} names. {self._advice(pin, path)}{more}")

    def _advice(self, pin: Pin, path: Path) -> str:
        return f"Get {self.url(pin)} (sha256 {pin.sha256}) and put it at {path}"

    def _download(self, folder: Path, pins: list[Pin]) -> None:
        """Fetch files one by one, with a bar of bytes for one and a bar of files for several."""
        from tqdm import tqdm  # here, so that nobody waits for it who has the files

        if len(pins) == 1:
            with tqdm(desc=self.name, total=pins[0].bytes, unit="B", unit_scale=True, delay=1, disable=None) as bar:
                self._retrieve(folder, pins[0], bar)
            return
        for pin in tqdm(pins, desc=self.name, unit="file", disable=None):
            self._retrieve(folder, pin, False)

    def _retrieve(self, folder: Path, pin: Pin, bar: Any) -> None:
        pooch = _pooch()
        pooch.get_logger().setLevel("WARNING")
        path = folder / pin.file
        try:
            pooch.retrieve(
                self.url(pin),
                known_hash=f"sha256:{pin.sha256}",
                fname=path.name,
                path=path.parent,
                downloader=pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT),
            )
        except (OSError, ValueError) as error:
            # requests' errors are OSErrors; a wrong checksum is a ValueError whose text names both hashes
            what = self.name if len(self.files) == 1 else f"{pin.file} of {self.name}"
            raise DatasetError(f"{what} could not be downloaded ({error}). {self._advice(pin, path)}") from error


def _pooch() -> Any:
    """pooch, which only needs to be imported where a set may have to be downloaded."""
    with warnings.catch_warnings():
        # it draws on tqdm, which warns in a notebook without widgets, and no page needs to know that
        warnings.filterwarnings("ignore", message="IProgress not found")
        import pooch
    return pooch


def _is_intact(path: Path, pin: Pin) -> bool:
    if not path.is_file():
        return False
    state = path.stat()
    return state.st_size == pin.bytes and _checksum(path, state) == pin.sha256


def _checksum(path: Path, state: os.stat_result) -> str:
    """SHA-256 of a file, computed once a process for as long as the file stays what it is."""
    return _checksum_of_state(path, (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns))


@cache
def _checksum_of_state(path: Path, state: tuple[int, ...]) -> str:
    return checksum(path)
