"""Small words of reading: each names what it speaks of, and a hint works as it stands."""

import re
import shlex

import numpy as np
import pytest

import scaling
from scaling.runs.reading.units import Header, read_header, unit_factor

LAW = scaling.ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.36)
RUNS = scaling.simulate_runs(LAW, scaling.simulate.grid_design([1e8, 1e9, 1e10], [1e9, 1e10, 1e11]), noise=0.002)


def refused(runs, **options):
    with pytest.raises(scaling.RunsError) as error:
        scaling.load_runs(runs, **options)
    return str(error.value)


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ({"where": "foo > 1"}, "--where 'foo > 1': there is no column 'foo'"),
        ({"derive": {"tokens": "foo * 2"}}, "--derive 'foo * 2': there is no column 'foo'"),
    ],
)
def test_an_option_is_no_table(options, start):
    runs = RUNS[["params", "loss", "flops"]]
    said = refused(runs, **options)
    assert said.startswith(start)
    assert "table of runs" not in said


def test_the_columns_of_a_step_are_multiplied():
    sequences = {"micro_batch_size": 4, "gradient_accumulation_steps": 2, "world_size": 8, "sequence_length": 1024}
    steps = RUNS["tokens"] / (4 * 2 * 8 * 1024)
    runs = RUNS[["params", "loss"]].assign(max_steps=steps, **sequences)
    said = refused(runs)
    product = "max_steps * micro_batch_size * gradient_accumulation_steps * world_size * sequence_length"
    assert f"--derive tokens='{product}' makes them" in said
    assert np.allclose(scaling.load_runs(runs, derive={"tokens": product})["tokens"], RUNS["tokens"])
    one = refused(runs.drop(columns="world_size"))
    assert "--derive tokens='max_steps * micro_batch_size * gradient_accumulation_steps * sequence_length'" in one
    assert "times the number of devices" in one
    none = refused(runs.drop(columns=["world_size", "gradient_accumulation_steps"]))
    assert "--derive tokens='max_steps * SEQUENCES * LENGTH'" in none


@pytest.mark.parametrize("header", ["train ExaFLOPs", "ExaFLOP", "total zettaflops", "compute_exaflops"])
def test_prefixes_in_full_are_units(header):
    found = read_header(header)
    assert isinstance(found, Header)
    assert found.name == "flops"
    assert unit_factor("flops", found.unit) == (1e21 if "zetta" in header else 1e18)


@pytest.mark.parametrize("header", ["petaflops", "teraflops", "mfu exaflops"])
def test_speeds_are_not(header):
    assert read_header(header) is None


@pytest.mark.parametrize("header", ["params_nonembedding", "non_embedding_params", "Params (non-embedding)"])
def test_parameters_without_embeddings_may_stand_for_all(header):
    runs = RUNS[["tokens", "loss"]].assign(**{header: RUNS["params"]})
    said = refused(runs)
    option = shlex.split(re.search(r"--column (params='[^']*')", said)[1])[0].partition("=")
    assert f"{header!r} counts parameters without embeddings" in said
    found = scaling.load_runs(runs, columns={option[0]: option[2]})
    assert np.allclose(found["params"], RUNS["params"])
