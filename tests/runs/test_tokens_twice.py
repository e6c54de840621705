"""Tokens that are named, and also follow from unique tokens and epochs: it is said which are used, or asked."""

import re
import shlex

import numpy as np
import pytest

import scaling

LAW = scaling.ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.36)
RUNS = scaling.simulate_runs(LAW, scaling.simulate.grid_design([1e8, 1e9, 1e10], [1e9, 2e9, 4e9]), noise=0.002)


def table(factor=1.0, name="tokens"):
    """Nine runs on a billion unique tokens, whose named tokens are ``factor`` times those that follow."""
    told = {"params": RUNS["params"], "unique_tokens": 1e9, "epochs": RUNS["tokens"] / 1e9, "loss": RUNS["loss"]}
    return RUNS[[]].assign(**told, **{name: RUNS["tokens"] * factor})


@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_what_is_used_is_said_where_both_agree(factor):
    runs = scaling.load_runs(table(factor, "train tokens"))
    assert np.allclose(runs["tokens"], RUNS["tokens"] * factor)
    reading = runs.attrs["reading"]
    assert [m["column"] for m in reading["mapping"] if m["name"] == "tokens"] == ["train tokens"]
    assert "tokens are those of column 'train tokens': 'unique_tokens' x 'epochs' says the same" in reading["notes"]
    assert any("a repeated token is worth less" in note for note in reading["notes"])


def test_where_they_differ_it_is_asked_and_both_answers_work():
    runs = table(1.5)
    with pytest.raises(scaling.RunsError) as error:
        scaling.load_runs(runs)
    said = str(error.value)
    assert "'tokens' and 'unique_tokens' x 'epochs' differ in 9 of 9 rows (row 0: 1.5e+09 and 1e+09)" in said
    first = scaling.load_runs(
        runs, columns={"tokens": shlex.split(re.search(r"--column (tokens='tokens')", said)[1])[0][7:]}
    )
    assert np.allclose(first["tokens"], RUNS["tokens"] * 1.5)
    assert any("as --column says" in note for note in first.attrs["reading"]["notes"])
    derive = re.search(r"--derive (\w+)='([^']*)' --column tokens=(\w+)", said)
    second = scaling.load_runs(runs, derive={derive[1]: derive[2]}, columns={"tokens": derive[3]})
    assert np.allclose(second["tokens"], RUNS["tokens"])


def test_a_gap_is_filled_from_the_other():
    runs = table()
    runs.loc[3, "tokens"] = np.nan
    found = scaling.load_runs(runs)
    assert np.allclose(found["tokens"], RUNS["tokens"])


def test_without_a_column_of_tokens_they_follow_as_before():
    runs = scaling.load_runs(table().drop(columns="tokens"))
    assert np.allclose(runs["tokens"], RUNS["tokens"])
    assert "tokens = 'unique_tokens' x 'epochs'" in runs.attrs["reading"]["notes"]
