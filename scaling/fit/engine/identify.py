"""Can this table identify this law? A condition number, a status, and the reason in words."""

from __future__ import annotations

import numpy as np
from scipy import optimize, special

from .problem import Objective, Problem
from .starts import GRID, Basis, grid_objective, project, unit_terms

#: condition numbers above which a fit is weak, and above which it is none
WEAK, HOPELESS = 1e3, 1e6
#: confidence at which removing a term must raise the objective for the term to count as seen
SEEN = 0.95
#: runs of a large table that are looked at when not all need to be
PART = 5_000


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
    bound = np.exp(special.chdtri(2, 1 - SEEN) / factor)
    floor = 1e-24 * float(weights.sum())
    unseen = []
    for k in range(problem.n_terms):
        basis = Basis(
            problem.basis.loss, tuple(x for j, x in enumerate(problem.basis.logs) if j != k), problem.basis.offset
        )
        columns = unit_terms(basis, GRID)
        rough = grid_objective(columns, weights[None], project(columns, weights[None]), objective.thresholds(False)[-1])
        # the grid is too coarse to settle it for absolute residuals, or where no offset makes up for its steps
        coarse = objective.raw or objective.name == "log_absolute" or not problem.basis.offset
        if coarse or rough.min() < 4 * bound * value + floor:
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
    best, _ = reduced.fresh(weights[None], objective, 3, exact=False)
    return float(objective.sum(reduced.residuals(best.theta), weights[None])[0])


def judge(
    problem: Problem,
    theta: np.ndarray,
    value: float,
    converged: bool,
    weights: np.ndarray,
    objective: Objective,
    variables: dict[str, np.ndarray],
) -> tuple[str, str, float]:
    """Status, message and condition number of a minimum."""
    used = weights > 0
    condition, flat = condition_number(problem, theta, weights)
    p, least = problem.model.n_params, 2 + int(problem.basis.offset)
    seen = {name: x[used] for name, x in variables.items()}
    distinct = {name: _distinct([x], least) for name, x in seen.items()}
    runs = _distinct(list(seen.values()), p)
    trouble = [
        f"{count} distinct value{'s' * (count != 1)} of {name}; at least {least} are needed: add runs at other {name}"
        for name, count in distinct.items()
        if count < least
    ]
    if runs < p:
        trouble.append(
            f"{runs} distinct run{'s' * (runs != 1)} cannot determine {p} constants: add at least {p - runs}"
        )
    if not trouble:
        names = list(variables)
        unseen = [names[k] for k in _unseen_in_part(problem, theta, value, weights, objective)]
        if unseen and _rise_together(variables, used):
            trouble = [f"the effects of {' and '.join(names)} cannot be told apart{_remedy(variables, used)}"]
        else:
            trouble = [
                f"the loss does not fall with {x} beyond noise: check that column, or widen its range" for x in unseen
            ]
    constants = {name: x[0] for name, x in problem.constants(theta[None]).items()}
    if not trouble and not np.isfinite(list(constants.values())).all():
        trouble.append("a coefficient overflows: check the units of the columns")
    if not trouble and condition > HOPELESS:
        trouble.append(f"the table leaves {flat_direction(problem, flat)} undetermined{_remedy(variables, used)}")
    if trouble:
        return "not_identified", "; ".join(trouble), condition
    if not converged:
        return "not_converged", "the solver stopped before the minimum: report this table", condition
    at = [f"{name} = {constants[name]:g}" for name in _at_bound(problem, theta)]
    if at:
        return "at_bound", f"{', '.join(at)} (on its bound)", condition
    if condition > WEAK or runs == p:
        why = f"{flat_direction(problem, flat)} trade off against each other{_remedy(variables, used)}"
        return "weak", why if runs > p else f"as many runs as constants ({p}): no residual is left", condition
    return "converged", "", condition


def _distinct(columns: list[np.ndarray], enough: int) -> int:
    """Number of distinct rows, counted no further than it takes to see ``enough``."""
    for end in (100, None):
        count = len(set(zip(*(x[:end].tolist() for x in columns), strict=True)))
        if count >= enough:
            break
    return count


def _unseen_in_part(
    problem: Problem, theta: np.ndarray, value: float, weights: np.ndarray, objective: Objective
) -> list[int]:
    """:func:`unseen_terms`, on a random part of a large table: a term that counts is seen there."""
    if problem.n_runs <= PART:
        return unseen_terms(problem, value, weights, objective)
    rows = np.random.default_rng(0).choice(np.flatnonzero(weights > 0), PART)
    part, w = problem.take(rows), weights[rows]
    return unseen_terms(part, float(objective.sum(part.residuals(theta[None]), w[None])[0]), w, objective)


def _at_bound(problem: Problem, theta: np.ndarray) -> list[str]:
    model = problem.model
    held = (theta <= model.lower) | (theta >= model.upper)
    return [name for name, is_held in zip(problem.names, held, strict=True) if is_held]


def _rise_together(variables: dict[str, np.ndarray], used: np.ndarray) -> bool:
    """Whether two variables lie on a line in logs."""
    if len(variables) != 2:
        return False
    first, second = (np.log(x[used]) for x in variables.values())
    return bool(abs(np.corrcoef(first, second)[0, 1]) > 0.999)


def _remedy(variables: dict[str, np.ndarray], used: np.ndarray) -> str:
    """Which runs would help, from the shape of the design."""
    logs = {name: np.log10(x[used]) for name, x in variables.items()}
    if _rise_together(variables, used):
        return f": {' and '.join(logs)} rise together, add runs off that line"
    narrow = min(logs, key=lambda name: np.ptp(logs[name]))
    return f": add runs over a wider range of {narrow} (now a factor {10 ** np.ptp(logs[narrow]):.3g})"
