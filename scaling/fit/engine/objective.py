r"""What is minimised: a sum of Huber losses of a log-sum-exp of power terms, with exact derivatives.

Every law that is fitted here predicts the logarithm of the loss as

.. math:: \hat y_i = s \cdot \ln\Bigl(E + \sum_k \exp(X_k\,\theta)_i\Bigr)

a log-sum-exp over a few terms, each linear in :math:`\theta`, times a scale *s* that is 1 or free.
The offset enters as E itself, not as its logarithm: E = 0 is then an ordinary bound that one step
reaches, instead of a point at infinity towards which a solver creeps. Arrays carry a batch of
parameters (B, p) under a batch of weights (B, n); nothing here knows which law it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Model:
    """Terms of the log-sum-exp, the data they see and the box of the parameters.

    ``design`` (K, n, d) and ``columns`` (K, d): term k is exp(sum_j design[k, :, j] theta[columns[k, j]]);
    shared columns tie parameters. ``offset`` is the column of E and ``scale`` that of a free *s*, or
    None. ``typical`` is a typical size of a change in each parameter, which makes steps comparable.
    ``raw`` compares exp(prediction) with the loss itself instead of the logarithms. ``base`` (K, n) is
    added to what the terms have in the exponent: a part of them that no parameter moves.
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
    def chart_places(self) -> tuple[np.ndarray, np.ndarray]:
        """Places in flattened (p, p) matrices that the chart's first and second derivatives fill."""
        assert self.offset is not None  # or it has no chart
        (a, alpha), p = self.columns.T, self.n_params
        first = np.concatenate([a * p + alpha, self.offset * p + a, self.offset * p + alpha])
        return first, np.concatenate([alpha * (p + 1), a * (p + 1), a * p + alpha, alpha * p + a])

    @cached_property
    def squares(self) -> np.ndarray:
        """Products of each term's design columns with each other, (K, n, d * d)."""
        k, n, d = self.design.shape
        return (self.design[:, :, :, None] * self.design[:, :, None, :]).reshape(k, n, d * d)

    @cached_property
    def reach(self) -> float:
        """Times the largest parameter, this bounds the exponents of the terms."""
        return float(np.abs(self.design).max(1).sum(1).max())

    @cached_property
    def blocks(self) -> np.ndarray:
        """Places of each term's block in a flattened Hessian, (K * d * d,)."""
        return (self.columns[:, :, None] * self.n_params + self.columns[:, None, :]).ravel()

    @cached_property
    def rows(self) -> np.ndarray:
        """The design with runs last, (K, d, n)."""
        return np.ascontiguousarray(np.swapaxes(self.design, 1, 2))

    def take(self, rows: np.ndarray) -> Model:
        """The same model on some of the runs."""
        base = None if self.base is None else self.base[:, rows]
        return replace(self, target=self.target[rows], design=self.design[:, rows], base=base)


def _terms(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 / (sum of all terms) (B, n), and each exponential term as a share of that sum (K, B, n)."""
    inside = np.swapaxes(theta[:, model.columns], 0, 1)
    terms = np.matmul(inside, model.rows)
    if model.base is not None:
        terms += model.base[:, None, :]
    if np.abs(inside).max(initial=0.0) * model.reach > 600.0:
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
    own = np.matmul(share * slope, model.squares)
    if model.tied:
        for block, columns in zip(own, model.columns, strict=True):
            d = len(columns)
            hessian[:, columns[:, None], columns] += block.reshape(-1, d, d)
    else:
        hessian.reshape(len(theta), -1)[:, model.blocks] += np.swapaxes(own, 0, 1).reshape(len(theta), -1)
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
