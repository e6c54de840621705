"""A fit of the joint form of Rosenfeld et al. 2020 (arXiv:1909.12673), whose envelope the estimator does not know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from .._checks import number, positive_finite
from ..errors import FitError
from ..laws.chinchilla import ChinchillaLaw
from ..laws.rosenfeld import RosenfeldLaw
from .common import chosen_rows
from .engine.problem import EXPONENTS, Objective
from .engine.unseen import noise_bound
from .least_squares import Form, finish_sample, objective_of
from .result import Fit

__all__ = ["fit_rosenfeld"]

#: exponents from which starting points are made, and the least distinct sizes and token counts
EXPONENT_GRID, LEAST = np.geomspace(0.08, 1.3, 7), 3
NAMES = ("E", "A", "B", "alpha", "beta")
#: losses at or above the guess count as this share of it where a starting point is sought
CLIPPED = 0.99


@dataclass(frozen=True)
class _Envelope:
    """The law at the runs; theta is (E, a, b, alpha, beta), logs centred on the table.

    The two power terms are exp(a - alpha x) and exp(b - beta y); ``present`` says which of the two the law has.
    """

    loss: np.ndarray
    logs: tuple[np.ndarray, np.ndarray]
    centres: np.ndarray
    guess: float
    present: tuple[bool, bool] = (True, True)

    def terms(self, theta: np.ndarray) -> np.ndarray:
        """The two power terms at theta (5,): (2, n)."""
        powers = np.array([theta[1 + k] - theta[3 + k] * x for k, x in enumerate(self.logs)])
        with np.errstate(over="ignore"):
            return np.exp(np.minimum(powers, 300)) * np.reshape(self.present, (2, 1))

    def predict(self, theta: np.ndarray) -> np.ndarray:
        """The loss at theta (5,): (n,)."""
        inner = theta[0] + self.terms(theta).sum(0)
        return inner / np.sqrt(1 + (inner / self.guess) ** 2)

    def slopes(self, theta: np.ndarray) -> np.ndarray:
        """Derivatives of the loss at theta (5,): (n, 5)."""
        first, second = self.terms(theta)
        slope = (1 + ((theta[0] + first + second) / self.guess) ** 2) ** -1.5
        columns = np.ones_like(first), first, second, -first * self.logs[0], -second * self.logs[1]
        return slope[:, None] * np.column_stack(columns)

    def constants(self, theta: np.ndarray) -> dict[str, float]:
        """The law's constants at theta."""
        a, b = theta[1:3] + theta[3:] * self.centres
        values = float(theta[0]), float(np.exp(a)), float(np.exp(b)), *map(float, theta[3:])
        return dict(zip(NAMES, values, strict=True))

    def starts(self, weights: np.ndarray, count: int) -> np.ndarray:
        """The most promising thetas (count, 5): with the exponents fixed, the sum below the envelope is linear."""
        seen = np.minimum(self.loss, CLIPPED * self.guess)
        inner = seen / np.sqrt(1 - (seen / self.guess) ** 2)
        scale = np.sqrt(weights) * (1 + (inner / self.guess) ** 2) ** -1.5 / seen
        found = []
        for alpha, beta in product(EXPONENT_GRID, EXPONENT_GRID):
            columns = np.ones_like(inner), *(np.exp(-p * x) for p, x in zip((alpha, beta), self.logs, strict=True))
            linear, misfit = scipy.optimize.nnls(np.column_stack(columns) * scale[:, None], inner * scale)
            E, A, B = linear
            floor = 1e-6 * inner.min()
            found.append((misfit, [E, np.log(max(A, floor)), np.log(max(B, floor)), alpha, beta]))
        return np.array([theta for _, theta in sorted(found)[:count]])

    @property
    def form(self) -> Form:
        """The same for the solver."""
        return Form(
            observed=self.loss,
            predict=self.predict,
            slopes=self.slopes,
            lower=np.array([0.0, -np.inf, -np.inf, EXPONENTS[0], EXPONENTS[0]]),
            upper=np.array([np.inf, np.inf, np.inf, EXPONENTS[1], EXPONENTS[1]]),
            scale=np.array([float(self.loss.mean()), 1.0, 1.0, 0.3, 0.3]),
            method="dogbox",
        )

    def unseen(self, weights: np.ndarray, aim: Objective, value: float) -> list[int]:
        """Variables whose term can go without raising the objective beyond noise (as in the other fits)."""
        count = (weights > 0).sum() * (1 if aim.name.endswith("squares") else 2)
        bound, found = noise_bound(int(count)), []
        for k in range(2):
            other = replace(self, present=(k != 0, k != 1))
            without = other.form.minimise(weights, aim, other.starts(weights, 2))[1]
            if without <= bound * value + 1e-24 * weights.sum():
                found.append(k)
        return found


def fit_rosenfeld(
    runs: pd.DataFrame,
    *,
    guess: float,
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
    rows: str = "last",
) -> Fit:
    r"""Fit the joint form of Rosenfeld et al. 2020, a :class:`~scaling.laws.RosenfeldLaw`.

    The paper (arXiv:1909.12673) has it in equations 4 and 5. SciPy's bounded least squares from several starts, each
    linear in (E, A, B) under a grid of exponents. The paper's own objective is ``"relative_squares"``, that of the
    relative divergence:

    .. math:: \sum_i w_i\,\delta_i^2, \qquad \delta_i = \frac{\hat L_i - L_i}{L_i}

    Parameters
    ----------
    runs : DataFrame
        Columns ``params``, ``tokens`` and ``loss``, as for :func:`~scaling.fit.fit_parametric`.
    guess : float
        :math:`\varepsilon_0`, known beforehand: the loss of a random guess, in the unit of ``loss``. A run may lie
        above it, the law does not.
    objective : str
        As in :func:`~scaling.fit.fit_parametric`; besides, ``"relative_squares"``.
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
        Of a :class:`~scaling.laws.RosenfeldLaw`; under ``"relative_squares"`` the ``residuals`` are -delta_i.
        Bounds: E at least 0, exponents in [0.01, 2]. ``status`` as in :func:`~scaling.fit.fit_parametric`.

    Raises
    ------
    FitError
        For a table that cannot be used at all, or one with no loss below the guess.
    ValueError
        If ``guess`` is not a positive finite number, ``n_starts`` is below 1, or ``rows`` is unknown.

    Examples
    --------
    >>> import scaling
    >>> truth = RosenfeldLaw(ChinchillaLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28), guess=7.0)
    >>> runs = scaling.simulate_runs(truth, scaling.simulate.grid_design([1e4, 1e6, 1e8], [1e6, 1e8, 1e10]))
    >>> fit_rosenfeld(runs, guess=7.0).law
    RosenfeldLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28, guess=7)
    """
    positive_finite(guess=number("guess", guess))
    aim = objective_of(objective, delta)
    used = chosen_rows(runs, rows, weights)
    N, D, loss = used.columns("params", "tokens", "loss")
    if loss.min() >= guess:
        raise FitError(f"the lowest loss, {loss.min():g}, is not below the guess, {guess:g}: are their units the same?")
    logs = np.log(N), np.log(D)
    centres = np.array([x.mean() for x in logs])
    law = _Envelope(loss, (logs[0] - centres[0], logs[1] - centres[1]), centres, float(guess))
    return finish_sample(
        law,
        used,
        aim,
        n_starts,
        variables={"params": N, "tokens": D},
        least=LEAST,
        unseen=partial(law.unseen, used.weights, aim),
        build=partial(_rosenfeld, float(guess)),
        again=partial(
            fit_rosenfeld, used.table, guess=guess, objective=objective, delta=delta, n_starts=n_starts, rows=rows
        ),
    )


def _rosenfeld(guess: float, **constants: Any) -> RosenfeldLaw:
    return RosenfeldLaw(ChinchillaLaw.of(constants), guess)
