"""Runs that stand there twice, and runs that were cooled down several times."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.diagnostics.inspection import without_copies

LAW = scaling.ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.36)


def run(*words):
    return CliRunner().invoke(main, [*map(str, words)])


@pytest.fixture
def runs():
    return scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(40, seed=0), 0.004, seed=0)


@pytest.fixture
def trunks():
    """Four runs with a constant learning rate, each cooled down at five lengths."""
    rows = []
    for N in (1e8, 3e8, 1e9, 3e9):
        before = 0.0
        for length in (2e9, 5e9, 1e10, 2e10, 5e10):
            for k in range(1, 11):
                if (D := length * k / 10) > before:
                    lr = 1e-3 * min(1, (10 - k) / 2)
                    rows.append((f"N{N:g}", N, D, lr, LAW.loss(N, D) * (1 + 40 * lr)))
            before = length
    table = pd.DataFrame(rows, columns=["run", "params", "tokens", "lr", "loss"])
    return table.assign(loss=table["loss"] * np.exp(np.random.default_rng(0).normal(0, 0.001, len(table))))


@pytest.mark.slow
def test_one_file_given_twice_has_no_plan_and_a_way_out(runs, tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    for path in (one, two):
        runs.to_csv(path, index=False)
    said = run("check", one, two).output
    assert "40 of 80 runs are copies of others, to the last digit of their losses" in said
    assert "--drop copies" in said
    assert (
        run("fit", one, two, "--approach", 3, "--resamples", 50).output.splitlines()[1].startswith("  - 40 of 80 runs")
    )
    refused = run("plan", one, two, "--flops", "1e23")
    assert refused.exit_code == 1
    assert "copies of others" in refused.output
    once = run("plan", one, two, "--flops", "1e23", "--drop", "copies", "--resamples", 100)
    alone = run("plan", one, "--flops", "1e23", "--resamples", 100)
    assert once.exit_code == 0
    table = "compute-optimal, 95% interval"
    assert once.output[once.output.index(table) :] == alone.output[alone.output.index(table) :]


def test_losses_rounded_so_far_that_they_agree_by_chance_are_no_copies(runs):
    repeated = pd.concat([runs, runs]).assign(loss=lambda each: each["loss"].round(2)).reset_index(drop=True)
    assert not any(each.kind == "copies" for each in scaling.inspect_runs(scaling.check_runs(repeated), ()).pooled)


def test_two_copies_are_told_and_refuse_nothing(runs):
    found = scaling.inspect_runs(scaling.check_runs(pd.concat([runs, runs.iloc[:2]], ignore_index=True)), ())
    assert found.pooled == []
    assert any("copies of each other" in words for words in found.looks)


def test_what_two_runs_share_of_their_curves_makes_none_of_them_a_copy(trunks):
    """Two runs from one trunk agree up to where they part; only a run whose end is another's is left out, whole."""
    one = trunks[trunks["run"] == "N1e+08"]
    other = one.assign(run="longer", loss=one["loss"] * np.where(one["tokens"] > 2e10, 0.999, 1.0))
    copy = one.assign(run="copy")
    table = scaling.check_runs(pd.concat([trunks, other, copy], ignore_index=True))
    kept = table[without_copies(table)]
    assert set(table["run"]) - set(kept["run"]) == {"copy"}
    assert len(kept) == len(table) - len(copy)


def test_runs_cooled_down_several_times_are_told_how_to_be_used(trunks, tmp_path):
    path = tmp_path / "trunks.csv"
    trunks.to_csv(path, index=False)
    said = run("check", path).output
    words = "4 runs were cooled down several times, by column 'lr': each of the 20 ends is a final loss"
    assert words in said
    assert "--final annealed" in said
    after = run("check", path, "--final", "annealed").output
    assert "cooled down several times" not in after
    assert "approach 3, parametric loss: yes: identified" in after
    once = trunks[trunks["tokens"] <= 2e9]
    assert scaling.inspect_runs(scaling.check_runs(once), ()).cooldowns == ""
    assert scaling.inspect_runs(scaling.check_runs(trunks.drop(columns="lr")), ()).cooldowns == ""
