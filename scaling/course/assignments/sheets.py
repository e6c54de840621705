"""What students read: the sheet with the questions, and the page with their marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._words import format_flops
from .answers import Answers
from .classes import Student
from .marking import WITHOUT_REASON, Marks
from .questions import KINDS, OWN, POINTS, SHARED, reasons

__all__ = ["feedback", "sheet"]

HOW = """## How to answer

Fill in `answers.txt` beside this sheet, with any editor for text, and hand that file in. Write after the colons.
Numbers may be written as `7e10`, `70B` or `70000000000`, best in four digits: more say nothing, and fewer cost points
where the noise is small. Leave empty what you cannot answer: it costs no more than its points.

For each number you are asked for an estimate and for the ends of an interval that holds the truth 95 times in 100. The
interval is marked by its width and by forty times the distance by which it misses, both compared with the width of a
careful one: each such width too much costs a sixth of its points. Hardly anything is gained by another interval than
the one that you believe. Two fifths of a number's points are for the estimate, three for the interval.
"""
#: what a part of the marks is called on a student's page, where that is not the name of its line
PARTS = {"shared": "the questions to the whole class"}
TOGETHER = f"""## To the whole class ({SHARED} points)

These questions are the same for all of you: talk about them, and look into the book (chapters {{chapters}}). {POINTS}
points each; write the letter of one answer.
"""
ALONE = f"""## Your own runs ({OWN} points)

Nobody else has these; so nobody else's numbers are right here.
"""
HIDDEN = """A table may fail to identify what is asked. If yours does, write `no` after `identified:` and the word for
why after `reason:`, and leave the rest empty: {least} points are for saying so, {most} for the reason.
Here runs *identify* what is asked if {means}.
"""
CLEAR = (
    "a careful 95 % interval of the compute-optimal size for the budget ends within a\nfactor of two of the estimate"
)
MEANS = {
    "isoflop": "at least two groups of equal compute have four sizes or more each, with a minimum among\nthem, and by "
    f"this method {CLEAR}",
    "": CLEAR,
}


def sheet(kind: str, student: Student, shared: Sequence[Mapping[str, Any]]) -> str:
    """The questions to one student, as Markdown; ``shared`` are those to the whole class."""
    about, budget = KINDS[kind], format_flops(student.budget)
    files = ", ".join(f"`{name}`" for name in student.tables)
    lines = [f"# {about.title}", "", f"For: {student.name}", "", about.task.format(budget=budget), ""]
    lines += [TOGETHER.format(chapters=_listed(str(int(each)) for each in about.chapters))]
    for number, each in enumerate(shared, 1):
        choices = [f"   - {letter}: {says}" for letter, says in each["choices"].items()]
        lines += [f"{number}. {each['ask']} (chapter {each['chapter']})", "", *choices, ""]
    lines += [ALONE, f"Your runs are in {files}. One row is one training run: parameters N, training tokens D, compute"]
    lines += ["C = 6 N D in FLOP, and the final loss in nats per token (`loss_nats`).", ""]
    asked = [(question.words.format(budget=budget), question.points) for question in about.numbers]
    if about.plan:
        asked = [
            (f"The parameters and tokens to train with {budget} FLOP (6 N D is not above that).", about.plan),
            *asked,
        ]
    if about.verdict[0]:
        table, reason = about.verdict
        asked = [
            ("Which table cannot be trusted? `A`, `B` or `C`.", table),
            ("Why? One word, see below.", reason),
            *asked,
        ]
        last = ["What can be wrong with a table, and the word for it:", ""]
    else:
        asked = [("Do the runs identify what is asked? If not, see below.", about.status), *asked]
        least = round(WITHOUT_REASON * OWN)
        hidden = HIDDEN.format(least=least, most=OWN - least, means=MEANS.get(kind, MEANS[""]))
        last = [hidden, "The words for the reason:", ""]
    lines += [f"{k}. {words} ({points} points)" for k, (words, points) in enumerate(asked, 1)]
    words = [f"- `{word}`: {meaning}." for word, meaning in reasons(kind).items()]
    return "\n".join([*lines, "", HOW, *last, *words, ""])


def _listed(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}"


def feedback(name: str, marks: Marks, answers: Answers, remarks: list[str]) -> str:
    """The page of one student's marks, as Markdown."""
    lines = [f"# {name}: {marks.total:g} of 100", "", "| for | points | of |", "|---|---|---|"]
    lines += [f"| {PARTS.get(part, part)} | {points:g} | {most} |" for part, (points, most) in marks.parts.items()]
    lines += ["", *(f"- {words}" for words in marks.words)]
    if notes := [*answers.remarks, *remarks]:
        lines += ["", "About the file:", "", *(f"- {words}" for words in notes)]
    return "\n".join([*lines, ""])
