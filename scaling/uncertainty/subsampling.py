"""How sure is a fit to very many runs? Resamples of a part of them, scaled to the whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from .._checks import whole_number
from ..errors import FitError
from ..fit.engine.setting_aside import far_off
from ..fit.engine.unseen import moving
from ..fit.frontier import FrontierFit
from ..fit.isoflop import fit_isoflop
from ..fit.parametric import fit_parametric, law_name
from ..fit.result import Fit, as_fit
from ..laws.coupled import SumLaw
from .resampling import Bootstrap, bootstrap

__all__ = ["subsampled_bootstrap"]


#: share of the resamples on a bound beyond which their spread is not scaled
ON_BOUND = 0.01
#: fewest rows of a part: below, its spread is not that of a smooth statistic
LEAST_ROWS = 500
#: largest share of one run in what a part says: where fewer than some twenty decide, a part says little of the whole
MOST_INFLUENCE = 0.05


def subsampled_bootstrap(
    fit: Fit | FrontierFit, rows: int = 4_000, n_resamples: int = 1_000, seed: int = 0
) -> Bootstrap:
    r"""Resample a fit to many runs, at the cost of one to few.

    A part of *m* of the *n* runs is drawn at random, each with all its rows, fitted and resampled as
    :func:`~scaling.uncertainty.bootstrap` does. The deviations of its resamples from its own fit, in
    :math:`E, \ln A, \ln B, \alpha, \beta` (for approach 2 in :math:`\ln k_N, a`), shrink by :math:`\sqrt{m/n}` and
    are put around the fit to all runs:

    .. math:: \theta^*_j = \hat\theta_n + \sqrt{m/n}\,(\hat\theta^*_{m,j} - \hat\theta_m)

    This is right to first order where the constants are smooth functions of the runs and these are drawn
    independently; on a bound they are not smooth. Where more than 1 % of the resamples end on one, nothing is
    shrunk, so that the intervals are those of *m* runs, too wide for *n*, and the note says so. Where a few runs decide
    (three large models among thousands of small ones), a part holds too few of them, and all runs are resampled,
    which may take minutes.

    Parameters
    ----------
    fit : Fit or FrontierFit
        A parametric fit, or one of approach 2. Where it has no more than ``rows`` runs this is
        :func:`~scaling.uncertainty.bootstrap`.
    rows : int
        m, at least 500: runs, which are the rows where each run has one.
    n_resamples, seed : int
        As in :func:`~scaling.uncertainty.bootstrap`; the seed draws the part too.

    Returns
    -------
    Bootstrap
        Its ``note`` says what was done.

    Raises
    ------
    FitError
        If the fit, or that of the part, is not identified; for approach 1, which resamples curves, and other laws.
    ValueError
        If ``rows`` is below 500, or another number is out of its range.
    TypeError
        If what is given is no fit.

    References
    ----------
    Bickel, Götze and van Zwet 1997, Resampling fewer than n observations, Statistica Sinica 7, 1-31.
    """
    rows, seed = whole_number("rows", rows, LEAST_ROWS), whole_number("seed", seed, 0)
    fit = fit if isinstance(fit, FrontierFit) else as_fit(fit)
    clusters = fit.clusters if isinstance(fit, Fit) else None
    n = len(fit.runs) if clusters is None else int(clusters.max()) + 1
    if n <= rows:
        return bootstrap(fit, n_resamples, seed)
    if isinstance(fit, FrontierFit):
        if fit.approach == 1:
            raise FitError("approach 1 resamples curves, not rows: use bootstrap")
    elif not isinstance(fit.candidate, SumLaw):
        words = "only fits of fit_parametric and fit_isoflop are resampled in part"
        raise FitError(f"a fit of {fit.candidate.equation}: {words}")
    if _influence(fit) * n / rows > MOST_INFLUENCE:
        return replace(
            bootstrap(fit, n_resamples, seed), note=f"all {n:,} runs are resampled, since few of them decide"
        )
    chosen = np.sort(np.random.default_rng([seed, n]).choice(n, rows, replace=False))
    part = _part(fit, chosen if clusters is None else np.flatnonzero(np.isin(clusters, chosen)))
    boot = bootstrap(part, n_resamples, seed)
    note = f"spread of {rows:,} of the {n:,} runs" + ("" if clusters is None else ", drawn whole")
    aside = _set_aside(fit) if boot.set_aside and isinstance(fit, Fit) else ()
    end = f"; {boot.note}" if boot.note else ""
    if boot.at_bound > ON_BOUND:
        words = f"{note}, not scaled to all: {boot.at_bound:.0%} of resamples are on a bound{end}"
        return replace(boot, fit=fit, note=words, set_aside=aside)
    samples = _scaled(boot.samples, _constants(part), _constants(fit), np.sqrt(rows / n))
    columns = dict(zip(samples, samples.to_numpy().T, strict=True))
    law = fit.law_of(columns) if isinstance(fit, Fit) else _frontier_law(fit, samples)
    words = f"{note}, scaled by sqrt({rows:,}/{n:,}){end}"
    return replace(boot, samples=samples, law=law, fit=fit, note=words, set_aside=aside)


def _set_aside(fit: Fit) -> tuple[int, ...]:
    """Rows of all the runs that are as far from the fit as those that the part sets aside."""
    assert fit._minimum is not None  # a parametric fit is the engine's
    return tuple(np.flatnonzero(far_off(fit._minimum.problem, fit._minimum.theta, fit._minimum.objective)).tolist())


def _influence(fit: Fit | FrontierFit) -> float:
    """Largest share of one run: of the spread of the constants, or for approach 2 of the runs of its group."""
    if isinstance(fit, FrontierFit):
        return 1 / float(fit.runs["budget"].value_counts().min())
    assert fit._minimum is not None  # a parametric fit is the engine's
    problem, theta = fit._minimum.problem, fit._minimum.theta
    slopes = problem.jacobian(theta)[:, moving(problem, theta)] * fit.weights[:, None]
    directions, _ = np.linalg.qr(slopes / np.linalg.norm(slopes, axis=0))
    leverage = (directions**2).sum(1)
    return float((leverage if fit.clusters is None else np.bincount(fit.clusters, leverage)).max())


def _part(fit: Fit | FrontierFit, chosen: np.ndarray) -> Any:
    if isinstance(fit, FrontierFit):
        return fit_isoflop(fit.runs.iloc[chosen].reset_index(drop=True))
    names = ("objective", "delta", "tau", "n_starts")
    options: dict[str, Any] = {name: getattr(fit, name) for name in names} | {"rows": "all", "law": law_name(fit)}
    return fit_parametric(fit.runs.iloc[chosen].reset_index(drop=True), weights=fit.weights[chosen], **options)


def _constants(fit: Fit | FrontierFit) -> dict[str, Any]:
    if isinstance(fit, Fit):
        return fit.candidate.constants
    return {"k_N": fit.law.params.coefficient, "a": fit.a, "k_D": fit.law.tokens.coefficient, "b": fit.b}


def _scaled(samples: pd.DataFrame, part: dict[str, Any], whole: dict[str, Any], factor: float) -> pd.DataFrame:
    """Deviations from the part's fit, shrunk and put around the whole's; coefficients by their logarithms."""
    out = {}
    for name, column in samples.items():
        if name in ("E", "offset", "a", "b") or name.startswith(("alpha", "beta", "exponent")):
            out[name] = whole[name] + factor * (column - part[name])
        else:
            out[name] = whole[name] * (column / part[name]) ** factor
    return pd.DataFrame(out)


def _frontier_law(fit: FrontierFit, samples: pd.DataFrame) -> Any:
    params = replace(fit.law.params, coefficient=samples["k_N"].to_numpy(), exponent=samples["a"].to_numpy())
    tokens = replace(fit.law.tokens, coefficient=samples["k_D"].to_numpy(), exponent=samples["b"].to_numpy())
    return replace(fit.law, params=params, tokens=tokens)
