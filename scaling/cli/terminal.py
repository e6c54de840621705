"""Words and tables on a terminal, or in one of the forms in which they are carried elsewhere.

Rich prints the same tables, and adds a twentieth to the time of ``scaling check``.
"""

from __future__ import annotations

import csv
import functools
import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import pandas as pd

from .._words import printable
from ..runs.nouns import Nouns

#: forms of a report; all but JSON are made here
FORMATS = ("table", "json", "csv", "markdown", "latex")
#: what begins a line that is no table, in forms that hold tables only
COMMENT = {"csv": "# ", "latex": "% "}
#: where a command keeps the form that it was asked for
_KEY = "scaling.format"
#: where it keeps what its table calls its quantities
_NOUNS = "scaling.nouns"
#: characters that LaTeX would obey
_TEX = {
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--format`` and ``--json``; the command gets ``as_json``, and what it prints has the form asked for."""

    @functools.wraps(command)
    def wrapper(*args: Any, form: str | None, as_json: bool, **options: Any) -> Any:
        if as_json and form not in (None, "json"):
            raise click.UsageError(f"--json and --format {form} are two forms: choose one")
        click.get_current_context().meta[_KEY] = form or "table"
        return command(*args, as_json=as_json or form == "json", **options)

    options = (
        click.option("--format", "form", type=click.Choice(FORMATS), help="Of all that is printed; table by default."),
        click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
    )
    for option in options:
        wrapper = option(wrapper)
    return wrapper


def asked_form() -> str:
    """The form that the running command was asked for."""
    context = click.get_current_context(silent=True)
    return "table" if context is None else str(context.meta.get(_KEY, "table"))


def call_by(nouns: Nouns) -> None:
    """From here on, the running command says the words of its table."""
    if (context := click.get_current_context(silent=True)) is not None:
        context.meta[_NOUNS] = nouns


def table_nouns() -> Nouns:
    """The words of the table that the running command has read."""
    context = click.get_current_context(silent=True)
    return Nouns() if context is None else context.meta.get(_NOUNS, Nouns())


@dataclass(frozen=True)
class Span:
    """The two ends of an interval: one cell where people read, two where programs do."""

    low: float
    high: float

    def __str__(self) -> str:
        return "-" if self.low != self.low or self.high != self.high else f"[{number(self.low)}, {number(self.high)}]"


def interval(low: float, high: float) -> Span:
    """Two numbers in brackets."""
    return Span(float(low), float(high))


def say(*lines: str, ours: bool = False) -> None:
    """Print lines in the words of the table, or in ``ours``; what of a file stands in them is made harmless first."""
    form = asked_form()
    mark = COMMENT.get(form, "")
    said = table_nouns().said
    for line in lines:
        text = printable(line if ours else said(line))
        if form == "markdown":
            text = _markdown(text.strip()) + ("\n" if text.strip() else "")
        click.echo(f"{mark if text else ''}{text}")


def heading(text: str) -> None:
    click.echo()
    say(f"## {text}") if asked_form() == "markdown" else say(text)


def bullets(items: list[str], most: int = 12, ours: bool = False) -> None:
    """Items below a heading, the first few of many; in the words of the table, or in ``ours``."""
    form, said = asked_form(), table_nouns().said
    items = items if ours else [said(str(item)) for item in items]
    indent, more = (COMMENT.get(form, "  "), most) if form != "markdown" else ("", most)
    for item in items[:more]:
        first, *rest = str(item).splitlines() or [""]
        lines = [f"{indent}- {printable(first)}", *(f"{indent}  {printable(line.strip())}" for line in rest)]
        click.echo("\n".join(map(_markdown, lines) if form == "markdown" else lines))
    if len(items) > most:
        click.echo(f"{indent}- and {len(items) - most} more")
    if form == "markdown" and items:
        click.echo()


def grid(frame: pd.DataFrame, text: tuple[str, ...] = (), ours: bool = False) -> None:
    """A table, numbers to four digits, right-aligned; the columns in ``text`` left-aligned.

    It is in the words of the table or, for programs or where it is asked for, in ``ours``.
    """
    form = asked_form()
    if form == "csv":
        click.echo(_comma_separated(frame), nl=False)
        return
    if not ours:
        frame, text = _in_its_words(frame, text)
    cells = {str(name): [str(name), *map(_cell, column.tolist())] for name, column in frame.items()}
    if form == "latex":
        click.echo(_tabular(cells, text))
        return
    rule = {}
    if form == "markdown":
        cells = {name: [_bar(each) for each in column] for name, column in cells.items()}
        rule = {name: ":--" if name in text else "--:" for name in cells}
    widths = {name: max(map(len, [*column, rule.get(name, "")])) for name, column in cells.items()}
    for row in range(len(frame) + 1):
        parts = [
            column[row].ljust(widths[name]) if name in text else column[row].rjust(widths[name])
            for name, column in cells.items()
        ]
        if not rule:
            click.echo(("  " + "  ".join(parts)).rstrip())
            continue
        click.echo(f"| {' | '.join(parts)} |")
        if row == 0:
            marks = [mark.replace("-", "-" * (widths[name] - 2), 1) for name, mark in rule.items()]
            click.echo(f"| {' | '.join(marks)} |")
    if rule:
        click.echo()


def _in_its_words(frame: pd.DataFrame, text: tuple[str, ...]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A table whose headers and texts are those of the table of runs."""
    if (nouns := table_nouns()) == Nouns():
        return frame, text
    out = frame.rename(columns=nouns.said)
    for place, column in enumerate(frame.columns):
        if not pd.api.types.is_numeric_dtype(frame[column]):
            told = [nouns.said(cell) if isinstance(cell, str) else cell for cell in frame[column]]
            out.isetitem(place, told)
    return out, tuple(map(nouns.said, text))


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


def _comma_separated(frame: pd.DataFrame) -> str:
    """A table for programs: all digits that count, an interval in two columns, nothing shortened."""
    columns: list[list[Any]] = []
    for name, column in frame.items():
        values = column.tolist()
        if any(isinstance(value, Span) for value in values):
            for end in ("low", "high"):
                columns.append([f"{name}, {end}", *(getattr(value, end, None) for value in values)])
        else:
            columns.append([str(name), *values])
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(zip(*(map(_plain, each) for each in columns), strict=True))
    return out.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.12g}" if isinstance(value, float) else value if isinstance(value, int) else printable(str(value))


def _tabular(cells: dict[str, list[str]], text: tuple[str, ...]) -> str:
    """A table in LaTeX, with the rules of the package booktabs."""
    shape = "".join("l" if name in text else "r" for name in cells)
    rows = [" & ".join(_tex(cell) for cell in row) + r" \\" for row in zip(*cells.values(), strict=True)]
    lines = [rf"\begin{{tabular}}{{{shape}}}", r"\toprule", rows[0], r"\midrule", *rows[1:], r"\bottomrule"]
    return "\n".join([*lines, r"\end{tabular}", ""])


def _tex(text: str) -> str:
    """A cell for LaTeX, powers of ten written as such."""
    parts = re.split(r"(-?\d\.\d+e-?\d+)", text)
    for k, part in enumerate(parts):
        if k % 2:
            digits, _, power = part.partition("e")
            parts[k] = rf"${digits}\times10^{{{int(power)}}}$"
        else:
            parts[k] = "".join(_TEX.get(each, each) for each in part)
    return "".join(parts)


def _bar(text: str) -> str:
    return _markdown(text).replace("|", "\\|")


def _markdown(text: str) -> str:
    """Text whose stars, underscores and the like are not taken for marks."""
    return re.sub(r"([*_`<\[\]])", r"\\\1", text)
