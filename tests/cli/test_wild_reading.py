"""Tables as strangers publish them (``tests/wild``, simulated): read right and said, asked, or truly refused."""

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from scaling.cli import main

WILD = Path(__file__).parents[1] / "wild"
#: the grids of the simulated tables: smallest and largest params and tokens, and runs
GRID = dict(params=(5e7, 1e9), tokens=(6e9, 3e11), runs=45)
BUDGETS = dict(params=(5e7, 8e8), tokens=(1e9, 3e10), runs=20)
TWENTY = dict(params=(5e7, 3.2e9), tokens=(1e9, 2.56e11), runs=20)


def run(*arguments):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def check(name, *options):
    return json.loads(run("check", WILD / name, *options, "--json").output)


def story(answer):
    return " | ".join([*answer["input"]["notes"], *answer["notes"], *answer["warnings"]])


NAMED = ("--column", "params=Weights total (k)", "--column", "tokens=Training set (M)", "--column", "loss=Final NLL")
READ = [
    ("04_total_20_runs.csv", (), TWENTY, "line 22: left out, 'Total (20 runs)'"),
    ("06_lone_quotes.csv", (), TWENTY, "lines 5, 11: a quotation mark"),
    ("09_failed_flag.csv", (), TWENTY | {"runs": 19}, "1 of 20 runs left out, status not 'finished': 'failed' 1"),
    ("bpc_units.csv", ("--loss-unit", "bits"), GRID, ""),
    ("d_is_width.csv", (), BUDGETS, "column 'd' is carried, not taken as tokens"),
    ("epochs.csv", (), GRID, "DataConstrainedLaw"),
    ("excel_europe.csv", (), GRID, "numbers have decimal commas"),
    ("excel_europe_en.csv", (), GRID, "'PPL' is carried, not used: 'Val Loss' is there and says the same"),
    (
        "flops_per_token_column.csv",
        (),
        dict(params=(5e7, 8e8), tokens=(7.1e9 / 6, 2.13e11 / 6), runs=20),
        "'FLOPs/token' is 7.1",
    ),
    ("gpu_hours.csv", (), GRID, ""),
    ("pandas_to_json_default.json", (), GRID, ""),
    ("ratio_columns.csv", (), BUDGETS, ""),
    ("ratio_only.csv", (), BUDGETS, "tokens = 'tokens/param' x params"),
    ("runs_inside_object.json", (), GRID, "the runs are those under 'runs'"),
    ("sizes_as_names.csv", (), GRID, "params are the sizes in column 'model'"),
    ("steps_batch_seq.csv", (), GRID, "tokens = 'steps' x 'batch_size' x 'seq_len'"),
    ("unit_in_brackets_after_column.csv", NAMED, GRID, ""),
    (
        "wandb_runs_table.csv",
        ("--column", "loss=eval/paloma/c4_en/loss"),
        GRID | {"runs": 43},
        "'crashed' 1, 'failed' 1",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options", "truth", "said"), READ, ids=[each[0] for each in READ])
def test_what_can_be_read_is_read_right_and_said(name, options, truth, said):
    answer = check(name, *options)
    assert answer["problems"] == []
    assert answer["runs"] == truth["runs"]
    ranges = pd.DataFrame(answer["ranges"]).set_index("quantity")
    for quantity in ("params", "tokens"):
        found = ranges.loc[quantity, ["min", "max"]].astype(float)
        np.testing.assert_allclose(found, truth[quantity], rtol=1e-3, err_msg=quantity)
    assert 1.9 < ranges.loc["loss", "min"] < ranges.loc["loss", "max"] < 4.2
    assert said in story(answer)
    assert "nan" not in run("fit", WILD / name, *options, "--resamples", "2").output.split("Approach")[0]


ASKED = [
    ("01_millions_taken_as_counts.csv", "--unit params=millions --unit tokens=millions"),
    ("bpc_units.csv", "--loss-unit bits where a token is a character"),
    (
        "wandb_runs_table.csv",
        "'eval/paloma/c4_en/loss' and 'eval/paloma/macro_loss' and 'train/loss' could each be 'loss'",
    ),
    ("07_empty_object.jsonl", "there is no run in it"),
    (
        "crash_empty_first_cell.csv",
        "recognised as 'loss' or as 'params' or as 'tokens' or as 'flops'; columns found: 'model', 'width', 'score'",
    ),
    ("crash_markdown_matrix.md", "a matrix of 5 rows ('dim') by 4 columns (budget), read as 20 runs"),
    ("q2_matrix.csv", "'dim' holds no counts of parameters or tokens"),
    ("one_run_pretty.json", "beside 'config.batch_size' there is no column of the sequence length"),
    ("wandb_wide_export.csv", "an export with one column a run: 9 runs, 'train/loss' by 'Step', read as 270 rows"),
]


@pytest.mark.parametrize("command", ["check", "fit", "plan"])
@pytest.mark.parametrize(("name", "said"), ASKED, ids=[each[0] for each in ASKED])
def test_what_cannot_is_asked_or_named_as_what_it_is(command, name, said):
    result = run(command, WILD / name, *(["--flops", "1e21"] if command == "plan" else []))
    assert result.exit_code == 1
    assert said in result.output


def test_the_answer_to_the_question_about_units_is_taken():
    name = "01_millions_taken_as_counts.csv"
    ranges = {
        unit: pd.DataFrame(check(name, *(f"--unit={n}={unit}" for n in ("params", "tokens")))["ranges"]).set_index(
            "quantity"
        )
        for unit in ("millions", "count")
    }
    assert ranges["millions"].loc["params", "min"] == 1e9
    assert ranges["count"].loc["tokens", "max"] == 5.12e6


def test_a_column_that_stands_there_1500_times_is_refused_at_once(tmp_path):
    path = tmp_path / "runs.csv"
    rows = [[5e7 * 4**i, 1e9 * 4**j, *[3.0] * 1500] for i in range(4) for j in range(5)]
    path.write_text("\n".join(",".join(map(str, row)) for row in [["params", "tokens", *["loss"] * 1500], *rows]))
    run("check", path)
    start = time.process_time()
    result = run("check", path)
    assert time.process_time() - start < 0.5
    assert result.exit_code == 1
    assert "column 'loss' stands there 1,500 times" in result.output


def test_a_mirror_of_nobody_is_a_sentence(monkeypatch):
    monkeypatch.setenv("SCALING_DATA_MIRROR", "~nosuchuser/data")
    result = run("check", "besiroglu2024")
    assert result.exit_code != 0
    assert "there is no home directory of that user" in result.output
