"""Gadre et al. 2024 (arXiv:2403.08540): over-training and the error on tasks."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import pandas as pd

from ..fit.overtraining import fit_overtraining
from ..fit.power_law import fit_power_law
from ..laws.overtraining import DownstreamLaw, OvertrainingLaw
from ..laws.power import PowerLaw
from ..sources.datasets import read_dataset
from ..sources.numbers import published, published_table
from .registry import MEASURED, reproduces

#: the five runs that the authors fit, and the two that they predict
FITTED = ("11M_20", "79M_20", "154M_20", "412M_20", "11M_320")
PREDICTED = ("1.4B_640", "6.9B_20")
PLACE = "gadre2024/runs"
ROUND = "one round number for two predictions; for this one it is less exact"
LOSSES = "a loss that was measured: the law of the five small runs lies 0.7 % above it"


def runs() -> pd.DataFrame:
    """The runs on RedPajama that we have: ``params``, ``tokens`` and ``loss``, by name."""
    names = (*FITTED, *PREDICTED)
    columns = ("params", "tokens", "loss")
    table = published_table(PLACE)["value"]
    return pd.DataFrame([[table[f"{PLACE}/{name}/{q}"] for q in columns] for name in names], names, columns)


def refit(without: str | None = None) -> OvertrainingLaw:
    """The law from the five runs, or from four of them."""
    table = runs().loc[[name for name in FITTED if name != without]]
    return fit_overtraining(table, objective="huber", delta=np.inf).law  # squares of the loss


def less_compute(name: str, *more: float) -> float:
    """Compute of a predicted run over that of the five that are fitted, and of others."""
    flops = runs().eval("6 * params * tokens")
    return float(flops[name] / (flops[list(FITTED)].sum() + sum(more)))


@reproduces({f"gadre2024/redpajama/{q}": q for q in ("E", "a", "b", "eta")}, kind="runs")
def constants(quantity: str) -> float:
    return float(getattr(refit(), quantity))


@reproduces("gadre2024/redpajama/A", kind="runs")
def coefficient_of_the_size() -> float:
    return float(refit().chinchilla.A)


@reproduces(
    {f"gadre2024/runs/{name}/loss": name for name in PREDICTED}, kind="runs", atol=0.01, rule=MEASURED, reason=LOSSES
)
def predicted_loss(name: str) -> float:
    params, tokens, _ = runs().loc[name]
    return float(refit().loss(params, tokens))


def predicted_error(name: str) -> float:
    return float(DownstreamLaw.from_published("redpajama").error(predicted_loss(name)))


for _name, _reason in {
    "1.4B_640": "an error that was measured: the two laws predict 3.7 % more",
    "6.9B_20": None,
}.items():
    reproduces(f"gadre2024/runs/{_name}/error", kind="runs", atol=0.01, rule=MEASURED, reason=_reason)(
        partial(predicted_error, _name)
    )


reproduces("gadre2024/less_compute/loss@1.4B", kind="identity", digits=1)(lambda: less_compute("1.4B_640"))
reproduces("gadre2024/less_compute/loss@6.9B", kind="identity", digits=1, reason=ROUND)(lambda: less_compute("6.9B_20"))


def _with_the_run_for_errors(name: str) -> float:
    """The error law is fitted to one run more, of 1.4 billion parameters at twenty tokens each."""
    params = float(published("gadre2024/runs/1.4B_640/params"))
    return less_compute(name, 6 * params * 20 * params)


reproduces("gadre2024/less_compute/error@1.4B", kind="identity", digits=1, reason=ROUND)(
    lambda: _with_the_run_for_errors("1.4B_640")
)
reproduces("gadre2024/less_compute/error@6.9B", kind="identity", digits=1)(lambda: _with_the_run_for_errors("6.9B_20"))


# --- the same, and the other training texts, from all of the authors' runs


#: our groups of the set by the names of the published constants
GROUPS = {"c4": "c4", "redpajama": "rpj", "refinedweb": "rw"}
SET = "gadre2024"
#: the sizes that the authors fit at twenty tokens a parameter; the smallest at 320, too
SMALL, BILLION = (10_569_312, 78_914_048, 153_677_376, 411_616_256), 1_439_795_200


@cache
def models(text: str) -> pd.DataFrame:
    """All models trained on a text."""
    return read_dataset(f"{SET}/{GROUPS[text]}")


@cache
def law_of(text: str) -> OvertrainingLaw:
    """The law of the five small runs, by least squares of the loss."""
    table = models(text)
    usual = table["params"].isin(SMALL) & (table["tokens_per_param"] == 20)
    long = (table["params"] == SMALL[0]) & (table["tokens_per_param"] == 320)
    law = fit_overtraining(table[usual | long], objective="huber", delta=np.inf).law
    assert isinstance(law, OvertrainingLaw)
    return law


@cache
def error_law_of(text: str, tasks: int) -> DownstreamLaw:
    """The law of the errors of these runs and of the one of 1.4 billion parameters at twenty tokens each.

    As a function of exp(L) the accuracy 1 - Err is a power law with an offset.
    """
    table = models(text)
    usual = table["params"].isin([*SMALL, BILLION]) & (table["tokens_per_param"] == 20)
    chosen = table[usual | ((table["params"] == SMALL[0]) & (table["tokens_per_param"] == 320))]
    accuracy = 1 - chosen[f"error_tasks{tasks}"].to_numpy()
    law = fit_power_law(
        np.exp(chosen["loss"].to_numpy()), accuracy, offset=True, objective="huber", delta=np.inf
    ).candidate
    assert isinstance(law, PowerLaw)
    return DownstreamLaw(1 - float(law.offset), float(law.coefficient), -float(law.exponent))


@reproduces(
    {f"{SET}/{text}/{q}": (text, q) for text in ("c4", "refinedweb") for q in ("E", "a", "b", "eta")},
    kind="runs",
    needs=SET,
)
def constants_of(key: tuple[str, str]) -> float:
    text, quantity = key
    return float(getattr(law_of(text), quantity))


@reproduces({f"{SET}/{text}/A": text for text in ("c4", "refinedweb")}, kind="runs", needs=SET)
def coefficient_of_the_size_of(text: str) -> float:
    return float(law_of(text).chinchilla.A)


@reproduces(
    {
        f"{SET}/{text}/tasks{tasks}/{q}": (text, tasks, q)
        for text in GROUPS
        for tasks in (17, 46)
        for q in ("k", "gamma", "epsilon")
    },
    kind="runs",
    needs=SET,
)
def constants_of_errors(key: tuple[str, int, str]) -> float:
    text, tasks, quantity = key
    return float(getattr(error_law_of(text, tasks), quantity))


@reproduces(
    {f"{SET}/miss/{name}/{what}": (name, what) for name in PREDICTED for what in ("loss", "error17")},
    kind="runs",
    needs=SET,
)
def miss(key: tuple[str, str]) -> float:
    """Relative error of a prediction for a large run on RedPajama, in %."""
    name, what = key
    table = models("redpajama")
    (run,) = (
        table[table["params"] == float(published(f"{PLACE}/{name}/params"))]
        .query("tokens_per_param == " + name.rpartition("_")[2])
        .to_dict("records")
    )
    loss = float(law_of("redpajama").loss(run["params"], run["tokens"]))
    predicted = loss if what == "loss" else float(error_law_of("redpajama", 17).error(loss))
    measured = run["loss"] if what == "loss" else run["error_tasks17"]
    return round(100 * abs(predicted / measured - 1), 6)  # as far as two solvers agree


def leave_one_out() -> pd.DataFrame:
    """The law from the five runs and from each four that determine it, with the errors of both predictions in %.

    Without the over-trained run every ratio of tokens to parameters is twenty, and there is no fit.
    """
    large, rows = runs().loc[list(PREDICTED)], {}
    for name in (None, *FITTED[:4]):
        law = refit(name)
        misses = 100 * (law.loss(large["params"], large["tokens"]) / large["loss"] - 1)
        rows[f"without {name}" if name else "five runs"] = [law.E, law.eta, law.best_ratio, *misses]
    return pd.DataFrame(rows, ["E", "eta", "M*", *(f"{name}: error [%]" for name in PREDICTED)]).T


def predictions() -> pd.DataFrame:
    """Loss and error over 17 tasks of the two large runs, predicted and measured."""
    columns = {
        "loss, predicted": [predicted_loss(name) for name in PREDICTED],
        "loss, measured": runs()["loss"].loc[list(PREDICTED)].tolist(),
        "error, predicted": [predicted_error(name) for name in PREDICTED],
        "error, measured": [float(published(f"{PLACE}/{name}/error")) for name in PREDICTED],
    }
    return pd.DataFrame(columns, PREDICTED)
