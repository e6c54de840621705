"""The book as a reader meets it: built from a clean state, then opened in a browser that can reach nothing else."""

import os
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from visits import pages_of

from scaling.book.images import CHECKSUM

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
# --- what needs no browser -------------------------------------------------------------------------------------------


class _Page(HTMLParser):
    """Collects the anchors of a page, its links and the addresses from which it loads anything."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loads = set(), [], []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[key] for key in ("id", "name") if attributes.get(key)}
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        elif tag in {"script", "img", "link", "iframe", "source"}:
            address = attributes.get("src") or attributes.get("href")
            if address and attributes.get("rel") not in {"canonical", "author", "license"}:
                self.loads.append(address)


def test_every_chapter_is_a_page(html):
    pages = [Path(name) for name in re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text())]
    pages += [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "notebooks").rglob("[!.]*.ipynb")]
    for page in pages:
        assert ".ipynb_checkpoints" in page.parts or (html / f"{page}.html").is_file(), page


def test_chapters_carry_the_numbers_of_their_files(html):
    """On their pages and in the side bar; the tour, the replications and the pages of reference have none."""
    chapters = {f"notebooks/{path.stem}.html": int(path.stem[:2]) for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    for page in pages_of(html):
        text, number = (html / page).read_text(), chapters.get(page.as_posix())
        shown = re.findall(r'<h\d><span class="section-number">([\d.]+)', text)
        assert shown == ([f"{number}."] if number else []), page
        figures = re.findall(r'caption-number">Fig\. (\d+)(\.?)', text)
        assert {*figures} <= {(str(number), ".")} if number else not any(dot for _, dot in figures), page
    bar = (html / "search.html").read_text().partition("bd-docs-nav")[2].partition("</nav>")[0]
    listed = re.findall(r'href="(notebooks/\d[^"]*)">\s*(?:(\d+)\. )?', bar)
    assert {page: int(number or 0) for page, number in listed} == chapters


def test_sphinx_executes_no_chapter_a_second_time(html):
    words = (html.parent / "build.log").read_text()
    assert words.count("Using cached notebook") == len(list((ROOT / "notebooks").glob("[0-9]*.ipynb")))
    assert "Executing notebook" not in words


def test_the_first_page_leads_to_the_book(html):
    assert "book/intro.html" in (html / "index.html").read_text()


def test_images_bear_the_names_of_their_figures(html):
    images = {path.stem for path in (html / "_images").iterdir()}
    assert sum(name.startswith("fig-") for name in images) > 90
    assert not any(CHECKSUM.fullmatch(name) for name in images)


@pytest.fixture(scope="module")
def pages(html):
    return {path: _Page(html / path) for path in pages_of(html)}


def test_internal_links_are_alive(html, pages):
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link == "#":
                continue
            target = Path(os.path.normpath(path.parent / unquote(parts.path))) if parts.path else path
            if not (html / target).exists():
                dead.append(f"{path}: {link}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                dead.append(f"{path}: {link} (no such place on the page)")
    assert not dead, "\n".join(dead)


def test_pages_load_nothing_from_elsewhere(pages):
    for path, page in pages.items():
        assert not [load for load in page.loads if re.match(r"(https?:)?//", load)], path


def test_no_machine_path_in_the_pages(html):
    for path in [*pages_of(html), Path("searchindex.js")]:
        text = (html / path).read_text()
        assert str(ROOT) not in text, path
        assert str(html) not in text, path


def test_the_font_of_formulas_has_their_characters(html):
    """Those that single letters become in formulas, slanted, are in it too."""
    style = (ROOT / "book/_static/book.css").read_text()
    spans = re.search(r"unicode-range: ([^;]+);", style)[1].replace("U+", "").split(",")
    known = {c for span in spans for c in range(int(span.split("-")[0], 16), int(span.split("-")[-1], 16) + 1)}
    for page in pages_of(html):
        for formula in re.findall(r"<math.*?</math>", (html / page).read_text()):
            unknown = set(map(ord, unescape(re.sub("<[^>]+>", "", formula)))) - known
            assert not unknown, f"{page}: {formula} (book/_static/formulas tells how the font is made)"


# --- in the browser ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["whole", "light", "dark"])
def test_pages_are_whole_and_legible_in_both_themes(asked, kind):
    assert not asked[kind], "\n".join(asked[kind])


def test_pages_are_whole_from_a_server(asked):
    assert not asked["served"], "\n".join(asked["served"])


def test_search_finds(visit):
    visit.open("search.html?q=notation")
    visit.page.wait_for_selector("#search-results li a")
    assert "Notation" in visit.page.inner_text("#search-results")
    assert not visit.faults
