"""The named sets of runs: which exist, how to have them, and what they look like in our columns.

Embedded sets are our own and lie beside the package, with the scripts that made them. Downloaded sets are
others' work: they are fetched from a commit of their authors' repository, checked against a SHA-256 and kept
in pooch's cache folder. ``SCALING_DATA_MIRROR=/some/folder`` takes the same files from disk instead and uses
no network.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import DatasetError
from .files import checksum, data_file

__all__ = ["dataset_checksum", "dataset_names", "fetch", "is_available", "list_datasets", "read_dataset"]


MIRROR = "SCALING_DATA_MIRROR"
TIMEOUT = 10  # seconds without an answer


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


@dataclass(frozen=True)
class _Downloaded:
    """A file at a commit of its authors' repository."""

    name: str
    file: str
    rows: int
    licence: str
    source: str
    repository: str
    commit: str
    path: str
    sha256: str
    tidy: Callable[[pd.DataFrame], pd.DataFrame]
    kind: str = "downloaded"

    @property
    def url(self) -> str:
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{self.path}"


def _tidy_curves(raw: pd.DataFrame) -> pd.DataFrame:
    """A run's points carry its size, and the FLOPs spent so far; curves of runs outside the set are left out."""
    columns = ["run", "params", "params_nonembedding", "budget", "seed"]
    joined = raw.merge(read_dataset("small_sweep").query("status == 'finished'")[columns], on="run")
    joined["flops"] = 6.0 * joined["params"] * joined["tokens"]
    return joined


def _tidy_besiroglu2024(raw: pd.DataFrame) -> pd.DataFrame:
    """The tokens were not digitised: they follow from D = C/(6N)."""
    params, flops = raw["Model Size"], raw["Training FLOP"]
    columns = {"params": params, "tokens": flops / (6 * params), "loss": raw["loss"], "flops": flops}
    return pd.DataFrame({**columns, "run": [f"point {row}" for row in range(len(raw))]})


def _tidy_sardana2024(raw: pd.DataFrame) -> pd.DataFrame:
    params, tokens, ratio = raw["Parameters"], raw["Tokens"], raw["Tokens/Params"]
    columns = {"params": params, "tokens": tokens, "loss": raw["Smoothed Loss"], "flops": 6 * params * tokens}
    names = [f"{model} at {r:g}" for model, r in zip(raw["Model Name"], ratio, strict=True)]
    return pd.DataFrame({**columns, "run": names, "tokens_per_param": ratio.astype(float)})


_DATASETS = {
    dataset.name: dataset
    for dataset in (
        _Embedded("small_sweep", "small_sweep/runs.csv", "our own runs, each token read once"),
        _Embedded("small_sweep_repeated", "small_sweep/repeated.csv", "our own runs on few tokens, read several times"),
        _Embedded("small_sweep_rates", "small_sweep/learning_rates.csv", "our own trials of learning rates"),
        _Embedded(
            "small_sweep_experiments", "small_sweep/experiments.csv", "our own trials of schedules and shapes"
        ),
        _Embedded("small_sweep_curves", "small_sweep/curves.csv.gz", "training curves of small_sweep", _tidy_curves),
        _Downloaded(
            name="besiroglu2024",
            file="svg_extracted_data.csv",
            rows=245,
            licence="none stated",
            source="Besiroglu et al. 2024, points digitised from Figure 4 of Hoffmann et al. 2022",
            repository="epoch-research/analyzing-chinchilla",
            commit="92258837425e1b5f2851d624287f0120583a3d0e",
            path="data/svg_extracted_data.csv",
            sha256="193478df4e90f040016431996c45682659306840ecdadf83cfb9cd5ca0aa1b30",
            tidy=_tidy_besiroglu2024,
        ),
        _Downloaded(
            name="sardana2024",
            file="trainingresults.csv",
            rows=47,
            licence="Apache-2.0",
            source="Sardana et al. 2024, training runs of 150M to 6B parameters",
            repository="nikhilsardana/beyond-chinchilla",
            commit="190f70e365dc75037a2b3178609d00243f24b4b9",
            path="trainingresults.csv",
            sha256="76177d2804ec448cbdd183b52d058b3362ea52965bb7bc0289ba387da969a3de",
            tidy=_tidy_sardana2024,
        ),
    )
}


def dataset_names() -> list[str]:
    """The names of all sets, embedded ones first."""
    return list(_DATASETS)


def _lookup(name: str) -> _Embedded | _Downloaded:
    if name not in _DATASETS:
        raise DatasetError(f"no set of runs is called {name!r}; known: {', '.join(_DATASETS)}")
    return _DATASETS[name]


def _pooch() -> Any:
    """pooch, which only needs to be imported where a set may have to be downloaded."""
    with warnings.catch_warnings():
        # it draws on tqdm, which warns in a notebook without widgets, and no page needs to know that
        warnings.filterwarnings("ignore", message="IProgress not found")
        import pooch
    return pooch


def _local(dataset: _Downloaded) -> Path:
    """Where the file is, or has to be put: in the mirror if one is set, else in the cache."""
    try:
        folder = Path(os.environ[MIRROR]).expanduser() if os.environ.get(MIRROR) else Path(_pooch().os_cache("scaling"))
    except RuntimeError:
        words = f"{MIRROR} is {os.environ[MIRROR]!r}, and there is no home directory of that user"
        raise DatasetError(f"{words}: name the folder by its path") from None
    return folder / dataset.name / dataset.file


def _is_intact(path: Path, dataset: _Downloaded) -> bool:
    return path.is_file() and checksum(path) == dataset.sha256


def _advice(dataset: _Downloaded, path: Path) -> str:
    return f"Get {dataset.url} (sha256 {dataset.sha256}) and put it at {path}"


def is_available(name: str) -> bool:
    """Whether the set can be read without a network: it is embedded, or in the mirror or the cache, and intact.

    Raises
    ------
    DatasetError
        If no set has this name.
    """
    dataset = _lookup(name)
    return isinstance(dataset, _Embedded) or _is_intact(_local(dataset), dataset)


def dataset_checksum(name: str) -> str:
    """SHA-256 of the set's file as its authors published it; raises ``DatasetError`` for an unknown name."""
    dataset = _lookup(name)
    return checksum(fetch(name)) if isinstance(dataset, _Embedded) else dataset.sha256


def list_datasets() -> pd.DataFrame:
    """The named sets of runs.

    Returns
    -------
    DataFrame
        Index ``name``; columns ``kind`` (embedded or downloaded), ``rows``, ``licence``, ``source``,
        ``available`` (without a network, see :func:`~scaling.sources.is_available`).
    """
    rows = [
        dict(
            name=d.name,
            kind=d.kind,
            rows=d.rows,
            licence=d.licence,
            source=d.source,
            available=is_available(d.name),
        )
        for d in _DATASETS.values()
    ]
    return pd.DataFrame(rows).set_index("name")


def fetch(name: str) -> Path:
    """Path of the set's file on this machine; others' sets are downloaded at first use.

    Parameters
    ----------
    name : str
        A name of :func:`~scaling.sources.list_datasets`.

    Returns
    -------
    Path
        The file; that of a downloaded set is as its authors published it, checksum verified.

    Raises
    ------
    DatasetError
        If there is no such set, if it is neither here nor to be downloaded, or if the checksum is
        wrong. The message gives the URL and the exact place where the file is looked for.
    """
    dataset = _lookup(name)
    if isinstance(dataset, _Embedded):
        return data_file(dataset.file)
    path = _local(dataset)
    if _is_intact(path, dataset):
        return path
    if os.environ.get(MIRROR):
        if path.is_file():
            raise DatasetError(
                f"{path} is not the published file of {name}: its sha256 is {checksum(path)}, "
                f"expected {dataset.sha256}. {_advice(dataset, path)}"
            )
        raise DatasetError(f"{name} is not in the mirror that {MIRROR} names. {_advice(dataset, path)}")
    return _download(dataset, path)


def _download(dataset: _Downloaded, path: Path) -> Path:
    pooch = _pooch()
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            dataset.url,
            known_hash=f"sha256:{dataset.sha256}",
            fname=path.name,
            path=path.parent,
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT),
        )
    except (OSError, ValueError) as error:
        # requests' errors are OSErrors; a wrong checksum is a ValueError whose text names both hashes
        raise DatasetError(f"{dataset.name} could not be downloaded ({error}). {_advice(dataset, path)}") from error
    return path


def read_dataset(name: str) -> pd.DataFrame:
    """The set as a table in our columns, every row of the file in its order.

    Parameters
    ----------
    name : str
        A name of :func:`~scaling.sources.list_datasets`.

    Returns
    -------
    DataFrame
        ``params`` (total), ``tokens``, ``loss`` (nats/token), ``flops`` (training), ``run``; for
        ``sardana2024`` also ``tokens_per_param`` as published. In ``besiroglu2024`` the tokens are
        C/(6N), in ``sardana2024`` the FLOPs are 6ND. The columns of the ``small_sweep`` tables are those of
        their passport; ``small_sweep_curves`` has one row a point, with the size of its run.

    Raises
    ------
    DatasetError
        As :func:`~scaling.sources.fetch`.
    """
    dataset = _lookup(name)
    return dataset.tidy(pd.read_csv(fetch(name)))
