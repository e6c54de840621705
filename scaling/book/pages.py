"""The sources of a small book: executed chapters, a page for each that did not come through, a front page."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

from ..sources.files import book_file, chapter_files
from .chapters import DONE, NOT_POSSIBLE, Chapter, Outcome, is_caption

__all__ = ["write_sources"]


#: pages of the whole book that every small one has, too
PAGES = ("notation.md", "references.md")
#: letters in a line of words that are shown as they are
WIDTH = 84
#: places that can be referred to: (label)=, $$ (label), :label: label
_TARGETS = re.compile(r"^\(([\w-]+)\)=|^\$\$\s*\(([\w-]+)\)|^:(?:label|name):\s*([\w-]+)|^#+ .*\{#([\w-]+)\}", re.M)
_LINK = re.compile(r"(?<!!)\[([^\]\n]*)\]\((?!https?:|mailto:)([^)#\s]*)(?:#([\w-]+))?\)")
_ROLE = re.compile(r"\{(eq|numref|ref|prf:ref)\}`(?:([^`<]*?)\s*<([^`>]+)>|([^`<]+))`")
_FENCE = re.compile(r"(^(?:```|~~~).*?^(?:```|~~~)\s*$)", re.M | re.S)
_NOUNS = {"eq": "an equation", "numref": "a figure", "ref": "a place", "prf:ref": "a statement"}


def write_sources(folder: Path, front: str, outcomes: dict[Chapter, Outcome], title: str, about: str = "") -> None:
    """Write all that Jupyter Book needs; what refers to a page or a place that is not there becomes plain words.

    ``about`` is what every chapter says below its title of the words of the table.
    """
    (folder / "notebooks").mkdir(parents=True)
    (folder / "book").mkdir()
    notebooks = {}
    for chapter, outcome in outcomes.items():
        text = outcome.notebook if outcome.kind == DONE else _page_of_failure(chapter, outcome)
        notebooks[f"notebooks/{chapter.name}.ipynb"] = json.loads(text)
        if about:
            note = {"cell_type": "markdown", "id": "words", "metadata": {}, "source": f":::{{note}}\n{about}\n:::"}
            notebooks[f"notebooks/{chapter.name}.ipynb"]["cells"].insert(1, note)
    pages = {f"book/{name}": book_file(name).read_text(encoding="utf-8") for name in PAGES} | {"index.md": front}
    resolve = _resolver(notebooks, pages)
    for path, notebook in notebooks.items():
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = resolve(path, "".join(cell["source"]))
        (folder / path).write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")
    for path, text in pages.items():
        (folder / path).write_text(resolve(path, text), encoding="utf-8")
    shutil.copy(book_file("references.bib"), folder / "book")
    shutil.copytree(
        book_file("_static"), folder / "book" / "_static", ignore=shutil.ignore_patterns("*.png", "layers.svg")
    )
    _write_settings(folder, list(notebooks), title)


def fenced(words: str) -> str:
    """Words as a block of lines that are shown letter by letter, whatever is in them."""
    words = "\n".join(part for line in words.splitlines() for part in textwrap.wrap(line, WIDTH) or [""])
    return _block(words, "text")


def _block(words: str, language: str) -> str:
    longest = max((len(run) for run in re.findall("`+", words)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{words.strip()}\n{fence}"


def _page_of_failure(chapter: Chapter, outcome: Outcome) -> str:
    """A page in the place of a chapter: what stopped it, and in which cell."""
    if outcome.kind == NOT_POSSIBLE:
        words = [f"# {chapter.title}", "This chapter cannot be done with this table of runs. The package says why:"]
        words += [fenced(outcome.message)]
    else:
        where = "" if outcome.cell is None else f" in its code cell {outcome.cell}"
        words = [f"# {chapter.title}", f"This chapter failed{where}, and the others went on without it."]
        words += [fenced(f"{outcome.error}: {outcome.message}")]
    if outcome.source:
        words += ["The cell in which it stopped:", _block(outcome.source, "python")]
    cell = {"cell_type": "markdown", "id": "stopped", "metadata": {}, "source": "\n\n".join(words)}
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


def _resolver(notebooks: dict[str, dict], pages: dict[str, str]) -> Callable[[str, str], str]:
    """The function (path, text) → text that turns references to what this book lacks into plain words."""
    there = {*notebooks, *pages}
    here = {label for notebook in notebooks.values() for label in _labels(notebook)}
    here |= {label for text in pages.values() for label in _targets(text)}
    titles, homes = _whole_book()

    def link(path: str, found: re.Match) -> str:
        words, target, anchor = found.groups()
        page = _normal(path, target) if target else path
        if page in there and (target or anchor in here or not anchor):
            return found[0] if not anchor or anchor in here else f"[{words}]({target})"
        return words or _title(titles, page, homes.get(anchor))

    def role(found: re.Match) -> str:
        kind, words, label = found[1], found[2], found[3] or found[4]
        if label in here:
            return found[0]
        if words and "%" not in words:
            return words
        return f"{_NOUNS[kind]} of {_title(titles, homes.get(label), None)}"

    def resolve(path: str, text: str) -> str:
        parts = _FENCE.split(text)
        for i in range(0, len(parts), 2):
            parts[i] = _ROLE.sub(role, _LINK.sub(lambda found: link(path, found), parts[i]))
        return "".join(parts)

    return resolve


def _normal(path: str, target: str) -> str:
    """The page that a relative link of another page means."""
    parts = [*Path(path).parent.parts]
    for part in Path(target).parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _title(titles: dict[str, str], page: str | None, other: str | None) -> str:
    name = titles.get(page or "") or titles.get(other or "")
    return f"*{name}* (in the whole book)" if name else "a page of the whole book"


def _targets(text: str) -> list[str]:
    return [next(filter(None, groups)) for groups in _TARGETS.findall(text)]


def _labels(notebook: dict) -> list[str]:
    """What can be referred to in a notebook: targets in its text, and figures."""
    found = []
    for cell in notebook["cells"]:
        if is_caption(cell):
            continue
        if cell["cell_type"] == "markdown":
            found += _targets("".join(cell["source"]))
        elif any("image/png" in output.get("data", {}) for output in cell["outputs"]):
            found.append(cell["metadata"].get("mystnb", {}).get("figure", {}).get("name"))
    return [label for label in found if label]


def _whole_book() -> tuple[dict[str, str], dict[str, str]]:
    """Titles of the pages of the whole book, and the page of each label."""
    titles, homes = {}, {}
    for path in chapter_files():
        page, notebook = f"notebooks/{path.name}", json.loads(path.read_text(encoding="utf-8"))
        titles[page] = Chapter(path).title
        homes |= {label: page for label in _labels(notebook)}
    for path in book_file(".").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        if heading := re.search(r"^# +(.+)$", text, flags=re.MULTILINE):
            titles[f"book/{path.name}"] = heading[1]
        homes |= {label: f"book/{path.name}" for label in _targets(text)}
    return titles, homes


def _write_settings(folder: Path, notebooks: list[str], title: str) -> None:
    """The whole book's settings, without the execution of notebooks, and the contents of this one."""
    import yaml

    settings = yaml.safe_load(book_file("_config.yml").read_text(encoding="utf-8"))
    settings |= {"title": title, "author": "", "copyright": "", "execute": {"execute_notebooks": "off"}}
    settings["exclude_patterns"] = ["_build", ".*", "**/.*"]
    config = settings["sphinx"]["config"]
    config |= {"html_show_copyright": False, "nb_output_stderr": "remove"}
    config["html_css_files"] = [*config["html_css_files"], "report.css"]
    chapters = [{"file": str(Path(path).with_suffix(""))} for path in notebooks]
    pages = [{"file": f"book/{Path(name).stem}"} for name in PAGES]
    parts = [{"caption": "On your runs", "chapters": chapters}, {"caption": "Reference", "chapters": pages}]
    contents = {"format": "jb-book", "root": "index", "parts": parts}
    (folder / "_config.yml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    (folder / "_toc.yml").write_text(yaml.safe_dump(contents, sort_keys=False), encoding="utf-8")
