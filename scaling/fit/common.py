"""What all fits share: the rows that can be used, their weights, and the way from a problem to a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import numbers, same_order, whole_number
from ..errors import FitError, RunsError
from ..laws.base import Law
from ..runs.curves import last_rows, runs_of
from ..runs.numbers import positive_columns as runs_columns
from ..runs.table import check_runs, finished_rows, still_sound
from .engine.identify import Asked, held, judge
from .engine.least_absolute import LARGEST, least_absolute
from .engine.problem import SHARP, Objective, Problem
from .result import NOTHING, Fit, Minimum

#: runs from which starting points are sought in a large table
SUBSAMPLE = 2_000
#: two starts agree when their objectives do to this share (plus an absolute floor per run)
AGREE, AGREE_FLOOR = 1e-9, 1e-22
#: which rows of a run that has several are fitted
ROWS = ("last", "all")
#: why a row of a curve is left out
EARLIER = "an earlier row of its run"


def checked_weights(weights: ArrayLike | None, n: int) -> np.ndarray:
    """One weight a run, by default 1; ``FitError`` unless finite, not negative and not all zero."""
    if weights is None:
        return np.ones(n)
    array = floats("weights", np.asarray(weights, dtype=float) if np.asarray(weights).dtype == bool else weights)
    if array.shape != (n,):
        raise FitError(f"weights must be one number for each of the {n} runs, got shape {array.shape}")
    bad = ~(np.isfinite(array) & (array >= 0))
    if bad.any() or not array.any():
        where = f"weights[{int(np.flatnonzero(bad)[0])}] is {array[bad][0]}" if bad.any() else "all are zero"
        raise FitError(f"weights must be finite, not negative and not all zero: {where}")
    return array


def floats(name: str, value: object) -> np.ndarray:
    """The number or numbers of an argument as a float array; ``FitError`` for anything else."""
    try:
        return numbers(name, value)
    except ValueError as error:
        raise FitError(str(error)) from None


def in_one_order(**arguments: object) -> None:
    """``FitError`` where Series or tables have the same labels in another order."""
    try:
        same_order(**arguments)
    except ValueError as error:
        raise FitError(str(error)) from None


def positive_columns(table: pd.DataFrame, *names: str) -> list[np.ndarray]:
    """Columns of positive finite numbers; a :class:`~scaling.errors.FitError` names the first that is not."""
    try:
        arrays = runs_columns(table, *names)
    except RunsError as error:
        raise FitError(str(error)) from None
    if not len(table):
        raise FitError("the table is empty")
    return arrays


def _minimise(
    problem: Problem, weights: np.ndarray, objective: Objective, n_starts: int
) -> tuple[np.ndarray, float, bool, tuple[int, int]]:
    """Theta, value, convergence, and how many of the starts agree; large tables are started from a subsample."""
    if problem.n_runs > 2 * SUBSAMPLE:
        rows = np.flatnonzero(weights > 0)
        rows = np.random.default_rng(0).choice(rows, min(SUBSAMPLE, len(rows)), replace=False)
        few = problem.take(rows)
        first, values = few.fresh(weights[None, rows], objective, n_starts)
        best = problem.warm(first.theta[0], weights[None], objective)
        few_floor = AGREE_FLOOR * weights[rows].sum()
    else:
        best, values = problem.fresh(weights[None], objective, n_starts, exact=False)
        few_floor = AGREE_FLOOR * weights.sum()
    agreeing = int((values[0] <= values.min() * (1 + AGREE) + few_floor).sum())
    theta, converged = best.theta[0], bool(best.converged[0])
    if objective.name == "log_absolute" and problem.n_runs <= LARGEST:
        theta, converged = least_absolute(problem, theta, weights)
    value = float(objective.sum(problem.residuals(theta[None]), weights[None])[0])
    return theta, value, converged, (agreeing, values.shape[1])


def finish(
    problem: Problem,
    weights: np.ndarray,
    objective: Objective,
    n_starts: int,
    variables: dict[str, np.ndarray],
    build: Callable[..., Law],
    again: Callable[..., Fit],
    runs: pd.DataFrame,
    dropped: pd.DataFrame,
    asked: Asked | None = None,
    clusters: np.ndarray | None = None,
) -> Fit:
    """Minimise a problem of the engine's, judge the minimum and make it a :class:`~scaling.fit.Fit`.

    ``build`` makes the law of the problem's constants, ``again`` the same fit of ``runs`` under other ``weights``;
    both can be pickled. ``asked`` says why the runs do not settle what the law is fitted for, or nothing.
    """
    check_search(objective, n_starts, problem.unit)
    largest = weights.max()  # only ratios of weights matter to the solver, whose tolerances are absolute
    theta, value, converged, agreeing = _minimise(problem, weights / largest, objective, n_starts)
    found = judge(problem, theta, converged, weights / largest, objective, variables, clusters, asked)
    constants = {name: float(x[0]) for name, x in problem.constants(theta[None]).items()}
    return Fit(
        candidate=build(**constants),
        value=value * float(largest),
        objective=objective.name,
        delta=objective.delta,
        status=found.status,
        message=found.message,
        kind=found.kind,
        condition=found.condition,
        starts_agreeing=agreeing[0],
        n_starts=agreeing[1],
        runs=runs,
        dropped=dropped,
        weights=weights,
        residuals=-problem.residuals(theta[None])[0],
        held=held(problem, theta),
        clusters=clusters,
        _asked=asked,
        _again=again,
        _build=build,
        _minimum=Minimum(problem, theta, objective),
        tau=objective.tau,
    )


def check_search(objective: Objective, n_starts: int, unit: float) -> None:
    """``ValueError`` for a number of starts or a threshold that makes no sense; ``unit`` is that of the residuals."""
    whole_number("n_starts", n_starts)
    if "huber" in objective.name and objective.delta < SHARP * unit:
        raise ValueError(f"delta = {objective.delta:g} is too small to matter: use the objective 'log_absolute'")


def sound_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """The table as :func:`~scaling.runs.check_runs` returns it; ``FitError`` if it cannot be used."""
    if still_sound(runs):
        return runs.copy(deep=False)
    try:
        return check_runs(runs)
    except RunsError as error:
        raise FitError(str(error)) from error


@dataclass(frozen=True)
class Sample:
    """What is fitted: rows and their weights, what was left out, and the run of each row where runs have several."""

    table: pd.DataFrame
    weights: np.ndarray
    dropped: pd.DataFrame
    clusters: np.ndarray | None

    @property
    def count(self) -> int:
        """Number of runs."""
        return len(self.table) if self.clusters is None else int(self.clusters.max()) + 1

    def columns(self, *names: str) -> list[np.ndarray]:
        """Columns of positive finite numbers."""
        return positive_columns(self.table, *names)


def chosen_rows(runs: pd.DataFrame, rows: str = "last", weights: ArrayLike | None = None) -> Sample:
    """The rows to fit: the last of every run, or ``"all"``; ``weights`` are those of all rows that finished."""
    if rows not in ROWS:
        raise ValueError(f"rows must be 'last' (of every run) or 'all', got {rows!r}")
    table = sound_runs(runs)
    in_one_order(runs=runs, weights=weights)
    w = checked_weights(weights, len(table))
    dropped = NOTHING.copy(deep=False)
    if len(runs) != len(table):
        dropped = runs[~finished_rows(runs)]
        dropped = dropped.assign(reason="status " + dropped["status"].astype(str))
    if rows == "last" and not (last := last_rows(table)).all():
        earlier = table[~last].assign(reason=EARLIER)
        dropped = pd.concat([dropped, earlier]) if len(dropped) else earlier
        table, w = table[last], checked_weights(w[last], int(last.sum()))
    table.index = pd.RangeIndex(len(table))
    return Sample(table, w, dropped, runs_of(table) if rows == "all" else None)
