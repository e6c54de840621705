"""The notebooks of a kit run: students' as far as their answers are not needed, the whole ones to the end.

The whole ones are the chapters and checks below their solutions: ``test_checks`` shows both.
"""

import json

import pytest

from scaling.book.chapters import DONE, Chapter, execute
from scaling.course.notebooks import solved_notebook, student_notebook
from scaling.course.plain import Plain
from scaling.sources.files import chapter_files

pytestmark = pytest.mark.slow
#: chapters that take seconds
QUICK = [path for path in chapter_files() if path.name[:2] in ("03", "04", "19")]


def run(path, how, change=lambda notebook: None):
    notebook = how(Chapter(path), Plain(f"notebooks/{path.name}"))
    change(notebook)
    return execute(json.dumps(notebook), {}, {})


@pytest.mark.parametrize(
    ("path", "how"),
    [(QUICK[0], solved_notebook), *((path, student_notebook) for path in QUICK)],
    ids=lambda each: getattr(each, "stem", None),
)
def test_notebooks_run(path, how):
    outcome = run(path, how)
    assert outcome.kind == DONE, f"{outcome.error}: {outcome.message}\n{outcome.source}"


def test_a_notebook_that_lacks_a_cell_does_not_run():
    """So that the test above can fail."""

    def forget(notebook):
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        notebook["cells"].remove(code[1])

    assert run(QUICK[0], student_notebook, forget).error == "NameError"
