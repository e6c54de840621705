"""Tables that are no list of runs: a matrix of sizes and budgets, an export with a column a run."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from ..._words import plain
from .glance import glance
from .text import RawTable
from .units import read_header

#: columns headed by a number that make a matrix, at least
LEAST = 3
#: what a number behind the word for a loss reaches where it counts something
LEAST_COUNT = 1e6
#: numbers that no count of tokens reaches, so they are FLOPs; below the other they could be either
_SURELY_FLOPS = 1e17
_NUMBER = re.compile(
    r"(?i)(?:([A-Za-z_ /]*?)\s*[=:_@]?\s*)?([0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?)\s*"
    r"(k|m|b|bn|t|million|billion|trillion)?\s*(flops?|tokens?|tok|params?|pf-?days?)?"
)
#: names of the column of values in a long table, most different quantities of one, and a name for its rows
_VALUES = {
    "value",
    "values",
    "val",
    "y",
    "number",
    "metricvalue",
    "amount",
    "wert",
    "valeur",
    "valor",
    "值",
    "数值",
    "値",
}
MOST_NAMES, _ROW = 60, "#row"
_EXPORT = re.compile(r"(?s)(.+) - (.+?)(__MIN|__MAX)?")
#: the same with a slash, which may also part the loss of a data set from its name
_SLASHED, _SETS = re.compile(r"(?s)(.+)/([^/]+?)()"), re.compile(r"(?i).*(train|val|eval|test|dev|held)[a-z]*")


def unfolded(raw: RawTable) -> RawTable:
    """The table with a row a run, where it is a matrix or an export of one column a run; else as it is."""
    return _long(raw) or _matrix(raw) or _export(raw) or raw


def _long(raw: RawTable) -> RawTable | None:
    """A long table: one column names the quantity, one holds its value, and the others say of which run."""
    frame = raw.frame
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place].dropna()
        if pd.api.types.is_numeric_dtype(column) or not 1 < (words := column.astype("str")).nunique() <= MOST_NAMES:
            continue
        means = {header.name for name in words.unique() if (header := read_header(name))}
        if len(means & {"params", "tokens", "flops", "loss"}) < 2:
            continue
        values = [k for k in range(frame.shape[1]) if k != place and plain(frame.columns[k]) in _VALUES]
        keys = [k for k in range(frame.shape[1]) if k not in (place, *values)]
        if len(values) != 1 or not keys or frame.iloc[:, [place, *keys]].astype("str").duplicated().any():
            continue
        names, value = [str(frame.columns[k]) for k in keys], str(frame.columns[values[0]])
        rows = frame.groupby(names, sort=False, dropna=False).ngroup().to_numpy()
        wide = frame.assign(**{_ROW: rows}).pivot(index=_ROW, columns=str(frame.columns[place]), values=value)
        first = np.unique(rows, return_index=True)[1]
        wide = pd.concat([frame.iloc[first, keys].reset_index(drop=True), wide.rename_axis(columns=None)], axis=1)
        wide.index = frame.index[first]
        filled = _filled(wide, names)
        shape = f"this is a long table, in which {str(frame.columns[place])!r} names the quantity of {value!r}, "
        shape += f"read as {len(wide)} rows, one for each {' and '.join(map(repr, names))}"
        shape += f"; {' and '.join(map(repr, filled))}, given once, fill all rows of a run" if filled else ""
        return replace(raw, frame=wide, notes=[*raw.notes, shape], shape=shape, again=None)
    return None


def _filled(wide: pd.DataFrame, keys: list[str]) -> list[str]:
    """The columns that a key has one value of each and gaps beside, which are filled in place."""
    filled = []
    for name in [name for name in wide.columns if name not in keys and wide[name].isna().any()]:
        for key in keys:
            values = wide.groupby(key, sort=False, dropna=False)[name]
            if (values.nunique() == 1).all() and values.ngroups < len(wide):
                wide[name] = values.transform("first")
                filled.append(name)
                break
    return filled


def _matrix(raw: RawTable) -> RawTable | None:
    frame = raw.frame
    heads = {place: _head(str(name)) for place, name in enumerate(frame.columns)}
    across = [place for place, head in heads.items() if head is not None]
    if len(across) < LEAST or not len(frame):
        return None
    beside = [place for place in heads if place not in across]
    named = [read_header(str(frame.columns[k])) for k in beside]
    if not beside or len(across) < frame.shape[1] / 2 or any(found and found.name == "loss" for found in named):
        return None
    if sum(read_header(str(cell)) is not None for cell in frame.iloc[:MOST_NAMES, beside[0]].dropna()) > 1:
        return None  # quantities down the first column: a table on its side
    cells = np.column_stack([glance("loss", frame.iloc[:, k], len(frame)) for k in across])
    if not np.isfinite(cells).any():
        return None
    down, over = _corner(str(frame.columns[beside[0]]))
    numbers = np.array([heads[k][0] for k in across])  # type: ignore[index]
    units = {heads[k][1] for k in across} - {""}  # type: ignore[index]
    meaning = read_header(over) if over else None
    axis = meaning.name if meaning else (units.pop() if len(units) == 1 else "")
    axis = "flops" if axis == "budget" or (not axis and numbers.min() >= _SURELY_FLOPS) else axis
    rows, columns = np.nonzero(np.isfinite(cells))
    long = frame.iloc[rows, beside].copy()
    long = long.rename(columns={frame.columns[beside[0]]: down or frame.columns[beside[0]]})
    first = long.columns[0]
    header = f"{axis} ({meaning.unit})" if meaning and meaning.unit and axis in ("tokens", "flops", "params") else axis
    long[header or "(columns)"] = numbers[columns]
    long["loss"] = cells[rows, columns]
    long.index.name = frame.index.name
    size = f"a matrix of {len(frame)} rows ({first!r}) by {len(across)} columns ({over or axis or 'numbers'})"
    shape = f"this is {size}, read as {len(long)} runs with the cells as loss"
    if axis not in ("params", "tokens", "flops"):
        shape += (
            "; what the numbers in its header are was not to be told: name it in the corner, as in 'params \\ flops'"
        )
    elif not _holds_sizes(long, axis):
        shape += f"; {first!r} holds no counts of parameters or tokens, nor gives them: add a column of them beside it"
    return replace(raw, frame=long, notes=[*raw.notes, shape], shape=shape, again=None)


def _holds_sizes(long: pd.DataFrame, axis: str) -> bool:
    found = {header.name for name in long.columns[:-2] if (header := read_header(str(name)))}
    return bool(found & ({"params", "tokens", "flops"} - {axis}))


def _head(header: str) -> tuple[float, str] | None:
    """The number that a header is, with our name of what it counts ("" where it does not say)."""
    found = _NUMBER.fullmatch(header.strip().replace(",", ""))
    if not found:
        return None
    before, number, scale, after = found.groups()
    word = read_header((before or "").strip(" _=:")) if before and before.strip() else None
    if before and before.strip() and word is None:
        return None
    scales = {"k": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9, "t": 1e12, "trillion": 1e12}
    named = read_header(after) if after else None
    if after and "day" in after.lower():
        return None
    value = float(number) * scales.get((scale or "").lower(), 1.0)
    kind = word or named
    if kind is None:
        return value, ""
    if kind.name == "loss" and word is not None:
        return (value, "") if value >= LEAST_COUNT else None  # loss_50M, and not loss_2
    return (value, kind.name) if kind.name in ("params", "tokens", "flops", "budget") else None


def _corner(header: str) -> tuple[str, str]:
    """What stands down and what stands across, by the header of the corner: ``dim \\ budget``."""
    parts = [
        part.strip() for part in re.split(r"\\|\||→|×|\bvs\.?\b|\bby\b|(?<=\w)\s*/\s*(?=\w)", header) if part.strip()
    ]
    return (parts[0], parts[1]) if len(parts) == 2 else (header, "")


def _is_loss(header: str) -> bool:
    found = read_header(header)
    return found is not None and found.name == "loss"


def _export(raw: RawTable) -> RawTable | None:
    """An export of charts, one column a run: ``Step``, ``run - metric``, ``run - metric__MIN`` ..."""
    frame = raw.frame
    found = {k: match for k, name in enumerate(frame.columns) if (match := _EXPORT.fullmatch(str(name)))}
    if not found:
        found = {k: match for k, name in enumerate(frame.columns) if (match := _SLASHED.fullmatch(str(name)))}
        if any(_SETS.fullmatch(match[1]) or not _is_loss(match[2]) for match in found.values()):
            return None
    values = {k: match for k, match in found.items() if not match[3]}
    metrics = {match[2] for match in values.values()}
    beside = [k for k in range(frame.shape[1]) if k not in found]
    if len(values) < 2 or len(metrics) != 1 or len(beside) != 1 or not len(frame):
        return None
    metric, step = metrics.pop(), str(frame.columns[beside[0]])
    parts = []
    for place, match in values.items():
        cells = frame.iloc[:, [beside[0], place]].set_axis([step, metric], axis=1)
        parts.append(cells[cells[metric].notna()].assign(run=match[1]))
    long = pd.concat(parts)
    long.index.name = frame.index.name
    shape = (
        f"this is an export with one column a run: {len(values)} runs, {metric!r} by {step!r}, read as {len(long)} rows"
    )
    if plain(step) == "step":
        shape += "; 'Step' counts calls of the logger, which are steps of training only where each was logged"
    if plain(step) not in ("tokens",) and read_header(step) is None:
        shape += "; it holds neither the parameters of the runs nor the tokens of a step: "
        shape += "export the table of runs, or add them"
    return replace(raw, frame=long, notes=[*raw.notes, shape], shape=shape, again=None)
