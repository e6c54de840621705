"""Figures that move: the Sphinx directive ``moving``, and the constants that each figure starts from.

A page says::

    :::{moving} budget
    :law: besiroglu2024
    :title: Your budget, and the size that suits it

    What stands here is the still: it is shown until the figure is built, without JavaScript, and in print.
    :::

The figure ``budget`` consists of the script ``book/_static/moving/budget.js`` and of the module
``scaling.book.moving.budget`` (``two-laws``: ``two_laws``), which has

- ``TITLE``, which the option ``title`` replaces;
- ``constants(**options)``: what the script needs, as a dictionary for JSON, from the directive's options as words.
  No constant of a paper is typed in a script. The option ``file`` is a path beside the page;
- perhaps ``still(**options)``: Markdown that stands where the directive has no content;
- perhaps ``picture(**options)``: a figure of Matplotlib and its alternative text, which stands above either.

``core.js`` and a figure's script are loaded by the pages that have the figure, by no others. The scripts lie in
``book/_static``, which both the whole book and the small book of ``scaling rerun`` take as their folder of static
files, and which an installed package carries.
"""

from __future__ import annotations

import importlib
import inspect
import io
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx

from ..._words import to_json

__all__ = ["drawn", "opening", "settled", "setup", "without_comments"]

_COMMENT = re.compile(r"^\s*//[^\n]*\n|^\s*/\*(?:[^*]|\*(?!/))*\*/\n", re.MULTILINE)
_INDENT = re.compile(r"^[ ]+", re.MULTILINE)
#: options that the directive itself reads
TITLE, FILE = "title", "file"


class Moving(nodes.General, nodes.Element):  # type: ignore[misc]  # docutils has no types
    """A figure that moves, around its still."""


class _AnyOption(dict[str, Any]):
    """Options are judged by the figure's own function, which knows them; here each is taken as it is."""

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, name: str) -> Any:
        return directives.unchanged


class MovingDirective(Directive):  # type: ignore[misc]
    """``moving``, with the name of a figure."""

    required_arguments = 1
    has_content = True
    option_spec = _AnyOption()

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        document = self.state.document
        given = {key.replace("-", "_"): value or "" for key, value in self.options.items()}
        title = given.pop(TITLE, None)
        if FILE in given:
            given[FILE] = str(Path(document["source"]).parent / given[FILE])
            document.settings.record_dependencies.add(given[FILE])
        try:
            figure, constants = settled(name, title, given)
        except (ImportError, TypeError, ValueError, OSError) as error:
            raise self.error(f"the moving figure {name!r} cannot be placed: {error}") from error
        number = sum(each["figure"] == name for each in document.findall(Moving))
        moving = Moving(figure=name, constants=constants, name=f"moving-{name}" + (f"-{number + 1}" if number else ""))
        if hasattr(figure, "picture"):
            moving += nodes.raw("", drawn(*figure.picture(**given)), format="html")
        content = self.content
        if not content and hasattr(figure, "still"):
            content = StringList(figure.still(**given).splitlines(), source=name)
        self.state.nested_parse(content, self.content_offset, moving)
        return [moving]


def settled(name: str, title: str | None, given: dict[str, str]) -> tuple[ModuleType, str]:
    """The module of a figure, and as JSON what its script needs, for these options of the directive."""
    figure = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    inspect.signature(figure.constants).bind(**given)
    return figure, to_json({TITLE: title or figure.TITLE, **figure.constants(**given)})


def opening(figure: str, name: str, constants: str) -> str:
    """The HTML before the still of a figure, which two ends of a ``div`` close."""
    # an angle bracket could end the script early
    told = json.dumps(json.loads(constants), ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    script = f'<script type="application/json">{told}</script>'
    return f'<div class="moving" id="{name}" data-figure="{figure}">{script}<div class="moving-still">'


def drawn(picture: Any, words: str) -> str:
    """A figure of Matplotlib as HTML with its SVG, with letters as letters, the same at each build."""
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "moving"}):
        picture.savefig(stream, format="svg", metadata={"Date": None}, bbox_inches="tight")
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{nodes.Text(words)}" ', 1)
    return f'<div class="moving-picture">{svg}</div>'


def _open(writer: Any, node: Moving) -> None:
    writer.body.append(opening(node["figure"], node["name"], node["constants"]))


def _close(writer: Any, node: Moving) -> None:
    writer.body.append("</div></div>\n")


def _nothing(writer: Any, node: Moving) -> None:
    """Writers of other formats show the still alone."""


def _add_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load what the page's figures need, and nothing on pages without one."""
    names = dict.fromkeys(each["figure"] for each in doctree.findall(Moving)) if doctree is not None else {}
    if names:
        app.add_css_file("moving/moving.css")
    for name in ("core", *names) if names else ():
        app.add_js_file(f"moving/{name}.js", loading_method="defer")


def without_comments(script: str) -> str:
    """A script without the lines that are comments, and without indents; a reader of the page loads these."""
    return _INDENT.sub("", _COMMENT.sub("", script))


def _lighten(app: Sphinx, error: Exception | None) -> None:
    """Take the comments from the scripts that the pages load."""
    if error is None and app.builder.format == "html":
        for path in sorted((Path(app.outdir) / "_static" / "moving").glob("*.js")):
            path.write_text(without_comments(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive with Sphinx."""
    still = (_nothing, _nothing)
    app.add_node(Moving, html=(_open, _close), latex=still, text=still, man=still, texinfo=still)
    app.add_directive("moving", MovingDirective)
    app.connect("html-page-context", _add_scripts)
    app.connect("build-finished", _lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
