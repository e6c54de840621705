"""Arithmetic and conditions on columns: right, or refused in words; never run as a program."""

import contextlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scaling.errors import RunsError
from scaling.runs.preparing.expressions import DEEPEST, LONGEST, Expression

TABLE = pd.DataFrame(
    {
        "params": [1e8, 2e8, 4e8],
        "lr": ["1e-3", "", "3e-3"],
        "Model Size": ["100M", "200M", "0.4B"],
        "optimizer": ["adam", "sgd", "adam"],
        "ok": ["True", "false", "True"],
        "D/N": [20, 40, 80],
    }
)
COLUMNS = {name: TABLE[name] for name in TABLE}


def holds(text):
    return [None if pd.isna(each) else bool(each) for each in Expression(text, "--where").holds(COLUMNS)]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("params > 1e8", [False, True, True]),
        ("1e8 < params <= 2e8", [False, True, False]),
        ("optimizer == 'adam'", [True, False, True]),
        ("optimizer != 'adam' or params == 4e8", [False, True, True]),
        ("'sgd' == optimizer", [False, True, False]),
        ("optimizer in ('sgd', 'lion')", [False, True, False]),
        ("`D/N` not in (20, 40)", [False, False, True]),
        ("`Model Size` * 2 >= 400e6", [False, True, True]),
        ("ok", [True, False, True]),
        ("not ok and params < 3e8", [False, True, False]),
        ("ok == False", [False, True, False]),
        ("lr < 2e-3", [True, None, False]),
        ("lr < 2e-3 or params > 0", [True, True, True]),
        ("not lr < 2e-3", [False, None, True]),
        ("Params**2 > 1e16", [False, True, True]),
        ("-params + 3e8 > 0", [True, True, False]),
    ],
)
def test_conditions(text, answer):
    assert holds(text) == answer


def test_arithmetic_and_units_in_cells():
    value = Expression("(`Model Size` + params) / 2 * `D/N`", "--derive").numbers(COLUMNS)
    np.testing.assert_allclose(value, TABLE["params"] * TABLE["D/N"], rtol=1e-15)


def test_decimal_commas():
    columns = {"x": pd.Series(["1,5", "2,25"])}
    np.testing.assert_array_equal(Expression("x * 2", "--derive", ",").numbers(columns), [3.0, 4.5])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "invalid syntax"),
        ("params = 1e8", "equal is =="),
        ("parms > 1", "no column 'parms'"),
        ("optimizer == adam", "put it in quotes: 'adam'"),
        ("Model Size > 1", "backquotes"),
        ("__import__('os').system('true')", "neither true nor false"),
        ("params.__class__ == 1", "no arithmetic"),
        ("params[0] > 1", "no arithmetic"),
        ("(lambda: 1)() > 0", "no arithmetic"),
        ("[x for x in params] == 1", "no arithmetic"),
        ("f'{params}' == 1", "no arithmetic"),
        ("params if ok else lr", "neither true nor false"),
        ("params", "holds more than true and false"),
        ("optimizer > 'adam'", "no order"),
        ("params in lr", "no list"),
        ("1" * LONGEST + "> params", "longer than"),
        ("-" * (DEEPEST + 1) + "params > 1", "nested deeper"),
        ("9" * 400 + " > params", "too large"),
        ("params > 1; params", "invalid syntax"),
        ("(params := 3) > 1", "no arithmetic"),
    ],
)
def test_what_is_no_condition_is_refused_in_words(text, words):
    with pytest.raises(RunsError, match="--where") as refused:
        holds(text)
    assert words in str(refused.value)


NAMES = st.sampled_from(
    ["params", "lr", "`Model Size`", "optimizer", "ok", "`D/N`", "nothing", "__builtins__", "'adam'"]
)
PIECES = st.one_of(
    NAMES,
    st.sampled_from(
        [
            *"+-*/%@<>=()[],.:;`'\\",
            "**",
            "==",
            "!=",
            "<=",
            ">=",
            ":=",
            "and",
            "or",
            "not",
            "in",
            "is",
            "lambda",
            "if",
            "else",
        ]
    ),
    st.integers(-3, 10**30).map(str),
    st.floats(allow_nan=False).map(repr),
)


@given(st.one_of(st.lists(PIECES, max_size=12).map(" ".join), st.text(max_size=60)))
@example("9**9**9**9 > params")
@example("params" + "**params" * 40 + " > 1")
@example("not " * 40 + "ok")
def test_any_text_is_an_answer_for_each_row_or_is_refused(text):
    answer = None
    with contextlib.suppress(RunsError):
        answer = Expression(text, "--where").holds(COLUMNS)
    assert answer is None or (len(answer) == len(TABLE) and answer.dtype == "boolean")


@given(st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3), st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3))
def test_arithmetic_is_numpy_s(x, y):
    columns = {"x": pd.Series(x), "y": pd.Series(y)}
    x, y = np.array(x), np.array(y)
    found = Expression("x * y - 3 / (x + y) ** 0.5", "--derive").numbers(columns)
    np.testing.assert_allclose(found, x * y - 3 / (x + y) ** 0.5, rtol=1e-14, atol=1e-14)
