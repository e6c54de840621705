"""A book without solutions has none of their words, neither on its pages nor beside them."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from scaling.book.sphinx import run_sphinx

ROOT = Path(__file__).parents[2]
CHAPTERS = ("00_tour", "06_isoflop")


def planted(path):
    """A chapter with a mark in each of its solutions, of either kind, in words, code and output."""
    notebook, inside, marks = json.loads(path.read_text()), False, 0
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            marks += (found := re.subn(r"(\{solution\}[^\n]*\n(?::[^\n]*\n)*)", r"\1QUOKKA ", text))[1]
            text = found[0]
            inside = "{solution-start}" in text or inside and "{solution-end}" not in text
        elif inside:
            text, marks = f"'QUOKKA'\n{text}", marks + 1
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["QUOKKA"]}]
        cell["source"] = text.splitlines(keepends=True)
    return notebook, marks


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [True, False])
def test_no_word_of_a_solution_is_left(hidden, tmp_path):
    source, marks = tmp_path / "source", 0
    (source / "notebooks").mkdir(parents=True)
    for name in CHAPTERS:
        notebook, count = planted(ROOT / "notebooks" / f"{name}.ipynb")
        (source / "notebooks" / f"{name}.ipynb").write_text(json.dumps(notebook))
        marks += count
    assert marks > 8
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())
    settings["execute"] = {"execute_notebooks": "off"}
    settings["sphinx"]["config"]["hide_solutions"] = hidden
    (source / "_config.yml").write_text(yaml.safe_dump(settings, allow_unicode=True))
    first, *others = (f"notebooks/{name}" for name in CHAPTERS)
    toc = {"format": "jb-book", "root": first, "chapters": [{"file": each} for each in others]}
    (source / "_toc.yml").write_text(yaml.safe_dump(toc))
    shutil.copytree(ROOT / "book" / "_static", source / "book" / "_static")
    shutil.copy(ROOT / "book" / "references.bib", source / "book")
    code, words = run_sphinx(source, tmp_path / "out", strict=False)
    assert code == 0, words[-3000:]
    html = tmp_path / "out" / "_build" / "html"
    pages = [path for path in html.rglob("*") if path.suffix in (".html", ".ipynb", ".js", ".txt", ".json")]
    telling = {path.suffix for path in pages if re.search("quokka", path.read_text(errors="ignore"), re.IGNORECASE)}
    assert telling == (set() if hidden else {".html", ".ipynb", ".js"})
    exercises = (html / "notebooks" / "06_isoflop.html").read_text().count('class="exercise')
    assert exercises >= 6
