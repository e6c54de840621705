"""The tools around the package: what is taken from a notebook, and the hooks that run before a commit."""

import re
import shutil
import tomllib
from itertools import pairwise
from pathlib import Path

import by_file
import clean_notebooks
import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path for path in (ROOT / "notebooks").rglob("*.ipynb") if "checkpoints" not in str(path))


def test_times_versions_and_papermills_notes_are_taken_away(tmp_path, monkeypatch, capsys):
    path = tmp_path / "chapter.ipynb"
    output = nbformat.v4.new_output("stream", name="stdout", text="1.69\n")
    metadata = {"tags": ["parameters"], "execution": {"iopub.execute_input": "now"}, "papermill": {"duration": 1.0}}
    cell = nbformat.v4.new_code_cell("print(1.69)", outputs=[output], execution_count=1, metadata=metadata)
    about = {"language_info": {"name": "python", "version": "3.12.0"}, "papermill": {"version": "2"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=about), path)
    monkeypatch.setattr("sys.argv", ["clean_notebooks.py", str(path)])
    assert clean_notebooks.main() == 1
    assert "cleaned" in capsys.readouterr().out
    after = nbformat.read(path, as_version=4)
    assert after.metadata == {"language_info": {"name": "python"}}
    assert after.cells[0].metadata == {"tags": ["parameters"]}
    assert after.cells[0].outputs == [output]
    assert after.cells[0].execution_count == 1
    assert clean_notebooks.main() == 0


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_chapters_are_clean(path, tmp_path):
    copy = Path(shutil.copy(path, tmp_path))
    assert not clean_notebooks.clean(copy), f"python tools/clean_notebooks.py {path.relative_to(ROOT)}"


def test_captions_are_written_from_the_metadata_of_figures(tmp_path):
    """Once: what was there is written anew, below its figure or nowhere; a figure of the book has its number there."""
    path = tmp_path / "chapter.ipynb"
    told = {"figure": {"caption": "What is seen.", "name": "fig-isoflop-parabolas"}, "image": {"alt": "Nine valleys."}}
    new = {"figure": {"caption": "Not in the book.", "name": "fig-new"}, "image": {"alt": "Words."}}
    cells = [
        nbformat.v4.new_code_cell("draw()", id="one", metadata={"mystnb": told}),
        nbformat.v4.new_markdown_cell("Its reading.", id="two"),
        nbformat.v4.new_code_cell("draw()", id="three", metadata={"mystnb": new}),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert clean_notebooks.clean(path)
    assert not clean_notebooks.clean(path)
    notebook = nbformat.read(path, as_version=4)
    assert [cell.id for cell in notebook.cells] == ["one", "one-caption", "two", "three", "three-caption"]
    first, last = notebook.cells[1], notebook.cells[4]
    assert first.metadata == {"editable": False, "tags": ["remove-cell", "caption"]}
    for words in (":enumerator: 6.2\nWhat is seen.\n", "Nine valleys.", ":name: fig-isoflop-parabolas\n"):
        assert words in first.source
    assert ":enumerator:" not in last.source
    notebook.cells[0].metadata.mystnb.figure.caption = "What else is seen."
    del notebook.cells[2:4]
    nbformat.write(notebook, path)
    assert clean_notebooks.clean(path)
    after = nbformat.read(path, as_version=4).cells
    assert [cell.id for cell in after] == ["one", "one-caption"]
    assert "What else is seen." in after[1].source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_figure_has_its_caption_and_number_below_it(path):
    """Found without the tool, which `test_chapters_are_clean` runs."""
    cells = nbformat.read(path, as_version=4).cells
    figures = [(cell.metadata.mystnb, below) for cell, below in pairwise(cells) if "mystnb" in cell.metadata]
    chapter = int(path.stem[:2]) if path.stem[:2].isdigit() else 0
    for place, (told, below) in enumerate(figures, start=1):
        assert below.metadata.tags == ["remove-cell", "caption"]
        number = f"{chapter}.{place}" if chapter else f"{place}"
        for words in (f":name: {told.figure.name}", f":enumerator: {number}", told.figure.caption, told.image.alt):
            assert words in below.source.splitlines()
    assert len(figures) == sum("caption" in cell.metadata.get("tags", []) for cell in cells)


def test_hooks_run_from_the_pinned_environment():
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    hooks = {hook["id"]: hook["entry"] for hook in repository["hooks"]}
    assert all(entry.startswith(".venv/bin/") for entry in hooks.values())
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))
    assert {"ruff", "mypy", "import-linter", "codespell", "pre-commit-hooks"} <= pinned
    assert {"check-added-large-files", "check-yaml", "check-toml", "clean-notebooks"} <= set(hooks)


def recipe_of(target):
    return (ROOT / "Makefile").read_text().partition(f"\n{target}:")[2].partition("\n\n")[0]


def test_check_leaves_out_what_test_does_not():
    everything = "tests scaling $(PYTEST_ARGS)"
    assert everything in recipe_of("test")
    assert everything in recipe_of("check")
    assert '-m "not slow and not browser"' in recipe_of("check")
    assert " -m " not in recipe_of("test").partition("-m pytest")[2]


def test_those_that_stand_alone_are_there():
    """Tests that are dealt out one by one: under another name they would go with their file again."""
    for file, _, name in (each.partition("::") for each in by_file.ALONE):
        assert not name or f"def {name}" in (ROOT / file).read_text(), name
        assert (ROOT / file).is_file(), file


def test_lint_runs_every_tool():
    recipe = recipe_of("lint")
    for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports", "codespell"):
        assert tool in recipe
    assert "codespell" in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
