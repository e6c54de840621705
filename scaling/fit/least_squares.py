"""Fits of laws outside the engine's family: SciPy's bounded least squares from several starts.

They are judged by the rules of all others. The residuals are those of the objective by name; Huber's loss is reached
through falling thresholds, as in the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
import pandas as pd
import scipy

from .._checks import whole_number
from ..laws.base import Law
from .common import AGREE, AGREE_FLOOR, Sample, check_search
from .engine.huber import huber_sum
from .engine.identify import FALLS, condition_number, verdict
from .engine.newton import solve_definite
from .engine.problem import Objective
from .engine.unseen import LEAST_FREEDOM, SEEN
from .result import Fit

#: evaluations of the residuals in one descent
MOST_EVALUATIONS = 400
#: factors of the damping after a step that led down, and one that did not
EASED, STIFFENED = 4.0, 8.0
#: ends of coarse descents count as one when their objectives differ by less than this share
ALIKE = 1e-3
#: predictions below this cannot be told from zero
TINY = 1e-300
#: a constant so near to a bound, in typical sizes, is tried on it
NEAR_BOUND = 1e-6


class RelativeSquares(Objective):
    """The sum of w ((predicted - observed) / observed)^2, as Rosenfeld et al. 2020 have it."""

    def __init__(self) -> None:
        object.__setattr__(self, "name", "relative_squares")
        object.__setattr__(self, "delta", np.inf)

    def thresholds(self, fresh: bool, exact: bool = True, unit: float = 1.0) -> tuple[float, ...]:
        return (np.inf,)

    def sum(self, r: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return (weights * r * r).sum(-1)


@dataclass(frozen=True)
class Form:
    """A law as a function of theta (p,), beside what was observed (n,)."""

    observed: np.ndarray
    predict: Callable[[np.ndarray], np.ndarray]
    lower: np.ndarray
    upper: np.ndarray
    #: typical sizes of theta's entries
    scale: np.ndarray
    #: derivatives of the prediction, (n, p); by differences where they are not given
    slopes: Callable[[np.ndarray], np.ndarray] | None = None
    method: str = "trf"
    #: whether the starts lie so near the minimum that no larger threshold has to lead there
    near: bool = False

    def residuals(self, theta: np.ndarray, aim: Objective) -> np.ndarray:
        """Predicted minus observed, in the objective's sense: (…, n)."""
        predicted = self.predict(theta)
        if aim.raw:
            return predicted - self.observed
        if isinstance(aim, RelativeSquares):
            return predicted / self.observed - 1
        return np.log(np.maximum(predicted, TINY)) - np.log(self.observed)

    def jacobian(self, theta: np.ndarray, aim: Objective) -> np.ndarray:
        """Derivatives of the residuals: (…, n, p)."""
        if self.slopes is None:
            return scipy.optimize.approx_fprime(theta, self.residuals, 1e-7 * self.scale, aim)
        slopes = self.slopes(theta)
        if aim.raw:
            return slopes
        divisor = self.observed if isinstance(aim, RelativeSquares) else np.maximum(self.predict(theta), TINY)
        return slopes / divisor[..., None]

    def value(self, theta: np.ndarray, weights: np.ndarray, aim: Objective, delta: float) -> np.ndarray:
        """The objective of thetas (…, p) under a threshold."""
        with np.errstate(over="ignore"):
            return huber_sum(self.residuals(theta, aim), weights, delta)

    def unit(self, aim: Objective) -> float:
        """Of the residuals."""
        return float(np.median(self.observed)) if aim.raw else 1.0

    def improve(
        self,
        theta: np.ndarray,
        weights: np.ndarray,
        aim: Objective,
        delta: float,
        steps: int,
        free: list[int] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Thetas (…, p) after so many damped steps each, all at once, in the ``free`` constants, and their objective.

        Levenberg's method, for laws that give their slopes; Huber's loss enters as weights.
        """
        chosen = list(range(theta.shape[-1])) if free is None else free
        value, damping = self.value(theta, weights, aim, delta), np.full((*theta.shape[:-1], 1), 1e-3)
        with np.errstate(over="ignore", invalid="ignore"):  # far off; the step is not taken
            for _ in range(steps):
                r, slopes = self.residuals(theta, aim), self.jacobian(theta, aim)[..., chosen]
                root = np.sqrt(weights * np.minimum(1, delta / np.maximum(np.abs(r), TINY)))
                moved = theta.copy()
                moved[..., chosen] -= damped(root[..., None] * slopes, root * r, damping)
                moved = np.clip(moved, self.lower, self.upper)
                reached = self.value(moved, weights, aim, delta)
                lower = reached < value
                theta, value = np.where(lower[..., None], moved, theta), np.where(lower, reached, value)
                damping = np.where(lower[..., None], damping / EASED, damping * STIFFENED)
        return theta, value

    def minimise(self, weights: np.ndarray, aim: Objective, starts: np.ndarray) -> tuple[np.ndarray, float, bool, int]:
        """Theta, value and convergence at the lowest minimum, and how many of the starts reach it."""
        ends = [self._descend(start, weights, aim) for start in starts]
        values = [float(aim.sum(self.residuals(theta, aim), weights)) for theta, _ in ends]
        best = int(np.argmin(values))
        limit = values[best] * (1 + AGREE) + AGREE_FLOOR * weights.sum()
        theta, converged = ends[best]
        agreeing = sum(value <= limit for value in values)
        return *self._settle(theta, values[best], limit, weights, aim), converged, agreeing

    def _settle(
        self, theta: np.ndarray, value: float, limit: float, weights: np.ndarray, aim: Objective
    ) -> tuple[np.ndarray, float]:
        """Put what the search leaves a hair from a bound, which it never reaches, on it if that costs nothing."""
        for bound in (self.lower, self.upper):
            for k in np.flatnonzero(np.abs(theta - bound) <= NEAR_BOUND * self.scale):
                moved = theta.copy()
                moved[k] = bound[k]
                reached = float(aim.sum(self.residuals(moved, aim), weights))
                if reached <= limit:
                    theta, value = moved, min(value, reached)
        return theta, value

    def _descend(self, theta: np.ndarray, weights: np.ndarray, aim: Objective) -> tuple[np.ndarray, bool]:
        root = np.sqrt(weights)
        form, converged = replace(self, predict=remembering(self.predict)), False
        for delta in aim.thresholds(not self.near, unit=self.unit(aim)):
            rows, loss, width = (root, "linear", 1.0) if np.isinf(delta) else (1.0, partial(_huber, weights), delta)
            theta, converged = form._search(theta, aim, rows, loss, width)
        return theta, converged

    def _search(
        self, theta: np.ndarray, aim: Objective, rows: np.ndarray | float, loss: Any, width: float
    ) -> tuple[np.ndarray, bool]:
        """Theta and convergence under one threshold."""
        with np.errstate(over="ignore"):
            found = scipy.optimize.least_squares(
                lambda t: rows * self.residuals(t, aim),
                theta,
                (lambda t: np.reshape(rows, (-1, 1)) * self.jacobian(t, aim)) if self.slopes else "2-point",
                (self.lower, self.upper),
                method=self.method,
                x_scale=self.scale,
                ftol=1e-15,
                xtol=1e-14,
                gtol=1e-15,
                max_nfev=MOST_EVALUATIONS,
                loss=loss,
                f_scale=width,
            )
        return found.x, bool(found.status > 0)


def damped(rows: np.ndarray, goals: np.ndarray, damping: float | np.ndarray) -> np.ndarray:
    """Least squares (…, p) of rows (…, n, p) and goals (…, n); ``damping`` is a share of the diagonal."""
    turned, p = np.swapaxes(rows, -1, -2), rows.shape[-1]
    gram = turned @ rows
    gram[..., range(p), range(p)] *= 1 + damping
    found, _ = solve_definite(gram.reshape(-1, p, p), (turned @ goals[..., None]).reshape(-1, p))
    return found.reshape(gram.shape[:-1])


def lowest(values: np.ndarray, count: int) -> np.ndarray:
    """Indices (count,) of the lowest values, those first that are no repetition of a lower one."""
    order = np.argsort(values, kind="stable")
    again = np.diff(values[order], prepend=-np.inf) <= ALIKE * values[order]
    return order[np.argsort(again, kind="stable")][:count]


def remembering(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """The function, which knows its last value: residuals and their derivatives are asked for at the same theta."""
    last: list[Any] = [None, None]

    def remembered(theta: np.ndarray) -> np.ndarray:
        key = theta.tobytes()
        if last[0] != key:
            last[:] = key, function(theta)
        return last[1]

    return remembered


def _huber(weights: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Huber's loss of squared residuals in units of its threshold, with its two derivatives, weighted: (3, n)."""
    root = np.sqrt(np.maximum(z, 1.0))
    inside = z <= 1
    parts = [np.where(inside, z, 2 * root - 1), np.where(inside, 1.0, 1 / root), np.where(inside, 0.0, -0.5 / root**3)]
    return weights * np.array(parts)


def finish_form(
    form: Form,
    weights: np.ndarray,
    aim: Objective,
    starts: np.ndarray,
    *,
    constants: Callable[[np.ndarray], dict[str, float]],
    variables: dict[str, np.ndarray],
    least: int,
    unseen: Callable[[float], list[int]],
    build: Callable[..., Law],
    again: Callable[..., Fit],
    runs: pd.DataFrame,
    dropped: pd.DataFrame,
    clusters: np.ndarray | None = None,
    what: str = FALLS,
) -> Fit:
    """Minimise, judge and make it a :class:`~scaling.fit.Fit`, as ``fit.common.finish`` does for the engine.

    ``constants`` are those of a theta, by name and in its order; ``unseen`` are the positions of the variables without
    which the objective is no worse than a value beyond noise, and ``what`` says in words that does not depend on them.
    """
    check_search(aim, len(starts), form.unit(aim))
    theta, value, converged, agreeing = form.minimise(weights, aim, starts)
    used, found = weights > 0, constants(theta)
    at = tuple(name for name, on in zip(found, (theta <= form.lower) | (theta >= form.upper), strict=False) if on)
    moving = np.array([name not in at or form.lower[k] != 0 for k, name in enumerate(found)])
    seen = verdict(
        constants=found,
        held=at,
        converged=converged,
        conditioning=condition_number(form.jacobian(theta, aim)[used], moving),
        variables={name: x[used] for name, x in variables.items()},
        least=least,
        unseen=lambda: unseen(value),
        what=what,
    )
    return Fit(
        candidate=build(**found),
        value=value,
        objective=aim.name,
        delta=aim.delta,
        status=seen.status,
        message=seen.message,
        kind=seen.kind,
        condition=seen.condition,
        starts_agreeing=agreeing,
        n_starts=len(starts),
        runs=runs,
        dropped=dropped,
        weights=weights,
        residuals=-form.residuals(theta, aim),
        held=at,
        clusters=clusters,
        _again=again,
        _build=build,
    )


class Shape(Protocol):
    """A law as least squares sees it: its residuals, where to start, and the constants of a theta."""

    @property
    def form(self) -> Form: ...

    def starts(self, weights: np.ndarray, n_starts: int) -> np.ndarray: ...

    def constants(self, theta: np.ndarray) -> dict[str, float]: ...


def finish_sample(shape: Shape, used: Sample, aim: Objective, n_starts: int, **rest: Any) -> Fit:
    """:func:`finish_form` on chosen rows, from the starts that a law makes of them."""
    return finish_form(
        shape.form,
        used.weights,
        aim,
        shape.starts(used.weights, whole_number("n_starts", n_starts)),
        constants=shape.constants,
        runs=used.table,
        dropped=used.dropped,
        clusters=used.clusters,
        **rest,
    )


def is_needless(without: float, value: float, lost: int, free: int, runs: int, weights: np.ndarray, aim: Any) -> bool:
    """Whether an objective with so many constants lost is no worse beyond noise than one with so many free."""
    freedom = max(runs - free, LEAST_FREEDOM)
    bound = 1 + lost / freedom * scipy.special.fdtri(lost, freedom, SEEN)
    squares = aim.name.endswith("squares") or np.isinf(aim.delta)
    return without <= (bound if squares else np.sqrt(bound)) * value + 1e-24 * weights.sum()


def nothing_unseen(value: float) -> list[int]:
    """For laws none of whose variables can be left out."""
    return []


def objective_of(name: str, delta: float) -> Any:
    """The objective called ``name``, the relative squares of Rosenfeld et al. among them."""
    return RelativeSquares() if name == "relative_squares" else Objective(name, delta)
