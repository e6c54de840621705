"""Sets under one estimator: a known truth comes out, what cannot be told is said, and twice is the same."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.diagnostics import survey_sets

LAW = scaling.ChinchillaLaw(E=1.7, A=400.0, B=410.0, alpha=0.34, beta=0.28)
GROUPS = scaling.simulate_runs(
    LAW, scaling.simulate.isoflop_design([1e18, 1e19, 1e20, 1e21], n_sizes=7, law=LAW), noise=0.003, seed=1
)
GRID = scaling.simulate_runs(
    LAW, scaling.simulate.grid_design([1e8, 3e8, 1e9, 3e9], [2e9, 6e9, 2e10, 6e10]), noise=0.003, seed=2
)
SETS = {
    "groups": GROUPS,
    "grid": GRID.assign(params_nonembedding=GRID["params"] - 2e4 * np.cbrt(GRID["params"])),
    "repeats": pd.concat([GRID, scaling.simulate_runs(LAW, GRID[["params", "tokens"]], noise=0.003, seed=3)]),
    "one length": GRID[GRID["tokens"] == 2e9],
    "own count": GRID.assign(flops=7.5 * GRID["params"] * GRID["tokens"]),
    "no loss": GRID.drop(columns="loss"),
}


@pytest.fixture(scope="module")
def table():
    return survey_sets(SETS, n_resamples=100)


@pytest.mark.slow
def test_one_row_a_set_in_their_order(table):
    assert list(table.index) == list(SETS)
    assert table.index.name == "set"


def test_the_exponent_of_the_truth_lies_in_its_intervals(table):
    for name in ("groups", "grid", "repeats", "own count"):
        row = table.loc[name]
        assert row["a3_low"] < LAW.a < row["a3_high"]
        assert row["a_coupled_low"] < LAW.a < row["a_coupled_high"]
        assert row["k_low"] < 1 < row["k_high"]
    assert table.loc["groups", "a2_low"] < LAW.a < table.loc["groups", "a2_high"]


def test_what_is_not_there_is_empty_and_says_why(table):
    assert np.isnan(table.loc["grid", "a2"])
    assert "budgets with at least" in table.loc["grid", "why_2"]
    assert np.isnan(table.loc["one length", "a3"])
    assert "distinct value of tokens" in table.loc["one length", "why_3"]
    assert table.loc["one length", "status"] == "not_identified"
    assert "'loss' is missing" in table.loc["no loss", "why"]
    assert (table["why"] == "").sum() == len(SETS) - 1


def test_ranges_and_noise(table):
    row = table.loc["repeats"]
    assert (row["runs"], row["sizes"]) == (32, 4)
    assert (row["params_low"], row["params_high"]) == (1e8, 3e9)
    assert (row["tokens_low"], row["tokens_high"]) == (2e9, 6e10)
    assert row["ratio_high"] == pytest.approx(600)
    assert 0.0015 < row["seed_noise"] < 0.0045
    assert 0.0015 < row["scatter"] < 0.0045
    assert np.isnan(table.loc["grid", "seed_noise"])


def test_counts_of_compute_and_of_parameters(table):
    assert table.loc["grid", "meter"] == "6 N D"
    assert table.loc["own count", "meter"] == "7.5 N D"
    assert table.loc["grid", "a_total"] == table.loc["grid", "a3"]
    without = SETS["grid"].assign(params=SETS["grid"]["params_nonembedding"], flops=np.nan).drop(columns="flops")
    assert table.loc["grid", "a_nonembedding"] == pytest.approx(scaling.fit_parametric(without).law.a)
    assert table.loc["grid", "a_nonembedding"] > table.loc["grid", "a_total"]
    assert np.isnan(table.loc["groups", "a_total"])


def test_it_is_the_same_each_time(table):
    some = {"grid": SETS["grid"]}
    pd.testing.assert_frame_equal(survey_sets(some, 50, seed=3), survey_sets(some, 50, seed=3))
