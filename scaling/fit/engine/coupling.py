"""Two terms of a log-sum-exp that are joined by a coupling k instead of added, with the derivatives of that."""

from __future__ import annotations

import numpy as np

from .model import Model, Workspace


def coupled_sum(model: Model, theta: np.ndarray, space: Workspace) -> tuple[np.ndarray, np.ndarray]:
    r"""The same for two terms :math:`S = e^s` and :math:`T = e^t` that are joined by a coupling k.

    .. math:: \ln(E + e^G), \qquad e^G = (S^{1/k} + T^{1/k})^k, \quad G = k \ln(e^{s/k} + e^{t/k})

    For k = 1 they are added; as k falls to 0 the larger one remains. The slopes of G in s, t and k are the shares of
    :math:`S^{1/k}` and :math:`T^{1/k}` in their sum, and the entropy of these. Heights c among the parameters are
    those of the parts that the terms have in the sum, where these are shares of e^G: :func:`_heights` are those of
    s and t. So the level and the slopes at the centre of the table depend on them as where k is 1. The slope in k, at
    given s and t, is the last part. The last array of the workspace is left with (s - t)/k.
    """
    k = theta[:, model.coupling, None]
    inside = theta[:, model.columns]
    inside[:, :, 0] = _heights(model, theta)[0]
    parts, arrays = space.parts(len(theta)), space.arrays(len(theta))
    terms, entropy = parts[model.terms], parts[-1]
    total, ratio, small = arrays[0], arrays[8], arrays[7]
    np.matmul(np.swapaxes(inside, 0, 1), model.rows, out=terms)
    if model.base is not None:
        terms += model.base[:, None, :]
    one, other = terms
    np.subtract(one, other, out=ratio)
    np.divide(ratio, k, out=ratio)
    np.maximum(one, other, out=total)
    np.abs(ratio, out=small)
    np.negative(small, out=one)
    np.exp(one, out=one)  # of the smaller over the larger
    np.log(np.add(one, 1.0, out=other), out=entropy)
    one /= other  # the smaller share
    total += np.multiply(entropy, k, out=other)
    np.exp(np.minimum(total, 600.0, out=total), out=total)
    entropy += np.multiply(small, one, out=small)
    if model.offset is not None:
        offset = theta[:, model.offset, None]
        np.reciprocal(np.add(total, offset, out=other), out=parts[0])
        np.multiply(total, parts[0], out=small)
        total += offset
        entropy *= small
        one *= small
    else:
        small[...] = 1.0
    np.subtract(small, one, out=other)
    first = ratio > 0
    np.copyto(small, one)
    np.copyto(one, other, where=first)
    np.copyto(other, small, where=first)
    return np.log(total, out=total), parts


def _heights(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Heights :math:`a_j = k c_j + (1 - k) \ln\sum e^c` (B, 2), shares of the :math:`e^c`, and their logarithms."""
    c, k = theta[:, model.columns[:, 0]], theta[:, model.coupling, None]
    whole = np.logaddexp(c[:, :1], c[:, 1:])
    logs = c - whole
    return whole + k * logs, np.exp(logs), logs


def from_heights(
    model: Model, theta: np.ndarray, gradient: np.ndarray, hessian: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives in the parameters, from those in which the heights are the terms' own."""
    turn, shares = heights_jacobian(model, theta)
    (one, other), k = model.columns[:, 0], model.coupling
    pull = gradient[:, model.columns[:, 0]]
    whole = pull.sum(1)
    mixed = pull - shares * whole[:, None]
    apart = (1.0 - theta[:, k]) * whole * shares[:, 0] * shares[:, 1]
    gradient = np.matmul(gradient[:, None, :], turn)[:, 0]
    hessian = np.matmul(np.swapaxes(turn, 1, 2), np.matmul(hessian, turn))
    for j, height in enumerate((one, other)):
        hessian[:, height, height] += apart
        hessian[:, height, k] += mixed[:, j]
        hessian[:, k, height] += mixed[:, j]
    hessian[:, one, other] -= apart
    hessian[:, other, one] -= apart
    return gradient, hessian


def heights_jacobian(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives (B, p, p) of parameters in which the heights are the terms' own, in the parameters; shares (B, 2)."""
    heights, k = model.columns[:, 0], theta[:, model.coupling, None]
    _, shares, logs = _heights(model, theta)
    turn = np.zeros((len(theta), model.n_params, model.n_params))
    turn[:, range(model.n_params), range(model.n_params)] = 1.0
    rest = (1.0 - k) * shares
    for j, height in enumerate(heights):
        turn[:, height, heights] = rest
        turn[:, height, height] += k[:, 0]
        turn[:, height, model.coupling] = logs[:, j]
    return turn, shares


def add_coupling(model: Model, k: np.ndarray, both: np.ndarray, ratio: np.ndarray, hessian: np.ndarray) -> None:
    """What two coupled terms' curvature has beyond that of added ones, in place.

    ``both`` (B, n) is the gradient times the product of the terms' shares of e^G and the share of that; it is spent.
    """
    apart, squares = model.contrast
    p = model.n_params
    hessian += ((both @ squares) * (1.0 / k - 1.0)).reshape(-1, p, p)
    both *= ratio
    mixed = -(both @ apart) / k
    mixed[:, model.coupling] = 0.5 * np.vecdot(both, ratio) / k[:, 0]
    hessian[:, model.coupling] += mixed
    hessian[:, :, model.coupling] += mixed
