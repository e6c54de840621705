"""Tables that hold what another law is of: one variable, or an accuracy."""

from __future__ import annotations

import re

import pandas as pd

from ..._words import plain

#: what rises with scale, and ends at all
_ACCURACY = re.compile(r"\w*(accuracy|exactmatch|passat\d+|pass\d+|winrate)|acc|\w*acc(norm)?|f1|f1score|em|mmlu|score")


def other_laws(frame: pd.DataFrame, found: set[str]) -> list[str]:
    """What a table without all quantities of a run may be, and what fits it; ``found`` are those that it has."""
    given = sorted(found & {"params", "tokens", "flops"})
    if "loss" in found:
        if len(given) != 1:
            return []
        x = given[0]
        words = f"with {x} alone this is a table of one variable, loss = c + a {x}^b"
        return [f"{words}: scaling fit --law power --x {x} fits it"]
    accuracy = next((str(name) for name in frame.columns if is_accuracy(str(name), frame[name])), None)
    if accuracy is None:
        return []
    top = 1 if pd.to_numeric(frame[accuracy], errors="coerce").max() <= 1 else 100
    words = f"{accuracy!r} is an accuracy, which rises to a limit, and no loss in nats: the laws of size and tokens are"
    how = f"scaling fit --law power --x {given[0] if given else 'COLUMN'} --y {accuracy!r} --ceiling {top}"
    return [f"{words} not of it. {how} fits what is missing to the limit, against one variable"]


def is_accuracy(name: str, column: pd.Series) -> bool:
    """Whether a column is called an accuracy, and holds nothing that is neither a share nor a percentage."""
    if not _ACCURACY.fullmatch(plain(name)):
        return False
    numbers = pd.to_numeric(column.astype(str).str.rstrip("% "), errors="coerce").dropna()
    return bool(numbers.between(0, 100).all())
