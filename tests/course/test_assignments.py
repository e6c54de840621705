"""Assignments: nothing leaks, files are read kindly, marks are fair and reproducible, and copying shows."""

import json
import os
import random
import zipfile

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import scaling
from benchmarks.assignments import SORTS, answers_of, marked
from scaling.cli import main
from scaling.course.assignments import Answers, make_class, mark, read_answers
from scaling.course.assignments.answers import blank, lines_of
from scaling.course.assignments.classes import key_of
from scaling.course.assignments.copying import neighbours
from scaling.course.assignments.folders import mark_all, write_class
from scaling.course.assignments.marking import _number
from scaling.course.assignments.questions import ASKED, FAULTS, KINDS, OWN, SHARED
from scaling.sources.files import book_file

#: one that would be seen if it leaked
SEED = 918_273_645


def run(*words):
    return CliRunner().invoke(main, [*map(str, words)])


def filled(kind, student, values):
    """An answer file with these values after its colons."""
    lines = blank(kind, student).splitlines()
    return "\n".join(f"{line}{values[line[:-2]]}" if line[:-2] in values else line for line in lines)


@pytest.fixture(scope="module")
def made():
    return {kind: make_class(15, kind, seed=SEED) for kind in KINDS}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_class_and_another_another(kind, made):
    again, other = make_class(15, kind, seed=SEED), make_class(15, kind, seed=4)
    assert again.key() == made[kind].key()
    assert other.key() != again.key()
    for one, two in zip(made[kind].students, again.students, strict=True):
        for name in one.tables:
            pd.testing.assert_frame_equal(one.tables[name], two.tables[name])


def test_classes_of_two_kinds_of_one_seed_share_no_run(made):
    losses = {kind: set(made[kind].students[0].tables["runs.csv"]["loss"]) for kind in ("fit", "plan")}
    assert len(losses["fit"] & losses["plan"]) < 10  # of sixty, by chance


@pytest.mark.parametrize("kind", KINDS)
def test_the_points_are_a_hundred(kind):
    about = KINDS[kind]
    own = about.status + about.plan + sum(about.verdict) + sum(each.points for each in about.numbers)
    assert own == OWN
    assert own + SHARED == 100


@pytest.mark.parametrize("kind", KINDS)
def test_questions_to_the_class_are_quizzes_of_its_chapters(kind, made):
    """The same for each student and each size of class; all answers are those of the quiz, and one is right."""
    quizzes = {
        about["ask"]: (int(chapter["chapter"]), about)
        for chapter in yaml.safe_load(book_file("course/quizzes.yml").read_text())
        for about in chapter["questions"]
    }
    asked = made[kind].shared
    assert make_class(2, kind, seed=SEED).shared == asked
    assert make_class(2, kind, seed=SEED + 1).shared != asked
    assert len({each["ask"] for each in asked}) == ASKED
    for each in asked:
        chapter, quiz = quizzes[each["ask"]]
        assert each["chapter"] == chapter
        assert f"{chapter:02d}" in KINDS[kind].chapters
        assert each["choices"][each["right"]] == quiz["right"]
        wrong = {each["choices"][letter]: why for letter, why in each["why"].items()}
        assert wrong == {other["says"]: other["why"] for other in quiz["wrong"]}
        assert [*each["choices"]] == ["A", "B", "C"]


def test_the_right_answer_has_no_place_of_its_own():
    places = [each["right"] for seed in range(12) for each in make_class(1, "fit", seed=seed).shared]
    assert min(places.count(letter) for letter in "ABC") > 10


def test_an_answer_to_the_class_gets_its_points_and_its_mistake_a_reason(made):
    student, asked = made["fit"].students[0], made["fit"].shared
    secret = student.secret | {"budget": student.budget}
    right = {f"question {number}": each["right"] for number, each in enumerate(asked, 1)}
    assert mark("fit", secret, Answers("", right), asked).parts["shared"] == (20, 20)
    wrong = next(iter(asked[1]["why"]))
    marks = mark("fit", secret, Answers("", {"question 1": right["question 1"], "question 2": wrong}), asked)
    assert marks.parts["shared"] == (4, 20)
    said = " ".join(marks.words)
    assert asked[1]["why"][wrong] in said
    assert "Question 1:" not in said
    assert "Question 3: not answered." in said


def test_answering_the_questions_to_the_class_together_is_no_copying(made):
    for kind in KINDS:
        key, asked = made[kind].key(), made[kind].shared
        given = {f"question {number}": each["right"] for number, each in enumerate(asked, 1)}
        answers = {
            each.name: Answers(each.name, given | careful(each, made[kind], shared=False))
            for each in made[kind].students
        }
        assert neighbours(key, answers) == {}


@pytest.mark.parametrize("kind", ["fit", "isoflop", "plan"])
def test_one_table_in_fifteen_identifies_nothing_and_says_so(kind, made):
    hidden = [each for each in made[kind].students if not each.secret["identified"]]
    assert len(hidden) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fit", "isoflop", "plan"])
def test_what_identifies_nothing_shows_its_reason_and_says_nothing_else(kind):
    """Every reason occurs, is seen in the table as its word says, and the package itself gives no answer there."""
    seen = set()
    for seed in range(6):
        for student in make_class(30, kind, seed=seed).students:
            runs, why = student.tables["runs.csv"], student.secret["why"]
            assert (why == "") == student.secret["identified"]
            shown = {
                "line": np.ptp(runs["tokens"] / runs["params"]) < 1e-6,
                "one_length": runs["tokens"].nunique() == 1,
                "one_size": runs["params"].nunique() == 1,
                "few_runs": kind != "isoflop" and len(runs) < 10,
                "one_budget": kind == "isoflop" and runs["budget"].nunique() == 1,
                "few_sizes": kind == "isoflop" and runs.groupby("budget")["params"].nunique().max() < 4,
                "one_side": kind == "isoflop"
                and all((np.diff(g.sort_values("params")["loss"]) < 0).mean() > 0.7 for _, g in runs.groupby("budget")),
            }
            if kind == "isoflop" and why == "few_sizes":
                shown["one_side"] = False
            assert {word for word, is_so in shown.items() if is_so} == ({why} if why else set())
            if not why:
                continue
            seen.add(why)
            if kind == "isoflop":
                with pytest.raises(scaling.FitError):
                    scaling.bootstrap(scaling.fit_isoflop(runs), 50).interval(of="a")
            else:
                assert scaling.fit_parametric(runs).status in ("not_identified", "weak")
    assert seen == set(KINDS[kind].why)


def test_to_say_that_runs_identify_nothing_is_worth_less_than_to_say_why():
    student = next(each for each in make_class(15, "fit", seed=1).students if not each.secret["identified"])
    secret = student.secret | {"budget": student.budget}
    wrong = next(word for word in KINDS["fit"].why if word != secret["why"])
    totals = [
        mark("fit", secret, Answers("", given)).total
        for given in (
            {"identified": "no", "reason": secret["why"]},
            {"identified": "no", "reason": wrong},
            {"identified": "no"},
            {"identified": "yes", "reason": secret["why"]},
            {},
        )
    ]
    assert totals == [80, 24, 24, 0, 0]
    assert secret["why"] in " ".join(mark("fit", secret, Answers("", {"identified": "no"})).words)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fit", "isoflop", "plan"])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_what_identifies_is_clear_by_the_rule_of_the_sheet(kind, noise):
    """The careful interval of the size for the budget stays well within a factor of two, in noise too."""
    for student in make_class(16, kind, noise, seed=2).students:
        if not student.secret["identified"]:
            continue
        runs = student.tables["runs.csv"]
        if kind == "isoflop":
            value, low, high = student.secret["reference"]["params"]
        else:
            rows = scaling.fit_parametric(runs).certainty(student.budget).set_index("quantity")
            value, low, high = rows.loc["params", ["value", "low", "high"]]
        assert high < 1.7 * value
        assert value < 1.7 * low


@pytest.mark.slow
def test_each_fault_of_an_audit_can_be_found():
    """By the package itself: repeated rows, what it warns of, or what is not identified."""
    seen = set()
    for student in make_class(60, "audit", seed=1).students:
        table, fault = student.secret["verdict"]
        seen.add(fault)
        bad = student.tables[f"table_{table}.csv"]
        good = [each for name, each in student.tables.items() if f"_{table}." not in name]
        if fault == "repeated":
            assert bad.duplicated().any()
            assert not any(each.duplicated().any() for each in good)
        elif fault == "line":
            assert np.ptp(bad["tokens"] / bad["params"]) < 1e-6
        else:
            spread = [float(np.abs(scaling.fit_parametric(each).residuals).max()) for each in (bad, *good)]
            assert spread[0] > 5 * max(spread[1:])
    assert seen == set(FAULTS)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_handed_out_gives_the_secret_away(kind, made, tmp_path):
    write_class(made[kind], tmp_path)
    secret = json.loads((tmp_path / "key.json").read_text())
    numbers = {f"{secret['seed']}"} | {
        f"{value:g}"
        for about in secret["students"].values()
        for group in ("law", "truth")
        for value in about.get(group, {}).values()
    }
    handed = [path for path in (tmp_path / "students").rglob("*") if path.is_file()]
    assert {path.name for path in handed} <= {
        "runs.csv",
        "sheet.md",
        "answers.txt",
        "table_A.csv",
        "table_B.csv",
        "table_C.csv",
    }
    for path in handed:
        text = path.read_text()
        assert str(SEED) not in text
        assert not {"seed", "reference", "secret", "key"} & set(text.lower().split())
        if path.suffix != ".csv":
            assert not numbers & set(text.replace("$", " ").split()), path
    columns = {tuple(pd.read_csv(path).columns) for path in handed if path.suffix == ".csv"}
    assert all(set(each) <= {"params", "tokens", "loss_nats", "flops", "budget"} for each in columns)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_package_reads_every_table_that_is_handed_out(kind, seed, tmp_path):
    """Without an option, whatever the secret law: nothing that it doubts may look like a fault of the table."""
    write_class(make_class(30, kind, seed=seed), tmp_path)
    for path in (tmp_path / "students").rglob("*.csv"):
        runs = scaling.load_runs(path)
        assert len(runs) == len(pd.read_csv(path))


def careful(student, made, shared=True):
    given = answers_of("careful", student, student, made, np.random.default_rng(0))
    return given if shared else {name: value for name, value in given.items() if not name.startswith("question")}


@pytest.mark.parametrize("kind", KINDS)
def test_the_careful_answer_has_nearly_all_points(kind, made):
    key, shared = made[kind].key()["students"], made[kind].shared
    totals = [
        mark(kind, key[student.name], Answers("", careful(student, made[kind])), shared).total
        for student in made[kind].students
    ]
    assert min(totals) > 75
    assert np.mean(totals) > 95


def test_it_does_not_pay_to_be_vague_or_bold(made):
    """Of one table: twice as wide loses, and an interval that misses by its width loses nearly everything."""
    student = next(each for each in made["fit"].students if each.secret["identified"])
    t, honest = student.secret["truth"]["a"], 0.03
    secret = student.secret | {
        "budget": student.budget,
        "reference": student.secret["reference"] | {"a": [t, t - honest, t + honest]},
    }

    def points(low, high):
        values = {"identified": "yes", "a": t, "a low": low, "a high": high}
        return mark("fit", secret, Answers("", values)).parts["a"][0]

    full = points(t - honest, t + honest)
    assert full == 20
    assert points(t - 2 * honest, t + 2 * honest) == pytest.approx(0.4 * 20 + 0.6 * 20 * 5 / 6, abs=0.1)
    assert points(t - 7 * honest, t + 7 * honest) == points(-1e9, 1e9) == 0.4 * 20
    assert points(t + honest, t + 3 * honest) < 0.4 * 20 + 1
    assert points(t + 3 * honest, t + honest) == points(t + honest, t + 3 * honest)  # ends in any order


@pytest.mark.slow
def test_another_careful_way_to_plan_loses_little():
    """Least squares of logs beside Huber's objective: the luck of one of them is no fault of the other."""
    made, shares = make_class(60, "plan", seed=5), []
    for student in made.students:
        if student.secret["identified"]:
            law = scaling.fit_parametric(student.tables["runs.csv"], objective="log_squares").candidate
            best = scaling.compute_optimal(law, student.budget)
            values = {"identified": "yes", "params": best.params, "tokens": best.tokens}
            points, most = mark("plan", made.key()["students"][student.name], Answers("", values)).parts["plan"]
            shares.append(points / most)
    assert np.mean(shares) > 0.95
    assert np.quantile(shares, 0.1) > 0.8


@pytest.mark.parametrize("worse", [1.0, 1.5, 2.0])
def test_no_other_interval_than_the_one_believed_gains_much(worse):
    """Over 2,000 tables, for an estimate as uncertain as the careful one and up to twice as much."""
    dice, question, most = np.random.default_rng(0), KINDS["fit"].numbers[0], 0.02
    careful, own = dice.normal(0, 0.01, (2, 2_000))
    own = careful + np.sqrt(worse**2 - 1) * own

    def points(times):
        ends = times * 0.0196 * worse
        shares = [
            _number(
                question, 0.5, [0.5 + c, 0.5 + c - 0.0196, 0.5 + c + 0.0196], {"a low": x - ends, "a high": x + ends}
            )
            for c, x in zip(careful, 0.5 + own, strict=True)
        ]
        return np.mean([share for share, _ in shares]) / 0.6

    assert max(points(times) for times in (0.3, 0.5, 0.7, 0.9, 1.1, 1.5)) < points(1.0) + most


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("noise", [0.0, 0.0001])
def test_four_digits_are_enough_however_small_the_noise(kind, noise):
    made = make_class(4, kind, noise, seed=1)
    key = made.key()["students"]
    for sort in ("exact", "careful"):
        given = [answers_of(sort, each, each, made, np.random.default_rng(0)) for each in made.students]
        totals = [
            mark(kind, key[each.name], Answers("", values)).total
            for each, values in zip(made.students, given, strict=True)
        ]
        assert np.mean(totals) > 0.9 * OWN, totals


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"params": 1e10}, "the estimate is 50.0% too small"),
        ({"params": 4e10}, "the estimate is 100.0% too large"),
        ({"params": 1e11}, "the estimate is a factor of 5 too large"),
        ({"params": 20.0}, "a factor of a thousand and more too small (a count is asked"),
        ({"params": 2e10}, "the estimate is as good as exact"),
        ({"params": -2e10}, "the estimate is not positive"),
        ({"params low": -1.0, "params high": 3e10}, "reaches to zero or below"),
        ({"params low": 1e-300, "params high": 1e300}, "more than a thousand times as wide"),
        ({"a": 1e99}, "more than a thousand too high"),
        ({"a": 0.45}, "the estimate is 0.050 too low"),
    ],
)
def test_what_a_number_is_told_is_true(values, words):
    secret = {
        "identified": True,
        "truth": {"a": 0.5, "params": 2e10, "loss": 2.0},
        "reference": {"a": [0.5, 0.48, 0.52], "params": [2e10, 1.6e10, 2.5e10], "loss": [2.0, 1.98, 2.02]},
    }
    assert words in " ".join(mark("fit", secret, Answers("", values)).words)


def test_an_interval_that_reaches_below_zero_takes_nothing_from_the_estimate():
    secret = {"truth": 2e10, "reference": [2e10, 1.6e10, 2.5e10]}
    question = next(each for each in KINDS["fit"].numbers if each.log)
    share, _ = _number(question, *secret.values(), {"params": 2e10, "params low": -1e9, "params high": 5e10})
    assert share == pytest.approx(0.4)


def test_a_plan_is_marked_by_its_waste(made):
    student = next(each for each in made["plan"].students if each.secret["identified"])
    law, secret = scaling.ChinchillaLaw(**student.secret["law"]), student.secret | {"budget": student.budget}
    best = scaling.compute_optimal(law, student.budget)

    def of(times, more=1.0):
        values = {"params": best.params * times, "tokens": more * best.tokens / times}
        return mark("plan", secret, Answers("", values))

    assert of(1.0).parts["plan"][0] == 42
    falling = [of(times).parts["plan"][0] for times in (1.0, 1.5, 2.5, 6.0)]
    assert falling == sorted(falling, reverse=True)
    assert of(6.0).parts["plan"][0] < 5
    over = of(1.0, more=1.1)
    assert over.parts["plan"][0] == 0
    assert "costs 10% more than there is" in " ".join(over.words)
    assert of(1.0, more=0.5).parts["plan"][0] < 5  # half of the budget unused is half of it wasted


#: what students write, and what is meant
WRITTEN = [
    ("a: 0.5", {"a": 0.5}),
    ("A = 0,5\n", {"a": 0.5}),
    ("a; 50 %", {"a": 0.5}),
    ("a\t.5", {"a": 0.5}),
    (
        "params: 70B\nparams low: 6.5e10\nparams high: 80 billion",
        {"params": 7e10, "params low": 6.5e10, "params high": 8e10},
    ),
    ("Params_low: 70,000,000,000", {"params low": 7e10}),
    ("identified: No.", {"identified": "no"}),
    ("identfied: YES", {"identified": "yes"}),
    ("identified: no\nreason: One length.", {"identified": "no", "reason": "one_length"}),
    ("identified: no, one_size", {"identified": "no", "reason": "one_size"}),
    ("identified: No (few runs)", {"identified": "no", "reason": "few_runs"}),
    ("# a: 0.5\n\nnothing here", {}),
    ("question 1: b\nQuestion2 = C)\nquestion 5: A.", {"question 1": "B", "question 2": "C", "question 5": "A"}),
    ("question 3: (b) doubles", {"question 3": "B"}),
    ("question 3: B: a lucky one, and so on", {"question 3": "B"}),
    ("loss: 2,31 nats per token", {"loss": 2.31}),
    ("low params: 1B\nparams (upper): 3B", {"params low": 1e9, "params high": 3e9}),
    ("a: 0.5\nparams: 1,234M", {"a": 0.5, "params": 1.234e9}),
    ("a: 0,5\nparams: 1,234M", {"a": 0.5, "params": 1.234e6}),
    ("loss: 2,345", {"loss": 2.345}),
    ("- **a**: 0.5\n| loss | 2.3 |", {"a": 0.5, "loss": 2.3}),
    ('a,0.5\n"params low",7e9', {"a": 0.5, "params low": 7e9}),
    ("a\uff1a0.5", {"a": 0.5}),
    ("reason: line: the same multiple", {"reason": "line"}),
    ("identified: Yes!", {"identified": "yes"}),
    ("identified: no because they lie on a line", {"identified": "no"}),
    ("question 1: B because C is wrong\nquestion 2: A: a parabola", {"question 1": "B", "question 2": "A"}),
]
CODES = ("utf-8", "utf-16", "cp1252", "utf-8-sig")


@pytest.mark.parametrize(
    ("text", "expected", "code"),
    [(*row, code) for row in WRITTEN for code in CODES if code != "cp1252" or row[0].isascii()],
)
def test_what_students_write_is_read(text, expected, code):
    found = read_answers(f"student: student_01\n{text}".encode(code), "fit")
    assert found.values == {
        name: value if isinstance(value, str) else pytest.approx(value) for name, value in expected.items()
    }
    assert found.student == "student_01"
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: about a half", "is not a number"),
        ("identified: maybe", "is not yes or no"),
        ("colour: red", "no line is called 'colour'"),
        ("a: 0.4\na: 0.5", "stands there twice: the last counts"),
        ("a: inf", "is not a number"),
        ("question 1: both", "is not A, B or C"),
        ("question 1: B or C", "is not A, B or C"),
        ("question 1: a/b", "is not A, B or C"),
        ("question 7: A", "no line is called 'question 7'"),
        ("question 1: A C", "is not A, B or C"),
        ("question 1: a parabola is symmetric", "is not A, B or C"),
        ("identified: no idea", "is not yes or no"),
        ("identified: yes and no", "is not yes or no"),
        ("reason: one_side", "is not one of the words"),  # which is of another kind, and near to one_size
        ("params: 1,234M", "can be read in two ways"),
        ("a 0.5", "not understood: 'a 0.5'"),
        ("params low 7 B", "not understood"),
        ('{"a": [0.5, 0.4]}', "is not a number"),
        ("a: 0.5\n" * 20_000, "more than 100,000 bytes"),
    ],
)
def test_what_is_not_understood_gets_a_word(text, words):
    assert any(words in remark for remark in read_answers(text.encode(), "fit").remarks)


def test_json_is_read_too():
    found = read_answers(b'{"student": "student_01", "a": 0.5, "identified": true, "reason": null}', "fit")
    assert found == Answers("student_01", {"a": 0.5, "identified": "yes"})
    assert read_answers(b'{"a": ' * 5_000, "fit").values == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_file_gets_marks_and_no_traceback(kind, data, made):
    answers = read_answers(data, kind)
    student = made[kind].students[0]
    assert 0 <= mark(kind, student.secret | {"budget": student.budget}, answers).total <= 100


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_was_broken_gets_marks_and_no_traceback(kind, made):
    student, dice = made[kind].students[0], random.Random(0)
    whole = filled(kind, student.name, careful(student, made[kind])).encode()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(dice.choice([1, 5, 40])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        marks = mark(kind, student.secret | {"budget": student.budget}, read_answers(bytes(data), kind))
        assert 0 <= marks.total <= 100


@settings(max_examples=200, deadline=None)
@given(
    values=st.dictionaries(st.sampled_from(sorted(lines_of("plan"))), st.floats(allow_nan=False, allow_infinity=False))
)
def test_any_numbers_get_marks(values, made):
    student = made["plan"].students[0]
    values = {name: value for name, value in values.items() if name != "identified"}
    assert 0 <= mark("plan", student.secret | {"budget": student.budget}, Answers("", values)).total <= 100


@pytest.mark.parametrize("text", ["table: B", "table: table_B.csv", "Table = b)", "table: Table B."])
def test_the_table_of_an_audit_is_read(text):
    assert read_answers(text.encode(), "audit").values == {"table": "B"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_better_students_have_better_marks_and_copying_shows(kind):
    """A small version of benchmarks/assignments.py."""
    tables = [marked(make_class(20, kind, seed=seed), seed) for seed in range(4)]
    mean = pd.concat(tables).groupby("sort")["total"].mean()
    assert (mean[list(SORTS)].diff().dropna() < 0).all(), mean
    named = pd.concat(tables).groupby("sort")["named"].mean()
    assert named["copying"] > 0.75
    assert named[["exact", "careful"]].max() == 0


def test_a_class_is_made_filled_in_and_marked(tmp_path):
    """As a teacher does it; files come back in many states."""
    out, answers, marks = tmp_path / "homework", tmp_path / "answers", tmp_path / "marks.csv"
    done = run("assignment", "new", "--students", 8, "--kind", "fit", "--seed", 5, "--out", out)
    assert done.exit_code == 0, done.output
    assert "keep" in done.output
    key = json.loads((out / "key.json").read_text())
    made = make_class(8, "fit", seed=5)
    students = made.students
    answers.mkdir()
    for number, student in enumerate(students):
        text = filled("fit", student.name, careful(student, made))
        if number == 0:
            (answers / "mine.txt").write_text(text.replace(".", ","))  # named inside; decimal commas
        elif number == 1:
            (answers / "student_02").mkdir()
            (answers / "student_02" / "answers.txt").write_text(text.replace("student: student_02", ""))
        elif number == 2:
            (answers / "student_03.txt").write_bytes(text.encode("utf-16"))
        elif number == 3:
            (answers / "student_04.txt").write_text(blank("fit", student.name))
        elif number == 4:
            (answers / "student_05.txt").write_bytes(os.urandom(400))
        elif number == 5:
            theirs = careful(students[0], made)
            (answers / "student_06.txt").write_text(filled("fit", student.name, theirs))
        elif number == 6:
            (answers / "student_07.txt").write_text(filled("fit", student.name, {"identified": "yes", "a": 0.5}))
            os.utime(answers / "student_07.txt", (2e9, 2e9))
    (answers / "readme.txt").write_text("hello")
    done = run("assignment", "mark", out / "key.json", answers, "-o", marks, "--due", "2030-01-01T00:00:00")
    assert done.exit_code == 0, done.output
    table = pd.read_csv(marks, keep_default_na=False).set_index("student")
    assert (table.loc[["student_01", "student_02", "student_03"], "total"].astype(float) > 75).all()
    assert table.loc["student_04", "remarks"] == "nothing is filled in"
    assert float(table.loc["student_05", "total"]) < 5
    assert table.loc["student_06", "ask"] == "the answers fit the table of student_01, and not student_06's own"
    assert "late by" in table.loc["student_07", "remarks"]
    assert table.loc["student_08", "remarks"] == "no answers were handed in"
    assert table.loc["", "remarks"] == "whose is this?"
    pages = sorted(path.name for path in (tmp_path / "marks_feedback").iterdir())
    assert pages == [f"{student.name}.md" for student in students]
    again = run("assignment", "mark", out / "key.json", answers, "-o", marks)
    assert again.exit_code == 3
    assert "is there already" in again.output
    assert key["kind"] == "fit"


@pytest.mark.slow
def test_nothing_is_overwritten_and_what_is_wrong_is_said(tmp_path):
    (tmp_path / "homework").mkdir()
    (tmp_path / "homework" / "mine").write_text("x")
    kept = run("assignment", "new", "--students", 2, "--out", tmp_path / "homework")
    assert kept.exit_code == 1
    assert [path.name for path in (tmp_path / "homework").iterdir()] == ["mine"]
    loud = run("assignment", "new", "--students", 2, "--noise", 0.2, "--seed", 0, "--out", tmp_path / "loud")
    assert loud.exit_code == 1
    assert "ask for less noise" in loud.output
    assert not (tmp_path / "loud").exists()
    old = json.dumps({name: value for name, value in make_class(1, "fit").key().items() if name != "shared"})
    for text in ("no json", "{}", '{"kind": "fit", "students": {"x": {}}}', "[]", "[" * 100_000, old):
        (tmp_path / "key.json").write_text(text)
        bad = run("assignment", "mark", tmp_path / "key.json", tmp_path / "homework", "-o", tmp_path / "m.csv")
        assert bad.exit_code == 1, bad.output
        assert "key" in bad.output
    with pytest.raises(ValueError, match="hides the faults"):
        make_class(2, "audit", noise=0.05)
    with pytest.raises(ValueError, match="no key"):
        key_of({"kind": "other"})


def test_a_zip_of_answers_is_named(tmp_path, made):
    """Files of other kinds are not answers; the teacher is told to unpack them."""
    write_class(made["fit"], tmp_path / "class")
    (tmp_path / "answers").mkdir()
    with zipfile.ZipFile(tmp_path / "answers" / "student_01.zip", "w") as archive:
        archive.writestr("answers.txt", "a: 0.5")
    table, _ = mark_all(json.loads((tmp_path / "class" / "key.json").read_text()), tmp_path / "answers")
    row = table[table["file"] == "student_01.zip"].iloc[0]
    assert row["remarks"] == "this is no text file: unpack it, or have it saved as text"
    own = table[table["student"] == "student_01"].iloc[0]
    assert own["remarks"] == f"student_01.zip was not read: {row['remarks']}"  # and not that nothing came


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such files")
def test_what_is_no_file_or_far_too_long_is_told(tmp_path, made):
    os.mkfifo(tmp_path / "student_01.txt")
    (tmp_path / "student_02.txt").symlink_to(tmp_path / "nowhere")
    with (tmp_path / "student_03.txt").open("wb") as file:
        file.truncate(10**8)
    table, _ = mark_all(json.loads(json.dumps(made["fit"].key())), tmp_path)
    remarks = table[table["student"] != ""].set_index("student")["remarks"]
    assert remarks["student_01"] == "student_01.txt was not read: this is no file, or a link to none"
    assert remarks["student_02"].endswith("a link to none")
    assert remarks["student_03"].startswith("no answer could be read; the file has more than 100,000 bytes")
    assert remarks["student_04"] == "no answers were handed in"


def drawn_key(n, kind="isoflop"):
    """The key of a large class, without its tables: careful answers as wide as those of runs."""
    dice, students = np.random.default_rng(0), {}
    for number in range(1, n + 1):
        a, size, loss = dice.uniform(0.36, 0.65), 10 ** dice.uniform(9.6, 10.4), dice.uniform(1.5, 2.8)
        rows = {"a": [a, a - 0.015, a + 0.015], "params": [size, size / 1.1, size * 1.1]}
        rows["loss"] = [loss, loss - 0.02, loss + 0.02]
        asked = [question.name for question in KINDS[kind].numbers]
        students[f"student_{number:03d}"] = {"reference": {name: rows[name] for name in asked}}
    return {"kind": kind, "students": students}


def wrong_answers(key, dice, digits=4):
    """A wrong answer of each student's own, two per cent either way."""
    answers = {}
    for name, about in key["students"].items():
        values = {"identified": "yes"}
        for line, (best, low, high) in about["reference"].items():
            x = best + dice.normal(0, 4) * (high - low) / 2
            x = max(x, best / 4)
            ends = {line: x, f"{line} low": 0.98 * x, f"{line} high": 1.02 * x}
            values |= {each: float(f"{value:.{digits}g}") for each, value in ends.items()}
        answers[name] = Answers(name, values)
    return answers


@pytest.mark.parametrize("kind", ["fit", "isoflop", "audit"])
@pytest.mark.parametrize("digits", [3, 4])
def test_honest_mistakes_of_a_large_class_are_no_copying(kind, digits):
    key, dice = drawn_key(300, kind), np.random.default_rng(1)
    named = [len(neighbours(key, wrong_answers(key, dice, digits))) for _ in range(10)]
    assert sum(named) <= 1


def test_copied_numbers_show_in_a_large_class_and_whose_they_are():
    key = drawn_key(300, "fit")
    answers = wrong_answers(key, np.random.default_rng(2))
    answers["student_009"] = answers["student_007"]
    told = neighbours(key, answers)
    assert set(told) >= {"student_009"}
    assert "same as those of student_007 to the last digit, and fit the table of none of them" in told["student_009"]
    own = {line: float(f"{row[0]:.4g}") for line, row in key["students"]["student_020"]["reference"].items()}
    answers["student_020"] = answers["student_021"] = Answers("", own)
    told = neighbours(key, answers)
    assert "student_020" not in told
    assert "student_020" in told["student_021"]


def test_a_rule_that_a_class_shares_is_not_called_copying():
    """Everybody has the same budget, and answers with twenty tokens a parameter."""
    key = drawn_key(30)
    rule = Answers("", {"a": 0.5, "params": 9.128709e9, "params low": 4.564355e9, "params high": 1.825742e10})
    assert neighbours(key, dict.fromkeys(key["students"], rule)) == {}


def collected(tmp_path, made, **files):
    """The marks of a class of two whose files are these, by name of the file without its end; saved in this order."""
    key = json.loads(json.dumps(made.key()))
    for number, (name, text) in enumerate(files.items()):
        path = tmp_path / f"{name.replace('__', '/')}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1e9 + number, 1e9 + number))
    return mark_all(key, tmp_path)[0].set_index("file")


def test_a_neighbours_file_handed_in_takes_nothing_from_the_neighbour(made, tmp_path):
    """A copy of another's file, with the other's name still in it, is nobody's: it does not replace the other's."""
    text = filled("fit", "student_01", careful(made["fit"].students[0], made["fit"]))
    table = collected(tmp_path, made["fit"], student_01__answers=text, student_02__answers=text.replace("a: 0", "a: 9"))
    assert table.loc["student_01/answers.txt", "total"] > 75
    assert "it names student_01 and lies with student_02" in table.loc["student_02/answers.txt", "remarks"]


def test_an_empty_file_takes_nothing_from_a_filled_one(made, tmp_path):
    text = filled("fit", "student_01", careful(made["fit"].students[0], made["fit"]))
    table = collected(tmp_path, made["fit"], done=text, template=blank("fit", "student_01"))
    assert table.loc["done.txt", "total"] > 75
    assert "a file in which nothing is filled in, template.txt, does not count" in table.loc["done.txt", "remarks"]


def test_a_name_of_their_own_leaves_a_file_with_its_folder(made, tmp_path):
    text = blank("fit", "student_01").replace("student: student_01", "student: Jürgen Müller") + "a: 0.5\n"
    table = collected(tmp_path, made["fit"], student_01__Lösung=text, student_02_and_student_03="a: 0.4")
    assert table.loc["student_01/Lösung.txt", "student"] == "student_01"
    assert table.loc["student_02_and_student_03.txt", "remarks"] == "whose is this?"
