"""Gadre et al. 2024 (arXiv:2403.08540): over-training and the error on tasks."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from ..fit.overtraining import fit_overtraining
from ..laws.overtraining import DownstreamLaw, OvertrainingLaw
from ..sources.numbers import published, published_table
from .registry import MEASURED, reproduces

#: the five runs that the authors fit, and the two that they predict
FITTED = ("11M_20", "79M_20", "154M_20", "412M_20", "11M_320")
PREDICTED = ("1.4B_640", "6.9B_20")
PLACE = "gadre2024/runs"
ROUND = "one round number for two predictions; for this one it is less exact"
LOSSES = "a loss that was measured: the law of the five small runs lies .7 % above it"


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
