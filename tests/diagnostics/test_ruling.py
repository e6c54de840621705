"""Which approach to follow where they differ: each branch of the rule, on tables of known laws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.diagnostics import rule_on
from scaling.diagnostics.pairing import Paired

LAW = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)
BUDGETS = [1e18, 1e19, 1e20, 1e21]


def table(noise, seed=1):
    design = scaling.simulate.isoflop_design(BUDGETS, n_sizes=9, width=6.0, law=LAW)
    return scaling.simulate_runs(LAW, design, noise=noise, seed=seed)


@pytest.fixture(scope="module")
def found():
    curves = scaling.simulate.simulate_curves(LAW, np.geomspace(3e7, 3e10, 30), schedule_gap=0.0)
    return scaling.compare_approaches(table(0.002), curves, n_resamples=200)


def apart(found, scatter=0.002, **exponents):
    """The same approaches, with other exponents of which the resamples scatter by little."""
    estimates = {n: exponents.get(f"a{n}", 0.515) for n in found.bootstraps}
    rng = np.random.default_rng(0)
    samples = pd.DataFrame({n: a + abs(scatter) * rng.standard_normal(400) for n, a in estimates.items()})
    return replace(found, paired=Paired(estimates, samples, tuple(estimates)))


def lean_of(found):
    """What approach 2 makes of losses of the law of approach 3, less what that law says."""
    law, runs = found.fits[3].law, found.fits[2].runs
    return scaling.fit_isoflop(runs.assign(loss=law.loss(runs["params"], runs["tokens"]))).a - law.a


def test_agreement_follows_the_approach_that_uses_every_run(found):
    ruling = rule_on(found, 1e22)
    assert (ruling.follow, ruling.agree) == (3, True)
    assert ruling.found.startswith("Approaches 1, 2 and 3 agree: their exponents differ by no more than 0.0")
    row = found.table(1e22).loc["3, parametric loss"]
    assert (ruling.low, ruling.high) == (row["params_low"], row["params_high"])
    assert ruling.low < scaling.compute_optimal(LAW, 1e22).params < ruling.high


def test_wide_intervals_are_not_agreement():
    ruling = rule_on(scaling.compare_approaches(table(0.02), n_resamples=200), 1e22)
    assert "are not told apart, which is not agreement" in ruling.found
    assert (ruling.follow, ruling.agree) == (3, None)


@pytest.mark.parametrize(
    ("scatter", "agree", "words"), [(0.002, True, "Approaches 2 and 3 agree"), (0.2, None, "2 and 3 are not")]
)
def test_what_the_resamples_do_not_tell_is_no_agreement(found, scatter, agree, words):
    unknown = apart(found, scatter, a1=0.56)
    unknown.paired.samples[1] = np.where(np.arange(400) % 3, unknown.paired.samples[1], np.nan)
    ruling = rule_on(unknown, 1e22)
    assert ruling.agree is agree
    assert words in ruling.found
    assert ruling.found.endswith("The resamples do not tell how far approach 1 lies from them.")


def test_approach_1_alone_is_left_out(found):
    ruling = rule_on(apart(found, a1=0.6), 1e22)
    assert ruling.found.startswith("The approaches disagree: the exponents of 1 and 2 by 0.08")
    assert ruling.rule.startswith("Leave approach 1 out: ")
    assert ruling.follow == 3


def test_tilted_parabolas_explain_a_difference():
    """The sizes drift past the optimum from budget to budget, on a surface that is steep on one side."""
    law = scaling.ChinchillaLaw(E=1.9, A=300.0, B=9000.0, alpha=0.3, beta=0.6)
    centers = scaling.compute_optimal(law, np.array(BUDGETS)).params * np.geomspace(0.5, 2.0, len(BUDGETS))
    design = scaling.simulate.isoflop_design(BUDGETS, n_sizes=15, width=12.0, center=centers)
    found = scaling.compare_approaches(scaling.simulate_runs(law, design, noise=0.001), n_resamples=100)
    lean = lean_of(found)
    assert abs(lean) > 0.005
    ruling = rule_on(apart(found, scatter=lean / 50, a2=0.515 + lean), 1e22)
    assert "the parabolas of these sizes are tilted" in ruling.rule
    assert ("larger" if lean > 0 else "smaller") in ruling.rule
    assert ruling.follow == 3


def test_what_parabolas_do_not_explain_is_answered_near_the_runs_only(found):
    disagreeing = apart(found, a2=0.45, a1=0.45)
    near = rule_on(disagreeing, 1e21)
    assert (near.follow, near.agree) == (2, False)
    assert "the formula of approach 3 is in doubt" in near.rule
    far = rule_on(disagreeing, 1e23)
    assert far.follow is None
    assert "Runs of one compute near 1e23 FLOP, four sizes or more, would settle it." in far.rule
    ends = disagreeing.table(1e23)
    assert (far.low, far.high) == (ends["params_low"].min(), ends["params_high"].max())


def test_a_formula_that_misses_repeated_runs_is_not_followed():
    found = scaling.compare_approaches(scaling.load_runs("small_sweep"), n_resamples=200)
    assert found.fits[3].message.startswith("the law does not describe these runs: it misses them by 18 times")
    assert rule_on(found, 3e13).follow == 2
    far = rule_on(found, 3e14)
    assert far.follow is None
    assert "the formula of approach 3 misses the runs by 18 times as much as repeated runs differ" in far.rule


@pytest.mark.parametrize("there", [(3,), (2, 3)])
def test_nor_where_it_is_alone_or_where_tilted_parabolas_would_explain_the_difference(there):
    found = scaling.compare_approaches(scaling.load_runs("small_sweep"), n_resamples=50)
    found = replace(found, bootstraps={n: found.bootstraps[n] for n in there})
    lean = lean_of(found)
    if 2 in there:
        found = apart(found, scatter=lean / 50, a2=0.515 + lean)
    ruling = rule_on(found, 3e15)
    assert ruling.follow is None
    assert "the formula of approach 3 misses the runs by 18 times as much as repeated runs differ" in ruling.rule


def test_one_approach_or_none_is_said():
    design = scaling.simulate.chinchilla_like_design(60)
    alone = scaling.compare_approaches(scaling.simulate_runs(LAW, design, noise=0.005), n_resamples=100)
    alone = replace(alone, bootstraps={3: alone.bootstraps[3]}, reasons={1: "no curves", 2: "no groups"})
    ruling = rule_on(alone, 1e22)
    assert (ruling.follow, ruling.found) == (3, "Only approach 3, parametric loss, has an answer.")
    assert "that one formula holds for all runs" in ruling.rule
    nothing = rule_on(replace(alone, bootstraps={}, reasons={1: "no curves", 2: "no groups", 3: "no law"}), 1e22)
    assert (nothing.follow, nothing.found) == (None, "No approach has an answer.")
    assert nothing.rule == "No curves; no groups; no law."
    assert np.isnan(nothing.low)


def test_a_budget_is_positive(found):
    with pytest.raises(ValueError, match="flops"):
        rule_on(found, 0)
