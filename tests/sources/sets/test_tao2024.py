"""Tao et al.'s vocabularies: what their passport says."""

import numpy as np
import pytest

import scaling
from scaling.sources.datasets import is_available, read_dataset

pytestmark = pytest.mark.skipif(not is_available("tao2024"), reason="the runs of tao2024 are not here")


def test_is_what_its_passport_says():
    table = read_dataset("tao2024")
    assert table.notna().all(axis=None)
    assert (table.groupby("run").size() == 20).all()
    assert (table["params_nonvocabulary"].nunique(), table["vocabulary"].nunique(), table["run"].nunique()) == (
        6,
        10,
        60,
    )
    np.testing.assert_allclose(table["flops"], 6 * table["params"] * table["tokens"], rtol=1e-12)
    np.testing.assert_allclose(table["params_vocabulary"], table["vocabulary"] * table["width"])
    for column, least, most in (
        ("params_nonvocabulary", 3.322e7, 1.1299e9),
        ("vocabulary", 4096, 96_256),
        ("tokens", 6e7, 5.48e10),
        ("flops", 1.2715e16, 4.3633e20),
        ("unigram_normalised", -5.3427, -0.5114),
    ):
        assert (table[column].min(), table[column].max()) == pytest.approx((least, most), rel=1e-4)


def test_tokens_follow_from_characters_by_the_formula_of_the_passport():
    table = read_dataset("tao2024")
    logs = np.log(table["vocabulary"])
    each = 0.00639222 * logs**2 - 0.15811069 * logs + 1.20470122
    np.testing.assert_allclose(table["tokens"], table["characters"] * each, rtol=1e-10)


def test_is_no_table_of_runs_and_says_why():
    with pytest.raises(scaling.RunsError, match="column 'loss' is missing"):
        scaling.load_runs("tao2024")
