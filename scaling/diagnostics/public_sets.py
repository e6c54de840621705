"""The public tables that the league runs on: named sets of runs, and what is done to each before any law sees it.

Which tables take part, and what is done to them, was settled before the league had run on any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from ..errors import DatasetError, RunsError
from ..runs.numbers import positive_columns
from ..runs.reading.door import load_runs
from ..sources.files import data_file
from .standings import League

__all__ = ["LEFT_OUT", "PUBLIC", "PublicTable", "best_of_each", "public_tables", "recorded_league"]

#: the losses that the authors of the digitised set leave out, too
OUTLIERS = 5


def best_of_each(runs: pd.DataFrame) -> pd.DataFrame:
    """Keep the row with the least loss of those that share params and tokens, as settings of what is tuned do.

    Parameters
    ----------
    runs : DataFrame
        ``params``, ``tokens`` and ``loss``, positive.

    Returns
    -------
    DataFrame
        The rows kept, in their order.

    Raises
    ------
    RunsError
        If one of the three is missing, or a value in it is no positive finite number.
    """
    positive_columns(runs, "params", "tokens", "loss")
    best = runs.reset_index(drop=True).groupby(["params", "tokens"])["loss"].idxmin()
    return runs.iloc[sorted(best)]


def without_outliers(runs: pd.DataFrame) -> pd.DataFrame:
    """The table without its five largest losses."""
    return runs.drop(runs["loss"].nlargest(OUTLIERS).index)


def as_they_are(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the table itself.

    Parameters
    ----------
    runs : DataFrame
        Any table.

    Returns
    -------
    DataFrame
        The same.
    """
    return runs


@dataclass(frozen=True, repr=False)
class PublicTable:
    """A table that takes part.

    Attributes
    ----------
    name : str
        As :func:`~scaling.runs.load_runs` takes it.
    source : str
        Who trained the models; tables of one source are drawn together.
    prepare : callable
        What is done to the table.
    """

    name: str
    source: str
    prepare: Callable[[pd.DataFrame], pd.DataFrame] = as_they_are

    def __repr__(self) -> str:
        return f"PublicTable({self.name!r})"


#: the tables of the league
PUBLIC = (
    PublicTable("small_sweep", "ours"),
    PublicTable("besiroglu2024", "Chinchilla", without_outliers),
    PublicTable("sardana2024", "Sardana et al."),
    PublicTable("czech2026/llama_3", "Llama 3"),
    PublicTable("czech2026/marin_comma", "Marin"),
    PublicTable("czech2026/marin_dclm", "Marin"),
    PublicTable("czech2026/marin_nemotron", "Marin"),
    PublicTable("misfitting2025", "(Mis)fitting", best_of_each),
    PublicTable("gadre2024/c4", "Gadre et al."),
    PublicTable("gadre2024/rpj", "Gadre et al."),
    PublicTable("gadre2024/rw", "Gadre et al."),
    PublicTable("steplaw2025/dense", "Step law", best_of_each),
    PublicTable("bhagia2024/ladder", "model ladder"),
    PublicTable("gemstones2025/full_rate", "Gemstones"),
    PublicTable("clark2022/dense", "Clark et al."),
)
#: named sets, or groups of one, that do not take part, and why
LEFT_OUT = {
    "small_sweep_curves": "the training curves of our small sweep",
    "small_sweep_rates": "trials of the learning rate",
    "small_sweep_experiments": "trials of what the other runs keep: schedules, batches, shapes and more",
    "small_sweep_experiment_curves": "the training curves of our trials",
    "small_sweep_repeated": "data repeated up to 64 times: a law of another kind",
    "czech2026/llama_3_exp": "the runs of Llama 3 with the loss in another unit",
    "czech2026/chinchilla": "the runs that Besiroglu et al. (2024) digitised",
    "czech2026/ml_scalefit": "the runs that Besiroglu et al. (2024) digitised",
    "czech2026/misfitting": "runs of the authors of (Mis)fitting, at one budget each",
    "steplaw2025/moe": "one size, counted whole",
    "muennighoff2023": "data repeated up to 44 times: a law of another kind",
    "clark2022": "routed models: a law of another kind (the dense ones take part)",
    "bhagia2024": "two targets of another family (the ladder takes part)",
    "luo2025": "curves under schedules of the learning rate, three sizes",
    "tao2024": "losses beside those of a unigram model, which are negative",
    "ruan2024": "no losses",
}


def public_tables(names: Iterable[str] | None = None) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """Load the tables that can be had here, and say of the others why not.

    Parameters
    ----------
    names : iterable of str, optional
        Some of :data:`PUBLIC`, by default all.

    Returns
    -------
    tuple of dict
        Name to table, and name to reason.

    Raises
    ------
    ValueError
        For a name that is not among them.
    """
    wanted = None if names is None else _known(names)
    tables, missing = {}, {}
    for each in PUBLIC:
        if wanted is not None and each.name not in wanted:
            continue
        try:
            tables[each.name] = each.prepare(load_runs(each.name))
        except DatasetError as error:
            missing[each.name] = str(error).splitlines()[0]
        except RunsError as error:
            missing[each.name] = error.problems[0]
    return tables, missing


def _known(names: Iterable[str]) -> set[str]:
    """Names of tables that take part."""
    known = [each.name for each in PUBLIC]
    wanted = {names} if isinstance(names, str) else set(names)
    if isinstance(names, str) or (unknown := sorted(map(str, wanted - set(known)))):
        words = f"a list of names was expected, got {names!r}" if isinstance(names, str) else f"no table {unknown[0]!r}"
        raise ValueError(f"names: {words}; the league has {', '.join(known)}")
    return wanted


def recorded_league() -> League:
    """Load the league of all laws on all public tables from ``data/league.csv``, which ``make league`` makes.

    Returns
    -------
    League
        As it was recorded.
    """
    return League.of_record(pd.read_csv(data_file("league.csv")), {each.name: each.source for each in PUBLIC})
