"""No diagnostic divides a run: what is held out, predicted and drawn are runs, however many rows they have."""

import numpy as np
import pytest

import scaling
from scaling.diagnostics import compare_approaches, compare_laws, extrapolation_audit, holdout, holdout_table

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
N_RUNS, POINTS = 40, 5


def curves():
    ends = scaling.simulate.chinchilla_like_design(N_RUNS, seed=0).drop(columns=["budget", "flops"])
    rows = ends.loc[np.repeat(ends.index, POINTS)].rename_axis("run").reset_index()
    rows["tokens"] *= np.tile(np.arange(1, POINTS + 1) / POINTS, N_RUNS)
    runs, luck = scaling.simulate_runs(LAW, rows), np.random.default_rng(0).standard_normal(N_RUNS)
    return runs.assign(loss=runs["loss"] * np.exp(0.006 * luck[runs["run"]]))


RUNS = curves()
ENDS = scaling.runs.last_points(RUNS).drop(columns="run")


@pytest.mark.parametrize("by", ["flops", "params"])
@pytest.mark.parametrize(("rows", "of_each"), [("last", 1), ("all", POINTS)])
def test_a_run_lies_on_one_side(by, rows, of_each):
    held = holdout(RUNS, by=by, rows=rows)
    fitted, tested = set(held.fit.runs["run"]), set(held.tested["run"])
    assert not fitted & tested
    assert len(fitted | tested) == N_RUNS
    assert len(held.fit.runs) == of_each * len(fitted) == of_each * held.fit.n_runs
    assert len(held.tested) == len(tested)
    assert held.earlier == len(RUNS) - of_each * len(fitted) - len(tested)
    assert held.fit.runs.groupby("run")[by].max().max() <= held.tested[by].min()
    assert f"{len(fitted)} runs fitted" in repr(held)
    assert f"{held.earlier} earlier rows of these runs left out" in repr(held)


def test_other_methods_get_one_row_a_run():
    held = holdout(RUNS, method=scaling.fit.fit_rosenfeld, guess=11.0)
    assert held.rms == holdout(ENDS, method=scaling.fit.fit_rosenfeld, guess=11.0).rms
    assert held.earlier == len(RUNS) - N_RUNS


@pytest.mark.slow
def test_tables_and_audits_of_curves_are_those_of_their_runs():
    assert holdout_table(RUNS).equals(holdout_table(ENDS))
    assert extrapolation_audit(RUNS, n_resamples=40).equals(extrapolation_audit(ENDS, n_resamples=40))
    mine, plain = compare_laws(RUNS), compare_laws(ENDS)
    assert mine.table.equals(plain.table)
    assert mine.split == plain.split + "; of each run its last row, 160 earlier ones left out"


def test_an_audit_of_all_rows_counts_and_draws_runs(monkeypatch):
    boots = []
    drawing = "scaling.diagnostics.extrapolation.bootstrap"
    monkeypatch.setattr(drawing, lambda *given: boots.append(scaling.bootstrap(*given)) or boots[-1])
    last, every = (extrapolation_audit(RUNS, n_resamples=60, rows=rows) for rows in ("last", "all"))
    counts = ["n_budgets", "cut", "reach", "n_fitted", "n_predicted"]
    assert every[counts].equals(last[counts])
    with_all = boots[len(boots) // 2 :]
    assert [boot.note for boot in with_all] == [f"drawn: whole runs, {n} in all" for n in last["n_fitted"] if n >= 12]


def test_all_approaches_say_what_they_left_out():
    found = compare_approaches(RUNS, n_resamples=20)
    for number in {2, 3} & set(found.fits):
        assert (found.fits[number].dropped["reason"] == "an earlier row of its run").sum() == len(RUNS) - N_RUNS
    assert found.fits[3].candidate == compare_approaches(ENDS, n_resamples=20).fits[3].candidate
