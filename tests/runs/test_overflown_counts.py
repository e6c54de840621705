"""Counts that were kept in 32 or 64 bits and are larger: asked about, never left out as if they were slips."""

import re

import numpy as np
import pandas as pd
import pytest

from scaling.errors import RunsError
from scaling.laws.chinchilla import ChinchillaLaw
from scaling.runs import load_runs

LAW = ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.32)


@pytest.fixture(scope="module")
def runs():
    """Seven sizes, five lengths each, of whole tokens up to 2.6e11, with noise."""
    N, ratio = (
        x.ravel() for x in np.meshgrid(np.geomspace(5e7, 3.2e9, 7).round(-6), [5, 10, 20, 40, 80], indexing="ij")
    )
    D = (N * ratio).astype(np.int64)
    loss = LAW.loss(N, D) * np.exp(np.random.default_rng(0).normal(0, 0.003, len(N)))
    return pd.DataFrame({"params": N.astype(np.int64), "tokens": D, "loss": loss})


def refused(table, **how):
    with pytest.raises(RunsError) as error:
        load_runs(table, **how)
    return " | ".join(error.value.problems)


@pytest.mark.parametrize("kind", ["int32", "uint32", "int32 of params", "int64 of flops"])
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("skip_bad", [False, True])
def test_counts_that_overflew_are_asked_about_also_where_bad_rows_are_skipped(tmp_path, runs, kind, shuffled, skip_bad):
    name = {"int32 of params": "params", "int64 of flops": "flops"}.get(kind, "tokens")
    table = runs.assign(flops=6.0 * runs["params"] * runs["tokens"]) if name == "flops" else runs.copy()
    whole = [int(x) for x in table[name]]
    bits = 64 if "64" in kind else 32
    wrapped = [x % 2**bits for x in whole]
    if kind != "uint32":
        wrapped = [x - 2**bits if x >= 2 ** (bits - 1) else x for x in wrapped]
    table[name] = wrapped
    table = table.drop(columns="tokens") if name == "flops" else table
    table = table.sample(frac=1.0, random_state=1) if shuffled else table
    table.to_csv(path := tmp_path / "runs.csv", index=False)
    words = refused(path, skip_bad=skip_bad)
    assert re.search(rf"column '{name}', lines [\d, ]+.*did counts overflow {bits} bits\?", words)
    assert "skip" not in words
    if kind == "uint32":
        assert len(load_runs(path, units={"tokens": "count"})) == 35
    else:
        assert "--skip-bad" in refused(path, units={name: "count"})


@pytest.mark.parametrize("seed", range(6))
def test_small_runs_below_2_to_the_32_are_no_question(runs, seed):
    rng = np.random.default_rng(seed)
    table = runs.assign(tokens=rng.integers(10**8, 2**32, len(runs)) if seed % 2 else runs["tokens"] // 64)
    table["loss"] = LAW.loss(table["params"], table["tokens"]) * np.exp(rng.normal(0, 0.02, len(table)))
    assert len(load_runs(table.sample(frac=1.0, random_state=seed))) == 35


def test_one_slip_of_the_sign_is_skipped_where_it_is_asked(runs):
    tokens = runs["tokens"].to_numpy().copy()
    tokens[3] *= -1
    assert "--skip-bad" in refused(runs.assign(tokens=tokens))
    assert len(load_runs(runs.assign(tokens=tokens), skip_bad=True)) == 34
