"""The atlas: every public set has its rows, with the reason where it carries no law."""

import pandas as pd
import pytest

import scaling
from scaling.diagnostics import atlas_rows, atlas_tables, survey_sets

ROWS = atlas_rows()
SETS = list(dict.fromkeys(ROWS.index.str.partition("/").get_level_values(0)))
#: the sets whose loss, tokens or runs are none that a law of size and tokens could be fitted to
CARRY_NO_LAW = {"gemstones2025", "muennighoff2023", "clark2022", "tao2024", "luo2025", "ruan2024"}


def test_every_downloaded_set_and_every_group_has_a_row():
    known = scaling.sources.list_datasets().query("kind == 'downloaded'")
    assert set(known.index) <= set(SETS)
    assert len(SETS) >= 14
    # the ladder's groups are one recipe, and one row; mixtures of experts and dense models are not
    named = {f"{name}/{group}" for name in known.index for group in known.loc[name, "groups"].split(", ") if group}
    assert {name for name in named if not name.startswith(("bhagia2024/", "luo2025/"))} <= set(ROWS.index)


def test_what_is_known_of_the_rows():
    assert ROWS.index.is_unique
    assert set(ROWS[["embeddings", "tuned", "decayed"]].melt()["value"].dropna()) == {0.0, 1.0}
    # one digitisation, three selections of it
    assert (ROWS["source"] == "Hoffmann et al.").sum() == 3


def test_an_unknown_set_is_named():
    with pytest.raises(ValueError, match=r"no row of nobody2020; it has besiroglu2024, czech2026"):
        atlas_tables(["nobody2020"])


def test_our_own_runs_need_no_download():
    (name, runs), *others = atlas_tables(["small_sweep"]).items()
    assert (name, others) == ("small_sweep", [])
    assert len(runs) == len(scaling.load_runs("small_sweep"))


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_a_set_has_a_law_or_a_reason(name):
    if not scaling.sources.is_available(name):
        pytest.skip(f"the atlas's row of {name} needs that set, which is not on this machine")
    table = survey_sets(atlas_tables([name]), n_resamples=20)
    assert list(table.index) == [row for row in ROWS.index if row.partition("/")[0] == name]
    carried = table["a3"].notna()
    assert carried.any() != (name in CARRY_NO_LAW)
    assert ((table["why"] + table["why_3"])[~carried] != "").all()


def test_the_best_of_each_pair_is_one_run():
    if not scaling.sources.is_available("misfitting2025"):
        pytest.skip("misfitting2025 is not on this machine")
    best, every = atlas_tables(["misfitting2025"])["misfitting2025"], scaling.load_runs("misfitting2025")
    pairs = every.groupby(["params", "tokens"])["loss"].min()
    assert len(best) == len(pairs) < len(every)
    pd.testing.assert_series_equal(best.groupby(["params", "tokens"])["loss"].min(), pairs)
