"""A law under noise that mostly loses: normal, plus half-normal upwards, with the sizes of both estimated beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from .composed import LEAST_LOG_NOISE
from .newton import Solution, solve
from .problem import Objective, Problem

__all__ = ["LIKELIHOOD", "Likelihood", "OneSidedProblem"]


#: the objective's name
LIKELIHOOD = "log_one_sided"
#: largest lambda: where the normal part vanishes the likelihood has an edge at the lowest runs, on which the law would
#: come to lie, and resamples say too little of it (exponential noise, 120 runs: E covered in 83 % of tables; so 93 %)
LARGEST_SKEW = 5.0
#: lambdas from which the search begins: there is often a minimum near zero (where the gradient in lambda vanishes, so
#: that the search cannot start) and another far out
FIRST_SKEWS = (0.3, 6.0)
#: least squares, from whose minimum the likelihood's is sought
SQUARES = Objective("log_squares")


@dataclass(frozen=True)
class Likelihood(Objective):
    """The objective of a :class:`OneSidedProblem`, which alone knows its sum."""

    name: str = LIKELIHOOD

    def __post_init__(self) -> None:
        """No other name to check."""

    def thresholds(self, fresh: bool, exact: bool = True, unit: float = 1.0) -> tuple[float, ...]:
        """None is passed through: it is smooth."""
        return (np.inf,)


@dataclass(frozen=True)
class OneSidedProblem(Problem):
    """A problem whose theta ends in ln sigma and lambda; ``names`` are those of the law's constants alone."""

    @classmethod
    def of(cls, plain: Problem) -> OneSidedProblem:
        """The same terms, table and bounds, under the likelihood."""
        model = plain.model
        noisy = replace(
            model,
            lower=np.r_[model.lower, LEAST_LOG_NOISE, 0.0],
            upper=np.r_[model.upper, np.inf, LARGEST_SKEW],
            typical=np.r_[model.typical, 1.0, 1.0],
            noise=model.n_params,
        )
        return cls(noisy, plain.basis, plain.centres, plain.names)

    @property
    def plain(self) -> Problem:
        """The same without noise that is estimated."""
        k, model = len(self.names), self.model
        bare = replace(model, lower=model.lower[:k], upper=model.upper[:k], typical=model.typical[:k], noise=None)
        return Problem(bare, self.basis, self.centres, self.names)

    def from_squares(self, theta: np.ndarray, weights: np.ndarray) -> Solution:
        """Minima from those (B, p) of least squares under each row of weights."""
        r = self.plain.residuals(theta)
        size = np.sqrt(np.maximum((weights * r * r).sum(1) / weights.sum(1), np.exp(2 * LEAST_LOG_NOISE)))
        starts = (np.column_stack([theta, np.log(size) + 0.25, np.full(len(theta), skew)]) for skew in FIRST_SKEWS)
        return reduce(lower, (solve(self.model, weights, (np.inf,), start) for start in starts))

    def warm(self, theta: np.ndarray, weights: np.ndarray, objective: Objective) -> Solution:
        """As for every problem, by way of least squares: from theta itself, one of several minima would be missed."""
        squares = self.plain.warm(theta[: len(self.names)], weights, SQUARES)
        return self.from_squares(squares.theta, weights)

    def fresh(
        self, weights: np.ndarray, objective: Objective, count: int, grid: np.ndarray | None = None, exact: bool = True
    ) -> tuple[Solution, np.ndarray]:
        """As for every problem, from the minimum of least squares; the values are those reached."""
        squares, _ = self.plain.fresh(weights, SQUARES, count, grid)
        found = self.from_squares(squares.theta, weights)
        return found, found.value[:, None]

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        """Derivatives of the predicted log-loss in the law's parameters: (n, p)."""
        return super().jacobian(theta)[:, : len(self.names)]

    def constants(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """The law's constants by name, each (B,)."""
        return super().constants(theta[:, : len(self.names)])

    def scales(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standard deviation of the normal part, and scale of the half-normal one, each (B,)."""
        sigma, skew = np.exp(theta[:, -2]), theta[:, -1]
        shrink = 1.0 / np.hypot(1.0, skew)
        return sigma * shrink, sigma * skew * shrink


def lower(one: Solution, other: Solution) -> Solution:
    """The lower of two solutions under each row of weights."""
    better = other.value < one.value
    theta = np.where(better[:, None], other.theta, one.theta)
    return Solution(theta, np.minimum(one.value, other.value), np.where(better, other.converged, one.converged))
