"""What one may forget: to export a name, to give a chapter its place, to list a paper, to write a passport."""

import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path

import api_page
import passports
import pybtex.database
import pytest
import yaml

import scaling
from scaling.diagnostics.laws import _CANDIDATES
from scaling.laws.base import Law
from scaling.sources import datasets
from scaling.sources.datasets import _DATASETS

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = [path.relative_to(ROOT) for path in (ROOT / "notebooks").rglob("*.ipynb") if "checkpoints" not in str(path)]
#: public within the package only
INNER = ("scaling.fit.engine", "scaling.sources.files", "scaling.runs.reading.door", "scaling.laws.base")
#: modules of the papers' room that are not about a paper
MACHINERY = {"__init__", "__main__", "page", "registry"}


def modules_of(room):
    """The modules of a room that is a folder, itself left out."""
    package = importlib.import_module(f"scaling.{room}")
    names = [each.name for each in pkgutil.walk_packages(getattr(package, "__path__", []), f"{package.__name__}.")]
    chosen = [name for name in names if not name.startswith(INNER) and not name.endswith("__main__")]
    return {name: importlib.import_module(name) for name in chosen}


@pytest.mark.parametrize("room", api_page.ROOMS)
def test_a_room_offers_what_its_modules_offer(room):
    offered = set(importlib.import_module(f"scaling.{room}").__all__)
    for name, module in modules_of(room).items():
        assert set(getattr(module, "__all__", ())) <= offered, f"add it to scaling/{room}/__init__.py; it is in {name}"


def test_every_law_is_offered_and_says_what_it_is():
    found = {
        name
        for module in modules_of("laws").values()
        for name, law in inspect.getmembers(module, inspect.isclass)
        if issubclass(law, Law) and law.__module__ == module.__name__ and not name.startswith("_")
    }
    assert found <= set(scaling.laws.__all__)
    assert all(getattr(scaling.laws, name).equation for name in found)


@pytest.mark.parametrize("room", ["laws", "fit"])
def test_every_law_and_fit_is_tested(room):
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py") if path.parent.name != "house")
    names = [name for name in getattr(scaling, room).__all__ if room == "laws" or name.startswith("fit_")]
    assert [name for name in names if not re.search(rf"\b{name}\b", tests)] == []


def test_every_name_is_explained():
    for room in api_page.ROOMS:
        module = importlib.import_module(f"scaling.{room}")
        for name in module.__all__:
            value = getattr(module, name)
            assert api_page.kind_of(value) == "data" or inspect.getdoc(value), f"scaling.{room}.{name}"


# --- chapters --------------------------------------------------------------------------------------------------------


def in_the_book():
    """Every notebook that the table of contents takes in, as often as it does."""
    for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]:
        for page in part["chapters"]:
            for each in (page, *page.get("sections", ())):
                pattern = (each.get("glob") or each["file"]).removesuffix(".ipynb")
                yield from (path.relative_to(ROOT) for path in ROOT.glob(f"{pattern}.ipynb"))


def test_every_chapter_is_in_the_table_of_contents_once():
    listed = list(in_the_book())
    assert not set(NOTEBOOKS) - set(listed), "give it a line in _toc.yml"
    assert not set(listed) - set(NOTEBOOKS), "_toc.yml names a notebook that is not there"
    assert len(listed) == len(set(listed)), "_toc.yml names a notebook twice"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_chapter_has_a_row_for_teachers(path):
    table = (ROOT / "book/teaching.md").read_text().partition("## Chapter by chapter")[2].partition("\n## ")[0]
    assert f"| [](../{path.as_posix()}) |" in table


def test_every_page_is_in_the_table_of_contents():
    text = (ROOT / "_toc.yml").read_text()
    assert [path.stem for path in (ROOT / "book").glob("*.md") if f"book/{path.stem}\n" not in f"{text}\n"] == []


# --- papers and sets of runs -----------------------------------------------------------------------------------------


def test_every_paper_is_listed():
    modules = {path.stem for path in (ROOT / "scaling/papers").glob("*.py")} - MACHINERY
    listed = {name for name in scaling.papers.__all__ if inspect.ismodule(getattr(scaling.papers, name))}
    assert modules == listed, "import it in scaling/papers/__init__.py and add it to __all__ there"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_of_a_template_is_left_in_a_chapter(path):
    """Sentences that a template has in the place of an author's."""
    template, text = sentences_of(ROOT / "templates/chapter.ipynb"), sentences_of(ROOT / path)
    assert not template & text, "write your own in the place of the template's"


def sentences_of(path):
    """Lines of text of a notebook that are long enough to be somebody's own."""
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "markdown"]
    lines = [line.strip() for cell in cells for line in "".join(cell["source"]).splitlines()]
    return {line for line in lines if len(line) > 40 and not line.startswith(("#", "|", "$$", "```", ":"))}


@pytest.mark.parametrize("entry", _DATASETS.values(), ids=lambda entry: entry.name)
def test_every_set_has_a_passport(entry):
    """templates/passport.md says what belongs there."""
    assert passports.missing(entry, datasets.passport_of(entry).read_text()) == []


@pytest.mark.parametrize("page", ["data/README.md", "book/data.md"])
def test_every_set_is_on_the_pages_about_data(page):
    text = (ROOT / page).read_text()
    assert [name for name in _DATASETS if f"`{name}`" not in text] == []


# --- what is forgotten most easily: the row of a comparison, a line for readers, a template's words


#: fits of a law of the loss that `compare_laws` does not show, and why
NOT_COMPARED = {
    "fit_rosenfeld": "needs the loss of a guess, which no table states",
    "fit_farseer": "nine constants and half a second: `league` shows it",
    "fit_overtraining": "the parametric loss with two constants tied",
    "fit_downstream": "of a task, from the loss",
    "fit_two_steps": "of a task, by a law of the loss that it shows",
    "fit_routed": "of the number of experts, which few tables state, and not of tokens",
    "fit_isoflop": "a frontier gives no loss",
    "fit_envelope": "a frontier gives no loss",
    "fit_broken_power_law": "of one variable, with six constants: a table seldom determines them",
    "fit_embedding_model": "a law of counts",
    "fit_multi_power": "needs the schedule of each run, which no table states",
    "fit_momentum": "needs the schedule of each run, which no table states",
}
#: in the changelog since the first version, by what they are for and not by name
SINCE_THE_FIRST = {"ChinchillaLaw", "FrontierLaw", "PowerLaw", "besiroglu2024", "sardana2024"} | {
    "fit_envelope",
    "fit_isoflop",
    "fit_parametric",
}


def test_every_fit_is_compared_or_it_is_said_why_not():
    compared = {each.method.__name__ for each in _CANDIDATES}
    fits = {name for name in scaling.fit.__all__ if name.startswith("fit_")}
    assert not compared & set(NOT_COMPARED)
    assert fits == compared | set(NOT_COMPARED), "a row in _CANDIDATES of diagnostics/laws.py, or a reason here"


def test_the_changelog_tells_of_every_law_fit_and_set():
    log = (ROOT / "CHANGELOG.md").read_text()
    laws = {name for name in scaling.laws.__all__ if inspect.isclass(getattr(scaling.laws, name))}
    fits = {name for name in scaling.fit.__all__ if name.startswith("fit_")}
    names = sorted((laws | fits | set(_DATASETS)) - SINCE_THE_FIRST)
    assert [name for name in names if f"`{name}`" not in log] == [], "a line in CHANGELOG.md for readers"


def test_the_bibliography_has_every_paper():
    keys = list(pybtex.database.parse_file(ROOT / "book/references.bib").entries)
    assert len(keys) == (ROOT / "book/references.bib").read_text().count("\n@") + 1
    papers = {path.stem for path in (ROOT / "scaling/papers").glob("*.py")} - MACHINERY
    assert papers - set(keys) == set(), "an entry in book/references.bib"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_chapter_ends_with_exercises_summary_and_references(path):
    cells = [cell for cell in json.loads((ROOT / path).read_text())["cells"] if cell["cell_type"] == "markdown"]
    lines = [line.strip() for cell in cells for line in "".join(cell["source"]).splitlines()]
    assert [line for line in lines if line.startswith("## ")][-3:] == ["## Exercises", "## Summary", "## References"]


@pytest.mark.parametrize("passport", sorted((ROOT / "data").glob("*/README.md")), ids=lambda path: path.parent.name)
def test_nothing_of_a_template_is_left_in_a_passport(passport):
    text = passport.read_text()
    left = re.findall(r"Author et al|0000\.00000|0{40}|from to|name2026", text)
    assert left == [], "write your own in the place of the template's"
    assert "## Columns" in text
    assert "## Known defects" in text
