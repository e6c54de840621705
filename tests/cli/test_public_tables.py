"""Public tables from the file as published to a law, by commands alone, with the constants of an independent fit."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.sources.datasets import fetch, is_available


def needs(name):
    return pytest.mark.skipif(not is_available(name), reason=f"the runs of {name} are not here")


def published(name, file):
    """A file of a set as its authors published it."""
    path = fetch(name)
    return path / file if path.is_dir() else path


def fitted(path, *options):
    result = CliRunner().invoke(main, ["fit", str(path), "--resamples", "20", "--json", *options])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def assert_law(found, runs, **how):
    """The constants of approach 3 are those of these runs, put together here by pandas alone."""
    fit = scaling.fit_parametric(runs, **how)
    for row in found["approaches"]["3"]["constants"]:
        assert row["estimate"] == pytest.approx(fit.candidate.constants[row["name"]], rel=1e-9)


def least(table, keys):
    return table.loc[table.groupby(keys)["loss"].idxmin()]


@pytest.mark.slow
@needs("steplaw2025")
def test_a_sweep_of_learning_rates_and_batches():
    path = published("steplaw2025", "dense_lr_bs_loss.csv")
    found = fitted(path, "--approach", "3", "--best-of", "params,tokens")
    raw = pd.read_csv(path)
    assert_law(found, least(raw.assign(params=raw["N"].astype(float), tokens=raw["D"].astype(float)), ["N", "D"]))
    assert found["approaches"]["3"]["runs"] == 17


@needs("misfitting2025")
def test_a_sweep_of_learning_rates_with_two_columns_of_tokens():
    path = published("misfitting2025", "scaling_results_last_ckpt_only.csv")
    asked = CliRunner().invoke(main, ["fit", str(path)])
    assert asked.exit_code == 1
    assert "'D' and 'train_tokens' could each be 'tokens': --column tokens=COLUMN says which" in asked.output
    found = fitted(path, "--approach", "3", "--column", "tokens=train_tokens", "--best-of", "params,tokens")
    raw = pd.read_csv(path)
    runs = least(
        raw.assign(params=raw["N"].astype(float), tokens=raw["train_tokens"].astype(float)), ["N", "train_tokens"]
    )
    assert_law(found, runs)


@needs("gemstones2025")
def test_curves_of_runs_of_one_length():
    path = published("gemstones2025", "wandb_df_for_fitting_hot_477.jsonl")
    options = ("--approach", "3", "--column", "params=params_active_precise")
    refused = CliRunner().invoke(main, ["fit", str(path), *options])
    assert refused.exit_code == 1
    assert "1 distinct value of tokens" in refused.output
    found = fitted(path, *options, "--rows", "all")
    raw = pd.read_json(path, lines=True)
    names = {"params_active_precise": "params", "final_loss": "loss", "run_name": "run"}
    runs = raw.rename(columns=names)[["params", "tokens", "loss", "run"]].astype({"params": float, "tokens": float})
    assert_law(found, runs, rows="all")


@needs("clark2022")
def test_the_dense_ends_of_packed_curves_of_routed_models():
    path = published("clark2022", "curves.csv.gz")
    where = "router_type == 'Dense' and step > 240000"
    options = ("--law", "power", "--x", "dense_parameter_count", "--y", "loss_validation", "--where", where)
    found = fitted(path, *options, "--best-of", "dense_parameter_count")
    raw = pd.read_csv(path)
    dense = raw[(raw["router_type"] == "Dense") & (raw["step"] > 240_000) & raw["loss_validation"].notna()]
    best = dense.groupby("dense_parameter_count")["loss_validation"].min()
    fit = scaling.fit_power_law(best.index.to_numpy(), best.to_numpy(), offset=True)
    constants = {row["name"]: row["estimate"] for row in found["constants"]}
    names = {"c": "offset", "a": "coefficient", "b": "exponent"}
    np.testing.assert_allclose(
        [constants[k] for k in names], [fit.candidate.constants[v] for v in names.values()], rtol=1e-9
    )
