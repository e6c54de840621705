"""The table of a command: read as its options say, without the rows that are to be left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .._words import name_rows
from ..diagnostics.inspection import without_diverged
from ..runs.reading.door import load_runs
from ..runs.vocabulary import LABELS, LIMITS, STANDS_FOR
from .command import Refusal

#: unused columns that are named
SHOWN = 12


def read_runs(source: str, reading: dict[str, Any]) -> pd.DataFrame:
    """A table of runs by the options of :func:`~scaling.cli.options.runs_options`."""
    options = dict(reading)
    drop = options.pop("drop")
    table = load_runs(source, **options)
    if drop:
        kept = _kept(table, drop)
        if not kept.any():
            raise Refusal(f"--drop {' --drop '.join(drop)} leaves no row of {source}")
        if not kept.all():
            words = f"{name_rows(table.index, ~kept)} left out (--drop {', '.join(drop)})"
            table = table[kept]
            table.attrs["reading"]["notes"].append(words)
    notes = table.attrs["reading"]["notes"]
    told = " ".join(notes)  # such as columns of which tokens are the product
    unused = [repr(str(name)[:40]) for name in table.columns if name not in (*LIMITS, *LABELS, STANDS_FOR)]
    unused = [name for name in unused if name not in told]
    if unused:
        more = f" and {len(unused) - SHOWN} more" if len(unused) > SHOWN else ""
        plural = "s" if len(unused) > 1 else ""
        notes.append(f"column{plural} not used: {', '.join(unused[:SHOWN])}{more}")
    return table


def _kept(table: pd.DataFrame, drop: tuple[str, ...]) -> np.ndarray:
    """Which rows stay when the runs above the pattern, or rows of these labels, are left out."""
    labels = table.index.astype(str)
    noun = table.index.name or "row"
    kept = np.ones(len(table), dtype=bool)
    for word in drop:
        if word == "diverged":
            continue
        if not (hit := labels == word).any():
            raise Refusal(
                f"--drop {word}: there is no {noun} {word} among the runs; 'diverged' or the number of a {noun}"
            )
        kept &= ~hit
    if "diverged" in drop:
        kept[kept] = without_diverged(table[kept])
    return kept
