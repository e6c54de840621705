"""What a table can tell by itself: groups, outliers, slips of units, and laws compared on runs held out."""

import numpy as np
import pandas as pd
import pytest

import scaling

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
BUDGETS = np.geomspace(1e18, 1e21, 6)


@pytest.fixture(scope="module")
def isoflop():
    return scaling.simulate_runs(LAW, scaling.simulate.isoflop_design(BUDGETS, law=LAW), noise=0.004, seed=3)


@pytest.fixture(scope="module")
def scattered():
    return scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(150, seed=2), noise=0.004, seed=2)


def test_groups_are_found_without_their_column(isoflop):
    ragged = isoflop.drop(columns="budget")
    ragged["tokens"] *= np.exp(0.02 * np.random.default_rng(0).standard_normal(len(ragged)))
    ragged["flops"] = 6 * ragged["params"] * ragged["tokens"]
    found = scaling.runs.find_budgets(ragged)
    assert found.index.equals(ragged.index)
    np.testing.assert_allclose(found, isoflop["budget"], rtol=0.05)
    groups = scaling.inspect_runs(ragged).groups
    np.testing.assert_allclose(groups["budget"], BUDGETS, rtol=0.05)
    assert (groups["runs"] == isoflop.groupby("budget").size().to_numpy()).all()


def test_a_sound_table_has_nothing_to_look_at(isoflop):
    found = scaling.inspect_runs(isoflop)
    assert found.usable
    assert not len(found.diverged)
    assert not found.slips
    assert not found.copies
    assert {k for k, fit in found.approaches.items() if not isinstance(fit, scaling.FitError)} == {2, 3}
    assert "6 IsoFLOP groups" in repr(found)


def test_runs_above_the_pattern_are_named(isoflop):
    spoilt = isoflop.copy()
    spoilt.loc[[7, 20], "loss"] *= [1.5, 1 / np.log(2)]
    diverged = scaling.inspect_runs(spoilt).diverged
    assert diverged.index.tolist() == [7, 20]
    np.testing.assert_allclose(diverged["expected"], isoflop.loc[[7, 20], "loss"], rtol=0.02)
    assert diverged.loc[20, "maybe"] == "in bits per token?"
    assert "diverged" in diverged.loc[7, "maybe"]


@pytest.mark.filterwarnings("ignore::scaling.errors.RunsWarning")
@pytest.mark.parametrize("factor", [1e3, 1e-6, 1e9])
def test_slips_of_units_are_named(scattered, factor):
    spoilt = scattered.copy()
    spoilt.loc[11, "flops"] *= factor
    assert any("row 11" in words and "6·params·tokens" in words for words in scaling.inspect_runs(spoilt).slips)


@pytest.mark.filterwarnings("ignore::scaling.errors.RunsWarning")
@pytest.mark.parametrize(
    ("factor", "words"), [(1e-6, "row 11: params"), (1e6, "row 11: params"), (1e-3, "row 11: with params a thousand")]
)
def test_slips_of_a_size_are_named(scattered, factor, words):
    spoilt = scattered.drop(columns="flops")
    spoilt.loc[11, "params"] = max(spoilt.loc[11, "params"] * factor, 2.0)
    assert any(words in text for text in scaling.inspect_runs(spoilt).looks)


def test_copies_are_named(scattered):
    found = scaling.inspect_runs(pd.concat([scattered, scattered.iloc[[4]]], ignore_index=True))
    assert found.copies == ["rows 4, 150: copies of each other (params, tokens and loss)"]


def test_a_loss_that_does_not_fall_leaves_no_approach(scattered):
    rising = scattered.assign(loss=2 + 0.1 * np.log(scattered["params"]))
    found = scaling.inspect_runs(rising)
    assert not found.usable
    assert all("does not fall with params" in str(fit) for fit in found.approaches.values())


def test_curves_count_by_their_last_points():
    curves = scaling.load_runs("small_sweep_curves")
    ends = curves.loc[curves.groupby("run")["flops"].idxmax()]
    found = scaling.inspect_runs(curves)
    assert found.groups["runs"].sum() == len(ends[ends["budget"].notna()])
    assert len(found.approaches[3].runs) == len(ends)
    assert len(found.approaches[1].runs) == len(curves)


# -- laws compared


def test_the_law_that_made_the_runs_predicts_best(isoflop):
    compared = scaling.compare_laws(isoflop)
    assert compared.table["law"].iloc[0] == "Chinchilla"
    assert compared.table["held_out"].iloc[0] == pytest.approx(0.004, abs=0.002)
    assert "the 4 cheapest of 6 budgets" in compared.split
    assert compared.n_tested == (isoflop["budget"] >= BUDGETS[4] * 0.99).sum()
    assert np.isnan(compared.noise)
    assert "Kaplan" in repr(compared)


def test_its_row_is_the_holdout(scattered):
    compared = scaling.compare_laws(scattered)
    held = scaling.holdout(scattered, fraction=0.3)
    row = compared.table.set_index("law").loc["Chinchilla"]
    assert row["held_out"] == pytest.approx(held.rms, rel=1e-6)
    assert compared.n_tested == len(held.tested)
    assert "the cheaper 105 runs" in compared.split


def test_kaplan_wins_on_his_own_runs():
    law = scaling.laws.KaplanLaw.from_published()
    design = scaling.simulate.grid_design(np.geomspace(1e6, 1e9, 5), np.geomspace(1e8, 1e10, 6))
    runs = scaling.simulate_runs(law, design, noise=0.002, seed=0)
    assert scaling.compare_laws(runs).table["law"].iloc[0] == "Kaplan"


def test_noise_is_that_of_repeats(scattered):
    rng = np.random.default_rng(0)
    twice = pd.concat([scattered, scattered], ignore_index=True)
    twice["loss"] = LAW.loss(twice["params"], twice["tokens"]) * np.exp(0.02 * rng.standard_normal(len(twice)))
    assert scaling.compare_laws(twice).noise == pytest.approx(0.02, rel=0.15)


def test_too_few_runs_are_refused(scattered):
    with pytest.raises(scaling.FitError, match="at least 6 and 2 are needed"):
        scaling.compare_laws(scattered.head(6))
    with pytest.raises(ValueError, match="fraction"):
        scaling.compare_laws(scattered, fraction=1.0)
    with pytest.raises(scaling.FitError, match="0 to predict"):
        scaling.compare_laws(scattered, above=1e40)


# -- many runs


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(5)
    design = pd.DataFrame({"params": 10 ** rng.uniform(7.5, 10.5, 16_000), "tokens": 10 ** rng.uniform(9, 12, 16_000)})
    return scaling.fit_parametric(scaling.simulate_runs(LAW, design, noise=0.01, seed=5))


@pytest.mark.slow
def test_a_part_scaled_spreads_as_the_whole(many):
    """Standard errors agree to the Monte-Carlo error of 300 resamples and the sampling of the part."""
    whole = scaling.bootstrap(many, 300, seed=1)
    part = scaling.uncertainty.subsampled_bootstrap(many, rows=2_000, n_resamples=300, seed=1)
    ratio = part.standard_error() / whole.standard_error()
    assert ((ratio > 0.7) & (ratio < 1.4)).all()
    assert "scaled by sqrt(2,000/16,000)" in part.note
    low, high = part.interval(0.95, of="a")
    assert low < many.law.a < high
    assert high - low < 0.02


def test_a_small_table_is_resampled_whole(scattered):
    fit = scaling.fit_parametric(scattered)
    pd.testing.assert_frame_equal(
        scaling.uncertainty.subsampled_bootstrap(fit, n_resamples=50).samples, scaling.bootstrap(fit, 50).samples
    )


def test_parabolas_of_a_part_scaled():
    design = pd.concat([scaling.simulate.isoflop_design(BUDGETS, law=LAW)] * 120, ignore_index=True)
    fit = scaling.fit_isoflop(scaling.simulate_runs(LAW, design, noise=0.01, seed=0))
    whole = scaling.bootstrap(fit, 200, seed=0)
    part = scaling.uncertainty.subsampled_bootstrap(fit, rows=1_500, n_resamples=200, seed=0)
    assert part.standard_error()["a"] == pytest.approx(whole.standard_error()["a"], rel=0.4)
    assert np.median(part.law.a) == pytest.approx(fit.a, abs=0.02)


def test_on_a_bound_nothing_is_scaled():
    law = scaling.ChinchillaLaw(E=0.0, A=40.0, B=80.0, alpha=0.2, beta=0.2)
    rng = np.random.default_rng(1)
    design = pd.DataFrame({"params": 10 ** rng.uniform(8, 10, 6_000), "tokens": 10 ** rng.uniform(9, 11, 6_000)})
    fit = scaling.fit_parametric(scaling.simulate_runs(law, design, noise=0.02, seed=1))
    boot = scaling.uncertainty.subsampled_bootstrap(fit, rows=1_000, n_resamples=100)
    assert boot.at_bound > 0.01
    assert "not scaled to all" in boot.note


def test_what_cannot_be_resampled_in_part_is_refused(many):
    with pytest.raises(ValueError, match="at least 500"):
        scaling.uncertainty.subsampled_bootstrap(many, rows=10)
    kaplan = scaling.fit.fit_kaplan(many.runs)
    with pytest.raises(scaling.FitError, match="only fits of fit_parametric and fit_isoflop"):
        scaling.uncertainty.subsampled_bootstrap(kaplan, rows=1_000, n_resamples=10)


def test_rows_of_one_name_that_may_be_runs_of_their_own_are_told_so():
    design = scaling.simulate.grid_design(np.geomspace(5e7, 2e9, 6), np.geomspace(2e9, 4e10, 5))
    runs = scaling.simulate_runs(LAW, design, noise=0.003, seed=0)[["params", "tokens", "loss"]]
    named = scaling.check_runs(runs.assign(run=[f"m{size:.0f}" for size in runs["params"]]))
    found = scaling.inspect_runs(named, ())
    assert found.alone in found.looks
    assert found.alone.endswith("if each row is the end of a run of its own, --run run,tokens says so")
    assert not scaling.inspect_runs(scaling.check_runs(runs), ()).alone
