"""Groups of a table side by side: a law for the rows of each value of a column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

import pandas as pd

from .._words import percent
from ..errors import FitError
from ..runs.curves import rows_or_runs
from ..runs.problems import repeats
from ..runs.vocabulary import LIMITS
from .command import UNUSABLE, Refusal
from .terminal import bullets, grid, heading, interval

#: notes that count rows: of repeats, of what follows from other columns, and of anything else
_REPEATED = re.compile(r"[\d,]+ (?:runs|rows) repeat another's|[\d,]+ of these repeat its loss")
_FOLLOWED = re.compile(r"(\w+) of ([\d,]+) (?:runs|rows) follows from (.*)")
_COUNTED = re.compile(r"\b[\d,]+ (?:of [\d,]+ )?(?:runs|rows)\b|^(?:rows?|lines?) \d")
#: values of a column that still are groups
MOST = 50
#: what to know of losses side by side
ONE_UNIT = "losses of groups are comparable where they are in one unit on one text: of two tokenisers they are not"


class Told(Protocol):
    """What a group's fit told."""

    @property
    def result(self) -> dict[str, Any]: ...


def groups_of_runs(table: pd.DataFrame, column: str) -> dict[str, pd.DataFrame]:
    """The rows of each value of a column, in the order of their appearance."""
    named = {each["column"]: each["name"] for each in table.attrs["reading"]["mapping"]}
    name = column if column in table else named.get(column, column)
    if name not in table:
        shown = ", ".join(repr(str(each)) for each in table.columns[:30])
        raise Refusal(f"--group {column}: there is no such column; columns are {shown}")
    if name in LIMITS:
        raise Refusal(
            f"--group {column}: this is a quantity of the law itself; name a column that tells families apart"
        )
    values = table[name]
    if values.isna().any():
        raise Refusal(
            f"--group {column}: {int(values.isna().sum()):,} rows have no value there: --where chooses others"
        )
    if (many := values.nunique()) > MOST:
        raise Refusal(f"--group {column}: {many:,} values, and {MOST} groups at most: name a column of few values")
    parts = {str(value): table[(values == value).to_numpy()].drop(columns=name) for value in values.unique()}
    for part in parts.values():
        part.attrs = _told_of(part, table)
    return parts


def _told_of(part: pd.DataFrame, table: pd.DataFrame) -> dict[str, Any]:
    """What is told of a table, as it is true of a part of it: counted anew, or said to be of the whole."""
    told, reading = dict(table.attrs), table.attrs["reading"]
    told["notes"] = [*(_of_part(note, part, table) for note in told["notes"] if not _REPEATED.match(note))]
    told["notes"] += repeats(part)
    told["warnings"] = [_of_part(words, part, table) for words in told["warnings"]]
    told["reading"] = reading | {"notes": [_of_part(note, part, table) for note in reading["notes"]]}
    return told


def _of_part(note: str, part: pd.DataFrame, table: pd.DataFrame) -> str:
    followed = _FOLLOWED.match(note)
    if followed and int(followed[2].replace(",", "")) >= len(table):
        return f"{followed[1]} of {len(part)} {rows_or_runs(part)} follows from {followed[3]}"
    return f"of the whole table: {note}" if followed or _COUNTED.search(note) else note


def refuse_none(each: Mapping[str, object], what: str) -> None:
    """``Refusal`` where no group has a result."""
    if all(isinstance(one, FitError) for one in each.values()):
        words = [f"no {what} for any group:", *(f"{label!r}: {one}" for label, one in each.items())]
        raise Refusal("\n".join(words), UNUSABLE)


def records(each: Mapping[str, Told | FitError], column: str) -> dict[str, Any]:
    """The results of all groups, as they go into a file."""
    told = {k: {"possible": False, "reason": str(v)} if isinstance(v, FitError) else v.result for k, v in each.items()}
    return {"group": column, "groups": told}


def side_by_side(each: Mapping[str, Told | FitError], column: str, level: float) -> None:
    """A row a group: the constants of approach 3, the exponent of the size with its interval, and the status."""
    rows: list[tuple[Any, ...]] = []
    constants: tuple[str, ...] = ()
    for label, one in each.items():
        out: dict[str, Any] = {} if isinstance(one, FitError) else one.result["approaches"].get(3, {})
        if not out.get("possible"):
            continue
        constants = tuple(row["name"] for row in out["constants"])
        a = out["exponents"]["a"]
        values = [row["estimate"] for row in out["constants"]]
        rows.append((label, out["runs"], *values, a["estimate"], interval(a["low"], a["high"]), out["status"]))
    heading(f"Side by side: approach 3 for each {column}")
    if not rows:
        bullets(["no group could be fitted"])
        return
    columns = [column, "runs", *constants, "a", f"{percent(level)} % interval", "status"]
    grid(pd.DataFrame(rows, columns=columns), (column, "status"))
    bullets([*without_law(each), ONE_UNIT])


def without_law(each: Mapping[str, Any]) -> list[str]:
    """Which groups have none, and why, in a sentence; or nothing."""
    without = "; ".join(
        f"{label!r}, {str(one).splitlines()[-1].strip(' -')}"
        for label, one in each.items()
        if isinstance(one, FitError)
    )
    return [f"groups without a law: {without}"] if without else []
