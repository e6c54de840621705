"""JSON as a table of cells: one object a line, an array of them, records under a key, or columns of a data frame."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ...errors import RunsError
from .text import RawTable
from .units import read_header

#: JSON lines that are parsed before they become a table
LINES_AT_A_TIME = 100_000
#: objects inside objects that are looked through for runs
DEPTH = 4
_Records = list[dict[str, Any]]


def read_json(path: Path, text: str, words: str, notes: list[str]) -> RawTable:
    """The cells of JSON; objects inside objects become columns ``outer.inner``, points of curves rows."""
    first = text.lstrip().split("\n", 1)
    if first[0].lstrip()[0] == "{" and len(first) > 1 and first[1].strip() and _is_json(first[0]):
        return _lines(path, text, words, notes)
    try:
        value = _whole(text)
    except (ValueError, RecursionError) as error:
        if first[0].strip() in ("{", "[") or first[0].lstrip()[0] == "[":
            single = re.match(r"[\[{\s]*'", text)
            hint = "; JSON has \" around names and texts, not ', as json.dump of Python writes it" if single else ""
            raise RunsError(str(path), [f"this begins as JSON and is not: {str(error)[:120]}{hint}"]) from None
        return _lines(path, text, words, notes)
    records, said = _records_of(path, value)
    frame = table_of(path, records, pd.RangeIndex(1, len(records) + 1, name="row"))
    return RawTable(frame, f"JSON, {words}", [*notes, *said])


def without_comments(text: str) -> tuple[str, list[str]]:
    """JSON without lines of comments, which stay as blank lines, and a note on them; other text as it is."""
    if not re.match(r"\s*(?:(?://|#)[^\n]*\n\s*)*[\[{]", text[:10_000]):
        return text, []
    bare, count = re.subn(r"(?m)^[ \t]*(?://|#).*$", "", text)
    return (bare, [f"{count} lines of comments were left out"]) if count else (text, [])


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _whole(text: str) -> Any:
    """The value of a text; several that follow each other, as an array of them."""
    text = text.strip()
    decoder, values, place = json.JSONDecoder(), [], 0
    while place < len(text):
        value, place = decoder.raw_decode(text, place)
        values.append(value)
        while place < len(text) and text[place] in " \n\t,":
            place += 1
    return values[0] if len(values) == 1 else values


def _lines(path: Path, text: str, words: str, notes: list[str]) -> RawTable:
    parts, items, lines = [], [], []
    for number, line in enumerate(io.StringIO(text), 1):
        if line.strip():
            try:
                items.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                hint = "JSON lines have one whole object a line"
                raise RunsError(str(path), [f"line {number} is not JSON ({str(error)[:80]}): {hint}"]) from None
            lines.append(number)
        if len(items) == LINES_AT_A_TIME:
            parts.append(table_of(path, items, pd.Index(lines, name="line")))
            items, lines = [], []
    if items:
        parts.append(table_of(path, items, pd.Index(lines, name="line")))
    frame = pd.concat(parts) if len(parts) > 1 else parts[0]
    return RawTable(frame, f"JSON lines, {words}", notes)


def table_of(path: Path, items: list[Any], index: pd.Index) -> pd.DataFrame:
    """Parsed JSON objects as a table; ``RunsError`` where an item is no object, or none holds anything."""
    for label, item in zip(index, items, strict=True):
        if not isinstance(item, dict):
            words = f"{index.name} {label} is no JSON object ({type(item).__name__}); each run is one, {{...}}"
            raise RunsError(str(path), [words + ': write {"params": 7e9, "tokens": 1.4e11, "loss": 2.1}'])
    if items and not any(items):
        words = "there is no run in it, only empty objects; each run is one object"
        raise RunsError(str(path), [words + ': {"params": 7e9, "tokens": 1.4e11, "loss": 2.1}'])
    if any(_holds_objects(cell) for item in items[:100] for cell in item.values()):
        items = [_unrolled(item) for item in items]
    if any(isinstance(cell, dict) for item in items[:100] for cell in item.values()):
        frame = pd.json_normalize(items, max_level=2).set_axis(index)
    else:
        frame = pd.DataFrame(items, index=index)
    return _with_points(frame)


def _holds_objects(cell: Any) -> bool:
    """Whether a cell is a list of objects, or has one in it."""
    if isinstance(cell, dict):
        return any(map(_holds_objects, cell.values()))
    return isinstance(cell, list) and bool(cell) and all(isinstance(each, dict) for each in cell)


def _unrolled(item: Mapping[str, Any]) -> dict[str, Any]:
    """An object whose lists of names and values are objects, and whose points of a curve a list a quantity."""
    out: dict[str, Any] = {}
    for name, cell in item.items():
        if isinstance(cell, dict):
            out[name] = _unrolled(cell)
        elif not _holds_objects(cell):
            out[name] = cell
        elif all({"key", "value"} <= each.keys() for each in cell):
            out[name] = {str(each["key"]): each["value"] for each in cell}
        elif all(each.keys() == cell[0].keys() and all(map(_is_number, each.values())) for each in cell):
            out |= {f"{name}.{inner}": [each[inner] for each in cell] for inner in cell[0]}
        else:
            out[name] = cell
    return out


def _with_points(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with a row for each point of its curves, where cells are lists of numbers or of (step, value)."""
    curves = [k for k in range(frame.shape[1]) if len(frame) and frame.iloc[:, k].map(_is_curve).all()]
    if not curves:
        return frame
    parts = []
    for label, (_, row) in zip(frame.index, frame.iterrows(), strict=True):
        columns: dict[str, pd.Series] = {}
        for k in curves:
            points, name = row.iloc[k], str(frame.columns[k])
            if isinstance(points[0], list):
                columns[name] = pd.Series({point[0]: point[1] for point in points})
            else:
                columns[name] = pd.Series(points)
        pairs = any(isinstance(row.iloc[k][0], list) for k in curves)
        points = pd.DataFrame(columns)
        points = points.rename_axis("step").reset_index() if pairs else points
        rest = {str(frame.columns[k]): row.iloc[k] for k in range(frame.shape[1]) if k not in curves}
        if len(frame) > 1 and not any((found := read_header(name)) and found.name == "run" for name in rest):
            rest["run"] = label
        parts.append(points.assign(**{name: [cell] * len(points) for name, cell in rest.items()}))
    out = pd.concat(parts, ignore_index=True)
    return out.set_axis(pd.RangeIndex(1, len(out) + 1, name="row"))


def _is_curve(cell: Any) -> bool:
    if not isinstance(cell, list) or len(cell) < 2:
        return False
    pair = all(isinstance(point, list) and len(point) == 2 and all(map(_is_number, point)) for point in cell)
    return pair or all(map(_is_number, cell))


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)


def _records_of(path: Path, value: Any) -> tuple[list[Any], list[str]]:
    """The runs in a parsed value, and notes on where they were."""
    if isinstance(value, list):
        return _of_rows(value), []
    if isinstance(value, dict) and (found := _found(value, DEPTH)) is not None:
        where, records = found
        return records, [f"the runs are those under {where!r}"] if where else []
    return [value], []


def _of_rows(rows: list[Any]) -> list[Any]:
    """Items of an array; rows of cells below a row of names become objects."""
    if not rows or not all(isinstance(row, list) for row in rows):
        return rows
    named = all(isinstance(cell, str) for cell in rows[0]) and any(map(read_header, rows[0]))
    return [dict(zip(rows[0], row, strict=False)) for row in rows[1:]] if named else rows


def _found(value: Mapping[str, Any], depth: int) -> tuple[str, _Records] | None:
    """Where in an object several runs are, and they; None where there is one run, or none."""
    columns, data = value.get("columns"), value.get("data")
    if isinstance(columns, list) and isinstance(data, list) and all(isinstance(row, list) for row in data):
        return "", [dict(zip(map(str, columns), row, strict=False)) for row in data]
    if value and all(isinstance(inner, dict) and inner for inner in value.values()):
        if _known(value) >= 2 and not any(_nested(inner) for inner in value.values()):
            labels = list(dict.fromkeys(label for inner in value.values() for label in inner))
            return "", [{name: inner.get(label) for name, inner in value.items()} for label in labels]
        if all(_known(inner) >= 1 or _nested(inner) for inner in value.values()) and len(value) > 1 and _alike(value):
            return "", [_labelled(label, inner) for label, inner in value.items()]
    lists = {name: cells for name, cells in value.items() if isinstance(cells, list)}
    if _known(lists) >= 2 and len({len(cells) for cells in lists.values()}) == 1 and not _nested(lists):
        rest = {name: cell for name, cell in value.items() if name not in lists}
        return "", [rest | dict(zip(lists, cells, strict=True)) for cells in zip(*lists.values(), strict=True)]
    best: tuple[str, _Records] | None = None
    for name, inner in value.items():
        found = None
        if isinstance(inner, list) and inner and all(isinstance(row, dict) for row in inner):
            found = (name, inner)
        elif isinstance(inner, list) and inner and _of_rows(inner) is not inner:
            found = (name, _of_rows(inner))
        elif isinstance(inner, dict) and depth and (below := _found(inner, depth - 1)):
            found = (f"{name}.{below[0]}" if below[0] else name, below[1])
        if found and (best is None or len(found[1]) > len(best[1])):
            best = found
    return best


def _known(names: Mapping[str, Any]) -> int:
    """How many quantities of ours these names are."""
    return len({header.name for name in names if (header := read_header(str(name)))})


def _nested(value: Mapping[str, Any]) -> bool:
    return any(isinstance(cell, (dict, list)) for cell in value.values())


def _alike(value: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether objects hold the same names, as runs do and the parts of one run do not."""
    first, *others = (set(inner) for inner in value.values())
    return all(len(first & other) >= 0.5 * len(first | other) for other in others)


def _labelled(label: str, inner: Mapping[str, Any]) -> dict[str, Any]:
    run = (
        {} if label.isdigit() or any((h := read_header(name)) and h.name == "run" for name in inner) else {"run": label}
    )
    return {**inner, **run}
