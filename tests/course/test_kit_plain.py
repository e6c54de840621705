"""The book's Markdown as any viewer reads it."""

import pytest

from scaling.course.citations import references
from scaling.course.directives import Directive, divide
from scaling.course.labels import labels
from scaling.course.plain import Plain

PAGE = "notebooks/06_isoflop.ipynb"


def plain(text, **places):
    return Plain(PAGE, lambda page: places.get(page.rpartition("/")[2].partition(".")[0])).text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("as {cite:t}`hoffmann2022` find", "as Hoffmann et al. (2022) find"),
        ("{cite:t}`pearce2024` and others", "Pearce and Song (2024) and others"),
        ("advice {cite}`hoffmann2022`.", "advice (Hoffmann et al., 2022)."),
        ("advice {cite}`hoffmann2022,kaplan2020`.", "advice (Hoffmann et al., 2022; Kaplan et al., 2020)."),
        ("by {eq}`isoflop-shift`", "by equation (6.3)"),
        ("by {eq}`intro-law`", "by the equation of *Scaling laws, recomputed*"),
        ("{numref}`fig-isoflop-drift` shows", "Fig. 6.5 shows"),
        ("{numref}`figure %s <fig-isoflop-drift>`", "figure 6.5"),
        ("$$\nx = 1\n$$ (isoflop-shift)\n", "$$\nx = 1 \\tag{6.3}\n$$\n"),
        ("(a-target)=\n## Title", "## Title"),
        ("[at the end](#a-target)", "at the end"),
        ("ask {ref}`ex-isoflop-linear`", "ask exercise 6.2"),
        ("[](07_parametric_loss.ipynb)", "chapter 7, *Fit a formula to all runs: parametric loss, approach 3*"),
        ("[chapter 7](07_parametric_loss.ipynb)", "chapter 7"),
        ("[](../book/notation.md)", "*Notation and units*"),
        ("[a page](https://example.org)", "[a page](https://example.org)"),
        ("`[](07_x.ipynb)` in code", "`[](07_x.ipynb)` in code"),
    ],
)
def test_what_only_the_book_knows_is_written_out(text, expected):
    assert plain(text) == expected


def test_what_the_reader_has_is_a_link():
    text = plain("[](../book/notation.md), [chapter 7](07_parametric_loss.ipynb)", notation="n.html")
    assert text == "[*Notation and units*](n.html), chapter 7"


def test_blocks_become_text_with_a_title():
    blocks = Plain(PAGE)
    exercise = Directive("exercise", "One minute: why?", {"label": "ex-isoflop-linear"}, "Say $x$.")
    assert blocks.directive(exercise) == "### Exercise 6.2. One minute: why?\n\nSay $x$."
    assert blocks.directive(Directive("admonition", "Note", {}, "a\n\nb")) == "> **Note**\n>\n> a\n>\n> b"


def test_papers_that_were_cited_are_listed_once():
    page = Plain(PAGE)
    page.text("{cite:t}`hoffmann2022`, {cite}`hoffmann2022`, {cite:t}`kaplan2020`")
    assert page.reference_list().count("\n- ") == 1
    assert "arXiv:2203.15556" in page.reference_list()


def test_papers_that_would_read_alike_are_told_apart():
    said = [(each.who, each.year) for each in references().values()]
    first = references()
    assert (first["li2025"].who, first["misfitting2025"].who) == ("H. Li et al.", "M. Li et al.")
    assert first["hu2024"].who == "Hu et al."
    assert all("{" not in each.line and "\\" not in each.line for each in first.values())
    assert len(said) == len(first)


def test_numbers_are_those_of_the_book():
    numbers = labels().numbers
    assert numbers["isoflop-valley"] == "6.1"
    assert numbers["fig-isoflop-surface"] == "6.1"
    assert numbers["ex-isoflop-rate"] == "6.1"
    assert labels().homes["isoflop-valley"] == PAGE


def test_text_and_blocks_are_divided():
    parts = divide("one\n\n:::{a} b\n:c: d\ne\n:::\n\ntwo\n")
    assert parts == ["one", Directive("a", "b", {"c": "d"}, "e"), "two"]
