"""How often runs read their tokens, by the columns that tell."""

from __future__ import annotations

import shlex

import numpy as np
import pandas as pd

from .headers import quoted
from .preparing.expressions import as_numbers
from .reading.products import part_of
from .reading.units import unit_factor
from .vocabulary import LIMITS

#: epochs up to which repeated tokens are nearly as good as new ones (Muennighoff et al. 2023)
NEARLY_NEW = 4.0
#: share by which a number of epochs may be beyond that, since steps are whole, and two columns of it may differ
ROUNDED = 0.02


def epochs_column(runs: pd.DataFrame) -> str | None:
    """The first column that is called a number of epochs and holds numbers; None without one."""
    for place, name in enumerate(runs.columns):
        if name not in LIMITS and part_of(str(name)) == "epochs":
            values = as_numbers(runs.iloc[:, place])
            if np.isfinite(values).any():
                return str(name)
    return None


def epochs_of(runs: pd.DataFrame) -> np.ndarray | None:
    """How often each run (n,) read its tokens, by its unique tokens or a column of epochs, NaN where neither tells.

    None for a table with no column that tells.
    """
    name = epochs_column(runs)
    counted = None if name is None else as_numbers(runs[name])
    if "unique_tokens" not in runs:
        return counted
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = as_numbers(runs["tokens"]) / as_numbers(runs["unique_tokens"])
    return ratio if counted is None else np.where(np.isnan(ratio), counted, ratio)


def often_read(runs: pd.DataFrame) -> np.ndarray:
    """The runs (n,) that read their tokens more than four times; of others, or where nothing tells, False."""
    epochs = epochs_of(runs)
    if epochs is None:
        return np.zeros(len(runs), dtype=bool)
    with np.errstate(invalid="ignore"):
        return epochs > NEARLY_NEW * (1 + ROUNDED)


def condition(runs: pd.DataFrame, read_from: list[dict[str, str]]) -> str:
    """``--where`` with the condition that keeps up to four epochs, in names of the file; "" where none can say it."""
    name, often = epochs_column(runs), often_read(runs)
    if name is not None and np.array_equal(as_numbers(runs[name]) > NEARLY_NEW * (1 + ROUNDED), often):
        return f"--where {shlex.quote(f'{quoted(name)} <= {NEARLY_NEW:g}')}"
    told = {each["name"]: each for each in read_from if each["from"] != "product"}
    if read_from and not {"tokens", "unique_tokens"} <= set(told):
        return ""
    names = {ours: quoted(told[ours]["column"]) if read_from else ours for ours in ("tokens", "unique_tokens")}
    worth = {ours: _worth(ours, told[ours]["unit"]) if read_from else 1.0 for ours in names}
    times = NEARLY_NEW * worth["unique_tokens"] / worth["tokens"]
    text = f"{names['tokens']} <= {times:.6g} * {names['unique_tokens']}"
    return f"--where {shlex.quote(text)}"


def _worth(ours: str, unit: str | None) -> float:
    """How many tokens one of a unit is."""
    return float(unit_factor(ours, unit or "count") or 1.0)


def remarks(runs: pd.DataFrame) -> list[str]:
    """What is said of a table whose tokens were read again; nothing where they were not."""
    epochs = epochs_of(runs) if "tokens" in runs else None
    if epochs is None or not (epochs > 1.5).any():
        return []
    said = f"tokens are repeated, up to {np.nanmax(epochs):.3g} times"
    said += "" if "unique_tokens" in runs else " (they are taken as all that were seen, not those of one epoch)"
    worth = "a repeated token is worth less than a new one (DataConstrainedLaw)"
    return [f"{said}: {worth}; up to four epochs that matters little, runs of more are best left out"]
