"""Resamples are as robust as the fit: runs that it sets aside do not come back by being drawn four times."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import scaling
from scaling.fit.engine.resamples import Resamples
from scaling.fit.engine.setting_aside import chance_beyond, leans, noise_of

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
SORTED = {"expensive": ("flops", False), "shortest": ("tokens", True), "longest": ("tokens", False)}


def clean(seed):
    return scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(109, seed=seed), noise=0.006, seed=seed)


def diverged(runs, where, seed):
    """Four of the runs with a loss 20 to 100 % too high: anywhere, or among the eight at one end."""
    rng = np.random.default_rng(seed)
    if where == "anywhere":
        rows = rng.choice(109, 4, replace=False)
    else:
        column, rising = SORTED[where]
        rows = runs[column].sort_values(ascending=rising).index[:8][rng.choice(8, 4, replace=False)]
    bad = runs.copy()
    bad.loc[rows, "loss"] *= rng.uniform(1.2, 2.0, 4)
    return bad, rows


def upper(law):
    return float(np.nanquantile(scaling.compute_optimal(law, 1e24).params, 0.975))


@cache
def upper_of_clean(seed):
    return upper(scaling.bootstrap(scaling.fit_parametric(clean(seed)), 150).law)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["anywhere", "expensive", "shortest", "longest"])
def test_four_diverged_runs_of_109_do_not_move_the_upper_end(where):
    for seed in range(100, 106):
        bad, rows = diverged(clean(seed), where, seed)
        boot = scaling.bootstrap(scaling.fit_parametric(bad), 150)
        assert upper(boot.law) < 1.3 * upper_of_clean(seed)
        assert sorted(boot.set_aside) == sorted(rows)
        assert "4 of 109 runs lie far from the fit, which sets them aside" in boot.note


def test_drawn_like_the_others_they_would():
    """The same resamples of all runs: some draw a diverged run three times where few others lie."""
    ratios = []
    for seed in range(100, 106):
        fit = scaling.fit_parametric(diverged(clean(seed), "shortest", seed)[0])
        counts = next(iter(Resamples(109, 150, 0)))
        ratios.append(upper(fit.resampled(counts).law) / upper_of_clean(seed))
    assert max(ratios) > 3


def test_nothing_is_set_aside_in_clean_tables_or_under_squares():
    boot = scaling.bootstrap(scaling.fit_parametric(clean(0)), 20)
    assert (boot.set_aside, boot.note) == ((), "")
    bad, _ = diverged(clean(0), "anywhere", 0)
    squares = scaling.fit_parametric(bad, objective="log_squares")
    assert scaling.bootstrap(squares, 20).set_aside == ()


def test_runs_on_which_the_fit_leans_are_drawn():
    """Fifteen expensive runs, a third too high: the fit follows some of them, and without them it would be another."""
    runs = clean(1)
    rows = runs["tokens"].sort_values().index[:10]
    bad = runs.copy()
    bad.loc[rows, "loss"] *= np.linspace(1.3, 1.9, 10)
    boot = scaling.bootstrap(scaling.fit_parametric(bad), 60)
    assert boot.set_aside == ()
    assert "move it: they are drawn like the others" in boot.note


def test_leaning_is_a_distance_in_units_of_the_spread():
    each = np.random.default_rng(0).standard_normal((400, 3)) * [1.0, 10.0, 100.0]
    assert not leans(np.array([0.5, 5.0, 50.0]), np.zeros(3), each)
    assert leans(np.array([4.0, 0.0, 0.0]), np.zeros(3), each)


def test_noise_of_normal_residuals_is_their_standard_deviation():
    r = 0.006 * np.random.default_rng(0).standard_normal(4_000)
    r[:100] = 1.0
    assert noise_of(r, 5) == pytest.approx(0.006, rel=0.06)


def test_a_part_of_many_runs_sets_aside_too():
    rng = np.random.default_rng(0)
    design = pd.DataFrame({"params": 10 ** rng.uniform(7.5, 10, 3_000), "tokens": 10 ** rng.uniform(9, 11, 3_000)})
    runs = scaling.simulate_runs(LAW, design, noise=0.006, seed=0)
    runs.loc[::100, "loss"] *= 1.5
    boot = scaling.uncertainty.subsampled_bootstrap(scaling.fit_parametric(runs), rows=1_000, n_resamples=40)
    assert "scaled by sqrt(1,000/3,000); " in boot.note
    assert "which sets them aside" in boot.note
    assert set(boot.set_aside) == set(range(0, 3_000, 100))


@pytest.mark.parametrize("freedom", range(1, 13))
def test_the_chance_of_a_distance_is_that_of_scipy(freedom):
    for distance in (0.0, 1e-6, 0.5, 3.0, 12.0, 80.0):
        assert chance_beyond(distance, freedom) == pytest.approx(stats.chi2.sf(distance, freedom), rel=1e-12)
    assert chance_beyond(np.inf, freedom) < 1e-100
    assert chance_beyond(-1e-15, freedom) == 1
    assert not chance_beyond(np.nan, freedom) < 0.01
