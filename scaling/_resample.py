"""Which rows a resample draws."""

from __future__ import annotations

import numpy as np

#: resamples drawn, and solved, at a time
BLOCK = 256


def resample_counts(n: int, n_resamples: int, seed: int, fraction: float | None = None) -> list[np.ndarray]:
    """How often each of ``n`` rows is drawn, in blocks (block, n).

    With replacement (``fraction`` None), or a share ``fraction`` of the rows without.
    """
    rng = np.random.default_rng(seed)
    blocks = []
    for start in range(0, n_resamples, BLOCK):
        counts = np.zeros((min(BLOCK, n_resamples - start), n))
        for row in counts:
            if fraction is None:
                row += np.bincount(rng.integers(0, n, n), minlength=n)
            else:
                row[rng.choice(n, max(1, round(fraction * n)), replace=False)] = 1.0
        blocks.append(counts)
    return blocks
