"""Public base models of many families, and what they reach on benchmarks, as Ruan et al. 2024 collected them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..downloaded import Downloaded

#: name in the files: ours
COLUMNS = {
    "Model": "run",
    "Model Family": "family",
    "Model Size (B)": "params",
    "Pretraining Data Size (T)": "tokens",
    "FLOPs (1E21)": "flops",
    "MMLU": "metric_mmlu",
    "ARC-C": "metric_arc_challenge",
    "HellaSwag": "metric_hellaswag",
    "Winograd": "metric_winograd",
    "TruthfulQA": "metric_truthfulqa",
    "GSM8K": "metric_gsm8k",
    "XWinograd": "metric_xwinograd",
    "HumanEval": "metric_humaneval",
    "parsinlu_qa_2_acc": "metric_parsinlu_qa",
    "word_unscrambling_2_exact_match": "metric_word_unscrambling",
    "ipa_transliterate_2_exact_match": "metric_ipa_transliterate",
    "ipa_transliterate_2_bleu": "metric_ipa_transliterate_bleu",
    "arithmetic_3ds_2_acc": "metric_subtraction_3_digits",
    "arithmetic_3da_2_acc": "metric_addition_3_digits",
    "arithmetic_2dm_2_acc": "metric_multiplication_2_digits",
    "arithmetic_2da_2_acc": "metric_addition_2_digits",
}
UNITS = {"params": 1e9, "tokens": 1e12, "flops": 1e21}


def read(folder: Path) -> pd.DataFrame:
    """One row a model, in the order of the benchmarks' file; the emergent tasks stand beside it, by name."""
    benchmarks = pd.read_csv(folder / "base_llm_benchmark_eval.csv")
    emergent = pd.read_csv(folder / "base_llm_emergent_capability_eval.csv")
    table = benchmarks.merge(emergent, on="Model", how="left", validate="one_to_one").rename(columns=COLUMNS)
    return table.assign(**{name: table[name] * unit for name, unit in UNITS.items()})


SET = Downloaded(
    name="ruan2024",
    repository="ryoungj/ObsScaling",
    commit="4d6e1e43fd2635d04654aa77d1df9d5266ea0382",
    licence="Apache-2.0",
    source="Ruan et al. 2024, public base models and their benchmarks",
    rows=148,
    read=read,
)
