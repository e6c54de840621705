"""Tables as people have them, whose rows are not one run each or of which no law can be had: what commands say."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pooled_tables
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main

WILD = Path(__file__).parents[1] / "wild"
LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.34)
#: words of Python that have no place in what a command says of a table
PYTHON = ("fit.candidate", "include_failed", "budgets=[", " in nan", "None")


def run(*arguments):
    """The result of ``scaling ARGUMENTS``; an exception that a command let through is raised again."""
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert not any(words in result.output for words in PYTHON), result.output
    return result


def check(path, *options):
    return run("check", path, *options)


def fit(path, *options):
    return run("fit", path, "--resamples", 20, *options)


def plan(path, *options):
    return run("plan", path, "--flops", "1e22", "--resamples", 100, *options)


POOLED = {
    "lr_batch_sweep": (
        ("--column", "params=N"),
        ("'lr' explains", "--best-of params,tokens keeps the one of least loss"),
    ),
    "checkpoints_no_run_column": (
        (),
        ("params and 'total_steps' and 'peak_lr' together", "--run N,total_steps,peak_lr"),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", POOLED)
def test_rows_that_are_not_one_run_each_are_said_at_the_top_and_not_planned_with(name):
    options, words = POOLED[name]
    path = WILD / f"{name}.csv"
    for said in words:
        assert said in check(path, *options).output
    top = fit(path, *options).output.split("Approach 1")[0].splitlines()
    assert all(said in top[1] for said in words)
    refused = plan(path, *options)
    assert refused.exit_code == 1
    assert "no plan from one law for all rows" in refused.output
    assert all(said in refused.output for said in words)


@pytest.mark.filterwarnings("ignore::scaling.errors.RunsWarning")
@pytest.mark.parametrize("make", [pooled_tables.sweep, pooled_tables.families, pooled_tables.experts])
def test_neighbours_under_other_names(make, tmp_path):
    for seed in range(3):
        make(seed).to_csv(path := tmp_path / f"{seed}.csv", index=False)
        found = json.loads(check(path, "--json", "--loss-unit", "nats").output)
        assert len(found["pooled"]) == 1
        assert all(column in found["pooled"][0]["words"] for column in found["pooled"][0]["columns"])
        refused = plan(path, "--loss-unit", "nats").output
        assert "no plan from one law" in refused
        named = " and ".join(map(repr, found["pooled"][0]["columns"]))
        assert f"if one law holds for these rows all the same, plan from a file without {named}" in refused


def test_the_best_of_each_design_and_a_family_by_itself_are_planned_with(tmp_path):
    table = pooled_tables.sweep(0)
    table.loc[table.groupby(["params", "tokens"])["loss"].idxmin()].to_csv(tmp_path / "best.csv", index=False)
    assert plan(tmp_path / "best.csv").exit_code == 0
    table = pooled_tables.families(0)
    table[table["family"] == "set 0"].to_csv(tmp_path / "one.csv", index=False)
    assert plan(tmp_path / "one.csv").exit_code == 0


@pytest.mark.slow
def test_runs_that_diverged_are_named_by_all_and_left_out_by_an_option():
    path = WILD / "q3_isoflop_diverged.csv"
    for command in (check, fit, plan):
        said = command(path).output
        assert "line 22: loss 4.1" in said
        assert "line 29: loss 7.9" in said
        assert "--drop diverged leaves out" in said
        kept = command(path, "--drop", "diverged").output
        assert "lines 22, 29 left out (--drop diverged)" in kept
        assert "loss 4.1" not in kept
    shown = json.loads(fit(path, "--approach", 2, "--json").output)["approaches"]["2"]["exponents"]["a"]["estimate"]
    options = ("--approach", 2, "--json", "--drop", "diverged")
    kept = json.loads(fit(path, *options).output)["approaches"]["2"]["exponents"]["a"]["estimate"]
    by_line = json.loads(fit(path, "--approach", 2, "--json", "--drop", "22, 29").output)["approaches"]["2"]
    assert (round(shown, 2), round(kept, 2)) == (0.43, 0.51)
    assert by_line["exponents"]["a"]["estimate"] == kept


def test_what_cannot_be_dropped_is_refused():
    path = WILD / "q3_isoflop_diverged.csv"
    assert "no line 99 is among the runs" in check(path, "--drop", "22,99").output
    every = ",".join(map(str, range(2, 37)))
    assert "leaves no row" in check(path, "--drop", every).output


def test_a_diverged_run_goes_with_all_its_points(tmp_path):
    curves = scaling.simulate.simulate_curves(LAW, np.geomspace(1e8, 2e9, 6), n_points=12, noise=0.002)
    bad = curves["run"] == curves["run"].iloc[40]
    curves.loc[bad, "loss"] *= 1.3
    curves.to_csv(tmp_path / "curves.csv", index=False)
    assert f"{bad.sum() - 5} more left out" in check(tmp_path / "curves.csv", "--drop", "diverged").output


@pytest.mark.slow
def test_a_run_that_ends_on_a_spike_is_said():
    path = WILD / "q7_spike_at_end.csv"
    for command in (check, fit, plan):
        assert "line 451: run 'r42' ends on a spike, loss 2.341 after 2.225" in command(path).output
        assert "ends on a spike" not in command(path, "--drop", "451").output


def test_every_note_of_a_table_stands_above_its_plan(tmp_path):
    design = scaling.simulate.grid_design(np.geomspace(1e8, 2e9, 5), np.geomspace(2e9, 6e10, 5))
    runs = scaling.simulate_runs(LAW, design, noise=0.003).assign(status="finished", color="red", gpu_hours=1.0)
    runs.loc[3, "status"] = "crashed"
    runs.drop(columns="flops").to_csv(tmp_path / "t.csv", index=False)
    above = plan(tmp_path / "t.csv").output.split("Plan for")[0]
    for command in (check, fit):
        said = command(tmp_path / "t.csv").output
        for words in ("columns not used: 'color', 'gpu_hours'", "follows from flops = 6 N D", "1 of 25 runs left out"):
            assert words in said
            assert words in above


def test_a_budget_far_below_the_runs_is_remarked_on(tmp_path):
    design = scaling.simulate.grid_design(np.geomspace(1e8, 2e9, 5), np.geomspace(2e9, 6e10, 5))
    scaling.simulate_runs(LAW, design, noise=0.003).to_csv(tmp_path / "t.csv", index=False)
    path = tmp_path / "t.csv"
    small = run("plan", path, "--flops", "1e15", "--resamples", 100).output
    assert "the budget is 1.2e+03 times below that of the cheapest run" in small
    assert "cheapest" not in run("plan", path, "--flops", "1e19", "--resamples", 100).output


def test_curves_of_nearly_one_length_have_an_envelope_and_the_true_reason_for_the_rest():
    path = WILD / "curves_nearly_equal_length.csv"
    found = json.loads(check(path, "--json").output)["approaches"]
    assert [found[k]["possible"] for k in "123"] == [True, False, False]
    words = "the runs are all of nearly one length: they end at 655M to 1.31B tokens"
    assert words in found["3"]["verdict"]
    assert "of budgets" not in found["2"]["verdict"]
    assert "Usable." in check(path).output
    assert json.loads(fit(path, "--json").output)["approaches"]["1"]["possible"]
    assert words in plan(path).output


def test_curves_whose_loss_does_not_fall_have_no_envelope(tmp_path):
    curves = scaling.simulate.simulate_curves(LAW, np.geomspace(1e8, 2e9, 6), n_points=30)
    curves["loss"] = 3 + 0.1 * np.random.default_rng(0).standard_normal(len(curves))
    curves.to_csv(tmp_path / "t.csv", index=False)
    assert not json.loads(check(tmp_path / "t.csv", "--json").output)["approaches"]["1"]["possible"]


def test_three_sizes_of_which_one_wins_everywhere():
    said = check(WILD / "three_sizes.csv").output
    assert "one size, 200M, is best wherever smaller and larger ones can be compared" in said
    assert "there are final losses only" in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("q4_one_variable", "scaling fit --law power --x tokens fits it"),
        ("q4_loss_vs_compute", "scaling fit --law power --x flops fits it"),
        ("q10_accuracy", "'accuracy' is an accuracy"),
    ],
)
def test_tables_of_other_laws_are_called_what_they_are(name, words):
    for command in (check, fit, plan):
        refused = command(WILD / f"{name}.csv")
        assert refused.exit_code == 1
        assert words in refused.output


def test_what_is_advised_for_tables_of_other_laws_works():
    table = pd.read_csv(WILD / "q4_one_variable.csv")
    law = scaling.fit_power_law(table["tokens"], table["loss"], offset=True).law
    assert law(1e10) == pytest.approx(1.984, abs=0.01)
    table = pd.read_csv(WILD / "q10_accuracy.csv").query("params == 1e9")
    assert scaling.fit_power_law(table["tokens"], 1 - table["accuracy"], offset=True).candidate.exponent < 0


def test_a_column_without_a_unit_is_told_without_one(tmp_path):
    text = (WILD / "q7_spike_at_end.csv").read_text().replace("run,", "Run ID,", 1)
    (tmp_path / "t.csv").write_text(text)
    assert "read: run from 'Run ID'\n" in fit(tmp_path / "t.csv").output
