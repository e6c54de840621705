"""A fit of the over-training law of Gadre et al. 2024 (arXiv:2403.08540)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..laws.overtraining import EXPONENTS, OvertrainingLaw
from .common import chosen_rows
from .least_squares import Form, finish_sample, nothing_unseen, objective_of
from .result import Fit

__all__ = ["fit_overtraining"]

#: exponents at which the linear constants are solved to find starts
GRID = np.linspace(*EXPONENTS, 100)
#: ratios of tokens to parameters are rounded to whole steps of training: within a per cent of each other they are one
SAME_RATIO = 0.01


@dataclass(frozen=True)
class _Sum:
    """E + p exp(-eta x) + q exp(-eta y) with x = ln 6 N^2 and y = ln 6 D^2, centred; theta is (E, p, q, eta)."""

    loss: np.ndarray
    logs: tuple[np.ndarray, np.ndarray]
    centres: tuple[float, float]

    def predict(self, theta: np.ndarray) -> np.ndarray:
        E, p, q, eta = theta
        return E + p * np.exp(-eta * self.logs[0]) + q * np.exp(-eta * self.logs[1])

    def slopes(self, theta: np.ndarray) -> np.ndarray:
        _, p, q, eta = theta
        first, second = (np.exp(-eta * x) for x in self.logs)
        tilt = -p * first * self.logs[0] - q * second * self.logs[1]
        return np.column_stack([np.ones_like(first), first, second, tilt])

    def constants(self, theta: np.ndarray) -> dict[str, float]:
        E, p, q, eta = map(float, theta)
        first, second = self.centres
        return {"E": E, "a": p * float(np.exp(eta * first)), "b": q * float(np.exp(eta * second)), "eta": eta}

    def starts(self, weights: np.ndarray, count: int) -> np.ndarray:
        """The most promising thetas (count, 4): with the exponent fixed the law is linear in the rest."""
        root, found = np.sqrt(weights), []
        for eta in GRID:
            terms = np.column_stack([np.ones_like(self.loss), *(np.exp(-eta * x) for x in self.logs)])
            linear = np.linalg.lstsq(terms * root[:, None], self.loss * root, rcond=None)[0]
            found.append((float(np.sum(weights * (terms @ linear - self.loss) ** 2)), [*linear, eta]))
        return np.array([theta for _, theta in sorted(found)[:count]])

    @property
    def form(self) -> Form:
        level = float(self.loss.mean())
        return Form(
            observed=self.loss,
            predict=self.predict,
            slopes=self.slopes,
            lower=np.array([-np.inf, -np.inf, -np.inf, EXPONENTS[0]]),
            upper=np.array([np.inf, np.inf, np.inf, EXPONENTS[1]]),
            scale=np.array([level, level, level, 0.1]),
        )


def fit_overtraining(
    runs: pd.DataFrame,
    *,
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
    rows: str = "last",
) -> Fit:
    """Fit an :class:`~scaling.laws.OvertrainingLaw` to a table of runs.

    For a given exponent the law is linear in E, a and b, which gives the starting points. Its authors minimise squares
    of the loss: ``objective="huber", delta=np.inf``. Nothing keeps E, a and b positive: look at them.

    Parameters
    ----------
    runs : DataFrame
        Columns ``params``, ``tokens`` and ``loss``, with two sizes and two ratios of tokens to parameters or more.
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
        Of an :class:`~scaling.laws.OvertrainingLaw`; the exponent lies in [0.01, 1].

    Raises
    ------
    FitError
        For a table that cannot be used at all.
    ValueError
        For an unknown objective or choice of ``rows``, a ``delta`` or an ``n_starts`` that makes no sense.
    """
    aim = objective_of(objective, delta)
    used = chosen_rows(runs, rows, weights)
    N, D, loss = used.columns("params", "tokens", "loss")
    x, y = np.log(6 * N**2), np.log(6 * D**2)
    centres = float(x.mean()), float(y.mean())
    ratio = D / N if np.ptp(np.log(D / N)) > SAME_RATIO else np.full_like(N, np.median(D / N))
    law = _Sum(loss, (x - centres[0], y - centres[1]), centres)
    return finish_sample(
        law,
        used,
        aim,
        n_starts,
        variables={"params": N, "tokens per parameter": ratio},
        least=2,
        unseen=nothing_unseen,
        build=OvertrainingLaw,
        again=partial(fit_overtraining, used.table, objective=objective, delta=delta, n_starts=n_starts, rows=rows),
    )
