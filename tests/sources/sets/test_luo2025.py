"""Luo et al.'s loss curves: what their passport says."""

import numpy as np
import pytest

import scaling
from scaling.sources.datasets import is_available, read_dataset

pytestmark = pytest.mark.skipif(not is_available("luo2025"), reason="the curves of luo2025 are not here")


def losses(size, name):
    table = read_dataset(f"luo2025/{size}")
    return table[table["run"] == f"{size} {name}"].set_index("step")["loss"]


def test_is_what_its_passport_says():
    table = read_dataset("luo2025")
    assert table.notna().all(axis=None)
    assert table["run"].nunique() == 27
    assert not table.duplicated(["run", "step"]).any()
    assert table.groupby("group", sort=False).size().to_dict() == {"25M": 2059, "100M": 2103, "400M": 2103}
    assert table["params"].unique().tolist() == [25e6, 100e6, 400e6]
    assert table.groupby("schedule")["run"].nunique().to_dict() == {
        "constant": 6,
        "cosine": 6,
        "stable, then exponential decay": 3,
        "stable, then linear decay": 3,
        "two stages": 9,
    }
    for column, least, most in (("step", 2160, 71_936), ("learning_rate", 3e-5, 3e-4), ("loss", 2.6154, 4.1114)):
        assert (table[column].min(), table[column].max()) == pytest.approx((least, most), rel=1e-6)


def test_curves_with_a_stable_part_are_branches_of_one_run():
    for size, trunk, until in (("25M", "constant_72000", 19_840), ("100M", "constant_24000", 19_968)):
        branch, stem = losses(size, "wsd_20000_24000"), losses(size, trunk)
        shared = branch.index.intersection(stem.index)
        shared = shared[shared <= until]
        assert len(shared) in (139, 140)
        np.testing.assert_array_equal(branch[shared], stem[shared])
    one, other = losses("400M", "wsd_20000_24000"), losses("400M", "constant_24000")
    parted = (one != other.reindex(one.index)).to_numpy()
    assert (parted.argmax(), one.index[parted.argmax() - 1]) == (109, 16_000)


def test_two_trainings_of_one_schedule_show_the_noise():
    for size in ("25M", "100M", "400M"):
        short, long = losses(size, "constant_24000"), losses(size, "constant_72000")
        steps = [step for step in short.index.intersection(long.index) if step > 12_000]
        gap = np.log(short[steps]) - np.log(long[steps])
        assert 3e-4 < np.sqrt(np.mean(gap**2)) < 5e-4


def test_is_no_table_of_runs_and_says_why():
    with pytest.raises(scaling.RunsError, match="column 'tokens' is missing"):
        scaling.load_runs("luo2025")
