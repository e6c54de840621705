"""Fits of the laws of a schedule: the truth comes back, under both objectives, and what cannot be fitted is refused."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.fit import fit_momentum, fit_multi_power
from scaling.fit.least_squares import objective_of
from scaling.fit.schedule import Curves, MultiPowerCurves
from scaling.laws import MomentumLaw, MultiPowerLaw, learning_rates

LAW = MultiPowerLaw(L0=3.0, A=0.5, alpha=0.5, B=360.0, C=2.0, beta=0.6, gamma=0.64)
MOMENTUM = MomentumLaw(L0=3.0, A=0.5, alpha=0.5, C=0.4)
SCHEDULES = {
    "constant": learning_rates(6000, peak=3e-4, warmup=500),
    "cosine": learning_rates(6000, "cosine", peak=3e-4, end=3e-5, warmup=500),
    "two stages": learning_rates(6000, "stage", peak=3e-4, end=9e-5, warmup=500, decay=3000),
}


def curves(law, noise=0.0, seed=0):
    rng, parts = np.random.default_rng(seed), []
    for run, rates in SCHEDULES.items():
        steps = np.arange(600, 6000, 100)
        loss = law.loss(rates, steps) * np.exp(noise * rng.standard_normal(len(steps)))
        parts.append(pd.DataFrame({"run": run, "step": steps, "loss": loss}))
    return pd.concat(parts, ignore_index=True)


def test_the_multi_power_law_comes_back():
    table = curves(LAW).sample(frac=1, random_state=0)  # in any order
    fit = fit_multi_power(table, SCHEDULES)
    np.testing.assert_allclose(list(fit.law.constants.values()), list(LAW.constants.values()), rtol=1e-5)
    np.testing.assert_allclose(fit.residuals, 0, atol=1e-8)
    assert fit.n_runs == 3


def test_the_law_of_momentum_comes_back():
    fit = fit_momentum(curves(MOMENTUM), SCHEDULES)
    np.testing.assert_allclose(list(fit.law.constants.values()), list(MOMENTUM.constants.values()), rtol=1e-6)
    assert fit.status == "solved"
    assert fit_momentum(curves(MOMENTUM), SCHEDULES, momentum=0.99).value > 1e6 * fit.value


@pytest.mark.parametrize("objective", ["log_huber", "log_squares"])
def test_no_constants_are_better_than_those_of_the_fit(objective):
    table = curves(LAW, noise=0.001, seed=1)
    fit = fit_multi_power(table, SCHEDULES, objective=objective, n_starts=2)
    aim = objective_of(objective, 1e-3)

    def value(law):
        predicted = np.empty(len(table))
        for run, rates in SCHEDULES.items():
            rows = (table["run"] == run).to_numpy()
            predicted[rows] = law.loss(rates, table["step"][rows])
        return float(aim.sum(np.log(predicted / table["loss"].to_numpy()), np.ones(len(table))))

    assert value(fit.candidate) == pytest.approx(fit.value, rel=1e-9)
    assert value(LAW) > fit.value
    for name in LAW.constants:
        for factor in (0.999, 1.001):
            moved = {**fit.candidate.constants, name: factor * fit.candidate.constants[name]}
            assert value(MultiPowerLaw.of(moved)) > fit.value


def test_slopes_are_the_derivatives():
    law = MultiPowerCurves.of(Curves.of(curves(LAW), SCHEDULES), 16)
    theta = np.array([3.0, -0.2, 0.5, 300.0, 5.0, 0.6, 0.7])
    for k, slope in enumerate(law.slopes(theta).copy().T):
        step = np.zeros(7)
        step[k] = 1e-5 * theta[k]
        difference = (law.predict(theta + step) - law.predict(theta - step)) / (2 * step[k])
        np.testing.assert_allclose(slope, difference, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("method", [fit_multi_power, fit_momentum])
def test_what_cannot_be_fitted_is_refused(method):
    table = curves(LAW)
    for bad, schedules, words in (
        (table.drop(columns="step"), SCHEDULES, "need the column 'step'"),
        (table.head(0), SCHEDULES, "the table of curves is empty"),
        (table, {"constant": SCHEDULES["constant"]}, "no schedule for the run 'cosine'"),
        (table.assign(loss=-1.0), SCHEDULES, "a loss must be a positive finite number"),
        (table.assign(step=6000), SCHEDULES, "its schedule has no rate for this step"),
        (table, {**SCHEDULES, "cosine": np.zeros(6000)}, "has rates that are not positive"),
    ):
        with pytest.raises(scaling.FitError, match=words):
            method(bad, schedules)


def test_without_a_fall_there_is_no_law_of_falls():
    table = curves(LAW)
    early = table[(table["run"] == "constant") | (table["step"] < 200)]
    for method in (fit_multi_power, fit_momentum):
        for bad in (table[table["run"] == "constant"], early):
            with pytest.raises(scaling.FitError, match="no schedule lowers the learning rate before the last recorded"):
                method(bad, SCHEDULES)
    with pytest.raises(ValueError, match="momentum must be at least 0 and below 1, got 1"):
        fit_momentum(table, SCHEDULES, momentum=1.0)
