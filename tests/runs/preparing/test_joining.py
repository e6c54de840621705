"""Several files as one table, packed files, curves beside their runs, names of runs made of several columns."""

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow
import pytest

import scaling
from scaling.errors import RunsError
from scaling.runs import load_runs
from scaling.runs.preparing.joining import joined
from scaling.runs.reading import archives

WILD = Path(__file__).parents[2] / "wild"
TEXT = (WILD / "three_sizes.csv").read_bytes()


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_dot_", "."), data)
    return out.getvalue()


PACKED = {
    "gz": gzip.compress(TEXT),
    "bz2": bz2.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "zst": pyarrow.compress(TEXT, codec="zstd", asbytes=True),
    "zip": zipped(runs_dot_csv=TEXT),
}


@pytest.mark.parametrize("kind", PACKED)
def test_packed_files_are_read_as_they_are(kind, tmp_path):
    (path := tmp_path / f"runs.csv.{kind}").write_bytes(PACKED[kind])
    runs = load_runs(path)
    pd.testing.assert_frame_equal(runs, load_runs(WILD / "three_sizes.csv"))
    assert any("unpacked in memory" in note for note in runs.attrs["reading"]["notes"])


@pytest.mark.parametrize("kind", PACKED)
def test_a_broken_archive_is_refused_in_words(kind, tmp_path):
    (path := tmp_path / "runs").write_bytes(PACKED[kind][: len(PACKED[kind]) // 2])
    with pytest.raises(RunsError, match="cannot be unpacked|is it whole|Zstandard"):
        load_runs(path)


@pytest.mark.parametrize("kind", PACKED)
def test_what_would_not_fit_is_refused(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST", 100)
    (path := tmp_path / "runs").write_bytes(PACKED[kind])
    with pytest.raises(RunsError, match="when unpacked"):
        load_runs(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (zipped(a_dot_csv=TEXT, b_dot_csv=TEXT), "zip archive of 2 files"),
        (zipped(**{"xl/workbook_dot_xml": b"<x/>"}), "a workbook"),
        (zipped(**{"word/document_dot_xml": b"<x/>"}), "an Office document"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "Git LFS pointer"),
        (b"<stata_dta><header>", "Stata"),
    ],
)
def test_what_is_not_read_is_named(data, words, tmp_path):
    (path := tmp_path / "runs").write_bytes(data)
    with pytest.raises(RunsError, match=words):
        load_runs(path)


def test_an_address_is_named():
    with pytest.raises(RunsError, match="download the file first"):
        load_runs("https://example.org/runs.csv")


def test_an_open_file():
    runs = load_runs(io.BytesIO(TEXT))
    pd.testing.assert_frame_equal(runs, load_runs(WILD / "three_sizes.csv"))
    assert runs.attrs["reading"]["name"] == "standard input"


def test_rows_of_several_files(tmp_path):
    frame = pd.read_csv(WILD / "three_sizes.csv")
    frame[:10].to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(frame[10:].to_csv(index=False).encode()))
    runs = joined([load_runs(tmp_path / "a.csv"), load_runs(tmp_path / "b.csv.gz")])
    whole = load_runs(WILD / "three_sizes.csv")
    pd.testing.assert_frame_equal(runs.drop(columns="file").reset_index(drop=True), whole.reset_index(drop=True))
    assert list(runs["file"].unique()) == ["a.csv", "b.csv.gz"]
    assert runs.index[0] == "a.csv:2"


def curves_and_runs(tmp_path):
    law = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.34)
    sizes = {"small": 1e8, "middle": 3e8, "large": 1e9}
    points = [(name, step, law.loss(N, step * 5e5)) for name, N in sizes.items() for step in range(2000, 22000, 2000)]
    pd.DataFrame(points, columns=["name", "step", "val_loss"]).to_csv(tmp_path / "curves.csv", index=False)
    table = pd.DataFrame(
        {"Name": [*sizes], "n_params": [*sizes.values()], "batch_size": 250, "seq_len": 2000, "loss": 3.0}
    )
    table.to_csv(tmp_path / "runs.csv", index=False)
    return law


def test_curves_beside_their_runs(tmp_path):
    law = curves_and_runs(tmp_path)
    table = load_runs(tmp_path / "runs.csv", curves=tmp_path / "curves.csv")
    assert len(table) == 30
    assert table["run"].nunique() == 3
    pd.testing.assert_series_equal(
        table["loss"], pd.Series(law.loss(table["params"], table["tokens"]), table.index), check_names=False
    )


def test_an_export_with_a_column_a_run_beside_the_table_of_runs(tmp_path):
    curves_and_runs(tmp_path)
    long = pd.read_csv(tmp_path / "curves.csv")
    wide = long.pivot(index="step", columns="name", values="val_loss")
    wide.columns = [f"{name} - val/loss" for name in wide.columns]
    wide.rename_axis("Step").to_csv(tmp_path / "wide.csv")
    one = load_runs(tmp_path / "runs.csv", curves=tmp_path / "curves.csv")
    other = load_runs(tmp_path / "runs.csv", curves=tmp_path / "wide.csv")
    columns = ["run", "params", "tokens", "loss"]
    order = [frame[columns].sort_values(columns).reset_index(drop=True) for frame in (one, other)]
    pd.testing.assert_frame_equal(*order)


def test_curves_that_fit_no_run(tmp_path):
    curves_and_runs(tmp_path)
    other = pd.read_csv(tmp_path / "curves.csv").assign(name="nobody")
    other.to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(RunsError, match="'nobody'"):
        load_runs(tmp_path / "runs.csv", curves=tmp_path / "other.csv")


def test_names_of_runs_and_columns_that_follow():
    path = WILD / "checkpoints_no_run_column.csv"
    table = load_runs(path, run=["N", "total_steps", "peak_lr"])
    assert table.groupby("run").size().max() == 20
    raw = pd.read_csv(WILD / "steps_batch_seq.csv")
    table = load_runs(WILD / "steps_batch_seq.csv", derive={"tokens": "steps * batch_size * seq_len / 2"})
    assert table["tokens"].to_list() == (raw["steps"] * raw["batch_size"] * raw["seq_len"] / 2).to_list()
    with pytest.raises(RunsError, match="there is a column 'steps' already"):
        load_runs(WILD / "steps_batch_seq.csv", derive={"steps": "1"})


def test_conditions_know_our_units_and_those_of_the_file():
    path = WILD / "lr_batch_sweep.csv"
    some = load_runs(path, columns={"params": "N"}, where="params <= 2e8 and `D/N` == 20")
    assert set(some["params"]) == {2e8}
    sets = load_runs("small_sweep", where="params > 1e6")
    assert (sets["params"] > 1e6).all()
    assert "--where params > 1e6" in sets.attrs["reading"]["notes"][0]
