"""Approach 2: a parabola of the loss in ln N at each budget, a line through the minima, and its bias."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import number, within
from ..runs.budgets import GAP, TOLERANCE, find_budgets
from ..runs.curves import last_rows
from ..runs.meter import Meter, find_meter
from .common import EARLIER, sound_runs
from .engine.newton import solve_definite
from .engine.resamples import draw_counts, draw_parts
from .engine.stretching import stretch, words_of_parts
from .frontier import FrontierFit, fit_frontier

__all__ = ["fit_isoflop"]


#: a parabola needs this many sizes; below the second number its residuals are resampled, not its runs
LEAST_SIZES, CASE_SIZES = 4, 6
#: rounds in which a window settles, or does not
MOST_ROUNDS = 20
#: a parabola whose height is below this share of the loss is rounding
FLAT = 1e-12


def _parabola(u: np.ndarray, loss: np.ndarray) -> tuple[np.ndarray, str]:
    """Coefficients (c0, c1, c2) of least squares in u = ln N, and why its minimum is no use ('' if it is)."""
    if len(np.unique(u)) < LEAST_SIZES:
        few = len(np.unique(u))
        return np.full(3, np.nan), f"{few} distinct size{'s' * (few != 1)}, at least {LEAST_SIZES} are needed"
    c2, c1, c0 = np.polyfit(u - u.mean(), loss, 2)
    lowest = -c1 / (2 * c2) if c2 != 0 else np.nan
    centred = np.array([c0 - c1 * u.mean() + c2 * u.mean() ** 2, c1 - 2 * c2 * u.mean(), c2])
    if abs(c2) * np.ptp(u) ** 2 <= FLAT * np.abs(loss).max():
        return centred, "the loss does not change with the size"
    if not c2 > 0:
        return centred, "the parabola opens downwards"
    if not np.ptp(u) > 0 or not u.min() < lowest + u.mean() < u.max():
        return centred, "the minimum lies outside the sizes tried"
    return centred, ""


def fit_isoflop(
    runs: pd.DataFrame,
    *,
    budgets: ArrayLike | None = None,
    tolerance: float = TOLERANCE,
    window: float | None = None,
) -> FrontierFit:
    """Fit a parabola of the loss in ln N at each budget, and a line through the minima: approach 2.

    At each budget C the least-squares parabola L = c0 + c1 ln N + c2 (ln N)^2 has its minimum at
    N_opt = exp(-c1 / 2 c2); D_opt = C / (6 N_opt). Where the budgets are not counted as 6 N D, D_opt is measured from
    the tokens of the budget's runs: C / 6 N D is interpolated, in logarithms, in ln N; and where they are no function
    of size and tokens, C is 6 N_opt D_opt. A minimum counts only if the parabola opens
    upwards and the minimum lies inside the sizes tried; otherwise the budget is named and left out.

    Parameters
    ----------
    runs : DataFrame
        As :func:`~scaling.runs.load_runs` returns, with at least four sizes a budget. Where a ``run`` has several rows,
        the last of each run is used, since a run cut short is not what a run of that length would have reached.
    budgets : array (n_budgets,), optional
        Nominal budgets in FLOPs; each run joins the nearest within ``tolerance`` (relative), the
        others are left out. By default the column ``budget``, or, without one, groups of runs
        whose ``flops`` follow each other by factors below 1.2; a chain of them that spans more than
        a factor of 1.5 is left out.
    tolerance : float
        See ``budgets``.
    window : float, optional
        Of each budget use only the sizes within this factor of its minimum, either way: the parabola is moved until
        the sizes around its minimum are those that it was fitted to. A loss is no parabola far from its minimum, and
        leans (:func:`~scaling.fit.parabola_bias`); the window is chosen on the table, once, and the intervals do not
        know of that choice.

    Returns
    -------
    FrontierFit
        The lines through the minima.

    Raises
    ------
    FitError
        If the table cannot be used, or fewer than two budgets have a usable minimum.
    ValueError
        If ``budgets`` is not a list of positive finite numbers, ``tolerance`` is negative, or ``window`` is not larger
        than 1.

    References
    ----------
    Hoffmann et al. 2022 (arXiv:2203.15556), section 3.2. Its bias on asymmetric or off-centre
    grids: Czech et al. 2026 (arXiv:2603.22339), :func:`~scaling.fit.parabola_bias`.
    """
    table = sound_runs(runs)
    last = last_rows(table)
    nominal = np.full(len(table), np.nan)
    nominal[last] = find_budgets(table[last], budgets, tolerance)
    alone = np.isnan(nominal)
    used = table[~alone].assign(budget=nominal[~alone])
    dropped = table[alone].assign(reason=np.where(last, "belongs to no budget", EARLIER)[alone])
    every = np.unique(nominal[~alone])
    if window is not None:
        (width,) = within("larger than 1", lambda x: x > 1, window=number("window", window))
        used, outside = _windowed(used, float(width))
        dropped = pd.concat([dropped, outside]) if len(outside) else dropped
    used = used.reset_index(drop=True)
    plain, rows = pd.DataFrame(used, copy=False), []  # without the notes, which pandas copies with each group
    for budget in every:
        group = plain[plain["budget"] == budget]
        u, loss = np.log(group["params"].to_numpy()), group["loss"].to_numpy()
        (c0, c1, c2), reason = _parabola(u, loss)
        if window is not None and len(np.unique(u)) < LEAST_SIZES:
            reason += f" within a factor of {window:g} of the minimum: widen the window"
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
    large = [g for _, g in plain.groupby("budget", sort=True) if g["params"].nunique() >= LEAST_SIZES]
    groups = [(np.log(g["params"].to_numpy()), g["loss"].to_numpy()) for g in large]
    at = np.log([g["budget"].iloc[0] for g in large])
    draws = ParabolaDraws(groups, at, [g.index.to_numpy() for g in large])
    meter = find_meter(used, "budget")
    if meter.kind == "6ND" or (meter.kind == "unknown" and meter.spread < np.log(GAP)):
        return fit_frontier(2, points, used, dropped, draws, Meter(), None)
    return fit_frontier(2, points, used, dropped, draws, meter, Measured.of(used, meter.kind == "unknown"))


def _windowed(used: pd.DataFrame, window: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows within a factor of the minimum of their budget, and the others with the reason.

    A budget whose minimum lies outside its sizes is left as it is: there is nothing to be near to.
    """
    near = np.ones(len(used), bool)
    for rows in used.groupby("budget", sort=True).indices.values():
        group = used.iloc[rows]
        near[rows] = _near(np.log(group["params"].to_numpy()), group["loss"].to_numpy(), np.log(window))
    outside = used[~near].assign(reason=f"not within a factor of {window:g} of the minimum of its budget")
    return used[near], outside


def _near(u: np.ndarray, loss: np.ndarray, width: float) -> np.ndarray:
    """(n,): which sizes lie within ``width`` of the minimum of the parabola through just these."""
    near = np.ones(len(u), bool)
    for _ in range(MOST_ROUNDS):
        (_, c1, c2), reason = _parabola(u[near], loss[near])
        if reason:
            break
        moved = np.abs(u + c1 / (2 * c2)) <= width
        if (moved == near).all():
            break
        near = moved
    return near


@dataclass(frozen=True)
class Measured:
    """ln D of the runs of each budget: ln C - ln 6 ND interpolated in ln N, and whether C is to be 6 N D of it."""

    log_budgets: np.ndarray
    rates: list[tuple[np.ndarray, np.ndarray]]
    by_6nd: bool

    @classmethod
    def of(cls, runs: pd.DataFrame, by_6nd: bool) -> Measured:
        """From runs with their ``budget``."""
        table = runs.assign(
            x=np.log(runs["params"]), rate=np.log(runs["budget"] / (6 * runs["params"] * runs["tokens"]))
        )
        means = [(C, group.groupby("x")["rate"].mean()) for C, group in table.groupby("budget")]
        rates = [(mean.index.to_numpy(), mean.to_numpy()) for _, mean in means]
        return cls(np.log([C for C, _ in means]), rates, by_6nd)

    def __call__(self, log_params: np.ndarray, log_flops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rate = np.empty(log_params.shape)
        for k, log_c in enumerate(log_flops):
            place = int(np.abs(self.log_budgets - log_c).argmin())
            rate[:, k] = np.interp(log_params[:, k], *self.rates[place])
        log_tokens = log_flops - np.log(6.0) - log_params - rate
        return log_tokens, np.log(6.0) + log_params + log_tokens if self.by_6nd else log_flops


@dataclass(frozen=True)
class ParabolaDraws:
    """Parabolas through runs drawn anew within each budget: (ln N, loss) of each, the budgets' logarithms, the rows."""

    groups: list[tuple[np.ndarray, np.ndarray]]
    log_budgets: np.ndarray
    rows: list[np.ndarray]

    @property
    def draws_runs(self) -> bool:
        """Whether every budget has sizes enough for its runs to be drawn, instead of the residuals of its parabola."""
        return all(len(np.unique(u)) >= CASE_SIZES for u, _ in self.groups)

    def draw(self, rng: np.random.Generator, size: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Rows of each budget, and how often each is drawn, (size, rows)."""
        return [
            (rows, _enough_sizes(rng, u, size, None)[0]) for rows, (u, _) in zip(self.rows, self.groups, strict=True)
        ]

    def under(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """ln N at the minima under weights (B, rows of the table), and the budgets' logarithms."""
        each = zip(self.rows, self.groups, strict=True)
        return np.column_stack([_minima(u, loss, weights[:, rows]) for rows, (u, loss) in each]), self.log_budgets

    def __call__(
        self, n_resamples: int, seed: int, fraction: float | None, scaled: bool
    ) -> tuple[np.ndarray, np.ndarray, str]:
        """ln N at the minima (resamples, budgets), NaN where not usable, the budgets' logarithms, and a remark."""
        rng = np.random.default_rng(seed)
        minima, redrawn = [], 0
        for u, loss in self.groups:
            column, extra = _resampled_minima(rng, u, loss, n_resamples, fraction)
            if fraction is not None and scaled:
                column = _stretched_minima(column, u, loss, fraction)
            minima.append(column)
            redrawn += extra
        share = redrawn / (len(self.groups) * n_resamples + redrawn)
        notes = [f"{share:.1%} of the draws had fewer than {LEAST_SIZES} sizes and were redrawn"] if redrawn else []
        if fraction is not None:
            n, drawn = sum(len(u) for u, _ in self.groups), sum(_drawn(len(u), fraction) for u, _ in self.groups)
            notes.append(words_of_parts(drawn, n, stretch(drawn, n), scaled))
        return np.column_stack(minima), self.log_budgets, "; ".join(notes)


def _drawn(n: int, fraction: float) -> int:
    """How many of the runs of one budget are drawn as a share of them."""
    return max(LEAST_SIZES, round(fraction * n))


def _stretched_minima(minima: np.ndarray, u: np.ndarray, loss: np.ndarray, fraction: float) -> np.ndarray:
    """Minima of parabolas through a part of the runs, as far from that through all as those of the whole would be."""
    (_, c1, c2), reason = _parabola(u, loss)
    centre = np.nan if reason else -c1 / (2 * c2)
    return centre + stretch(_drawn(len(u), fraction), len(u)) * (minima - centre)


def _resampled_minima(
    rng: np.random.Generator, u: np.ndarray, loss: np.ndarray, n_resamples: int, fraction: float | None
) -> tuple[np.ndarray, int]:
    """ln N at the minimum of each resampled parabola (NaN where unusable), and the draws thrown away."""
    if len(np.unique(u)) >= CASE_SIZES or fraction is not None:
        counts, redrawn = _enough_sizes(rng, u, n_resamples, fraction)
        return _minima(u, loss, counts), redrawn
    n, x, _, _ = len(u), *_standard(u)
    design = x[:, None] ** np.arange(3)
    fitted = design @ np.linalg.lstsq(design, loss, rcond=None)[0]
    noise = (loss - fitted) * np.sqrt(n / max(n - 3, 1))
    drawn = fitted + noise[rng.integers(0, n, (n_resamples, n))]
    return _lowest(u, drawn @ np.linalg.pinv(design).T, x.min(), x.max()), 0


def _standard(u: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Sizes from -1 to 1, and the width and the centre that lead back."""
    centre = float(u.mean())
    width = float(np.abs(u - centre).max())
    return (u - centre) / width, width, centre


def _minima(u: np.ndarray, loss: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """ln N at the minimum of the parabola through runs under each row of ``counts`` (B, n); NaN where unusable."""
    x = _standard(u)[0]
    powers = x[:, None] ** np.arange(5)
    moments = counts @ np.column_stack([powers, powers[:, :3] * loss[:, None]])
    c = solve_definite(moments[:, np.add.outer(range(3), range(3))], moments[:, 5:])[0]
    order = np.argsort(x)
    drawn = counts[:, order] > 0
    return _lowest(u, c, x[order][drawn.argmax(1)], x[order[::-1]][drawn[:, ::-1].argmax(1)])


def _lowest(u: np.ndarray, c: np.ndarray, low: np.ndarray | float, high: np.ndarray | float) -> np.ndarray:
    """ln N at the minima of parabolas (B, 3) in standard sizes, NaN where they open downwards or lie outside."""
    _, width, centre = _standard(u)
    with np.errstate(divide="ignore", invalid="ignore"):
        lowest = -c[:, 1] / (2 * c[:, 2])
    good = (c[:, 2] > 0) & (lowest > low) & (lowest < high)
    return np.where(good, lowest * width + centre, np.nan)


def _enough_sizes(
    rng: np.random.Generator, u: np.ndarray, n_resamples: int, fraction: float | None
) -> tuple[np.ndarray, int]:
    """How often each run is drawn, (resamples, n), in draws of sizes enough, and how many draws were thrown away."""
    n = len(u)
    size_of = (u[:, None] == np.unique(u)).astype(float)
    kept, missing, drawn = [], n_resamples, 0
    while missing:
        part = None if fraction is None else _drawn(n, fraction)
        counts = draw_counts(rng, n, missing) if part is None else draw_parts(rng, n, missing, part)
        drawn += missing
        counts = counts[np.count_nonzero(counts @ size_of, axis=1) >= LEAST_SIZES]
        kept.append(counts)
        missing -= len(counts)
    return np.concatenate(kept), drawn - n_resamples
