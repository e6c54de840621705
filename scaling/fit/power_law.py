"""Fits of a power law of one variable, with or without an offset."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import FitError
from ..laws.power import PowerLaw
from .common import checked_weights, finish, floats, in_one_order
from .engine.problem import Objective, Problem
from .engine.scatter import scatter
from .engine.single import Single
from .result import NOTHING, Fit

__all__ = ["fit_power_law"]


#: values that a power law is fitted to: beyond, squares leave the floating-point range or fall below tolerances
RANGE, RAW_RANGE = (1e-100, 1e100), (1e-6, 1e9)


def fit_power_law(
    x: ArrayLike,
    y: ArrayLike,
    *,
    offset: bool = False,
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
) -> Fit:
    r"""Fit :math:`y = \text{offset} + \text{coefficient}\cdot x^{\text{exponent}}`.

    Without an offset and by ``objective="log_squares"`` this is ordinary least squares of ln y on ln x. With one, the
    offset is at least 0 and the exponent's size lies in [0.01, 2]; a table that falls with ``x``
    gets a negative exponent, one that rises a positive one.

    Parameters
    ----------
    x, y : array (n,)
        Positive numbers.
    offset : bool
        Whether the law has an offset.
    objective : str
        As in :func:`~scaling.fit.fit_parametric`, with ln y in place of ln loss.
    delta : float
        Its Huber threshold.
    weights : array (n,), optional
        As there; one a point.
    n_starts : int
        As there.

    Returns
    -------
    Fit
        Of a :class:`~scaling.laws.PowerLaw`.

    Raises
    ------
    FitError
        If ``x`` and ``y`` differ in length, a value is not a positive finite number, or one of ``y`` lies
        outside 1e-100 to 1e100 (1e-6 to 1e9 for ``huber``).
    ValueError
        For an unknown objective, a ``delta`` or an ``n_starts`` that makes no sense.
    """
    aim = Objective(objective, delta)
    columns = checked_points(x, y, RAW_RANGE if aim.raw else RANGE)
    table = pd.DataFrame(columns)
    if table.empty:
        raise FitError("no points to fit: x and y are empty")
    w = checked_weights(weights, len(table))
    X, Y = columns["x"], columns["y"]
    used = w > 0
    several = len(np.unique(X[used])) > 1
    slope = np.polyfit(np.log(X[used]), np.log(Y[used]), 1, w=np.sqrt(w[used] / w.max()))[0] if several else -1.0
    sign = 1 if slope <= 0 else -1
    names = (*(("offset",) if offset else ()), "coefficient", "exponent")
    limits = (0.01, 2.0) if offset else (-20.0, 20.0)
    problem = Problem.build(Y, (X**sign,), names, offset=offset, raw=aim.raw, bounds=limits)
    return finish(
        problem,
        w,
        aim,
        n_starts,
        {"x": X},
        build=partial(_power_law, sign),
        again=partial(fit_power_law, X, Y, offset=offset, objective=objective, delta=delta, n_starts=n_starts),
        runs=table,
        dropped=NOTHING.copy(deep=False),
    )


def _power_law(
    sign: int, coefficient: float | np.ndarray, exponent: float | np.ndarray, offset: float | np.ndarray = 0.0
) -> PowerLaw:
    """The law of a problem whose exponent is that of the fall of y with x ** sign."""
    return PowerLaw(coefficient, -sign * exponent, offset)


def profiled(fit: Fit, level: float, places: ArrayLike) -> tuple[dict[str, tuple[float, float]], np.ndarray]:
    """Intervals by profile likelihood of the constants of a law with an offset, and of its values at places (k, 2).

    Unlike percentiles of resamples they know how few the points are, and how far constants go that an offset at its
    least holds together.
    """
    assert fit._minimum is not None
    rows, minimum = np.flatnonzero(fit.weights > 0), fit._minimum
    problem = minimum.problem.take(rows)
    found = scatter(problem, minimum.theta, fit.weights[rows], minimum.objective, problem.model.n_free)
    single, sign = Single.of(problem, found, level), 1 if fit.candidate.constants["exponent"] <= 0 else -1
    exponent = sorted(-sign * end for end in single.exponent())
    spans = {"offset": single.offset(), "coefficient": single.coefficient(), "exponent": (exponent[0], exponent[1])}
    return spans, np.array([single.value(sign * float(log_x)) for log_x in np.log(places)])


def checked_points(x: ArrayLike, y: ArrayLike, span: tuple[float, float]) -> dict[str, np.ndarray]:
    """x and y as positive finite floats of one length, y within ``span``."""
    in_one_order(x=x, y=y)
    columns = {"x": np.atleast_1d(floats("x", x)), "y": np.atleast_1d(floats("y", y))}
    if columns["x"].ndim != 1 or columns["x"].shape != columns["y"].shape:
        raise FitError(f"x and y must be of one length, got shapes {columns['x'].shape} and {columns['y'].shape}")
    for name, values in columns.items():
        bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
        if len(bad):
            raise FitError(f"{name}[{bad[0]}] is {values[bad[0]]}: a power law needs positive finite numbers")
    low, high = span
    odd = ~((columns["y"] >= low) & (columns["y"] <= high))
    if odd.any():
        value = columns["y"][odd][0]
        raise FitError(f"y[{odd.argmax()}] is {value:g}, outside {low:g} to {high:g}: change the unit of y")
    return columns
