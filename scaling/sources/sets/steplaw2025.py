"""The grids of learning rates and batch sizes that Li et al. 2025 trained for their Step law."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..downloaded import Downloaded

#: tokens in a sequence
SEQUENCE = 2048


def read(folder: Path) -> pd.DataFrame:
    """One row a run, the dense ones first; FLOPs as the authors count them, attention included."""
    parts = {group: pd.read_csv(folder / f"{group}_lr_bs_loss.csv") for group in ("dense", "moe")}
    raw = pd.concat([part.assign(group=group) for group, part in parts.items()], ignore_index=True)
    h, layers, ffn = raw["h"], raw["numl"], raw["ffnh"]
    dense = 6 * (4 * h + 3 * ffn + 2 * SEQUENCE) * layers * h
    columns = {
        "params": raw["N"],
        "tokens": raw["D"],
        "loss": raw["smooth loss"],
        "flops": raw["M"].fillna(dense) * raw["D"],
        "run": raw["exp_name"],
        "group": raw["group"],
        "params_nonembedding": raw["N"],
        "params_active": raw["Na"].fillna(raw["N"]),
        "loss_last": raw["loss"],
        "learning_rate": raw["lr"],
        "batch_size": raw["bs"],
        "batch_tokens": SEQUENCE * raw["bs"],
        "steps": raw["ti"],
        "width": h,
        "depth": layers,
        "ffn_width": ffn,
        "heads": raw["numh"],
        "experts": raw["nume"],
        "active_experts": raw["topk"],
    }
    counts = columns.keys() - {"run", "group"}
    return pd.DataFrame(columns).astype(dict.fromkeys(counts, float))


SET = Downloaded(
    name="steplaw2025",
    repository="step-law/steplaw",
    commit="32a8f4cc50247695fb56cc6c9117abdf67c97763",
    licence="none stated",
    source="Li et al. 2025, learning rate and batch size on grids, dense models and mixtures of experts",
    rows=2_619,
    groups={"dense": 1_911, "moe": 708},
    read=read,
)
