"""Figures of learning curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from .style import PALETTE, axes_or_new, log_axes

__all__ = ["plot_learning_curves", "plot_yardsticks"]


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
