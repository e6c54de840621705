"""Muennighoff et al. 2023: models that read their text 1 to 44 times, with a validation loss at each checkpoint."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..downloaded import Downloaded

#: parameters of the models that the file calls so, as in the notebook with which the authors fit their law
PARAMS = {"2.8B": 2.81e9, "4.2B": 4.2465e9, "8.7B": 8.67e9}


def read(folder: Path) -> pd.DataFrame:
    """One row a checkpoint; ``epochs`` are those of the whole run. The file's own FLOPs fall as tokens rise."""
    raw = pd.read_csv(folder / "datablations_losses.csv")
    params, tokens = raw["num_params"].map(PARAMS), raw["token_num"].astype(float)
    return pd.DataFrame(
        {
            "params": params,
            "tokens": tokens,
            "loss": raw["loss"],
            "flops": 6.0 * params * tokens,
            "unique_tokens": raw["tokens_per_epoch"],
            "epochs": raw["epochs"],
            "run": raw["data"] + " " + raw["num_params"] + ", epochs: " + raw["epochs"].astype(str),
            "group": raw["data"],
        }
    )


SET = Downloaded(
    name="muennighoff2023",
    repository="IBM/ColPret",
    commit="16f23bbe054277ddc4afd07a972dd7cfbe3f48c3",
    licence="MIT",
    source="Muennighoff et al. 2023, checkpoints of 48 runs that repeat their data, from the authors' logs",
    rows=9261,
    groups={"c4": 4855, "oscar": 4406},
    read=read,
)
