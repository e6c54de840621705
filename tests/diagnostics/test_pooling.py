"""Rows that are not one run each of one family are found, and sound tables are left in peace."""

import numpy as np
import pandas as pd
import pooled_tables
import pytest

import scaling
from scaling.diagnostics.pooling import find_pooling
from scaling.diagnostics.spikes import find_spikes

pytestmark = pytest.mark.filterwarnings("ignore::scaling.errors.RunsWarning")
LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.34)


def kinds(table):
    runs = scaling.check_runs(table)
    return [each.kind for each in find_pooling(scaling.fit_parametric(runs), runs)]


@pytest.mark.slow
def test_sound_tables_raise_no_alarm():
    """Two of 80 would be unlikely (5 %) at half a percent."""
    assert sum(bool(kinds(pooled_tables.sound(seed))) for seed in range(80)) <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (pooled_tables.sweep, "sweep"),
        (lambda seed: pooled_tables.sweep(seed, named=False), "sweep"),
        (pooled_tables.families, "families"),
        (pooled_tables.checkpoints, "checkpoints"),
        (pooled_tables.experts, "experts"),
    ],
    ids=["sweep", "sweep without its column", "families", "checkpoints", "experts"],
)
def test_each_kind_is_found(make, kind):
    assert sum(kind in kinds(make(seed)) for seed in range(30)) >= 28


def test_the_columns_that_name_a_run_are_said():
    table = pooled_tables.checkpoints(4)
    table = pd.concat([table.assign(seed_of_data=k, loss=table["loss"] * f) for k, f in enumerate((1.0, 1.001))])
    runs = scaling.check_runs(table.reset_index(drop=True))
    (found,) = find_pooling(scaling.fit_parametric(runs), runs)
    assert set(found.columns) <= {"max_steps", "seed_of_data"}
    assert "seed_of_data" in found.columns
    assert f"--run params,{','.join(found.columns)} takes them" in found.words


def test_a_column_that_names_runs_by_itself_is_offered():
    table = pooled_tables.checkpoints(0)
    table["job"] = "job " + (pd.factorize(table["params"] * table["max_steps"])[0]).astype(str).astype(object)
    runs = scaling.check_runs(table)
    (found,) = find_pooling(scaling.fit_parametric(runs), runs)
    assert found.words.endswith(f"'job' tells {table['job'].nunique()} runs apart: --run job takes it")
    assert kinds(table.rename(columns={"job": "run"})) == []


def test_curves_whose_run_is_named_are_no_checkpoints_without_one():
    table = pooled_tables.checkpoints(1)
    named = table.assign(run=table["params"].astype(str) + table["max_steps"].astype(str))
    assert kinds(named) == []


def test_labels_that_are_the_size_under_another_name_are_no_families():
    """A law that does not hold leaves residuals by size, which a label of sizes explains as well."""
    design = scaling.simulate.grid_design(np.geomspace(1e8, 4e9, 6), np.geomspace(2e9, 1e11, 6))
    bent = LAW.loss(design["params"], design["tokens"]) * np.exp(0.02 * np.sin(np.log(design["params"])))
    table = design.assign(loss=bent, model=[f"m-{np.log(x):.0f}" for x in design["params"]])
    assert kinds(table) == []


def test_active_parameters_taken_for_params_are_no_alarm(tmp_path):
    table = pooled_tables.experts(1)
    active = table.columns[-1]
    table.rename(columns={"params": "total"}).to_csv(tmp_path / "t.csv", index=False)
    runs = scaling.load_runs(tmp_path / "t.csv", columns={"params": active})
    assert find_pooling(scaling.fit_parametric(runs), runs) == []


def test_runs_that_end_on_a_spike_are_found_and_others_are_not():
    rng = np.random.default_rng(0)
    curves = scaling.simulate.simulate_curves(LAW, [1e8, 3e8, 1e9], [20, 40, 80], n_points=40)
    curves["loss"] *= np.exp(0.004 * rng.standard_normal(len(curves)))
    assert not len(find_spikes(curves))
    run = curves["run"].unique()[1]
    end = curves.index[curves["run"] == run][-1]
    middle = curves.index[curves["run"] == run][20]
    curves.loc[[end, middle], "loss"] *= [1.05, 1.1]
    found = find_spikes(curves.sample(frac=1.0, random_state=1))
    assert found.index.tolist() == [end, middle]
    assert found["run"].tolist() == [run, run]
    assert found["after"].isna().tolist() == [True, False]
    np.testing.assert_allclose(found["loss"] / found["before"], [1.05, 1.1], atol=0.03)
    assert find_spikes(curves.drop(columns="run")).empty


@pytest.mark.parametrize("width", [1, 2])
def test_a_spike_within_a_curve_is_said_once_and_early_points_are_none(width):
    curves = scaling.simulate.simulate_curves(LAW, [1e8, 3e8, 1e9], [20, 40, 80], n_points=40)
    assert find_spikes(curves).empty
    place = curves.index[curves["run"] == curves["run"].unique()[2]][25]
    curves.loc[place : place + width - 1, "loss"] *= np.linspace(1.3, 1.2, width)
    found = scaling.diagnostics.inspect_runs(curves)
    assert found.spikes.index.tolist() == [place]
    (words,) = [each for each in found.looks if "has a spike" in each]
    assert words.startswith(
        f"row {place}: run '{curves['run'][place]}' has a spike, loss {curves['loss'][place]:.4g} between"
    )
    assert (
        found.approaches[3].law
        == scaling.diagnostics.inspect_runs(curves.drop(index=[place, place + 1])).approaches[3].law
    )


def other_exponents(seed=0, **columns):
    """Two families of one level whose exponents of size differ, over the same ranges."""
    tables = []
    for k, alpha in enumerate((0.34, 0.30)):
        law = scaling.ChinchillaLaw(E=1.7, A=400 * 3e8 ** (alpha - 0.34), B=1000, alpha=alpha, beta=0.36)
        design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20], n_sizes=9, law=law)
        runs = scaling.simulate_runs(law, design, noise=0.003, seed=2 * seed + k)[["params", "tokens", "loss"]]
        tables.append(runs.assign(kind=f"family {k}"))
    return pd.concat(tables, ignore_index=True)


def test_families_of_other_exponents_are_found():
    for seed in range(5):
        runs = scaling.check_runs(other_exponents(seed))
        (found,) = find_pooling(scaling.fit_parametric(runs), runs)
        assert (found.kind, found.columns) == ("families", ("kind",))


def test_a_law_that_bends_is_no_family_of_small_and_one_of_large_runs():
    design = scaling.simulate.grid_design(np.geomspace(5e7, 3e9, 8), np.geomspace(2e9, 1e11, 6))[["params", "tokens"]]
    loss = 1.7 + (4000 / design["params"] ** 0.5 + 12000 / design["tokens"] ** 0.5) ** 0.5
    noise = np.exp(np.random.default_rng(0).normal(0, 0.002, len(design)))
    table = design.assign(loss=loss * noise, cluster=np.where(design["params"] > 4e8, "large", "small"))
    assert kinds(table) == []
