"""Parquet beyond memory: a stream finds what a whole reading finds, and keeps what a fit needs."""

import hashlib
import io
import json
import sys
import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import tqdm
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.diagnostics.approaches import fit_approaches
from scaling.runs.reading import parquet, stream, thinning

LAW = scaling.ChinchillaLaw(E=1.8, A=480.0, B=2085.0, alpha=0.35, beta=0.37)
FEW = 10**9  # rows up to which a table is read whole, where nothing is to be streamed


def points(n=600, seed=0, noise=0.01):
    """Checkpoints without a name of their run: many of small models, few of large ones."""
    rng = np.random.default_rng(seed)
    N = np.round(10 ** (7 + 3 * rng.beta(1, 3, n)))
    D = np.round(20 * N * 10 ** rng.uniform(-0.7, 0.7, n))
    return scaling.simulate_runs(LAW, pd.DataFrame({"params": N, "tokens": D}), noise, seed)[
        ["params", "tokens", "loss"]
    ]


def curves(runs=40, steps=25, seed=0):
    """Checkpoints of named runs, shuffled."""
    rng = np.random.default_rng(seed)
    N = np.repeat(np.round(10 ** rng.uniform(7, 10, runs)), steps)
    length = np.repeat(20 * 10 ** rng.uniform(-0.7, 0.7, runs), steps)
    D = np.round(length * N * np.tile(np.arange(1, steps + 1) / steps, runs))
    table = scaling.simulate_runs(LAW, pd.DataFrame({"params": N, "tokens": D}), 0.01, seed)
    table = table.assign(run=np.repeat([f"run-{k}" for k in range(runs)], steps))
    return table[["run", "params", "tokens", "loss"]].sample(frac=1, random_state=seed)


def folder(path, frame, files=3, **options):
    path.mkdir()
    for k, part in enumerate(np.array_split(np.arange(len(frame)), files)):
        frame.iloc[part].to_parquet(path / f"part-{k}.parquet", index=False, **options)
    return path


@pytest.fixture
def streamed(monkeypatch):
    """Tables of more than 100 rows are streamed, in batches of 64, and some 50 of their rows kept."""
    for name, value in {"WHOLE": 100, "DRAWN": 50, "BATCH": 64, "MOST_RUNS": 100}.items():
        monkeypatch.setattr(stream, name, value)
    monkeypatch.setattr(thinning, "_PENDING", 100)


def told(path, monkeypatch, whole, **options):
    """What reading says: its problems, or mapping, notes and warnings; and the table."""
    monkeypatch.setattr(stream, "WHOLE", FEW if whole else 100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scaling.errors.RunsWarning)
        try:
            runs = scaling.load_runs(path, **options)
        except scaling.RunsError as error:
            return list(error.problems), None
    assert ("thinning" in runs.attrs["reading"]) is not whole
    return [pd.DataFrame(runs.attrs["reading"]["mapping"]).fillna("").to_dict("records"), runs.attrs["warnings"]], runs


# -- the same judgement


def at(rows, **cells):
    """The sound table with some cells of some rows replaced."""
    table = points()
    for name, value in cells.items():
        table[name] = table[name].astype(object) if value is None else table[name]
        table.loc[rows, name] = value
    return table.astype({name: float for name in cells})


SAME = {
    "sound": (points(), {}),
    "zero": (at([3, 70, 500], params=0.0), {}),
    "negative, infinite and missing": (
        at([5], tokens=-1.0).assign(loss=lambda t: t["loss"].mask(t.index == 401, np.inf).mask(t.index == 17)),
        {},
    ),
    "beyond what there is": (at([9, 599], params=1e19), {}),
    "bad rows left out": (at([3, 70, 500], loss=None), {"skip_bad": True}),
    "too little for a count": (points().assign(params=lambda t: t["params"] / 1e9), {}),
    "stated in an option": (points().assign(params=lambda t: t["params"] / 1e9), {"units": {"params": "billions"}}),
    "stated in the header": (points().assign(**{"tokens (B)": lambda t: t.pop("tokens") / 1e9}), {}),
    "perplexity": (points().assign(val_ppl=lambda t: np.exp(t.pop("loss"))), {}),
    "per byte, bytes unknown": (points(), {"loss_unit": "bits_per_byte"}),
    "per byte": (points(), {"loss_unit": "bits_per_byte", "bytes_per_token": 4.0}),
    "PF-days": (points().assign(compute_pf_days=lambda t: 6 * t["params"] * t.pop("tokens") / 8.64e19), {}),
    "other FLOPs": (
        points().assign(flops=lambda t: 6.0 * t["params"] * t["tokens"] * np.where(t.index % 7, 1, 2.5)),
        {},
    ),
    "gaps that follow": (
        points().assign(flops=lambda t: (6.0 * t["params"] * t["tokens"]).mask(t.index % 2 == 0)),
        {},
    ),
    "what follows is impossible": (
        points()
        .assign(flops=lambda t: 6.0 * t["params"] * t["tokens"])
        .assign(
            flops=lambda t: t["flops"].mask(t.index == 250, 1e3),
            tokens=lambda t: t["tokens"].mask(t.index == 250),
        ),
        {},
    ),
    "fewer tokens than there can be": (at([8, 9], tokens=2e3), {}),
    "losses too high": (at([8, 450], loss=40.0), {}),
    "swapped": (points().assign(params_nonembedding=lambda t: t["params"] * np.where(t.index == 333, 1.1, 0.9)), {}),
    "some failed": (points().assign(status=lambda t: np.where(t.index % 5, "finished", "crashed")), {}),
    "other words for finished": (points().assign(state="Completed"), {}),
    "a failed one without loss": (
        at([77], loss=None).assign(status=lambda t: np.where(t.index == 77, None, "done")),
        {},
    ),
    "none finished": (points().assign(status="crashed"), {}),
    "failed ones kept": (
        points().assign(status=lambda t: np.where(t.index % 5, "finished", "x")),
        {"include_failed": True},
    ),
    "no loss": (points().rename(columns={"loss": "accuracy"}), {}),
    "two losses": (points().assign(val_loss=2.0, test_loss=2.0).drop(columns="loss"), {}),
    "named by an option": (points().rename(columns={"loss": "y"}), {"columns": {"loss": "y"}}),
    "no such column": (points(), {"columns": {"loss": "y"}}),
    "whole numbers": (points().astype({"params": "int64", "tokens": "int64", "loss": "float32"}), {}),
    "strict": (points(), {"strict": True}),
    "strict, other names": (points().rename(columns={"loss": "val_loss"}), {"strict": True}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", SAME)
@pytest.mark.parametrize("form", ["file", "folder"])
def test_a_stream_finds_what_a_whole_reading_finds(case, form, tmp_path, streamed, monkeypatch):
    frame, options = SAME[case]
    path = folder(tmp_path / "t", frame) if form == "folder" else tmp_path / "t.parquet"
    if form == "file":
        frame.to_parquet(path, index=False)
    whole, table = told(path, monkeypatch, True, **options)
    thin, part = told(path, monkeypatch, False, **options)
    assert thin == whole
    if table is not None:
        names = [name for name in part if name in table and name != "status"]
        assert {"params", "tokens", "loss", "flops"} <= set(names)
        pd.testing.assert_frame_equal(part[names], table.loc[part.index, names], check_dtype=False, rtol=1e-15)
        done = [note for note in table.attrs["notes"] if "follows" in note]
        assert [note for note in part.attrs["notes"] if "follows" in note] == done
        ranges = part.attrs["reading"]["thinning"]["ranges"]
        assert ranges["loss"] == {"min": table["loss"].min(), "max": table["loss"].max()}
        skipped = [note for note in table.attrs["reading"]["notes"] if "left out" in note or "taken as" in note]
        assert set(skipped) <= set(part.attrs["reading"]["notes"])


def test_numbers_stored_as_text_are_refused_by_column_and_file(tmp_path, streamed):
    path = folder(tmp_path / "t", points())
    points().iloc[:9].astype({"tokens": str}).to_parquet(path / "part-9.parquet")
    with pytest.raises(scaling.RunsError, match=r"column 'tokens' \(tokens\) is stored as \w+ in part-9.parquet"):
        scaling.load_runs(path)


def test_reading_stops_where_everything_is_wrong(tmp_path, streamed, monkeypatch):
    monkeypatch.setattr(stream, "MOST_BAD", 100)
    points().assign(loss=-1.0).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(scaling.RunsError, match="reading stopped after 128 of 600 rows") as error:
        scaling.load_runs(tmp_path / "t.parquet")
    assert "column 'loss', rows 1, 2, 3, 4, 5 and 123 more: negative" in str(error.value)


@pytest.mark.parametrize("skip_bad", [False, True])
def test_counts_that_overflew_are_asked_about(tmp_path, streamed, skip_bad):
    table = points()
    table["tokens"] = (np.linspace(1e8, 9e9, len(table)).astype(np.int64) + 2**31) % 2**32 - 2**31
    table.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(scaling.RunsError, match="did counts overflow 32 bits"):
        scaling.load_runs(tmp_path / "t.parquet", skip_bad=skip_bad)


def test_columns_that_are_not_read_are_named(tmp_path, streamed):
    points().assign(lr=1e-3, host="a").to_parquet(tmp_path / "t.parquet")
    runs = scaling.load_runs(tmp_path / "t.parquet")
    assert "not read: columns 'lr', 'host'" in runs.attrs["reading"]["notes"]


# -- what is kept


@pytest.mark.parametrize("kind", ["string", "category", "int64", "float64"])
def test_the_last_point_of_each_run_is_kept_wherever_it_lies(kind, tmp_path, streamed):
    table = curves()
    if kind != "string":
        codes = table["run"].str[4:].astype(int)
        table["run"] = table["run"].astype("category") if kind == "category" else codes.astype(kind)
    path = folder(tmp_path / "t", table, row_group_size=90)
    runs = scaling.load_runs(path)
    ends = scaling.runs.last_points(runs)
    full = scaling.runs.last_points(scaling.check_runs(table))
    assert len(ends) == 40
    assert len(runs) < len(table)
    key = ["params", "tokens", "loss"]
    assert sorted(map(tuple, ends[key].to_numpy())) == sorted(map(tuple, full[key].to_numpy()))
    record = runs.attrs["reading"]["thinning"]
    assert (record["runs"], record["rows"], record["kept"], record["weights"]) == (40, 1000, len(runs), None)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("failed", [False, True]),
        ("is_failed", [0, 1]),
        ("outcome", ["finished", "diverged"]),
        ("ok", ["yes", "no"]),
    ],
)
def test_columns_that_say_which_runs_failed_are_never_passed_over(tmp_path, streamed, header, cells):
    """A small table heeds them; of a large one they are refused with what to do."""
    frame = points().assign(**{header: np.where(np.arange(600) % 7, *map(np.array, cells))})
    path = folder(tmp_path / "runs", frame)
    with pytest.raises(
        scaling.RunsError, match=f"column {header!r} says which runs failed; of more than 100 rows, write"
    ):
        scaling.load_runs(path)
    frame[header] = np.linspace(0.1, 0.2, 600)
    runs = scaling.load_runs(folder(tmp_path / "other", frame))
    assert any("not read: columns" in note and header in note for note in runs.attrs["reading"]["notes"])


def test_tokens_that_are_a_product_are_refused_with_what_to_do(tmp_path, streamed):
    frame = points()
    frame = frame.assign(steps=frame["tokens"] / 2**20, batch_tokens=2**20).drop(columns="tokens")
    path = folder(tmp_path / "runs", frame)
    words = "tokens would be 'steps' x 'batch_tokens': of a table of more than 100 rows, it has to stand in a column"
    with pytest.raises(scaling.RunsError, match=words):
        scaling.load_runs(path)


def test_of_equal_points_the_later_one_and_rows_without_a_run_are_kept(tmp_path, streamed):
    table = curves(runs=4, steps=50).assign(params=1e8, tokens=2e9, loss=np.linspace(2, 2.003, 200))
    table.iloc[[20, 150], 0] = None
    runs = scaling.load_runs(folder(tmp_path / "t", table))
    ends, full = scaling.runs.last_points(runs), scaling.runs.last_points(scaling.check_runs(table))
    assert sorted(ends["loss"]) == sorted(full["loss"])
    assert len(full) == 6


def test_the_law_of_curves_is_that_of_the_whole_table(tmp_path, streamed, monkeypatch):
    path = folder(tmp_path / "t", curves())
    fits = []
    for whole in (True, False):
        monkeypatch.setattr(stream, "WHOLE", FEW if whole else 100)
        fits.append(fit_approaches(scaling.load_runs(path))[3].law)
    assert fits[0].constants == pytest.approx(fits[1].constants, rel=1e-6)


@pytest.mark.parametrize("size", [7, 64, 1000])
def test_the_rows_that_are_drawn_do_not_depend_on_the_batches(size, tmp_path, streamed, monkeypatch):
    points().to_parquet(tmp_path / "t.parquet", row_group_size=130)
    first = scaling.load_runs(tmp_path / "t.parquet")
    monkeypatch.setattr(stream, "BATCH", size)
    points().to_parquet(tmp_path / "u.parquet", row_group_size=600)
    pd.testing.assert_frame_equal(scaling.load_runs(tmp_path / "u.parquet"), first)


def half_octave(values):
    """The number of the half octave of each value: 1 to 1.5, 1.5 to 2, 2 to 3, ..."""
    fraction, exponent = np.frexp(values.to_numpy())
    return 2 * exponent + (fraction >= 0.75)


def test_weights_add_up_and_no_cell_is_lost(tmp_path, streamed):
    table = points(6000)
    table.to_parquet(tmp_path / "t.parquet")
    runs = scaling.load_runs(tmp_path / "t.parquet")
    assert runs["stands_for"].sum() == pytest.approx(len(table))

    def cells(frame):
        return Counter(zip(*(half_octave(frame[name]) for name in ("params", "tokens")), strict=True))

    full, kept = cells(table), cells(runs)
    assert len(full) > 50
    assert all(kept[cell] >= min(count, thinning.FLOOR) for cell, count in full.items())


def test_a_rare_large_run_is_never_lost(tmp_path, streamed):
    table = points(5000)
    table.loc[4321] = (7e10, 1.4e12, 1.95)
    table.to_parquet(tmp_path / "t.parquet")
    runs = scaling.load_runs(tmp_path / "t.parquet")
    assert runs.loc[4322, ["params", "stands_for"]].tolist() == [7e10, 1.0]


@pytest.mark.slow
def test_the_weighted_estimate_is_that_of_all_rows_up_to_its_spread(monkeypatch, tmp_path):
    """Over tables the thinned estimate of alpha is centred on the full one; its own intervals say the distance."""
    monkeypatch.setattr(stream, "WHOLE", 1000)
    monkeypatch.setattr(stream, "DRAWN", 400)
    away = []
    for seed in range(12):
        table = points(3_000, seed)
        table.to_parquet(tmp_path / "t.parquet")
        monkeypatch.setattr(stream, "SEED", seed)
        runs = scaling.load_runs(tmp_path / "t.parquet")
        thin = fit_approaches(runs, (3,))[3]
        np.testing.assert_array_equal(thin.weights, runs["stands_for"])
        error = scaling.bootstrap(thin, 60).standard_error()["alpha"]
        away.append((thin.law.alpha - scaling.fit_parametric(table).law.alpha) / error)
    assert abs(np.mean(away)) < 3 / np.sqrt(12)
    assert 0.4 < np.std(away) < 1.6


def test_more_runs_than_can_be_followed_are_refused(tmp_path, streamed):
    path = folder(tmp_path / "t", curves(runs=150, steps=4))
    with pytest.raises(scaling.RunsError, match="column 'run' names more than 100 runs, several rows each"):
        scaling.load_runs(path)


def test_runs_of_one_row_each_are_a_sample(tmp_path, streamed):
    path = folder(tmp_path / "t", points().assign(run=lambda t: t.index.astype(str)))
    runs = scaling.load_runs(path)
    assert "stands_for" in runs
    assert any("none twice: each row was taken for a run" in note for note in runs.attrs["reading"]["notes"])


# -- files and folders


def test_a_small_folder_is_read_whole_and_rows_are_named_by_their_file(tmp_path):
    frame = points(30)
    path = folder(tmp_path / "t", frame)
    runs = scaling.load_runs(str(path))
    np.testing.assert_array_equal(runs[["params", "tokens", "loss"]], frame)
    assert runs.index[[0, 29]].tolist() == ["1 of part-0.parquet", "10 of part-2.parquet"]
    lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in sorted(path.iterdir())]
    assert runs.attrs["reading"]["sha256"] == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert runs.attrs["reading"]["kind"] == "Parquet, 3 files"


@pytest.mark.parametrize("whole", [True, False])
def test_folders_names_are_columns_and_hidden_files_are_none(whole, tmp_path, streamed, monkeypatch):
    table = curves(runs=12, steps=30)
    for name, part in table.groupby("run"):
        (tmp_path / "t" / f"run={name}").mkdir(parents=True)
        part.drop(columns="run").to_parquet(tmp_path / "t" / f"run={name}" / "part-0.parquet")
    for name in ("_SUCCESS", "_metadata", ".part-0.parquet.crc"):
        (tmp_path / "t" / name).write_bytes(b"no table")
    (tmp_path / "t" / "README.md").write_text("sweep")
    monkeypatch.setattr(stream, "WHOLE", FEW if whole else 100)
    runs = scaling.load_runs(tmp_path / "t")
    ends = scaling.runs.last_points(runs)
    assert sorted(ends["run"]) == sorted(set(table["run"]))
    assert "README.md: left out, no Parquet" in runs.attrs["reading"]["notes"]
    assert str(runs.index[0]).endswith(" of run=run-0/part-0.parquet")


def refused(path):
    with pytest.raises(scaling.RunsError) as error:
        scaling.load_runs(path)
    return str(error.value)


def test_folders_without_parquet_are_refused_with_what_is_possible(tmp_path):
    assert "this is a folder without Parquet files, it is empty" in refused(tmp_path)
    (tmp_path / "a.csv").write_text("params,tokens,loss\n")
    assert "it holds a.csv: folders are read where they hold Parquet; of other files, name the one" in refused(tmp_path)


def test_a_broken_file_is_named(tmp_path, streamed):
    path = folder(tmp_path / "t", points())
    whole = (path / "part-1.parquet").read_bytes()
    (path / "part-1.parquet").write_bytes(whole[:-20])
    assert "part-1.parquet" in refused(path)
    (path / "part-1.parquet").write_bytes(b"not Parquet")
    assert "part-1.parquet: by its name a Parquet file, and it does not begin as one" in refused(path)
    (path / "part-1.parquet").write_bytes(whole[:40] + bytes(2000) + whole[2040:])  # its footer is sound
    words = refused(path)
    assert "part-1.parquet" in words
    assert "cannot be read" in words


def test_files_with_other_columns_are_named(tmp_path):
    path = folder(tmp_path / "t", points(30).assign(lr=1e-3))
    points(9).rename(columns={"loss": "val_loss"}).to_parquet(path / "part-7.parquet")
    words = refused(path)
    assert "column 'loss' is not in part-7.parquet" in words
    assert "column 'val_loss' is not in part-0.parquet, part-1.parquet, part-2.parquet" in words
    points(9).to_parquet(path / "part-7.parquet")
    runs = scaling.load_runs(path)
    assert "columns 'lr': left out, not in every file" in runs.attrs["reading"]["notes"]
    assert "lr" not in runs


def test_an_interrupted_reading_leaves_nothing_behind(tmp_path, streamed, monkeypatch):
    path = folder(tmp_path / "t", points())

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(stream._Pass, "_describe", interrupt)
    result = CliRunner().invoke(main, ["check", str(path)])
    assert (result.exit_code, result.output.strip()) == (130, "error: interrupted")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["part-0.parquet", "part-1.parquet", "part-2.parquet", "t"]


def test_progress_counts_every_row(tmp_path, streamed, monkeypatch):
    points().to_parquet(tmp_path / "t.parquet")
    bars = []

    class Bar(tqdm.tqdm):
        def close(self):
            bars.append((self.total, self.n))
            super().close()

    monkeypatch.setattr(tqdm, "tqdm", lambda **options: Bar(**options | {"disable": False, "file": io.StringIO()}))
    scaling.load_runs(tmp_path / "t.parquet")
    assert (600, 600) in bars


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    points(9).to_parquet(tmp_path / "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "Parquet needs pyarrow" in refused(tmp_path / "t.parquet")


# -- the commands


def run(*arguments):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.slow
def test_every_command_says_how_a_table_was_thinned(tmp_path, streamed):
    path = folder(tmp_path / "t", points(3000))
    for command in (["check"], ["fit", "--resamples", "20"], ["plan", "--flops", "1e22", "--resamples", "100"]):
        words = " ".join(run(command[0], path, *command[1:]).split())
        assert "3,000 rows, more than 100, were thinned to" in words
        record = json.loads(run(command[0], path, *command[1:], "--json"))["input"]["thinning"]
        assert (record["rows"], record["seed"], record["weights"]) == (3000, 0, "stands_for")
    assert "Ranges of all 3,000 rows" in run("check", path)


@pytest.mark.slow
def test_plan_weighs_the_rows_that_were_drawn(tmp_path, streamed):
    path = folder(tmp_path / "t", points(3000))
    law = json.loads(run("plan", path, "--flops", "1e22", "--resamples", "100", "--json"))["law"]
    runs = scaling.load_runs(path)
    assert law == pytest.approx(scaling.fit_parametric(runs, weights=runs["stands_for"]).law.constants, rel=1e-9)


def test_what_is_opened_is_not_yet_read(tmp_path):
    table = parquet.open_parquet(folder(tmp_path / "t", points(30)))
    assert table.rows == (10, 10, 10)
    assert list(table.types) == ["params", "tokens", "loss"]
