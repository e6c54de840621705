"""Fits of the laws of a schedule to loss curves: the multi-power law, and that of annealing momentum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from .._checks import whole_number
from ..errors import FitError, RunsError
from ..laws.base import Law
from ..laws.schedule import Changes, MomentumLaw, MultiPowerLaw, annealing
from ..runs.curves import groups_of
from ..runs.numbers import column_of_numbers
from .common import check_search, checked_weights, floats
from .engine.problem import EXPONENTS
from .least_squares import Form, finish_form, nothing_unseen, objective_of
from .result import NOTHING, Fit

__all__ = ["fit_momentum", "fit_multi_power"]

#: exponents from which starting points are made; of the scale of G, shares of the typical sum of rates since a change
ALPHAS, BETAS, GAMMAS, SCALES = (0.3, 0.5, 0.8), (0.1, 0.3, 0.8), (0.3, 0.6, 1.0, 1.4), (30.0, 300.0, 3000.0)
#: steps over which changes of the rate stand as one where the minimum is sought, before the law itself is taken
COARSE = 64
#: largest exponents of the drop
LARGEST = 5.0
#: terms of the drop that are computed at once
BLOCK = 20_000


@dataclass(frozen=True)
class Curves:
    """Losses along runs, and the schedules of these runs."""

    loss: np.ndarray
    rates: list[np.ndarray]
    steps: list[np.ndarray]
    order: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame, schedules: Mapping[Any, ArrayLike]) -> Curves:
        codes = groups_of(table["run"])
        rows = [np.flatnonzero(codes == k) for k in range(codes.max() + 1)]
        steps = table["step"].to_numpy(float).astype(int)
        rates = [np.asarray(schedules[table["run"].iloc[each[0]]], dtype=float) for each in rows]
        order = np.argsort(np.concatenate(rows))
        return cls(table["loss"].to_numpy(float), rates, [steps[each] for each in rows], order)

    def gathered(self, parts: list[np.ndarray]) -> np.ndarray:
        """What was computed curve by curve, in the order of the table."""
        return np.concatenate(parts)[self.order]

    @property
    def total(self) -> np.ndarray:
        """The sum of the rates at each row."""
        return self.gathered([np.cumsum(rates)[at] for rates, at in zip(self.rates, self.steps, strict=True)])


def _base(theta: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """A / S^alpha at theta (L0, a, alpha, ...), with logarithms of S less their mean."""
    return np.asarray(np.exp(theta[1] - theta[2] * logs))


@dataclass(frozen=True)
class MultiPowerCurves:
    """The law at the rows; theta is (L0, a, alpha, B, c, beta, gamma), logarithms centred."""

    curves: Curves
    changes: list[Changes]
    logs: np.ndarray
    centres: tuple[float, float]
    #: the last drop and its derivatives, by theta
    memory: dict[bytes, np.ndarray] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, curves: Curves, every: int) -> MultiPowerCurves:
        changes = [Changes.of(r, s, every) for r, s in zip(curves.rates, curves.steps, strict=True)]
        falls = [each.log_rate[each.fall > 0] for each in changes]
        logs, low = np.log(curves.total), np.concatenate(falls)
        return cls(curves, changes, logs - logs.mean(), (float(logs.mean()), float(low.min() / 2 + low.max() / 2)))

    def drop(self, shape: np.ndarray) -> np.ndarray:
        """The sum over the changes at (c, beta, gamma), and its derivatives by these three: (n, 4)."""
        key = shape.tobytes()
        if key not in self.memory:
            self.memory.clear()
            self.memory[key] = self.curves.gathered([self._drop(each, *shape) for each in self.changes])
        return self.memory[key]

    def _drop(self, changes: Changes, c: float, beta: float, gamma: float) -> np.ndarray:
        slow = changes.log_rate - self.centres[1]
        scale, found = np.exp(c - gamma * slow), np.zeros((len(changes.total), 4))
        length = max(BLOCK // max(len(slow), 1), 1)
        for first in range(0, len(found), length):
            rows = slice(first, first + length)
            seen = changes.seen[rows, None]
            m = int(seen.max())
            fall = changes.fall[:m] * (np.arange(m) < seen) if len(seen) > 1 else changes.fall[None, :m]
            u = scale[:m] * np.maximum(changes.total[rows, None] - changes.before[:m], 0.0)
            log = np.log1p(u)
            left = fall * np.exp(-beta * log)
            steep = left * (beta * u / (1 + u))
            found[rows, 0] = fall.sum(1) - left.sum(1)
            found[rows, 1:] = np.column_stack([steep.sum(1), np.einsum("ij,ij->i", left, log), -steep @ slow[:m]])
        return found

    def predict(self, theta: np.ndarray) -> np.ndarray:
        """The loss at theta (7,): (n,)."""
        return theta[0] + _base(theta, self.logs) - theta[3] * self.drop(theta[4:])[:, 0]

    def slopes(self, theta: np.ndarray) -> np.ndarray:
        """Derivatives of the loss at theta (7,): (n, 7)."""
        base, drop = _base(theta, self.logs), self.drop(theta[4:])
        return np.column_stack([np.ones_like(base), base, -base * self.logs, -drop[:, 0], -theta[3] * drop[:, 1:]])

    def constants(self, theta: np.ndarray) -> dict[str, float]:
        """The law's constants at theta."""
        L0, a, alpha, B, c, beta, gamma = map(float, theta)
        A, C = np.exp([a + alpha * self.centres[0], c + gamma * self.centres[1]])
        return {"L0": L0, "A": float(A), "alpha": alpha, "B": B, "C": float(C), "beta": beta, "gamma": gamma}

    def starts(self, weights: np.ndarray, count: int) -> np.ndarray:
        """The most promising thetas (count, 7): with the exponents fixed, the law is linear."""
        loss, root, found = self.curves.loss, np.sqrt(weights), []
        for scale, beta, gamma in product(SCALES, BETAS, GAMMAS):
            c = np.log(scale) - self.centres[0]
            drop = self.drop(np.array([c, beta, gamma]))[:, 0]
            for alpha in ALPHAS:
                columns = np.column_stack([np.ones_like(loss), np.exp(-alpha * self.logs), -drop])
                linear, misfit = scipy.optimize.nnls(columns * root[:, None], loss * root)
                L0, A, B = linear
                found.append((misfit, [L0, np.log(max(A, 1e-6)), alpha, B, c, beta, gamma]))
        return np.array([theta for _, theta in sorted(found)[:count]])

    @property
    def form(self) -> Form:
        """The same for the solver."""
        return Form(
            observed=self.curves.loss,
            predict=self.predict,
            slopes=self.slopes,
            lower=np.array([0, -np.inf, EXPONENTS[0], 0, -np.inf, EXPONENTS[0], 0]),
            upper=np.array([np.inf, np.inf, EXPONENTS[1], np.inf, np.inf, LARGEST, LARGEST]),
            scale=np.array([1.0, 0.3, 0.3, 300.0, 1.0, 0.3, 0.3]),
        )


@dataclass(frozen=True)
class MomentumCurves:
    """The law at the rows; theta is (L0, a, alpha, C), the logarithms of the sums centred."""

    loss: np.ndarray
    logs: np.ndarray
    centre: float
    area: np.ndarray

    def predict(self, theta: np.ndarray) -> np.ndarray:
        """The loss at theta (4,): (n,)."""
        return theta[0] + _base(theta, self.logs) - theta[3] * self.area

    def slopes(self, theta: np.ndarray) -> np.ndarray:
        """Derivatives of the loss at theta (4,): (n, 4)."""
        base = _base(theta, self.logs)
        return np.column_stack([np.ones_like(base), base, -base * self.logs, -self.area])

    def constants(self, theta: np.ndarray) -> dict[str, float]:
        """The law's constants at theta, but for the momentum."""
        L0, a, alpha, C = map(float, theta)
        return {"L0": L0, "A": float(np.exp(a + alpha * self.centre)), "alpha": alpha, "C": C}

    def starts(self, weights: np.ndarray, count: int) -> np.ndarray:
        """The most promising thetas (count, 4): with the exponent fixed, the law is linear."""
        root, found = np.sqrt(weights), []
        for alpha in np.geomspace(0.1, 1.6, 9):
            columns = np.column_stack([np.ones_like(self.loss), np.exp(-alpha * self.logs), -self.area])
            linear, misfit = scipy.optimize.nnls(columns * root[:, None], self.loss * root)
            found.append((misfit, [linear[0], np.log(max(linear[1], 1e-6)), alpha, linear[2]]))
        return np.array([theta for _, theta in sorted(found)[:count]])

    @property
    def form(self) -> Form:
        """The same for the solver."""
        return Form(
            observed=self.loss,
            predict=self.predict,
            slopes=self.slopes,
            lower=np.array([0, -np.inf, EXPONENTS[0], 0]),
            upper=np.array([np.inf, np.inf, EXPONENTS[1], np.inf]),
            scale=np.array([1.0, 0.3, 0.3, 0.3]),
        )


def fit_multi_power(
    curves: pd.DataFrame,
    schedules: Mapping[Any, ArrayLike],
    *,
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
) -> Fit:
    """Fit a :class:`~scaling.laws.MultiPowerLaw` to loss curves under different schedules.

    With its exponents fixed the law is linear, which gives starting points. The minimum is sought from each of them on
    a law in which some neighbouring changes of the rate stand as one; the best is then moved to that of the law itself.

    Parameters
    ----------
    curves : DataFrame
        Columns ``run``, ``step`` and ``loss``. Curves that differ in their schedules are needed: at a rate that never
        falls the second sum of the law says nothing.
    schedules : mapping
        For each run the learning rates of its steps from 0 on, warm-up included (:func:`~scaling.laws.learning_rates`).
    objective : str
        As in :func:`~scaling.fit.fit_parametric`.
    delta : float
        Its Huber threshold.
    weights : array (n_rows,), optional
        As there.
    n_starts : int
        As there.

    Returns
    -------
    Fit
        Its status is ``solved`` at best; alpha lies in [0.01, 2], beta in [0.01, 5], gamma in [0, 5].

    Raises
    ------
    FitError
        For a table without these columns, a run without a schedule, a step without a rate, a loss that is not positive,
        or schedules that lower no rate before a recorded step.
    ValueError
        For an unknown objective, a ``delta`` or an ``n_starts`` that makes no sense.
    """
    aim = objective_of(objective, delta)
    table, points = _checked(curves, schedules)
    w = checked_weights(weights, len(table))
    _refuse_without_falls(points)
    check_search(aim, n_starts, float(np.median(points.loss)) if aim.raw else 1.0)
    law = MultiPowerCurves.of(points, 1)
    rough = replace(MultiPowerCurves.of(points, COARSE), centres=law.centres)
    theta, _, _, agreeing = rough.form.minimise(w, aim, rough.starts(w, n_starts))
    again = partial(fit_multi_power, table, schedules, objective=objective, delta=delta, n_starts=n_starts)
    form = replace(law.form, near=True)
    fit = _finished(form, law.constants, MultiPowerLaw, table, points, w, aim, theta[None], again)
    return replace(fit, starts_agreeing=agreeing, n_starts=n_starts)


def fit_momentum(
    curves: pd.DataFrame,
    schedules: Mapping[Any, ArrayLike],
    *,
    momentum: float = 0.999,
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
) -> Fit:
    """Fit a :class:`~scaling.laws.MomentumLaw` of a given momentum to loss curves under different schedules.

    Parameters
    ----------
    curves : DataFrame
        Columns ``run``, ``step`` and ``loss``.
    schedules : mapping
        For each run the learning rates of its steps from 0 on, warm-up included (:func:`~scaling.laws.learning_rates`).
    momentum : float
        In [0, 1); Tissue et al. choose it and do not fit it.
    objective : str
        As in :func:`~scaling.fit.fit_parametric`.
    delta : float
        Its Huber threshold.
    weights : array (n_rows,), optional
        As there.
    n_starts : int
        As there.

    Returns
    -------
    Fit
        Its status is ``solved`` at best; alpha lies in [0.01, 2].

    Raises
    ------
    FitError
        For a table without these columns, a run without a schedule, a step without a rate, a loss that is not positive,
        or schedules that lower no rate before a recorded step.
    ValueError
        For an unknown objective, a ``delta``, an ``n_starts`` or a ``momentum`` that makes no sense.
    """
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum must be at least 0 and below 1, got {momentum}")
    aim = objective_of(objective, delta)
    table, points = _checked(curves, schedules)
    w = checked_weights(weights, len(table))
    _refuse_without_falls(points)
    logs = np.log(points.total)
    area = points.gathered([annealing(r, momentum)[s] for r, s in zip(points.rates, points.steps, strict=True)])
    law = MomentumCurves(points.loss, logs - logs.mean(), float(logs.mean()), area)
    starts = law.starts(w, whole_number("n_starts", n_starts))
    build = partial(MomentumLaw, momentum=momentum)
    again = partial(
        fit_momentum, table, schedules, momentum=momentum, objective=objective, delta=delta, n_starts=n_starts
    )
    return _finished(law.form, law.constants, build, table, points, w, aim, starts, again)


def _refuse_without_falls(points: Curves) -> None:
    """``FitError`` where no recorded loss comes after a fall of the rate: their effect would be found to be none."""
    for rates, steps in zip(points.rates, points.steps, strict=True):
        if (np.diff(rates[: steps.max() + 1]) < 0).any():
            return
    words = "the law of its falls has nothing to be fitted to"
    raise FitError(f"no schedule lowers the learning rate before the last recorded step of its run: {words}")


def _finished(
    form: Form,
    constants: Callable[[np.ndarray], dict[str, float]],
    build: Callable[..., Law],
    table: pd.DataFrame,
    points: Curves,
    weights: np.ndarray,
    aim: Any,
    starts: np.ndarray,
    again: Callable[..., Fit],
) -> Fit:
    return finish_form(
        form,
        weights,
        aim,
        starts,
        constants=constants,
        variables={"sum of the learning rates": points.total},
        least=3,
        unseen=nothing_unseen,
        build=build,
        again=again,
        runs=table,
        dropped=NOTHING.copy(deep=False),
        clusters=groups_of(table["run"]),
    )


def _checked(curves: pd.DataFrame, schedules: Mapping[Any, ArrayLike]) -> tuple[pd.DataFrame, Curves]:
    """The table with rows numbered from 0, and its curves; ``FitError`` if they cannot be used."""
    if not isinstance(curves, pd.DataFrame):
        raise FitError(f"loss curves are a DataFrame, not a {type(curves).__name__}")
    if missing := [name for name in ("run", "step", "loss") if name not in curves]:
        raise FitError(f"loss curves need the column {missing[0]!r}: one row a recorded step of a run")
    if curves.empty:
        raise FitError("no rows to fit: the table of curves is empty")
    if missing := [run for run in curves["run"].unique() if run not in schedules]:
        raise FitError(f"no schedule for the run {missing[0]!r}: give the learning rates of its steps from 0 on")
    table = curves.reset_index(drop=True)
    try:
        loss, step = (column_of_numbers(table, name) for name in ("loss", "step"))
    except RunsError as error:
        raise FitError(str(error)) from None
    table = table.assign(loss=loss, step=step)
    length = table["run"].map({run: len(np.asarray(schedules[run])) for run in table["run"].unique()}).to_numpy()
    for bad, words in (
        (~((loss > 0) & np.isfinite(loss)), "a loss must be a positive finite number"),
        (~((step > 0) & (step < length) & (step == np.floor(step))), "its schedule has no rate for this step"),
    ):
        if bad.any():
            row = table.iloc[int(bad.argmax())]
            raise FitError(f"run {row['run']!r}, step {row['step']}, loss {row['loss']}: {words}")
    for run in table["run"].unique():
        rates = floats(f"the schedule of {run!r}", schedules[run])
        if not (rates[1:] > 0).all() or rates[0] < 0:
            raise FitError(f"the schedule of {run!r} has rates that are not positive after step 0")
    return table, Curves.of(table, schedules)
