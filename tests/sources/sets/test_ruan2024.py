"""ruan2024 is what its passport says."""

import numpy as np
import pytest

from scaling import load_runs
from scaling.errors import RunsError
from scaling.sources import is_available, read_dataset

pytestmark = pytest.mark.skipif(not is_available("ruan2024"), reason="the runs of ruan2024 are not here")
BENCHMARKS = ["mmlu", "arc_challenge", "hellaswag", "winograd", "truthfulqa", "gsm8k", "xwinograd", "humaneval"]


@pytest.fixture(scope="module")
def table():
    return read_dataset("ruan2024")


def test_counts(table):
    assert len(table) == 148
    assert table["run"].is_unique
    assert table["family"].nunique() == 47
    assert table["tokens"].isna().sum() == 25
    eight = table[[f"metric_{name}" for name in BENCHMARKS]]
    assert eight.isna().sum().tolist() == [0, 3, 0, 0, 0, 0, 16, 21]
    assert eight.notna().all(axis=1).sum() == 124
    emergent = table.filter(regex="parsinlu|unscrambling|transliterate|digits")
    assert emergent.shape[1] == 8
    assert emergent.notna().any(axis=1).sum() == 84


def test_units(table):
    np.testing.assert_allclose(table["flops"], 6 * table["params"] * table["tokens"], rtol=1e-12)
    assert (table["params"].min(), table["params"].max()) == (7e7, 4.05e11)
    metrics = table.filter(like="metric_").drop(columns="metric_ipa_transliterate_bleu")
    assert metrics.min(axis=None) == 0
    assert metrics.max(axis=None) == 1
    assert 60 < table["metric_ipa_transliterate_bleu"].max() < 100


def test_known_defects(table):
    ratio = (table["tokens"] / table["params"]).sort_values(ascending=False)
    assert table["run"][ratio.index[0]] == "cerebras/btlm-3b-8k-base"
    assert ratio.iloc[0] > 20 * ratio.iloc[1]
    assert table.set_index("run").loc["openlm-research/open_llama_7b_v2", "params"] == 13e9


def test_it_is_no_table_of_runs():
    with pytest.raises(RunsError, match="loss"):
        load_runs("ruan2024")
