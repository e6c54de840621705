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
        words = f"with {x} alone this is a table of one variable, loss = c + a {x}^b, which is none of the three laws"
        return [f"{words} of the commands: in Python, scaling.fit_power_law({x}, loss, offset=True) fits it"]
    accuracy = next((str(name) for name in frame.columns if _is_accuracy(str(name), frame[name])), None)
    if accuracy is None:
        return []
    words = (
        f"{accuracy!r} is an accuracy, which rises to a limit, and no loss in nats: the laws of the commands are not"
    )
    what = f"scaling.fit_power_law({given[0] if given else 'x'}, 1 - accuracy, offset=True) fits the share of errors"
    return [f"{words} of it. In Python, {what} against one variable"]


def _is_accuracy(name: str, column: pd.Series) -> bool:
    """Whether a column is called an accuracy, and holds nothing that is neither a share nor a percentage."""
    if not _ACCURACY.fullmatch(plain(name)):
        return False
    numbers = pd.to_numeric(column.astype(str).str.rstrip("% "), errors="coerce").dropna()
    return bool(numbers.between(0, 100).all())
