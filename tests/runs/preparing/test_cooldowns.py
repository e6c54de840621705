"""Ends of cooldowns as runs of their own."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.errors import RunsError
from scaling.runs import annealed_points

LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.34)


def curves():
    """Runs at a constant learning rate, too high by 3 % there, with three cooldowns that reach the law."""
    rows = []
    for k, N in enumerate((1e8, 3e8, 1e9)):
        for part, end in enumerate((4e9, 8e9, 16e9)):
            start = (0, 4e9, 8e9)[part]
            for D in np.linspace(start, end, 9)[1:-1]:
                rows.append((f"run {k}", N, D, LAW.loss(N, D) * 1.03, 1e-3, False))
            rows.append((f"run {k}", N, end, LAW.loss(N, end), 1e-5, True))
    table = pd.DataFrame(rows, columns=["run", "params", "tokens", "loss", "lr", "cooldown"])
    return scaling.check_runs(table)


@pytest.mark.parametrize("column", ["lr", "cooldown"])
def test_each_end_of_a_cooldown_is_a_run(column):
    runs = curves()
    other = {"lr": "cooldown", "cooldown": "lr"}[column]
    found = annealed_points(runs.drop(columns=other))
    assert len(found) == 9
    np.testing.assert_allclose(found["loss"], LAW.loss(found["params"], found["tokens"]), rtol=1e-15)
    assert found["run"].is_unique
    assert "9 ends of cooldowns" in found.attrs["notes"][-1]


def test_flags_that_are_words():
    runs = curves().drop(columns="lr")
    assert len(annealed_points(runs.assign(cooldown=runs["cooldown"].astype(str)))) == 9


def test_a_run_that_is_never_cooled_down_is_left_out_and_said():
    runs = curves().drop(columns="cooldown")
    runs.loc[runs["run"] == "run 1", "lr"] = 1e-3
    found = annealed_points(runs)
    assert len(found) == 6
    assert "1 runs have none and are left out" in found.attrs["notes"][-1]


def test_refusals():
    runs = curves()
    for table, words in (
        (runs, "'lr' and 'cooldown' could each tell it"),
        (runs.drop(columns=["lr", "cooldown"]), "no column tells it"),
        (runs.assign(lr=1e-3).drop(columns="cooldown"), "in no run does a cooldown end"),
        (runs.drop(columns="run"), "a column that names the run is needed"),
    ):
        with pytest.raises(RunsError, match=words):
            annealed_points(table)
    for table, words in (
        (runs.drop(columns="tokens"), "the table has no column 'tokens'"),
        (runs.assign(tokens="many"), "column 'tokens', rows .*: 'many' is not a number"),
        (runs.assign(tokens=np.nan), "column 'tokens', rows .*: missing value"),
        (runs.assign(params="large"), "column 'params', rows .*: 'large' is not a number"),
    ):
        with pytest.raises(RunsError, match=words):
            annealed_points(table, "lr")
    with pytest.raises(RunsError, match="no column 'zzz' to tell the cooldowns; columns are 'params'"):
        annealed_points(runs, column="zzz")
