"""Two pieces for `scaling/sources/datasets.py`: how the file becomes our columns, and the entry of the set.

Runs that others have trained are `_Downloaded`: the package fetches them from a commit of the authors' repository,
and we never commit them. Runs of our own need less:

    _Embedded("name2026", "name2026/runs.csv", "our own runs, and what they are")
"""

import pandas as pd

from scaling.sources.datasets import _Downloaded  # leave this line out: you are in that module


def _tidy_name2026(raw: pd.DataFrame) -> pd.DataFrame:
    """What is unusual about the file, if anything, and what follows from what."""
    params, tokens = raw["Parameters"], raw["Tokens"]
    columns = {"params": params, "tokens": tokens, "loss": raw["Loss"], "flops": 6 * params * tokens}
    return pd.DataFrame({**columns, "run": [f"run {row}" for row in range(len(raw))]})


ENTRY = _Downloaded(
    name="name2026",
    file="runs.csv",
    rows=3,
    licence="none stated",
    source="Author et al. 2026, what the runs are",
    repository="owner/repository",
    commit="0000000000000000000000000000000000000000",
    path="data/runs.csv",
    sha256="0000000000000000000000000000000000000000000000000000000000000000",
    tidy=_tidy_name2026,
)
