"""What the commands say of laws: the one that foresees best, and plans under two of them."""

import json

import numpy as np
import pandas as pd
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_plan_by_the_additive_law_has_the_range_over_both_laws(joined):
    options = ("--flops", "1e21", "--resamples", 100, "--law", "additive")
    said = run("plan", joined, *options)
    assert "law: " not in said
    ranges = json.loads(run("plan", joined, *options, "--json"))["between_laws"]["ranges"]
    rows = pd.DataFrame(json.loads(run("plan", joined, *options, "--json"))["between_laws"]["table"])
    for name, (low, high) in ranges.items():
        each = rows[rows["quantity"] == name]
        assert (low, high) == (each["low"].min(), each["high"].max())
    assert "over both laws: size [" in said


@pytest.mark.slow
def test_a_range_over_both_laws_holds_a_truth_that_is_neither():
    """A product of the two terms moves what the additive and the coupled law find to two sides of the truth."""

    def loss(N, D):
        return 1.7 + 400 * N**-0.34 + 1000 * D**-0.36 + 2e5 * N**-0.34 * D**-0.36

    budgets, N = np.geomspace(1e18, 3e20, 6), np.geomspace(1e6, 1e13, 200_001)
    rows = [(n, C / 6 / n) for C in budgets for n in np.sqrt(C / 120) * np.geomspace(1 / 4, 4, 9)]
    held = {"additive": 0, "coupled": 0, "both": 0}
    for seed in range(4):
        runs = pd.DataFrame(rows, columns=["params", "tokens"])
        noise = np.exp(np.random.default_rng(seed).normal(0, 0.002, len(runs)))
        runs = scaling.check_runs(runs.assign(loss=loss(runs["params"], runs["tokens"]) * noise))
        for flops in (1e20, 3e21):
            best = N[np.argmin(loss(N, flops / 6 / N))]
            fits = {law: scaling.fit_parametric(runs, law=law) for law in ("additive", "coupled")}
            plans = {law: plan_training(scaling.bootstrap(fit, n_resamples=200), flops) for law, fit in fits.items()}
            between = compare_plans(plans)
            for law in plans:
                row = between.table.loc[law, "params"]
                held[law] += row["low"] <= best <= row["high"]
            low, high = between.ranges["params"]
            held["both"] += low <= best <= high
    assert held["both"] == 8
    assert max(held["additive"], held["coupled"]) < 8


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


AS_ASKED = "the law as asked"


def holdout_of(table, *options):
    record = json.loads(run("fit", table, "--approach", 3, "--resamples", 20, *options, "--json"))
    return {row["law"]: row for row in record["holdout"]["laws"]}, record["holdout"]["best_law"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "equation", "constants"),
    [
        (("--fix", "E=1.0"), "E + A/N^alpha + B/D^beta, E = 1 given", 4),
        (("--tie", "alpha=beta"), "E + A/N^alpha + B/D^alpha", 4),
        (("--tie", "alpha=beta", "--fix", "beta=0.3"), "E + A/N^alpha + B/D^alpha, alpha = 0.3 given", 3),
        (("--objective", "log_squares"), "E + A/N^alpha + B/D^beta, by log_squares", 5),
        (("--delta", "0.1"), "E + A/N^alpha + B/D^beta, by log_huber with delta 0.1", 5),
        (("--law", "coupled", "--fix", "k=0.5"), "E + (A/N^alpha + B/D^beta)^k, k = 0.5 given", 5),
    ],
)
def test_the_law_as_asked_takes_part_in_the_hold_out(options, equation, constants, joined):
    rows, best = holdout_of(joined, *options)
    plain, _ = holdout_of(joined)
    mine = rows.pop(AS_ASKED)
    assert (mine["equation"], mine["constants"]) == (equation, constants)
    assert rows == plain, "the others are as they were"
    assert mine["held_out"] != rows["Chinchilla"]["held_out"]
    assert AS_ASKED in {row["law"] for row in best["ranking"]}


def test_its_errors_are_those_of_a_fit_with_these_options(joined):
    """A law whose E is far too low misses the dearest runs by more, by what a fit to the cheap ones predicts there."""
    rows, _ = holdout_of(joined, "--fix", "E=0.2")
    runs = scaling.load_runs(joined)
    late = (runs["flops"] > runs["flops"].quantile(0.7)).to_numpy()
    fit = scaling.fit_parametric(runs[~late], fixed={"E": 0.2})
    errors = np.log(fit.predict(runs[late]) / runs["loss"][late])
    assert rows[AS_ASKED]["held_out"] == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-6)


def test_the_coupled_law_is_known_by_its_name(joined):
    rows, best = holdout_of(joined, "--law", "coupled")
    assert AS_ASKED not in rows
    assert rows["coupled"]["held_out"] < rows["Chinchilla"]["held_out"]
    assert [row["law"] for row in best["ranking"]].count("coupled") == 1


@pytest.mark.slow
def test_no_row_is_added_where_nothing_was_asked_for_or_the_law_is_not_fitted(joined, sound_table):
    assert AS_ASKED not in holdout_of(joined)[0]
    said = " ".join(run("fit", joined, "--approach", 3, "--fix", "E=1", "--resamples", 20).split())
    assert "the law as asked is that of approach 3 above; the others are as they are named, by log_huber" in said
    assert "the others are as they are named" not in run("fit", joined, "--approach", 3, "--resamples", 20)
