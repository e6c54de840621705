"""Audits and studies: exact without noise, the same from the same seed, honest about what cannot be done."""

import numpy as np
import pandas as pd
import pytest

import scaling

TRUTH = scaling.ChinchillaLaw.from_published("besiroglu2024")
A_TRUE = TRUTH.a
DESIGN = scaling.simulate.isoflop_design([1e18, 1e19, 1e20, 1e21], n_sizes=9, width=8, law=TRUTH)
GRID = scaling.simulate.grid_design(np.geomspace(5e7, 1.6e10, 9), np.geomspace(1e9, 3e11, 9))
NOISY = scaling.simulate_runs(TRUTH, scaling.simulate.chinchilla_like_design(seed=0), noise=0.01, seed=0)


# ------------------------------------------------------------------ extrapolation_audit


def test_audit_of_noise_free_runs_is_exact():
    audit = scaling.extrapolation_audit(scaling.simulate_runs(TRUTH, DESIGN), n_resamples=50)
    assert audit["n_budgets"].tolist() == [1, 2, 3]
    assert audit["n_fitted"].tolist() == [9, 18, 27]
    assert audit["n_predicted"].tolist() == [27, 18, 9]
    np.testing.assert_allclose(audit["reach"], [1000, 100, 10])
    assert (audit[["rms", "worst"]] < 1e-9).all().all()
    np.testing.assert_allclose(audit["predicted"], audit["observed"], rtol=1e-9)


def test_audit_is_holdout_at_every_budget():
    runs = scaling.simulate_runs(TRUTH, DESIGN, noise=0.004, seed=3)
    audit = scaling.extrapolation_audit(runs, n_resamples=50)
    for row in audit.itertuples():
        late = scaling.holdout(runs, above=row.cut)
        assert row.rms == pytest.approx(late.rms, rel=1e-12)
        assert row.bias == pytest.approx(late.tested["error"].mean(), rel=1e-12)
    largest = runs[runs["flops"] > 9e20]
    assert audit["observed"].iloc[0] == pytest.approx(np.exp(np.log(largest["loss"]).mean()), rel=1e-12)


def test_audit_needs_twelve_runs_for_intervals():
    audit = scaling.extrapolation_audit(scaling.simulate_runs(TRUTH, DESIGN, noise=0.004), n_resamples=50)
    assert audit[["low", "high", "coverage"]].isna().all(axis=1).tolist() == [True, False, False]
    known = audit.dropna()
    assert ((known["low"] < known["predicted"]) & (known["predicted"] < known["high"])).all()


@pytest.mark.slow
def test_audit_is_the_same_from_the_same_seed():
    runs = scaling.simulate_runs(TRUTH, DESIGN, noise=0.004)
    first, again, other = (scaling.extrapolation_audit(runs, n_resamples=50, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert (first["low"] != other["low"]).any()


def test_audit_does_not_depend_on_the_order_of_rows():
    runs = scaling.simulate_runs(TRUTH, DESIGN, noise=0.004)
    shown = ["cut", "rms", "observed", "predicted"]
    mixed = scaling.extrapolation_audit(runs.sample(frac=1, random_state=1), n_resamples=20)
    pd.testing.assert_frame_equal(mixed[shown], scaling.extrapolation_audit(runs, n_resamples=20)[shown], rtol=1e-6)


def test_audit_of_a_ragged_table_cuts_at_shares_of_the_runs():
    rng = np.random.default_rng(0)
    runs = scaling.simulate_runs(
        TRUTH, pd.DataFrame(np.exp(rng.uniform(18, 24, (40, 2))), columns=["params", "tokens"])
    )
    audit = scaling.extrapolation_audit(runs, n_resamples=20)
    assert audit["n_budgets"].isna().all()
    assert audit["n_fitted"].tolist() == [12, 16, 20, 24, 28, 32, 36]
    assert (audit["rms"] < 1e-6).all()


def test_audit_says_not_identified_and_predicts_nothing():
    sizes = np.geomspace(1e8, 1e10, 24)
    runs = scaling.simulate_runs(TRUTH, pd.DataFrame({"params": sizes, "tokens": 20 * sizes}), noise=0.01)
    audit = scaling.extrapolation_audit(runs, n_resamples=20)
    assert set(audit["status"]) == {"not_identified"}
    assert audit[["rms", "predicted", "low", "coverage"]].isna().all().all()


def test_audit_passes_options_on():
    runs = scaling.simulate_runs(TRUTH, DESIGN, noise=0.01)
    squares = scaling.extrapolation_audit(runs, n_resamples=20, objective="log_squares")
    late = scaling.holdout(runs, above=squares["cut"].iloc[1], objective="log_squares")
    assert squares["rms"].iloc[1] == pytest.approx(late.rms, rel=1e-12)


def test_audit_errors():
    runs = scaling.simulate_runs(TRUTH, DESIGN)
    with pytest.raises(ValueError, match="level must lie between 0 and 1, got 95"):
        scaling.extrapolation_audit(runs, level=95)
    with pytest.raises(ValueError, match="n_resamples must be a whole number, at least 2, got 1"):
        scaling.extrapolation_audit(runs, n_resamples=1)
    one = scaling.simulate_runs(TRUTH, scaling.simulate.isoflop_design([1e20], law=TRUTH))
    with pytest.raises(scaling.FitError, match="all runs have the same compute"):
        scaling.extrapolation_audit(one)
    with pytest.raises(scaling.FitError, match="loss"):
        scaling.extrapolation_audit(runs.drop(columns="loss"))


# ------------------------------------------------------------------ audit_coverage


@pytest.mark.slow
def test_coverage_is_near_its_level_where_the_law_is_true():
    found = scaling.diagnostics.audit_coverage(TRUTH, DESIGN, noise=0.004, n_tables=12, n_resamples=60, seed=5)
    assert found["refused"].tolist() == [12, 0, 0]
    assert found.loc[0, ["a", "loss", "runs"]].isna().all()
    known = found.iloc[1:]
    np.testing.assert_allclose(known["error"], np.sqrt(0.95 * 0.05 / 12))
    assert (known[["a", "loss"]] > 0.95 - 4 * 0.063).all().all()
    assert (known["runs"] > 0.8).all()


@pytest.mark.slow
def test_coverage_falls_with_the_level():
    found = scaling.diagnostics.audit_coverage(
        TRUTH, DESIGN.query("budget < 1e21"), 0.004, 10, level=0.3, n_resamples=60
    )
    assert (found.iloc[1][["a", "loss", "runs"]].astype(float) < 0.75).all()


def test_coverage_errors():
    with pytest.raises(ValueError, match="n_tables must be a whole number, at least 2, got 1"):
        scaling.diagnostics.audit_coverage(TRUTH, DESIGN, 0.01, n_tables=1)
    with pytest.raises(ValueError, match="noise must be"):
        scaling.diagnostics.audit_coverage(TRUTH, DESIGN, -0.01, n_tables=2)


# ------------------------------------------------------------------ chance_of_miss


def few_runs(law, seed, n=20):
    """A table of as many runs of a law as a small group can pay, with noise of 0.6 %."""
    return scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(n, seed=seed), noise=0.006, seed=seed)


def over_residuals(runs):
    residuals = scaling.fit_parametric(runs).residuals
    return scaling.holdout(runs, fraction=0.1).rms / np.sqrt(np.mean(residuals**2))


class Kinked:
    """A law that holds up to 10^21 FLOP, and loses 5 % a decade beyond."""

    def loss(self, params, tokens):
        return TRUTH.loss(params, tokens) * np.exp(0.05 * np.maximum(np.log10(6 * params * tokens) - 21, 0))


def test_a_law_that_holds_is_seldom_doubted_though_few_runs_miss_far():
    tables = [few_runs(TRUTH, seed) for seed in range(30)]
    far = [runs for runs in tables if over_residuals(runs) > 2]
    assert len(far) >= 5  # a factor of two alone would doubt these
    doubted = [runs for runs in far if scaling.diagnostics.chance_of_miss(runs, n_tables=40) <= 0.05]
    assert len(doubted) <= 4  # of 30: five per cent, and two and a half standard errors


def test_a_law_that_breaks_off_is_noticed():
    runs = few_runs(Kinked(), seed=1, n=88)
    assert over_residuals(runs) > 2
    assert scaling.diagnostics.chance_of_miss(runs, n_tables=60) <= 0.05
    assert scaling.diagnostics.chance_of_miss(scaling.load_runs("small_sweep"), n_tables=60) <= 0.05


def test_chance_is_the_same_from_the_same_seed_in_any_order_of_rows():
    runs = few_runs(TRUTH, seed=2)
    chance = scaling.diagnostics.chance_of_miss(runs, n_tables=40, seed=3)
    assert 0 <= chance <= 1
    assert chance == scaling.diagnostics.chance_of_miss(runs, n_tables=40, seed=3)
    mixed = runs.sample(frac=1, random_state=1)
    assert scaling.diagnostics.chance_of_miss(mixed, n_tables=40, seed=3) == pytest.approx(chance, abs=0.05)


def test_of_a_large_table_a_part_is_simulated():
    fast = scaling.diagnostics.chance_of_miss(few_runs(TRUTH, seed=4, n=3000), n_tables=5)
    assert 0 <= fast <= 1


def test_chance_of_what_cannot_be_told():
    sizes = np.geomspace(1e8, 1e10, 24)
    one_ratio = pd.DataFrame({"params": sizes, "tokens": 20 * sizes})
    assert np.isnan(scaling.diagnostics.chance_of_miss(scaling.simulate_runs(TRUTH, one_ratio, noise=0.01)))
    with pytest.raises(ValueError, match="n_tables must be a whole number"):
        scaling.diagnostics.chance_of_miss(NOISY, n_tables=0)
    with pytest.raises(ValueError, match="fraction"):
        scaling.diagnostics.chance_of_miss(NOISY, fraction=2)


# ------------------------------------------------------------------ rounded_study


def test_study_returns_the_truth_without_noise_and_rounding():
    study = scaling.diagnostics.rounded_study(TRUTH, GRID, decimals=[10], noise=[0], flops=1e24)
    assert len(study) == 3
    best = scaling.compute_optimal(TRUTH, 1e24)
    np.testing.assert_allclose(study["a"], A_TRUE, atol=1e-6)
    np.testing.assert_allclose(study["loss"], best.loss, rtol=1e-5)
    np.testing.assert_allclose(study["params"], best.params, rtol=1e-4)


def test_study_is_the_same_from_the_same_seed():
    first, again, other = (
        scaling.diagnostics.rounded_study(TRUTH, GRID, [3], [1], ["all"], n_tables=3, seed=s) for s in (0, 0, 9)
    )
    pd.testing.assert_frame_equal(first, again)
    assert (first["a"] != other["a"]).all()
    assert first["a"].nunique() == 3


def test_study_has_a_row_for_every_combination():
    study = scaling.diagnostics.rounded_study(TRUTH, GRID, (2, 3), (0, 5), ("small", "large"), n_tables=4)
    counts = study.groupby(["noise", "decimals", "fitted"]).size()
    assert (counts.loc[0] == 1).all()
    assert (counts.loc[5] == 4).all()
    assert (study["n_runs"] == 27).all()


def test_rounding_is_the_rounding_of_the_same_noisy_losses():
    few = scaling.diagnostics.rounded_study(TRUTH, GRID, [8, 2], [1], ["all"], n_tables=1)
    direct = scaling.fit_parametric(scaling.simulate_runs(TRUTH, GRID, 0.001, 0, 2))
    assert few["alpha"].tolist()[1] == direct.law.alpha
    assert few["alpha"].tolist()[0] != direct.law.alpha


def test_study_errors():
    with pytest.raises(ValueError, match="small, medium, large, all, got 'tiny'"):
        scaling.diagnostics.rounded_study(TRUTH, GRID, fitted=["tiny"])
    with pytest.raises(ValueError, match="n_tables must be a whole number, at least 1, got 0"):
        scaling.diagnostics.rounded_study(TRUTH, GRID, n_tables=0)
    with pytest.raises(ValueError, match="2 distinct sizes, at least 3"):
        scaling.diagnostics.rounded_study(TRUTH, scaling.simulate.grid_design([1e8, 1e9], [1e9, 1e10, 1e11]))
    with pytest.raises(ValueError, match="noise"):
        scaling.diagnostics.rounded_study(TRUTH, GRID, noise=[-1])
    for column in ("params", "tokens"):
        with pytest.raises(ValueError, match=f"design has no column '{column}'"):
            scaling.diagnostics.rounded_study(TRUTH, GRID.drop(columns=column))


@pytest.mark.parametrize("above", ["x", np.nan, [1e20]])
def test_a_limit_of_a_hold_out_is_a_number(above):
    with pytest.raises(ValueError, match="above must be a number, got"):
        scaling.holdout(scaling.simulate_runs(TRUTH, GRID), above=above)


# ------------------------------------------------------------------ thresholds, stops, digits


@pytest.mark.slow
def test_thresholds_reach_from_absolute_deviations_to_squares():
    study = scaling.diagnostics.huber_study(NOISY, [1e-5, 1e-3, 10.0], n_resamples=20)
    assert study["objective"].tolist() == ["log_absolute", "log_huber", "log_huber", "log_huber", "log_squares"]
    assert study["a"].iloc[1] == pytest.approx(study["a"].iloc[0], abs=1e-3)
    assert study["a"].iloc[3] == pytest.approx(study["a"].iloc[4], abs=1e-8)
    assert study["inside"].is_monotonic_increasing
    assert study["inside"].iloc[-1] == 1
    assert ((study["low"] <= study["a"]) & (study["a"] <= study["high"])).all()
    with pytest.raises(ValueError, match="delta"):
        scaling.diagnostics.huber_study(NOISY, [-1.0], n_resamples=20)


def test_default_tolerances_return_the_start():
    """The runs are Besiroglu et al.'s law; a start from Hoffmann et al.'s constants stays with theirs."""
    names = ("hoffmann2022", "besiroglu2024")
    stops = scaling.diagnostics.stopping_study(
        NOISY, {name: scaling.ChinchillaLaw.from_published(name) for name in names}
    )
    assert stops["success"].all()
    assert (stops["excess"] > 1e-3).all()
    mean = stops[stops["kind"] == "mean"]
    np.testing.assert_allclose(mean["a"], mean["a_start"], atol=1e-3)
    assert (mean["steps"] <= 5).all()
    assert stops["a_optimum"].nunique() == 1
    assert np.ptp(stops["a"]) > 0.05


def test_a_start_needs_positive_constants():
    zero = scaling.ChinchillaLaw(E=0.0, A=400, B=400, alpha=0.3, beta=0.3)
    with pytest.raises(ValueError, match="start 'zero': E must be positive, got 0"):
        scaling.diagnostics.stopping_study(NOISY, {"zero": zero})


def test_digits_of_exponents():
    """FACT: equation 10 of Hoffmann et al. has its optimum at 4.13e10 parameters and 4.04e12 tokens for 1e24 FLOP."""
    law = scaling.ChinchillaLaw.from_published("hoffmann2022")
    study = scaling.diagnostics.digits_study(law, 1e24, digits=(8, 2))
    best = scaling.compute_optimal(law, 1e24)
    assert study["params"].iloc[0] == pytest.approx(best.params, rel=1e-6)
    assert study["wasted"].iloc[0] == pytest.approx(0, abs=1e-12)
    assert study["params"].iloc[1] == pytest.approx(4.1297e10, rel=1e-3)
    assert study["tokens"].iloc[1] == pytest.approx(4.0358e12, rel=1e-3)
    assert 0.01 < study["wasted"].iloc[1] < 0.02


# ------------------------------------------------------------------ figures


def test_figures_draw_their_tables():
    study = scaling.diagnostics.rounded_study(TRUTH, GRID, [2, 3], [0, 1], ["small", "all"], n_tables=2)
    axes = scaling.figures.plot_rounded_study(study, {"a": A_TRUE, "loss": 1.96})
    assert axes.shape == (2, 2)
    drawn = sum(len(line.get_xdata()) for line in axes[0, 0].lines[:2])
    assert drawn == (study["fitted"] == "small").sum()
    ax = scaling.figures.plot_thresholds({"one": scaling.diagnostics.huber_study(NOISY, [1e-3], n_resamples=10)})
    assert [label.get_text() for label in ax.get_xticklabels()] == ["absolute", "0.001", "squares"]
    left, _ = scaling.figures.plot_parabola_bias({"symmetric": (0.3, 0.3)})
    assert np.abs(left.lines[0].get_ydata()).max() < 1e-9
    audit = scaling.extrapolation_audit(scaling.simulate_runs(TRUTH, DESIGN, 0.004), n_resamples=20)
    (only,) = scaling.figures.plot_audit({"audit": audit})
    assert len(only.containers) == 1
