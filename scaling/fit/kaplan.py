"""Fits of the laws of Kaplan et al. 2020 (arXiv:2001.08361)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..laws.kaplan import KaplanLaw, KaplanStepsLaw
from ..runs.curves import runs_of
from .common import checked_weights, chosen_rows, finish, positive_columns
from .engine.model import Model
from .engine.newton import Solution, solve
from .engine.problem import Objective, Problem
from .engine.starts import Basis, grid_objective, project, valleys
from .result import NOTHING, Fit

__all__ = ["fit_kaplan", "fit_kaplan_steps"]


#: exponents alpha_D and ratios alpha_N / alpha_D from which starting points are sought, and their bounds
SCALES, RATIOS = np.geomspace(0.03, 1.0, 17), np.geomspace(0.1, 10.0, 25)
SCALE_BOUNDS, RATIO_BOUNDS = (0.01, 2.0), (0.02, 50.0)


@dataclass(frozen=True)
class _JointProblem(Problem):
    """ln L = s LSE(a - k x_N, d - x_D): theta is (a, d, k, s) with s = alpha_D and k = alpha_N / alpha_D."""

    @classmethod
    def of(cls, loss: np.ndarray, N: np.ndarray, D: np.ndarray, raw: bool) -> _JointProblem:
        logs = [np.log(N), np.log(D)]
        centres = np.array([x.mean() for x in logs])
        x, y = (log - centre for log, centre in zip(logs, centres, strict=True))
        one, zero = np.ones_like(x), np.zeros_like(x)
        model = Model(
            target=loss if raw else np.log(loss),
            design=np.array([np.column_stack([one, -x]), np.column_stack([one, zero])]),
            columns=np.array([[0, 2], [1, 2]]),
            lower=np.array([-np.inf, -np.inf, RATIO_BOUNDS[0], SCALE_BOUNDS[0]]),
            upper=np.array([np.inf, np.inf, RATIO_BOUNDS[1], SCALE_BOUNDS[1]]),
            typical=np.array([1.0, 1.0, 1.0 / max(float(x.std()), 1e-6), 0.1]),
            scale=3,
            raw=raw,
            base=np.array([zero, -y]),
        )
        return cls(model, Basis(loss, (x, y), offset=False), centres, ("N_c", "D_c", "alpha_N", "alpha_D"))

    def fresh(
        self, weights: np.ndarray, objective: Objective, count: int, grid: np.ndarray | None = None, exact: bool = True
    ) -> tuple[Solution, np.ndarray]:
        """With s and k fixed, L^(1/s) is linear in the two coefficients: variable projection gives the starts."""
        deltas = objective.thresholds(True, exact, self.unit)
        x, y = self.basis.logs
        level = np.exp(np.log(self.basis.loss).mean())
        surface, thetas = [], []
        for s in SCALES:
            power = ((self.basis.loss / level) ** (1.0 / s))[:, None]
            columns = [np.exp(-np.outer(x, RATIOS)) / power, np.exp(-y)[:, None] / power]
            coefficients = np.maximum(project(columns, weights), 1e-6)
            surface.append(grid_objective(columns, weights, coefficients, deltas[0] / s)[..., 0] * s * s)
            a, d = np.moveaxis(np.log(coefficients[..., 0, :]) + np.log(level) / s, -1, 0)
            thetas.append(np.stack(np.broadcast_arrays(a, d, RATIOS, s), axis=-1))
        starts = np.stack(thetas, axis=1).reshape(len(weights), -1, 4)
        pick = valleys(np.stack(surface, axis=1), min(count, starts.shape[1]))
        chosen = np.take_along_axis(starts, pick[..., None], 1)
        every = solve(self.model, np.repeat(weights, chosen.shape[1], axis=0), deltas, chosen.reshape(-1, 4))
        values = every.value.reshape(len(weights), -1)
        best = np.arange(len(weights)) * values.shape[1] + values.argmin(1)
        return Solution(every.theta[best], every.value[best], every.converged[best]), values

    def constants(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        a, d, ratio, scale = theta.T
        with np.errstate(over="ignore"):
            values = (np.exp(a / ratio + self.centres[0]), np.exp(d + self.centres[1]), ratio * scale, scale)
        return dict(zip(self.names, values, strict=True))


def fit_kaplan(
    runs: pd.DataFrame,
    *,
    size: str = "params",
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
    rows: str = "last",
) -> Fit:
    r"""Fit :math:`L = [(N_c/N)^{\alpha_N/\alpha_D} + D_c/D]^{\alpha_D}` to a table of runs.

    Kaplan et al. 2020, equation 1.5. Its runs are trained until the held-out loss no longer falls, so that
    ``tokens`` are the distinct tokens of the data set.

    Parameters
    ----------
    runs : DataFrame
        Columns ``params`` (or what ``size`` names), ``tokens`` and ``loss`` (nats/token).
    size : str
        Column of the sizes; the paper counts no embeddings, ``"params_nonembedding"``.
    objective : str
        As in :func:`~scaling.fit.fit_parametric`.
    delta : float
        Its Huber threshold.
    weights : array (n_rows,), optional
        As there.
    n_starts : int
        As there.
    rows : {"last", "all"}
        As there.

    Returns
    -------
    Fit
        Of a :class:`~scaling.laws.KaplanLaw`. Bounds: alpha_D in [0.01, 2], alpha_N / alpha_D in [0.02, 50].

    Raises
    ------
    FitError
        For a table that cannot be used at all.
    ValueError
        For an unknown objective or choice of ``rows``, a ``delta`` or an ``n_starts`` that makes no sense.
    """
    aim = Objective(objective, delta)
    used = chosen_rows(runs, rows, weights)
    N, D, L = used.columns(size, "tokens", "loss")
    return finish(
        _JointProblem.of(L, N, D, aim.raw),
        used.weights,
        aim,
        n_starts,
        {size: N, "tokens": D},
        build=KaplanLaw,
        again=partial(
            fit_kaplan, used.table, size=size, objective=objective, delta=delta, n_starts=n_starts, rows=rows
        ),
        runs=used.table,
        dropped=used.dropped,
        clusters=used.clusters,
    )


def fit_kaplan_steps(
    curves: pd.DataFrame,
    *,
    size: str = "params",
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
) -> Fit:
    r"""Fit :math:`L = (N_c/N)^{\alpha_N} + (S_c/S_{min})^{\alpha_S}` to points of training curves.

    Kaplan et al. 2020, equation 1.6. The warm-up should be left out, and the steps be those of a batch far above the
    critical one: :meth:`~scaling.laws.CriticalBatch.min_steps` makes them from steps at another batch size.

    Parameters
    ----------
    curves : DataFrame
        Columns ``params`` (or what ``size`` names), ``steps`` (S_min) and ``loss`` (nats/token), one row a point; with
        a column ``run``, :func:`~scaling.uncertainty.bootstrap` draws whole runs.
    size : str
        Column of the sizes.
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
        Of a :class:`~scaling.laws.KaplanStepsLaw`. Bounds: both exponents in [0.01, 2].

    Raises
    ------
    FitError
        For a table that cannot be used at all.
    ValueError
        For an unknown objective, a ``delta`` or an ``n_starts`` that makes no sense.
    """
    aim = Objective(objective, delta)
    N, S, L = positive_columns(curves, size, "steps", "loss")
    table = curves.reset_index(drop=True)
    w = checked_weights(weights, len(table))
    names = ("A", "B", "alpha_N", "alpha_S")
    return finish(
        Problem.build(L, (N, S), names, offset=False, raw=aim.raw),
        w,
        aim,
        n_starts,
        {size: N, "steps": S},
        build=_steps_law,
        again=partial(fit_kaplan_steps, table, size=size, objective=objective, delta=delta, n_starts=n_starts),
        runs=table,
        dropped=NOTHING.copy(deep=False),
        clusters=runs_of(table),
    )


def _steps_law(
    A: float | np.ndarray, B: float | np.ndarray, alpha_N: float | np.ndarray, alpha_S: float | np.ndarray
) -> KaplanStepsLaw:
    """(N_c/N)^alpha_N = A / N^alpha_N."""
    with np.errstate(over="ignore", divide="ignore"):
        N_c, S_c = (np.asarray(k) ** (1.0 / np.asarray(p)) for k, p in ((A, alpha_N), (B, alpha_S)))
    return KaplanStepsLaw(N_c[()], S_c[()], alpha_N, alpha_S)
