"""Least absolute deviations end on a vertex, exactly."""

import numpy as np
import pytest

import scaling

LAW = scaling.ChinchillaLaw(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)


@pytest.fixture
def noisy():
    design = scaling.simulate.chinchilla_like_design(seed=3)
    return scaling.simulate_runs(LAW, design, noise=0.005, seed=3)


def test_as_many_zero_residuals_as_constants(noisy):
    fit = scaling.fit_parametric(noisy, objective="log_absolute")
    assert fit.status == "identified"
    assert (np.abs(fit.residuals) < 1e-11).sum() == 5
    assert fit.value == pytest.approx(np.abs(fit.residuals).sum(), rel=1e-12)


def test_no_neighbour_is_better(noisy):
    fit = scaling.fit_parametric(noisy, objective="log_absolute")
    constants = np.array(list(fit.law.constants.values()))
    rng = np.random.default_rng(0)
    for size in 10.0 ** rng.uniform(-8, -2, 400):
        law = scaling.ChinchillaLaw(*(constants * np.exp(size * rng.standard_normal(5))))
        other = np.abs(np.log(noisy["loss"] / law.loss(noisy["params"], noisy["tokens"]))).sum()
        assert other >= fit.value * (1 - 1e-12)


def test_a_tenth_of_spoilt_runs_does_no_harm():
    """Runs without noise but for a tenth that is far off: the law comes back exactly."""
    runs = scaling.simulate_runs(LAW, scaling.simulate.grid_design([1e8, 3e8, 1e9, 3e9], [2e9, 6e9, 2e10, 6e10, 2e11]))
    runs.loc[[3, 11], "loss"] *= [1.2, 0.9]
    law = scaling.fit_parametric(runs, objective="log_absolute").law
    assert law.constants == pytest.approx(LAW.constants, rel=1e-6)


def test_power_law_without_an_offset():
    x = np.geomspace(1, 1e4, 9)
    y = 3.0 * x**-0.5
    y[4] *= 2
    law = scaling.fit_power_law(x, y, objective="log_absolute").law
    assert (law.coefficient, law.exponent) == pytest.approx((3.0, -0.5), rel=1e-9)


def test_weights_count(noisy):
    """Doubling a weight is repeating the row."""
    weights = np.ones(len(noisy))
    weights[:40] = 2
    twice = scaling.fit_parametric(noisy.iloc[[*range(40), *range(len(noisy))]], objective="log_absolute")
    weighted = scaling.fit_parametric(noisy, objective="log_absolute", weights=weights)
    assert weighted.value == pytest.approx(twice.value, rel=1e-10)


def test_resamples_converge(noisy):
    boot = scaling.bootstrap(scaling.fit_parametric(noisy.head(60), objective="log_absolute"), 20)
    assert boot.unconverged == 0
