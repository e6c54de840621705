"""The published numbers: ids, locators, frozen records, helpful errors."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling import published
from scaling.sources import published_table
from scaling.sources.files import data_file

RAW = pd.read_csv(data_file("published.csv"))


def test_ids_are_unique_and_well_formed():
    assert RAW["id"].is_unique
    assert RAW["id"].str.fullmatch(r"[a-z]+\d{4}(/[A-Za-z0-9_.]+)+").all()


def test_every_number_has_a_place_and_says_how_it_is_known():
    assert RAW[["quantity", "value", "unit", "locator", "known"]].notna().all().all()
    assert set(RAW["known"]) <= {"read in the paper", "read in the authors' code", "secondary", "recomputed"}
    assert np.isfinite(RAW["value"]).all()


def test_intervals_come_in_pairs_and_in_order():
    both = RAW["low"].notna() & RAW["high"].notna()
    assert (RAW["low"].notna() == both).all()
    assert (RAW["high"].notna() == both).all()
    assert (RAW.loc[both, "low"] < RAW.loc[both, "high"]).all()
    assert RAW.loc[both, "note"].str.contains("interval").all()


def test_record_is_frozen_and_is_a_number():
    record = published("hoffmann2022/table2/approach3/a")
    assert float(record) == record.value == 0.46
    assert (record.low, record.high) == (0.454, 0.455)
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.value = 1.0
    assert "Table 2" in str(record)
    assert math.isnan(published("hoffmann2022/eq10/E").low)


@pytest.mark.parametrize(
    ("id", "half_unit"),
    [
        ("hoffmann2022/table2/approach1/a", 0.005),
        ("hoffmann2022/eq10/A", 0.05),
        ("hoffmann2022/approach3/n_starts", 0.5),
        ("hoffmann2022/table3/280B/flops", 0.005e24),
        ("hoffmann2022/table3/10T/tokens", 0.05e12),
    ],
)
def test_half_a_unit_of_the_last_printed_digit(id, half_unit):
    assert published(id).half_unit == pytest.approx(half_unit, rel=1e-12)


def test_unknown_id_suggests_the_closest():
    with pytest.raises(KeyError, match="did you mean hoffmann2022/tex/alpha"):
        published("hoffmann2022/tex/alhpa")
    with pytest.raises(scaling.errors.UnknownPublishedError, match="lists every id"):
        published("zzz")


def test_table_is_a_part_of_the_file():
    table = published_table("hoffmann2022/table3")
    assert len(table) == 18
    assert table.index.str.startswith("hoffmann2022/table3/").all()
    assert len(published_table()) == len(RAW)
    with pytest.raises(KeyError, match="hoffmann2022"):
        published_table("hofmann2022")


def test_a_prefix_stops_at_a_slash():
    assert not published_table("hoffmann2022/table2").index.str.contains("tableA2").any()
    with pytest.raises(KeyError):
        published_table("hoffmann2022/table")


@pytest.mark.parametrize("name", ["E", "A", "B"])
def test_unrounded_constants_are_exponentials_of_the_printed_logarithms(name):
    logarithm = float(published(f"hoffmann2022/tex/{name.lower()}"))
    assert float(published(f"hoffmann2022/tex/{name}")) == pytest.approx(math.exp(logarithm), rel=1e-8)


def test_rounded_constants_are_the_unrounded_ones_rounded():
    for name in ("E", "A", "B", "alpha"):
        rounded = RAW.set_index("id").loc[f"hoffmann2022/eq10/{name}", "value"]
        digits = 1 if name in "AB" else 2
        assert round(float(published(f"hoffmann2022/tex/{name}")), digits) == rounded
    assert float(published("hoffmann2022/eq10/beta")) == 0.28


def test_large_models():
    models = scaling.sources.large_models().set_index("name")
    assert models.loc["Chinchilla", ["params", "tokens"]].tolist() == [70e9, 1.4e12]
    assert len(models) == 6
