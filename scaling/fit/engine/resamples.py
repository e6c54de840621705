"""Which rows a resample draws, and the optima of all resamples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..._parallel import spread
from .newton import Solution, improve, solve
from .problem import Objective, Problem

#: most resamples, and most numbers, drawn and solved at a time
BLOCK, BLOCK_NUMBERS = 1024, 4_000_000
#: resamples that are also solved from fresh starts, to see whether warm ones can be trusted
PILOT = 64
#: a warm start that ends worse by this share of the objective was trapped
TRAPPED = 1e-6
#: solutions of other resamples at which every resample is looked at too
REFERENCES = 250
#: starts polished for each resample of the pilot, and for every resample when starts are fresh
PILOT_STARTS, FRESH_STARTS = 4, 2
#: a pilot with more of its resamples on a bound than this has several valleys
SEVERAL_VALLEYS = 0.1


@dataclass(frozen=True)
class Resamples:
    """How often each row is drawn: blocks (block, rows), the same each time they are gone through.

    ``n`` rows with replacement (``fraction`` None), or a share ``fraction`` of them without. With ``clusters``, whole
    numbers below ``n``, one a row, it is n clusters that are drawn, each with all its rows. Only one block is held at
    a time, and its size does not change what is drawn.
    """

    n: int
    n_resamples: int
    seed: int
    fraction: float | None = None
    clusters: np.ndarray | None = None

    @property
    def drawn(self) -> int:
        """How many rows are drawn for each resample."""
        return self.n if self.fraction is None else max(1, round(self.fraction * self.n))

    def __iter__(self) -> Iterator[np.ndarray]:
        rng, n = np.random.default_rng(self.seed), self.n
        rows = n if self.clusters is None else len(self.clusters)
        block = max(1, min(BLOCK, BLOCK_NUMBERS // rows))
        for start in range(0, self.n_resamples, block):
            size = min(block, self.n_resamples - start)
            whole = self.fraction is None
            counts = draw_counts(rng, n, size) if whole else draw_parts(rng, n, size, self.drawn)
            yield counts if self.clusters is None else counts[:, self.clusters]


def draw_counts(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """How often each of ``n`` rows is among ``n`` drawn with replacement, ``size`` times: (size, n)."""
    drawn = rng.integers(0, n, (size, n))
    drawn += n * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(float)


def draw_parts(rng: np.random.Generator, n: int, size: int, count: int) -> np.ndarray:
    """Ones at ``count`` of ``n`` rows drawn without replacement, ``size`` times: (size, n)."""
    parts = np.zeros((size, n))
    for row in parts:
        row[rng.choice(n, count, replace=False)] = 1.0
    return parts


@dataclass(frozen=True)
class Optima:
    """The optima of resamples: thetas (B, p), which converged, which lack runs or a term, which sit on a bound."""

    theta: np.ndarray
    converged: np.ndarray
    lost: np.ndarray
    held: np.ndarray
    fresh_starts: bool


def solve_resamples(
    problem: Problem,
    theta: np.ndarray,
    base: np.ndarray,
    aim: Objective,
    resamples: Resamples,
    backend: str | None,
    n_jobs: int,
) -> Optima:
    """Blocks of resamples, which do not depend on who solves them, in two passes; ``base`` are the rows' weights."""
    pilot = next(iter(replace(resamples, n_resamples=min(PILOT, resamples.n_resamples)))) * base
    warm = problem.warm(theta, pilot, aim)
    fresh, _ = problem.fresh(pilot, aim, PILOT_STARTS)
    trapped = bool((warm.value > fresh.value * (1 + TRAPPED) + 1e-22 * pilot.sum(1)).any())
    if problem.model.coupling is None:  # coupled terms have one valley, on a bound or off it
        trapped |= bool(on_bound(problem, fresh.theta).mean() > SEVERAL_VALLEYS)
    blocks = ((problem, counts, base, aim, theta, trapped) for counts in resamples)
    solutions = list(spread(_solved, blocks, backend, n_jobs))
    seen = np.concatenate([fresh.theta, *(s.theta[:: max(1, resamples.n_resamples // REFERENCES)] for s in solutions)])
    again = ((problem, counts, base, aim, s, seen) for counts, s in zip(resamples, solutions, strict=True))
    ends = list(spread(_escaped, again, backend, n_jobs))
    every, distinct = np.concatenate([s.theta for s, _ in ends]), np.concatenate([drawn for _, drawn in ends])
    return Optima(
        theta=every,
        converged=np.concatenate([s.converged for s, _ in ends]),
        lost=problem.absent(every).any(1) | (distinct < problem.model.n_free),
        held=on_bound(problem, every),
        fresh_starts=trapped,
    )


def on_bound(problem: Problem, theta: np.ndarray) -> np.ndarray:
    """(B,): whether any parameter of the law sits on a bound."""
    law = theta[:, : len(problem.names)]
    lower, upper, free = (
        each[: law.shape[1]] for each in (problem.model.lower, problem.model.upper, problem.model.free)
    )
    return np.any(free & ((law <= lower) | (law >= upper)), axis=1)


def _escape(problem: Problem, weights: np.ndarray, aim: Objective, solution: Solution, seen: np.ndarray) -> None:
    """Solve again, in place, where a solution of another resample is already lower than the resample's own."""
    values = weights @ problem.losses(seen, aim).T
    lowest = values.argmin(1)
    rows = np.flatnonzero(values.min(1) < solution.value * (1 - TRAPPED))
    if len(rows):
        again = solve(problem.model, weights[rows], aim.thresholds(False, unit=problem.unit), seen[lowest[rows]])
        improve(solution, again, rows)


def _solved(
    problem: Problem, counts: np.ndarray, base: np.ndarray, aim: Objective, start: np.ndarray, trapped: bool
) -> Solution:
    """The optima of one block of resamples."""
    weights = counts * base
    solution = problem.warm(start, weights, aim)
    if trapped:
        improve(solution, problem.fresh(weights, aim, FRESH_STARTS)[0], slice(None))
    return solution


def _escaped(
    problem: Problem, counts: np.ndarray, base: np.ndarray, aim: Objective, solution: Solution, seen: np.ndarray
) -> tuple[Solution, np.ndarray]:
    """The block's optima after a look at those of others, and how many rows each drew.

    A new solution, since the old may lie in another process.
    """
    solution = Solution(solution.theta.copy(), solution.value.copy(), solution.converged.copy())
    _escape(problem, counts * base, aim, solution, seen)
    return solution, np.count_nonzero(counts, axis=1)
