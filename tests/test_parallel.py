"""Work that is spread over processes or a cluster gives what one process gives, to the last bit."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling._parallel import spread

LAW = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)


@pytest.fixture(scope="module")
def runs():
    return scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(120, seed=1), noise=0.01, seed=1)


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of two workers on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


@pytest.fixture(params=["threading", "loky", "dask"])
def backend(request):
    if request.param != "dask":
        yield request.param
        return
    from distributed import Client

    with Client(request.getfixturevalue("cluster")):
        yield "dask"


def test_resamples_do_not_depend_on_who_solves_them(runs, backend):
    fit = scaling.fit_parametric(runs)
    alone = scaling.bootstrap(fit, 1100, seed=3)  # three blocks
    for n_jobs in (1, 2):
        shared = scaling.bootstrap(fit, 1100, seed=3, backend=backend, n_jobs=n_jobs)
        pd.testing.assert_frame_equal(shared.samples, alone.samples, rtol=1e-12, atol=0)
        assert (shared.at_bound, shared.not_identified) == (alone.at_bound, alone.not_identified)


def test_fresh_starts_do_not_depend_on_who_solves_them(runs):
    """A table on which warm starts are trapped, so that every resample gets starts of its own."""
    flat = scaling.ChinchillaLaw(E=0.05, A=8, B=20, alpha=0.10, beta=0.12)
    fit = scaling.fit_parametric(scaling.simulate_runs(flat, runs[["params", "tokens"]].head(60), noise=0.01, seed=2))
    alone = scaling.bootstrap(fit, 600)
    assert alone.fresh_starts
    pd.testing.assert_frame_equal(scaling.bootstrap(fit, 600, backend="threading").samples, alone.samples, rtol=1e-12)


def test_held_out_errors_do_not_depend_on_who_computes_them(runs, backend):
    alone = scaling.diagnostics.holdout_table(runs, fractions=(0.1, 0.3, 0.5))
    pd.testing.assert_frame_equal(
        scaling.diagnostics.holdout_table(runs, fractions=(0.1, 0.3, 0.5), backend=backend), alone
    )


def test_a_row_of_the_table_is_a_holdout(runs):
    table, one = scaling.diagnostics.holdout_table(runs, fractions=[0.25]), scaling.holdout(runs, fraction=0.25)
    row = table.loc[0.25]
    assert row["rms"] == one.rms
    assert row["fitted"] == len(one.fit.runs)
    assert row["predicted"] == len(one.tested)
    assert row["bias"] == pytest.approx(one.tested["error"].mean())
    assert row["reach"] == one.tested["flops"].max() / one.fit.runs["flops"].max()


def test_a_fraction_that_cannot_be_held_out_says_why(runs):
    same = scaling.simulate.isoflop_design([1e20], n_sizes=8, law=LAW)
    table = scaling.diagnostics.holdout_table(scaling.simulate_runs(LAW, same.assign(flops=1e20)), fractions=[0.2])
    assert "holding out" in table.loc[0.2, "status"]


@pytest.mark.parametrize("fractions", [(), (0.2, 1.0), (-0.1,)])
def test_bad_fractions(runs, fractions):
    with pytest.raises(ValueError, match="fractions"):
        scaling.diagnostics.holdout_table(runs, fractions=fractions)


def test_bad_columns(runs):
    with pytest.raises(scaling.FitError, match="no column 'cost'"):
        scaling.diagnostics.holdout_table(runs, by="cost")


def test_dask_needs_a_client():
    pytest.importorskip("distributed")
    with pytest.raises(ValueError, match="open a distributed.Client"):
        list(spread(np.sqrt, [(1,)], "dask"))


def test_results_come_in_order(backend):
    assert list(spread(divmod, [(i, 3) for i in range(20)], backend, 2)) == [divmod(i, 3) for i in range(20)]
