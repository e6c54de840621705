"""The routed language models of Clark et al. 2022, and the dense ones beside them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..downloaded import Downloaded

#: what the count of FLOPs of a step implies: 256 sequences of 2,048 tokens
BATCH = 2**19
ROUTERS = {"Dense": "dense", "S-Base": "s_base", "RL-R": "rl_r", "Hash": "hash"}
LOSSES = ("loss_c4", "loss_curation_corpus", "loss_lambada", "loss_pile", "loss_wikitext103")
CARRIED = ("num_experts", "k", "routing_frequency", "flop_increase", "d_model", "num_blocks", "num_heads", "kqv_size")


def read(folder: Path) -> pd.DataFrame:
    """One row a run, the last that was evaluated; the laws of the paper are of final losses."""
    raw = pd.read_csv(folder / "curves.csv.gz", compression="gzip").sort_values(["hyper_id", "step"], kind="stable")
    last = raw.groupby("hyper_id", as_index=False).tail(1).reset_index(drop=True)
    return pd.DataFrame(
        {
            "params": last["dense_parameter_count"],
            "tokens": last["step"] * float(BATCH),
            "loss": last["loss_validation"],
            "flops": 3.0 * last["flops_per_step"] * last["step"],  # of the file, the forward pass only
            "params_nonembedding": last["dense_parameter_count"],
            "params_total": last["total_parameter_count"],
            "run": [f"run {number}" for number in last["hyper_id"]],
            "seed": last["seed"],
            "group": last["router_type"].map(ROUTERS),
            "steps": last["step"],
            **{name: last[name] for name in (*CARRIED, *LOSSES)},
        }
    )


SET = Downloaded(
    name="clark2022",
    repository="google-deepmind/scaling_laws_for_routing",
    commit="42da0c392b127df2c01fa7b705f72396050d05e5",
    licence="Apache-2.0",
    source="Clark et al. 2022, language models with up to 512 experts, routed in three ways, and dense ones",
    rows=223,
    groups={"dense": 13, "s_base": 87, "rl_r": 54, "hash": 69},
    read=read,
)
