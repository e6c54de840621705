"""Runs that stand in a table more than once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...runs.repetition import repeated_rows
from ...runs.vocabulary import STANDS_FOR
from .result import Pooling

#: copies that are worth a word, as a number and as a share of the runs, and digits of losses that differ by chance
LEAST_COPIES, COPIED, DIGITS = 3, 0.05, 5


def find_copies(runs: pd.DataFrame) -> Pooling | None:
    """Runs that stand there more than once."""
    again = repeated_rows(runs, ["params", "tokens", "loss"])
    if again.sum() < max(LEAST_COPIES, COPIED * len(runs)) or STANDS_FOR in runs:
        return None
    digits = [len(f"{loss:.12g}".replace(".", "").strip("0")) for loss in runs.loc[again, "loss"]]
    if np.median(digits) < DIGITS:  # losses so rounded agree by chance
        return None
    words = f"{int(again.sum()):,} of {len(runs):,} runs are copies of others, to the last digit of their losses"
    return Pooling("copies", (), f"{words}: counted twice they make all intervals too narrow: --drop copies")
