"""Words for papers, published laws and sets of runs."""

import csv
import re

import pytest

from scaling.laws import ChinchillaLaw
from scaling.sources import dataset_names, label_of, published_table
from scaling.sources.datasets import find_dataset
from scaling.sources.files import book_file, data_file


def bibliography():
    text = book_file("references.bib").read_text(encoding="utf-8")
    return dict(re.findall(r"^@\w+\{(\w+),.*?^\s*year\s*=\s*\{(\d+)\}", text, re.M | re.S))


def names():
    """What has a name in the package: papers, their laws, sets of runs and the groups of these."""
    groups = [f"{name}/{group}" for name in dataset_names() for group in find_dataset(name)[0].groups]
    papers = published_table().index.str.split("/").str[0].unique()
    return [*dict.fromkeys([*papers, *ChinchillaLaw.published_sets, *dataset_names(), *groups])]


@pytest.mark.parametrize("name", names())
def test_every_name_has_words_of_its_own(name):
    label = label_of(name)
    assert not re.search(r"[a-z]\d{4}|_", label)
    if "/" in name:
        assert label != label_of(name.split("/")[0])


def test_years_are_those_of_the_bibliography():
    years = bibliography()
    with open(data_file("labels.csv"), newline="", encoding="utf-8") as file:
        labels = {row["name"]: row["label"] for row in csv.DictReader(file)}
    known = [name for name in labels if name in years]
    assert len(known) >= 40
    assert all(f"({years[name]})" in labels[name] for name in known)
    assert len({label for name, label in labels.items() if "/" in name}) == sum("/" in name for name in labels)


def test_a_place_in_a_paper_is_called_after_the_paper_and_a_readers_name_stays():
    assert label_of("hoffmann2022/table3") == "Hoffmann et al. (2022)"
    assert label_of("hoffmann2022_rounded") == "Hoffmann et al. (2022), rounded"
    assert label_of("runs of mine.csv") == "runs of mine.csv"
