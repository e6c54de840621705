"""Take from notebooks what changes with every run and machine: times of execution, Python's version, papermill's notes.

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
    after = nbformat.writes(notebook) + "\n"
    if after == before:
        return False
    path.write_text(after, encoding="utf-8")
    return True


def main() -> int:
    cleaned = [path for path in map(Path, sys.argv[1:]) if clean(path)]
    for path in cleaned:
        print(f"cleaned {path}")
    return 1 if cleaned else 0


if __name__ == "__main__":
    sys.exit(main())
