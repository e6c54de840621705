"""Answers that come from a neighbour: they fit the neighbour's table, and not one's own."""

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
#: significant digits that two files share, in numbers of three or more that are the same to the last of them
SHARED, NOT_ROUND = 12, 3


def neighbours(key: Mapping[str, Any], answers: Mapping[str, Answers]) -> dict[str, str]:
    """For students whose answers look like those of another, a sentence that says whose and why.

    Two signs: estimates that lie far from the careful answers of one's own table and near those of one other's; and
    numbers, not round, that are the same as another's to the last digit, of twelve digits together or more. Words and
    letters are no sign, and the questions to the whole class have no numbers. A sign is a reason to ask, not a proof.
    """
    names = [question.name for question in KINDS[key["kind"]].numbers]
    told: dict[str, str] = {}
    for student, given in answers.items():
        found = {name: given.values[name] for name in names if isinstance(given.values.get(name), float)}
        own = _distance(key["students"][student], found)
        if len(found) > 1 and own > FOREIGN:
            others = {other: _distance(about, found) for other, about in key["students"].items() if other != student}
            near = min(others, key=lambda other: others[other], default="")
            if near and others[near] < NEAR:
                told[student] = f"the answers fit the table of {near}, and not {student}'s own"
                continue
        if found and own <= FITS:
            continue
        same = [other for other, theirs in answers.items() if other != student and _same(given, theirs) >= SHARED]
        if same:
            told[student] = f"numbers are the same as those of {same[0]} to the last digit"
    return told


def _distance(about: Mapping[str, Any], found: Mapping[str, Any]) -> float:
    """How far estimates are from a table's careful answers, in half widths: the farthest of them."""
    away = 0.0
    for name, value in found.items():
        if name not in about.get("reference", {}):
            return float("inf")
        best, low, high = about["reference"][name]
        if name == "params":
            if value <= 0:
                return float("inf")
            best, low, high, value = np.log([best, low, high, value])
        away = max(away, abs(value - best) / max((high - low) / 2, 1e-12))
    return float(away)


def _same(one: Answers, other: Answers) -> int:
    """How many digits, in numbers that are not round, two files have in common."""
    return sum(
        _digits(value)
        for name, value in one.values.items()
        if isinstance(value, float) and value == other.values.get(name) and _digits(value) >= NOT_ROUND
    )


def _digits(value: float) -> int:
    return len(f"{abs(value):.12g}".split("e")[0].replace(".", "").strip("0"))
