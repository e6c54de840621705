r"""What is minimised: a sum of Huber losses of a log-sum-exp of power terms, with exact derivatives.

Every law that is fitted here predicts the logarithm of the loss as

.. math:: \hat y_i = s \cdot \ln\Bigl(E + \sum_k \exp(X_k\,\theta)_i\Bigr)

a log-sum-exp over a few terms, each linear in :math:`\theta`, times a scale *s* that is 1 or free.
The offset enters as E itself, not as its logarithm: E = 0 is then an ordinary bound that one step
reaches, instead of a point at infinity towards which a solver creeps. Two terms may be joined by a coupling *k*
instead of added (:mod:`~scaling.fit.engine.coupling`). Arrays carry a batch of parameters (B, p) under a batch of
weights (B, n); nothing here knows which law it is.
"""

from __future__ import annotations

import numpy as np

from .composed import add_noise, composed_losses, scales
from .coupling import add_coupling, coupled_sum, from_heights, heights_jacobian
from .huber import huber_sum, tilt
from .model import Model, Workspace

#: a raw loss above exp of this stays there
LARGEST_LOG = 300.0


def _log_sum(model: Model, theta: np.ndarray, space: Workspace) -> tuple[np.ndarray, np.ndarray]:
    """The prediction without its scale (B, n), and its slopes in the offset and in each term's exponent (m, B, n)."""
    if model.coupling is not None:
        return coupled_sum(model, theta, space)
    inside = np.swapaxes(theta[:, model.columns], 0, 1)
    parts = space.parts(len(theta))
    terms, total = parts[-len(inside) :], space.arrays(len(theta))[0]
    np.matmul(inside, model.rows, out=terms)
    if model.base is not None:
        terms += model.base[:, None, :]
    if np.abs(inside).max(initial=0.0) * model.reach > 600.0:
        np.clip(terms, -600.0, 600.0, out=terms)
    np.exp(terms, out=terms)
    np.add.reduce(terms, axis=0, out=total)
    if model.offset is None:
        terms /= total
    else:
        total += theta[:, model.offset, None]
        terms *= np.reciprocal(total, out=parts[0])
    return np.log(total, out=total), parts


def jacobian(model: Model, theta: np.ndarray) -> np.ndarray:
    """Derivatives of the predicted log-loss at one theta (p,), as (n, p)."""
    log_sum, parts = _log_sum(model, theta[None], Workspace(model, 1))
    along = np.column_stack([q[0, :, None] * x for q, x in zip(parts, model.features, strict=True)]) @ model.places[0]
    if model.scale is not None:
        along *= theta[model.scale]
        along[:, model.scale] = log_sum[0]
    return along if model.coupling is None else along @ heights_jacobian(model, theta[None])[0][0]


def _residuals(model: Model, theta: np.ndarray, space: Workspace) -> np.ndarray:
    """Prediction minus observation of as many items as the workspace holds."""
    r = _log_sum(model, theta, space)[0]
    if model.scale is not None:
        r *= theta[:, model.scale, None]
    if model.raw:
        np.exp(np.minimum(r, LARGEST_LOG, out=r), out=r)
    r -= model.target
    return r


def residuals(model: Model, theta: np.ndarray) -> np.ndarray:
    """Prediction minus observation, (B, n), in log-loss (or loss, for a raw model)."""
    space = Workspace(model, len(theta))
    return np.concatenate([_residuals(model, theta[rows], space).copy() for rows in space.tiles(len(theta))])


def value_at(
    model: Model, weights: np.ndarray, delta: float, theta: np.ndarray, space: Workspace | None = None
) -> np.ndarray:
    """The objective of :func:`evaluate` alone, (B,)."""
    space = space or Workspace(model, len(weights))
    tiles = space.tiles(len(weights))
    return np.concatenate([_sum(model, theta[t], _residuals(model, theta[t], space), weights[t], delta) for t in tiles])


def _sum(model: Model, theta: np.ndarray, r: np.ndarray, weights: np.ndarray, delta: float) -> np.ndarray:
    """The objective of residuals (B, n) at ``theta`` (B, p), under weights that broadcast against them."""
    if model.noise is not None:
        return np.vecdot(weights, composed_losses(r, *scales(model, theta))[0])
    return huber_sum(r, weights if model.tau == 0.5 else weights * tilt(r, model.tau), delta)


def losses(model: Model, delta: float, theta: np.ndarray) -> np.ndarray:
    """What each run adds to the objective at thetas (B, p), per unit of its weight: (B, n)."""
    r = residuals(model, theta)
    if model.noise is not None:
        return composed_losses(r, *scales(model, theta))[0]
    c = np.clip(r, -delta, delta)
    each = c * (r - 0.5 * c)
    return each if model.tau == 0.5 else each * tilt(r, model.tau)


def evaluate(
    model: Model, weights: np.ndarray, delta: float, theta: np.ndarray, space: Workspace | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Objective (B,), gradient (B, p) and Hessian (B, p, p) of the summed Huber loss, all exact.

    ``theta`` (B, p), or (1, p) for one that all weights share.
    """
    (size, n), p = weights.shape, model.n_params
    space = space or Workspace(model, size)
    if len(theta) == 1 and n < size:  # the sums are linear in the weights: each run is looked at once
        value, gradient, hessian = evaluate(model, np.eye(n), delta, np.repeat(theta, n, axis=0), space)
        return weights @ value, weights @ gradient, (weights @ hessian.reshape(n, -1)).reshape(size, p, p)
    value, gradient, hessian = np.empty(size), np.empty((size, p)), np.empty((size, p, p))
    for rows in space.tiles(size):
        at = theta if len(theta) == 1 else theta[rows]
        value[rows], gradient[rows], hessian[rows] = _evaluate(model, weights[rows], delta, at, space)
    return value, gradient, hessian


def _evaluate(
    model: Model, weights: np.ndarray, delta: float, theta: np.ndarray, space: Workspace
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same for as many items as the workspace holds."""
    log_sum, parts = _log_sum(model, theta, space)
    arrays = list(space.arrays(len(weights)))
    _, _, spare, first, second, _, _, _, ratio = arrays
    value, each = _push(model, weights, delta, theta, arrays)
    if model.scale is not None:
        pull, row = _push_scale(model, theta, log_sum, parts, first, second)
    second -= first
    share = spare[: len(theta)]
    if model.coupling is not None:
        one, other = parts[model.terms]
        np.maximum(np.add(one, other, out=share), 1e-300, out=share)
    gradient, hessian = _collect(model, parts, share, arrays)
    if model.scale is not None:
        gradient[:, model.scale] = pull
        hessian[:, model.scale, :] = hessian[:, :, model.scale] = row
    if model.noise is not None:
        add_noise(model, weights, each, parts, gradient, hessian)
    if model.coupling is not None:
        first *= np.multiply(one, np.divide(other, share, out=share), out=share)
        add_coupling(model, theta[:, model.coupling, None], first, ratio[: len(theta)], hessian)
        gradient, hessian = from_heights(model, theta, gradient, hessian)
    return value, gradient, hessian


def _push(
    model: Model, weights: np.ndarray, delta: float, theta: np.ndarray, arrays: list[np.ndarray]
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """The objective (B,) of the predictions in the first of the arrays, and the :func:`composed_losses` if asked.

    Its derivatives in the predictions are left in the fourth and fifth array; where these have no scale, the first is
    spent.
    """
    log_sum, r, c, first, second = arrays[:5]
    log_sum, r, c = log_sum[: len(theta)], r[: len(theta)], c[: len(theta)]
    r = log_sum if model.scale is None else np.multiply(log_sum, theta[:, model.scale, None], out=r)
    if model.raw:
        level = np.exp(np.minimum(r, LARGEST_LOG))
        r = level - model.target
    else:
        r -= model.target
    each: tuple[np.ndarray, ...] = ()
    if model.noise is None:
        if model.tau != 0.5:
            weights = weights * tilt(r, model.tau)
        np.maximum(r, -delta, out=c)
        np.minimum(c, delta, out=c)
        np.multiply(weights, c, out=first)
        np.multiply(weights, c == r, out=second)
        value = np.vecdot(first, r) - 0.5 * np.vecdot(first, c)
    else:
        each = composed_losses(r, *scales(model, theta))
        value = np.vecdot(weights, each[0])
        np.multiply(weights, each[1], out=first)
        np.multiply(weights, each[4], out=second)
    if model.raw:
        second *= level * level
        second += first * level
        first *= level
    return value, each


def _push_scale(
    model: Model, theta: np.ndarray, log_sum: np.ndarray, parts: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The derivative (B,) in a scale, and its second ones (B, p); ``first`` and ``second`` become those below it."""
    s = theta[:, model.scale, None]
    push = second * s * log_sum + first
    mixed = np.concatenate([(q * push) @ x for q, x in zip(parts, model.features, strict=True)], axis=1)
    mixed = mixed @ model.places[0]
    mixed[:, model.scale] = (second * log_sum * log_sum).sum(1)
    pull = (first * log_sum).sum(1)
    first *= s
    second *= s * s
    return pull, mixed


def _collect(
    model: Model, parts: np.ndarray, share: np.ndarray, arrays: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and Hessian from the slopes of the parts, under the first and second derivatives that the arrays hold.

    ``share`` is what two coupled terms have of the sum.
    """
    first, second, along, bent, pair = arrays[3:8]
    sums, products, terms = [], [], range(model.terms.start, model.terms.stop)
    for i, (part, columns) in enumerate(zip(parts, model.features, strict=True)):
        np.multiply(part, first, out=along)
        np.multiply(part, second, out=bent)
        sums.append(along @ columns)
        for j, both in enumerate(model.products[i]):
            if i == terms.stop and j == terms.start:  # of a coupling: what it shares with the terms, and with itself
                bent += np.divide(along, share, out=along)
            np.multiply(bent, parts[j], out=pair)
            if j == i and i in terms:
                pair += along
            products.append(pair @ both)
    gradient = np.concatenate(sums, axis=1) @ model.places[0]
    hessian = np.concatenate(products, axis=1) @ model.places[1]
    return gradient, hessian.reshape(-1, model.n_params, model.n_params)
