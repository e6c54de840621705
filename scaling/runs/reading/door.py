"""The one door through which a table of runs comes in: a file or a named set, checked and in our columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..._words import name_rows
from ...errors import RunsError
from ...sources.datasets import dataset_checksum, dataset_names
from ..problems import to_numbers
from ..table import check_runs, load_runs
from ..vocabulary import LIMITS
from .table import read_table


def read_runs(source: str, *, skip_bad: bool = False, **reading: Any) -> pd.DataFrame:
    """The runs of a file, or of a named data set, checked and in our columns.

    ``reading`` are the arguments of :func:`~scaling.runs.read_table`. ``attrs["reading"]`` says how the file was read:
    its ``name``, ``sha256``, ``kind``, ``mapping`` and ``notes``.
    """
    path = Path(source)
    if not path.exists() and (source in dataset_names() or not (path.suffix or "/" in source)):
        runs = load_runs(source)
        if any(value not in (None, {}) for value in reading.values()):
            raise RunsError(f"{source} is a data set in our own columns: it takes no options of reading")
        runs.attrs["reading"] = {
            "name": source,
            "sha256": dataset_checksum(source),
            "kind": "data set",
            "mapping": [],
            "notes": [],
        }
        return runs
    delimiter = reading.pop("delimiter", None)
    table = read_table(path, delimiter={"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter), **reading)
    frame, notes = table.frame, list(table.notes)
    if skip_bad:
        bad = _bad_rows(frame)
        if bad.any():
            notes.append(f"{name_rows(frame.index, bad)}: left out, a value is missing or impossible (--skip-bad)")
            frame = frame[~bad]
    try:
        runs = check_runs(frame)
    except RunsError as error:
        raise RunsError(str(path), [*error.problems, *_advice(frame, table.mapping, skip_bad)]) from None
    runs.attrs["reading"] = {
        "name": path.name,
        "sha256": table.sha256,
        "kind": table.kind,
        "mapping": table.mapping.to_dict("records"),
        "notes": notes,
    }
    return runs


def _bad_rows(frame: pd.DataFrame) -> np.ndarray:
    """Rows in which a needed value is missing, or any is not a number within its limits."""
    finished = np.ones(len(frame), dtype=bool)
    if "status" in frame:
        finished = (frame["status"].astype("str").str.strip().str.lower() == "finished").to_numpy(dtype=bool)
    bad, absent = np.zeros(len(frame), dtype=bool), np.zeros(len(frame), dtype=int)
    for name in [name for name in LIMITS if name in frame]:
        values, text = to_numbers(frame[name])
        gaps = np.isnan(values) & ~text
        low, high = LIMITS[name]
        with np.errstate(invalid="ignore"):
            bad |= text | (~gaps & ~((values >= low) & (values <= high)))
        if name in ("params", "tokens", "flops"):
            absent += gaps
        elif name == "loss":
            bad |= gaps
    bad |= absent + (3 - sum(name in frame for name in ("params", "tokens", "flops"))) > 1
    return bad & finished


def _advice(frame: pd.DataFrame, mapping: pd.DataFrame, skipped: bool) -> list[str]:
    """Lines below the problems: how columns were read, and how to go on without the rows."""
    renamed = [
        f"{row['name']} from {row['column']!r}" for row in mapping.to_dict("records") if row["name"] != row["column"]
    ]
    lines = [f"columns were read as: {', '.join(renamed)}"] if renamed else []
    bad = int(_bad_rows(frame).sum())
    if not skipped and 0 < bad < len(frame):
        lines.append(f"--skip-bad goes on without these rows ({bad} of {len(frame)})")
    return lines
