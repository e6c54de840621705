"""The style of a kit: its sheets, reveal.js, the scripts of figures that move, and the font of formulas."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

from ..book.moving import without_comments
from ..sources.files import book_file

__all__ = ["write_style"]

#: what slides load of reveal.js, and its licence
REVEAL = ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js", "LICENSE")
#: what pages take from the book
FONT, MOVING = "formulas/stix-two-math.woff2", "moving"


def write_style(folder: Path) -> None:
    """Write all that the pages and the slides of a kit load."""
    static, reveal = Path(__file__).with_name("static"), Path(str(files("sphinx_revealjs") / "_static" / "revealjs"))
    folder.mkdir()
    for name in ("kit.css", "slides.css", "slides.js"):
        shutil.copy(static / name, folder)
    for name in REVEAL:
        (folder / "reveal" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(reveal / name, folder / "reveal" / name)
    shutil.copy(book_file(f"_static/{FONT}"), folder)
    (folder / "math.css").write_text(_of_formulas(), encoding="utf-8")
    (folder / "code.css").write_text(_of_code(), encoding="utf-8")
    (folder / MOVING).mkdir()
    for path in sorted(book_file(f"_static/{MOVING}").iterdir()):
        text = path.read_text(encoding="utf-8")
        lighter = without_comments(text) if path.suffix == ".js" else text
        (folder / MOVING / path.name).write_text(lighter, encoding="utf-8")


def _of_formulas() -> str:
    """The book's rules for formulas, with their font beside the sheet."""
    sheet = book_file("_static/book.css").read_text(encoding="utf-8")
    start = sheet.index("@font-face")
    end = sheet.index("\n", sheet.index("math { font-family"))
    return sheet[start:end].replace("formulas/", "") + "\n"


def _of_code() -> str:
    from pygments.formatters import HtmlFormatter

    return f"{HtmlFormatter(style='friendly').get_style_defs('.source')}\n"
