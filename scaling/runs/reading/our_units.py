"""A column of numbers in our unit, or the question in which unit it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd

from ..._words import name_rows
from ..headers import quoted
from .derivations import derive_option
from .mapping import Mapped
from .units import to_nats, unit_factor

#: without a stated unit, a quantity that never reaches this is in some other unit than ours
_LEAST = {"params": 1e4, "tokens": 1e5, "flops": 1e9, "budget": 1e9}
#: between these a count may be a logarithm to base 10, and the bases that are usual
_LOGARITHMS = {"params": (5.0, 13.0), "tokens": (6.0, 16.0), "flops": (12.0, 28.0), "budget": (12.0, 28.0)}
_BASES = {"10": "to base 10", "2.718281828459045": "to base e", "2": "to base 2"}
_EXAMPLES = {"params": "millions", "tokens": "billions", "flops": "PF-days", "budget": "PF-days"}


def in_our_unit(
    m: Mapped,
    column: pd.Series,
    bytes_per_token: float | None,
    own: np.ndarray | None = None,
    cell_units: Sequence[str] = (),
) -> tuple[pd.Series, Mapped, list[str]]:
    """A column in our unit, its mapping, and what is unclear about it.

    ``own`` are the cells that name a unit of their own, in which they are read, and ``cell_units`` these units.
    """
    if m.name == "loss":
        return _in_nats(m, column, bytes_per_token)
    if pd.api.types.is_bool_dtype(column):
        return column, m, []
    if own is not None and cell_units:
        return _with_units_of_cells(m, column, own, cell_units)
    if m.unit is not None:
        factor = _factor(m)
        return (_apply(column, lambda values: values * factor) if factor != 1.0 else column), m, []
    if question := _too_small(m, column):
        return column, m, [question]
    return column, replace(m, unit="count", source="assumed"), []


def _where(m: Mapped) -> str:
    return f"column {m.column!r}" + (f" ({m.name})" if m.name != m.column else "")


def _factor(m: Mapped) -> float:
    """What one of the column's unit is worth in ours; a count where none is stated."""
    return cast(float, unit_factor(m.name, m.unit)) if m.unit else 1.0


def _numbers(column: pd.Series) -> np.ndarray:
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan))


def _in_nats(m: Mapped, column: pd.Series, bytes_per_token: float | None) -> tuple[pd.Series, Mapped, list[str]]:
    """A loss in nats per token, or what a column lacks of the limit to which it rises."""
    unit = m.unit or "nats"
    if unit == "bits_per_character":
        hint = "--loss-unit bits where a token is a character, else --loss-unit bits_per_byte --bytes-per-token NUMBER"
        return column, m, [f"{_where(m)} is in bits per character: {hint}"]
    if unit.endswith("_per_byte") and bytes_per_token is None:
        hint = "--bytes-per-token NUMBER makes it nats per token"
        return column, m, [f"{_where(m)} is in {unit.replace('_', ' ')}: {hint}"]
    if m.ceiling is not None:
        limit = m.ceiling
        return _apply(column, lambda values: limit - values), replace(m, unit=f"{limit:g} - {m.column}"), []
    column = _apply(column, lambda values: to_nats(values, unit, bytes_per_token))
    return column, replace(m, unit=unit.replace("_", " ")), []


def _with_units_of_cells(
    m: Mapped, column: pd.Series, own: np.ndarray, cell_units: Sequence[str]
) -> tuple[pd.Series, Mapped, list[str]]:
    """Cells with units of their own as they were read, and bare ones in the unit that is stated for them."""
    numbers = _numbers(column)
    bare = ~own & (numbers < _LEAST.get(m.name, 1.0)) & (numbers > 0)
    if m.unit is None and bare.any():
        rows = f"{_where(m)}, {name_rows(column.index, bare)}"
        words = f"a bare number beside others with a unit ({cell_units[0]!r})"
        hint = f"write its unit too, or --unit {m.name}=UNIT says it of all bare numbers"
        return column, m, [f"{rows}: {words}: {hint}"]
    factor = _factor(m)
    column = column.where(own, _apply(column, lambda values: values * factor))
    shown = ", ".join(cell_units[:4]) + (f"; {m.unit} where none" if m.unit else "")
    return column, replace(m, unit=shown, source="option" if m.source == "option" else "cells"), []


def _too_small(m: Mapped, column: pd.Series) -> str:
    """A question about numbers that are too small for a count; "" of others."""
    numbers = _numbers(column)
    good = numbers[np.isfinite(numbers) & (numbers > 0)]
    if not len(good) or good.max() >= _LEAST.get(m.name, 0.0):
        return ""
    low, high = _LOGARITHMS.get(m.name, (np.inf, 0.0))
    bases = {base: np.log(10) / np.log(float(base)) for base in _BASES}
    options = [
        f"{_BASES[base]} ({derive_option(m.name, f'{base} ** {quoted(m.column)}', [m.column])})"
        for base, times in bases.items()
        if (good >= low * times).all() and (good <= high * times).all()
    ]
    asked = f"is it the logarithm {', '.join(options)}, or in which unit?" if options else "in which unit is it?"
    words = f"{_where(m)} runs from {good.min():g} to {good.max():g}, too little for a count: {asked}"
    return f"{words} --unit {m.name}={_EXAMPLES[m.name]}, or --unit {m.name}=count for the numbers as they are"


def _apply(column: pd.Series, change: Callable[[np.ndarray], np.ndarray]) -> pd.Series:
    """``change`` on the numbers of a column; other cells stay."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return pd.Series(change(column.to_numpy(dtype=float, na_value=np.nan)), index=column.index)
    number = np.array([isinstance(cell, (float, int)) and not isinstance(cell, bool) for cell in column], dtype=bool)
    out = column.astype(object).copy()
    out[number] = change(np.array([float(cell) for cell in column[number]]))
    return out
