"""Can this table identify this law? A condition number, a status, and the reason in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from ...errors import FitErrorKind
from .problem import Objective, Problem
from .scatter import Scatter, scatter
from .unseen import moving, unseen_terms

#: condition numbers above which a fit is weak, and above which it is none
WEAK, HOPELESS = 1e3, 1e6
#: values that differ by less than this share are one value to a law
APART = 0.02
#: runs of a large table that are looked at when not all need to be
PART = 5_000
#: what does not happen where a variable is not seen
FALLS = "the loss does not fall"

#: why the runs do not settle what a law is fitted for, in words or nothing, and whether more runs would
Asked = Callable[[Problem, Scatter, np.ndarray | None], tuple[str, bool]]


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


def flat_direction(names: tuple[str, ...], flat: np.ndarray) -> str:
    """The constants that trade off against each other along the flattest direction."""
    strong = [name for name, x in zip(names, np.abs(flat), strict=True) if x > 0.3 * np.abs(flat).max()]
    return " and ".join([", ".join(strong[:-1]), strong[-1]] if len(strong) > 1 else strong)


def judge(
    problem: Problem,
    theta: np.ndarray,
    converged: bool,
    weights: np.ndarray,
    objective: Objective,
    variables: dict[str, np.ndarray],
    clusters: np.ndarray | None = None,
    asked: Asked | None = None,
) -> Verdict:
    """What the table says of a minimum of a problem of the engine's.

    Where a law is fitted for the answer to a question, ``asked`` says in words why the runs do not settle it, or
    nothing. Of a large table a random part is asked first: what that settles, all runs do.
    """
    rows = np.flatnonzero(weights > 0)
    free = moving(problem, theta)
    whole = len(rows) <= PART

    @cache
    def seen(all_rows: bool) -> tuple[Problem, Scatter, np.ndarray | None]:
        some = rows if all_rows else np.sort(np.random.default_rng(0).choice(rows, PART, replace=False))
        part, groups = problem.take(some), None if clusters is None else clusters[some]
        return part, scatter(part, theta, weights[some], objective, part.model.n_free, groups), groups

    def doubts() -> str:
        assert asked is not None
        words, more = asked(*seen(whole))
        if words and not whole:
            words, more = asked(*seen(True))
        return f"{words}{_remedy(variables)}, or more runs" if more else words

    loose = problem.model.free[: len(problem.names)]
    return verdict(
        constants={
            name: float(x[0]) for name, x in problem.constants(theta[None]).items() if name not in problem.fixed
        },
        held=held(problem, theta),
        converged=converged,
        conditioning=condition_number(problem.jacobian(theta)[rows][:, loose], free[loose]),
        variables={name: x[rows] for name, x in variables.items()},
        least=2 + int(problem.basis.offset and loose[0]),
        unseen=lambda: unseen_terms(*seen(whole)),
        doubts=None if asked is None else doubts,
        together=bool(loose[problem.model.columns[:, 1]].any()),
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
    doubts: Callable[[], str] | None = None,
    what: str = FALLS,
    together: bool = True,
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
    doubts : callable, optional
        Why what the law is fitted for is not known well enough, in words, or nothing; asked last. With it a law is
        ``identified`` or ``weak`` by the answer, without it ``solved`` or ``weak`` by the condition number.
    what : str, optional
        What is said where a variable is not seen, before its name.
    together : bool, optional
        Whether terms of variables that rise together can change places: not where both exponents are given.
    """
    (condition, flat), p = conditioning, len(constants)
    runs = _distinct(list(variables.values()), p)
    few = _too_few(variables, least, runs, p)
    if few:
        return Verdict("not_identified", "; ".join(few), condition, FitErrorKind.FEW)
    names = list(variables)
    if together and _rise_together(variables):  # on a line the terms can change places, and no loss changes
        words = f"the effects of {' and '.join(names)} cannot be told apart{_remedy(variables)}"
        return Verdict("not_identified", words, condition, FitErrorKind.UNDETERMINED)
    if lost := [names[k] for k in unseen()]:
        said = [f"{what} with {x} beyond noise: check that column, or widen its range" for x in lost]
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
    at = ", ".join(f"{name} = {constants[name]:g}" for name in held) + " (on its bound)" if held else ""
    if doubts is not None:
        if words := doubts():
            return Verdict("weak", "; ".join(filter(None, [words, at])), condition)
        if edge := [name for name in held if name != "E"]:
            words = (
                f"{at}: the search ends there, the runs do not say where {' and '.join(edge)} would{_remedy(variables)}"
            )
            return Verdict("weak", words, condition)
        return Verdict("at_bound", at, condition) if held else Verdict("identified", "", condition)
    words = f"as many runs as constants ({p}): no residual is left" if runs == p else ""
    if not words and condition > WEAK:
        words = f"{direction} trade off against each other{_remedy(variables)}"
    if words:
        return Verdict("weak", "; ".join(filter(None, [words, at])), condition)
    return Verdict("at_bound", at, condition) if held else Verdict("solved", "", condition)


def held(problem: Problem, theta: np.ndarray) -> tuple[str, ...]:
    """Names of the constants that have come to sit on a bound."""
    on = problem.model.free & ((theta <= problem.model.lower) | (theta >= problem.model.upper))
    return tuple(name for name, is_held in zip(problem.names, on, strict=True) if is_held)


def _too_few(variables: dict[str, np.ndarray], least: int, runs: int, constants: int) -> list[str]:
    """What is missing, a sentence each, where runs or values are fewer than the constants need."""
    few = []
    for name, x in variables.items():
        if (count := _levels(x, least)) < least:
            spread = f" (all within {np.ptp(x) / np.min(x):.2g} of each other)" if count == 1 and np.ptp(x) > 0 else ""
            words = f"{count} distinct value{'s' * (count != 1)} of {name}{spread}; at least {least} are needed"
            few.append(f"{words}: add runs at other {name}")
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


def _levels(x: np.ndarray, enough: int) -> int:
    """Values that differ from the next smaller one counted by more than ``APART``, no more than ``enough`` of them."""
    ordered, count, last = np.sort(x), 0, -np.inf
    while count < enough:
        beyond = int(np.searchsorted(ordered, last, side="right"))
        if beyond == len(ordered):
            break
        count, last = count + 1, ordered[beyond] * (1 + APART)
    return count


def _rise_together(variables: dict[str, np.ndarray]) -> bool:
    """Whether two variables lie on a rising line in logs."""
    if len(variables) != 2:
        return False
    return correlation(*(np.log(x) for x in variables.values())) > 0.999


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Of two variables; NaN where one has a single value. NumPy's takes five times as long on small tables."""
    x, y = x - x.mean(), y - y.mean()
    with np.errstate(invalid="ignore"):
        return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def _remedy(variables: dict[str, np.ndarray]) -> str:
    """Which runs would help, from the shape of the design."""
    logs = {name: np.log10(x) for name, x in variables.items()}
    if _rise_together(variables):
        return f": {' and '.join(logs)} rise together, add runs off that line"
    narrow = min(logs, key=lambda name: np.ptp(logs[name]))
    return f": add runs over a wider range of {narrow} (now a factor {10 ** np.ptp(logs[narrow]):.3g})"
