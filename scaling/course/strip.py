"""A chapter taken apart: what belongs to which exercise's solution, and what is left without the solutions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..book.chapters import is_caption
from ..errors import PagesError
from .directives import Directive, divide

__all__ = ["EXERCISE", "SOLUTION", "Answer", "Part", "ends_of_code", "parts_of", "without_solutions"]

#: a solution that is no block of its own: in a list, a quotation or another block
_HIDDEN = re.compile(r"^[\s>*+\-\d.)]*(?::{3,}|`{3,}|~{3,})[ \t]*\{solution", re.MULTILINE)
_SHOWN = re.compile(r"^ {0,3}(`{3,}|~{3,})(?![ \t]*\{).*?^ {0,3}\1[ \t]*$", re.MULTILINE | re.DOTALL)
EXERCISE, SOLUTION, BEGINS, ENDS = "exercise", "solution", "solution-start", "solution-end"


@dataclass(frozen=True)
class Part:
    """A piece of a chapter: text, a directive or the code of a cell; and the exercise whose solution it belongs to."""

    cell: dict[str, Any]
    content: str | Directive
    solves: str = ""

    @property
    def is_code(self) -> bool:
        """Whether it is a cell of code, with its outputs."""
        return bool(self.cell["cell_type"] == "code")

    def is_directive(self, name: str) -> bool:
        """Whether it is a directive of this name."""
        return isinstance(self.content, Directive) and self.content.name == name


@dataclass(frozen=True)
class Answer:
    """The place of a solution that was taken out: an answer goes there, as code where the solution is executed."""

    label: str
    is_code: bool


def parts_of(cells: list[dict[str, Any]], chapter: str) -> Iterator[Part]:
    """The pieces of a chapter in their order; captions, which figures have, and marks around solutions are left out.

    Raises
    ------
    scaling.errors.PagesError
        If a solution begins inside another, does not end, or ends without having begun; or if it stands inside a list
        or a block of another kind, from which it could not be taken out.
    """
    inside = ""
    for number, cell in enumerate(cells, start=1):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            yield Part(cell, source, inside)
            continue
        if is_caption(cell):
            continue
        try:
            contents = divide(source)
        except PagesError as error:
            raise PagesError(f"{chapter}, cell {number}: {error}") from None
        for content in contents:
            name = content.name if isinstance(content, Directive) else ""
            if name == BEGINS:
                if inside:
                    raise PagesError(f"{chapter}, cell {number}: a solution begins inside that of {inside}")
                inside = content.argument  # type: ignore[union-attr]
            elif name == ENDS:
                if not inside:
                    raise PagesError(f"{chapter}, cell {number}: a solution ends that has not begun")
                inside = ""
            elif name == SOLUTION:
                yield Part(cell, content, content.argument)  # type: ignore[union-attr]
            elif not inside and _HIDDEN.search(
                _SHOWN.sub("", content.body if isinstance(content, Directive) else content)
            ):
                raise PagesError(
                    f"{chapter}, cell {number}: a solution stands inside a list or another block; set it apart"
                )
            else:
                yield Part(cell, content, inside)
    if inside:
        raise PagesError(f"{chapter}: the solution of {inside} does not end; end it by a block {{{ENDS}}}")


def without_solutions(parts: Iterator[Part]) -> Iterator[Part | Answer]:
    """The pieces of a chapter with one answer in the place of every solution."""
    answered = set()
    for part in parts:
        if not part.solves:
            yield part
        elif part.solves not in answered:
            answered.add(part.solves)
            yield Answer(part.solves, is_code=not part.is_directive(SOLUTION))


def ends_of_code(parts: Iterable[Part]) -> dict[str, str]:
    """The executed solutions, in their order: by the exercise, the last cell of its code."""
    return {part.solves: part.cell["id"] for part in parts if part.solves and part.is_code}
