"""A Sphinx extension: the number of a chapter is the number of its file, in the whole book and in one of some chapters.

Sphinx counts what a table of contents lists, so that a book of chapters 5, 6 and 13 would number them 1, 2 and 3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["chapter_number", "setup"]


def chapter_number(page: str) -> int | None:
    """7 of ``notebooks/07_parametric_loss``; None for a page without a number, which the tour (00) is, too.

    Examples
    --------
    >>> chapter_number("notebooks/07_parametric_loss")
    7
    >>> chapter_number("notebooks/00_tour") is None
    True
    """
    found = re.fullmatch(r"notebooks/(\d\d)_\w+", page)
    return int(found[1]) or None if found else None


def number_chapters(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Number the titles of chapters, not their sections; then the figures and equations, 7.1, 7.2, ... in chapter 7."""
    from docutils import nodes
    from sphinx.environment.collectors.toctree import TocTreeCollector

    for page, contents in env.tocs.items():
        if (number := chapter_number(page)) is None:
            continue
        first, *others = contents.findall(nodes.reference)
        first["secnumber"] = env.titles[page]["secnumber"] = (number,)
        env.toc_secnumbers[page] = dict.fromkeys((each["anchorname"] for each in others), ())
        env.toc_secnumbers[page][first["anchorname"]] = (number,)
    return TocTreeCollector().assign_figure_numbers(env)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx, after its own counting."""
    app.connect("env-get-updated", number_chapters, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
