"""The Gemstones: what their passport says."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.sources.datasets import fetch, is_available, read_dataset

pytestmark = pytest.mark.skipif(not is_available("gemstones2025"), reason="the runs of gemstones2025 are not here")


@pytest.fixture(scope="module")
def table():
    return read_dataset("gemstones2025")


def test_is_what_its_passport_says(table):
    curves = table.groupby(["group", "run"]).size()
    assert curves["full_rate"].tolist() == [175] * 22
    assert curves["half_rate"].tolist() == [50] * 20
    assert (table["tokens"] == 2**22 * table["steps"]).all()
    for column, least, most in (("params", 4.84e7, 2.008e9), ("tokens", 2.0e9, 3.501e11), ("loss", 2.495, 4.745)):
        assert table[column].min() == pytest.approx(least, rel=1e-3)
        assert table[column].max() == pytest.approx(most, rel=1e-3)


def test_the_counts_follow_from_width_and_depth(table):
    w = table["width"]
    keys = 2 * 128 * (w // 256)  # of two queries each, and as many values
    block = 2 * w**2 + w * keys + 12 * w**2 + 2 * w  # attention, gated feed-forward, two norms
    assert (table["params_nonembedding"] == block * table["depth"] + w).all()
    assert (table["params"] == table["params_nonembedding"] + 2 * 50_304 * w).all()
    ratio = table["flops"] / (6 * table["params"] * table["tokens"])
    assert ratio.between(0.5, 1.7).all()


def test_the_shorter_file_is_the_beginning_of_the_longer_one(table):
    short = pd.read_json(fetch("gemstones2025") / "wandb_df_for_fitting_hot_477.jsonl", lines=True)
    long = table[(table["group"] == "full_rate") & (table["tokens"] < 1.001e11)]
    assert len(short) == len(long) == 1100
    np.testing.assert_array_equal(short["final_loss"], long["loss"])
    np.testing.assert_array_equal(short["tokens"], long["tokens"])


@pytest.mark.filterwarnings("ignore:.*flops is not 6:scaling.errors.RunsWarning")
def test_checkpoints_are_curves():
    runs = scaling.load_runs("gemstones2025")
    assert len(scaling.runs.last_points(runs)) == 42
