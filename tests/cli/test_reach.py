"""Options of a fit that reach nothing that was asked for are refused; where they reach something, they are fine."""

import json

import pytest
from click.testing import CliRunner

from scaling.cli import main
from scaling.cli.fit import command
from scaling.cli.reach import REACH

FAST = ("--resamples", 20)


def run(*words):
    return CliRunner().invoke(main, [*map(str, words)])


OF_THREE = [
    ("--fix", "E=1.7"),
    ("--tie", "alpha=beta"),
    ("--objective", "log_squares"),
    ("--objective", "log_huber"),  # the default, and asked for all the same
    ("--delta", "0.01"),
    ("--law", "coupled"),
    ("--rows", "all"),
]


@pytest.mark.parametrize("approach", [1, 2])
@pytest.mark.parametrize("option", OF_THREE)
def test_options_of_approach_3_are_refused_without_it(approach, option, sound_table):
    done = run("fit", sound_table, "--approach", approach, *option, *FAST)
    assert done.exit_code == 2
    assert f"{option[0]} belongs to --approach 3, and --approach {approach} is asked for" in " ".join(
        done.output.split()
    )


@pytest.mark.parametrize("approach", [1, 3])
def test_a_window_is_refused_without_approach_2(approach, sound_table):
    done = run("fit", sound_table, "--approach", approach, "--window", 3, *FAST)
    assert done.exit_code == 2
    assert "--window belongs to --approach 2" in done.output


def test_several_are_named_at_once(sound_table):
    done = run("fit", sound_table, "--approach", 1, "--window", 3, "--tie", "alpha=beta", "--rows", "all", *FAST)
    assert "--window belongs to --approach 2; --rows and --tie belong to --approach 3" in " ".join(done.output.split())


@pytest.mark.parametrize("objective", ["log_squares", "log_absolute", "log_one_sided"])
def test_a_threshold_is_refused_where_the_objective_has_none(objective, sound_table):
    for approach in (3, "all"):
        done = run("fit", sound_table, "--approach", approach, "--objective", objective, "--delta", 0.01, *FAST)
        assert done.exit_code == 2
        assert f"--delta belongs to the objectives log_huber and huber: {objective} has no threshold" in " ".join(
            done.output.split()
        )


@pytest.mark.slow
@pytest.mark.parametrize("option", [("--window", 3), *OF_THREE])
def test_with_all_approaches_every_option_reaches_one(option, sound_table):
    done = run("fit", sound_table, *option, *FAST)
    assert done.exit_code == 0, done.output


def test_rows_of_curves_are_said_to_be_none_where_no_run_has_several(sound_table):
    done = run("fit", sound_table, "--approach", 3, "--rows", "all", *FAST)
    assert "no run of this table has several rows, so --rows all changes nothing" in " ".join(done.output.split())
    record = json.loads(run("fit", sound_table, "--approach", 3, *FAST, "--json").stdout)
    assert not any("--rows all" in note for note in record["notes"])


@pytest.mark.parametrize("option", [("--objective", "huber"), ("--delta", "0.01"), ("--rows", "all")])
def test_the_law_of_one_variable_takes_none_of_them(option, sound_table):
    done = run("fit", sound_table, "--law", "power", "--x", "flops", *option, *FAST)
    assert done.exit_code == 2
    assert f"--law power takes no {option[0]}: --where chooses points" in " ".join(done.output.split())


def test_every_name_in_the_table_is_an_option():
    options = {parameter.name: parameter.opts[0] for parameter in command.params}
    assert {name: options.get(name) for name in REACH} == {name: f"--{name}" for name in REACH}
