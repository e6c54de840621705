"""IsoFLOP points that Czech et al. 2026 took from five studies: Llama 3, Marin, (Mis)fitting, and Chinchilla twice."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..downloaded import Downloaded

#: the authors' names of the experiments, and ours
EXPERIMENTS = {
    "llama_3__raw_loss": "llama_3",
    "llama_3__exp_loss": "llama_3_exp",
    "marin_202603__comma__llama_2": "marin_comma",
    "marin_202603__dclm__llama_2": "marin_dclm",
    "marin_202603__nemotron__llama_2": "marin_nemotron",
    "misfitting__fineweb_c4__transformer": "misfitting",
    "epochai_chinchilla__massivetext__chinchilla": "chinchilla",
    "ml_scalefit__massivetext__chinchilla": "ml_scalefit",
}


def read(folder: Path) -> pd.DataFrame:
    """The nominal budget stays beside FLOPs that are 6ND."""
    raw = pd.read_csv(folder / "isoflops.csv")
    group = raw["experiment"].map(EXPERIMENTS)
    columns = {name: raw[name] for name in ("params", "tokens", "loss", "budget")}
    return pd.DataFrame(
        {
            **columns,
            "flops": 6.0 * raw["params"] * raw["tokens"],
            "run": group + " " + group.groupby(group).cumcount().astype(str),
            "group": group,
        }
    )


SET = Downloaded(
    name="czech2026",
    repository="Open-Athena/scaling-law-analysis",
    commit="3e0656ee3dce1a2c89aa67691920f5eb9d30f0fc",
    licence="none stated",
    source="Czech et al. 2026, IsoFLOP points of Llama 3, Marin, (Mis)fitting and Chinchilla",
    rows=947,
    groups={
        "llama_3": 133,
        "llama_3_exp": 133,
        "marin_comma": 85,
        "marin_dclm": 85,
        "marin_nemotron": 88,
        "misfitting": 176,
        "chinchilla": 123,
        "ml_scalefit": 124,
    },
    read=read,
)
