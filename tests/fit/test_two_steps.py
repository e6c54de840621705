"""From size and tokens to a task: both steps come back, are drawn together, and each can spoil the status."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling import FitError
from scaling.fit import fit_downstream, fit_two_steps
from scaling.laws import DownstreamLaw, SigmoidLaw, TaskLaw

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
DESIGN = scaling.simulate.grid_design(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 1e12, 5))
TRUTH = TaskLaw(LAW, SigmoidLaw(floor=0.25, ceiling=0.9, slope=4.0, middle=2.6))
SQUARES = {"floor": 0.25, "objective": "huber", "delta": np.inf}


def table(seed, noise=0.003, task=TRUTH.second, questions=2000):
    """Losses with noise, and the shares of right answers at the losses without it."""
    runs = scaling.simulate_runs(LAW, DESIGN, noise=noise, seed=seed)
    rng = np.random.default_rng([7, seed])
    return runs.assign(metric_task=rng.binomial(questions, task.accuracy(LAW.predict(runs))) / questions)


@pytest.mark.parametrize(
    ("form", "second"), [("sigmoid", TRUTH.second), ("exponential", DownstreamLaw(epsilon=0.85, k=6.0, gamma=1.1))]
)
def test_both_steps_come_back_without_noise(form, second):
    truth = TaskLaw(LAW, second)
    runs = scaling.simulate_runs(LAW, DESIGN)
    fit = fit_two_steps(runs.assign(metric_task=truth.predict(runs)), "metric_task", form=form)
    assert fit.law.constants == pytest.approx(truth.constants, rel=1e-4)
    np.testing.assert_allclose(fit.residuals, 0, atol=1e-6)
    assert fit.predict(7e10, 1e13) == pytest.approx(truth.accuracy(7e10, 1e13), abs=1e-6)


def test_the_steps_are_those_fitted_apart():
    runs = table(0)
    fit = fit_two_steps(runs, "metric_task", **SQUARES)
    assert fit.candidate.first == scaling.fit_parametric(runs).candidate
    assert fit.candidate.second == fit_downstream(runs, "metric_task", **SQUARES).candidate


def test_a_resample_draws_the_same_runs_for_both_steps():
    fit = fit_two_steps(table(0), "metric_task", **SQUARES)
    weights = np.random.default_rng(0).multinomial(len(fit.runs), np.full(len(fit.runs), 1 / len(fit.runs)))
    again = fit.refit(weights)
    assert again.candidate.first == scaling.fit_parametric(fit.runs, weights=weights).candidate
    assert again.candidate.second == fit_downstream(fit.runs, "metric_task", weights=weights, **SQUARES).candidate
    boot = scaling.bootstrap(fit, n_resamples=8, seed=0)
    assert list(boot.samples) == ["E", "A", "B", "alpha", "beta", "floor", "ceiling", "slope", "middle"]
    low, high = boot.interval(of=lambda law: law.accuracy(7e10, 1e13))
    assert low < fit.law.accuracy(7e10, 1e13) < high


def test_either_step_can_refuse():
    chance = table(0, task=SigmoidLaw(floor=0.25, ceiling=0.9, slope=4.0, middle=0.2))
    fit = fit_two_steps(chance, "metric_task", **SQUARES)
    assert fit.status == "not_identified"
    assert "step 2, the task: metric_task does not change" in fit.message
    with pytest.raises(FitError, match="step 2"):
        _ = fit.law
    line = table(0).iloc[::5]  # one number of tokens only
    assert line["tokens"].nunique() == 1
    fit = fit_two_steps(line, "metric_task", **SQUARES)
    assert fit.status == "not_identified"
    assert "step 1, the loss" in fit.message
    with pytest.raises(FitError, match="has no column 'metric_other'"):
        fit_two_steps(line, "metric_other")
    with pytest.raises(FitError, match="no column 'bpb'"):
        fit_two_steps(line, "metric_task", loss="bpb")


def test_rows_are_left_out_of_both_steps():
    runs = table(0)
    runs["status"] = "finished"
    runs.loc[3, "status"] = "failed"
    fit = fit_two_steps(runs, "metric_task", **SQUARES)
    assert (len(fit.runs), len(fit.dropped)) == (len(runs) - 1, 1)


@pytest.mark.slow
def test_intervals_of_both_steps_cover_and_those_of_one_do_not():
    """The spread of the curve alone, at the loss that the first step foretells, is too narrow for a forecast."""
    target, n_tables = (3e10, 5e12), 40
    truth = TRUTH.accuracy(*target)
    covered = {"both": 0, "second": 0}
    for seed in range(n_tables):
        fit = fit_two_steps(table(seed, noise=0.01, questions=20_000), "metric_task", n_starts=1, **SQUARES)
        boot = scaling.bootstrap(fit, n_resamples=60, seed=seed)
        at = fit.candidate.first.loss(*target)
        asked = {"both": lambda law: law.accuracy(*target), "second": lambda law, at=at: law.of_loss(at)}
        for name, of in asked.items():
            found = boot.percentiles(of=of)
            covered[name] += bool(found.low <= truth <= found.high)
    error = np.sqrt(0.95 * 0.05 / n_tables)
    share = pd.Series(covered) / n_tables
    assert 0.95 - 3 * error <= share["both"]
    assert share["second"] < share["both"] - error
