"""Compute-optimal frontiers without a loss formula: approaches 1 (envelope) and 2 (IsoFLOP)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter1d

from ._resample import resample_counts
from .fit import FitError
from .laws import FrontierLaw, PowerLaw
from .runs import RunsError, check_runs

__all__ = ["FrontierFit", "fit_envelope", "fit_isoflop"]

#: a parabola needs this many sizes; below the second number its residuals are resampled, not its runs
LEAST_SIZES, CASE_SIZES = 4, 6
#: runs whose budgets differ by less than this factor belong to one IsoFLOP group
GAP = 1.2


class _Sampler(Protocol):
    def __call__(self, n_resamples: int, seed: int, fraction: float | None) -> tuple[np.ndarray, np.ndarray, str]: ...


@dataclass(frozen=True, repr=False)
class FrontierFit:
    """Optimal sizes and token counts as power laws of the budget, and the points they rest on.

    Attributes
    ----------
    law : FrontierLaw
        N_opt = k_N C^a and D_opt = k_D C^b, each by least squares of logarithms over the usable points.
    approach : int
        1 (envelope of training curves) or 2 (IsoFLOP parabolas).
    points : DataFrame
        One row a budget: ``budget``, ``params``, ``tokens``, ``loss``, ``usable`` and, where not
        usable, the ``reason``. Approach 2 adds ``n_sizes``, ``curvature`` and the parabola's
        ``c0``, ``c1``, ``c2`` in ln N.
    runs, dropped : DataFrame
        The rows used, and those left out with a ``reason``.
    """

    law: FrontierLaw
    approach: int
    points: pd.DataFrame
    runs: pd.DataFrame
    dropped: pd.DataFrame
    _sampler: _Sampler = field(compare=False)

    @property
    def a(self) -> float:
        """Exponent of the optimal size, N_opt ∝ C^a."""
        return float(self.law.a)

    @property
    def b(self) -> float:
        """Exponent of the optimal token count, D_opt ∝ C^b."""
        return float(self.law.b)

    def resample(
        self, n_resamples: int, seed: int, fraction: float | None = None
    ) -> tuple[pd.DataFrame, FrontierLaw, str]:
        """Constants, law and a remark from resampled runs (see :func:`scaling.bootstrap`)."""
        log_params, log_flops, note = self._sampler(n_resamples, seed, fraction)
        intercept, slope = _lines(log_flops, log_params)
        law = _frontier(intercept, slope)
        samples = pd.DataFrame(
            {"k_N": law.params.coefficient, "a": slope, "k_D": law.tokens.coefficient, "b": 1 - slope}
        )
        return samples, law, note

    def __repr__(self) -> str:
        usable = int(self.points["usable"].sum())
        lines = [
            f"Approach {self.approach}: N_opt = {self.law.params.coefficient:.4g} C^{self.a:.4f}, "
            f"D_opt = {self.law.tokens.coefficient:.4g} C^{self.b:.4f}",
            f"  {usable} of {len(self.points)} budgets usable; {len(self.runs)} rows used, "
            f"{len(self.dropped)} left out",
        ]
        reasons = self.points.loc[~self.points["usable"], "reason"].value_counts()
        return "\n".join(lines + [f"  {count} left out: {reason}" for reason, count in reasons.items()])

    def _repr_html_(self) -> str:
        head, *rest = repr(self).splitlines()
        return f"<p>{head}</p><ul>" + "".join(f"<li>{line.strip()}</li>" for line in rest) + "</ul>"


def _lines(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares intercepts and slopes of y (B, k) on x (k,) or (B, k), ignoring NaN; NaN below two points."""
    seen = np.isfinite(y)
    count = seen.sum(-1)
    x = np.where(seen, x, 0.0)
    y = np.where(seen, y, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        x_mean, y_mean = x.sum(-1) / count, y.sum(-1) / count
        dx = np.where(seen, x - x_mean[..., None], 0.0)
        spread = (dx**2).sum(-1)
        slope = np.where((count > 1) & (spread > 0), (dx * y).sum(-1) / spread, np.nan)
    return y_mean - slope * x_mean, slope


def _frontier(intercept: np.ndarray, slope: np.ndarray) -> FrontierLaw:
    """The frontier with N_opt = exp(intercept) C^slope and D_opt = C / (6 N_opt)."""
    return FrontierLaw(
        PowerLaw(np.exp(intercept)[()], slope[()]), PowerLaw((np.exp(-intercept) / 6)[()], (1 - slope)[()])
    )


def _fitted(
    approach: int, points: pd.DataFrame, runs: pd.DataFrame, dropped: pd.DataFrame, sampler: _Sampler
) -> FrontierFit:
    good = points[points["usable"]]
    if good["budget"].nunique() < 2:
        reasons = "; ".join(f"{r.budget:.3g}: {r.reason}" for r in points[~points["usable"]].head(8).itertuples())
        hint = "; name the budgets with budgets=[...]" if approach == 2 else ""
        raise FitError(f"{len(good)} usable budgets, at least two are needed for a slope ({reasons}){hint}")
    intercept, slope = _lines(np.log(good["budget"].to_numpy()), np.log(good["params"].to_numpy())[None])
    return FrontierFit(_frontier(intercept[0], slope[0]), approach, points, runs, dropped, sampler)


def _table(runs: pd.DataFrame) -> pd.DataFrame:
    try:
        return check_runs(runs)
    except RunsError as error:
        raise FitError(str(error)) from error


# --- approach 2 ------------------------------------------------------------------------------


def _budgets(table: pd.DataFrame, budgets: ArrayLike | None, tolerance: float) -> np.ndarray:
    """The nominal budget of each row, NaN where it belongs to none."""
    if budgets is not None:
        nominal = np.sort(np.asarray(budgets, dtype=float))
        distance = np.abs(np.log(table["flops"].to_numpy()[:, None] / nominal))
        nearest = distance.argmin(1)
        return np.where(distance.min(1) <= np.log1p(tolerance), nominal[nearest], np.nan)
    if "budget" in table and table["budget"].notna().any():
        return table["budget"].to_numpy(float)
    flops = table["flops"].to_numpy()
    order = np.argsort(flops)
    group = np.empty(len(flops), int)
    group[order] = np.concatenate([[0], np.cumsum(np.diff(np.log(flops[order])) > np.log(GAP))])
    means = np.exp(np.bincount(group, np.log(flops)) / np.bincount(group))
    return means[group]


def _parabola(u: np.ndarray, loss: np.ndarray) -> tuple[np.ndarray, str]:
    """Coefficients (c0, c1, c2) of least squares in u = ln N, and why its minimum is no use ('' if it is)."""
    if len(np.unique(u)) < LEAST_SIZES:
        return np.full(3, np.nan), f"{len(np.unique(u))} distinct sizes, at least {LEAST_SIZES} are needed"
    c2, c1, c0 = np.polyfit(u - u.mean(), loss, 2)
    lowest = -c1 / (2 * c2) if c2 != 0 else np.nan
    centred = np.array([c0 - c1 * u.mean() + c2 * u.mean() ** 2, c1 - 2 * c2 * u.mean(), c2])
    if not c2 > 0:
        return centred, "the parabola opens downwards"
    if not np.ptp(u) > 0 or not u.min() < lowest + u.mean() < u.max():
        return centred, "the minimum lies outside the sizes tried"
    return centred, ""


def fit_isoflop(runs: pd.DataFrame, budgets: ArrayLike | None = None, tolerance: float = 0.1) -> FrontierFit:
    """Approach 2: a parabola of the loss in ln N at each budget; a line through the minima.

    At each budget C the least-squares parabola L = c0 + c1 ln N + c2 (ln N)^2 has its minimum at
    N_opt = exp(-c1 / 2 c2); D_opt = C / (6 N_opt). A minimum counts only if the parabola opens
    upwards and the minimum lies inside the sizes tried; otherwise the budget is named and left out.

    Parameters
    ----------
    runs : DataFrame
        As :func:`~scaling.load_runs` returns, with at least four sizes a budget.
    budgets : array, optional
        Nominal budgets in FLOPs; each run joins the nearest within ``tolerance`` (relative), the
        others are left out. By default the column ``budget``, or, without one, groups of runs
        whose ``flops`` follow each other by factors below 1.2.
    tolerance : float
        See ``budgets``.

    Returns
    -------
    FrontierFit

    Raises
    ------
    FitError
        If the table cannot be used, or fewer than two budgets have a usable minimum.

    References
    ----------
    Hoffmann et al. 2022 (arXiv:2203.15556), section 3.2. Its bias on asymmetric or off-centre
    grids: Czech et al. 2026 (arXiv:2603.22339).
    """
    table = _table(runs)
    nominal = _budgets(table, budgets, tolerance)
    alone = np.isnan(nominal)
    used = table[~alone].assign(budget=nominal[~alone])
    dropped = table[alone].assign(reason="belongs to no budget")
    rows = []
    for budget, group in used.groupby("budget", sort=True):
        u, loss = np.log(group["params"].to_numpy()), group["loss"].to_numpy()
        (c0, c1, c2), reason = _parabola(u, loss)
        size = np.exp(-c1 / (2 * c2)) if not reason else np.nan
        rows.append(
            {
                "budget": budget,
                "params": size,
                "tokens": budget / (6 * size),
                "loss": c0 - c1**2 / (4 * c2) if not reason else np.nan,
                "usable": not reason,
                "reason": reason,
                "n_sizes": len(np.unique(u)),
                "curvature": 2 * c2,
                "c0": c0,
                "c1": c1,
                "c2": c2,
            }
        )
    columns = ["budget", "params", "tokens", "loss", "usable", "reason", "n_sizes", "curvature", "c0", "c1", "c2"]
    points = pd.DataFrame(rows, columns=columns).astype({"usable": bool})
    groups = [(np.log(g["params"].to_numpy()), g["loss"].to_numpy()) for _, g in used.groupby("budget", sort=True)]
    groups = [g for g, n in zip(groups, points["n_sizes"], strict=True) if n >= LEAST_SIZES]
    at = points.loc[points["n_sizes"] >= LEAST_SIZES, "budget"].to_numpy()

    def sampler(n_resamples: int, seed: int, fraction: float | None) -> tuple[np.ndarray, np.ndarray, str]:
        rng = np.random.default_rng(seed)
        minima, redrawn, drawn = [], 0, 0
        for u, loss in groups:
            column, extra = _resampled_minima(rng, u, loss, n_resamples, fraction)
            minima.append(column)
            redrawn, drawn = redrawn + extra, drawn + n_resamples
        note = f"{redrawn / (drawn + redrawn):.1%} of the draws had fewer than {LEAST_SIZES} sizes and were redrawn"
        return np.column_stack(minima), np.log(at), note if redrawn else ""

    return _fitted(2, points, used.reset_index(drop=True), dropped, sampler)


def _resampled_minima(
    rng: np.random.Generator, u: np.ndarray, loss: np.ndarray, n_resamples: int, fraction: float | None
) -> tuple[np.ndarray, int]:
    """ln N at the minimum of each resampled parabola (NaN where unusable), and the draws thrown away."""
    n, centre = len(u), u.mean()
    x = u - centre
    powers = x[:, None] ** np.arange(5)
    sizes, redrawn = np.unique(u, return_inverse=True)[1], 0
    if len(np.unique(u)) < CASE_SIZES and fraction is None:
        design = powers[:, :3]
        fitted = design @ np.linalg.lstsq(design, loss, rcond=None)[0]
        noise = (loss - fitted) * np.sqrt(n / max(n - 3, 1))
        drawn = fitted + noise[rng.integers(0, n, (n_resamples, n))]
        c = drawn @ np.linalg.pinv(design).T
        low, high = x.min(), x.max()
    else:
        counts = np.empty((n_resamples, n))
        for row in counts:
            while True:
                if fraction is None:
                    row[:] = np.bincount(rng.integers(0, n, n), minlength=n)
                else:
                    row[:] = 0
                    row[rng.choice(n, max(LEAST_SIZES, round(fraction * n)), replace=False)] = 1
                if len(np.unique(sizes[row > 0])) >= LEAST_SIZES:
                    break
                redrawn += 1
        moments, targets = counts @ powers, counts @ (powers[:, :3] * loss[:, None])
        gram = moments[:, np.add.outer(range(3), range(3))]
        c = np.linalg.solve(gram, targets[:, :, None])[:, :, 0]
        low = np.where(counts > 0, x, np.inf).min(1)
        high = np.where(counts > 0, x, -np.inf).max(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        lowest = -c[:, 1] / (2 * c[:, 2])
    good = (c[:, 2] > 0) & (lowest > low) & (lowest < high)
    return np.where(good, lowest + centre, np.nan), redrawn


# --- approach 1 ------------------------------------------------------------------------------


def fit_envelope(curves: pd.DataFrame, n_budgets: int = 1500, window: float = 0.0) -> FrontierFit:
    """Approach 1: at each of many budgets, which training curve is lowest, and what is its size?

    Each curve is interpolated (linearly in ln flops) at log-spaced budgets; the size of the lowest
    is N_opt, and D_opt = C / (6 N_opt). A budget at which the lowest curve belongs to the smallest
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

    Raises
    ------
    FitError
        If the table cannot be used, or fewer than two budgets are usable.

    References
    ----------
    Hoffmann et al. 2022 (arXiv:2203.15556), section 3.1.
    """
    if n_budgets < 2:
        raise ValueError(f"n_budgets must be at least 2, got {n_budgets}")
    table = _table(curves)
    key = "run" if "run" in table else "params"
    traces = [_trace(group, window) for _, group in table.groupby(key, sort=True)]
    traces = [trace for trace in traces if len(trace[1]) > 1]
    if len({size for size, *_ in traces}) < 3:
        raise FitError(f"{len(traces)} curves of fewer than three sizes: an envelope needs at least three sizes")
    budgets = _common_budgets(traces, n_budgets)
    log_budgets = np.log(budgets)
    losses = np.array([np.interp(log_budgets, x, y, left=np.inf, right=np.inf) for _, x, y in traces])
    log_sizes = np.log([size for size, *_ in traces])
    everyone = np.ones((1, len(traces)), bool)
    best, usable = _lowest(losses, log_sizes, everyone)
    params = np.exp(log_sizes[best[0]])
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

    def sampler(n_resamples: int, seed: int, fraction: float | None) -> tuple[np.ndarray, np.ndarray, str]:
        out = []
        for counts in resample_counts(len(traces), n_resamples, seed, fraction):
            best, usable = _lowest(losses, log_sizes, counts > 0)
            out.append(np.where(usable, log_sizes[best], np.nan))
        return np.concatenate(out), log_budgets, ""

    return _fitted(1, points, table, table.iloc[:0].assign(reason=""), sampler)


def _trace(group: pd.DataFrame, window: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Size, ln flops and (smoothed) loss of one curve, in order."""
    sizes = group["params"].unique()
    if len(sizes) > 1:
        raise FitError(f"run {group['run'].iloc[0]!r} has {len(sizes)} sizes; a curve belongs to one")
    group = group.sort_values("flops").drop_duplicates("flops")
    loss = group["loss"].to_numpy()
    x = np.log(group["flops"].to_numpy())
    if window > 0:  # the filter flattens the steep beginning, which is left out
        start = int(np.ceil(3 * window))
        x, loss = x[start:], gaussian_filter1d(loss, window)[start:]
    return float(sizes[0]), x, loss


def _common_budgets(traces: list[tuple[float, np.ndarray, np.ndarray]], n_budgets: int) -> np.ndarray:
    """Log-spaced budgets over the range in which at least three sizes are seen."""
    first: dict[float, float] = {}
    last: dict[float, float] = {}
    for size, x, _ in traces:
        first[size] = min(first.get(size, np.inf), x[0])
        last[size] = max(last.get(size, -np.inf), x[-1])
    low, high = sorted(first.values())[2], sorted(last.values())[-3]
    if not low < high:
        raise FitError("no budget is reached by three sizes: the curves do not overlap in flops")
    return np.exp(np.linspace(low, high, n_budgets))


def _lowest(losses: np.ndarray, log_sizes: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the lowest curve among those present (B, R) at each budget (B, k), and whether it is interior."""

    def first(order: np.ndarray) -> np.ndarray:
        """The first curve in ``order`` (R, k) that is present and reaches the budget, or -1."""
        found = np.full((len(present), losses.shape[1]), -1)
        for rank in order:
            hit = (found < 0) & present[:, rank] & np.isfinite(losses[rank, range(losses.shape[1])])
            found = np.where(hit, rank, found)
        return found

    best = first(np.argsort(losses, axis=0))
    by_size = np.repeat(np.argsort(log_sizes)[:, None], losses.shape[1], axis=1)
    smallest, largest = first(by_size), first(by_size[::-1])
    inside = (best >= 0) & (log_sizes[best] > log_sizes[smallest]) & (log_sizes[best] < log_sizes[largest])
    # up to the last win of the smallest size of all the optimum may be smaller, from the first of the largest, larger
    sizes = np.where(present, log_sizes, np.nan)
    too_low = (best >= 0) & (log_sizes[best] == np.nanmin(sizes, axis=1)[:, None])
    too_high = (best >= 0) & (log_sizes[best] == np.nanmax(sizes, axis=1)[:, None])
    below = np.logical_or.accumulate(too_low[:, ::-1], axis=1)[:, ::-1]
    above = np.logical_or.accumulate(too_high, axis=1)
    return best, inside & ~below & ~above
