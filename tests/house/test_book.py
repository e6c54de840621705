"""The book as a reader meets it: built from a clean state, then opened in a browser that can reach nothing else."""

import os
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from visits import NARROW, WIDE, Visit, pages_of

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


def test_internal_links_are_alive(html):
    pages = {path: _Page(html / path) for path in pages_of(html)}
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


def test_pages_load_nothing_from_elsewhere(html):
    for path in pages_of(html):
        assert not [load for load in _Page(html / path).loads if re.match(r"(https?:)?//", load)], path


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


UNRENDERED = r"""() => {
  const bare = [];
  for (const math of document.querySelectorAll('.math')) {
    if (!math.querySelector('math') || math.querySelector('merror')) bare.push(math.textContent.slice(0, 60));
  }
  const walker = document.createTreeWalker(document.querySelector('article, body'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (/\\\(|\\\[|\$\$|\\begin\{/.test(node.textContent) && !node.parentElement.closest('pre, code, script, style')) {
      bare.push('raw: ' + node.textContent.slice(0, 60));
    }
  }
  return bare;
}"""

BAD_IMAGES = """async () => {
  const images = [...document.querySelectorAll('article img')];
  images.forEach(image => image.loading = 'eager');
  await Promise.all(images.map(image => image.decode().catch(() => null)));
  const bad = images.filter(image => !image.naturalWidth || !(image.alt || '').trim());
  return bad.map(image => image.src + ' ' + image.alt);
}"""

# Wider than the screen is only what scrolls in a box of its own.
CUT = """() => {
  const edge = document.documentElement.clientWidth + 1;
  const cut = [];
  const width = document.scrollingElement.scrollWidth;
  if (width > edge) cut.push('the page itself: ' + width);
  const scrolls = element => {
    for (let box = element; box && box.tagName !== 'ARTICLE'; box = box.parentElement) {
      if (['auto', 'scroll'].includes(getComputedStyle(box).overflowX)
          && box.getBoundingClientRect().right <= edge) return true;
    }
    return false;
  };
  for (const element of document.querySelectorAll('article :is(p, li, img, table, pre, figcaption, math)')) {
    const box = element.getBoundingClientRect();
    if (box.width && box.right > edge && !scrolls(element)) {
      cut.push(element.tagName + ' ' + element.textContent.slice(0, 40));
    }
  }
  return cut;
}"""

# Contrast of text against the first opaque ground behind it, as the accessibility guidelines define it.
FAINT = r"""() => {
  const parts = colour => colour.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let box = element; box; box = box.parentElement) {
      const colour = parts(getComputedStyle(box).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.9) return colour;
    }
    return document.documentElement.dataset.theme === 'dark' ? [20, 24, 29] : [255, 255, 255];
  };
  const faint = new Set();
  const kinds = 'p, li, td, th, h1, h2, h3, figcaption, .caption-text, math, .output pre';
  for (const element of document.querySelectorAll(`article :is(${kinds})`)) {
    if (!element.textContent.trim()) continue;
    if (!element.getClientRects().length) continue;
    const [one, two] = [light(parts(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
    if ((one + 0.05) / (two + 0.05) < 4) faint.add(element.tagName + ' ' + element.textContent.trim().slice(0, 40));
  }
  for (const image of document.querySelectorAll('article .cell_output img')) {
    if (light(ground(image)) < 0.5) faint.add('figure on a dark ground: ' + image.alt.slice(0, 40));
  }
  return [...faint];
}"""


def faults_of(visit, path):
    """No failed request, no message on the console, every equation set, every image there."""
    visit.open(path)
    faults = visit.faults + visit.page.evaluate(UNRENDERED) + visit.page.evaluate(BAD_IMAGES)
    visit.faults.clear()
    return [f"{path}: {fault}" for fault in faults]


def hard_to_read(visit, path, theme):
    """What is cut or faint on the page that is open."""
    visit.theme(theme)
    for size in (NARROW, WIDE):
        visit.page.set_viewport_size(size)
        for fault in visit.page.evaluate(CUT) + visit.page.evaluate(FAINT):
            yield f"{path} at {size['width']} px, {theme}: {fault}"


@pytest.fixture(scope="module")
def seen(browser, html):
    """What is wrong with the pages as files, by kind; each page is opened once."""
    visit = Visit(browser, html.as_uri())
    found = {"whole": [], "light": [], "dark": []}
    for path in pages_of(html):
        found["whole"] += faults_of(visit, path)
        for theme in ("light", "dark"):
            found[theme] += hard_to_read(visit, path, theme)
    visit.context.close()
    return found


@pytest.mark.parametrize("kind", ["whole", "light", "dark"])
def test_pages_are_whole_and_legible_in_both_themes(seen, kind):
    assert not seen[kind], "\n".join(seen[kind])


def test_pages_are_whole_from_a_server(visit, html):
    found = [fault for path in pages_of(html) for fault in faults_of(visit, path)]
    assert not found, "\n".join(found)


def test_search_finds(visit):
    visit.open("search.html?q=notation")
    visit.page.wait_for_selector("#search-results li a")
    assert "Notation" in visit.page.inner_text("#search-results")
    assert not visit.faults
