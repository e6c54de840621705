r"""How far can a power law of one variable move before its points object? Profile likelihood at each exponent.

Where the exponent b is held, :math:`c + a x^b` is linear in c and a, and so in any two of c, a and the value at a
place. The interval of each is the widest that any exponent within the limit allows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .huber import huber_sum
from .newton import solve
from .problem import Problem
from .scatter import Scatter, student

#: exponents at which the limit is looked for at first, and between its ends
COARSE, FINE = 24, 25
#: halvings of an end of the exponents, of another end, and steps in which a constant settles beside what is held
HALVINGS, ROUNDS, STEPS = 8, 20, 40
#: how far an end is sought, in ln y, before it counts as open
FARTHEST = 20.0
#: a share of its bracket to which a constant is settled
SETTLED = 1e-10


@dataclass(frozen=True)
class Single:
    """Points of a law with one term and an offset, with the laws that fit them best at each exponent.

    Attributes
    ----------
    problem : Problem
    found : Scatter
    limit : float
        The objective that whatever lies within the interval may have.
    theta : array (k, 3)
        Offset, height and exponent, which rises from one end of its interval to the other.
    """

    problem: Problem
    found: Scatter
    limit: float
    theta: np.ndarray

    @classmethod
    def of(cls, problem: Problem, found: Scatter, level: float) -> Single:
        """The points of a minimum, and the exponents that an interval of this level holds."""
        limit = found.value + 0.5 * found.unit * student(level, found.freedom) ** 2
        (low, high), best = problem.exponents, float(found.theta[2])

        def held(exponent: float) -> tuple[np.ndarray, bool]:
            model = problem.model
            lower, upper = ([*bound[:2], exponent] for bound in (model.lower, model.upper))
            model = replace(model, lower=np.array(lower), upper=np.array(upper))
            start = np.array([[*found.theta[:2], exponent]])
            solved = solve(model, found.weights[None], (found.delta,), start)
            return solved.theta[0], bool(solved.value[0] <= limit) or exponent == best

        def end(inner: float, outer: float) -> float:
            for _ in range(HALVINGS):
                middle = (inner + outer) / 2
                inner, outer = (middle, outer) if held(middle)[1] else (inner, middle)
            return inner

        grid = np.unique(np.append(np.geomspace(low, high, COARSE), best))
        inside = np.flatnonzero([held(each)[1] for each in grid])
        first, last = grid[inside[0]], grid[inside[-1]]
        first = end(first, grid[inside[0] - 1]) if inside[0] else first
        last = end(last, grid[inside[-1] + 1]) if inside[-1] + 1 < len(grid) else last
        theta = [held(each)[0] for each in np.unique(np.append(np.linspace(first, last, FINE), best))]
        return cls(problem, found, limit, np.array(theta))

    def exponent(self) -> tuple[float, float]:
        """The interval of how steeply the term falls with the problem's variable."""
        return float(self.theta[0, 2]), float(self.theta[-1, 2])

    def offset(self) -> tuple[float, float]:
        """The interval of the offset."""
        powers, top = self._powers(0.0), 2 * self.problem.basis.loss.max()
        most = top / powers.min(1)
        low, high = self._ends(np.ones_like(powers), powers, lambda c: most, self.theta[:, 0], top)
        return float(low.min()), float(high.max())

    def coefficient(self) -> tuple[float, float]:
        """The interval of the coefficient in the variable's own unit."""
        powers, height = self._powers(0.0), self.theta[:, 1]
        top = np.full(len(height), self.problem.basis.loss.max())
        ends = self._ends(powers, np.ones_like(powers), lambda a: top, height)
        low, high = (end * np.exp(self.theta[:, 2] * self.problem.centres[0]) for end in ends)
        return float(low.min()), float(high.max())

    def value(self, log_x: float) -> tuple[float, float]:
        """The interval of the law's value where the problem's variable has this logarithm."""
        place = log_x - self.problem.centres[0]
        powers = self._powers(place)
        value = np.log(self.theta[:, 0] + np.exp(self.theta[:, 1] - self.theta[:, 2] * place))
        low, high = self._ends(powers, 1 - powers, lambda v: v, value)
        return float(low.min()), float(high.max())

    def _powers(self, place: float) -> np.ndarray:
        """The term at each point (k, n), in units of the term at a place."""
        return np.exp(-self.theta[:, 2:] * (self.problem.basis.logs[0] - place))

    def _ends(
        self,
        held: np.ndarray,
        moved: np.ndarray,
        most: Callable[[np.ndarray], np.ndarray],
        start: np.ndarray,
        top: float | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The least and the largest v, each (k,), with which v held + s moved fits for an s from 0 to most(v).

        ``start`` fits best: v itself, which lies between 0 and ``top``, or without one the logarithm of v.
        """
        scale = np.exp if top is None else np.asarray
        floor, ceiling = (start - FARTHEST, start + FARTHEST) if top is None else (0 * start, top + 0 * start)

        def inside(at: np.ndarray) -> np.ndarray:
            v = scale(at)
            return self._least(v[:, None] * held, moved, most(v)) <= self.limit

        ends = []
        for outer, open_end in ((floor, 0.0), (ceiling, np.inf)):
            reached, inner, beyond = inside(outer), start, outer
            for _ in range(ROUNDS):
                middle = (inner + beyond) / 2
                fits = inside(middle)
                inner, beyond = np.where(fits, middle, inner), np.where(fits, beyond, middle)
            ends.append(np.where(reached, open_end, scale(inner)))
        return ends[0], ends[1]

    def _least(self, base: np.ndarray, moved: np.ndarray, most: np.ndarray) -> np.ndarray:
        """The least objective (k,) of base + s moved, each (k, n), for s from 0 to most: Newton within a bracket."""
        raw, target, w, delta = self.problem.model.raw, self.problem.model.target, self.found.weights, self.found.delta
        low, high = np.zeros(len(most)), most.astype(float)
        s = (low + high) / 2
        for _ in range(STEPS):
            predicted = np.maximum(base + s[:, None] * moved, 1e-300)
            r = predicted - target if raw else np.log(predicted) - target
            slope = moved if raw else moved / predicted
            pull = w * slope
            gradient = (pull * np.clip(r, -delta, delta)).sum(1)
            low, high = np.where(gradient < 0, s, low), np.where(gradient < 0, high, s)
            bend = (pull * slope * (np.abs(r) < delta)).sum(1)
            step = s - gradient / np.maximum(bend, 1e-200)
            s = np.where((step > low) & (step < high), step, (low + high) / 2)
            if ((high - low) <= SETTLED * most).all() or (np.abs(gradient) * most <= SETTLED * self.limit).all():
                break
        predicted = np.maximum(base + s[:, None] * moved, 1e-300)
        return huber_sum(predicted - target if raw else np.log(predicted) - target, w, delta)
