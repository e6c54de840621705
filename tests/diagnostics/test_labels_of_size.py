"""Labels that change with the size or length of runs: an offset is found, or said not to be told from size."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.diagnostics import find_pooling, inspect_runs
from scaling.simulate import grid_design, isoflop_design

LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.32)
DESIGNS = {
    "grid": grid_design(np.geomspace(5e7, 3.2e9, 7), np.geomspace(5e9, 2e11, 5)),
    "isoflop": isoflop_design(np.geomspace(1e18, 1e21, 6), n_sizes=7, law=LAW),
}


def table(design="grid", column="cluster", by="params", share=0.6, times=1.0, noise=0.003, seed=0, values=("a", "b")):
    """Runs of one law, of which those with the most params, or tokens, have another label and another loss."""
    runs = DESIGNS[design][["params", "tokens"]]
    high = runs[by] > runs[by].quantile(share)
    luck = np.exp(noise * np.random.default_rng(seed).standard_normal(len(runs)))
    exact = np.asarray(LAW.loss(runs["params"], runs["tokens"])) * np.where(high, times, 1.0)
    return scaling.check_runs(runs.assign(**{column: np.where(high, values[1], values[0])}, loss=exact * luck))


def pooled(runs):
    return [(each.kind, each.columns) for each in find_pooling(scaling.fit_parametric(runs))]


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("by", ["params", "tokens"])
@pytest.mark.parametrize("share", [0.4, 0.6, 0.7])
@pytest.mark.parametrize("times", [0.97, 1.03, 1.06])
def test_an_offset_that_the_law_bends_towards_is_found(design, by, share, times):
    assert pooled(table(design, by=by, share=share, times=times)) == [("families", ("cluster",))]


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("by", ["params", "tokens"])
def test_a_label_without_an_offset_raises_no_alarm(design, by):
    for seed in range(8):
        runs = table(design, by=by, share=(0.4, 0.6, 0.7)[seed % 3], noise=(0.002, 0.005)[seed % 2], seed=seed)
        assert pooled(runs) == []


@pytest.mark.parametrize("law", ["coupled", "product"])
def test_nor_does_a_law_of_another_form(law):
    for design in DESIGNS:
        for seed in range(4):
            runs = table(design, seed=seed)
            size, data = LAW.terms(runs["params"], runs["tokens"])
            exact = LAW.E + size + data
            true = LAW.E + ((size + data) ** 0.85 if law == "coupled" else size + data + 0.3 * np.sqrt(size * data))
            assert pooled(runs.assign(loss=runs["loss"] * true / exact)) == []


MEASURES = {
    "tokenizer": ("gpt2", "llama"),
    "config.tokenizer_name": ("gpt2", "llama"),
    "vocab_size": (32000, 128256),
    "val_set": ("c4", "pile"),
    "Evaluation data": ("c4", "pile"),
    "heldout_corpus": ("c4", "pile"),
    "split": ("train", "val"),
}


@pytest.mark.parametrize("column", MEASURES)
def test_losses_of_two_tokenisers_or_on_two_texts_are_no_runs_of_one_law(column):
    runs = table(column=column, values=MEASURES[column])
    (found,) = find_pooling(scaling.fit_parametric(runs))
    assert (found.kind, found.columns) == ("measures", (column,))
    assert f"{column!r} has 2 values" in found.words
    assert "are not comparable" in found.words
    assert "--group" in found.words


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("tokenizer", ("GPT2", "gpt2")),
        ("vocab_size", (50257, 50304)),
        ("val_split", (0.05, 0.1)),
        ("eval_steps", (100, 200)),
        ("eval_batch", ("small", "large")),
    ],
)
def test_what_is_one_tokeniser_or_no_text_is_left_in_peace(column, values):
    assert pooled(table(column=column, values=values)) == []


def test_each_run_with_a_tokeniser_of_its_own_name_is_left_in_peace():
    runs = table().drop(columns="cluster")
    assert pooled(runs.assign(tokenizer=[f"runs/{k}/tokenizer.json" for k in range(len(runs))])) == []


def test_a_loss_per_byte_is_the_same_for_all_tokenisers():
    runs = table(column="tokenizer").assign(loss=lambda t: t["loss"] / 4.5)
    runs = runs.rename(columns={"loss": "loss (bits per byte)"}).drop(columns="flops")
    assert pooled(scaling.load_runs(runs, bytes_per_token=4.5 * np.log(2))) == []


def test_what_noise_hides_is_said_and_not_taken_for_points_of_a_curve():
    looked = inspect_runs(table(noise=0.02), ())
    assert "'cluster' changes with the size and length of runs" in looked.untold
    assert looked.untold in looked.looks
    assert not looked.luck
    assert "--group cluster" in looked.untold


@pytest.mark.parametrize("column", ["size_class", "model_family", "scale"])
def test_the_size_under_another_name_is_not_said(column):
    assert inspect_runs(table(column=column, noise=0.02), ()).untold == ""


def test_nor_is_a_label_that_the_runs_tell():
    assert inspect_runs(table(), ()).untold == ""
    runs = table(noise=0.02).drop(columns="cluster")
    drawn = pd.Series(np.random.default_rng(0).choice(["a", "b"], len(runs)), runs.index)
    assert inspect_runs(runs.assign(user=drawn), ()).untold == ""
