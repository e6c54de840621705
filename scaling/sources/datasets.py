"""The named sets of runs: which exist, how to have them, and what they look like in our columns.

Embedded sets are our own and lie beside the package, with the scripts that made them. Downloaded sets are
others' work (:mod:`scaling.sources.sets` has one module each): they are fetched from a commit of their authors'
repository, checked against SHA-256 sums and kept in pooch's cache folder. ``SCALING_DATA_MIRROR=/some/folder`` takes
the same files from disk instead and uses no network.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from ..errors import DatasetError
from .downloaded import Downloaded
from .files import checksum, data_file
from .sets import SETS

__all__ = ["dataset_checksum", "dataset_names", "fetch", "is_available", "list_datasets", "read_dataset"]


def _as_it_is(raw: pd.DataFrame) -> pd.DataFrame:
    return raw


@dataclass(frozen=True)
class _Embedded:
    """A table that we made; it needs no network and no mirror."""

    name: str
    file: str
    source: str
    tidy: Callable[[pd.DataFrame], pd.DataFrame] = _as_it_is
    licence: str = "CC BY 4.0"
    kind: str = "embedded"

    @property
    def rows(self) -> int:
        return len(read_dataset(self.name))

    @property
    def groups(self) -> Mapping[str, int]:
        return {}


def _tidy_curves(raw: pd.DataFrame, of: str = "small_sweep") -> pd.DataFrame:
    """A run's points carry its size, and the FLOPs spent so far; curves of runs outside the set are left out."""
    columns = ["run", "params", "params_nonembedding", "budget", "seed"]
    joined = raw.merge(read_dataset(of).query("status == 'finished'")[columns], on="run")
    joined["flops"] = 6.0 * joined["params"] * joined["tokens"]
    return joined


_EMBEDDED = (
    _Embedded("small_sweep", "small_sweep/runs.csv", "our own runs, each token read once"),
    _Embedded("small_sweep_repeated", "small_sweep/repeated.csv", "our own runs on few tokens, read several times"),
    _Embedded("small_sweep_rates", "small_sweep/learning_rates.csv", "our own trials of learning rates"),
    _Embedded("small_sweep_experiments", "small_sweep/experiments.csv", "our own trials of schedules and shapes"),
    _Embedded("small_sweep_curves", "small_sweep/curves.csv.gz", "training curves of small_sweep", _tidy_curves),
    _Embedded(
        "small_sweep_experiment_curves",
        "small_sweep/curves.csv.gz",
        "training curves of small_sweep_experiments",
        partial(_tidy_curves, of="small_sweep_experiments"),
    ),
)
_DATASETS: dict[str, _Embedded | Downloaded] = {dataset.name: dataset for dataset in _EMBEDDED} | SETS


def dataset_names() -> list[str]:
    """List the names of all sets, embedded ones first.

    Returns
    -------
    list of str
        Each can be given to :func:`~scaling.sources.read_dataset`.
    """
    return list(_DATASETS)


def find_dataset(name: str) -> tuple[_Embedded | Downloaded, str]:
    """The entry of a set, and the group of it that the name asks for, empty where it is the whole set.

    Raises
    ------
    DatasetError
        If there is no such set, or no such group of it; the message says which there are.
    """
    head, _, group = name.partition("/")
    if head not in _DATASETS:
        raise DatasetError(f"no set of runs is called {name!r}{_near(head, _DATASETS)}; known: {', '.join(_DATASETS)}")
    dataset = _DATASETS[head]
    if "/" in name and group not in dataset.groups:
        has = f"its groups: {', '.join(dataset.groups)}" if dataset.groups else "it has no groups"
        raise DatasetError(f"{head} has no group {group!r}{_near(group, dataset.groups, 0.5)}; {has}")
    return dataset, group


def passport_of(dataset: _Embedded | Downloaded) -> Path:
    """Where the page stands that says where a set comes from, what its columns mean and what is wrong with it."""
    folder = Path(dataset.file).parent if isinstance(dataset, _Embedded) else Path(dataset.name)
    return data_file((folder / "README.md").as_posix())


def _near(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """A question after a name that is nearly one of the known."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f" (did you mean {close[0]!r}?)" if close else ""


def is_available(name: str) -> bool:
    """Tell whether a set can be read without a network: it is embedded, or in the mirror or the cache, and intact.

    Parameters
    ----------
    name : str
        A name of :func:`~scaling.sources.list_datasets`, or ``set/group``.

    Returns
    -------
    bool
        Whether it is here.

    Raises
    ------
    DatasetError
        If there is no such set, or no such group of it.
    """
    dataset, _ = find_dataset(name)
    return isinstance(dataset, _Embedded) or dataset.is_here


def dataset_checksum(name: str) -> str:
    """Look up the SHA-256 of a set's file as its authors published it, or of the list of its files.

    Where a set has several files it is that of what ``sha256sum`` prints for them, in the order of their names; a
    group has the checksum of its set.

    Parameters
    ----------
    name : str
        A name of :func:`~scaling.sources.list_datasets`, or ``set/group``.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    DatasetError
        If there is no such set, or no such group of it.
    """
    dataset, _ = find_dataset(name)
    return checksum(data_file(dataset.file)) if isinstance(dataset, _Embedded) else dataset.checksum


def list_datasets() -> pd.DataFrame:
    """List the named sets of runs.

    Returns
    -------
    DataFrame
        Index ``name``; columns ``kind`` (embedded or downloaded), ``rows``, ``groups`` (their names, with a comma
        between them), ``licence``, ``source``, ``available`` (without a network, see
        :func:`~scaling.sources.is_available`).
    """
    rows = [
        dict(
            name=d.name,
            kind=d.kind,
            rows=d.rows,
            groups=", ".join(d.groups),
            licence=d.licence,
            source=d.source,
            available=is_available(d.name),
        )
        for d in _DATASETS.values()
    ]
    return pd.DataFrame(rows).set_index("name")


def fetch(name: str) -> Path:
    """Find the set's file or files on this machine; others' sets are downloaded at first use.

    Files that are here and intact are not downloaded again, so that what was interrupted goes on where it stopped.

    Parameters
    ----------
    name : str
        A name of :func:`~scaling.sources.list_datasets`; ``set/group`` stands for the set.

    Returns
    -------
    Path
        The file of a set that has one, the folder of a set that has several; those of a downloaded set are as their
        authors published them, checksums verified.

    Raises
    ------
    DatasetError
        If there is no such set, if it is neither here nor to be downloaded, or if a checksum is
        wrong. The message gives the URL and the exact place where the file is looked for.
    """
    dataset, _ = find_dataset(name)
    if isinstance(dataset, _Embedded):
        return data_file(dataset.file)
    dataset.fetch()
    return dataset.place


def read_dataset(name: str) -> pd.DataFrame:
    """Read a set as a table in our columns, every row of the file in its order.

    Parameters
    ----------
    name : str
        A name of :func:`~scaling.sources.list_datasets`, or ``set/group`` for the rows of one group.

    Returns
    -------
    DataFrame
        ``params``, ``tokens``, ``loss`` (nats/token), ``flops`` (training) and ``run`` where the set has them, and
        more columns; the set's passport, ``data/<set>/README.md``, says what each is, how it was counted, and what of
        the files was left out. ``small_sweep_curves`` has one row a point, with the size of its run.

    Raises
    ------
    DatasetError
        As :func:`~scaling.sources.fetch`, or if the set has no such group.
    """
    dataset, group = find_dataset(name)
    if isinstance(dataset, _Embedded):
        return dataset.tidy(pd.read_csv(data_file(dataset.file)))
    table = dataset.read(dataset.fetch())
    return table[table["group"] == group].reset_index(drop=True) if group else table
