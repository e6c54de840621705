"""Losses of several tokenisers, or on several texts, in one table: numbers that are not comparable."""

from __future__ import annotations

import re

import pandas as pd

from ..._words import plain
from ...runs.headers import carried, typed
from .result import CHOOSE, Pooling

_TOKENS = re.compile(
    r"(?:tokeni[sz]er|tokeni[sz]ation|vocab(?:ulary)?)(?:name|id|type|kind|version|size|model)?|n?vocab"
)
_TEXT = re.compile(
    r"(?:eval(?:uation)?|val(?:id(?:ation)?)?|test|dev|heldout)(?:data)?(?:set|data|corpus|split|text|domain|task|suite)"
    r"(?:name|id|version)?|(?:evaluat|validat|test|measur)edon|split|benchmark"
)
#: numbers of one vocabulary differ by less than this share, as those rounded up for a processor do
PADDED = 0.02


def find_measures(runs: pd.DataFrame, loss_unit: str) -> Pooling | None:
    """A column that is called what the loss is measured in, or on, with several values.

    A loss per byte is the same for every tokeniser.
    """
    for name, column in carried(runs):
        tail = plain(re.split(r"[./]", name)[-1])
        of_tokens = bool(_TOKENS.fullmatch(tail)) and "byte" not in loss_unit
        if not (of_tokens or _TEXT.fullmatch(tail)):
            continue
        shown = _values(column, of_tokens)
        if 2 <= len(shown) <= len(runs) / 2:
            few = ", ".join(shown[:4]) + (", ..." if len(shown) > 4 else "")
            what = "of two tokenisers" if of_tokens else "on two texts"
            seen = f"{name!r} has {len(shown)} values ({few}), and losses {what} are not comparable"
            choose = f"--group {typed([name])} fits the rows of each by themselves, --where chooses those of one"
            return Pooling("measures", (name,), f"{seen}. {CHOOSE}: {choose}")
    return None


def _values(column: pd.Series, numbers: bool) -> list[str]:
    """The different values of a column of words, in their order, or of vocabularies; none of another column."""
    known = column.dropna()
    if not pd.api.types.is_numeric_dtype(known):
        words = known.astype("str").str.strip()
        return words[~words.str.casefold().duplicated()].tolist()
    if not numbers or pd.api.types.is_bool_dtype(known):
        return []
    sizes = sorted(known.unique())
    return [f"{each:g}" for k, each in enumerate(sizes) if k == 0 or each > sizes[k - 1] * (1 + PADDED)]
