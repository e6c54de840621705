"""The cells of a column as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .._checks import number
from .._words import name_rows
from ..errors import RunsError


def to_numbers(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """A column as floats, and a mask of the cells that hold no number (NaN there)."""
    dtype = column.dtype
    boolean_or_complex = pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_complex_dtype(dtype)
    if pd.api.types.is_numeric_dtype(dtype) and not boolean_or_complex:
        with np.errstate(over="ignore"):
            return column.to_numpy(dtype=float, na_value=np.nan, copy=True), np.zeros(len(column), dtype=bool)
    values, text = np.full(len(column), np.nan), np.zeros(len(column), dtype=bool)
    for i, cell in enumerate(column.tolist()):
        try:
            values[i] = _to_float(cell)
        except ValueError:
            text[i] = True
    return values, text


def _to_float(value: Any) -> float:
    """A number from a cell, NaN for an empty one; ``ValueError`` for anything else."""
    if value is None or value is pd.NA or value is pd.NaT:
        return np.nan
    if isinstance(value, str):
        return float(value) if value.strip() else np.nan
    return number("cell", value)


def refuse_no_table(table: Any) -> None:
    """``RunsError`` unless it is a table."""
    if not isinstance(table, pd.DataFrame):
        raise RunsError(f"a table is needed, a DataFrame, not a {type(table).__name__}")


def column_of_numbers(table: pd.DataFrame, name: str) -> np.ndarray:
    """A column as floats, NaN where a cell is empty; ``RunsError`` where it is missing, twice there, or no numbers."""
    refuse_no_table(table)
    table = pd.DataFrame(table, copy=False)  # without the notes, which pandas copies with each column
    columns = list(table.columns)
    if name not in columns:
        raise RunsError(f"the table has no column {name!r}; its columns are {columns}")
    if columns.count(name) > 1:
        raise RunsError(f"column {name!r} stands there twice: keep one")
    column = table[name]
    values, text = (column.to_numpy(), None) if column.dtype == float else to_numbers(column)
    if text is not None and text.any():
        cell = str(column.iloc[int(text.argmax())])[:30]
        raise RunsError(f"column {name!r}, {name_rows(table.index, text)}: {cell!r} is not a number")
    return values


def positive_columns(table: pd.DataFrame, *names: str, gaps: bool = False) -> list[np.ndarray]:
    """Columns of positive finite numbers, with ``gaps`` also empty cells; ``RunsError`` names what is not."""
    arrays = [column_of_numbers(table, name) for name in names]
    for name, values in zip(names, arrays, strict=True):
        bad = ~((values > 0) & (values < np.inf)) & ~(gaps & np.isnan(values))
        if bad.any():
            found = f"column {name!r}, {name_rows(table.index, bad)}: {values[int(bad.argmax())]:g}"
            raise RunsError(f"{found}, and a positive finite number is needed")
    return arrays
