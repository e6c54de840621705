"""Bootstrap: determinism, agreement with refits, spread, coverage, refusals."""

import numpy as np
import pandas as pd
import pytest

import scaling

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")


@pytest.fixture(scope="module")
def fit():
    runs = scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(150), noise=0.008, seed=1)
    return scaling.fit_parametric(runs)


@pytest.fixture(scope="module")
def boot(fit):
    return scaling.bootstrap(fit, 400, seed=7)


def test_same_seed_same_samples(fit, boot):
    again = scaling.bootstrap(fit, 400, seed=7)
    np.testing.assert_array_equal(again.samples, boot.samples)
    fewer = scaling.bootstrap(fit, 256, seed=7)
    np.testing.assert_allclose(fewer.samples, boot.samples.iloc[:256], rtol=1e-6)
    assert not np.allclose(scaling.bootstrap(fit, 400, seed=8).samples, boot.samples)


def test_each_resample_is_the_fit_of_its_table(fit, boot):
    rng = np.random.default_rng(7)
    for row in range(5):
        drawn = rng.integers(0, 150, 150)
        alone = scaling.fit_parametric(fit.runs.iloc[drawn].reset_index(drop=True), n_starts=8)
        np.testing.assert_allclose(boot.samples.iloc[row], list(alone.law.constants.values()), rtol=1e-5)


def test_intervals_and_errors(fit, boot):
    table = boot.interval(0.95)
    assert list(table.index) == ["E", "A", "B", "alpha", "beta"]
    assert (table["low"] < table["high"]).all()
    narrow = boot.interval(0.8)
    assert (narrow["high"] - narrow["low"] < table["high"] - table["low"]).all()
    low, high = boot.interval(0.95, of="alpha")
    assert (low, high) == tuple(table.loc["alpha"])
    low, high = boot.interval(0.95, of="a")
    assert low < fit.law.a < high
    sizes = boot.interval(0.95, of=lambda law: scaling.compute_optimal(law, 1e24).params)
    assert sizes[0] < scaling.compute_optimal(fit.law, 1e24).params < sizes[1]
    assert boot.standard_error()["beta"] == pytest.approx(boot.samples["beta"].std(ddof=1))
    assert boot.unconverged == 0
    assert "resamples" in repr(boot)
    assert "<table" in boot._repr_html_()


def test_intervals_of_several_budgets_at_once(boot):
    low, high = boot.interval(
        0.9, of=lambda law: np.column_stack([scaling.compute_optimal(law, c).loss for c in (1e22, 1e24)])
    )
    assert low.shape == high.shape == (2,)
    assert (low < high).all()


@pytest.mark.slow
def test_coverage_of_the_exponent():
    """95 % intervals of a = beta/(alpha+beta) cover the truth about as often as they say."""
    truth = LAW.a
    hits = 0
    for seed in range(40):
        runs = scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(60, seed=seed), noise=0.01, seed=seed)
        low, high = scaling.bootstrap(scaling.fit_parametric(runs), 120, seed=seed).interval(0.95, of="a")
        hits += low <= truth <= high
    assert hits >= 33  # 40 intervals of true coverage 0.95 give fewer than 33 once in 500 (binomial)


def test_refusals(fit):
    runs = fit.runs
    with pytest.raises(scaling.FitError, match="too few"):
        scaling.bootstrap(scaling.fit_parametric(runs.iloc[:11]))
    with pytest.raises(scaling.FitError, match="distinct"):
        scaling.bootstrap(scaling.fit_parametric(runs.iloc[:2]))
    with pytest.raises(ValueError, match="n_resamples must be a whole number, at least 2"):
        scaling.bootstrap(fit, 1)
    with pytest.raises(ValueError, match="fraction"):
        scaling.bootstrap(fit, 10, fraction=1.0)
    boot = scaling.bootstrap(fit, 16)
    with pytest.raises(ValueError, match="level"):
        boot.interval(95)
    with pytest.raises(ValueError, match="no constant 'gamma'"):
        boot.interval(0.9, of="gamma")


@pytest.fixture(scope="module")
def frontier():
    design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20], law=LAW)
    return scaling.fit_isoflop(scaling.simulate_runs(LAW, design, noise=0.003))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((10, 0, -1), "fraction must lie between 0 and 1, got -1"),
        ((10, 0, 0), "fraction must lie between 0 and 1, got 0"),
        ((0, 0), "n_resamples must be a whole number, at least 1, got 0"),
        ((2.5, 0), "n_resamples must be a whole number"),
        ((10, -1), "seed must be a whole number, at least 0, got -1"),
    ],
)
def test_draws_that_make_no_sense_are_refused_by_each_fit(fit, frontier, arguments, words):
    for each in (fit, frontier):
        with pytest.raises(ValueError, match=words):
            each.resample(*arguments)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (lambda n: np.ones((1, 3)), "a number for each of the .* runs, got shape"),
        (lambda n: [], "a number for each of the .* runs, got shape"),
        (lambda n: np.ones((0, n)), "one row or more"),
        (lambda n: np.full((1, n), np.nan), "weights must be finite and not negative, got nan"),
        (lambda n: -np.ones((1, n)), "weights must be finite and not negative, got -1"),
        (lambda n: "text", "weights must be a number or numbers"),
    ],
)
def test_weights_that_make_no_sense_are_refused_by_each_fit(fit, frontier, weights, words):
    for each in (fit, frontier):
        assert len(each.resampled(np.ones(len(each.runs))).samples) == 1
        with pytest.raises(ValueError, match=words):
            each.resampled(weights(len(each.runs)))


def test_power_laws_are_bootstrapped_too():
    x = np.geomspace(1, 1e6, 30)
    y = scaling.PowerLaw(3, -0.4, 1.0)(x) * np.exp(0.005 * np.random.default_rng(0).standard_normal(30))
    boot = scaling.bootstrap(scaling.fit_power_law(x, y, offset=True), 200)
    low, high = boot.interval(0.99, of="exponent")
    assert low < -0.4 < high
    y = 3 * x**0.5 * np.exp(0.02 * np.random.default_rng(1).standard_normal(30))
    plain = scaling.bootstrap(scaling.fit_power_law(x, y, objective="log_squares"), n_resamples=400)
    low, high = plain.interval(0.95, of="exponent")
    assert low < 0.5 < high
    least_squares = 0.02 / (np.std(np.log(x)) * np.sqrt(30))  # the textbook's standard error of a slope
    assert plain.standard_error()["exponent"] == pytest.approx(least_squares, rel=0.35)


def test_frontiers_are_bootstrapped_too():
    design = scaling.simulate.isoflop_design([1e19, 3e19, 1e20, 3e20, 1e21], n_sizes=9, law=LAW)
    runs = scaling.simulate_runs(LAW, design, noise=0.003, seed=2)
    boot = scaling.bootstrap(scaling.fit_isoflop(runs), 300, seed=1)
    assert list(boot.samples) == ["k_N", "a", "k_D", "b"]
    np.testing.assert_allclose(boot.samples["a"] + boot.samples["b"], 1, rtol=1e-12)
    low, high = boot.interval(0.99, of="a")
    assert low < LAW.a < high
    few = scaling.simulate_runs(
        LAW, scaling.simulate.isoflop_design([1e19, 1e20, 1e21], n_sizes=5, law=LAW), noise=0.003, seed=2
    )
    small = scaling.bootstrap(scaling.fit_isoflop(few), 300, seed=1)
    assert small.samples["a"].std() > 0
    curves = scaling.simulate.simulate_curves(LAW, np.geomspace(5e7, 1e10, 20), schedule_gap=0.0, n_points=60, seed=3)
    envelope = scaling.bootstrap(scaling.fit_envelope(curves, n_budgets=200), 60, seed=1)
    low, high = envelope.interval(0.9, of="a")
    assert low < LAW.a < high
    assert high - low < 0.1


def test_a_share_of_a_few_runs_is_refused(fit):
    with pytest.raises(scaling.FitError, match="too few"):
        scaling.bootstrap(fit, 10, fraction=0.01)


# --- many runs, of which a part is resampled -------------------------------------------------------------------------


def uneven(rare, n=6_000):
    """Many small models, and some larger ones, of which the exponent of size is known."""
    rng = np.random.default_rng(rare)
    params = np.concatenate([rng.choice([1e7, 2e7, 3e7], n - rare), 10 ** rng.uniform(8.5, 10, rare)])
    design = pd.DataFrame({"params": params, "tokens": 10 ** rng.uniform(9, 11, n)})
    return scaling.fit_parametric(scaling.simulate_runs(LAW, design, noise=0.006, seed=rare))


@pytest.mark.slow
def test_where_few_runs_decide_all_are_resampled():
    """A part would hold one of ten large models, or none."""
    fit = uneven(10)
    boot = scaling.uncertainty.subsampled_bootstrap(fit, rows=1_000, n_resamples=60)
    assert "all 6,000 runs are resampled" in boot.note
    pd.testing.assert_frame_equal(boot.samples, scaling.bootstrap(fit, 60).samples)


def test_where_many_runs_decide_a_part_is():
    boot = scaling.uncertainty.subsampled_bootstrap(uneven(2_000), rows=1_000, n_resamples=60)
    assert boot.note == "spread of 1,000 of the 6,000 runs, scaled by sqrt(1,000/6,000)"


def test_heavy_weights_are_few_runs():
    """Ten runs that stand for a thousand each decide among runs that stand for one."""
    fit = uneven(2_000)
    heavy = fit.refit(np.where(np.arange(6_000) < 10, 1_000.0, 1.0))
    assert "all 6,000 runs" in scaling.uncertainty.subsampled_bootstrap(heavy, rows=1_000, n_resamples=10).note


def test_a_small_budget_among_large_ones_is_resampled_whole():
    """Of the few runs at the third budget a part would hold one or two, too few for a parabola."""
    budgets = [1e18, 1e19, 1e20]
    large = pd.concat([scaling.simulate.isoflop_design(budgets[:2], law=LAW)] * 60)
    design = pd.concat([large, scaling.simulate.isoflop_design(budgets[2:], law=LAW)], ignore_index=True)
    fit = scaling.fit_isoflop(scaling.simulate_runs(LAW, design, noise=0.004, seed=0))
    boot = scaling.uncertainty.subsampled_bootstrap(fit, rows=500, n_resamples=40)
    assert "are resampled" in boot.note
    pd.testing.assert_frame_equal(boot.samples, scaling.bootstrap(fit, 40).samples)


def test_options_that_make_no_sense_are_refused_by_name(boot):
    for options, words in (
        ({"n_resamples": 2.5}, "n_resamples must be a whole number, at least 2, got 2.5"),
        ({"n_resamples": "20"}, "n_resamples must be a number, got '20'"),
        ({"seed": None}, "seed must be a number, got None"),  # it would give other samples each time
        ({"seed": np.random.default_rng(0)}, "seed must be a number, got Generator"),
        ({"seed": -1}, "seed must be a whole number, at least 0, got -1"),
        ({"fraction": "80%"}, "fraction must be a number, got '80%'"),
    ):
        with pytest.raises(ValueError, match=words):
            scaling.bootstrap(boot.fit, **{"n_resamples": 20, **options})
    for level in (0, 1, -1, 95, np.nan, "0.95", [0.5, 0.9]):
        for asked in (boot.interval, lambda each: boot.predict(1e9, 1e10, each)):
            with pytest.raises(ValueError, match="level must"):
                asked(level)
    for of in ("loss", "equation", lambda law: 3.0, lambda law: ["x"] * len(boot.samples)):
        with pytest.raises(ValueError, match="is not one number for each of the"):
            boot.interval(of=of)
    with pytest.raises(ValueError, match="of must be a name or a function of the law, got 3"):
        boot.interval(of=3)
