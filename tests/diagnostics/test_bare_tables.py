"""Functions that take a table, given one made by hand: the same answer as on a checked one, or a refusal in words."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling import diagnostics, plan, runs

LAW = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)
RUNS = scaling.simulate_runs(LAW, scaling.simulate.isoflop_design([1e19, 1e20, 1e21], n_sizes=5, law=LAW), noise=0.003)
BARE = pd.DataFrame({name: RUNS[name].to_numpy() for name in ("params", "tokens", "loss", "flops")})
CURVES = scaling.simulate.simulate_curves(LAW, np.geomspace(1e8, 5e9, 4), n_points=12)
TAKES_A_TABLE = {
    "seed_noise": runs.seed_noise,
    "find_meter": runs.find_meter,
    "hold_out": lambda table: diagnostics.hold_out(table, "compute"),
    "swept_columns": diagnostics.swept_columns,
    "find_spikes": diagnostics.find_spikes,
    "best_of_each": diagnostics.best_of_each,
    "already_reached": lambda table: plan.already_reached(table, 1e22, 5.0),
    "better_law": diagnostics.better_law,
    "find_rival": lambda table: diagnostics.find_rival(table, 1e22),
    "compare_approaches": lambda table: scaling.compare_approaches(table, n_resamples=20),
}
#: what each of them reads, where that is not all of params, tokens and loss
READ = {
    "find_meter": ("params", "tokens"),
    "hold_out": ("params", "tokens"),
    "find_spikes": ("loss",),
    "already_reached": ("flops", "loss"),
}


@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, "many"])
@pytest.mark.parametrize("name", TAKES_A_TABLE)
def test_a_number_that_is_none_is_refused_with_its_column_and_row(name, value):
    for column in READ.get(name, ("params", "tokens", "loss")):
        bad = BARE.astype({column: object})
        bad.loc[3, column] = value
        with pytest.raises(scaling.RunsError, match=f"column '{column}', row 3"):
            TAKES_A_TABLE[name](bad)


@pytest.mark.parametrize("name", TAKES_A_TABLE)
def test_what_is_no_table_or_lacks_a_column_is_refused(name):
    column = READ.get(name, ("params",))[0]
    with pytest.raises(scaling.RunsError, match=f"column '{column}'"):
        TAKES_A_TABLE[name](BARE.drop(columns=[column, *(["flops"] if column == "params" else [])]))
    with pytest.raises(scaling.RunsError, match="DataFrame"):
        TAKES_A_TABLE[name](BARE.to_dict("list"))


@pytest.mark.parametrize("form", ["text", "objects", "without flops", "in another order", "of one label"])
def test_a_table_made_by_hand_compares_like_a_checked_one(form):
    table = {
        "text": BARE.astype(str),
        "objects": BARE.astype(object),
        "without flops": BARE.drop(columns="flops"),
        "in another order": BARE[::-1],
        "of one label": BARE.set_axis([0] * len(BARE)),
    }[form]
    fits = [diagnostics.fit_approaches(each, (2, 3)) for each in (table, scaling.check_runs(BARE))]
    for one, other in zip(*(found.values() for found in fits), strict=True):
        assert one.law.a == pytest.approx(other.law.a, rel=1e-6)


def test_rows_with_repeated_labels_are_told_apart_by_their_place():
    """As after pd.concat without ``ignore_index``."""
    more = CURVES.assign(run=CURVES["run"] + 100, loss=CURVES["loss"] * 1.01)
    twice = pd.concat([CURVES, more])
    best = runs.best_of(twice, ["params", "tokens"])
    assert sorted(best["run"].unique()) == sorted(CURVES["run"].unique())
    assert len(best) == len(CURVES)
    assert len(diagnostics.best_of_each(twice)) == len(diagnostics.best_of_each(twice.reset_index(drop=True)))
    finished = np.where(np.arange(len(twice)) < 40, "failed", "finished")
    with pytest.warns(scaling.errors.RunsWarning, match="left out"):
        fit = scaling.fit_parametric(twice.assign(status=finished))
    assert len(fit.dropped) + len(fit.runs) == len(twice)
    checked = scaling.check_runs(twice)
    assert checked.index.is_unique
    assert "labels of rows are repeated, as after pd.concat: rows are numbered from 0" in checked.attrs["notes"]


def test_points_are_ordered_by_tokens_where_there_are_no_flops():
    ends = runs.last_points(CURVES[::-1])
    without = runs.last_points(CURVES[::-1].drop(columns="flops"))
    assert list(ends.index) == list(without.index)
    with pytest.raises(scaling.RunsError, match="column 'tokens', row 5"):
        runs.last_points(CURVES.drop(columns="flops").assign(tokens=lambda t: t["tokens"].where(t.index != 5)))


def test_what_is_no_fit_is_refused_with_what_makes_one():
    fit = scaling.fit_parametric(scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(60), 0.01))
    boot = scaling.bootstrap(fit, 20)
    takes_a_fit = (
        lambda given: scaling.bootstrap(given, 20),
        scaling.uncertainty.subsampled_bootstrap,
        scaling.uncertainty.noise_of,
        diagnostics.residual_skewness,
        diagnostics.find_pooling,
        diagnostics.find_discrepancy,
    )
    said = {"a table: fit_parametric": RUNS, "a Bootstrap: give its .fit": boot, "makes, not a ChinchillaLaw": LAW}
    for words, given in said.items():
        for function in takes_a_fit:
            with pytest.raises(TypeError, match=words):
                function(given)
    with pytest.raises(TypeError, match=r"a Fit has no loss\(params, tokens\): give its .law"):
        scaling.compute_optimal(fit, 1e22)
    with pytest.raises(TypeError, match=r"a Fit has no loss\(params, tokens\): give its .law"):
        scaling.simulate_runs(fit, RUNS)
    with pytest.raises(TypeError, match="a ruling is on what compare_approaches"):
        diagnostics.rule_on(boot, 1e22)
