"""The 104 models of Gadre et al. 2024: three training sets, up to 640 tokens a parameter, 46 tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from ..downloaded import Downloaded

#: the names of the training sets in the files, and ours
CORPORA = {"c4_original": "c4", "rpj": "rpj", "rw_original": "rw"}
#: our columns of a loss, and the folder or file of the text that it is of
LOSSES = {
    "loss": "c4_val",
    "loss_openlm": "openlm",
    "loss_paloma_c4": "paloma_c4_en",
    "loss_paloma_code": "paloma_dolma_100_programing_languages",
    "loss_paloma_refinedweb": "paloma_falcon-refinedweb",
    "loss_paloma_ptb": "paloma_ptb",
    "loss_paloma_redpajama": "paloma_redpajama",
    "loss_c4_german": "val_de-en_100",
}
#: the tasks of the shorter average, as the authors' code lists them
SUBSET = (
    *("arc_easy", "bigbench_cs_algorithms", "bigbench_dyck_languages", "bigbench_novel_concepts"),
    *("bigbench_operators", "bigbench_qa_wikidata", "boolq", "commonsense_qa", "copa", "coqa", "hellaswag"),
    *("hellaswag_zeroshot", "lambada_openai", "piqa", "pubmed_qa_labeled", "squad", "winograd"),
)
#: tokens a parameter where the authors' multiplier is one
CHINCHILLA = 20


def read(folder: Path) -> pd.DataFrame:
    """One row a model: those of a training set together, by size and then by tokens."""
    rows = [_row(path, folder / "evals" / f"evaluation_{path.stem}_heavy.json") for path in _models(folder)]
    return pd.DataFrame(rows).sort_values(["group", "params", "tokens"], kind="stable").reset_index(drop=True)


def _models(folder: Path) -> list[Path]:
    return sorted((folder / "models").glob("*.json"))


def _row(model: Path, evaluation: Path) -> dict[str, Any]:
    described, tasks = (json.loads(path.read_text(encoding="utf-8")) for path in (model, evaluation))
    sizes, accuracy = described["hyperparameters"], tasks["eval_metrics"]["icl"]
    losses = {_text(result["val_data"][0]): result["loss"] for result in described["results"]}
    return {
        "params": float(sizes["params"]),
        "tokens": float(sizes["tokens"]),
        "flops": 6.0 * sizes["params"] * sizes["tokens"],
        "params_nonembedding": float(sizes["params_no_embed"]),
        "run": described["name"],
        "group": CORPORA[described["dataset_name"]],
        "tokens_per_param": CHINCHILLA * sizes["chinchilla_multiplier"],
        "learning_rate": sizes["lr"],
        "batch_size": sizes["global_bs"],
        "warmup_steps": sizes["warmup"],
        **{ours: losses[theirs] for ours, theirs in LOSSES.items()},
        "error_tasks46": 1 - sum(accuracy.values()) / len(accuracy),
        "error_tasks17": 1 - sum(accuracy[task] for task in SUBSET) / len(SUBSET),
        **{f"metric_{task}": accuracy[task] for task in sorted(accuracy)},
    }


def _text(place: str) -> str:
    """The text that a loss is of: a folder, or a file where the folder holds several."""
    *_, above, name = place.split("/")
    return name.split(".")[0] if above == "de-en" else above


SET = Downloaded(
    name="gadre2024",
    repository="mlfoundations/scaling",
    commit="a003c4913793ac2ae7ef87b28ecb562955d026d5",
    licence="MIT",
    source="Gadre et al. 2024, models of 11M to 6.9B on three texts, up to 640 tokens a parameter, and 46 tasks",
    rows=104,
    groups={"c4": 34, "rpj": 35, "rw": 35},
    read=read,
)
