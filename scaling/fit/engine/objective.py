r"""What is minimised: a sum of Huber losses of a log-sum-exp of power terms, with exact derivatives.

Every law that is fitted here predicts the logarithm of the loss as

.. math:: \hat y_i = s \cdot \ln\Bigl(E + \sum_k \exp(X_k\,\theta)_i\Bigr)

a log-sum-exp over a few terms, each linear in :math:`\theta`, times a scale *s* that is 1 or free.
The offset enters as E itself, not as its logarithm: E = 0 is then an ordinary bound that one step
reaches, instead of a point at infinity towards which a solver creeps. Two terms may be joined by a coupling *k*
instead of added (:func:`_coupled_sum`). Arrays carry a batch of parameters (B, p) under a batch of weights (B, n);
nothing here knows which law it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
import scipy

#: elements of one working array while the objective is evaluated: a dozen of them fit a core's cache
TILE = 8_000
#: a raw loss above exp of this stays there
LARGEST_LOG = 300.0
#: logarithm of the least standard deviation of noise whose size is a parameter: runs are not known better
LEAST_LOG_NOISE = float(np.log(1e-9))
#: of the penalty that keeps lambda finite, after Azzalini and Arellano-Valle 2013
PENALTY, CURVE = 0.87591, 0.85625


@dataclass(frozen=True)
class Model:
    """Terms of the log-sum-exp, the data they see and the box of the parameters.

    ``design`` (K, n, d) and ``columns`` (K, d): term k is exp(sum_j design[k, :, j] theta[columns[k, j]]);
    shared columns tie parameters. ``offset`` is the column of E and ``scale`` that of a free *s*, or
    None. ``typical`` is a typical size of a change in each parameter, which makes steps comparable.
    ``raw`` compares exp(prediction) with the loss itself instead of the logarithms. ``base`` (K, n) is
    added to what the terms have in the exponent: a part of them that no parameter moves. ``tau`` is the weight of
    residuals below zero (predictions that are too low), 1 - ``tau`` that of the others, both doubled. ``noise`` is the
    column of ln sigma of a normal plus a half-normal part, and the next that of lambda: :func:`composed_losses` then
    take the place of Huber's. ``coupling`` is the column of the k by which two terms are joined, or None.
    """

    target: np.ndarray
    design: np.ndarray
    columns: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    typical: np.ndarray
    offset: int | None = None
    scale: int | None = None
    raw: bool = False
    base: np.ndarray | None = None
    tau: float = 0.5
    noise: int | None = None
    coupling: int | None = None

    @property
    def n_params(self) -> int:
        return len(self.lower)

    @cached_property
    def free(self) -> np.ndarray:
        """(p,): which parameters may move."""
        return np.asarray(self.lower < self.upper)

    @property
    def n_free(self) -> int:
        """How many parameters may move."""
        return int(self.free.sum())

    @cached_property
    def tied(self) -> bool:
        """Whether terms share parameters."""
        return len(np.unique(self.columns)) < self.columns.size

    @cached_property
    def has_chart(self) -> bool:
        """Whether each term is exp(a - alpha x) with constants of its own, beside an offset, and all of them move."""
        if self.offset is None or self.tied or not self.free[[self.offset, *self.columns[:, 1]]].all():
            return False
        return bool((self.lower[self.columns[:, 1]] > 0).all())

    @cached_property
    def chart_lower(self) -> np.ndarray:
        """Lower bounds in the chart: those of the exponents and the coupling alone."""
        lower = np.full(self.n_params, -np.inf)
        lower[self.columns[:, 1]] = self.lower[self.columns[:, 1]]
        if self.coupling is not None:
            lower[self.coupling] = self.lower[self.coupling]
        if self.noise is not None:
            lower[self.noise :] = self.lower[self.noise :]
        return lower

    @cached_property
    def chart_places(self) -> tuple[np.ndarray, np.ndarray]:
        """Places in flattened (p, p) matrices that the chart's first and second derivatives fill."""
        assert self.offset is not None  # or it has no chart
        (a, alpha), p = self.columns.T, self.n_params
        first = np.concatenate([a * p + alpha, self.offset * p + a, self.offset * p + alpha])
        return first, np.concatenate([alpha * (p + 1), a * (p + 1), a * p + alpha, alpha * p + a])

    @cached_property
    def features(self) -> list[np.ndarray]:
        """What the parameters of each part see, (n, d) each: of an offset (first) and of a coupling (last) a one.

        Laid out in one way, whatever process they come from: sums over other strides differ in their last bit.
        """
        constant = [np.ones((len(self.target), 1))]
        first, last = constant * (self.offset is not None), constant * (self.coupling is not None)
        return [*first, *np.ascontiguousarray(self.design), *last]

    @property
    def terms(self) -> slice:
        """Which parts are terms."""
        first = int(self.offset is not None)
        return slice(first, first + len(self.design))

    @cached_property
    def products(self) -> list[list[np.ndarray]]:
        """Products of each part's features with those of the parts up to it, (n, d * d) each."""
        pairs = [[(x, y) for y in self.features[: i + 1]] for i, x in enumerate(self.features)]
        return [[(x[:, :, None] * y[:, None, :]).reshape(len(x), -1) for x, y in row] for row in pairs]

    @cached_property
    def reach(self) -> float:
        """Times the largest parameter, this bounds the exponents of the terms."""
        return float(np.abs(self.rows).max(2).sum(1).max())

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Ones that put sums of features into a gradient (sums, p), those of products into a Hessian (sums, p * p)."""
        offset, coupling = ([] if at is None else [(at,)] for at in (self.offset, self.coupling))
        return _places(self.n_params, (*offset, *map(tuple, self.columns.tolist()), *coupling))

    @cached_property
    def contrast(self) -> tuple[np.ndarray, np.ndarray]:
        """How the exponent of the first of two terms differs from the second's, (n, p), and its squares (n, p * p)."""
        apart = np.zeros((len(self.target), self.n_params))
        for sign, x, columns in zip((1.0, -1.0), self.design, self.columns, strict=True):
            for k, column in enumerate(columns):
                apart[:, column] += sign * x[:, k]
        return apart, (apart[:, :, None] * apart[:, None, :]).reshape(len(apart), -1)

    @cached_property
    def rows(self) -> np.ndarray:
        """The design with runs last, (K, d, n)."""
        return np.ascontiguousarray(np.swapaxes(self.design, 1, 2))

    def take(self, rows: np.ndarray) -> Model:
        """The same model on some of the runs."""
        base = None if self.base is None else self.base[:, rows]
        return replace(self, target=self.target[rows], design=self.design[:, rows], base=base)


@cache
def _places(p: int, columns: tuple[tuple[int, ...], ...]) -> tuple[np.ndarray, np.ndarray]:
    """:attr:`Model.places` of parts that see these of *p* parameters each."""
    first, second = [np.eye(p)[list(each)] for each in columns], []
    for i, x in enumerate(first):
        for y in first[: i + 1]:
            block = (x[:, None, :, None] * y[None, :, None, :]).reshape(-1, p, p)
            second.append(block if y is x else block + np.swapaxes(block, 1, 2))
    return np.concatenate(first), np.concatenate(second).reshape(-1, p * p)


class Workspace:
    """Memory for evaluations of one model, one after another, of at most ``rows`` items at a time.

    To fetch new memory for each array of an evaluation would take longer than the evaluation.
    """

    def __init__(self, model: Model, size: int) -> None:
        n = len(model.target)
        self.rows = max(1, min(size, TILE // n))
        self._parts = np.empty((len(model.features), self.rows, n))
        self._arrays = np.empty((9, self.rows, n))

    def tiles(self, size: int) -> list[slice]:
        """Items that fit at a time."""
        return [slice(i, min(i + self.rows, size)) for i in range(0, size, self.rows)]

    def parts(self, size: int) -> np.ndarray:
        """One array (size, n) for each part of the sum."""
        return self._parts[:, :size]

    def arrays(self, size: int) -> np.ndarray:
        """Nine arrays (size, n)."""
        return self._arrays[:, :size]


def _log_sum(model: Model, theta: np.ndarray, space: Workspace) -> tuple[np.ndarray, np.ndarray]:
    """The prediction without its scale (B, n), and its slopes in the offset and in each term's exponent (m, B, n)."""
    if model.coupling is not None:
        return _coupled_sum(model, theta, space)
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


def _coupled_sum(model: Model, theta: np.ndarray, space: Workspace) -> tuple[np.ndarray, np.ndarray]:
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


def _from_heights(
    model: Model, theta: np.ndarray, gradient: np.ndarray, hessian: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives in the parameters, from those in which the heights are the terms' own."""
    turn, shares = _turn(model, theta)
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


def _turn(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
        return np.vecdot(weights, composed_losses(r, *_scales(model, theta))[0])
    return huber_sum(r, weights if model.tau == 0.5 else weights * tilt(r, model.tau), delta)


def losses(model: Model, delta: float, theta: np.ndarray) -> np.ndarray:
    """What each run adds to the objective at thetas (B, p), per unit of its weight: (B, n)."""
    r = residuals(model, theta)
    if model.noise is not None:
        return composed_losses(r, *_scales(model, theta))[0]
    c = np.clip(r, -delta, delta)
    each = c * (r - 0.5 * c)
    return each if model.tau == 0.5 else each * tilt(r, model.tau)


def tilt(r: np.ndarray, tau: float) -> np.ndarray:
    """Twice the weight ``tau`` of residuals below zero, and twice 1 - ``tau`` of the others."""
    return np.where(r < 0, 2.0 * tau, 2.0 - 2.0 * tau)


def _scales(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln sigma and lambda as columns (B, 1)."""
    assert model.noise is not None
    return theta[:, model.noise, None], theta[:, model.noise + 1, None]


def composed_losses(r: np.ndarray, log_sigma: np.ndarray, skew: np.ndarray) -> tuple[np.ndarray, ...]:
    r"""Negative log-likelihoods of residuals r = prediction - observation, and their derivatives.

    An observation lies above its law by a normal and a half-normal part, with standard deviation and scale
    :math:`\sigma_v` and :math:`\sigma_u` (Aigner, Lovell and Schmidt 1977). With :math:`z = r/\sigma`,

    .. math:: -\ln f = \tfrac12 z^2 + \ln\sigma - \ln\Phi(-\lambda z) + \text{const.},
        \qquad \sigma^2 = \sigma_v^2 + \sigma_u^2, \quad \lambda = \sigma_u/\sigma_v.

    The constant is such that no value is negative. In small tables the likelihood may rise for ever with
    :math:`\lambda`, so that a penalty :math:`0.876\,\ln(1 + 0.856\,\lambda^2)` is added, an n-th of it for each run.
    The derivatives are those in r, ln sigma and lambda, then the second ones in (r, r), (r, ln sigma), (r, lambda),
    (ln sigma, ln sigma), (ln sigma, lambda) and (lambda, lambda).
    """
    inverse = np.exp(-log_sigma)
    z = r * inverse
    x = -skew * z
    log_share = scipy.special.log_ndtr(x)
    mills = np.exp(-0.5 * x * x - log_share) / np.sqrt(2.0 * np.pi)
    bend = mills * (x + mills)
    value = 0.5 * z * z + (log_sigma - LEAST_LOG_NOISE) - log_share
    along, curved = z + skew * mills, 1.0 + skew * skew * bend
    turned = mills + skew * z * bend
    most, each = 1.0 + CURVE * skew * skew, PENALTY / r.shape[-1]
    return (
        value + each * np.log(most),
        along * inverse,
        1.0 - z * along,
        z * mills + 2.0 * each * CURVE * skew / most,
        curved * inverse * inverse,
        -(z * curved + along) * inverse,
        turned * inverse,
        z * (z * curved + along),
        -z * turned,
        z * z * bend + 2.0 * each * CURVE * (2.0 - most) / (most * most),
    )


def jacobian(model: Model, theta: np.ndarray) -> np.ndarray:
    """Derivatives of the predicted log-loss at one theta (p,), as (n, p)."""
    log_sum, parts = _log_sum(model, theta[None], Workspace(model, 1))
    along = np.column_stack([q[0, :, None] * x for q, x in zip(parts, model.features, strict=True)]) @ model.places[0]
    if model.scale is not None:
        along *= theta[model.scale]
        along[:, model.scale] = log_sum[0]
    return along if model.coupling is None else along @ _turn(model, theta[None])[0][0]


def huber_sum(r: np.ndarray, weights: np.ndarray, delta: float) -> np.ndarray:
    """Sum of weighted Huber losses over the last axis; ``delta`` may be infinite (half squares)."""
    if np.isinf(delta):
        return 0.5 * np.vecdot(weights, r * r)
    c = np.minimum(np.maximum(r, -delta), delta)
    rest = 0.5 * c
    np.subtract(r, rest, out=rest)
    rest *= c
    return np.vecdot(weights, rest)


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
    size, p = len(weights), model.n_params
    log_sum, parts = _log_sum(model, theta, space)
    _, r, c, first, second, along, bent, pair, ratio = space.arrays(size)
    r, c = r[: len(theta)], c[: len(theta)]
    s = 1.0 if model.scale is None else theta[:, model.scale, None]
    r = log_sum if model.scale is None else np.multiply(log_sum, s, out=r)
    if model.raw:
        level = np.exp(np.minimum(r, LARGEST_LOG))
        r = level - model.target
    else:
        r -= model.target
    if model.noise is None:
        if model.tau != 0.5:
            weights = weights * tilt(r, model.tau)
        np.maximum(r, -delta, out=c)
        np.minimum(c, delta, out=c)
        np.multiply(weights, c, out=first)
        np.multiply(weights, c == r, out=second)
        value = np.vecdot(first, r) - 0.5 * np.vecdot(first, c)
    else:
        each = composed_losses(r, *_scales(model, theta))
        value = np.vecdot(weights, each[0])
        np.multiply(weights, each[1], out=first)
        np.multiply(weights, each[4], out=second)
    if model.raw:
        second *= level * level
        second += first * level
        first *= level
    if model.scale is not None:
        push = second * s * log_sum + first
        mixed = np.concatenate([(q * push) @ x for q, x in zip(parts, model.features, strict=True)], axis=1)
        mixed = mixed @ model.places[0]
        own = (first * log_sum).sum(1), (second * log_sum * log_sum).sum(1)
        first *= s
        second *= s * s
    second -= first
    if model.coupling is not None:
        one, other = parts[model.terms]
        share = np.add(one, other, out=c)
        np.maximum(share, 1e-300, out=share)
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
    hessian = (np.concatenate(products, axis=1) @ model.places[1]).reshape(size, p, p)
    if model.scale is not None:
        gradient[:, model.scale] = own[0]
        mixed[:, model.scale] = own[1]
        hessian[:, model.scale, :] = hessian[:, :, model.scale] = mixed
    if model.noise is not None:
        _add_noise(model, weights, each, parts, gradient, hessian)
    if model.coupling is not None:
        first *= np.multiply(one, np.divide(other, share, out=share), out=share)
        _add_coupling(model, theta[:, model.coupling, None], first, ratio[: len(theta)], hessian)
        gradient, hessian = _from_heights(model, theta, gradient, hessian)
    return value, gradient, hessian


def _add_coupling(model: Model, k: np.ndarray, both: np.ndarray, ratio: np.ndarray, hessian: np.ndarray) -> None:
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


def _add_noise(
    model: Model,
    weights: np.ndarray,
    each: tuple[np.ndarray, ...],
    parts: np.ndarray,
    gradient: np.ndarray,
    hessian: np.ndarray,
) -> None:
    """The derivatives in the parameters of the noise, in place."""
    assert model.noise is not None
    for k, (first, mixed) in enumerate(((each[2], each[5]), (each[3], each[6])), start=model.noise):
        gradient[:, k] = np.vecdot(weights, first)
        push = weights * mixed
        sums = np.concatenate([(q * push) @ x for q, x in zip(parts, model.features, strict=True)], axis=1)
        hessian[:, k] = hessian[:, :, k] = sums @ model.places[0]
    s, skew = model.noise, model.noise + 1
    hessian[:, s, s], hessian[:, skew, skew] = np.vecdot(weights, each[7]), np.vecdot(weights, each[9])
    hessian[:, s, skew] = hessian[:, skew, s] = np.vecdot(weights, each[8])
