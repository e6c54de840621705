"""Slides as a page that needs no network: reveal.js, which a package carries, formulas as MathML, and speaker notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from ..book.chapters import Chapter
from ..errors import PagesError
from .labels import labels
from .lectures import Lecture, Taken
from .pages import to_html, to_line
from .plain import Plain
from .runsheets import lecture_parts, noted
from .sections import Question, sections_of
from .slides import ONE_MINUTE, PICTURE, Slide, opening_slide, question_slide, slides_of

__all__ = ["Course", "chapter_slides", "deck", "lecture_slides", "named"]

#: sections of a chapter that no slide needs
LEFT_OUT = ("Exercises", "References")
#: letters of a headline from which on it is set a little smaller
LONG = 150


@dataclass(frozen=True)
class Course:
    """What stands on the first slide."""

    title: str
    term: str = ""


def chapter_slides(chapter: Chapter, plain: Plain) -> list[Slide]:
    """All slides of a chapter."""
    above = _above(chapter)
    (first, *others), questions = sections_of(chapter, plain)
    opening, rest = opening_slide(first, above)
    made = [opening, *slides_of(rest, above)]
    for section in others:
        if section.title not in LEFT_OUT:
            made += slides_of(section, f"{above} · {section.title}")
    quick = [each for each in questions if each.title.startswith(ONE_MINUTE)]
    return made + [_question(chapter, each) for each in quick]


def lecture_slides(lecture: Lecture, chapters: dict[str, Chapter], plains: dict[str, Plain]) -> list[Slide]:
    """The slides of a lecture, its own first, with its run sheet in the notes; at the end what the class does at home.

    A question of one minute stands at the end if the run sheet puts it to the class, or else after the section that it
    is about; questions about what the lecture leaves out have no slide.
    """
    titles = "\n".join(f"- Chapter {int(number)}: {chapters[number].title}" for number in lecture.chapters)
    made = [Slide("title", f"Lecture {lecture.number} · {lecture.minutes} minutes", lecture.title, to_html(titles))]
    asked: dict[str, Slide] = {}
    home: list[str] = []
    parts = lecture_parts(lecture.number)
    put = [label for part in parts for label in part.asked]
    for taken in lecture.taken:
        chapter, plain = chapters[taken.chapter], plains[taken.chapter]
        questions = sections_of(chapter, plain)[1]
        quick = {each.label: _question(chapter, each) for each in questions if each.title.startswith(ONE_MINUTE)}
        asked |= {label: slide for label, slide in quick.items() if label in put}
        after = {label: title for label, title in taken.questions.items() if label not in put}
        if unknown := [*(set(after) - set(quick)), *(set(after.values()) - set(taken.sections))]:
            raise PagesError(
                f"lecture {lecture.number} places questions of {chapter.name} by {unknown[0]!r}, which is "
                "neither a question of one minute there nor a section of the lecture"
            )
        made += _taken_slides(chapter, plain, taken, {quick[label]: title for label, title in after.items()})
        if taken.sections:
            home += [f"- {each.number} {each.title}" for each in questions if each.label not in quick]
    made += [asked[label] for label in put if label in asked]
    home += [f"- Read *{labels().title_of(f'notebooks/{name}.ipynb')}*" for name in lecture.reading]
    made.append(Slide("text", "Until the next lecture", "Exercises to choose from", to_html("\n".join(home))))
    return noted(made, parts, Plain(f"book/course/lecture_{lecture.number}.md"))


def _question(chapter: Chapter, question: Question) -> Slide:
    return question_slide(question, f"{_above(chapter)} · A question of one minute")


def _taken_slides(chapter: Chapter, plain: Plain, taken: Taken, questions: Mapping[Slide, str]) -> list[Slide]:
    above = _above(chapter)
    (first, *others), _ = sections_of(chapter, plain)
    by_title = {section.title: section for section in others}
    opening, rest = opening_slide(first, above)
    drawn = [each for each in slides_of(rest, above) if each.kind == PICTURE] if taken.sections else []
    made = [opening, *drawn]
    for title in taken.sections:
        if title not in by_title:
            there = "; ".join(by_title)
            raise PagesError(f"{chapter.name} has no section {title!r}, which a lecture takes up; it has: {there}")
        made += slides_of(by_title[title], f"{above} · {title}")
        made += [slide for slide, after in questions.items() if after == title]
    for section in others if taken.figures else ():
        made += [each for each in slides_of(section, f"{above} · {section.title}") if each.name in taken.figures]
    return made


def named(chapter: Chapter) -> str:
    """Such as ``Chapter 6: Fit a parabola``; the tour and the replications have no number."""
    numbered = chapter.number.isdigit() and int(chapter.number)
    return f"{_above(chapter)}: {chapter.title}" if numbered else chapter.title


def _above(chapter: Chapter) -> str:
    number = int(chapter.number)
    return f"Chapter {number}" if number else "Tour"


def deck(title: str, slides: Iterable[Slide], pictures: dict[str, str], moving: dict[str, str], course: Course) -> str:
    """The page of some slides; ``pictures`` and ``moving`` are what stands for a figure."""
    shown = "\n".join(_section(slide, pictures, moving, course) for slide in slides)
    scripts = "".join(f'<script defer src="../style/moving/{name}.js"></script>\n' for name in _moving_in(shown))
    head = '<link rel="stylesheet" href="../style/moving/moving.css">\n' if scripts else ""
    return (
        (files(__package__) / "static" / "deck.html")
        .read_text(encoding="utf-8")
        .format(title=escape(title), slides=shown, scripts=scripts, head=head)
    )


def _section(slide: Slide, pictures: dict[str, str], moving: dict[str, str], course: Course) -> str:
    body = re.sub(r'<div data-moving="([\w/-]+)"></div>', lambda found: moving[found[1]], slide.body)
    body = re.sub(r'<img data-figure="([\w-]*)"', lambda found: f'<img src="{pictures[found[1]]}"', body)
    name = f' id="{slide.name}"' if slide.name else ""
    notes = "".join(to_html(each) for each in slide.notes)
    foot = " · ".join(filter(None, (course.title, course.term)))
    tag = "h1" if slide.kind == "title" else "h2"
    long = ' class="long"' if len(slide.headline) > LONG else ""
    return (
        f'<section{name} class="{slide.kind}"><div class="slide">\n'
        f'<p class="above">{to_line(slide.above)}</p>\n<{tag}{long}>{to_line(slide.headline)}</{tag}>\n'
        f'<div class="body">{body}</div>\n<p class="foot">{escape(foot)}</p>\n</div>\n'
        f'<aside class="notes">{notes}</aside></section>'
    )


def _moving_in(shown: str) -> list[str]:
    names = dict.fromkeys(re.findall(r'class="moving"[^>]* data-figure="([\w-]+)"', shown))
    return ["core", *names] if names else []
