"""A chapter as a lecturer goes through it: sections of sentences, formulas, tables, figures and questions, in order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

from ..book.chapters import Chapter
from .directives import Directive
from .labels import labels
from .plain import Plain
from .strip import EXERCISE, Part, parts_of

__all__ = ["Item", "Question", "Section", "sections_of", "sentences"]

#: kinds of items
PROSE, FORMULA, LIST, TABLE, CODE, OUTPUT, FIGURE, MOVING = (
    "prose",
    "formula",
    "list",
    "table",
    "code",
    "output",
    "figure",
    "moving",
)
#: what a cell's `slideshow.slide_type` may ask for, as in Jupyter: to be left out, or to be said and not shown
SKIP, NOTES = "skip", "notes"
#: cells without a slide: what a page hides, and where a reader sets numbers
UNSHOWN = ("remove-cell", "parameters")
_BLOCKS = {"paragraph_open": PROSE, "bullet_list_open": LIST, "ordered_list_open": LIST, "table_open": TABLE}
_END = re.compile(
    r"(?<!et al\.)(?<!Fig\.)(?<!cf\.)(?<!e\.g\.)(?<!i\.e\.)(?<!\b[A-Z]\.)(?<=[.!?])(?P<closing>[)\"”*]{0,3})\s+"
    r"(?=[\"“(*`$\[]{0,3}[A-Z$*`\d])"
)
#: lines of text, and rows of a table, that a slide can show
LINES, ROWS = 14, 8


@dataclass(frozen=True)
class Item:
    """One thing of a section: its kind and content, as plain Markdown, code, HTML or a picture.

    Of a figure that moves the content is its chapter, and the label its name.
    """

    kind: str
    content: str
    label: str = ""
    caption: str = ""
    alt: str = ""
    quiet: bool = False  # to be said, not shown


@dataclass(frozen=True)
class Question:
    """An exercise with its answer, both as plain Markdown."""

    label: str
    title: str
    words: str
    answer: str

    @property
    def number(self) -> str:
        """Such as ``6.3``."""
        return labels().numbers.get(self.label, "")


@dataclass
class Section:
    """What stands below one heading and above the next; the opening of a chapter has the chapter's title."""

    title: str
    items: list[Item] = field(default_factory=list)


def sections_of(chapter: Chapter, plain: Plain) -> tuple[list[Section], list[Question]]:
    """The sections of a chapter, its opening first, and its exercises."""
    cells = json.loads(chapter.text)["cells"]
    for before, cell in pairwise(cells):
        if "parameters" in cell["metadata"].get("tags", []) and "slideshow" not in before["metadata"]:
            before["metadata"]["slideshow"] = {"slide_type": NOTES}  # it tells what the numbers in the cell are
    parts = list(parts_of(cells, chapter.name))
    sections = [Section(chapter.title)]
    for part in parts:
        if part.solves or part.is_directive(EXERCISE) or _asked(part.cell) == SKIP:
            continue
        for item in _items(part, plain, chapter.name):
            if isinstance(item, Section):
                sections.append(item)
            else:
                sections[-1].items.append(item)
    return sections, _questions(parts, plain)


def sentences(markdown: str) -> list[str]:
    """The sentences of a paragraph.

    Examples
    --------
    >>> sentences("Kaplan et al. find 0.73. Why? By Fig. 2.1 it is $0.5$.")
    ['Kaplan et al. find 0.73.', 'Why?', 'By Fig. 2.1 it is $0.5$.']
    """
    return _END.sub(r"\g<closing>\n", " ".join(markdown.split())).splitlines()


def _asked(cell: dict[str, Any]) -> str:
    return str(cell["metadata"].get("slideshow", {}).get("slide_type", ""))


def _items(part: Part, plain: Plain, chapter: str) -> Iterator[Item | Section]:
    quiet = _asked(part.cell) == NOTES
    if part.is_directive("moving"):
        yield Item(MOVING, chapter, label=part.content.argument)  # type: ignore[union-attr]
    elif isinstance(part.content, Directive):
        yield Item(PROSE, plain.directive(part.content), quiet=quiet)
    elif part.is_code:
        yield from _of_code(part.cell, plain)
    else:
        yield from _of_text(plain.text(part.content), quiet)


def _of_text(text: str, quiet: bool) -> Iterator[Item | Section]:
    lines = text.splitlines()
    tokens = _parser().parse(text)
    for at, token in enumerate(tokens):
        if token.level:
            continue
        if token.type == "heading_open":
            title = tokens[at + 1].content
            if token.tag != "h1":
                yield Section(title)
        elif token.type in _BLOCKS:
            yield Item(_BLOCKS[token.type], "\n".join(lines[slice(*token.map)]), quiet=quiet)
        elif token.type in ("math_block", "amsmath"):
            yield Item(FORMULA, token.content.strip(), quiet=quiet)
        elif token.map and token.type in ("blockquote_open", "fence"):
            yield Item(PROSE, "\n".join(lines[slice(*token.map)]), quiet=True)


def _of_code(cell: dict[str, Any], plain: Plain) -> Iterator[Item]:
    tags = cell["metadata"].get("tags", [])
    if set(tags) & set(UNSHOWN):
        return
    source = "".join(cell["source"])
    if "hide-input" not in tags:
        yield Item(CODE, source)
    figure = cell["metadata"].get("mystnb", {})
    for output in cell["outputs"]:
        data = output.get("data", {})
        if "image/png" in data:
            named = figure.get("figure", {})
            label, alt = named.get("name", ""), figure.get("image", {}).get("alt", "")
            yield Item(FIGURE, "".join(data["image/png"]), label, plain.text(named.get("caption", "")), alt)
        elif "text/html" in data:
            yield Item(OUTPUT, _table("".join(data["text/html"])))
        elif "text/markdown" in data:
            made = _of_text(plain.text("".join(data["text/markdown"])), quiet=False)
            yield from (item for item in made if isinstance(item, Item))
        elif "text/latex" in data:
            yield Item(FORMULA, "".join(data["text/latex"]).strip().strip("$").removeprefix(r"\displaystyle"))
        else:
            yield Item(OUTPUT, _printed("".join(data.get("text/plain", output.get("text", "")))))


def _table(html: str) -> str:
    """A table without the style that pandas writes into it, and without the rows that no slide can hold."""
    if (parts := html.count("<details")) > LINES:
        return f"<p>{parts} tables, on the page of the chapter.</p>"
    html = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    return re.sub(r"<tbody>(.*?)</tbody>", _shortened, html, flags=re.DOTALL)


def _shortened(body: re.Match[str]) -> str:
    rows = re.findall(r"<tr.*?</tr>", body[1], flags=re.DOTALL)
    if len(rows) <= ROWS + 1:
        return body[0]
    more = f'<tr><td colspan="{rows[0].count("<t") - 1}">and {len(rows) - ROWS} more rows</td></tr>'
    return f"<tbody>{''.join(rows[:ROWS])}{more}</tbody>"


def _printed(text: str) -> str:
    from html import escape

    lines = text.rstrip().splitlines()
    more = [f"… and {len(lines) - LINES} more lines"] if len(lines) > LINES else []
    return f"<pre>{escape(chr(10).join(lines[:LINES] + more))}</pre>"


def _questions(parts: list[Part], plain: Plain) -> list[Question]:
    answers: dict[str, list[str]] = {}
    for part in parts:
        if not part.solves or part.is_code:
            continue
        words = part.content.body if isinstance(part.content, Directive) else part.content
        answers.setdefault(part.solves, []).append(plain.text(words))
    found = []
    for part in parts:
        if part.is_directive(EXERCISE):
            asked: Directive = part.content  # type: ignore[assignment]
            label = asked.options.get("label", "")
            words = "\n\n".join(answers.get(label, []))
            found.append(Question(label, plain.text(asked.argument), plain.text(asked.body), words))
    return found


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.amsmath import amsmath_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    parser = MarkdownIt("commonmark").enable("table")
    return parser.use(dollarmath_plugin, allow_digits=True).use(amsmath_plugin)
