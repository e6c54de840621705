"""Fits: runs → law, with a status that says how far to trust it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ._identify import judge
from ._problem import SHARP, Objective, Problem
from ._vertex import LARGEST, least_absolute
from .laws import ChinchillaLaw, PowerLaw
from .runs import RunsError, check_runs

__all__ = ["Fit", "FitError", "fit_parametric"]

#: the table of rows left out, where there are none
NOTHING = pd.DataFrame({"reason": pd.Series(dtype=object)})
#: runs from which starting points are sought in a large table
SUBSAMPLE = 2_000
#: two starts agree when their objectives do to this share (plus an absolute floor per run)
AGREE, AGREE_FLOOR = 1e-9, 1e-22


class FitError(RunsError):
    """The table cannot be fitted at all, or the law asked for is not identified by it."""

    def __init__(self, message: str):
        ValueError.__init__(self, message)
        self.problems = (message,)


@dataclass(frozen=True, repr=False)
class Fit:
    """A law fitted to runs, and what is needed to judge it.

    Attributes
    ----------
    candidate : ChinchillaLaw or PowerLaw
        The law at the minimum, whatever the status; ``law`` is the same but refuses
        (:class:`FitError`) when the status is ``not_identified``.
    value : float
        The objective at the minimum, summed (not averaged) over the runs.
    objective, delta : str, float
        Name of the objective and its Huber threshold (see :func:`fit_parametric`).
    status : str
        ``converged``; ``at_bound`` (a constant ended on its bound, e.g. E = 0 exactly); ``weak``
        (identified, but some combination of constants only loosely); ``not_identified``;
        ``not_converged``.
    message : str
        The status in words: which direction is flat and which runs would fix it.
    condition : float
        Condition number of the Jacobian of the log-residuals (columns scaled, logs centred).
    starts_agreeing, n_starts : int
        How many of the starting points reached this objective, of how many.
    runs, dropped : DataFrame
        The rows used, and those left out with a ``reason``.
    weights : array (n_runs,)
    """

    candidate: ChinchillaLaw | PowerLaw
    value: float
    objective: str
    delta: float
    status: str
    message: str
    condition: float
    starts_agreeing: int
    n_starts: int
    runs: pd.DataFrame
    dropped: pd.DataFrame
    weights: np.ndarray
    _problem: Problem = field(compare=False)
    _theta: np.ndarray = field(compare=False)
    _build: Callable[[dict[str, Any]], Any] = field(compare=False)
    _refit: Callable[[ArrayLike], Fit] = field(compare=False)

    @property
    def law(self) -> Any:
        """The fitted law; raises :class:`FitError` when the runs do not identify it."""
        if self.status == "not_identified":
            raise FitError(f"{self.message} (fit.candidate holds the law at the minimum all the same)")
        return self.candidate

    @property
    def residuals(self) -> np.ndarray:
        """ln observed − ln predicted (observed − predicted for ``huber``), one a run."""
        return -self._problem.residuals(self._theta[None])[0]

    def predict(self, *arguments: ArrayLike) -> np.ndarray | float:
        """The law at ``params, tokens`` (a power law: at ``x``)."""
        return self.law(*arguments) if isinstance(self.candidate, PowerLaw) else self.law.loss(*arguments)

    def refit(self, weights: ArrayLike) -> Fit:
        """The same fit under other weights, one for each row of ``runs``."""
        return self._refit(weights)

    def summary(self) -> pd.DataFrame:
        """The constants and the diagnostics as a two-column table."""
        rows = [(name, f"{value:.6g}") for name, value in self.candidate.constants.items()]
        rows += [
            ("objective", f"{self.objective}, sum {self.value:.9g} over {len(self.runs)} runs"),
            ("status", self.status + (f": {self.message}" if self.message else "")),
            ("condition", f"{self.condition:.3g}"),
            ("starts agreeing", f"{self.starts_agreeing} of {self.n_starts}"),
        ]
        if len(self.dropped):
            rows.append(("rows left out", str(len(self.dropped))))
        return pd.Series(dict(rows), name="value").to_frame()

    def __repr__(self) -> str:
        rows = self.summary()["value"]
        width = max(map(len, rows.index))
        title = f"Fit of {self.candidate.equation}"
        return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in rows.items())])

    def _repr_html_(self) -> str:
        return f"<p>Fit of <code>{self.candidate.equation}</code></p>" + self.summary().to_html()


def checked_weights(weights: ArrayLike | None, n: int) -> np.ndarray:
    if weights is None:
        return np.ones(n)
    array = np.asarray(weights, dtype=float)
    if array.shape != (n,):
        raise FitError(f"weights must be one number for each of the {n} runs, got shape {array.shape}")
    bad = ~(np.isfinite(array) & (array >= 0))
    if bad.any() or not array.any():
        where = f"weights[{int(np.flatnonzero(bad)[0])}] is {array[bad][0]}" if bad.any() else "all are zero"
        raise FitError(f"weights must be finite, not negative and not all zero: {where}")
    return array


def _minimise(
    problem: Problem, weights: np.ndarray, objective: Objective, n_starts: int
) -> tuple[np.ndarray, float, bool, int]:
    """Theta, value, convergence and agreeing starts; large tables are started from a subsample."""
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
    return theta, value, converged, agreeing


def finish(
    problem: Problem,
    weights: np.ndarray,
    objective: Objective,
    n_starts: int,
    variables: dict[str, np.ndarray],
    build: Callable[[dict[str, float]], Any],
    **rest: Any,
) -> Fit:
    if n_starts < 1:
        raise ValueError(f"n_starts must be at least 1, got {n_starts}")
    if "huber" in objective.name and objective.delta < SHARP * problem.unit:
        raise ValueError(f"delta = {objective.delta:g} is too small to matter: use the objective 'log_absolute'")
    largest = weights.max()  # only ratios of weights matter to the solver, whose tolerances are absolute
    theta, value, converged, agreeing = _minimise(problem, weights / largest, objective, n_starts)
    status, message, condition = judge(problem, theta, value, converged, weights / largest, objective, variables)
    constants = {name: float(x[0]) for name, x in problem.constants(theta[None]).items()}
    return Fit(
        candidate=build(constants),
        value=value * float(largest),
        objective=objective.name,
        delta=objective.delta,
        status=status,
        message=message,
        condition=condition,
        starts_agreeing=agreeing,
        n_starts=n_starts,
        weights=weights,
        _problem=problem,
        _theta=theta,
        _build=build,
        **rest,
    )


def fit_parametric(
    runs: pd.DataFrame,
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
) -> Fit:
    r"""Approach 3: fit :math:`L = E + A/N^{\alpha} + B/D^{\beta}` to a table of runs.

    By default the objective of Hoffmann et al. 2022 (section 3.3, equation 3), the **sum** over runs

    .. math::

        & \sum_i w_i\,\mathrm{Huber}_\delta(\ell_i - \ln L_i), \\
        & \ell_i = \mathrm{LSE}(a - \alpha\ln N_i,\; b - \beta\ln D_i,\; e), \\
        & a = \ln A,\; b = \ln B,\; e = \ln E.

    Parameters
    ----------
    runs : DataFrame
        Columns ``params``, ``tokens`` and ``loss`` (nats/token), as :func:`load_runs` returns.
    objective : {"log_huber", "huber", "log_squares", "log_absolute"}
        Huber loss of log-residuals (the paper's), Huber loss of raw residuals, least squares of
        log-residuals (sum of squares), least absolute deviations of log-residuals.
    delta : float
        Huber threshold: in ln loss for ``log_huber``, in nats/token for ``huber``.
    weights : array (n_runs,), optional
        Non-negative weight of each row.
    n_starts : int
        Starting points to polish, the most promising of a grid of exponents.

    Returns
    -------
    Fit
        ``status`` says whether the law is identified; bounds (E ≥ 0, exponents in [0.01, 2]) are
        reached exactly.

    Raises
    ------
    FitError
        For a table that cannot be used at all: a missing column, text, a value that is not positive.
    ValueError
        For an unknown objective, a ``delta`` or an ``n_starts`` that makes no sense.

    Examples
    --------
    >>> import scaling
    >>> truth = scaling.ChinchillaLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28)
    >>> runs = scaling.simulate_runs(truth, scaling.grid_design([1e8, 1e9, 1e10], [1e9, 1e10, 1e11]))
    >>> scaling.fit_parametric(runs).law
    ChinchillaLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28)
    """
    aim = Objective(objective, delta)
    keep, dropped = _checked(runs)
    N, D, L = (keep[name].to_numpy(float) for name in ("params", "tokens", "loss"))
    w = checked_weights(weights, len(keep))
    problem = Problem.build(L, (N, D), ("E", "A", "B", "alpha", "beta"), raw=aim.raw)
    return finish(
        problem,
        w,
        aim,
        n_starts,
        {"params": N, "tokens": D},
        lambda c: ChinchillaLaw(**c),
        runs=keep,
        dropped=dropped,
        _refit=lambda new: fit_parametric(keep, objective, delta, new, n_starts),
    )


def _checked(runs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows to fit, and those left out with the reason."""
    if _still_sound(runs):
        table = runs.copy(deep=False)
    else:
        try:
            table = check_runs(runs)
        except RunsError as error:
            raise FitError(str(error)) from error
    if len(runs) == len(table):
        dropped = NOTHING.copy(deep=False)
    else:
        dropped = runs[~runs.index.isin(table.index)]
        dropped = dropped.assign(reason="status " + dropped["status"].astype(str))
    table.index = pd.RangeIndex(len(table))
    return table, dropped


def _still_sound(runs: pd.DataFrame) -> bool:
    """Whether a table that has been checked before needs no second check, which costs more than a small fit."""
    if not isinstance(runs, pd.DataFrame) or "notes" not in runs.attrs or "status" in runs or not len(runs):
        return False
    columns = [runs[name].to_numpy() for name in ("params", "tokens", "loss", "flops") if name in runs]
    if len(columns) < 4 or any(column.dtype != float or column.ndim != 1 for column in columns):
        return False
    return bool(all((column > 0).all() and np.isfinite(column).all() for column in columns))
