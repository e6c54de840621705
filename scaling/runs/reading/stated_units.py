"""The unit that an option, a header or a row below the header states for a quantity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from ..._words import plain
from ..vocabulary import LIMITS
from .counted import counted_by_unit
from .derivations import made_of_a_token, of_logarithm
from .glance import fits
from .hours import read_time
from .mapping import Mapped
from .spreads import loss_of_another
from .text import RawTable
from .units import UNIT_HELP, Header, stated_unit, unit_factor

#: words for tokens that a run was meant to read
_PLANNED = "planned|target|goal|budget|max|maximum|intended|scheduled"
#: cells of a row of units that state none
_BLANK = ("", "-", "--", "–", "—", "/")


def with_units(
    mapped: list[Mapped], headers: Mapping[int, Header | None], units: Mapping[str, str], loss_unit: str | None
) -> tuple[list[Mapped], list[str], list[str]]:
    """The mapping with the units that options or headers state; problems, and notes."""
    options = {**units} if loss_unit is None else {**units, "loss": loss_unit}
    names = {m.name for m in mapped}
    problems = [words for ours, unit in options.items() if (words := _no_option(ours, unit, names, bool(loss_unit)))]
    out, notes = [], []
    for m in mapped:
        unit = _unit_of_header(m, headers.get(m.place))
        if m.name == "loss" and "loss" not in options and (what := loss_of_another(m.column)):
            problems.append(f"column {made_of_a_token(m.column, what)}; --loss-unit UNIT takes it for one of a token")
        elif m.name in options and unit_factor(m.name, options[m.name]) is not None:
            out.append(_with(m, options[m.name], "option"))
        elif not unit:
            out.append(m)
        elif unit_factor(m.name, unit) is not None:
            out.append(_with(m, unit, "header"))
        elif m.name == "flops" and {"params", "tokens"} <= names:
            notes.append(f"column {m.column!r} is carried, not used: {unit[:30]!r} is no unit of flops")
        else:
            if read_time(m.column) is None or not m.name.startswith(("flops", "budget")):  # whose times are told apart
                problems.append(f"column {m.column!r} ({m.name}): {_unknown(m, unit)}")
            out.append(_with(m, unit, "header"))
    return out, problems, notes


def _no_option(ours: str, unit: str, names: set[str], of_loss: bool) -> str:
    """What is said of an option that states the unit of a quantity, where it makes no sense; else ""."""
    option = f"--loss-unit {unit}" if ours == "loss" and of_loss else f"--unit {ours}={unit}"
    if ours not in LIMITS:
        return f"{option[:60]}: no quantity {ours[:40]!r}; there are {', '.join(LIMITS)}"
    if unit_factor(ours, unit) is None:
        known = "nats, bits, bits_per_byte, nats_per_byte, perplexity" if ours == "loss" else UNIT_HELP
        return f"{option[:60]}: no such unit; known: {known}"
    return "" if ours in names else f"{option[:60]}: the table has no column for {ours!r}"


def _unit_of_header(m: Mapped, header: Header | None) -> str | None:
    """The unit that the header of a column states, whatever else it names."""
    if m.name not in LIMITS:
        return None
    if header is not None and (header.name == m.name or header.name.startswith(f"{m.name}_")):
        return header.unit  # such as that of params_nonembedding
    return stated_unit(m.name, m.column)


def _with(m: Mapped, unit: str, source: str) -> Mapped:
    """A column with its unit; that of a loss in our word for it."""
    return replace(m, unit=str(unit_factor("loss", unit)) if m.name == "loss" else unit, source=source)


def _unknown(m: Mapped, unit: str) -> str:
    """What is said of a unit that is none of the quantity's."""
    if other := counted_by_unit(m.name, m.column, unit):
        return f"{unit[:30]!r} counts {other.what}, not {m.name}: {other.option(m.name, m.column, ())}"
    if m.name == "tokens" and re.fullmatch(_PLANNED, plain(unit)):
        words = "says that they were to be read, and runs may have ended before"
        return f"{unit[:30]!r} {words}: --unit tokens=count takes them where none has, or in another unit"
    if re.fullmatch(r"log(10|2|e)?|ln|lg", plain(unit)):
        hint = of_logarithm(m.name, f"{plain(unit)} {m.column}", m.column)
        return f"{unit[:30]!r} says that it is a logarithm: {hint}"
    decide = "--loss-unit UNIT" if m.name == "loss" else f"--unit {m.name}=UNIT"
    if read_time(m.column):
        return f"{unit[:30]!r} is a time, and {m.name} are none; {decide} says in which unit they are"
    return f"unit {unit[:30]!r} is not known; {decide} decides"


def unit_row(raw: RawTable, mapped: list[Mapped]) -> tuple[RawTable, list[Mapped]]:
    """Units that stand in a row of their own below the header are moved into the mapping."""
    numeric = [m for m in mapped if m.name in LIMITS]
    stated = _units_in_row(raw.frame, numeric) if numeric and len(raw.frame) > 1 else {}
    if not stated or any(unit_factor(name, unit) is None for name, unit in stated.items()):
        return raw, mapped
    powers = any(re.search(r"\d", unit) for unit in stated.values())
    if powers and all(fits(m.name, raw.frame.iloc[1:, m.place], None) for m in numeric):
        return raw, mapped  # a run of a million parameters whose loss is not known
    label = f"{raw.frame.index.name} {raw.frame.index[0]}"
    raw = replace(raw, frame=raw.frame.iloc[1:], notes=[*raw.notes, f"{label} states the units"])
    replaced = [m for m in mapped if m.name in stated and m.source != "option"]
    return raw, [_with(m, stated[m.name], "header") if m in replaced else m for m in mapped]


def _units_in_row(frame: pd.DataFrame, numeric: list[Mapped]) -> dict[str, str]:
    """The units in the cells of the first row, by the quantity; none where one lacks it and is no plain number below.

    Not even then where a cell of the row may be a number, since the row may be of a run that lacks the others.
    """
    stated = {}
    words = [str(cell).strip().strip("()[]") for cell in frame.iloc[0] if not pd.isna(cell)]
    number = any(re.search(r"\d", word) for word in words)
    for m in numeric:
        cell = frame.iloc[0, m.place]
        word = "" if pd.isna(cell) else str(cell).strip().strip("()[]")
        if word in _BLANK and m.name != "loss" and (number or not fits(m.name, frame.iloc[1:, m.place], None)):
            return {}
        if word not in _BLANK:
            stated[m.name] = f"{float(word):.0e}" if re.fullmatch(r"10+(\.0*)?", word) else word
    return stated
