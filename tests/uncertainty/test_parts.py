"""Parts of the runs, drawn without replacement: scaled to the spread of the fit, or taken as papers take them."""

import numpy as np
import pytest

import scaling
from scaling.fit.engine.stretching import stretch, stretched

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
BUDGETS = np.geomspace(6e18, 3e21, 7)


def ragged(seed, n=120):
    return scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(n, seed=seed), noise=0.006, seed=seed)


def width(boot, of, level=0.9):
    low, high = boot.interval(level, of=of)
    return high - low


@pytest.fixture(scope="module")
def fit():
    return scaling.fit_parametric(ragged(1, 150))


def test_the_factor_is_that_of_a_mean():
    """Means of m of n numbers, drawn without replacement, beside the textbook's standard error of the mean of all."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(50)
    means = np.array([rng.choice(x, 40, replace=False).mean() for _ in range(20_000)])
    assert stretch(40, 50) == 2.0
    assert stretch(40, 50) * means.std() == pytest.approx(x.std(ddof=1) / np.sqrt(50), rel=0.03)


@pytest.mark.slow
def test_parts_are_half_as_wide_and_scaled_ones_are_not():
    """80 % without replacement, as in Hoffmann et al.'s Table 2, understates the spread by a half."""
    plain, scaled = [], []
    for seed in range(8):
        fit = scaling.fit_parametric(ragged(seed))
        whole = width(scaling.bootstrap(fit, 200, seed=0), "a")
        raw = scaling.bootstrap(fit, 200, seed=0, fraction=0.8, scaled=False)
        far = scaling.bootstrap(fit, 200, seed=0, fraction=0.8)
        plain, scaled = [*plain, width(raw, "a") / whole], [*scaled, width(far, "a") / whole]
    assert np.median(plain) == pytest.approx(0.5, abs=0.1)
    assert np.median(scaled) == pytest.approx(1.0, abs=0.2)
    assert "parts of 96 of 120 runs, deviations times 2" in far.note
    assert "as they are: not the spread of the fit" in raw.note


def test_scaled_laws_keep_level_and_slopes(fit):
    """At the centre of the table the scaled laws stray no further from the runs than resampled ones."""
    centre = [float(np.exp(np.log(fit.runs[name]).mean())) for name in ("params", "tokens")]
    spreads = [
        np.std(np.log(scaling.bootstrap(fit, 400, seed=0, fraction=f).law.loss(*centre))) for f in (None, 0.8, 0.95)
    ]
    assert spreads[1] == pytest.approx(spreads[0], rel=0.25)
    assert spreads[2] == pytest.approx(spreads[0], rel=0.35)


def test_bounds_hold_and_level_and_slopes_are_kept_there(fit):
    problem, theta = fit._minimum.problem, fit._minimum.theta
    each = scaling.bootstrap(fit, 50, seed=0, fraction=0.8, scaled=False).fit.resample(50, 0, 0.8, scaled=False)
    near = np.repeat(theta[None], len(each.samples), axis=0)
    near[:, 3:] += np.random.default_rng(0).normal(0, 0.1, near[:, 3:].shape)
    far = stretched(problem, theta, near, 6.0)
    assert (far >= problem.model.lower).all()
    assert (far <= problem.model.upper).all()
    held = (far[:, 0] == 0) & (far[:, 3:] < problem.model.upper[3:]).all(1)
    assert held.any()
    free = stretched(problem, theta, near, 1.0)
    np.testing.assert_allclose(free, near, rtol=1e-9)
    level = far[:, 0] + np.exp(far[:, 1:3]).sum(1)
    wanted = theta[0] + np.exp(theta[1:3]).sum() + 6 * (np.exp(near[:, 1:3]).sum(1) - np.exp(theta[1:3]).sum())
    np.testing.assert_allclose(level[held], wanted[held], rtol=1e-9)


@pytest.mark.slow
def test_scaled_parts_cover_the_truth():
    """A small version of the study in benchmarks/intervals.py: as they are, parts cover seven times in ten."""
    scaled, plain = 0, 0
    for seed in range(30):
        fit = scaling.fit_parametric(ragged(seed, 60))
        for f, how in ((0.8, True), (0.8, False)):
            low, high = scaling.bootstrap(fit, 100, seed=seed, fraction=f, scaled=how).interval(0.95, of="a")
            inside = low <= LAW.a <= high
            scaled, plain = scaled + (inside and how), plain + (inside and not how)
    assert scaled >= 24  # 30 intervals of true coverage 0.95 give fewer than 24 once in 1,000 (binomial)
    assert plain <= 27


def test_parabolas_of_parts_are_scaled_budget_by_budget():
    design = scaling.simulate.isoflop_design(BUDGETS, n_sizes=9, width=6, law=LAW)
    to_whole, to_plain = [], []
    for seed in range(10):
        fit = scaling.fit_isoflop(scaling.simulate_runs(LAW, design, noise=0.003, seed=seed))
        whole, part = (width(scaling.bootstrap(fit, 300, seed=0, fraction=f), "a") for f in (None, 0.8))
        plain = width(scaling.bootstrap(fit, 300, seed=0, fraction=0.8, scaled=False), "a")
        to_whole, to_plain = [*to_whole, part / whole], [*to_plain, part / plain]
    assert np.median(to_whole) == pytest.approx(1.0, abs=0.2)
    assert np.median(to_plain) == pytest.approx(np.sqrt(7 / 2), rel=0.02)  # 7 of 9 runs of a budget


def test_envelopes_of_parts_are_scaled():
    curves = scaling.simulate.simulate_curves(LAW, np.geomspace(5e7, 1e10, 20), schedule_gap=0.0, n_points=60, seed=3)
    fit = scaling.fit_envelope(curves, n_budgets=200)
    plain, scaled = (scaling.bootstrap(fit, 100, seed=1, fraction=0.8, scaled=how) for how in (False, True))
    assert scaled.samples["a"].std() > 1.5 * plain.samples["a"].std()
    assert "64 of 80 curves" in scaled.note


def test_laws_solved_one_by_one_are_scaled_too():
    x = np.geomspace(1, 1e4, 30)
    y = 0.5 + 2 * x**-0.3 * (1 + (x / 100) ** 2) ** -0.2
    fit = scaling.fit.fit_broken_power_law(x, y * np.exp(0.003 * np.random.default_rng(0).standard_normal(30)))
    plain, scaled = (fit.resample(2, 0, 0.8, scaled=how).samples for how in (False, True))
    value = fit.candidate.exponent
    assert (plain["exponent"] > 0).all()
    np.testing.assert_allclose(np.log(scaled["exponent"] / value), 2 * np.log(plain["exponent"] / value), rtol=1e-9)
    assert (scaled["offset"] >= 0).all()


def test_a_part_that_leaves_nothing_out_is_refused(fit):
    with pytest.raises(scaling.FitError, match="leaves none out"):
        scaling.bootstrap(fit, 10, fraction=0.999)
    design = scaling.simulate.isoflop_design(BUDGETS, n_sizes=4, width=6, law=LAW)
    four = scaling.fit_isoflop(scaling.simulate_runs(LAW, design))
    with pytest.raises(scaling.FitError, match="4 of 4 runs leaves none out"):
        scaling.bootstrap(four, 10, fraction=0.8)
