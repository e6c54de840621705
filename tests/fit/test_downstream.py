"""From a loss to a task: known laws come back, a task at chance is refused, and what is no share is told."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import curve_fit

import scaling
from scaling import FitError
from scaling.errors import FitErrorKind
from scaling.fit import fit_downstream
from scaling.laws import DownstreamLaw, SigmoidLaw

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
RUNS = scaling.simulate_runs(LAW, scaling.simulate.grid_design(np.geomspace(1e8, 1e10, 6), np.geomspace(1e9, 1e12, 6)))
SIGMOID = SigmoidLaw(floor=0.25, ceiling=0.9, slope=4.0, middle=2.4)
EXPONENTIAL = DownstreamLaw(epsilon=0.85, k=6.0, gamma=1.1)
SQUARES = {"objective": "huber", "delta": np.inf}


def with_task(law, noise=0.0, seed=0):
    share = law.predict(RUNS) if isinstance(law, SigmoidLaw) else 1 - law.predict(RUNS)
    return RUNS.assign(metric_task=share + noise * np.random.default_rng(seed).standard_normal(len(RUNS)))


@pytest.mark.parametrize(
    "options", [{}, SQUARES, {"objective": "log_squares"}], ids=["default", "squares", "log squares"]
)
@pytest.mark.parametrize(("form", "law"), [("sigmoid", SIGMOID), ("exponential", EXPONENTIAL)])
def test_a_law_without_noise_comes_back(form, law, options):
    fit = fit_downstream(with_task(law), "metric_task", form=form, **options)
    assert fit.status == "solved"
    for name, value in law.constants.items():
        assert fit.law.constants[name] == pytest.approx(value, rel=1e-6), name


@pytest.mark.parametrize(("form", "law"), [("sigmoid", SIGMOID), ("exponential", EXPONENTIAL)])
def test_it_is_the_minimum_that_scipy_finds_too(form, law):
    runs = with_task(law, noise=0.01)
    fit = fit_downstream(runs, "metric_task", form=form, **SQUARES)
    share = runs["metric_task"] if form == "sigmoid" else 1 - runs["metric_task"]
    theirs, _ = curve_fit(lambda L, *c: type(law)(*c).value(L), runs["loss"], share, p0=[*law.constants.values()])
    np.testing.assert_allclose([*fit.law.constants.values()], theirs, rtol=1e-4)
    np.testing.assert_allclose(fit.residuals, share - fit.law.predict(runs), atol=1e-12)


def test_levels_that_are_given_stay():
    runs = with_task(SIGMOID, noise=0.01)
    both = fit_downstream(runs, "metric_task", floor=0.25, ceiling=0.9, **SQUARES)
    assert (both.law.floor, both.law.ceiling) == (0.25, 0.9)
    assert both.value > fit_downstream(runs, "metric_task", **SQUARES).value
    assert [both.law.slope, both.law.middle] == pytest.approx([4.0, 2.4], rel=0.05)
    chance = fit_downstream(with_task(EXPONENTIAL), "metric_task", form="exponential", floor=0.15)
    assert chance.law.epsilon == pytest.approx(0.85, abs=1e-15)
    assert chance.law.k == pytest.approx(6.0, rel=1e-6)


def test_the_loss_may_be_that_of_the_task():
    runs = RUNS.assign(bpb_task=RUNS["loss"] / 3)
    law = SigmoidLaw(floor=0.25, ceiling=0.9, slope=12.0, middle=0.8)
    runs["metric_task"] = law.accuracy(runs["bpb_task"])
    fit = fit_downstream(runs, "metric_task", loss="bpb_task")
    assert fit.law.middle == pytest.approx(0.8, rel=1e-6)
    np.testing.assert_array_equal(fit.runs["loss"], runs["bpb_task"])
    assert fit.refit(fit.weights).law.middle == pytest.approx(0.8, rel=1e-6)


@pytest.mark.parametrize("form", ["sigmoid", "exponential"])
def test_a_task_at_chance_says_nothing(form):
    for seed in range(3):
        noise = 0.01 * np.random.default_rng(seed).standard_normal(len(RUNS))
        fit = fit_downstream(RUNS.assign(metric_task=0.25 + noise), "metric_task", form=form, n_starts=2, **SQUARES)
        assert fit.kind is FitErrorKind.UNSEEN
        assert "metric_task does not change with loss beyond noise" in fit.message


def test_resamples_cover_the_truth_and_draw_whole_runs():
    fit = fit_downstream(with_task(SIGMOID, noise=0.01), "metric_task", **SQUARES)
    ends = scaling.bootstrap(fit, n_resamples=40, seed=0).interval(0.95)
    for name, value in SIGMOID.constants.items():
        assert ends.loc[name, "low"] < value < ends.loc[name, "high"]
    runs = with_task(SIGMOID, noise=0.01).assign(run=np.repeat(np.arange(len(RUNS) // 2), 2))
    runs["params"] = runs.groupby("run")["params"].transform("first")
    whole = fit_downstream(runs.drop(columns="flops"), "metric_task", rows="all", **SQUARES)
    assert whole.n_runs == len(RUNS) // 2
    assert "whole runs" in scaling.bootstrap(whole, n_resamples=10, seed=0).note


def test_too_few_runs():
    with pytest.raises(FitError, match="3 distinct runs cannot determine 4 constants") as few:
        _ = fit_downstream(with_task(SIGMOID).iloc[[0, 7, 14]], "metric_task").law
    assert few.value.kind is FitErrorKind.FEW


def test_refusals():
    runs = with_task(SIGMOID)
    for name, options in {"metric_other": {}, "bpb_task": {"loss": "bpb_task"}}.items():
        with pytest.raises(FitError, match=f"no column {name!r}; its columns are"):
            fit_downstream(runs, "metric_task" if options else name, **options)
    with pytest.raises(FitError, match="row 0: 25 is no share of right answers between 0 and 1"):
        fit_downstream(runs.assign(metric_task=25.0), "metric_task")
    with pytest.raises(FitError, match="row 3: 0 has no logarithm: fit the share itself, objective='huber'"):
        fit_downstream(runs.assign(metric_task=np.where(np.arange(len(runs)) == 3, 0.0, 0.3)), "metric_task")
    with pytest.raises(FitError, match="row 0: nan is no share"):
        fit_downstream(runs.assign(metric_task=np.nan), "metric_task")
    with pytest.raises(ValueError, match="form must be 'sigmoid' or 'exponential', got 'line'"):
        fit_downstream(runs, "metric_task", form="line")
    with pytest.raises(ValueError, match="an exponential has no ceiling"):
        fit_downstream(runs, "metric_task", form="exponential", ceiling=0.9)
    with pytest.raises(ValueError, match="floor must be a share between 0 and 1, got 25"):
        fit_downstream(runs, "metric_task", floor=25)


def test_accuracy_and_loss_are_inverses():
    loss = np.linspace(1.5, 4, 9)
    np.testing.assert_allclose(SIGMOID.loss(SIGMOID.accuracy(loss)), loss, rtol=1e-12)
    assert SIGMOID.accuracy(SIGMOID.middle) == pytest.approx((SIGMOID.floor + SIGMOID.ceiling) / 2)
    assert np.all(np.diff(SIGMOID.accuracy(loss)) < 0)
    with pytest.raises(ValueError, match="accuracy must lie between floor = 0.25 and ceiling = 0.9, got 0.95"):
        SIGMOID.loss(0.95)


def test_a_table_is_taken_as_it_is():
    runs = with_task(SIGMOID)
    before = runs.copy()
    fit_downstream(runs, "metric_task")
    pd.testing.assert_frame_equal(runs, before)


def test_a_task_that_hardly_any_model_solves_warns_of_nothing(recwarn):
    """Most residuals are 0 there, and so is their spread."""
    solved = np.zeros(len(RUNS))
    solved[np.argsort(RUNS["loss"])[:3]] = 0.02
    fit = fit_downstream(RUNS.assign(metric_task=solved), "metric_task", **SQUARES)
    assert fit.law is None or fit.law.ceiling > fit.law.floor
    assert not recwarn.list
