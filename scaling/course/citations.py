"""The papers that a text names, written out: no reader of a notebook has the book's list of references beside it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..sources.files import book_file

__all__ = ["Reference", "references"]

#: authors whose names are written before it says "and others"
SHOWN = 6


@dataclass(frozen=True)
class Reference:
    """A paper: who and when, as a text says it, and the whole line of a list."""

    who: str
    year: str
    line: str


@cache
def references() -> dict[str, Reference]:
    """Every paper of the book's list, by key; where two would read alike, the initial of the first author is added."""
    from pybtex.database import parse_file

    entries = parse_file(str(book_file("references.bib")), bib_format="bibtex").entries
    short = {key: (_who(entry), entry.fields.get("year", "n.d.")) for key, entry in entries.items()}
    often = Counter(short.values())
    found = {}
    for key, entry in entries.items():
        who, year = short[key]
        if often[who, year] > 1 and (first := _authors(entry)[0]).first_names:
            who = f"{_text(first.first_names[0])[:1]}. {who}"
        found[key] = Reference(who, year, _line(entry, year))
    return found


def _authors(entry: Any) -> list[Any]:
    return list(entry.persons.get("author", entry.persons.get("editor", [])))


def _who(entry: Any) -> str:
    names = [_last(person) for person in _authors(entry)]
    if not names:
        return _text(entry.fields["title"])
    if len(names) > 2 or "others" in names:
        return f"{names[0]} et al."
    return " and ".join(names)


def _last(person: Any) -> str:
    return _text(" ".join([*person.prelast_names, *person.last_names]))


def _with_initials(person: Any) -> str:
    initials = " ".join(f"{_text(name)[:1]}." for name in person.first_names)
    return f"{_last(person)}, {initials}" if initials else _last(person)


def _line(entry: Any, year: str) -> str:
    names = [_with_initials(each) for each in _authors(entry)]
    who = ", ".join(names) if len(names) <= SHOWN else f"{', '.join(names[:SHOWN])} and others"
    who = who.replace(", others", " and others")
    fields = {name: _text(value) for name, value in entry.fields.items()}
    places = (fields.get(name) for name in ("journal", "booktitle", "howpublished", "publisher", "institution"))
    where = next(filter(None, places), "")
    line = f"{who or _who(entry)} ({year}). *{fields['title']}*." + (f" {where.rstrip('.')}." if where else "")
    if doi := fields.get("doi"):
        return f"{line} https://doi.org/{doi}"
    if number := fields.get("eprint"):
        return f"{line} arXiv:{number}"
    return f"{line} {fields['url']}" if "url" in fields else line


def _text(latex: str) -> str:
    from pybtex.backends.plaintext import Backend
    from pybtex.richtext import Text

    return str(Text.from_latex(latex).render(Backend()))
