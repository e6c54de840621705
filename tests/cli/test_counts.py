"""What a command counts is called what it is: rows of training curves are rows, and runs are runs."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main


def run(*words):
    result = CliRunner().invoke(main, [*map(str, words)])
    assert result.exit_code == 0, result.output
    return result


def in_line(result):
    return " ".join(result.output.split())


@pytest.mark.parametrize("command", [("check",), ("fit", "--resamples", 20)])
def test_rows_of_curves_are_called_rows(command, logged_curves):
    said = in_line(run(command[0], logged_curves, *command[1:]))
    assert "c.csv: 640 rows of 16 runs; text" in said
    assert "flops of 640 rows follows from flops = 6 N D" in said
    assert "50 of 690 rows left out, those of 2 runs, status not 'finished': 'crashed' 50" in said
    for wrong in ("640 runs", "50 of 690 runs", "runs repeat"):
        assert wrong not in said


def test_ranges_count_both(logged_curves):
    with pytest.warns(scaling.errors.RunsWarning, match="those of 2 runs"):
        runs = scaling.load_runs(logged_curves)
    ranges = scaling.describe_runs(runs)
    assert ranges.loc["rows", "count"] == 640
    assert ranges.loc["runs", ["count", "distinct"]].tolist() == [16, 16]


def test_records_have_both_numbers(logged_curves):
    record = json.loads(run("check", logged_curves, "--json").stdout)
    assert (record["runs"], record["rows"]) == (16, 640)
    record = json.loads(run("fit", logged_curves, "--resamples", 20, "--json").stdout)
    assert (record["input"]["runs"], record["input"]["rows"]) == (16, 640)


def test_rows_of_curves_that_repeat_are_rows(logged_curves, tmp_path):
    table = pd.read_csv(logged_curves)
    twice = pd.concat([table, table.assign(run=table["run"] + "-again")])
    twice.to_csv(path := tmp_path / "twice.csv", index=False)
    said = in_line(run("check", path))
    assert "rows repeat another's params and tokens (kept)" in said
    assert "runs repeat" not in said


def test_a_table_of_runs_is_told_as_before(sound_table):
    said = in_line(run("check", sound_table))
    assert "runs.csv: 15 runs; text" in said
    assert " rows" not in said.split("Ranges")[0]
    record = json.loads(run("check", sound_table, "--json").stdout)
    assert (record["runs"], record["rows"]) == (15, 15)
    assert "rows" not in scaling.describe_runs(scaling.load_runs(sound_table)).index


@pytest.fixture
def two_families(tmp_path):
    """Two families of the same sizes and tokens, one of which has a run twice; a run of the other failed."""
    law = scaling.ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.36)
    runs = scaling.simulate_runs(
        law, scaling.simulate.grid_design([1e8, 4e8, 2e9, 1e10], [1e9, 4e9, 2e10, 1e11]), noise=0.002
    )
    runs = runs[["params", "tokens", "loss"]].assign(status="finished")
    web = pd.concat([runs, runs.iloc[[0]].assign(loss=4.0)]).assign(corpus="web")
    code = runs.assign(corpus="code", loss=runs["loss"] * 0.8)
    lost = code.iloc[[0]].assign(status="failed", tokens=2e9)
    pd.concat([web, code, lost]).to_csv(path := tmp_path / "two.csv", index=False)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("command", [("fit", "--approach", 3), ("plan", "--flops", 1e22)])
def test_notes_of_a_group_are_true_of_it(command, two_families):
    words = (command[0], two_families, *command[1:], "--group", "corpus", "--resamples", 100, "--json")
    groups = json.loads(run(*words).stdout)["groups"]
    about = {name: one.get("table", one) for name, one in groups.items()}
    told = {name: [*one["notes"], *one["warnings"]] for name, one in about.items()}
    assert "flops of 17 runs follows from flops = 6 N D" in told["web"]
    assert "flops of 16 runs follows from flops = 6 N D" in told["code"]
    assert "1 runs repeat another's params and tokens (kept)" in told["web"]
    assert not any("repeat another's" in note for note in told["code"])
    for notes in told.values():
        assert "of the whole table: 1 of 34 runs left out, status not 'finished': 'failed' 1" in notes
        assert not any("33 runs" in note or "17 runs repeat" in note for note in notes)


def test_what_was_filled_in_part_is_not_counted_for_a_group(two_families):
    table = pd.read_csv(two_families)
    table["flops"] = 6 * table["params"] * table["tokens"]
    table.loc[:3, "flops"] = None
    table.to_csv(two_families, index=False)
    words = ("fit", two_families, "--approach", 3, "--group", "corpus", "--resamples", 100, "--json")
    for one in json.loads(run(*words).stdout)["groups"].values():
        assert "of the whole table: flops of 4 runs follows from flops = 6 N D" in one["notes"]
