"""The digitised points of Chinchilla's Figure 4: what their passport says."""

import numpy as np
import pytest

from scaling.sources.datasets import is_available, read_dataset

pytestmark = pytest.mark.skipif(not is_available("besiroglu2024"), reason="the runs of besiroglu2024 are not here")


def test_is_what_its_passport_says():
    table = read_dataset("besiroglu2024")
    assert table["run"].is_unique
    np.testing.assert_allclose(table["flops"], 6 * table["params"] * table["tokens"], rtol=1e-12)
    assert sorted(table["loss"].nlargest(5).index) == [0, 1, 2, 3, 4]
    ratio = table["tokens"] / table["params"]
    assert sorted(ratio.nsmallest(5).index) == [0, 1, 2, 3, 4]
    for column, least, most in (
        ("params", 5.733e7, 1.618e10),
        ("flops", 1.397e18, 1.2956e22),
        ("loss", 2.0774, 5.0056),
    ):
        assert table[column].min() == pytest.approx(least, rel=1e-3)
        assert table[column].max() == pytest.approx(most, rel=1e-3)
