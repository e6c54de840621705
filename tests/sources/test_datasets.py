"""Sets of runs: mirror, cache, missing and damaged files. No test here uses the network."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pooch
import pytest
import tqdm
from full_disk import FullDisk

from scaling.errors import DatasetError
from scaling.sources import datasets, downloaded
from scaling.sources.datasets import dataset_checksum, fetch, is_available, list_datasets, read_dataset
from scaling.sources.files import checksum
from scaling.sources.sets import sardana2024

NAMES = [name for name, each in datasets._DATASETS.items() if each.kind == "downloaded"]
EMBEDDED = [name for name, each in datasets._DATASETS.items() if each.kind == "embedded"]


@pytest.fixture
def no_network(monkeypatch):
    """Every download fails at once; returns the URLs that were asked for."""
    asked = []

    def refuse(self, url, output_file, pooch, check_only=False):
        asked.append(url)
        raise OSError("no route to host")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", refuse)
    return asked


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache folder and no mirror."""
    monkeypatch.delenv(downloaded.MIRROR, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path / "cache" / "scaling"


@pytest.fixture
def mirror(monkeypatch, tmp_path):
    monkeypatch.setenv(downloaded.MIRROR, str(tmp_path))
    return tmp_path


@pytest.fixture
def pinned(monkeypatch, tmp_path):
    """A function that gives a set other pins: a text for each of its files."""

    def pin(name, files, **changes):
        (tmp_path / "pins" / name).mkdir(parents=True)
        rows = [f"{file},data/{file},{hashlib.sha256(text).hexdigest()},{len(text)}\n" for file, text in files.items()]
        (tmp_path / "pins" / name / "files.csv").write_text("file,path,sha256,bytes\n" + "".join(rows))
        monkeypatch.setattr(downloaded, "data_file", lambda name: tmp_path / "pins" / name)
        dataset = replace(datasets._DATASETS["sardana2024"], name=name, **changes)
        monkeypatch.setitem(datasets._DATASETS, name, dataset)
        return dataset

    return pin


@pytest.fixture
def invented(pinned):
    """``sardana2024`` with an invented file, so that tests need no real one."""
    metrics = sardana2024.METRICS
    header = ",".join(["Model Name,Parameters,Tokens/Params,Tokens,Smoothed Loss", *metrics])
    content = f"{header}\n1M,1e6,20,2e7,4.0{',0.5' * len(metrics)}\n".encode()
    pinned("sardana2024", {"trainingresults.csv": content}, rows=1)
    return content


@pytest.fixture
def several(pinned):
    """``several2026``: three files in two folders, and two groups."""
    files = {"b/one.csv": b"loss\n3.5\n", "b/two.csv": b"loss\n3.25\n", "a.csv": b"file,group\none,x\ntwo,y\n"}

    def read(folder):
        table = pd.read_csv(folder / "a.csv")
        return table.assign(loss=[pd.read_csv(folder / f"b/{file}.csv").loc[0, "loss"] for file in table["file"]])

    pinned("several2026", files, rows=2, groups={"x": 1, "y": 1}, read=read)
    return files


def put(folder, content):
    path = folder / "sardana2024" / "trainingresults.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_from_the_mirror(mirror, invented, no_network):
    path = put(mirror, invented)
    assert is_available("sardana2024")
    assert fetch("sardana2024") == path
    assert no_network == []


def test_mirror_without_the_file_asks_no_network(mirror, invented, no_network):
    assert not is_available("sardana2024")
    with pytest.raises(DatasetError, match="not in the mirror") as error:
        fetch("sardana2024")
    assert str(mirror / "sardana2024" / "trainingresults.csv") in str(error.value)
    assert "https://raw.githubusercontent.com/nikhilsardana/beyond-chinchilla/190f70e" in str(error.value)
    assert no_network == []


def test_mirror_with_a_damaged_file_names_both_hashes_and_the_file(mirror, invented):
    path = put(mirror, b"something else")
    assert not is_available("sardana2024")
    with pytest.raises(DatasetError) as error:
        fetch("sardana2024")
    for part in (path, hashlib.sha256(b"something else").hexdigest(), hashlib.sha256(invented).hexdigest()):
        assert str(part) in str(error.value)


def test_from_the_cache(cache, invented, no_network):
    path = put(cache, invented)
    assert is_available("sardana2024")
    assert fetch("sardana2024") == path
    assert no_network == []


def test_no_network_says_where_to_get_the_file_and_where_to_put_it(cache, invented, no_network):
    assert not is_available("sardana2024")
    with pytest.raises(DatasetError, match="no route to host") as error:
        fetch("sardana2024")
    dataset = datasets._DATASETS["sardana2024"]
    assert no_network == [dataset.url(dataset.files[0])]
    assert no_network[0] in str(error.value)
    assert str(cache / "sardana2024" / "trainingresults.csv") in str(error.value)


def download_of(content):
    def download(self, url, output_file, pooch, check_only=False):
        with open(output_file, "wb") as file:
            file.write(content)

    return download


def test_download_is_kept_in_the_cache(cache, invented, monkeypatch):
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download_of(invented))
    path = fetch("sardana2024")
    assert path == cache / "sardana2024" / "trainingresults.csv"
    assert path.read_bytes() == invented
    assert is_available("sardana2024")


def test_damaged_file_in_the_cache_is_replaced(cache, invented, monkeypatch):
    path = put(cache, b"damaged")
    assert not is_available("sardana2024")
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download_of(invented))
    assert fetch("sardana2024").read_bytes() == path.read_bytes() == invented


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the names of open files are Linux's")
def test_on_a_full_disk_what_was_there_stays(cache, invented, monkeypatch):
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download_of(invented))
    path = put(cache, b"damaged")
    with FullDisk(cache) as disk:
        assert fetch("sardana2024").read_bytes() == invented
    refused = 0
    for at in range(1, disk.count + 1):
        path.write_bytes(b"damaged")
        said = ""
        try:
            with FullDisk(cache, at):
                fetch("sardana2024")
        except DatasetError as error:
            said = str(error)
            refused += 1
        # nothing is said of a file whose letters nobody needs, or one that was copied where it could not be renamed
        assert path.read_bytes() == (b"damaged" if said else invented)
        assert not said or ("No space left on device" in said and f"put it at {path}" in said)
        assert [each.name for each in path.parent.iterdir()] == [path.name], at
    assert refused


def test_changed_file_upstream_is_refused(cache, invented, monkeypatch):
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download_of(b"changed"))
    with pytest.raises(DatasetError) as error:
        fetch("sardana2024")
    for content in (b"changed", invented):
        assert hashlib.sha256(content).hexdigest() in str(error.value)
    assert not is_available("sardana2024")


@pytest.mark.parametrize("call", [fetch, is_available, read_dataset])
def test_unknown_name_lists_the_known_ones(call):
    with pytest.raises(DatasetError, match="known: small_sweep, .*besiroglu2024, .*sardana2024"):
        call("chinchilla")


def test_list(cache):
    table = list_datasets()
    assert table.index.tolist() == EMBEDDED + NAMES
    assert table.columns.tolist() == ["kind", "rows", "groups", "licence", "source", "available"]
    assert table["available"].tolist() == [True] * len(EMBEDDED) + [False] * len(NAMES)
    assert (table["available"] == (table["kind"] == "embedded")).all()


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_sets_need_neither_cache_nor_mirror(name, cache, no_network):
    assert is_available(name)
    assert fetch(name).is_file()
    assert len(read_dataset(name)) == list_datasets().loc[name, "rows"]
    assert no_network == []


@pytest.mark.parametrize("name", NAMES)
def test_files_are_pinned_to_a_commit_and_a_checksum(name):
    dataset = datasets._DATASETS[name]
    assert re.fullmatch("[0-9a-f]{40}", dataset.commit)
    assert dataset.files
    for pin in dataset.files:
        assert dataset.commit in dataset.url(pin)
        assert re.fullmatch("[0-9a-f]{64}", pin.sha256)
        assert pin.bytes > 0
        assert ".." not in Path(pin.file).parts
        assert not Path(pin.file).is_absolute()


def test_invented_set_in_our_columns(mirror, invented):
    put(mirror, invented)
    expected = dict(params=1e6, tokens=2e7, loss=4.0, flops=1.2e14, run="1M at 20", tokens_per_param=20.0)
    expected |= dict.fromkeys(sardana2024.METRICS.values(), 0.5)
    pd.testing.assert_frame_equal(read_dataset("sardana2024"), pd.DataFrame([expected]))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_real_set_in_our_columns(name):
    if not is_available(name):
        pytest.skip(f"the runs of {name} are not here")
    dataset, table = datasets._DATASETS[name], read_dataset(name)
    assert len(table) == dataset.rows
    assert table.index.equals(pd.RangeIndex(len(table)))
    assert table.columns.is_unique
    for column in {"params", "tokens", "loss", "flops"} & set(table):
        known = table[column].dropna()
        assert np.isfinite(known).all(), column
        assert (known > 0).all() or column == "loss", column
    if dataset.groups:
        assert table["group"].value_counts(sort=False).to_dict() == dataset.groups
        for group, rows in dataset.groups.items():
            pd.testing.assert_frame_equal(
                read_dataset(f"{name}/{group}"), table[table["group"] == group].reset_index(drop=True)
            )
            assert rows


# --- several files, and groups ------------------------------------------------------------------------------------


def put_all(folder, files, but=()):
    for file, content in files.items():
        if file not in but:
            path = folder / "several2026" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder / "several2026"


def test_a_set_of_several_files_is_its_folder(mirror, several, no_network):
    folder = put_all(mirror, several)
    assert is_available("several2026")
    assert fetch("several2026") == fetch("several2026/x") == folder
    assert read_dataset("several2026")["loss"].tolist() == [3.5, 3.25]
    assert read_dataset("several2026/y").to_dict("list") == {"file": ["two"], "group": ["y"], "loss": [3.25]}
    assert list_datasets().loc["several2026", "groups"] == "x, y"
    assert no_network == []


def test_the_checksum_of_several_files_is_that_of_their_list(several):
    lines = [f"{hashlib.sha256(several[file]).hexdigest()}  {file}\n" for file in sorted(several)]
    expected = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert dataset_checksum("several2026") == dataset_checksum("several2026/x") == expected


def test_the_missing_file_of_a_mirror_is_named(mirror, several, no_network):
    folder = put_all(mirror, several, but=["b/two.csv"])
    assert not is_available("several2026")
    with pytest.raises(DatasetError, match="b/two.csv of several2026 is not in the mirror") as error:
        fetch("several2026")
    assert f"(sha256 {hashlib.sha256(several['b/two.csv']).hexdigest()}) and put it at {folder / 'b/two.csv'}" in str(
        error.value
    )
    (folder / "b/one.csv").write_bytes(b"loss\n9.5\n")
    with pytest.raises(DatasetError, match="one.csv is not the published file .* 3 files 1 more"):
        fetch("several2026")
    assert no_network == []


def with_bar(files):
    """A download that moves the bar as pooch's own does."""

    def download(self, url, output_file, pooch, check_only=False):
        content = files[url.rpartition("/data/")[2]]
        Path(output_file).write_bytes(content)
        if self.progressbar:
            self.progressbar.total = len(content)
            self.progressbar.update(len(content))

    return download


def test_what_was_interrupted_goes_on_where_it_stopped(cache, several, monkeypatch):
    asked = []

    def download(self, url, output_file, pooch, check_only=False):
        asked.append(url.rpartition("/data/")[2])
        if len(asked) == 2:
            raise OSError("the line is cut")
        Path(output_file).write_bytes(several[asked[-1]])

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download)
    with pytest.raises(
        DatasetError, match="b/one.csv of several2026 could not be downloaded .the line is cut"
    ) as error:
        read_dataset("several2026")
    assert f"put it at {cache / 'several2026' / 'b/one.csv'}" in str(error.value)
    assert len(read_dataset("several2026")) == 2
    assert asked == ["a.csv", "b/one.csv", "b/one.csv", "b/two.csv"]
    (cache / "several2026" / "a.csv").write_bytes(b"damaged")
    assert len(read_dataset("several2026")) == 2
    assert asked[4:] == ["a.csv"]


@pytest.mark.parametrize(("files", "unit"), [(["a.csv"], "B"), (["a.csv", "b/two.csv"], "file")])
def test_a_download_shows_its_progress(cache, several, monkeypatch, capsys, files, unit):
    put_all(cache, several, but=files)
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", with_bar(several))
    shown = tqdm.tqdm
    monkeypatch.setattr(tqdm, "tqdm", lambda *given, **how: shown(*given, **how | {"disable": False, "delay": 0}))
    fetch("several2026")
    assert re.search(rf"several2026: *100%.* {unit}|several2026: 1.*{unit}/s", capsys.readouterr().err)


def test_reading_hashes_each_file_once_a_process(mirror, several, monkeypatch):
    counted = []
    monkeypatch.setattr(downloaded, "checksum", lambda path: counted.append(path) or checksum(path))
    folder = put_all(mirror, several)
    for _ in range(3):
        read_dataset("several2026")
    assert sorted(counted) == sorted(folder / file for file in several)
    (folder / "a.csv").write_bytes(several["a.csv"])
    assert is_available("several2026")
    assert counted[3:] == [folder / "a.csv"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("several2026/z", "several2026 has no group 'z'; its groups: x, y"),
        ("several2026/", "several2026 has no group ''; its groups: x, y"),
        ("sardana2024/x", "sardana2024 has no group 'x'; it has no groups"),
        ("several206", "is called 'several206' .did you mean 'several2026'..; known: small_sweep"),
    ],
)
def test_an_unknown_group_lists_the_known_ones(several, name, words):
    with pytest.raises(DatasetError, match=words):
        read_dataset(name)


def test_a_near_miss_of_a_group_is_told(pinned):
    pinned("grouped2026", {"a.csv": b"a"}, groups={"redpajama": 1, "refinedweb": 1})
    with pytest.raises(DatasetError, match="no group 'redpyjama' .did you mean 'redpajama'"):
        read_dataset("grouped2026/redpyjama")
