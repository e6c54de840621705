"""Many sets of runs under one estimator: a row a set, with what each approach finds in it or why it finds nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from .._checks import by_name
from ..errors import FitError, RunsError, RunsWarning
from ..fit.frontier import FrontierFit
from ..fit.parametric import fit_parametric
from ..fit.result import Fit
from ..runs.curves import last_points, row_weights, seed_noise
from ..runs.meter import find_meter
from ..runs.table import check_runs
from ..uncertainty.resampling import Bootstrap, bootstrap
from .approaches import APPROACHES, Approaches, compare_approaches
from .pairing import exponent_of

__all__ = ["survey_sets"]


#: the two counts of parameters that papers use, and the columns that hold them
COUNTS = {"total": "params_total", "nonembedding": "params_nonembedding"}
#: quantities whose range is of interest, ``ratio`` being tokens a parameter
RANGES = ("params", "tokens", "flops", "loss", "ratio")
#: quantities with an interval
INTERVALS = ("a1", "a2", "a3", "a_coupled", "k", "a_total", "a_nonembedding")
WORDS = ("why", "why_1", "why_2", "why_3", "meter", "status", "status_coupled")
COLUMNS = (
    *("runs", "sizes", *(f"{name}_{end}" for name in RANGES for end in ("low", "high"))),
    *("meter", "scatter", "seed_noise", "status", "alpha", "beta", "E", "status_coupled"),
    *(f"{name}{end}" for name in INTERVALS for end in ("", "_low", "_high")),
    *WORDS[:4],
)


def survey_sets(
    sets: Mapping[str, pd.DataFrame], n_resamples: int = 300, seed: int = 0, level: float = 0.95
) -> pd.DataFrame:
    """Find what every set of runs says of the exponent a, by the same methods; a row a set.

    Of a run with several rows, approaches 2 and 3 take the last. Resamples are drawn by run, with one seed for every
    set, so that the table is the same each time.

    Parameters
    ----------
    sets : mapping of name to DataFrame
        Tables as :func:`~scaling.runs.load_runs` returns them.
    n_resamples, seed : int
        Of the bootstrap; see :func:`~scaling.uncertainty.bootstrap`.
    level : float
        Of the percentile intervals.

    Returns
    -------
    DataFrame
        Index ``set``. Whatever cannot be told is NaN, or empty for words.

        * ``runs``, ``sizes``; ``params_low``, ``params_high`` and so for ``tokens``, ``flops``, ``loss`` and ``ratio``
          (tokens a parameter); ``meter``, what one FLOP of the set is (:func:`~scaling.runs.find_meter`).
        * ``scatter``: robust standard deviation of ln loss about the law of approach 3 (1.4826 times the median of
          absolute residuals); ``seed_noise``: among runs of one size and length.
        * ``status`` of approach 3; ``a1``, ``a1_low``, ``a1_high``, ``why_1`` (why there is none), and so for
          approaches 2 and 3, all in the set's own count of compute; ``alpha``, ``beta``, ``E`` of approach 3.
        * ``status_coupled``, ``a_coupled`` and ``k`` with their ends: the same of the coupled law
          (:class:`~scaling.laws.CoupledLaw`).
        * ``a_total`` and ``a_nonembedding`` with their ends: approach 3 with C = 6 N D and N counted with embeddings
          and without, where the set has both counts (``params_total``, ``params_nonembedding``).
        * ``why``: why the set carries no law at all.

    Raises
    ------
    ValueError
        If ``n_resamples``, ``seed`` or ``level`` is out of its range.
    TypeError
        If ``sets`` are no tables by name.
    """
    by_name(sets)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RunsWarning)  # whoever loaded the runs was told
        rows = {name: _row(runs, n_resamples, seed, level) for name, runs in sets.items()}
    table = pd.DataFrame.from_dict(rows, "index", columns=list(COLUMNS))
    return table.fillna(dict.fromkeys(WORDS, "")).rename_axis("set")


def _row(runs: pd.DataFrame, n_resamples: int, seed: int, level: float) -> dict[str, Any]:
    try:
        table = check_runs(runs)
        found = compare_approaches(table, n_resamples=n_resamples, seed=seed)
    except (RunsError, FitError) as error:
        return {"runs": len(runs), "why": str(error)}
    row = _ranges(last_points(table)) | _exponents(found, level)
    row |= _coupled(found, table, n_resamples, seed, level)
    for count, params in _counts(table).items():
        fit = fit_parametric(table.assign(params=params, flops=6.0 * params * table["tokens"]))
        known = found.bootstraps.get(3) if _same(fit, found.fits[3]) else None
        row |= _intervals(fit, {f"a_{count}": attrgetter("a")}, n_resamples, seed, level, known)
    return row


def _same(fit: Fit, other: Fit | FrontierFit) -> bool:
    """Whether two fits are of one law to the same numbers, so that their resamples are the same too."""
    if not isinstance(other, Fit) or fit.candidate != other.candidate or fit.n_starts != other.n_starts:
        return False
    columns = ["params", "tokens", "loss"]
    return np.array_equal(fit.runs[columns], other.runs[columns]) and np.array_equal(fit.weights, other.weights)


def _ranges(runs: pd.DataFrame) -> dict[str, Any]:
    """What the runs span, and how far runs of one design are apart."""
    row: dict[str, Any] = {"runs": len(runs), "sizes": runs["params"].nunique()}
    spans = runs.assign(ratio=runs["tokens"] / runs["params"])
    for name in RANGES:
        row |= {f"{name}_low": float(spans[name].min()), f"{name}_high": float(spans[name].max())}
    meter = find_meter(runs)
    count = "none of N and D" if meter.kind == "unknown" else meter.equation
    return row | {"meter": count, "seed_noise": seed_noise(runs)}


def _exponents(found: Approaches, level: float) -> dict[str, Any]:
    """The exponents of the three approaches, or why there is none; and the law of the third."""
    fit = found.fits[3]
    assert isinstance(fit, Fit)
    row: dict[str, Any] = {"scatter": 1.4826 * float(np.median(np.abs(fit.residuals[fit.weights > 0])))}
    row |= {"status": fit.status} | {name: float(fit.candidate.constants[name]) for name in ("alpha", "beta", "E")}
    table = found.table(float(fit.runs["flops"].max()), level)
    for number, name in APPROACHES.items():
        each = table.loc[name]
        row |= {f"a{number}{end}": float(each[f"a{end}"]) for end in ("", "_low", "_high")}
        row[f"why_{number}"] = each["why_not"]
    return row


def _counts(runs: pd.DataFrame) -> dict[str, pd.Series]:
    """N with embeddings and without, where both stand in the table: ``params`` is the one that has no column."""
    both = {count: runs.get(column, runs["params"]) for count, column in COUNTS.items()}
    told = all(each.notna().all() for each in both.values()) and (both["total"] > both["nonembedding"]).all()
    return both if told else {}


def _coupled(found: Approaches, runs: pd.DataFrame, n_resamples: int, seed: int, level: float) -> dict[str, Any]:
    """The coupled law beside the additive one: its exponent in the same count of compute, and its k."""
    fit = fit_parametric(runs, law="coupled", weights=row_weights(runs))
    exponent = exponent_of(found.fits[3], "a")
    questions: dict[str, Callable[[Any], Any]] = {"a_coupled": lambda law: exponent(law.base), "k": attrgetter("k")}
    return {"status_coupled": fit.status} | _intervals(fit, questions, n_resamples, seed, level)


def _intervals(
    fit: Fit,
    questions: Mapping[str, Callable[[Any], Any]],
    n_resamples: int,
    seed: int,
    level: float,
    known: Bootstrap | None = None,
) -> dict[str, float]:
    """What a law says, each with its interval; nothing where the runs do not tell it. ``known`` are its resamples."""
    try:
        boot, law = known or bootstrap(fit, n_resamples, seed), fit.law
    except FitError:
        return {}
    row: dict[str, float] = {}
    for name, of in questions.items():
        ends = boot.percentiles(level, of=of)
        row |= {name: float(of(law)), f"{name}_low": float(ends.low), f"{name}_high": float(ends.high)}
    return row
