"""The command ``scaling``: what each command prints, its exit codes, its errors."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bad_tables import CASES, LAW, SOUND, long
from click.testing import CliRunner

import scaling
from scaling.cli import COMMANDS, main


def run(*arguments):
    """The result of ``scaling ARGUMENTS``; an exception that a command let through is raised again."""
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_teaches_by_an_example(command):
    words = run(command, "--help").output
    assert f"scaling {command}" in words.split("Example", 1)[1]


def test_datasets_are_those_of_the_package():
    rows = json.loads(run("datasets", "--json").output)
    assert [row["name"] for row in rows] == list(scaling.sources.list_datasets().index)
    lines = run("datasets").output.splitlines()
    assert [line.split()[0] for line in lines[1:] if not line.startswith(" ")] == [row["name"] for row in rows]
    assert max(map(len, lines)) <= 80
    told = re.sub(r"\s+", " ", " ".join(line[lines[0].index("what") :] for line in lines))
    assert all(row["source"] in told for row in rows)


def test_one_data_set_is_told_at_length(monkeypatch, tmp_path):
    monkeypatch.setenv("SCALING_DATA_MIRROR", str(tmp_path))
    for name in scaling.sources.list_datasets().index:
        about = json.loads(run("datasets", name, "--json").output)
        assert about["rows"] == scaling.sources.list_datasets().loc[name, "rows"]
        assert about["sha256"] == scaling.sources.dataset_checksum(name)
        assert Path(about["passport"]).is_file()
        assert bool(about["columns"]) == about["available"] == (about["kind"] == "embedded")
        assert max(map(len, run("datasets", name).output.splitlines())) <= 200
    words = run("datasets", "small_sweep_curves").output
    assert "3,455 rows; embedded; licence: CC BY 4.0" in words
    assert re.search(r"\n  tokens +3,455 +\d", words)
    assert f"to be downloaded at first use: {tmp_path / 'sardana2024'}" in run("datasets", "sardana2024").output


def test_an_unknown_data_set_is_a_refusal():
    result = run("datasets", "small_sweeps")
    assert result.exit_code == 3
    assert "did you mean 'small_sweep'?" in result.output


def test_an_unknown_command_is_a_wrong_command_line():
    assert run("nothing").exit_code == 2


# -- check and fit, on tables that people hand in


def words(said):
    return (said,) if isinstance(said, str) else said


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("command", ["check", "fit"])
def test_bad_tables_get_a_clear_message_or_a_right_result(command, case, tmp_path):
    """No exception passes ``run``; the file stays as it was; nothing that a terminal would obey is printed."""
    path = case.make(tmp_path)
    before = path.read_bytes() if path.is_file() else None
    result = run(command, path, *case.options, *(["--resamples", "20"] if command == "fit" else []))
    assert result.exit_code == case.code, result.output
    for text in words(case.fit_said if command == "fit" and case.fit_said else case.said):
        assert text in result.output
    assert all(character == "\n" or character.isprintable() for character in result.output)
    assert len(result.output) < 12_000
    assert (path.read_bytes() if path.is_file() else None) == before
    assert sorted(tmp_path.iterdir()) == ([path] if path.exists() else [])


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check", "fit"])
def test_a_million_rows_of_text_are_read_whole(command, tmp_path):
    long(path := tmp_path / "runs.csv", 1_000_000)
    result = run(command, path, *(["--resamples", "20"] if command == "fit" else []))
    assert result.exit_code == 0
    assert "1,000,000 runs" in result.output


def test_there_are_enough_of_them():
    assert len({case.name for case in CASES}) == len(CASES) >= 120


#: cases whose numbers are meant to differ from those of the sound table
OTHER_NUMBERS = {"perplexity unsaid", "one size off by a million", "diverged run", "one loss in bits"}
OTHER_NUMBERS |= {
    "a hundred thousand rows",
    "an approach that is not possible",
    "header repeated",
    "failed runs",
    "copies",
    "N/A, skipped",
    "escapes in a status",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [c for c in CASES if c.code == 0 and c.name not in OTHER_NUMBERS], ids=lambda case: case.name
)
def test_what_can_be_read_is_read_right(case, tmp_path):
    answer = json.loads(run("check", case.make(tmp_path), *case.options, "--json").output)
    assert answer["runs"] == len(SOUND)
    ranges = pd.DataFrame(answer["ranges"]).set_index("quantity")
    for place, name in enumerate(("params", "tokens", "loss")):
        column = [row[place] for row in SOUND]
        expected = [min(column), np.median(column), max(column)]
        np.testing.assert_allclose(ranges.loc[name, ["min", "median", "max"]].astype(float), expected, rtol=1e-3)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "runs.csv"
    design = scaling.simulate.isoflop_design(np.geomspace(1e18, 1e21, 5), law=LAW)
    scaling.simulate_runs(LAW, design, noise=0.004, seed=1).to_csv(path, index=False)
    return path


def test_check_as_json(sound, tmp_path):
    answer = json.loads(run("check", sound, "--json").output)
    assert answer["usable"] is True
    assert answer["input"]["sha256"] == hashlib.sha256(sound.read_bytes()).hexdigest()
    assert len(answer["groups"]) == 5
    assert answer["approaches"]["2"]["possible"] is True
    assert answer["approaches"]["1"]["possible"] is False
    refused = run("check", tmp_path / "nothing.csv", "--json")
    assert refused.exit_code == 1
    assert "no such file" in json.loads(refused.output)["problems"][0]


def test_fit_prints_what_the_package_computes(sound):
    answer = json.loads(run("fit", sound, "--resamples", "200", "--seed", "3", "--json").output)
    fit = scaling.fit_parametric(scaling.load_runs(sound))
    boot = scaling.bootstrap(fit, 200, seed=3)
    limits = boot.interval(0.95)
    for row in answer["approaches"]["3"]["constants"]:
        assert row["estimate"] == pytest.approx(fit.law.constants[row["name"]])
        assert [row["low"], row["high"]] == pytest.approx(limits.loc[row["name"]].tolist())
    a = answer["approaches"]["3"]["exponents"]["a"]
    assert a["estimate"] == pytest.approx(fit.law.a)
    assert a["low"] < LAW.a < a["high"]
    second = scaling.bootstrap(scaling.fit_isoflop(scaling.load_runs(sound)), 200, seed=3).interval(0.95)
    a = answer["approaches"]["2"]["exponents"]["a"]
    assert [a["low"], a["high"]] == pytest.approx(second.loc["a"].tolist())
    assert answer["holdout"]["laws"][0]["law"] == "Chinchilla"
    assert answer["versions"]["scaling"] == scaling.__version__
    assert answer["approaches"]["1"]["possible"] is False


@pytest.mark.slow
def test_fit_writes_the_same_as_it_prints(sound, tmp_path):
    out = tmp_path / "fit.json"
    printed = run("fit", sound, "--resamples", "20", "--json", "--out", out).output
    assert json.loads(out.read_text()) == json.loads(printed)
    assert [path.name for path in tmp_path.iterdir()] == ["fit.json"]
    assert "Written" in run("fit", sound, "--resamples", "20", "--out", out).output


def test_fit_never_writes_over_the_table(sound):
    before = sound.read_bytes()
    refused = run("fit", sound, "--out", sound)
    assert refused.exit_code == 1
    assert "never changed" in refused.output
    assert sound.read_bytes() == before
    assert run("fit", sound, "--resamples", "2", "--out", sound.parent / "no" / "fit.json").exit_code == 1


def test_one_approach_alone(sound):
    output = run("fit", sound, "--approach", "2", "--resamples", "20").output
    assert "Approach 2" in output
    assert "Approach 3" not in output
    refused = run("fit", sound, "--approach", "1")
    assert refused.exit_code == 1
    assert "an envelope needs curves" in refused.output


@pytest.mark.slow
def test_the_same_seed_gives_the_same_words(sound):
    first, again = (run("fit", sound, "--resamples", "50").output for _ in range(2))
    assert first == again
    assert run("fit", sound, "--resamples", "50", "--seed", "1").output != first


@pytest.mark.parametrize("option", ["--level=1.5", "--level=0", "--resamples=1", "--seed=-1", "--approach=4"])
def test_impossible_options_are_a_wrong_command_line(sound, option):
    assert run("fit", sound, option).exit_code == 2


@pytest.mark.parametrize("option", ["params", "params=", "=N"])
def test_a_mapping_needs_two_sides(sound, option):
    refused = run("check", sound, "--column", option)
    assert refused.exit_code == 2
    assert "OURS=THEIRS" in refused.output


def test_data_sets_are_tables_too():
    output = run("check", "small_sweep").output
    assert "approach 1, lower envelope of curves: yes" in output
    assert "last point of each of" in run("check", "small_sweep_curves").output
    refused = run("check", "small_sweeep")
    assert refused.exit_code == 1
    assert "did you mean the data set 'small_sweep'?" in refused.output
    assert "takes no options of reading" in run("check", "small_sweep", "--unit", "params=millions").output


def test_a_file_that_may_not_be_read_is_no_fault_of_the_table(sound, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    result = run("check", sound)
    assert result.exit_code == 3
    assert "Permission denied" in result.output


def test_help_and_numbers_need_neither_numpy_nor_pandas():
    code = "import sys, scaling.cli, scaling.cli.quantity; print({'numpy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_package_is_run_as_the_command(sound, tmp_path):
    for arguments in (["--version"], ["check", str(sound)], ["check", "nothing.csv"]):
        done = subprocess.run(
            [sys.executable, "-m", "scaling", *arguments], cwd=tmp_path, capture_output=True, text=True
        )
        here = run(*arguments)
        assert (done.returncode, "Traceback" in done.stderr) == (here.exit_code, False)
        assert done.stdout.splitlines()[1:] == here.stdout.splitlines()[1:]  # the first has the name of what is called
