"""Cells of text as numbers: thousands separators, decimal commas, "70B", "1.4 trillion", "3640 PF-days"."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd

from ..._words import UNSEEN, plain
from .units import LOSS_UNITS, unit_factor

#: characters between thousands that can be nothing else: blanks of several widths, apostrophes, underscores
_GAPS = r"[ _'\u2019\u00a0\u2009\u202f]"
#: what people write where there is nothing
_NOTHING = ["", "-", "--", "n/a", "na", "nan", "none", "null"]
#: a unit, at whose end no mark of a footnote may stand
_UNIT = r"[^\W\d_](?:[\w\s/*^.-]*[\w.])?"
_TAIL = rf"(?:[eE][+-]?[0-9]+)?\s*{_UNIT}|(?:[eE][+-]?[0-9]+)?"


#: a power of ten as people write it: ``1.3 x 10^9``, ``10⁹``, ``2·10**18``
_POWER = re.compile(
    r"^(?:([+-]?[0-9]+(?:[.,][0-9]*)?)\s*[×x*·⋅]\s*)?10\s*(?:\^|\*\*)?\s*\{?"
    r"((?<=[\^*{])[+-]?[0-9]{1,2}|[⁰¹²³⁴-⁹]{1,2})\}?(?=\s|$)"
)

#: quotation marks and the like around a number, or an apostrophe before it, which keep programs from changing it
_WRAPPED = re.compile(
    r"""^\s*(?:=?"([^"]*)"|“([^”]*)”|„([^“”]*)[“”]|«([^»]*)»|‘([^’]*)’|'([^']*)'?|`([^`]*)`|\$([^$]*)\$)\s*$"""
)
_UNSEEN = f"[{''.join(map(chr, UNSEEN))}]+"
_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
#: how far a number may be off, behind it: ``2.31 ± 0.02``, and of a loss ``2.31 (0.02)`` or ``2.314(21)``
_PLUS_MINUS = re.compile(r"\s*(?:±|\+/?[-−]|\$?\\pm\$?)\s*[0-9]*[.,]?[0-9]+\s*%?\s*$")
_BRACKETS = re.compile(r"^([0-9]*[.,][0-9]+)(?:\([0-9]{1,2}\)|\s*\(\s*±?\s*([0-9]*[.,][0-9]+)\s*\))\s*$")
#: what stands in brackets behind a loss is a spread where it is at most this share of it
_SMALL = 0.1
#: a loss and its unit
_WITH_UNIT = re.compile(r"^(.*[0-9])\s*([^\W\d_][\w\s/.-]*)$")


def undressed(column: pd.Series) -> pd.Series:
    """A column of text without what stands around its numbers and is no part of them, and with usual digits."""
    text = column.astype("str")
    if not text.str.contains(r"""["'`$\\“„«‘\u200b-\u200f\u2060\ufeff\uff01-\uff5e]""").any():
        return column
    text = text.str.strip().str.replace(f"^{_UNSEEN}|{_UNSEEN}$", "", regex=True).str.translate(_WIDE)
    text = text.str.replace(r"\\(?:times|cdot)\s*", "×", regex=True)
    text = text.str.replace(_WRAPPED, lambda m: next(filter(None, m.groups()), ""), regex=True)
    return text.where(column.notna())


def without_spreads(name: str, column: pd.Series) -> tuple[pd.Series, int]:
    """A column of text without the spreads behind its numbers, where most cells have one, and how many had."""
    text = column.astype("str").fillna("").str.strip()
    bare = text.str.replace(_PLUS_MINUS, "", regex=True)
    if name == "loss":
        parts = text.str.extract(_BRACKETS)
        number, spread = (pd.to_numeric(parts[k].str.replace(",", "."), errors="coerce") for k in (0, 1))
        bare = bare.mask(parts[0].notna() & ~(spread > _SMALL * number), parts[0])
    count = int((bare != text).sum())
    return (bare.where(column.notna()), count) if count > 0.5 * column.notna().sum() else (column, 0)


def loss_unit_in(column: pd.Series) -> tuple[pd.Series, str | None]:
    """A column of losses without the unit that all of its cells name, and that unit (None: they name none)."""
    parts = column.dropna().astype("str").str.strip().str.extract(_WITH_UNIT)
    units = {LOSS_UNITS.get(plain(unit)) if isinstance(unit, str) else None for unit in parts[1].unique()}
    if len(units) != 1 or (unit := units.pop()) is None:
        return column, None
    return parts[0].reindex(column.index), unit


def _evidence(mark: str, other: str) -> str:
    """Pattern of a cell in which ``mark`` can only be the decimal mark."""
    m, o = re.escape(mark), re.escape(other)
    forms = [
        rf"[0-9]*{m}(?:[0-9]{{1,2}}|[0-9]{{4,}})",  # 2,31 or 2,3145
        rf"0?{m}[0-9]+",  # 0,314
        rf"[0-9]{{4,}}{m}[0-9]+",  # 1234,567
        rf"[0-9]{{1,3}}(?:{o}[0-9]{{3}})+{m}[0-9]+",  # 1.234,567
        rf"[0-9]{{1,3}}(?:{o}[0-9]{{3}}){{2,}}",  # 1.234.567
        rf"[0-9]+{m}[0-9]+(?=[eE])",  # 7,000e9
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
        single = text.str.fullmatch(rf"[+-]?[0-9]{{1,3}},[0-9]{{3}}(?:{_TAIL})").to_numpy(dtype=bool)
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
    if text.str.contains(r"10\s*[\^*{⁰¹²³⁴-⁹]").any():
        text = text.str.replace(_POWER, _as_typed, regex=True)
    sep = _GAPS[:-1] + ("," if mark == "." else ".") + "]"
    m = re.escape(mark)
    parts = text.str.extract(
        rf"^([+-]?)([0-9]+|[0-9]{{1,3}}(?:{sep}[0-9]{{3}})+|)(?:{m}([0-9]*))?(?:[eE]([+-]?[0-9]{{1,4}}))?\s*({_UNIT})?$"
    )
    whole, fraction = parts[1].str.replace(sep, "", regex=True).fillna(""), parts[2].fillna("")
    good = ((whole + fraction) != "").to_numpy(dtype=bool, copy=True)
    codes, found = pd.factorize(parts[4])
    factors = [unit_factor(name, unit) if name != "loss" and len(unit) < 30 else None for unit in found]
    factor = np.array([*(x if isinstance(x, float) else np.nan for x in factors), 1.0])[codes]
    good &= ~np.isnan(factor)
    own = good & (codes >= 0)
    values = np.full(len(column), np.nan)
    literal = parts[0].fillna("") + whole + "." + fraction
    values[good] = _values(literal[good], parts.loc[good, 3], factor[good])
    special = text.str.lower().isin(["inf", "+inf", "infinity", "-inf", "-infinity"]).to_numpy(dtype=bool)
    values[special] = np.where(text[special].str.startswith("-"), -np.inf, np.inf)
    empty = column.isna().to_numpy(dtype=bool) | text.str.lower().isin(_NOTHING).to_numpy(dtype=bool)
    known = good | special | empty
    units = [str(found[k]).strip() for k in np.unique(codes[own])]
    if known.all():
        return pd.Series(values, index=column.index), own, units
    mixed = column.astype(object).copy()
    mixed[known] = values[known]
    return mixed, own, units


def _as_typed(power: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", f"{power[1] or 1}e{power[2]}")


def _values(mantissa: pd.Series, exponent: pd.Series, factor: np.ndarray) -> np.ndarray:
    """Numbers times factors, exactly where a factor is a power of ten: 1.4T is 1.4e12 and nothing near it."""
    power = np.round(np.log10(factor)).astype(int)
    exact = 10.0**power == factor
    total = pd.to_numeric(exponent.fillna("0")).to_numpy(dtype=int) + np.where(exact, power, 0)
    numbers = pd.to_numeric(mantissa + "e" + pd.Series(total, index=mantissa.index).astype("str"))
    return numbers.to_numpy(dtype=float) * np.where(exact, 1.0, factor)
