"""The solver: a damped Newton method on thousands of small problems at once.

Each item of a batch is one weighting of the same runs (a resample) or one starting point. Steps are
taken in coordinates in which the valley of the objective is nearly straight; negative curvature is
mirrored; bounds are faces on which a parameter may rest. Convergence is judged by the Newton
decrement, never by a small decrease of the objective.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from .model import Model, Workspace
from .objective import evaluate, value_at
from .straight import is_straight, solve_straight

#: elements of one working array: little memory, and enough to hide the overhead of a call
CHUNK = 250_000
MAX_STEPS = 200
#: an offset below this share of the loss is tried as exactly zero
NEGLIGIBLE = 1e-6
#: up to this many small systems are solved sooner by eigenvalues than by vectorised elimination
FEW = 24
#: longest step, in typical changes of the parameters
MAX_STEP = 3.0
#: damping tried first, and the factors by which it shrinks after a success and grows after a failure
DAMPING, SHRINK, GROW = 1e-3, 0.1, 8.0
#: a Newton decrement below this share of the objective (plus an absolute floor) counts as converged
TOLERANCE, FLOOR = 1e-13, 1e-26
#: the same share while a solution only prepares the next
ROUGH = 1e-3
#: a decrement is believed below the first damping; above the second no step beats rounding,
#: and the solution stands if its decrement is below this share of the objective
LIGHT, MAX_DAMPING, STUCK = 1e-2, 1e8, 1e-9


@dataclass(frozen=True)
class Solution:
    """Local minima of one model under many weightings: theta (B, p), value (B,), converged (B,)."""

    theta: np.ndarray
    value: np.ndarray
    converged: np.ndarray


def improve(solution: Solution, other: Solution, rows: Any) -> None:
    """Take over, in place, what is lower in ``other`` (which holds only ``rows``)."""
    better = other.value < solution.value[rows]
    chosen = np.arange(len(solution.value))[rows][better]
    for each in fields(Solution):
        getattr(solution, each.name)[chosen] = getattr(other, each.name)[better]


def _within(x: np.ndarray, lower: np.ndarray | float, upper: np.ndarray | float) -> np.ndarray:
    """As ``np.clip``, which takes longer on small arrays."""
    return np.minimum(np.maximum(x, lower), upper)


def solve_definite(h: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solutions of h x = g for a batch of small matrices, and which h are safely positive definite."""
    # with the batch last, each line of the elimination runs over consecutive numbers
    h, x = h.transpose(1, 2, 0).copy(), g.T.copy()
    p = len(h)
    least = 1e-14 * np.abs(h[range(p), range(p)]).max(0)
    definite = np.ones(len(least), bool)
    for j in range(p):
        definite &= h[j, j] > least
        h[j, j] = np.where(definite, h[j, j], 1.0)
        factor = h[j + 1 :, j] / h[j, j]
        h[j + 1 :, j + 1 :] -= factor[:, None] * h[j, j + 1 :]
        x[j + 1 :] -= factor * x[j]
    for j in range(p - 1, -1, -1):
        x[j] -= (h[j, j + 1 :] * x[j + 1 :]).sum(0)
        x[j] /= h[j, j]
    return x.T.copy(), definite


def _step(
    model: Model, at: np.ndarray, gradient: np.ndarray, hessian: np.ndarray, damping: np.ndarray, lower: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Damped Newton step, and its decrement; negative curvature counts as positive.

    A parameter that a bound holds back does not move.
    """
    held = (at <= lower) & (gradient > 0) | (at >= model.upper) & (gradient < 0)
    unit = model.typical * ~held if held.any() else model.typical[None]
    g = gradient * unit
    h = hessian * (unit[:, :, None] * unit[:, None, :])
    if len(h) > FEW:
        step, decrement, definite = _eliminated(h, g, damping, held)
        odd = ~definite
        if odd.any():
            step[odd], decrement[odd] = _mirrored(h[odd], g[odd], damping[odd])
    else:
        step, decrement = _mirrored(h, g, damping)
    step = _within(step, -1e100, 1e100)
    length = np.sqrt(np.vecdot(step, step))
    if length.max() > MAX_STEP:
        step *= np.minimum(1.0, MAX_STEP / np.maximum(length, 1e-300))[:, None]
        decrement = np.minimum(decrement, MAX_STEP * np.sqrt(np.vecdot(g, g)))  # no step that is taken gains more
    return -step * unit, decrement


def _mirrored(h: np.ndarray, g: np.ndarray, damping: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Damped Newton direction with negative curvatures mirrored, by eigenvalues."""
    values, vectors = np.linalg.eigh(h)
    size = np.abs(values)
    along = np.matmul(g[:, None, :], vectors)[:, 0]
    # where no residual is below Huber's threshold nothing curves, and damping by curvature would shorten no step
    top = np.maximum(size, np.abs(along) / MAX_STEP).max(1, keepdims=True)
    size = np.maximum(size, 1e-13 * top + 1e-300) + damping[:, None] * top
    scaled = along / size
    return np.matmul(vectors, scaled[:, :, None])[:, :, 0], 0.5 * (along * scaled).sum(1)


def _eliminated(
    h: np.ndarray, g: np.ndarray, damping: np.ndarray, held: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same where the damped matrix is positive definite (third result), by elimination."""
    h = h.copy()
    diagonal = np.einsum("bii->bi", h)
    top = np.maximum(np.abs(diagonal), np.abs(g) / MAX_STEP).max(1, keepdims=True) + 1e-300
    diagonal += np.where(held, top, damping[:, None] * top)
    step, definite = solve_definite(h, g)
    return step, 0.5 * (g * step).sum(1), definite


def charted(
    model: Model, theta: np.ndarray, gradient: np.ndarray, hessian: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates in which the valley of the objective is nearly straight, with both derivatives.

    Data fix the level E + A + B and the slopes alpha A, beta B at their centre far better than the
    split between offset, coefficients and exponents. With those as coordinates (and ln of the
    slopes), long steps along the valley of the exponents stay in it.
    """
    size, p = theta.shape
    (a, alpha), offset = model.columns.T, model.offset
    height, x, pull = np.exp(theta[:, a]), theta[:, alpha], gradient[:, offset, None]
    slope, tug = height / x, pull * height
    chart = theta.copy()
    chart[:, a] += np.log(x)
    chart[:, offset] += height.sum(1)
    jac, bend = np.zeros((size, p * p)), np.zeros((size, p * p))
    jac[:, :: p + 1] = 1.0
    first, second = model.chart_places
    jac[:, first] = np.concatenate([-1.0 / x, -height, slope], axis=1)
    mixed = pull * slope
    bend[:, second] = np.concatenate([(gradient[:, a] - 2.0 * tug) / (x * x), -tug, mixed, mixed], axis=1)
    jac, bend = jac.reshape(size, p, p), bend.reshape(size, p, p)
    turned = np.swapaxes(jac, 1, 2)
    return chart, np.matmul(turned, gradient[:, :, None])[:, :, 0], np.matmul(turned, np.matmul(hessian, jac)) + bend


def uncharted(model: Model, chart: np.ndarray) -> np.ndarray:
    """Back from the coordinates of :func:`charted`."""
    a, alpha = model.columns.T
    theta = chart.copy()
    theta[:, a] -= np.log(chart[:, alpha])
    theta[:, model.offset] -= np.exp(theta[:, a]).sum(1)
    return theta


def _trial(
    model: Model, theta: np.ndarray, gradient: np.ndarray, hessian: np.ndarray, damping: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where to try next, and the decrement: a step in the chart unless it would leave E >= 0."""
    inside = theta[:, model.offset] > 0 if model.has_chart else np.zeros(len(theta), bool)
    if inside.all():
        trial, decrement = _charted_step(model, theta, gradient, hessian, damping)
        plain = trial[:, model.offset] <= 0
        if not plain.any():
            return _within(trial, model.lower, model.upper), decrement
    else:
        trial, decrement, plain = theta.copy(), np.empty(len(theta)), ~inside
        if inside.any():
            moved, along = _charted_step(model, theta[inside], gradient[inside], hessian[inside], damping[inside])
            trial[inside], decrement[inside] = moved, along
            plain = trial[:, model.offset] <= 0
    step, along = _step(model, theta[plain], gradient[plain], hessian[plain], damping[plain], model.lower)
    trial[plain], decrement[plain] = theta[plain] + step, along
    return _within(trial, model.lower, model.upper), decrement


def _charted_step(
    model: Model, theta: np.ndarray, gradient: np.ndarray, hessian: np.ndarray, damping: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where a step in the chart leads (E may come out negative), and the decrement."""
    chart, g, h = charted(model, theta, gradient, hessian)
    step, decrement = _step(model, chart, g, h, damping, model.chart_lower)
    return uncharted(model, _within(chart + step, model.chart_lower, model.upper)), decrement


def _newton(model: Model, weights: np.ndarray, delta: float, theta: np.ndarray, tolerance: float) -> Solution:
    """Damped Newton within the box on every item of the batch until its decrement vanishes."""
    theta = _within(theta, model.lower, model.upper)
    space = Workspace(model, len(weights))
    value, gradient, hessian = evaluate(model, weights, delta, theta, space)
    theta = np.repeat(theta, len(weights) // len(theta), axis=0)
    floor, damping = FLOOR * weights.sum(1), np.full(len(theta), DAMPING)
    active, w, allowed = np.arange(len(theta)), weights, floor
    best, lowest, last = theta.copy(), value.copy(), theta.copy()
    converged, stuck = np.zeros(len(theta), bool), np.zeros(len(theta), bool)
    for _ in range(MAX_STEPS):
        trial, decrement = _trial(model, theta, gradient, hessian, damping)
        small = decrement <= tolerance * value + allowed
        ended = small & (damping <= LIGHT) | (damping > MAX_DAMPING)
        if ended.any():
            rows = active[ended]
            best[rows], lowest[rows], last[rows] = theta[ended], value[ended], trial[ended]
            converged[rows], stuck[rows] = small[ended], damping[ended] > MAX_DAMPING
            keep = ~ended
            active, w, allowed = active[keep], w[keep], allowed[keep]
            theta, value, gradient, hessian = theta[keep], value[keep], gradient[keep], hessian[keep]
            trial, damping = trial[keep], damping[keep]
        if not len(active):
            break
        new_value, new_gradient, new_hessian = evaluate(model, w, delta, trial, space)
        better = new_value < value
        damping = np.where(better, damping * SHRINK, np.maximum(damping * GROW, DAMPING))
        worse = np.flatnonzero(~better)
        if len(worse):
            trial[worse], new_value[worse] = theta[worse], value[worse]
            new_gradient[worse], new_hessian[worse] = gradient[worse], hessian[worse]
        theta, value, gradient, hessian = trial, new_value, new_gradient, new_hessian
    best[active], lowest[active], last[active] = theta, value, theta
    theta, value = best, lowest
    if stuck.any():
        rows = np.flatnonzero(stuck)
        _, gradient, hessian = evaluate(model, weights[rows], delta, theta[rows], space)
        _, decrement = _trial(model, theta[rows], gradient, hessian, np.zeros(len(rows)))
        converged[rows] = decrement <= STUCK * value[rows] + floor[rows]
    if tolerance < ROUGH:
        # the step that proved convergence is still worth half the digits of the parameters
        at_last = value_at(model, weights, delta, last, space)
        fine = converged & (at_last <= value * (1 + TOLERANCE) + floor)
        theta[fine], value[fine] = last[fine], np.minimum(at_last, value)[fine]
        if model.offset is not None:
            _settle_offset(model, weights, delta, theta, value)
    return Solution(theta, value, converged)


def _settle_offset(model: Model, weights: np.ndarray, delta: float, theta: np.ndarray, value: np.ndarray) -> None:
    """Make a vanishing offset exactly zero, in place, where the objective is no worse for it."""
    small = np.flatnonzero(
        (theta[:, model.offset] > 0) & (theta[:, model.offset] < NEGLIGIBLE * model.typical[model.offset])
    )
    if len(small):
        zeroed = theta[small]
        zeroed[:, model.offset] = 0.0
        at_zero = value_at(model, weights[small], delta, zeroed)
        good = at_zero <= value[small] * (1 + 1e-9) + FLOOR * weights[small].sum(1)
        theta[small[good]], value[small[good]] = zeroed[good], at_zero[good]


def solve(
    model: Model, weights: np.ndarray, deltas: Sequence[float], theta: np.ndarray, tolerance: float = TOLERANCE
) -> Solution:
    """Local minima from ``theta`` (B, p), or one (1, p), under ``weights`` (B, n), in chunks of bounded memory.

    ``deltas`` are Huber thresholds passed through in turn; only the last is solved exactly, or to ``tolerance``.
    """
    size, n = weights.shape
    rows = max(1, CHUNK // n)
    parts, straight = [], is_straight(model)
    for i in range(0, size, rows):
        w, at = weights[i : i + rows], theta if len(theta) == 1 else theta[i : i + rows]
        if not straight:
            parts.append(_descend(model, w, deltas, at, tolerance))
            continue
        found = Solution(*solve_straight(model, w, deltas[-1], at))
        left = np.flatnonzero(~found.converged)
        if len(left):  # beyond the box
            rest = _descend(model, w[left], deltas, at if len(at) == 1 else at[left], tolerance)
            for each in fields(Solution):
                getattr(found, each.name)[left] = getattr(rest, each.name)
        parts.append(found)
    return Solution(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Solution)))


def _descend(
    model: Model, weights: np.ndarray, deltas: Sequence[float], theta: np.ndarray, tolerance: float
) -> Solution:
    for delta in deltas[:-1]:
        theta = _newton(model, weights, delta, theta, ROUGH).theta
    return _newton(model, weights, deltas[-1], theta, tolerance)
