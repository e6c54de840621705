"""Regression in pieces: exponents by dimension."""

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

import scaling
from scaling.theory.manifold import _target


def slope(curve):
    return float(np.polyfit(np.log(curve["pieces"]), np.log(curve["error"]), 1)[0])


@pytest.mark.parametrize(
    ("dimension", "sides"), [(1, 2 ** np.arange(5, 10)), (2, 2 ** np.arange(4, 9)), (3, 2 ** np.arange(3, 7))]
)
def test_linear_pieces(dimension, sides):
    """-4/d (Sharma & Kaplan 2020)."""
    curve = scaling.theory.simulate_interpolation(sides ** float(dimension), dimension)
    assert slope(curve) == pytest.approx(-4 / dimension, rel=0.01)


@pytest.mark.parametrize("ambient", [None, 10])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_nearest_neighbour_sees_the_manifold_and_not_the_space(dimension, ambient):
    """-2/d, whatever the dimension of the space around."""
    curve = scaling.theory.simulate_interpolation(10 ** np.arange(2.5, 4.6, 0.5), dimension, "nearest", ambient)
    assert slope(curve) == pytest.approx(-2 / dimension, rel=0.06)


def test_error_of_linear_pieces_in_one_dimension():
    """h^4/120 times the mean square of the second derivative, by quadrature of the targets themselves."""
    rng = np.random.default_rng(5)
    waves = rng.normal(0, 2.5, (3, 6, 1)), rng.uniform(0, 2 * np.pi, (3, 6))
    x = np.linspace(0, 1, 20001)[:, None]
    h = x[1, 0]
    second = np.diff(_target(x, *waves), 2, axis=0) / h**2
    expected = np.mean(second**2) / 120 / 64**4
    axis = np.linspace(0, 1, 65)
    line = RegularGridInterpolator([axis], _target(axis[:, None], *waves))(x)
    assert np.mean((line - _target(x, *waves)) ** 2) == pytest.approx(expected, rel=0.01)


def test_same_seed_same_curve():
    first, again = (scaling.theory.simulate_interpolation([10, 100], 2, "nearest", seed=3) for _ in range(2))
    assert first.equals(again)
    assert scaling.theory.simulate_interpolation([10, 100], 2)["pieces"].tolist() == [9, 100]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (dict(pieces=[0], dimension=1), "pieces must be positive, got 0"),
        (dict(pieces=[0.5], dimension=1), "pieces must lie between 1 and"),
        (dict(pieces=[1e9], dimension=1), "pieces must lie between 1 and"),
        (dict(pieces=[10], dimension=0), "dimension must be a whole number, at least 1, got 0"),
        (dict(pieces=[10], dimension=1, method="cubic"), "unknown method 'cubic'"),
        (dict(pieces=[10], dimension=2, ambient=10), "ambient = 10 needs method 'nearest'"),
        (dict(pieces=[10], dimension=2, method="nearest", ambient=4), "at least 2 \\* dimension \\+ 1"),
        (dict(pieces=[10], dimension=1, targets=0), "targets must be a whole number, at least 1"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        scaling.theory.simulate_interpolation(**call)
