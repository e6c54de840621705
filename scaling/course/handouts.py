"""What is handed out on paper: the formulas on one page, the notation, and the errata as a quiz."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from ..errors import PagesError
from ..sources.files import book_file, chapter_files
from .labels import labels
from .pages import page, to_html, to_line
from .plain import Plain

__all__ = ["HANDOUTS", "write_handouts"]

#: the pages, and what they are called
HANDOUTS = {
    "formulas.html": "The formulas on one page",
    "notation.html": "Notation and units",
    "errata.html": "The errata as a quiz",
}
_EQUATION = re.compile(r"^\$\$[ \t]*\n((?:(?!\$\$).*\n)+?)\$\$[ \t]*\((?P<label>[\w-]+)\)[ \t]*$", re.MULTILINE)
_ENTRY = re.compile(r"^\*\*(?P<title>.+?)\*\*[ \t]*(?P<words>.+?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)


def write_handouts(folder: Path, place: Callable[[str], str | None]) -> None:
    """Write the pages; ``place`` says where a page of the book is for who reads them."""
    folder.mkdir()
    for name, words in (
        ("formulas.html", formula_sheet()),
        ("notation.html", _notation(place)),
        ("errata.html", errata_quiz(place)),
    ):
        (folder / name).write_text(words, encoding="utf-8")


def formula_sheet() -> str:
    """The equations of ``book/course/formulas.yml``, from the chapters, as a page of two columns."""
    found, parts = _equations(), []
    for group in _listed("formulas.yml"):
        for place, entry in enumerate(group["entries"]):
            label = entry["label"]
            if label not in found:
                raise PagesError(f"book/course/formulas.yml names the equation {label!r}, which no chapter has")
            heading = f"<h2>{escape(group['heading'])}</h2>" if place == 0 else ""
            words = f'<p><span class="number">({labels().numbers[label]})</span>{to_line(entry["words"])}</p>'
            parts.append(f'<div class="entry">{heading}{words}{to_html(f"$${chr(10)}{found[label]}{chr(10)}$$")}</div>')
    about = "Numbers of equations are those of the chapters."
    columns = f'<div class="columns">{"".join(parts)}</div>\n<p class="about">{about}</p>'
    body = f"<h1>Scaling laws: the formulas</h1>\n{columns}"
    return page("Scaling laws: the formulas", body).replace("<body>", '<body class="sheet">')


def errata_quiz(place: Callable[[str], str | None]) -> str:
    """Questions, each with the entry of the errata that answers it, closed until it is asked for."""
    plain = Plain("book/errata.md", place)
    text = book_file("errata.md").read_text(encoding="utf-8")
    entries = {" ".join(found["title"].split()): found["words"] for found in _ENTRY.finditer(text)}
    parts = []
    for number, question in enumerate(_listed("errata_quiz.yml"), start=1):
        title = question["entry"]
        if title not in entries:
            raise PagesError(f"book/course/errata_quiz.yml names the entry {title!r}, which errata.md does not have")
        answer = f"**{plain.text(title)}** {plain.text(entries[title])}"
        parts.append(
            f"<h2>{number}</h2>\n{to_html(question['ask'])}"
            f"<details><summary>What was found</summary>{to_html(answer)}</details>\n"
        )
    about = (
        "Each question rests on something that a paper, or who retold it, got wrong. Ask first, then open the answer."
    )
    return page("The errata as a quiz", f"<h1>The errata as a quiz</h1>\n<p>{about}</p>\n{''.join(parts)}")


def _notation(place: Callable[[str], str | None]) -> str:
    text = book_file("notation.md").read_text(encoding="utf-8")
    return page("Notation and units", to_html(Plain("book/notation.md", place).whole(text)))


def _equations() -> dict[str, str]:
    """Every equation with a label, as LaTeX."""
    found = {}
    for path in chapter_files():
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                for each in _EQUATION.finditer("".join(cell["source"])):
                    found[each["label"]] = each[1].strip().rstrip(".,").rstrip()
    return found


def _listed(name: str) -> list[dict[str, Any]]:
    import yaml

    return list(yaml.safe_load(book_file(f"course/{name}").read_text(encoding="utf-8")))
