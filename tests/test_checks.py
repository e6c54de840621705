"""What counts as a number, and as one order of rows, wherever an argument is taken."""

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling._checks import generator, number, numbers, positive, proper_share, same_order, whole_number

NUMBERS = {
    "integers": ([1, 2], [1.0, 2.0]),
    "whole numbers beyond 64 bits": (10**24, 1e24),
    "whole numbers beyond floats": ([10**400, -(10**400)], [np.inf, -np.inf]),
    "decimals and fractions": ([Decimal("1.5"), Fraction(1, 2)], [1.5, 0.5]),
    "single precision": (np.float32(2), 2.0),
    "nullable": (pd.Series([1, 2], dtype="Int64"), [1.0, 2.0]),
    "categories": (pd.Series([1, 2]).astype("category"), [1.0, 2.0]),
    "a mask": (np.ma.masked_array([1.0, 2.0], [False, True]), [1.0, np.nan]),
    "nothing": ([], []),
    "a table": (pd.DataFrame({"a": [1, 2]}), [[1.0], [2.0]]),
}
OTHERS = {
    "truth values": True,
    "text": "1e22",
    "texts": ["1", "2"],
    "dates": np.datetime64("2020-01-01"),
    "days": datetime.date(2020, 1, 1),
    "spans of time": pd.Series(pd.to_timedelta([1, 2])),
    "complex": [1 + 0j],
    "none": None,
    "missing": pd.NA,
    "names": {"a": 1},
    "of several lengths": [1, [2, 3]],
    "a generator": (x for x in [1.0]),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_any_kind_are_floats(kind):
    given, expected = NUMBERS[kind]
    found = numbers("x", given)
    assert found.dtype == float
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_number_is_refused_by_name(kind):
    for check in (numbers, number, proper_share, whole_number):
        with pytest.raises(ValueError, match="^flops must be a number"):
            check("flops", OTHERS[kind])


def test_series_are_paired_by_their_labels_or_refused():
    x = pd.Series([1.0, 2.0, 3.0], index=[0, 1, 2])
    for same in (x, pd.Series([4.0, 5.0, 6.0]), pd.Series([4.0, 5.0, 6.0], index=[7, 8, 9]), x.to_numpy()[::-1], 2.0):
        positive(x=x, y=same)
    with pytest.raises(ValueError, match="x and y have the same labels in another order: bring y into that of x with"):
        positive(x=x, y=x[::-1])
    with pytest.raises(ValueError, match="runs and weights have"):
        same_order(runs=x.to_frame(), weights=x[::-1])


@pytest.mark.parametrize("seed", [0, np.int64(3), [1, 2], (0, np.int32(4)), np.array([5, 6])])
def test_a_seed_is_one_number_or_several(seed):
    assert (generator(seed).random(3) == np.random.default_rng(seed).random(3)).all()


@pytest.mark.parametrize("seed", [None, np.random.default_rng(0), -1, [1, -2], 0.5, "7", True])
def test_what_is_no_seed_would_give_other_numbers_each_time(seed):
    with pytest.raises(ValueError, match="seed must be a"):
        generator(seed)


@pytest.mark.parametrize("given", ["text", None, 3, [1, 2]])
def test_what_is_no_table_is_told_so(given):
    for function in (scaling.runs.best_of, scaling.runs.annealed_points, scaling.runs.last_points):
        with pytest.raises(scaling.RunsError, match="a table is needed, a DataFrame, not a"):
            function(given)
    for function in (scaling.diagnostics.league, scaling.diagnostics.survey_sets):
        with pytest.raises(TypeError, match="sets must be tables by name"):
            function(given)


def test_a_list_is_no_column_of_cooldowns():
    curves = pd.DataFrame({"run": ["a", "a"], "tokens": [1e9, 2e9], "loss": [3.0, 2.0], "lr": [1e-3, 1e-5]})
    with pytest.raises(scaling.RunsError, match=r"column must be the name of one column, got \['lr'\]"):
        scaling.runs.annealed_points(curves, column=["lr"])
