"""Which rows a resample draws: the stream of a plain loop, whatever the size of the blocks."""

import numpy as np
import pytest

from scaling.fit.engine import resamples
from scaling.fit.engine.resamples import Resamples, draw_counts


@pytest.mark.parametrize("n", [*range(1, 40), 127, 128, 240, 255, 257, 1001, 65_535, 65_537])
def test_a_block_is_the_stream_of_single_draws(n):
    """NumPy draws small integers from halves of its random words: a half left over must go to the next row."""
    together, apart = np.random.default_rng(3), np.random.default_rng(3)
    counts = draw_counts(together, n, 5)
    one_by_one = [np.bincount(apart.integers(0, n, n), minlength=n) for _ in range(5)]
    np.testing.assert_array_equal(counts, one_by_one)
    assert together.bit_generator.state == apart.bit_generator.state


@pytest.mark.parametrize("fraction", [None, 0.7])
def test_the_size_of_a_block_changes_no_draw(monkeypatch, fraction):
    whole = np.concatenate(list(Resamples(31, 50, 4, fraction)))
    monkeypatch.setattr(resamples, "BLOCK", 7)
    blocks = list(Resamples(31, 50, 4, fraction))
    assert [len(block) for block in blocks] == [7] * 7 + [1]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    assert set(whole.sum(1)) == ({31} if fraction is None else {22})
