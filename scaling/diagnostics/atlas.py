"""The atlas: which runs of each public set are laid beside each other, and what is known of how they were made."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable

import pandas as pd

from ..errors import RunsError, RunsWarning
from ..runs.reading.door import load_runs
from ..sources.datasets import read_dataset
from ..sources.files import data_file

__all__ = ["atlas_rows", "atlas_tables"]


#: of how many runs, at the top, Besiroglu et al. take leave
LEFT_OUT = 5
#: parameters below which a model is one of the ladder, and not one that it foretells
SMALL = 4e9
#: what ``yes`` and ``no`` of the table mean; an empty cell is not known
FLAGS = {"yes": 1.0, "no": 0.0}


def _every_run(runs: pd.DataFrame) -> pd.DataFrame:
    return runs


def _best_of_each_pair(runs: pd.DataFrame) -> pd.DataFrame:
    """Of the runs of one size and number of tokens, which differ in what is tuned, the one of least loss."""
    return runs.loc[sorted(runs.groupby(["params", "tokens"])["loss"].idxmin())].reset_index(drop=True)


def _by_active(runs: pd.DataFrame) -> pd.DataFrame:
    active = runs.assign(params=runs["params_active"]).drop(columns="params_nonembedding")
    return _best_of_each_pair(active)


TAKES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "every run": _every_run,
    "best of each pair": _best_of_each_pair,
    "best of each pair by active parameters": _by_active,
    "all but the five largest losses": lambda runs: runs.drop(runs["loss"].nlargest(LEFT_OUT).index),
    "runs that read their text once": lambda runs: runs[runs["epochs"] == 1],
    "models below 4 billion parameters": lambda runs: runs[runs["params"] < SMALL],
}


def atlas_rows() -> pd.DataFrame:
    """Load the rows of the atlas, and what passports and papers say of how their runs were made.

    Returns
    -------
    DataFrame
        Index ``set``: what :func:`~scaling.load_runs` is asked for. ``kind``: how the runs are laid out. ``source``:
        whose training runs they are; rows of one source share runs or a recipe, and count once in a summary.
        ``embeddings``, ``tuned``, ``decayed``: 1 or 0, NaN where it is not said: whether N counts embeddings, whether
        the learning rate was searched for at each size, whether each rate came down at the end of its run. ``takes``:
        which of the runs enter.
    """
    table = pd.read_csv(data_file("atlas.csv"), index_col="name").rename_axis("set")
    flags = ["embeddings", "tuned", "decayed"]
    return table.assign(**{name: table[name].map(FLAGS) for name in flags})


def atlas_tables(sets: Iterable[str]) -> dict[str, pd.DataFrame]:
    """Load the tables of runs of the atlas's rows, for :func:`survey_sets`.

    A set that is no table of runs of params, tokens and loss is here as it is, so that the survey says why.

    Parameters
    ----------
    sets : iterable of str
        Names of sets; each group of a set is a table of its own.

    Returns
    -------
    dict of str to DataFrame
        In the order of :func:`atlas_rows`.

    Raises
    ------
    DatasetError
        If a set is neither here nor to be downloaded.
    ValueError
        If a set has no row.
    """
    asked, rows = set(sets), atlas_rows()
    heads = rows.index.str.partition("/").get_level_values(0)
    if unknown := asked - set(heads):
        raise ValueError(
            f"the atlas has no row of {', '.join(sorted(unknown))}; it has {', '.join(dict.fromkeys(heads))}"
        )
    return {name: _table(name, takes) for name, takes in rows.loc[heads.isin(asked), "takes"].items()}


def _table(name: str, takes: str) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            # that sets count their compute each in its own way is what the atlas shows
            warnings.simplefilter("ignore", RunsWarning)
            runs = load_runs(name)
    except RunsError:
        return read_dataset(name)
    return TAKES[takes](runs).reset_index(drop=True)
