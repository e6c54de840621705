"""What a reader meets on the pages: plain words, cells that argue, exercises of three kinds, titles of their own."""

import ast
import base64
import io
import json
import re
from pathlib import Path

import PIL.Image
import pytest

from scaling.figures.style import DOTS, TEXT

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
NOTEBOOKS = [*CHAPTERS, *sorted((ROOT / "notebooks" / "replications").glob("*.ipynb"))]
PAGES = sorted((ROOT / "book").glob("*.md"))
#: words of trade that a foreign reader takes for something else
ODD = re.compile(r"\b(dear|dearer|dearest)\b", re.IGNORECASE)
#: a decimal without the zero before its point
BARE = re.compile(r"(?<![\w.`$\\{/-])\.[0-9]")
KINDS = {"One minute": 2, "Compute": 3, "Open": 1}
CHECKS = re.compile(
    r"This chapter runs (one check|\d+ checks) that the page does not show; open the notebook to read (?:it|them)\."
)


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def text(cell):
    return "".join(cell["source"])


def tags(cell):
    return set(cell["metadata"].get("tags", []))


def prose(path):
    """The Markdown of a notebook or a page without its code and formulas."""
    words = (
        "\n".join(text(each) for each in cells(path) if each["cell_type"] == "markdown")
        if path.suffix == ".ipynb"
        else path.read_text()
    )
    words = re.sub(r"```.*?```", "", words, flags=re.DOTALL)
    return re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$|`[^`\n]+`", "", words, flags=re.DOTALL)


def printed(path):
    """What the shown cells of a notebook print."""
    for cell in cells(path):
        if cell["cell_type"] == "code" and not tags(cell) & {"remove-cell", "remove-output"}:
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                yield (
                    "".join(output.get("text", ""))
                    + "".join(data.get("text/markdown", ""))
                    + "".join(data.get("text/plain", ""))
                )


@pytest.mark.parametrize("path", [*NOTEBOOKS, *PAGES], ids=lambda path: path.stem)
def test_words_are_plain(path):
    assert not ODD.findall(prose(path))
    if path.suffix == ".ipynb":
        assert not [words for words in printed(path) if ODD.search(words)]


@pytest.mark.slow
def test_the_package_speaks_plainly():
    found = []
    for path in sorted((ROOT / "scaling").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and ODD.search(node.value):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_decimals_have_their_zero(path):
    bare = [line for line in prose(path).splitlines() if BARE.search(line) and "http" not in line]
    assert not bare


def is_assertion(node):
    return isinstance(node, ast.Assert)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_assertion_is_on_the_page_and_the_page_says_how_many_are_not(path):
    """A check is run with the chapter, unseen; what is seen is the argument."""
    shown, unseen = [], 0
    for cell in cells(path):
        if cell["cell_type"] != "code":
            continue
        if "remove-cell" in tags(cell):
            unseen += 1
        elif not tags(cell) & {"hide-input", "remove-input", "hide-cell"}:
            shown += [text(cell) for node in ast.walk(ast.parse(text(cell))) if isinstance(node, ast.Assert)]
    assert not shown
    told = "one check" if unseen == 1 else f"{unseen} checks"
    assert CHECKS.findall(prose(path)) == ([told] if unseen else [])


def exercises(path):
    """The titles of the exercises of a notebook."""
    return re.findall(
        r"^(?::::+|```+)\{exercise(?:-start)?\}\s*(.*?)\s*$",
        "\n".join(text(each) for each in cells(path) if each["cell_type"] == "markdown"),
        flags=re.MULTILINE,
    )


def test_there_are_exercises_enough():
    assert sum(len(exercises(path)) for path in NOTEBOOKS) >= 90


@pytest.mark.parametrize(
    "path", [path for path in CHAPTERS if path.stem[:2] not in ("00", "20")], ids=lambda path: path.stem
)
def test_each_chapter_has_exercises_of_three_kinds(path):
    found = exercises(path)
    counts = {kind: sum(title.startswith(f"{kind}:") for title in found) for kind in KINDS}
    assert sum(counts.values()) == len(found) >= 5
    assert all(counts.values())


def titles():
    for path in [*NOTEBOOKS, *PAGES]:
        words = (
            "\n".join(text(each) for each in cells(path) if each["cell_type"] == "markdown")
            if path.suffix == ".ipynb"
            else path.read_text()
        )
        yield path.stem, re.search(r"^# (.+)$", words, flags=re.MULTILINE)[1]


def test_no_two_pages_share_a_name():
    names = [title for _, title in titles()]
    assert len(names) == len(set(names))


#: what the figures of a page are narrowed to on a phone 400 pixels wide (measured), and the least size of a label there
PHONE, LEAST = 352, 10.0


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_labels_of_figures_can_be_read_on_a_phone(path):
    """Letters have one size, which no drawing cell lowers; so the width of a picture says how small they become."""
    letters = TEXT / 72 * DOTS
    for cell in cells(path):
        assert not re.search(r"font_?size|labelsize", text(cell)) or cell["cell_type"] == "markdown", cell["id"]
        for output in cell.get("outputs", []):
            if picture := output.get("data", {}).get("image/png"):
                width = PIL.Image.open(io.BytesIO(base64.b64decode("".join(picture)))).width
                assert letters * min(PHONE / width, 1) >= LEAST, cell["id"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_figure_has_a_name_for_its_file(path):
    labels = [cell["metadata"].get("mystnb", {}).get("figure", {}).get("name") for cell in cells(path) if drawn(cell)]
    assert all(labels)
    assert len(labels) == len(set(labels))


def drawn(cell):
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
