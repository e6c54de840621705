"""Runs off the law of the others are named, with the slip that explains them; sound tables have none."""

import numpy as np
import pandas as pd
import pytest

import scaling

LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36)


def table(seed=0, noise=0.003):
    design = scaling.simulate.isoflop_design([1e18, 3e18, 1e19, 3e19, 1e20], n_sizes=8, law=LAW)
    return scaling.simulate_runs(LAW, design, noise=noise, seed=seed)[["params", "tokens", "loss"]]


def looked(runs):
    return scaling.inspect_runs(scaling.check_runs(runs), ())


@pytest.mark.parametrize(
    ("column", "factor", "slip"),
    [("tokens", 10, "tokens 10 times smaller"), ("params", 0.1, "params 10 times as large")],
)
def test_a_digit_too_many_is_named_with_its_line(column, factor, slip):
    runs = table()
    runs.loc[17, column] *= factor
    said = " ".join(looked(runs).looks)
    assert "row 17: loss" in said
    assert slip in said


def test_params_and_tokens_exchanged_are_told():
    runs = table()
    for row in (2, 20, 33):
        runs.loc[row, ["params", "tokens"]] = list(runs.loc[row, ["tokens", "params"]])
    said = " ".join(looked(runs).looks)
    assert said.count("params and tokens exchanged") == 3


def test_runs_of_another_kind_are_named_and_can_be_left_out():
    runs = table()
    other = [4, 11, 19, 27, 35]
    runs.loc[other, "loss"] *= 0.95
    said = looked(runs).astray
    assert said.startswith("rows 4, 11, 19, 27, 35: losses ")
    assert "below the law of the other runs, which stray from it by 0." in said
    assert said.endswith("--drop 4,11,19,27,35 leaves them out")
    assert not looked(runs.drop(other)).astray


def test_the_most_expensive_run_of_another_recipe_is_named():
    big = pd.DataFrame({"params": [7e10], "tokens": [1.4e12], "loss": [0.96 * LAW.loss(7e10, 1.4e12)]})
    assert "row 40: loss" in looked(pd.concat([table(), big], ignore_index=True)).astray


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0005, 0.003, 0.03])
def test_sound_tables_have_none(noise):
    assert not any(looked(table(seed, noise)).astray for seed in range(15))


def test_where_many_runs_are_off_it_is_the_law():
    runs = table()
    runs.loc[::3, "loss"] *= np.where(np.arange(len(runs[::3])) % 2, 1.03, 0.97)
    assert not looked(runs).astray
