r"""Do the runs answer what a law is fitted for? Profile likelihood of the exponent and of what is best at a budget."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import positive_finite, proper_share
from .._words import format_count, format_flops, percent
from ..errors import FitError, FitErrorKind
from ..laws.coupled import CoupledLaw
from ..optimum.allocation import compute_optimal, exponents
from ..runs.meter import Meter, find_meter
from .engine.identify import correlation
from .engine.newton import solve
from .engine.one_sided import OneSidedProblem
from .engine.problem import Objective, Problem
from .engine.profile import COUPLING, EXPONENT, LOSS, OFFSET, SIZE, Frontier
from .engine.scatter import Scatter, lack_among_repeated, lack_of_fit, scatter, student

if TYPE_CHECKING:
    from .result import Fit

#: budgets that are asked about, in units of the most expensive run's
REACHES = (1.0, 10.0, 100.0)
#: what a fit is needed for by default: the best size at this many times the most expensive run's compute ...
REACH = 10.0
#: ... within this factor, at this level
FACTOR, LEVEL = 2.0, 0.95
#: how well the other quantities are to be known: a to so much either way, a loss to this share of itself
EXPONENT_NEED, LOSS_NEED = 0.1, 0.02
#: independent runs beyond the number of constants without which no interval is believed
LEAST_FREEDOM = 5
#: the compute of the runs spans at least this factor, or nothing is said about more compute
LEAST_SPAN = 3.0
#: budgets that are the most expensive run's to rounding, in ln C
AT_MOST = 1e-9
#: lack of fit is said where chance alone would show as much in less than this share of tables
UNLIKELY = 0.01
#: what may be the reason where the law misses runs beyond noise, though not those that were repeated
ELSEWHERE = "not those that were repeated: it does not hold for the others, or these stray more"
#: correlation of ln N and ln D beyond which the law with exchanged terms is tried, and that law in the order of theta
NEARLY_TOGETHER, EXCHANGED = 0.8, [0, 2, 1, 4, 3]
#: the values from which the constants of a coupled law are to be told: with them it is a simpler law
SIMPLER = {OFFSET: 0.0, COUPLING: 1.0}
#: an exponent that is none
TINY = 1e-12
#: what each coordinate is called
NAMES = {EXPONENT: "a", SIZE: "params", LOSS: "loss", OFFSET: "E", COUPLING: "k"}


def open_questions(
    problem: Problem,
    found: Scatter,
    clusters: np.ndarray | None,
    flops: float | None = None,
    level: float = LEVEL,
    rate: float = 1.0,
) -> tuple[str, bool]:
    """Why the runs of a fit do not settle the best size at ten times the largest run's compute; nothing where they do.

    Or the best size for another budget of ``flops``, which count ``rate`` times 6ND.

    Besides, whether more runs, or runs over a wider range, would.

    ``problem`` holds the runs that count. Five reasons, in this order: less than five residual degrees of freedom;
    compute that spans less than a factor of three, from which only the formula leads to ten times as much; a budget
    further below the cheapest run than the runs span; repeated runs that differ far less from each other than from the
    law; a profile-likelihood interval that reaches beyond a factor of two from the fit's estimate, or that of a second
    minimum.
    """
    frontier = Frontier.of(problem, found, clusters)
    largest = (frontier.log_params + frontier.log_tokens).max()
    log_c = float(largest + np.log(REACH)) if flops is None else float(np.log(flops / rate / 6))
    if words := _ruled_out(frontier, log_c):
        return words, False
    size = Frontier.of(problem, replace(found, theta=found.fitted)).point(log_c)[SIZE]
    if np.isfinite(frontier.point(log_c)).all() and frontier.known_within(log_c, size, FACTOR, level):
        for other in _exchanged(problem, found, clusters, level):
            if not other.known_within(log_c, size, FACTOR, level):
                words = "params and tokens rise so nearly together that a law with the two terms exchanged fits as well"
                return f"{words}: add runs off that line", False
        return "", False
    budget = (
        f"at {REACH:g} times the compute of the most expensive run"
        if flops is None
        else f"for {format_flops(flops)} FLOPs"
    )
    return f"the best size {budget} is not known within a factor of {FACTOR:g} ({percent(level)}%)", True


def _ruled_out(frontier: Frontier, log_c: float) -> str:
    """Why no interval of a profile is believed at 6 exp(log_c) FLOPs, however narrow; nothing where it is."""
    found, log_flops = frontier.scatter, frontier.log_params + frontier.log_tokens
    if found.freedom < LEAST_FREEDOM:
        lack = LEAST_FREEDOM - found.freedom
        has = f"{max(found.freedom, 0)} residual degree{'s' * (found.freedom != 1)} of freedom"
        return f"{has}, at least {LEAST_FREEDOM} are needed: add {lack} run{'s' * (lack != 1)} or more"
    if np.ptp(log_flops) < np.log(LEAST_SPAN) and log_c > log_flops.max() + AT_MOST:
        span = f"the runs span a factor of {np.exp(np.ptp(log_flops)):.3g} in compute"
        return f"{span}, too little to show how the best size grows: add runs at other budgets"
    if words := far_below(log_c, log_flops):
        return f"the budget {words}: what so few FLOPs do, these runs do not say"
    if times := _missed(frontier):
        misses = f"misses them by {times:.2g} times as much as repeated runs differ"
        if _missed_elsewhere(frontier):
            return f"the law {misses}, but {ELSEWHERE}: repeat some of the others"
        return f"the law does not describe these runs: it {misses}; fit a narrower range, or another law"
    return ""


def far_below(log_flops: float, seen: np.ndarray) -> str:
    """That a budget lies further below runs (n,), both in ln C, than these span, in words; nothing where not."""
    gap, span = (np.array([seen.min() - log_flops, np.ptp(seen)]) / np.log(10)).tolist()
    if gap <= max(span, 1.0):
        return ""
    return f"lies {gap:.1f} decades below the cheapest run, and the runs span {span:.1f}"


def _missed(frontier: Frontier) -> float:
    """How many times what repeated runs differ the law misses them by; 0 where chance alone would show as much."""
    if frontier.clusters is not None:
        return 0.0
    ratio, chance = lack_of_fit(*_by_design(frontier))
    return float(np.sqrt(ratio)) if chance < UNLIKELY else 0.0


def _missed_elsewhere(frontier: Frontier) -> bool:
    """Whether a law that misses the runs by more than repeated ones differ does not miss these."""
    return lack_among_repeated(*_by_design(frontier)) >= UNLIKELY


def _by_design(frontier: Frontier) -> tuple[np.ndarray, np.ndarray, int]:
    """Residuals (n,), the design of each as a whole number, and how many constants are free."""
    pairs = frontier.log_params + 1j * frontier.log_tokens  # which sort twenty times as fast as rows do
    _, designs = np.unique(pairs, return_inverse=True)
    return frontier.scatter.residuals, designs, len(pairs) - frontier.scatter.freedom


def missed(fit: Fit) -> float:
    """How many times what repeated runs differ the law of a fit misses them by; 0 where chance would show as much."""
    return _missed(Frontier.of(*_scattered(fit)))


def missed_elsewhere(fit: Fit) -> bool:
    """Whether the law of a fit :func:`missed` runs, but not those that were repeated."""
    frontier = Frontier.of(*_scattered(fit))
    return _missed(frontier) > 0 and _missed_elsewhere(frontier)


def _exchanged(problem: Problem, found: Scatter, clusters: np.ndarray | None, level: float) -> list[Frontier]:
    """The minimum near the law whose terms have changed places, where runs nearly on a line do not exclude it.

    On a line both laws give the same losses. A profile sees only the minimum that it starts from.
    """
    x, y = problem.basis.logs
    if problem.model.tied or not problem.model.free[problem.model.columns].all():
        return []  # the exchanged law is another
    if abs(correlation(x, y)) < NEARLY_TOGETHER:
        return []
    order = [*EXCHANGED, *range(len(EXCHANGED), len(found.theta))]
    swapped = solve(problem.model, found.weights[None], (found.delta,), found.theta[None, order])
    near = np.allclose(swapped.theta[0], found.theta, rtol=1e-3)
    if near or np.sqrt(found.rise(swapped.value[0])) > student(level, found.freedom):
        return []
    other = Frontier.of(problem, replace(found, theta=swapped.theta[0]), clusters)
    return [other] if np.isfinite(other.point(0.0)).all() else []


def unsettled(fit: Fit, flops: float, level: float = LEVEL) -> str:
    """Why the runs do not settle the best size for a budget, with its interval if there is one; nothing if they do."""
    found = _scattered(fit)
    meter, rate = find_meter(fit.runs), 1.0
    if meter.is_own:
        best = compute_optimal(fit.law, flops, meter=meter)
        rate = float(meter.ratio(best.params, best.tokens))
    if edge := _on_the_edge(fit):
        return edge
    words, more = open_questions(*found, flops, level, rate)
    if not words or found[1].freedom < 1:
        return words
    row = certainty(fit, flops, level).set_index("quantity").loc["params"]
    span = f"it lies anywhere from {_size(row['low'])} to {_size(row['high'])} as far as the law is right"
    return f"{words}: {span}" if more else words


def _on_the_edge(fit: Fit) -> str:
    """Which exponents ended on the limit of the search, in words; nothing where none did."""
    held = [name for name in fit.held if name != "E"]
    return f"{' and '.join(held)} ended on the limit of the search: the runs do not say where" if held else ""


def _size(params: float) -> str:
    return format_count(params) if 0 < params < np.inf else "nothing" if params == 0 else "any size"


def certainty(fit: Fit, flops: ArrayLike | None = None, level: float = LEVEL) -> pd.DataFrame:
    """The table of :meth:`Fit.certainty <scaling.fit.Fit.certainty>`, which says what it holds."""
    proper_share("level", level)
    if fit._asked is None or fit._minimum is None:
        words = f"a fit of {fit.candidate.equation} has no compute-optimal frontier that its runs could be asked about"
        raise FitError(words, FitErrorKind.UNDETERMINED)
    law, (problem, found, clusters) = fit.law, _scattered(fit)
    if found.freedom < 1:
        raise FitError("as many runs as constants: no residual is left to judge by, add runs", FitErrorKind.FEW)
    frontier = Frontier.of(problem, found, clusters)
    if not np.isfinite(frontier.point(0.0)).all():
        raise FitError("a term of the law has vanished: there is no best size to ask about", FitErrorKind.UNDETERMINED)
    meter = find_meter(fit.runs)
    largest = _largest(frontier, meter)
    budgets = np.array(REACHES) * largest if flops is None else np.atleast_1d(positive_finite(flops=flops)[0])
    own = [each for each in SIMPLER if isinstance(law, CoupledLaw) and each not in frontier.fixed]
    first = [] if frontier.settled else [EXPONENT]
    held = np.array(first + [SIZE] * len(budgets) + [LOSS] * len(budgets) + own)
    asked = np.concatenate([[largest] * len(first), budgets, budgets, np.full(len(own), largest)])
    best, at = (compute_optimal(law, each, meter=meter) for each in (budgets, asked))
    size, tokens = np.asarray(at.params), np.asarray(at.tokens)
    slope = [exponents(law, meter, size[0])[0]] * len(first)
    value = np.concatenate([slope, best.params, best.loss, [law.constants[NAMES[each]] for each in own]])
    frontiers = [frontier, *_exchanged(problem, found, clusters, level)]
    low, high = _span([_ends(each, meter, asked, size, tokens, held, level) for each in frontiers], held, value)
    reach = np.where(held == EXPONENT, np.log(REACH), 0.0) + np.log(size) + np.log(tokens)
    believed = np.array([not _ruled_out(frontier, float(log_c)) for log_c in reach]) & (not _on_the_edge(fit))
    needs = {EXPONENT: f"± {EXPONENT_NEED:g}", SIZE: f"factor {FACTOR:g}", LOSS: f"± {LOSS_NEED:.0%}"}
    needs |= {place: f"not {simpler:g}" for place, simpler in SIMPLER.items()}
    of_law = np.isin(held, [EXPONENT, *SIMPLER])
    return pd.DataFrame(
        {
            "quantity": [NAMES[k] for k in held],
            "flops": np.where(of_law, np.nan, asked),
            "value": value,
            "low": low,
            "high": high,
            "need": [needs[k] for k in held],
            "enough": _enough(held, value, low, high) & believed,
        }
    )


def _largest(frontier: Frontier, meter: Meter) -> float:
    """Compute of the most expensive run, as the meter counts it."""
    if meter.is_own:
        return float(meter.flops(np.exp(frontier.log_params), np.exp(frontier.log_tokens)).max())
    return 6 * float(np.exp((frontier.log_params + frontier.log_tokens).max()))


def _ends(
    frontier: Frontier,
    meter: Meter,
    asked: np.ndarray,
    size: np.ndarray,
    tokens: np.ndarray,
    held: np.ndarray,
    level: float,
) -> np.ndarray:
    """Ends (2, q) of the intervals of coordinates ``held`` (q,), each at the optimum of its budget; ln N of a size."""
    if not meter.is_own:
        return np.array(frontier.intervals(np.log(asked / 6), held, level)[1:])
    optima = zip(size, tokens, held, strict=True)
    return np.transpose([_counted(frontier, meter, *optimum, level) for optimum in optima])


def _span(ends: list[np.ndarray], held: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intervals (q,), (q,) that hold those of each frontier, and the value."""
    low, high = np.min([lower for lower, _ in ends], axis=0), np.max([upper for _, upper in ends], axis=0)
    sized = held == SIZE  # a loss of another unit may be too large to be a logarithm
    low, high = (np.where(sized, np.exp(np.where(sized, end, 0.0)), end) for end in (low, high))
    low, high = np.maximum(low, 0.0), np.where(held == EXPONENT, np.minimum(high, 1.0), high)
    return np.minimum(low, value), np.maximum(high, value)


def _enough(held: np.ndarray, value: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Whether each interval is as narrow as is needed of it."""
    away = np.maximum(high - value, value - low)
    inside = np.select(
        [held == EXPONENT, held == LOSS],
        [away <= EXPONENT_NEED, away <= LOSS_NEED * value],
        (high <= FACTOR * value) & (low >= value / FACTOR),
    )
    for place, simpler in SIMPLER.items():
        inside = np.where(held == place, (low > simpler) | (high < simpler), inside)
    return inside.astype(bool)


def known(fit: Fit, quantity: str, level: float = LEVEL) -> str:
    """The words of :meth:`Fit.known <scaling.fit.Fit.known>`."""
    asked = [NAMES[EXPONENT], *([NAMES[each] for each in SIMPLER] if isinstance(fit.candidate, CoupledLaw) else [])]
    if quantity not in asked:
        raise ValueError(f"quantity must be one of {', '.join(asked)}, not {quantity!r}")
    try:
        rows = certainty(fit, level=level).set_index("quantity")
    except FitError as error:
        return f"not known: {error}"
    if quantity not in rows.index:
        return "given by hand, and so nothing that the runs say"
    row = rows.loc[quantity]
    return f"{row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def _counted(
    frontier: Frontier, meter: Meter, params: float, tokens: float, held: int, level: float
) -> tuple[float, float]:
    """An interval where the optimum of the budget is so many parameters and tokens, in a count that is not 6 N D.

    Near the optimum the count is N^p D^q, of which the law is one of the same form with the exponents alpha/p, beta/q.
    """
    p, q = (float(power) for power in meter.powers(params))
    E, A, B, alpha, beta, *coupling = frontier.theta
    least, most = frontier.bounds
    seen = replace(
        frontier,
        log_params=p * frontier.log_params,
        log_tokens=q * frontier.log_tokens,
        theta=np.array([E, A, B, alpha / p, beta / q, *coupling]),
        bounds=(least / max(p, q), most / min(p, q)),
    )
    _, *ends = seen.intervals(np.array([p * np.log(params) + q * np.log(tokens)]), np.array([held]), level)
    if held == EXPONENT:  # which p, itself no constant, has a part in
        low, high = (1 / (p / max(float(end[0]), TINY) + q * float(meter.bend(params)) / beta) for end in ends)
        return low, high
    scale = p if held == SIZE else 1.0
    return float(ends[0][0]) / scale, float(ends[1][0]) / scale


def _scattered(fit: Fit) -> tuple[Problem, Scatter, np.ndarray | None]:
    assert fit._minimum is not None
    rows = np.flatnonzero(fit.weights > 0)
    problem, theta, aim = fit._minimum.problem, fit._minimum.theta, fit._minimum.objective
    if isinstance(problem, OneSidedProblem):  # whose noise is another: it is judged as any other fit's
        problem, theta, aim = problem.plain, theta[: len(problem.names)], Objective()
    problem = problem.take(rows)
    clusters = None if fit.clusters is None else fit.clusters[rows]
    found = scatter(problem, theta, fit.weights[rows], aim, problem.model.n_free, clusters)
    return problem, found, clusters
