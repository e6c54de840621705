"""Texts that are no tables, told for what they are: web pages, logs, code, YAML."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from ..logs.text import is_printed
from ..logs.tools import COLLECT
from .units import read_header

_VALUES = "write its values as CSV, a row a run, with the names of the columns above"
#: how a text begins, what it then is and what to do with it
_BEGINNINGS = (
    (r"(?i)<(!doctype|html|\?xml|table)", "a web page or XML, not a table: download the table itself"),
    (
        r"(?s).*\\begin\{(table|tabular|longtable)",
        "LaTeX: write its table as CSV, with commas for & and without the commands",
    ),
    (r"[^\n]*&[^\n]*\\\\", "LaTeX: write its table as CSV, with commas for & and without the commands"),
    (
        r"(?i)(create table|insert into|drop table|begin transaction|pragma|/\*!|-- (mysql|postgres|pg_))",
        "SQL: load it into its database, and save the table as CSV",
    ),
    (r"\[\d{2,4}[-/.:]\d{2}", f"a log, not a table: {_VALUES}"),
    (r"\[\[?[A-Za-z][\w.-]*\]\]?[ \t]*\n", "TOML: save what is in it as JSON or CSV"),
    (
        r"(---[ \t]*\n)?([\w.-]+:[ \t]*\n[ \t]*)?(- )?[\w.-]+:([ \t][^\n]*)?\n[ \t]+[\w.-]+:",
        "YAML: save what is in it as JSON or CSV",
    ),
    (
        r"import [\w.]+( as|\s*\n)|from [\w.]+ import|#!.*python|[A-Za-z_]\w* = [\[{(]",
        "Python code: save what it makes as CSV or JSON",
    ),
    (r"=+([ \t]+=+)+[ \t]*\n", "a table of reStructuredText: save it as CSV or Markdown"),
)
#: characters of a text that are looked at for printed lines, and such lines that make a log
_HEAD, _LINES = 20_000, 3
_STEP = re.compile(r"(?im)^.*\b(?:step|iter|iteration)s?\b\W{1,5}\d+\b.*\bloss\b\W{1,5}\d+\.\d+.*$")


def told(path: Path, text: str) -> str:
    """What a text is that is no table, with what to do; "" where it may be one."""
    start = text.lstrip()[:1000]
    if is_printed(text[:_HEAD]):
        return f"this is the log of a training run: {COLLECT.format(shlex.quote(str(path)))}, also of a folder of such"
    for beginning, words in _BEGINNINGS:
        if re.match(beginning, start):
            return f"this is {words}"
    if start[0] != "{" and not _has_header(start) and len(_STEP.findall(text[:_HEAD])) >= _LINES:
        return f"this is a log, not a table: {_VALUES}"
    if start[0] == "{" and re.search(r'"nbformat"\s*:', text) and re.search(r'"cells"\s*:', text):
        return "this is a notebook: save the table in it as CSV"
    return ""


def _has_header(start: str) -> bool:
    """Whether one of the first lines names quantities, as the header of a table does."""
    lines = [re.split(r"[,;|\t]", line) for line in start.split("\n")]
    return any(len({found.name for cell in cells if (found := read_header(cell))}) > 1 for cells in lines)
