"""The recipes of templates/README.md, followed in a copy of the project: each template, filled in, does its work."""

import ast
import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import clean_notebooks
import nbformat
import papermill
import passports
import pytest

import scaling
from scaling.sources import datasets, downloaded

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
#: most lines of a cell, of a function in it, and most characters of a line
CELL, FUNCTION, LINE = 25, 8, 88


def filled(name, **more):
    """A template with the names of an example in its places."""
    text = (TEMPLATES / name).read_text()
    for place, word in {"NameLaw": "SampleLaw", "fit_name": "fit_sample", "name2026": "sample2026", **more}.items():
        text = text.replace(place, word)
    return text


@pytest.fixture
def project(tmp_path):
    """A copy of what a contributor changes."""
    folder = tmp_path / "project"
    for name in ("scaling", "data", "tests/laws"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run(folder, *command):
    """Python, with the package of the copy."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def assert_in_style(folder, *files):
    run(folder, "-m", "ruff", "check", "--no-cache", *files)
    run(folder, "-m", "ruff", "format", "--check", "--no-cache", *files)


def export(folder, room, module, name):
    """Import a name in a room's __init__.py and add it to its __all__."""
    path = folder / "scaling" / room / "__init__.py"
    text = path.read_text().replace("__all__ = [", f'__all__ = [\n    "{name}",', 1)
    path.write_text(text.replace("\n\n__all__", f"\nfrom .{module} import {name}\n\n__all__", 1))


@pytest.mark.slow
def test_a_law(project):
    (project / "scaling/laws/sample.py").write_text(filled("law.py"))
    export(project, "laws", "sample", "SampleLaw")
    fit = (ROOT / "scaling/fit/parametric.py").read_text()
    for old, new in (("laws.chinchilla", "laws.sample"), ("ChinchillaLaw", "SampleLaw"), ("_parametric", "_sample")):
        fit = fit.replace(old, new)
    (project / "scaling/fit/sample.py").write_text(fit)
    export(project, "fit", "sample", "fit_sample")
    (project / "tests/laws/test_sample.py").write_text(filled("test_law.py"))
    assert_in_style(project, "scaling/laws/sample.py", "tests/laws/test_sample.py")
    plain = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:nbval", "-p", "no:xdist")
    assert "8 passed" in run(project, *plain, "tests/laws/test_sample.py", "scaling/laws/sample.py"), "and its doctest"


@pytest.mark.slow
def test_a_claim(project):
    with (project / "data/published.csv").open("a") as table:
        table.write("sample2026/table1/flops,budget,5.76e23,,,FLOP,Table 1,read in the paper,\n")
        table.write("sample2026/table1/params,best size at that budget,40e9,,,parameters,Table 1,read in the paper,\n")
    (project / "scaling/papers/sample2026.py").write_text(filled("claim.py"))
    path = project / "scaling/papers/__init__.py"
    listed = path.read_text().replace("import (\n", "import (\n    sample2026,\n", 1)
    path.write_text(listed.replace("__all__ = [", '__all__ = [\n    "sample2026",', 1))
    assert_in_style(project, "scaling/papers/sample2026.py")
    code = "import scaling; print(*scaling.scorecard('sample2026')[['id', 'verdict']].iloc[0])"
    assert run(project, "-c", code).strip() == "sample2026/table1/params reproduced"


def test_a_claim_of_a_number_that_is_not_in_the_table_is_refused():
    with pytest.raises(scaling.errors.UnknownPublishedError, match="sample2026"):
        exec(filled("claim.py"), {"__name__": "scaling.papers.sample2026", "__package__": "scaling.papers"})


def test_a_set_of_runs(tmp_path, monkeypatch):
    content = b"Parameters,Tokens,Loss,Corpus\n1e6,2e7,4.0,web\n2e6,4e7,3.8,books\n4e6,8e7,3.6,web\n"
    facts = {"0" * 64: hashlib.sha256(content).hexdigest(), "0" * 40: "c0ffee" + "0" * 34}
    (tmp_path / "dataset.py").write_text(filled("dataset.py", **facts))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert_in_style(tmp_path, "dataset.py")
    (tmp_path / "sample2026").mkdir()
    pins = filled("files.csv", **facts).replace(",0\n", f",{len(content)}\n")
    (tmp_path / "sample2026/files.csv").write_text(pins)
    (tmp_path / "sample2026/runs.csv").write_bytes(content)
    monkeypatch.setattr(downloaded, "data_file", lambda name: tmp_path / name)
    monkeypatch.setenv(downloaded.MIRROR, str(tmp_path))
    names = {}
    exec((tmp_path / "dataset.py").read_text(), names)
    entry = names["SET"]
    assert passports.missing(entry, filled("passport.md", **facts)) == []
    monkeypatch.setitem(datasets._DATASETS, entry.name, entry)
    runs = scaling.load_runs(entry.name)
    assert len(runs) == entry.rows
    assert runs["flops"].tolist() == [6 * 1e6 * 2e7, 6 * 2e6 * 4e7, 6 * 4e6 * 8e7]
    assert {group: len(scaling.load_runs(f"{entry.name}/{group}")) for group in entry.groups} == entry.groups


# --- the chapter -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    """The folder of a chapter that was filled in, executed and cleaned, and its name."""
    folder = tmp_path_factory.mktemp("notebooks")
    text = filled("chapter.ipynb", **{"fig-name": "fig-sample", "ex-name": "ex-sample", "(name-of": "(sample-of"})
    (folder / "draft.ipynb").write_text(text)
    path = folder / "16_sample.ipynb"
    papermill.execute_notebook(str(folder / "draft.ipynb"), str(path), kernel_name="python3", progress_bar=False)
    clean_notebooks.clean(path)
    return path


def test_a_chapter_has_the_anatomy_of_chapters(chapter, monkeypatch):
    house = importlib.import_module("house.test_notebooks")
    monkeypatch.setattr(house, "FOLDER", chapter.parent)
    checks = [name for name in dir(house.TestAnatomy) if name.startswith("test_")]
    assert len(checks) >= 7
    for check in checks:
        getattr(house.TestAnatomy(), check)(chapter.name)


def test_a_chapter_keeps_the_caps_and_the_style(chapter):
    shutil.copy(ROOT / "pyproject.toml", chapter.parent)
    assert_in_style(chapter.parent, chapter.name)
    for cell in nbformat.read(chapter, as_version=4).cells:
        if cell.cell_type == "code":
            lines = cell.source.splitlines()
            assert len(lines) <= CELL
            assert max(map(len, lines)) <= LINE
            functions = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.FunctionDef)]
            assert all(node.end_lineno - node.lineno < FUNCTION for node in functions)


def test_a_chapter_has_every_part(chapter):
    cells = nbformat.read(chapter, as_version=4).cells
    text = "\n".join(cell.source for cell in cells)
    for part in (
        "will do:",
        "will learn:",
        "You need:",
        "## Exercises",
        "{solution-start}",
        "## Summary",
        "## References",
    ):
        assert part in text
    for word in ("sympy", "simulate_runs", "claims_table", "assert"):
        assert any(word in cell.source for cell in cells if cell.cell_type == "code")


# --- the recipes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["templates/README.md", "CONTRIBUTING.md", "book/architecture.md"])
def test_files_that_a_recipe_names_are_there(page):
    """What contains `name`, `16_` or `FILE` is the contributor's own."""
    named = re.findall(r"`([\w./]+/[\w./]*\w)`", (ROOT / page).read_text())
    own = re.compile(r"name|16_|NAME|paper/")
    missing = [
        file
        for file in named
        if not own.search(file) and not any((ROOT / root / file).exists() for root in ("", "scaling"))
    ]
    assert not missing


def test_every_template_has_a_recipe():
    recipes = (TEMPLATES / "README.md").read_text()
    assert [path.name for path in TEMPLATES.iterdir() if f"templates/{path.name}`" not in recipes] == ["README.md"]
