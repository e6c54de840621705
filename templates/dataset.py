"""Author et al. 2026: what the runs are, in a line.

This is `scaling/sources/sets/name2026.py`, the whole entry of a set that others have trained: the package fetches
its files from a commit of the authors' repository, and we never commit them. Runs of our own need one line in
`scaling/sources/datasets.py`:

    _Embedded("name2026", "name2026/runs.csv", "our own runs, and what they are")
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from scaling.sources.downloaded import Downloaded


def read(folder: Path) -> pd.DataFrame:
    """What is unusual about the files, if anything, and what follows from what."""
    raw = pd.read_csv(folder / "runs.csv")
    params, tokens = raw["Parameters"], raw["Tokens"]
    columns = {"params": params, "tokens": tokens, "loss": raw["Loss"], "flops": 6 * params * tokens}
    return pd.DataFrame({**columns, "run": [f"run {row}" for row in range(len(raw))], "group": raw["Corpus"]})


SET = Downloaded(
    name="name2026",
    repository="owner/repository",
    commit="0000000000000000000000000000000000000000",
    licence="none stated",
    source="Author et al. 2026, what the runs are",
    rows=3,
    groups={"web": 2, "books": 1},
    read=read,
)
