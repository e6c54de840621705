"""Numbers that a table's own words make improbable: asked about with the options that answer, and believed after."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest

from scaling.errors import RunsError
from scaling.laws.chinchilla import ChinchillaLaw
from scaling.runs import load_runs

LAW = ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.32)


@pytest.fixture(scope="module")
def runs():
    """A grid of seven sizes and five ratios of tokens to params, with noise."""
    N, ratio = (x.ravel() for x in np.meshgrid(np.geomspace(5e7, 3.2e9, 7).round(-6), [5, 10, 20, 40, 80]))
    noise = np.random.default_rng(0).normal(0, 0.003, len(N))
    return pd.DataFrame({"params": N, "tokens": N * ratio, "loss": LAW.loss(N, N * ratio) * np.exp(noise)})


def asked(table):
    with pytest.raises(RunsError) as refused:
        load_runs(table)
    return " | ".join(refused.value.problems)


def answered(table, options):
    """The table read with the options of a command line."""
    words = shlex.split(options)
    pairs = {kind: {} for kind in ("--column", "--unit", "--derive")}
    for option, value in zip(words[::2], words[1::2], strict=True):
        name, _, of = value.partition("=")
        pairs[option][name] = of
    return load_runs(table, columns=pairs["--column"], units=pairs["--unit"], derive=pairs["--derive"])


def exchanged(runs, kind):
    N, D, C = runs["params"], runs["tokens"], 6 * runs["params"] * runs["tokens"]
    return {
        "names": pd.DataFrame({"params": D, "tokens": N}),
        "letters": pd.DataFrame({"N": D, "C": C, "P": N}),
        "compute": pd.DataFrame({"N": D, "C": C}),
        "units": pd.DataFrame({"params (M)": D / 1e6, "tokens (B)": N / 1e9}),
        "cells": pd.DataFrame({"params": (D / 1e6).map("{:.6f}M".format), "tokens": (N / 1e9).map("{:.6f}B".format)}),
    }[kind].assign(loss=runs["loss"])


@pytest.mark.parametrize("kind", ["names", "letters", "compute", "units", "cells"])
def test_params_and_tokens_that_are_exchanged_are_asked_about_and_read_either_way(runs, kind):
    table = exchanged(runs, kind)
    words = asked(table)
    assert "up to 0.2 tokens per parameter, where 1 to 10,000 are usual" in words
    options = re.search(r"\? ((?:--column \S+=(?:'[^']*'|\S+) ?)+)", words.replace(";", " "))[1]
    there = answered(table, options)
    assert there["params"].to_numpy() == pytest.approx(runs["params"].to_numpy(), rel=1e-5)
    assert there["tokens"].to_numpy() == pytest.approx(runs["tokens"].to_numpy(), rel=1e-5)
    as_they_are = answered(table, re.search(r", or ((?:--unit \S+ )+)for the numbers as they are", words)[1])
    assert as_they_are["params"].to_numpy() == pytest.approx(runs["tokens"].to_numpy(), rel=1e-5)


@pytest.mark.parametrize("most", [0.4, 4.0])
def test_few_runs_below_one_token_per_parameter_are_no_question(runs, most):
    ratio = np.tile(np.geomspace(0.1, 10 * most, 5), 7)
    table = runs.sort_values("params").assign(tokens=lambda t: t["params"] * ratio)
    assert len(load_runs(table.assign(loss=LAW.loss(table["params"], table["tokens"])))) == 35


@pytest.mark.parametrize(
    ("units", "holds", "hint"),
    [
        (("M", "B"), (1.0, 1.0), "--unit params=count --unit tokens=count"),
        (("M", "M"), (1e6, 1e9), "--unit tokens=billions"),
        (("M", "B"), (1e6, 1e6), "--unit tokens=millions"),
        (("B", "B"), (1e6, 1e9), "--unit params=millions"),
        (("M", "T"), (1e6, 1e9), "--unit tokens=billions"),
        (("K", "B"), (1e6, 1e9), "--unit params=millions"),
    ],
)
@pytest.mark.parametrize("place", ["header", "row"])
def test_a_wrong_unit_in_the_header_is_doubted_like_one_that_is_guessed(tmp_path, runs, units, holds, hint, place):
    cells = {"params": runs["params"] / holds[0], "tokens": runs["tokens"] / holds[1], "loss": runs["loss"]}
    table = pd.DataFrame(cells)
    if place == "header":
        table = table.set_axis([f"params ({units[0]})", f"tokens ({units[1]})", "loss"], axis=1)
        table.to_csv(path := tmp_path / "runs.csv", index=False)
    else:
        lines = table.to_csv(index=False).splitlines()
        path = tmp_path / "runs.csv"
        path.write_text("\n".join([lines[0], f"{units[0]},{units[1]},nats", *lines[1:]]) + "\n")
    words = asked(path)
    assert hint in words
    there = answered(path, hint)
    assert there["tokens"].to_numpy() == pytest.approx(runs["tokens"].to_numpy())
    as_they_are = re.search(r", or ((?:--unit \S+ )+)for the numbers as they are", words)[1]
    assert len(answered(path, as_they_are)) == len(runs)


@pytest.mark.parametrize(("params", "tokens"), [("M", "B"), ("B", "T"), ("K", "M"), ("count", "B")])
def test_a_right_unit_in_the_header_is_believed(runs, params, tokens):
    worth = {"count": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
    table = runs.assign(params=runs["params"] / worth[params], tokens=runs["tokens"] / worth[tokens])
    table = table.set_axis([f"params ({params})", f"tokens ({tokens})", "loss"], axis=1)
    assert load_runs(table)["params"].to_numpy() == pytest.approx(runs["params"].to_numpy())


OF_ANOTHER = ["word", "words", "byte", "bytes", "char", "character", "characters", "document", "sequence", "sentence"]
FORMS = ["{m} ({w})", "{m} (per {w})", "{m} [{w}]", "{w} {m}", "{w}_{m}", "{m}_{w}", "{m}/{w}", "{m} per {w}"]
FORMS += ["{w}-level {m}", "val/{w}_{m}", "{m}_per_{w}"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("measure", ["ppl", "perplexity", "loss", "nll"])
def test_a_loss_or_perplexity_of_something_else_than_a_token_is_never_taken_for_one(runs, measure, form):
    for what in OF_ANOTHER[(len(measure) + len(form)) % 3 :: 3]:
        header = form.format(m=measure, w=what)
        values = np.exp(1.2 * runs["loss"]) if measure.startswith("p") else 1.2 * runs["loss"]
        table = pd.DataFrame({"params": runs["params"], "tokens": runs["tokens"], header: values})
        words = asked(table)
        assert re.search(r"is of a \w+, not of a token", words), words
        with pytest.raises(RunsError, match="not of a token"):
            load_runs(table, columns={"loss": header})
        derived = re.search(r"--derive loss='(.*)'(?: --loss-unit (\w+))?, with", words)
        expression = re.sub(r"TOKENS_PER_\w+", "1.2", derived[1])
        read = load_runs(table, derive={"loss": expression}, loss_unit=derived[2] or "nats")
        assert read["loss"].to_numpy() == pytest.approx(runs["loss"].to_numpy())


@pytest.mark.parametrize("header", ["ppl", "token ppl", "ppl (token)", "perplexity per token", "val_ppl (wikitext)"])
def test_the_perplexity_of_a_token_is_read(runs, header):
    table = pd.DataFrame({"params": runs["params"], "tokens": runs["tokens"], header: np.exp(runs["loss"])})
    assert load_runs(table)["loss"].to_numpy() == pytest.approx(runs["loss"].to_numpy())


@pytest.mark.parametrize("factor", [64, 1000, 2048])
def test_losses_that_are_sums_or_scaled_are_no_perplexities(runs, factor):
    table = runs.assign(loss=factor * runs["loss"])
    with pytest.raises(RunsError) as called:
        load_runs(table, loss_unit="perplexity")
    for words in (asked(table), str(called.value)):
        assert "summed over several tokens, or scaled?" in words
        option = re.search(r"(--derive loss_made='[^']*' --column loss=loss_made)", words)[1]
        read = answered(table, option.replace("NUMBER", str(factor)))
        assert read["loss"].to_numpy() == pytest.approx(runs["loss"].to_numpy())
    insisted = load_runs(table, derive={"perplexity": "loss"}, columns={"loss": "perplexity"}, loss_unit="perplexity")
    assert insisted["loss"].to_numpy() == pytest.approx(np.log(factor * runs["loss"]).to_numpy())


def test_perplexities_by_an_option_are_believed(runs):
    read = load_runs(runs.assign(loss=np.exp(runs["loss"])), loss_unit="perplexity")
    assert read["loss"].to_numpy() == pytest.approx(runs["loss"].to_numpy())
    weak = runs.assign(loss=np.exp(1.4 * runs["loss"]))
    assert len(load_runs(weak, loss_unit="perplexity")) == len(runs)


@pytest.mark.parametrize(("factor", "words"), [(2048, "summed over several tokens, or scaled?"), (1, "in nats?")])
def test_a_header_that_calls_losses_perplexities_is_doubted(runs, factor, words):
    table = runs.assign(loss=factor * runs["loss"]).rename(columns={"loss": "perplexity"})
    assert words in asked(table)
    insisted = load_runs(table, loss_unit="perplexity")
    assert insisted["loss"].to_numpy() == pytest.approx(np.log(factor * runs["loss"]).to_numpy())


@pytest.mark.parametrize(
    ("cells", "hint"),
    [
        ({"params (M)": ("params", 1e6), "flops (EFLOP)": ("flops", 1.0)}, "--unit flops=count"),
        ({"params (M)": ("params", 1e6), "flops (1e18)": ("flops", 1e21)}, "--unit flops=1e21"),
        ({"params": ("params", 1.0), "compute (PF-days)": ("flops", 1e18)}, "--unit flops=1e18"),
        ({"params (B)": ("params", 1e6), "C": ("flops", 1.0)}, "--unit params=millions"),
        ({"tokens (M)": ("tokens", 1e9), "C": ("flops", 1.0)}, "--unit tokens=billions"),
    ],
)
def test_the_likely_unit_is_told_where_size_or_length_follows_from_compute(runs, cells, hint):
    whole = runs.assign(flops=6 * runs["params"] * runs["tokens"])
    table = pd.DataFrame({name: whole[of] / scale for name, (of, scale) in cells.items()}).assign(loss=runs["loss"])
    assert f"{hint} (or another unit)" in asked(table)
    read = answered(table, hint)
    assert read["tokens"].to_numpy() == pytest.approx(runs["tokens"].to_numpy())


def test_wrong_units_in_cells_are_to_be_mended_there(runs):
    table = runs.assign(tokens=(runs["tokens"] / 1e9).map("{:.6f}M".format))
    words = asked(table)
    assert "other units in the cells of 'tokens'" in words
    assert "--unit tokens=billions" not in words
    assert load_runs(table, units={"params": "count", "tokens": "count"})["tokens"].max() == pytest.approx(256e6)
