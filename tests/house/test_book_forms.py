"""The forms of the built book: how much a page weighs, what a keyboard and a screen reader meet, paper, PDF, search."""

import re

import pdf
import pytest
from axe_playwright_python.sync_playwright import Axe
from pypdf import PdfReader
from visits import DESK, NARROW, Visit, pages_of

pytestmark = pytest.mark.slow

#: bytes of a chapter that is opened for the first time; places where Tab stops up to the end of its first section
WEIGHT, STOPS = 2_000_000, 60
#: rules of axe-core that are not asked, and why
LEFT_OUT = {
    "color-contrast": "measured on every page in both themes by test_book.py, which takes less time",
    "scrollable-region-focusable": "the keyboard scrolls any box that scrolls, in Chromium and in Firefox",
    "region": "the theme's side bar has the title of the book outside of its landmarks",
}
#: width of what an A4 sheet holds between its margins, in pixels
SHEET = {"width": 673, "height": 1000}

CELLS = """() => [...document.querySelectorAll('.cell_input pre')]
  .map(pre => [pre.scrollWidth > pre.clientWidth, pre.closest('.highlight').getBoundingClientRect().right])"""

STOPPING = """() => {
  const section = [...document.querySelectorAll('article section section')].find(each => each.querySelector('h2'));
  const shown = element => element.checkVisibility({ visibilityProperty: true });
  return [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')].filter(
    element => element.tabIndex >= 0 && !element.disabled && shown(element)
      && (section.contains(element) || section.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_PRECEDING)
  ).length;
}"""

# What is wrong on paper: something wider than the sheet, navigation, an open solution, a closed table of claims.
ON_PAPER = """() => {
  const shown = element => element.getClientRects().length;
  const wrong = [];
  for (const element of document.querySelectorAll('article :is(table, pre, img, math)')) {
    const wide = element.getBoundingClientRect().right > innerWidth + 1;
    if (wide || (element.tagName === 'PRE' && element.scrollWidth > element.clientWidth + 2)) {
      wrong.push('cut: ' + element.tagName + ' ' + element.textContent.trim().slice(0, 40));
    }
  }
  const screen = '.bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, .copybtn, .prev-next-footer';
  if ([...document.querySelectorAll(screen)].some(shown)) wrong.push('navigation');
  if ([...document.querySelectorAll('.solution > :not(.admonition-title)')].some(shown)) wrong.push('a solution');
  const folded = [...document.querySelectorAll('.cell_output details:not(details details)')];
  if (folded.some(details => !details.open)) wrong.push('a closed table');
  if (getComputedStyle(document.querySelector('article p')).color !== 'rgb(34, 40, 50)') wrong.push('faint text');
  if (!shown(document.querySelector('article h1'))) wrong.push('no title');
  return wrong;
}"""


def chapters_of(html):
    return [page for page in pages_of(html) if page.parts[0] == "notebooks"]


@pytest.fixture(scope="module")
def met(browser, html):
    """What is wrong with the pages, by kind; each page is opened once."""
    found = {"axe": [], "code": [], "stops": [], "paper": []}
    options = {"resultTypes": ["violations"], "rules": {rule: {"enabled": False} for rule in LEFT_OUT}}
    with Visit(browser, html.as_uri(), DESK) as visit:
        for path in pages_of(html):
            visit.open(path)
            for fault in Axe().run(visit.page, options=options).response["violations"]:
                # it takes a heading that is a formula for an empty one
                nodes = [each["html"] for each in fault["nodes"] if "<math" not in each["html"]]
                found["axe"] += [f"{path}: {fault['id']}: {node[:120]}" for node in nodes]
            if path.parts[0] != "notebooks":
                continue
            found["code"] += [str(path) for wide, _ in visit.page.evaluate(CELLS) if wide]
            if re.match(r"\d", path.name) and (stops := visit.page.evaluate(STOPPING)) > STOPS:
                found["stops"].append(f"{path}: {stops}")
            visit.page.set_viewport_size(NARROW)
            found["code"] += [f"{path}, narrow" for _, right in visit.page.evaluate(CELLS) if right > NARROW["width"]]
            found["paper"] += [f"{path}: {fault}" for fault in on_paper(visit)]
            visit.page.set_viewport_size(DESK)
    return found


def on_paper(visit):
    """What is wrong with the open page on a sheet, when it is printed from a screen with the dark theme."""
    visit.theme("dark")
    visit.page.set_viewport_size(SHEET)
    visit.page.emulate_media(media="print")
    visit.page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    wrong = visit.page.evaluate(ON_PAPER)
    visit.page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    visit.page.emulate_media(media="screen")
    return wrong


def test_a_screen_reader_meets_no_obstacle(met):
    assert not met["axe"], "\n".join(met["axe"])


def test_no_code_is_wider_than_its_box(met):
    """At 1280 pixels; at 400 its box scrolls, and the page does not."""
    assert not met["code"], "\n".join(met["code"])


def test_a_keyboard_is_soon_through_the_first_section(met):
    assert not met["stops"], "\n".join(met["stops"])


def test_paper_shows_the_text_alone_and_all_of_it(met):
    assert not met["paper"], "\n".join(met["paper"])


def test_a_chapter_weighs_little(browser, html, site):
    """All that is loaded for a page by a browser that has seen none before."""
    heavy = []
    for path in chapters_of(html):
        with Visit(browser, site, DESK) as visit:
            weights = []
            visit.page.on(
                "requestfinished", lambda request, weights=weights: weights.append(request.sizes()["responseBodySize"])
            )
            visit.page.goto(f"{site}/{path}", wait_until="networkidle")
            if sum(weights) > WEIGHT:
                heavy.append(f"{path}: {sum(weights) / 1e6:.2f} MB")
    assert not heavy, "\n".join(heavy)


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
