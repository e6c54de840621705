"""The runs that Tao et al. 2024 trained with vocabularies of ten sizes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..downloaded import Downloaded


def read(folder: Path) -> pd.DataFrame:
    """One row a checkpoint, twenty a run; tokens are those of the file's FLOPs, which are 6ND exactly."""
    raw = pd.read_csv(folder / "exp_data.csv")
    body, vocabulary = raw["Non_vocab_parameters"], raw["vocab_size"] * raw["embed_dim"]
    names = [f"{n / 1e6:.0f}M with {v:.0f} words" for n, v in zip(body, raw["vocab_size"], strict=True)]
    columns = {
        "run": names,
        "params": body + vocabulary,
        "params_nonvocabulary": body,
        "params_vocabulary": vocabulary,
        "vocabulary": raw["vocab_size"],
        "width": raw["embed_dim"],
        "characters": raw["num_characters"],
        "tokens": raw["FLOPs"] / (6 * (body + vocabulary)),
        "flops": raw["FLOPs"],
        "unigram_normalised": raw["Lossu"],
    }
    return pd.DataFrame(columns)


SET = Downloaded(
    name="tao2024",
    repository="sail-sg/scaling-with-vocab",
    commit="6701cc202af8b075a46eef8e9d263b3f2ebe012c",
    licence="none stated",
    source="Tao et al. 2024, six sizes with vocabularies of 4 to 96 thousand words",
    rows=1_200,
    read=read,
)
