"""Li et al. 2025, (Mis)fitting: small models at several learning rates, the last checkpoint of each run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..downloaded import Downloaded


def read(folder: Path) -> pd.DataFrame:
    """One row a run; FLOPs are 6ND, as the authors count them, with embeddings and without."""
    raw = pd.read_csv(folder / "scaling_results_last_ckpt_only.csv")
    counts = {name: raw[name].astype(float) for name in ("N", "N_no_emb", "D")}
    return pd.DataFrame(
        {
            "params": counts["N"],
            "tokens": counts["D"],
            "loss": raw["loss"],
            "flops": 6.0 * counts["N"] * counts["D"],
            "params_nonembedding": counts["N_no_emb"],
            "flops_nonembedding": 6.0 * counts["N_no_emb"] * counts["D"],
            "learning_rate": raw["peak_lr"],
            "run": [f"run {row}" for row in range(len(raw))],
        }
    )


SET = Downloaded(
    name="misfitting2025",
    repository="hadasah/scaling_laws",
    commit="1f3708c0a12df0effb0ee906b1da5f9f0ff4f4f1",
    licence="none stated",
    source="Li et al. 2025, (Mis)fitting, final losses of small models at several learning rates",
    rows=261,
    read=read,
)
