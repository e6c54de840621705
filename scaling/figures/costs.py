"""Figures of what models cost: maps of a bill, training past the optimum, text that is read again."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from numpy.typing import ArrayLike

from .style import LABELS, PALETTE, axes_or_new, settle

__all__ = ["plot_cost_map", "plot_overtraining", "plot_worth"]


#: shares of a map's height at which neighbouring contours have their labels
HEIGHTS = (0.9, 0.7, 0.5)


def plot_cost_map(
    demands: ArrayLike,
    losses: ArrayLike,
    ratio: ArrayLike,
    levels: Sequence[float],
    marks: tuple[ArrayLike, ArrayLike] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw labelled contours of a cost ratio over demand and loss.

    Parameters
    ----------
    demands : array (n,)
        The grid's tokens to serve, on the logarithmic x axis.
    losses : array (m,)
        The grid's losses, nats/token, on the y axis.
    ratio : array (m, n)
        What is mapped, as a share of what it is compared with.
    levels : sequence of float
        Where the contours go.
    marks : pair of arrays, optional
        Demands and losses of single cases.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.
    """
    ax = axes_or_new(ax)
    lines = ax.contour(demands, losses, ratio, levels, colors=PALETTE[0])
    if marks is not None:
        ax.plot(*marks, "D", color=PALETTE[1], mec="white")
    ax.set_xscale("log")
    settle(ax)  # for the gap for a label
    ax.clabel(lines, fmt="%g", manual=_label_places(lines))
    return ax


def _label_places(lines: ContourSet) -> list[tuple[float, float]]:
    """A point on each contour, at another height than its neighbours', so that no two labels meet."""
    low, high = lines.axes.get_ylim()
    places = []
    for path, share in zip(lines.get_paths(), itertools.cycle(HEIGHTS)):
        x, y = np.asarray(path.vertices, dtype=float).T
        if len(y):
            away = np.abs(y - low - share * (high - low))
            near = np.flatnonzero(away <= away.min() + 1e-9 * (high - low))
            middle = near[len(near) // 2]
            places.append((float(x[middle]), float(y[middle])))
    return places


def plot_overtraining(
    observed: tuple[ArrayLike, ArrayLike],
    ratios: ArrayLike,
    predicted: ArrayLike,
    band: tuple[ArrayLike, ArrayLike] | None = None,
    label: str = "the law",
    ax: Axes | None = None,
) -> Axes:
    """Draw losses of one size on ever more tokens a parameter, beside a law that is drawn on.

    Parameters
    ----------
    observed : pair of arrays
        Tokens a parameter and losses of the runs.
    ratios, predicted : array (n,)
        Tokens a parameter, and the law's loss at each.
    band : pair of arrays, optional
        Low and high ends of an interval at ``ratios``.
    label : str, default "the law"
        Which law it is.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.
    """
    ax = axes_or_new(ax)
    ax.plot(ratios, predicted, color=PALETTE[0], label=label)
    if band is not None:
        ax.fill_between(ratios, *band, alpha=0.25, color=PALETTE[0], lw=0)
    ax.plot(*observed, "ko", label="the runs")
    ax.set(xscale="log", xlabel="Tokens per parameter", ylabel=LABELS["loss"])
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.legend()
    return ax


def plot_worth(
    observed: tuple[ArrayLike, ArrayLike],
    epochs: ArrayLike,
    curves: Mapping[str, ArrayLike],
    ax: Axes | None = None,
) -> Axes:
    """Draw what repeated text is worth in new tokens against epochs, beside laws and the line of no loss.

    Parameters
    ----------
    observed : pair of arrays
        Epochs of the runs, and the worth of what they read over their unique tokens.
    epochs : array (n,)
        Where the curves are given.
    curves : mapping of label to array
        The worth by each law at ``epochs``: the first is drawn solid, the next dashed.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.
    """
    ax = axes_or_new(ax)
    ax.plot(*observed, "ko", label="our runs")
    for (label, worth), style in zip(curves.items(), ("-", "--", "-."), strict=False):
        ax.plot(epochs, worth, style, label=label)
    ax.plot(epochs, epochs, ":", color="0.5", label="as good as new")
    ticks = 2 ** np.arange(5)
    ax.set(xscale="log", xticks=ticks, xticklabels=ticks, xlabel="Epochs $D/U$")
    ax.set(yscale="log", yticks=ticks, yticklabels=ticks, ylabel="Worth in new tokens, over $U$")
    ax.minorticks_off()
    ax.legend()
    return ax
