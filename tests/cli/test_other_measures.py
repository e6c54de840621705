"""Tables of other fields: what is minimised or rises, and what is counted, under their own names in every command."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from reports import asked

import scaling
from scaling.book.chapters import DONE, Outcome, chapters_on_runs
from scaling.book.comparison import comparison_page
from scaling.book.make import as_table
from scaling.book.pages import write_sources
from scaling.book.report import front_page
from scaling.book.summary import summarise
from scaling.cli import main
from scaling.runs.nouns import Nouns, nouns_of

#: of an error rate, for runs of 10^18 to 10^20 FLOP
LAW = scaling.ChinchillaLaw(E=0.08, A=60.0, B=90.0, alpha=0.34, beta=0.30)
FEW = ("--resamples", 100)
RISES = ("--column", "tokens=episodes", "--higher-is-better")


def run(*arguments):
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def errors():
    """Runs whose loss is an error rate."""
    design = scaling.simulate.isoflop_design(np.geomspace(1e18, 1e20, 5), n_sizes=7, law=LAW)
    return scaling.simulate_runs(LAW, design, noise=0.003, seed=5)[["params", "tokens", "loss"]]


@pytest.fixture(scope="module")
def files(errors, tmp_path_factory):
    """The same runs as an error, an accuracy, an accuracy in per cent and a reward, on images or in episodes."""
    place = tmp_path_factory.mktemp("measures")
    N, D, error = (errors[name] for name in ("params", "tokens", "loss"))
    tables = {
        "error": {"params": N, "images": D, "error_rate": error},
        "accuracy": {"params": N, "episodes": D, "accuracy": 0.95 - error},
        "percent": {"params": N, "episodes": D, "top-1 acc (%)": 95 - 100 * error},
        "reward": {"params": N, "episodes": D, "mean_reward": 4e6 * (0.95 - error) - 1e6},
        "tiny": {"params": N, "images": D, "val MSE": 1e-6 * error},
    }
    paths = {name: place / f"{name}.csv" for name in tables}
    for name, columns in tables.items():
        pd.DataFrame(columns).to_csv(paths[name], index=False)
    return paths


@pytest.mark.parametrize(
    ("name", "ceiling", "scale"), [("accuracy", 0.95, 1), ("percent", 95, 100), ("reward", 0.95 * 4e6 - 1e6, 4e6)]
)
def test_what_rises_has_the_law_of_what_it_lacks_of_its_ceiling(files, errors, name, ceiling, scale):
    column = () if name != "percent" else ("--column", "loss=top-1 acc (%)")
    options = (*RISES, *column, "--ceiling", ceiling)
    found = json.loads(run("fit", files[name], *options, "--approach", 3, *FEW, "--json").stdout)
    constants = {row["name"]: row["estimate"] for row in found["approaches"]["3"]["constants"]}
    truth = scaling.fit_parametric(errors).law
    for constant in ("alpha", "beta"):
        assert constants[constant] == pytest.approx(getattr(truth, constant), rel=1e-5)
    for constant in ("E", "A", "B"):
        assert constants[constant] == pytest.approx(scale * getattr(truth, constant), rel=1e-3)


def test_the_commands_say_the_words_of_the_table(files):
    options = (*RISES, "--ceiling", 0.95)
    checked = run("check", files["accuracy"], *options).output
    assert "`loss` is what accuracy lacks of 0.95, called missing accuracy, and `tokens` are episodes" in checked
    assert "0.95 - accuracy" in checked
    assert "episodes per param" in checked
    planned = run("plan", files["accuracy"], *options, "--flops", "1e21", *FEW).output
    assert "accuracy of the compute-optimal run, 95% interval" in planned
    assert "tokens" not in planned
    assert "loss" not in planned
    expected = 0.95 - float(scaling.compute_optimal(LAW, 1e21).loss)
    line = next(line for line in planned.splitlines() if "if the form of the law holds" in line)
    value, low, high = (float(part.strip("[],")) for part in line.split()[-3:])
    assert low < value < high
    assert low - 0.002 < expected < high + 0.002
    told = run("fit", files["accuracy"], *options, *FEW).output
    assert "its accuracy" in told
    assert "parametric loss" in told  # the name of the approach
    assert "± 2% of what is missing" in told


def test_an_error_is_called_as_the_table_calls_it(files):
    options = ("--column", "loss=error_rate", "--column", "tokens=images", "--loss-unit", "other")
    planned = run("plan", files["error"], *options, "--flops", "1e21", *FEW).output
    assert "error rate of the compute-optimal run" in planned
    assert "images per param" in planned
    assert "tokens" not in planned


def test_options_and_columns_in_messages_keep_their_names():
    nouns = Nouns(loss="missing accuracy", tokens="episodes", rises="accuracy", ceiling=1.0)
    kept = "--best-of params,tokens keeps 'loss' of `tokens`; tokens_per_param = 20; parametric loss; cross-loss"
    assert nouns.said(kept) == kept
    said = nouns.said("Loss [nats per token] on 3 tokens a token: losses of 2 nats per token, the loss.")
    assert said == "Missing accuracy on 3 episodes an episode: missing accuracies of 2, the missing accuracy."
    assert Nouns().said("tokens and loss") == "tokens and loss"
    bits = Nouns(loss="bits per byte")
    assert bits.said("A loss of 1, the losses, a loss") == "Bits per byte of 1, the bits per byte, bits per byte"


@pytest.mark.parametrize(
    ("column", "how", "noun"),
    [
        ("images", "option", "images"),
        ("Training Samples (M)", "header", "samples"),
        ("n_tokens", "assumed", "tokens"),
        ("dataset size", "option", "tokens"),
        ("steps * n_batches", "product", "tokens"),
        ("class", "option", "tokens"),
    ],
)
def test_what_is_counted_is_said_where_a_header_says_it(column, how, noun):
    row = {"name": "tokens", "column": column, "unit": "count", "from": how}
    assert nouns_of([row]).tokens == noun


def test_programs_get_our_names(files):
    options = (*RISES, "--ceiling", 0.95, "--json")
    found = json.loads(run("plan", files["accuracy"], "--flops", "1e21", *FEW, *options).stdout)
    assert "tokens" in {row["quantity"] for row in found["allocation"]}
    csv = run("check", files["accuracy"], *RISES, "--ceiling", 0.95, "--format", "csv").output
    assert "\nloss,35" in csv


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("accuracy", RISES, "to which limit does it rise? --ceiling 1 for an accuracy"),
        ("accuracy", (*RISES, "--ceiling", 0.7), "it is 0.7 - accuracy; does accuracy rise to 0.7? --ceiling LIMIT"),
        ("accuracy", (*RISES, "--ceiling", "nan"), "--ceiling must be finite"),
        ("accuracy", (*RISES, "--ceiling", 1, "--loss-unit", "bits"), "of a loss that falls"),
        ("accuracy", (), "--column loss='accuracy' --higher-is-better --ceiling 1 fits it against size and tokens"),
        ("reward", (), "--column loss='mean_reward' --higher-is-better --ceiling LIMIT"),
        ("error", ("--ceiling", 1, "--column", "tokens=images"), "--column loss=COLUMN says which column does"),
        (
            "accuracy",
            ("--column", "loss=accuracy", "--column", "tokens=episodes", "--loss-unit", "other"),
            "are they an accuracy or a reward? --higher-is-better --ceiling LIMIT",
        ),
    ],
)
def test_what_is_not_plain_is_asked(files, name, options, words):
    result = run("fit", files[name], *options, *FEW)
    assert result.exit_code != 0
    assert words in " ".join(result.output.split())


def test_two_columns_that_rise_are_asked_about(files, tmp_path):
    table = pd.read_csv(files["accuracy"]).assign(score=lambda t: 10 * t["accuracy"])
    table.to_csv(path := tmp_path / "two.csv", index=False)
    said = run("check", path, *RISES, "--ceiling", 1).output
    assert "'accuracy' and 'score' could each be what rises to it: --column loss=COLUMN" in said


@pytest.mark.parametrize("name", ["reward", "tiny"])
def test_a_loss_in_its_own_unit_may_be_large_or_small(files, name, tmp_path):
    """Neither an error nor what a reward lacks is bounded as nats per token are; a chapter reads them again."""
    options = {"columns": {"tokens": "episodes"}, "ceiling": 4e6} if name == "reward" else {}
    options = options or {"columns": {"tokens": "images", "loss": "val MSE"}, "loss_unit": "other"}
    runs = scaling.load_runs(files[name], **options)
    assert runs.attrs["warnings"] == []
    assert Nouns.of(runs).measures_otherwise
    (text,) = as_table(runs).for_chapter(next(iter(chapters_on_runs()))).values()
    (tmp_path / "runs.csv").write_text(text)
    again = scaling.load_runs(tmp_path / "runs.csv", strict=True)
    assert np.array_equal(again["loss"], runs["loss"])
    assert Nouns.of(again).loss == Nouns.of(runs).loss
    with pytest.raises(scaling.RunsError, match="loss is in nats per token"):
        scaling.check_runs(_bare(runs))


def _bare(runs):
    """The same numbers, which are called nats per token by saying nothing."""
    return pd.DataFrame({name: runs[name].to_numpy() for name in ("params", "tokens", "loss")})


def test_a_report_says_what_the_table_measures(files):
    runs = scaling.load_runs(files["accuracy"], columns={"tokens": "episodes"}, ceiling=0.95)
    answers = asked(runs, 1e21)
    text = front_page(summarise(answers), {}, answers.runs).replace("\u00a0", " ")
    assert "In this table `loss` is what accuracy lacks of 0.95" in text
    value, low, high = answers.record()["loss"]
    assert f"The law expects an accuracy of {0.95 - value:.4g} [{0.95 - high:.4g}, {0.95 - low:.4g}]." in text
    assert "nats" not in text
    assert "episodes per parameter" in text
    assert "Accuracy there" in text
    prose = text.split("How its columns were read")[0].replace("`loss`", "").replace("`tokens`", "")
    assert "loss" not in prose.lower().replace("report-loss.svg", "")


def test_a_chapter_says_how_its_words_are_meant(tmp_path):
    chapter = next(iter(chapters_on_runs()))
    cells = '{"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# A"}], "metadata": {}}'
    outcome = Outcome(DONE, notebook=cells)
    write_sources(tmp_path / "book", "# Front", {chapter: outcome}, "A title", "In this table `tokens` are images.")
    written = json.loads((tmp_path / "book" / "notebooks" / f"{chapter.name}.ipynb").read_text())
    assert "`tokens` are images" in written["cells"][1]["source"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reward", "tiny"])
def test_runs_to_add_are_named_in_any_unit(files, name):
    """What is computed from a table of runs to be, or from several files, is in the unit of the table."""
    options = ("--column", "loss=val MSE", "--column", "tokens=images", "--loss-unit", "other")
    if name == "reward":
        options = (*RISES, "--ceiling", 4e6)
    planned = run(
        "plan", files[name], files[name], *options, "--flops", "1e21", "--next-budget", "1e20", *FEW, "--json"
    )
    assert planned.exit_code == 1
    assert "--drop copies" in planned.output  # one file twice
    options = (*options, "--drop", "copies", "--flops", "1e21", "--next-budget", "1e20", *FEW, "--json")
    found = json.loads(run("plan", files[name], files[name], *options).stdout)
    law = found["law"]
    for each in found["next_runs"]["runs"]:
        assert each["loss"] == pytest.approx(
            scaling.ChinchillaLaw(**law).loss(each["params"], each["tokens"]), rel=1e-9
        )


@pytest.mark.slow
def test_tables_side_by_side_say_what_each_measures(files):
    runs = scaling.load_runs(files["accuracy"], columns={"tokens": "episodes"}, ceiling=0.95)
    other = scaling.load_runs(files["error"], columns={"tokens": "images", "loss": "error_rate"}, loss_unit="other")
    answers = {"a": asked(runs, 1e21), "b": asked(other, 1e21)}
    summaries = {name: summarise(each) | {"chapters": []} for name, each in answers.items()}
    page = comparison_page(summaries, {name: each.brief() | {"asked": True} for name, each in answers.items()})
    assert "loss is what accuracy lacks of 0.95, called missing accuracy, and tokens are episodes." in page
    assert "loss is the error rate of the table, as its numbers are, and tokens are images." in page
    assert "converted to nats" not in page
