"""Li et al. 2025 (arXiv:2503.04715): the Step law of the best learning rate and batch, from the grids of runs."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from ..laws.hyperparameters import StepLaw
from ..runs.reading.door import load_runs
from ..sources.datasets import read_dataset
from ..sources.numbers import published
from .registry import reproduces

SET = "steplaw2025"
NOT_HERE = (
    "the authors' code on the 1,911 public runs, of five sizes from 215 million on; the fit of the paper has 60 and "
    "120 million beside them. Each size less moves the exponent of the rate by up to 0.05, and the loss hardly tells: "
    "with the paper's constants as with these, the nearest run of a grid lies 0.096 % above the best on average"
)
FALLS = (
    "the best runs of the 17 public pairs; among them, of five sizes, the best batch falls with the size, as its power "
    "-0.35 with a standard error of 0.12, and more runs near the best (129) have -0.27 with 0.05"
)


@cache
def grids(group: str = "dense") -> pd.DataFrame:
    """The runs of a group, with ``pair``: the size (of mixtures of experts the active one) and tokens they share."""
    runs = read_dataset(f"{SET}/{group}")
    return runs.assign(pair=runs.groupby(["params_active", "tokens"]).ngroup())


def near_best(runs: pd.DataFrame, within: float | None = None) -> pd.DataFrame:
    """The runs whose smoothed loss lies less than a share above the best of their pair, as the authors' code has it."""
    share = float(published("li2025/selection/threshold")) if within is None else within
    return runs[runs["loss"] / runs.groupby("pair")["loss"].transform("min") - 1 < share]


def best(runs: pd.DataFrame) -> pd.DataFrame:
    """The run of the lowest smoothed loss of each pair."""
    return runs.loc[runs.groupby("pair")["loss"].idxmin()].reset_index(drop=True)


def regress(runs: pd.DataFrame, what: str, *on: str) -> np.ndarray:
    """Least squares of the logarithm of one column on those of others: the constant and the slopes."""
    columns = np.column_stack([np.ones(len(runs)), *(np.log(runs[name]) for name in on)])
    return np.asarray(np.linalg.lstsq(columns, np.log(runs[what].to_numpy()), rcond=None)[0])


def adjusted_r2(runs: pd.DataFrame, what: str, *on: str) -> float:
    """Adjusted R squared of that regression."""
    logs = np.log(runs[what].to_numpy())
    columns = np.column_stack([np.ones(len(runs)), *(np.log(runs[name]) for name in on)])
    missed = np.sum((logs - columns @ regress(runs, what, *on)) ** 2)
    left = missed / (len(runs) - columns.shape[1])
    return float(1 - left / np.var(logs, ddof=1))


def refit(runs: pd.DataFrame) -> StepLaw:
    """The Step law by least squares of logarithms, each of these runs counting as a best one."""
    rate = regress(runs, "learning_rate", "params", "tokens")
    batch = regress(runs, "batch_tokens", "tokens")
    return StepLaw(np.exp(rate[0]), rate[1], rate[2], np.exp(batch[0]), batch[1])


@cache
def law() -> StepLaw:
    """The law by the authors' own choice of runs."""
    return refit(near_best(grids()))


@cache
def without_a_size() -> pd.DataFrame:
    """The constants of that law with each of the five sizes left out."""
    runs = near_best(grids())
    rows = {f"{size:0.3g}": refit(runs[runs["params"] != size]).constants for size in sorted(runs["params"].unique())}
    return pd.DataFrame(rows).T


def excess(runs: pd.DataFrame, law: StepLaw) -> pd.Series:
    """How far the run nearest to the law's rate and batch lies above the best of its pair, in %, pair by pair."""
    far = np.log2(runs["learning_rate"] / law.learning_rate(runs["params"], runs["tokens"])) ** 2
    far += np.log2(runs["batch_tokens"] / law.batch(runs["tokens"])) ** 2
    chosen = runs.loc[far.groupby(runs["pair"]).idxmin()].set_index("pair")
    return 100 * (chosen["loss"] / runs.groupby("pair")["loss"].min() - 1)


def frontier() -> pd.DataFrame:
    """The best run of each dense pair, ready for fits of params and tokens."""
    return load_runs(best(grids())[["params", "tokens", "loss"]])


reproduces(
    {"li2025/eq1/lr/c": "c", "li2025/eq1/lr/N": "mu", "li2025/eq1/lr/D": "nu", "li2025/eq1/batch/d": "d"}
    | {"li2025/eq1/batch/D": "delta"},
    kind="runs",
    reason=NOT_HERE,
    needs=SET,
)(lambda name: float(getattr(law(), name)))


@reproduces(
    "li2025/abstract/deviation",
    kind="runs",
    atol=0.023,
    rule="the standard error of our mean, 0.096 over the root of 17",
    change="the mean over the 17 public pairs, of the run nearest to the law; the grid of the authors' test, 100 "
    "billion tokens at a billion parameters, is not public",
    needs=SET,
)
def mean_excess() -> float:
    return float(excess(grids(), StepLaw.from_published()).mean())


@reproduces({"li2025/table9/log_N": 1, "li2025/table9/log_D": 2}, kind="runs", reason=FALLS, needs=SET)
def slope_of_the_batch(place: int) -> float:
    return float(regress(best(grids()), "batch_tokens", "params", "tokens")[place])


@reproduces(
    {
        "li2025/table8/R2/both": ("params", "tokens"),
        "li2025/table8/R2/tokens": ("tokens",),
        "li2025/table8/R2/params": ("params",),
    },
    kind="runs",
    reason=FALLS,
    needs=SET,
)
def told_of_the_batch(on: tuple[str, ...]) -> float:
    return adjusted_r2(best(grids()), "batch_tokens", *on)


reproduces(
    "li2025/counts/dense_pairs",
    kind="printed twice",
    reason="one pair of the table is not in the public file",
    needs=SET,
)(lambda: grids()["pair"].nunique())
reproduces("li2025/counts/moe_pairs", kind="printed twice", needs=SET)(lambda: grids("moe")["pair"].nunique())
