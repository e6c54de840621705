"""Text as a table of cells: which separator, where the header stands, which line a row comes from.

CleverCSV finds the same separators (in 171 of 171 tables of our tests and of others), but no header below a title and
no decimal comma, takes a header for a row in six of them, and asks for time that grows with the file.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..._words import UNSEEN, name_rows, printable
from ...errors import RunsError
from .units import read_header

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
#: rows among which the header is looked for, and most columns of a table
HEAD, MOST_COLUMNS = 20, 2_000
_NUMBER = re.compile(r"[+-]?[.,]?[0-9]|$")
#: quantities whose column must be told from others
_ASKED = ("params", "tokens", "loss", "flops")
#: what stands for the rule below the header of a table as Markdown has it
_RULE = "#rule"
#: fields beyond the header that a row may have before the parser itself complains
SPARE = 4


@dataclass(frozen=True)
class RawTable:
    """Cells as they stand: ``frame`` with the file's headers, indexed by line; what was done to get them.

    ``again`` reads some columns (by position) once more, every cell as text; ``shape`` says what the file is where it
    was no table with a row a run; ``aside`` is the text above and below a table, which may tell its units.
    """

    frame: pd.DataFrame
    kind: str
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    again: Callable[[list[int]], pd.DataFrame] | None = None
    shape: str = ""
    aside: tuple[str, ...] = ()


def unique_names(header: list[str]) -> list[str]:
    """Names of columns that differ from each other, none empty and none longer than 80 characters."""
    seen: dict[str, int] = {}
    out = []
    for place, cell in enumerate(header, 1):
        cell = " ".join(cell.translate(UNSEEN).split())
        name = printable(cell if len(cell) <= 80 else cell[:77] + "...") or f"(column {place})"
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def doubled(header: list[str]) -> list[str]:
    """A problem for each name of a quantity of ours that heads several columns."""
    counts = Counter(header)
    several = [
        name for name, count in counts.items() if count > 1 and (found := read_header(name)) and found.name in _ASKED
    ]
    return [
        f"column {name[:40]!r} stands there {'twice' if counts[name] == 2 else f'{counts[name]:,} times'}: keep one, "
        f"or rename the others, and --column {_name(name)}=COLUMN says which"
        for name in several
    ]


def _name(header: str) -> str:
    found = read_header(header)
    return found.name if found else ""


def _head(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """The first rows, each with the number of physical lines up to its end."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
        rows = []
        for row in reader:
            rows.append((reader.line_num, [cell.strip() for cell in row]))
            if len(rows) == HEAD:
                break
        return rows
    except csv.Error:
        return []
    finally:
        csv.field_size_limit(limit)


def _layout(text: str, separators: Iterable[str], known: set[str]) -> tuple[str, int, list[str], list]:
    """Separator, place of the header among the first rows, its cells, and these rows."""
    best = ((), ",", 0, [], [])
    for mark in separators:
        rows = _head(text[:4_000_000], mark)
        widths = [len(row) for _, row in rows if any(row)]
        usual = max(set(widths), key=widths.count) if widths else 0
        for place, (_, row) in enumerate(rows):
            found = {
                header.name for cell in row[:MOST_COLUMNS] if not _NUMBER.match(cell) and (header := read_header(cell))
            }
            score = len(found & {"params", "tokens", "loss", "flops"}) + len(known & set(row))
            first = not any(any(cells) for _, cells in rows[:place])
            key = (score if score > 1 else 0, first, widths.count(usual) * (usual > 1), usual)
            if any(row) and (first or score > 1) and key > best[0]:
                best = (key, mark, place, row, rows)
    return best[1:]


def known_headers(text: str, separator: str | None, known: set[str]) -> list[str]:
    """Cells of the header that name a quantity, or are among ``known``."""
    header = _layout(text, [separator] if separator else SEPARATORS, known)[2]
    return [cell for cell in header[:MOST_COLUMNS] if _name(cell) or cell in known]


def read_text(path: Path, text: str, separator: str | None, words: str, notes: list[str], known: set[str]) -> RawTable:
    """The cells of delimited text; ``words`` name its encoding, ``known`` are headers that must be there."""
    if separator is not None and len(separator) != 1:
        raise RunsError(str(path), [f"--delimiter must be one character, got {separator!r}"])
    text = _without_rules(text) if separator in (None, "|") else text
    mark, place, header, rows = _layout(text, [separator] if separator else SEPARATORS, known)
    while header and not header[-1]:
        header = header[:-1]
    _refuse_header(path, header, separator)
    if not known and (twice := doubled(header)):
        raise RunsError(str(path), twice)
    skipped = rows[place][0]
    if any(any(cells) for _, cells in rows[:place]):
        notes = [*notes, f"the header is line {skipped}; what stands above it was left out"]
    pieces = text.split("\n", skipped)
    body = pieces[-1].encode("utf-8", "replace") if len(pieces) > skipped else b""
    if not body.strip():
        raise RunsError(str(path), ["there is a header and there are no rows; one row is one training run"])
    names = range(len(header) + SPARE)
    options: dict[str, Any] = {}
    try:
        frame = _parse(body, mark, names)
    except pd.errors.ParserError as error:
        raise RunsError(str(path), [_parser_words(str(error), skipped)]) from None
    lines = _lines(frame, body, skipped)
    if len(frame) < body.count(b"\n") and _swallowed(frame, mark, len(header)):
        options["quoting"] = csv.QUOTE_NONE
        at = _odd_quotes(body, skipped)
        try:
            frame = _parse(body, mark, names, **options)
        except pd.errors.ParserError:
            raise RunsError(str(path), [_lone_quote(at)]) from None
        if frame.iloc[:, len(header) :].notna().any(axis=None):
            raise RunsError(str(path), [_lone_quote(at)])
        lines = _lines(frame, body, skipped)
        notes = [*notes, f"{at}: a quotation mark that is not closed in its line was taken as a letter"]
    above = [*filter(None, (" ".join(filter(None, cells)) for _, cells in rows[:place]))]
    keep, headings, aside, problems, notes = _rows(frame, header, lines, mark, notes)
    frame = frame.iloc[:, : len(header)].set_axis(unique_names(header), axis=1).set_axis(lines)
    if headings[keep].nunique(dropna=False) > 1:
        first = above[-1] if above else "the first"
        frame.insert(len(header), unique_names([*header, "heading"])[-1], headings.fillna(first).to_numpy())

    def again(columns: list[int]) -> pd.DataFrame:
        return _parse(body, mark, names, dtype=dict.fromkeys(columns, str), **options)[columns].set_axis(lines)[keep]

    kind = f"text, separated by {SEPARATORS.get(mark, repr(mark))}, {words}"
    kept = frame if keep.all() else frame[keep]
    return RawTable(kept, kind, notes, problems, again, aside=(*above, *aside))


def _without_rules(text: str) -> str:
    """The text of a table as Markdown has it, without the bars around rows and the rule below its header."""
    text = re.sub(r"(?m)^\|\|(.+)\|\|[ \t]*$", _as_markdown, text)
    if not any(_is_rule(line) for line in text[:100_000].split("\n")):
        return text
    rows = []
    for line in text.split("\n"):
        bare = line.strip()
        if _is_rule(line):
            rows.append(_RULE)
        elif bare.startswith("|") and bare.endswith("|") and len(bare) > 1:
            rows.append(bare[1:-1].replace("\\|", " / ").replace("**", ""))
        else:
            rows.append(line)
    return "\n".join(rows)


def _is_rule(line: str) -> bool:
    """Whether a line is a rule of a table: of Markdown, of org or of a database's client (``|---+---|``)."""
    return bool(
        re.fullmatch(r"[|+]?[ \t]*:?-+:?[ \t]*([|+][ \t]*:?-+:?[ \t]*)+[|+]?|[|+][ \t]*:?-+:?[ \t]*[|+]", line.strip())
    )


def _as_markdown(header: re.Match[str]) -> str:
    """The header of a wiki's table (``||params||loss||``) as Markdown has it."""
    names = header[1].split("||")
    return f"|{'|'.join(names)}|\n|{'---|' * len(names)}"


def _swallowed(frame: pd.DataFrame, mark: str, width: int) -> bool:
    """Whether a cell of several lines holds rows: a lone quotation mark has swallowed them.

    A row is a line with as many fields as the header, and numbers where the others have numbers.
    """
    numeric = [k for k in range(width) if pd.api.types.is_numeric_dtype(frame.iloc[:, k])]
    for _, column in frame.items():
        if pd.api.types.is_numeric_dtype(column):
            continue
        text = column.astype("str").fillna("")
        for cell in text[text.str.contains("\n", regex=False)]:
            inner = [line.split(mark) for line in cell.split("\n")[1:]]
            if any(len(row) == width and all(_is_number(row[k]) for k in numeric) for row in inner):
                return True
    return False


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"\s*[+-]?[0-9.]+(e[+-]?[0-9]+)?\s*", cell.lower()))


def _odd_quotes(body: bytes, skipped: int) -> str:
    """The lines of the file in which a quotation mark is left open, in words."""
    odd = [k for k, line in enumerate(body.split(b"\n"), skipped + 1) if line.count(b'"') % 2]
    return name_rows(pd.Index(odd, name="line"), np.ones(len(odd), dtype=bool))


def _lone_quote(at: str) -> str:
    return f"{at}: a quotation mark opens there, and the rows below lie inside it: close it in its cell, or remove it"


def _parse(body: bytes, mark: str, names: range, **options: Any) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(body),
        sep=mark,
        header=None,
        names=names,
        index_col=False,
        skip_blank_lines=False,
        skipinitialspace=True,
        low_memory=False,
        **options,
    )


def _refuse_header(path: Path, header: list[str], separator: str | None) -> None:
    """``RunsError`` for a first line that cannot be a header."""
    if len(header) > MOST_COLUMNS:
        words = f"the header has {len(header):,} columns; one row is one training run, one column one quantity"
        raise RunsError(str(path), [words + ": is the table on its side?"])
    if header and all(re.fullmatch(r"[-+\d.,eE%\s]*\d[-+\d.,eE%\s]*|", cell) for cell in header):
        words = "the first line holds numbers, where the names of the columns must stand"
        raise RunsError(str(path), [f"{words}: add a line such as params,tokens,loss"])
    if len(header) < 2:
        shown = repr(header[0][:60]) if header else "nothing"
        words = (
            f"one column only ({shown} in the first line): fields must be separated by commas, semicolons, tabs or bars"
        )
        if separator is not None:
            words += f"; --delimiter is {separator!r}"
        words += ", and the first line must name them"
        blanks = "; these seem to have blanks between them: save the table as CSV, in pandas by df.to_csv"
        raise RunsError(str(path), [words + (blanks if header and len(header[0].split()) > 1 else "")])


def _parser_words(text: str, skipped: int) -> str:
    """The parser's complaint in words, with the line of the file."""
    if found := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", text):
        want, line, saw = (int(number) for number in found.groups())
        words = f"line {line + skipped} has {saw} fields, the header has {want - SPARE}: too many separators"
        return words + "; quote text that contains them, and write numbers without commas between thousands"
    if found := re.search(r"EOF inside string starting at row (\d+)", text):
        return f"a quotation mark opened near line {int(found[1]) + skipped + 1} is never closed: close it or remove it"
    return f"the rows cannot be told apart ({text.strip()[:120]}): save the table as CSV again"


def _lines(frame: pd.DataFrame, body: bytes, skipped: int) -> pd.Index:
    """The line of the file at which each row begins."""
    first = skipped + 1
    if len(frame) == body.count(b"\n") + (not body.endswith(b"\n")):
        return pd.RangeIndex(first, first + len(frame), name="line")
    extra = np.zeros(len(frame), dtype=int)
    for _, column in frame.items():
        if not pd.api.types.is_numeric_dtype(column):
            extra += column.astype("str").str.count("\n").fillna(0).to_numpy(dtype=int)
    return pd.Index(first + np.arange(len(frame)) + np.cumsum(extra) - extra, name="line")


def _rows(
    frame: pd.DataFrame, header: list[str], lines: pd.Index, mark: str, notes: list[str]
) -> tuple[np.ndarray, pd.Series, list[str], list[str], list[str]]:
    """Which rows to keep, the heading above each, lines of text, problems, and notes; what is left out is said."""
    width, problems = len(header), []
    over = frame.iloc[:, width:].notna().any(axis=1).to_numpy()
    if over.any():
        words = f"{name_rows(lines, over)}: more fields than the {width} of the header; quote text that contains"
        problems = [f"{words} {SEPARATORS.get(mark, repr(mark))}, and write numbers without them"]
    empty, same, remark, alone = ~over, ~over, ~over, ~over
    for place, name in enumerate(header):
        column = frame.iloc[:, place]
        if pd.api.types.is_numeric_dtype(column):
            gaps = column.isna().to_numpy()
            empty, same = empty & gaps, same & False
            remark, alone = remark & gaps & (place > 0), alone & gaps & (place > 0)
        else:
            text = column.astype("str").fillna("").str.strip()
            blank = (text == "").to_numpy()
            empty, same = empty & blank, same & (text == name).to_numpy()
            remark = remark & (blank if place else text.str.match(r"#|\(?\d+ rows?\b").to_numpy())
            alone = alone & (blank if place else text.str.contains(r"[^\W\d_]{3}").to_numpy())
    last = int(np.flatnonzero(~empty)[-1]) if not empty.all() else -1
    inner = empty & (np.arange(len(empty)) < last)
    rule = np.zeros(len(frame), dtype=bool)
    if not pd.api.types.is_numeric_dtype(frame.iloc[:, 0]):
        rule = (frame.iloc[:, 0].astype("str").fillna("") == _RULE).to_numpy(dtype=bool)
    said = remark & ~empty & ~same & ~rule
    alone = alone & ~same & ~rule & ~said
    first = frame.iloc[:, 0].astype("str").str.strip()
    titles = alone | (said & (rule.any() or (same & ~empty).any()))  # several tables, one below the other
    headings = first.where(pd.Series(titles, index=frame.index)).ffill()
    left_out = (
        (inner, "blank"),
        (same & ~empty, "a repeat of the header"),
        (said, "a comment"),
        (alone, "a line of text without numbers"),
    )
    notes = [*notes, *(f"{name_rows(lines, mask)}: left out, {words}" for mask, words in left_out if mask.any())]
    return ~(empty | same | remark | alone), headings, [*first[said | alone]], problems, notes
