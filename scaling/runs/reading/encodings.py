"""The text of a file in an encoding that it may not tell.

Where bytes are not UTF-8 the headers decide: a table of numbers holds too few letters to tell an alphabet by.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...errors import RunsError
from .text import known_headers

_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
#: what spreadsheets of Western Europe write where it is not UTF-8
USUAL = {"cp1252": "Windows-1252", "latin-1": "Latin-1"}
#: what those of other systems and alphabets write, in words
OTHERS = {
    "gb18030": "GB 18030",
    "big5": "Big5",
    "cp932": "Shift JIS",
    "euc_jp": "EUC-JP",
    "cp949": "Windows-949",
    "cp1251": "Windows-1251",
    "koi8-r": "KOI8-R",
    "cp1250": "Windows-1250",
    "cp1254": "Windows-1254",
    "mac-roman": "Mac Roman",
    "cp850": "CP850",
}
#: bytes at the beginning that hold the header
HEAD = 65_536


def decode(
    path: Path, data: bytes, encoding: str | None, separator: str | None, known: set[str]
) -> tuple[str, str, list[str]]:
    """The text, its encoding in words, and notes; ``known`` are headers that must be there."""
    notes: list[str] = []
    found = encoding or _unmarked(path, data, notes)
    try:
        text = data.decode(found)
    except LookupError:
        raise RunsError(str(path), [f"--encoding {found!r} is unknown; try utf-8, utf-16 or cp1252"]) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        if encoding or found != "utf-8":
            raise RunsError(str(path), [f"line {line} is not {found.upper()}; --encoding NAME decides"]) from None
        text, found, words = _by_headers(data, separator, known)
        notes.append(f"line {line} is not UTF-8; read as {found}{words} (--encoding decides)")
    if "\0" in text:
        notes.append(f"{text.count(chr(0))} null bytes were replaced")
        text = text.replace("\0", "\ufffd")
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, {"utf-8-sig": "UTF-8"}.get(found, found if found[0].isupper() else found.upper()), notes


def _unmarked(path: Path, data: bytes, notes: list[str]) -> str:
    """The encoding that the first bytes tell, UTF-8 where they tell none."""
    if marked := next((name for bom, name in _BOMS if data.startswith(bom)), None):
        return marked
    head = np.frombuffer(data[:HEAD], dtype=np.uint8)
    if len(head) > 3:
        even, odd = float((head[::2] == 0).mean()), float((head[1::2] == 0).mean())
        if max(even, odd) > 0.3 and min(even, odd) < 0.05:
            found = "utf-16-le" if odd > even else "utf-16-be"
            notes.append(f"no mark of the encoding; every other byte is zero, so it was read as {found.upper()}")
            return found
    if np.isin(head, [*range(9), *range(14, 27), *range(28, 32)]).mean() > 0.02:
        raise RunsError(str(path), ["this is a binary file, not a table: save the table as CSV"])
    return "utf-8"


def _by_headers(data: bytes, separator: str | None, known: set[str]) -> tuple[str, str, str]:
    """The text in the encoding that makes most headers known, its name, and what is to be said of it."""
    usual = next(name for name in USUAL if _can_be(data, name))
    words = ": numbers and known headers are the same in either, letters in other columns may not be"
    best, told = _headers(data, usual, separator, known), (usual, USUAL[usual], words)
    for name, called in OTHERS.items():
        headers = _headers(data, name, separator, known)
        if len(headers) > len(best) and _can_be(data, name):
            best, told = headers, (name, called, f", in which headers are known ({', '.join(map(repr, headers))})")
    return data.decode(told[0]), *told[1:]


def _headers(data: bytes, encoding: str, separator: str | None, known: set[str]) -> list[str]:
    """The headers that this encoding makes known."""
    return known_headers(data[:HEAD].decode(encoding, errors="replace"), separator, known)


def _can_be(data: bytes, encoding: str) -> bool:
    """Whether the bytes are text of this encoding."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
