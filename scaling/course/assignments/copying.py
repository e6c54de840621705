"""Answers that come from a neighbour: they fit the neighbour's table, or are the same, where chance is no reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .answers import Answers
from .questions import KINDS

__all__ = ["neighbours"]

#: half widths of the careful interval: beyond the first an estimate does not fit one's own table, within the second it
#: fits another's
FOREIGN, NEAR = 3.0, 0.2
#: whose estimates lie so near to the careful ones of their own table has copied nothing
FITS = 1.0
#: a number of fewer digits is round, and says nothing where it is the same as another's
NOT_ROUND = 3
#: as many have to be the same: one may come from a rule of thumb
TOGETHER = 2
#: digits in which estimates are written at least
WRITTEN = 4
#: how many such coincidences of two students chance may give in a whole class, before nothing is said of any
CHANCE = 0.01
#: the range, of ln where errors are factors, in which nine of ten laws have their answer: chance is reckoned by it
RANGES = {"a": 0.25, "params": 1.4, "loss": 1.1}


def neighbours(key: Mapping[str, Any], answers: Mapping[str, Answers]) -> dict[str, str]:
    """For students whose answers look like those of another, a sentence that says whose and why.

    Two signs: estimates that lie far from the careful answers of one's own table and near those of one other's; and
    two estimates or more, not round, that are the same as another's to the last digit. Both count only where chance
    would give fewer than one such pair in a hundred classes of this size: in a large class one number that two have in
    common says nothing. Ends of intervals say nothing either, since "two per cent either way" is nobody's own, and
    neither do words and letters. Whose answers fit their own table is never named. A sign is a reason to ask, not a
    proof.
    """
    names = [question.name for question in KINDS[key["kind"]].numbers]
    told: dict[str, str] = {}
    found = {student: _numbers(given, names) for student, given in answers.items()}
    away = {student: _distance(key["students"][student], each) for student, each in found.items()}
    pairs = len(key["students"]) * (len(key["students"]) - 1)
    for student, numbers in found.items():
        if not numbers or away[student] <= FITS:
            continue
        near, far = _nearest(key, student, numbers) if away[student] > FOREIGN else ("", np.inf)
        if near and far < NEAR and pairs * _by_chance(_reaches(key["students"][near], numbers, far)) < CHANCE:
            told[student] = f"the answers fit the table of {near}, and not {student}'s own"
            continue
        given = _numbers(answers[student], [*names, "params"])
        same = [
            other
            for other, theirs in answers.items()
            if other != student
            and len(shared := _shared(given, theirs)) >= TOGETHER
            and pairs / 2 * _by_chance(shared) < CHANCE
        ]
        if same:
            told[student] = _told(same, away)
    return told


def _told(same: list[str], away: Mapping[str, float]) -> str:
    """That numbers are the same, and whether they are anybody's own."""
    owners = [other for other in same if away[other] <= FITS]
    first = (owners or same)[0]
    more = f" and {len(same) - 1} more" if len(same) > 1 else ""
    words = f"numbers are the same as those of {first}{more} to the last digit, and fit "
    return words + (f"the table of {first}" if owners else "the table of none of them: a rule or an example would, too")


def _numbers(given: Answers, names: list[str]) -> dict[str, float]:
    found = {name: given.values.get(name) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, float)}


def _nearest(key: Mapping[str, Any], student: str, numbers: Mapping[str, float]) -> tuple[str, float]:
    """The other student whose table the estimates fit best, and how far they are from it."""
    others = {name: _distance(about, numbers) for name, about in key["students"].items() if name != student}
    near = min(others, key=lambda other: others[other], default="")
    return near, others.get(near, np.inf)


def _reaches(about: Mapping[str, Any], numbers: Mapping[str, float], far: float) -> dict[str, float]:
    """How far each estimate may be from a table's careful one, if none is farther than so many half widths.

    No nearer than numbers of four digits can say.
    """
    ends = {name: _compared(name, about["reference"][name]) for name in numbers}
    return {
        name: max(far * (ends[name][2] - ends[name][1]) / 2, _rounding(name, value, WRITTEN))
        for name, value in numbers.items()
    }


def _shared(numbers: Mapping[str, float], theirs: Answers) -> dict[str, float]:
    """What rounding leaves open of each number, not round, that two have in common."""
    same = {name: value for name, value in numbers.items() if value == theirs.values.get(name)}
    return {
        name: _rounding(name, value, digits) for name, value in same.items() if (digits := _digits(value)) >= NOT_ROUND
    }


def _rounding(name: str, value: float, digits: int) -> float:
    """Half a unit of the last of a number's digits, as its errors are compared."""
    unit = 0.5 * 10.0 ** (np.floor(np.log10(abs(value))) - digits + 1) if value else 0.0
    return float(unit / abs(value) if name == "params" else unit)


def _by_chance(reaches: Mapping[str, float]) -> float:
    """How probable it is that answers to two tables lie so near to each other."""
    return float(np.prod([min(2 * reach / RANGES[name], 1.0) for name, reach in reaches.items()]))


def _distance(about: Mapping[str, Any], found: Mapping[str, float]) -> float:
    """How far estimates are from a table's careful answers, in half widths: the farthest of them."""
    away = 0.0
    for name, value in found.items():
        if name not in about.get("reference", {}) or (name == "params" and value <= 0):
            return float("inf")
        best, low, high = _compared(name, about["reference"][name])
        away = max(away, abs(_compared(name, [value])[0] - best) / max((high - low) / 2, 1e-12))
    return float(away)


def _compared(name: str, values: list[float]) -> list[float]:
    return [float(np.log(value)) for value in values] if name == "params" else values


def _digits(value: float) -> int:
    return len(f"{abs(value):.12g}".split("e")[0].replace(".", "").strip("0"))
