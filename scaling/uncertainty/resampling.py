"""How sure is a fit? The table is resampled, and every resample solved to its optimum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from .._parallel import spread
from ..errors import FitError
from ..fit.engine.newton import Solution, solve
from ..fit.engine.problem import Objective, Problem
from ..fit.engine.resamples import Resamples
from ..fit.frontier import FrontierFit
from ..fit.result import Fit

__all__ = ["Bootstrap", "bootstrap"]


#: resamples that are also solved from fresh starts, to see whether warm ones can be trusted
PILOT = 64
#: a warm start that ends worse by this share of the objective was trapped
TRAPPED = 1e-6
#: solutions of other resamples at which every resample is looked at too
REFERENCES = 250
#: starts polished for each resample of the pilot, and for every resample when starts are fresh
PILOT_STARTS, FRESH_STARTS = 4, 2
#: a pilot with more of its resamples on a bound than this has several valleys
SEVERAL_VALLEYS = 0.1
#: the parametric form has five constants; fewer runs than this say little about their spread
LEAST_RUNS = 12


@dataclass(frozen=True, repr=False)
class Bootstrap:
    """The spread of a fit over resampled tables.

    Attributes
    ----------
    samples : DataFrame
        One row a resample, one column a constant.
    law : law
        The fitted law with arrays of constants, so that ``compute_optimal(boot.law, flops)`` and
        any other function of a law give the spread of anything.
    at_bound, not_identified, unconverged : float
        Shares of the resamples with a constant on its bound, with too few distinct runs or a term
        that vanished, and without convergence.
    fresh_starts : bool
        Whether the pilot found warm starts trapped, so that every resample got starts of its own.
    """

    samples: pd.DataFrame
    law: Any
    fit: Fit | FrontierFit
    seed: int
    at_bound: float
    not_identified: float
    unconverged: float
    fresh_starts: bool
    note: str = ""

    def interval(self, level: float = 0.95, of: str | Callable[[Any], Any] | None = None) -> Any:
        """Percentile interval, central, at ``level``.

        Parameters
        ----------
        level : float
            Between 0 and 1; 0.8 gives the papers' 10th to 90th percentile.
        of : str or callable, optional
            A column of ``samples``; an attribute of the law, such as ``"a"``; or a function of the law (it is given
            ``boot.law`` and may return any array whose first axis is the resamples). By default, every column.

        Returns
        -------
        DataFrame with columns low and high (one row a constant), or (low, high).

        Raises
        ------
        ValueError
            If ``level`` does not lie between 0 and 1, or ``of`` names no constant.
        """
        if not 0 < level < 1:
            raise ValueError(f"level must lie between 0 and 1, got {level}")
        tails = [(1 - level) / 2, (1 + level) / 2]
        if of is None:
            low, high = np.nanquantile(self.samples.to_numpy(), tails, axis=0)
            return pd.DataFrame({"low": low, "high": high}, index=self.samples.columns)
        if isinstance(of, str):
            if of not in self.samples and not hasattr(self.law, of):
                raise ValueError(f"no constant {of!r}; there are {', '.join(self.samples.columns)}")
            values = self.samples[of].to_numpy() if of in self.samples else np.asarray(getattr(self.law, of))
        else:
            values = np.asarray(of(self.law))
        low, high = np.nanquantile(values, tails, axis=0)
        return (low[()], high[()])

    def standard_error(self) -> pd.Series:
        """Standard deviation over the resamples, one a constant."""
        return self.samples.std(ddof=1)

    def __repr__(self) -> str:
        table = self.interval(0.95).assign(se=self.standard_error())
        shares = f"at bound {self.at_bound:.1%}, not identified {self.not_identified:.1%}"
        shares += f", unconverged {self.unconverged:.1%}"
        starts = "fresh" if self.fresh_starts else "warm"
        head = f"Bootstrap of {len(self.samples)} resamples (seed {self.seed}, {starts} starts): {shares}"
        return "\n".join(filter(None, [head, self.note, table.to_string(float_format="{:.5g}".format)]))

    def _repr_html_(self) -> str:
        head, *rest = repr(self).splitlines()
        table = self.interval(0.95).assign(se=self.standard_error())
        return f"<p>{head}. {self.note}</p>" + table.to_html(float_format="{:.5g}".format)


def _check(n_resamples: int, fraction: float | None) -> None:
    if n_resamples < 2:
        raise ValueError(f"n_resamples must be at least 2, got {n_resamples}")
    if fraction is not None and not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1, got {fraction}")


def bootstrap(
    fit: Fit | FrontierFit,
    n_resamples: int = 4000,
    seed: int = 0,
    fraction: float | None = None,
    backend: str | None = None,
    n_jobs: int = -1,
) -> Bootstrap:
    """Case resampling: draw as many runs as there are, with replacement, and fit again.

    Parameters
    ----------
    fit : Fit or FrontierFit
        The fit whose spread is wanted.
    n_resamples : int
        Number of resampled tables.
    seed : int
        Of the random generator; the same seed gives the same samples.
    fraction : float, optional
        Draw this share of the runs without replacement instead (Hoffmann et al. 2022, Table 2,
        use 0.8 and report 10th and 90th percentiles); in approach 2 at least four runs a budget.
    backend : str, optional
        A backend of joblib's over which blocks of resamples are spread: ``"loky"`` for processes of this machine,
        ``"dask"`` for the cluster of an open ``distributed.Client``. The samples are the same as without one. The
        frontiers of approaches 1 and 2 are resampled in one pass and take no notice of it.
    n_jobs : int
        Workers of the backend at a time; -1 for all that it has.

    Returns
    -------
    Bootstrap

    Raises
    ------
    FitError
        If the fit is not identified, or fewer than 12 runs would be drawn (parametric form).
    ValueError
        If ``n_resamples``, ``fraction`` or ``seed`` is out of its range, the law is one that only SciPy fits
        (:class:`~scaling.laws.RosenfeldLaw`), or the backend ``"dask"`` has no client.
    ImportError
        If the backend needs a package that is not installed; the message names it.
    """
    _check(n_resamples, fraction)
    if isinstance(fit, FrontierFit):
        samples, law, note = fit.resample(n_resamples, seed, fraction)
        missing = float(samples.isna().any(axis=1).mean())
        return Bootstrap(samples, law, fit, seed, 0.0, missing, 0.0, False, note)
    fit.law  # noqa: B018 (refuses a fit that is not identified)
    if not isinstance(fit._problem, Problem):
        raise ValueError(f"bootstrap does not know {type(fit.candidate).__name__}: resample by weights with fit.refit")
    used = np.flatnonzero(fit.weights > 0)
    problem = fit._problem.take(used)
    drawn = len(used) if fraction is None else round(fraction * len(used))
    if problem.model.n_params == 5 and drawn < LEAST_RUNS:
        raise FitError(f"{drawn} runs are too few to bootstrap five constants: at least {LEAST_RUNS} are needed")
    weights = fit.weights[used] / fit.weights.max()
    return _bootstrap(fit, problem, weights, Resamples(problem.n_runs, n_resamples, seed, fraction), backend, n_jobs)


def _held(problem: Problem, theta: np.ndarray) -> np.ndarray:
    """(B,): whether any parameter sits on a bound."""
    return ((theta <= problem.model.lower) | (theta >= problem.model.upper)).any(1)


def _improve(solution: Solution, other: Solution, rows: Any) -> None:
    """Take over, in place, what is lower in ``other`` (which holds only ``rows``)."""
    better = other.value < solution.value[rows]
    chosen = np.arange(len(solution.value))[rows][better]
    for name in ("theta", "value", "converged"):
        getattr(solution, name)[chosen] = getattr(other, name)[better]


def _escape(problem: Problem, weights: np.ndarray, aim: Objective, solution: Solution, seen: np.ndarray) -> None:
    """Solve again, in place, where a solution of another resample is already lower than the resample's own."""
    delta = aim.thresholds(False)[-1]
    r = problem.residuals(seen)
    c = np.clip(r, -delta, delta)
    values = weights @ (c * (r - 0.5 * c)).T
    lowest = values.argmin(1)
    rows = np.flatnonzero(values.min(1) < solution.value * (1 - TRAPPED))
    if len(rows):
        again = solve(problem.model, weights[rows], aim.thresholds(False, unit=problem.unit), seen[lowest[rows]])
        _improve(solution, again, rows)


def _solved(
    problem: Problem, counts: np.ndarray, base: np.ndarray, aim: Objective, start: np.ndarray, trapped: bool
) -> Solution:
    """The optima of one block of resamples."""
    weights = counts * base
    solution = problem.warm(start, weights, aim)
    if trapped:
        _improve(solution, problem.fresh(weights, aim, FRESH_STARTS)[0], slice(None))
    return solution


def _escaped(
    problem: Problem, counts: np.ndarray, base: np.ndarray, aim: Objective, solution: Solution, seen: np.ndarray
) -> Solution:
    """The block's optima after a look at those of others; a new solution, since the old may lie in another process."""
    solution = Solution(solution.theta.copy(), solution.value.copy(), solution.converged.copy())
    _escape(problem, counts * base, aim, solution, seen)
    return solution


def _bootstrap(
    fit: Fit, problem: Problem, base: np.ndarray, resamples: Resamples, backend: str | None, n_jobs: int
) -> Bootstrap:
    """Blocks of resamples, which do not depend on who solves them, in two passes."""
    aim = Objective(fit.objective, fit.delta)
    pilot = next(iter(replace(resamples, n_resamples=min(PILOT, resamples.n_resamples)))) * base
    warm = problem.warm(fit._theta, pilot, aim)
    fresh, _ = problem.fresh(pilot, aim, PILOT_STARTS)
    trapped = bool((warm.value > fresh.value * (1 + TRAPPED) + 1e-22 * pilot.sum(1)).any())
    trapped |= bool(_held(problem, fresh.theta).mean() > SEVERAL_VALLEYS)
    blocks = ((problem, counts, base, aim, fit._theta, trapped) for counts in resamples)
    solutions = list(spread(_solved, blocks, backend, n_jobs))
    seen = np.concatenate([fresh.theta, *(s.theta[:: max(1, resamples.n_resamples // REFERENCES)] for s in solutions)])
    again = ((problem, counts, base, aim, s, seen) for counts, s in zip(resamples, solutions, strict=True))
    solutions = list(spread(_escaped, again, backend, n_jobs))
    theta = np.concatenate([s.theta for s in solutions])
    converged = np.concatenate([s.converged for s in solutions])
    distinct = np.concatenate([(counts > 0).sum(1) for counts in resamples])
    lost = problem.absent(theta).any(1) | (distinct < problem.model.n_params)
    held = _held(problem, theta)
    law = fit._build(problem.constants(theta))
    samples = pd.DataFrame(dict(law.constants))
    shares = (float(held.mean()), float(lost.mean()), float(1 - converged.mean()))
    return Bootstrap(samples, law, fit, resamples.seed, *shares, trapped)
