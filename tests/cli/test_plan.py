"""``scaling plan``: its tables, its JSON, numbers as people write them, refusals."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")


def run(*arguments):
    """The result of ``scaling plan ARGUMENTS``; an exception that the command let through is raised again."""
    result = CliRunner().invoke(main, ["plan", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "runs.csv"
    design = scaling.simulate.isoflop_design(np.geomspace(6e18, 3e21, 6), n_sizes=7, law=LAW)
    scaling.simulate_runs(LAW, design, noise=0.005).to_csv(path, index=False)
    return path


def test_everything_at_once(table):
    result = run(
        *(table, "--flops", "1e24", "--inference-tokens", "10T", "--unique-tokens", "0.5T"),
        *("--next-budget", "1e21", "--resamples", 200),
    )
    assert result.exit_code == 0
    for words in (
        *("42 runs: ChinchillaLaw", "Plan for 1e24 training FLOPs", "times that of the most expensive run"),
        *("compute-optimal, 95% interval", "with inference", "limited data", "another size", "smaller models"),
        *("runs to add", "of 1e21 FLOPs"),
    ):
        assert words in result.output
    assert max(map(len, result.output.splitlines())) <= 160
    assert "Warning" not in result.output


def test_the_approach_to_follow_is_said_with_its_reason(table):
    ruling = scaling.diagnostics.rule_on(scaling.compare_approaches(scaling.load_runs(table), n_resamples=100), 1e22)
    assert f"approaches: {ruling.words}" in run(table, "--flops", "1e22", "--resamples", 100).output
    told = json.loads(run(table, "--flops", "1e22", "--resamples", 100, "--json").output)["approaches"]
    assert (told["follow"], told["agree"], told["rule"]) == (ruling.follow, ruling.agree, ruling.rule)
    assert (told["low"], told["high"]) == pytest.approx((ruling.low, ruling.high))


def test_json_holds_the_numbers_of_the_package(table):
    options = ("--flops", "1e23", "--inference-tokens", "2e12", "--resamples", 200, "--seed", 5, "--level", 0.8)
    record = json.loads(run(table, *options, "--next-budget", "1e21", "--next-runs", 6, "--json").output)
    fit = scaling.fit_parametric(scaling.load_runs(table))
    boot = scaling.bootstrap(fit, 200, seed=5)
    with pytest.warns(scaling.errors.RunsWarning):
        plan = scaling.plan_training(boot, 1e23, 2e12, level=0.8)
    assert record["law"] == fit.law.constants
    assert (record["runs"], record["flops"], record["level"], record["seed"]) == (42, 1e23, 0.8, 5)
    assert record["notes"] == list(plan.notes)
    pd.testing.assert_frame_equal(pd.DataFrame(record["allocation"]), plan.table())
    pd.testing.assert_frame_equal(pd.DataFrame(record["off_optimum"]), plan.off_optimum)
    smaller = pd.DataFrame(record["overtraining"]).astype(float)
    pd.testing.assert_frame_equal(smaller, plan.overtraining.replace(np.inf, np.nan))
    more = scaling.suggest_runs(boot, 1e21, 1e23, max_runs=6, level=0.8)
    assert record["next_runs"]["width_after"] == more.width_after
    assert sum(row["repeats"] for row in record["next_runs"]["runs"]) == len(more.runs) <= 6


@pytest.mark.slow
def test_a_large_table_is_resampled_in_part_and_the_plan_says_so(tmp_path):
    design = pd.concat([scaling.simulate.chinchilla_like_design(1000, seed=s) for s in range(5)], ignore_index=True)
    runs = scaling.simulate_runs(LAW, design, noise=0.01)
    runs.to_csv(tmp_path / "many.csv", index=False)
    words = "intervals: spread of 4,000 of the 5,000 runs, scaled by sqrt(4,000/5,000)"
    assert f"note: {words}" in run(tmp_path / "many.csv", "--flops", "1e22", "--resamples", 100).output
    record = json.loads(run(tmp_path / "many.csv", "--flops", "1e22", "--resamples", 100, "--json").output)
    assert words in record["notes"]
    fit = scaling.fit_parametric(scaling.load_runs(tmp_path / "many.csv"))
    boot = scaling.uncertainty.subsampled_bootstrap(fit, 4_000, 100)
    plan = scaling.plan_training(boot, 1e22)
    pd.testing.assert_frame_equal(pd.DataFrame(record["allocation"]), plan.table())


def test_the_loss_is_told_twice_if_the_law_holds_and_if_it_may_be_off(table):
    output = run(table, "--flops", "1e22", "--resamples", 100).output
    assert "if the form of the law holds:" in output
    assert "if it is off as far as these runs show:" in output
    told = json.loads(run(table, "--flops", "1e22", "--resamples", 100, "--json").output)["discrepancy"]
    found = scaling.diagnostics.find_discrepancy(scaling.fit_parametric(scaling.load_runs(table)))
    best = scaling.compute_optimal(found.fit.law, 1e22)
    band = found.band(best.params, best.tokens)
    assert told["loss"] == pytest.approx({"estimate": band.estimate, "low": band.low, "high": band.high}, rel=1e-9)
    assert (told["reason"], len(told["forecasts"])) == ("", len(found.forecasts))


def test_what_cannot_be_said_of_the_loss_is_not(table):
    assert "if it may be off:  cannot say: it lies" in run(table, "--flops", "1e26", "--resamples", 100).output
    told = json.loads(run(table, "--flops", "1e26", "--resamples", 100, "--json").output)["discrepancy"]
    assert told["loss"] == {"estimate": None, "low": None, "high": None}
    assert "decades beyond the most expensive run" in told["reason"]


def test_a_budget_far_below_the_runs_has_no_size_and_no_loss(table):
    output = run(table, "--flops", "1e14", "--resamples", 100).output
    assert "if it may be off:  cannot say: it lies" in output
    assert "Follow none of them so far down" in output
    assert "Follow approach" not in output
    told = json.loads(run(table, "--flops", "1e14", "--resamples", 100, "--json").output)
    assert "decades below the cheapest run" in told["open_question"]
    assert "decades below the cheapest run" in told["discrepancy"]["reason"]
    assert (told["approaches"]["follow"], told["law"], told["off_optimum"]) == (None, None, None)
    assert "size ratio" not in output


@pytest.mark.parametrize(
    ("flops", "meant"), [("5000", "4.32e23"), ("100", "8.64e21"), ("1e-5", "8.64e14"), ("1e10", "")]
)
def test_a_number_in_another_unit_is_no_budget(table, flops, meant):
    for form in ([], ["--json"], ["--format", "csv"]):
        result = run(table, "--flops", flops, "--resamples", 100, *form)
        assert result.exit_code == 1
        assert "times below the cheapest run" in result.stderr
        assert (f"is it in PF-days? Then it is {meant} FLOPs" if meant else "in which unit is it?") in result.stderr


@pytest.mark.slow
def test_same_seed_same_words(table):
    first, again, other = (run(table, "--flops", "1e22", "--resamples", 150, "--seed", s).output for s in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("text", "value"), [("1e24", 1e24), ("70B", 7e10), ("1.4T", 1.4e12), ("1.4 t", 1.4e12), ("500m", 5e8), (".5", 0.5)]
)
def test_numbers_as_people_write_them(text, value):
    from scaling.cli.quantity import Quantity

    assert Quantity().convert(text, None, None) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10 PF-days", 8.64e20),
        ("2 petaflop days", 1.728e20),
        ("5 ZFLOP", 5e21),
        ("1e22 FLOPs", 1e22),
        ("3e5 EFLOP", 3e23),
    ],
)
def test_compute_may_have_a_unit(text, value):
    from scaling.cli.quantity import Compute

    assert Compute().convert(text, None, None) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1000 H100-hours", "no compute until the speed of one H100 is known: 3.6e+06 seconds times the peak"),
        ("8 GPU days", "(MFU)"),
        ("1e22B", "a power of ten and a letter that stands for one"),
        ("1.5e3 M", "a power of ten and a letter that stands for one"),
        ("10 apples", "is not a number"),
    ],
)
def test_what_is_no_compute_yet_is_told_what_it_lacks(table, text, words):
    result = run(table, f"--flops={text}")
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize(("level", "needed"), [("0.99", "200"), ("0.9999", "20,000"), ("0.999999", "2,000,000")])
def test_no_level_without_the_resamples_that_tell_its_ends(table, level, needed):
    for command in (["plan", str(table), "--flops", "1e22"], ["fit", str(table)]):
        result = CliRunner().invoke(main, [*command, "--level", level, "--resamples", "100"])
        assert result.exit_code == 2
        assert f"--level {level} needs {needed} resamples or more, got 100" in result.stderr


def test_a_high_level_with_its_resamples_has_a_plan(table):
    output = run(table, "--flops", "1e22", "--level", "0.99", "--resamples", 200).output
    assert "compute-optimal, 99% interval" in output
    assert "between laws, 99% interval of each" in output


def test_tokens_read_more_often_than_anybody_saw_have_no_plan(table):
    few, some = (run(table, "--flops", "1e22", "--resamples", 100, "--unique-tokens", n) for n in ("1e9", "5e10"))
    assert "limited data: cannot say: 1B tokens would be read" in few.output
    assert "limited data, 95%" not in few.output
    assert "its error is not in the intervals" in some.output
    assert "limited data, 95%" in some.output
    record = json.loads(run(table, "--flops", "1e22", "--resamples", 100, "--unique-tokens", "1e3", "--json").output)
    assert {row["problem"] for row in record["allocation"]} == {"compute-optimal"}


@pytest.mark.parametrize("text", ["-1e24", "0", "many", "1e999", "nan", "inf", "", "7Q", "1,000", "1e24x"])
def test_what_is_no_number_is_a_wrong_command_line(table, text):
    result = run(table, f"--flops={text}")
    assert result.exit_code == 2
    assert "--flops" in result.output
    assert "Traceback" not in result.output


def test_no_demand_is_allowed_and_a_negative_one_is_not(table):
    assert run(table, "--flops", "1e21", "--inference-tokens", 0, "--resamples", 100).exit_code == 0
    assert run(table, "--flops", "1e21", "--inference-tokens=-1").exit_code == 2


def test_runs_that_carry_no_law_are_refused_with_the_runs_that_would_help(tmp_path):
    path = tmp_path / "line.csv"
    design = pd.DataFrame({"params": np.geomspace(1e8, 1e10, 20)}).assign(tokens=lambda t: 20 * t.params)
    scaling.simulate_runs(LAW, design, noise=0.005).to_csv(path, index=False)
    result = run(path, "--flops", "1e24")
    assert result.exit_code == 1
    assert "no plan without a law" in result.output
    assert "add runs off that line" in result.output
    assert "candidate" not in result.output


def test_too_few_runs_are_refused(tmp_path, table):
    path = tmp_path / "few.csv"
    pd.read_csv(table).iloc[::4].to_csv(path, index=False)
    result = run(path, "--flops", "1e24")
    assert result.exit_code == 1
    assert "12 are needed" in result.output


def test_a_budget_that_buys_no_run_is_refused(table):
    result = run(table, "--flops", "1e22", "--next-budget", "1e3", "--resamples", 100)
    assert result.exit_code == 1
    assert "do not pay for the smallest run" in result.output


def test_a_budget_that_buys_no_run_of_one_group_leaves_the_others_their_plans(table, tmp_path):
    small = pd.read_csv(table)[["params", "tokens", "loss"]].assign(family="small")
    large = small.assign(family="large", params=100 * small["params"], tokens=100 * small["tokens"])
    large["loss"] = LAW.loss(large["params"], large["tokens"]) * np.exp(0.004 * np.sin(np.arange(len(large)) ** 2))
    pd.concat([small, large]).to_csv(path := tmp_path / "two.csv", index=False)
    budget = float((6 * large["params"] * large["tokens"]).min()) / 1000
    options = ("--group", "family", "--flops", "1e24", "--next-budget", budget, "--resamples", 100, "--json")
    found = json.loads(run(path, *options).output)["groups"]
    assert "do not pay for the smallest run" in str(found["large"])
    assert found["small"]["next_runs"]["runs"]


def test_what_the_next_runs_may_be_is_an_option(table):
    options = ("--flops", "1e23", "--resamples", 100, "--next-budget", "1e21", "--json")
    bounds = ("--next-tokens-per-param", 10, 60, "--next-flops-per-run", "2e20", "--next-aim", "a")
    record = json.loads(run(table, *options, *bounds, "--next-size", "300M", "--next-size", "1B").output)["next_runs"]
    rows = pd.DataFrame(record["runs"])
    assert record["aim"] == "a"
    assert set(rows["params"]) <= {3e8, 1e9}
    assert rows["tokens_per_param"].between(10 * (1 - 1e-12), 60 * (1 + 1e-12)).all()
    assert (rows["flops"] <= 2e20).all()
    result = run(table, *options, "--next-tokens-per-param", 60, 10)
    assert result.exit_code == 1
    assert "(low, high)" in result.output


@pytest.mark.slow
def test_a_plan_that_the_runs_do_not_settle_gives_no_number_without_its_interval(tmp_path):
    """Twelve runs, 0.6 % of noise: constants and tables that rest on one size are not printed; what would help is."""
    path = tmp_path / "few.csv"
    design = scaling.simulate.chinchilla_like_design(12, seed=0)
    scaling.simulate_runs(LAW, design, noise=0.006).to_csv(path, index=False)
    said = run(path, "--flops", "1e23", "--resamples", 200)
    assert said.exit_code == 0
    assert "the best size for 1e23 FLOPs is not known within a factor of 2" in said.output
    assert "add runs over a wider range" in said.output
    assert "--next-budget" in said.output
    for words in ("ChinchillaLaw", "another size", "smaller models"):
        assert words not in said.output
    head, rows = said.output.split("compute-optimal, 95% interval\n")
    for line in rows.splitlines()[1:7]:
        assert len(line.split()) >= 4, line
    found = json.loads(run(path, "--flops", "1e23", "--resamples", 200, "--json").output)
    assert found["law"] is found["off_optimum"] is found["overtraining"] is None
    assert found["status"] == "weak"
    assert "not known" in found["open_question"]
    assert set(found["constants"]["alpha"]) == {"estimate", "low", "high"}
    assert all(row["low"] < row["high"] for row in found["allocation"])


@pytest.mark.slow
def test_a_law_that_misses_repeated_runs_carries_no_single_number(tmp_path):
    path = tmp_path / "sweep.csv"
    scaling.load_runs("small_sweep")[["params", "tokens", "loss"]].to_csv(path, index=False)
    said = run(path, "--flops", "1e14", "--resamples", 200)
    assert "the law does not describe these runs" in said.output
    assert "another size" not in said.output
