"""The kit of a lecture in a browser that can reach nothing but it: slides, formulas, figures, pages for paper."""

import io
import json
import re

import pypdf
import pytest
from click.testing import CliRunner
from visits import Visit

from scaling.book.staging import MARK
from scaling.cli import main

pytestmark = pytest.mark.slow
#: a beamer's
SIZE = {"width": 1280, "height": 720}
#: what of the current slide is cut off, empty or not set
LOOK = """() => {
  const slide = Reveal.getCurrentSlide(), body = slide.querySelector(".body"), whole = slide.querySelector(".slide");
  const cut = (part) => part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1;
  const frame = whole.getBoundingClientRect();
  const inside = (part) => {
    const box = part.getBoundingClientRect();
    return box.left >= frame.left - 1 && box.right <= frame.right + 1 && box.bottom <= frame.bottom + 1;
  };
  const parts = [...slide.querySelectorAll("h1, h2, .body > *, img, .body table, .body pre, .slide math")];
  const shown = parts.filter((part) => part.checkVisibility());
  return {
    name: slide.querySelector("h1, h2").innerText,
    cut: cut(body) || cut(whole) || !shown.every(inside),
    empty: shown.filter((part) => part.matches("img") && (!part.naturalWidth || part.clientHeight < 200)).length,
    formulas: parts.filter((part) => part.matches("math") && part.getBoundingClientRect().height < 5).length,
    size: parseFloat(getComputedStyle(slide).getPropertyValue("--size")),
    moving: [...slide.querySelectorAll(".moving")].filter((each) => !each.classList.contains("moving-built")).length,
    words: whole.innerText,
  };
}"""
RAW = re.compile(r"\{(?:cite|numref|eq|ref)|:::|\\(?:frac|alpha|beta|text)|\$\$")


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course") / "kit"
    result = CliRunner().invoke(main, ["course", "--out", str(folder), "--lecture", "2", "--title", "A course"])
    assert result.exit_code == 0, result.output
    return folder


def decks(kit):
    return json.loads((kit / MARK).read_text(encoding="utf-8"))["slides"]


@pytest.mark.parametrize("name", ["lecture-2", "04_kaplan", "06_isoflop", "08_reconciliation"])
def test_slides_go_on_by_a_key_and_nothing_is_cut(browser, kit, name):
    with Visit(browser, kit.as_uri(), SIZE) as visit:
        visit.open(f"slides/{name}.html")
        visit.page.wait_for_function("window.Reveal && Reveal.isReady()")
        for number in range(decks(kit)[name]["slides"]):
            assert visit.page.evaluate("Reveal.getSlidePastCount()") == number
            visit.page.wait_for_function(
                "[...Reveal.getCurrentSlide().querySelectorAll('img')].every((i) => i.complete)"
            )
            look = visit.page.evaluate(LOOK)
            assert not look["cut"], look["name"]
            assert (look["empty"], look["formulas"], look["moving"]) == (0, 0, 0), look["name"]
            assert look["size"] > 0.5, f"too small to read: {look['name']}"
            assert not RAW.search(look["words"]), look["name"]
            visit.page.keyboard.press("ArrowRight")
        assert visit.page.evaluate("Reveal.isLastSlide()")
        visit.page.keyboard.press("ArrowLeft")
        assert not visit.page.evaluate("Reveal.isLastSlide()")
        assert visit.faults == []


def test_the_speaker_sees_the_notes(browser, kit):
    with Visit(browser, kit.as_uri(), SIZE) as visit:
        visit.open("slides/lecture-2.html#/ex-isoflop-linear")
        visit.page.wait_for_function("window.Reveal && Reveal.isReady()")
        assert "Why is the parabola drawn" in visit.page.locator("section.present").inner_text()
        assert "The loss depends on ratios" not in visit.page.locator("section.present").inner_text()
        with visit.page.expect_popup() as popup:
            visit.page.keyboard.press("s")
        notes = popup.value.locator(".speaker-controls-notes .value")
        notes.filter(has_text="The loss depends on ratios").wait_for()


def test_a_figure_moves_on_its_slide(browser, kit):
    with Visit(browser, kit.as_uri(), SIZE) as visit:
        visit.open("slides/lecture-2.html#/moving-grid")
        visit.page.wait_for_function("window.Reveal && Reveal.isReady()")
        figure = visit.page.locator("section.present .moving")
        before = figure.inner_text()
        figure.locator("input[type=range]").first.focus()
        visit.page.keyboard.press("ArrowRight")
        visit.page.wait_for_function(
            "(before) => document.querySelector('.present .moving').innerText !== before", arg=before
        )
        assert visit.page.evaluate("Reveal.getCurrentSlide().querySelector('.moving') !== null"), (
            "the key was the figure's"
        )
        assert visit.faults == []


def test_slides_are_printed_one_on_a_page(browser, kit):
    with Visit(browser, kit.as_uri(), SIZE) as visit:
        visit.open("slides/lecture-2.html?print-pdf")
        visit.page.wait_for_function("document.querySelectorAll('.pdf-page').length && Reveal.isReady()")
        printed = pypdf.PdfReader(io.BytesIO(visit.page.pdf(prefer_css_page_size=True, print_background=True)))
        assert len(printed.pages) == decks(kit)["lecture-2"]["slides"]
        assert "stands here on a screen" in "".join(page.extract_text() for page in printed.pages)


def test_a_power_of_ten_is_raised(browser, kit):
    """The style that reveal.js begins with makes 1021 of it."""
    with Visit(browser, kit.as_uri(), SIZE) as visit:
        visit.open("slides/lecture-2.html")
        visit.page.wait_for_function("window.Reveal && Reveal.isReady()")
        raised = visit.page.evaluate(
            """() => {
                const body = Reveal.getCurrentSlide().querySelector(".body");
                body.innerHTML = "<p>10<sup>21</sup></p>";
                const sup = body.querySelector("sup");
                return [getComputedStyle(sup).verticalAlign, sup.getBoundingClientRect().height < 30];
            }"""
        )
        assert raised == ["super", True]


@pytest.mark.parametrize("media", ["screen", "print"])
def test_a_figure_that_moves_is_printed_as_the_figures_that_do_not(browser, kit, media):
    with Visit(browser, kit.as_uri(), SIZE) as visit:
        visit.open("slides/lecture-2.html?print-pdf")
        visit.page.wait_for_function("document.querySelectorAll('.pdf-page').length && Reveal.isReady()")
        visit.page.wait_for_function("document.querySelectorAll('.moving-built').length === 2")
        visit.page.emulate_media(media=media)
        shown = visit.page.evaluate(
            """() => [...document.querySelectorAll('.moving')].map((each) => ({
                live: each.querySelector('.moving-live').checkVisibility(),
                stills: [...each.querySelectorAll('.stills img')].filter((i) => i.complete && i.height > 200).length,
                cut: each.closest('.body').scrollHeight > each.closest('.body').clientHeight + 1,
            }))"""
        )
        assert shown == [{"live": False, "stills": 2, "cut": False}] * 2


@pytest.mark.parametrize("page", ["index.html", "figures/index.html", "handouts/notation.html", "handouts/errata.html"])
@pytest.mark.parametrize("width", [400, 1280])
def test_pages_open_without_a_fault_and_fit(browser, kit, page, width):
    with Visit(browser, kit.as_uri(), {"width": width, "height": 900}) as visit:
        visit.open(page)
        assert visit.page.locator("h1").count() == 1
        assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert visit.faults == []


def test_the_formulas_are_one_page(browser, kit):
    with Visit(browser, kit.as_uri()) as visit:
        visit.open("handouts/formulas.html")
        printed = pypdf.PdfReader(io.BytesIO(visit.page.pdf(prefer_css_page_size=True)))
        assert len(printed.pages) == 1
        wide = "[...document.querySelectorAll('.entry')].filter((e) => e.scrollWidth > e.clientWidth + 1).length"
        visit.page.emulate_media(media="print")
        visit.page.set_viewport_size({"width": 688, "height": 1000})  # the width of the paper between its margins
        assert visit.page.evaluate(wide) == 0
        assert visit.faults == []
