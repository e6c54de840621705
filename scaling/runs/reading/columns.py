"""Which column of a table is which quantity, and the unit that its header or an option states."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from ..._words import plain
from ..vocabulary import KNOWN_NAMES, LIMITS
from .other_laws import other_laws
from .text import RawTable
from .units import LOSS_UNITS, UNIT_HELP, Header, read_header, unit_factor

_NEEDED = ("params", "tokens", "flops")


@dataclass(frozen=True)
class Mapped:
    """Our ``name`` for the ``column`` at a ``place``; its ``unit`` (None: not stated) and where that is from."""

    name: str
    column: str
    place: int
    unit: str | None = None
    source: str = "assumed"


def map_columns(
    frame: pd.DataFrame, columns: Mapping[str, str], units: Mapping[str, str], loss_unit: str | None
) -> tuple[list[Mapped], list[str], list[str]]:
    """The mapping, problems, and notes."""
    mapped, problems = _named(frame, columns)
    headers = {place: read_header(str(name)) for place, name in enumerate(frame.columns)}
    taken, notes = {m.place for m in mapped}, []
    for ours in KNOWN_NAMES:
        if any(m.name == ours for m in mapped) or ours in columns:
            continue
        places = [k for k, header in headers.items() if header and header.name == ours and k not in taken]
        exact = [k for k in places if frame.columns[k] == ours]
        if len(exact or places) > 1:
            found = " and ".join(repr(frame.columns[k]) for k in places[:4])
            words = f"{found} could each be {ours!r}: --column {ours}=COLUMN says which"
            (problems if ours in (*_NEEDED, "loss") else notes).append(words)
        elif places:
            place = (exact or places)[0]
            mapped.append(Mapped(ours, frame.columns[place], place))
            taken.add(place)
            for other in set(places) - {place}:
                notes.append(f"column {frame.columns[other]!r} is carried, not used: {ours!r} is there")
    mapped, more = _units(mapped, headers, units, loss_unit)
    problems += more
    ambiguous = {ours for ours in KNOWN_NAMES if any(f"--column {ours}=" in words for words in problems)}
    return mapped, problems + _missing(frame, {m.name for m in mapped} | ambiguous), notes


def _named(frame: pd.DataFrame, columns: Mapping[str, str]) -> tuple[list[Mapped], list[str]]:
    """The columns that the caller names."""
    mapped, problems = [], []
    names = [str(name) for name in frame.columns]
    for ours, theirs in columns.items():
        if ours not in KNOWN_NAMES:
            problems.append(f"--column {ours[:40]}=...: no such quantity; there are {', '.join(KNOWN_NAMES)}")
        elif theirs not in names:
            close = difflib.get_close_matches(theirs, names, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {_listed(names)}"
            problems.append(f"--column {ours}={theirs[:40]}: no such column; {hint}")
        elif names.index(theirs) in {m.place for m in mapped}:
            problems.append(f"--column {ours}={theirs[:40]}: this column is named twice")
        else:
            mapped.append(Mapped(ours, theirs, names.index(theirs)))
    return mapped, problems


def _units(
    mapped: list[Mapped], headers: Mapping[int, Header | None], units: Mapping[str, str], loss_unit: str | None
) -> tuple[list[Mapped], list[str]]:
    """The mapping with the units that options or headers state."""
    options, problems, out = dict(units), [], []
    if loss_unit is not None:
        options["loss"] = loss_unit
    for ours, unit in options.items():
        option = "--loss-unit " + unit if ours == "loss" and loss_unit else f"--unit {ours}={unit}"
        if ours not in LIMITS or unit_factor(ours, unit) is None:
            known = "nats, bits, bits_per_byte, nats_per_byte, perplexity" if ours == "loss" else UNIT_HELP
            problems.append(
                f"{option[:60]}: no such unit; known: {known}"
                if ours in LIMITS
                else f"{option[:60]}: no quantity {ours[:40]!r}; there are {', '.join(LIMITS)}"
            )
        elif all(m.name != ours for m in mapped):
            problems.append(f"{option[:60]}: the table has no column for {ours!r}")
    for m in mapped:
        header = headers.get(m.place)
        if m.name in options and unit_factor(m.name, options[m.name]) is not None:
            unit = LOSS_UNITS[plain(options["loss"])] if m.name == "loss" else options[m.name]
            m = replace(m, unit=unit, source="option")
        elif header and header.unit and m.name in LIMITS:
            unit = unit_factor(m.name, header.unit) if m.name == "loss" else header.unit
            if unit_factor(m.name, header.unit) is None:
                decide = "--loss-unit UNIT" if m.name == "loss" else f"--unit {m.name}=UNIT"
                problems.append(
                    f"column {m.column!r} ({m.name}): unit {header.unit[:30]!r} is not known; {decide} decides"
                )
            m = replace(m, unit=str(unit), source="header")
        out.append(m)
    return out, problems


def _missing(frame: pd.DataFrame, found: set[str]) -> list[str]:
    """Problems for quantities that no column holds."""
    names = [str(name) for name in frame.columns]
    lacking = [] if "loss" in found else ["loss"]
    if len(found & set(_NEEDED)) < 2:
        lacking += [name for name in _NEEDED if name not in found]
    problems = []
    for ours in lacking:
        likely = next((name for name in names if _likely(ours, name)), None)
        if likely is None:
            hint = f"columns found: {_listed(names)}; --column {ours}=COLUMN names it"
        elif re.match(r"(?i)\s*(log|ln)", likely):
            hint = f"{likely!r} looks like its logarithm: add a column with the quantity itself"
        else:
            hint = f"{likely!r} looks like it: --column {ours}={likely!r} takes it"
        problems.append(f"no column is recognised as {ours!r}; {hint}")
    if len(lacking) > 1:
        problems.append("needed are the loss and two of params, tokens and flops: the third follows from flops = 6 N D")
        cells = frame.iloc[:20, 0].dropna().astype("str")
        side = cells.map(lambda cell: header.name if (header := read_header(cell)) else None)
        if side.isin(["params", "tokens", "loss", "flops"]).sum() + len(found & {*_NEEDED, "loss"}) >= 3:
            problems.append("the names stand down the first column, so the table lies on its side: transpose it")
    problems += other_laws(frame, found)
    return problems


def _likely(ours: str, name: str) -> bool:
    word = re.sub(r"^(log10|log2|log|ln)", "", plain(name))
    known = KNOWN_NAMES[ours]
    return word in known or bool(difflib.get_close_matches(word, [k for k in known if len(k) > 3], n=1, cutoff=0.78))


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:10])
    return shown + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def unit_row(raw: RawTable, mapped: list[Mapped]) -> tuple[RawTable, list[Mapped]]:
    """Units that stand in a row of their own below the header are moved into the mapping."""
    numeric = [m for m in mapped if m.name in LIMITS]
    if not numeric or len(raw.frame) < 2:
        return raw, mapped
    cells = [raw.frame.iloc[0, m.place] for m in numeric]
    if not all(isinstance(cell, str) and cell.strip() and not re.search(r"\d", cell) for cell in cells):
        return raw, mapped
    stated = {m.name: cell.strip().strip("()[]") for m, cell in zip(numeric, cells, strict=True)}
    if not all(unit_factor(name, unit) is not None for name, unit in stated.items()):
        return raw, mapped
    out = []
    for m in mapped:
        if m.name in stated and m.source != "option":
            unit = unit_factor(m.name, stated[m.name]) if m.name == "loss" else stated[m.name]
            m = replace(m, unit=str(unit), source="header")
        out.append(m)
    label = f"{raw.frame.index.name} {raw.frame.index[0]}"
    return replace(raw, frame=raw.frame.iloc[1:], notes=[*raw.notes, f"{label} states the units"]), out
