"""Columns, cells and files that are like what is needed and something else: told for that, with the right next step."""

import json
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
        ("[rank0]:2024-01-01 root - INFO - step: 10  loss: 8.7\n" * 3, "this is a log, not a table"),
        ("step 1, loss 4.7, lr 1e-4\nstep 2, loss 4.6, lr 1e-4\nstep 3, loss 4.5, lr 1e-4\n", "this is a log"),
        ("number of parameters: 1.2M\nstep 0: train loss 4.7, val loss 4.8\n", "scaling collect"),
        ("- params: 5e7\n  tokens: 1e9\n  loss: 3.1\n", "this is YAML"),
        ("runs:\n  m0:\n    params: 5e7\n    loss: 3.1\n", "this is YAML"),
        ("[[runs]]\nparams = 5e7\n", "this is TOML"),
        ("runs = [\n  (5e7, 1e9, 3.1),\n]\n", "this is Python code"),
        ("Params & Tokens & Loss \\\\ \\hline\n5e7 & 1e9 & 3.1 \\\\\n", "this is LaTeX"),
        ("======  ======\nparams  tokens\n======  ======\n", "reStructuredText"),
        ("[{'params': 5e7, 'loss': 3.1}]", 'JSON has " around names'),
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


@pytest.mark.parametrize("above", ["Author: X\n\nDate: May\n", "from our last runs\n", "---\ntitle: runs\n---\n", ""])
def test_tables_below_text_are_no_yaml_and_no_code(tmp_path, runs, above):
    rows = runs.assign(checkpoint="step=1000 loss=3.14.pt").to_csv(index=False)
    (path := tmp_path / "runs.csv").write_text(above + rows)
    assert len(load_runs(path)) == len(runs)


def test_comments_within_json_lines_are_left_out(tmp_path, runs):
    lines = ["// ours", *runs.to_json(orient="records", lines=True).splitlines(), "# restarted"]
    (path := tmp_path / "runs.jsonl").write_text("\n".join(lines) + "\n")
    assert len(load_runs(path)) == len(runs)


@pytest.mark.parametrize(
    ("lacking", "header", "worth", "said"),
    [
        ("tokens", "training words", 0.75, "'training words' counts words: --derive tokens='`training words` * "),
        ("tokens", "characters", 4.0, "characters * TOKENS_PER_CHARACTER"),
        ("tokens", "train_bytes", 4.4, "train_bytes * TOKENS_PER_BYTE"),
        ("tokens", "data (GB)", 4.4e-9, "`data (GB)` * 1e9 * TOKENS_PER_BYTE"),
        ("tokens", "consumed_samples", 1 / 2048, "consumed_samples * TOKENS_PER_SEQUENCE"),
        ("flops", "TMACs", 0.5e-12, "TMACs * 1e12 * 2"),
        ("flops", "forward flops", 1 / 3, "3 * `forward flops`"),
        ("params", "embedding params", 0.2, "`embedding params` + `backbone params`"),
    ],
)
def test_counts_of_something_else_are_told_and_not_taken(runs, lacking, header, worth, said):
    """``worth`` of what the header names make one of the quantity that is lacking."""
    table = runs.assign(flops=6 * runs["params"] * runs["tokens"]).drop(columns={"tokens", "flops"} - {lacking})
    table[header] = worth * table.pop(lacking)
    if lacking == "params":
        table = table.assign(tokens=runs["tokens"], **{"backbone params": 0.8 * runs["params"]})
    assert said in asked(table)
    if "samples" not in header:
        named = asked(table, columns={lacking: header})
        assert "this counts" in named
        assert said.split("--derive ")[-1] in named


def test_multiples_of_chinchilla_and_sequences_beside_their_length_are_made_tokens(runs):
    table = runs.drop(columns="tokens").assign(chinchilla=runs["tokens"] / runs["params"] / 20)
    assert "--derive tokens='20 * params * chinchilla'" in asked(table)
    table = runs.drop(columns="tokens").assign(samples=runs["tokens"] / 2048, seq_len=2048)
    assert "--derive tokens='samples * seq_len'" in asked(table)


@pytest.mark.parametrize(
    ("header", "said"),
    [("tokens (per GPU)", "* NUMBER_OF_GPUS'"), ("tokens (planned)", "'planned' says that they were to be read")],
)
def test_tokens_of_one_machine_and_planned_ones_are_no_unknown_units(runs, header, said):
    assert said in asked(runs.rename(columns={"tokens": header}))


def test_a_table_is_of_one_variable_only_where_the_loss_follows_it(runs):
    words = "this is a table of one variable"
    assert words not in asked(runs.drop(columns="tokens").assign(ratio_of_ours=runs["tokens"] / runs["params"]))
    seeds = pd.concat([runs[runs["params"] == runs["params"].max()]] * 2).drop(columns="params")
    assert words in asked(seeds.assign(loss=seeds["loss"] * np.tile([1.0, 1.002], len(seeds) // 2)))


@pytest.mark.parametrize(
    ("header", "unit"),
    [("ln(perplexity)", 1.0), ("val ln ppl", 1.0), ("log2(ppl)", np.log(2)), ("log_2_perplexity", np.log(2))],
)
def test_the_logarithm_of_a_perplexity_is_a_loss(runs, header, unit):
    read = load_runs(runs.assign(**{header: runs["loss"] / unit}).drop(columns="loss"))
    assert read["loss"].to_numpy() == pytest.approx(runs["loss"].to_numpy())


def test_a_logarithm_of_a_perplexity_without_its_base_is_asked_about(runs):
    table = runs.rename(columns={"loss": "log ppl"})
    assert "--column loss='log ppl' takes a natural one, and --loss-unit bits one to base 2" in asked(table)
    for unit, worth in ((None, 1.0), ("bits", np.log(2))):
        read = load_runs(table, columns={"loss": "log ppl"}, loss_unit=unit)
        assert read["loss"].to_numpy() == pytest.approx(worth * runs["loss"].to_numpy())


@pytest.mark.parametrize(
    ("header", "worth"),
    [
        ("compute (TFLOP-hours)", 3.6e15),
        ("exaFLOP/s-hours", 3.6e21),
        ("EFLOP-days", 8.64e22),
        ("flops (GFLOPS-years)", 3.15576e16),
    ],
)
def test_operations_per_second_times_a_time_are_a_count(runs, header, worth):
    table = runs.assign(**{header: 6 * runs["params"] * runs["tokens"] / worth}).drop(columns="tokens")
    assert load_runs(table)["tokens"].to_numpy() == pytest.approx(runs["tokens"].to_numpy())


def named(runs, form):
    return runs.assign(model=[form(row) for row in runs.itertuples()]).drop(columns="params")


def test_sizes_in_names_of_models_are_offered_and_taken(runs):
    table = named(runs, lambda row: f"pythia-{row.params / 1e6:g}m")
    assert "names in 'model' tell sizes ('pythia-50m'): --column params='model' takes these" in asked(table)
    read = load_runs(table, columns={"params": "model"})
    assert read["params"].to_numpy() == pytest.approx(runs["params"].to_numpy())


@pytest.mark.parametrize(
    "form", ["m-{0:g}M-A{1:g}M", "mix-8x{1:g}M", "m-{0:g}M-{1:g}M", "moe-{0:g}M", "web-{0:g}B-tokens"]
)
def test_sizes_that_may_be_of_a_part_are_not(runs, form):
    table = named(runs, lambda row: form.format(6 * row.params / 1e6, row.params / 1e6))
    assert "tell sizes" not in asked(table)
    assert "is not a number" in asked(table, columns={"params": "model"})


def test_lists_of_names_and_values_and_of_points_are_read(tmp_path, runs):
    records = [
        {
            "info": {"status": "FINISHED"},
            "data": {
                "params": [{"key": "n_params", "value": f"{row.params:.0f}"}],
                "metrics": [{"key": "tokens", "value": row.tokens}, {"key": "val_loss", "value": row.loss}],
            },
        }
        for row in runs.itertuples()
    ]
    (path := tmp_path / "runs.json").write_text(json.dumps({"runs": records}))
    assert load_runs(path)["loss"].to_numpy() == pytest.approx(runs["loss"].to_numpy())
    records = [
        {
            "params": row.params,
            "history": [{"tokens": row.tokens * k / 4, "loss": row.loss + 4 - k} for k in range(1, 5)],
        }
        for row in runs.itertuples()
    ]
    path.write_text(json.dumps(records))
    last = load_runs(path).groupby("run", sort=False).last()
    assert last["loss"].to_numpy() == pytest.approx(runs["loss"].to_numpy())


def test_the_last_of_a_curve_is_its_loss(runs):
    table = runs.assign(**{"val_loss MIN": 0.9 * runs["loss"], "val_loss LAST": runs["loss"]}).drop(columns="loss")
    assert load_runs(table)["loss"].to_numpy() == pytest.approx(runs["loss"].to_numpy())
