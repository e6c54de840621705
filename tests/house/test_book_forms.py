"""The forms of the built book: how much a page weighs, what a keyboard and a screen reader meet, paper, PDF, search."""

import re

import pdf
import pytest
from pypdf import PdfReader
from visits import pages_of

pytestmark = pytest.mark.slow


def test_a_screen_reader_meets_no_obstacle(asked):
    assert not asked["axe"], "\n".join(asked["axe"])


def test_no_code_is_wider_than_its_box(asked):
    """At 1280 pixels; at 400 its box scrolls, and the page does not."""
    assert not asked["code"], "\n".join(asked["code"])


def test_a_keyboard_is_soon_through_the_first_section(asked):
    assert not asked["stops"], "\n".join(asked["stops"])


def test_paper_shows_the_text_alone_and_all_of_it(asked):
    assert not asked["paper"], "\n".join(asked["paper"])


def test_a_chapter_weighs_little(asked):
    """All that is loaded for a page by a browser that has seen none before."""
    assert not asked["weight"], "\n".join(asked["weight"])


def test_a_search_shows_chapters_first_and_no_tex(visit):
    visit.open("search.html?q=parametric")
    visit.page.wait_for_selector("#search-results li p.context")
    first = visit.page.locator("#search-results li a").first.get_attribute("href")
    assert first.startswith("notebooks/"), first
    assert "\\" not in visit.page.inner_text("#search-results")


def test_pages_say_what_they_are(html):
    for path in pages_of(html):
        text = (html / path).read_text()
        assert 'rel="icon"' in text, path
        assert 'property="og:title"' in text, path
        if path.parts[0] in ("notebooks", "book"):
            assert re.search(r'<meta name="description" content="[^"\\]{20,}"', text), path


def test_the_book_is_one_pdf(browser, html, tmp_path):
    """Two chapters of it: contents with the right numbers, an outline, and links that stay inside."""
    only = {"book/intro.html", "notebooks/07_parametric_loss.html", "notebooks/08_reconciliation.html"}
    count = pdf.print_book(browser, html, tmp_path / "book.pdf", only)
    book = PdfReader(tmp_path / "book.pdf")
    assert len(book.pages) == count > 20
    contents = book.pages[1].extract_text()
    front, (part, (seven, eight)) = book.outline[0], (book.outline[1], book.outline[2])
    assert (front.title, part.title) == ("Scaling laws, recomputed", "The papers, recomputed")
    for item in (seven, eight):
        number = book.get_destination_page_number(item) + 1
        assert re.search(rf"{re.escape(item.title)}\s*{number}\b", contents)
        sheet = book.pages[number - 1].extract_text()
        assert item.title in " ".join(sheet.split())
        assert str(number) in sheet.split()
    targets = [
        link.get_object()["/A"].get("/URI", "")
        for page in book.pages
        for link in page.get("/Annots", [])
        if "/A" in link.get_object()
    ]
    assert not [target for target in targets if target.startswith("file:")]
