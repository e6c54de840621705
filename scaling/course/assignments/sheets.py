"""What students read: the sheet with the questions, and the page with their marks."""

from __future__ import annotations

from ..._words import format_flops
from .answers import Answers
from .classes import Student
from .marking import Marks
from .questions import FAULTS, KINDS, reasons

__all__ = ["feedback", "sheet"]

HOW = """## How to answer

Fill in `answers.txt` beside this sheet, with any editor for text, and hand that file in. Write after the colons.
Numbers may be written as `7e10`, `70B` or `70000000000`. Leave empty what you cannot answer: it costs no more than its
points.

For each number you are asked for an estimate and for the ends of an interval that holds the truth 95 times in 100. The
interval is marked by a rule under which it pays to give the one that you believe: a wider one loses points in
proportion, and a narrower one loses more when it misses. Two fifths of a number's points are for the estimate, three
for the interval.
"""
HIDDEN = """A table may fail to identify what is asked. If yours does, write `no` after `identified:` and the word for
why after `reason:`, and leave the rest empty: 30 points are for saying so, 70 for the reason.
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


def sheet(kind: str, student: Student) -> str:
    """The questions to one student, as Markdown."""
    about, budget = KINDS[kind], format_flops(student.budget)
    files = ", ".join(f"`{name}`" for name in student.tables)
    lines = [f"# {about.title}", "", f"For: {student.name}", "", about.task.format(budget=budget), ""]
    lines += [f"Your runs are in {files}. One row is one training run: parameters N, training tokens D, compute"]
    lines += ["C = 6 N D in FLOP, and the final loss in nats per token (`loss_nats`).", ""]
    if about.verdict[0]:
        lines += ["What can be wrong with a table, and the word for it:", ""]
        lines += [f"- `{word}`: {meaning}." for word, meaning in FAULTS.items()]
        lines += ["", f"Points: {about.verdict[0]} for the table, {about.verdict[1]} for the reason.", ""]
        return "\n".join([*lines, *HOW.split("\n\n")[:2], ""]).replace("\n## ", "\n\n## ")
    lines += ["## Questions", ""]
    lines += [f"1. Do the runs identify what is asked? ({about.status} points; if not, see below)"]
    asked = [(question.words.format(budget=budget), question.points) for question in about.numbers]
    if about.plan:
        asked.insert(
            0, (f"The parameters and tokens to train with {budget} FLOP (6 N D is not above that).", about.plan)
        )
    lines += [f"{k}. {words} ({points} points)" for k, (words, points) in enumerate(asked, 2)]
    words = [f"- `{word}`: {meaning}." for word, meaning in reasons(kind).items()]
    hidden = HIDDEN.format(means=MEANS.get(kind, MEANS[""]))
    return "\n".join([*lines, "", HOW, hidden, "The words for the reason:", "", *words, ""])


def feedback(name: str, marks: Marks, answers: Answers, remarks: list[str]) -> str:
    """The page of one student's marks, as Markdown."""
    lines = [f"# {name}: {marks.total:g} of 100", "", "| for | points | of |", "|---|---|---|"]
    lines += [f"| {part} | {points:g} | {most} |" for part, (points, most) in marks.parts.items()]
    lines += ["", *(f"- {words}" for words in marks.words)]
    if notes := [*answers.remarks, *remarks]:
        lines += ["", "About the file:", "", *(f"- {words}" for words in notes)]
    return "\n".join([*lines, ""])
