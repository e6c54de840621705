"""The figures of chapters as files: vectors, drawn anew by their cells, or the pictures that the notebooks store."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..book.chapters import DONE, Chapter, executing
from ..errors import PagesError
from .labels import labels
from .pages import page, to_line
from .plain import Plain

__all__ = ["Figure", "figures_of", "write_figures", "write_list"]

#: a cell before all others, by which figures come as vectors, the same at each time
VECTORS = """\
import os
import matplotlib
from matplotlib_inline.backend_inline import set_matplotlib_formats
os.environ["SOURCE_DATE_EPOCH"] = "0"
matplotlib.rcParams["svg.hashsalt"] = "scaling"
set_matplotlib_formats("svg", "pdf")
"""
SVG, PDF, PNG = "image/svg+xml", "application/pdf", "image/png"


@dataclass(frozen=True)
class Figure:
    """A figure of a chapter, as its notebook has it."""

    label: str
    chapter: str
    caption: str
    alt: str
    png: str

    @property
    def number(self) -> str:
        """Such as ``6.2``."""
        return labels().numbers[self.label]


def figures_of(chapter: Chapter, plain: Plain) -> list[Figure]:
    """The figures of a chapter that have a label, which all have."""
    return [
        Figure(
            about["figure"]["name"],
            chapter.name,
            plain.text(about["figure"]["caption"]),
            about.get("image", {}).get("alt", ""),
            data[PNG],
        )
        for about, data in _drawn(json.loads(chapter.text)["cells"])
    ]


def write_figures(figures: Iterable[Figure], chapters: list[Chapter], folder: Path, workers: int) -> dict[str, str]:
    """Write the figures as SVG and PDF, by executing their chapters; the file that a slide shows, by label.

    With ``workers`` 0 nothing is executed, and the stored pictures are written as they are.
    """
    folder.mkdir()
    vectors = dict(_vectors(chapters, workers)) if workers else {}
    shown = {}
    for figure in figures:
        place = folder / figure.label
        if figure.label in vectors:
            data = vectors[figure.label]
            place.with_suffix(".pdf").write_bytes(base64.b64decode(data[PDF]))
            place.with_suffix(".svg").write_text("".join(data[SVG]), encoding="utf-8")
        else:
            place.with_suffix(".png").write_bytes(base64.b64decode("".join(figure.png)))
        shown[figure.label] = f"{figure.label}.{'svg' if figure.label in vectors else 'png'}"
    return shown


def write_list(folder: Path, figures: Iterable[Figure], shown: dict[str, str]) -> None:
    """Write the list of the figures of a folder, with their captions and alternative texts."""
    parts = []
    for each in figures:
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


def _vectors(chapters: list[Chapter], workers: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the cells draw, by label."""
    jobs: dict[Chapter, tuple[Any, ...]] = {chapter: (_with_vectors(chapter.text), {}, {}) for chapter in chapters}
    bar = tqdm(total=len(jobs), disable=None, unit="chapter", file=sys.stderr)
    with bar, executing(jobs, workers) as outcomes:
        for chapter, outcome in outcomes:
            if outcome.kind != DONE:
                raise PagesError(
                    f"the figures of {chapter.name} could not be drawn: its code cell {outcome.cell} ended with "
                    f"{outcome.error}: {outcome.message}\n--stored takes the pictures that the notebook holds"
                )
            bar.update()
            for about, data in _drawn(json.loads(outcome.notebook)["cells"]):
                yield about["figure"]["name"], data


def _with_vectors(text: str) -> str:
    notebook = json.loads(text)
    first = {"cell_type": "code", "id": "vectors", "metadata": {}, "source": VECTORS, "outputs": []}
    notebook["cells"].insert(0, first | {"execution_count": None})
    return json.dumps(notebook)


def _drawn(cells: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What is said of each figure, and its pictures by kind."""
    for cell in cells:
        about = cell["metadata"].get("mystnb", {})
        if "figure" in about:
            data = [output["data"] for output in cell["outputs"] if {SVG, PNG} & set(output.get("data", {}))]
            yield from ((about, each) for each in data[:1])
