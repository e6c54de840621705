"""Which rows a resample draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

#: most resamples, and most numbers, drawn and solved at a time
BLOCK, BLOCK_NUMBERS = 512, 4_000_000


@dataclass(frozen=True)
class Resamples:
    """How often each of ``n`` rows is drawn: blocks (block, n), the same each time they are gone through.

    With replacement (``fraction`` None), or a share ``fraction`` of the rows without. Only one block
    is held at a time, and its size does not change what is drawn.
    """

    n: int
    n_resamples: int
    seed: int
    fraction: float | None = None

    def __iter__(self) -> Iterator[np.ndarray]:
        rng, n = np.random.default_rng(self.seed), self.n
        block = max(1, min(BLOCK, BLOCK_NUMBERS // n))
        for start in range(0, self.n_resamples, block):
            counts = np.zeros((min(block, self.n_resamples - start), n))
            for row in counts:
                if self.fraction is None:
                    row += np.bincount(rng.integers(0, n, n), minlength=n)
                else:
                    row[rng.choice(n, max(1, round(self.fraction * n)), replace=False)] = 1.0
            yield counts
