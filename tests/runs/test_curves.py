"""Which rows are one run: names, sizes, seeds, and the last row of each."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.runs.curves import runs_of


def table(**columns):
    rows = len(next(iter(columns.values())))
    tokens = 1e9 * (1 + np.arange(rows))
    return pd.DataFrame({"params": 1e8, "tokens": tokens, "loss": 3.0, **columns}).eval("flops = 6 * params * tokens")


CASES = {
    "one name, one run": (dict(run=["a", "b", "a", "b"]), [0, 1, 0, 1], [2, 3]),
    "a row without a name is a run": (dict(run=["a", None, "a", None]), [0, 1, 0, 2], [1, 2, 3]),
    "sizes that scatter by rounding are one": (dict(run=list("aab"), params=[1e8, 1.04e8, 1e8]), [0, 0, 1], [1, 2]),
    "a name of several sizes is no run": (dict(run=list("aabb"), params=[1e8, 2e8, 1e8, 1e8]), [0, 1, 2, 2], [0, 1, 3]),
    "a name of several seeds is no run": (dict(run=list("aabb"), seed=[0, 1, 5, 5]), [0, 1, 2, 2], [0, 1, 3]),
    "the last by compute, not by place": (dict(run=list("aab"), tokens=[5e9, 2e9, 1e9]), [0, 0, 1], [0, 2]),
}


@pytest.mark.parametrize(("columns", "codes", "last"), CASES.values(), ids=CASES)
def test_rows_of_one_run(columns, codes, last):
    runs = table(**columns)
    np.testing.assert_array_equal(runs_of(runs), codes)
    assert scaling.runs.last_points(runs).index.tolist() == last


@pytest.mark.parametrize("columns", [{"loss": [3.0, 2.9]}, {"run": ["a", "b"]}, {"run": [None, None]}])
def test_a_row_a_run(columns):
    runs = table(**columns)
    assert runs_of(runs) is None
    assert scaling.runs.last_points(runs) is runs


@pytest.mark.parametrize("ask", [scaling.runs.last_points, scaling.diagnostics.find_spikes, scaling.runs.best_of])
def test_sizes_of_curves_that_are_words_are_told(ask):
    with pytest.raises(scaling.RunsError, match="column 'params', rows 0, 1, 2, 3: 'large' is not a number"):
        ask(table(run=list("aabb")).assign(params="large"))
