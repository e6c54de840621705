"""Czech et al.'s IsoFLOP points: what their passport says."""

import numpy as np
import pytest

import scaling
from scaling.runs.meter import find_meter
from scaling.sources.datasets import is_available, read_dataset
from scaling.sources.sets import czech2026

pytestmark = pytest.mark.skipif(not is_available("czech2026"), reason="the runs of czech2026 are not here")
BUDGETS = [10, 10, 7, 7, 8, 26, 9, 9]


@pytest.fixture(scope="module")
def table():
    return read_dataset("czech2026")


def test_is_what_its_passport_says(table):
    assert table["run"].is_unique
    assert not table.isna().to_numpy().any()
    np.testing.assert_allclose(table["flops"], 6 * table["params"] * table["tokens"], rtol=1e-12)
    groups = table.groupby("group")
    assert groups.size().to_dict() == dict(czech2026.SET.groups)
    assert [groups["budget"].nunique()[group] for group in czech2026.SET.groups] == BUDGETS
    for group, least, most in (
        ("llama_3", 0.6936, 0.9322),
        ("marin_dclm", 2.9607, 3.8303),
        ("misfitting", 2.9767, 5.823),
    ):
        losses = groups["loss"].get_group(group)
        assert (losses.min(), losses.max()) == pytest.approx((least, most), rel=1e-4)


def test_the_two_losses_of_llama3_are_one(table):
    raw, exponentiated = (table.query("group == @group")["loss"].to_numpy() for group in ("llama_3", "llama_3_exp"))
    np.testing.assert_allclose(np.exp(raw), exponentiated, rtol=1e-12)


@pytest.mark.parametrize(
    ("group", "kind", "lowest", "highest"),
    [
        ("llama_3", "6ND", 1, 1),
        ("marin_comma", "sizes", 0.7421, 1.0713),
        ("marin_nemotron", "sizes", 0.7421, 1.0713),
        ("misfitting", "6ND", 1, 1),
        ("chinchilla", "6ND", 1, 1),
        ("ml_scalefit", "unknown", 0.9129, 1.1108),
    ],
)
def test_the_budgets_are_counted_as_its_passport_says(group, kind, lowest, highest):
    meter = find_meter(scaling.load_runs(f"czech2026/{group}"), "budget")
    assert meter.kind == kind
    assert (meter.lowest, meter.highest) == pytest.approx((lowest, highest), rel=1e-4)


@pytest.mark.skipif(not is_available("besiroglu2024"), reason="the runs of besiroglu2024 are not here")
@pytest.mark.parametrize(("group", "largest"), [("chinchilla", 5), ("ml_scalefit", 0)])
def test_both_chinchillas_are_besiroglus_points(table, group, largest):
    """Size and loss of each are those of one of the 245, with all of the five largest losses or with none."""
    theirs = read_dataset("besiroglu2024")
    points = table.query("group == @group")
    off_size = np.abs(points["params"].to_numpy()[:, None] / theirs["params"].to_numpy() - 1)
    off_loss = np.abs(points["loss"].to_numpy()[:, None] / theirs["loss"].to_numpy() - 1)
    same = (off_size < 1e-6) & (off_loss < 1e-9)
    assert same.any(1).all()
    assert same.any(0)[theirs["loss"].nlargest(5).index].sum() == largest
