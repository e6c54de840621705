"""A fit of the broken power law of Caballero et al. 2023 (arXiv:2210.14891)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import whole_number
from ..errors import FitError
from ..laws.broken import BrokenPowerLaw
from .common import checked_weights
from .engine.problem import Objective
from .engine.starts import valleys
from .least_squares import TINY, Form, damped, finish_form, is_needless, lowest, nothing_unseen, objective_of
from .power_law import RANGE, checked_points
from .result import NOTHING, Fit

__all__ = ["fit_broken_power_law"]

#: how far the change of the exponent, and the logarithm of the width of the break, are sought
CHANGE, LOG_WIDTH = 50.0, (float(np.log(1e-3)), float(np.log(5.0)))
#: places of a break in starts: at most so many points, between them, and so far beyond in ranges of ln x
PLACES, BEYOND = 40, 0.15
#: its widths, in the same unit, and offsets, in the least y
WIDTHS = np.geomspace(1e-3, 0.5, 7)
OFFSETS = np.array([0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.975, 0.99])
#: valleys of this grid that are searched finer, and steps before and then
SEARCHED, STEPS = 32, (6, 30)
#: points that starts are made of, neighbours being gathered where there are more; damping of their linear problems
POINTS, RIDGE = 200, 1e-11
#: all of theta but place and width
BESIDE = [0, 1, 3, 5]


def fit_broken_power_law(
    x: ArrayLike,
    y: ArrayLike,
    *,
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
) -> Fit:
    """Fit a law with one break and an offset of at least 0, from several starts.

    Points on both sides of a break are needed to locate it. Where they are missing some constants end at
    the bounds of the search (a change of the exponent by 50, say), and the law means nothing beyond the points.
    No proof of the lowest minimum goes with the search: of 90 small simulated tables it is known to have missed one.

    Parameters
    ----------
    x, y : array (n,)
        Positive; in any units.
    objective : str
        As in :func:`~scaling.fit.fit_parametric`, with y in place of the loss.
    delta : float
        Its Huber threshold.
    weights : array (n,), optional
        As there; one a point.
    n_starts : int
        The starts are the lowest valleys of a grid of places and widths of the break, at each of which the other
        constants are fitted (variable projection).

    Returns
    -------
    Fit
        Of a :class:`~scaling.laws.BrokenPowerLaw`; ``not_identified`` for fewer points than its six constants.

    Raises
    ------
    FitError
        If x and y differ in length, or a value is not a positive finite number.
    ValueError
        For an unknown objective, a ``delta`` or an ``n_starts`` that makes no sense.
    """
    aim = objective_of(objective, delta)
    columns = checked_points(x, y, RANGE)
    X, Y = columns["x"], columns["y"]
    w = checked_weights(weights, len(X))
    if not len(X):
        raise FitError("no points to fit: x and y are empty")
    log_x, used = np.log(X), w > 0
    first, last, center = float(log_x[used].min()), float(log_x[used].max()), float(log_x[used].mean())
    span = max(last - first, 1e-9)
    form = Form(
        observed=Y,
        predict=partial(_predicted, log_x, center),
        lower=np.array([-50, -5, first - span, -CHANGE, LOG_WIDTH[0], 0]),
        upper=np.array([50, 5, last + span, CHANGE, LOG_WIDTH[1], Y[used].min()]),
        scale=np.array([1, 0.1, 0.1, 1, 1, 0.1]),
        slopes=partial(_slopes, log_x, center),
    )
    fit = finish_form(
        form,
        w,
        aim,
        _starts(form, log_x, center, w, aim, whole_number("n_starts", n_starts)),
        constants=partial(_constants, center),
        variables={"x": X},
        least=6,
        unseen=nothing_unseen,
        build=_law,
        again=partial(fit_broken_power_law, X, Y, objective=objective, delta=delta, n_starts=n_starts),
        runs=pd.DataFrame(columns),
        dropped=NOTHING.copy(deep=False),
    )
    if fit.status in ("solved", "at_bound") and not _breaks(form, log_x - center, w, aim, fit.value):
        words = "no break is seen beyond noise: a power law with an offset fits as well"
        return replace(fit, status="weak", message="; ".join(filter(None, [words, fit.message])))
    return fit


def _breaks(form: Form, x: np.ndarray, weights: np.ndarray, aim: Objective, value: float) -> bool:
    """Whether a law without a break, of centred logarithms x, is worse beyond noise than a value of one with it."""
    kept = [0, 1, 5]  # level, exponent and offset
    starts = []
    for offset in OFFSETS * form.observed[weights > 0].min():
        root = np.sqrt(weights) * (1 - offset / form.observed)
        exponent, level = np.polyfit(x, np.log(np.maximum(form.observed - offset, TINY)), 1, w=np.maximum(root, 0.0))
        starts.append([level, -exponent, offset])
    plain = replace(
        form,
        predict=lambda theta: theta[2] + np.exp(theta[0] - theta[1] * x),
        slopes=None,
        lower=form.lower[kept],
        upper=form.upper[kept],
        scale=form.scale[kept],
    )
    _, without, _, _ = plain.minimise(weights, aim, np.clip(starts, plain.lower, plain.upper))
    return not is_needless(without, value, 3, len(form.lower), int((weights > 0).sum()), weights, aim)


def _constants(center: float, p: np.ndarray) -> dict[str, float]:
    """The law's constants, in the order of theta: level, exponent, place and change of the break, width, offset."""
    level, exponent, place, change, width, offset = map(float, p)
    coefficient, breaks, widths = np.exp([level + exponent * center, place, width])
    return {
        "coefficient": float(coefficient),
        "exponent": exponent,
        "breaks": float(breaks),
        "changes": change,
        "widths": float(widths),
        "offset": offset,
    }


def _predicted(log_x: np.ndarray, center: float, theta: np.ndarray) -> np.ndarray:
    """What the laws of theta (…, 6) are at x: (…, n)."""
    level, exponent, place, change, width, offset = np.moveaxis(theta, -1, 0)[..., None]
    bend = np.exp(width) * np.logaddexp(0.0, (log_x - place) * np.exp(-width))
    return offset + np.exp(level - exponent * (log_x - center) - change * bend)


def _slopes(log_x: np.ndarray, center: float, theta: np.ndarray) -> np.ndarray:
    """Derivatives of the same in theta: (…, n, 6)."""
    _, _, place, change, width, offset = np.moveaxis(theta, -1, 0)[..., None]
    steps = (log_x - place) * np.exp(-width)
    beyond, bend = 0.5 + 0.5 * np.tanh(steps / 2), np.exp(width) * np.logaddexp(0.0, steps)
    falls = [1.0, center - log_x, change * beyond, -bend, change * (beyond * (log_x - place) - bend)]
    high = _predicted(log_x, center, theta) - offset
    return np.stack([*(each * high for each in falls), np.ones_like(high)], axis=-1)


def _starts(
    form: Form, log_x: np.ndarray, center: float, weights: np.ndarray, aim: Objective, count: int
) -> np.ndarray:
    """The most promising thetas (count, 6).

    With a break's place and width and the offset fixed, ln(y - offset) is linear in the rest: the best offset at each
    point of a grid of places and widths is made better by a few steps, and the valleys of that grid by more.
    """
    x, y, w = _gathered(log_x, form.observed, weights)
    form = replace(form, observed=y, predict=partial(_predicted, x, center), slopes=partial(_slopes, x, center))
    span = max(float(np.ptp(x)), 1e-9)
    knots = np.unique(np.quantile(x, np.linspace(0, 1, min(len(x), PLACES)), method="nearest"))
    places = np.sort([x[0] - BEYOND * span, *knots, *(knots[1:] + knots[:-1]) / 2, x[-1] + BEYOND * span])
    place, width, offset = np.meshgrid(places, np.log(WIDTHS * span), OFFSETS * y.min(), indexing="ij")
    wide, over = np.exp(width)[..., None], offset[..., None]
    felt = np.sqrt(w) * (1 - over / y)  # an error of ln(y - offset) is smaller in ln y
    bend = wide * np.logaddexp(0.0, (x - place[..., None]) / wide)
    lines = np.stack([felt, felt * (center - x), -felt * bend], axis=-1)
    level, exponent, change = np.moveaxis(damped(lines, felt * np.log(y - over), RIDGE), -1, 0)
    theta = np.clip(np.stack([level, exponent, place, change, width, offset], axis=-1), form.lower, form.upper)
    delta = aim.thresholds(True, unit=form.unit(aim))[0]
    best = form.value(theta, w, aim, delta).argmin(-1)
    theta = np.take_along_axis(theta, best[..., None, None], 2)[:, :, 0]
    theta, value = form.improve(theta, w, aim, delta, STEPS[0], free=BESIDE)
    theta = theta.reshape(-1, 6)[valleys(value[None], max(count, SEARCHED))[0]]
    theta, value = form.improve(theta, w, aim, delta, STEPS[1])
    return theta[lowest(value, count)]


def _gathered(log_x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ln x, y and weights of the points in order, as means of neighbours where there are very many."""
    order = np.argsort(log_x, kind="stable")
    order = order[weights[order] > 0]
    parts = np.linspace(0, len(order), min(len(order), POINTS), endpoint=False).astype(int)
    w = np.add.reduceat(weights[order], parts)
    x, log_y = (np.add.reduceat((weights * z)[order], parts) / w for z in (log_x, np.log(y)))
    return x, np.exp(log_y), w


def _law(**constants: float) -> BrokenPowerLaw:
    return BrokenPowerLaw(**constants)
