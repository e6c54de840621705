"""(Mis)fitting's small models: what their passport says."""

import numpy as np
import pandas as pd
import pytest

from scaling.sources.datasets import fetch, is_available, read_dataset

pytestmark = pytest.mark.skipif(not is_available("misfitting2025"), reason="the runs of misfitting2025 are not here")


def test_is_what_its_passport_says():
    table = read_dataset("misfitting2025")
    assert table["run"].is_unique
    assert not table.isna().to_numpy().any()
    assert (table["params_nonembedding"] < table["params"]).all()
    assert table["params"].nunique() == 11
    assert table.groupby(["params", "tokens"]).ngroups == 81
    assert table["learning_rate"].value_counts().sort_index().to_dict() == {
        4e-4: 12,
        1e-3: 65,
        2e-3: 84,
        4e-3: 76,
        8e-3: 24,
    }
    for column, least, most in (
        ("params", 5.723e7, 1.183e9),
        ("params_nonembedding", 1.205e7, 1.002e9),
        ("tokens", 1.049e8, 2.097e10),
        ("loss", 2.685, 6.384),
    ):
        assert (table[column].min(), table[column].max()) == pytest.approx((least, most), rel=1e-3)


def test_the_files_counts_of_compute_are_6nd():
    table, raw = read_dataset("misfitting2025"), pd.read_csv(fetch("misfitting2025"))
    for ours, theirs in (("flops", ("C", "C_6ND")), ("flops_nonembedding", ("C_no_emb", "C_6ND_no_emb"))):
        for name in theirs:
            np.testing.assert_allclose(raw[name].astype(float), table[ours], rtol=1e-9)
    assert (raw["loss"] == raw["C4 Eval Loss"]).all()
    assert (raw["D"] == 1_048_576 * raw["total_steps"]).all()


def test_losses_that_are_repeated():
    table = read_dataset("misfitting2025")
    repeated = table[table.duplicated(["params", "tokens", "loss"], keep=False)]
    assert repeated["params"].unique().tolist() == [62_052_928]
    pairs = repeated.groupby(["tokens", "loss"])["learning_rate"].nunique()
    assert (len(repeated), len(pairs), (pairs > 1).sum()) == (42, 21, 13)
