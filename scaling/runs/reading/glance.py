"""Cells looked at before a table is read: could they hold this quantity?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .cells import decimal_mark, loss_unit_in, read_numbers, undressed, without_spreads
from .units import unit_factor

#: rows that are looked at
ROWS = 2_000
#: what the middle one of the different values of a quantity in plain numbers reaches at least, and at most
_MIDDLE = {"params": (2e4, 1e15), "tokens": (1e5, 1e17), "flops": (1e9, 1e32), "loss": (1e-3, 200.0)}


def glance(name: str, column: pd.Series, rows: int = ROWS) -> np.ndarray:
    """The first cells of a column as numbers, in the units that cells name; NaN where they are none."""
    cells = column.iloc[:rows]
    if pd.api.types.is_bool_dtype(cells) or pd.api.types.is_complex_dtype(cells):
        return np.full(len(cells), np.nan)
    if pd.api.types.is_numeric_dtype(cells):
        return cells.to_numpy(dtype=float, na_value=np.nan)
    cells = without_spreads(name, undressed(cells))[0]
    cells = loss_unit_in(cells)[0] if name == "loss" else cells
    mark = decimal_mark({"": cells.rename_axis("row")})[0] or "."
    return pd.to_numeric(read_numbers(name, cells, mark)[0], errors="coerce").to_numpy(dtype=float)


def fits(name: str, column: pd.Series, unit: str | None) -> bool:
    """Whether the cells could be a quantity, in a stated unit or, without one, in plain numbers of a usual size.

    An empty column, whose cells are not known, could be anything.
    """
    if not len(column):
        return True
    values = glance(name, column)
    given = values[np.isfinite(values)]
    if len(given) < max(1, 0.5 * int(column.iloc[:ROWS].notna().sum())):
        return False
    if name not in _MIDDLE:
        return bool((given > 0).any())
    factor = unit_factor(name, unit) if unit else 1.0
    if name == "loss" and isinstance(factor, str):
        return True
    low, high = _MIDDLE[name]
    middle = np.median(np.unique(given)) * (factor if isinstance(factor, float) else 1.0)
    whole = name == "loss" and len(given) > 2 and bool((given == np.round(given)).all())
    return bool(low <= middle <= high) and not whole
