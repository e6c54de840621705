"""Slides from the cells of a chapter: one idea each, everything else in the notes, no answer before it is asked for."""

import html.parser
import re

import planted
import pytest

from scaling.book.chapters import Chapter
from scaling.course.deck import Course, chapter_slides, deck, lecture_slides
from scaling.course.lectures import Lecture, Taken, lectures
from scaling.course.pages import to_html
from scaling.course.plain import Plain
from scaling.course.runsheets import lecture_parts, noted, weeks
from scaling.course.sections import Item, Section, sections_of, sentences
from scaling.course.slides import slides_of
from scaling.errors import PagesError
from scaling.sources.files import chapter_files

CHAPTERS = {path.name[:2]: Chapter(path) for path in chapter_files()}
PLAINS = {number: Plain(f"notebooks/{chapter.path.name}") for number, chapter in CHAPTERS.items()}
PNG = planted.PICTURE


def of(*items):
    return slides_of(Section("A section", [Item(*item) for item in items]), "above")


def visible(slide):
    return re.sub(r"<[^>]+>", " ", f"{slide.headline} {slide.body}")


@pytest.mark.parametrize("lecture", lectures(), ids=lambda lecture: lecture.name)
def test_a_lecture_of_ninety_minutes_has_thirty_to_forty_five_slides(lecture):
    slides = lecture_slides(lecture, CHAPTERS, PLAINS)
    assert lecture.minutes == 90
    assert 30 <= len(slides) <= 45
    assert all(slide.headline for slide in slides)


@pytest.mark.parametrize("lecture", lectures(), ids=lambda lecture: lecture.name)
def test_a_lecture_names_sections_and_figures_that_there_are(lecture):
    for taken in lecture.taken:
        sections, _ = sections_of(CHAPTERS[taken.chapter], PLAINS[taken.chapter])
        assert set(taken.sections) <= {section.title for section in sections}
        drawn = {item.label for section in sections for item in section.items if item.kind == "figure"}
        assert set(taken.figures) <= drawn


def test_a_section_that_is_not_there_is_named_with_those_that_are():
    lecture = Lecture(1, "One", 90, (Taken("19", ("A section that was renamed",)),))
    with pytest.raises(PagesError, match="19_promises has no section 'A section that was renamed'.*; it has: "):
        lecture_slides(lecture, CHAPTERS, PLAINS)


@pytest.mark.parametrize("lecture", lectures(), ids=lambda lecture: lecture.name)
def test_what_the_run_sheet_asks_is_in_the_notes_of_its_section(lecture):
    """All that it says is said, at the first slide of each section that it names, and nothing of it is shown."""
    slides = lecture_slides(lecture, CHAPTERS, PLAINS)
    parts = lecture_parts(lecture.number)
    titles = [re.match(r"\*\*Minute .*\*\*", part.words)[0] for part in parts]
    for part, title in zip(parts, titles, strict=True):
        told = [slide for slide in slides if any(note.startswith(title) for note in slide.notes)]
        assert told
        assert tuple(slide.section for slide in told) == part.sections or not part.sections
        for slide in told:
            first = next(each for each in slides if each.section == slide.section)
            assert slide is first or not part.sections
        for word in ("Ask:", "Expect:", "Goes wrong:"):
            assert part.words.count(word) == next(n for n in told[0].notes if n.startswith(title)).count(word)
        assert title not in " ".join(map(visible, slides))
    assert any(note.startswith(titles[0]) for note in slides[0].notes)
    assert any("**Ask:**" in part.words for part in parts)


@pytest.mark.parametrize("lecture", lectures(), ids=lambda lecture: lecture.name)
def test_a_question_stands_after_what_it_is_about_or_where_the_sheet_asks_it(lecture):
    slides = lecture_slides(lecture, CHAPTERS, PLAINS)
    names = [slide.name for slide in slides]
    put = [label for part in lecture_parts(lecture.number) for label in part.asked]
    assert len(put) == 2
    assert names[-1 - len(put) : -1] == put, "before what is done at home"
    placed = {label: title for taken in lecture.taken for label, title in taken.questions.items()}
    assert {slide.name for slide in slides if slide.kind == "question"} == {*put, *placed}
    for label, title in placed.items():
        before = slides[names.index(label) - 1]
        assert title == before.section or before.kind == "question"


def test_a_question_that_is_placed_nowhere_is_named():
    taken = Taken("06", ("From scratch",), (), {"ex-isoflop-rate": "A section that was renamed"})
    with pytest.raises(PagesError, match="'A section that was renamed', which is neither"):
        lecture_slides(Lecture(2, "Two", 90, (taken,)), CHAPTERS, PLAINS)


def test_the_weeks_are_in_the_notes_of_their_chapters():
    """At the slide of the first figure or question that is named; else at that of what came before."""
    seen = set()
    for chapters, parts in weeks():
        numbered = [name[:2] for name in chapters if name[:2] in CHAPTERS]
        slides = [slide for number in numbered for slide in chapter_slides(CHAPTERS[number], PLAINS[number])]
        made = noted(slides, parts, Plain("book/course/seminar.md"))
        assert len(made) == len(slides)
        said = [note for slide in made for note in slide.notes if note.startswith("**Week ")]
        assert len(said) == len(parts)
        shown = {slide.name: slide for slide in made}
        for part in parts:
            for label in [each for each in part.labels if each in shown][:1]:
                seen.add(label)
                start = part.words.partition("{")[0][:40]
                assert any(note.startswith(start) for note in shown[label].notes), label
    assert {"fig-curves-four", "fig-isoflop-valley", "fig-sweep-design"} <= seen


@pytest.mark.parametrize("number", CHAPTERS)
def test_every_chapter_has_slides_with_a_headline_and_every_figure(number):
    slides = chapter_slides(CHAPTERS[number], PLAINS[number])
    assert all(slide.headline.strip() for slide in slides)
    names = [slide.name for slide in slides if slide.name]
    assert len(names) == len(set(names)), "two slides have one address"
    sections, questions = sections_of(CHAPTERS[number], PLAINS[number])
    figures = {item.label for section in sections for item in section.items if item.kind == "figure"}
    assert figures <= set(names)
    assert {each.label for each in questions if each.title.startswith("One minute")} <= set(names)


@pytest.mark.parametrize("number", CHAPTERS)
def test_every_sentence_is_shown_or_said(number):
    """A speaker who reads the notes leaves nothing out."""
    sections, _ = sections_of(CHAPTERS[number], PLAINS[number])
    for section in sections[1:]:
        slides = slides_of(section, "")
        said = " ".join(" ".join([slide.headline, *slide.notes]) for slide in slides)
        prose = [item.content for item in section.items if item.kind == "prose"]
        if slides:
            missing = [
                line for text in prose for line in sentences(text) if line.rstrip(":,") not in " ".join(said.split())
            ]
            assert missing == []


def test_an_answer_is_for_the_speaker_only(tmp_path):
    chapter = planted.chapter(tmp_path)
    slides = chapter_slides(chapter, Plain("notebooks/21_planted.ipynb"))
    assert "SECRET" not in " ".join(map(visible, slides))
    notes = " ".join(note for slide in slides for note in slide.notes)
    assert {"SECRET-closed", "SECRET-nested", "SECRET-inner", "SECRET-after"} <= set(re.findall(r"SECRET[\w-]+", notes))
    assert not {"SECRET-same-cell", "SECRET-between"} & set(re.findall(r"SECRET[\w-]+", notes)), "only of what is asked"
    asked = [slide for slide in slides if slide.kind == "question"]
    assert [slide.headline for slide in asked] == ["KEEP-first", "KEEP-second"]
    page = deck("A deck", slides, {"fig-planted": "x.png"}, {}, Course("A course", "A term"))
    shown = re.sub(r'<aside class="notes">.*?</aside>', "", page, flags=re.DOTALL)
    assert "SECRET" not in shown
    assert "SECRET-closed" in page


def test_a_figure_stands_under_the_sentence_that_reads_it():
    first, second = of(
        ("prose", "It leads on to it."), ("figure", PNG, "fig-a", "Its caption.", "Its alt."),
        ("prose", "It falls with $N$ at all budgets. Then it rises."),
        ("figure", PNG, "fig-b", "Another caption.", ""),
    )  # fmt: skip
    assert (first.headline, first.name, first.kind) == ("It falls with $N$ at all budgets.", "fig-a", "picture")
    assert 'alt="Its alt."' in first.body
    assert "Its caption." in first.body
    assert first.notes == ("It leads on to it.", "It falls with $N$ at all budgets. Then it rises.")
    assert second.headline == "Another caption."


def test_a_formula_has_its_lead_and_its_conclusion():
    (slide,) = of(
        ("prose", "Some words before. Hence the loss is"),
        ("formula", r"x = 1 \tag{6.1}"),
        ("prose", "Neither of the two is left in it."),
    )
    assert slide.headline == "Hence the loss is"
    assert slide.body.index("<math") < slide.body.index("(6.1)") < slide.body.index("Neither of the two")
    assert slide.notes == ("Some words before. Hence the loss is", "Neither of the two is left in it.")


def test_formulas_of_one_sentence_share_a_slide():
    (slide,) = of(
        ("prose", "So it has"), ("formula", "x = 1"), ("prose", "and its minimum is at"), ("formula", "y = 2")
    )
    assert slide.body.count("<math") == 2
    assert "and its minimum is at" in slide.body


def test_words_alone_are_a_slide_if_they_say_enough():
    few = "Just a few words that no slide needs."
    many = "One thing comes first of all of them. " + "It matters in many ways to everybody who is here today. " * 6
    assert [slide.kind for slide in of(("prose", few), ("figure", PNG, "fig-a"))] == ["picture"]
    assert [slide.kind for slide in of(("prose", many), ("figure", PNG, "fig-a"))] == ["text", "picture"]


def test_code_is_shown_where_it_defines_something():
    functions = 'def half(y):\n    """Half of it."""\n    return y / 2\n\n\ndef twice(y):\n    return 2 * y'
    source = f"first = 1\n\n\n{functions}\n\n\nlast = 1"
    (slide,) = of(("code", source), ("code", "half(x)"))
    assert slide.headline == "Half of it."
    assert [name in slide.body for name in ("half", "twice", "Half of it", "first", "last")] == [1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("asked", "shown", "said"), [("skip", False, False), ("notes", False, True), ("slide", True, True)]
)
def test_a_cell_may_be_kept_from_the_slides(tmp_path, asked, shown, said):
    long = "Planted words come here, and they are many enough for a slide of their own. " * 6
    cell = {**planted.words(long), "metadata": {"slideshow": {"slide_type": asked}}}
    after = planted.code("print(1)", outputs=[planted.printed("1")])
    chapter = planted.chapter(tmp_path, [planted.words("# Title\n\n## One\n\nWords."), cell, after])
    slides = chapter_slides(chapter, Plain("notebooks/21_planted.ipynb"))
    assert ("Planted words" in " ".join(map(visible, slides))) == shown
    assert ("Planted words" in " ".join(note for slide in slides for note in slide.notes)) == said


class Balance(html.parser.HTMLParser):
    """What is open at the end of a piece of HTML; an end that nothing began is a fault."""

    alone = {"img", "br", "hr", "input", "mspace"}

    def __init__(self, text):
        super().__init__()
        self.open = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.open += [tag] if tag not in self.alone else []

    def handle_endtag(self, tag):
        assert tag in self.alone or self.open.pop() == tag


@pytest.mark.parametrize("number", CHAPTERS)
def test_what_a_slide_opens_it_closes(number):
    """Else its notes would stand on it."""
    for slide in chapter_slides(CHAPTERS[number], PLAINS[number]):
        assert Balance(slide.body).open == [], slide.headline


def test_a_long_table_is_cut_and_says_so(tmp_path):
    rows = "".join(f"<tr><th>{number}</th><td>x</td></tr>" for number in range(20))
    cell = planted.shown(f"<div><table><tbody>{rows}</tbody></table></div>")
    chapter = planted.chapter(tmp_path, [planted.words("# Title\n\n## One"), planted.code("table", outputs=[cell])])
    (_, slide) = chapter_slides(chapter, Plain("notebooks/21_planted.ipynb"))
    assert slide.body.count("<tr>") == 9
    assert '<td colspan="2">and 12 more rows</td>' in slide.body
    assert Balance(slide.body).open == []


@pytest.mark.parametrize("number", CHAPTERS)
def test_every_formula_is_set(number):
    """None is left as LaTeX, and none has lost its number."""
    for slide in chapter_slides(CHAPTERS[number], PLAINS[number]):
        for shown in (slide.body, *map(to_html, (slide.headline, *slide.notes))):
            assert not re.search(r"<code>[^<]*\\[a-z]+[^<]*</code>", shown), shown
            assert r"\tag" not in shown


@pytest.mark.parametrize(
    "lines",
    [
        ["Kaplan et al. find 0.73 (equation 1.5).", "Why?", "By Fig. 2.1, e.g. here, it is $0.5$.", "*Yes.*"],
        ["**A title.**", "Then words of H. Li et al. (2025)."],
        ['It says "no."', "(It does.)", "$x$ is one."],
    ],
)
def test_sentences_end_where_they_end(lines):
    assert sentences(" ".join(lines)) == lines


def test_words_that_lead_to_a_list_are_its_headline():
    formula, listed = of(("formula", "x = 1"), ("prose", "Three decisions are in it."), ("list", "- one\n- two"))
    assert "Three decisions" not in formula.body
    assert listed.headline == "Three decisions are in it."


@pytest.mark.parametrize("number", CHAPTERS)
def test_a_chapter_opens_with_what_its_readers_will_do_and_learn(number):
    first = chapter_slides(CHAPTERS[number], PLAINS[number])[0]
    assert first.kind == "title"
    assert first.body.count("<p><strong>You will") == 2
