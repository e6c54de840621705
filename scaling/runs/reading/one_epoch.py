"""Tokens of one epoch: what a column of tokens holds where the number of epochs stands beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from ..._words import plain
from ..vocabulary import OF_ONE_EPOCH
from .glance import glance
from .mapping import Mapped
from .products import parts_of

#: more epochs than one, beyond what whole steps make of it
_REPEATED = 1.5


def tokens_of_one_epoch(
    frame: pd.DataFrame, mapped: list[Mapped], columns: Mapping[str, str], taken: set[int]
) -> tuple[list[Mapped], list[str]]:
    """Tokens of the data set are those of one epoch where the number of epochs stands beside them; what is unclear."""
    parts, found = parts_of(frame, taken), {m.name: m for m in mapped}
    if "epochs" not in parts or "unique_tokens" in found or "tokens" in columns or "tokens" not in found:
        return mapped, []
    tokens = found["tokens"]
    if _by_epochs(tokens.column):
        return [replace(m, name="unique_tokens") if m is tokens else m for m in mapped], []
    seen = _repeats(frame, found, parts["epochs"])
    if not seen:
        return mapped, []
    one, all_ = (f"--column {ours}={tokens.column!r}" for ours in ("unique_tokens", "tokens"))
    words = f"{seen}: are these the tokens of one epoch? {one} multiplies them; {all_} takes them as all that were seen"
    return mapped, [words]


def _repeats(frame: pd.DataFrame, found: Mapping[str, Mapped], place: int) -> str:
    """What speaks for tokens of one epoch in the cells of the column of epochs; "" where nothing does."""
    tokens = found["tokens"].column
    numbers = pd.DataFrame(
        {n: glance(n, frame.iloc[:, m.place]) for n, m in found.items() if n in ("params", "tokens")}
    )
    epochs, name = pd.Series(glance("epochs", frame.iloc[:, place])), str(frame.columns[place])
    differ = epochs.groupby([numbers[name] for name in numbers], dropna=False).transform("nunique") > 1
    if len(frame) and differ.mean() >= 0.5:
        return f"runs of the same {tokens!r} differ in {name!r}"
    if not _says_all(tokens) and (epochs > _REPEATED).all() and epochs.nunique() == 1:
        return f"every run has {epochs.iloc[0]:g} {name!r} beside {tokens!r}"
    return ""


def _by_epochs(header: str) -> bool:
    """Whether tokens under this header are those of one epoch, where the number of epochs stands beside them."""
    tail = header.replace("/", ".").rpartition(".")[2]
    return plain(header) in OF_ONE_EPOCH or plain(tail) in OF_ONE_EPOCH


def _says_all(header: str) -> bool:
    """Whether a header says that its tokens are all that were seen, with every repetition."""
    return re.search(r"seen|total|consumed|processed|trained|overall|cumul", plain(header)) is not None
