"""One table of forty runs as people hand it on: in other shapes, units and words, with rows that are no runs."""

import json
import shlex

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main

LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36)
DESIGN = scaling.simulate.isoflop_design([1e18, 3e18, 1e19, 3e19, 1e20], n_sizes=8, law=LAW)
RUNS = scaling.simulate_runs(LAW, DESIGN, noise=0.003, seed=0)[["params", "tokens", "flops", "loss"]]
SHORT = RUNS[["params", "tokens", "loss"]]


def run(*arguments):
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def same(path, *options, runs=40):
    """What check says of a file whose quantities are those of the forty runs."""
    said = run("check", path, "--json", *options).output
    found = json.loads(said)
    assert not found["problems"], said
    assert found["runs"] == runs
    ranges = {row["quantity"]: row for row in found["ranges"]}
    for name in ("params", "tokens", "loss"):
        assert ranges[name]["median"] == pytest.approx(SHORT[name].median(), rel=2e-3), name
    return found


def test_what_deserves_a_look_is_told_to_programs_too(tmp_path):
    table = SHORT.copy()
    table.loc[17, "tokens"] *= 10
    path = written(table, tmp_path)
    found = json.loads(run_check(path))
    assert "tokens 10 times smaller" in found["astray"]
    assert found["astray"] in run("check", path).output
    assert (found["luck"], found["alone"]) == ("", "")
    for command in ("fit", "plan"):
        said = run(command, path, *(("--flops", "1e21") if command == "plan" else ()), "--resamples", 100).output
        assert "--drop 19 leaves it out" in said


def run_check(path):
    return run("check", path, "--json").output


def written(table, tmp_path, **options):
    table.to_csv(path := tmp_path / "t.csv", index=False, **options)
    return path


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_long_table_is_read_a_row_a_run(shuffled, tmp_path):
    long = SHORT.assign(run=[f"r{k}" for k in range(40)]).melt("run", var_name="metric", value_name="value")
    long = long.sample(frac=1, random_state=0) if shuffled else long
    notes = same(written(long, tmp_path))["input"]["notes"]
    assert (
        "this is a long table, in which 'metric' names the quantity of 'value', read as 40 rows, one for each 'run'"
        in notes
    )


def test_what_a_long_table_gives_once_a_run_fills_its_rows(tmp_path):
    rows = []
    for name, run in SHORT.assign(run=[f"r{k}" for k in range(40)]).set_index("run").iterrows():
        rows.append((name, 0, "params", run["params"]))
        for step in range(3):
            part = (step + 1) / 3
            rows += [(name, step, "tokens", run["tokens"] * part), (name, step, "val_loss", run["loss"] / part**0.01)]
    path = written(pd.DataFrame(rows, columns=["run", "step", "key", "value"]), tmp_path)
    found = json.loads(run_check(path))
    assert (found["runs"], found["rows"]) == (40, 120)
    assert any("'params', given once, fill all rows of a run" in words for words in found["input"]["notes"])


def test_a_long_table_with_a_quantity_twice_is_not_guessed_at(tmp_path):
    long = SHORT.assign(run="r").melt("run", var_name="metric", value_name="value")
    assert run("check", written(long, tmp_path)).exit_code == 1


def test_headers_of_two_lines_and_powers_of_ten_in_cells(tmp_path):
    table = pd.DataFrame({"Params\n(M)": RUNS["params"] / 1e6, "D": 0, "Val loss\n(nats/token)": RUNS["loss"]})
    table["D"] = [f"{x / 10 ** int(np.log10(x)):.5f} × 10^{int(np.log10(x))}" for x in RUNS["tokens"]]
    same(written(table, tmp_path))
    raised = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    table["D"] = [f"{x / 1e8:.4f}·10{'8'.translate(raised)}" for x in RUNS["tokens"]]
    same(written(table, tmp_path))


@pytest.mark.parametrize("header", ["FLOPS (TFLOP/s)", "FLOPs (TFLOP/s/GPU)", "flops [TFLOPs per second]"])
def test_a_speed_is_no_count_of_operations(header, tmp_path):
    found = same(written(SHORT.assign(**{header: np.linspace(120, 200, 40)}), tmp_path))
    assert any(f"column {header!r} is carried, not used" in words for words in found["input"]["notes"])
    assert len(found["groups"]) == 5


def test_a_rate_of_days_is_a_count(tmp_path):
    table = pd.DataFrame({"Compute (PFLOP/s-days)": RUNS["flops"] / 8.64e19, "N": RUNS["params"], "L": RUNS["loss"]})
    same(written(table, tmp_path))


def test_logarithms_under_our_own_names(tmp_path):
    table = SHORT.assign(params=np.log10(SHORT["params"]))
    path = written(table, tmp_path)
    said = run("check", path).output
    same(path, *shlex.split(said.split("is it the logarithm to base 10 (")[1].split("), or in which unit")[0]))


def test_logarithms_are_offered_as_such_and_the_option_works(tmp_path):
    table = pd.DataFrame({"N": np.log10(RUNS["params"]), "D": np.log10(RUNS["tokens"]), "loss": RUNS["loss"]})
    path = written(table, tmp_path)
    said = run("check", path).output
    assert "is it the logarithm to base 10 (--derive params='10 ** N'), or in which unit?" in said
    same(path, "--derive", "params=10 ** N", "--derive", "tokens=10 ** D")
    path = written(table.rename(columns={"N": "log10 N", "D": "log2(D)"}), tmp_path)
    said = run("check", path).output
    assert "looks like its logarithm: --derive params='10 ** `log10 N`'" in said
    assert "looks like its logarithm: --derive tokens='2 ** `log2(D)`'" in said


@pytest.mark.parametrize(
    ("header", "divided", "said"),
    [
        (
            "Dataset size (GB)",
            1e9,
            "counts bytes, not tokens: --derive tokens='`Dataset size (GB)` * 1e9 * TOKENS_PER_BYTE'",
        ),
        (
            "D (sequences)",
            1024,
            "counts sequences, not tokens: --derive tokens='`D (sequences)` * TOKENS_PER_SEQUENCE'",
        ),
    ],
)
def test_units_of_something_else_are_told_with_what_makes_tokens_of_them(header, divided, said, tmp_path):
    table = pd.DataFrame({"Params (M)": RUNS["params"] / 1e6, header: RUNS["tokens"] / divided, "Loss": RUNS["loss"]})
    path = written(table, tmp_path)
    assert said in run("check", path).output
    times = f"{divided:g}"
    same(path, "--derive", f"tokens=`{header}` * {times}")


def test_rows_that_are_foretold_are_no_runs(tmp_path):
    table = SHORT.assign(type="measured")
    more = pd.DataFrame({"params": [5e9, 1e10], "tokens": [2e10, 4e10], "loss": [1.9, 1.8], "type": "extrapolated"})
    found = same(written(pd.concat([table, more]), tmp_path))
    assert "2 of 42 runs left out, status not 'finished': 'extrapolated' 2" in " ".join(found["warnings"])
    same(written(SHORT.assign(type="predicted"), tmp_path))  # all of one word say nothing


def test_losses_on_several_sets_are_all_offered(tmp_path):
    sets = {f"{name}_loss": RUNS["loss"] * f for name, f in (("c4", 1.0), ("pile", 0.9), ("wikitext", 1.1))}
    said = run("check", written(RUNS.drop(columns=["loss", "flops"]).assign(**sets), tmp_path)).output
    assert "'c4_loss', 'pile_loss', 'wikitext_loss' look like it: --column loss=COLUMN says which" in said


def test_a_total_beside_the_count_without_embeddings_is_params(tmp_path):
    table = pd.DataFrame({"n_non_embedding": RUNS["params"] * 0.9, "n_total": RUNS["params"]})
    same(written(table.assign(tokens=RUNS["tokens"], loss=RUNS["loss"]), tmp_path))


@pytest.mark.parametrize("change", [np.log, lambda loss: loss / np.log(2) / 4.4])
def test_a_loss_in_another_unit_is_asked_about(change, tmp_path):
    said = run("check", written(SHORT.assign(loss=change(SHORT["loss"])), tmp_path)).output
    assert "times those of published language models of this size" in said


def test_merged_cells_and_an_alphabet_that_was_not_told(tmp_path):
    grid = scaling.simulate.grid_design([5e7, 1e8, 2e8, 4e8], [2e9, 5e9, 1e10, 2e10])[["params", "tokens"]]
    table = grid.assign(loss=LAW.loss(grid["params"], grid["tokens"]))
    table["params"] = table["params"].where(~table["params"].duplicated())
    assert "are the cells merged" in run("check", written(table, tmp_path)).output
    chinese = SHORT.set_axis(["参数量", "训练tokens", "验证loss"], axis=1)
    said = run("check", written(chinese, tmp_path, encoding="gbk")).output
    assert "read as GB 18030, in which headers are known" in said
    chinese = SHORT.set_axis(["大小", "训练量", "结果"], axis=1)
    said = run("check", written(chinese, tmp_path, encoding="gbk")).output
    assert "--encoding decides" in said


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("t.ipynb", '{"cells": [{"cell_type": "code"}], "metadata": {}, "nbformat": 4}', "this is a notebook"),
        (
            "t.tex",
            "\\begin{table}\n\\begin{tabular}{ll}\nN & L \\\\\n1 & 2\n\\end{tabular}\n\\end{table}",
            "this is LaTeX",
        ),
    ],
)
def test_files_of_other_kinds_are_called_by_their_names(name, text, said, tmp_path):
    (tmp_path / name).write_text(text)
    assert said in run("check", tmp_path / name).output


def test_arrays_in_an_archive_are_not_to_be_unpacked(tmp_path):
    np.savez(tmp_path / "t.npz", **{name: SHORT[name] for name in SHORT})
    assert "an archive of NumPy arrays" in run("check", tmp_path / "t.npz").output


def test_a_table_on_its_side_is_no_matrix(tmp_path):
    SHORT.T.to_csv(tmp_path / "t.csv", header=False)
    said = run("check", tmp_path / "t.csv").output
    assert "the table lies on its side: transpose it" in said
    assert "matrix" not in said


def test_sizes_in_two_units_are_told_for_that(tmp_path):
    rng, rows = np.random.default_rng(0), []
    for written_as, size in zip((70, 160, 410, 1.0, 1.4, 2.8), (7e7, 1.6e8, 4.1e8, 1e9, 1.4e9, 2.8e9), strict=True):
        rows += [(written_as, D, LAW.loss(size, D * 1e9) * np.exp(rng.normal(0, 0.003))) for D in (5, 10, 20, 40, 80)]
    path = written(pd.DataFrame(rows, columns=["Params (M)", "Tokens (B)", "Loss"]), tmp_path)
    said = run("check", path).output
    assert "with params a thousand times as large there, one law holds for all runs within 0.3%" in said
    assert "diverged" not in said


def stepped(**more):
    steps = (RUNS["tokens"] / (256 * 2048)).round()
    return SHORT.drop(columns="tokens").assign(steps=steps, batch_size=256, seq_len=2048, **more)


@pytest.mark.parametrize("column", ["tokens", "dataset_size"])
def test_the_size_of_a_data_set_is_not_what_was_read_in_training(column, tmp_path):
    path = written(stepped(**{column: 10**12}), tmp_path)
    said = run("check", path).output
    assert f"column {column!r} is " in said
    options = said.split("is it the size of a data set? ")[1].split(" takes what was read in training")[0]
    same(path, *shlex.split(options))
    assert run("check", path, "--column", f"tokens={column}").exit_code in (0, 1)


def test_steps_of_several_devices_beside_tokens_are_no_question(tmp_path):
    accumulated = np.where(RUNS["params"] > 5e8, 16, 8)
    table = stepped(grad_accum=accumulated, tokens=RUNS["tokens"] * 1.0)
    same(written(table.assign(steps=table["steps"] / accumulated), tmp_path))
    same(written(stepped(tokens=RUNS["tokens"]).assign(batch_size=32), tmp_path))


def test_losses_on_parts_of_the_way_are_all_offered(tmp_path):
    table = SHORT.rename(columns={"loss": "loss_100"}).assign(loss_25=SHORT["loss"] * 1.1, loss_50=SHORT["loss"] * 1.05)
    said = run("check", written(table, tmp_path)).output
    assert "'loss_100'" in said.split("look like it")[0]


def test_a_column_a_size_is_a_matrix_whose_header_is_to_be_named(tmp_path):
    grid = scaling.simulate.grid_design([5e7, 1e8, 2e8, 4e8], [2e9, 5e9, 1e10, 2e10])[["params", "tokens"]]
    wide = grid.assign(loss=LAW.loss(grid["params"], grid["tokens"])).pivot(
        index="tokens", columns="params", values="loss"
    )
    wide.columns = [f"val_loss_{size / 1e6:g}M" for size in wide.columns]
    said = run("check", written(wide.reset_index(), tmp_path)).output
    assert "this is a matrix of 4 rows ('tokens') by 4 columns" in said
    named = wide.reset_index().rename(columns={"tokens": "tokens \\ params"})
    assert json.loads(run("check", written(named, tmp_path), "--json").output)["runs"] == 16


def test_runs_tuned_unequally_are_not_to_be_chosen_among_repeats(tmp_path):
    rates = 10 ** np.random.default_rng(0).uniform(-4, -2, 40)
    table = SHORT.assign(lr=rates, loss=SHORT["loss"] * (1 + 0.01 * np.log(rates / 1e-3) ** 2))
    said = run("check", written(table, tmp_path)).output
    assert "which 'lr' explains: not all runs were tuned alike" in said
    assert "--best-of" not in said


MARKS = [("status", "✅", "❌"), ("exit_code", "0", "137"), ("use", "1", "0"), ("outlier", "no", "yes")]


@pytest.mark.parametrize(("column", "kept", "out"), MARKS, ids=[each[0] for each in MARKS])
def test_rows_that_a_sign_a_code_or_a_choice_leaves_out(column, kept, out, tmp_path):
    bad = SHORT.index % 8 == 5
    table = SHORT.assign(**{column: np.where(bad, out, kept)})
    found = json.loads(run("check", written(table, tmp_path), "--json").output)
    assert found["runs"] == 35


def test_a_code_that_is_never_nought_says_nothing(tmp_path):
    same(written(SHORT.assign(rc=3), tmp_path))


@pytest.mark.parametrize("form", ["sections", "markdown", "comments"])
def test_headings_between_rows_tell_families_apart(form, tmp_path):
    parts = {"Web": SHORT, "Code": SHORT.assign(loss=SHORT["loss"] - 0.4)}
    head = {
        "sections": "m,params,tokens,loss",
        "markdown": "params|tokens|loss\n---|---|---",
        "comments": ",".join(SHORT),
    }
    lines = [head["sections"]] if form == "sections" else []
    for name, part in parts.items():
        lines += [f"{name},,,"] if form == "sections" else [f"# {name}", head[form]]
        mark = "|" if form == "markdown" else ","
        rows = [mark.join(map(repr, map(float, row))) for row in part.to_numpy()]
        lines += [f"m{k},{row}" for k, row in enumerate(rows)] if form == "sections" else rows
    (path := tmp_path / "t.txt").write_text("\n".join(lines) + "\n")
    said = run("plan", path, "--flops", "1e21", "--resamples", 100)
    assert said.exit_code == 1
    assert "which 'heading' explains" in said.output
    found = json.loads(
        run(
            "check", path, "--where", "heading == '# Code'" if form != "sections" else "heading == 'Code'", "--json"
        ).output
    )
    assert found["runs"] == 40
