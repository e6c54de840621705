"""How runs scatter around their law: the measure of what noise alone does to an objective."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import scipy

from ..._robust import robust_deviation
from .huber import huber_sum
from .newton import solve
from .problem import Objective, Problem

#: Huber's threshold in standard deviations at which his estimate is 95 % efficient under normal noise
TUNED = 1.345
#: mean square of normal noise of unit variance, cut at that threshold
CUT_SQUARE = 0.7101645
#: noise below this share of the loss is not believed: a term counts as absent below the same share
ROUNDING = 1e-6
#: repeats needed to know how runs of one design differ
LEAST_REPEATS = 3
#: degrees of freedom from which a series serves for Student's t
SERIES = 5
#: a threshold this near to the best (as a factor) serves as well
ABOUT = 1.25
#: rounds in which the standard deviation of cut residuals settles
ROUNDS = 10


@dataclass(frozen=True)
class Scatter:
    r"""The minimum of a table under Huber's loss with a threshold that suits its noise, and the size of that noise.

    Twice the rise of that objective when a constant is held at its true value, over ``unit``, is distributed about as
    F with 1 and ``freedom`` degrees of freedom, whatever the noise (Huber 1981, section 7.10; squares give the exact F
    of normal noise):

    .. math:: \text{unit} = K \, \frac{\sum_i w_i \psi(r_i)^2 / \nu}{m}, \qquad K = 1 + \frac{p}{n}\,\frac{1 - m}{m}

    with psi the residuals cut at ``delta`` and m the share that is not cut.

    Attributes
    ----------
    theta : array (p,)
    fitted : array (p,)
        The minimum of the fit's own objective, to which all that is printed belongs.
    value, unit, delta : float
    freedom : int
        Independent runs less the constants that are free.
    residuals, weights : array (n,)
        Of the runs that count; weights with mean one.
    """

    theta: np.ndarray
    fitted: np.ndarray
    value: float
    unit: float
    delta: float
    freedom: int
    residuals: np.ndarray
    weights: np.ndarray

    def rise(self, value: np.ndarray | float) -> np.ndarray:
        """The statistic that belongs to an objective of this value; infinite where there is no freedom to judge by."""
        if self.freedom < 1:
            return np.zeros_like(np.asarray(value, dtype=float))
        return 2.0 * np.maximum(np.asarray(value) - self.value, 0.0) / self.unit


def scatter(
    problem: Problem,
    theta: np.ndarray,
    weights: np.ndarray,
    objective: Objective,
    free: int,
    clusters: np.ndarray | None = None,
) -> Scatter:
    """The scatter of the runs of a problem, all with a positive weight, around a minimum of any objective near by.

    ``free`` constants are fitted; runs of one cluster count once.
    """
    if problem.model.tau != 0.5:  # noise is judged by both of its sides
        problem = replace(problem, model=replace(problem.model, tau=0.5))
    n = problem.n_runs
    weights = weights * (n / weights.sum())
    units = n if clusters is None else len(np.unique(clusters))
    freedom = units - free
    floor, fitted = ROUNDING * problem.unit, theta
    if objective.name == "log_squares":
        delta = np.inf
    else:
        sizes = np.sort(np.abs(problem.residuals(theta[None])[0]))
        deviation = max(float(robust_deviation(sizes[min(free, n - 1) :])), floor)
        delta = TUNED * deviation
        theta = _minimum(problem, weights, delta, theta)
        better = TUNED * max(_deviation(problem.residuals(theta[None])[0], weights, deviation, n - free), floor)
        if not delta / ABOUT < better < delta * ABOUT:
            delta = better
            theta = _minimum(problem, weights, delta, theta)
    r = problem.residuals(theta[None])[0]
    cut = np.minimum(np.maximum(r, -delta), delta)
    inside = float(weights @ (cut == r)) / n
    correction = 1 + free / n * (1 - inside) / inside if inside else np.inf
    unit = correction * float(weights @ (cut * cut)) / max(n - free, 1) / max(inside, 1e-9)
    unit = max(unit, floor**2)
    return Scatter(theta, fitted, float(huber_sum(r, weights, delta)), unit, delta, freedom, r, weights)


def count_alike(weights: np.ndarray, clusters: np.ndarray | None) -> bool:
    """Whether runs are independent of each other and have one weight."""
    return clusters is None and np.ptp(weights) == 0


def inflation(pull: np.ndarray, weights: np.ndarray, clusters: np.ndarray | None) -> np.ndarray:
    """Factor, at least 1 (B,), of the variance of the sums over runs of ``weights * pull`` (B, n).

    Against runs that are independent of each other and count alike. Of one cluster the products add up first.
    """
    if count_alike(weights, clusters):
        return np.ones(len(pull))
    weighted = pull * weights
    naive = np.maximum((weighted * pull).sum(1), 1e-300)
    if clusters is None:
        return np.maximum((weighted**2).sum(1) / naive, 1.0)
    code = np.unique(clusters, return_inverse=True)[1]
    sums = np.array([np.bincount(code, row) for row in weighted])
    return np.maximum((sums**2).sum(1) / naive * sums.shape[1] / max(sums.shape[1] - 1, 1), 1.0)


def _minimum(problem: Problem, weights: np.ndarray, delta: float, theta: np.ndarray) -> np.ndarray:
    return solve(problem.model, weights[None], (delta,), theta[None]).theta[0]


def _deviation(r: np.ndarray, weights: np.ndarray, start: float, freedom: int) -> float:
    """Huber's proposal 2: the standard deviation whose cut residuals have the mean square of cut normal noise."""
    for _ in range(ROUNDS):
        cut = np.minimum(np.abs(r), TUNED * start)
        start = float(np.sqrt(weights @ (cut * cut) / (CUT_SQUARE * max(freedom, 1))))
    return start


def lack_of_fit(residuals: np.ndarray, designs: np.ndarray, free: int) -> tuple[float, float]:
    """F ratio of what repeated runs share beyond a law to how they differ, and its p-value; (1, 1) without any.

    ``designs`` (n,) numbers the runs of one size and number of tokens alike.
    """
    count = np.bincount(designs)
    freedom, repeats = len(count) - free, len(designs) - len(count)
    if freedom < 1 or repeats < LEAST_REPEATS:
        return 1.0, 1.0
    common = np.bincount(designs, residuals) / count
    pure = float(((residuals - common[designs]) ** 2).sum()) / repeats
    if pure == 0:
        return 1.0, 1.0
    ratio = float(count @ common**2) / freedom / pure
    return ratio, float(scipy.special.fdtrc(freedom, repeats, ratio))


def lack_among_repeated(residuals: np.ndarray, designs: np.ndarray, free: int) -> float:
    """The p-value of :func:`lack_of_fit` by the repeated designs alone, which differ from the law by their own noise.

    Noise that is larger where nothing was repeated looks like a lack of fit to the test of all designs, not to this.
    A constant takes as much from each design.
    """
    count = np.bincount(designs)
    several, repeats = count > 1, len(designs) - len(count)
    freedom = several.sum() * (1 - free / len(count))
    if freedom <= 0:
        return 1.0
    common = np.bincount(designs, residuals) / count
    pure = float(((residuals - common[designs]) ** 2).sum()) / repeats
    ratio = float(count[several] @ common[several] ** 2) / freedom / pure
    return float(scipy.special.fdtrc(freedom, repeats, ratio))


@cache
def student(level: float, freedom: int) -> float:
    """Half width, in standard errors, of a central interval of Student's t (Abramowitz and Stegun, 26.7.5).

    Four terms of the series in 1/freedom: with 5 of them, 0.95 and 0.99 come out 0.01 % and 0.08 % too small. SciPy's,
    which serves below, takes thirty times as long to import as a small fit to be made.
    """
    if freedom < SERIES:
        return float(scipy.special.stdtrit(freedom, 0.5 + level / 2))
    z = statistics.NormalDist().inv_cdf(0.5 + level / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom ** (k + 1) for k, term in enumerate(terms))
