"""Results in, Axes out: every function takes ``ax=None`` and returns the Axes that it drew on.

Nothing is fitted or estimated here. Only :func:`~scaling.figures.set_style` changes matplotlib's global state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from .._words import format_count
from .style import COLORMAP, GREY, PALETTE, WIDTH, axes_or_new, colorbar, labels_of, legend_above, log_axes

if TYPE_CHECKING:
    from ..fit.frontier import FrontierFit

__all__ = ["plot_curves", "plot_isoflop", "plot_ratios", "plot_runs"]


def plot_runs(runs: pd.DataFrame, ax: Axes | None = None, x: str = "params", y: str = "tokens") -> Axes:
    """Draw runs as points, parameters against tokens, coloured by loss.

    Parameters
    ----------
    runs : DataFrame
        ``loss`` and the two columns, positive.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.
    x, y : str
        The columns.

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
    points = ax.scatter(runs[x], runs[y], c=runs["loss"], cmap=COLORMAP, s=22, linewidths=0.3, edgecolors="white")
    ax.figure.colorbar(points, ax=ax, label=labels_of(runs)("loss"))
    return log_axes(ax, x, y, runs)


def plot_curves(
    curves: pd.DataFrame,
    envelope: FrontierFit | None = None,
    ax: Axes | None = None,
    runs: pd.DataFrame | None = None,
) -> Axes:
    """Draw training curves, loss against compute, coloured by size; with the lower envelope of approach 1.

    Parameters
    ----------
    curves : DataFrame
        ``run``, ``params``, ``flops`` and ``loss``, positive, a row a point.
    envelope : FrontierFit, optional
        Of :func:`~scaling.fit.fit_envelope`.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.
    runs : DataFrame, optional
        Those whose law made the curves, if it was fitted: what they measure stands on the axes.

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
    norm = LogNorm(curves["params"].min(), curves["params"].max())
    colors = plt.get_cmap(COLORMAP)
    for _, curve in curves.groupby("run", sort=False):
        ax.plot(curve["flops"], curve["loss"], color=colors(norm(curve["params"].iloc[0])), lw=1.1)
    if envelope is not None:
        ax.plot(
            envelope.points["budget"], envelope.points["loss"], color="black", lw=2, ls="--", label="lower envelope"
        )
        ax.legend()
    colorbar(ax, norm, "params")
    return log_axes(ax, "flops", "loss", curves if runs is None else runs)


def plot_isoflop(fit: FrontierFit, ax: Axes | None = None) -> Axes:
    """Draw IsoFLOP groups with their parabolas and minima; budgets without a minimum are grey and dashed.

    Parameters
    ----------
    fit : FrontierFit
        Of :func:`~scaling.fit.fit_isoflop`.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    KeyError, AttributeError
        If the fit is of another approach, which has no parabolas.
    """
    ax = axes_or_new(ax)
    points = fit.points
    norm = LogNorm(points["budget"].min(), points["budget"].max() * 1.0001)
    colors = plt.get_cmap(COLORMAP)
    for point in points.itertuples():
        group = fit.runs[fit.runs["budget"] == point.budget]
        color = colors(norm(point.budget)) if point.usable else GREY
        ax.plot(group["params"], group["loss"], "o", ms=4.5, color=color)
        log_n = np.linspace(np.log(group["params"].min()), np.log(group["params"].max()), 100)
        style = "-" if point.usable else "--"
        ax.plot(np.exp(log_n), np.polyval([point.c2, point.c1, point.c0], log_n), style, color=color, lw=1.3)
    good = points[points["usable"]]
    ax.plot(good["params"], good["loss"], "D", ms=6, color=PALETTE[1], mec="white", label="minimum of the parabola")
    if len(good) < len(points):
        ax.plot([], [], "o--", color=GREY, label="no usable minimum")
    legend_above(ax, ncols=1)
    colorbar(ax, norm, "budget")
    return log_axes(ax, "params", "loss", fit.runs)


def plot_ratios(
    runs: pd.DataFrame, columns: Mapping[str, str], levels: Mapping[str, float] | None = None
) -> np.ndarray:
    """Draw columns of runs against tokens a parameter, one below the other, a line a size.

    Parameters
    ----------
    runs : DataFrame
        ``params``, ``tokens`` and the columns.
    columns : mapping of column to label
        What is drawn, from the top.
    levels : mapping of column to number, optional
        A dotted line in that column's panel, such as chance.

    Returns
    -------
    array (n_columns,) of Axes
        One a column.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    size = (WIDTH, 2.1 * len(columns) + 0.6)
    _, axes = plt.subplots(len(columns), 1, figsize=size, sharex=True, squeeze=False)
    sizes = runs.assign(ratio=runs["tokens"] / runs["params"]).sort_values("ratio").groupby("params")
    colors = plt.get_cmap(COLORMAP)(np.linspace(0.0, 0.9, len(sizes)))
    for (column, label), ax in zip(columns.items(), axes[:, 0], strict=True):
        for (params, each), color, marker in zip(sizes, colors, "osD^vP*" * len(sizes), strict=False):
            ax.plot(each["ratio"], each[column], f"-{marker}", ms=5, color=color, label=format_count(params))
        if levels and column in levels:
            ax.axhline(levels[column], color="0.3", ls=":")
        ax.set(xscale="log", ylabel=label)
    axes[-1, 0].set_xlabel("Tokens per parameter $D/N$")
    axes[-1, 0].xaxis.set_major_formatter("{x:,.0f}")
    legend_above(axes[0, 0], ncols=3)
    return axes[:, 0]
