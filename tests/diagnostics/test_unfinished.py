"""Runs that ended before their planned length, and repeated tokens, are told for what they are."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.diagnostics.pooling import find_pooling

LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36)


def curves(cut=0.6, cost=0.08):
    """Curves of runs of four planned lengths at six sizes, every fourth cut short before its rate came down."""
    rng, rows = np.random.default_rng(0), []
    for i, size in enumerate((5e7, 1e8, 2e8, 4e8, 8e8, 1.6e9)):
        for j, total in enumerate((4000, 8000, 16000, 32000)):
            end = cut if (i + j) % 4 == 0 else 1.0
            for part in np.arange(0.1, end + 0.01, 0.1):
                loss = LAW.loss(size, total * part * 524288) * (1 + cost * (1 - part)) * np.exp(rng.normal(0, 0.001))
                rows.append((f"r{i}{j}", size, total, round(total * part), 3e-4 * (1 - 0.9 * part), loss))
    table = pd.DataFrame(rows, columns=["run", "params", "total_steps", "step", "lr", "loss"])
    return table.assign(tokens=table["step"] * 524288.0)


def pooled(table):
    runs = scaling.check_runs(table)
    return find_pooling(scaling.fit_parametric(runs), runs)


def test_runs_cut_short_are_told_with_the_condition_that_leaves_them_out():
    (found,) = pooled(curves())
    assert (found.kind, found.columns) == ("unfinished", ("total_steps",))
    assert "ended at 60% of 'total_steps'" in found.words
    assert """--where 'run not in ("r00", "r13", "r22", "r31", "r40", "r53")' leaves these out""" in found.words
    kept = scaling.runs.select_runs(curves(), 'run not in ("r00", "r13", "r22", "r31", "r40", "r53")')
    assert pooled(kept) == []


@pytest.mark.parametrize("column", ["planned_tokens", "max_steps", "progress"])
def test_by_last_rows_alone_and_under_other_names(column):
    last = curves().groupby("run", sort=False).tail(1).drop(columns="run")
    share = last["step"] / last["total_steps"]
    last[column] = {"planned_tokens": last["tokens"] / share, "max_steps": last["total_steps"], "progress": share}[
        column
    ]
    (found,) = pooled(last.drop(columns=["lr", "total_steps"]).reset_index(drop=True))
    assert (found.kind, found.columns) == ("unfinished", (column,))
    assert "--drop 0,7,10,13,16,23 leaves these out" in found.words


def test_runs_that_end_early_without_loss_are_left_in_peace():
    assert pooled(curves(cost=0.0).drop(columns="lr")) == []
    assert pooled(curves(cut=1.0)) == []


def test_tokens_that_were_multiplied_are_not_to_be_multiplied_again():
    rows = [(N, U, e) for N in (5e7, 1e8, 2e8, 4e8, 8e8) for U in (5e8, 2e9, 8e9) for e in (1, 4)]
    table = pd.DataFrame(rows, columns=["params", "unique_tokens", "n_epochs"])
    worth = table["unique_tokens"] * (1 + 15.4 * (1 - np.exp(-(table["n_epochs"] - 1) / 15.4)))
    noise = np.exp(np.random.default_rng(0).normal(0, 0.003, len(table)))
    table["loss"] = LAW.loss(table["params"], worth) * noise
    (found,) = pooled(table.assign(tokens=table["unique_tokens"] * table["n_epochs"]))
    assert "a token that is read again is worth less than a new one" in found.words
    assert "--where 'n_epochs <= 1' keeps the runs on new tokens" in found.words
    assert "multiply" not in found.words
