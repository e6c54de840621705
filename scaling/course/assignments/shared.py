"""Questions on the method, the same for a whole class, which may answer them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ...sources.files import book_file
from .questions import ASKED, KINDS, POINTS, SHARED

__all__ = ["draw_questions", "line", "mark_shared"]

#: what an answer is called
LETTERS = "ABC"


def draw_questions(kind: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Some quiz questions of the chapters that an assignment rests on, as the key has them.

    From ``book/course/quizzes.yml``, where each wrong answer is a mistake that people make. Each has its ``chapter``,
    what it does ``ask``, the ``choices`` in an order that is drawn, which of them is ``right``, and by letter ``why``
    each other is wrong.
    """
    known = _quizzes()
    pool = [(number, about) for number in KINDS[kind].chapters for about in known[number]]
    drawn = [pool[place] for place in sorted(rng.choice(len(pool), ASKED, replace=False))]
    return [_ordered(chapter, about, rng) for chapter, about in drawn]


@cache
def _quizzes() -> dict[str, list[dict[str, Any]]]:
    """The questions by chapter."""
    import yaml

    chapters = yaml.safe_load(book_file("course/quizzes.yml").read_text(encoding="utf-8"))
    return {each["chapter"]: each["questions"] for each in chapters}


def _ordered(chapter: str, about: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    answers = [(about["right"], ""), *((each["says"], each["why"]) for each in about["wrong"])]
    placed = dict(zip(LETTERS, (answers[place] for place in rng.permutation(len(answers))), strict=True))
    return {
        "chapter": int(chapter),
        "ask": about["ask"],
        "choices": {letter: says for letter, (says, _) in placed.items()},
        "right": next(letter for letter, (_, why) in placed.items() if not why),
        "why": {letter: why for letter, (_, why) in placed.items() if why},
    }


def line(number: int) -> str:
    """The name of a question's line in the answer file; the first has number 1."""
    return f"question {number}"


def mark_shared(
    asked: Sequence[Mapping[str, Any]], given: Mapping[str, float | str]
) -> tuple[tuple[float, int], list[str]]:
    """The points, beside the most that there is, and a sentence for each answer that is not right."""
    found, words = 0, []
    for number, about in enumerate(asked, 1):
        answer, right = given.get(line(number)), about["right"]
        if answer == right:
            found += 1
            continue
        why = about["why"].get(answer)
        said = f"{answer} is wrong. {why}" if why else "not answered."
        words.append(f"Question {number}: {said} The answer is {right}: {about['choices'][right].rstrip('.')}.")
    return (float(POINTS * found), SHARED), words
