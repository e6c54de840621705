"""The lectures of the course: which chapters they take up, and which sections and figures of those."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from ..sources.files import book_file

__all__ = ["Lecture", "Taken", "lectures"]


@dataclass(frozen=True)
class Taken:
    """What a lecture takes from a chapter, named by its number: sections by their headings, and single figures.

    ``questions`` are labels of exercises, each with the section after which the class can answer it.
    """

    chapter: str
    sections: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    questions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lecture:
    """A lecture of so many minutes; ``reading`` are the chapters that are read at home after it, by their files."""

    number: int
    title: str
    minutes: int
    taken: tuple[Taken, ...]
    reading: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Such as ``lecture-2``."""
        return f"lecture-{self.number}"

    @property
    def chapters(self) -> tuple[str, ...]:
        """The numbers of its chapters."""
        return tuple(each.chapter for each in self.taken)


@cache
def lectures() -> tuple[Lecture, ...]:
    """The lectures of ``book/course/lectures.yml``."""
    import yaml

    found = yaml.safe_load(book_file("course/lectures.yml").read_text(encoding="utf-8"))
    return tuple(
        Lecture(
            each["number"],
            each["title"],
            each["minutes"],
            tuple(
                Taken(
                    part["chapter"],
                    tuple(part.get("sections", ())),
                    tuple(part.get("figures", ())),
                    part.get("questions", {}),
                )
                for part in each["chapters"]
            ),
            tuple(each.get("reading", ())),
        )
        for each in found
    )
