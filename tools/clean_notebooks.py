"""Take from notebooks what changes with every run: times, Python's version, papermill's notes, where a stream was cut.
Write below each figure what its metadata say of it, in Markdown for JupyterLab, which reads no captions from metadata.

`python tools/clean_notebooks.py NOTEBOOK ...` rewrites those that need it and then exits with 1, as a pre-commit hook
does. Outputs stay: they are stored on purpose, and the tests compare them with what the code gives.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat

from scaling.book.chapters import CAPTION, is_caption
from scaling.course.labels import labels

#: a caption as the pages have it, and an alternative text, which is not seen there either but heard
FIGURE = """\
::::{{figure}}
{options}
{caption}

:::{{div}}
:class: sr-only
{alt}
:::
::::"""


def clean(path: Path) -> bool:
    """Whether anything had to change."""
    before = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(before, as_version=4)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for part in (notebook, *notebook.cells):
        for name in ("execution", "papermill"):
            part.metadata.pop(name, None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
    notebook.cells = captioned(notebook.cells)
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


def captioned(cells: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Cells with a caption below each that draws a figure; those that were there are written anew."""
    whole: list[nbformat.NotebookNode] = []
    for cell in cells:
        if not is_caption(cell):
            whole.append(cell)
            if "caption" in cell.metadata.get("mystnb", {}).get("figure", {}):
                whole.append(caption_of(cell))
    return whole


def caption_of(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The caption of a figure, with the number that it has in the book; a figure that is new there has none yet."""
    figure, image = cell.metadata.mystnb.figure, cell.metadata.mystnb.get("image", {})
    name = figure.get("name", "")
    options = {"name": name, "enumerator": labels().numbers.get(name, "")}
    source = FIGURE.format(
        options="\n".join(f":{option}: {value}" for option, value in options.items() if value),
        caption=figure.caption,
        alt=image.get("alt", ""),
    )
    metadata = {"editable": False, "tags": ["remove-cell", CAPTION]}
    return nbformat.v4.new_markdown_cell(source, id=f"{cell.id}-caption", metadata=metadata)


def main() -> int:
    cleaned = [path for path in map(Path, sys.argv[1:]) if clean(path)]
    for path in cleaned:
        print(f"cleaned {path}")
    return 1 if cleaned else 0


if __name__ == "__main__":
    sys.exit(main())
