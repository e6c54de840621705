"""Take from notebooks what changes with every run: times, Python's version, papermill's notes, where a stream was cut.

`python tools/clean_notebooks.py NOTEBOOK ...` rewrites those that need it and then exits with 1, as a pre-commit hook
does. Outputs stay: they are stored on purpose, and the tests compare them with what the code gives.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat


def clean(path: Path) -> bool:
    """Whether anything had to be taken away."""
    before = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(before, as_version=4)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for part in (notebook, *notebook.cells):
        for name in ("execution", "papermill"):
            part.metadata.pop(name, None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
    after = nbformat.writes(notebook) + "\n"
    if after == before:
        return False
    path.write_text(after, encoding="utf-8")
    return True


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Outputs with what was printed to one stream in one piece: a busy machine sends it in several."""
    whole: list[nbformat.NotebookNode] = []
    for output in outputs:
        if whole and output.output_type == whole[-1].output_type == "stream" and output.name == whole[-1].name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def main() -> int:
    cleaned = [path for path in map(Path, sys.argv[1:]) if clean(path)]
    for path in cleaned:
        print(f"cleaned {path}")
    return 1 if cleaned else 0


if __name__ == "__main__":
    sys.exit(main())
