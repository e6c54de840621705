"""The notebooks of a kit, in plain Markdown: a student's, with answers in the place of solutions, and the whole one."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from .. import __version__
from ..book.chapters import REPLICATIONS, Chapter
from .checks import checks
from .directives import Directive
from .plain import Plain
from .strip import SOLUTION, Answer, Part, ends_of_code, parts_of, without_solutions

__all__ = ["solved_notebook", "student_notebook"]

#: cells whose code a page does not show; a viewer that knows how folds it
FOLDED = ("remove-cell", "hide-input")
ANSWER, CHECK = "answer", "check"
#: what a page says of its hidden checks; in a notebook they are seen
UNSEEN = re.compile(r"This chapter runs \w+ checks? that the page does not show; open the notebook to read \w+\.")
#: what checks an answer; it prints a sentence, and never ends with an error
CHECKED = """from scaling.course.checks import check

check("{label}", globals())"""
FIRST = f"""*This notebook belongs to "Scaling laws, recomputed". It runs with the Python package `scaling`,
version {__version__}, which comes with the project's folder: `make environment` there makes all that is needed, and
`.venv/bin/jupyter lab` opens this file. In an environment of your own, `python -m pip install -e '.[book]'` in that
folder does the same. {{cells}}*"""
#: what is to be known of the cells of a chapter, and of those of a replication
ALONE = "No cell needs a network. Below the answer to a computation stands a cell that checks it."
DOWNLOADED = "Its cells download the runs that they read, once; what they gave is stored below them."


def student_notebook(chapter: Chapter, plain: Plain) -> dict[str, Any]:
    """The chapter without any line of a solution; an answer goes in the place of each."""
    cells = json.loads(chapter.text)["cells"]
    return _notebook(chapter, without_solutions(parts_of(cells, chapter.name)), plain)


def solved_notebook(chapter: Chapter, plain: Plain) -> dict[str, Any]:
    """The whole chapter, its solutions included."""
    return _notebook(chapter, parts_of(json.loads(chapter.text)["cells"], chapter.name), plain)


def _notebook(chapter: Chapter, parts: Iterator[Part | Answer], plain: Plain) -> dict[str, Any]:
    about = DOWNLOADED if chapter.place.startswith(REPLICATIONS) else ALONE
    cells: list[dict[str, Any]] = [_words(FIRST.format(cells=about), "the-package")]
    solving = ""
    given = list(parts)
    last = ends_of_code(part for part in given if isinstance(part, Part))
    for part in given:
        if isinstance(part, Answer):
            cells += [_answer(part), *_check(part.label)]
            continue
        if part.solves not in ("", solving) and not part.is_directive(SOLUTION):
            cells.append(_words(plain.directive(Directive(SOLUTION, part.solves)), f"solution-{part.solves}"))
        solving = part.solves
        if isinstance(part.content, Directive):
            cells.append(_words(plain.directive(part.content), f"{part.cell['id']}-{len(cells)}"))
        elif part.is_code:
            cells += _code(part.cell, plain)
            cells += _check(part.solves) if part.cell["id"] == last.get(part.solves) else []
        elif words := UNSEEN.sub("", plain.text(part.content)).strip():
            cells.append(_words(words, f"{part.cell['id']}-{len(cells)}"))
    if plain.cited:
        cells.append(_words(f"The papers cited here:\n\n{plain.reference_list()}", "the-papers"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _words(text: str, name: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name[-64:], "metadata": {}, "source": text.splitlines(keepends=True)}


def _answer(answer: Answer) -> dict[str, Any]:
    cell = _words("*Your answer:*", f"answer-{answer.label}")
    if answer.is_code:
        asked = checks()[answer.label].answer if answer.label in checks() else {}
        lines = "".join(f"\n{name} = ...  # {words}" for name, words in asked.items())
        cell |= _executed(f"# your answer{lines}")
    return cell | {"metadata": {"tags": [ANSWER]}}


def _check(label: str) -> list[dict[str, Any]]:
    """The cell that checks the answer to an exercise, if there is a check; an autograder finds it by its metadata."""
    if label not in checks():
        return []
    cell = _words("", f"check-{label}") | _executed(CHECKED.format(label=label))
    return [cell | {"metadata": {"tags": [CHECK], "otter": {"tests": [label]}}}]


def _executed(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": source.splitlines(keepends=True), "execution_count": None, "outputs": []}


def _code(cell: dict[str, Any], plain: Plain) -> list[dict[str, Any]]:
    """A cell of code and, below its figure, the caption."""
    cell = copy.deepcopy(cell)
    told = cell["metadata"]
    tags, figure = told.get("tags", []), told.get("mystnb", {}).get("figure")
    cell["metadata"] = {name: told[name] for name in ("tags", "jupyter") if name in told}
    if set(tags) & set(FOLDED):
        cell["metadata"]["jupyter"] = {"source_hidden": True}
    if figure is None:
        return [cell]
    return [cell, _words(plain.caption(figure["name"], figure["caption"]), f"{figure['name']}-caption")]
