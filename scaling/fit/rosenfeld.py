"""A fit of the joint form of Rosenfeld et al. 2020 (arXiv:1909.12673), whose envelope the estimator does not know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, special

from ..errors import FitError
from ..laws.chinchilla import ChinchillaLaw
from ..laws.rosenfeld import RosenfeldLaw
from .common import AGREE, AGREE_FLOOR, checked_runs, checked_weights
from .engine.identify import HOPELESS, SEEN, WEAK
from .engine.problem import EXPONENTS
from .result import Fit

__all__ = ["fit_rosenfeld"]


#: exponents from which starting points are made, and the least distinct sizes and token counts
EXPONENT_GRID, LEAST = np.geomspace(0.08, 1.3, 7), 3
NAMES = ("E", "A", "B", "alpha", "beta")
#: losses at or above the guess count as this share of it where a starting point is sought
CLIPPED = 0.99


@dataclass(frozen=True)
class _Divergence:
    """Relative divergence of the law from the runs; theta is (E, a, b, alpha, beta), logs centred on the table.

    The two power terms are exp(a - alpha x) and exp(b - beta y); ``present`` says which of the two the law has.
    """

    loss: np.ndarray
    logs: tuple[np.ndarray, np.ndarray]
    centres: np.ndarray
    guess: float
    present: tuple[bool, bool] = (True, True)

    def terms(self, theta: np.ndarray) -> np.ndarray:
        """The two power terms at thetas (B, 5): (2, B, n)."""
        powers = [theta[:, 1 + k, None] - theta[:, 3 + k, None] * x for k, x in enumerate(self.logs)]
        with np.errstate(over="ignore"):
            return np.exp(np.minimum(powers, 300)) * np.reshape(self.present, (2, 1, 1))

    def residuals(self, theta: np.ndarray) -> np.ndarray:
        """(predicted - observed) / observed at thetas (B, 5): (B, n)."""
        inner = theta[:, :1] + self.terms(theta).sum(0)
        return inner / np.sqrt(1 + (inner / self.guess) ** 2) / self.loss - 1

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        """Derivatives of the residuals at theta (5,): (n, 5)."""
        first, second = self.terms(theta[None])[:, 0]
        slope = (1 + ((theta[0] + first + second) / self.guess) ** 2) ** -1.5 / self.loss
        columns = np.ones_like(first), first, second, -first * self.logs[0], -second * self.logs[1]
        return slope[:, None] * np.column_stack(columns)

    def constants(self, theta: np.ndarray) -> dict[str, float]:
        a, b = theta[1:3] + theta[3:] * self.centres
        return dict(
            zip(NAMES, (float(theta[0]), float(np.exp(a)), float(np.exp(b)), *map(float, theta[3:])), strict=True)
        )

    def starts(self, weights: np.ndarray, count: int) -> np.ndarray:
        """The most promising thetas (count, 5): with the exponents fixed, the sum below the envelope is linear."""
        seen = np.minimum(self.loss, CLIPPED * self.guess)
        inner = seen / np.sqrt(1 - (seen / self.guess) ** 2)
        scale = np.sqrt(weights) * (1 + (inner / self.guess) ** 2) ** -1.5 / seen
        found = []
        for alpha, beta in product(EXPONENT_GRID, EXPONENT_GRID):
            columns = np.ones_like(inner), *(np.exp(-p * x) for p, x in zip((alpha, beta), self.logs, strict=True))
            linear, misfit = optimize.nnls(np.column_stack(columns) * scale[:, None], inner * scale)
            E, A, B = linear
            floor = 1e-6 * inner.min()
            found.append((misfit, [E, np.log(max(A, floor)), np.log(max(B, floor)), alpha, beta]))
        return np.array([theta for _, theta in sorted(found)[:count]])

    def minimise(self, weights: np.ndarray, count: int) -> tuple[np.ndarray, float, bool, int]:
        """Theta, value and convergence at the lowest minimum, and how many of the starts reach it."""
        root = np.sqrt(weights)
        lower = [0.0, -np.inf, -np.inf, EXPONENTS[0], EXPONENTS[0]]
        upper = [np.inf, np.inf, np.inf, EXPONENTS[1], EXPONENTS[1]]
        ends = [
            optimize.least_squares(
                lambda theta: root * self.residuals(theta[None])[0],
                start,
                lambda theta: root[:, None] * self.jacobian(theta),
                (lower, upper),
                method="dogbox",
                x_scale=[float(self.loss.mean()), 1.0, 1.0, 0.3, 0.3],
                ftol=1e-15,
                xtol=1e-14,
                gtol=1e-15,
                max_nfev=400,
            )
            for start in self.starts(weights, count)
        ]
        best = min(ends, key=lambda end: end.cost)
        agreeing = sum(end.cost <= best.cost * (1 + AGREE) + AGREE_FLOOR * weights.sum() for end in ends)
        return best.x, 2 * float(best.cost), best.status > 0, agreeing


def fit_rosenfeld(runs: pd.DataFrame, guess: float, weights: ArrayLike | None = None, n_starts: int = 6) -> Fit:
    r"""Fit the joint form of Rosenfeld et al. 2020, least squares of the relative divergence.

    .. math:: \sum_i w_i\,\delta_i^2, \qquad \delta_i = \frac{\hat L_i - L_i}{L_i}

    with :math:`\hat L` a :class:`~scaling.laws.RosenfeldLaw` (arXiv:1909.12673, equations 4 and 5). SciPy's bounded
    least squares from several starts, each linear in (E, A, B) under a grid of exponents.

    Parameters
    ----------
    runs : DataFrame
        Columns ``params``, ``tokens`` and ``loss``, as for :func:`~scaling.fit.fit_parametric`.
    guess : float
        :math:`\varepsilon_0`, known beforehand: the loss of a random guess, in the unit of ``loss``. A run may lie
        above it, the law does not.
    weights : array (n_runs,), optional
        Non-negative weight of each row.
    n_starts : int
        Starting points to polish.

    Returns
    -------
    Fit
        Of a :class:`~scaling.laws.RosenfeldLaw`; ``residuals`` are -delta_i. Bounds: E at least 0, exponents in [0.01,
        2]. ``status`` as in :func:`~scaling.fit.fit_parametric`. :func:`~scaling.uncertainty.bootstrap` does not know
        this law; ``refit`` does.

    Raises
    ------
    FitError
        For a table that cannot be used at all, or one with no loss below the guess.
    ValueError
        If ``guess`` is not a positive finite number or ``n_starts`` is below 1.

    Examples
    --------
    >>> import scaling
    >>> truth = RosenfeldLaw(ChinchillaLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28), guess=7.0)
    >>> runs = scaling.simulate_runs(truth, scaling.simulate.grid_design([1e4, 1e6, 1e8], [1e6, 1e8, 1e10]))
    >>> fit_rosenfeld(runs, guess=7.0).law
    RosenfeldLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28, guess=7)
    """
    if not (np.isfinite(guess) and guess > 0):
        raise ValueError(f"guess must be a positive finite number, got {guess!r}")
    if n_starts < 1:
        raise ValueError(f"n_starts must be at least 1, got {n_starts}")
    keep, dropped = checked_runs(runs)
    N, D, loss = (keep[name].to_numpy(float) for name in ("params", "tokens", "loss"))
    if loss.min() >= guess:
        raise FitError(f"the lowest loss, {loss.min():g}, is not below the guess, {guess:g}: are their units the same?")
    w = checked_weights(weights, len(keep))
    logs = np.log(N), np.log(D)
    centres = np.array([x.mean() for x in logs])
    problem = _Divergence(loss, (logs[0] - centres[0], logs[1] - centres[1]), centres, float(guess))
    theta, value, converged, agreeing = problem.minimise(w, n_starts)
    status, message, condition = _judge(problem, theta, value, converged, w)
    return Fit(
        candidate=RosenfeldLaw(ChinchillaLaw(**problem.constants(theta)), float(guess)),
        value=value,
        objective="relative_squares",
        delta=np.inf,
        status=status,
        message=message,
        condition=condition,
        starts_agreeing=agreeing,
        n_starts=n_starts,
        runs=keep,
        dropped=dropped,
        weights=w,
        _problem=problem,
        _theta=theta,
        _build=lambda c: RosenfeldLaw(ChinchillaLaw(**c), float(guess)),
        _refit=lambda new: fit_rosenfeld(keep, guess, new, n_starts),
    )


def _judge(
    problem: _Divergence, theta: np.ndarray, value: float, converged: bool, weights: np.ndarray
) -> tuple[str, str, float]:
    """Status, message and condition number, by the rules of the other fits."""
    used = weights > 0
    rows = problem.jacobian(theta)[used][:, [0, 1, 2, 3, 4] if theta[0] > 0 else [1, 2, 3, 4]]
    norms = np.linalg.norm(rows, axis=0)
    sizes = np.linalg.svd(rows / np.where(norms > 0, norms, 1.0), compute_uv=False)
    condition = float(sizes[0] / sizes[-1]) if len(rows) >= rows.shape[1] and sizes[-1] > 0 else np.inf
    trouble = [
        f"{len(np.unique(x[used]))} distinct values of {name}; at least {LEAST} are needed: add runs at other {name}"
        for name, x in zip(("params", "tokens"), problem.logs, strict=True)
        if len(np.unique(x[used])) < LEAST
    ]
    if used.sum() < len(NAMES):
        trouble.append(f"{used.sum()} runs cannot determine {len(NAMES)} constants: add at least {5 - used.sum()}")
    trouble = trouble or _unseen(problem, value, weights)
    if not trouble and condition > HOPELESS:
        trouble = ["the table leaves a combination of the constants undetermined: vary sizes and tokens independently"]
    if trouble:
        return "not_identified", "; ".join(trouble), condition
    if not converged:
        return "not_converged", "the solver stopped before the minimum: report this table", condition
    held = {"E": theta[0] == 0} | {name: x in EXPONENTS for name, x in zip(NAMES[3:], theta[3:], strict=True)}
    at = [f"{name} = {problem.constants(theta)[name]:g}" for name, is_held in held.items() if is_held]
    if at:
        return "at_bound", f"{', '.join(at)} (on its bound)", condition
    if condition > WEAK:
        return "weak", "the constants trade off against each other: add runs over a wider range", condition
    return "converged", "", condition


def _unseen(problem: _Divergence, value: float, weights: np.ndarray) -> list[str]:
    """Variables whose term can go without raising the objective beyond noise (as in the other fits)."""
    bound = np.exp(special.chdtri(2, 1 - SEEN) / (weights > 0).sum())
    unseen = []
    for k, name in enumerate(("params", "tokens")):
        without = replace(problem, present=(k != 0, k != 1)).minimise(weights, 2)[1]
        if without <= bound * value + 1e-24 * weights.sum():
            unseen.append(f"the loss does not fall with {name} beyond noise: check that column, or widen its range")
    return unseen
