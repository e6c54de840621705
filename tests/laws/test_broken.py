"""Caballero et al.'s broken power laws and their fit."""

import numpy as np
import pytest

from scaling import FitError, PowerLaw, published
from scaling.fit import fit_broken_power_law
from scaling.laws import BrokenPowerLaw
from scaling.sources import published_table

BROKEN = BrokenPowerLaw(0.5, 20.0, 0.1, [1e3, 1e6], [0.4, -0.2], [0.3, 0.2])


def test_without_breaks_it_is_a_power_law():
    x = np.geomspace(1, 1e9, 7)
    np.testing.assert_allclose(BrokenPowerLaw(0.5, 20.0, 0.1)(x), PowerLaw(20.0, -0.1, 0.5)(x), rtol=1e-12)


def test_it_is_the_formula():
    """Caballero et al. 2022, equation 1, written out."""
    x = np.geomspace(1, 1e9, 50)
    y = 20.0 * x**-0.1
    for d, c, f in ((1e3, 0.4, 0.3), (1e6, -0.2, 0.2)):
        y = y * (1 + (x / d) ** (1 / f)) ** (-c * f)
    np.testing.assert_allclose(BROKEN(x), 0.5 + y, rtol=1e-12)


def test_exponents_before_between_and_behind():
    assert BROKEN.exponents == pytest.approx([-0.1, -0.5, -0.3])
    assert BROKEN.local_exponent([1e-3, 3e4, 1e12]) == pytest.approx(BROKEN.exponents, abs=1e-4)
    x, step = np.geomspace(10, 1e8, 20), 1e-5
    measured = np.log((BROKEN(x * np.exp(step)) - 0.5) / (BROKEN(x * np.exp(-step)) - 0.5)) / (2 * step)
    np.testing.assert_allclose(BROKEN.local_exponent(x), measured, atol=1e-8)


def test_far_values_do_not_overflow():
    assert BrokenPowerLaw(0.0, 1.0, 0.1, [1e3], [0.4], [1e-3])(1e12) == pytest.approx(10**-4.8, rel=1e-9)


def test_a_break_is_found_with_points_on_both_sides():
    truth, x = BrokenPowerLaw(0.5, 20.0, 0.1, [1e4], [0.4], [0.3]), np.geomspace(1e2, 1e6, 17)
    law = fit_broken_power_law(x, truth(x)).law
    assert law.breaks[0] == pytest.approx(1e4, rel=1e-3)
    assert law.exponents == pytest.approx(truth.exponents, abs=1e-3)


def test_extrapolation_of_the_addition_task():
    """The authors' script fits 14 points and predicts three; twelve and ten points do not suffice."""
    table = published_table("caballero2022/addition")["value"]
    x, y = np.array([float(id.split("/")[-1]) for id in table.index]), table.to_numpy()
    misses = {
        n: fit_broken_power_law(x[:n], y[:n], objective="log_squares", n_starts=8).candidate(x[14:]) / y[14:] - 1
        for n in (14, 12, 10)
    }
    assert np.abs(misses[14]).max() < 0.02
    assert np.abs(misses[12]).min() > 0.1
    assert misses[10].min() > 1
    assert float(published("caballero2022/addition_fitted")) == 14


def test_broken_power_laws_refuse():
    with pytest.raises(ValueError, match="of one length, got 1, 2, 1"):
        BrokenPowerLaw(0, 1, 0.1, [1], [1, 2], [1])
    with pytest.raises(ValueError, match="breaks must rise"):
        BrokenPowerLaw(0, 1, 0.1, [2, 1], [1, 2], [1, 1])
    with pytest.raises(ValueError, match="widths must be positive, got 0"):
        BrokenPowerLaw(0, 1, 0.1, [1], [1], [0])
    with pytest.raises(ValueError, match="x must be positive"):
        BROKEN([1.0, -1.0])
    with pytest.raises(FitError, match="3 distinct values of x; at least 6"):
        _ = fit_broken_power_law([1, 2, 3], [1, 2, 3]).law
