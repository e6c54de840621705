"""Cells of text as numbers: thousands separators, decimal commas, "70B", "1.4 trillion", "3640 PF-days"."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ._units import unit_factor

#: characters between thousands that can be nothing else: blanks of several widths, apostrophes, underscores
_GAPS = r"[ _'\u2019\u00a0\u2009\u202f]"
_TAIL = r"(?:[eE][+-]?\d+)?\s*[A-Za-z][\w\s/*^.-]*|(?:[eE][+-]?\d+)?"


def _evidence(mark: str, other: str) -> str:
    """Pattern of a cell in which ``mark`` can only be the decimal mark."""
    m, o = re.escape(mark), re.escape(other)
    forms = [
        rf"\d*{m}(?:\d{{1,2}}|\d{{4,}})",  # 2,31 or 2,3145
        rf"0?{m}\d+",  # 0,314
        rf"\d{{4,}}{m}\d+",  # 1234,567
        rf"\d{{1,3}}(?:{o}\d{{3}})+{m}\d+",  # 1.234,567
        rf"\d{{1,3}}(?:{o}\d{{3}}){{2,}}",  # 1.234.567
        rf"\d+{m}\d+(?=[eE])",  # 7,000e9
    ]
    return rf"[+-]?(?:{'|'.join(forms)})(?:{_TAIL})"


def decimal_mark(columns: dict[str, pd.Series]) -> tuple[str, str]:
    """The decimal mark of columns of text ("." or ","), or why it cannot be told (in words, for a problem).

    A comma is a decimal mark where it can be nothing else, as in ``2,31``; in ``1,234`` it can be either, and
    such a cell decides nothing.
    """
    seen: dict[str, str] = {}
    unclear = ""
    for name, column in columns.items():
        text = column.dropna().astype("str").str.strip()
        text = text[text.str.contains(",", regex=False) | text.str.contains(".", regex=False)]
        for mark, other in (",.", ".,"):
            hit = text.str.fullmatch(_evidence(mark, other)).to_numpy(dtype=bool)
            if mark not in seen and hit.any():
                at = int(np.argmax(hit))
                seen[mark] = f"{text.iloc[at][:30]!r} in column {name!r}, {text.index.name} {text.index[at]}"
        single = text.str.fullmatch(rf"[+-]?\d{{1,3}},\d{{3}}(?:{_TAIL})").to_numpy(dtype=bool)
        if not unclear and single.any():
            at = int(np.argmax(single))
            unclear = f"{text.iloc[at][:30]!r} in column {name!r}, {text.index.name} {text.index[at]}"
    if len(seen) == 2:
        return (
            "",
            f"a decimal comma ({seen[',']}) beside a decimal point ({seen['.']}): --decimal , or --decimal . decides",
        )
    if not seen and unclear:
        return "", f"is the comma in {unclear} a decimal mark or between thousands? --decimal , or --decimal . decides"
    return next(iter(seen), "."), ""


def read_numbers(name: str, column: pd.Series, mark: str) -> tuple[pd.Series, np.ndarray, list[str]]:
    """A column of text as floats where it can be; cells that are no numbers stay as they are.

    ``name`` is our name of the quantity. Returns the column, a mask of the cells that name a unit of their own,
    and these units.
    """
    text = column.astype("str").str.strip().str.replace("\u2212", "-", regex=False)
    sep = _GAPS[:-1] + ("," if mark == "." else ".") + "]"
    m = re.escape(mark)
    parts = text.str.extract(
        rf"^([+-]?)(\d+|\d{{1,3}}(?:{sep}\d{{3}})+|)(?:{m}(\d*))?(?:[eE]([+-]?\d{{1,4}}))?\s*([A-Za-z][\w\s/*^.-]*)?$"
    )
    whole = parts[1].str.replace(sep, "", regex=True)
    digits = whole.fillna("") + parts[2].fillna("")
    literal = parts[0].fillna("") + whole.fillna("") + "." + parts[2].fillna("") + "e" + parts[3].fillna("0")
    good = (digits != "").to_numpy(dtype=bool)
    values = np.full(len(column), np.nan)
    values[good] = pd.to_numeric(literal[good]).to_numpy(dtype=float)
    own, units = np.zeros(len(column), dtype=bool), []
    for unit in parts.loc[good, 4].dropna().unique():
        rows = good & (parts[4] == unit).to_numpy(dtype=bool)
        factor = None if name == "loss" else unit_factor(name, unit)
        if isinstance(factor, float):
            values[rows] = _scaled(literal[rows], factor)
            own |= rows
            units.append(str(unit)[:20].strip())
        else:
            good &= ~rows
    special = text.str.lower().isin(["inf", "+inf", "infinity", "-inf", "-infinity"]).to_numpy(dtype=bool)
    values[special] = np.where(text[special].str.startswith("-"), -np.inf, np.inf)
    empty = column.isna().to_numpy() | text.isin(["", "-", "--", "n/a", "na", "nan", "NaN", "none"]).to_numpy(
        dtype=bool
    )
    values[empty] = np.nan
    if (good | special | empty).all():
        return pd.Series(values, index=column.index), own, units
    mixed = column.astype(object).copy()
    mixed[good | special | empty] = values[good | special | empty]
    return mixed, own, units


def _scaled(literals: pd.Series, factor: float) -> np.ndarray:
    """Literals times a factor, exactly where the factor is a power of ten: 1.4T is 1.4e12 and nothing near it."""
    power = round(np.log10(factor))
    if 10.0**power != factor:
        return pd.to_numeric(literals).to_numpy(dtype=float) * factor
    head, tail = literals.str.rsplit("e", n=1).str[0], literals.str.rsplit("e", n=1).str[1]
    exponent = pd.to_numeric(tail).astype(int) + power
    return pd.to_numeric(head + "e" + exponent.astype("str")).to_numpy(dtype=float)
