"""The last steps to least absolute deviations, which have no curvature for Newton's method to follow.

At the optimum of a sum of absolute residuals as many residuals are exactly zero as there are
constants: a vertex, not the bottom of a bowl. Ever narrower Huber losses come close and stall. A linear
program for the linearised residuals, within a trust region, steps from vertex to vertex, and when it
promises no further decrease the last one is proved optimal. Steps are taken in the engine's chart, where
the valley of the exponents is nearly straight.
"""

from __future__ import annotations

import numpy as np
import scipy

from .newton import charted, uncharted
from .problem import Problem

__all__ = ["LARGEST", "least_absolute"]


#: runs beyond which the linear programs cost more than they are worth
LARGEST = 5_000
#: first radius of the trust region, in typical changes of the parameters, and when to give up
RADIUS, SMALLEST = 0.1, 1e-13
#: a promised decrease below this share of the sum proves the optimum
PROOF = 1e-11
#: a sum below this, per unit of weight, is rounding
ROUNDING = 1e-13
MAX_STEPS = 200


def least_absolute(problem: Problem, theta: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, bool]:
    """Theta (p,) at the least weighted sum of absolute residuals near ``theta``, and whether it is proved."""
    radius, residuals = RADIUS, problem.residuals(theta[None])[0]
    value = weights @ np.abs(residuals)
    for _ in range(MAX_STEPS):
        if value <= ROUNDING * weights.sum():
            return theta, True
        trial, promised = _linear_step(problem, theta, residuals, weights, radius)
        if value - promised <= PROOF * value * min(1.0, radius / RADIUS):
            return theta, True
        at_trial = problem.residuals(trial[None])[0]
        reached = weights @ np.abs(at_trial)
        if reached < value:
            kept = (value - reached) / (value - promised)
            theta, residuals, value = trial, at_trial, reached
            radius *= 2 if kept > 0.5 else 1
        else:
            radius /= 4
        if radius < SMALLEST:
            break
    return theta, False


def _linear_step(
    problem: Problem, theta: np.ndarray, residuals: np.ndarray, weights: np.ndarray, radius: float
) -> tuple[np.ndarray, float]:
    """Where the sum is least for linearised residuals within the trust region, and the sum it promises there."""
    model, slopes = problem.model, problem.jacobian(theta)
    n, p = slopes.shape
    at, lower, in_chart = theta, model.lower, model.has_chart and theta[model.offset] > 0
    if in_chart:
        charts, slopes, _ = charted(model, np.repeat(theta[None], n, axis=0), slopes, np.zeros((n, p, p)))
        at, lower = charts[0], model.chart_lower
    low = np.maximum((lower - at) / model.typical, -radius)
    high = np.minimum((model.upper - at) / model.typical, radius)
    step, promised = _least_linear(residuals, slopes * model.typical, weights, low, high)
    trial = at + step * model.typical
    trial = uncharted(model, trial[None])[0] if in_chart else trial
    return np.clip(trial, model.lower, model.upper), promised


def _least_linear(
    r: np.ndarray, slopes: np.ndarray, weights: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, float]:
    """d within [low, high] that minimises sum w |r + slopes d|, and the minimum."""
    n, p = slopes.shape
    size = max(float(np.abs(r).mean()), 1e-300)  # the program's tolerances are absolute
    slopes, unit = scipy.sparse.csr_matrix(slopes / size), scipy.sparse.identity(n)
    stack, beside = scipy.sparse.vstack, scipy.sparse.hstack
    solved = scipy.optimize.linprog(
        np.r_[np.zeros(p), weights],
        A_ub=stack([beside([slopes, -unit]), beside([-slopes, -unit])]).tocsr(),
        b_ub=np.r_[-r, r] / size,
        bounds=np.column_stack([np.r_[low, np.zeros(n)], np.r_[high, np.full(n, np.inf)]]),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if solved.x is None:
        return np.zeros(p), -np.inf
    return solved.x[:p], float(solved.fun) * size
