"""What the commands say of laws: the one that foresees best, and plans under two of them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.plan import compare_plans, plan_training

JOINED = scaling.laws.CoupledLaw(E=1.2, A=1e8, B=1e8, alpha=0.9, beta=0.8, k=0.25)
GRID = scaling.simulate.grid_design(np.geomspace(1e7, 3e9, 6), np.geomspace(3e8, 1e12, 6))


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    """Runs of the coupled law."""
    path = tmp_path_factory.mktemp("laws") / "runs.csv"
    scaling.simulate_runs(JOINED, GRID, noise=0.004, seed=1).to_csv(path, index=False)
    return path


def run(*words):
    result = CliRunner().invoke(main, [*map(str, words)])
    assert result.exit_code == 0, result.output
    return result.output


def test_fit_names_the_law_that_foresees_best(joined):
    said = run("fit", joined, "--approach", 3, "--resamples", 20)
    assert "  - coupled foresees best: it misses the runs held out (" in said
    assert said.count("foresees best") == 1


def test_fit_says_where_no_hold_out_is_possible(sound_table, tmp_path):
    few = tmp_path / "few.csv"
    few.write_text("\n".join(sound_table.read_text().splitlines()[:12]))
    record = json.loads(run("fit", few, "--approach", 3, "--resamples", 20, "--json"))
    best = record["holdout"]["best_law"]
    assert best["possible"] is False
    assert "the table allows no hold-out" in best["reason"]


def test_plan_takes_the_law_that_foresees_best_and_shows_both(joined):
    record = json.loads(run("plan", joined, "--flops", "1e21", "--law", "auto", "--resamples", 100, "--json"))
    assert record["law_name"] == "coupled"
    assert record["law_chosen"].startswith("coupled foresees best")
    rows = {(row["law"], row["quantity"]): row for row in record["between_laws"]["table"]}
    assert {law for law, _ in rows} == {"coupled", "additive"}
    assert rows["coupled", "params"]["estimate"] == record["allocation"][0]["estimate"]
    said = run("plan", joined, "--flops", "1e21", "--law", "auto", "--resamples", 100)
    assert "law: coupled, since coupled foresees best" in said
    assert "between laws, 95% interval of each" in said
    assert "the laws disagree on " in said


def test_a_plan_by_the_additive_law_is_as_it_was(joined):
    said = run("plan", joined, "--flops", "1e21", "--resamples", 100, "--law", "additive")
    assert "between laws" not in said
    assert "law: " not in said


def test_plans_are_compared_number_by_number():
    fit = scaling.fit_parametric(scaling.simulate_runs(JOINED, GRID, noise=0.004, seed=1))
    plan = plan_training(scaling.bootstrap(fit, n_resamples=100), 1e21)
    same = compare_plans({"one": plan, "other": plan})
    assert same.disagree == ()
    assert same.apart == {"params": 1.0, "tokens": 1.0, "loss": 1.0}
    assert same.words.startswith("the laws agree")
    assert "one" in repr(same)
    with pytest.raises(ValueError, match="two laws or more"):
        compare_plans({"one": plan})
