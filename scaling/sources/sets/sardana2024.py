"""The models that Sardana et al. 2024 trained, most of them far past Chinchilla's ratio."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..downloaded import Downloaded


def read(folder: Path) -> pd.DataFrame:
    """One row a model; FLOPs are 6ND."""
    raw = pd.read_csv(folder / "trainingresults.csv")
    params, tokens, ratio = raw["Parameters"], raw["Tokens"], raw["Tokens/Params"]
    columns = {"params": params, "tokens": tokens, "loss": raw["Smoothed Loss"], "flops": 6 * params * tokens}
    names = [f"{model} at {r:g}" for model, r in zip(raw["Model Name"], ratio, strict=True)]
    return pd.DataFrame({**columns, "run": names, "tokens_per_param": ratio.astype(float)})


SET = Downloaded(
    name="sardana2024",
    repository="nikhilsardana/beyond-chinchilla",
    commit="190f70e365dc75037a2b3178609d00243f24b4b9",
    licence="Apache-2.0",
    source="Sardana et al. 2024, training runs of 150M to 6B parameters",
    rows=47,
    read=read,
)
