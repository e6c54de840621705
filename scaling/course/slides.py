"""Sections as slides: one formula, figure, table or question each, under the sentence that reads it.

What a page says around it goes into the speaker notes, every word of it. The rules need no marks in a notebook; a
cell's `slideshow` may still keep it from the slides, as in Jupyter.
"""

from __future__ import annotations

import ast
import base64
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from . import sections
from .pages import highlighted, to_html, to_line
from .sections import Item, Question, Section, sentences

__all__ = ["ONE_MINUTE", "PICTURE", "Slide", "opening_slide", "question_slide", "slides_of"]

#: the kinds of slides, which the style sheet knows
TITLE, TEXT, FORMULA, PICTURE = "title", "text", "formula", "picture"
MOVING, RESULT, CODE, QUESTION = "moving-picture", "result", "code", "question"
#: words below which a sentence says too little alone; below which a paragraph is only said; beyond which it is shown
SHORT, LITTLE, MUCH = 7, 25, 50
#: words that do not lead to a formula by themselves
FEW = 4
#: lines of text and formulas on one slide, at most
LINES, FORMULAS = 4, 3
#: height over width from which on a caption goes beside its figure
TALL = 0.75
#: sentences that only point at what comes next
POINTING = re.compile(
    r":$|^(?:Fig\. [\d.]+ (?:draws|shows)|Here (?:is|are)\b|The (?:next|following)\b|The (?:picture|figure|table) )"
)
#: how a chapter begins to say what it needs and what it leaves out
NEEDS = ("**You need", "**Skipped", "**Elsewhere", "We skip")
#: the kind of exercise that a class answers at once
ONE_MINUTE = "One minute: "


@dataclass(frozen=True)
class Slide:
    """One idea: a line above it, the sentence that says it, what shows it, and what the speaker says."""

    kind: str
    above: str
    headline: str  # Markdown
    body: str = ""  # HTML
    notes: tuple[str, ...] = ()  # Markdown
    name: str = ""
    section: str = ""  # of the page, by its heading


def slides_of(section: Section, above: str) -> list[Slide]:
    """The slides of a section; ``above`` says where in the course it stands."""
    return _Making(section.title, section.items, above).slides()


def opening_slide(section: Section, above: str) -> tuple[Slide, Section]:
    """The slide that opens a chapter, with what its readers will do and learn; and what is left of the section."""
    prose = [item for item in section.items if item.kind == sections.PROSE]
    goals = [item for item in prose if item.content.startswith("**You will")]
    before = prose[: prose.index(goals[-1]) + 1] if goals else prose[:1]
    needs = [item for item in prose if item.content.startswith(NEEDS)]
    body = "".join(to_html(item.content) for item in goals)
    notes = tuple(item.content for item in [*before, *needs] if item not in goals)
    left = [item for item in section.items if item not in [*before, *needs]]
    return Slide(TITLE, above, section.title, body, notes), Section(section.title, left)


def question_slide(question: Question, above: str) -> Slide:
    """A question to the class; the speaker has the answer."""
    title = question.title.removeprefix(ONE_MINUTE)
    answer = f"**Answer.** {question.answer}"
    return Slide(QUESTION, above, title[:1].upper() + title[1:], to_html(question.words), (answer,), question.label)


@dataclass
class _Making:
    """Goes through the items of a section and gathers what belongs on one slide."""

    title: str
    items: Sequence[Item]
    above: str
    made: list[Slide] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)  # paragraphs that no slide has yet
    said: list[str] = field(default_factory=list)  # notes of the next slide
    at: int = 0

    def slides(self) -> list[Slide]:
        while self.at < len(self.items):
            item = self.items[self.at]
            self.at += 1
            if item.kind == sections.PROSE:
                (self.said if item.quiet else self.waiting).append(item.content)
            elif not item.quiet:
                getattr(self, f"_{item.kind}")(item)
        self._show_waiting(at_end=True)
        if self.said and self.made:
            self.made[-1] = replace(self.made[-1], notes=(*self.made[-1].notes, *self.said))
        return self.made

    # --- kinds of items -----------------------------------------------------------------------------------------------

    def _formula(self, item: Item) -> None:
        lead = _last(self._lead())
        parts, count = [_shown(item.content)], 1
        while count < FORMULAS and (more := self._another_formula()):
            parts += more
            count += 1
        if conclusion := self._conclusion():
            parts.append(f'<div class="so">{to_html(conclusion)}</div>')
        self._make(FORMULA, lead, "".join(parts))

    def _conclusion(self) -> str:
        """What the page says of a formula, unless that only leads on to what comes next."""
        after = self._next_prose()
        leads = self._is(sections.LIST, 1) and len(sentences(after)) == 1
        if not after or leads or POINTING.search(_first(after)):
            return ""
        if self._is(sections.FORMULA, 1):
            return _first(after) if len(_joined(after)) > 1 and _words(after) < MUCH else ""
        self.at += 1
        self.said.append(after)
        return _first(after)

    def _another_formula(self) -> list[str]:
        """A formula that follows at once, or after words that go on with a sentence."""
        if self._is(sections.FORMULA):
            self.at += 1
            return [_shown(self.items[self.at - 1].content)]
        words = self._next_prose()
        if words and words[0].islower() and self._is(sections.FORMULA, 1):
            self.at += 2
            self.said.append(words)
            return [to_html(_last(words)), _shown(self.items[self.at - 1].content)]
        return []

    def _list(self, item: Item) -> None:
        lead = self._lead()
        headline = _last(lead) if lead else ""
        self.said.append(item.content)
        self._make(TEXT, headline, to_html(item.content))

    def _table(self, item: Item) -> None:
        self._result(RESULT, to_html(item.content))

    def _output(self, item: Item) -> None:
        shown = [item.content]
        while self._is(sections.OUTPUT):
            shown.append(self.items[self.at].content)
            self.at += 1
        self._result(RESULT, "".join(shown))

    def _figure(self, item: Item) -> None:
        self._result(PICTURE, _picture(item), item.label, first_of_caption=_first(item.caption))

    def _moving(self, item: Item) -> None:
        shown = f'<div data-moving="{item.content}/{item.label}"></div>'
        self._result(MOVING, shown, f"moving-{item.label}", after=False)

    def _code(self, item: Item) -> None:
        """A function is shown, by what it says of itself; other code is not."""
        functions = [node for node in ast.parse(item.content).body if isinstance(node, ast.FunctionDef)]
        if not functions:
            return
        lead, told = self._lead(), ast.get_docstring(functions[0])
        shown = "\n\n".join(ast.get_source_segment(item.content, each) or "" for each in functions)
        if told:  # it is the headline
            words = ast.get_source_segment(item.content, functions[0].body[0]) or ""
            shown = shown.replace(f"    {words}\n", "", 1)
        self._make(CODE, told.splitlines()[0] if told else _last(lead), highlighted(shown))

    # --- what surrounds them ------------------------------------------------------------------------------------------

    def _result(self, kind: str, body: str, name: str = "", first_of_caption: str = "", after: bool = True) -> None:
        """A slide under the sentence that reads it, which follows it on the page."""
        lead, reading = self._lead(), ""
        if after and (reading := self._next_prose()):
            self.at += 1
            *before, last = sentences(reading)
            if before and self._is(sections.FORMULA):  # its last sentence leads to the formula
                reading, self.waiting = " ".join(before), [last]
            self.said.append(reading)
        read = next((each for each in _joined(reading) if not POINTING.search(each)), "")
        led = "" if POINTING.search(_last(lead)) else _last(lead)
        self._make(kind, read or led or first_of_caption, body, name)

    def _lead(self) -> str:
        """The paragraph that leads to what comes now; what stands before it, and a long one, is shown first."""
        if not self.waiting:
            return ""
        lead = self.waiting[-1]
        if _words(lead) < MUCH:
            self.waiting.pop()
            self._show_waiting()
            self.said.append(lead)
        else:
            *before, last = sentences(lead)
            self.waiting[-1] = " ".join(before) or lead
            self._show_waiting()
            self.said.append(last)
        return lead

    def _next_prose(self) -> str:
        if not self._is(sections.PROSE) or self.items[self.at].quiet:
            return ""
        return self.items[self.at].content

    def _is(self, kind: str, ahead: int = 0) -> bool:
        place = self.at + ahead
        return place < len(self.items) and self.items[place].kind == kind

    def _show_waiting(self, at_end: bool = False) -> None:
        """Paragraphs without a formula or a figure: a slide of their sentences, if they say enough for one."""
        waiting, self.waiting = self.waiting, []
        if sum(map(_words, waiting)) < (LITTLE if at_end else MUCH):
            self.said += waiting
            return
        while waiting:
            shown, waiting = waiting[: LINES + 1], waiting[LINES + 1 :]
            every = [line for each in shown for line in _joined(each) if line[0] != "(" and not POINTING.search(line)]
            lines = every if len(every) <= LINES + 1 else [_first(each) for each in shown]
            headline, *lines = lines if len(lines) > 2 else every[: LINES + 1]
            if not lines and headline.count(";") > 1:
                headline, _, listed = headline.partition(": ")
                lines = listed.split("; ")
            self.said += shown
            bullets = "".join(f"<li>{to_line(each)}</li>" for each in lines)
            self._make(TEXT, headline, f"<ul>{bullets}</ul>" if bullets else "")

    def _make(self, kind: str, headline: str, body: str, name: str = "") -> None:
        headline = headline.rstrip(":,") or self.title
        self.made.append(Slide(kind, self.above, headline, body, tuple(self.said), name, self.title))
        self.said = []


def _shown(tex: str) -> str:
    return to_html(f"$$\n{tex}\n$$")


def _picture(item: Item) -> str:
    from html import escape

    width, height = struct.unpack(">II", base64.b64decode(item.content[:32])[16:24])  # where PNG has them
    shape = ' class="tall"' if height > TALL * width else ""
    caption = f"<figcaption>{to_line(item.caption)}</figcaption>" if item.caption else ""
    return f'<figure{shape}><img data-figure="{item.label}" alt="{escape(item.alt)}">{caption}</figure>'


def _words(markdown: str) -> int:
    return len(markdown.split())


def _joined(markdown: str) -> list[str]:
    """Sentences, a very short one together with the next."""
    joined: list[str] = []
    for sentence in sentences(markdown):
        if joined and _words(joined[-1]) < SHORT:
            joined[-1] += f" {sentence}"
        else:
            joined.append(sentence)
    return joined


def _first(markdown: str) -> str:
    return (_joined(markdown) or [""])[0]


def _last(markdown: str) -> str:
    *before, last = sentences(markdown) or [""]
    return f"{before[-1]} {last}" if before and _words(last) < FEW else last
