"""The notebooks of a kit: nothing of a solution is left for students, and nothing else is taken from them."""

import json
import re

import nbformat
import planted
import pytest

from scaling.book.chapters import Chapter
from scaling.course.notebooks import solved_notebook, student_notebook
from scaling.course.plain import Plain
from scaling.course.strip import parts_of
from scaling.errors import PagesError
from scaling.sources.files import chapter_files

CHAPTERS = chapter_files()
#: what is MyST and no Markdown
RAW = re.compile(
    r"\{(?:cite|numref|eq|ref|doc|prf)[\w:]*\}`|^(?::::|```)\s*\{|^\([\w-]+\)=|^\$\$ \(|\]\(\)", re.MULTILINE
)


#: said of a figure elsewhere: in the list of figures, or by the caption that a notebook of a kit has from its metadata
APART = {"KEEP-alt", "KEEP-repeated", "SECRET-repeated"}


def marks(text, kind):
    return set(re.findall(rf"{kind}[-_][\w-]+", text))


def made(chapter, how):
    return how(chapter, Plain(f"notebooks/{chapter.path.name}"))


def source(cell):
    return "".join(cell["source"])


def solution_cells(path):
    """The cells between the marks of executed solutions, and the words of closed ones, found without the package."""
    inside, found = False, []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = source(cell)
        if cell["cell_type"] == "code":
            found += [cell] if inside else []
            continue
        for line in text.splitlines():
            if line.startswith(":::{solution-start}"):
                inside = True
            elif line.startswith(":::{solution-end}"):
                inside = False
    return found


@pytest.fixture
def chapter(tmp_path):
    return planted.chapter(tmp_path)


def test_no_mark_of_a_solution_is_left_for_students(chapter):
    text = json.dumps(made(chapter, student_notebook))
    assert marks(chapter.text, "SECRET"), "nothing was planted"
    assert marks(text, "SECRET") == set()
    assert marks(text, "KEEP") == marks(chapter.text, "KEEP") - APART


def test_the_whole_notebook_has_every_mark(chapter):
    text = json.dumps(made(chapter, solved_notebook))
    for kind in ("SECRET", "KEEP"):
        assert marks(text, kind) == marks(chapter.text, kind) - APART


def test_an_answer_stands_in_the_place_of_each_solution(chapter):
    cells = made(chapter, student_notebook)["cells"]
    answers = {cell["id"]: cell["cell_type"] for cell in cells if "answer" in cell["metadata"].get("tags", [])}
    assert answers == {
        "answer-ex-first": "markdown",
        "answer-ex-second": "markdown",
        "answer-ex-third": "markdown",
        "answer-ex-fourth": "code",
    }
    places = [cell["id"] for cell in cells]
    task = next(cell["id"] for cell in cells if "KEEP-task" in source(cell))
    assert places.index("answer-ex-fourth") == places.index(task) + 1


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["x\n\n:::{solution-start} ex-a\n:::\n"], "the solution of ex-a does not end"),
        (["x\n\n:::{solution-end}\n:::\n"], "cell 1: a solution ends that has not begun"),
        (
            [":::{solution-start} ex-a\n:::\n", ":::{solution-start} ex-b\n:::\n"],
            "cell 2: a solution begins inside that of ex-a",
        ),
        ([":::{solution} ex-a\nSECRET\n"], "cell 1: the block that ':::{solution} ex-a' begins is not closed"),
        (["- a point\n\n  - :::{solution} ex-a\n    SECRET\n    :::\n"], "inside a list or another block"),
        (["1. a point\n\n    :::{solution} ex-a\n    SECRET\n    :::\n"], "inside a list or another block"),
        (["> :::{solution} ex-a\n> SECRET\n> :::\n"], "inside a list or another block"),
        (["::::{note}\n:::{solution} ex-a\nSECRET\n:::\n::::\n"], "inside a list or another block"),
        ([":::::{note}\n::::{tip}\n```{solution} ex-a\nSECRET\n```\n::::\n:::::\n"], "inside a list or another block"),
    ],
)
def test_where_a_solution_ends_is_never_guessed(tmp_path, cells, words):
    chapter = planted.chapter(tmp_path, [planted.words(text) for text in cells])
    with pytest.raises(PagesError, match=re.escape(words)):
        made(chapter, student_notebook)


@pytest.mark.parametrize(
    "text",
    [
        "   :::{solution} ex-a\n   SECRET-in\n   :::\n",
        "::: {solution} ex-a\nSECRET-in\n:::\n",
        "~~~ {solution} ex-a\nSECRET-in\n~~~\n",
        "  ```{solution-start} ex-a\n  ```\nSECRET-in\n\n::: {solution-end}\n:::\n",
        "% SECRET-note\n",
        "<!-- SECRET-note,\nSECRET-more -->\n",
    ],
)
def test_nothing_is_left_however_a_solution_or_a_note_is_set(tmp_path, text):
    chapter = planted.chapter(tmp_path, [planted.words(f"# Title\n\nKEEP-before `a`% and\n\n{text}\nKEEP-after\n")])
    left = json.dumps(made(chapter, student_notebook))
    assert marks(left, "SECRET") == set()
    assert marks(left, "KEEP") == {"KEEP-before", "KEEP-after"}


def test_nothing_is_left_in_what_a_cell_says_of_itself(tmp_path):
    cells = [planted.words("# Title"), planted.code("x = 1", ["parameters"], solution="SECRET-metadata")]
    cells += [
        {**planted.words("KEEP-text"), "metadata": {"answer": "SECRET-told"}, "attachments": {"SECRET-a.png": {}}}
    ]
    left = json.dumps(made(planted.chapter(tmp_path, cells), student_notebook))
    assert marks(left, "SECRET") == set()
    assert "KEEP-text" in left
    assert "parameters" in left


def test_code_that_shows_a_directive_is_no_directive(tmp_path):
    shown = "How to write one:\n\n~~~\n:::{solution} ex-a\nKEEP-shown\n:::\n~~~\n"
    chapter = planted.chapter(tmp_path, [planted.words(f"# Title\n\n{shown}")])
    assert "KEEP-shown" in json.dumps(made(chapter, student_notebook))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_of_a_chapter_no_line_of_a_solution_is_left(path):
    student = made(Chapter(path), student_notebook)
    code = {
        line.strip() for cell in student["cells"] if cell["cell_type"] == "code" for line in source(cell).splitlines()
    }
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    hidden = solution_cells(path)
    outside = {line.strip() for cell in cells if cell not in hidden for line in source(cell).splitlines()}
    lines = {line.strip() for cell in hidden for line in source(cell).splitlines()} - outside
    assert len(lines) > 3 or path.stem.startswith("00")
    assert lines & code == set()
    pictures = {json.dumps(output) for cell in hidden for output in cell["outputs"]}
    left = {json.dumps(output) for cell in student["cells"] for output in cell.get("outputs", [])}
    elsewhere = {json.dumps(output) for cell in cells if cell not in hidden for output in cell.get("outputs", [])}
    assert (pictures - elsewhere) & left == set()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_checks_of_the_derivation_stay_and_those_of_solutions_go(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    hidden = [cell for cell in code if "remove-cell" in cell["metadata"].get("tags", [])]
    stay = [source(cell) for cell in hidden if cell not in solution_cells(path)]
    left = [
        cell
        for cell in made(Chapter(path), student_notebook)["cells"]
        if "remove-cell" in cell["metadata"].get("tags", [])
    ]
    assert [source(cell) for cell in left] == stay
    assert all(cell["metadata"]["jupyter"]["source_hidden"] for cell in left)


@pytest.mark.parametrize("how", [student_notebook, solved_notebook])
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_notebooks_are_valid_and_plain(path, how):
    notebook = made(Chapter(path), how)
    nbformat.validate(nbformat.from_dict(notebook))
    texts = [source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    assert [text for text in texts if RAW.search(text)] == []
    assert not re.search(r"Fig\. (?!\d)|equation \(\)|Exercise \.", "\n".join(texts))
    assert "`scaling`" in texts[0]
    assert "make environment" in texts[0]


def test_every_part_of_a_chapter_is_text_code_or_a_block(chapter):
    parts = list(parts_of(json.loads(chapter.text)["cells"], chapter.name))
    assert sum(part.is_code for part in parts) == sum(cell["cell_type"] == "code" for cell in planted.CELLS)
    assert {part.solves for part in parts} == {"", "ex-first", "ex-second", "ex-third", "ex-fourth"}
