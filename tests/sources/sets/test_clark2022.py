"""Clark et al.'s routed models: what their passport says."""

import numpy as np
import pytest

import scaling
from scaling.errors import RunsWarning
from scaling.sources.datasets import is_available, read_dataset

pytestmark = pytest.mark.skipif(not is_available("clark2022"), reason="the runs of clark2022 are not here")


@pytest.fixture(scope="module")
def table():
    return read_dataset("clark2022")


def test_is_what_its_passport_says(table):
    assert table["run"].is_unique
    assert table["steps"].value_counts().to_dict() == {249_000: 221, 250_000: 1, 248_000: 1}
    assert (table["tokens"] == 2**19 * table["steps"]).all()
    for column, least, most in (
        ("params", 1.653e7, 1.309e9),
        ("params_total", 1.653e7, 2.071e11),
        ("loss", 1.999, 3.162),
        ("flops", 3.33e19, 1.33e21),
    ):
        assert table[column].min() == pytest.approx(least, rel=1e-3)
        assert table[column].max() == pytest.approx(most, rel=2e-3)
    assert table[[c for c in table if c.startswith("loss_")]].isna().to_numpy().sum() == 16
    assert table["loss"].notna().all()


def test_the_counts_are_those_of_blocks_without_embeddings(table):
    dense = table[table["group"] == "dense"]
    attention = dense["num_heads"] * dense["kqv_size"]
    block = 5 * dense["d_model"] * attention + 8 * dense["d_model"] ** 2 + 4 * dense["d_model"]
    assert (dense["params"] == block * dense["num_blocks"]).all()
    widened = dense["flop_increase"] > 1
    assert (dense["params"] == dense["params_total"])[~widened].all()
    assert (dense["params"] < dense["params_total"])[widened].all()
    assert (table["params_total"] > table["params"])[table["num_experts"] > 1].all()


def test_the_flops_tell_the_tokens_of_a_step(table):
    plain = table[(table["k"] == 1) & (table["flop_increase"] == 1)]
    attention = plain["num_heads"] * plain["kqv_size"]
    token = 2 * plain["params"] + 2 * 32_000 * plain["d_model"] + 6 * 2_048 * attention * plain["num_blocks"]
    ratio = plain["flops"] / 3 / plain["tokens"] / token
    assert np.abs(ratio[plain["group"] == "dense"] - 1).max() < 0.005
    assert np.abs(ratio - 1).max() < 0.03


def test_the_grids_of_the_law(table):
    law = table.query("k == 1 and routing_frequency == 0.5 and seed == 42 and flop_increase == 1")
    assert law["group"].value_counts().to_dict() == {"rl_r": 54, "s_base": 53, "hash": 51, "dense": 5}
    assert sorted(law["num_experts"].unique()) == [2**k for k in range(10)]


def test_load_runs_takes_a_group_and_says_that_flops_are_counted_otherwise():
    with pytest.warns(RunsWarning, match="flops is not 6·params·tokens"):
        runs = scaling.load_runs("clark2022/dense")
    assert len(runs) == 13
    assert runs.attrs["reading"]["name"] == "clark2022/dense"
