"""Figures of laws, frontiers and fits: they draw, they compute nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator
from numpy.typing import ArrayLike

from .._words import format_count, percent
from ..optimum.allocation import compute_optimal
from .style import (
    COLORMAP,
    GREY,
    LABELS,
    PALETTE,
    TEXT,
    WIDTH,
    axes_or_new,
    colorbar,
    labels_of,
    legend_above,
    log_axes,
    mark,
    settle,
)

if TYPE_CHECKING:
    from mpl_toolkits.mplot3d import Axes3D

    from ..fit.result import Fit
    from ..laws.chinchilla import ChinchillaLaw
    from ..laws.power import FrontierLaw
    from ..uncertainty.resampling import Bootstrap

__all__ = [
    "plot_bootstrap",
    "plot_contours",
    "plot_downstream",
    "plot_frontier",
    "plot_landscape",
    "plot_residuals",
    "plot_spread",
    "plot_surface",
]


#: an objective below this share of its largest value is that of runs which the law meets exactly
EXACT = 1e-6
#: sizes of letters between the labels of two contours
APART = 1.8


def plot_frontier(
    laws: Mapping[str, ChinchillaLaw | FrontierLaw],
    flops: ArrayLike,
    points: Mapping[str, pd.DataFrame] | None = None,
    quantity: str = "params",
    ax: Axes | None = None,
) -> Axes:
    """Draw compute-optimal sizes, or tokens, against the budget.

    Parameters
    ----------
    laws : mapping of label to law
        Drawn as lines.
    flops : array (n,)
        Budgets in FLOPs at which the lines are drawn.
    points : mapping of label to DataFrame, optional
        Tables with ``budget`` and the quantity, drawn as points.
    quantity : {"params", "tokens"}
        What is drawn.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    ValueError, TypeError
        As :func:`~scaling.optimum.compute_optimal`, for a law without an optimum.
    KeyError
        If a table of ``points`` lacks ``budget`` or the quantity.
    """
    ax = axes_or_new(ax)
    budgets = np.asarray(flops, dtype=float)
    for (label, table), color, marker in zip((points or {}).items(), PALETTE[::-1], "osD^vP*", strict=False):
        size = 5 if len(table) < 100 else 2
        ax.plot(table["budget"], table[quantity], marker, color=color, ms=size, label=label)
    for (label, law), color, style in zip(laws.items(), PALETTE, ("-", "--", "-.", ":", "-", "--", "-."), strict=False):
        ax.plot(budgets, getattr(compute_optimal(law, budgets), quantity), style, color=color, label=label)
    legend_above(ax, ncols=1)
    return log_axes(ax, "budget", quantity)


def plot_contours(
    law: ChinchillaLaw,
    params: ArrayLike,
    tokens: ArrayLike,
    levels: int | ArrayLike = 12,
    points: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    others: Mapping[str, ChinchillaLaw | FrontierLaw] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw contours of the loss over parameters and tokens, lines of equal compute, 6 N D, and the optimum along them.

    Parameters
    ----------
    law : ChinchillaLaw
        The loss, nats/token.
    params : array (n,)
        The grid's sizes, positive.
    tokens : array (m,)
        The grid's numbers of tokens, positive.
    levels : int or array
        How many contours, or at which losses.
    points : mapping of label to (params, tokens), optional
        What is marked.
    others : mapping of label to law, optional
        Their compute-optimal lines are drawn beside the law's own.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If a grid's value is not positive, or a law has no optimum.
    """
    ax = plt.subplots(figsize=(WIDTH, 5.8))[1] if ax is None else ax
    N, D = np.asarray(params, dtype=float), np.asarray(tokens, dtype=float)
    loss = law.loss(N[None, :], D[:, None])
    drawn = ax.contour(N, D, loss, levels=levels, cmap=COLORMAP)
    budgets = 10.0 ** np.arange(np.ceil(np.log10(6 * N.min() * D.min())), np.log10(6 * N.max() * D.max()))
    for budget in budgets:
        ax.plot(N, budget / (6 * N), color=GREY, lw=0.6, ls=":", zorder=0)
    spent = np.geomspace(6 * N.min() * D.min(), 6 * N.max() * D.max(), 200)
    lines = {"": law} | {f", {label}": other for label, other in (others or {}).items()}
    for (label, each), color, style in zip(lines.items(), PALETTE[1::-1], ("-", "--"), strict=False):
        best = compute_optimal(each, spent)
        ax.plot(best.params, best.tokens, style, color=color, lw=2, label=f"compute-optimal{label}")
    ax.plot([], [], color=GREY, lw=0.8, ls=":", label="equal compute, a factor of 10 apart")
    mark(ax, points)
    legend_above(ax, ncols=1)
    ax.set(xlim=(N.min(), N.max()), ylim=(D.min(), D.max()))
    log_axes(ax, "params", "tokens")
    settle(ax)  # for the gap for a label
    for text in ax.clabel(drawn, fmt="%.2f", manual=_label_places(ax, law, drawn.levels), colors="#222222"):
        text.set(bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"}, zorder=5)  # over the lines beside
    return ax


def _label_places(ax: Axes, law: ChinchillaLaw, levels: Iterable[float]) -> list[tuple[float, float]]:
    """Where contours have their labels: along two upright lines, away from the corner in which they crowd.

    A level has its label at the right, where there is room for it, and otherwise at the left; or none.
    """
    (left, right), (bottom, top) = np.log(ax.get_xlim()), np.log(ax.get_ylim())
    width, height = np.array(ax.get_window_extent().size) / ax.figure.dpi * 72  # in points, as letters are
    heights, missing = np.linspace(0.04, 0.96, 400), sorted(levels)
    places = []
    for share in (0.88, 0.06):
        size = np.exp(left + share * (right - left))
        lengths = np.exp(bottom + heights * (top - bottom))
        losses, last = np.asarray(law.loss(size, lengths)), np.inf
        falls = (losses - law.loss(1.001 * size, lengths)) / np.log(1.001) / -np.gradient(losses, heights)
        leans = np.hypot(1.0, falls * (right - left) * height / width)  # a label lies along its contour
        for level in list(missing):  # from the top of the axes, where the loss is least
            where = float(np.interp(-level, -losses, heights, left=np.nan, right=np.nan))
            if np.isfinite(where) and (last - where) * height > APART * TEXT * np.interp(where, heights, leans):
                places.append((float(size), float(np.exp(bottom + where * (top - bottom)))))
                last = where
        missing = [level for level in missing if level > losses.max()]
    return places


def plot_surface(
    law: ChinchillaLaw,
    params: ArrayLike,
    tokens: ArrayLike,
    sizes: Sequence[float] = (),
    budgets: Sequence[float] = (),
    ax: Axes3D | None = None,
    runs: pd.DataFrame | None = None,
) -> Axes3D:
    """Draw the loss as a surface over parameters and tokens, with the lines that the three approaches look at.

    Parameters
    ----------
    law : ChinchillaLaw
        Its surface is approach 3.
    params : array (n,)
        The grid's sizes, positive.
    tokens : array (m,)
        The grid's numbers of tokens, positive.
    sizes : sequence of float
        A training curve each, along the tokens: approach 1 keeps the lowest at each compute.
    budgets : sequence of float
        Compute, a slice of equal 6 N D each: approach 2 looks for its lowest point.
    ax : Axes3D, optional
        Of ``projection="3d"``, with ``computed_zorder=False`` so that the lines lie over the surface.
    runs : DataFrame, optional
        Those that the law was fitted to, where they measure something else than nats: the axes take their words.

    Returns
    -------
    Axes3D
        The axes drawn on.

    Raises
    ------
    ValueError
        If a grid's value is not positive, or the law has no optimum.
    """
    if ax is None:
        space = {"projection": "3d", "computed_zorder": False}
        ax = cast("Axes3D", plt.subplots(figsize=(WIDTH, 5.2), subplot_kw=space)[1])
    N, D = np.asarray(params, dtype=float), np.asarray(tokens, dtype=float)
    n, d = np.meshgrid(N, D)
    ax.plot_surface(np.log10(n), np.log10(d), law.loss(n, d), cmap=COLORMAP, alpha=0.55, lw=0, rcount=60, ccount=60)
    spent = np.geomspace(6 * N.min() * D.min(), 6 * N.max() * D.max(), 400)
    best = compute_optimal(law, spent)
    along_n, along_d = np.geomspace(N.min(), N.max(), 400), np.geomspace(D.min(), D.max(), 400)
    curves = [(np.full(400, size), along_d) for size in sizes]
    frontier = [(np.asarray(best.params), np.asarray(best.tokens))]
    slices = [(along_n, budget / (6 * along_n)) for budget in budgets]
    kinds: list[tuple[str, list[tuple[np.ndarray, np.ndarray]], dict[str, Any]]] = [
        ("one size: a training curve", curves, {"color": PALETTE[0]}),
        ("one budget: an IsoFLOP slice", slices, {"color": PALETTE[1], "ls": "--"}),
        ("the frontier: the lowest point of every slice", frontier, {"color": "black", "lw": 3}),
    ]
    for label, paths, look in kinds:
        for i, (n, d) in enumerate(paths):
            seen = (n >= N.min()) & (n <= N.max()) & (d >= D.min()) & (d <= D.max())
            place = np.log10(n[seen]), np.log10(d[seen]), law.loss(n[seen], d[seen])
            ax.plot(*place, label=f"_{label}" if i else label, **look)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MultipleLocator(1))
        axis.set_major_formatter(FuncFormatter(lambda power, _: format_count(10**power)))
    ax.zaxis.set_major_locator(MaxNLocator(5))
    called = labels_of(runs)
    ax.set(xlabel=called("params"), ylabel=called("tokens"), zlabel=called("loss"))
    ax.view_init(elev=24, azim=35)
    ax.set_box_aspect(None, zoom=0.95)
    ax.legend(loc="upper left", bbox_to_anchor=(-0.1, 1.12))
    return ax


def plot_landscape(
    alpha: ArrayLike,
    beta: ArrayLike,
    objective: np.ndarray,
    points: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw an objective over the two exponents, up to four times its least value.

    Parameters
    ----------
    alpha : array (n,)
        Exponents of the size.
    beta : array (m,)
        Exponents of the tokens.
    objective : array (m, n)
        Its values, at least 0.
    points : mapping of label to (alpha, beta), optional
        What is marked.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    TypeError
        If the shapes do not fit.
    """
    ax = axes_or_new(ax)
    least = max(objective.min(), EXACT * objective.max())
    if least > 0:
        levels = least * np.geomspace(1, 4, 13)
        drawn = ax.contourf(alpha, beta, objective, levels=levels, cmap=COLORMAP, extend="max")
        ax.figure.colorbar(drawn, ax=ax, label="Objective", format="%.2g")
    mark(ax, points)
    ax.set(xlabel=LABELS["alpha"], ylabel=LABELS["beta"])
    return ax


def plot_residuals(fit: Fit, against: str = "flops", ax: Axes | None = None) -> Axes:
    """Draw residuals of ln loss against a column of the fit's runs.

    Parameters
    ----------
    fit : Fit
        Of a law of the loss.
    against : str
        The column, positive.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If there is no such column.
    """
    ax = axes_or_new(ax)
    ax.axhline(0, color=GREY, lw=1)
    ax.plot(fit.runs[against], fit.residuals, "o", ms=4.5, color=PALETTE[0], alpha=0.75)
    log_axes(ax, against, None, fit.runs)
    ax.set_ylabel(labels_of(fit.runs)("residual"))
    return ax


def plot_downstream(fit: Fit, observed: ArrayLike, label: str, ax: Axes | None = None) -> Axes:
    """Draw what runs reach on a task against their loss, coloured by size, and the law of a fit through it.

    Parameters
    ----------
    fit : Fit
        As :func:`~scaling.fit.fit_downstream` returns.
    observed : array (n_runs,)
        What the law is of, one value for each of ``fit.runs``.
    label : str
        Of the y axis.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.
    """
    ax = axes_or_new(ax)
    loss, size = fit.runs["loss"], fit.runs["params"]
    norm = LogNorm(size.min(), size.max())
    span = np.linspace(loss.min(), loss.max(), 200)
    ax.plot(span, fit.candidate.value(span), color="black", lw=1.2)
    ax.scatter(loss, observed, c=size, norm=norm, cmap=COLORMAP, s=30, linewidths=0.3, edgecolors="white", zorder=2)
    ax.set(xlabel=labels_of(fit.runs)("loss"), ylabel=label)
    colorbar(ax, norm, "params")
    return ax


def plot_bootstrap(boot: Bootstrap, x: str = "alpha", y: str | None = "beta", ax: Axes | None = None) -> Axes:
    """Draw resampled constants: one against another, or the histogram of one.

    Parameters
    ----------
    boot : Bootstrap
        The resamples.
    x : str
        The constant on the x axis.
    y : str or None
        That on the y axis; None for a histogram.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If there is no such constant.
    """
    ax = axes_or_new(ax)
    samples, called = boot.samples, labels_of(boot.fit.runs)
    if y is None:
        ax.hist(samples[x], bins=60, color=PALETTE[0])
        ax.set_ylabel("Resamples")
    else:
        ax.plot(samples[x], samples[y], ".", ms=3, alpha=0.3, color=PALETTE[0])
        ax.set_ylabel(called(y))
    ax.set_xlabel(called(x))
    return ax


def plot_spread(
    boot: Bootstrap, flops: ArrayLike, quantity: str = "params", level: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Draw the runs, and the compute-optimal size, or tokens, by budget with its bootstrap interval.

    Parameters
    ----------
    boot : Bootstrap
        Of a law of the loss.
    flops : array (n,)
        Budgets in FLOPs, positive.
    quantity : {"params", "tokens"}
        What is drawn.
    level : float
        Of the interval, between 0 and 1.
    ax : Axes, optional
        Where to draw; by default axes of a new figure.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If a budget is not positive, or the level out of its range.
    FitError
        If all resamples give one value, so that there is no interval.
    KeyError
        If there is no such quantity.
    """
    ax = axes_or_new(ax)
    runs = boot.fit.runs
    ax.plot(runs["flops"], runs[quantity], ".", color=GREY, ms=3, label="runs")
    budgets = np.asarray(flops, dtype=float)
    low, high = boot.interval(level, of=lambda law: getattr(compute_optimal(law, budgets[:, None]), quantity).T)
    ax.fill_between(budgets, low, high, color=PALETTE[0], alpha=0.25, lw=0, label=f"{percent(level)}% interval")
    ax.plot(budgets, getattr(compute_optimal(boot.fit.law, budgets), quantity), color=PALETTE[0], lw=2, label="fit")
    ax.legend()
    return log_axes(ax, "budget", quantity, runs)
