"""Where a run has several rows: its last one is fitted, or all are and the fit knows which belong together."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling import fit as room

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
DESIGN = scaling.simulate.isoflop_design([1e19, 1e20, 1e21], n_sizes=7, law=LAW)
SHARES = np.array([0.2, 0.5, 1.0])


def curves(noise=0.006):
    """Three rows a run, in no order, on the law but for the luck of each run."""
    rows = DESIGN.loc[np.repeat(DESIGN.index, len(SHARES))].rename_axis("run").reset_index()
    rows["tokens"] *= np.tile(SHARES, len(DESIGN))
    luck = np.random.default_rng(0).standard_normal(len(DESIGN))[rows["run"]]
    runs = scaling.simulate_runs(LAW, rows.drop(columns=["budget", "flops"]))
    return runs.assign(loss=runs["loss"] * np.exp(noise * luck)).sample(frac=1, random_state=1)


FITS = {
    "fit_parametric": {},
    "fit_kaplan": {},
    "fit_rosenfeld": {"guess": 11.0},
    "fit_overtraining": {},
}


@pytest.mark.parametrize("name", FITS)
def test_the_last_row_of_each_run_is_fitted_and_the_others_are_kept_with_the_reason(name):
    runs, method = curves(), getattr(room, name)
    fit = method(runs, **FITS[name])
    ends = scaling.runs.last_points(runs)
    alone = method(ends.drop(columns="run"), **FITS[name])
    assert fit.candidate == alone.candidate
    assert fit.clusters is None
    assert fit.n_runs == len(fit.runs) == len(DESIGN)
    assert (fit.dropped["reason"] == "an earlier row of its run").all()
    assert sorted([*fit.dropped.index, *ends.index]) == sorted(runs.index)
    assert f"{len(runs) - len(ends)}: an earlier row of its run" in repr(fit)


@pytest.mark.parametrize("name", FITS)
def test_all_rows_are_fitted_on_request_and_their_runs_are_counted(name):
    runs, method = curves(), getattr(room, name)
    fit = method(runs, rows="all", **FITS[name])
    assert fit.candidate == method(runs.drop(columns="run"), **FITS[name]).candidate
    pd.testing.assert_series_equal(
        fit.runs["run"], pd.Series(pd.factorize(fit.runs["run"])[1][fit.clusters], name="run"), check_dtype=False
    )
    assert fit.n_runs == len(DESIGN) < len(fit.runs) == len(runs)
    assert not len(fit.dropped)
    assert f"{len(runs)} rows of {len(DESIGN)} runs" in repr(fit)
    again = fit.refit(fit.weights)
    np.testing.assert_array_equal(again.clusters, fit.clusters)
    with pytest.raises(ValueError, match="rows must be 'last' \\(of every run\\) or 'all', got 'first'"):
        method(runs, rows="first", **FITS[name])


def test_parabolas_go_through_last_rows():
    runs = curves()
    fit = scaling.fit_isoflop(runs)
    assert fit.a == scaling.fit_isoflop(scaling.runs.last_points(runs)).a
    assert len(fit.runs) == len(DESIGN)
    assert fit.dropped["reason"].unique().tolist() == ["an earlier row of its run"]
    assert "42 rows left out: an earlier row of its run" in repr(fit)


def test_points_of_curves_know_their_runs():
    runs = curves().eval("steps = tokens / 5e5")
    fit = room.fit_kaplan_steps(runs)
    assert fit.n_runs == len(DESIGN)
    assert room.fit_kaplan_steps(runs.drop(columns="run")).n_runs == len(runs)


def test_weights_are_those_of_the_rows_that_were_given():
    runs = curves()
    weights = np.linspace(1, 2, len(runs))
    fit = scaling.fit_parametric(runs, weights=weights)
    last = runs.index.isin(scaling.runs.last_points(runs).index)
    np.testing.assert_array_equal(fit.weights, weights[last])
    with pytest.raises(scaling.FitError, match="all are zero"):
        scaling.fit_parametric(runs, weights=~last)


@pytest.mark.filterwarnings("ignore::scaling.errors.RunsWarning")
def test_of_a_run_that_failed_late_the_last_row_that_counts_is_fitted():
    runs = curves().reset_index(drop=True)
    end = runs.loc[runs["run"] == 4, "tokens"].idxmax()
    fit = scaling.fit_parametric(runs.assign(status=np.where(runs.index == end, "diverged", "finished")))
    mine = fit.runs[fit.runs["run"] == 4]
    assert mine["tokens"].tolist() == [0.5 * runs.loc[end, "tokens"]]
    counts = fit.dropped["reason"].value_counts().to_dict()
    assert counts == {"an earlier row of its run": 41, "status diverged": 1}


def test_a_checked_table_that_was_changed_is_checked_again():
    """Its notes come along through assign, concat and melt."""
    law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    runs = scaling.check_runs(scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(40), 0.01))
    named = runs.assign(run=range(len(runs)))
    with pytest.raises(scaling.FitError, match="above 1000"):
        scaling.fit_parametric(runs.assign(loss=runs["loss"] * 1e4))
    for change, words in (
        ({"params": runs["params"] / 1e6}, "fewer than 1,000 parameters"),
        ({"tokens": runs["tokens"] / 1e9}, "fewer than one token per 1,000 parameters"),
        ({"loss": np.exp(runs["loss"] + 1)}, "is it a perplexity"),
    ):
        with pytest.warns(scaling.errors.RunsWarning, match=words):
            scaling.fit_parametric(runs.assign(**change))
    both = pd.concat([named.assign(split="val"), named.assign(split="train", loss=runs["loss"] * 0.97)])
    melted = named.assign(train=runs["loss"] * 0.97).melt(
        ["run", "params", "tokens", "flops"], ["loss", "train"], "text", "L"
    )
    for longer, column in ((both, "split"), (melted.rename(columns={"L": "loss"}), "text")):
        with pytest.raises(scaling.FitError, match=f"which '{column}' tells apart"):
            scaling.fit_parametric(longer)
