"""The three approaches side by side: each is the approach itself, and what cannot be done says so."""

import numpy as np
import pandas as pd
import pytest

import scaling

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


def test_intervals_that_share_nothing_disagree(found):
    assert not found.disagree(0.95)
    assert found.disagree(1e-9)


@pytest.mark.parametrize("name", ["hoffmann2022", "besiroglu2024"])
def test_exponent_of_the_optimal_size(name):
    law = scaling.ChinchillaLaw.from_published(name)
    up = scaling.compute_optimal(law, np.array([1e20, 1e22])).params
    assert np.isclose(np.log(up[1] / up[0]) / np.log(100), law.a)
