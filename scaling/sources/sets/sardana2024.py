"""The models that Sardana et al. 2024 trained, most of them far past Chinchilla's ratio."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..downloaded import Downloaded

#: name in the file: ours
METRICS = {
    "eval_gauntlet/world_knowledge": "metric_world_knowledge",
    "eval_gauntlet/reading_comprehension": "metric_reading_comprehension",
    "eval_gauntlet/language_understanding": "metric_language_understanding",
    "eval_gauntlet/commonsense_reasoning": "metric_commonsense_reasoning",
    "eval_gauntlet/symbolic_problem_solving": "metric_symbolic_problem_solving",
    "eval_gauntlet/core_average": "metric_gauntlet",
    "mmlu_5_shot_avg": "metric_mmlu",
}


def read(folder: Path) -> pd.DataFrame:
    """One row a model, with what it reaches on tasks; FLOPs are 6ND."""
    raw = pd.read_csv(folder / "trainingresults.csv")
    params, tokens, ratio = raw["Parameters"], raw["Tokens"], raw["Tokens/Params"]
    columns = {"params": params, "tokens": tokens, "loss": raw["Smoothed Loss"], "flops": 6 * params * tokens}
    names = [f"{model} at {r:g}" for model, r in zip(raw["Model Name"], ratio, strict=True)]
    table = pd.DataFrame({**columns, "run": names, "tokens_per_param": ratio.astype(float)})
    return table.join(raw[list(METRICS)].rename(columns=METRICS))


SET = Downloaded(
    name="sardana2024",
    repository="nikhilsardana/beyond-chinchilla",
    commit="190f70e365dc75037a2b3178609d00243f24b4b9",
    licence="Apache-2.0",
    source="Sardana et al. 2024, training runs of 150M to 6B parameters",
    rows=47,
    read=read,
)
