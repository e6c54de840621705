"""Noise that runs of one size, budget or number of tokens share, with a known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import scaling
from scaling.diagnostics.luck import SharedNoise, say_shared_luck, shared_noise
from scaling.runs import find_budgets

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
SIZES, LENGTHS = np.geomspace(3e7, 3e9, 7), np.geomspace(1e9, 6e10, 7)
DESIGNS = {
    "budget": scaling.simulate.isoflop_design(np.geomspace(1e18, 1e21, 7), n_sizes=7, law=LAW),
    "params": scaling.simulate.grid_design(SIZES, LENGTHS),
    "tokens": scaling.simulate.grid_design(SIZES, LENGTHS),
}


def runs_of(by, shared, own, seed):
    design, rng = DESIGNS[by], np.random.default_rng(seed)
    names, group = np.unique(design[by], return_inverse=True)
    noise = shared * rng.standard_normal(len(names))[group] + own * rng.standard_normal(len(design))
    loss = LAW.loss(design["params"], design["tokens"]) * np.exp(noise)
    return scaling.check_runs(design[["params", "tokens"]].assign(loss=loss))


def said(runs):
    return say_shared_luck(scaling.fit_parametric(runs), runs)


@pytest.mark.parametrize(("by", "name"), [("budget", "budget"), ("params", "size"), ("tokens", "number of tokens")])
def test_noise_in_common_is_said_with_what_it_does_to_intervals(by, name):
    words = [said(runs_of(by, 0.008, 0.004, seed)) for seed in range(8)]
    told = [each for each in words if each.startswith(f"the runs of one {name} stray from the law together: by ")]
    assert len(told) >= 4
    assert all("If so, intervals, which take them for independent, are too narrow" in each for each in told)


@pytest.mark.parametrize("by", ["budget", "params"])
def test_runs_that_are_independent_share_none(by):
    assert not any(said(runs_of(by, 0.0, 0.005, seed)) for seed in range(15))


def test_its_size_is_found():
    found = []
    for seed in range(20):
        runs = runs_of("budget", 0.008, 0.004, seed)
        found.append(shared_noise(scaling.fit_parametric(runs), find_budgets(runs).to_numpy()))
    between, within = (np.sqrt(np.mean([getattr(each, name) ** 2 for each in found])) for name in ("between", "within"))
    assert between == pytest.approx(0.008, rel=0.35)
    assert within == pytest.approx(0.004, rel=0.15)


def test_where_groups_are_few_or_the_law_is_another_nothing_is_told():
    runs = runs_of("budget", 0.008, 0.004, 0)
    fit, budgets = scaling.fit_parametric(runs), find_budgets(runs).to_numpy()
    assert shared_noise(fit, np.where(budgets < 2e19, budgets, np.nan)) is None
    assert shared_noise(scaling.fit.fit_kaplan(runs), budgets) is None


def test_a_check_and_a_plan_say_it():
    runs = runs_of("budget", 0.012, 0.002, 3)
    words = scaling.inspect_runs(pd.DataFrame(runs), ()).luck
    assert words.startswith("the runs of one budget stray from the law together")
    assert words in scaling.inspect_runs(runs, ()).looks


@pytest.mark.parametrize("more", [1, 2, 4, 10, 40, 300])
@pytest.mark.parametrize("free", [1, 10, 100, 10_000])
def test_what_is_not_asked_of_scipy_is_chance(more, free):
    """From the ratio that chance alone exceeds in one of 1,000 tables on, the probability decides."""
    ratio = stats.f.isf(0.001, more, free)
    found = [SharedNoise(0.01, 0.01, times * ratio, (more, free), 2.0) for times in (0.9999, 1.0001)]
    assert [each.matters for each in found] == [False, True]
    assert found[1].p == pytest.approx(0.001, rel=0.01)
