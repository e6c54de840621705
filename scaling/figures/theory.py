"""Figures of theory: learning curves, yardsticks, a transformer and what its count is made of, local exponents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike

from .._words import format_count
from .style import GREY, LABELS, PALETTE, WIDTH, axes_or_new, log_axes

__all__ = ["plot_block", "plot_learning_curves", "plot_shares", "plot_size_exponents", "plot_yardsticks"]


def plot_learning_curves(
    curves: Mapping[str, tuple[pd.DataFrame, str] | tuple[pd.DataFrame, str, Callable[[np.ndarray], ArrayLike]]],
    ax: Axes | None = None,
) -> Axes:
    """Draw learning curves, loss against examples, on logarithmic axes.

    Parameters
    ----------
    curves : mapping of label to (table, column) or (table, column, law)
        A table with ``examples``, the column and ``<column>_se``, drawn as points with bars of two standard errors; and
        perhaps a law of t, drawn as a line.
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
    """Draw averages of each yardstick with bars of two standard errors, and the levels that theory gives.

    Parameters
    ----------
    averages : mapping of yardstick to DataFrame
        ``value`` and ``se``, indexed by what is on the x axis.
    levels : mapping of line style to mapping of yardstick to number
        Horizontal lines in the yardstick's colour: ``{":": {"gibbs": 0.67}}``.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If a style's levels lack a yardstick.
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


def plot_block(parts: pd.DataFrame, layers: str, added: Sequence[tuple[str, str]] = (), ax: Axes | None = None) -> Axes:
    """Draw a transformer from its first part below to its last above, with what is written beside each.

    Parameters
    ----------
    parts : DataFrame
        A row for each part, in the order in which a token meets them: its name as index; ``layer``, whether it
        belongs to the layers, which stand together; and two other columns of text, written to the right of the part
        under their names.
    layers : str
        How often the layer stands there, written in its frame.
    added : sequence of pairs of names, optional
        First and last of the parts whose result is added to the stream that passes them by.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If ``added`` names no part, or there is no column ``layer``.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(WIDTH, 0.75 * len(parts) + 1.2))
    inside = np.flatnonzero(parts["layer"].to_numpy(dtype=bool))
    rank = np.arange(len(parts))
    later = parts.index.isin([first for first, _ in added[1:]])  # each sum gets room
    room = 0.35 * (rank >= inside[0]) + 0.65 * (rank > inside[-1]) + 0.35 * np.cumsum(later)
    height = pd.Series(rank + room, parts.index)
    columns = dict(zip(parts.columns.drop("layer"), (5.2, 8.3), strict=True))
    bottom, top = height.iloc[inside[0]] - 0.62, height.iloc[inside[-1]] + 0.95
    ax.add_patch(Rectangle((-0.75, bottom), 10.5, top - bottom, fc="#f4f4f4", ec=GREY, ls="--"))
    ax.text(9.6, top - 0.3, layers, ha="right", va="center", weight="bold")
    arrow = {"arrowstyle": "->", "color": "#444444"}
    for low, high in zip(height, height.iloc[1:], strict=False):
        ax.annotate("", (1.75, high - 0.3), (1.75, low + 0.3), arrowprops=arrow)
    for first, last in added:
        low, high = height[first] - 0.45, height[last] + 0.5
        ax.plot([1.75, -0.35, -0.35, 1.6], [low, low, high, high], color="#444444", lw=1)
        ax.plot(1.75, high, "o", ms=12, color="white", mec="#444444", zorder=4)
        ax.text(1.75, high, "+", ha="center", va="center_baseline", zorder=5)
    for name, part in parts.iterrows():
        face, y = "#d7e9f5" if part["layer"] else "#fbe3d2", height[name]
        ax.add_patch(FancyBboxPatch((0.1, y - 0.28), 3.3, 0.56, "round,pad=0.02", fc=face, ec="#444444"))
        for text, x in ((name, 1.75), *((part[column], x) for column, x in columns.items())):
            ax.text(x, y, text, ha="center", va="center")
    for column, x in columns.items():
        ax.text(x, height.iloc[-1] + 0.75, column, ha="center", va="center", weight="bold")
    ax.set(xlim=(-0.8, 9.8), ylim=(-0.4, height.iloc[-1] + 1.0))
    ax.axis("off")
    return ax


def plot_shares(
    sizes: ArrayLike, shares: pd.DataFrame, colors: Mapping[str, str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw shares that add up to one, stacked, against the size on a logarithmic axis.

    Parameters
    ----------
    sizes : array (n,)
        Rising; one for each row of ``shares``.
    shares : DataFrame
        One column a part, in the order in which they are stacked.
    colors : mapping of part to colour, optional
        So that a part looks the same in two figures.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If ``colors`` lacks a part.
    ValueError
        If there is not one size a row.
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
    """Draw local exponents of the best size along that size, beside named levels.

    Parameters
    ----------
    sizes : array (n,)
        The best sizes, rising; the x axis leaves room beyond them for the names.
    exponents : mapping of label to array
        d ln N / d ln C at each size, drawn as lines.
    marks : mapping of name to number
        Levels, dashed, each with its name and value.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.
    """
    ax = axes_or_new(ax)
    for label, exponent in exponents.items():
        ax.plot(sizes, exponent, label=label)
    place = 3 * np.max(sizes)
    for name, level in marks.items():
        ax.axhline(level, color="0.4", lw=1, ls="--")
        ax.annotate(f"{name}: {level:.2f}", (place, level), xytext=(0, 3), textcoords="offset points")
    ax.set(xscale="log", xlabel=LABELS["params"], ylabel=r"$d\,\ln N\,/\,d\,\ln C$")
    ax.xaxis.set_major_formatter(FuncFormatter(format_count))
    return ax
