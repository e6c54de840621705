"""Figures of a league of laws: errors on held-out runs, law by law."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .style import GREY, PALETTE, axes_or_new, legend_above

if TYPE_CHECKING:
    from ..diagnostics.standings import League

__all__ = ["plot_foresight", "plot_league"]


def plot_league(found: League, ax: Axes | None = None) -> Axes:
    """Draw errors of laws over those of the Chinchilla law: of each table, and the mean with its interval over draws.

    Parameters
    ----------
    found : League
        As :func:`~scaling.diagnostics.league` returns it.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.
    """
    ax = axes_or_new(ax)
    logs = np.log(found.scores.pivot(index=["table", "holdout"], columns="law", values="rms"))
    each = np.exp(logs.sub(logs["Chinchilla"], axis=0).groupby(level="table").mean())
    ranking = found.ranking.iloc[::-1].reset_index(drop=True)
    for place, row in ranking.iterrows():
        tables = each[row["law"]]
        ax.plot(tables, np.full(len(tables), place), "|", ms=9, mew=1.2, color=GREY, zorder=2)
        ax.plot([row["low"], row["high"]], [place, place], color=PALETTE[0], lw=2.5, solid_capstyle="butt", zorder=3)
    ax.plot(ranking["ratio"], ranking.index, "o", color=PALETTE[0], zorder=4, label="mean over tables, 95 % of draws")
    ax.plot([], [], "|", ms=9, mew=1.2, color=GREY, label="one table")
    ax.axvline(1, color="black", lw=1, ls="--")
    ax.set(xscale="log", xlabel="Error on held-out runs,\ntimes that of the Chinchilla law")
    ax.set_yticks(ranking.index, ranking["law"])
    plain_ticks(ax.xaxis)
    legend_above(ax, ncols=1)
    return ax


def plot_foresight(scores: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw errors on held-out runs against those on the fitted, one dot a law and hold-out; on the line they are equal.

    Parameters
    ----------
    scores : DataFrame
        Of a :class:`~scaling.diagnostics.League`: ``law``, ``holdout``, ``fitted``, ``rms``.
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
    shown = scores[np.isfinite(scores["fitted"])]
    laws, kinds = (list(dict.fromkeys(shown[name])) for name in ("law", "holdout"))
    for (law, part), color in zip(shown.groupby("law", sort=False), itertools.cycle(PALETTE)):
        for kind, marker in zip(kinds, "os^", strict=False):
            rows = part[part["holdout"] == kind]
            fill = color if laws.index(law) < len(PALETTE) else "white"
            ax.plot(100 * rows["fitted"], 100 * rows["rms"], marker, ms=7, color=color, mfc=fill)
        ax.plot([], [], "o", color=color, label=law)
    for kind, marker in zip(kinds, "os^", strict=False):
        ax.plot([], [], marker, color="white", mec="black", label=f"held out by {kind}")
    ends = 100 * np.array([shown[["fitted", "rms"]].min().min(), shown[["fitted", "rms"]].max().max()])
    ax.plot(ends, ends, color=GREY, lw=1, ls="--", zorder=0)
    ax.set(xscale="log", yscale="log", xlabel="Error on the fitted runs [%]", ylabel="Error on the held-out runs [%]")
    for axis in (ax.xaxis, ax.yaxis):
        plain_ticks(axis)
    ax.figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return ax


def plain_ticks(axis: Axis) -> None:
    """Ticks at 1, 2 and 5 of each decade, written out."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
