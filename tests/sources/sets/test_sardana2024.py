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
