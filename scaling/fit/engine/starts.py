"""Starting points by variable projection: with the exponents fixed, a law is linear in the rest.

Over a grid of exponents the best offset and coefficients follow from small non-negative
least-squares problems, all solved at once; the lowest valleys of the objective on that grid are
where the solver starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from .huber import huber_sum
from .model import Model
from .newton import Solution, improve, solve, solve_definite
from .objective import value_at

#: exponents tried for every term
GRID = np.geomspace(0.03, 1.6, 11)
#: and for a law of one term, which costs little
FINE_GRID = np.geomspace(0.01, 2.0, 81)
#: couplings tried for two terms, beside 1, with which they are added; under each of them exponents of either term, and
#: logarithms of their ratio at the centre of the table
COUPLED, COARSE, RATIOS = (0.15, 1.5), np.geomspace(0.08, 0.6, 3), (-1.0, 0.0, 1.0)
#: elements of one working array
BLOCK = 1_500_000
#: and of one that stays in a core's cache
TILE = 30_000


@dataclass(frozen=True)
class Basis:
    """What the linear problems see: the observed loss and the centred logarithm behind each term.

    ``offset`` says whether a constant belongs to the law. The parameters are laid out as
    (E,) a_1 … a_K, alpha_1 … alpha_K with terms exp(a_k - alpha_k x_k).
    """

    loss: np.ndarray
    logs: tuple[np.ndarray, ...]
    offset: bool = True

    def take(self, rows: np.ndarray) -> Basis:
        return Basis(self.loss[rows], tuple(x[rows] for x in self.logs), self.offset)


def unit_terms(basis: Basis, grids: list[np.ndarray]) -> list[np.ndarray]:
    """Relative contributions (n, G) of each term with unit coefficient; the constant's is (n, 1)."""
    columns = [np.exp(-np.outer(x, grid)) / basis.loss[:, None] for x, grid in zip(basis.logs, grids, strict=True)]
    return [1.0 / basis.loss[:, None], *columns] if basis.offset else columns


def project(columns: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Non-negative coefficients (B, G, …, K) of relative least squares at each grid point."""
    size, k = len(weights), len(columns)
    shape = tuple(c.shape[1] for c in columns)
    gram, target = np.empty((size, *shape, k, k)), np.empty((size, *shape, k))
    for i, c in enumerate(columns):
        axis = [1] * k
        axis[i] = shape[i]
        target[..., i] = (weights @ c).reshape(size, *axis)
        gram[..., i, i] = (weights @ (c * c)).reshape(size, *axis)
        weighted = np.swapaxes(weights[:, :, None] * c, 1, 2)
        for j in range(i):
            axis[j] = shape[j]
            gram[..., i, j] = gram[..., j, i] = np.swapaxes(weighted @ columns[j], 1, 2).reshape(size, *axis)
            axis[j] = 1
    gram, target = gram.reshape(-1, k, k), target.reshape(-1, k)
    best, definite = solve_definite(gram, target)
    negative = (best < 0) | ~definite[:, None]
    if negative.any():  # once more without the terms that came out negative; a start need not be optimal
        redo = negative.any(1)
        out = negative[redo]
        inner = np.where(out[:, :, None] | out[:, None, :], 0.0, gram[redo])
        inner[:, range(k), range(k)] = np.where(out, 1.0, gram[redo][:, range(k), range(k)])
        again, definite = solve_definite(inner, np.where(out, 0.0, target[redo]))
        best[redo] = np.where(definite[:, None], np.maximum(again, 0.0), 0.0)
    return best.reshape(size, *shape, k)


def grid_objective(
    columns: list[np.ndarray], weights: np.ndarray, coefficients: np.ndarray, delta: float
) -> np.ndarray:
    """Summed Huber loss of the log-residuals at every grid point, (B, G, …)."""
    shape, n = coefficients.shape[1:-1], len(columns[0])
    lines = [np.moveaxis(c.T.reshape(-1, *[1] * (len(shape) - 1), n), 0, i) for i, c in enumerate(columns)]
    cells, cut = int(np.prod(shape)), int(np.argmax(shape))
    rows, some = max(1, TILE // (cells * n)), max(1, TILE * shape[cut] // (cells * n))
    surface = np.empty(coefficients.shape[:-1])
    for k in range(0, len(weights), rows):
        each = weights[k : k + rows].reshape(-1, *[1] * len(shape), n)
        for g in range(0, shape[cut], some):
            here = (slice(k, k + rows), *[slice(None)] * cut, slice(g, g + some))
            factors = coefficients[here][..., None]
            part = [line[here[1:]] if i == cut else line for i, line in enumerate(lines)]
            relative = factors[..., 0, :] * part[0]
            for i in range(1, len(part)):
                relative += factors[..., i, :] * part[i]
            r = np.log(np.maximum(relative, 1e-300, out=relative), out=relative)
            surface[here] = huber_sum(r, each, delta)
    return surface


def lowest_around(surface: np.ndarray) -> np.ndarray:
    """The least of each point of a surface and its neighbours, corners included; the first axis is the batch.

    SciPy's ``minimum_filter`` gives the same, and takes as long to import as a small fit.
    """
    for axis in range(1, surface.ndim):
        line = np.moveaxis(surface, axis, -1)
        least = line.copy()
        np.minimum(least[..., 1:], line[..., :-1], out=least[..., 1:])
        np.minimum(least[..., :-1], line[..., 1:], out=least[..., :-1])
        surface = np.moveaxis(least, -1, axis)
    return surface


def valleys(surface: np.ndarray, count: int) -> np.ndarray:
    """Flat indices (B, count): the lowest local minima of each surface first, then spread-out points."""
    size, shape = len(surface), surface.shape[1:]
    low = surface <= lowest_around(surface)
    rank = np.where(low, 0, _spread_out(shape)).reshape(size, -1)
    order = np.lexsort((surface.reshape(size, -1), rank))
    return order[:, :count]


@cache
def _spread_out(shape: tuple[int, ...]) -> np.ndarray:
    """1 at every third point of a grid along each axis that has several, 2 elsewhere."""
    chosen = [(index % 3 == 1) | (index.max() == 0) for index in np.indices(shape)]
    return np.where(np.all(chosen, axis=0), 1, 2)


def starting_points(
    basis: Basis, weights: np.ndarray, delta: float, count: int, grids: np.ndarray | list[np.ndarray] = GRID
) -> np.ndarray:
    """The ``count`` most promising starts under each weighting, (B, count, p); a grid for all terms, or one each."""
    grids = [grids] * len(basis.logs) if isinstance(grids, np.ndarray) else grids
    columns = unit_terms(basis, grids)
    k, n = len(columns), len(basis.loss)
    shape = tuple(c.shape[1] for c in columns)
    cells = int(np.prod(shape))
    count = min(count, cells)
    rows = max(1, BLOCK // (cells * n))
    floor = np.full(k, 1e-3 * np.mean(basis.loss))
    out = []
    for i in range(0, len(weights), rows):
        w = weights[i : i + rows]
        coefficients = project(columns, w)
        surface = grid_objective(columns, w, coefficients, delta)
        pick = valleys(surface, count)
        chosen = np.take_along_axis(coefficients.reshape(len(w), cells, k), pick[..., None], 1)
        chosen = np.maximum(chosen, floor)
        places = np.unravel_index(pick, shape)[int(basis.offset) :]
        exponents = [grid[index] for grid, index in zip(grids, places, strict=True)]
        if basis.offset:
            head, chosen = [chosen[..., 0]], chosen[..., 1:]
        else:
            head = []
        out.append(np.stack([*head, *np.moveaxis(np.log(chosen), -1, 0), *exponents], axis=-1))
    return np.concatenate(out)


def solve_fresh(
    model: Model,
    basis: Basis,
    weights: np.ndarray,
    deltas: tuple[float, ...],
    count: int,
    grids: list[np.ndarray],
    squares_first: bool = False,
) -> tuple[Solution, np.ndarray]:
    """The best minimum from fresh starts under each weighting, and the values all starts reached.

    With ``squares_first`` the starts are brought to a minimum of least squares before any threshold counts.
    """
    if model.tied:
        starts = _tied_starts(model, basis, weights, deltas[0], count, grids[0])
    else:
        starts = starting_points(basis, weights, deltas[0], count, grids)
    size, count, p = starts.shape
    repeated, starts = np.repeat(weights, count, axis=0), starts.reshape(-1, p)
    if squares_first and np.isfinite(deltas[0]):
        starts = solve(model, repeated, (np.inf,), starts).theta
    return _best(solve(model, repeated, deltas, starts), count)


def _tied_starts(
    model: Model, basis: Basis, weights: np.ndarray, delta: float, count: int, grid: np.ndarray
) -> np.ndarray:
    """Starts (B, count, p) where the terms share their exponent: the best of those at each value of it."""
    each = [starting_points(basis, weights, delta, 1, [np.array([x])] * len(basis.logs)) for x in grid]
    starts = np.clip(np.concatenate(each, axis=1)[..., : model.n_params], model.lower, model.upper)
    values = np.stack([value_at(model, weights, delta, starts[:, g]) for g in range(len(grid))], axis=1)
    best = np.argsort(values, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(starts, best[..., None], axis=1)


def solve_coupled(
    model: Model, basis: Basis, added: Solution, weights: np.ndarray, deltas: tuple[float, ...], count: int
) -> tuple[Solution, np.ndarray]:
    """The same of two coupled terms, from ``count`` couplings: the minima of the added terms, and starts of its own.

    No minimum is above that of the added terms.
    """
    assert model.coupling is not None  # or it has no such start
    first = np.insert(added.theta, model.coupling, 1.0, axis=1)
    couplings = np.geomspace(*COUPLED, count - 1) if model.free[model.coupling] else model.lower[[model.coupling]]
    others = [_coupled_start(basis, weights, deltas[0], k) for k in couplings]
    if model.tied:
        others = [np.delete(each, model.coupling - 1, axis=1) for each in others]
    starts = np.stack([first, *others], axis=1)
    count, starts = starts.shape[1], starts.reshape(-1, model.n_params)
    best, values = _best(solve(model, np.repeat(weights, count, axis=0), deltas, starts), count)
    above = np.flatnonzero(best.value > added.value)
    if len(above):  # a larger threshold has led astray
        improve(best, solve(model, weights[above], deltas[-1:], first[above]), above)
    return best, values


def _coupled_start(basis: Basis, weights: np.ndarray, delta: float, k: float) -> np.ndarray:
    """The most promising start of two coupled terms under each weighting, (B, p): E and the level are linear."""
    alpha, beta, ratio = (x.ravel() for x in np.meshgrid(COARSE, COARSE, np.array(RATIOS) / k))
    x, y = basis.logs
    heights = -np.logaddexp(0.0, [-ratio, ratio])
    inner = np.logaddexp(heights[0] - np.outer(x, alpha / k), heights[1] - np.outer(y, beta / k))
    columns = [np.exp(k * inner) / basis.loss[:, None]]
    if basis.offset:
        columns = [1.0 / basis.loss[:, None], *columns]
    coefficients = project(columns, weights)
    surface = grid_objective(columns, weights, coefficients, delta).reshape(len(weights), -1)
    pick = surface.argmin(1)
    chosen = coefficients.reshape(len(weights), len(alpha), -1)[np.arange(len(weights)), pick]
    level = np.log(np.maximum(chosen[:, -1:], 1e-3 * np.mean(basis.loss)))
    ends = np.column_stack([alpha[pick], beta[pick], np.full(len(pick), k)])
    return np.hstack([chosen[:, :-1], level + heights[:, pick].T, ends])


def _best(every: Solution, count: int) -> tuple[Solution, np.ndarray]:
    """The lowest of each ``count`` solutions, and the values of all (B, count)."""
    values = every.value.reshape(-1, count)
    best = np.arange(len(values)) * count + values.argmin(1)
    return Solution(every.theta[best], every.value[best], every.converged[best]), values
