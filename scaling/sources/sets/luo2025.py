"""The curves that Luo et al. 2025 trained under several schedules of the learning rate for their multi-power law."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..downloaded import Downloaded

SIZES = ("25M", "100M", "400M")
#: words of a file's name, and what the schedule is
SCHEDULES = {
    "constant": "constant",
    "cosine": "cosine",
    "wsd": "stable, then exponential decay",
    "wsdcon": "two stages",
    "wsdld": "stable, then linear decay",
}


def read(folder: Path) -> pd.DataFrame:
    """One row a recorded step, from the end of the warm-up on; curves by size, then by the names of their files."""
    parts = []
    for size in SIZES:
        for path in sorted((folder / f"csv_{size.removesuffix('M')}").glob("*.csv")):
            raw = pd.read_csv(path).rename(columns={"lr": "learning_rate"})
            named = {"run": f"{size} {path.stem}", "group": size, "params": 1e6 * float(size.removesuffix("M"))}
            parts.append(raw.assign(**named, schedule=SCHEDULES[path.stem.partition("_")[0]]))
    table = pd.concat(parts, ignore_index=True)
    return table[["run", "group", "params", "schedule", "step", "learning_rate", "loss"]].astype({"step": float})


SET = Downloaded(
    name="luo2025",
    repository="thu-yao-01-luo/MultiPowerLaw",
    commit="8da9f1902602f3391b971a811e3cc51604541769",
    licence="MIT",
    source="Luo et al. 2025, curves of three sizes under nine schedules of the learning rate",
    rows=6_265,
    groups={"25M": 2_059, "100M": 2_103, "400M": 2_103},
    read=read,
)
