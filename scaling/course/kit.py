"""A kit for a course: everything that a teacher needs the evening before, in one folder that needs no network."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import __version__
from .._words import to_json
from ..book.chapters import Chapter
from ..book.staging import MARK
from ..sources.files import book_file
from .autograder import write_checks
from .deck import Course, chapter_slides, deck, lecture_slides, named
from .figures import Figure, figures_of, write_figures, write_list
from .handouts import write_handouts
from .index import first_page
from .lectures import Lecture
from .moving import moving_figures
from .notebooks import solved_notebook, student_notebook
from .pages import page, to_html
from .plain import Plain
from .runsheets import noted, weeks
from .slides import Slide
from .style import write_style
from .tables import write_tables

__all__ = ["Kit"]

#: where a page of the book is in a kit, seen from a folder of it
PLACES = {"book/notation.md": "../handouts/notation.html"}
#: the run sheets of seven weeks
SEMINAR = "book/course/seminar.md"


@dataclass(frozen=True)
class Kit:
    """The making of a kit from chapters and lectures; ``workers`` 0 executes nothing.

    Of ``reading``, what is read at home before or after a lecture, a kit has the notebooks alone.
    """

    chapters: list[Chapter]
    reading: list[Chapter]
    lectures: list[Lecture]
    course: Course
    workers: int

    def write(self, folder: Path, tell: Callable[[str], None]) -> dict[str, Any]:
        """Write all of it into an empty folder; what it holds, which is also its ``summary.json``."""
        tell("figures")
        shown = write_figures(self._figures, self.chapters, folder / "figures", self.workers)
        write_list(folder / "figures", self._figures, shown)
        tell("notebooks")
        self._write_notebooks(folder)
        checked = write_checks(folder / "checks", self.chapters)
        tell("slides, handouts and data")
        slides = self._write_slides(folder, shown)
        write_handouts(folder / "handouts", _elsewhere)
        tables = write_tables(folder / "data")
        pages = self._write_pages(folder / "lectures")
        write_style(folder / "style")
        summary = self._summary(slides, shown, tables, pages, checked)
        (folder / "index.html").write_text(first_page(summary), encoding="utf-8")
        (folder / MARK).write_text(to_json(summary), encoding="utf-8")
        return summary

    # --- parts --------------------------------------------------------------------------------------------------------

    def _plain(self, chapter: Chapter, place: Callable[[str], str | None]) -> Plain:
        return Plain(f"notebooks/{chapter.place}.ipynb", place)

    @cached_property
    def _figures(self) -> list[Figure]:
        return [each for chapter in self.chapters for each in figures_of(chapter, self._plain(chapter, _elsewhere))]

    def _beside(self, page_of_book: str) -> str | None:
        """Where a page is for who has a folder of notebooks alone: the chapters of the kit lie beside each other."""
        name = Path(page_of_book).name
        return name if name in {each.path.name for each in (*self.chapters, *self.reading)} else None

    def _write_notebooks(self, folder: Path) -> None:
        for name, made in (("student", student_notebook), ("solutions", solved_notebook)):
            (folder / name).mkdir()
            for chapter in (*self.chapters, *self.reading):
                notebook = made(chapter, self._plain(chapter, self._beside))
                text = json.dumps(notebook, indent=1, ensure_ascii=False)
                (folder / name / chapter.path.name).write_text(f"{text}\n", encoding="utf-8")

    def _write_slides(self, folder: Path, shown: dict[str, str]) -> dict[str, dict[str, Any]]:
        (folder / "slides").mkdir()
        pictures = {label: f"../figures/{name}" for label, name in shown.items()}
        by_number = {chapter.number: chapter for chapter in self.chapters}
        plains = {number: self._plain(chapter, _elsewhere) for number, chapter in by_number.items()}
        moving = self._moving()
        written = {}
        for lecture in self.lectures:
            slides = lecture_slides(lecture, by_number, plains)
            written[lecture.name] = (f"Lecture {lecture.number}: {lecture.title}", slides)
        of_chapters = self._chapter_slides(plains)
        written |= {chapter.name: (named(chapter), of_chapters[chapter.name]) for chapter in self.chapters}
        for name, (title, slides) in written.items():
            text = deck(title, slides, pictures, moving, self.course)
            (folder / "slides" / f"{name}.html").write_text(text, encoding="utf-8")
        return {name: {"title": title, "slides": len(slides)} for name, (title, slides) in written.items()}

    def _chapter_slides(self, plains: dict[str, Plain]) -> dict[str, list[Slide]]:
        """The slides of each chapter, by its name, with what the seminar's run sheet says in the notes."""
        made = {chapter.name: chapter_slides(chapter, plains[chapter.number]) for chapter in self.chapters}
        for chapters, parts in weeks():
            there = [name for name in chapters if name in made]
            if not there:
                continue
            slides = iter(noted([slide for name in there for slide in made[name]], parts, Plain(SEMINAR)))
            made |= {name: [next(slides) for _ in made[name]] for name in there}
        return made

    def _moving(self) -> dict[str, str]:
        """The figures that move, by chapter and name, as HTML."""
        still = {each.label: each for each in self._figures}
        made = (moving_figures(each, self._plain(each, _elsewhere), still) for each in self.chapters)
        return {name: block for found in made for name, block in found.items()}

    def _write_pages(self, folder: Path) -> dict[str, str]:
        """The run sheets, quizzes and projects of the course, where the book has them."""
        written: dict[str, str] = {}
        for path in sorted(book_file("course").glob("*.md")):
            folder.mkdir(exist_ok=True)
            plain = Plain(f"book/course/{path.name}", _from_lectures(self.chapters, self.reading))
            text = plain.whole(path.read_text(encoding="utf-8"))
            title = text.partition("\n")[0].lstrip("# ")
            (folder / f"{path.stem}.html").write_text(page(title, to_html(text)), encoding="utf-8")
            written[f"{path.stem}.html"] = title
        return written

    # --- what it says of itself ---------------------------------------------------------------------------------------

    def _summary(
        self,
        slides: dict[str, Any],
        figures: dict[str, str],
        tables: dict[str, str],
        pages: dict[str, str],
        checked: dict[str, int],
    ) -> dict[str, Any]:
        return {
            "kit": self.course.title,
            "term": self.course.term,
            "chapters": [{"chapter": each.name, "title": named(each)} for each in self.chapters],
            "reading": [{"chapter": each.name, "title": named(each)} for each in self.reading],
            "checks": checked,
            "slides": slides,
            "figures": figures,
            "data": tables,
            "lectures": pages,
            "versions": {
                "scaling": __version__,
                "python": platform.python_version(),
                "sphinx-revealjs": version("sphinx-revealjs"),
            },
        }


def _elsewhere(page_of_book: str) -> str | None:
    return PLACES.get(page_of_book)


def _from_lectures(chapters: list[Chapter], reading: list[Chapter]) -> Callable[[str], str | None]:
    """Where a page is for who reads a run sheet: a chapter's slides, the notebook of one to read, another sheet."""
    names = {f"notebooks/{each.place}.ipynb": f"../slides/{each.name}.html" for each in chapters}
    names |= {f"notebooks/{each.place}.ipynb": f"../student/{each.path.name}" for each in reading}

    def place(page_of_book: str) -> str | None:
        if page_of_book.startswith("book/course/") and page_of_book.endswith(".md"):
            return f"{Path(page_of_book).stem}.html"
        return names.get(page_of_book) or _elsewhere(page_of_book)

    return place
