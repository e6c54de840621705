"""What a fit returns: a law, and what is needed to judge it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._parallel import spread
from ..errors import FitError, FitErrorKind
from ..laws.base import Law
from .engine.problem import Objective, Problem
from .engine.resamples import Resamples, on_bound, solve_resamples

__all__ = ["Fit", "Resampled"]

#: the table of rows left out, where there are none
NOTHING = pd.DataFrame({"reason": pd.Series(dtype=object)})


@dataclass(frozen=True)
class Minimum:
    """Where the engine ended; arrays only."""

    problem: Problem
    theta: np.ndarray
    objective: Objective


@dataclass(frozen=True)
class Resampled:
    """What becomes of a fit's constants when its runs are drawn anew (see :func:`~scaling.uncertainty.bootstrap`).

    Attributes
    ----------
    samples : DataFrame
        One row a resample, one column a constant.
    law : law
        The same as one law with arrays of constants.
    at_bound, not_identified, unconverged : float
        Shares of the resamples.
    fresh_starts : bool
        Whether every resample got starts of its own.
    note : str
        A remark, or nothing.
    """

    samples: pd.DataFrame
    law: Any
    at_bound: float = 0.0
    not_identified: float = 0.0
    unconverged: float = 0.0
    fresh_starts: bool = False
    note: str = ""


@dataclass(frozen=True, repr=False)
class Fit:
    """A law fitted to runs, and what is needed to judge it. It can be pickled.

    Attributes
    ----------
    candidate : Law
        The law at the minimum, whatever the status; ``law`` is the same but refuses
        (:class:`~scaling.errors.FitError`) when the status is ``not_identified``.
    value : float
        The objective at the minimum, summed (not averaged) over the runs.
    objective, delta : str, float
        Name of the objective and its Huber threshold (see :func:`~scaling.fit.fit_parametric`).
    status : str
        ``converged``; ``at_bound`` (a constant ended on its bound, e.g. E = 0 exactly); ``weak``
        (identified, but some combination of constants only loosely); ``not_identified``;
        ``not_converged``.
    message : str
        The status in words: which direction is flat and which runs would fix it.
    kind : FitErrorKind or None
        Why the law is not identified; None for every other status.
    condition : float
        Condition number of the Jacobian of the log-residuals (columns scaled, logs centred).
    starts_agreeing, n_starts : int
        How many of the starting points reached this objective, of how many.
    runs, dropped : DataFrame
        The rows used, and those left out with a ``reason``.
    weights : array (n_runs,)
    residuals : array (n_runs,)
        ln observed − ln predicted (observed − predicted for ``huber``), one a run.
    held : tuple of str
        Constants that ended on a bound.
    tau : float
        Weight of runs above the law beside those below it; 0.5 counts both alike.
    """

    candidate: Law
    value: float
    objective: str
    delta: float
    status: str
    message: str
    kind: FitErrorKind | None
    condition: float
    starts_agreeing: int
    n_starts: int
    runs: pd.DataFrame
    dropped: pd.DataFrame
    weights: np.ndarray
    residuals: np.ndarray
    held: tuple[str, ...]
    _again: Callable[..., Fit] = field(compare=False)
    _build: Callable[..., Law] = field(compare=False)
    _minimum: Minimum | None = field(default=None, compare=False)
    tau: float = 0.5

    @property
    def law(self) -> Any:
        """The fitted law; raises :class:`~scaling.errors.FitError` when the runs do not identify it."""
        if self.status == "not_identified":
            words = f"{self.message} (fit.candidate holds the law at the minimum all the same)"
            raise FitError(words, self.kind or FitErrorKind.UNDETERMINED)
        return self.candidate

    @property
    def unit(self) -> float:
        """What a residual is to be compared with: the typical loss for raw residuals, 1 for logarithms."""
        return float(np.median(self.runs["loss"])) if self.objective == "huber" and "loss" in self.runs else 1.0

    def predict(self, *columns: ArrayLike) -> Any:
        """The law at values of its ``columns``, or at the rows of one table that has them."""
        if len(columns) == 1 and isinstance(columns[0], pd.DataFrame):
            return self.law.predict(columns[0])
        return self.law.value(*columns)

    def law_of(self, constants: Mapping[str, ArrayLike]) -> Any:
        """A law of this kind with other ``constants``, which may be arrays."""
        return type(self.candidate).of(constants)

    def refit(self, weights: ArrayLike) -> Fit:
        """The same fit under other weights, one for each row of ``runs``."""
        return self._again(weights=weights)

    def resampled(self, weights: ArrayLike) -> Resampled:
        """The fit made again under each row of weights, (B, n_runs).

        Started at this minimum: right where the weights are much like those of this fit.
        """
        each = np.atleast_2d(np.asarray(weights, dtype=float))
        if self._minimum is None:
            return _summed([self.refit(row) for row in each])
        problem, theta, aim = self._minimum.problem, self._minimum.theta, self._minimum.objective
        solution = problem.warm(theta, each, aim)
        law = self._build(**problem.constants(solution.theta))
        lost = problem.absent(solution.theta).any(1) | ((each > 0).sum(1) < problem.model.n_params)
        return Resampled(
            _samples(law),
            law,
            at_bound=float(on_bound(problem, solution.theta).mean()),
            not_identified=float(lost.mean()),
            unconverged=float(1 - solution.converged.mean()),
        )

    def resample(
        self,
        n_resamples: int,
        seed: int,
        fraction: float | None = None,
        *,
        backend: str | None = None,
        n_jobs: int = -1,
    ) -> Resampled:
        """Draw the runs anew and fit again (see :func:`~scaling.uncertainty.bootstrap`).

        The engine solves all resamples as one batch; fits by SciPy are made again one by one, which takes long.
        """
        used = np.flatnonzero(self.weights > 0)
        base = self.weights[used] / self.weights.max()
        resamples = Resamples(len(used), n_resamples, seed, fraction)
        if self._minimum is None:
            return self._one_by_one(used, base, resamples, backend, n_jobs)
        problem = self._minimum.problem.take(used)
        found = solve_resamples(problem, self._minimum.theta, base, self._minimum.objective, resamples, backend, n_jobs)
        law = self._build(**problem.constants(found.theta))
        shares = (float(found.held.mean()), float(found.lost.mean()), float(1 - found.converged.mean()))
        return Resampled(_samples(law), law, *shares, found.fresh_starts)

    def _one_by_one(
        self, used: np.ndarray, base: np.ndarray, resamples: Resamples, backend: str | None, n_jobs: int
    ) -> Resampled:
        items = []
        for counts in resamples:
            rows = np.zeros((len(counts), len(self.weights)))
            rows[:, used] = counts * base
            items += [(self._again, row) for row in rows]
        return replace(_summed(list(spread(_refitted, items, backend, n_jobs))), fresh_starts=True)

    def summary(self) -> pd.DataFrame:
        """The constants and the diagnostics as a two-column table."""
        constants = self.candidate.constants.items()
        rows = [(name, ", ".join(f"{each:.6g}" for each in np.ravel(value))) for name, value in constants]
        name = self.objective if self.tau == 0.5 else f"{self.objective} (tau = {self.tau:g})"
        rows += [
            ("objective", f"{name}, sum {self.value:.9g} over {len(self.runs)} runs"),
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


def _refitted(again: Callable[..., Fit], weights: np.ndarray) -> Fit:
    return again(weights=weights)


def _summed(fits: list[Fit]) -> Resampled:
    """Fits of one kind as one law with arrays of constants."""
    tables = [fit.candidate.constants for fit in fits]
    law = type(fits[0].candidate).of({name: np.array([table[name] for table in tables]) for name in tables[0]})
    status = np.array([fit.status for fit in fits])
    return Resampled(
        _samples(law),
        law,
        at_bound=float(np.mean(status == "at_bound")),
        not_identified=float(np.mean(status == "not_identified")),
        unconverged=float(np.mean(status == "not_converged")),
    )


def _samples(law: Law) -> pd.DataFrame:
    """Arrays of constants as columns; of constants that are lists themselves, one each."""
    columns: dict[str, np.ndarray] = {}
    for name, values in law.constants.items():
        each = np.asarray(values)
        columns |= {name: each} if each.ndim < 2 else {f"{name} {k + 1}": x for k, x in enumerate(each.T)}
    return pd.DataFrame(columns)
