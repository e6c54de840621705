"""Write the book as one PDF: `python tools/pdf.py [--html FOLDER] [--output FILE]`, from pages that are built already.

The articles of all pages, in the order of the side bar, become one page with a table of contents, which Chromium prints
by the rules for paper in book.css. It is printed twice: the first time tells on which pages the chapters begin. The
pages of docstrings are left out; links to them become plain words. A book made by `scaling rerun` is a folder, too.
"""

import argparse
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import unquote

from playwright.sync_api import Browser, sync_playwright
from pypdf import PdfReader, PdfWriter

logging.getLogger("pypdf").setLevel(logging.ERROR)  # it remarks on the tables of Chromium's files, which it mends
ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
#: milliseconds for a page of some hundred sheets
PATIENCE = 600_000
STYLE = """
@page { size: A4; @bottom-center { content: counter(page); font: 9pt sans-serif; } }
@page :first { @bottom-center { content: none; } }
.bd-article, .list { break-before: page; }
.cover { padding-top: 35%; text-align: center; }
.cover p { font-size: 30pt; }
.list ol { list-style: none; padding: 0; }
.list li { display: flex; justify-content: space-between; gap: 1em; }
.list .part { font-weight: 600; margin-top: 0.8em; }
.list a { color: inherit; text-decoration: none; }
.toctree-wrapper { display: none; }
"""


@dataclass(frozen=True)
class Entry:
    """A page that the side bar lists, and the part of the book in which it stands there."""

    words: str
    address: str
    part: str

    @property
    def anchor(self) -> str:
        return re.sub(r"\W", "-", self.address.removesuffix(".html"))


def entries_of(html: Path) -> tuple[str, list[Entry]]:
    """The title of the book, and what its side bar lists, the pages of docstrings left out."""
    first = re.search(r"url=([^\"]+)", (html / "index.html").read_text(encoding="utf-8"))[1]
    text = (html / first).read_text(encoding="utf-8")
    bar = text.partition("bd-docs-nav")[2].partition("</nav>")[0]
    title = re.search(r'property="og:site_name" content="([^"]*)"', text)[1]
    entries, part = [Entry(title, first, "")], ""
    for caption, href, words in re.findall(
        r'"caption-text">(.*?)</span>|"toctree-l\d[^"]*">\s*<a [^>]*href="([^"]+)">(.*?)</a>', bar, re.S
    ):
        part = caption or part
        if href and not (address := resolved(first, href)).startswith("book/api"):
            entries.append(Entry(words.strip(), address, part))
    return title, entries


def resolved(page: str, address: str) -> str:
    """An address on a page, from the folder of the pages."""
    return page if address in ("", "#") else os.path.normpath(Path(page).parent / unquote(address)).replace(os.sep, "/")


def article_of(html: Path, entry: Entry, anchors: dict[str, str]) -> str:
    """The article of a page, its places and links renamed for one page of all; `anchors` has the name of each page."""
    text = re.search(r"<article.*?</article>", (html / entry.address).read_text(encoding="utf-8"), re.S)[0]

    def link(found: re.Match) -> str:
        address, _, place = found[1].partition("#")
        if re.match(r"\w+:", address):
            return found[0]
        anchor = anchors.get(resolved(entry.address, address))
        return f' href="#{anchor}{"--" + place if place else ""}"' if anchor else ""

    text = re.sub(r' id="([^"]+)"', rf' id="{entry.anchor}--\1"', text.replace('loading="lazy"', ""))
    text = re.sub(r' href="([^"]*)"', link, text)
    text = re.sub(r' src="([^":]+)"', lambda found: f' src="{place_of(html, entry.address, found[1])}"', text)
    return text.replace("<article", f'<article id="{entry.anchor}"', 1)


def place_of(html: Path, page: str, address: str) -> str:
    """The address of a file that a page loads, from anywhere on this machine."""
    return (html / resolved(page, address.partition("?")[0])).as_uri()


def page_of_all(html: Path, title: str, entries: list[Entry], sheets: dict[str, int]) -> str:
    """One page with a cover, the contents, where `sheets` gives the numbers of pages, and every article."""
    first = entries[0].address
    head = (html / first).read_text(encoding="utf-8").partition("</head>")[0]
    styles = re.findall(r'<link [^>]*rel="stylesheet"[^>]*href="([^"]+)"|<link href="([^"]+)" rel="stylesheet"', head)
    loads = [f'<link rel="stylesheet" href="{place_of(html, first, one or other)}">' for one, other in styles]
    loads += [f'<script src="{(html / "_static" / "print.js").as_uri()}"></script>']
    lines, part = [], ""
    for entry in entries:
        if entry.part != part:
            lines.append(f'<li class="part">{entry.part}</li>')
            part = entry.part
        number = sheets.get(entry.anchor, "000")
        lines.append(f'<li><a href="#{entry.anchor}">{entry.words}</a><span>{number}</span></li>')
    anchors = {entry.address: entry.anchor for entry in entries}
    articles = "\n".join(article_of(html, entry, anchors) for entry in entries)
    return (
        f'<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{title}</title>'
        f'{"".join(loads)}<style>{STYLE}</style></head><body><main class="bd-main"><div class="bd-content">'
        f'<div class="bd-article-container"><div class="cover"><p>{title}</p></div><nav class="list">'
        f'<p class="part">Contents</p><ol>{"".join(lines)}</ol></nav>{articles}</div></div></main></body></html>'
    )


def print_book(browser: Browser, html: Path, output: Path, only: Collection[str] | None = None) -> int:
    """Write the PDF, of all pages or `only` of some; the number of its sheets."""
    title, entries = entries_of(html)
    entries = [entry for entry in entries if only is None or entry.address in only]
    sheets: dict[str, int] = {}
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    with tempfile.TemporaryDirectory() as folder:
        source, printed = Path(folder) / "book.html", Path(folder) / "book.pdf"
        for _ in range(2):
            source.write_text(page_of_all(html, title, entries, sheets), encoding="utf-8")
            page.goto(source.as_uri(), wait_until="load")
            page.pdf(path=printed, prefer_css_page_size=True)
            sheets = sheets_of(printed)
        page.close()
        book, parts = PdfWriter(clone_from=printed), {}
        for entry in entries:
            sheet = sheets[entry.anchor] - 1
            if entry.part and entry.part not in parts:
                parts[entry.part] = book.add_outline_item(title=unescape(entry.part), page_number=sheet)
            book.add_outline_item(title=unescape(entry.words), page_number=sheet, parent=parts.get(entry.part))
        book.add_metadata({"/Title": unescape(title)})
        book.write(output)
    page.close()
    return len(book.pages)


def sheets_of(printed: Path) -> dict[str, int]:
    """The number of the sheet on which each place lies to which a link leads."""
    reader = PdfReader(printed)
    numbers = {sheet.indirect_reference.idnum: number for number, sheet in enumerate(reader.pages, 1)}
    return {name.lstrip("/"): numbers[place.page.idnum] for name, place in reader.named_destinations.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--html", type=Path, default=ROOT / "_build" / "html", help="the pages (default: _build/html)")
    parser.add_argument("--output", type=Path, default=ROOT / "_build" / "book.pdf", help="default: _build/book.pdf")
    arguments = parser.parse_args()
    html, output = arguments.html.resolve(), arguments.output.resolve()
    if not (html / "index.html").is_file():
        print(f"error: there are no pages in {html}. `make book` builds them.", file=sys.stderr)
        return 1
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        print(
            f"error: none of {', '.join(BROWSERS)} is on the path, and one of them prints the book. "
            "On Debian and Ubuntu: apt-get install chromium.",
            file=sys.stderr,
        )
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=SWITCHES)
        sheets = print_book(browser, html, output)
        browser.close()
    print(f"{sheets} pages, {output.stat().st_size / 1e6:.1f} MB.\nOpen {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
