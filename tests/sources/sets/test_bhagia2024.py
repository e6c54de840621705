"""bhagia2024 is what its passport says."""

import numpy as np
import pytest

from scaling import load_runs
from scaling.runs import last_points
from scaling.sources import is_available, read_dataset
from scaling.sources.sets.bhagia2024 import LOSSES, MMLU, TASKS

pytestmark = pytest.mark.skipif(not is_available("bhagia2024"), reason="the runs of bhagia2024 are not here")


@pytest.fixture(scope="module")
def table():
    return read_dataset("bhagia2024")


@pytest.fixture(scope="module")
def ends(table):
    return table.groupby("run").last()


def test_counts(table, ends):
    assert table["group"].value_counts(sort=False).to_dict() == {"ladder": 1566, "target": 13, "other": 2188}
    assert ends["group"].value_counts(sort=False).sort_index().to_dict() == {"ladder": 16, "other": 15, "target": 2}
    assert ends[ends["group"] == "ladder"]["params"].value_counts().tolist() == [4, 4, 4, 4]
    assert not table.isna().any(axis=None)
    assert table.groupby("run")["params"].nunique().max() == 1
    assert not table.duplicated(["run", "tokens"]).any()


def test_lengths_are_multiples_of_20_tokens_a_parameter(ends):
    small = ends[~ends.index.str.contains("B-4T|B-5T|peteish")]
    named = small.index.str.extract(r"-([\d.]+)xC", expand=False).astype(float)
    excess = small["tokens"] / (20 * named * small["params"]) - 1
    assert len(small) == 30
    assert excess.between(0, 0.003).all()
    assert ends.loc["7B-4T", "tokens"] / ends.loc["7B-4T", "params"] == pytest.approx(573, abs=1)
    assert ends.loc["13B-5T", "tokens"] / ends.loc["13B-5T", "params"] == pytest.approx(379, abs=1)


def test_the_size_leaves_out_the_input_embedding_only(ends):
    width, layers, vocabulary = 768, 12, 100_352
    norms = (4 * layers + 1) * width
    assert ends.loc["190M-1xC", "params"] == layers * 16 * width**2 + vocabulary * width + norms


def test_units(table):
    per_token = table["flops"] / table["tokens"] / table["params"]
    assert per_token.min() == pytest.approx(6.918, abs=1e-3)
    assert per_token.max() == pytest.approx(9.999, abs=1e-3)
    assert per_token.groupby(table["params"]).std().max() < 1e-9
    losses = table[list(LOSSES.values())]
    assert losses.min(axis=None) > 1
    assert losses.max(axis=None) < np.log(100_352)
    assert table["loss"].min() == pytest.approx(2.4355, abs=1e-4)
    accuracies = table[[f"metric_{task}" for task in TASKS]]
    assert accuracies.min(axis=None) > 0.17
    assert accuracies.max(axis=None) < 0.88
    bits = table[[f"bpb_{task}" for task in TASKS]]
    assert bits.min(axis=None) > 0.2
    assert bits.max(axis=None) < 6


def test_mmlu_is_the_mean_of_its_parts(table):
    parts = table[[f"metric_mmlu_{part}_test" for part in MMLU]]
    assert sum(MMLU.values()) == pytest.approx(1)
    assert table["metric_mmlu_test"].between(parts.min(axis=1), parts.max(axis=1)).all()


def test_reruns_end_where_the_first_runs_do(ends):
    again = ends[ends.index.str.endswith("-rerun")]["loss"]
    first = ends.loc[again.index.str.removesuffix("-rerun"), "loss"]
    assert len(again) == 5
    assert np.abs(again.to_numpy() - first.to_numpy()).max() < 0.0012


def test_the_ladder_is_a_table_of_runs(ends):
    runs = load_runs("bhagia2024/ladder")
    final = last_points(runs).set_index("run")
    assert len(runs) == 1566
    assert len(final) == 16
    assert (final["loss"] == ends.loc[final.index, "loss"]).all()
