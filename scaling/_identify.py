"""Can this table identify this law? A condition number, and the answer in words."""

from __future__ import annotations

import numpy as np
from scipy import optimize, stats

from ._problem import Objective, Problem
from ._starts import GRID, Basis, _columns, _objective, _project

#: condition numbers above which a fit is weak, and above which it is none
WEAK, HOPELESS = 1e3, 1e6
#: confidence at which removing a term must raise the objective for the term to count as seen
SEEN = 0.95


def condition_number(problem: Problem, theta: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Condition of the Jacobian of the log-residuals, columns scaled, and its flattest direction."""
    rows = problem.jacobian(theta)[weights > 0]
    used = np.ones(problem.model.n_params, bool)
    for k in np.flatnonzero(problem.absent(theta[None])[0]):
        used[list(problem.model.columns[k])] = False
    if problem.basis.offset and theta[0] == 0:
        used[0] = False
    norms = np.linalg.norm(rows, axis=0)
    rows = rows[:, used] / np.where(norms > 0, norms, 1.0)[used]
    triangle = np.linalg.qr(rows, mode="r")
    _, values, vectors = np.linalg.svd(triangle)
    flat = np.zeros(problem.model.n_params)
    flat[used] = vectors[-1]
    if len(rows) < used.sum() or values[-1] == 0:
        return np.inf, flat
    return float(values[0] / values[-1]), flat


def flat_direction(problem: Problem, flat: np.ndarray) -> str:
    """The constants that trade off against each other along the flattest direction."""
    strong = [name for name, x in zip(problem.names, np.abs(flat), strict=True) if x > 0.3 * np.abs(flat).max()]
    return " and ".join([", ".join(strong[:-1]), strong[-1]] if len(strong) > 1 else strong)


def unseen_terms(problem: Problem, value: float, weights: np.ndarray, objective: Objective) -> list[int]:
    """Terms whose removal does not raise the objective beyond noise.

    Twice the log-likelihood ratio of Laplace residuals (normal ones for squares) is compared with
    its chi-squared bound; two constants go with a term.
    """
    if problem.n_terms == 1 and not problem.basis.offset:
        return []
    n = int((weights > 0).sum())
    factor = n if objective.name == "log_squares" else 2 * n
    bound = np.exp(stats.chi2.ppf(SEEN, 2) / factor)
    floor = 1e-24 * float(weights.sum())
    unseen = []
    for k in range(problem.n_terms):
        basis = Basis(
            problem.basis.loss, tuple(x for j, x in enumerate(problem.basis.logs) if j != k), problem.basis.offset
        )
        columns = _columns(basis, GRID)
        rough = _objective(columns, weights[None], _project(columns, weights[None]), objective.thresholds(False)[-1])
        if objective.raw or objective.name == "log_absolute" or rough.min() < 4 * bound * value + floor:
            without = _without(problem, k, weights, objective)
            if without <= bound * value + floor:
                unseen.append(k)
    return unseen


def _without(problem: Problem, term: int, weights: np.ndarray, objective: Objective) -> float:
    """The objective at its minimum when one term is left out (one start per exponent of the grid)."""
    loss = problem.basis.loss
    centred = [np.exp(x) for j, x in enumerate(problem.basis.logs) if j != term]
    if not centred:
        return float(
            optimize.minimize_scalar(
                lambda level: objective.sum((np.exp(level) - loss) if objective.raw else level - np.log(loss), weights),
                bounds=(np.log(loss.min()) - 1e-9, np.log(loss.max()) + 1e-9),
                method="bounded",
                options={"xatol": 1e-12},
            ).fun
        )
    bounds = (problem.model.lower[-1], problem.model.upper[-1])
    reduced = Problem.build(
        loss,
        tuple(centred),
        ("E", "A", "alpha")[-2 - problem.basis.offset :],
        offset=problem.basis.offset,
        raw=objective.raw,
        bounds=bounds,
    )
    best, _ = reduced.fresh(weights[None], objective, 3)
    return float(objective.sum(reduced.residuals(best.theta), weights[None])[0])
