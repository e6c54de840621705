"""Mixtures of experts, of whose parameters only a part is active, counted whole."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ...runs.headers import carried, is_called
from .result import Pooling

#: share of the parameters from which on a model is called dense
ALL_ACTIVE = 0.95
ACTIVE = re.compile(r"(?!\w*inactive)\w*active\w*|\w*activated\w*")
_EXPERTS = re.compile(r"\w*experts|expertcount")


def find_experts(runs: pd.DataFrame, read_from: str) -> Pooling | None:
    """Models of which a part is active, counted whole."""
    if is_called(ACTIVE, read_from):
        return None
    total = runs["params"].to_numpy()
    for name, column in carried(runs):
        if is_called(ACTIVE, name) and pd.api.types.is_numeric_dtype(column):
            with np.errstate(invalid="ignore"):
                ratio = column.to_numpy(dtype=float, na_value=np.nan) / total
                sparse = (ratio > 1e-4) & (ratio < ALL_ACTIVE)
            if sparse.any():
                seen = (
                    f"{name!r} is below params in {sparse.sum():,} of {len(runs):,} rows: a mixture of experts, whose"
                )
                words = f"compute is 6 times active parameters times tokens. --column params={name!r} takes these"
                return Pooling("experts", (name,), f"{seen} {words}")
    for name, column in carried(runs):
        if is_called(_EXPERTS, name) and pd.api.types.is_numeric_dtype(column) and (column > 1).any():
            seen = f"{name!r} is above 1 in {int((column > 1).sum()):,} of {len(runs):,} rows: a mixture of experts"
            words = "whose compute follows the active parameters: add a column of these"
            return Pooling("experts", (name,), f"{seen}, {words}, and --column params=COLUMN takes it")
    return None
