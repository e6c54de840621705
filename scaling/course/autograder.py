"""The checks of a chapter as files for otter-grader, which marks a folder of notebooks with them."""

from __future__ import annotations

import json
from pathlib import Path

from ..book.chapters import Chapter
from .checks import Check, checks
from .labels import labels
from .strip import ends_of_code, parts_of

__all__ = ["checks_of", "otter_file", "write_checks"]

OTTER = '''\
"""A public check of exercise {number}, in the format of otter-grader, from the kit of a course."""

from otter.test_files import test_case

from scaling.course.checks import Check, Condition

OK_FORMAT = False
name = {label!r}
points = 1

CHECK = Check(
    label=name,
    answer={{
{answer}    }},
    hint={hint!r},
    conditions=(
{conditions}    ),
)


@test_case(name="Exercise {number}")
def answer_passes(env):
    CHECK.demand(env)
'''


def checks_of(chapter: Chapter) -> list[Check]:
    """The checks of a chapter's exercises, in their order."""
    solved = ends_of_code(parts_of(json.loads(chapter.text)["cells"], chapter.name))
    return [checks()[label] for label in solved if label in checks()]


def otter_file(check: Check) -> str:
    """The source of a test file in otter-grader's format."""
    answer = "".join(f"        {name!r}: {words!r},\n" for name, words in check.answer.items())
    conditions = "".join(f"        Condition({each.holds!r}, {each.hint!r}),\n" for each in check.conditions)
    number = labels().numbers.get(check.label, check.label)
    return OTTER.format(number=number, label=check.label, answer=answer, hint=check.hint, conditions=conditions)


def write_checks(folder: Path, chapters: list[Chapter]) -> dict[str, int]:
    """Write a folder of checks for each chapter that has some; how many, by the chapter's name."""
    written: dict[str, int] = {}
    for chapter in chapters:
        for check in checks_of(chapter):
            (folder / chapter.name).mkdir(parents=True, exist_ok=True)
            path = folder / chapter.name / f"{check.label}.py"
            path.write_text(otter_file(check), encoding="utf-8")
            written[chapter.name] = written.get(chapter.name, 0) + 1
    return written
