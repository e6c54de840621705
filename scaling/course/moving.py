"""Figures that move, as slides have them: live on a screen, and in print the still that the page of the book has."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape

from ..book.chapters import Chapter
from ..book.moving import drawn, opening, settled
from .directives import Directive
from .figures import Figure
from .pages import to_html
from .plain import Plain
from .strip import parts_of

__all__ = ["moving_figures"]

#: the figures between whose cases one moves
_SHOWN = re.compile(r"\{numref\}`([\w-]+)`")


def moving_figures(chapter: Chapter, plain: Plain, figures: Mapping[str, Figure]) -> dict[str, str]:
    """The figures of a chapter that move, as HTML by chapter and name; ``figures`` are those that do not, by label."""
    found = {}
    for part in parts_of(json.loads(chapter.text)["cells"], chapter.name):
        if part.is_directive("moving") and isinstance(part.content, Directive):
            name = part.content.argument
            options = {key.replace("-", "_"): value for key, value in part.content.options.items()}
            title = options.pop("title", None)
            module, constants = settled(name, title, options)
            still = drawn(*module.picture(**options)) if hasattr(module, "picture") else ""
            shown = [figures[label] for label in _SHOWN.findall(part.content.body)]
            pictures = "".join(f'<img data-figure="{each.label}" alt="{escape(each.alt)}">' for each in shown)
            still += f'<div class="stills">{pictures}</div>' if pictures else ""
            words = plain.text(part.content.body) or (module.still(**options) if hasattr(module, "still") else "")
            block = f"{opening(name, f'moving-{name}', constants)}{still}{to_html(words)}</div></div>"
            found[f"{chapter.name}/{name}"] = block
    return found
