"""Rows of one run and number of tokens with several losses: what is asked about, and what is not."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.runs.reading import stream

LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.34)
SHARES = np.arange(1, 11) / 10


def loss(table, noise=0.003, seed=0):
    rng = np.random.default_rng(seed)
    exact = np.asarray(LAW.loss(table["params"], table["tokens"]))
    return table.assign(loss=exact * np.exp(noise * rng.standard_normal(len(table))))


def ends():
    """One row a run, with what tells runs apart."""
    rows = [(N, N * r) for N in (5e7, 1.2e8, 3e8, 7e8, 1.5e9) for r in (5, 15, 45, 130)]
    table = pd.DataFrame(rows, columns=["params", "tokens"])
    return loss(table.assign(run=[f"r{k}" for k in range(len(table))]))


def curves():
    """Ten points of every run."""
    whole = ends()
    parts = [
        row._asdict() | {"tokens": row.tokens * share, "step": k}
        for row in whole.itertuples(index=False)
        for k, share in enumerate(SHARES, 1)
    ]
    table = loss(pd.DataFrame(parts), noise=0.001)
    luck = dict(zip(whole["run"], np.exp(0.003 * np.random.default_rng(1).standard_normal(len(whole))), strict=True))
    table["loss"] *= table["run"].map(luck)
    return table.drop(columns="step")


def twice(table, column, values=("val", "train"), times=0.97, blocks=False):
    """Every row once for each value of a column, the losses of the later ones another."""
    both = [
        table.assign(**({column: value} if column else {}), loss=table["loss"] * times**k)
        for k, value in enumerate(values)
    ]
    whole = pd.concat(both)
    return (whole.sort_values("run", kind="stable") if blocks else whole.sort_index(kind="stable")).reset_index(
        drop=True
    )


def sparse(table):
    """Training losses at every point, losses on held-out text at every third one but not the last."""
    held_out = table[table.groupby("run").cumcount() % 3 == 1]
    return pd.concat(
        [table.assign(split="train", loss=table["loss"] * 0.97), held_out.assign(split="val")]
    ).sort_index()


def two_labels():
    table = twice(twice(ends(), "text", ("c4", "code"), 0.6), "length", (512, 2048), 0.98)
    return table


def logged():
    """A step of the logger that goes on between the two losses of one point."""
    table = twice(curves(), "split")
    return table.assign(_step=table.groupby("run").cumcount())


def one_of_them():
    """One run whose end was measured twice."""
    table = ends()
    return pd.concat([table.iloc[:4], table.iloc[[3]].assign(loss=lambda t: t["loss"] * 0.93), table.iloc[4:]])


TWO = {
    "split": (lambda: twice(ends(), "split"), "split"),
    "split, training first": (lambda: twice(ends(), "split", ("train", "validation"), 1.03), "split"),
    "text": (lambda: twice(ends(), "eval_set", ("c4", "github", "wiki"), 0.6), "eval_set"),
    "context": (lambda: twice(ends(), "eval_ctx", (512, 2048, 8192), 0.97), "eval_ctx"),
    "average of weights": (lambda: twice(ends(), "is_ema", (False, True), 0.985), "is_ema"),
    "rounded weights": (lambda: twice(ends(), "precision", ("bf16", "int4"), 1.08), "precision"),
    "curves, row by row": (lambda: twice(curves(), "split"), "split"),
    "curves, one after the other": (lambda: twice(curves(), "split", blocks=True), "split"),
    "curves, one sparser": (lambda: sparse(curves()), "split"),
    "a logger's step": (logged, "split"),
    "some runs only": (
        lambda: pd.concat([twice(ends().iloc[:6], "split"), ends().iloc[6:].assign(split="val")]),
        "split",
    ),
    "two columns": (two_labels, "text"),
    "two columns, with gaps": (
        lambda: pd.concat(
            [two_labels().query("length == 512").drop(columns="length"), two_labels().query("length == 2048")]
        ),
        "text",
    ),
    "a gap for one of them": (lambda: twice(ends(), "weights", (None, "averaged")), "weights"),
    "no column": (lambda: twice(ends(), ""), None),
    "no column, all curves twice": (lambda: twice(curves(), "", blocks=True), None),
    "one run": (one_of_them, None),
}


@pytest.mark.parametrize("kind", TWO)
def test_several_losses_at_the_end_of_a_run_are_asked_about(kind):
    make, column = TWO[kind]
    with pytest.raises(scaling.RunsError) as asked:
        scaling.load_runs(make())
    (words,) = asked.value.problems
    assert " losses at " in words
    if column is None:
        assert "no column tells them apart" in words
        assert "--drop" in words
        assert "--run run,loss" in words
    else:
        assert f"which {column!r}" in words
        assert f"--where '{column} ==" in words or f"--where 'not {column}'" in words


@pytest.fixture
def streamed(tmp_path, monkeypatch):
    """Reads a table as one that is larger than memory: more than 15 rows."""
    for name, value in {"WHOLE": 15, "DRAWN": 30, "BATCH": 16}.items():
        monkeypatch.setattr(stream, name, value)

    def read(table):
        table.reset_index(drop=True).to_parquet(tmp_path / "t.parquet")
        return scaling.load_runs(tmp_path / "t.parquet")

    return read


@pytest.mark.parametrize("kind", TWO)
def test_a_table_in_memory_and_one_larger_than_memory_are_asked_about_alike(kind, streamed):
    make, column = TWO[kind]
    known = "no column tells them apart" if column is None else f"which {column!r}"
    doors = {scaling.check_runs: "load_runs(df, ", scaling.fit_parametric: "load_runs(df, ", streamed: "of its own"}
    for door, answer in doors.items():
        with pytest.raises(scaling.RunsError) as asked:
            door(make())
        assert known in str(asked.value)
        assert answer.replace("of its own", "its own" if column is None else "their own") in str(asked.value)
        assert "--where" not in str(asked.value)


def test_a_run_whose_end_was_measured_twice_is_found_among_many_of_a_stream(streamed):
    table = pd.concat([curves(), curves().assign(run=lambda t: t["run"] + "b")], ignore_index=True)
    end = table.iloc[[-1]].assign(loss=lambda t: t["loss"] * 0.9)
    streamed(table)
    with pytest.raises(scaling.RunsError, match="run 'r19b' has 2 losses at "):
        streamed(pd.concat([table, end]))


def restarted(column=None, early=False):
    """Runs that went on from an earlier point, with other losses from there on; some from their beginning."""
    parts = []
    for k, (_, points) in enumerate(curves().groupby("run", sort=False)):
        if k % 2:
            parts.append(points.assign(job=0))
            continue
        stop, again = (2, 0) if early else (6, 4)
        parts += [points.iloc[:stop].assign(job=0), points.iloc[again:].assign(loss=points["loss"] * 0.99, job=1)]
    table = pd.concat(parts)
    return table.drop(columns="job") if column is None else table.rename(columns={"job": column})


def ended_again():
    """A few runs that reached their end, and once more from a little earlier."""
    table = curves()
    again = table[table["run"].isin(["r3", "r8"]) & (table.groupby("run").cumcount() >= 8)]
    return pd.concat([table, again.assign(loss=again["loss"] * 0.98)])


def coarse():
    """Tokens so rounded that the last points of a run have one number of them; steps tell their order."""
    table = curves()
    table["step"] = table.groupby("run").cumcount()
    last = table.groupby("run")["tokens"].transform("max")
    return table.assign(tokens=np.where(table["step"] >= 7, last, table["tokens"]))


def falling():
    """A learning rate that falls, and phases of the training, beside rows written again."""
    table = restarted()
    share = table["tokens"] / table.groupby("run")["tokens"].transform("max")
    return table.assign(lr=1e-3 * (1 - share), phase=np.where(share < 0.8, "stable", "decay"))


ONCE = {
    "one row a run": ends,
    "curves": curves,
    "curves with labels": lambda: curves().assign(split="val", optimizer="adam"),
    "seeds": lambda: twice(ends(), "seed", (0, 1, 2), 0.994),
    "replicates": lambda: twice(ends(), "replicate", (0, 1, 2), 0.994),
    "copies": lambda: twice(ends(), "", times=1.0),
    "curves, copied": lambda: twice(curves(), "", times=1.0),
    "copies with fewer digits": lambda: twice(ends(), "", times=0.9999),
    "restarts": restarted,
    "restarts named by jobs": lambda: restarted("job"),
    "restarts from the beginning": lambda: restarted("job", early=True),
    "ends reached again": ended_again,
    "steps beside coarse tokens": coarse,
    "falling rates and phases": falling,
    "other losses beside": lambda: curves().assign(train_loss=lambda t: t["loss"] * 0.97),
    "runs named by their size": lambda: twice(ends(), "optimizer", ("adam", "muon"), 0.98).assign(
        run=lambda t: [f"{N}-{D}-{o}" for N, D, o in zip(t["params"], t["tokens"], t["optimizer"], strict=True)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ONCE)
def test_a_run_with_one_end_is_not_asked_about(kind, streamed):
    for door in (scaling.load_runs, scaling.check_runs, streamed):
        door(ONCE[kind]())


def said(*arguments):
    result = CliRunner().invoke(main, [*map(str, arguments)])
    return result.exit_code, " ".join(result.output.split())


COMMANDS = (("check",), ("fit", "--resamples", "20"), ("plan", "--flops", "1e22", "--resamples", "100"))


@pytest.mark.parametrize("command", [*COMMANDS, ("rerun", "--chapters", "07")], ids=lambda each: each[0])
def test_every_command_asks(command, tmp_path):
    if command[0] == "rerun":
        pytest.importorskip("papermill")
    twice(ends(), "split").to_csv(path := tmp_path / "t.csv", index=False)
    more = ("--out", tmp_path / "book") if command[0] == "rerun" else ()
    code, words = said(command[0], path, *command[1:], *more)
    assert code == 1
    assert "run 'r0' has 2 losses at 250M tokens (lines 2, 3: " in words
    assert "and so have 19 more runs, which 'split' tells apart (val, train): which is meant?" in words


def test_the_question_is_machine_readable(tmp_path):
    twice(ends(), "split").to_csv(path := tmp_path / "t.csv", index=False)
    result = CliRunner().invoke(main, ["check", str(path), "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert not found["usable"]
    assert "which 'split' tells apart" in found["problems"][0]


def constants(frame):
    return scaling.fit_parametric(frame).candidate.constants


@pytest.mark.parametrize("kind", [name for name, (_, column) in TWO.items() if column])
def test_the_condition_that_is_offered_leads_to_the_rows_it_says(kind, tmp_path):
    table = TWO[kind][0]()
    with pytest.raises(scaling.RunsError) as asked:
        scaling.load_runs(table)
    where = asked.value.problems[0].partition("--where '")[2].partition("'")[0]
    kept = scaling.load_runs(table, where=where)
    assert len(kept) < len(table)
    assert not kept.duplicated(["run", "tokens"]).any()


def test_groups_are_fitted_by_themselves_and_seeds_can_be_said(tmp_path):
    table = twice(ends(), "split")
    table.to_csv(path := tmp_path / "t.csv", index=False)
    for command in COMMANDS[1:]:
        code, words = said(command[0], path, *command[1:], "--group", "split")
        assert code == 0, words
        assert "losses at" not in words
    for value in ("val", "train"):
        part = scaling.load_runs(path, where=f"split == '{value}'")
        assert constants(part) == constants(scaling.check_runs(table[table["split"] == value]))
    assert len(scaling.load_runs(twice(ends(), ""), run=["run", "loss"])) == 40
    theirs = twice(ends(), "").rename(columns={"run": "run_name", "loss": "val_loss"})
    with pytest.raises(scaling.RunsError, match="--run run_name,val_loss takes them so"):
        scaling.load_runs(theirs)
    assert len(scaling.load_runs(theirs, run=["run_name", "val_loss"])) == 40
    one_of_them().to_csv(path, index=False)
    assert said("check", path)[0] == 1
    assert said("check", path, "--drop", "5")[0] == 0


def test_units_are_asked_about_only_where_every_loss_of_a_run_raises_the_question(tmp_path):
    with pytest.raises(scaling.RunsError, match="which 'eval_set' tells apart"):
        scaling.load_runs(twice(ends(), "eval_set", ("c4", "github"), 0.41))
    perplexities = twice(ends(), "split").assign(loss=lambda t: np.exp(t["loss"]))
    with pytest.raises(scaling.RunsError, match="are they perplexities"):
        scaling.load_runs(perplexities)


def test_notes_count_the_rows_of_one_run_by_themselves():
    notes = scaling.load_runs(restarted()).attrs["notes"]
    assert "20 rows repeat another's run and tokens: at the end of a run the last counts" in notes
