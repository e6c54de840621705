"""What the choices behind a table and a fit do to the law: decimals, noise, which models, which objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from .._checks import whole_number
from ..fit.parametric import fit_parametric
from ..fit.result import Fit
from ..laws.chinchilla import ChinchillaLaw
from ..optimum.allocation import FACTORS, compute_optimal, deadweight_compute
from ..simulate import checked_design, simulate_runs
from ..uncertainty.resampling import bootstrap

__all__ = ["digits_study", "huber_study", "rounded_study", "stopping_study"]


#: residuals up to this are those of runs that a law passes through
EXACT = 1e-9
#: which third, or thirds, of the distinct sizes each name keeps
SIZES = {"small": (0,), "medium": (1,), "large": (2,), "all": (0, 1, 2)}


def rounded_study(
    law: ChinchillaLaw,
    design: pd.DataFrame,
    decimals: Sequence[int] = (2, 3, 4),
    noise: Sequence[float] = (0.0, 1.0, 5.0),
    fitted: Sequence[str] = ("small", "medium", "all"),
    flops: float = 1e24,
    n_tables: int = 10,
    seed: int = 0,
) -> pd.DataFrame:
    """Fit a known law to some of its models, with losses rounded and spoilt by noise, to see what comes back.

    Parameters
    ----------
    law : ChinchillaLaw
        The truth.
    design : DataFrame
        ``params`` and ``tokens``, with at least three distinct sizes (nine, for each third to have three).
    decimals : sequence of int
        Decimals of the loss.
    noise : sequence of float
        Standard deviation of ln loss in thousandths, at least 0.
    fitted : sequence of str
        ``small``, ``medium`` or ``large``: that third of the distinct sizes; ``all``.
    flops : float
        The budget to which each fit is extrapolated.
    n_tables : int
        Tables with fresh noise for each combination (one where there is no noise).
    seed : int
        Of the first table; the others follow. Same seed, same study.

    Returns
    -------
    DataFrame
        One row a fit: ``fitted``, ``decimals``, ``noise``, ``table``, ``n_runs``, ``status``, the five constants,
        ``a``, and ``params`` and ``loss`` of the fit's optimum at ``flops``. Laws that are not identified are given all
        the same, as ``fit.candidate`` holds them: what they are is the point. NaN where there is no optimum.

    Raises
    ------
    ValueError
        For an unknown name in ``fitted``, a column that the design lacks, or a number out of its range.
    TypeError
        If what is given as the law is no law of the loss.

    References
    ----------
    After the interactive simulation in Weng 2026, "Scaling Laws, Carefully".
    """
    if unknown := [name for name in fitted if name not in SIZES]:
        raise ValueError(f"fitted must be among {', '.join(SIZES)}, got {unknown[0]!r}")
    whole_number("n_tables", n_tables)
    checked_design(design)
    thirds = np.array_split(np.unique(design["params"]), 3)
    if not all(len(third) for third in thirds):
        raise ValueError(f"the design has {design['params'].nunique()} distinct sizes, at least 3 are needed")
    rows = []
    for sigma in noise:
        for table in range(n_tables if sigma else 1):
            for digits in decimals:
                runs = simulate_runs(law, design, sigma / 1000, seed + table, int(digits))
                for name in fitted:
                    kept = runs[runs["params"].isin(np.concatenate([thirds[k] for k in SIZES[name]]))]
                    about = {"fitted": name, "decimals": int(digits), "noise": sigma, "table": table}
                    rows.append(about | _outcome(fit_parametric(kept), flops))
    return pd.DataFrame(rows)


def _outcome(fit: Fit, flops: float) -> dict[str, Any]:
    law = fit.candidate
    row = {"n_runs": len(fit.runs), "status": fit.status} | law.constants
    if any(not getattr(law, name) > 0 for name in FACTORS):
        return row | {"a": np.nan, "params": np.nan, "loss": np.nan}
    best = compute_optimal(law, flops)
    return row | {"a": float(law.a), "params": best.params, "loss": best.loss}


def huber_study(
    runs: pd.DataFrame,
    deltas: ArrayLike = (1e-4, 1e-3, 1e-2, 1e-1, 1.0),
    level: float = 0.95,
    n_resamples: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Fit the same runs under Huber thresholds from absolute deviations (delta → 0) to squares (delta → ∞).

    Parameters
    ----------
    runs : DataFrame
        As for :func:`~scaling.fit.fit_parametric`.
    deltas : array (n,)
        Thresholds of ``log_huber``, in ln loss; ``log_absolute`` and ``log_squares`` are added at the ends.
    level : float
        Of the intervals.
    n_resamples, seed : int
        Number of resamples, and what they are drawn with.

    Returns
    -------
    DataFrame
        One row an objective: ``objective``, ``delta`` (0 and inf at the ends), ``inside`` (share of the residuals
        within delta; without a threshold, of those fitted exactly), ``status``, the five constants, ``a`` and its
        interval ``low``, ``high``.

    Raises
    ------
    FitError
        If the table does not identify the law, or has too few runs for a bootstrap.
    ValueError
        If a threshold makes no sense.
    """
    objectives = [("log_absolute", 0.0), *(("log_huber", float(d)) for d in np.ravel(deltas)), ("log_squares", np.inf)]
    rows = []
    for name, delta in objectives:
        fit = fit_parametric(runs, objective=name, **({"delta": delta} if name == "log_huber" else {}))
        low, high = bootstrap(fit, n_resamples, seed).interval(level, of="a")
        inside = float(np.mean(np.abs(fit.residuals) <= max(delta, EXACT)))
        row = {"objective": name, "delta": delta, "inside": inside, "status": fit.status} | fit.law.constants
        rows.append(row | {"a": float(fit.law.a), "low": low, "high": high})
    return pd.DataFrame(rows)


def stopping_study(runs: pd.DataFrame, starts: Mapping[str, ChinchillaLaw], delta: float = 1e-3) -> pd.DataFrame:
    """Find where SciPy's L-BFGS-B stops at its default tolerances: the objective averaged over the runs, and summed.

    The tolerances are absolute: a decrease below 2e-9, or a gradient below 1e-5. The mean of the Huber losses is of
    the order of 1e-5 from the outset, so hardly a step is taken; their sum is larger by the number of runs.

    Parameters
    ----------
    runs : DataFrame
        As for :func:`~scaling.fit.fit_parametric`.
    starts : mapping of label to ChinchillaLaw
        Where the optimiser begins, E, A and B positive; gradients by finite differences, its default.
    delta : float
        Huber threshold of ``log_huber``.

    Returns
    -------
    DataFrame
        One row a start and kind (``mean``, ``sum``): ``start``, ``kind``, ``steps``, ``success`` (as SciPy reports it),
        ``a_start``, ``a`` (where it stopped), ``a_optimum``, and ``excess``, the objective over that of
        :func:`~scaling.fit.fit_parametric`, less one.

    Raises
    ------
    FitError
        If the table cannot be used at all.
    ValueError
        If a start has an E, A or B that is not positive.

    References
    ----------
    Besiroglu et al. 2024 (arXiv:2404.10102), on why the estimates of Hoffmann et al. 2022 are off.
    """
    fit = fit_parametric(runs, delta=delta)
    N, D, L = (np.log(fit.runs[name].to_numpy(float)) for name in ("params", "tokens", "loss"))

    def objective(theta: np.ndarray, scale: float) -> float:
        terms = [np.full_like(L, theta[0]), theta[1] - theta[3] * N, theta[2] - theta[4] * D]
        return scale * float(scipy.special.huber(delta, np.logaddexp.reduce(terms) - L).sum())

    rows = []
    for start, law in starts.items():
        for name in ("E", "A", "B"):
            if not getattr(law, name) > 0:
                raise ValueError(f"start {start!r}: {name} must be positive, got {getattr(law, name)}")
        first = np.array([np.log(law.E), np.log(law.A), np.log(law.B), law.alpha, law.beta])
        for kind, scale in {"mean": 1.0 / len(L), "sum": 1.0}.items():
            end = scipy.optimize.minimize(objective, first, scale, method="L-BFGS-B")
            row = {"start": start, "kind": kind, "steps": end.nit, "success": bool(end.success)}
            row |= {"a_start": law.a, "a": end.x[4] / (end.x[3] + end.x[4])}
            row |= {"a_optimum": fit.candidate.a, "excess": objective(end.x, 1.0) / fit.value - 1.0}
            rows.append(row)
    return pd.DataFrame(rows)


def digits_study(law: ChinchillaLaw, flops: float = 1e24, digits: Sequence[int] = (6, 4, 3, 2)) -> pd.DataFrame:
    """Find the optimum at a budget by a law whose exponents have been rounded, and what following it wastes.

    Parameters
    ----------
    law : ChinchillaLaw
        The unrounded law.
    flops : float
        Training budget, FLOPs.
    digits : sequence of int
        Decimals of alpha and beta.

    Returns
    -------
    DataFrame
        One row a number of decimals: ``digits``, ``alpha``, ``beta``, ``params``, ``tokens``, ``tokens_per_param`` and
        ``loss`` of the rounded law's optimum, and ``wasted``, the share of the budget that the unrounded law calls
        deadweight there (:func:`~scaling.optimum.deadweight_compute`).

    Raises
    ------
    ValueError
        As :func:`~scaling.optimum.compute_optimal`.
    """
    rows = []
    for places in digits:
        rounded = law.rounded({"alpha": places, "beta": places})
        best = compute_optimal(rounded, flops)
        wasted = deadweight_compute(law, best.params, best.tokens) / flops
        row = {"digits": places, "alpha": rounded.alpha, "beta": rounded.beta, "params": best.params}
        row |= {"tokens": best.tokens, "tokens_per_param": best.tokens_per_param, "loss": best.loss, "wasted": wasted}
        rows.append(row)
    return pd.DataFrame(rows)
