"""Approach 1: the lower envelope of training curves, and a line through the sizes that touch it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from .._checks import at_least_zero, whole_number
from .._words import format_count
from ..errors import FitError, FitErrorKind
from ..runs.meter import Meter, find_meter
from .common import sound_runs
from .engine.resamples import Resamples
from .engine.stretching import stretch, words_of_parts
from .frontier import FrontierFit, fit_frontier

__all__ = ["fit_envelope"]


def fit_envelope(curves: pd.DataFrame, *, n_budgets: int = 1500, window: float = 0.0) -> FrontierFit:
    """Find the lowest of many training curves at each of many budgets, and its size: approach 1.

    Each curve is interpolated (linearly in ln flops) at log-spaced budgets; the size of the lowest
    is N_opt, and D_opt = C / (6 N_opt), or what the table's own count of
    compute makes of C. A budget at which the lowest curve belongs to the smallest
    or the largest size that reaches it is left out: the optimum may lie beyond. So are budgets up to
    the last at which the smallest size of all is lowest, and from the first at which the largest is.

    Parameters
    ----------
    curves : DataFrame
        Columns ``run``, ``params``, ``tokens``, ``loss``, one row a logged step. Without ``run``,
        the rows of one size form a curve, so that final losses of many runs serve too.
    n_budgets : int
        Log-spaced budgets over the range that at least three sizes reach (the paper's 1500).
    window : float
        Standard deviation, in logged steps, of a Gaussian that smooths each curve first (the paper
        smooths with a window of 10 steps); 0 for none. The first three windows of a curve are left out.

    Returns
    -------
    FrontierFit
        The lines through the sizes of the lowest curves.

    Raises
    ------
    FitError
        If the table cannot be used, fewer than two budgets are usable, or one size is best at all of them.
    ValueError
        If ``n_budgets`` is below 2 or ``window`` below 0.

    References
    ----------
    Hoffmann et al. 2022 (arXiv:2203.15556), section 3.1.
    """
    n_budgets, window = whole_number("n_budgets", n_budgets, 2), at_least_zero("window", window)
    table = sound_runs(curves)
    meter = find_meter(table)
    if meter.kind == "unknown":
        table["flops"] = meter.flops(table["params"], table["tokens"])
    traces = _traces(table, window)
    if len({size for _, size, *_ in traces}) < 3:
        words = f"{len(traces)} curves of fewer than three sizes: an envelope needs at least three sizes"
        raise FitError(words, FitErrorKind.FEW)
    budgets = _common_budgets(traces, n_budgets)
    log_budgets = np.log(budgets)
    losses = np.array([np.interp(log_budgets, x, y, left=np.inf, right=np.inf) for *_, x, y in traces])
    log_sizes = np.log([size for _, size, *_ in traces])
    everyone = np.ones((1, len(traces)), bool)
    best, usable = _lowest(losses, log_sizes, everyone)
    params = np.exp(log_sizes[best[0]])
    if (winners := np.unique(params[usable[0]])).size == 1:
        words = f"one size, {format_count(winners[0])}, is best wherever smaller and larger ones can be compared"
        raise FitError(f"{words}: a slope needs two, add sizes around it, or longer curves", FitErrorKind.FEW)
    points = pd.DataFrame(
        {
            "budget": budgets,
            "params": params,
            "tokens": budgets / (6 * params),
            "loss": losses[best[0], range(n_budgets)],
            "usable": usable[0],
            "reason": np.where(usable[0], "", "the optimum may lie beyond the smallest or largest size"),
        }
    )
    draw = EnvelopeDraws(losses, log_sizes, log_budgets, [rows for rows, *_ in traces])
    dropped = table.iloc[:0].assign(reason="")
    return fit_frontier(1, points, table, dropped, draw, meter, Metered(meter) if meter.is_own else None)


@dataclass(frozen=True)
class Metered:
    """ln D by a count of compute."""

    meter: Meter

    def __call__(self, log_params: np.ndarray, log_flops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.log(self.meter.tokens_for(np.exp(log_flops), np.exp(log_params))), log_flops


@dataclass(frozen=True)
class EnvelopeDraws:
    """The envelope of curves drawn anew: losses (curves, budgets), what belongs to them in logarithms, their rows."""

    losses: np.ndarray
    log_sizes: np.ndarray
    log_budgets: np.ndarray
    rows: list[np.ndarray]

    def __call__(
        self, n_resamples: int, seed: int, fraction: float | None, scaled: bool
    ) -> tuple[np.ndarray, np.ndarray, str]:
        """ln N at each budget of each resample (NaN where not usable), the budgets' logarithms, and a remark."""
        resamples = Resamples(len(self.log_sizes), n_resamples, seed, fraction)
        log_params = np.concatenate([self.among(counts > 0) for counts in resamples])
        if fraction is None:
            return log_params, self.log_budgets, ""
        factor = stretch(resamples.drawn, resamples.n)
        if scaled:
            centre = self.among(np.ones((1, resamples.n), bool))
            log_params = centre + factor * (log_params - centre)
        return log_params, self.log_budgets, words_of_parts(resamples.drawn, resamples.n, factor, scaled, "curves")

    def under(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """ln N at each budget under weights (B, rows of the table), and the budgets' logarithms."""
        present = np.column_stack([(weights[:, rows] > 0).any(1) for rows in self.rows])
        return self.among(present), self.log_budgets

    def among(self, present: np.ndarray) -> np.ndarray:
        """ln N at each budget from the curves that are ``present`` (B, curves).

        NaN where not usable, and everywhere in a draw in which one size is best at all budgets.
        """
        best, usable = _lowest(self.losses, self.log_sizes, present)
        sizes = np.where(usable, self.log_sizes[best], np.nan)
        with np.errstate(invalid="ignore"):
            several = np.nanmax(sizes, axis=1, initial=-np.inf) > np.nanmin(sizes, axis=1, initial=np.inf)
        return np.where(several[:, None], sizes, np.nan)


def _traces(table: pd.DataFrame, window: float) -> list[tuple[np.ndarray, float, np.ndarray, np.ndarray]]:
    """Rows, size, ln flops and (smoothed) loss of every curve of at least two steps, each in order."""
    curve = pd.factorize(table["run" if "run" in table else "params"])[0]
    size, flops, loss = (table[name].to_numpy() for name in ("params", "flops", "loss"))
    order = np.lexsort((flops, curve))
    order = order[curve[order] >= 0]  # rows without a label belong to no curve
    order = order[(np.diff(curve[order], prepend=-1) > 0) | (np.diff(flops[order], prepend=0.0) > 0)]
    traces = []
    for rows in np.split(order, np.flatnonzero(np.diff(curve[order])) + 1):
        if len(rows) and np.ptp(size[rows]) > 0:
            name = table["run"].iloc[rows[0]]
            raise FitError(f"run {name!r} has {len(np.unique(size[rows]))} sizes; a curve belongs to one")
        x, y = np.log(flops[rows]), loss[rows]
        if window > 0:  # the filter flattens the steep beginning, which is left out
            start = int(min(np.ceil(3 * window), len(x)))
            x, y = x[start:], scipy.ndimage.gaussian_filter1d(y, window)[start:] if start < len(x) else y[start:]
        if len(x) > 1:
            traces.append((rows, float(size[rows[0]]), x, y))
    return traces


def _common_budgets(traces: list[tuple[np.ndarray, float, np.ndarray, np.ndarray]], n_budgets: int) -> np.ndarray:
    """Log-spaced budgets over the range in which at least three sizes are seen."""
    first: dict[float, float] = {}
    last: dict[float, float] = {}
    for _, size, x, _ in traces:
        first[size] = min(first.get(size, np.inf), x[0])
        last[size] = max(last.get(size, -np.inf), x[-1])
    low, high = sorted(first.values())[2], sorted(last.values())[-3]
    if not low < high:
        raise FitError("no budget is reached by three sizes: the curves do not overlap in flops", FitErrorKind.FEW)
    return np.exp(np.linspace(low, high, n_budgets))


def _lowest(losses: np.ndarray, log_sizes: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the lowest curve among those present (B, R) at each budget (B, k), and whether it is interior."""
    none, kind = len(losses), np.min_scalar_type(len(losses))
    reached = np.isfinite(losses)
    absent = np.where(present, 0, none).astype(kind)

    def first(places: np.ndarray) -> np.ndarray:
        """The first place, of ``places`` (R, k) or (R, 1), of a curve that is present and reaches the budget."""
        found = np.full((len(present), losses.shape[1]), none, dtype=kind)
        for curve, at in enumerate(np.where(reached, places, none).astype(kind)):
            np.minimum(found, np.maximum(at, absent[:, curve, None]), out=found)
        return found

    order = np.argsort(losses, axis=0)
    place = first(np.argsort(order, axis=0))
    best = np.where(place < none, np.take_along_axis(order, np.minimum(place, none - 1), axis=0), -1)
    level = np.unique(log_sizes, return_inverse=True)[1].astype(kind)
    top = level.max()
    smallest, largest = first(level[:, None]), top - first((top - level)[:, None])
    size = level[best]
    inside = (best >= 0) & (size > smallest) & (size < largest)
    # up to the last win of the smallest size of all the optimum may be smaller, from the first of the largest, larger
    too_low = (best >= 0) & (size == np.where(present, level, top).min(1)[:, None])
    too_high = (best >= 0) & (size == np.where(present, level, 0).max(1)[:, None])
    below = np.logical_or.accumulate(too_low[:, ::-1], axis=1)[:, ::-1]
    above = np.logical_or.accumulate(too_high, axis=1)
    return best, inside & ~below & ~above
