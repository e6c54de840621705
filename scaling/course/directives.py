"""Markdown of the book, divided into its text and its directives, such as exercises and solutions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import PagesError

__all__ = ["Directive", "divide"]

_OPENING = re.compile(r"^ {0,3}(?P<fence>:{3,}|`{3,}|~{3,})[ \t]*\{(?P<name>[\w:.-]+)\}[ \t]*(?P<argument>.*)$")
_CODE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})")
_OPTION = re.compile(r"^:(?P<name>[\w-]+):[ \t]*(?P<value>.*)$")


@dataclass(frozen=True)
class Directive:
    """A block such as ``:::{exercise} One minute: why?``, its options apart from its words."""

    name: str
    argument: str = ""
    options: dict[str, str] = field(default_factory=dict)
    body: str = ""


def divide(text: str) -> list[str | Directive]:
    """The text between directives, and the directives, in their order; code that shows a directive is text.

    Raises
    ------
    scaling.errors.PagesError
        If a directive is not closed.

    Examples
    --------
    >>> divide("Why?\\n:::{solution} ex-why\\nSo that.\\n:::\\n")
    ['Why?', Directive(name='solution', argument='ex-why', options={}, body='So that.')]
    """
    parts: list[str | Directive] = []
    lines = iter(text.splitlines())
    words: list[str] = []
    for line in lines:
        if opening := _OPENING.match(line):
            if "".join(words).strip():
                parts.append("\n".join(words).strip("\n"))
            words = []
            inside = _until_closed(lines, opening["fence"], line)
            parts.append(_directive(opening["name"], opening["argument"].strip(), inside))
            continue
        words.append(line)
        if code := _CODE.match(line):
            words += [*_until_closed(lines, code["fence"], line), code["fence"]]
    if "".join(words).strip():
        parts.append("\n".join(words).strip("\n"))
    return parts


def _until_closed(lines: Iterator[str], fence: str, opening: str) -> list[str]:
    """The lines up to the end of a block, taken from those that are to come."""
    inside: list[str] = []
    for line in lines:
        bare = line.strip()
        if len(bare) >= len(fence) and set(bare) == {fence[0]}:
            return inside
        inside.append(line)
    raise PagesError(f"the block that {opening!r} begins is not closed by {fence!r} in the same cell")


def _directive(name: str, argument: str, inside: list[str]) -> Directive:
    options = {}
    while inside and (option := _OPTION.match(inside[0])):
        options[option["name"]] = option["value"].strip()
        inside = inside[1:]
    return Directive(name, argument, options, "\n".join(inside).strip("\n"))
