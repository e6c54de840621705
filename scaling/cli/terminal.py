"""Words and tables on a terminal.

Rich prints the same tables, and adds a twentieth to the time of ``scaling check``.
"""

from __future__ import annotations

import math
from typing import Any

import click
import pandas as pd

from .._words import printable


def say(*lines: str) -> None:
    """Print lines; whatever of a file stands in them is made harmless first."""
    for line in lines:
        click.echo(printable(line))


def heading(text: str) -> None:
    click.echo()
    say(text)


def bullets(items: list[str], most: int = 12) -> None:
    """Items below a heading, the first few of many."""
    for item in items[:most]:
        first, *rest = str(item).splitlines() or [""]
        say(f"  - {first}", *(f"    {line.strip()}" for line in rest))
    if len(items) > most:
        say(f"  - and {len(items) - most} more")


def grid(frame: pd.DataFrame, text: tuple[str, ...] = ()) -> None:
    """A table, numbers to four digits, right-aligned; the columns in ``text`` left-aligned."""
    cells = {str(name): [str(name), *map(_cell, column.tolist())] for name, column in frame.items()}
    widths = {name: max(map(len, column)) for name, column in cells.items()}
    for row in range(len(frame) + 1):
        parts = [
            column[row].ljust(widths[name]) if name in text else column[row].rjust(widths[name])
            for name, column in cells.items()
        ]
        click.echo(("  " + "  ".join(parts)).rstrip())


def number(value: float) -> str:
    """Four significant digits."""
    if value != value:
        return "-"
    if value == 0:
        return "0"
    size = abs(value)
    if 1e-3 <= size < 1e5:
        return f"{value:.{max(0, 3 - math.floor(math.log10(size)))}f}"
    return f"{value:.3e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int):
        return f"{value:,}"
    text = printable("-" if value is None or value is pd.NA else str(value))
    return text if len(text) <= 60 else text[:57] + "..."


def interval(low: float, high: float) -> str:
    """Two numbers in brackets."""
    return "-" if low != low or high != high else f"[{number(low)}, {number(high)}]"
