"""The three approaches side by side: each is the approach itself, and what cannot be done says so."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.diagnostics.pairing import Paired
from scaling.fit.engine.resamples import draw_counts

LAW = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)
TRUE = 0.34 / (0.32 + 0.34)


@pytest.fixture(scope="module")
def runs():
    design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20, 1e21], n_sizes=9, width=6.0, law=LAW)
    return scaling.simulate_runs(LAW, design, noise=0.002, seed=1)


@pytest.fixture(scope="module")
def found(runs):
    curves = scaling.simulate.simulate_curves(LAW, np.geomspace(3e7, 3e10, 30), schedule_gap=0.0)
    return scaling.compare_approaches(runs, curves, n_resamples=200, seed=2)


def test_each_is_the_approach_itself(runs, found):
    assert list(found.fits) == [1, 2, 3]
    assert found.fits[2].a == scaling.fit_isoflop(runs).a
    assert found.fits[3].law == scaling.fit_parametric(runs).law
    again = scaling.bootstrap(scaling.fit_isoflop(runs), 200, 2)
    assert (found.bootstraps[2].samples == again.samples).all(axis=None)
    assert found.reasons == {}


def test_the_table_holds_exponents_and_sizes(found):
    table = found.table(1e22)
    assert (table["a_low"] < table["a"]).all()
    assert (table["a"] < table["a_high"]).all()
    assert np.allclose(table["a"], TRUE, atol=0.03)
    best = scaling.compute_optimal(found.fits[3].law, 1e22).params
    assert table.loc["3, parametric loss", "params"] == best
    low, high = found.bootstraps[3].interval(0.95, of=lambda law: scaling.compute_optimal(law, 1e22).params)
    assert tuple(table.loc["3, parametric loss", ["params_low", "params_high"]]) == (low, high)


def test_what_cannot_be_done_says_why():
    line = 10 ** np.linspace(8, 10, 15)
    design = pd.DataFrame({"params": line, "tokens": 20 * line})
    runs = scaling.simulate_runs(LAW, design, noise=0.01, seed=1)
    found = scaling.compare_approaches(runs, n_resamples=20)
    assert found.laws == {}
    assert found.fits[3].status == "not_identified"
    assert "needs curves" in found.reasons[1]
    assert "0 budgets" in found.reasons[2]
    assert found.reasons[3]
    table = found.table(1e20)
    assert table["a"].isna().all()
    assert (table["why_not"] != "").all()
    assert not found.disagree()


def test_other_curves_have_draws_of_their_own(found):
    table = found.differences()
    assert list(table["approaches"]) == ["1 less 2", "1 less 3", "2 less 3"]
    assert list(table["drawn"]) == ["each its own", "each its own", "the same runs"]
    assert ((table["low"] <= table["difference"]) & (table["difference"] <= table["high"])).all()
    assert table["difference"].iloc[2] == pytest.approx(found.fits[2].a - found.fits[3].law.a)
    assert not found.disagree(0.95)


def test_pairs_see_the_same_runs():
    """Each row of the pairs is what both make of the table of the runs drawn; approach 1 sees their curves."""
    sizes = np.geomspace(3e7, 3e10, 14)
    curves = scaling.simulate.simulate_curves(LAW, sizes, schedule_gap=0.0, noise=0.001, seed=3)
    found = scaling.compare_approaches(curves, n_resamples=6, seed=5)
    assert set(found.paired.together) >= {1, 3}
    ends = scaling.runs.last_points(curves).reset_index(drop=True)
    counts = draw_counts(np.random.default_rng([5, 6]), len(ends), 6)
    for row in range(2):
        drawn = np.repeat(np.arange(len(ends)), counts[row].astype(int))
        third = scaling.fit_parametric(ends.iloc[drawn].drop(columns="run").reset_index(drop=True), n_starts=8)
        assert found.paired.samples[3].iloc[row] == pytest.approx(third.candidate.a, rel=1e-5)
        first = scaling.fit_envelope(curves[curves["run"].isin(ends["run"].iloc[drawn])])
        same = np.ptp(np.log(first.points["budget"]) - np.log(found.fits[1].points["budget"])) < 1e-9
        assert not same or found.paired.samples[1].iloc[row] == pytest.approx(first.a, rel=1e-9)


@pytest.mark.slow
def test_what_approaches_share_does_not_part_them():
    """Over tables of one law the difference is zero as often as its interval says; the noise that both see cancels."""
    design = scaling.simulate.isoflop_design(np.geomspace(1e18, 1e21, 6), n_sizes=9, width=3.0, law=LAW)
    inside, paired, own = 0, [], []
    for seed in range(25):
        runs = scaling.simulate_runs(LAW, design, noise=0.002, seed=seed)
        found = scaling.compare_approaches(runs, n_resamples=120, seed=seed)
        row = found.differences().iloc[0]
        inside += row.low <= 0 <= row.high
        assert row.drawn == "the same runs"
        paired.append(row.high - row.low)
        both = [found.bootstraps[k].law.a for k in (2, 3)]
        low, high = np.quantile(both[0] - both[1], [0.025, 0.975])
        own.append(high - low)
    assert inside >= 20  # 25 intervals of true coverage 0.95 give fewer than 20 once in 300 (binomial)
    assert np.median(paired) < np.median(own)


def test_intervals_may_share_numbers_while_the_difference_is_not_zero():
    rng = np.random.default_rng(0)
    shared, own = 0.03 * rng.standard_normal(2_000), 0.002 * rng.standard_normal(2_000)
    samples = pd.DataFrame({2: 0.50 + shared, 3: 0.52 + shared + own})
    paired = Paired({2: 0.50, 3: 0.52}, samples, together=(2, 3))
    ends = [np.quantile(samples[k], [0.025, 0.975]) for k in (2, 3)]
    assert ends[0][1] > ends[1][0]
    assert paired.disagree(0.95)
    row = paired.table(0.95).iloc[0]
    assert (row.low, row.high) == pytest.approx((-0.02 - 1.96 * 0.002, -0.02 + 1.96 * 0.002), abs=3e-4)
    shuffled = samples.copy()
    shuffled[3] = rng.permutation(samples[3])
    assert not Paired({2: 0.50, 3: 0.52}, shuffled, together=()).disagree(0.95)


def paired_of(missing, gap=0.2):
    """Three approaches of which the first has no value in so many of a thousand resamples."""
    rng = np.random.default_rng(1)
    samples = pd.DataFrame(
        {k: a + 0.02 * rng.standard_normal(1_000) for k, a in {1: 0.3, 2: 0.5, 3: 0.5 + gap}.items()}
    )
    samples.loc[: missing - 1, 1] = np.nan
    return Paired({1: 0.3, 2: 0.5, 3: 0.5 + gap}, samples, together=(1, 2, 3))


def test_no_difference_is_told_from_zero_only_where_every_pair_has_an_interval():
    together = "at 95 % for all pairs together"
    two = Paired({2: 0.5, 3: 0.5}, paired_of(0, gap=0.0).samples[[2, 3]], together=(2, 3))
    assert two.words() == f"no difference is told from zero, {together}"
    why = "20.0% of the resamples have no value, so that the ends are not known"
    lost = paired_of(200, gap=0.0)
    assert not lost.disagree()
    assert lost.words() == (
        f"no other difference is told from zero, {together}; not known for approaches 1 and 2, 1 and 3: {why}"
    )
    only = Paired({1: 0.3, 3: 0.5}, lost.samples[[1, 3]], together=(1, 3))
    assert only.words() == f"not known for approaches 1 and 3: {why}"
    assert (
        paired_of(200).words().startswith(f"some difference is not zero, {together}; not known for approaches 1 and 2")
    )
    assert paired_of(0).words() == f"some difference is not zero, {together}"


@pytest.mark.parametrize("name", ["hoffmann2022", "besiroglu2024"])
def test_exponent_of_the_optimal_size(name):
    law = scaling.ChinchillaLaw.from_published(name)
    up = scaling.compute_optimal(law, np.array([1e20, 1e22])).params
    assert np.isclose(np.log(up[1] / up[0]) / np.log(100), law.a)


@pytest.mark.parametrize("level", [-1, 0, 1, 1.5, np.nan, "high"])
@pytest.mark.parametrize("ask", ["table", "disagree", "words"])
def test_a_level_lies_between_0_and_1(found, level, ask):
    asked = [getattr(found.paired, ask)]
    asked += {"table": [found.differences, lambda x: found.table(1e22, x)], "disagree": [found.disagree]}.get(ask, [])
    for call in asked:
        with pytest.raises(ValueError, match="level must (lie between 0 and 1|be a number), got"):
            call(level)


def test_the_budget_of_a_table_is_positive(found):
    with pytest.raises(ValueError, match="flops must be positive and finite, got -1"):
        found.table(-1)


@pytest.mark.parametrize("which", [[7], [0], "text", 3, [2.5], [True]])
def test_there_are_three_approaches(runs, which):
    for ask in (scaling.diagnostics.fit_approaches, scaling.diagnostics.inspect_runs):
        with pytest.raises(ValueError, match="which must be"):
            ask(runs, which)
