"""Sardana et al.'s models: what their passport says."""

import numpy as np
import pytest

from scaling.sources.datasets import is_available, read_dataset

pytestmark = pytest.mark.skipif(not is_available("sardana2024"), reason="the runs of sardana2024 are not here")


def test_is_what_its_passport_says():
    table = read_dataset("sardana2024")
    assert table["run"].is_unique
    np.testing.assert_allclose(table["flops"], 6 * table["params"] * table["tokens"], rtol=1e-12)
    cuts = [int((table["tokens_per_param"] <= cut).sum()) for cut in (100, 250, 500, np.inf)]
    assert cuts == [34, 39, 43, 47]
    assert table["loss"].min() == pytest.approx(2.3702, abs=1e-4)


def test_tasks_are_what_its_passport_says():
    metrics = read_dataset("sardana2024").filter(like="metric_")
    assert metrics.shape == (47, 7)
    assert not metrics.isna().any(axis=None)
    parts = metrics.drop(columns=["metric_gauntlet", "metric_mmlu"])
    np.testing.assert_allclose(parts.mean(axis=1), metrics["metric_gauntlet"], atol=1e-12)
    assert metrics["metric_gauntlet"].agg(["min", "max"]).round(3).tolist() == [0.042, 0.302]
    assert metrics["metric_mmlu"].agg(["min", "max"]).round(3).tolist() == [0.240, 0.278]
