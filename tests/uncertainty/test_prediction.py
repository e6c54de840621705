"""Predictions of a run: the law's mean with the noise of a run on top, from repeats where there are any."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.uncertainty.prediction import noise_of

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
N, D = np.array([1e9, 1e10]), np.array([2e10, 2e11])


def runs(seed, n=80, noise=0.006, repeats=1):
    design = scaling.simulate.chinchilla_like_design(n, seed=seed)
    return scaling.simulate_runs(LAW, pd.concat([design] * repeats, ignore_index=True), noise=noise, seed=seed)


@pytest.fixture(scope="module")
def boot():
    return scaling.bootstrap(scaling.fit_parametric(runs(0)), 500)


def test_a_run_strays_further_than_the_mean(boot):
    mean, one = boot.predict(N, D, noise=False), boot.predict(N, D)
    assert list(one) == ["params", "tokens", "estimate", "low", "high", "noise", "noise_from"]
    np.testing.assert_array_equal(one["estimate"], boot.fit.law.loss(N, D))
    assert (one["high"] - one["low"] > mean["high"] - mean["low"]).all()
    low, high = boot.interval(0.95, of=lambda law: law.as_column().loss(N, D))
    np.testing.assert_allclose(mean[["low", "high"]].T, [low, high], rtol=1e-12)
    assert (mean["noise_from"] == "none").all()
    assert (one["noise_from"] == "residuals").all()
    assert one["noise"].iloc[0] == pytest.approx(0.006, rel=0.25)


def test_noise_is_taken_from_repeats_where_there_are_enough():
    fit = scaling.fit_parametric(runs(1, n=40, repeats=2))
    scatter = noise_of(fit)
    assert (scatter.source, scatter.freedom) == ("repeated runs", 40)
    assert scatter.spread == pytest.approx(scaling.runs.seed_noise(fit.runs))
    draws = scatter.draw((40_000,), np.random.default_rng(0))
    assert draws.std() == pytest.approx(scatter.spread * np.sqrt(40 / 38), rel=0.03)  # Student's, 40 degrees
    few = pd.concat([runs(1, n=40), runs(1, n=40).iloc[:2].assign(loss=lambda t: t["loss"] * 1.01)])
    assert noise_of(scaling.fit_parametric(few.reset_index(drop=True))).source == "residuals"


def test_residuals_are_widened_for_the_constants_fitted():
    fit = scaling.fit_parametric(runs(2, n=20))
    scatter = noise_of(fit)
    np.testing.assert_allclose(scatter.residuals, fit.residuals * np.sqrt(20 / 15), rtol=1e-9)
    raw = scaling.fit_parametric(runs(2, n=20), objective="huber")
    assert noise_of(raw).spread == pytest.approx(scatter.spread, rel=0.3)


def test_runs_set_aside_are_no_noise():
    table = runs(3, n=109)
    table.loc[[5, 50, 70], "loss"] *= 1.5
    boot = scaling.bootstrap(scaling.fit_parametric(table), 100)
    assert boot.predict(1e9, 2e10)["noise"].iloc[0] < 0.01
    assert noise_of(boot.fit).spread > 0.05


@pytest.mark.slow
def test_runs_end_in_their_intervals_as_often_as_they_say():
    """A small version of the study in benchmarks/intervals.py: runs ten times as expensive as those fitted."""
    inside = []
    for seed in range(40):
        boot = scaling.bootstrap(scaling.fit_parametric(runs(seed, n=60)), 120, seed=seed)
        new = scaling.simulate_runs(LAW, pd.DataFrame({"params": N, "tokens": D}), noise=0.006, seed=10_000 + seed)
        table = boot.predict(N, D)
        inside += list((table["low"] <= new["loss"]) & (new["loss"] <= table["high"]))
    assert np.mean(inside) > 0.85  # 80 of true coverage 0.95 give 68 or fewer once in 2,000 (binomial)


def test_what_cannot_be_predicted_is_refused(boot):
    with pytest.raises(ValueError, match="params must be positive"):
        boot.predict(-1.0, 1e9)
    x = np.geomspace(1, 100, 20)
    line = scaling.bootstrap(scaling.fit_power_law(x, 3 * x**-0.5 * (1 + 0.01 * np.sin(x))), 20)
    with pytest.raises(TypeError, match="does not predict the loss from params and tokens"):
        line.predict(1e9, 1e9)


def test_a_plan_has_the_loss_of_a_run_beside_that_of_the_law(boot):
    plan = scaling.plan_training(boot, 1e22)
    rows = plan.allocation.loc["compute-optimal"]
    best = scaling.compute_optimal(boot.fit.law, 1e22)
    expected = boot.predict(best.params, best.tokens).iloc[0]
    assert tuple(rows.loc["loss_of_a_run"]) == (expected["estimate"], expected["low"], expected["high"])
    assert rows.loc["loss_of_a_run", "high"] > rows.loc["loss", "high"]
    assert (plan.noise, plan.noise_from) == (expected["noise"], "residuals")
    assert "a run strays by 0." in repr(plan)
    assert "loss of a run" in repr(plan)


def growing(seed, power, n=120, repeats=1):
    """Noise of 0.3 % at the geometric mean of the compute, growing with it."""
    design = pd.concat([scaling.simulate.chinchilla_like_design(n, seed=seed)] * repeats, ignore_index=True)
    x = np.log(design["params"] * design["tokens"])
    spread = 0.003 * np.exp(power * (x - x.mean()))
    off = spread * np.random.default_rng(seed).standard_normal(len(design))
    return design.assign(loss=LAW.loss(design["params"], design["tokens"]) * np.exp(off)), x.mean()


@pytest.mark.parametrize("repeats", [1, 2])
def test_noise_that_grows_with_compute_is_as_large_as_it_has_grown(repeats):
    """Of a run a decade beyond the others: residuals of all runs together say a third of it."""
    runs, center = growing(0, 0.25, repeats=repeats)
    boot = scaling.bootstrap(scaling.fit_parametric(runs), 200)
    best = scaling.compute_optimal(boot.fit.law, 10 * runs["flops"].max())
    true = 0.003 * np.exp(0.25 * (np.log(best.params * best.tokens) - center))
    one = boot.predict([best.params, runs["params"].min()], [best.tokens, runs["tokens"].min()])
    assert 0.5 < one["noise"].iloc[0] / true < 2
    assert one["noise"].iloc[1] < 0.002
    source = "repeated runs" if repeats > 1 else "residuals"
    assert one["noise_from"].iloc[0] == f"{source}, which stray further the more compute a run has"
    half = 1.96 * true
    assert np.log(one["high"] / one["low"]).iloc[0] > half


@pytest.mark.slow
def test_even_noise_is_hardly_ever_told_to_grow():
    told = [noise_of(scaling.fit_parametric(runs(seed, n=60))).growth > 0 for seed in range(200)]
    assert sum(told) <= 6  # one in a hundred by chance; seven of 200 come once in 200 such tests


def test_noise_that_falls_is_drawn_from_all_residuals():
    scatter = noise_of(scaling.fit_parametric(growing(0, -0.25)[0]))
    assert scatter.growth == 0.0
    np.testing.assert_array_equal(scatter.times(N, D), 1.0)
    np.testing.assert_array_equal(scatter.level, scatter.residuals)
