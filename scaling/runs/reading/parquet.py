"""Parquet as one table: a file, or a folder of files, with what its folders' names say.

Its rows are counted without being read, and come whole or batch by batch. Arrow reads them: pandas needs it for Parquet
anyway, and it gives rows in their order, from which a row's place in its file follows.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..._words import printable
from ...errors import RunsError
from ...sources.files import checksum, checksum_of_list
from ..logs.tools import COLLECT, is_log
from .units import read_header

if TYPE_CHECKING:
    import pyarrow as pa

_MAGIC = b"PAR1"
#: names of files that are Parquet or claim to be
_SUFFIXES = (".parquet", ".pq", ".parq")
#: files, columns and names that a message shows of many
_SHOWN = 3
#: files and folders that are looked through for the files of one table
MOST_ENTRIES = 200_000


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file, or all those of a folder in the order of their names, as one table.

    Attributes
    ----------
    root : Path
        The file or folder that was asked for.
    paths : tuple of Path
        The files.
    rows : tuple of int
        Rows of each file.
    types : dict
        Column to its Arrow type in each file; of columns that all files have, or all names of folders.
    keys : tuple of dict
        What the names of each file's folders say, as in ``run=abc/part-0.parquet``.
    notes : tuple of str
        Files and columns that were left out.
    """

    root: Path
    paths: tuple[Path, ...]
    rows: tuple[int, ...]
    types: dict[str, tuple[pa.DataType, ...]]
    keys: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The format in words."""
        return f"Parquet, {len(self.paths):,} files" if self.root.is_dir() else "Parquet"

    def name(self, file: int) -> str:
        """A file's name within the folder."""
        path = self.paths[file]
        return printable(path.relative_to(self.root).as_posix() if path != self.root else path.name)

    def labels(self, files: np.ndarray, rows: np.ndarray) -> pd.Index:
        """Labels of rows, from the number of their file and their place in it, which counts from 1."""
        if not self.root.is_dir():
            return pd.Index(rows, name="row")
        names = [self.name(file) for file in range(len(self.paths))]
        return pd.Index([f"{r} of {names[f]}" for f, r in zip(files, rows, strict=True)], name="row")

    def whole(self) -> pd.DataFrame:
        """All rows, labelled by their place in the file."""
        frames = []
        for file, path in enumerate(self.paths):
            with _refusing(path):
                frame = pd.read_parquet(path).reset_index(drop=True)
            kept = frame.loc[:, [not self.root.is_dir() or name in self.types for name in frame.columns]]
            frames.append(kept.assign(**{k: v for k, v in self.keys[file].items() if k not in kept.columns}))
        if not self.root.is_dir():
            return frames[0].set_axis(pd.RangeIndex(1, len(frames[0]) + 1, name="row"))
        place = [np.arange(1, n + 1) for n in self.rows]
        files = np.repeat(np.arange(len(self.paths)), self.rows)
        return pd.concat(frames, ignore_index=True).set_axis(self.labels(files, np.concatenate(place)))

    def batches(
        self, columns: list[str], size: int, encoded: list[str]
    ) -> Iterator[tuple[int, int, dict[str, pa.Array]]]:
        """File, place of the first row in it (from 0) and columns of at most ``size`` rows, in order.

        Texts in the columns ``encoded`` come as a dictionary with codes where few of them stand for many rows.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        for file, path in enumerate(self.paths):
            given = {name: value for name, value in self.keys[file].items() if name in columns}
            held, start = [name for name in columns if name not in given], 0
            with _refusing(path):
                about = pq.read_metadata(path)
                coded = [name for name in encoded if name in held and _repeats(about, name)]
                source = pq.ParquetFile(path, metadata=about, read_dictionary=coded, buffer_size=1 << 20)
            with _refusing(path), source:
                for batch in source.iter_batches(size, columns=held):
                    cells = {name: batch.column(name) for name in held}
                    cells |= {k: pa.repeat(pa.scalar(v), batch.num_rows) for k, v in given.items()}
                    yield file, start, cells
                    start += batch.num_rows


def _repeats(about: Any, name: str) -> bool:
    """Whether a column takes so little room that few texts are repeated in it: then Arrow need not spell them out."""
    if not about.num_row_groups:
        return False
    group = about.row_group(0)
    chunks = [group.column(k) for k in range(group.num_columns)]
    return any(chunk.path_in_schema == name and chunk.total_uncompressed_size < 4 * group.num_rows for chunk in chunks)


def begins_as_parquet(path: Path) -> bool:
    """Whether the first bytes of a file are those of Parquet."""
    with open(path, "rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def open_parquet(root: Path, names: Iterable[str] = ()) -> ParquetTable:
    """A Parquet file or a folder of them, of which nothing but the footers is read.

    Parameters
    ----------
    root : Path
        The file, or the folder: all files in it and in its folders, but those whose names or folders begin with a
        point or an underscore, as ``_SUCCESS`` and ``_metadata`` do.
    names : iterable of str
        Columns that the caller will ask for.

    Raises
    ------
    RunsError
        If pyarrow is not installed, a file cannot be read, or the files do not have the same columns of ours.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        install = "run pip install -e '.[parquet]' in the project's folder"
        raise RunsError(str(root), [f"Parquet needs pyarrow: {install}, or save the table as CSV"]) from None
    paths, notes = _listed(root) if root.is_dir() else ([root], [])
    rows, schemas = [], []
    for path in paths:
        with _refusing(path), pq.ParquetFile(path) as source:
            rows.append(source.metadata.num_rows)
            schemas.append({field.name: field.type for field in source.schema_arrow})
    keys = _keys(root, paths)
    wanted = set(names)
    columns, more = _common(root, paths, schemas, wanted)
    types = {name: tuple(schema[name] for schema in schemas) for name in columns}
    types |= {name: tuple(pa.scalar(key[name]).type for key in keys) for name in keys[0] if name not in types}
    return ParquetTable(root, tuple(paths), tuple(rows), types, tuple(keys), (*notes, *more))


class _refusing:
    """What Arrow says of a file that it cannot read becomes a refusal that names it."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, PermissionError):
            return
        if isinstance(error, (ValueError, OSError, KeyError, NotImplementedError)) and not isinstance(error, RunsError):
            words = f"this begins as a Parquet file and cannot be read ({str(error).strip()[:120]!r}): write it again"
            raise RunsError(str(self.path), [words]) from None


def _listed(folder: Path) -> tuple[list[Path], list[str]]:
    """The Parquet files of a folder, and notes on what else lies in it."""
    found = sorted(path for path in _below(folder) if _is_file(path) and not _hidden(path.relative_to(folder)))
    strangers = {path for path in found if not begins_as_parquet(path)}
    broken = [path for path in strangers if path.suffix.lower() in _SUFFIXES]
    if broken:
        words = "by its name a Parquet file, and it does not begin as one: write it again"
        raise RunsError(str(folder), [f"{_named(folder, sorted(broken))}: {words}"])
    other = sorted(strangers)
    if len(other) == len(found):
        what = f"it holds {_named(folder, other)}" if other else "it is empty"
        hint = "folders are read where they hold Parquet; of other files, name the one that holds the table"
        if any(map(is_log, other)):
            hint = f"logs of training runs are among them: {COLLECT.format(shlex.quote(str(folder)))}"
        raise RunsError(str(folder), [f"this is a folder without Parquet files, {what}: {hint}"])
    notes = [f"{_named(folder, other)}: left out, no Parquet"] if other else []
    return [path for path in found if path not in strangers], notes


def _below(folder: Path) -> Iterator[Path]:
    """All that lies in a folder; ``RunsError`` where it cannot be looked through, or would take too long."""
    hint = "name the folder that holds the table"
    try:
        for count, path in enumerate(folder.rglob("*")):
            if count == MOST_ENTRIES:
                raise RunsError(str(folder), [f"more than {MOST_ENTRIES:,} files and folders lie in it: {hint}"])
            yield path
    except OSError as error:
        where = printable(str(error.filename or folder))
        raise RunsError(str(folder), [f"{where} in it cannot be looked into ({error.strerror}): {hint}"]) from None


def _is_file(path: Path) -> bool:
    """Whether there is a file, or a link to one that is gone, which is not passed over in silence."""
    return path.is_file() or (path.is_symlink() and not path.exists())


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _named(folder: Path, paths: list[Path]) -> str:
    shown = ", ".join(printable(path.relative_to(folder).as_posix()) for path in paths[:_SHOWN])
    return shown + (f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else "")


def _keys(root: Path, paths: list[Path]) -> list[dict[str, Any]]:
    """What the folders' names say of each file (``run=abc``), as numbers where all are."""
    if not any("=" in part for path in paths for part in path.relative_to(root).parts[:-1]):
        return [{} for _ in paths]
    import pyarrow.dataset as ds

    try:
        found = ds.dataset([str(p) for p in paths], format="parquet", partitioning="hive", partition_base_dir=str(root))
    except (ValueError, OSError, KeyError, NotImplementedError) as error:
        words = f"the names of its folders cannot be read as columns ({str(error).strip()[:120]!r})"
        raise RunsError(
            str(root), [f"{words}: name the same columns at each level, as in run=abc/part-0.parquet"]
        ) from None
    keys = {Path(part.path): ds.get_partition_keys(part.partition_expression) for part in found.get_fragments()}
    names = list(dict.fromkeys(name for each in keys.values() for name in each))
    return [{name: keys[path].get(name) for name in names} for path in paths]


def _common(
    root: Path, paths: list[Path], schemas: list[dict[str, Any]], wanted: set[str]
) -> tuple[list[str], list[str]]:
    """The columns that all files have, and notes on others; ``RunsError`` where one of ours is not in all."""
    lacking = {
        name: [path for path, schema in zip(paths, schemas, strict=True) if name not in schema]
        for name in dict.fromkeys(name for schema in schemas for name in schema)
    }
    ours = {name: where for name, where in lacking.items() if where and (name in wanted or read_header(name.strip()))}
    if ours:
        hint = "the files of a folder are one table: write them with the same columns, or name one file"
        words = [f"column {printable(name[:40])!r} is not in {_named(root, where)}" for name, where in ours.items()]
        raise RunsError(str(root), [*words, hint])
    gone = [name for name, where in lacking.items() if where]
    names = ", ".join(repr(printable(name[:40])) for name in gone[:10]) + (" and others" if len(gone) > 10 else "")
    return [name for name, where in lacking.items() if not where], (
        [f"columns {names}: left out, not in every file"] if gone else []
    )


def parquet_checksum(folder: Path) -> str:
    """SHA-256 of the list of a folder's Parquet files, as ``sha256sum`` prints it for their names in order."""
    return checksum_of_list((checksum(path), path.relative_to(folder).as_posix()) for path in _listed(folder)[0])
