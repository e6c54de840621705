"""The same answers as a table, JSON, CSV, Markdown and LaTeX; and the options that restrict a fit."""

import csv
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.cli.terminal import FORMATS

FAST = ("--resamples", 100)


def run(*words):
    return CliRunner().invoke(main, [*map(str, words)])


@pytest.fixture(scope="module")
def wide_table(tmp_path_factory):
    """IsoFLOP groups that span a factor of sixteen either way, off their centre, of a law that leans."""
    path = tmp_path_factory.mktemp("wide") / "wide.csv"
    law = scaling.ChinchillaLaw(E=1.9, A=3900.0, B=650.0, alpha=0.46, beta=0.30)
    budgets = np.array([1e18, 1e19, 1e20])
    center = 2 * np.asarray(scaling.compute_optimal(law, budgets).params)
    design = scaling.simulate.isoflop_design(budgets, n_sizes=15, width=16, center=center)
    scaling.simulate_runs(law, design, noise=0.002, seed=1).to_csv(path, index=False)
    return path


def tables_of(text):
    """The tables of comma-separated output, as lists of rows."""
    blocks, block = [], []
    for line in [*text.splitlines(), ""]:
        if line and not line.startswith("#"):
            block.append(line)
        elif block:
            blocks.append(list(csv.reader(io.StringIO("\n".join(block)))))
            block = []
    return blocks


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("fit", *FAST),
        ("plan", "--flops", "1e21", *FAST),
        ("plan", "--flops", "1e23", "--next-budget", "1e20", *FAST),
    ],
)
def test_every_command_has_every_form(words, form, sound_table):
    command, *rest = words
    done = run(command, sound_table, *rest, "--format", form)
    assert done.exit_code == 0, done.output
    if form == "json":
        assert json.loads(done.output) == json.loads(run(command, sound_table, *rest, "--json").output)
    elif form == "csv":
        for rows in tables_of(done.output):
            assert len({len(row) for row in rows}) == 1
            assert len(set(rows[0])) == len(rows[0]), "two columns of one name"
    elif form == "markdown":
        for line in re.findall(r"^\|.*\|$", done.output, re.MULTILINE):
            assert not line.startswith("  ")
        for table in re.findall(r"(?:^\|.*\|\n)+", done.output, re.MULTILINE):
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
            assert re.match(r"\| :?-+:? \|", table.splitlines()[1])
    elif form == "latex":
        assert done.output.count(r"\begin{tabular}") == done.output.count(r"\end{tabular}") > 0
        for shape, body in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", done.output, re.DOTALL):
            for row in body.splitlines():
                if row.endswith(r"\\"):
                    assert len(re.findall(r"(?<!\\)&", row)) == len(shape) - 1
                    assert not re.search(r"(?<![\\^])[_%#]", row)


@pytest.mark.parametrize("form", FORMATS)
def test_the_law_of_one_variable_has_every_form(form, tmp_path):
    x = np.geomspace(1e18, 1e22, 12)
    pd.DataFrame({"flops": x, "loss": 1.7 + 68 * x**-0.09}).to_csv(tmp_path / "two.csv", index=False)
    done = run("fit", tmp_path / "two.csv", "--law", "power", *FAST, "--format", form)
    assert done.exit_code == 0, done.output
    if form == "csv":
        constants, ahead = tables_of(done.output)
        assert float(constants[1][1]) == pytest.approx(1.7, rel=1e-6)
        assert ahead[0] == ["flops", "loss", "95 % interval, low", "95 % interval, high"]


def test_a_law_of_one_variable_that_is_not_there_is_refused_in_words(sound_table):
    done = run("fit", sound_table, "--law", "power", "--x", "params", *FAST)
    assert done.exit_code == 1
    assert "loss against params: loss does not fall with params beyond noise" in done.output
    assert "candidate" not in done.output


def test_numbers_for_programs_have_all_their_digits(sound_table):
    words = ("fit", sound_table, "--approach", "3", *FAST)
    record = json.loads(run(*words, "--json").output)["approaches"]["3"]
    constants = next(rows for rows in tables_of(run(*words, "--format", "csv").output) if rows[0][0] == "constant")
    assert constants[0] == ["constant", "estimate", "95 % interval, low", "95 % interval, high"]
    for row, told in zip(constants[1:], record["constants"], strict=True):
        assert row[0] == told["name"]
        assert [float(x) for x in row[1:]] == pytest.approx([told["estimate"], told["low"], told["high"]], rel=1e-11)


def test_exponents_for_programs_are_those_of_the_record(sound_table):
    """Two intervals stand in one row, of a and of b."""
    words = ("fit", sound_table, *FAST)
    approaches = json.loads(run(*words, "--json").output)["approaches"]
    rows = next(rows for rows in tables_of(run(*words, "--format", "csv").output) if rows[0][:2] == ["approach", "a"])
    for row in rows[1:]:
        told = approaches[row[0][0]]["exponents"]
        expected = [told[name][end] for name in "ab" for end in ("estimate", "low", "high")]
        assert [float(x) for x in row[1:]] == pytest.approx(expected, rel=1e-11)


def test_what_a_file_is_called_is_no_mark_of_a_form(tmp_path):
    """Names of columns that Markdown, LaTeX and a spreadsheet would obey."""
    law = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)
    runs = scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(30, seed=0), 0.003, seed=0)
    path = tmp_path / "runs.csv"
    runs[["params", "tokens", "loss"]].set_axis(["N|_params_", "D % $x^2$", "a,b"], axis=1).to_csv(path, index=False)
    columns = ("--column", "params=N|_params_", "--column", "tokens=D % $x^2$", "--column", "loss=a,b")
    found = {form: run("check", path, *columns, "--format", form).output for form in ("csv", "markdown", "latex")}
    assert ["loss", "a,b"] in [row[:2] for rows in tables_of(found["csv"]) for row in rows]
    assert r"N\|\_params\_" in found["markdown"]
    assert r"N\textbar{}\_params\_" in found["latex"]
    assert r"D \% \$x\textasciicircum{}2\$" in found["latex"]


def test_two_forms_are_one_too_many(sound_table):
    done = run("fit", sound_table, "--json", "--format", "csv")
    assert done.exit_code == 2
    assert "--json and --format csv are two forms" in done.output


def test_given_constants_and_tied_exponents(sound_table):
    runs = scaling.load_runs(sound_table)
    words = ("fit", sound_table, "--approach", "3", *FAST)
    done = run(*words, "--fix", "E=1.9", "--tie", "alpha=beta", "--json")
    record = json.loads(done.output)
    fit = scaling.fit_parametric(runs, fixed={"E": 1.9}, tied=True)
    told = record["approaches"]["3"]
    assert {row["name"]: row["estimate"] for row in told["constants"]} == pytest.approx(fit.law.constants)
    assert [row["given"] for row in told["constants"]] == [True, False, False, False, False]
    assert told["given"] == "E = 1.9, alpha = beta"
    assert record["options"]["fixed"] == {"E": 1.9}
    text = run(*words, "--fix", "E=1.9").output
    assert "given by hand, and taken for exact: E = 1.9; no interval knows of an error in it" in text
    assert "there is no interval" not in text
    assert re.search(r"E +1\.900 +given", text)


@pytest.mark.parametrize(
    ("option", "code", "words"),
    [
        (("--fix", "A=400"), 1, "A cannot be given: of the additive law, E, alpha or beta can"),
        (("--fix", "E=7"), 1, "no law with such an E reaches it"),
        (("--fix", "E=x"), 2, "E: 'x' is not a number"),
        (("--fix", "E"), 2, "'E' is not of the form NAME=VALUE"),
        (("--fix", "alpha=9"), 1, "out of the range of the search"),
        (("--tie", "a=b"), 2, "alpha=beta"),
        (("--window", "1"), 2, "--window"),
        (("--holdout", "loss"), 2, "--holdout"),
        (("--law", "power", "--x", "flops", "--fix", "E=1"), 2, "--law power takes no"),
    ],
)
def test_restrictions_that_make_no_sense_are_refused(option, code, words, sound_table):
    done = (
        run("fit", sound_table, *FAST, "--approach", "3", *option)
        if "power" not in option
        else run("fit", sound_table, *option)
    )
    assert done.exit_code == code, done.output
    assert words in done.output


def test_a_law_can_be_asked_about_larger_models_or_longer_training(tmp_path):
    law = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)
    grid = scaling.simulate.grid_design([1e8, 3e8, 1e9, 3e9, 1e10], [2e9, 6e9, 2e10, 6e10, 2e11])
    runs = scaling.simulate_runs(law, grid, 0.002, seed=0)
    runs.to_csv(tmp_path / "grid.csv", index=False)
    for by, held in (("params", runs["params"] > 5e9), ("tokens", runs["tokens"] > 1e11)):
        record = json.loads(run("fit", tmp_path / "grid.csv", *FAST, "--holdout", by, "--json").output)["holdout"]
        assert f"{by}; predicted: the" in record["split"]
        assert record["runs_predicted"] in (held.sum(), 2 * held.sum())
        compared = scaling.compare_laws(scaling.load_runs(tmp_path / "grid.csv"), by=by)
        assert record["split"] == compared.split
        named = {"params": "largest", "tokens": "trained on the most tokens"}[by]
        assert f"({held.sum()} {named})" in record["best_law"]["words"]
    with pytest.raises(ValueError, match="by must be"):
        scaling.compare_laws(runs, by="loss")


def test_parabolas_that_lean_are_told_and_a_window_narrows_them(wide_table):
    words = ("fit", wide_table, *FAST, "--json")
    wide = json.loads(run(*words).output)["approaches"]
    assert "parabolas lean" in wide["2"]["leaning"]
    assert "--window 3" in wide["2"]["leaning"]
    near = json.loads(run(*words, "--window", "3").output)["approaches"]
    assert "leaning" not in near["2"]
    law = scaling.ChinchillaLaw(E=1.9, A=3900.0, B=650.0, alpha=0.46, beta=0.30)
    C = np.array([1e18, 1e19, 1e20])
    best = np.asarray(scaling.compute_optimal(law, C).params)

    def miss(out):
        k_N, a = (row["estimate"] for row in out["2"]["constants"][:2])
        return float(np.abs(np.log(k_N * C**a / best)).mean())

    assert miss(near) < 0.5 * miss(wide)


def test_the_window_is_where_the_minimum_is_and_says_what_it_left_out(wide_table):
    runs = scaling.load_runs(wide_table)
    fit = scaling.fit_isoflop(runs, window=3.0)
    for row in fit.points.itertuples():
        sizes = fit.runs.loc[fit.runs["budget"] == row.budget, "params"]
        assert (np.abs(np.log(sizes / row.params)) <= np.log(3.0)).all()
        all_sizes = runs.loc[np.isclose(runs["budget"], row.budget), "params"]
        assert len(sizes) == (np.abs(np.log(all_sizes / row.params)) <= np.log(3.0)).sum()
    assert len(fit.runs) + len(fit.dropped) == len(runs)
    assert set(fit.dropped["reason"]) == {"not within a factor of 3 of the minimum of its budget"}
    everything = scaling.fit_isoflop(runs, window=1e6)
    pd.testing.assert_frame_equal(everything.points, scaling.fit_isoflop(runs).points)
    with pytest.raises(scaling.FitError, match=r"within a factor of 1\.1 of the minimum: widen the window"):
        scaling.fit_isoflop(runs, window=1.1)
    with pytest.raises(ValueError, match="window must be larger than 1"):
        scaling.fit_isoflop(runs, window=0.5)


def test_the_lean_of_a_grid_is_that_of_its_parabolas_without_noise():
    """On equally spaced sizes the closed form is what the fit to a table without noise does."""
    law = scaling.ChinchillaLaw(E=1.9, A=3900.0, B=650.0, alpha=0.46, beta=0.30)
    budgets = np.array([1e18, 1e19, 1e20, 1e21])
    best = np.asarray(scaling.compute_optimal(law, budgets).params)
    design = scaling.simulate.isoflop_design(budgets, n_sizes=9, width=8, center=best * [0.5, 1, 2, 1.5])
    fit = scaling.fit_isoflop(scaling.simulate_runs(law, design, 0.0))
    assert scaling.fit.grid_bias(fit, law) == pytest.approx(fit.points["params"] / best, rel=1e-6)


def test_a_difference_without_an_interval_is_called_unknown(logged_curves):
    said = run("fit", logged_curves, "--resamples", 60)
    assert said.exit_code == 0, said.output
    words = " ".join(said.output.split())
    record = json.loads(run("fit", logged_curves, "--resamples", 60, "--json").stdout)
    assert [row["low"] for row in record["differences"]["pairs"]] == [None]
    assert "no difference is told from zero" not in words
    assert "not known for approaches 1 and 3: " in words
    assert "of the resamples have no value, so that the ends are not known" in record["differences"]["words"]
    assert record["differences"]["words"] in words
