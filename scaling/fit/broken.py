"""A fit of the broken power law of Caballero et al. 2023 (arXiv:2210.14891)."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..laws.broken import BrokenPowerLaw, log_reducible
from .common import checked_weights
from .least_squares import Form, finish_form, nothing_unseen, objective_of
from .power_law import RANGE, checked_points
from .result import NOTHING, Fit

__all__ = ["fit_broken_power_law"]

#: how far the change of the exponent, and the logarithm of the width of the break, are sought
CHANGE, LOG_WIDTH = 50.0, (float(np.log(1e-3)), float(np.log(5.0)))


def fit_broken_power_law(
    x: ArrayLike,
    y: ArrayLike,
    *,
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
    seed: int = 0,
) -> Fit:
    """Fit a law with one break and an offset of at least 0, from several starts.

    Points on both sides of a break are needed to locate it. Where they are missing some constants end at
    the bounds of the search (a change of the exponent by 50, say), and the law means nothing beyond the points.

    Parameters
    ----------
    x, y : array (n,)
        Positive.
    objective, delta, weights, n_starts
        As in :func:`~scaling.fit.fit_parametric`, with y in place of the loss. The starts are places of the break and
        its sharpness, drawn over the range of x. Of a few none may reach the lowest minimum, however many agree, and
        which do can depend on the processor: ask for 32 or more where the constants matter.
    seed : int
        Of the draw.

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
    log_x, log_y, rng = np.log(X), np.log(Y), np.random.default_rng(seed)
    center, span = float(log_x.mean()), float(np.ptp(log_x))
    width = max(span, 1e-9)

    def starts() -> list[list[float]]:
        drawn = [(rng.uniform(log_x.min(), log_x.max()), rng.uniform(0.02, 0.5) * width) for _ in range(n_starts)]
        return [[log_y.mean(), 0.1, at, 1.0, np.clip(np.log(wide), -6, 1), 0.1 * Y.min()] for at, wide in drawn]

    form = Form(
        observed=Y,
        predict=partial(_predicted, log_x, center),
        lower=np.array([-50, -5, log_x.min() - width, -CHANGE, LOG_WIDTH[0], 0]),
        upper=np.array([50, 5, log_x.max() + width, CHANGE, LOG_WIDTH[1], Y.min()]),
        scale=np.array([1, 0.1, 0.1, 1, 1, 0.1]),
    )
    return finish_form(
        form,
        w,
        aim,
        np.array(starts()),
        constants=partial(_constants, center),
        variables={"x": X},
        least=6,
        unseen=nothing_unseen,
        build=_law,
        again=partial(fit_broken_power_law, X, Y, objective=objective, delta=delta, n_starts=n_starts, seed=seed),
        runs=pd.DataFrame(columns),
        dropped=NOTHING.copy(deep=False),
    )


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


def _predicted(log_x: np.ndarray, center: float, p: np.ndarray) -> np.ndarray:
    """What the law of these constants is at x."""
    coefficient, exponent, *bend, offset = _constants(center, p).values()
    return offset + np.exp(log_reducible(log_x, coefficient, exponent, *np.array(bend)[:, None]))


def _law(**constants: float) -> BrokenPowerLaw:
    return BrokenPowerLaw(**constants)
