"""Caballero et al.'s broken power laws and their fit."""

import numpy as np
import pytest
import scipy

from scaling import FitError, PowerLaw, published
from scaling.fit import fit_broken_power_law
from scaling.fit.broken import _predicted, _slopes
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


def scattered(seed):
    """Points of a law with a break (even seeds) or without, with noise of 0.3 %, one in five with a stray point."""
    rng = np.random.default_rng(seed)
    x = np.geomspace(1e3, 1e6, int(rng.choice([8, 12, 20, 40])))
    truth = PowerLaw(20.0, -0.3, 0.5) if seed % 2 else BrokenPowerLaw(0.5, 20.0, 0.1, [3e4], [0.4], [0.3])
    y = truth(x) * np.exp(0.003 * rng.standard_normal(len(x)))
    y[seed % len(x)] *= 1 + 0.05 * (seed % 5 == 4)
    return x, y


def searched_at_random(x, y, count):
    """The least sum of squared errors of ln y that SciPy finds from so many random starts, without our derivatives."""
    log_x, log_y, rng = np.log(x), np.log(y), np.random.default_rng(1)
    middle, span = log_x.mean(), np.ptp(log_x)

    def missed(p):
        bend = np.logaddexp(0, (log_x - p[2]) * np.exp(-p[4])) * np.exp(p[4])
        return np.log(p[5] + np.exp(p[0] - p[1] * (log_x - middle) - p[3] * bend)) - log_y

    lower = [-50, -5, log_x.min() - span, -50, np.log(1e-3), 0]
    upper = [50, 5, log_x.max() + span, 50, np.log(5), y.min()]
    best = np.inf
    for _ in range(count):
        start = [log_y.mean(), 0.2, rng.uniform(*log_x[[0, -1]]), rng.normal(), rng.uniform(-4, 1), 0]
        start[5] = y.min() * rng.uniform(0.1, 0.9)
        found = scipy.optimize.least_squares(missed, start, bounds=(lower, upper), x_scale=[1, 0.1, 0.1, 1, 1, 0.1])
        best = min(best, 2 * found.cost)
    return best


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_the_default_search_ends_where_the_best_of_many_random_starts_ends(seed):
    """With starts at random places it ended above in a third of such tables, and no agreement of starts told."""
    x, y = scattered(seed)
    fit = fit_broken_power_law(x, y, objective="log_squares")
    assert fit.value <= searched_at_random(x, y, 16) * (1 + 1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["log_huber", "log_squares", "huber"])
def test_more_starts_find_nothing_lower(objective):
    for seed in range(3):
        x, y = scattered(seed)
        few = fit_broken_power_law(x, y, objective=objective)
        assert few.value <= fit_broken_power_law(x, y, objective=objective, n_starts=12).value * (1 + 1e-4)


def test_derivatives_are_those_of_differences():
    theta, log_x = np.array([0.3, 0.2, 9.0, 0.4, -1.0, 0.5]), np.log(np.geomspace(1e2, 1e6, 9))
    measured = scipy.optimize.approx_fprime(theta, lambda p: _predicted(log_x, 9.0, p), 1e-7)
    np.testing.assert_allclose(_slopes(log_x, 9.0, theta), measured, rtol=1e-5, atol=1e-6)


def test_many_points_and_weights():
    """Of many points neighbours are gathered for the starts alone; a point of weight 0 counts for nothing."""
    truth, x = BrokenPowerLaw(0.5, 20.0, 0.1, [1e4], [0.4], [0.3]), np.geomspace(1e2, 1e6, 20_001)[::-1]
    weights, y = np.ones(len(x)), truth(x)
    weights[3], y[3] = 0, 1e4
    law = fit_broken_power_law(x, y, weights=weights).law
    assert law.breaks[0] == pytest.approx(1e4, rel=1e-4)
    assert law.exponents == pytest.approx(truth.exponents, abs=1e-4)


def test_a_point_of_weight_zero_is_absent():
    x, y = scattered(2)
    x, y = np.append(x, 1e9), np.append(y, 0.01)
    weights = np.append(np.ones(len(x) - 1), 0.0)
    with_it = fit_broken_power_law(x, y, weights=weights, objective="log_squares")
    without = fit_broken_power_law(x[:-1], y[:-1], objective="log_squares")
    assert with_it.value == pytest.approx(without.value, rel=1e-9)
    np.testing.assert_allclose(without.residuals, np.log(y[:-1] / without.candidate(x[:-1])), atol=1e-12)


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
    with pytest.raises(FitError, match="no points to fit"):
        fit_broken_power_law([], [])
    with pytest.raises(FitError, match="1 distinct value of x"):
        _ = fit_broken_power_law([7.0] * 8, np.arange(1, 9)).law
