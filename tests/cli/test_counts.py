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
