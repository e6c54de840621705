"""The Gemstones of McLeish et al. 2025: 22 shapes of a model, each with a checkpoint every two billion tokens."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..downloaded import Downloaded

VOCABULARY, CONTEXT, HEAD = 50_304, 2_048, 128
#: devices of a node
DEVICES = 8


def read(folder: Path) -> pd.DataFrame:
    """One row a checkpoint; the first 100 billion tokens of the longer file are the shorter one."""
    full = _checkpoints(folder / "wandb_df_for_fitting_hot_100b+_477.jsonl").assign(group="full_rate")
    half = _checkpoints(folder / "wandb_df_for_fitting_lr_ablation_hot_477.jsonl").assign(group="half_rate")
    half["run"] += " at half the rate"
    return pd.concat([full, half], ignore_index=True)


def _checkpoints(path: Path) -> pd.DataFrame:
    raw = pd.read_json(path, lines=True)
    params = raw["params_active_precise"].astype(float)
    columns = {
        "params": params,
        "tokens": raw["tokens"].astype(float),
        "loss": raw["final_loss"],
        "flops": flops_per_token(raw["width"], raw["depth"]) * raw["tokens"],
        "params_nonembedding": params - 2.0 * VOCABULARY * raw["width"],
        "run": raw["run_name"].str.extract(r"PyGemma-(\d+x\d+)_pretrain", expand=False),
        "width": raw["width"],
        "depth": raw["depth"],
        "steps": raw["step"],
        "device_hours": raw["seconds_per_step"] * raw["step"] * raw["num_nodes"] * DEVICES / 3600,
    }
    return pd.DataFrame(columns)


def flops_per_token(width: pd.Series, depth: pd.Series) -> pd.Series:
    """Training FLOPs of a token, as the authors count them: each kind of work, attention recomputed going back.

    Queries have as many heads of 128 as fit the width, keys and values half as many; the causal mask halves the
    products with keys; the gated feed-forward part has four times the width; an embedding is looked up for nothing.
    """
    n, heads = CONTEXT, width / HEAD
    projections = n * heads * HEAD * (4.0 * width + 3.5 * 1.5)  # keys and values together as many heads as queries
    products = n * n * heads * HEAD + 3.0 * n * n * heads  # with keys, and the softmax
    reduced = 2.0 * n * n * heads * HEAD
    out = 2.0 * n * width * heads * HEAD
    attention = projections + products + reduced + out
    attention_back = 2.0 * projections + 2.5 * (products + reduced) + 2.0 * out
    other = n * width * (24.0 * width + 40.0 + 2.0 + 14.0)  # feed-forward, its gate, residuals and norms
    last = n * width * (7.0 + 2.0 * VOCABULARY)
    return (depth * (attention + attention_back) + 3.0 * (depth * other + last)) / n


SET = Downloaded(
    name="gemstones2025",
    repository="mcleish7/gemstone-scaling-laws",
    commit="5f420478f6057b0cbb4d13405fb10ca64675bccb",
    licence="MIT",
    source="McLeish et al. 2025 (Gemstones), checkpoints of 22 shapes of a model, 20 of them at half the rate, too",
    rows=4850,
    groups={"full_rate": 3850, "half_rate": 1000},
    read=read,
)
