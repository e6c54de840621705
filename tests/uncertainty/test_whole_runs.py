"""The unit of a bootstrap is the run: rows of one run are drawn together, and so are groups on request."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.uncertainty import subsampled_bootstrap

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
BETWEEN, WITHIN, POINTS = 0.006, 0.001, 10


def curves(n=40, seed=0):
    """Rows on the law but for the luck of their run, which all of them share, and a little of their own."""
    ends = scaling.simulate.chinchilla_like_design(n, seed=seed).drop(columns=["budget", "flops"])
    rows = ends.loc[np.repeat(ends.index, POINTS)].rename_axis("run").reset_index()
    rows["tokens"] *= np.tile(np.arange(1, POINTS + 1) / POINTS, n)
    runs, rng = scaling.simulate_runs(LAW, rows), np.random.default_rng([seed, 1])
    noise = BETWEEN * rng.standard_normal(n)[runs["run"]] + WITHIN * rng.standard_normal(len(runs))
    return runs.assign(loss=runs["loss"] * np.exp(noise))


def once_and_thrice(n):
    """A table with one row a run, and the same with each row three times under the name of its run."""
    design = scaling.simulate.grid_design(np.geomspace(5e7, 1e10, n), np.geomspace(1e9, 1e11, n))
    once = scaling.simulate_runs(LAW, design, noise=0.006, seed=1)
    return once, once.loc[np.repeat(once.index, 3)].assign(run=np.repeat(np.arange(n * n), 3))


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"rows": "all"}], ids=["last rows", "all rows"])
def test_intervals_of_curves_cover_the_truth(options):
    """Where each row counts as a run they cover it half as often as they say, here 25 times of 40."""
    hits = 0
    for seed in range(40):
        boot = scaling.bootstrap(scaling.fit_parametric(curves(seed=seed), **options), 60, seed=seed)
        low, high = boot.interval(0.95, of="a")
        hits += low <= LAW.a <= high
    assert hits >= 36


@pytest.mark.slow
@pytest.mark.parametrize("fraction", [None, 0.8])
@pytest.mark.parametrize("method", [scaling.fit_parametric, scaling.fit.fit_overtraining])
def test_rows_that_say_the_same_add_nothing(method, fraction):
    """Each row three times: the same draws of the same runs."""
    once, thrice = once_and_thrice(6)
    boots = [
        scaling.bootstrap(fit, 20, seed=4, fraction=fraction) for fit in (method(once), method(thrice, rows="all"))
    ]
    np.testing.assert_allclose(boots[1].samples, boots[0].samples, rtol=1e-4)
    assert boots[1].note == "; ".join(filter(None, ["drawn: whole runs, 36 in all", boots[0].note]))
    assert boots[1].note in repr(boots[1])


def test_a_resample_is_the_fit_to_the_rows_of_the_runs_drawn():
    fit = scaling.fit_parametric(curves(20), rows="all")
    boot = scaling.bootstrap(fit, 5, seed=2)
    drawn = np.random.default_rng(2).integers(0, 20, (5, 20))
    for row, runs in zip(boot.samples.to_dict("records"), drawn, strict=True):
        weights = np.bincount(runs, minlength=20)[fit.clusters]
        assert fit.refit(weights).candidate.constants == pytest.approx(row, rel=1e-5)


def test_backends_and_blocks_do_not_change_what_is_drawn(monkeypatch):
    fit = scaling.fit_parametric(curves(20), rows="all")
    boot = scaling.bootstrap(fit, 60, seed=2)
    monkeypatch.setattr("scaling.fit.engine.resamples.BLOCK", 7)
    spread = scaling.bootstrap(fit, 60, seed=2, backend="threading", n_jobs=2)
    np.testing.assert_allclose(spread.samples, boot.samples, rtol=1e-6)


def test_groups_are_drawn_on_request():
    """Twenty sizes with five runs each that share the luck of their size."""
    design = scaling.simulate.grid_design(np.geomspace(5e7, 1e10, 20), np.geomspace(1e9, 1e11, 5))
    luck = np.repeat(0.01 * np.random.default_rng(3).standard_normal(20), 5)
    runs = scaling.simulate_runs(LAW, design, noise=0.001, seed=3)
    fit = scaling.fit_parametric(runs.assign(loss=runs["loss"] * np.exp(luck)))
    by_run, by_size = scaling.bootstrap(fit, 200), scaling.bootstrap(fit, 200, by="params")
    assert by_size.note == "drawn: whole groups of one params, 20 in all"
    assert by_size.standard_error()["alpha"] > 1.5 * by_run.standard_error()["alpha"]


def test_refusals_of_groups():
    fit = scaling.fit_parametric(curves(20), rows="all")
    with pytest.raises(ValueError, match="no column 'lr' to draw by; there are params, tokens"):
        scaling.bootstrap(fit, 10, by="lr")
    with pytest.raises(ValueError, match="rows of one run differ in 'tokens', and a run is drawn whole"):
        scaling.bootstrap(fit, 10, by="tokens")
    few = scaling.fit_parametric(curves(11), rows="all")
    with pytest.raises(scaling.FitError, match="11 runs are too few to bootstrap 5 constants: at least 12 are needed"):
        scaling.bootstrap(few, 10)
    halves = scaling.fit_parametric(curves(20).assign(lab=lambda t: t["run"] % 2), rows="all")
    with pytest.raises(scaling.FitError, match="2 groups of one lab are too few"):
        scaling.bootstrap(halves, 10, by="lab")
    frontier = scaling.fit_isoflop(scaling.simulate_runs(LAW, scaling.simulate.isoflop_design([1e19, 1e21], law=LAW)))
    with pytest.raises(ValueError, match="approach 2 draws the runs of each budget, not groups of one 'params'"):
        scaling.bootstrap(frontier, 10, by="params")


def test_a_part_of_many_runs_is_one_of_whole_runs():
    once, thrice = once_and_thrice(40)
    part = subsampled_bootstrap(scaling.fit_parametric(once), 500, 20)
    whole = subsampled_bootstrap(scaling.fit_parametric(thrice, rows="all"), 500, 20)
    np.testing.assert_allclose(whole.samples, part.samples, rtol=1e-4)
    assert whole.note.startswith("spread of 500 of the 1,600 runs, drawn whole")


def test_a_run_with_many_rows_may_decide_alone():
    """One run of 200 rows at the largest size among 600 of one row each: no part may leave it out."""
    design = scaling.simulate.chinchilla_like_design(600, seed=2).drop(columns="budget").assign(run=range(600))
    long = pd.DataFrame({"run": -1, "params": 7e10, "tokens": np.geomspace(1e9, 1e12, 200)})
    table = pd.concat([design, long.eval("flops = 6 * params * tokens")], ignore_index=True)
    runs = scaling.simulate_runs(LAW, table, noise=0.006, seed=2)
    assert "all 601 runs are resampled" in subsampled_bootstrap(scaling.fit_parametric(runs, rows="all"), 500, 20).note
