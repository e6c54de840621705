"""What the book's pages are called, and the number of every figure, equation and exercise in it."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..book.chapters import is_caption
from ..book.numbering import chapter_number
from ..sources.files import book_file, chapter_files

__all__ = ["Labels", "labels"]

_EQUATION, _FIGURE = "equation", "figure"
#: an equation, and an exercise or a figure with its label among its options
_NUMBERED = re.compile(
    r"^\$\$[ \t]*\((?P<equation>[\w-]+)\)[ \t]*$"
    r"|^(?:`{3,}|:{3,})\{(?P<kind>figure|exercise)\}.*\n"
    r"(?:(?!:(?:label|name):):.*\n)*:(?:label|name):[ \t]*(?P<label>[\w-]+)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Labels:
    """Titles by page, such as ``notebooks/06_isoflop.ipynb``; by label, the number, such as ``6.2``, and the page."""

    titles: dict[str, str]
    numbers: dict[str, str]
    homes: dict[str, str]

    def title_of(self, page: str) -> str:
        """The title of a page; of one that an installed package lacks, what its name says."""
        return self.titles.get(page) or Path(page).stem.replace("_", " ").capitalize()


@cache
def labels() -> Labels:
    """The labels of the whole book, from its chapters and pages."""
    titles: dict[str, str] = {}
    numbers: dict[str, str] = {}
    homes: dict[str, str] = {}
    replications = [chapter_files()[0].parent / "replications"]
    notebooks = [*chapter_files(), *(path for folder in replications for path in sorted(folder.glob("*.ipynb")))]
    for path in notebooks:
        folder = "notebooks/replications" if path.parent in replications else "notebooks"
        page, notebook = f"{folder}/{path.name}", json.loads(path.read_text(encoding="utf-8"))
        titles[page] = _heading("".join(notebook["cells"][0]["source"]))
        found = _numbers(notebook["cells"], chapter_number(f"{folder}/{path.stem}"))
        numbers |= found
        homes |= dict.fromkeys(found, page)
    for path in sorted(book_file(".").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        titles[f"book/{path.name}"] = _heading(text)
        found = _numbers([{"cell_type": "markdown", "metadata": {}, "source": text}], None)
        numbers |= found
        homes |= dict.fromkeys(found, f"book/{path.name}")
    return Labels(titles, numbers, homes)


def _heading(text: str) -> str:
    found = re.search(r"^# +(.+)$", text, flags=re.MULTILINE)
    return found[1] if found else ""


def _numbers(cells: list[dict[str, Any]], chapter: int | None) -> dict[str, str]:
    """Counted as Sphinx counts them: each kind by itself, from one in every chapter."""
    counted: Counter[str] = Counter()
    found = {}
    prefix = "" if chapter is None else f"{chapter}."
    for kind, label in (each for cell in cells for each in _numbered(cell)):
        counted[kind] += 1
        found[label] = f"{prefix}{counted[kind]}"
    return found


def _numbered(cell: dict[str, Any]) -> list[tuple[str, str]]:
    if cell["cell_type"] == "code":
        name = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")
        return [(_FIGURE, name)] if name else []
    if is_caption(cell):
        return []
    found = _NUMBERED.finditer("".join(cell["source"]))
    return [(_EQUATION, each["equation"]) if each["equation"] else (each["kind"], each["label"]) for each in found]
