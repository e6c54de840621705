"""Bian et al.'s law of shape."""

import numpy as np
import pytest

from scaling import ChinchillaLaw
from scaling.laws import ShapeLaw
from scaling.papers import bian2025


def test_predictions_of_the_billions():
    """Bian et al. 2025: errors of .69, .90, .92 and 1.15 per cent; without the shape 2.75 to 4.10."""
    table = bian2025.predictions("1B")
    assert table["with the shape"].tolist() == pytest.approx([2.9161, 2.9352, 2.9595, 2.9533], abs=1.5e-4)
    errors = 100 * (table["with the shape"] / table["loss"] - 1)
    assert errors.tolist() == pytest.approx([0.69, 0.90, 0.92, 1.15], abs=0.01)
    plain = 100 * (1 - table["without"] / table["loss"])
    assert (plain.min(), plain.max()) == pytest.approx((2.75, 4.10), abs=0.02)
    assert table[["loss", "with the shape", "without"]].corr("spearman").iloc[0].tolist() == pytest.approx([1, 1, -0.4])


def test_measured_optimum_is_inside_and_the_law_is_monotone():
    table = bian2025.predictions("80M").sort_values("aspect")
    assert table["loss"].idxmin() == "8x512"
    assert table["with the shape"].is_monotonic_increasing


def test_shape_law_is_its_base_times_a_factor():
    law = ShapeLaw(ChinchillaLaw(2.0, 400.0, 2000.0, 0.34, 0.36), 1e-3, 0.5)
    assert law.loss(1e9, 1e10, 100.0) == pytest.approx(law.base.loss(1e9, 1e10) * 1.01, rel=1e-12)
    assert law.loss(np.geomspace(1e8, 1e9, 3)[:, None], 1e10, [10.0, 100.0]).shape == (3, 2)
    with pytest.raises(ValueError, match="aspect must be positive, got 0"):
        law.loss(1e9, 1e10, 0)
    with pytest.raises(ValueError, match="known: bian2025"):
        ShapeLaw.from_published("bian")
