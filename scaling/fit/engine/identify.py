"""Can this table identify this law? A condition number, a status, and the reason in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy

from ...errors import FitErrorKind
from .problem import Objective, Problem
from .starts import GRID, grid_objective, project, unit_terms

#: condition numbers above which a fit is weak, and above which it is none
WEAK, HOPELESS = 1e3, 1e6
#: confidence at which removing a term must raise the objective for the term to count as seen
SEEN = 0.95
#: runs of a large table that are looked at when not all need to be
PART = 5_000


@dataclass(frozen=True)
class Verdict:
    """What a table says of a law: a status, the reason in words and in kind, and the condition number."""

    status: str
    message: str
    condition: float
    kind: FitErrorKind | None = None


def condition_number(rows: np.ndarray, used: np.ndarray) -> tuple[float, np.ndarray]:
    """Condition of a Jacobian (n, p) of which the columns ``used`` count, scaled, and its flattest direction (p,)."""
    norms = np.linalg.norm(rows, axis=0)
    scaled = rows[:, used] / np.where(norms > 0, norms, 1.0)[used]
    triangle = np.linalg.qr(scaled, mode="r")
    _, values, vectors = np.linalg.svd(triangle)
    flat = np.zeros(len(used))
    flat[used] = vectors[-1]
    if len(rows) < used.sum() or values[-1] == 0:
        return np.inf, flat
    return float(values[0] / values[-1]), flat


def moving(problem: Problem, theta: np.ndarray) -> np.ndarray:
    """(p,): which parameters belong to terms that are there."""
    used = np.ones(len(problem.names), bool)
    for k in np.flatnonzero(problem.absent(theta[None])[0]):
        used[list(problem.model.columns[k])] = False
    if problem.basis.offset and theta[0] == 0:
        used[0] = False
    return used


def flat_direction(names: tuple[str, ...], flat: np.ndarray) -> str:
    """The constants that trade off against each other along the flattest direction."""
    strong = [name for name, x in zip(names, np.abs(flat), strict=True) if x > 0.3 * np.abs(flat).max()]
    return " and ".join([", ".join(strong[:-1]), strong[-1]] if len(strong) > 1 else strong)


def noise_bound(factor: int) -> float:
    """The ratio by which noise raises an objective when a term is lost, at most, at the confidence ``SEEN``.

    ``factor`` times its logarithm is chi-squared with two degrees of freedom, whose quantile at p is -2 ln(1 - p).
    """
    return float((1 - SEEN) ** (-2.0 / factor))


def unseen_terms(problem: Problem, value: float, weights: np.ndarray, objective: Objective) -> list[int]:
    """Terms whose removal does not raise the objective beyond noise.

    Twice the log-likelihood ratio of Laplace residuals (normal ones for squares) is compared with
    its chi-squared bound; two constants go with a term.
    """
    if problem.n_terms == 1 and not problem.basis.offset:
        return []
    n = int((weights > 0).sum())
    factor = n if objective.name == "log_squares" else 2 * n
    bound = noise_bound(factor)
    floor = 1e-24 * float(weights.sum())
    unseen, every = [], unit_terms(problem.basis, GRID)
    for k in range(problem.n_terms):
        columns = [column for j, column in enumerate(every) if j != k + problem.basis.offset]
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
            scipy.optimize.minimize_scalar(
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
        tau=objective.tau,
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
) -> Verdict:
    """What the table says of a minimum of a problem of the engine's."""
    used = weights > 0
    return verdict(
        constants={name: float(x[0]) for name, x in problem.constants(theta[None]).items()},
        held=held(problem, theta),
        converged=converged,
        conditioning=condition_number(problem.jacobian(theta)[used], moving(problem, theta)),
        variables={name: x[used] for name, x in variables.items()},
        least=2 + int(problem.basis.offset),
        unseen=lambda: _unseen_in_part(problem, theta, value, weights, objective),
    )


def verdict(
    *,
    constants: dict[str, float],
    held: tuple[str, ...],
    converged: bool,
    conditioning: tuple[float, np.ndarray],
    variables: dict[str, np.ndarray],
    least: int,
    unseen: Callable[[], list[int]],
) -> Verdict:
    """The rules by which every fit is judged, whoever solved it.

    Parameters
    ----------
    constants, held
        The law's constants, and the names of those on a bound.
    converged : bool
        Whether the solver reached a minimum.
    conditioning : (float, array)
        As :func:`condition_number` returns it.
    variables : dict of array
        What the law depends on, at the runs that count.
    least : int
        Fewest distinct values of a variable.
    unseen : callable
        Positions of the variables without which the objective is no worse beyond noise; asked only if the table is
        large enough.
    """
    (condition, flat), p = conditioning, len(constants)
    runs = _distinct(list(variables.values()), p)
    few = _too_few(variables, least, runs, p)
    if few:
        return Verdict("not_identified", "; ".join(few), condition, FitErrorKind.FEW)
    names = list(variables)
    if lost := [names[k] for k in unseen()]:
        if _rise_together(variables):
            words = f"the effects of {' and '.join(names)} cannot be told apart{_remedy(variables)}"
            return Verdict("not_identified", words, condition, FitErrorKind.UNDETERMINED)
        said = [f"the loss does not fall with {x} beyond noise: check that column, or widen its range" for x in lost]
        return Verdict("not_identified", "; ".join(said), condition, FitErrorKind.UNSEEN)
    if not np.isfinite(list(constants.values())).all():
        words = "a coefficient overflows: check the units of the columns"
        return Verdict("not_identified", words, condition, FitErrorKind.UNDETERMINED)
    direction = flat_direction(tuple(constants), flat)
    if condition > HOPELESS:
        words = f"the table leaves {direction} undetermined{_remedy(variables)}"
        return Verdict("not_identified", words, condition, FitErrorKind.UNDETERMINED)
    if not converged:
        return Verdict("not_converged", "the solver stopped before the minimum: report this table", condition)
    if held:
        at = ", ".join(f"{name} = {constants[name]:g}" for name in held)
        return Verdict("at_bound", f"{at} (on its bound)", condition)
    if runs == p:
        return Verdict("weak", f"as many runs as constants ({p}): no residual is left", condition)
    if condition > WEAK:
        return Verdict("weak", f"{direction} trade off against each other{_remedy(variables)}", condition)
    return Verdict("converged", "", condition)


def held(problem: Problem, theta: np.ndarray) -> tuple[str, ...]:
    """Names of the constants that sit on a bound."""
    on = (theta <= problem.model.lower) | (theta >= problem.model.upper)
    return tuple(name for name, is_held in zip(problem.names, on, strict=True) if is_held)


def _too_few(variables: dict[str, np.ndarray], least: int, runs: int, constants: int) -> list[str]:
    """What is missing, a sentence each, where runs or values are fewer than the constants need."""
    distinct = {name: _distinct([x], least) for name, x in variables.items()}
    few = [
        f"{count} distinct value{'s' * (count != 1)} of {name}; at least {least} are needed: add runs at other {name}"
        for name, count in distinct.items()
        if count < least
    ]
    if runs < constants:
        lack = f"cannot determine {constants} constants: add at least {constants - runs}"
        few.append(f"{runs} distinct run{'s' * (runs != 1)} {lack}")
    return few


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


def _rise_together(variables: dict[str, np.ndarray]) -> bool:
    """Whether two variables lie on a line in logs."""
    if len(variables) != 2:
        return False
    first, second = (np.log(x) for x in variables.values())
    return bool(abs(np.corrcoef(first, second)[0, 1]) > 0.999)


def _remedy(variables: dict[str, np.ndarray]) -> str:
    """Which runs would help, from the shape of the design."""
    logs = {name: np.log10(x) for name, x in variables.items()}
    if _rise_together(variables):
        return f": {' and '.join(logs)} rise together, add runs off that line"
    narrow = min(logs, key=lambda name: np.ptp(logs[name]))
    return f": add runs over a wider range of {narrow} (now a factor {10 ** np.ptp(logs[narrow]):.3g})"
