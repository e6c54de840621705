"""Gadre et al.'s over-trained models: what their passport says."""

import numpy as np
import pytest

import scaling
from scaling.sources.datasets import is_available, read_dataset
from scaling.sources.sets import gadre2024

pytestmark = pytest.mark.skipif(not is_available("gadre2024"), reason="the runs of gadre2024 are not here")


@pytest.fixture(scope="module")
def table():
    return read_dataset("gadre2024")


def test_is_what_its_passport_says(table):
    assert table["run"].is_unique
    assert not table.isna().to_numpy().any()
    np.testing.assert_allclose(table["flops"], 6 * table["params"] * table["tokens"], rtol=1e-12)
    np.testing.assert_allclose(table["tokens"] / table["params"], table["tokens_per_param"], rtol=1e-12)
    assert (table["params_nonembedding"] < table["params"]).all()
    for column, least, most in (
        ("params", 1.057e7, 6.889e9),
        ("tokens", 5.285e7, 9.215e11),
        ("loss", 2.382, 6.124),
        ("flops", 3.35e15, 7.96e21),
    ):
        assert table[column].min() == pytest.approx(least, rel=1e-3)
        assert table[column].max() == pytest.approx(most, rel=1e-3)
    assert table.groupby("group")["tokens_per_param"].max().to_dict() == {"c4": 640, "rpj": 640, "rw": 640}
    assert table.query("batch_size == 1")["params"].unique() == [6889410560]


def test_tasks_are_accuracies_and_their_means_are_errors(table):
    tasks = table[[name for name in table if name.startswith("metric_")]]
    assert tasks.shape[1] == 46
    assert ((tasks >= 0) & (tasks <= 1)).to_numpy().all()
    np.testing.assert_allclose(table["error_tasks46"], 1 - tasks.mean(axis=1))
    assert len(gadre2024.SUBSET) == 17
    np.testing.assert_allclose(
        table["error_tasks17"], 1 - tasks[[f"metric_{t}" for t in gadre2024.SUBSET]].mean(axis=1)
    )
    assert table["error_tasks17"].corr(table["loss"]) > 0.9


@pytest.mark.parametrize("group", ["c4", "rpj", "rw"])
def test_load_runs_takes_a_group_without_a_warning(group):
    runs = scaling.load_runs(f"gadre2024/{group}")
    assert runs.attrs["warnings"] == []
    assert runs["group"].unique() == [group]
    assert (runs["tokens_per_param"] >= 5).all()
