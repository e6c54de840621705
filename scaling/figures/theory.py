"""Figures of theory: learning curves, yardsticks, what a count is made of, local exponents."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike

from .._words import format_count
from .style import LABELS, PALETTE, axes_or_new, log_axes

__all__ = ["plot_learning_curves", "plot_shares", "plot_size_exponents", "plot_yardsticks"]


def plot_learning_curves(
    curves: Mapping[str, tuple[pd.DataFrame, str] | tuple[pd.DataFrame, str, Callable[[np.ndarray], ArrayLike]]],
    ax: Axes | None = None,
) -> Axes:
    """Learning curves, loss against examples, on logarithmic axes.

    ``curves`` gives for each label a table with ``examples``, the name of its column and perhaps a law of t:
    points with bars of two standard errors (``<column>_se``), and the law as a line.
    """
    ax = axes_or_new(ax)
    for (label, (table, column, *law)), color, marker in zip(curves.items(), PALETTE, "osD^vP*", strict=False):
        t, bars = table["examples"], 2 * table[f"{column}_se"]
        ax.errorbar(t, table[column], bars, fmt=marker, ms=6, mfc="none", mew=1.5, color=color, label=label)
        for each in law:
            span = np.geomspace(t.min(), t.max(), 100)
            ax.plot(span, each(span), color=color, lw=1.2)
    ax.legend()
    return log_axes(ax, "examples", "error")


def plot_yardsticks(
    averages: Mapping[str, pd.DataFrame],
    levels: Mapping[str, Mapping[str, float]],
    ax: Axes | None = None,
) -> Axes:
    """Averages of each yardstick with bars of two standard errors, and the levels that theory gives.

    Parameters
    ----------
    averages : mapping of yardstick to DataFrame
        ``value`` and ``se``, indexed by what is on the x axis.
    levels : mapping of line style to mapping of yardstick to number
        Horizontal lines in the yardstick's colour: ``{":": {"gibbs": 0.67}}``.
    """
    ax = axes_or_new(ax)
    for (name, table), color in zip(averages.items(), PALETTE, strict=False):
        bars = 2 * table["se"]
        ax.errorbar(table.index, table["value"], bars, fmt="o", color=color, label=name.capitalize())
        for style, level in levels.items():
            ax.axhline(level[name], color=color, ls=style)
        ax.set_xticks(table.index)
    ax.set_ylim(0, 1.2)
    ax.legend(ncols=3, loc="lower center")
    return ax


def plot_shares(
    sizes: ArrayLike, shares: pd.DataFrame, colors: Mapping[str, str] | None = None, ax: Axes | None = None
) -> Axes:
    """Shares that add up to one, stacked, against the size on a logarithmic axis.

    Parameters
    ----------
    sizes : array
        Rising; one for each row of ``shares``.
    shares : DataFrame
        One column a part, in the order in which they are stacked.
    colors : mapping of part to colour, optional
        So that a part looks the same in two figures.
    """
    ax = axes_or_new(ax)
    ends = np.asarray(sizes, dtype=float)[[0, -1]]
    names = [part.replace("_", "-") for part in shares]
    fill = None if colors is None else [colors[part] for part in shares]
    ax.stackplot(sizes, shares.to_numpy().T, labels=names, colors=fill, alpha=0.85)
    ax.set(xscale="log", xlim=ends, ylim=(0, 1))
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def plot_size_exponents(
    sizes: ArrayLike, exponents: Mapping[str, ArrayLike], marks: Mapping[str, float], ax: Axes | None = None
) -> Axes:
    """Local exponents of the best size along that size, beside named levels.

    Parameters
    ----------
    sizes : array
        The best sizes, rising; the x axis leaves room beyond them for the names.
    exponents : mapping of label to array
        d ln N / d ln C at each size, drawn as lines.
    marks : mapping of name to number
        Levels, dashed, each with its name and value.
    """
    ax = axes_or_new(ax)
    for label, exponent in exponents.items():
        ax.plot(sizes, exponent, label=label)
    place = 3 * np.max(sizes)
    for name, level in marks.items():
        ax.axhline(level, color="0.4", lw=1, ls="--")
        ax.annotate(f"{name}: {level:.2f}", (place, level), xytext=(0, 3), textcoords="offset points", fontsize=9)
    ax.set(xscale="log", xlabel=LABELS["params"], ylabel=r"$d\,\ln N\,/\,d\,\ln C$")
    ax.xaxis.set_major_formatter(FuncFormatter(format_count))
    return ax
