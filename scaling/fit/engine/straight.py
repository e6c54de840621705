"""Huber's regression on a straight line in logs: convex, piecewise quadratic, and solved exactly.

A threshold far below the noise leaves few residuals that feel any curvature, often fewer than there are parameters,
and Newton's method creeps. Here a step goes along Newton's direction, kept regular by the weights that Huber's loss
gives all residuals, to the lowest point of the whole line, which sorting finds.
"""

from __future__ import annotations

import numpy as np

from .huber import huber_sum
from .model import Model

#: steps at most, and the gradient that counts as none beside rounding, as a share of what all residuals can pull
STEPS, LEVEL = 200, 1e-12
#: share of the weights of all residuals that keeps directions regular
REGULAR = 1e-3
TINY = 1e-300


def is_straight(model: Model) -> bool:
    """Whether the logarithm of the prediction is linear in the parameters, and the loss Huber's."""
    others = (model.offset, model.scale, model.coupling, model.noise, model.base)
    plain = len(model.design) == 1 and not model.raw and model.tau == 0.5 and bool(model.free.all())
    return plain and all(each is None for each in others)


def solve_straight(
    model: Model, weights: np.ndarray, delta: float, theta: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Minima (B, p) under each weighting (B, n), their values, and which are found, within the box."""
    x = model.design[0][:, np.argsort(model.columns[0])]
    theta = np.repeat(theta, len(weights) // len(theta), axis=0).copy()
    rounding = 16 * np.finfo(float).eps * np.abs(model.target).max()
    none = (LEVEL * min(delta, 1.0) + rounding) * np.abs(weights[:, :, None] * x).sum(1)
    converged, active = np.zeros(len(theta), bool), np.arange(len(theta))
    for _ in range(STEPS):
        w, r = weights[active], theta[active] @ x.T - model.target
        gradient = (w * np.clip(r, -delta, delta)) @ x
        done = np.all(np.abs(gradient) <= none[active], axis=1)
        converged[active[done]] = True
        active, w, r, gradient = active[~done], w[~done], r[~done], gradient[~done]
        if not len(active):
            break
        size = np.abs(r)
        felt = w * np.where(size < delta, 1.0, REGULAR * delta / np.maximum(size, TINY))
        curvature = np.swapaxes(felt[:, :, None] * x, 1, 2) @ x
        direction = -(np.linalg.pinv(curvature, hermitian=True) @ gradient[:, :, None])[:, :, 0]
        length = _lowest(r, direction @ x.T, w, delta)
        theta[active] += length[:, None] * direction
    inside = np.all((theta > model.lower) & (theta < model.upper), axis=1)
    value = huber_sum(theta @ x.T - model.target, weights, delta)
    return theta, value, converged & inside


def _lowest(r: np.ndarray, along: np.ndarray, weights: np.ndarray, delta: float) -> np.ndarray:
    """How far (B,) to go from residuals (B, n) as they change by ``along`` to the least sum of Huber losses.

    The derivative rises in straight pieces, whose ends are where a residual meets the threshold.
    """
    curve = weights * along**2
    if np.isinf(delta):
        return -np.vecdot(weights * r, along) / np.maximum(curve.sum(1), TINY)
    rate = np.where(along == 0, 1.0, along)
    ends = np.concatenate([(-delta - r) / rate, (delta - r) / rate], axis=1)
    n = r.shape[1]
    ends = np.concatenate([np.minimum(ends[:, :n], ends[:, n:]), np.maximum(ends[:, :n], ends[:, n:])], axis=1)
    change = np.concatenate([curve, -curve], axis=1)
    order = np.argsort(ends, axis=1, kind="stable")
    ends, bends = np.take_along_axis(ends, order, 1), np.cumsum(np.take_along_axis(change, order, 1), axis=1)
    slope = np.zeros_like(ends)
    slope[:, 1:] = np.cumsum(bends[:, :-1] * np.diff(ends, axis=1), axis=1)
    slope -= delta * (weights * np.abs(along)).sum(1, keepdims=True)
    last = np.maximum((slope < 0).sum(1) - 1, 0)
    rows = np.arange(len(r))
    return ends[rows, last] - slope[rows, last] / np.maximum(bends[rows, last], TINY)
