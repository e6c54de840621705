"""A fit of the law of Li et al. 2025 ("Farseer", arXiv:2506.10972)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..laws.farseer import FarseerLaw
from .common import chosen_rows
from .engine.problem import Objective
from .engine.starts import Basis, starting_points
from .least_squares import Form, finish_sample, lowest, nothing_unseen, objective_of
from .result import Fit

__all__ = ["fit_farseer"]

#: exponents nearer to zero than this count as this: the constants would leave the floating-point range
FLAT = 1e-4
#: bounds of what an exponent may be, and of the least distinct sizes and token counts
EXPONENT, LEAST = 2.0, 3
#: threshold of the Huber loss under which Chinchilla laws are compared, in ln loss
COARSE = 1e-2
#: those under which starts are improved, so many steps under each, and the objective
THRESHOLDS, STEPS, LOGS = (0.1, 1e-2, 1e-3), 30, Objective()
#: powers of N in the starts, of what the Chinchilla law has constant: minima differ in their sign
POWERS = (-0.5, 0.4)
#: of each Chinchilla law so many starts are made, all but one for each of the powers scattered by so much
SCATTERED = 64
SCATTER = np.array([0.2, 0.6, 1.0, 0.6, 0.6, 1.0, 0.2, 0.6, 1.0])
#: rows on which they are compared, spread over the sizes, where there are more
ROWS = 300
#: typical sizes of theta's entries
SCALE = np.array([0.1, 0.3, 0.3, 0.3, 1.0, 0.3, 0.1, 0.3, 0.3])
#: least share of the loss that E has in a start
SMALL = 1e-3
NAMES = ("a3", "b3", "gamma", "a2", "b2", "beta", "a1", "b1", "alpha")
LOWER = np.array([-20, -60, -EXPONENT, -20, -60, -EXPONENT, -5, -7, -EXPONENT])
UPPER = np.array([20, 60, EXPONENT, 20, 60, EXPONENT, 5, 1.5, EXPONENT])


def _away(power: np.ndarray) -> np.ndarray:
    """An exponent that is not too near to zero."""
    return np.where(np.abs(power) >= FLAT, power, np.copysign(FLAT, power))


def _rise(power: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(exp(power x) - 1) / power, which is x at power 0."""
    power = _away(power)
    return np.expm1(power * x) / power


def _tilt(power: np.ndarray, x: np.ndarray, rise: np.ndarray) -> np.ndarray:
    """The derivative of the same in the power."""
    power = _away(power)
    return (x * np.exp(power * x) - rise) / power


def _within(x: np.ndarray, most: float) -> np.ndarray:
    return np.minimum(np.maximum(x, -most), most)


@dataclass(frozen=True)
class _Surface:
    """The law at the runs, with x = ln N centred and y = ln D.

    theta holds slope, level and power of the logarithms of the floor, of the coefficient and of the exponent of the
    data term: each is level + slope (exp(power x) - 1) / power, which is well behaved where the power changes sign.
    The level of the coefficient is that of the whole data term at the centre of x and y.
    """

    loss: np.ndarray
    x: np.ndarray
    y: np.ndarray
    centres: tuple[float, float]

    def terms(self, theta: np.ndarray, rises: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Floor, data term and exponent times y (…, n), kept within the floating-point range."""
        parts = np.moveaxis(theta, -1, 0)[..., None]
        floor, coefficient, exponent = (
            slope * rise + level for slope, level, rise in zip(parts[::3], parts[1::3], rises, strict=True)
        )
        fall = np.exp(_within(exponent, 50.0)) * self.y
        data = coefficient - fall + np.exp(parts[7]) * self.centres[1]
        return np.exp(_within(floor, 300.0)), np.exp(_within(data, 300.0)), fall

    def predict(self, theta: np.ndarray) -> np.ndarray:
        """The loss at theta (…, 9): (…, n)."""
        powers = np.moveaxis(theta, -1, 0)[2::3, ..., None]
        floor, data, _ = self.terms(theta, [_rise(power, self.x) for power in powers])
        return floor + data

    def slopes(self, theta: np.ndarray) -> np.ndarray:
        """Derivatives of the loss at theta: (…, n, 9)."""
        parts = np.moveaxis(theta, -1, 0)[..., None]
        rises = [_rise(power, self.x) for power in parts[2::3]]
        floor, data, fall = self.terms(theta, rises)
        columns = []
        for each, slope, power, rise in zip((floor, data, -data * fall), parts[::3], parts[2::3], rises, strict=True):
            columns += [each * rise, each, each * slope * _tilt(power, self.x, rise)]
        columns[7] += data * np.exp(parts[7]) * self.centres[1]
        return np.stack(columns, axis=-1)

    def constants(self, theta: np.ndarray) -> dict[str, float]:
        """The law's constants at theta, in its order."""
        levels = theta[1::3] + [0.0, np.exp(theta[7]) * self.centres[1], 0.0]
        found: list[float] = []
        for slope, level, power in zip(theta[::3], levels, map(_away, theta[2::3]), strict=True):
            found += [slope / power * np.exp(-power * self.centres[0]), level - slope / power, float(power)]
        return dict(zip(NAMES, map(float, found), strict=True))

    def starts(self, weights: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
        """The most promising thetas (count, 9), of very many."""
        first = self.made_of_chinchilla(weights, count)
        rng = np.random.default_rng(seed)
        more = np.repeat(first, SCATTERED // len(POWERS) - 1, axis=0)
        every = np.concatenate([first, np.clip(more + SCATTER * rng.normal(size=more.shape), LOWER, UPPER)])
        part = np.lexsort((self.y, self.x))[np.linspace(0, len(self.x) - 1, min(len(self.x), ROWS)).astype(int)]
        form = replace(self, loss=self.loss[part], x=self.x[part], y=self.y[part]).form
        for delta in THRESHOLDS:
            every, values = form.improve(every, weights[part], LOGS, delta, STEPS)
        return every[lowest(values, count)]

    def made_of_chinchilla(self, weights: np.ndarray, count: int) -> np.ndarray:
        """Thetas (2 count, 9) with the level, slope and bend in the size that the best Chinchilla laws have."""
        basis = Basis(self.loss, (self.x, self.y - self.centres[1]))
        found = []
        for E, log_A, log_B, alpha, beta in starting_points(basis, weights[None], COARSE, count)[0]:
            A, E = np.exp(log_A), max(E, SMALL * float(self.loss.mean()))
            size = [-alpha * A / (E + A), np.log(E + A), -alpha * E / (E + A)]
            found += [[*size, 0.0, log_B, power, 0.0, np.log(beta), power] for power in POWERS]
        return np.clip(np.array(found).reshape(-1, len(NAMES)), LOWER, UPPER)

    @property
    def form(self) -> Form:
        """The same for the solver."""
        return Form(
            observed=self.loss,
            predict=self.predict,
            slopes=self.slopes,
            lower=LOWER,
            upper=UPPER,
            scale=SCALE,
        )


def fit_farseer(
    runs: pd.DataFrame,
    *,
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
    rows: str = "last",
) -> Fit:
    r"""Fit the law of Li et al. 2025 (arXiv:2506.10972, equation 3), a :class:`~scaling.laws.FarseerLaw`.

    SciPy's bounded least squares from several starts, with exact derivatives. The starts are made of Chinchilla laws,
    linear in (E, A, B) under a grid of exponents: the Farseer law whose floor has the level, slope and bend of
    :math:`E + A/N^{\alpha}` at the centre of the sizes and whose data term is one for all, and others scattered about
    it (with a fixed seed); some steps from each, all at once, choose which are polished. No proof goes with it: on
    twelve parts of three real tables it ends where many random starts end, and on 60 simulated ones of 15 to 28 runs it
    missed the lowest minimum known once. On some twenty runs of the Gemstones it depends on the draw. Solved are
    slope, level and power of each logarithm, :math:`c + s\,(e^{p x} - 1)/p` with x the centred ln N, which pass
    smoothly from p < 0 to p > 0.

    Parameters
    ----------
    runs : DataFrame
        Columns ``params``, ``tokens`` and ``loss``, as for :func:`~scaling.fit.fit_parametric`.
    objective : str
        As in :func:`~scaling.fit.fit_parametric`.
    delta : float
        Its Huber threshold.
    weights : array (n_rows,), optional
        As there.
    n_starts : int
        Number of Chinchilla laws that starts are made of, and of starts that are polished.
    rows : {"last", "all"}
        As there.

    Returns
    -------
    Fit
        Of a :class:`~scaling.laws.FarseerLaw`. Bounds: the three exponents in [-2, 2]. Nine constants are more than
        most tables settle: see ``status``.

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
    x, y = np.log(N), np.log(D)
    law = _Surface(loss, x - x.mean(), y, (float(x.mean()), float(y.mean())))
    return finish_sample(
        law,
        used,
        aim,
        n_starts,
        variables={"params": N, "tokens": D},
        least=LEAST,
        unseen=nothing_unseen,
        build=FarseerLaw,
        again=partial(fit_farseer, used.table, objective=objective, delta=delta, n_starts=n_starts, rows=rows),
    )
