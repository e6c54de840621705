"""A Sphinx extension: formulas as MathML, which browsers set by themselves and screen readers read, without a script.

They are converted when the pages are written; one that cannot be is a warning, with which a strict build ends.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes
    from math_core import LatexToMathML
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

__all__ = ["keep_signs", "setup", "to_mathml"]

#: what belongs to the formula after it, and to the one before it
_OPENING, _CLOSING = re.compile(r"[(\[“‘]*$"), re.compile(r"^[)\].,;:!?”’%]*")

#: brackets of a given size, of which a closing one before an exponent is set small
_SIZED = re.compile(r"\\(?:bigg?|Bigg?)([lr])(?![a-zA-Z])")


@cache
def _converter() -> LatexToMathML:
    from math_core import LatexToMathML

    return LatexToMathML(fancy_error=False)


def to_mathml(tex: str, display: bool = False) -> str:
    r"""LaTeX as MathML; lines that ``\\`` divides or ``&`` aligns need no environment around them.

    Raises
    ------
    math_core.LatexError
        If it is not LaTeX that can be converted.

    Examples
    --------
    >>> to_mathml(r"N^\alpha")
    '<math><msup><mi>N</mi><mi>α</mi></msup></math>'
    """
    sized = [found[1] for found in _SIZED.finditer(tex)]
    if sized.count("l") == sized.count("r") and r"\\" not in tex and "&" not in tex:
        tex = _SIZED.sub(lambda found: r"\left" if found[1] == "l" else r"\right", tex)
    parts = [part for part in tex.split("\n\n") if part.strip()]
    lines = r"\\".join(parts)
    if display and (r"\\" in lines or "&" in lines) and r"\begin{" not in lines:
        lines = rf"\begin{{aligned}}{lines}\end{{aligned}}"
    return _converter().convert_with_local_state(lines, displaystyle=display)


def _set(node: nodes.Node, display: bool) -> str:
    """The MathML of a formula, or its LaTeX with a warning."""
    from html import escape

    from math_core import LatexError
    from sphinx.util import logging

    try:
        return to_mathml(node.astext(), display)
    except LatexError as error:
        logging.getLogger(__name__).warning("formula not understood: %s in %s", error, node.astext(), location=node)
        return f"<code>{escape(node.astext())}</code>"


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """A formula in a line."""
    from docutils.nodes import SkipNode

    self.body.append(f'<span class="math notranslate">{_set(node, display=False)}</span>')
    raise SkipNode


def visit_displaymath(self: HTML5Translator, node: nodes.math_block) -> None:
    """A formula on lines of its own, with its number."""
    from docutils.nodes import SkipNode
    from sphinx.util.math import get_node_equation_number

    self.body.append(self.starttag(node, "div", CLASS="math notranslate"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(f"{_set(node, display=True)}</div>\n")
    raise SkipNode


def keep_signs(document: nodes.document) -> None:
    """Keep a bracket or a comma in the line of its formula: browsers would break between the two."""
    from docutils import nodes

    for formula in list(document.findall(nodes.math)):
        parent = formula.parent
        place = parent.index(formula)
        before, after = (parent[k] if 0 <= k < len(parent) else nodes.Text("") for k in (place - 1, place + 1))
        opening = _OPENING.findall(before.astext())[0] if isinstance(before, nodes.Text) else ""
        closing = _CLOSING.findall(after.astext())[0] if isinstance(after, nodes.Text) else ""
        if opening or closing:
            together = nodes.inline("", "", nodes.Text(opening), formula.deepcopy(), nodes.Text(closing))
            together["classes"].append("unbroken")
            parent.replace(formula, together)
        if opening:
            parent.replace(before, nodes.Text(before.astext().removesuffix(opening)))
        if closing:
            parent.replace(after, nodes.Text(after.astext().removeprefix(closing)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Offer the renderer; ``html_math_renderer: mathml`` chooses it."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    app.connect("doctree-resolved", lambda app, document, name: keep_signs(document))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
