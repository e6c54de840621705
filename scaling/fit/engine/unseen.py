"""Which terms of a law can be left out with no more harm than noise does?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from .huber import huber_sum
from .newton import ROUGH, solve
from .objective import value_at
from .problem import Problem
from .scatter import Scatter, inflation
from .starts import FINE_GRID, starting_points

#: confidence at which removing a term must raise the objective for the term to count as seen
SEEN = 0.95
#: a term's size, known to this share of itself, is seen without a further test
SIZE_KNOWN = 0.1
#: a rise that a rough search finds to be this many times what noise does is not looked at more closely
FAR = 4.0
#: fewer degrees of freedom than this are not asked to show a term more clearly than so many
LEAST_FREEDOM = 5


def moving(problem: Problem, theta: np.ndarray) -> np.ndarray:
    """(p,): which parameters may move and belong to terms that are there."""
    used = problem.model.free[: len(problem.names)].copy()
    absent, columns = problem.absent(theta[None])[0], problem.model.columns
    if absent.any():
        used[np.setdiff1d(columns[absent], columns[~absent])] = False
        if problem.model.coupling is not None:
            used[problem.model.coupling] = False
    if problem.basis.offset and theta[0] == 0:
        used[0] = False
    return used


def noise_bound(freedom: int, lost: int = 2) -> float:
    """The ratio by which noise raises a sum of squares when some constants are lost, at the confidence ``SEEN``.

    F with 2 and ``freedom`` degrees of freedom has its quantile at p where the ratio is (1 - p)^(-2 / freedom). A term
    cannot be negative and its exponent means nothing where it is absent; both make the level lower than it is called.
    """
    freedom = max(freedom, 1)
    if lost == 2:
        return float((1 - SEEN) ** (-2.0 / freedom))
    return 1 + lost / freedom * float(scipy.special.fdtri(lost, freedom, SEEN))


def unseen_terms(problem: Problem, seen: Scatter, clusters: np.ndarray | None = None) -> list[int]:
    """Terms whose removal does not raise the objective beyond noise (the objective, and the noise, are the scatter's).

    Runs of one cluster share their noise, which raises the objective by as much more as they share. Not looked at are
    terms whose size is known to a tenth of itself: without them squares would rise a hundredfold.
    """
    if problem.n_terms == 1 and not problem.basis.offset:
        return []
    heights = problem.model.columns[:, 0]
    known = clusters is None and not problem.model.raw  # first-order errors count the runs of a cluster one by one
    doubtful = _errors(problem, seen)[heights] > SIZE_KNOWN if known else np.ones(problem.n_terms, bool)
    if not doubtful.any():
        return []
    freedom = max(seen.freedom, LEAST_FREEDOM)
    bound = noise_bound(freedom, 2 + (problem.model.coupling is not None))
    noise = _Noise(problem, seen, clusters, freedom * (bound - 1) * seen.unit / 2)
    if problem.n_terms == 1:
        level, value = _level(problem, seen)
        return [0] if value <= noise.limits((level - problem.model.target)[None])[0] else []
    terms = np.flatnonzero(doubtful)
    return [int(k) for k in terms[_lost_in(noise, terms)]]


@dataclass(frozen=True)
class _Noise:
    """What noise alone does to the scatter's objective when constants are lost: a ``rise``, of independent runs."""

    problem: Problem
    seen: Scatter
    clusters: np.ndarray | None
    rise: float

    def limits(self, left: np.ndarray) -> np.ndarray:
        """Values (K,) that noise explains, where residuals (K, n) are ``left`` without a term."""
        if self.clusters is None:
            return np.full(len(left), self.seen.value + self.rise)
        full, delta = self.seen.residuals, self.seen.delta
        pull = (left - full) * np.minimum(np.maximum(full, -delta), delta)
        return self.seen.value + self.rise * inflation(pull, self.seen.weights, self.clusters)


def _errors(problem: Problem, seen: Scatter) -> np.ndarray:
    """First-order standard errors of the parameters (p,), infinite where none can be had."""
    moves = moving(problem, seen.theta)
    rows = problem.jacobian(seen.theta)[:, moves] * np.sqrt(seen.weights)[:, None]
    norms = np.linalg.norm(rows, axis=0) + 1e-300
    out = np.full(len(moves), np.inf)
    triangle = np.asarray(np.linalg.qr(rows / norms, mode="r"))
    if len(rows) >= len(norms) and np.abs(np.diag(triangle)).min() > 1e-12:
        inverse = np.linalg.inv(triangle)
        out[moves] = np.sqrt((inverse**2).sum(1) * seen.unit) / norms
    return out


def _level(problem: Problem, seen: Scatter) -> tuple[float, float]:
    """The offset that is left alone, where it fits best, and the scatter's objective there."""
    target = problem.model.target
    found = scipy.optimize.minimize_scalar(
        lambda level: huber_sum(level - target, seen.weights, seen.delta),
        bounds=(target.min() - 1e-9, target.max() + 1e-9),
        method="bounded",
        options={"xatol": 1e-12},
    )
    return float(found.x), float(found.fun)


def _lost_in(noise: _Noise, terms: np.ndarray) -> np.ndarray:
    """Which of ``terms`` (K,) can be left out without more than noise does: (K,).

    What is left of each law sees its own copy of the runs, so that one search serves them all. It is rough where that
    decides: where it reached a value below the limit, or where it ended far above.
    """
    problem, seen = noise.problem, noise.seen
    left = [[x for j, x in enumerate(problem.basis.logs) if j != term] for term in terms]
    reduced = Problem.build(
        np.tile(problem.basis.loss, len(terms)),
        tuple(np.exp(np.concatenate(each)) for each in zip(*left, strict=True)),
        ("E", "A", "alpha")[-2 - problem.basis.offset :],
        offset=problem.basis.offset,
        raw=problem.model.raw,
        bounds=problem.exponents,
        fixed={name: value for name, value in problem.fixed.items() if name == "E"},
    )
    weights = np.kron(np.eye(len(terms)), seen.weights)
    starts = np.stack(
        [
            starting_points(reduced.basis, weights, seen.delta, 1, FINE_GRID)[:, 0],
            [_merged(problem, seen.theta, term, reduced.centres) for term in terms],
        ]
    )
    lower = np.argmin([value_at(reduced.model, weights, seen.delta, start) for start in starts], axis=0)
    rough = solve(reduced.model, weights, (seen.delta,), starts[lower, np.arange(len(terms))], ROUGH)
    value = rough.value
    each = reduced.residuals(rough.theta).reshape(len(terms), len(terms), -1)
    limit = noise.limits(each[np.arange(len(terms)), np.arange(len(terms))])
    near = (limit < value) & (value - seen.value <= FAR * (limit - seen.value))
    if near.any():
        value[near] = solve(reduced.model, weights[near], (seen.delta,), rough.theta[near]).value
    return value <= limit


def _merged(problem: Problem, theta: np.ndarray, term: int, centres: np.ndarray) -> np.ndarray:
    """The theta without a term whose mean has gone into the offset, for logarithms moved by ``centres``."""
    height, exponent = theta[problem.model.columns[term]]
    first = int(problem.basis.offset)
    level = theta[:first] + np.exp(height - exponent * problem.basis.logs[term]).mean()
    heights, exponents = theta[np.delete(problem.model.columns, term, axis=0).T]
    return np.concatenate([level, heights - exponents * centres, exponents])
