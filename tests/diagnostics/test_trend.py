"""Misfit without repeated runs: residuals that bend, and a law of compute alone that foresees better."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.diagnostics import rule_on
from scaling.diagnostics.ruling import FORESEES
from scaling.diagnostics.trend import chance_of_trend

LAW = scaling.ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.32)
SIZES, RATIOS = np.geomspace(5e7, 3.2e9, 7), (5, 10, 20, 40, 80)


def grid(seed, saturated=np.inf, noise=0.003):
    """Runs of every size at every length, whose data are worth no more than so many tokens."""
    N = np.repeat(SIZES, len(RATIOS))
    D = N * np.tile(RATIOS, len(SIZES))
    worth = D if np.isinf(saturated) else saturated * -np.expm1(-D / saturated)
    loss = LAW.loss(N, worth) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(N)))
    return scaling.runs.check_runs(pd.DataFrame({"params": N, "tokens": D, "loss": loss}))


def test_residuals_of_the_right_law_do_not_bend():
    chances = [chance_of_trend(scaling.fit_parametric(grid(seed))) for seed in range(30)]
    assert np.mean(np.array(chances) < 0.05) <= 0.1
    assert max(chances) > 0.5


def test_residuals_where_data_saturate_do():
    assert max(chance_of_trend(scaling.fit_parametric(grid(seed, 2e10))) for seed in range(5)) < 1e-3


def test_a_law_that_compute_alone_beats_is_not_followed():
    told = [rule_on(scaling.compare_approaches(grid(seed, 2e10), n_resamples=100), 1e22) for seed in range(4)]
    lost = [each for each in told if FORESEES in each.found]
    assert len(lost) >= 3
    assert all(each.follow is None and "The formula of approach 3 is in doubt" in each.rule for each in lost)
    assert all("what approach 3 misses bends with them" in each.words for each in lost)


def test_the_right_law_is_followed():
    for seed in range(4):
        ruling = rule_on(scaling.compare_approaches(grid(seed), n_resamples=100), 1e22)
        assert (ruling.follow, FORESEES in ruling.found) == (3, False)


def test_the_plan_says_so_in_every_form(tmp_path):
    grid(1, 2e10).drop(columns="flops").to_csv(tmp_path / "t.csv", index=False)
    arguments = ["plan", str(tmp_path / "t.csv"), "--flops", "1e22", "--resamples", "100"]
    for form in ([], ["--format", "csv"]):
        output = CliRunner().invoke(main, [*arguments, *form]).output
        assert FORESEES in output
        assert "no size is advised" in output
        assert "Follow approach 3" not in output
        assert "size ratio" not in output
    record = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).output)
    assert FORESEES in record["open_question"]
    assert (record["approaches"]["follow"], record["off_optimum"], record["law"]) == (None, None, None)


@pytest.mark.parametrize(("bent", "said"), [(False, False), (True, True)])
def test_a_line_that_breaks_is_not_extrapolated_unsaid(tmp_path, bent, said):
    flops = np.geomspace(1e18, 1e22, 12)
    loss = 1.7 + 68 * flops**-0.09
    if bent:
        loss = np.where(flops < 1e20, loss, 1.7 + 68 * 1e20**-0.09 * (flops / 1e20) ** -0.03)
    loss = loss * np.exp(0.002 * np.random.default_rng(1).standard_normal(12))
    pd.DataFrame({"flops": flops, "loss": loss}).to_csv(tmp_path / "t.csv", index=False)
    arguments = ["fit", str(tmp_path / "t.csv"), "--law", "power", "--x", "flops", "--resamples", "100"]
    assert ("are not to be relied on" in CliRunner().invoke(main, arguments).output) == said
    remarks = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).output)["remarks"]
    assert any("not to be relied on" in each for each in remarks) == said
