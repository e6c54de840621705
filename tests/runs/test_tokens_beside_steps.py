"""Tokens that stand beside steps, batch and sequence: a product that says otherwise is asked about."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest

from scaling.errors import RunsError
from scaling.laws.chinchilla import ChinchillaLaw
from scaling.runs import load_runs

LAW = ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.32)


@pytest.fixture(scope="module")
def runs():
    """Runs of 5 sizes and 4 lengths, with batches of 256 sequences of 2,048 tokens."""
    N, ratio = (x.ravel() for x in np.meshgrid(np.geomspace(5e7, 3.2e9, 5).round(-6), [5, 10, 20, 40]))
    steps = np.ceil(N * ratio / (256 * 2048))
    D = steps * 256 * 2048
    table = pd.DataFrame({"params": N, "steps": steps, "batch_size": 256, "seq_len": 2048, "tokens": D})
    return table.assign(loss=LAW.loss(N, D))


def question(table, **how):
    with pytest.raises(RunsError) as refused:
        load_runs(table, **how)
    return " | ".join(refused.value.problems)


@pytest.mark.parametrize("part", [1 / 2, 1 / 8, 1 / 2048, 0.9, 1.3, 1000.0])
@pytest.mark.parametrize("name", ["tokens", "tokens (B)"])
def test_tokens_that_are_not_the_product_are_asked_about(runs, part, name):
    scale = 1e9 if "B" in name else 1.0
    table = runs.assign(tokens=runs["tokens"] * part / scale).rename(columns={"tokens": name})
    words = question(table)
    said = {1 / 2: "is 1/2 of", 1 / 8: "is 1/8 of", 1 / 2048: "is 1/2048 of", 1000.0: "is 1e+03 times"}
    assert f"{said.get(part, f'is {part:g} times')} 'steps' x 'batch_size' x 'seq_len' in 20 of 20 rows" in words
    derived = re.search(r"--derive (\S+)='([^']*)'(?: --column tokens=(\S+))? takes the product", words)
    columns = {"tokens": derived[3]} if derived[3] else {}
    product = load_runs(table, derive={derived[1]: derived[2]}, columns=columns)
    assert product["tokens"].to_numpy() == pytest.approx(runs["tokens"].to_numpy())
    kept = shlex.split(words.rpartition(" --column tokens=")[2].partition(" takes the column")[0])[0]
    units = {"tokens": "count" if scale == 1 else "B", "params": "count"}
    read = load_runs(table, columns={"tokens": kept}, units=units)
    assert read["tokens"].to_numpy() == pytest.approx(part * runs["tokens"].to_numpy())


@pytest.mark.parametrize("unit", ["thousands", "millions", "billions"])
def test_tokens_in_a_unit_that_the_product_tells(runs, unit):
    scale = {"thousands": 1e3, "millions": 1e6, "billions": 1e9}[unit]
    table = runs.assign(tokens=runs["tokens"] / scale)
    assert f"--unit tokens={unit} takes it in that unit" in question(table)
    assert load_runs(table, units={"tokens": unit})["tokens"].to_numpy() == pytest.approx(runs["tokens"].to_numpy())


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda t: t, ""),
        (lambda t: t.assign(tokens=t["tokens"] * np.linspace(0.99, 1.01, len(t))), ""),
        (lambda t: t.assign(batch_size=32), "is 8 times"),
        (lambda t: t.assign(batch_size=32, world_size=8), ""),
        (lambda t: t.assign(batch_size=8, gradient_accumulation_steps=4, world_size=8), ""),
        (lambda t: t.assign(steps=t["steps"] * 4, gradient_accumulation_steps=4, batch_size=64), ""),
        (lambda t: t.assign(batch_size=256 * 2048), ""),
        (lambda t: t.drop(columns="batch_size").assign(micro_batch_size=8, grad_accum=4, world_size=8), ""),
        (lambda t: t.drop(columns="seq_len"), ""),
    ],
)
def test_tokens_that_devices_accumulation_or_rounding_explain_are_read(runs, change, note):
    table = change(runs)
    read = load_runs(table)
    assert read["tokens"].to_numpy() == pytest.approx(table["tokens"].to_numpy())
    assert note in " | ".join(read.attrs["reading"]["notes"])


@pytest.mark.parametrize("change", [{"micro_batch_size": 256}, {"micro_batch_size": 64, "grad_accum": 4}])
def test_tokens_of_one_device_beside_the_number_of_devices_are_asked_about(runs, change):
    words = question(runs.drop(columns="batch_size").assign(**change, world_size=8))
    assert "is 1/8 of 'steps' x 'micro_batch_size' x 'seq_len'" in words
    assert "* world_size' --column tokens=tokens_made takes the product" in words


def test_tokens_that_are_a_part_of_the_product_in_some_rows_are_asked_about(runs):
    part = np.where(np.arange(len(runs)) % 3 == 0, 1.0, 1 / 8)
    assert "is 0.12 to 1 times 'steps' x 'batch_size' x 'seq_len'" in question(
        runs.assign(tokens=runs["tokens"] * part)
    )


@pytest.mark.parametrize(
    ("steps", "unit"),
    [
        *((f"{word} (k)", 1e3) for word in ("steps", "Steps", "training steps", "iterations", "updates")),
        *((word, 1e3) for word in ("steps [thousands]", "step (thousands)", "k steps", "ksteps", "steps in thousands")),
        *((word, 1e3) for word in ("steps (1e3)", "steps (in thousands)", "steps (k steps)", "thousands of steps")),
        ("steps (M)", 1e6),
    ],
)
def test_steps_in_a_unit(runs, steps, unit):
    table = runs.assign(steps=runs["steps"] / unit).rename(columns={"steps": steps}).drop(columns="tokens")
    read = load_runs(table)
    assert read["tokens"].to_numpy() == pytest.approx(runs["tokens"].to_numpy(), rel=1e-12)
    assert f"tokens = {unit:.0f} x {steps!r} x 'batch_size' x 'seq_len'" in read.attrs["reading"]["notes"]
    derived = re.search("--derive tokens='([^']*)'", question(table.drop(columns="seq_len")))[1]
    derived = derived.replace("SEQUENCES * LENGTH", "256 * 2048")
    read = load_runs(table.drop(columns="seq_len"), derive={"tokens": derived})
    assert read["tokens"].to_numpy() == pytest.approx(runs["tokens"].to_numpy(), rel=1e-12)


@pytest.mark.parametrize(
    ("batch", "unit"), [("batch (tokens)", 1.0), ("batch size (k tokens)", 1e3), ("batch (M tokens)", 1e6)]
)
def test_a_batch_of_tokens_in_a_unit(runs, batch, unit):
    table = runs.assign(**{batch: 256 * 2048 / unit}).drop(columns=["tokens", "batch_size", "seq_len"])
    assert load_runs(table)["tokens"].to_numpy() == pytest.approx(runs["tokens"].to_numpy(), rel=1e-12)
    cells = table.assign(steps=[f"{x / 1e3:.3f}k" for x in table["steps"]])
    assert load_runs(cells)["tokens"].to_numpy() == pytest.approx(runs["tokens"].to_numpy(), rel=1e-12)


@pytest.mark.parametrize(
    "name",
    [
        *("batch_size (k)", "batch size (M)", "seq len (k)", "context_k", "steps (final)"),
        *("steps_k", "step (k)", "step_k", "step k", "K_steps", "K steps", "k-steps"),
    ],
)
def test_a_unit_that_could_be_another_is_no_product(runs, name):
    old = "steps" if "step" in name else "batch_size" if "batch" in name else "seq_len"
    assert "no column is recognised as 'tokens'" in question(runs.rename(columns={old: name}).drop(columns="tokens"))
