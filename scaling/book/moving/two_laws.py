"""The additive and the coupled law through the same runs, extrapolated: our small sweep, as in the chapter on laws.

Options of the directive: ``up_to``, the largest budget whose runs are fitted (one of ``UP_TO``), and ``reach``, the
budget to which the laws are extrapolated, both in FLOP and settings to begin with.
"""

from __future__ import annotations

import functools
from typing import Any, cast

import numpy as np

from ...fit import Fit, fit_parametric
from ...laws.coupled import SumLaw
from ...optimum import compute_optimal
from ...runs import load_runs

__all__ = ["TITLE", "constants", "picture", "still"]

TITLE = "Two laws through the same runs"
RUNS, LAWS = "small_sweep", ("additive", "coupled")
#: budgets of the sweep up to which runs are fitted, FLOP, and how far above the nominal ones a run may lie
UP_TO, SLACK = (1e12, 3e12, 1e13, 4e13), 1.1
#: budgets at which the intervals of the best size are known, and the last to which the laws are extrapolated, FLOP
ASKED = np.geomspace(1e10, 1e18, 9)
WORDS = (
    "Loss against compute, and best size against compute: both laws go through the same dots and part beyond them, "
    "the coupled law to lower losses and smaller models."
)
CAPTION = (
    "The additive and the coupled law, fitted to the same runs. Left: the runs, and the least loss of each budget. "
    "Right: the best size, with its 95 % interval as far as the law is right."
)


def constants(reach: str = "1e16", up_to: str = "4e13") -> dict[str, Any]:
    """The runs, and for each set of them both laws with the intervals of their best sizes."""
    if float(up_to) not in UP_TO:
        raise ValueError(f"runs can be fitted up to {', '.join(f'{each:g}' for each in UP_TO)} FLOP, not {up_to}")
    runs = load_runs(RUNS)[["params", "tokens", "flops", "loss"]]
    return {
        "runs": runs.to_numpy().tolist(),
        "fits": {f"{limit:g}": {name: _told(limit, name) for name in LAWS} for limit in UP_TO},
        "slack": SLACK,
        "reach": float(reach),
        "up_to": f"{float(up_to):g}",
    }


@functools.cache
def _fitted(limit: float) -> dict[str, Fit]:
    """Both laws as fitted to the runs of at most ``limit`` FLOP."""
    runs = load_runs(RUNS)
    return {name: fit_parametric(runs[runs["flops"] <= SLACK * limit], law=name) for name in LAWS}


@functools.cache
def _told(limit: float, name: str) -> dict[str, Any]:
    """A law's constants, and what the runs know of its best size at each budget."""
    fit = _fitted(limit)[name]
    rows = fit.certainty(ASKED)
    sizes = rows.loc[rows["quantity"] == "params", ["flops", "low", "high"]]
    return {"constants": fit.candidate.constants, "sizes": sizes.to_dict("records")}


def still(**settings: str) -> str:
    """What the picture shows."""
    return CAPTION


def picture(reach: str = "1e16", up_to: str = "4e13") -> tuple[Any, str]:
    """The figure at its first settings, for print."""
    from matplotlib.figure import Figure

    budgets = np.geomspace(ASKED[0], float(reach), 50)
    runs = load_runs(RUNS)
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    losses, sizes = figure.subplots(1, 2)
    losses.scatter(runs["flops"], runs["loss"], s=9, color="0.5", label="runs")
    for name, colour, style in zip(LAWS, ("#b54700", "#0067a3"), ("--", "-"), strict=True):
        best = compute_optimal(cast(SumLaw, _fitted(float(up_to))[name].candidate), budgets)
        losses.plot(budgets, best.loss, style, color=colour, label=f"{name} law")
        sizes.plot(budgets, best.params, style, color=colour)
        known = [row for row in _told(float(up_to), name)["sizes"] if row["flops"] <= 1.01 * float(reach)]
        sizes.fill_between(*([row[k] for row in known] for k in ("flops", "low", "high")), color=colour, alpha=0.15)
    losses.set(xscale="log", xlabel="Compute [FLOP]", ylabel="Loss [nats/token]")
    sizes.set(xscale="log", yscale="log", xlabel="Compute [FLOP]", ylabel="Best size [parameters]")
    losses.legend(frameon=False)
    return figure, WORDS
