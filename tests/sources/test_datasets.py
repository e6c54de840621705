"""Sets of runs: mirror, cache, missing and damaged files. No test here uses the network."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pooch
import pytest
from full_disk import FullDisk

from scaling.errors import DatasetError
from scaling.sources import datasets
from scaling.sources.datasets import fetch, is_available, list_datasets, read_dataset

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
    monkeypatch.delenv(datasets.MIRROR, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path / "cache" / "scaling"


@pytest.fixture
def mirror(monkeypatch, tmp_path):
    monkeypatch.setenv(datasets.MIRROR, str(tmp_path))
    return tmp_path


@pytest.fixture
def invented(monkeypatch):
    """``sardana2024`` with an invented file, so that tests need no real one."""
    content = b"Model Name,Parameters,Tokens/Params,Tokens,Smoothed Loss\n1M,1e6,20,2e7,4.0\n"
    dataset = replace(datasets._DATASETS["sardana2024"], rows=1, sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(datasets._DATASETS, "sardana2024", dataset)
    return content


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
    assert no_network == [datasets._DATASETS["sardana2024"].url]
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
    with pytest.raises(DatasetError, match="known: small_sweep, .*besiroglu2024, sardana2024"):
        call("chinchilla")


def test_list(cache):
    table = list_datasets()
    assert table.index.tolist() == EMBEDDED + NAMES
    assert table.columns.tolist() == ["kind", "rows", "licence", "source", "available"]
    assert table["available"].tolist() == [True] * len(EMBEDDED) + [False] * len(NAMES)
    assert (table["available"] == (table["kind"] == "embedded")).all()


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_sets_need_neither_cache_nor_mirror(name, cache, no_network):
    assert is_available(name)
    assert fetch(name).is_file()
    assert len(read_dataset(name)) == list_datasets().loc[name, "rows"]
    assert no_network == []


def test_urls_are_pinned_to_a_commit():
    for name in NAMES:
        dataset = datasets._DATASETS[name]
        assert len(dataset.commit) == 40
        assert dataset.commit in dataset.url
        assert len(dataset.sha256) == 64


def test_invented_set_in_our_columns(mirror, invented):
    put(mirror, invented)
    expected = dict(params=1e6, tokens=2e7, loss=4.0, flops=1.2e14, run="1M at 20", tokens_per_param=20.0)
    pd.testing.assert_frame_equal(read_dataset("sardana2024"), pd.DataFrame([expected]))


@pytest.mark.parametrize("name", NAMES)
def test_real_set_in_our_columns(name):
    if not is_available(name):
        pytest.skip(f"the runs of {name} are not here")
    table = read_dataset(name)
    assert len(table) == list_datasets().loc[name, "rows"]
    assert table["run"].is_unique
    np.testing.assert_allclose(table["flops"], 6 * table["params"] * table["tokens"], rtol=1e-12)


def test_besiroglu2024_is_what_its_passport_says():
    if not is_available("besiroglu2024"):
        pytest.skip("the runs of besiroglu2024 are not here")
    table = read_dataset("besiroglu2024")
    assert sorted(table["loss"].nlargest(5).index) == [0, 1, 2, 3, 4]
    ratio = table["tokens"] / table["params"]
    assert sorted(ratio.nsmallest(5).index) == [0, 1, 2, 3, 4]
    for column, least, most in (
        ("params", 5.733e7, 1.618e10),
        ("flops", 1.397e18, 1.2956e22),
        ("loss", 2.0774, 5.0056),
    ):
        assert table[column].min() == pytest.approx(least, rel=1e-3)
        assert table[column].max() == pytest.approx(most, rel=1e-3)


def test_sardana2024_is_what_its_passport_says():
    if not is_available("sardana2024"):
        pytest.skip("the runs of sardana2024 are not here")
    table = read_dataset("sardana2024")
    cuts = [int((table["tokens_per_param"] <= cut).sum()) for cut in (100, 250, 500, np.inf)]
    assert cuts == [34, 39, 43, 47]
    assert table["loss"].min() == pytest.approx(2.3702, abs=1e-4)
