r"""The numerical core of the estimator: robust fits of sums of power terms, many at once.

Every law that is fitted here predicts the logarithm of the loss as

.. math:: \hat y_i = s \cdot \ln\Bigl(E + \sum_k \exp(X_k\,\theta)_i\Bigr)

a log-sum-exp over a few terms, each linear in :math:`\theta`, times a scale *s* that is 1 or free.
The offset enters as E itself, not as its logarithm: E = 0 is then an ordinary bound that one step
reaches, instead of a point at infinity towards which a solver creeps.
Gradient and Hessian are exact; a pair of terms adds one matrix product to the Hessian of the whole
batch, so that thousands of resamples cost little more than the exponentials. Nothing here knows
which law it is fitting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

#: elements of one working array: small enough for the cache, large enough to hide call overhead
CHUNK = 30_000
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
class Model:
    """Terms of the log-sum-exp, the data they see and the box of the parameters.

    ``design`` (K, n, d) and ``columns`` (K, d): term k is exp(sum_j design[k, :, j] theta[columns[k, j]]);
    shared columns tie parameters. ``offset`` is the column of E and ``scale`` that of a free *s*, or
    None. ``typical`` is a typical size of a change in each parameter, which makes steps comparable.
    ``raw`` compares exp(prediction) with the loss itself instead of the logarithms.
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

    @property
    def n_params(self) -> int:
        return len(self.lower)

    @cached_property
    def tied(self) -> bool:
        """Whether terms share parameters."""
        return len(np.unique(self.columns)) < self.columns.size

    @cached_property
    def has_chart(self) -> bool:
        """Whether each term is exp(a - alpha x) with constants of its own, beside an offset."""
        return self.offset is not None and not self.tied and bool((self.lower[self.columns[:, 1]] > 0).all())

    @cached_property
    def chart_lower(self) -> np.ndarray:
        """Lower bounds in the chart: those of the exponents alone."""
        lower = np.full(self.n_params, -np.inf)
        lower[self.columns[:, 1]] = self.lower[self.columns[:, 1]]
        return lower

    @cached_property
    def squares(self) -> np.ndarray:
        """Products of each term's design columns with each other, (K, n, d * d)."""
        k, n, d = self.design.shape
        return (self.design[:, :, :, None] * self.design[:, :, None, :]).reshape(k, n, d * d)

    @cached_property
    def reach(self) -> np.ndarray:
        """Largest size of each design column, (K, d): bounds the exponents of the terms."""
        return np.abs(self.design).max(1)

    @cached_property
    def rows(self) -> np.ndarray:
        """The design with runs last, (K, d, n)."""
        return np.ascontiguousarray(np.swapaxes(self.design, 1, 2))

    def take(self, rows: np.ndarray) -> Model:
        """The same model on some of the runs."""
        return replace(self, target=self.target[rows], design=self.design[:, rows])


@dataclass(frozen=True)
class Solution:
    """Local minima of one model under many weightings: theta (B, p), value (B,), converged (B,)."""

    theta: np.ndarray
    value: np.ndarray
    converged: np.ndarray


def _terms(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 / (sum of all terms) (B, n), and each exponential term as a share of that sum (K, B, n)."""
    inside = np.swapaxes(theta[:, model.columns], 0, 1)
    terms = np.matmul(inside, model.rows)
    if (np.abs(inside) * model.reach[:, None]).sum(2).max(initial=0.0) > 600.0:
        np.clip(terms, -600.0, 600.0, out=terms)
    np.exp(terms, out=terms)
    total = terms.sum(0)
    if model.offset is not None:
        total += theta[:, model.offset, None]
    inverse = np.reciprocal(total, out=total)
    terms *= inverse
    return inverse, terms


def residuals(model: Model, theta: np.ndarray) -> np.ndarray:
    """Prediction minus observation, (B, n), in log-loss (or loss, for a raw model)."""
    y = -np.log(_terms(model, theta)[0])
    if model.scale is not None:
        y *= theta[:, model.scale, None]
    return np.exp(y) - model.target if model.raw else y - model.target


def jacobian(model: Model, theta: np.ndarray) -> np.ndarray:
    """Derivatives of the predicted log-loss at one theta (p,), as (n, p)."""
    inverse, share = _terms(model, theta[None])
    along = _slopes(model, inverse, share)[0].T
    if model.scale is not None:
        along *= theta[model.scale]
        along[:, model.scale] = -np.log(inverse[0])
    return along


def huber_sum(r: np.ndarray, weights: np.ndarray, delta: float) -> np.ndarray:
    """Sum of weighted Huber losses over the last axis; ``delta`` may be infinite (half squares)."""
    c = np.clip(r, -delta, delta)
    return (weights * c * (r - 0.5 * c)).sum(-1)


def evaluate(
    model: Model, weights: np.ndarray, delta: float, theta: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Objective (B,), gradient (B, p) and Hessian (B, p, p) of the summed Huber loss, all exact."""
    size = len(theta)
    inverse, share = _terms(model, theta)
    log_sum = -np.log(inverse)
    s = 1.0 if model.scale is None else theta[:, model.scale, None]
    r = log_sum if model.scale is None else log_sum * s
    if model.raw:
        level = np.exp(np.minimum(r, 300.0))
        r = level
    r = r - model.target
    c = np.clip(r, -delta, delta)
    first = weights * c
    second = weights * (c == r)
    value = (first * (r - 0.5 * c)).sum(1)
    if model.raw:
        second = second * level * level + first * level
        first = first * level
    slope = first if model.scale is None else first * s
    along = _slopes(model, inverse, share)
    gradient = np.matmul(along, slope[:, :, None])[:, :, 0]
    bend = second - slope if model.scale is None else second * (s * s) - slope
    hessian = np.matmul(along * bend[:, None, :], np.swapaxes(along, 1, 2))
    own = np.matmul(share * slope, model.squares).reshape(*share.shape[:2], *model.columns.shape[1:] * 2)
    for block, columns in zip(own, model.columns, strict=True):
        hessian[:, columns[:, None], columns] += block
    if model.scale is not None:
        gradient[:, model.scale] = (first * log_sum).sum(1)
        mixed = np.matmul(along, (second * s * log_sum + first)[:, :, None])[:, :, 0]
        mixed[:, model.scale] = (second * log_sum * log_sum).sum(1)
        hessian[:, model.scale, :] = hessian[:, :, model.scale] = mixed
    return value, gradient, hessian


def _slopes(model: Model, inverse: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Derivatives of the log-sum-exp in every parameter, (B, p, n); that of a free scale is left 0."""
    plain = not model.tied and model.scale is None
    along = (np.empty if plain else np.zeros)((len(inverse), model.n_params, inverse.shape[1]))
    if model.offset is not None:
        along[:, model.offset] = inverse
    for q, x, columns in zip(share, model.rows, model.columns, strict=True):
        for row, col in zip(x, columns, strict=True):
            if plain:
                np.multiply(q, row, out=along[:, col])
            else:
                along[:, col] += q * row
    return along


def _solve_definite(h: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solutions of h x = g for a batch of small matrices, and which h are safely positive definite."""
    h, x = h.copy(), g.copy()
    p = h.shape[1]
    least = 1e-14 * np.abs(h[:, range(p), range(p)]).max(1)
    definite = np.ones(len(h), bool)
    for j in range(p):
        pivot = h[:, j, j]
        definite &= pivot > least
        pivot = np.where(definite, pivot, 1.0)
        factor = h[:, j + 1 :, j] / pivot[:, None]
        h[:, j + 1 :, j + 1 :] -= factor[:, :, None] * h[:, None, j, j + 1 :]
        x[:, j + 1 :] -= factor * x[:, j, None]
        h[:, j, j] = pivot
    for j in range(p - 1, -1, -1):
        x[:, j] -= (h[:, j, j + 1 :] * x[:, j + 1 :]).sum(1)
        x[:, j] /= h[:, j, j]
    return x, definite


def _step(
    model: Model, at: np.ndarray, gradient: np.ndarray, hessian: np.ndarray, damping: np.ndarray, lower: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Damped Newton step, and its decrement; negative curvature counts as positive.

    A parameter that a bound holds back does not move.
    """
    held = (at <= lower) & (gradient > 0) | (at >= model.upper) & (gradient < 0)
    unit = model.typical * ~held
    g = gradient * unit
    h = hessian * (unit[:, :, None] * unit[:, None, :])
    if len(h) > FEW:
        step, decrement, definite = _eliminated(h, g, damping, held)
        odd = ~definite
        if odd.any():
            step[odd], decrement[odd] = _mirrored(h[odd], g[odd], damping[odd])
    else:
        step, decrement = _mirrored(h, g, damping)
    length = np.sqrt((step * step).sum(1, keepdims=True))
    if length.max() > MAX_STEP:
        step *= np.minimum(1.0, MAX_STEP / np.maximum(length, 1e-300))
    return -step * unit, decrement


def _mirrored(h: np.ndarray, g: np.ndarray, damping: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Damped Newton direction with negative curvatures mirrored, by eigenvalues."""
    values, vectors = np.linalg.eigh(h)
    size = np.abs(values)
    top = size.max(1, keepdims=True)
    size = np.maximum(size, 1e-13 * top + 1e-300) + damping[:, None] * top
    along = np.matmul(g[:, None, :], vectors)[:, 0]
    scaled = along / size
    return np.matmul(vectors, scaled[:, :, None])[:, :, 0], 0.5 * (along * scaled).sum(1)


def _eliminated(
    h: np.ndarray, g: np.ndarray, damping: np.ndarray, held: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same where the damped matrix is positive definite (third result), by elimination."""
    h = h.copy()
    diagonal = np.einsum("bii->bi", h)
    top = np.abs(diagonal).max(1, keepdims=True) + 1e-300
    diagonal += np.where(held, top, damping[:, None] * top)
    step, definite = _solve_definite(h, g)
    return step, 0.5 * (g * step).sum(1), definite


def _charted(
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
    chart, jac, bend = theta.copy(), np.zeros((size, p, p)), np.zeros((size, p, p))
    chart[:, a] += np.log(x)
    chart[:, offset] += height.sum(1)
    slope, tug = height / x, pull * height
    jac[:, range(p), range(p)] = 1.0
    jac[:, a, alpha] = -1.0 / x
    jac[:, offset, a] = -height
    jac[:, offset, alpha] = slope
    bend[:, alpha, alpha] = (gradient[:, a] - 2.0 * tug) / x**2
    bend[:, a, a] = -tug
    bend[:, a, alpha] = bend[:, alpha, a] = pull * slope
    turned = np.swapaxes(jac, 1, 2)
    return chart, np.matmul(turned, gradient[:, :, None])[:, :, 0], np.matmul(turned, np.matmul(hessian, jac)) + bend


def _uncharted(model: Model, chart: np.ndarray) -> np.ndarray:
    """Back from the coordinates of :func:`_charted`."""
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
            return np.clip(trial, model.lower, model.upper), decrement
    else:
        trial, decrement, plain = theta.copy(), np.empty(len(theta)), ~inside
        if inside.any():
            moved, along = _charted_step(model, theta[inside], gradient[inside], hessian[inside], damping[inside])
            trial[inside], decrement[inside] = moved, along
            plain = trial[:, model.offset] <= 0
    step, along = _step(model, theta[plain], gradient[plain], hessian[plain], damping[plain], model.lower)
    trial[plain], decrement[plain] = theta[plain] + step, along
    return np.clip(trial, model.lower, model.upper), decrement


def _charted_step(
    model: Model, theta: np.ndarray, gradient: np.ndarray, hessian: np.ndarray, damping: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where a step in the chart leads (E may come out negative), and the decrement."""
    chart, g, h = _charted(model, theta, gradient, hessian)
    step, decrement = _step(model, chart, g, h, damping, model.chart_lower)
    return _uncharted(model, np.clip(chart + step, model.chart_lower, model.upper)), decrement


def _newton(model: Model, weights: np.ndarray, delta: float, theta: np.ndarray, tolerance: float) -> Solution:
    """Damped Newton within the box on every item of the batch until its decrement vanishes."""
    theta = np.clip(theta, model.lower, model.upper)
    value, gradient, hessian = evaluate(model, weights, delta, theta)
    damping = np.full(len(theta), DAMPING)
    converged = np.zeros(len(theta), bool)
    floor = FLOOR * weights.sum(1)
    active, last = np.arange(len(theta)), theta.copy()
    for _ in range(MAX_STEPS):
        trial, decrement = _trial(model, theta[active], gradient[active], hessian[active], damping[active])
        small = decrement <= tolerance * value[active] + floor[active]
        stuck = damping[active] > MAX_DAMPING
        converged[active], last[active] = small, trial
        keep = ~(small & (damping[active] <= LIGHT) | stuck)
        active, trial = active[keep], trial[keep]
        if not len(active):
            break
        w = weights if len(active) == len(weights) else weights[active]
        new_value, new_gradient, new_hessian = evaluate(model, w, delta, trial)
        better = new_value < value[active]
        went, stayed = active[better], active[~better]
        theta[went], value[went] = trial[better], new_value[better]
        gradient[went], hessian[went] = new_gradient[better], new_hessian[better]
        damping[went] *= SHRINK
        damping[stayed] = np.maximum(damping[stayed] * GROW, DAMPING)
    if stuck.any():
        rows = np.flatnonzero(damping > MAX_DAMPING)
        _, decrement = _trial(model, theta[rows], gradient[rows], hessian[rows], np.zeros(len(rows)))
        converged[rows] = decrement <= STUCK * value[rows] + floor[rows]
    if tolerance < ROUGH:
        # the step that proved convergence is still worth half the digits of the parameters
        at_last = huber_sum(residuals(model, last), weights, delta)
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
        at_zero = huber_sum(residuals(model, zeroed), weights[small], delta)
        good = at_zero <= value[small] * (1 + 1e-9) + FLOOR * weights[small].sum(1)
        theta[small[good]], value[small[good]] = zeroed[good], at_zero[good]


def solve(model: Model, weights: np.ndarray, deltas: Sequence[float], theta: np.ndarray) -> Solution:
    """Local minima from ``theta`` (B, p) under ``weights`` (B, n), in chunks of bounded memory.

    ``deltas`` are Huber thresholds passed through in turn; only the last is solved exactly.
    """
    size, n = weights.shape
    rows = max(1, CHUNK // n)
    parts = []
    for i in range(0, size, rows):
        w, at = weights[i : i + rows], theta[i : i + rows]
        for delta in deltas[:-1]:
            at = _newton(model, w, delta, at, ROUGH).theta
        parts.append(_newton(model, w, deltas[-1], at, TOLERANCE))
    return Solution(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Solution)))
