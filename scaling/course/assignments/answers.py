"""Answer files: lines of ``name: value``, which no program for text or tables breaks, read as kindly as can be."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from ...runs.reading.cells import decimal_mark, read_numbers
from . import shared
from .questions import ASKED, FAULTS, KINDS, REASONS, reasons

__all__ = ["Answers", "blank", "read_answers"]

#: bytes of an answer file beyond which it is none
MOST = 100_000
_YES, _NO = {"yes", "y", "true", "ja", "oui", "si", "1"}, {"no", "n", "false", "nein", "non", "0", "not identified"}
#: a yes or no, and what is written after it; without a mark between them only such words make no other sense of it
_WORD_FIRST = re.compile(r"(\w+)\s*(?:([,;:.(-]|\u2013|\u2014)\W*)?(.*)")
_GOES_ON = {"because", "since", "as", "they", "it", "identified"}
_LINE = re.compile(r"([^:=\t;|\uff1a]+?)\s*[:=\t;|\uff1a]\s*(.*)")
#: what programs put around a name and a value: quotation marks, list points, bold letters, table lines, braces
_AROUND = " \t\"'`*|{}[]>"
_NUMBER = re.compile(r"\d+")
#: what the ends of an interval are called, before or after the name of what they are the ends of
_ENDS = dict.fromkeys(("low", "lower", "lo", "l", "min"), "low")
_ENDS |= dict.fromkeys(("high", "upper", "hi", "h", "u", "max"), "high")
#: numbers in which a comma may stand for thousands as well
_EITHER = re.compile(r"-?[0-9]{1,3},[0-9]{3}(?![0-9.,]|\s*[eEx*\u00d7\u00b7])")
#: a number that can be read in one way only, as nearly all are
_PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{0,15})?(?:[eE][+-]?[0-9]{1,2})?")
#: one letter, and words after it; two of them are no answer, and an article is no letter
_LETTER = re.compile(
    r"\W*(?:(?:table|answer)[\W_]*)?([abc])(?!\W*(?:or|and|[/,&+])\W*[abc]\b)(?!(?:\W+[abc])+\W*$)"
    r"(?!(?<=a)\s+(?!because|since|as|is|has|was|with|which)\w)(?:[\W_].*)?"
)
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
    """The names of all lines of an answer file, and the kind of each value: number, count, yes, letter, or word."""
    about = KINDS[kind]
    lines = {shared.line(number): "letter" for number in range(1, ASKED + 1)}
    lines |= {"table": "letter"} if about.verdict[0] else {"identified": "yes"}
    if about.plan:
        lines |= {"params": "count", "tokens": "count"}
    kinds = {line: "count" if each.log else "number" for each in about.numbers for line in each.lines}
    return lines | kinds | {"reason": "word"}


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
        return Answers(remarks=(f"the file has more than {MOST:,} bytes: an answer file has some hundred",))
    text = _decoded(data)
    if "\0" in text:
        return Answers(remarks=("this is no text: fill in the answer file with an editor for text",))
    known, student, remarks = lines_of(kind), "", []
    values: dict[str, float | str] = {}
    lines, unread = _divided(text, known)
    remarks = [f"not understood: {line[:40]!r}" for line in unread]
    mark = _decimal_mark([value for name, value in lines if known.get(name) in ("number", "count")])
    for name, value in lines:
        if name == "student":
            student = value
        elif name not in known:
            remarks.append(f"no line is called {name[:40]!r}")
        elif value:
            read, why = _value(value, known[name], kind, mark), None
            if read is None and known[name] == "yes":
                read, why = _yes_and_why(value, kind)
            if read is None:
                remarks.append(f"{name}: {value[:40]!r} {_unlike(value, known[name])}")
                continue
            if name in values:
                remarks.append(f"{name} stands there twice: the last counts")
            values[name] = read
            if why is not None:
                values.setdefault("reason", why)
    return Answers(student, values, tuple(dict.fromkeys(remarks)))


def _divided(text: str, known: Mapping[str, str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Names, in our spelling where one is ours, with their values; and lines with a number that are neither."""
    lines, unread = [], []
    for line in _unfolded(text).splitlines():
        bare = re.sub(r"^[-+*]\s+", "", line.strip()).strip(_AROUND)
        if line.lstrip().startswith("#"):
            continue
        if not (found := _LINE.fullmatch(bare)):
            head, comma, value = bare.partition(",")  # as a spreadsheet has it
            if comma and _name(head, known) in known:
                lines.append((_name(head, known), value.strip(f"{_AROUND},;")))
            elif _NUMBER.search(bare):
                unread.append(bare)
            continue
        lines.append((_name(found[1], known), found[2].strip(f"{_AROUND},;")))
    return lines, unread


def _unfolded(text: str) -> str:
    """JSON of names and values as lines; any other text as it is."""
    if text.lstrip().startswith("{"):
        try:
            return "\n".join(f"{name}: {'' if value is None else value}" for name, value in json.loads(text).items())
        except (ValueError, RecursionError):
            pass
    return text


def _name(written: str, known: Mapping[str, str]) -> str:
    """The name of a line of ours, if it is written nearly so; else what is written."""
    words = re.sub(r"[\W_]+", " ", written.lower()).split()
    ends = dict.fromkeys(_ENDS[word] for word in words if word in _ENDS)
    name = " ".join([*(word for word in words if word not in _ENDS), *ends])
    number = _NUMBER.findall(name)  # which no misspelling may change
    alike = [each for each in known if _NUMBER.findall(each) == number]
    near = difflib.get_close_matches(name, [*alike, "student"], n=1, cutoff=0.75)
    return near[0] if near else written.strip()


def _decimal_mark(values: list[str]) -> str:
    """The decimal mark of a file's numbers, or nothing where none tells it."""
    cells = pd.Series([value for value in values if not _EITHER.match(value)], dtype=str).rename_axis("line")
    seen = cells.str.contains(r"[.,]").any()
    return decimal_mark({"": cells})[0] if seen else ""


def _yes_and_why(text: str, kind: str) -> tuple[str | None, str | None]:
    """Yes or no, where more is written after it, and the reason, where one is; "no idea" is neither."""
    found = _WORD_FIRST.fullmatch(text.strip().lower())
    if found is None:
        return None, None
    said = "yes" if found[1] in _YES else "no" if found[1] in _NO else None
    why, rest = _reason(found[3].strip(" ,:;()."), kind), re.findall(r"\w+", found[3])
    clear = why or found[2] or not rest or rest[0] in _GOES_ON
    return (said, why) if clear and not {"yes", "no"} & set(rest) else (None, None)


def _unlike(value: str, expected: str) -> str:
    """Why a value is none."""
    if expected == "count" and _EITHER.match(value):
        return "can be read in two ways: write it without a comma"
    return f"is not {_EXPECTED[expected]}"


_EXPECTED = {
    "number": "a number",
    "count": "a number",
    "yes": "yes or no",
    "letter": "A, B or C",
    "word": "one of the words that the file names",
}


def _value(text: str, expected: str, kind: str, mark: str) -> float | str | None:
    word = text.strip().lower().rstrip(".!")
    if expected == "yes":
        return "yes" if word in _YES else "no" if word in _NO else None
    if expected == "letter":
        found = _LETTER.fullmatch(word)
        return found[1].upper() if found else None
    if expected == "word":
        return _reason(word, kind)
    share, word = (0.01, text.rstrip("% ")) if text.rstrip().endswith("%") else (1.0, text)
    bare = re.sub(r"\s*(params|parameters|tokens|nats.*|flops?)$", "", word, flags=re.IGNORECASE)
    if _PLAIN.fullmatch(bare):
        return share * float(bare)
    cells = pd.Series([bare])
    if not (_EITHER.match(bare) and expected == "count"):
        mark = decimal_mark({"": cells.rename_axis("line")})[0] or ("," if "," in word and "." not in word else ".")
    elif not mark:
        return None
    number = pd.to_numeric(read_numbers("params", cells, mark)[0], errors="coerce").iloc[0]
    return share * float(number) if math.isfinite(number) else None


def _reason(word: str, kind: str) -> str | None:
    """The word of this kind for a reason; one that is nearer to a word of another kind is none."""
    names = {spelt: each for each in {**REASONS, **FAULTS} for spelt in (each, each.replace("_", " "))}
    near = difflib.get_close_matches(re.split(r"[:,;(]", word)[0].strip(), names, n=1, cutoff=0.7)
    return names[near[0]] if near and names[near[0]] in reasons(kind) else None


def _decoded(data: bytes) -> str:
    codes = _CODES if data[:2] in (b"\xff\xfe", b"\xfe\xff") else [code for code in _CODES if code != "utf-16"]
    for code in codes:
        try:
            return data.decode(code)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")
