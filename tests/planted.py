"""A chapter with a mark in every place of every solution, and another in every place that is for students."""

import json

from scaling.book.chapters import Chapter

FIGURE = {"figure": {"caption": "KEEP-caption of a line.", "name": "fig-planted"}, "image": {"alt": "KEEP-alt"}}
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="


def words(text):
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def caption(label, text):
    """What stands below a figure for JupyterLab."""
    return {**words(f"::::{{figure}}\n:name: {label}\n{text}\n::::"), "metadata": {"tags": ["remove-cell", "caption"]}}


def code(source, tags=(), outputs=(), **metadata):
    told = {"tags": list(tags), **metadata} if tags else dict(metadata)
    return {
        "cell_type": "code",
        "metadata": told,
        "source": source,
        "execution_count": None,
        "outputs": list(outputs),
    }


def printed(text):
    return {"output_type": "stream", "name": "stdout", "text": [text]}


def shown(html):
    return {"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": {"text/html": [html]}}


def drawn():
    return {"output_type": "display_data", "metadata": {}, "data": {"image/png": PICTURE}}


CELLS = [
    words("# Plant a mark\n\n**You will** KEEP-goal.\n\n**You will learn** nothing."),
    code("KEEP_parameter = 1", ["parameters"]),
    words("## First\n\nThis leads to KEEP-sentence, as {cite:t}`hoffmann2022` say:\n\n$$\nx = 1\n$$ (planted-one)\n"),
    code("assert KEEP_parameter == 1  # KEEP_check", ["remove-cell"]),
    code("print('drawn')", ["hide-input"], [drawn()], mystnb=FIGURE),
    caption("fig-planted", "KEEP-repeated"),
    words("The picture reads KEEP-reading."),
    words(
        "## Exercises\n\n"
        ":::{exercise} One minute: KEEP-first\n:label: ex-first\nKEEP-question?\n:::\n\n"
        ":::{solution} ex-first\n:class: dropdown\nSECRET-closed, and more.\n:::\n"
    ),
    words(
        "::::{exercise} One minute: KEEP-second\n:label: ex-second\nKEEP-again?\n::::\n\n"
        "::::{solution} ex-second\n:class: dropdown\nSECRET-nested\n"
        ":::{note}\nSECRET-inner\n:::\nSECRET-after\n::::\n\n"
        "```{exercise} Open: KEEP-backticks\n:label: ex-third\nKEEP-open?\n```\n\n"
        "```{solution} ex-third\nSECRET-backticks\n```\n\n"
        ":::{exercise} Compute: KEEP-compute\n:label: ex-fourth\nKEEP-task.\n:::\n\n"
        ":::{solution-start} ex-fourth\n:class: dropdown\n:::\nSECRET-same-cell\n"
    ),
    code("SECRET_code = 1", outputs=[printed("SECRET-output\n"), shown("<b>SECRET-html</b>")]),
    code("assert SECRET_code == 1  # SECRET_check", ["remove-cell"]),
    words("SECRET-between\n\n:::{admonition} SECRET-title\nSECRET-admonition\n:::\n"),
    code(
        "SECRET_figure = 2",
        ["hide-input"],
        [drawn()],
        mystnb={"figure": {"caption": "SECRET-caption", "name": "fig-hid"}},
    ),
    caption("fig-hid", "SECRET-repeated"),
    words(
        "SECRET-before-the-end\n\n:::{solution-end}\n:::\n\nKEEP-after.\n\n"
        "## Summary\n\n- KEEP-summary\n\n## References\n"
    ),
    code("print(KEEP_parameter)", outputs=[printed("KEEP-output\n")]),
]


def chapter(folder, cells=CELLS, name="21_planted"):
    """A chapter of these cells, written to a folder."""
    named = [{"id": f"c{number:02d}", **cell} for number, cell in enumerate(cells)]
    notebook = {"cells": named, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return Chapter(path)
