"""The pictures of a report: the runs over the fitted loss, and the best size against compute with its interval."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from ..figures.style import COLORMAP, GREY, PALETTE, legend_above, log_axes, set_style
from ..fit.result import Fit
from ..optimum.allocation import compute_optimal
from ..runs.meter import Meter, find_meter
from ..runs.nouns import Nouns
from .answers import LEVEL, NOTHING, Answers

__all__ = ["LOSSES", "SIZES", "draw"]

#: the files of the pictures, beside the front page
LOSSES, SIZES = "report-loss.svg", "report-size.svg"
#: dots beyond which as many of them, drawn at random, stand for all
MOST_DOTS = 1_000


def draw(answers: Answers, kind: str) -> dict[str, str]:
    """Each picture as SVG, its words as text; the same bytes for the same answers.

    They are two, so that a wide page has them side by side and a phone one below the other, each as wide as it is.
    """
    runs = answers.runs if len(answers.runs) <= MOST_DOTS else answers.runs.sample(MOST_DOTS, random_state=0)
    low, high = answers.runs["flops"].min(), answers.runs["flops"].max()
    budgets = np.geomspace(min(low, answers.flops), max(high, answers.flops), 60) if kind != NOTHING else None
    with matplotlib.rc_context():
        set_style()
        matplotlib.rcParams["svg.fonttype"], matplotlib.rcParams["svg.hashsalt"] = "none", "report"
        matplotlib.rcParams["font.family"] = ["DejaVu Sans", "sans-serif"]
        return {name: _drawn(fill, runs, answers, budgets) for name, fill in ((LOSSES, _losses), (SIZES, _sizes))}


def _drawn(
    fill: Callable[[Axes, pd.DataFrame, Answers, np.ndarray | None], None],
    runs: pd.DataFrame,
    answers: Answers,
    budgets: np.ndarray | None,
) -> str:
    """One picture, with the budget that was asked about."""
    figure = Figure(figsize=(4.6, 3.9), layout="constrained")
    ax = figure.subplots()
    fill(ax, runs, answers, budgets)
    ax.axvline(answers.flops, color="0.4", ls=":", lw=1.2)
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _losses(ax: Axes, runs: pd.DataFrame, answers: Answers, budgets: np.ndarray | None) -> None:
    """Each run, coloured by its size, over the least loss that the law expects."""
    said = Nouns.of(answers.runs).said
    norm = LogNorm(runs["params"].min(), max(runs["params"].max(), 1.01 * runs["params"].min()))
    ax.scatter(runs["flops"], runs["loss"], c=runs["params"], norm=norm, cmap=COLORMAP, s=14, lw=0.3, ec="white")
    fit = answers.found.fits[3]
    if budgets is not None and isinstance(fit, Fit) and 3 in answers.found.bootstraps:
        least = np.asarray(compute_optimal(fit.law, budgets, meter=find_meter(fit.runs)).loss)
        ax.plot(budgets, least, color="black", lw=1.6, label=said("least loss by the fitted law"))
        legend_above(ax, ncols=1)
    log_axes(ax, "flops", None)
    ax.set_ylabel(said("Loss [nats per token]"))


def _sizes(ax: Axes, runs: pd.DataFrame, answers: Answers, budgets: np.ndarray | None) -> None:
    """Each run's size, and the best size with its interval: of the approach to follow, or of all."""
    ax.plot(runs["flops"], runs["params"], "o", color=GREY, ms=3, mew=0, label="runs")
    if budgets is not None:
        found, follow = answers.found, answers.ruling.follow
        for number, color in zip(found.bootstraps if follow is None else [follow], PALETTE, strict=False):
            fit = found.fits[number]
            of = partial(_size, budgets=budgets, meter=find_meter(fit.runs) if isinstance(fit, Fit) else None)
            ends = found.bootstraps[number].percentiles(LEVEL, of=of)
            known = np.isfinite(ends.low) & np.isfinite(ends.high)
            if known.any():  # a line alone would look sure
                ax.fill_between(budgets, ends.low, ends.high, where=known, color=color, alpha=0.22, lw=0)
                best = np.where(known, of(fit.law)[0], np.nan)
                ax.plot(budgets, best, color=color, lw=2, label=f"best size, approach {number}")
    if len(ax.lines) > 1:
        legend_above(ax, ncols=1)
    log_axes(ax, "flops", "params")
    ax.set_ylabel("Parameters")


def _size(law: Any, budgets: np.ndarray, meter: Meter | None) -> np.ndarray:
    """Best sizes at budgets (k,): (B, k) of many laws, (1, k) of one."""
    return np.asarray(compute_optimal(law, budgets[:, None], meter=meter).params).T
