"""Results in, Axes out: every function takes ``ax=None`` and returns the Axes that it drew on.

Nothing is fitted or estimated here. Only :func:`~scaling.set_style` changes matplotlib's global state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator, ScalarFormatter
from numpy.typing import ArrayLike

from ._format import format_count, format_flops
from .optimum import compute_optimal

if TYPE_CHECKING:
    from .bootstrap import Bootstrap
    from .fit import Fit
    from .frontier import FrontierFit
    from .laws import ChinchillaLaw, FrontierLaw

__all__ = [
    "format_count",
    "format_flops",
    "plot_bootstrap",
    "plot_contours",
    "plot_curves",
    "plot_frontier",
    "plot_isoflop",
    "plot_landscape",
    "plot_learning_curves",
    "plot_residuals",
    "plot_runs",
    "plot_spread",
    "set_style",
]

#: the one colour map: perceptually uniform, readable for colour-blind readers and in grey
COLORMAP = "viridis"
#: Okabe and Ito's palette without its yellow, which is pale on white
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_GREY = "#8a8a8a"
_LABELS = {
    "params": "Parameters $N$",
    "tokens": "Training tokens $D$",
    "flops": "Training compute $C$ [FLOP]",
    "budget": "Training compute $C$ [FLOP]",
    "loss": "Loss $L$ [nats/token]",
    "examples": "Examples $t$",
    "error": "Loss [nats] or error",
    "residual": r"$\ln L_\mathrm{observed} - \ln L_\mathrm{fitted}$",
    "E": "$E$ [nats/token]",
    "A": "$A$",
    "B": "$B$",
    "alpha": r"$\alpha$",
    "beta": r"$\beta$",
}


def set_style() -> None:
    """The book's look for every figure made from here on (matplotlib's global settings).

    White faces, so that figures stay legible on a dark page; one palette and one colour map.
    """
    import seaborn as sns  # here, because it takes as long to import as all the rest of the package

    sns.set_theme(
        context="notebook",
        style="ticks",
        palette=PALETTE,
        rc={
            "figure.figsize": (7.0, 4.3),
            "figure.dpi": 110,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "white",
            "font.size": 11,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": "#444444",
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#e6e6e6",
            "image.cmap": COLORMAP,
            "legend.framealpha": 0.85,
            "legend.edgecolor": "none",
            "legend.fontsize": 10,
            "font.family": "DejaVu Sans",
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "axes.labelsize": 11,
            "axes.titlesize": 12,
        },
    )


def plot_runs(runs: pd.DataFrame, ax: Axes | None = None, x: str = "params", y: str = "tokens") -> Axes:
    """Runs as points, parameters against tokens (or any two columns), coloured by loss."""
    ax = _axes(ax)
    points = ax.scatter(runs[x], runs[y], c=runs["loss"], cmap=COLORMAP, s=22, linewidths=0.3, edgecolors="white")
    ax.figure.colorbar(points, ax=ax, label=_LABELS["loss"])
    return _log_axes(ax, x, y)


def plot_curves(curves: pd.DataFrame, envelope: FrontierFit | None = None, ax: Axes | None = None) -> Axes:
    """Training curves, loss against compute, coloured by size; with the lower envelope of approach 1."""
    ax = _axes(ax)
    norm = LogNorm(curves["params"].min(), curves["params"].max())
    colors = plt.get_cmap(COLORMAP)
    for _, curve in curves.groupby("run", sort=False):
        ax.plot(curve["flops"], curve["loss"], color=colors(norm(curve["params"].iloc[0])), lw=1.1)
    if envelope is not None:
        ax.plot(
            envelope.points["budget"], envelope.points["loss"], color="black", lw=2, ls="--", label="lower envelope"
        )
        ax.legend()
    _colorbar(ax, norm, "params")
    return _log_axes(ax, "flops", "loss")


def plot_isoflop(fit: FrontierFit, ax: Axes | None = None) -> Axes:
    """IsoFLOP groups with their parabolas and minima; budgets without a minimum are grey and dashed."""
    ax = _axes(ax)
    points = fit.points
    norm = LogNorm(points["budget"].min(), points["budget"].max() * 1.0001)
    colors = plt.get_cmap(COLORMAP)
    for point in points.itertuples():
        group = fit.runs[fit.runs["budget"] == point.budget]
        color = colors(norm(point.budget)) if point.usable else _GREY
        ax.plot(group["params"], group["loss"], "o", ms=4.5, color=color)
        log_n = np.linspace(np.log(group["params"].min()), np.log(group["params"].max()), 100)
        style = "-" if point.usable else "--"
        ax.plot(np.exp(log_n), np.polyval([point.c2, point.c1, point.c0], log_n), style, color=color, lw=1.3)
    good = points[points["usable"]]
    ax.plot(good["params"], good["loss"], "D", ms=6, color=PALETTE[1], mec="white", label="minimum of the parabola")
    if len(good) < len(points):
        ax.plot([], [], "o--", color=_GREY, label="no usable minimum")
    ax.legend()
    _colorbar(ax, norm, "budget")
    return _log_axes(ax, "params", "loss")


def plot_frontier(
    laws: Mapping[str, ChinchillaLaw | FrontierLaw],
    flops: ArrayLike,
    points: Mapping[str, pd.DataFrame] | None = None,
    quantity: str = "params",
    ax: Axes | None = None,
) -> Axes:
    """Compute-optimal sizes (or ``quantity="tokens"``) against the budget.

    Parameters
    ----------
    laws : mapping of label to law
        Drawn as lines.
    flops : array
        Budgets at which the lines are drawn.
    points : mapping of label to DataFrame, optional
        Tables with ``budget`` and the quantity, drawn as points.
    """
    ax = _axes(ax)
    budgets = np.asarray(flops, dtype=float)
    for (label, table), color, marker in zip((points or {}).items(), PALETTE[::-1], "osD^vP*", strict=False):
        size = 5 if len(table) < 100 else 2
        ax.plot(table["budget"], table[quantity], marker, color=color, ms=size, label=label)
    for (label, law), color, style in zip(laws.items(), PALETTE, ("-", "--", "-.", ":", "-", "--", "-."), strict=False):
        ax.plot(budgets, getattr(compute_optimal(law, budgets), quantity), style, color=color, label=label)
    ax.legend()
    return _log_axes(ax, "budget", quantity)


def plot_contours(
    law: ChinchillaLaw,
    params: ArrayLike,
    tokens: ArrayLike,
    levels: int | ArrayLike = 12,
    points: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    others: Mapping[str, ChinchillaLaw | FrontierLaw] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Contours of the loss over parameters and tokens, with lines of equal compute and the optimum.

    ``params`` and ``tokens`` are the grid's values on each axis; ``points`` are marked, by label, and the
    compute-optimal lines of ``others`` drawn beside the law's own.
    """
    ax = _axes(ax)
    N, D = np.asarray(params, dtype=float), np.asarray(tokens, dtype=float)
    loss = law.loss(N[None, :], D[:, None])
    drawn = ax.contour(N, D, loss, levels=levels, cmap=COLORMAP)
    ax.clabel(drawn, fmt="%.2f", fontsize=8)
    budgets = 10.0 ** np.arange(np.ceil(np.log10(6 * N.min() * D.min())), np.log10(6 * N.max() * D.max()))
    for budget in budgets:
        ax.plot(N, budget / (6 * N), color=_GREY, lw=0.6, ls=":", zorder=0)
    spent = np.geomspace(6 * N.min() * D.min(), 6 * N.max() * D.max(), 200)
    lines = {"": law} | {f", {label}": other for label, other in (others or {}).items()}
    for (label, each), color, style in zip(lines.items(), PALETTE[1::-1], ("-", "--"), strict=False):
        best = compute_optimal(each, spent)
        ax.plot(best.params, best.tokens, style, color=color, lw=2, label=f"compute-optimal{label}")
    ax.plot([], [], color=_GREY, lw=0.8, ls=":", label="equal compute, a factor of 10 apart")
    _mark(ax, points)
    ax.legend(loc="upper left")
    ax.set(xlim=(N.min(), N.max()), ylim=(D.min(), D.max()))
    return _log_axes(ax, "params", "tokens")


def plot_landscape(
    alpha: ArrayLike,
    beta: ArrayLike,
    objective: np.ndarray,
    points: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """An objective over the two exponents, (len(beta), len(alpha)), up to four times its least value."""
    ax = _axes(ax)
    levels = objective.min() * np.geomspace(1, 4, 13)
    drawn = ax.contourf(alpha, beta, objective, levels=levels, cmap=COLORMAP, extend="max")
    ax.figure.colorbar(drawn, ax=ax, label="objective", format="%.2g")
    _mark(ax, points)
    ax.set(xlabel=_LABELS["alpha"], ylabel=_LABELS["beta"])
    return ax


def plot_learning_curves(
    curves: Mapping[str, tuple[pd.DataFrame, str] | tuple[pd.DataFrame, str, Callable[[np.ndarray], ArrayLike]]],
    ax: Axes | None = None,
) -> Axes:
    """Learning curves, loss against examples, on logarithmic axes.

    ``curves`` gives for each label a table with ``examples``, the name of its column and perhaps a law of t:
    points with bars of two standard errors (``<column>_se``), and the law as a line.
    """
    ax = _axes(ax)
    for (label, (table, column, *law)), color, marker in zip(curves.items(), PALETTE, "osD^vP*", strict=False):
        t, bars = table["examples"], 2 * table[f"{column}_se"]
        ax.errorbar(t, table[column], bars, fmt=marker, ms=6, mfc="none", mew=1.5, color=color, label=label)
        for each in law:
            span = np.geomspace(t.min(), t.max(), 100)
            ax.plot(span, each(span), color=color, lw=1.2)
    ax.legend()
    return _log_axes(ax, "examples", "error")


def plot_residuals(fit: Fit, against: str = "flops", ax: Axes | None = None) -> Axes:
    """Residuals of ln loss against a column of the fit's runs."""
    ax = _axes(ax)
    ax.axhline(0, color=_GREY, lw=1)
    ax.plot(fit.runs[against], fit.residuals, "o", ms=4.5, color=PALETTE[0], alpha=0.75)
    _log_axes(ax, against, None)
    ax.set_ylabel(_LABELS["residual"])
    return ax


def plot_bootstrap(boot: Bootstrap, x: str = "alpha", y: str | None = "beta", ax: Axes | None = None) -> Axes:
    """Resampled constants: one against another, or the histogram of one (``y=None``)."""
    ax = _axes(ax)
    samples = boot.samples
    if y is None:
        ax.hist(samples[x], bins=60, color=PALETTE[0])
        ax.set_ylabel("Resamples")
    else:
        ax.plot(samples[x], samples[y], ".", ms=3, alpha=0.3, color=PALETTE[0])
        ax.set_ylabel(_LABELS.get(y, y))
    ax.set_xlabel(_LABELS.get(x, x))
    return ax


def plot_spread(
    boot: Bootstrap, flops: ArrayLike, quantity: str = "params", level: float = 0.95, ax: Axes | None = None
) -> Axes:
    """The runs, and the compute-optimal size (or ``quantity="tokens"``) by budget with its bootstrap interval."""
    ax = _axes(ax)
    runs = boot.fit.runs
    ax.plot(runs["flops"], runs[quantity], ".", color=_GREY, ms=3, label="runs")
    budgets = np.asarray(flops, dtype=float)
    low, high = boot.interval(level, of=lambda law: getattr(compute_optimal(law, budgets[:, None]), quantity).T)
    ax.fill_between(budgets, low, high, color=PALETTE[0], alpha=0.25, lw=0, label=f"{level:.0%} interval")
    ax.plot(budgets, getattr(compute_optimal(boot.fit.law, budgets), quantity), color=PALETTE[0], lw=2, label="fit")
    ax.legend()
    return _log_axes(ax, "budget", quantity)


def _axes(ax: Axes | None) -> Axes:
    return plt.subplots()[1] if ax is None else ax


def _mark(ax: Axes, points: Mapping[str, tuple[ArrayLike, ArrayLike]] | None) -> None:
    for (label, place), marker in zip((points or {}).items(), "oXD*sP", strict=False):
        ax.plot(*place, marker, ms=10, color="white", mec="black", ls="", label=label)
    if points:
        ax.legend()


def _colorbar(ax: Axes, norm: Normalize, name: str) -> None:
    bar = ax.figure.colorbar(plt.cm.ScalarMappable(norm, COLORMAP), ax=ax, label=_LABELS[name])
    _log_axis(bar.ax.yaxis, name, norm.vmin, norm.vmax)


def _log_axes(ax: Axes, x: str, y: str | None) -> Axes:
    """Logarithmic axes with labels and readable ticks; ``y=None`` leaves the y axis alone."""
    ax.set_xscale("log")
    ax.set_xlabel(_LABELS.get(x, x))
    _log_axis(ax.xaxis, x, *ax.get_xlim())
    if y is not None:
        ax.set_yscale("log")
        ax.set_ylabel(_LABELS.get(y, y))
        _log_axis(ax.yaxis, y, *ax.get_ylim())
    return ax


def _log_axis(axis: plt.Axis, name: str, low: float, high: float) -> None:
    """Ticks at powers of ten; more where the axis has fewer than two of them or spans little more than a decade."""
    formatter = {"params": format_count, "tokens": format_count, "examples": format_count}.get(name, format_flops)
    decades, dense = np.log10(high / low), 2.0 if name in ("examples", "error") else 1.5
    if name == "loss":
        axis.set_major_locator(MaxNLocator(7) if decades < 0.7 else LogLocator(subs=np.arange(1, 10)))
        axis.set_major_formatter(ScalarFormatter())
    else:
        powers = np.floor(np.log10(high)) - np.ceil(np.log10(low)) + 1
        subs = (1.0,) if decades > dense and powers > 1 else (1.0, 2.0, 5.0)
        axis.set_major_locator(LogLocator(subs=subs, numticks=12))
        axis.set_major_formatter(FuncFormatter(formatter))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
