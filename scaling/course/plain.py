"""The book's Markdown as any viewer reads it: numbers, citations and links written out, directives turned into text."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ..book.numbering import chapter_number
from .citations import references
from .directives import Directive, divide
from .labels import labels

__all__ = ["Plain"]

_FENCE = re.compile(r"(^(?:```|~~~).*?^(?:```|~~~)[ \t]*$|`[^`\n]+`(?!`))", re.MULTILINE | re.DOTALL)
_ROLE = re.compile(r"\{(?P<kind>[\w:]+)\}`(?:(?P<words>[^`<]*?)\s*<(?P<target>[^`>]+)>|(?P<label>[^`<]+))`")
_LINK = re.compile(r"(?<!!)\[(?P<words>[^\]\n]*)\]\((?!https?:|mailto:)(?P<page>[^)#\s]*)(?:#(?P<anchor>[\w-]+))?\)")
#: notes of an author, which no page shows
_COMMENT = re.compile(r"^%[^\n]*\n?|<!--.*?-->[ \t]*\n?", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"(^(?:```|~~~).*?^(?:```|~~~)[ \t]*$)", re.MULTILINE | re.DOTALL)
_TARGET = re.compile(r"^\([\w-]+\)=[ \t]*\n", re.MULTILINE)
_EQUATION = re.compile(r"[ \t]*\n\$\$[ \t]*\((?P<label>[\w-]+)\)[ \t]*$", re.MULTILINE)
_NOUNS = {"eq": "equation ({})", "numref": "Fig. {}"}
_ONE_OF = {"eq": "the equation", "numref": "a figure"}


@dataclass
class Plain:
    """Turns the Markdown of one page into plain Markdown, and keeps which papers it has cited.

    Parameters
    ----------
    page : str
        The page in the book, such as ``notebooks/06_isoflop.ipynb``.
    place : callable
        Where a page of the book is for the reader, as a link; None where the reader does not have it.
    """

    page: str
    place: Callable[[str], str | None] = lambda page: None
    cited: dict[str, None] = field(default_factory=dict)

    def whole(self, text: str) -> str:
        """Text with its directives, as plain Markdown."""
        parts = (self.text(part) if isinstance(part, str) else self.directive(part) for part in divide(text))
        return "\n\n".join(parts)

    def text(self, text: str) -> str:
        """Text without directives, as plain Markdown."""
        blocks = _BLOCK.split(text)
        blocks[::2] = [_COMMENT.sub("", block) for block in blocks[::2]]
        text = _TARGET.sub("", "".join(blocks))
        text = _EQUATION.sub(lambda found: f" \\tag{{{self._number(found['label'])}}}\n$$", text)
        # a role looks like words and code: it is resolved before code is set apart
        parts = _FENCE.split(_ROLE.sub(self._role, text))
        parts[::2] = [_LINK.sub(self._link, part) for part in parts[::2]]
        return "".join(parts)

    def directive(self, block: Directive) -> str:
        """A block as plain Markdown: what it says, below a title in bold letters."""
        body = self.text(block.body)
        if block.name == "exercise":
            label = block.options.get("label", "")
            return f"### Exercise {self._number(label)}. {self.text(block.argument)}\n\n{body}"
        if block.name == "solution":
            return f"**Solution of exercise {self._number(block.argument)}.**\n\n{body}"
        if block.name == "moving":
            return _quoted("*On the page of the book a figure that moves stands here.*")
        title = self.text(block.argument) or block.name.capitalize()
        return _quoted(f"**{title}**\n\n{body}")

    def caption(self, label: str, caption: str) -> str:
        """A figure's caption, with its number."""
        return f"**Fig. {self._number(label)}.** {self.text(caption)}"

    def reference_list(self) -> str:
        """The papers cited so far, each on a line."""
        lines = sorted(references()[key].line for key in self.cited)
        return "\n".join(f"- {line}" for line in lines)

    def _number(self, label: str) -> str:
        return labels().numbers.get(label, "")

    def _role(self, found: re.Match[str]) -> str:
        kind, words, label = found["kind"], found["words"], found["target"] or found["label"]
        if kind.startswith("cite"):
            return self._cite(kind, [key.strip() for key in label.split(",")])
        number, home = self._number(label), labels().homes.get(label, self.page)
        if words:
            return words.replace("%s", number).replace("{number}", number)
        if home != self.page and "." not in number:  # a number that says nothing elsewhere
            return f"{_ONE_OF.get(kind, 'a place')} of *{labels().title_of(home)}*"
        noun = "exercise {}" if label.startswith("ex-") else _NOUNS.get(kind, "{}")
        return noun.format(number) if number else label

    def _cite(self, kind: str, keys: list[str]) -> str:
        self.cited |= dict.fromkeys(keys)
        papers = [references()[key] for key in keys]
        if kind == "cite:t":
            said = [f"{each.who} ({each.year})" for each in papers]
            return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
        return f"({'; '.join(f'{each.who}, {each.year}' for each in papers)})"

    def _link(self, found: re.Match[str]) -> str:
        words, target = found["words"], found["page"]
        if not target:
            return words or "there"
        page = posixpath.normpath(posixpath.join(posixpath.dirname(self.page), target))
        title = labels().title_of(page)
        number = chapter_number(page.removesuffix(".ipynb"))
        named = f"chapter {number}, *{title}*" if number else f"*{title}*"
        place = self.place(page)
        if place is None:
            return words or named
        return f"[{words or named}]({place})"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
