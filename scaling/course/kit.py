"""A kit for a course: everything that a teacher needs the evening before, in one folder that needs no network."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import __version__
from .._words import to_json
from ..book.chapters import Chapter
from ..book.moving import opening, settled, without_comments
from ..book.numbering import chapter_number
from ..book.staging import MARK
from ..sources.files import book_file
from .deck import REVEAL, Course, chapter_slides, deck, lecture_slides, reveal_folder
from .directives import Directive
from .figures import Figure, figures_of, write_figures
from .handouts import HANDOUTS, write_handouts
from .lectures import Lecture
from .notebooks import solved_notebook, student_notebook
from .pages import page, to_html, to_line
from .plain import Plain
from .strip import parts_of
from .tables import write_tables

__all__ = ["Kit"]

#: where a page of the book is in a kit, seen from a folder of it
PLACES = {"book/notation.md": "../handouts/notation.html"}
#: what the style of a kit takes from the book
FONT, MOVING = "formulas/stix-two-math.woff2", "moving"


@dataclass(frozen=True)
class Kit:
    """The making of a kit from chapters and lectures; ``workers`` 0 executes nothing."""

    chapters: list[Chapter]
    lectures: list[Lecture]
    course: Course
    workers: int

    def write(self, folder: Path, tell: Callable[[str], None]) -> dict[str, Any]:
        """Write all of it into an empty folder; what it holds, which is also its ``summary.json``."""
        tell("figures")
        shown = write_figures(self._figures, self.chapters, folder / "figures", self.workers)
        self._write_list_of_figures(folder / "figures", shown)
        tell("notebooks")
        self._write_notebooks(folder)
        tell("slides, handouts and data")
        slides = self._write_slides(folder, shown)
        write_handouts(folder / "handouts", _elsewhere)
        tables = write_tables(folder / "data")
        pages = self._write_pages(folder / "lectures")
        self._write_style(folder / "style")
        summary = self._summary(slides, shown, tables, pages)
        (folder / "index.html").write_text(self._index(summary), encoding="utf-8")
        (folder / MARK).write_text(to_json(summary), encoding="utf-8")
        return summary

    # --- parts --------------------------------------------------------------------------------------------------------

    def _plain(self, chapter: Chapter, place: Callable[[str], str | None]) -> Plain:
        return Plain(f"notebooks/{chapter.path.name}", place)

    @cached_property
    def _figures(self) -> list[Figure]:
        return [each for chapter in self.chapters for each in figures_of(chapter, self._plain(chapter, _elsewhere))]

    def _beside(self, page_of_book: str) -> str | None:
        """Where a page is for the reader of a notebook: chapters of the kit lie beside it."""
        name = Path(page_of_book).name
        return name if name in {each.path.name for each in self.chapters} else _elsewhere(page_of_book)

    def _write_notebooks(self, folder: Path) -> None:
        for name, made in (("student", student_notebook), ("solutions", solved_notebook)):
            (folder / name).mkdir()
            for chapter in self.chapters:
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
        for chapter in self.chapters:
            number = chapter_number(f"notebooks/{chapter.name}")
            title = f"Chapter {number}: {chapter.title}" if number else chapter.title
            written[chapter.name] = (title, chapter_slides(chapter, plains[chapter.number]))
        for name, (title, slides) in written.items():
            text = deck(title, slides, pictures, moving, self.course)
            (folder / "slides" / f"{name}.html").write_text(text, encoding="utf-8")
        return {name: {"title": title, "slides": len(slides)} for name, (title, slides) in written.items()}

    def _moving(self) -> dict[str, str]:
        """The figures that move, by name, as HTML."""
        found = {}
        for chapter in self.chapters:
            for part in parts_of(json.loads(chapter.text)["cells"], chapter.name):
                if part.is_directive("moving") and isinstance(part.content, Directive):
                    options = {name.replace("-", "_"): value for name, value in part.content.options.items()}
                    name = part.content.argument
                    _, constants = settled(name, options.pop("title", None), options)
                    found[name] = f"{opening(name, f'moving-{name}', constants)}</div></div>"
        return found

    def _write_pages(self, folder: Path) -> dict[str, str]:
        """The run sheets, quizzes and projects of the course, where the book has them."""
        folder.mkdir()
        written = {}
        for path in sorted(book_file("course").glob("*.md")):
            text = Plain(f"book/course/{path.name}", _from_lectures(self.chapters)).text(path.read_text(encoding="utf-8"))
            title = text.partition("\n")[0].lstrip("# ")
            (folder / f"{path.stem}.html").write_text(page(title, to_html(text)), encoding="utf-8")
            written[f"{path.stem}.html"] = title
        return written

    def _write_style(self, folder: Path) -> None:
        static = Path(__file__).with_name("static")
        folder.mkdir()
        for name in ("kit.css", "slides.css", "slides.js"):
            shutil.copy(static / name, folder)
        for name in REVEAL:
            (folder / "reveal" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(reveal_folder() / name, folder / "reveal" / name)
        shutil.copy(book_file(f"_static/{FONT}"), folder)
        (folder / "math.css").write_text(_math_style(), encoding="utf-8")
        (folder / "code.css").write_text(_code_style(), encoding="utf-8")
        (folder / MOVING).mkdir()
        for path in sorted(book_file(f"_static/{MOVING}").iterdir()):
            text = path.read_text(encoding="utf-8")
            (folder / MOVING / path.name).write_text(without_comments(text) if path.suffix == ".js" else text, encoding="utf-8")

    def _write_list_of_figures(self, folder: Path, shown: dict[str, str]) -> None:
        parts = []
        for each in self._figures:
            kinds = [suffix for suffix in ("svg", "pdf", "png") if (folder / f"{each.label}.{suffix}").exists()]
            links = ", ".join(f'<a href="{each.label}.{suffix}">{each.label}.{suffix}</a>' for suffix in kinds)
            parts.append(
                f'<figure id="{each.label}"><img src="{shown[each.label]}" alt="{escape(each.alt)}" loading="lazy">'
                f"<figcaption><strong>Fig. {each.number}.</strong> {to_line(each.caption)}<br>{links}<br>"
                f'<span class="about">Alternative text: {escape(each.alt)}</span></figcaption></figure>\n'
            )
        about = "Named by their label in the notebooks. Give the alternative text to who cannot see the picture."
        body = f"<h1>Figures</h1>\n<p>{about}</p>\n{''.join(parts)}"
        (folder / "index.html").write_text(page("Figures", body), encoding="utf-8")

    # --- what it says of itself ---------------------------------------------------------------------------------------

    def _summary(
        self, slides: dict[str, Any], figures: dict[str, str], tables: dict[str, str], pages: dict[str, str]
    ) -> dict[str, Any]:
        return {
            "kit": self.course.title,
            "term": self.course.term,
            "chapters": [{"chapter": each.name, "title": each.title} for each in self.chapters],
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

    def _index(self, summary: dict[str, Any]) -> str:
        def links(folder: str, names: dict[str, str]) -> str:
            return "".join(f'<li><a href="{folder}/{name}">{to_line(words)}</a></li>\n' for name, words in names.items())

        notebooks = {each.path.name: self._named(each) for each in self.chapters}
        decks = {
            f"{name}.html": f"{about['title']}, {about['slides']} slides" for name, about in summary["slides"].items()
        }
        tables = {name: f"{name}: {words}" for name, words in summary["data"].items()}
        term = f'<p class="about">{escape(self.course.term)}</p>\n' if self.course.term else ""
        parts = [
            f"<h1>{escape(self.course.title)}</h1>\n{term}",
            "<p>Everything here works without a network. Start a slide show and press <kbd>S</kbd> for the speaker's "
            "view, <kbd>F</kbd> for the full screen, <kbd>Esc</kbd> for all slides at a glance; add "
            "<code>?print-pdf</code> to its address to print it.</p>\n",
            f"<h2>Slides</h2>\n<ul>\n{links('slides', decks)}</ul>\n",
        ]
        if summary["lectures"]:
            parts.append(f"<h2>For the teacher</h2>\n<ul>\n{links('lectures', summary['lectures'])}</ul>\n")
        parts += [
            f"<h2>Notebooks for students, without solutions</h2>\n<ul>\n{links('student', notebooks)}</ul>\n",
            f"<h2>Notebooks with solutions</h2>\n<ul>\n{links('solutions', notebooks)}</ul>\n",
            f"<h2>Handouts</h2>\n<ul>\n{links('handouts', HANDOUTS)}</ul>\n",
            f'<h2>Figures</h2>\n<p><a href="figures/index.html">{len(summary["figures"])} figures</a>, with captions and '
            "alternative texts.</p>\n",
            f"<h2>Data</h2>\n<ul>\n{links('data', tables)}</ul>\n"
            '<p>Training runs of our own; <a href="data/passport.html">how they were made</a>. The tables are under '
            "CC BY 4.0, as are the text and the figures of this kit; code is under the BSD 3-Clause licence, and "
            '<a href="style/reveal/LICENSE">reveal.js</a> under the MIT licence.</p>\n',
        ]
        return page(self.course.title, "".join(parts), depth=0)

    def _named(self, chapter: Chapter) -> str:
        number = chapter_number(f"notebooks/{chapter.name}")
        return f"Chapter {number}: {chapter.title}" if number else chapter.title


def _elsewhere(page_of_book: str) -> str | None:
    return PLACES.get(page_of_book)


def _from_lectures(chapters: list[Chapter]) -> Callable[[str], str | None]:
    """Where a page is for who reads a run sheet: a chapter's slides, another sheet."""
    names = {f"notebooks/{each.path.name}": f"../slides/{each.name}.html" for each in chapters}

    def place(page_of_book: str) -> str | None:
        if page_of_book.startswith("book/course/") and page_of_book.endswith(".md"):
            return f"{Path(page_of_book).stem}.html"
        return names.get(page_of_book) or _elsewhere(page_of_book)

    return place


def _math_style() -> str:
    """The book's rules for formulas, with their font beside the sheet."""
    sheet = book_file("_static/book.css").read_text(encoding="utf-8")
    start = sheet.index("@font-face")
    end = sheet.index("\n", sheet.index("math { font-family"))
    return sheet[start:end].replace("formulas/", "") + "\n"


def _code_style() -> str:
    from pygments.formatters import HtmlFormatter

    return str(HtmlFormatter(style="friendly").get_style_defs(".source")) + "\n"
