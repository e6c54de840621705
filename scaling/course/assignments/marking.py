"""Marks: by the score of the intervals, so that hardly anything is gained by boldness, and nothing by vagueness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...laws.chinchilla import ChinchillaLaw
from ...optimum.allocation import compute_optimal
from .answers import Answers
from .questions import FAULTS, KINDS, OWN, REASONS, Kind, Question
from .shared import mark_shared

__all__ = ["Marks", "mark"]

#: of a number's points, those for its estimate; the others are for its interval
FOR_ESTIMATE = 0.4
#: half widths of the careful interval at which an estimate is worth half
HALVED = 2.0
#: what a miss costs in an interval's score, in units of its distance: 2 over one less the level of 95 %
MISS = 40.0
#: beyond the careful answer's score an interval's points fall to none over so many of its widths: a steeper fall is so
#: near to right or wrong that an interval of less than 95 % would pay
FALL = 6.0
#: a distance that is none, of a, of a loss, and as a share of a number of parameters: rounding to four digits
FINE_PRINT = 0.001
#: a waste of compute that is not told from none, and how far beyond the budget a plan may go
FINE, OVER = 0.005, 0.01
#: the share of a table's points for saying that it identifies nothing; the others are for the reason
WITHOUT_REASON = 0.3


@dataclass(frozen=True)
class Marks:
    """The marks of one student.

    Attributes
    ----------
    total : float
        Of a hundred.
    parts : dict
        Points by what they are for, each beside the most that there is: ``{"a": (20.0, 25)}``.
    words : tuple of str
        What to say to the student, a sentence each.
    """

    total: float
    parts: dict[str, tuple[float, int]]
    words: tuple[str, ...]


def mark(kind: str, secret: Mapping[str, Any], answers: Answers, shared: Sequence[Mapping[str, Any]] = ()) -> Marks:
    r"""The marks of a student's answers.

    Eighty points are for one's own table, and four for each of the five questions to the whole class.

    An interval [l, u] of a truth t has the interval score (Gneiting and Raftery 2007)

    .. math:: S = (u - l) + \frac{2}{0.05}\left[(l - t)_+ + (t - u)_+\right],

    the least in the mean for honest 95 % intervals, in ln of a number of parameters. An interval loses a sixth of its
    points for each width of the careful interval by which its score is above that of the careful answer, until none
    are left: twice as wide costs a sixth, and whoever misses where the careful answer misses, too, loses nothing by
    that. An estimate z half widths of the careful interval from the truth has :math:`1/(1 + z^2/4)` of its points:
    nearly all within one, half at two. What four digits leave out counts as no distance.

    A plan has points by the compute that it wastes: the share of the budget without which its true loss can be reached,
    against that of the careful plan, or what such a plan wastes in the mean where this one was luckier. Where the table
    does not identify the law, to say so has thirty per cent of its points, the reason seventy, and numbers have none.

    Parameters
    ----------
    kind : str
        Of the assignment.
    secret : mapping
        The student's entry in the key.
    answers : Answers
        As :func:`read_answers` returns them.
    shared : sequence of mapping
        The questions to the whole class, as the key has them; without them the marks are of one's own table alone.
    """
    parts, words = _own(kind, secret, answers.values)
    if shared:
        points, said = mark_shared(shared, answers.values)
        parts, words = {"shared": points, **parts}, [*said, *words]
    parts = {name: (round(points, 1), most) for name, (points, most) in parts.items()}
    return Marks(round(sum(points for points, _ in parts.values()), 1), parts, tuple(words))


def _own(
    kind: str, secret: Mapping[str, Any], given: Mapping[str, float | str]
) -> tuple[dict[str, tuple[float, int]], list[str]]:
    """The points and sentences of one's own table."""
    about = KINDS[kind]
    if not secret["identified"]:
        return _unidentified(secret["why"], given)
    parts, words = _verdict(about.verdict, secret["verdict"], given) if about.verdict[0] else _status(about, given)
    for question in about.numbers:
        share, said = _number(question, secret["truth"][question.name], secret["reference"][question.name], given)
        parts[question.name] = (question.points * share, question.points)
        words.append(said)
    if about.plan:
        share, said = _plan(secret, given)
        parts["plan"] = (about.plan * share, about.plan)
        words.append(said)
    return parts, words


def _status(about: Kind, given: Mapping[str, float | str]) -> tuple[dict[str, tuple[float, int]], list[str]]:
    right = given.get("identified") == "yes"
    parts = {"identified": (about.status * float(right), about.status)}
    if right:
        return parts, []
    denied = given.get("identified") == "no"
    said = (
        "These runs do identify what was asked." if denied else "Whether they identify what is asked was not answered."
    )
    return parts, [said]


def _unidentified(why: str, given: Mapping[str, float | str]) -> tuple[dict[str, tuple[float, int]], list[str]]:
    right = given.get("identified") == "no"
    found = right and given.get("reason") == why
    least = round(WITHOUT_REASON * OWN)
    most = OWN - least
    parts = {"identified": (least * float(right), least), "reason": (most * float(found), most)}
    words = [
        "Right: these runs do not say what was asked, by the method that was asked."
        if right
        else "These runs do not say what was asked, by the method that was asked; to say so was the answer."
    ]
    if not found:
        words.append(f"The reason is {why}: {REASONS[why]}.")
    return parts, words


def _number(
    question: Question, truth: float, reference: list[float], given: Mapping[str, float | str]
) -> tuple[float, str]:
    """The share of a number's points, and a sentence."""
    estimate, low, high = (given.get(line) for line in question.lines)
    if not any(isinstance(each, float) for each in (estimate, low, high)):
        return 0.0, f"{question.name}: not answered."
    _, lower, upper = (_scaled(question, x) for x in reference)
    t = _scaled(question, truth)
    half = max((upper - lower) / 2, 2 * FINE_PRINT)
    points, said = 0.0, []
    if not isinstance(estimate, float):
        said.append("there is no estimate")
    elif not np.isfinite(at := _scaled(question, estimate)):
        said.append("the estimate is not positive, as a number of parameters is")
    else:
        points += FOR_ESTIMATE / (1 + min(max(abs(at - t) - FINE_PRINT, 0.0) / half / HALVED, 1e6) ** 2)
        said.append(f"the estimate is {_told(question, at - t)}")
    if not (isinstance(low, float) and isinstance(high, float)):
        said.append("there is no interval")
    elif not np.isfinite(one := _scaled(question, min(low, high))):
        said.append("the interval reaches to zero or below, where no number of parameters is")
    else:
        other = _scaled(question, max(low, high))
        more = _score(one, other, t) - max(_score(lower, upper, t), 2 * half)
        points += (1 - FOR_ESTIMATE) * min(max(1 - more / (FALL * 2 * half), 0.0), 1.0)
        held = "holds the truth" if one <= t <= other else "misses the truth"
        said.append(f"the interval {held} and is {_wide((other - one) / (2 * half))} a careful one")
    return points, f"{question.name}: {', '.join(said)}."


def _scaled(question: Question, value: float) -> float:
    """A number as its errors are compared; without end below zero where only positive ones make sense."""
    if not question.log:
        return float(value)
    return float(np.log(value)) if value > 0 else -np.inf


def _score(low: float, high: float, truth: float) -> float:
    """The interval score, in which a miss by what rounding leaves out is none."""
    return high - low + MISS * max(low - truth - FINE_PRINT, truth - high - FINE_PRINT, 0.0)


def _wide(times: float) -> str:
    if times < 0.005:
        return "far narrower than"
    if times > 1000:
        return "more than a thousand times as wide as"
    return "as wide as" if 0.95 < times < 1.05 else f"{times:.2g} times as wide as"


def _told(question: Question, away: float) -> str:
    """How far an estimate is from the truth, and to which side."""
    far = abs(away)
    side = ("too large" if away > 0 else "too small") if question.log else ("too high" if away > 0 else "too low")
    if far < FINE_PRINT / 2:
        return "as good as exact"
    if not question.log:
        return f"{far:.3f} {side}" if far < 1000 else f"more than a thousand {side}"
    if far > np.log(1000):
        return f"a factor of a thousand and more {side} (a count is asked, not millions or billions)"
    return f"a factor of {np.exp(far):.2g} {side}" if far > np.log(3) else f"{abs(np.expm1(away)):.1%} {side}"


def _plan(secret: Mapping[str, Any], given: Mapping[str, float | str]) -> tuple[float, str]:
    """The share of a plan's points, and a sentence."""
    params, tokens = given.get("params"), given.get("tokens")
    if not (isinstance(params, float) and isinstance(tokens, float)):
        return 0.0, "plan: it needs parameters and tokens."
    if not (0 < params < 1e18 and 0 < tokens < 1e21):
        return 0.0, "plan: parameters and tokens are positive, and not beyond all sense."
    law, budget = ChinchillaLaw(**secret["law"]), float(secret["budget"])
    if (over := 6 * params * tokens / budget - 1) > OVER:
        return 0.0, f"plan: it costs {over:.0%} more than there is (6 N D)."
    waste = wasted(law, params, tokens, budget)
    size, data, *ends = secret["reference"]["plan"]
    careful = max(wasted(law, size, data, budget), _usual(law, budget, *ends) if ends else 0.0)
    share = min(1.0, (careful + FINE) / (waste + FINE))
    words = (
        f"its loss can be had without {waste:.1%} of the budget (that of a careful plan without up to {careful:.1%})"
    )
    return share, f"plan: {words}."


def _usual(law: ChinchillaLaw, budget: float, low: float, high: float) -> float:
    """What is wasted by a plan whose size is off by half of the half width of its interval, as happens usually."""
    best, off = compute_optimal(law, budget), (high / low) ** 0.25
    return float(np.mean([wasted(law, best.params * by, best.tokens / by, budget) for by in (off, 1 / off)]))


def wasted(law: ChinchillaLaw, params: float, tokens: float, budget: float) -> float:
    """The share of a budget that a well allocated run of the same true loss would not have needed."""
    needed = compute_optimal(law, loss=float(law.loss(params, tokens))).flops
    return max(1.0 - float(needed) / budget, 0.0)


def _verdict(
    most: tuple[int, int], verdict: list[str], given: Mapping[str, float | str]
) -> tuple[dict[str, tuple[float, int]], list[str]]:
    table, fault = verdict
    found = given.get("table") == table
    right = found and given.get("reason") == fault
    parts = {"table": (most[0] * float(found), most[0]), "reason": (most[1] * float(right), most[1])}
    meaning = f"{fault}: {FAULTS[fault]}"
    words = "Table and reason are right." if right else f"Table {table} is right; its fault is {meaning}."
    return parts, [words if found else f"It was table {table}, {meaning}."]
