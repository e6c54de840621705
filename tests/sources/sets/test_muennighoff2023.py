"""Muennighoff et al.'s repeated text: what the passport says."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.laws import DataConstrainedLaw
from scaling.sources.datasets import fetch, is_available, read_dataset
from scaling.sources.sets import muennighoff2023

pytestmark = pytest.mark.skipif(not is_available("muennighoff2023"), reason="the runs of muennighoff2023 are not here")
EPOCHS = [1, 2, 3, 4, 5, 7, 14, 44]


@pytest.fixture(scope="module")
def table():
    return read_dataset("muennighoff2023")


def test_is_what_its_passport_says(table):
    assert not table.isna().to_numpy().any()
    assert table["group"].value_counts().to_dict() == dict(muennighoff2023.SET.groups)
    np.testing.assert_allclose(table["flops"], 6 * table["params"] * table["tokens"], rtol=1e-12)
    curves = table.groupby("run")
    assert curves.ngroups == 48
    assert (curves.size().min(), curves.size().max()) == (60, 525)
    assert (table["loss"].min(), table["loss"].max()) == pytest.approx((2.3389, 7.1613), rel=1e-4)


def test_a_run_is_a_curve_that_ends_with_its_tokens(table):
    ends = scaling.runs.last_points(scaling.load_runs("muennighoff2023"))
    assert ends.groupby(["group", "params"])["epochs"].apply(sorted).map(tuple).unique().tolist() == [tuple(EPOCHS)]
    planned = ends["params"].map({2.81e9: 55e9, 4.2465e9: 84e9, 8.67e9: 178e9})
    np.testing.assert_allclose(ends["tokens"], planned, rtol=5e-3)
    np.testing.assert_allclose(ends["epochs"] * ends["unique_tokens"], planned, rtol=1e-9)


def test_one_curve_of_oscar_is_a_copy(table):
    three, four = (table.query("run == @run") for run in ("oscar 2.8B, epochs: 3", "oscar 2.8B, epochs: 4"))
    assert len(three) == len(four) == 326
    assert (three[["tokens", "loss"]].to_numpy() == four[["tokens", "loss"]].to_numpy()).all()


def test_the_files_flops_fall_as_tokens_rise():
    raw = pd.read_csv(fetch("muennighoff2023"))
    once = raw.query("data == 'c4' and num_params == '8.7B' and epochs == 1")
    product = once["flops"] * once["token_num"]
    np.testing.assert_allclose(product, product.iloc[0], rtol=1e-6)


def test_excess_parameters_and_repetitions_are_equal():
    ends = scaling.runs.last_points(scaling.load_runs("muennighoff2023/c4"))
    useful = DataConstrainedLaw.from_published().useful_params(ends["unique_tokens"])
    np.testing.assert_allclose(ends["params"] / useful, ends["tokens"] / ends["unique_tokens"], rtol=0.05)
