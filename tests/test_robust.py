"""The robust standard deviation: that of normal noise, and not moved by a few odd values."""

import numpy as np
import pytest

from scaling._robust import robust_deviation


def test_it_is_the_standard_deviation_of_normal_noise_of_each_row():
    off = np.random.default_rng(0).standard_normal((2, 100_000)) * np.array([[0.3], [7.0]])
    np.testing.assert_allclose(robust_deviation(off), [0.3, 7.0], rtol=0.01)
    assert robust_deviation(off[1]) == robust_deviation(off)[1]


def test_a_tenth_of_odd_values_moves_it_by_a_seventh():
    """The half of all values that counts is then .5 / .9 of the sound ones: Phi^-1(.5 + .5 / 1.8) = .765."""
    off = np.random.default_rng(1).standard_normal(100_000)
    off[:10_000] = 1e9
    assert robust_deviation(off) == pytest.approx(1.4826 * 0.7647, rel=0.01)
