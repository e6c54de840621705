"""The table of runs that a command is given."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..runs import load_runs


def read_runs(source: str) -> pd.DataFrame:
    """The runs of a file, or of a named data set, checked and in our columns."""
    return load_runs(Path(source) if Path(source).exists() else source)
