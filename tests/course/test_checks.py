"""Checks of exercises: solutions pass, empty and wrong answers fail with a hint, and an autograder says the same."""

import ast
import builtins
import importlib.util
import json
import re
import sys
import types
from functools import cache

import pytest
from click.testing import CliRunner
from executed import made, with_checks
from needed_cells import Cell

from scaling.book.chapters import DONE, Chapter
from scaling.book.processes import fork_kernels
from scaling.course.autograder import checks_of, otter_file, write_checks
from scaling.course.checks import Check, Condition, Hint, check, checks, near
from scaling.course.notebooks import solved_notebook, student_notebook
from scaling.course.strip import ends_of_code, parts_of
from scaling.errors import PagesError
from scaling.sources.files import chapter_files

CHAPTERS = [Chapter(path) for path in chapter_files()]
#: a chapter that takes seconds
QUICK = next(chapter for chapter in CHAPTERS if chapter.number == "03")
SMALL = Check(
    "ex-small",
    {"half": "half of the whole", "pair": "two numbers"},
    "Begin with the whole.",
    (Condition("near(half * 2, whole)", "Twice the half is the whole."), Condition("pair[0] < pair[1]", "Sort them.")),
)


def source(cell):
    return "".join(cell["source"])


def printed(cell):
    return "".join("".join(each.get("text", each.get("evalue", ""))) for each in cell["outputs"])


def shown(cell):
    """All words of the outputs of a cell, as they are stored: printed, and each form of a result but for pictures."""
    results = (kind for each in cell["outputs"] for kind in sorted(each.get("data", {}).items()))
    return printed(cell) + "".join("".join(words) for kind, words in results if kind.startswith("text/"))


def code_of(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


@cache
def bound(chapter):
    """Names that the code of a chapter defines: by the exercise whose solution does it, or "" outside of any."""
    found, inside = {"": set()}, ""
    for cell in json.loads(chapter.text)["cells"]:
        if cell["cell_type"] == "markdown":
            for kind, label in re.findall(r"^:::\{solution-(start|end)\} ?(\S*)", source(cell), flags=re.MULTILINE):
                inside = label if kind == "start" else ""
            continue
        for node in ast.walk(ast.parse(source(cell))):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.setdefault(inside, set()).add(node.id)
            elif isinstance(node, ast.FunctionDef):
                found.setdefault(inside, set()).add(node.name)
            elif isinstance(node, ast.alias):
                found.setdefault(inside, set()).add((node.asname or node.name).partition(".")[0])
    return found


# --- what a check says --------------------------------------------------------------------------------------------


def test_an_answer_that_holds_is_not_commented():
    assert SMALL.words({"whole": 4, "half": 2.01, "pair": (1, 2)}) == ""
    SMALL.demand({"whole": 4, "half": 2.01, "pair": (1, 2)})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "Not answered yet: `half` has no value (half of the whole); `pair` has no value (two numbers)."),
        ({"half": ..., "pair": (1, 2)}, "Not answered yet: `half` has no value (half of the whole). Begin with"),
        ({"half": 3, "pair": (1, 2)}, "Not yet. Twice the half is the whole."),
        ({"half": 2, "pair": (2, 1)}, "Not yet. Sort them."),
        ({"half": float("nan"), "pair": (1, 2)}, "Not yet. Twice the half is the whole."),
        ({"half": "two", "pair": (1, 2)}, "Not yet. Twice the half is the whole. (Comparing the answer ended with Val"),
        ({"half": 2, "pair": 1}, "Not yet. Sort them. (Comparing the answer ended with TypeError"),
    ],
)
def test_an_answer_that_does_not_hold_gets_a_hint_and_no_error(values, words):
    assert SMALL.words({"whole": 4} | values).startswith(words)
    with pytest.raises(Hint, match=re.escape(words)):
        SMALL.demand({"whole": 4} | values)


def test_a_check_takes_no_name_of_the_notebook_for_its_own():
    values = {"whole": 4, "half": 2, "pair": (1, 2), "near": "a word of the chapter"}
    assert SMALL.words(values) == ""
    assert values["near"] == "a word of the chapter"
    assert "__builtins__" not in values


def test_numbers_are_compared_one_by_one():
    assert near([1, 2], [1.005, 2.01])
    assert not near([1, 2], [1, 2.1])
    assert not near([1, 2], 1)
    assert not near(0, 1e-300)


def test_a_notebook_is_told_in_a_sentence(capsys, monkeypatch):
    monkeypatch.setattr("scaling.course.checks.checks", lambda: {"ex-small": SMALL})
    check("ex-small", {"whole": 4, "half": 2, "pair": (1, 2)})
    assert capsys.readouterr().out == "The answer passes its check.\n"
    check("ex-small", {})
    out = capsys.readouterr().out
    assert "Begin with the whole." in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 88
    with pytest.raises(PagesError, match="no check of an exercise 'ex-large'; these there are: ex-small"):
        check("ex-large", {})


def test_without_yaml_a_notebook_still_runs(capsys, monkeypatch):
    checks.cache_clear()
    monkeypatch.setitem(sys.modules, "yaml", None)
    check("ex-isoflop-cubic", {})
    assert "pip install -e '.[book]'" in capsys.readouterr().out


# --- what the checks are of ---------------------------------------------------------------------------------------


def test_every_solution_that_runs_has_a_check_and_every_check_a_solution():
    parts = (parts_of(json.loads(chapter.text)["cells"], chapter.name) for chapter in CHAPTERS)
    assert [label for each in parts for label in ends_of_code(each)] == list(checks())


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_names_of_answers_are_defined_by_their_solution_alone(chapter):
    """So that an empty answer breaks nothing, and nothing else of a chapter passes for one."""
    for each in checks_of(chapter):
        assert set(each.answer) <= bound(chapter)[each.label]
        for label, names in bound(chapter).items():
            assert label == each.label or not names & set(each.answer), f"{each.label}: {label or 'the chapter'}"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_conditions_need_nothing_that_a_solution_defines(chapter):
    """A student has the chapter and an answer, and no variable of our solutions."""
    for each in checks_of(chapter):
        for condition in each.conditions:
            nodes = [node for node in ast.walk(ast.parse(condition.holds, mode="eval")) if isinstance(node, ast.Name)]
            own = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
            given = own | set(each.answer) | bound(chapter)[""] | {"near"} | set(dir(builtins))
            assert {node.id for node in nodes} <= given, each.label
            assert set(each.answer) & {node.id for node in nodes}, f"{each.label}: {condition.holds} asks for no answer"


@pytest.mark.parametrize("each", checks().values(), ids=lambda each: each.label)
def test_a_check_can_be_read(each):
    assert each.conditions
    for name, words in each.answer.items():
        assert len(f"{name} = ...  # {words}") <= 88
        assert not words.endswith(".")
    for words in (each.hint, *(condition.hint for condition in each.conditions)):
        assert re.search(r"[.?]$", words)
        assert "$" not in words


# --- the notebooks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [student_notebook, solved_notebook])
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_check_stands_below_each_answer(chapter, how):
    cells = made(chapter, how)["cells"]
    places = {cell["id"]: place for place, cell in enumerate(cells)}
    for each in checks_of(chapter):
        place = places[f"check-{each.label}"]
        assert cells[place]["metadata"]["otter"] == {"tests": [each.label]}
        assert "otter" not in source(cells[place]), "a notebook runs without the autograder"
        above = [cell for cell in cells[:place] if cell["cell_type"] == "code"][-1]
        if how is student_notebook:
            assert above["id"] == f"answer-{each.label}"
            names = re.findall(r"^(\w+) = \.\.\.  # ", source(above), flags=re.MULTILINE)
            assert names == list(each.answer)
        else:
            assert places[f"solution-{each.label}"] < places[above["id"]]
        text = json.dumps(cells)
        assert not any(json.dumps(condition.holds)[1:-1] in text for condition in each.conditions)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_the_whole_notebook_is_the_chapter_and_its_checks(chapter):
    """So it runs from the first cell to the last as the chapter does, whose stored outputs the tests make again."""
    cells = code_of(made(chapter, solved_notebook))
    own = [cell for cell in cells if not cell["id"].startswith("check-")]
    assert [source(cell) for cell in own] == [source(cell) for cell in code_of(json.loads(chapter.text))]
    assert len(cells) - len(own) == len(checks_of(chapter))
    assert not [cell["id"] for cell in own if "check" in Cell(source(cell)).reads], "a check would take its place"


@pytest.mark.parametrize(
    "chapter",
    [each if each is QUICK else pytest.param(each, marks=pytest.mark.slow) for each in CHAPTERS],
    ids=lambda chapter: chapter.name,
)
def test_solutions_pass_and_what_is_empty_or_wrong_does_not(chapter):
    outcome = with_checks(chapter)
    assert outcome.kind == DONE, f"{outcome.error}: {outcome.message}\n{outcome.source}"
    executed = {cell["id"]: cell for cell in code_of(json.loads(outcome.notebook))}
    said = {name: printed(cell) for name, cell in executed.items()}
    for each in checks_of(chapter):
        assert said[f"check-{each.label}"] == "The answer passes its check.\n"
        empty = " ".join(said[f"empty-check-{each.label}"[:64]].split())
        assert empty.startswith("Not answered yet:")
        assert empty.endswith(" ".join(each.hint.split()))
        assert said[f"spoilt-{each.label}"[:64]] == "[]\n", "the check does not see when these are wrong"
    for cell in code_of(json.loads(chapter.text)):
        assert shown(executed[cell["id"]]) == shown(cell), "the checks leave a trace in what the chapter puts out"


# --- the autograder -----------------------------------------------------------------------------------------------


class RecordedCase:
    """As much of otter-grader's decorator as a file of ours needs."""

    def __init__(self, name):
        self.name = name

    def __call__(self, body):
        self.body = body
        return self


def test_a_file_for_the_autograder_says_what_the_check_says(monkeypatch):
    files = types.SimpleNamespace(test_case=RecordedCase)
    monkeypatch.setitem(sys.modules, "otter", types.SimpleNamespace(test_files=files))
    monkeypatch.setitem(sys.modules, "otter.test_files", files)
    for each in checks().values():
        defined = {}
        exec(otter_file(each), defined)
        assert (defined["name"], defined["points"], defined["OK_FORMAT"]) == (each.label, 1, False)
        assert defined["CHECK"] == each
        assert re.fullmatch(r"Exercise (\d+\.)?\d+", defined["answer_passes"].name)
        with pytest.raises(Hint) as told:
            defined["answer_passes"].body({})
        assert str(told.value) == each.words({})


def test_every_chapter_has_a_folder_of_its_own(tmp_path):
    assert write_checks(tmp_path, [QUICK]) == {QUICK.name: len(checks_of(QUICK))}
    assert {path.stem for path in (tmp_path / QUICK.name).iterdir()} == {each.label for each in checks_of(QUICK)}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("otter") is None, reason="otter-grader (extra checks) is not installed")
@pytest.mark.filterwarnings("ignore")  # its own use of other libraries
@pytest.mark.parametrize(("how", "share"), [(solved_notebook, 1), (student_notebook, 0)])
def test_the_autograder_gives_solutions_all_points_and_empty_answers_none(tmp_path, monkeypatch, how, share):
    """Its commands, with kernels that are forked: each of their own would import all for seconds."""
    from otter.cli import cli

    fork_kernels()
    monkeypatch.chdir(tmp_path)
    asked = checks_of(QUICK)
    write_checks(tmp_path / "checks", [QUICK])
    (tmp_path / "homework.ipynb").write_text(json.dumps(made(QUICK, how)), encoding="utf-8")
    generate = ["generate", "-t", f"checks/{QUICK.name}", "-o", "autograder.zip", "--no-environment"]
    run = ["run", "-a", "autograder.zip", "--no-logo", "homework.ipynb"]
    for words in (generate, run):
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 0, done.output
    marked = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["tests"]
    scores = {each["name"]: each["score"] for each in marked if "score" in each}
    assert scores == {each.label: share for each in asked}
    told = marked[0]["output"]
    assert "Traceback" not in told
    for each in asked:
        assert (each.words({}) in told) is (share == 0)
