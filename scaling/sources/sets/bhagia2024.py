"""The model ladder of Bhagia et al. 2024: small models with the evaluations of every checkpoint, and two large ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..downloaded import Downloaded

#: parameters without the input embedding, from the authors' code, for the size that ``final.json`` does not list
PARAMS_3B = 3169537280
#: the parts of MMLU and the weights with which the authors average them
MMLU = {"stem": 0.215, "humanities": 0.335, "social_sciences": 0.219, "other": 0.231}
#: the authors' name of a validation text: ours of its loss
LOSSES = {
    "c4_en": "loss",
    "dolma_books": "loss_books",
    "dolma_common-crawl": "loss_common_crawl",
    "dolma_pes2o": "loss_pes2o",
    "dolma_reddit": "loss_reddit",
    "dolma_stack": "loss_stack",
    "dolma_wiki": "loss_wiki",
    "ice": "loss_ice",
    "m2d2_s2orc": "loss_s2orc",
    "pile": "loss_pile",
    "wikitext_103": "loss_wikitext",
}
TASKS = (
    *(f"mmlu_{part}_{split}" for split in ("val", "test") for part in MMLU),
    "hellaswag_val",
    *(f"{task}_{split}" for task in ("arc_easy", "arc_challenge") for split in ("val", "test")),
    "boolq_val",
    "csqa_val",
    "openbookqa_val",
    "openbookqa_test",
    "piqa_val",
    "socialiqa_val",
    "winogrande_val",
)


def read(folder: Path) -> pd.DataFrame:
    """One row a checkpoint: the runs that fit the authors' laws, the two targets, and the runs that they leave aside.

    The step before the first of the 7B model's history, at zero tokens, is left out.
    """
    sizes, named = _sizes(folder)
    tables = []
    for path in sorted(folder.glob("*.csv")):
        run, group = named.get(path.stem, (path.stem, "other"))
        tables.append(_checkpoints(path, run, group, *sizes[_size_of(path.stem)]))
    table = pd.concat(tables, ignore_index=True)
    order = table["group"].map(list(SET.groups).index)
    return table.iloc[np.lexsort((table["tokens"], table["run"], table["params"], order))].reset_index(drop=True)


def _size_of(stem: str) -> str:
    """What the files of one size have in common: ``190M`` of ``190M-5xC``, ``peteish7`` of ``peteish7_eval_full``."""
    return stem.partition("_" if "_" in stem else "-")[0]


def _sizes(folder: Path) -> tuple[dict[str, tuple[int, float]], dict[str, tuple[str, str]]]:
    """Parameters and training FLOPs a token by size, where stated; and the name and group of each run that is used."""
    sizes: dict[str, tuple[int, float]] = {"3B": (PARAMS_3B, np.nan)}
    named = {}
    for entry in json.loads((folder / "final.json").read_text()).values():
        for path in entry["paths"]:
            stem = Path(path).stem
            sizes[_size_of(stem)] = entry["n"], entry["flops"]
            named[stem] = (stem, "ladder") if entry["mode"] == "train" else (entry["label"], "target")
    return sizes, named


def _checkpoints(path: Path, run: str, group: str, params: int, flops_a_token: float) -> pd.DataFrame:
    raw = pd.read_csv(path)
    counted, gigaflops = raw.get("throughput/total_tokens"), raw.get("throughput/total_training_Gflops")
    batch = raw["batch_size_in_tokens"]
    tokens = (raw["_step"] * batch if counted is None else counted).astype(float)
    columns: dict[str, Any] = {
        "run": run,
        "group": group,
        "params": float(params),
        "tokens": tokens,
        "loss": raw["eval/c4_en-validation/CrossEntropyLoss"],
        "flops": tokens * flops_a_token if gigaflops is None else 1e9 * gigaflops,
        "batch_size": batch,
        "learning_rate": raw["learning_rate_peak"],
    }
    columns |= {ours: raw[f"eval/{theirs}-validation/CrossEntropyLoss"] for theirs, ours in LOSSES.items()}
    for task in TASKS:
        plain = "acc" if task.startswith("boolq") else "len_norm"
        columns[f"bpb_{task}"] = raw[f"eval/downstream_bpb/{task}_rc_5shot_bpb"]
        columns[f"metric_{task}"] = raw[f"eval/downstream/{task}_rc_5shot_{plain}"]
    for split in ("val", "test"):
        for kind in ("bpb", "metric"):
            parts = [columns[f"{kind}_mmlu_{part}_{split}"] for part in MMLU]
            columns[f"{kind}_mmlu_{split}"] = np.average(parts, axis=0, weights=list(MMLU.values()))
    table = pd.DataFrame(columns)
    return table[table["tokens"] > 0]


SET = Downloaded(
    name="bhagia2024",
    repository="allenai/OLMo-ladder",
    commit="67a3f440f787d020da35e3ca8eeae475fae754f5",
    licence="Apache-2.0",
    source="Bhagia et al. 2024, checkpoints of a ladder of small models and of two targets, with tasks",
    rows=3767,
    groups={"ladder": 1566, "target": 13, "other": 2188},
    read=read,
)
