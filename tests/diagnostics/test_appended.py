"""Two tables below each other without a column that tells them apart, and rows of one size that share their luck."""

import numpy as np
import pandas as pd
import pooled_tables
import pytest

import scaling
from scaling.diagnostics.pooling import find_pooling

LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36)
pytestmark = pytest.mark.filterwarnings("ignore::scaling.errors.RunsWarning")


def isoflop(budgets, seed, n_sizes=8, factor=1.0):
    design = scaling.simulate.isoflop_design(budgets, n_sizes=n_sizes, law=LAW)
    runs = scaling.simulate_runs(LAW, design, noise=0.003, seed=seed)[["params", "tokens", "loss"]]
    return runs.assign(loss=runs["loss"] * factor)


def appended(factor):
    ours, theirs = isoflop([1e18, 1e19, 1e20], 0), isoflop([2e18, 2e19], 1, 7, factor)
    return pd.concat([ours, theirs], ignore_index=True)


def pooled(runs):
    runs = scaling.check_runs(runs)
    return find_pooling(scaling.fit_parametric(runs), runs)


@pytest.mark.parametrize("factor", [1.04, 0.97, 1 / np.log(2)])
def test_the_row_where_the_second_table_begins_is_said(factor):
    (found,) = pooled(appended(factor))
    assert found.kind == "appended"
    assert "from row 24 on, losses lie " in found.words
    assert f"{abs(factor - 1):.0%}"[:-1] in found.words
    assert ("above" if factor > 1 else "below") in found.words


@pytest.mark.parametrize("factor", [1.04, 0.96])
def test_two_families_in_any_order_are_counted(factor):
    mixed = appended(factor)
    mixed = mixed.assign(theirs=mixed.index >= 24).sample(frac=1, random_state=4, ignore_index=True)
    (found,) = pooled(mixed.drop(columns="theirs"))
    assert found.kind == "appended"
    assert found.words.startswith("14 of 38 rows (rows ")
    first = ", ".join(map(str, mixed.index[mixed["theirs"]][:5]))
    assert f"(rows {first} and 9 more) lie " in found.words
    assert ("above" if factor > 1 else "below") + " the law of the others" in found.words


def test_a_column_that_tells_them_apart_comes_first():
    (found,) = pooled(appended(1.04).assign(lab=["a"] * 24 + ["b"] * 14))
    assert (found.kind, found.columns) == ("families", ("lab",))


@pytest.mark.slow
@pytest.mark.parametrize("by", ["none", "params", "tokens"])
def test_sound_tables_raise_no_alarm_in_whatever_order(by):
    for seed in range(12):
        runs = pooled_tables.sound(seed)[["params", "tokens", "loss"]]
        runs = runs if by == "none" else runs.sort_values(by, ignore_index=True)
        assert not [each for each in pooled(runs) if each.kind == "appended"]
        assert not scaling.inspect_runs(scaling.check_runs(runs), ()).luck


def test_a_law_that_fails_for_large_models_is_no_second_table():
    runs = scaling.simulate.grid_design(np.geomspace(5e7, 3e9, 8), np.geomspace(2e9, 1e11, 6))[["params", "tokens"]]
    wrong = 1 + 0.03 * (runs["params"] > 1e9)
    runs = runs.assign(loss=LAW.loss(runs["params"], runs["tokens"]) * wrong).sort_values("params", ignore_index=True)
    assert not [each for each in pooled(runs) if each.kind == "appended"]


def curves(luck, own, seed=0):
    """Seven points of one run of each size, with the luck of the run and noise of each point."""
    rng, rows = np.random.default_rng(seed), []
    for size in np.geomspace(3e7, 2e9, 8):
        shift = rng.normal(0, luck)
        for tokens in 2.097e9 * np.array([1, 2, 5, 10, 20, 50, 100]):
            rows.append((size, tokens, LAW.loss(size, tokens) * np.exp(shift + rng.normal(0, own))))
    return pd.DataFrame(rows, columns=["params", "tokens", "loss"])


def test_points_of_one_run_a_size_are_asked_about():
    said = scaling.inspect_runs(scaling.check_runs(curves(0.006, 0.0004)), ()).luck
    assert said.startswith("the rows of one size stray from the law together: by 0.")
    assert "(--run params takes them so)?" in said
    assert said.endswith("intervals, which take rows for independent, are too narrow")
    assert not scaling.inspect_runs(scaling.check_runs(curves(0.0, 0.004)), ()).luck
