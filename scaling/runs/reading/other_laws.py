"""Tables that hold what another law is of: one variable, or an accuracy or reward, which rises."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..._words import plain
from .glance import glance

#: what rises with scale, and ends at all
_ACCURACY = re.compile(r"\w*(accuracy|exactmatch|passat\d+|pass\d+|winrate)|acc|\w*acc(norm)?|f1|f1score|em|mmlu|score")
#: what rises to a limit that its numbers do not tell
_REWARD = re.compile(r"\w*(rewards?|returns?|bleu|rouge\w?|auc|auroc|map|successrate|score|elo|psnr|ssim|r2)")
#: share of the spread of the logarithms of losses that lies around a falling line in a variable, if no other matters
_LUCK = 0.02


def other_laws(frame: pd.DataFrame, found: set[str], places: Mapping[str, int]) -> list[str]:
    """What a table without all quantities of a run may be, and what fits it; ``found`` are those that it has.

    ``places`` are those of the quantities that stand in a column.
    """
    given = sorted(found & {"params", "tokens", "flops"})
    if "loss" in found:
        if len(given) != 1 or not _decides(frame, places.get(given[0]), places.get("loss")):
            return []
        x = given[0]
        words = f"with {x} alone this is a table of one variable, loss = c + a {x}^b"
        return [f"{words}: scaling fit --law power --x {x} fits it"]
    rising = next((str(name) for name in frame.columns if _rises(str(name), frame[name])), None)
    if rising is None:
        return []
    top = "LIMIT"
    if is_accuracy(rising, frame[rising]):
        top = "1" if pd.to_numeric(frame[rising], errors="coerce").max() <= 1 else "100"
    kind = "an accuracy" if top != "LIMIT" else "a score"
    words = f"{rising!r} is {kind}, which rises to a limit, and no loss: a law is of what it lacks of that limit"
    how = f"--column loss={rising!r} --higher-is-better --ceiling {top}"
    one = f"scaling fit --law power --x {given[0] if given else 'COLUMN'} --y {rising!r} --ceiling {top}"
    return [f"{words}. {how} fits it against size and tokens; {one} against one variable"]


def _decides(frame: pd.DataFrame, variable: int | None, loss: int | None) -> bool:
    """Whether losses fall along a variable but for luck, so that nothing else need be known of the runs."""
    if variable is None or loss is None:
        return True
    table = pd.DataFrame({"x": glance("count", frame.iloc[:, variable]), "y": glance("loss", frame.iloc[:, loss])})
    table = np.log(table[(table > 0).all(axis=1)])
    if len(table) < 2:
        return True
    from scipy.optimize import isotonic_regression  # a word about a table waits for no optimiser

    means = table.groupby("x")["y"].agg(["mean", "size"])
    falling = isotonic_regression(means["mean"], weights=means["size"], increasing=False).x
    apart = table["y"] - table["x"].map(pd.Series(falling, means.index))
    return bool((apart**2).sum() <= _LUCK * ((table["y"] - table["y"].mean()) ** 2).sum())


def rising_columns(frame: pd.DataFrame) -> tuple[list[int], list[str]]:
    """The place of the column that rises, where a table has one, or a question."""
    found = [k for k, name in enumerate(frame.columns) if _rises(str(name), frame.iloc[:, k])]
    if len(found) == 1:
        return found, []
    names = " and ".join(repr(str(frame.columns[k])) for k in found[:4]) or "no column by its name"
    verb = "could each be" if len(found) > 1 else "is plainly"
    return [], [f"--ceiling: {names} {verb} what rises to it: --column loss=COLUMN says which column does"]


def _rises(name: str, column: pd.Series) -> bool:
    """Whether a column is called an accuracy, a reward or the like, and holds numbers."""
    if is_accuracy(name, column):
        return True
    return bool(_REWARD.fullmatch(plain(name))) and bool(pd.to_numeric(column, errors="coerce").notna().any())


def is_accuracy(name: str, column: pd.Series) -> bool:
    """Whether a column is called an accuracy, and holds nothing that is neither a share nor a percentage."""
    if not _ACCURACY.fullmatch(plain(name)):
        return False
    numbers = pd.to_numeric(column.astype(str).str.rstrip("% "), errors="coerce").dropna()
    return bool(numbers.between(0, 100).all())
