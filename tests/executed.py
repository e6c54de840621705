"""Chapters as papermill executes them, once in a process for all who ask: whole, with their solutions and checks.

Before each solution stands a student's empty answer, after it what spoils the answer; neither leaves a trace in what
the chapter's own cells put out, so that the book is built from the same execution.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

from scaling.book.chapters import DONE, execute
from scaling.course.checks import checks
from scaling.course.notebooks import solved_notebook, student_notebook
from scaling.course.plain import Plain

#: names whose value may be wrong without the check's saying so
SPOILT = """
def _spoilt(label, values):
    import numpy as np
    from scaling.course.checks import checks

    def wrong(value):
        if isinstance(value, str):
            return value[::-1]
        return np.asarray(value, float) * 2 + (np.asarray(value, float) == 0)

    each = checks()[label]
    said = {{name: each.words({{**values, name: wrong(values[name])}}) for name in each.answer}}
    return [name for name, words in said.items() if not words.startswith("Not yet.")]

print(_spoilt({label!r}, globals()))
"""
AT_A_TIME = 2


def made(chapter, how):
    """A notebook of a kit."""
    return how(chapter, Plain(f"notebooks/{chapter.path.name}"))


def with_empty_answers_first(chapter):
    """The whole notebook; before each solution stands the student's empty answer, after it a spoilt one."""
    empty = {cell["id"]: cell for cell in made(chapter, student_notebook)["cells"]}
    notebook, cells = made(chapter, solved_notebook), []
    for cell in notebook["cells"]:
        kind, _, label = cell["id"].partition("-")
        known = label in checks()
        if kind == "solution" and known:
            cells += [{**empty[f"{name}-{label}"], "id": f"empty-{name}-{label}"[:64]} for name in ("answer", "check")]
        cells.append(cell)
        if kind == "check" and known:
            cells.append({**cell, "id": f"spoilt-{label}"[:64], "source": SPOILT.format(label=label)})
    return notebook | {"cells": cells}


#: by the name of a chapter, its outcome to come
_BEGUN = {}


@cache
def _pool():
    return ThreadPoolExecutor(AT_A_TIME)


def _begun(chapter):
    if chapter.name not in _BEGUN:
        _BEGUN[chapter.name] = _pool().submit(execute, json.dumps(with_empty_answers_first(chapter)), {}, {})
    return _BEGUN[chapter.name]


def with_checks(chapter):
    """What became of a chapter with its checks."""
    return _begun(chapter).result()


def without_checks(chapter):
    """The same, of the chapter's own cells alone, as they stand in its file."""
    outcome = with_checks(chapter)
    if outcome.kind != DONE:
        return outcome
    notebook, executed = json.loads(chapter.text), {cell["id"]: cell for cell in json.loads(outcome.notebook)["cells"]}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert executed[cell["id"]]["source"] == cell["source"]
            cell["outputs"] = executed[cell["id"]]["outputs"]
    return replace(outcome, notebook=json.dumps(notebook))


@contextmanager
def executing(items, workers):
    """In the place of `scaling.book.chapters.executing`, for chapters that are given no table and no parameter."""
    assert all(given == (chapter.text, {}, {}) for chapter, given in items.items())
    for chapter in items:
        _begun(chapter)
    yield ((chapter, without_checks(chapter)) for chapter in items)
