"""Rows that are several evaluations, or several last checkpoints, of one run are asked about; the advice is tried."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main

LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36)
ASKED = ("--flops", "1.2e22", "--resamples", "100")


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def once(seed=0, noise=0.004):
    rows = [(N, N * r) for N in (2e7, 5e7, 1.2e8, 3e8, 7e8, 1.5e9) for r in (5, 15, 45, 130)]
    table = pd.DataFrame(rows, columns=["params", "tokens"])
    luck = np.exp(noise * np.random.default_rng(seed).standard_normal(len(table)))
    return table.assign(loss=np.asarray(LAW.loss(table["params"], table["tokens"])) * luck)


def again(table, names, noise=0.0003, tokens=None, seed=1):
    """Every run once for each of these names, its losses apart by the noise of an evaluation."""
    rng, parts = np.random.default_rng(seed), []
    for k, label in enumerate(names):
        part = table.assign(loss=table["loss"] * np.exp(noise * rng.standard_normal(len(table))), label=label)
        parts.append(part if tokens is None else part.assign(tokens=part["tokens"] * tokens[k]))
    return pd.concat(parts, ignore_index=True)


def pooled(table, path, *options):
    table.to_csv(path, index=False)
    return [each["kind"] for each in json.loads(run("check", path, *options, "--json").stdout)["pooled"]]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_evaluations_of_one_run_are_asked_about_and_the_advice_leads_to_a_plan(seed, tmp_path):
    table = again(once(seed), range(5)).rename(columns={"label": "eval_id"})
    assert pooled(table, path := tmp_path / "t.csv") == ["evaluations"]
    refused = run("plan", path, *ASKED)
    assert refused.exit_code == 1
    said = " ".join(refused.output.split())
    assert "120 rows share params and tokens with others and differ by 0.03% in loss" in said
    assert "does not describe" not in said
    assert "--best-of params,tokens keeps one of each" in said
    assert pooled(table, path, "--best-of", "params,tokens") == []
    planned = run("plan", path, *ASKED, "--best-of", "params,tokens")
    assert planned.exit_code == 0, planned.output
    assert "24 runs" in planned.output


def test_which_evaluation_was_kept_is_no_family(tmp_path):
    table = once().assign(eval_id=np.tile([0, 1, 2], 8))
    table["loss"] *= np.exp(0.01 * table["eval_id"])
    assert pooled(table, path := tmp_path / "t.csv") == []
    assert pooled(table.rename(columns={"eval_id": "variant"}), path) == ["families"]


@pytest.mark.parametrize("name", ["seed", "trial", "data_seed", "replicate"])
def test_repeats_that_a_column_tells_apart_are_runs(name, tmp_path):
    table = again(once(), range(5)).rename(columns={"label": name})
    assert pooled(table, tmp_path / "t.csv") == []


def test_repeats_that_differ_as_much_as_the_law_misses_them_are_runs(tmp_path):
    assert pooled(again(once(noise=0.0), range(3), noise=0.004).drop(columns="label"), tmp_path / "t.csv") == []
    assert pooled(again(once(), range(3), noise=0.003).drop(columns="label"), tmp_path / "t.csv") == []


ENDS = (0.98, 0.99, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("shares", [ENDS, (0.9, 0.95, 1.0), (0.97, 1.0)])
@pytest.mark.parametrize("seed", range(3))
def test_a_few_last_checkpoints_are_found(shares, seed, tmp_path):
    table = again(once(seed), shares, tokens=shares)
    assert pooled(table.drop(columns="label"), path := tmp_path / "t.csv") == ["checkpoints"]
    assert "as the last checkpoints of a run have" in run("plan", path, *ASKED).output
    assert pooled(table.assign(step=table["tokens"] / 1e6).drop(columns="label"), path) == ["checkpoints"]


def test_checkpoints_at_equal_steps_are_found(tmp_path):
    parts = [once().assign(tokens=lambda t, k=k: t["tokens"] - k * 2e6) for k in (2, 1, 0)]
    table = pd.concat(parts, ignore_index=True)
    assert pooled(table, tmp_path / "t.csv") == ["checkpoints"]


def test_the_best_of_the_last_checkpoints_is_advice_that_works(tmp_path):
    again(once(), ENDS, tokens=ENDS).drop(columns="label").to_csv(path := tmp_path / "t.csv", index=False)
    assert "--best-of params,tokens keeps one of each" in run("check", path).output
    planned = run("plan", path, *ASKED, "--best-of", "params,tokens")
    assert planned.exit_code == 0, planned.output
    assert "24 runs" in planned.output


def test_a_column_that_names_the_run_of_the_last_checkpoints_is_offered(tmp_path):
    table = again(once().assign(job=[f"j{k}" for k in range(24)], lr=1e-3), ENDS, tokens=ENDS).drop(columns="label")
    table.to_csv(path := tmp_path / "t.csv", index=False)
    assert "--run job takes what tells the runs apart" in run("check", path).output
    assert pooled(table, path, "--run", "job") == []


def test_sweeps_seeds_and_families_whose_tokens_differ_are_no_checkpoints(tmp_path):
    path = tmp_path / "t.csv"
    for name, labels in (("lr", [1e-3, 2e-3, 4e-3]), ("seed", [0, 1, 2]), ("optimizer", ["adam", "muon", "lion"])):
        assert "checkpoints" not in pooled(again(once(), labels, tokens=ENDS).rename(columns={"label": name}), path)
    rng = np.random.default_rng(0)
    loose = again(once(), range(3)).drop(columns="label")
    loose["tokens"] *= np.exp(0.01 * rng.standard_normal(len(loose)))
    assert "checkpoints" not in pooled(loose, path)
