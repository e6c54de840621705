"""Tokens that are read again and again, which a law of params and tokens takes for new ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...runs.epochs import condition, epochs_of, often_read
from .result import Pooling

_NEW = "runs on new tokens are needed"


def find_repeated_tokens(runs: pd.DataFrame, read_from: list[dict[str, str]], share: float) -> Pooling | None:
    """More than a share of the runs read their tokens so often that these are worth far less than new ones."""
    often = often_read(runs)
    if often.sum() <= share * len(runs):
        return None
    most = float(np.nanmax(np.asarray(epochs_of(runs))))
    seen = f"{int(often.sum()):,} of {len(runs):,} runs read their tokens more than four times, up to {most:.3g} times"
    why = "a law of params and tokens takes repeated tokens for new ones, which are worth more"
    if often.all():
        return Pooling("repeated", (), f"{seen}: {why}; no run reads its tokens at most four times: {_NEW}")
    keep = condition(runs, read_from) or "--where with a column of epochs, which has to be added,"
    return Pooling("repeated", (), f"{seen}: {why}. {keep} keeps the {int((~often).sum()):,} runs of four at most")
