"""No interval of width zero leaves the package, none misses its estimate, and none hides missing resamples."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scaling
from scaling._words import percent
from scaling.uncertainty.intervals import percentiles

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")


def test_without_anything_odd_they_are_percentiles():
    values = np.random.default_rng(0).standard_normal((200, 3))
    found = percentiles(values, 0.9, np.zeros(3))
    np.testing.assert_array_equal([found.low, found.high], np.quantile(values, [(1 - 0.9) / 2, (1 + 0.9) / 2], axis=0))
    assert found.remarks(0.9) == []


def test_missing_resamples_lie_beyond_either_end():
    values = np.arange(1.0, 101.0)
    few = values.copy()
    few[[10, 50]] = np.nan
    found = percentiles(few, 0.9)
    kept = np.sort(few[np.isfinite(few)])
    assert (found.low, found.high) == (kept[4 - 2], kept[-1 - 4 + 2])
    assert found.low <= np.nanquantile(few, 0.05)
    assert found.high >= np.nanquantile(few, 0.95)
    many = values.copy()
    many[:6] = np.nan
    found = percentiles(many, 0.9)
    assert np.isnan([found.low, found.high]).all()
    assert found.remarks(0.9) == ["6.0% of the resamples have no value, so that the ends are not known"]
    assert np.isfinite(percentiles(many, 0.8).low)
    assert np.isnan(percentiles(values, 0.9, lost=6).low)
    both = percentiles(np.column_stack([values, many]), 0.9)
    assert np.isfinite(both.low[0])
    assert np.isnan(both.low[1])
    assert both.low[0] == np.quantile(values, (1 - 0.9) / 2)


def test_an_interval_beside_its_estimate_is_widened_to_it():
    values = np.linspace(1, 2, 101)
    found = percentiles(values, 0.9, 0.5)
    assert (found.low, found.high) == (0.5, np.quantile(values, 0.95))
    assert "widened" in found.remarks(0.9)[0]
    assert percentiles(values, 0.9, 3.0).high == 3.0


def test_one_value_is_no_interval():
    found = percentiles(np.full(50, 0.3), 0.9, 0.3)
    assert np.isnan([found.low, found.high]).all()
    assert "there is no interval" in found.remarks(0.9)[0]


def spoilt(boot, **columns):
    samples = boot.samples.assign(**columns)
    return replace(boot, samples=samples, law=boot.fit.law_of({k: v.to_numpy() for k, v in samples.items()}))


@pytest.fixture(scope="module")
def boot():
    runs = scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(60), noise=0.006, seed=1)
    return scaling.bootstrap(scaling.fit_parametric(runs), 200)


def test_a_bootstrap_refuses_widens_and_says_so(boot):
    flat = spoilt(boot, beta=0.3)
    with pytest.raises(scaling.FitError, match="interval of 'beta': all resamples give the same value"):
        flat.interval(0.95, of="beta")
    with pytest.warns(scaling.errors.RunsWarning, match="same value"):
        table = flat.interval(0.95)
    assert table.loc["beta"].isna().all()
    assert (table.drop("beta")["low"] < table.drop("beta")["high"]).all()
    with pytest.warns(scaling.errors.RunsWarning, match="widened to the estimate"):
        low, _ = spoilt(boot, alpha=boot.samples["alpha"] + 1).interval(0.95, of="alpha")
    assert low == boot.fit.law.alpha
    gone = boot.samples["beta"].where(np.arange(200) >= 20)
    with pytest.warns(scaling.errors.RunsWarning, match="10.0% of the resamples have no value"):
        low, high = spoilt(boot, beta=gone).interval(0.95, of="a")
    assert np.isnan([low, high]).all()


def test_a_law_without_noise_has_no_interval():
    runs = scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(60))
    exact = scaling.bootstrap(scaling.fit_parametric(runs), 20)
    with pytest.raises(scaling.FitError, match="there is no interval"):
        exact.interval(0.95, of="alpha")


def ends(boot, level):
    """Every interval of a bootstrap that a command or a chapter asks for, with its estimate."""
    budget = 10 * float(boot.fit.runs["flops"].max())
    questions = [*boot.samples, "a", "b", lambda law: scaling.compute_optimal(law, budget).params]
    for of in questions:
        try:
            low, high = boot.interval(level, of=of)
        except scaling.FitError:
            continue
        at = getattr(boot.fit.law, of, None) if isinstance(of, str) else of(boot.fit.law)
        yield (boot._estimates[of].iloc[0] if at is None else float(at)), low, high


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    approach=st.sampled_from([1, 2, 3]),
    noise=st.sampled_from([0.0, 1e-6, 1e-3, 6e-3, 0.05]),
    groups=st.integers(3, 6),
    n_sizes=st.integers(5, 9),
    width=st.sampled_from([2.0, 8.0, 40.0]),
    fraction=st.sampled_from([None, 0.8]),
    level=st.sampled_from([0.5, 0.8, 0.95]),
    seed=st.integers(0, 1_000),
)
def test_whatever_leaves_the_package_holds_its_estimate(approach, noise, groups, n_sizes, width, fraction, level, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scaling.errors.RunsWarning)
        try:
            if approach == 1:
                sizes = np.geomspace(5e7, 1e10, 3 * n_sizes)
                curves = scaling.simulate.simulate_curves(LAW, sizes, n_points=20, noise=noise, seed=seed)
                fit = scaling.fit_envelope(curves, n_budgets=60)
            else:
                budgets = np.geomspace(1e18, 1e21, groups)
                design = scaling.simulate.isoflop_design(budgets, n_sizes=n_sizes, width=width, law=LAW)
                runs = scaling.simulate_runs(LAW, design, noise=noise, seed=seed)
                fit = scaling.fit_isoflop(runs) if approach == 2 else scaling.fit_parametric(runs)
            boot = scaling.bootstrap(fit, 40, seed=seed, fraction=fraction)
        except scaling.FitError:
            return
        for estimate, low, high in ends(boot, level):
            assert np.isnan(low) == np.isnan(high)
            assert np.isnan(low) or (low < high and low <= estimate <= high)


def test_a_high_level_needs_resamples_beyond_its_ends():
    boot = scaling.bootstrap(scaling.fit_parametric(scaling.load_runs("small_sweep")), 100)
    with pytest.raises(ValueError, match=r"level 0.9999 needs 20,000 resamples or more, got 100"):
        boot.interval(0.9999, of="a")
    with pytest.raises(ValueError, match="200 resamples or more"):
        boot.predict(1e8, 1e9, level=0.99)
    assert not boot.percentiles(0.95, of="a").remarks(0.95)
    few = scaling.uncertainty.intervals.percentiles(np.arange(8.0), 0.95)
    assert few.remarks(0.95) == [
        "8 resamples do not tell the ends of a 95 % interval: it is little more than their range"
    ]


@pytest.mark.parametrize(("level", "words"), [(0.95, "95"), (0.8, "80"), (0.57, "57"), (0.9999999, "99.99999")])
def test_a_level_is_never_rounded_up(level, words):
    assert percent(level) == words
