"""Figures of studies: of sensitivity, extrapolation, learning rates, and many sets of runs; tables in, Axes out."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ..diagnostics.approaches import APPROACH_NAMES
from ..diagnostics.heterogeneity import Combined
from ..fit.isoflop_bias import parabola_bias
from .style import COLORMAP, GREY, LABELS, TEXT, WIDTH, axes_or_new, legend_above

__all__ = [
    "plot_atlas",
    "plot_audit",
    "plot_learning_rates",
    "plot_parabola_bias",
    "plot_rounded_study",
    "plot_thresholds",
]


#: columns of a survey, as a figure calls them; and marker, size and place beside the row's middle of each
_EXPONENTS = {
    "a3": f"approach 3, {APPROACH_NAMES[3]}",
    "a_coupled": "approach 3, coupled law",
    "a2": f"approach 2, {APPROACH_NAMES[2]}",
    "a1": f"approach 1, {APPROACH_NAMES[1]}",
}
#: letters of a name in one line
NAME_WIDTH = 27
_MARKS = (("o", 6, 0.3), ("D", 4, 0.1), ("s", 4, -0.1), ("^", 4, -0.3))
_LABELS = {"a": "Exponent $a$", "loss": "Loss at the optimum [nats]", "params": "Optimal size $N$", "E": "$E$ [nats]"}


def plot_rounded_study(study: pd.DataFrame, truth: Mapping[str, float]) -> np.ndarray:
    """Draw small multiples of a :func:`~scaling.diagnostics.rounded_study`: one dot a fit.

    Drawn against the noise and coloured by the number of decimals.

    Parameters
    ----------
    study : DataFrame
        As :func:`~scaling.diagnostics.rounded_study` returns.
    truth : mapping of column to value
        Which columns to draw, a row of panels each, and where the dashed line goes.

    Returns
    -------
    array (n_columns, n_fitted) of Axes
        A row for each column of ``truth``.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    names, digits, noise = (list(study[x].unique()) for x in ("fitted", "decimals", "noise"))
    size = (WIDTH, 2.6 * len(truth) + 0.7)
    fig, axes = plt.subplots(len(truth), len(names), figsize=size, sharex=True, sharey="row", squeeze=False)
    colors = plt.get_cmap(COLORMAP)(np.linspace(0.0, 0.85, len(digits)))
    shifts = np.linspace(-0.25, 0.25, len(digits)) if len(digits) > 1 else [0.0]
    for (what, value), row in zip(truth.items(), axes, strict=True):
        for name, ax in zip(names, row, strict=True):
            for places, color, shift in zip(digits, colors, shifts, strict=True):
                part = study[(study["fitted"] == name) & (study["decimals"] == places)]
                at = part["noise"].map(noise.index) + shift
                ax.plot(at, part[what], "o", ms=4, mec="white", mew=0.3, color=color, label=f"{places} decimals")
            ax.axhline(value, color="black", lw=1, ls="--")
            ax.set_xticks(range(len(noise)), [f"{x:g}" for x in noise])
        row[0].set_ylabel(_LABELS.get(what, what))
    for name, top in zip(names, axes[0], strict=True):
        top.set_title(f"{name} models")
    fig.supxlabel("Noise [thousandths]", fontsize=TEXT)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3, frameon=False)
    return axes


def plot_thresholds(studies: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Draw the exponent a under every objective of one or several studies.

    Each is drawn with its interval.

    Parameters
    ----------
    studies : mapping of label to DataFrame
        As :func:`~scaling.diagnostics.huber_study` returns.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    ax = axes_or_new(ax)
    shifts = np.linspace(-0.08, 0.08, len(studies)) if len(studies) > 1 else [0.0]
    for (label, each), shift, marker in zip(studies.items(), shifts, "os^Dv", strict=False):
        error = [each["a"] - each["low"], each["high"] - each["a"]]
        ax.errorbar(np.arange(len(each)) + shift, each["a"], np.abs(error), fmt=marker, ms=6, capsize=3, label=label)
        names = [f"{d:g}" if o == "log_huber" else o[4:] for o, d in zip(each["objective"], each["delta"], strict=True)]
        ax.set_xticks(range(len(each)), names)
    ax.set(xlabel=r"Huber's threshold $\delta$, between its limits", ylabel="Exponent of the optimal size $a$")
    legend_above(ax)
    return ax


def plot_parabola_bias(laws: Mapping[str, tuple[float, float]], width: float = 8.0, n_sizes: int = 15) -> np.ndarray:
    """Draw the error of D* by approach 2 without noise, against the grid's half-width and against its centre.

    Parameters
    ----------
    laws : mapping of label to (alpha, beta)
        Exponents of the size and of the tokens.
    width : float, default 8
        Half-width of the grids of the lower panel.
    n_sizes : int, default 15
        Sizes on a grid.

    Returns
    -------
    array (2,) of Axes
        The panels.

    Raises
    ------
    ValueError
        As :func:`~scaling.fit.parabola_bias`.
    """
    fig, axes = plt.subplots(2, 1, figsize=(WIDTH, 6.6), sharey=True)
    widths, centers = np.geomspace(1.5, 20, 60), np.geomspace(1 / 4, 4, 61)
    for (label, pair), style in zip(laws.items(), ("-", "--", "-.", ":"), strict=False):
        axes[0].plot(widths, 100 * (1 / parabola_bias(*pair, widths, n_sizes) - 1), style, lw=2, label=label)
        axes[1].plot(centers, 100 * (1 / parabola_bias(*pair, width, n_sizes, centers) - 1), style, lw=2)
    axes[0].set(xscale="log", xlabel="Half-width of a centred grid")
    axes[1].set(xscale="log", xlabel=f"Centre of a grid of ±{width:g}×, over the best $N$")
    for ax, ticks in zip(axes, ((2, 4, 8, 16), (0.25, 0.5, 1, 2, 4)), strict=True):
        ax.axhline(0, color="black", lw=1)
        ax.set_ylabel("Error of the best $D$ [%]")
        ax.minorticks_off()
        ax.set_xticks(ticks, [f"{x:g}×" for x in ticks])
    axes[0].legend(loc="lower left")
    return axes


def plot_audit(audits: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """Draw the error of the predicted loss of the largest budget, with its interval, against the reach.

    Parameters
    ----------
    audits : mapping of title to DataFrame
        As :func:`~scaling.diagnostics.extrapolation_audit` returns; cuts without an interval are left out.

    Returns
    -------
    array (n_audits,) of Axes
        One an audit.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    fig, axes = plt.subplots(len(audits), 1, figsize=(WIDTH, 3.3 * len(audits)), squeeze=False)
    for ax, (title, audit) in zip(axes[:, 0], audits.items(), strict=True):
        each = audit.dropna(subset="low")
        low, middle, high = (100 * (each[name] / each["observed"] - 1) for name in ("low", "predicted", "high"))
        ax.errorbar(each["reach"], middle, np.abs([middle - low, high - middle]), fmt="o", ms=6, capsize=4)
        ax.axhline(0, color="black", lw=1)
        ax.set(xscale="log", title=title, xlabel="Most expensive run / most expensive fitted run")
        ax.set_ylabel("Error of the predicted loss [%]")
        reach = np.sort(each["reach"])
        ax.minorticks_off()
        if len(reach):
            apart = reach[np.concatenate([[True], np.diff(np.log(reach)) > 0.5])]
            ax.set_xticks(apart, [f"{x:.2g}×" if x < 99.5 else f"{x:.0f}×" for x in apart])
    return axes[:, 0]


def plot_learning_rates(
    trials: Mapping[str, pd.DataFrame], chosen: Mapping[str, tuple[float, float]], ax: Axes | None = None
) -> Axes:
    """Draw loss against the learning rate, a curve a model, with a tick at the rate that was chosen.

    Parameters
    ----------
    trials : mapping of label to DataFrame
        ``learning_rate``, rising, and ``loss``.
    chosen : mapping of label to (rate, loss)
        Where the ticks go, each in the colour of its curve.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If a model has no rate in ``chosen``.
    """
    ax = plt.subplots(figsize=(WIDTH, 5.0))[1] if ax is None else ax
    colors = plt.get_cmap(COLORMAP)(np.linspace(0.0, 0.9, len(trials)))
    for (label, each), color, marker in zip(trials.items(), colors, itertools.cycle("os^D"), strict=False):
        ax.plot(each["learning_rate"], each["loss"], marker + "-", color=color, label=label)
        ax.plot(*chosen[label], "|", ms=16, mew=2.2, color=color)
    ticks = np.unique(np.concatenate([each["learning_rate"] for each in trials.values()]))
    ax.set(xscale="log", xlabel="Learning rate", ylabel=LABELS["loss"])
    ax.set(xticks=ticks, xticklabels=[f"{rate:g}" for rate in ticks])
    ax.minorticks_off()
    legend_above(ax)
    return ax


def plot_atlas(atlas: pd.DataFrame, summary: Combined | None = None, ax: Axes | None = None) -> Axes:
    """Draw the exponent a of many sets by each approach, with intervals: a row a set, a block a kind of set.

    Parameters
    ----------
    atlas : DataFrame
        As :func:`~scaling.diagnostics.survey_sets` returns, with a column ``kind``; kinds and sets are drawn in the
        order of the rows, and a set without any exponent is named all the same.
    summary : Combined, optional
        Of some of the sets: its mean is a line, with a band for its interval, a lighter one for one more source.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    kinds = list(atlas["kind"].unique())
    rows = [row for kind in kinds for row in (kind, *atlas.index[atlas["kind"] == kind])]
    place = pd.Series(-np.arange(len(rows), dtype=float), index=rows)
    ax = plt.subplots(figsize=(WIDTH, 0.48 * len(rows) + 1.8))[1] if ax is None else ax
    if summary is not None:
        ax.axvspan(*summary.prediction, color=GREY, alpha=0.15, lw=0, label="one more source, 95 %")
        ax.axvspan(summary.low, summary.high, color=GREY, alpha=0.45, lw=0, label="mean, 95 %")
        ax.axvline(summary.mean, color="black", lw=1)
    for (name, label), (marker, size, shift) in zip(_EXPONENTS.items(), _MARKS, strict=True):
        a, low, high = (atlas[f"{name}{end}"].to_numpy(dtype=float) for end in ("", "_low", "_high"))
        away = np.nan_to_num(np.abs([a - low, high - a]))
        ax.errorbar(a, place[atlas.index] + shift, xerr=away, fmt=marker, ms=size, lw=1.2, label=label)
    ax.set_yticks(place, [textwrap.fill(row, NAME_WIDTH) for row in rows])
    for text, row in zip(ax.get_yticklabels(), rows, strict=True):
        text.set_fontweight("bold" if row in kinds else "normal")
    ax.set(xlim=(0, 1), ylim=(place.min() - 0.6, 0.6), xlabel="exponent of the optimal size $a$")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.figure.legend(loc="outside lower center", frameon=False)
    return ax
