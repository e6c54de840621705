"""A class as folders, a key, answer files as they come back, and the marks of all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ... import __version__
from ...errors import BookError
from .answers import MOST, Answers, blank, read_answers
from .classes import Class, key_of
from .copying import neighbours
from .marking import Marks, mark
from .sheets import feedback, sheet

__all__ = ["KEY", "STUDENTS", "mark_all", "read_key", "write_class"]

#: the teacher's file, and the folder that is handed out
KEY, STUDENTS = "key.json", "students"
#: the file that a student fills in
ANSWERS = "answers.txt"
#: files of answers, whatever students' programs make of the name
_SUFFIXES = {".txt", ".text", ".md", ".csv", ".tsv", ".json", ".yml", ".yaml", ""}
MISSING = "no answers were handed in"


def write_class(made: Class, folder: Path) -> None:
    """A folder for each student below ``students``, and the key beside them."""
    for student in made.students:
        (own := folder / STUDENTS / student.name).mkdir(parents=True)
        for name, table in student.tables.items():
            named = table.rename(columns={"loss": "loss_nats"})  # which no reader doubts
            named.to_csv(own / name, index=False, lineterminator="\n")
        (own / "sheet.md").write_text(sheet(made.kind, student, made.shared), encoding="utf-8")
        (own / ANSWERS).write_text(blank(made.kind, student.name), encoding="utf-8")
    text = json.dumps({"scaling": __version__, **made.key()}, indent=1)
    (folder / KEY).write_text(text + "\n", encoding="utf-8")


def read_key(path: Path) -> Mapping[str, Any]:
    """The key of a class; ``BookError`` says what is wrong with the file."""
    try:
        return key_of(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        words = str(error) if "key" in str(error) else "this is no key of an assignment: it is not whole JSON"
        raise BookError(f"{path}: {words}") from None


def mark_all(key: Mapping[str, Any], folder: Path, due: float | None = None) -> tuple[pd.DataFrame, dict[str, str]]:
    """The marks of a class, a row a student, and each one's page.

    Files belong to the student whom they name, or else to the one whose name is in that of the file or its folder;
    where these are two students, the file is nobody's. Of several of one student the last one that was saved counts in
    which something is filled in. ``due`` is a time in seconds, after which a file is late.
    """
    given, files, notes, strangers = _collected(key, folder, due)
    told = neighbours(key, given)
    rows, pages = [], {}
    for name, secret in key["students"].items():
        answers = given.get(name, Answers())
        marks = mark(key["kind"], secret, answers, key["shared"]) if name in given else Marks(0.0, {}, ())
        remarks = notes.get(name) or ([] if name in given else [MISSING])
        points = {part: got for part, (got, _) in marks.parts.items()}
        about = "; ".join([*remarks, *answers.remarks])
        rows.append({"student": name, "total": marks.total, **points, "ask": told.get(name, ""), "remarks": about})
        rows[-1]["file"] = files.get(name, "")
        pages[name] = feedback(name, marks, answers, remarks)
    for file, words in strangers.items():
        rows.append({"student": "", "remarks": words, "file": file})
    table = pd.DataFrame(rows)
    last = ["ask", "remarks", "file"]
    table = table[[*(column for column in table if column not in last), *last]]
    return table.fillna({column: "" for column in ["student", *last]}), pages


def _collected(
    key: Mapping[str, Any], folder: Path, due: float | None
) -> tuple[dict[str, Answers], dict[str, str], dict[str, list[str]], dict[str, str]]:
    """Answers, files and remarks by student, and files that belong to nobody, with why."""
    found: dict[str, list[tuple[bool, float, str, Answers]]] = {}
    strangers: dict[str, str] = {}
    closed: dict[str, list[str]] = {}
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        if path.name in ("sheet.md", "runs.csv") or path.name.startswith(("table_", ".")):
            continue
        shown = path.relative_to(folder).as_posix()
        answers = _opened(path, key["kind"])
        if isinstance(answers, str):
            strangers[shown] = answers
            if (name := _owner(key, "", shown)[0]) is not None:
                closed.setdefault(name, []).append(f"{shown} was not read: {answers}")
            continue
        name, why = _owner(key, answers.student, shown)
        if name is None:
            strangers[shown] = why
        else:
            found.setdefault(name, []).append((bool(answers.values), path.stat().st_mtime, shown, answers))
    given: dict[str, Answers] = {}
    files: dict[str, str] = {}
    notes = dict(closed)
    for name, several in found.items():
        *others, (filled, saved, shown, answers) = sorted(several, key=lambda each: each[:3])
        notes[name] = [f"{_other(each, saved)}, {each[2]}, does not count" for each in others] + closed.get(name, [])
        if due is not None and (late := saved - due) > 0:
            notes[name].append(f"late by {late / 3600:.1f} hours")
        if not filled:
            notes[name].append("no answer could be read" if answers.remarks else "nothing is filled in")
        given[name], files[name] = answers, shown
    return given, files, notes, strangers


def _opened(path: Path, kind: str) -> Answers | str:
    """The answers in a file, or why there are none to read."""
    if not path.is_file():
        return "this is no file, or a link to none"
    if path.suffix.lower() not in _SUFFIXES:
        return "this is no text file: unpack it, or have it saved as text"
    try:
        with path.open("rb") as file:
            return read_answers(file.read(MOST + 1), kind)
    except OSError as error:
        return f"the file cannot be opened ({error.strerror})"


def _other(file: tuple[bool, float, str, Answers], saved: float) -> str:
    """What a file is called beside that of the same student which counts."""
    filled, then, _, _ = file
    if not filled:
        return "a file in which nothing is filled in"
    return "an earlier file" if then < saved else "another file, saved at the same time"


def _owner(key: Mapping[str, Any], named: str, file: str) -> tuple[str | None, str]:
    """The student of a file; or nobody, and why."""
    plain = {"".join(filter(str.isalnum, name.lower())): name for name in key["students"]}
    word = "".join(filter(str.isalnum, named.lower()))
    place = "".join(filter(str.isalnum, file.lower()))
    hits = [name for short, name in plain.items() if short in place]
    if word in plain:
        if hits and plain[word] not in hits:
            return None, f"whose is this? it names {plain[word]} and lies with {hits[0]}"
        return plain[word], ""
    if len(hits) == 1 and not re.fullmatch(r"student\d+", word):
        return hits[0], ""
    return None, f"whose is this? it names {named!r}" if named else "whose is this?"
