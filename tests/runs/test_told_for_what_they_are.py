"""Columns, cells and files that are like what is needed and something else: told for that, with the right next step."""

import re

import numpy as np
import pandas as pd
import pytest

from scaling.errors import RunsError
from scaling.laws.chinchilla import ChinchillaLaw
from scaling.runs import load_runs

LAW = ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.32)


@pytest.fixture(scope="module")
def runs():
    N, ratio = (x.ravel() for x in np.meshgrid(np.geomspace(5e7, 3.2e9, 5).round(-6), [5, 10, 20, 40]))
    return pd.DataFrame({"params": N, "tokens": N * ratio, "loss": LAW.loss(N, N * ratio)})


def asked(source, **how):
    with pytest.raises(RunsError) as refused:
        load_runs(source, **how)
    return " | ".join(refused.value.problems)


@pytest.mark.parametrize("prefix", ["", "M", "G", "T", "P"])
@pytest.mark.parametrize("form", ["{}FLOPs/token", "{}FLOPs per token", "{}flops_per_token"])
def test_compute_per_token_in_any_prefix_is_no_count_of_tokens(runs, prefix, form):
    table = runs.assign(**{form.format(prefix): 6 * runs["params"] / 1e9}).drop(columns="tokens")
    assert "'tokens'" in (words := asked(table))
    assert "--unit tokens" not in words
    with_flops = runs.assign(flops=6 * runs["params"] * runs["tokens"]).drop(columns="tokens")
    worth = {"": 1.0, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}[prefix]
    read = load_runs(with_flops.assign(**{form.format(prefix): 7 * runs["params"] / worth}))
    assert "is 7 times params" in " | ".join(read.attrs["reading"]["notes"])


@pytest.mark.parametrize(
    ("column", "of"),
    [("val_tokens", "tokens"), ("remaining tokens", "tokens"), ("test tokens", "tokens"), ("eval_tokens", "tokens")]
    + [("z_loss", "loss"), ("loss^2", "loss"), ("lm loss + aux", "loss"), ("aux_loss", "loss"), ("router loss", "loss")]
    + [("tflops", "flops"), ("TFLOPS", "flops"), ("peak_tflops", "flops")],
)
def test_what_is_alike_by_name_is_not_offered(runs, column, of):
    table = runs.rename(columns={"tokens" if of == "flops" else of: column})
    words = asked(table)
    assert "looks like it" not in words
    assert f"'{of}'" in words
    assert ("may be a speed" in words) == (of == "flops")


@pytest.mark.parametrize("names", [("loss", "ppl"), ("eval/loss", "lr"), ("train loss", "val loss")])
def test_a_column_of_several_quantities_is_told_and_one_can_be_chosen(runs, names):
    first = runs.rename(columns={"loss": "value"}).assign(metric=names[0])
    other = first.assign(metric=names[1], value=np.exp(first["value"]) if names[1] == "ppl" else first["value"] + 0.1)
    words = asked(table := pd.concat([first, other], ignore_index=True))
    found = re.search(r"'value' holds several quantities.*--where \"(metric == '([^']*)')\" --column loss=value", words)
    read = load_runs(table, where=found[1], columns={"loss": "value"})
    assert len(read) == len(runs)
    assert found[2] != "ppl"


@pytest.mark.parametrize(
    ("unit", "worth"), [("MiB", 2**20), ("GiB", 2**30), ("KiB", 2**10), ("MB", "1e6"), ("GB", "1e9"), ("TB", "1e12")]
)
@pytest.mark.parametrize("name", ["params", "tokens"])
def test_bytes_are_multiplied_by_what_their_prefix_is_worth(runs, unit, worth, name):
    words = asked(runs.rename(columns={name: f"{name} ({unit})"}))
    assert f"`{name} ({unit})` * {worth} * {name.upper()}_PER_BYTE" in words


@pytest.mark.parametrize(("base", "shown"), [(10.0, "10"), (np.e, "2.718281828459045"), (2.0, "2")])
def test_logarithms_to_any_usual_base_are_offered(runs, base, shown):
    table = runs.assign(params=np.log(runs["params"]) / np.log(base), tokens=np.log(runs["tokens"]) / np.log(base))
    words = asked(table)
    derive = {f"{name}_made": f"{shown} ** {name}" for name in ("params", "tokens")}
    for made, how in derive.items():
        assert f"--derive {made}='{how}'" in words
    read = load_runs(table, derive=derive, columns={name: f"{name}_made" for name in ("params", "tokens")})
    assert read["tokens"].to_numpy() == pytest.approx(runs["tokens"].to_numpy())


@pytest.mark.parametrize(("unit", "base"), [("log10", "10"), ("ln", "2.718281828459045"), ("log2", "2")])
def test_a_logarithm_in_brackets_is_told(runs, unit, base):
    C = np.log(6 * runs["params"] * runs["tokens"]) / np.log(float(base))
    table = runs.assign(**{f"FLOPs ({unit})": C}).drop(columns="tokens")
    assert f"--derive flops='{base} ** `FLOPs ({unit})`'" in asked(table)


def test_per_cent_signs_of_an_accuracy_are_read(runs):
    accuracy = 100 / runs["loss"]
    table = runs.drop(columns="loss").assign(accuracy=accuracy.map("{:.4f}%".format))
    read = load_runs(table, columns={"loss": "accuracy"}, ceiling=100.0)
    assert read["loss"].to_numpy() == pytest.approx(100 - accuracy.to_numpy(), abs=1e-4)


@pytest.mark.parametrize("by", ["tokens", "step"])
def test_columns_of_one_loss_a_run_are_an_export(by):
    wide = pd.DataFrame({by: np.arange(1, 9) * 10**8} | {f"gpt_{n}/loss": 3.0 - 0.1 * np.arange(8) for n in "abc"})
    words = asked(wide)
    assert "an export with one column a run: 3 runs, 'loss'" in words
    assert "could each be" not in words


def cells_of(runs):
    return [[f"{r.params:.0f}", f"{r.tokens:.0f}", f"{r.loss:.4f}"] for r in runs.itertuples()]


RULES = {
    "org": ("| params | tokens | loss |\n|--------+--------+------|", "| {} |", ""),
    "psql": (" params | tokens | loss\n--------+--------+------", " {}", "(20 rows)"),
    "mysql": ("+---+---+---+\n| params | tokens | loss |\n+---+---+---+", "| {} |", "+---+---+---+\n20 rows in set"),
    "markdown": ("|params|tokens|loss|\n|-|-|-|", "|{}|", ""),
    "wiki": ("||params||tokens||loss||", "|{}|", ""),
}


@pytest.mark.parametrize("kind", RULES)
def test_tables_of_other_tools_are_read(tmp_path, runs, kind):
    head, row, foot = RULES[kind]
    lines = [head, *(row.format(" | ".join(cells)) for cells in cells_of(runs)), foot]
    (path := tmp_path / "table.txt").write_text("\n".join(lines) + "\n")
    read = load_runs(path)
    assert read["tokens"].to_numpy() == pytest.approx(runs["tokens"].to_numpy())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("CREATE TABLE runs (id INTEGER, loss REAL);\nINSERT INTO runs VALUES (0, 3.1);\n", "this is SQL"),
        ("INSERT INTO runs (params, loss) VALUES\n(5, 4.7),\n(6, 4.3);\n", "this is SQL"),
        ("[2024-01-01 00:00:00] INFO run=r0 params=5 loss=4.7\n", "this is a log, not a table"),
        (
            "      params   tokens  loss\n0  5.0e7  2.5e8  4.7\n1  5.0e7  5.0e8  4.3\n",
            "seem to have blanks between them",
        ),
    ],
)
def test_files_that_are_no_tables_are_told_for_what_they_are(tmp_path, text, words):
    (path := tmp_path / "runs.txt").write_text(text)
    assert words in asked(path)


@pytest.mark.parametrize(
    ("name", "cell", "hint"),
    [
        ("params", "~50M", "write 5e+07"),
        ("loss", "(0.010)", "write 0.01"),
        ("loss", "3.12 nats", "write 3.12"),
        ("loss", "47.21%", "write 47.21"),
        ("loss", "2.31 +- 0.02", "write 2.31"),
        ("loss", "n.d.", "such as 2.31"),
        ("tokens", "350 GB of text", "such as 7e9"),
    ],
)
def test_a_cell_that_is_no_number_is_told_what_to_write(runs, name, cell, hint):
    table = runs.astype(object)
    table.loc[3, name] = cell
    assert f"{cell!r} is not a number: " in (words := asked(table))
    assert hint in words


def test_a_product_of_short_names_is_told(runs):
    table = runs.assign(step=1000, bsz=8, gas=4, world_size=8, ctx_len=2048).drop(columns="tokens")
    assert "tokens could be 'step' x 'bsz' x 'ctx_len', or that times 'gas' and 'world_size'" in asked(table)
