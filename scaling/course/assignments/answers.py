"""Answer files: lines of ``name: value``, which no program for text or tables breaks, read as kindly as can be."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass, field

import pandas as pd

from ...runs.reading.cells import decimal_mark, read_numbers
from . import shared
from .questions import ASKED, FAULTS, KINDS, reasons

__all__ = ["Answers", "blank", "read_answers"]

#: bytes of an answer file beyond which it is none
MOST = 100_000
_YES, _NO = {"yes", "y", "true", "ja", "oui", "si", "1"}, {"no", "n", "false", "nein", "non", "0", "not identified"}
_LINE = re.compile(r"^\s*[\"']?([^:=\t;]+?)[\"']?\s*[:=\t;]\s*(.*?)\s*$")
_NUMBER = re.compile(r"\d+")
#: a number that can be read in one way only, as nearly all are
_PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{0,15})?(?:[eE][+-]?[0-9]{1,2})?")
#: one letter, and words after it; two of them are no answer
_LETTER = re.compile(r"\W*(?:(?:table|answer)[\W_]*)?([abc])(?!\W*(?:or|and|[/,&+])\W*[abc]\b)(?:[\W_].*)?")
_CODES = ("utf-8-sig", "utf-16", "cp1252", "latin-1")


@dataclass(frozen=True)
class Answers:
    """What one student answered.

    Attributes
    ----------
    student : str
        As the file names it, or nothing.
    values : dict
        By name of the line: numbers, or words where words are asked.
    remarks : tuple of str
        What could not be read, in words for the student.
    """

    student: str = ""
    values: dict[str, float | str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def lines_of(kind: str) -> dict[str, str]:
    """The names of all lines of an answer file, and what kind of value each has: number, yes, letter, or word."""
    about = KINDS[kind]
    lines = {shared.line(number): "letter" for number in range(1, ASKED + 1)}
    lines |= {"table": "letter"} if about.verdict[0] else {"identified": "yes"}
    if about.plan:
        lines |= {"params": "number", "tokens": "number"}
    return lines | {line: "number" for question in about.numbers for line in question.lines} | {"reason": "word"}


def blank(kind: str, student: str) -> str:
    """The answer file to fill in."""
    about = KINDS[kind]
    words = [f"student: {student}", "", "# Write after the colons. What you leave empty counts as not answered."]
    words += ["", "# The questions to the whole class: A, B or C."]
    words += [f"{shared.line(number)}: " for number in range(1, ASKED + 1)]
    if about.verdict[0]:
        words += ["", "# The table that cannot be trusted: A, B or C.", "table: "]
        words += ["", f"# Why, in one of these words: {', '.join(FAULTS)}.", "reason: "]
    else:
        words += ["", "# Do your runs identify what is asked? yes or no.", "identified: "]
        words += ["", f"# If no, why: {', '.join(reasons(kind))}. Then leave the rest empty.", "reason: "]
    if about.plan:
        words += ["", "# What to train.", "params: ", "tokens: "]
    for question in about.numbers:
        words += ["", "# Your estimate, and the ends of its 95 % interval.", *(f"{line}: " for line in question.lines)]
    return "\n".join([*words, ""])


def read_answers(data: bytes, kind: str) -> Answers:
    """Answers from the bytes of a file; nothing in them is an error, and ``remarks`` say what was not understood.

    Lines may have ``:``, ``=``, a tab or a semicolon between name and value; names may be misspelt a little; numbers
    may be written ``70B``, ``7e10``, ``1.4 trillion``, with a decimal comma, or with a per cent sign.
    """
    if len(data) > MOST:
        return Answers(remarks=(f"the file has {len(data):,} bytes: an answer file has some hundred",))
    text = _decoded(data)
    if "\0" in text:
        return Answers(remarks=("this is no text: fill in the answer file with an editor for text",))
    known, student, remarks = lines_of(kind), "", []
    values: dict[str, float | str] = {}
    for line in text.splitlines():
        if not (found := _LINE.match(line)) or line.lstrip().startswith("#"):
            continue
        name, value = " ".join(found[1].lower().replace("_", " ").replace(",", " ").split()), found[2].strip("\"' \t;")
        if name == "student":
            student = value
            continue
        number = _NUMBER.findall(name)  # which no misspelling may change
        alike = [each for each in known if _NUMBER.findall(each) == number]
        near = difflib.get_close_matches(name, alike, n=1, cutoff=0.75)
        if not near:
            remarks.append(f"no line is called {name[:40]!r}")
        elif value:
            read = _value(value, known[near[0]], kind)
            if read is None and known[near[0]] == "yes":
                first, _, rest = value.partition(",") if "," in value else value.partition(" ")
                read = _value(first, "yes", kind)
                if read is not None and (why := _value(rest.strip(" ,:;()"), "word", kind)) is not None:
                    values.setdefault("reason", why)
            if read is None:
                remarks.append(f"{near[0]}: {value[:40]!r} is not {_EXPECTED[known[near[0]]]}")
            elif near[0] in values:
                remarks.append(f"{near[0]} stands there twice: the last counts")
                values[near[0]] = read
            else:
                values[near[0]] = read
    return Answers(student, values, tuple(dict.fromkeys(remarks)))


_EXPECTED = {
    "number": "a number",
    "yes": "yes or no",
    "letter": "A, B or C",
    "word": "one of the words that the file names",
}


def _value(text: str, expected: str, kind: str) -> float | str | None:
    word = text.strip().lower().rstrip(".")
    if expected == "yes":
        return "yes" if word in _YES else "no" if word in _NO else None
    if expected == "letter":
        found = _LETTER.fullmatch(word)
        return found[1].upper() if found else None
    if expected == "word":
        names = {spelt: each for each in reasons(kind) for spelt in (each, each.replace("_", " "))}
        near = difflib.get_close_matches(word, names, n=1, cutoff=0.7)
        return names[near[0]] if near else None
    share, word = (0.01, text.rstrip("% ")) if text.rstrip().endswith("%") else (1.0, text)
    bare = re.sub(r"\s*(params|parameters|tokens|nats.*|flops?)$", "", word, flags=re.IGNORECASE)
    if _PLAIN.fullmatch(bare):
        return share * float(bare)
    cells = pd.Series([bare])
    mark = decimal_mark({"": cells.rename_axis("line")})[0] or ("," if "," in word and "." not in word else ".")
    number = pd.to_numeric(read_numbers("params", cells, mark)[0], errors="coerce").iloc[0]
    return share * float(number) if math.isfinite(number) else None


def _decoded(data: bytes) -> str:
    codes = _CODES if data[:2] in (b"\xff\xfe", b"\xfe\xff") else [code for code in _CODES if code != "utf-16"]
    for code in codes:
        try:
            return data.decode(code)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")
