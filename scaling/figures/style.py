"""One style for all figures: palette, colour map, labels, logarithmic axes with readable ticks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import Normalize
from matplotlib.scale import LogScale, register_scale
from matplotlib.ticker import (
    FuncFormatter,
    LogFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    ScalarFormatter,
)
from numpy.typing import ArrayLike

from .._words import format_count, format_flops
from ..runs.nouns import Nouns

__all__ = ["COLORMAP", "PALETTE", "labels_of", "legend_above", "set_style"]


#: the one colour map: perceptually uniform, readable for colour-blind readers and in grey
COLORMAP = "viridis"
#: Okabe and Ito's palette without its yellow, which is pale on white
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
GREY = "#8a8a8a"
#: width in inches, size of text in points, dots an inch: on a phone, 352 pixels wide, labels have ten pixels
WIDTH, TEXT, DOTS = 5.5, 11.5, 110
#: labelled powers of ten on an axis
MOST_POWERS = 7
LABELS = {
    "params": "Parameters $N$",
    "tokens": "Training tokens $D$",
    "flops": "Training compute $C$ [FLOP]",
    "budget": "Training compute $C$ [FLOP]",
    "loss": "Loss $L$ [nats/token]",
    "examples": "Examples $t$",
    "error": "Loss [nats] or error",
    "residual": "ln observed loss − ln fitted loss",
    "E": "$E$ [nats/token]",
    "A": "$A$",
    "B": "$B$",
    "alpha": r"$\alpha$",
    "beta": r"$\beta$",
}


class _PlainPowers(LogFormatter):
    """Powers of ten written out, or all of them as ``1e21`` where an axis goes past what is read at a glance."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        if not super().__call__(x, pos):
            return ""
        low, high = sorted(self.axis.get_view_interval())
        return f"{x:g}" if (low > 1e-4 and high < 1e5) or np.isclose(x, 1) else format_flops(x)


class _FewPowers(LogLocator):
    """Ticks at powers of ten, as many as there is room for in plain figures."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        if self.axis is not None:
            self.set_params(numticks=int(np.clip(self.axis.get_tick_space(), 2, MOST_POWERS)))
        return super().tick_values(vmin, vmax)


class _PlainLogScale(LogScale):
    """Logarithmic axes without superscripts, which are seven tenths of their letters: too small on a phone."""

    # no parameter by the name of axis, which matplotlib gives up in 3.11 and needs before
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)

    def set_default_locators_and_formatters(self, axis: Axis) -> None:
        axis.set_major_locator(_FewPowers(self.base))
        axis.set_major_formatter(_PlainPowers(self.base))
        axis.set_minor_locator(_FewPowers(self.base, self.subs))
        axis.set_minor_formatter(_PlainPowers(self.base, labelOnlyBase=self.subs is not None))


def set_style() -> None:
    """Set the book's look for every figure made from here on (matplotlib's global settings).

    White faces, so that figures stay legible on a dark page; one palette and one colour map; powers of ten on
    logarithmic axes as ``1e21``.
    """
    import seaborn as sns  # here, because it takes as long to import as all the rest of the package

    register_scale(_PlainLogScale)
    sns.set_theme(
        context="notebook",
        style="ticks",
        palette=PALETTE,
        rc={
            "figure.figsize": (WIDTH, 3.8),
            "figure.dpi": DOTS,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "white",
            "font.size": TEXT,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": "#444444",
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#e6e6e6",
            "image.cmap": COLORMAP,
            "legend.framealpha": 0.85,
            "legend.edgecolor": "none",
            "legend.fontsize": TEXT,
            "font.family": "DejaVu Sans",
            "xtick.labelsize": TEXT,
            "ytick.labelsize": TEXT,
            "axes.labelsize": TEXT,
            "axes.titlesize": 12,
            "figure.labelsize": TEXT,
        },
    )


def axes_or_new(ax: Axes | None) -> Axes:
    return plt.subplots()[1] if ax is None else ax


def settle(ax: Axes) -> None:
    """Lay the figure out, so that what is measured on its axes is measured as it will be shown."""
    ax.figure.canvas.figure.draw_without_rendering()  # the whole figure, should this be a part


def mark(ax: Axes, points: Mapping[str, tuple[ArrayLike, ArrayLike]] | None) -> None:
    for (label, place), marker in zip((points or {}).items(), "oXD*sP", strict=False):
        ax.plot(*place, marker, ms=10, color="white", mec="black", ls="", label=label)
    if points:
        legend_above(ax)


def legend_above(ax: Axes, ncols: int = 2, **options: Any) -> None:
    """Put a legend over the axes, where it covers nothing.

    Parameters
    ----------
    ax : Axes
        With labelled lines.
    ncols : int
        Columns of the legend.
    **options
        Passed to Matplotlib's ``legend``.
    """
    given = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.01), "borderaxespad": 0.0, "frameon": False} | options
    ax.legend(ncols=ncols, columnspacing=1.2, handletextpad=0.5, **given)


def labels_of(runs: pd.DataFrame | None) -> Callable[[str], str]:
    """Make the labels of quantities in the words of a table: an error rate is no loss in nats, images are no tokens.

    Parameters
    ----------
    runs : DataFrame or None
        The table; None for the usual words.

    Returns
    -------
    callable
        From a column's name to its label; other names stay as they are.
    """
    said = Nouns.of(runs).said if runs is not None else str
    return lambda name: said(LABELS[name]) if name in LABELS else name


def colorbar(ax: Axes, norm: Normalize, name: str) -> None:
    bar = ax.figure.colorbar(plt.cm.ScalarMappable(norm, COLORMAP), ax=ax, label=LABELS[name])
    log_axis(bar.ax.yaxis, name, norm.vmin, norm.vmax)


def log_axes(ax: Axes, x: str, y: str | None, runs: pd.DataFrame | None = None) -> Axes:
    """Logarithmic axes with readable ticks and labels, in the words of ``runs``; ``y=None`` leaves the y axis alone."""
    label = labels_of(runs)
    ax.set_xscale("log")
    ax.set_xlabel(label(x))
    log_axis(ax.xaxis, x, *ax.get_xlim())
    if y is not None:
        ax.set_yscale("log")
        ax.set_ylabel(label(y))
        log_axis(ax.yaxis, y, *ax.get_ylim())
    return ax


def log_axis(axis: Axis, name: str, low: float, high: float) -> None:
    """Ticks at powers of ten; more where the axis has fewer than two of them or spans little more than a decade."""
    formatter = {"params": format_count, "tokens": format_count, "examples": format_count}.get(name, format_flops)
    decades, dense = np.log10(high / low), 2.0 if name in ("examples", "error") else 1.5
    if name == "loss":
        axis.set_major_locator(MaxNLocator(7) if decades < 0.7 else LogLocator(subs=np.arange(1, 10)))
        axis.set_major_formatter(ScalarFormatter())
    else:
        powers = np.floor(np.log10(high)) - np.ceil(np.log10(low)) + 1
        subs = (1.0,) if decades > dense and powers > 1 else (1.0, 2.0, 5.0)
        axis.set_major_locator(LogLocator(subs=subs, numticks=8))
        axis.set_major_formatter(FuncFormatter(formatter))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
