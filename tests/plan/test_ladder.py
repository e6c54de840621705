"""Plans at a ladder of budgets: each rung says what a plan for it says."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from scaling import bootstrap, fit_parametric, plan_training, simulate_runs
from scaling.errors import FitError
from scaling.laws import ChinchillaLaw
from scaling.plan import plan_ladder

LAW = ChinchillaLaw.from_published("besiroglu2024")


def simulated(params, tokens, noise):
    return simulate_runs(LAW, pd.DataFrame({"params": params, "tokens": tokens}), noise=noise, seed=0)


def runs(noise, narrow=False):
    """A square of sizes and tokens, or runs of nearly equal tokens a parameter."""
    if narrow:
        params = np.geomspace(5e7, 3e9, 14)
        tokens = 20 * params * np.exp(np.tile([0.1, -0.1], 7))
        return simulated(params, tokens, noise)
    params, tokens = (x.ravel() for x in np.meshgrid(np.geomspace(5e7, 3e9, 6), np.geomspace(1e9, 6e10, 6)))
    return simulated(params, tokens, noise)


@pytest.mark.filterwarnings("ignore::scaling.errors.RunsWarning")
@pytest.mark.parametrize(("noise", "narrow"), [(0.002, False), (0.05, False), (0.002, True)])
def test_a_rung_says_what_a_plan_says(noise, narrow):
    boot = bootstrap(fit_parametric(runs(noise, narrow)), 200)
    rows = plan_ladder(boot)
    assert [row["flops"] for row in rows] == sorted(row["flops"] for row in rows)
    for row in rows:
        plan = plan_training(boot, row["flops"])
        ends = plan.allocation.loc[("compute-optimal", row["quantity"])]
        assert row["low"] <= ends.low <= ends.high <= row["high"]
        assert row["low"] <= ends.estimate <= row["high"]
        assert row["open"] is bool(plan.open_question)
    assert any(row["open"] for row in rows) is (noise > 0.01 or narrow)


def test_others_and_more_budgets():
    fit = fit_parametric(runs(0.01))
    boot, other = bootstrap(fit, 100), bootstrap(fit_parametric(runs(0.01), law="coupled"), 100)
    alone, both = plan_ladder(boot, more=[3e20]), plan_ladder(boot, others=[other], more=[3e20])
    assert 3e20 in {row["flops"] for row in alone}
    assert all(two["low"] <= one["low"] and one["high"] <= two["high"] for one, two in zip(alone, both, strict=True))
    assert any(two["high"] > one["high"] for one, two in zip(alone, both, strict=True))


def test_without_a_plan_there_is_no_ladder():
    boot = bootstrap(fit_parametric(runs(0.01)), 100)
    A = np.where(np.arange(len(boot.samples)) % 2, boot.samples["A"], 0.0)
    lost = replace(boot, samples=boot.samples.assign(A=A), law=replace(boot.law, A=A))
    with pytest.raises(FitError, match="have no optimum"):
        plan_training(lost, 1e21)
    assert plan_ladder(lost) == []
