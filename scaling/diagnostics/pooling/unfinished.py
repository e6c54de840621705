"""Runs that ended before the length that was planned for them, by columns such as ``total_steps``."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..._robust import robust_deviation
from ..._words import name_rows, plain
from ...runs.headers import quoted
from .levels import MOST_LEVELS
from .result import Pooling
from .sweeps import MATTERS

_PLANNED = re.compile(
    r"(?:planned|target|total|max|scheduled|intended|full)+(?:num)?(?:train|training)?(steps|iters|iterations|tokens|updates)"
)
_REACHED = re.compile(
    r"(?:global|current|last|final|train|training)?(?:step|iter|iteration|update)s?(?:done|reached|completed)?"
)
_SHARE = re.compile(
    r"(?:training|train|run)?(?:progress|completion|(?:percent|fraction)(?:done|complete))(?:percent|pct)?"
)
#: a run ended early if it reached less than this share of what most reached of theirs, and most are so many
ENDED, MOST = 0.97, 0.5


def find_unfinished(runs: pd.DataFrame, residuals: np.ndarray, read_from: Mapping[str, str]) -> Pooling | None:
    """Runs that ended before their planned length, and for that lie above the law."""
    found = _shares_reached(runs)
    if found is None:
        return None
    name, share = found
    early = share < ENDED
    rest = residuals[~early]
    above = float(np.median(residuals[early]) - np.median(rest))
    if above < max(MATTERS, 2 * float(robust_deviation(rest - np.median(rest)))):
        return None
    part = " to ".join(dict.fromkeys(f"{each:.0%}" for each in (share[early].min(), share[early].max())))
    seen = f"{name_rows(runs.index, early)}: ended at {part} of {name!r}, and {above:.1%} above the law of the others"
    why = "a run cut short is not what a run of that length reaches"
    if "run" in runs:
        names = ", ".join(json.dumps(each, default=str) for each in runs.loc[early, "run"].tolist())
        told = f"{quoted(read_from.get('run', 'run'))} not in ({names})"
        hint = f"--where {shlex.quote(told)}" if early.sum() <= MOST_LEVELS else "--where"
    else:
        hint = f"--drop {','.join(map(str, runs.index[early]))}" if early.sum() <= MOST_LEVELS else "--where"
    return Pooling("unfinished", (name,), f"{seen}: {why}. {hint} leaves these out")


def _shares_reached(ends: pd.DataFrame) -> tuple[str, np.ndarray] | None:
    """The column of planned lengths, or of progress, and the share that each run (n,) reached; None where all did.

    The shares are of the share that is usual, so that it does not matter in which unit a column counts.
    """
    numbers = {str(name): column for name, column in ends.items() if pd.api.types.is_numeric_dtype(column)}
    steps = [column for name, column in numbers.items() if _REACHED.fullmatch(plain(name))]
    for name, column in numbers.items():
        planned, share = _PLANNED.fullmatch(plain(name)), _numbers(column)
        if planned is not None:
            reached = steps[0] if steps and planned[1] != "tokens" else ends["tokens"]
            with np.errstate(divide="ignore", invalid="ignore"):
                share = _numbers(reached) / share
        elif not _SHARE.fullmatch(plain(name)):
            continue
        share = share / np.nanmax(share) if np.isfinite(share).any() else share
        if (share < ENDED).any() and (share >= ENDED).mean() >= MOST:
            return name, share
    return None


def _numbers(column: pd.Series) -> np.ndarray:
    return column.to_numpy(dtype=float, na_value=np.nan)
