"""Plain Markdown as pages that need no network: formulas as MathML, code in colours, one sheet of style."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from typing import Any

from ..book.formulas import to_mathml

__all__ = ["highlighted", "page", "to_html", "to_line"]

_TAG = re.compile(r"\\tag\{([^}]*)\}")
_STOPPED = re.compile(r'(<span class="math inline">(?:(?!</span>).)*</span>)([.,;:!?)]+)', re.DOTALL)


def to_html(markdown: str) -> str:
    """Plain Markdown as HTML."""
    return _together(_parser().render(markdown))


def to_line(markdown: str) -> str:
    """One line of Markdown as HTML, without a paragraph around it."""
    return _together(_parser().renderInline(" ".join(markdown.split())))


def formula(tex: str, display: bool) -> str:
    """A formula with its number, or its LaTeX where it cannot be set."""
    from math_core import LatexError

    number = _TAG.search(tex)
    bare = _TAG.sub("", tex).strip()
    try:
        shown = to_mathml(bare, display)
    except LatexError:
        shown = f"<code>{escape(bare)}</code>"
    if not display:
        return shown
    return f'<div class="formula">{shown}{f"<span>({number[1]})</span>" if number else ""}</div>'


def highlighted(code: str, language: str = "python") -> str:
    """Code in colours, which the style sheet knows."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    shown = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return f'<pre class="source"><code>{shown.strip()}</code></pre>\n'


def page(title: str, body: str, depth: int = 1) -> str:
    """A whole page around a body; ``depth`` is how many folders it lies below the kit."""
    up = "../" * depth
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="stylesheet" href="{up}style/kit.css">\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n'
    )


def _together(html: str) -> str:
    """No line may end between a formula and the point or comma after it."""
    return _STOPPED.sub(r'<span class="together">\1\2</span>', html)


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.amsmath import amsmath_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def shown(content: str, options: dict[str, Any]) -> str:
        return formula(content, options["display_mode"])

    def coloured(code: str, language: str, _: str) -> str:
        return highlighted(code, language or "text")

    parser = MarkdownIt("commonmark", {"html": True, "highlight": coloured, "typographer": True})
    parser.enable(["table", "smartquotes", "replacements"])
    parser.use(dollarmath_plugin, renderer=shown, allow_digits=True)
    parser.use(amsmath_plugin, renderer=lambda tex: formula(tex, display=True))
    return parser
