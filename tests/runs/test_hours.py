"""Headers that say hours of machines: no count of FLOPs, whatever unit is named, and how they become one."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.runs.reading.hours import read_time

LAW = scaling.ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.36)
SPEED = 4e14


def table(header, seconds=3600.0, keep=("params", "loss")):
    runs = scaling.simulate_runs(
        LAW, scaling.simulate.isoflop_design([1e18, 1e19, 1e20], n_sizes=6, law=LAW), noise=0.002
    )
    return runs[list(keep)].assign(**{header: runs["flops"] / (SPEED * seconds)})


TIMES = [
    ("gpu_hours", 3600),
    ("GPU hours", 3600),
    ("H100-hours", 3600),
    ("a100_80gb_hours", 3600),
    ("device hours", 3600),
    ("node days", 86400),
    ("total_compute_gpu_h", 3600),
    ("compute (GPU-hours)", 3600),
    ("TPUv4 chip-hours", 3600),
    ("gpu_seconds", 1),
    ("train.gpuHours", 3600),
    ("compute_hours", 3600),
]


@pytest.mark.parametrize(("header", "seconds"), TIMES)
def test_a_header_of_hours_is_known(header, seconds):
    assert read_time(header).seconds == seconds


@pytest.mark.parametrize(
    ("header", "machine"),
    [("gpu_hours", "a gpu"), ("A100-hours", "an A100"), ("H100-hours", "an H100"), ("mi300x days", "an MI300X")]
    + [("TPUv4 chip-hours", "a TPUV4"), ("V100 hours", "a V100"), ("accelerator hours", "an accelerator")],
)
def test_a_machine_is_called_as_it_is_said(header, machine):
    assert f"hours of {machine}" in read_time(header).no_count(header).replace("days", "hours").replace("GPU", "gpu")


@pytest.mark.parametrize(
    "header",
    [
        "PF-days",
        "compute_pf_days",
        "petaflop/s-days",
        "PF-Tage",
        "EFLOP",
        "flops",
        "C",
        "compute",
        "tokens per GPU hour",
    ]
    + ["steps", "heads", "loss_h", "params", "FLOPs per GPU-second", "exaflop_days", "n_gpus", "birthdays"],
)
def test_no_other_header_is(header):
    assert read_time(header) is None


def refused(runs, **options):
    with pytest.raises(scaling.RunsError) as error:
        scaling.load_runs(runs, **options)
    return str(error.value)


@pytest.mark.parametrize(("header", "seconds"), TIMES)
@pytest.mark.parametrize(("named", "unit"), [(False, None), (True, None), (True, "PF-days"), (True, "count")])
def test_the_hint_works_as_it_stands_with_the_number_put_in(header, seconds, named, unit):
    """Without an option, with ``--column flops=``, and with a unit of FLOPs on top of it."""
    runs = table(header, seconds)
    options = {"columns": {"flops": header}} if named else {}
    said = refused(runs, **options, **({"units": {"flops": unit}} if unit else {}))
    assert "PF-days" not in said.replace("--unit flops=PF-days", "", 1 if unit == "PF-days" else 0)
    assert "no count of floating-point operations" in said
    assert said.count("\n  - ") == 1
    option, derived = shlex.split(re.search(r"--derive flops='[^']*'", said)[0])
    assert option == "--derive"
    name, _, text = derived.partition("=")
    found = scaling.load_runs(runs, derive={name: text.replace("FLOPS_PER_SECOND", repr(SPEED))})
    assert found["flops"].max() == pytest.approx(1e20, rel=1e-6)


def test_it_is_said_what_stands_for_the_operations_of_a_second():
    said = refused(table("node days", 86400))
    assert "FLOPS_PER_SECOND stands for what one node did in a second of training" in said


def test_days_without_a_machine_may_be_petaflop_days_where_it_is_said():
    runs = table("train_days", 86400)
    runs["train_days"] *= SPEED / 1e15  # now PF-days
    said = refused(runs, columns={"flops": "train_days"})
    assert "no count of floating-point operations" in said
    found = scaling.load_runs(runs, columns={"flops": "train_days"}, units={"flops": "PF-days"})
    assert found["flops"].max() == pytest.approx(1e20, rel=1e-6)


def test_hours_beside_params_and_tokens_are_carried():
    runs = table("gpu_hours", keep=("params", "tokens", "loss"))
    found = scaling.load_runs(runs)
    assert np.allclose(found["flops"], 6 * found["params"] * found["tokens"])
    both = scaling.load_runs(table("compute (GPU hours)", keep=("params", "tokens", "loss")))
    assert both["flops"].max() == pytest.approx(1e20, rel=1e-3)
    said = refused(runs, columns={"flops": "gpu_hours"})
    assert "leave the option out: flops follows from params and tokens" in said


def test_a_budget_in_hours_is_none_either():
    said = refused(table("gpu_hours").assign(tokens=1e10), columns={"budget": "gpu_hours"}, units={"budget": "PF-days"})
    assert "no count of floating-point operations" in said
    assert isinstance(scaling.load_runs(table("gpu_hours").assign(tokens=1e10)), pd.DataFrame)


@pytest.mark.parametrize("header", ["nweights (days)", "params (hours)", "tokens (days)"])
@pytest.mark.parametrize("cells", [["1.3B", "300M", "2.7B"], [1.3, 300, 2.7]])
def test_counts_of_anything_else_are_no_times(header, cells):
    name, other = ("tokens", "params") if header.startswith("tokens") else ("params", "tokens")
    beside = np.array([1.0, 2.0, 3.0]) * {"params": 1e8, "tokens": 1e10}[other]
    runs = pd.DataFrame({header: cells, other: beside, "loss": [3.0, 2.9, 2.8]})
    unit = "days" if "days" in header else "hours"
    with pytest.raises(scaling.RunsError, match=rf"column .* \({name}\): '{unit}' is a time, and {name} are none"):
        scaling.load_runs(runs)
    assert scaling.load_runs(runs.assign(**{header: [1.3, 0.3, 2.7]}), units={name: "billions"})[name][0] == 1.3e9


def test_words_among_tokens_beside_epochs_are_named():
    """Tokens and unique tokens are set against each other before all of them are numbers."""
    runs = pd.DataFrame({"params": [1e8, 2e8, 3e8], "tokens": ["1.3B", "many", "8.1B"], "loss": [3.0, 2.9, 2.8]})
    runs = runs.assign(unique_tokens=["1.3B", "300M", "2.7B"], epochs=[1, 2, 3])
    with pytest.raises(scaling.RunsError, match="column 'tokens', row 1: 'many' is not a number"):
        scaling.load_runs(runs)
    read = scaling.load_runs(runs.drop(columns="tokens"))
    assert read["tokens"].tolist() == [1.3e9, 6e8, 8.1e9]
    with pytest.raises(scaling.RunsError, match="'unique_tokens', row 1: 'many' is not a number"):
        scaling.load_runs(runs.drop(columns="tokens").assign(unique_tokens=["1.3B", "many", "2.7B"]))
