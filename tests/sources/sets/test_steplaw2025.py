"""Li et al.'s grids of learning rates and batch sizes: what their passport says."""

import numpy as np
import pytest

import scaling
from scaling.sources.datasets import is_available, read_dataset

pytestmark = pytest.mark.skipif(not is_available("steplaw2025"), reason="the runs of steplaw2025 are not here")


def test_is_what_its_passport_says():
    table = read_dataset("steplaw2025")
    assert table["run"].is_unique
    assert table.drop(columns=["experts", "active_experts"]).notna().all(axis=None)
    dense, moe = (table[table["group"] == group] for group in ("dense", "moe"))
    assert (len(dense), len(moe)) == (1911, 708)
    pairs = dense.groupby(["params", "tokens"]).size(), moe.groupby(["params_active", "tokens"]).size()
    assert [(len(each), each.min(), each.max()) for each in pairs] == [(17, 47, 120), (16, 40, 45)]
    assert (dense["loss_last"] > 4).sum() == 181
    for column, rows, least, most in (
        ("params", dense, 2.147e8, 1.074e9),
        ("params", moe, 2.151e9, 2.156e9),
        ("params_active", moe, 1.8797e8, 1.2413e9),
        ("tokens", dense, 4e9, 1e11),
        ("tokens", moe, 2e9, 2e10),
        ("learning_rate", dense, 2.441e-4, 2.21e-2),
        ("batch_size", dense, 16, 2048),
        ("loss", table, 2.1206, 11.0928),
    ):
        assert (rows[column].min(), rows[column].max()) == pytest.approx((least, most), rel=1e-3)


def test_counts_are_those_of_the_authors():
    table = read_dataset("steplaw2025")
    dense, moe = (table[table["group"] == group] for group in ("dense", "moe"))
    layers, h, ffn = dense["depth"], dense["width"], dense["ffn_width"]
    np.testing.assert_array_equal(dense["params"], layers * h * (4 * h + 3 * ffn))
    np.testing.assert_array_equal(dense["params_active"], dense["params"])
    assert (moe["params_active"] < moe["params"] / 1.7).all()
    np.testing.assert_allclose(table["steps"] * table["batch_tokens"], table["tokens"], rtol=2.3e-3)
    over = table["flops"] / (6 * table["params_active"] * table["tokens"])
    assert (over.min(), over.max()) == pytest.approx((1.074, 1.491), abs=1e-3)


def test_the_best_of_each_pair_is_a_table_of_runs():
    table = read_dataset("steplaw2025/dense")
    best = table.loc[table.groupby(["params", "tokens"])["loss"].idxmin()]
    assert len(scaling.load_runs(best[["params", "tokens", "loss"]])) == 17
