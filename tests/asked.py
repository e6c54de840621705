"""What the pages of the built book are asked in a browser: each is opened once as a file and once from a server."""

import re

from axe_playwright_python.sync_playwright import Axe
from visits import DESK, NARROW, WIDE, Visit, pages_of

#: bytes of a chapter that is opened for the first time; places where Tab stops up to the end of its first section
WEIGHT, STOPS = 2_000_000, 60
#: width of what an A4 sheet holds between its margins, in pixels
SHEET = {"width": 673, "height": 1000}
#: rules of axe-core that are not asked, and why
LEFT_OUT = {
    "color-contrast": "measured on every page in both themes by FAINT, which takes less time",
    "scrollable-region-focusable": "the keyboard scrolls any box that scrolls, in Chromium and in Firefox",
    "region": "the theme's side bar has the title of the book outside of its landmarks",
}
#: a link within a text has to differ by more than its colour: that a colour might be enough is not even looked at
CHECKS = {"link-in-text-block": {"enabled": False}}

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
  if (width > document.documentElement.clientWidth) cut.push('the page itself: ' + width);
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
  const grounds = new Map();
  const ground = element => {
    if (!element) return document.documentElement.dataset.theme === 'dark' ? [20, 24, 29] : [255, 255, 255];
    if (!grounds.has(element)) {
      const colour = parts(getComputedStyle(element).backgroundColor);
      grounds.set(element, colour.length === 3 || colour[3] > 0.9 ? colour : ground(element.parentElement));
    }
    return grounds.get(element);
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


def every_page(browser, html, site):
    """What is wrong with the pages, by kind; what a page loads late from the server comes while its file is asked."""
    found = {kind: [] for kind in ("whole", "light", "dark", "paper", "code", "served", "weight", "axe", "stops")}
    with Visit(browser, html.as_uri()) as file, Visit(browser, site, DESK) as server:
        sizes = {}
        for path in pages_of(html):
            server.open(path)
            as_file(file, path, found)
            from_server(server, path, found, sizes)
    return found


def as_file(visit, path, found):
    """Whole, and legible in both themes and at both ends of the sizes of screens; a chapter also on paper."""
    visit.page.set_viewport_size(WIDE)
    visit.open(path)
    faults = faults_of(visit)
    for size in (WIDE, NARROW):
        visit.page.set_viewport_size(size)
        for theme in ("light", "dark"):
            visit.theme(theme)
            wrong = visit.page.evaluate(CUT) + visit.page.evaluate(FAINT)
            found[theme] += [f"{path} at {size['width']} px: {fault}" for fault in wrong]
    if is_chapter(path):
        found["code"] += [f"{path}, narrow" for _, right in visit.page.evaluate(CELLS) if right > NARROW["width"]]
        found["paper"] += [f"{path}: {fault}" for fault in on_paper(visit)]
    found["whole"] += [f"{path}: {fault}" for fault in faults + visit.told()]


def from_server(visit, path, found, sizes):
    """Whole, light enough if it is a chapter, and what a screen reader and a keyboard meet at a desk."""
    visit.page.wait_for_load_state("networkidle")
    for request in visit.loaded:  # what lies in the browser's memory was loaded for a page before, and `sizes` has it
        sizes[request.url] = max(sizes.get(request.url, 0), request.sizes()["responseBodySize"])
    weight = sum(sizes[request.url] for request in visit.loaded)
    if is_chapter(path) and weight > WEIGHT:
        found["weight"].append(f"{path}: {weight / 1e6:.2f} MB")
    faults = faults_of(visit)
    found["axe"] += [f"{path}: {obstacle}" for obstacle in obstacles(visit)]
    if is_chapter(path):
        found["code"] += [str(path) for wide, _ in visit.page.evaluate(CELLS) if wide]
        if re.match(r"\d", path.name) and (stops := visit.page.evaluate(STOPPING)) > STOPS:
            found["stops"].append(f"{path}: {stops}")
    found["served"] += [f"{path}: {fault}" for fault in faults + visit.told()]


def is_chapter(path):
    return path.parts[0] == "notebooks"


def faults_of(visit):
    """On the open page: equations that are not set and images that are not there or say nothing."""
    return visit.page.evaluate(UNRENDERED) + visit.page.evaluate(BAD_IMAGES)


def obstacles(visit):
    """What axe-core finds on the open page."""
    rules = {rule: {"enabled": False} for rule in LEFT_OUT}
    options = {"resultTypes": ["violations"], "rules": rules, "checks": CHECKS, "preload": {"assets": ["media"]}}
    for fault in Axe().run(visit.page, options=options).response["violations"]:
        for node in fault["nodes"]:
            if "<math" not in node["html"]:  # it takes a heading that is a formula for an empty one
                yield f"{fault['id']}: {node['html'][:120]}"


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
