"""A Sphinx extension: what the head of a page says and loads. The template here leaves out scripts of the theme."""

from __future__ import annotations

import html
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.config import Config

__all__ = ["complete", "setup"]

#: letters of a description, as search engines show it
WIDTH = 160
#: what screen readers stumble over: an empty corner of a table is no heading, and docutils gives roles that are no more
MENDED = {
    "<th></th>": "<td></td>",
    '<th class="head"><p></p></th>': "<td></td>",
    ' role="doc-biblioentry"': "",
    '<div role="list" class="citation-list">': '<div class="citation-list">',
}


def words_of(paragraph: nodes.Node) -> str:
    """The text of a paragraph, its formulas as the letters that are seen."""
    from docutils import nodes

    from .formulas import to_mathml

    parts = []
    for node in paragraph.findall(lambda node: isinstance(node, (nodes.Text, nodes.math))):
        if isinstance(node, nodes.math):
            parts.append(html.unescape(re.sub("<[^>]+>", "", to_mathml(node.astext()))))
        elif not isinstance(node.parent, nodes.math):
            parts.append(str(node))
    return " ".join("".join(parts).split())


def complete(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Mend the markup of a page, and give the template its first paragraph, shortened, as its description."""
    from docutils import nodes

    for flaw, mended in MENDED.items():
        context["body"] = context.get("body", "").replace(flaw, mended)
    first = next(doctree.findall(nodes.paragraph), None) if doctree is not None else None
    context["description"] = textwrap.shorten(words_of(first), WIDTH, placeholder=" …") if first is not None else ""


def add_template(app: Sphinx, config: Config) -> None:
    """Let Sphinx find the template, from any folder of pages."""
    config.templates_path.insert(0, str(Path(__file__).with_name("templates")))  # before those of the theme


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("config-inited", add_template)
    app.connect("html-page-context", complete)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
