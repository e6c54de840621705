"""Fits: recovery, objectives, weights, statuses, hold-out. Hard cases never return a wrong number quietly."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import scaling
from scaling.fit.engine.problem import Objective, Problem
from scaling.papers.czech2026 import surface

SURFACES = {
    "symmetric": surface("symmetric"),
    "chinchilla": scaling.ChinchillaLaw.from_published("hoffmann2022"),
    "besiroglu": scaling.ChinchillaLaw.from_published("besiroglu2024"),
    "asymmetric": surface("asymmetric"),
    "no offset": scaling.ChinchillaLaw(E=0.0, A=20.0, B=30.0, alpha=0.1, beta=0.12),
}
GRID = scaling.simulate.grid_design(np.geomspace(5e7, 2e10, 7), np.geomspace(1e9, 5e11, 7))


def constants(law):
    return np.array(list(law.constants.values()), dtype=float)


@pytest.mark.parametrize("name", SURFACES)
@pytest.mark.parametrize("objective", ["log_huber", "huber", "log_squares", "log_absolute"])
def test_noise_free_runs_give_back_their_law(name, objective):
    truth = SURFACES[name]
    fit = scaling.fit_parametric(scaling.simulate_runs(truth, GRID), objective=objective)
    assert fit.status in ("identified", "at_bound")
    np.testing.assert_allclose(constants(fit.law), constants(truth), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["symmetric", "chinchilla", "asymmetric"])
def test_noisy_runs_give_back_their_law_within_the_noise(name):
    truth = SURFACES[name]
    found = []
    for seed in range(12):
        runs = scaling.simulate_runs(
            truth, scaling.simulate.chinchilla_like_design(200, seed=seed), noise=0.004, seed=seed
        )
        law = scaling.fit_parametric(runs).law
        found.append([law.E, law.alpha, law.beta, law.a])
    mean, se = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    share = truth.a
    assert (np.abs(mean - [truth.E, truth.alpha, truth.beta, share]) < 4 * se).all()


def test_value_is_the_sum_and_weights_repeat_rows():
    runs = scaling.simulate_runs(SURFACES["chinchilla"], GRID, noise=0.01, seed=1)
    fit = scaling.fit_parametric(runs)
    twice = scaling.fit_parametric(pd.concat([runs, runs], ignore_index=True))
    assert twice.value == pytest.approx(2 * fit.value, rel=1e-9)
    np.testing.assert_allclose(constants(twice.law), constants(fit.law), rtol=1e-6)
    counts = np.random.default_rng(0).integers(0, 3, len(runs))
    repeated = scaling.fit_parametric(runs.loc[runs.index.repeat(counts)].reset_index(drop=True))
    assert fit.refit(counts).value == pytest.approx(repeated.value, rel=1e-9)
    r = fit.residuals
    huber = np.where(np.abs(r) <= 1e-3, r**2 / 2, 1e-3 * (np.abs(r) - 5e-4))
    assert fit.value == pytest.approx(huber.sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("objective", "loss"),
    [("log_squares", lambda r: (r**2).sum()), ("log_absolute", lambda r: np.abs(r).sum())],
)
def test_no_point_nearby_is_lower(objective, loss):
    runs = scaling.simulate_runs(SURFACES["besiroglu"], GRID, noise=0.01, seed=2)
    fit = scaling.fit_parametric(runs, objective=objective)
    assert fit.value == pytest.approx(loss(fit.residuals), rel=1e-12)
    rng = np.random.default_rng(0)
    for scale in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5):
        for _ in range(40):
            other = scaling.ChinchillaLaw(*(constants(fit.law) * (1 + scale * rng.standard_normal(5))))
            r = np.log(other.loss(runs["params"], runs["tokens"]) / runs["loss"]).to_numpy()
            assert loss(r) >= fit.value * (1 - 1e-9)


def test_two_sets_of_starts_agree():
    runs = scaling.simulate_runs(
        SURFACES["besiroglu"], scaling.simulate.chinchilla_like_design(120), noise=0.01, seed=3
    )
    one, many = (scaling.fit_parametric(runs, n_starts=k) for k in (1, 20))
    np.testing.assert_allclose(constants(one.law), constants(many.law), rtol=1e-6)
    assert many.starts_agreeing > 10


def test_bfgs_with_the_analytic_gradient_agrees():
    """SciPy's BFGS on the objective times 1e6, started near: the same objective to 1e-12."""
    runs = scaling.simulate_runs(
        SURFACES["besiroglu"], scaling.simulate.chinchilla_like_design(120), noise=0.01, seed=3
    )
    fit = scaling.fit_parametric(runs)
    x, y, target = (np.log(runs[name].to_numpy()) for name in ("params", "tokens", "loss"))
    x0, y0 = x.mean(), y.mean()

    def objective(z):
        e, a, b, alpha, beta = z
        logs = np.array([np.full_like(x, e), a - alpha * (x - x0), b - beta * (y - y0)])
        lse = np.logaddexp.reduce(logs)
        r, p = lse - target, np.exp(logs - lse)
        slope = 1e6 * np.clip(r, -1e-3, 1e-3)
        value = 1e6 * np.where(np.abs(r) <= 1e-3, r**2 / 2, 1e-3 * (np.abs(r) - 5e-4)).sum()
        return value, np.array([*(p @ slope), -(p[1] * (x - x0)) @ slope, -(p[2] * (y - y0)) @ slope])

    law = fit.law
    z = np.array([np.log(law.E), np.log(law.A) - law.alpha * x0, np.log(law.B) - law.beta * y0, law.alpha, law.beta])
    found = min(
        (
            optimize.minimize(objective, z + 0.03 * s, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000})
            for s in np.random.default_rng(0).standard_normal((4, 5))
        ),
        key=lambda out: out.fun,
    )
    assert found.fun / 1e6 == pytest.approx(fit.value, rel=1e-9)
    assert fit.value <= found.fun / 1e6 * (1 + 1e-12)


def test_collinear_design_is_not_identified_and_says_so():
    sizes = np.geomspace(1e8, 1e10, 20)
    runs = scaling.simulate_runs(
        SURFACES["chinchilla"], pd.DataFrame({"params": sizes, "tokens": 20 * sizes}), noise=0.003
    )
    fit = scaling.fit_parametric(runs)
    assert fit.status == "not_identified"
    assert "rise together" in fit.message
    with pytest.raises(scaling.FitError, match="candidate"):
        _ = fit.law
    assert fit.candidate.loss(1e9, 2e10) == pytest.approx(SURFACES["chinchilla"].loss(1e9, 2e10), rel=0.01)


@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_two_sizes_are_not_enough(noise):
    runs = scaling.simulate_runs(
        SURFACES["chinchilla"], scaling.simulate.grid_design([1e8, 1e9], np.geomspace(1e9, 1e12, 8)), noise=noise
    )
    fit = scaling.fit_parametric(runs)
    assert fit.status == "not_identified"
    assert "2 distinct values of params" in fit.message


def test_six_runs_are_weak_or_wide():
    """Six noisy runs leave one residual: the fit must not be offered for a bootstrap."""
    runs = scaling.simulate_runs(SURFACES["chinchilla"], GRID, noise=0.003).sample(6, random_state=0)
    fit = scaling.fit_parametric(runs)
    with pytest.raises(scaling.FitError, match="too few to bootstrap"):
        scaling.bootstrap(fit)
    few = scaling.fit_parametric(runs.iloc[:5])
    assert few.status in ("weak", "not_identified")
    assert scaling.fit_parametric(runs.iloc[:4]).status == "not_identified"


def test_loss_that_rises_with_size_is_not_identified():
    runs = scaling.simulate_runs(SURFACES["chinchilla"], GRID, noise=0.003)
    runs["loss"] = 2 + 0.1 * np.log10(runs["params"]) + 1000 * runs["tokens"] ** -0.36
    fit = scaling.fit_parametric(runs)
    assert fit.status == "not_identified"
    assert "does not fall with params" in fit.message


@pytest.mark.parametrize("seed", range(5))
def test_pure_noise_is_not_identified(seed):
    runs = scaling.simulate_runs(SURFACES["chinchilla"], GRID)
    runs["loss"] = 3 + 0.1 * np.random.default_rng(seed).standard_normal(len(runs))
    assert scaling.fit_parametric(runs).status == "not_identified"


def test_constant_loss_and_a_single_run_are_not_identified():
    runs = scaling.simulate_runs(SURFACES["chinchilla"], GRID)
    assert scaling.fit_parametric(runs.assign(loss=3.0)).status == "not_identified"
    one = scaling.fit_parametric(runs.iloc[:1])
    assert one.status == "not_identified"
    assert "1 distinct run" in one.message


def test_steep_exponents_end_on_their_bound_and_say_so():
    steep = scaling.ChinchillaLaw(E=1.0, A=1e22, B=400.0, alpha=2.6, beta=0.3)
    with pytest.warns(scaling.errors.RunsWarning, match="perplexity"):
        fit = scaling.fit_parametric(scaling.simulate_runs(steep, GRID, noise=0.001))
    assert fit.candidate.alpha == 2.0
    assert fit.status == "weak"  # the limit of the search decided, not the runs
    assert "alpha = 2" in fit.message


def test_unfinished_runs_are_left_out_with_a_reason():
    runs = scaling.simulate_runs(SURFACES["chinchilla"], GRID).assign(status="finished")
    runs.loc[3, ["status", "loss"]] = ["diverged", np.nan]
    with pytest.warns(scaling.errors.RunsWarning, match="1 of 49"):
        fit = scaling.fit_parametric(runs)
    assert len(fit.runs) == 48
    assert fit.dropped["reason"].tolist() == ["status diverged"]
    np.testing.assert_allclose(constants(fit.law), constants(SURFACES["chinchilla"]), rtol=1e-6)


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ([1, 2], "one number for each"),
        (np.zeros(49), "all are zero"),
        (np.r_[-1, np.ones(48)], r"weights\[0\] is -1"),
        (np.r_[np.nan, np.ones(48)], "nan"),
    ],
)
def test_bad_weights_are_named(weights, match):
    with pytest.raises(scaling.FitError, match=match):
        scaling.fit_parametric(scaling.simulate_runs(SURFACES["chinchilla"], GRID), weights=weights)


def test_the_table_is_left_alone():
    runs = scaling.simulate_runs(SURFACES["chinchilla"], GRID, noise=0.01)
    runs.index = runs.index[::-1]
    before = runs.copy(deep=True)
    scaling.fit_parametric(runs)
    pd.testing.assert_frame_equal(runs, before)


def test_fit_prints_itself():
    fit = scaling.fit_parametric(scaling.simulate_runs(SURFACES["chinchilla"], GRID, noise=0.01))
    text = repr(fit)
    assert "alpha" in text
    assert "identified" in text
    assert "<table" in fit._repr_html_()


def test_large_tables_start_from_a_subsample_and_reach_the_same_optimum():
    runs = scaling.simulate_runs(
        SURFACES["besiroglu"],
        pd.concat([scaling.simulate.chinchilla_like_design(240, seed=s) for s in range(25)], ignore_index=True),
        noise=0.01,
    )
    fit = scaling.fit_parametric(runs)
    variables = tuple(runs[name].to_numpy() for name in ("params", "tokens"))
    problem = Problem.build(runs["loss"].to_numpy(), variables, ("E", "A", "B", "alpha", "beta"))
    whole, _ = problem.fresh(np.ones((1, len(runs))), Objective(), 2)
    assert fit.value == pytest.approx(whole.value[0], rel=1e-10)


# --- power laws ---------------------------------------------------------------------------------


def test_power_law_without_offset_is_least_squares_of_logs():
    x = np.geomspace(1, 1e6, 9)
    y = 3 * x**-0.4 * np.exp(0.05 * np.random.default_rng(0).standard_normal(9))
    slope, intercept = np.polyfit(np.log(x), np.log(y), 1)
    law = scaling.fit_power_law(x, y, objective="log_squares").law
    assert law.exponent == pytest.approx(slope, rel=1e-10)
    assert law.coefficient == pytest.approx(np.exp(intercept), rel=1e-10)


@pytest.mark.parametrize("exponent", [-0.42, -0.05, 0.3, 1.5])
@pytest.mark.parametrize("offset", [True, False])
def test_power_law_is_recovered(exponent, offset):
    truth = scaling.PowerLaw(2.5, exponent, 1.3 if offset else 0.0)
    x = np.geomspace(1, 1e6, 12)
    fit = scaling.fit_power_law(x, truth(x), offset=offset)
    np.testing.assert_allclose(constants(fit.law), constants(truth), rtol=1e-6, atol=1e-9)
    assert fit.predict(1e8) == pytest.approx(truth(1e8), rel=1e-6)


def test_power_law_with_offset_refuses_a_flat_line():
    x = np.geomspace(1, 1e6, 20)
    y = 2 * np.exp(0.01 * np.random.default_rng(1).standard_normal(20))
    assert scaling.fit_power_law(x, y, offset=True, objective="log_squares").status == "not_identified"


@pytest.mark.parametrize(
    ("x", "y", "match"),
    [
        ([1, 2], [1], "one length"),
        ([1, 0], [1, 2], r"x\[1\] is 0"),
        ([1, 2], [1, np.inf], r"y\[1\] is inf"),
        ([], [], "no points"),
    ],
)
def test_power_law_names_what_is_wrong(x, y, match):
    with pytest.raises(scaling.FitError, match=match):
        scaling.fit_power_law(x, y)


# --- hold-out -----------------------------------------------------------------------------------


def test_holdout_predicts_the_most_expensive_runs():
    runs = scaling.simulate_runs(
        SURFACES["besiroglu"], scaling.simulate.chinchilla_like_design(200), noise=0.003, seed=5
    )
    out = scaling.holdout(runs, fraction=0.25)
    assert len(out.tested) == 50
    assert out.tested["flops"].min() > out.fit.runs["flops"].max()
    assert out.rms < 0.01
    assert "50 predicted" in repr(out)
    with pytest.raises(scaling.FitError, match="leaves"):
        scaling.holdout(runs, above=1e30)
    with pytest.raises(scaling.FitError, match="no column 'budgets'"):
        scaling.holdout(runs, by="budgets")
    with pytest.raises(ValueError, match="fraction"):
        scaling.holdout(runs, fraction=1.5)


@pytest.mark.parametrize(("unit", "delta"), [(1.0, 1e-5), (100.0, 1e-3)])
def test_raw_residuals_far_above_the_threshold_are_no_trap(unit, delta):
    """The objective is homogeneous: loss and threshold in another unit give the same law."""
    runs = scaling.simulate_runs(SURFACES["chinchilla"], GRID, noise=0.01, seed=3)
    reference = scaling.fit_parametric(runs, objective="huber", delta=delta / unit)
    fit = scaling.fit_parametric(runs.assign(loss=unit * runs["loss"]), objective="huber", delta=delta)
    assert fit.status == reference.status == "identified"
    assert fit.value == pytest.approx(unit**2 * reference.value, rel=1e-9)
    assert fit.law.alpha == pytest.approx(reference.law.alpha, rel=1e-5)


@pytest.mark.parametrize("unit", [1e-300, 1e-20, 1e300])
def test_only_ratios_of_weights_matter(unit):
    runs = scaling.simulate_runs(SURFACES["chinchilla"], GRID, noise=0.01, seed=3)
    plain, weighted = scaling.fit_parametric(runs), scaling.fit_parametric(runs, weights=np.full(len(runs), unit))
    assert weighted.status == plain.status
    assert weighted.value == pytest.approx(unit * plain.value, rel=1e-12)
    np.testing.assert_allclose(constants(weighted.law), constants(plain.law), rtol=1e-9)


def test_a_threshold_without_meaning_is_refused():
    runs = scaling.simulate_runs(SURFACES["chinchilla"], GRID, noise=0.01, seed=3)
    with pytest.raises(ValueError, match="log_absolute"):
        scaling.fit_parametric(runs, delta=1e-12)


def test_power_law_in_an_impossible_unit_is_refused():
    x = np.geomspace(1, 1e6, 9)
    with pytest.raises(scaling.FitError, match="change the unit of y"):
        scaling.fit_power_law(x, 1e-200 * x)
    with pytest.raises(scaling.FitError, match="change the unit of y"):
        scaling.fit_power_law(x, 1e-12 / x, objective="huber")


def test_power_law_with_one_point_that_counts():
    assert scaling.fit_power_law([1, 2, 3], [3, 2, 1], weights=[1, 0, 0]).status == "not_identified"


def test_holdout_by_words_is_refused():
    runs = scaling.simulate_runs(SURFACES["chinchilla"], GRID).assign(run="a")
    with pytest.raises(scaling.FitError, match="no numbers"):
        scaling.holdout(runs, by="run")
