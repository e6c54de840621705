"""Does a law extrapolate? Fitted to the cheapest budgets, asked about larger ones, its intervals put to the test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import proper_share, whole_number
from ..errors import FitError, FitErrorKind
from ..fit.common import sound_runs
from ..fit.isoflop import LEAST_SIZES
from ..laws.chinchilla import ChinchillaLaw
from ..optimum.allocation import compute_optimal
from ..runs.budgets import find_budgets
from ..runs.curves import last_points
from ..simulate import simulate_runs
from ..uncertainty.intervals import percentiles
from ..uncertainty.prediction import noise_of
from ..uncertainty.resampling import LEAST_RUNS, Bootstrap, bootstrap
from .held_out import Holdout, holdout

__all__ = ["audit_coverage", "extrapolation_audit"]


#: where a table without groups of equal compute is cut: shares of its runs
CUT_SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
#: groups of equal compute count where they hold this share of the runs: a few arise by chance in any table
IN_GROUPS = 2 / 3
#: most cuts of a table with many groups
MOST_CUTS = 12


def extrapolation_audit(
    runs: pd.DataFrame,
    budgets: ArrayLike | None = None,
    level: float = 0.95,
    n_resamples: int = 200,
    seed: int = 0,
    **options: Any,
) -> pd.DataFrame:
    """Fit the runs of the cheapest k budgets and predict all larger ones, for every k.

    The intervals are for single runs: predictions of the resampled laws, each with a residual of the fit drawn on
    top (widened by the square root of n over n less the number of constants). ``observed`` and ``predicted`` are
    geometric means over the runs of the largest budget, with an interval made in the same way.

    Parameters
    ----------
    runs : DataFrame
        As for :func:`~scaling.fit.fit_parametric`; where a ``run`` has several rows, its last one counts, as for
        :func:`~scaling.diagnostics.holdout`. Groups of equal compute are found as
        :func:`~scaling.fit.fit_isoflop` finds them, and count from four runs on. A table with fewer than three, or with
        less than two thirds of its runs in them, is cut by its compute at 30 %, 40 %, ... 90 % of its runs.
    budgets : array (n_budgets,), optional
        Nominal budgets, as for :func:`~scaling.fit.fit_isoflop`.
    level : float
        Of the intervals; see :func:`~scaling.uncertainty.bootstrap`.
    n_resamples, seed : int
        Number of resamples, and what they are drawn with.
    **options
        Passed to :func:`~scaling.diagnostics.holdout`: ``rows="all"`` fits all rows of the cheaper runs and draws whole
        runs; others go on to :func:`~scaling.fit.fit_parametric`.

    Returns
    -------
    DataFrame
        One row a cut: ``n_budgets`` fitted (missing in a table without groups), ``cut`` (compute of the most
        expensive fitted run, FLOP), ``reach`` (that of the most expensive run over it), ``n_fitted``,
        ``n_predicted``, ``status``, ``rms``, ``bias`` and ``worst`` of ln predicted − ln observed, ``observed``,
        ``predicted``, ``low``, ``high``, and ``coverage``, the share of the predicted runs inside their intervals. NaN
        where the fit is not identified or too small to bootstrap.

    Raises
    ------
    FitError
        If the table cannot be used at all, or no cut leaves runs on both sides.
    ValueError
        If ``level`` or ``n_resamples`` is out of its range.
    """
    proper_share("level", level)
    table = sound_runs(runs)
    rows = []
    for number, cut, split in _splits(table, budgets, options):
        last = _at_largest_budget(split)
        observed, predicted = np.log(split.tested[["loss", "predicted"]].to_numpy(float)).T
        known = split.fit.status != "not_identified"
        error = predicted - observed if known else np.full(len(observed), np.nan)
        row = {"n_budgets": number, "cut": cut, "reach": table["flops"].max() / cut}
        row |= {"n_fitted": split.fit.n_runs, "n_predicted": len(observed), "status": split.fit.status}
        row |= {"rms": np.sqrt(np.mean(error**2)), "bias": error.mean(), "worst": np.abs(error).max()}
        row |= {"observed": np.exp(observed[last].mean()), "predicted": np.exp((error + observed)[last].mean())}
        row |= {"low": np.nan, "high": np.nan, "coverage": np.nan}
        if known and split.fit.n_runs >= LEAST_RUNS:
            draws = _predictions(bootstrap(split.fit, n_resamples, seed), split.tested, seed)
            row["coverage"] = _share_inside(draws, level, predicted, observed)
            mean = percentiles(draws[:, last].mean(1), level, predicted[last].mean())
            row["low"], row["high"] = np.exp(mean.low), np.exp(mean.high)
        rows.append(row)
    return pd.DataFrame(rows).astype({"n_budgets": "Int64"})


def find_cuts(table: pd.DataFrame, budgets: ArrayLike | None) -> list[tuple[int | None, float]]:
    """How many budgets lie at or below each cut (None without groups), and the largest compute that is still fitted."""
    nominal = find_budgets(table, budgets).to_numpy()
    groups = table["flops"].groupby(nominal).agg(["size", "max"]).sort_index()
    groups = groups[groups["size"] >= LEAST_SIZES]
    ends = groups["max"].to_numpy()
    if len(ends) < 3 or groups["size"].sum() < IN_GROUPS * len(table):
        edges: Iterable[float] = np.unique(np.quantile(table["flops"], CUT_SHARES, method="lower"))
        return [(None, float(edge)) for edge in edges if edge < table["flops"].max()]
    chosen = np.unique(np.linspace(0, len(ends) - 2, min(MOST_CUTS, len(ends) - 1)).round().astype(int))
    return [(int(k) + 1, float(ends[k])) for k in chosen]


def _splits(
    table: pd.DataFrame, budgets: ArrayLike | None, options: dict[str, Any]
) -> Iterator[tuple[int | None, float, Holdout]]:
    cuts = find_cuts(last_points(table), budgets)
    if not cuts:
        words = "all runs have the same compute: there is nothing cheaper to fit and more expensive to predict"
        raise FitError(words, FitErrorKind.FEW)
    for number, cut in cuts:
        yield number, cut, holdout(table, above=cut, **options)


def _at_largest_budget(split: Holdout) -> np.ndarray:
    """Which held-out runs belong to the largest budget (within ten per cent)."""
    flops = split.tested["flops"].to_numpy()
    return flops >= flops.max() / 1.1


def _share_inside(draws: np.ndarray, level: float, predicted: np.ndarray, observed: np.ndarray) -> float:
    """Share of the runs inside the intervals of their draws, (n_resamples, n); an unknown end holds none."""
    found = percentiles(draws, level, predicted)
    return float(np.mean((found.low <= observed) & (observed <= found.high)))


def _predictions(boot: Bootstrap, tested: pd.DataFrame, seed: int) -> np.ndarray:
    """(n_resamples, n_tested): ln loss by the resampled laws, with a residual of the fit drawn on top."""
    N, D = tested["params"].to_numpy(), tested["tokens"].to_numpy()
    loss, noise = np.log(boot.law.as_column().loss(N, D)), noise_of(boot.fit, boot.set_aside)
    return loss + noise.times(N, D) * np.random.default_rng(seed).choice(noise.level, loss.shape)


def audit_coverage(
    law: ChinchillaLaw,
    design: pd.DataFrame,
    noise: float,
    n_tables: int = 40,
    level: float = 0.95,
    n_resamples: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how often the intervals of an extrapolation audit cover a known truth, with the Monte-Carlo error.

    Parameters
    ----------
    law : ChinchillaLaw
        The truth.
    design : DataFrame
        ``params``, ``tokens`` and, for the cuts, ``budget`` or ``flops`` in groups.
    noise : float
        Standard deviation of ln loss.
    n_tables : int
        Simulated tables.
    level : float
        Of the intervals.
    n_resamples, seed : int
        Resamples of a table; table i has seed ``seed + i``.

    Returns
    -------
    DataFrame
        One row a cut: ``n_budgets``, ``cut``, ``n_fitted``, ``reach``, ``refused`` (tables whose fit was not identified
        or too small), and the shares of the others in which the interval covers ``a``, the least loss at the largest
        budget (``loss``), and single runs beyond the cut (``runs``, a mean of shares); ``error`` is the Monte-Carlo
        standard error of the first two where they are as stated, sqrt(level (1 − level) / n).

    Raises
    ------
    FitError, ValueError
        As :func:`~scaling.diagnostics.extrapolation_audit`; ``ValueError`` for fewer than two tables.
    TypeError
        If what is given as the law is no law of the loss, or the design no table.
    """
    n_tables = whole_number("n_tables", n_tables, 2)
    flops = float(simulate_runs(law, design)["flops"].max())
    truth = {"a": float(law.a), "loss": float(compute_optimal(law, flops).loss)}
    functions = {"a": "a", "loss": lambda found: compute_optimal(found, flops).loss}
    rows = []
    for table in range(n_tables):
        runs = sound_runs(simulate_runs(law, design, noise, seed + table))
        for number, cut, split in _splits(runs, None, {}):
            row = {"n_budgets": number, "cut": cut, "n_fitted": split.fit.n_runs, "reach": flops / cut}
            row |= dict.fromkeys(("a", "loss", "runs"), np.nan)
            if split.fit.status != "not_identified" and split.fit.n_runs >= LEAST_RUNS:
                boot = bootstrap(split.fit, n_resamples, seed + table)
                intervals = {name: boot.percentiles(level, of=each) for name, each in functions.items()}
                row |= {name: float(each.low <= truth[name] <= each.high) for name, each in intervals.items()}
                draws = _predictions(boot, split.tested, seed + table)
                observed, predicted = np.log(split.tested[["loss", "predicted"]].to_numpy(float)).T
                row["runs"] = _share_inside(draws, level, predicted, observed)
            rows.append(row)
    keys = ["n_budgets", "cut", "n_fitted", "reach"]
    groups = pd.DataFrame(rows).groupby(keys, dropna=False, sort=True)
    shares = groups[["a", "loss", "runs"]].mean()
    used = groups["a"].count()
    shares["error"] = np.sqrt(level * (1 - level) / used.where(used > 0))
    shares.insert(0, "refused", n_tables - used)
    return shares.reset_index()
