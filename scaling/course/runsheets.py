"""The run sheets of lectures and weeks, part by part: what to ask and to expect, and where on the slides it belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..sources.files import book_file
from .plain import Plain
from .slides import Slide

__all__ = ["RUNS", "Part", "lecture_parts", "noted", "weeks"]

#: how a chapter is linked
RUNS = re.compile(r"\]\(\.\./\.\./notebooks/(?P<chapter>[\w/]+)\.ipynb\)")
_PART = re.compile(r"^## (?P<span>\d+–\d+): (?P<title>.+)\n(?P<words>(?:(?!## ).*\n?)*)", re.MULTILINE)
_WEEK = re.compile(r"^## Week (?P<number>\d+): .+\n(?P<words>(?:(?!## ).*\n?)*)", re.MULTILINE)
_STEP = re.compile(r"^- \*\*(?P<span>\d+–\d+) (?P<words>.*)$", re.MULTILINE)
_SECTIONS = re.compile(r"\*\*Sections?:\*\*(?P<named>(?:[ ,]*\"[^\"]+\")+)")
_LABEL = re.compile(r"\{(?:numref|ref)\}`(?P<label>[\w-]+)`")
#: questions that are put to the class, by their labels
_ASKED = re.compile(r"^- \*\*Ask\*\* (?P<first>[^.]*)", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """A part of a run sheet: what to say and ask, as Markdown of the book, and where its slides are.

    That is by the headings of its ``sections`` and by the ``labels`` of figures and exercises, in the order in which
    they are named; ``asked`` are the exercises that are put to the class.
    """

    words: str
    labels: tuple[str, ...]
    sections: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


def lecture_parts(number: int) -> list[Part]:
    """The parts of a lecture's run sheet."""
    found = []
    for part in _PART.finditer(book_file(f"course/lecture_{number}.md").read_text(encoding="utf-8")):
        words = part["words"].strip()
        sections = [each for line in _SECTIONS.findall(words) for each in re.findall(r'"([^"]+)"', line)]
        asked = [label for line in _ASKED.findall(words) for label in _LABEL.findall(line)]
        titled = f"**Minute {part['span']}: {part['title']}**\n\n{words}"
        found.append(Part(titled, tuple(_LABEL.findall(words)), tuple(sections), tuple(asked)))
    return found


def weeks() -> Iterator[tuple[tuple[str, ...], list[Part]]]:
    """The names of the chapters of each week of the seminar, such as ``06_isoflop``, and the week's parts."""
    for week in _WEEK.finditer(book_file("course/seminar.md").read_text(encoding="utf-8")):
        chapters = tuple(RUNS.findall(week["words"].partition("Afterwards")[0]))
        steps = [
            Part(
                f"**Week {week['number']}, minute {step['span']}: {step['words']}",
                tuple(_LABEL.findall(step["words"])),
            )
            for step in _STEP.finditer(week["words"])
        ]
        yield chapters, steps


def noted(slides: Sequence[Slide], parts: Sequence[Part], plain: Plain) -> list[Slide]:
    """Slides with the parts of a run sheet above what else is to be said.

    A part goes to the first slide of each section that it names; without one to the first slide that it names by a
    label, else to that of the part before, and at the beginning to the first.
    """
    made, places = list(slides), [0]
    first: dict[str, int] = {}
    for place, slide in enumerate(slides):
        first.setdefault(slide.section, place)
        first[slide.name] = place
    told: dict[int, list[str]] = {}
    for part in parts:
        named = [first[label] for label in part.labels if label in first][:1]
        places = [first[each] for each in part.sections if each in first] or named or places[-1:]
        for place in places:
            told.setdefault(place, []).append(plain.text(part.words))
    for place, words in told.items():
        rule = ["---"] if made[place].notes else []
        made[place] = replace(made[place], notes=(*words, *rule, *made[place].notes))
    return made
