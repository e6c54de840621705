"""The Gemstones' stored fits: the rows are theirs, and some searches stopped short."""

import pytest

from scaling.papers import gemstones2025
from scaling.sources.datasets import is_available

pytestmark = pytest.mark.skipif(not is_available("gemstones2025"), reason="the runs of gemstones2025 are not here")
ROWS = {"to100b": 220, "to350b": 770, "above120b": 528, "half_rate": 200}


@pytest.mark.parametrize("name", gemstones2025.FITS)
def test_the_rows_are_the_authors_and_no_stored_fit_is_lower_than_ours(name):
    rows = gemstones2025.fitted_rows(name)
    assert len(rows) == ROWS[name.removesuffix("_nonembedding")]
    below = gemstones2025.below_the_stored(name)
    assert below > 0
    short = {each for each, _ in gemstones2025.STOPPED_SHORT}
    assert (below > 1e-4) == (name in short)


def test_the_frontier_is_below_every_checkpoint():
    corners, table = gemstones2025.hull("to350b"), gemstones2025.checkpoints("to350b")
    assert (corners["loss"].diff().dropna() < 0).all()
    for row in corners.itertuples():
        assert (table.loc[table["flops"] <= row.flops, "loss"] >= row.loss).all()
