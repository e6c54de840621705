"""Tables with intervals, as plans, comparisons and audits print them: none of width zero, none beside its estimate."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scaling

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")


def triples(table):
    """(estimate, low, high) of every row: columns of these names, or x with x_low and x_high."""
    names = [("estimate", "low", "high"), ("difference", "low", "high"), ("predicted", "low", "high")]
    names += [(name[:-4], name, f"{name[:-4]}_high") for name in table if name.endswith("_low")]
    for each in names:
        if set(each) <= set(table):
            yield from table[list(each)].astype(float).itertuples(index=False, name=None)


@pytest.mark.slow
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    noise=st.sampled_from([0.0, 1e-4, 6e-3, 0.03]),
    groups=st.integers(3, 5),
    n_sizes=st.integers(5, 8),
    width=st.sampled_from([3.0, 20.0]),
    reach=st.sampled_from([1.0, 100.0]),
    level=st.sampled_from([0.8, 0.95]),
    diverged=st.booleans(),
    seed=st.integers(0, 1_000),
)
def test_every_table_holds_its_estimates(noise, groups, n_sizes, width, reach, level, diverged, seed):
    design = scaling.simulate.isoflop_design(np.geomspace(1e18, 1e21, groups), n_sizes=n_sizes, width=width, law=LAW)
    runs = scaling.simulate_runs(LAW, design, noise=noise, seed=seed)
    if diverged:
        runs.loc[seed % len(runs), "loss"] *= 1.5
    budget = reach * float(runs["flops"].max())
    tables = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scaling.errors.RunsWarning)
        try:
            found = scaling.compare_approaches(runs, n_resamples=40, seed=seed)
            tables += [found.table(budget, level), found.differences(level)]
            tables.append(scaling.extrapolation_audit(runs, level=level, n_resamples=40, seed=seed))
            plan = scaling.plan_training(found.bootstraps[3], budget, 1e12, 1e11, level)
            tables += [plan.table(), plan.off_optimum, plan.overtraining]
            tables.append(found.bootstraps[3].predict(runs["params"], runs["tokens"], level))
        except (scaling.FitError, KeyError):  # nothing that could be fitted or resampled
            pass
    for table in tables:
        for estimate, low, high in triples(table):
            assert np.isnan(low) == np.isnan(high)
            if not np.isnan(low):
                assert low < high or low == high == np.inf
                assert low <= (np.inf if np.isnan(estimate) else estimate) <= high
