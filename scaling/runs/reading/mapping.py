"""Which column is which quantity of ours, in which unit: one record a column, and the table and words made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

#: columns that are listed in a message, at most
MOST_LISTED = 40


@dataclass(frozen=True)
class Mapped:
    """Our ``name`` for the ``column`` at a ``place``; its ``unit`` (None: not stated) and where that is from."""

    name: str
    column: str
    place: int
    unit: str | None = None
    source: str = "assumed"
    #: the limit to which the column rises, where what it lacks of it is the quantity
    ceiling: float | None = None


def mapping_table(mapped: list[Mapped]) -> pd.DataFrame:
    """How columns were read, one row each."""
    columns = ["name", "column", "unit", "from"]
    return pd.DataFrame([[m.name, m.column, m.unit, m.source] for m in mapped], columns=columns, dtype=object)


def told(mapping: pd.DataFrame) -> list[dict[str, str | None]]:
    """The rows of :func:`mapping_table` as records; None where a column has no unit."""
    return mapping.astype(object).where(mapping.notna(), None).to_dict("records")


def advice(mapping: pd.DataFrame, bad: int, total: int, skipped: bool) -> list[str]:
    """Lines below the problems: how columns were read, and how to go on without the bad ones of all rows."""
    renamed = [
        f"{row['name']} from {row['column']!r}" for row in mapping.to_dict("records") if row["name"] != row["column"]
    ]
    lines = [f"columns were read as: {', '.join(renamed)}"] if renamed else []
    if not skipped and 0 < bad < total:
        lines.append(f"to go on without these rows ({bad} of {total}): --skip-bad, in Python skip_bad=True")
    return lines


def listed_columns(names: Sequence[str]) -> str:
    """The names of columns in a message: the first of very many."""
    shown = ", ".join(repr(name[:40]) for name in names[:MOST_LISTED])
    return shown + (f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else "")
