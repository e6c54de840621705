"""Write the pages of docstrings, from the names that the front door and the rooms offer: `book/api.md` and one a room.

`python tools/api_page.py` writes them; `--check` only says whether they are what would be written.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import typing
from pathlib import Path
from types import ModuleType

import scaling

ROOT = Path(__file__).resolve().parents[1]
#: the page of the front door; those of the rooms lie in the folder of its name
PAGE = ROOT / "book" / "api.md"
#: the rooms, in their order
ROOMS = ["sources", "laws", "counting", "theory", "runs", "optimum", "simulate", "fit"]
ROOMS += ["uncertainty", "diagnostics", "plan", "figures", "papers", "errors"]
HEAD = """\
# The package, room by room

The package `scaling` is a house of rooms. Each room answers one question and has a page. The list
follows the layers of the house from the ground up: a room imports only from rooms that come before it. The last
room, `errors`, is the exception: it lies on the ground, and every room may use it. `make lint` checks the
layers, and [](architecture.md) draws them.

Every docstring gives the equation, the shapes and units, the errors that are raised, and the source.
`tools/api_page.py` writes these pages from the lists of public names in the code.

{rooms}

(front-door)=
## The front door

These names are offered by `import scaling` itself. Each of them lives in a room, and its documentation is there.
Every other name is asked for by its room, for example `scaling.laws.KaplanLaw`.

| name | what it is | room |
|---|---|---|
"""
KINDS = {"function": "func", "class": "class", "exception": "exc", "data": "data", "module": "mod"}


def room_of(name: str) -> ModuleType:
    return importlib.import_module(f"scaling.{name}")


def homes() -> dict[str, str]:
    """The room of every public name, the papers' modules left out."""
    return {name: room for room in ROOMS for name in room_of(room).__all__ if not is_module(room, name)}


def is_module(room: str, name: str) -> bool:
    return inspect.ismodule(getattr(room_of(room), name))


def kind_of(value: object) -> str:
    """What Sphinx calls it."""
    if inspect.ismodule(value):
        return "module"
    if inspect.isclass(value):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if callable(value) else "data"


def summary(value: object) -> str:
    """The first sentence of a docstring, as Markdown for a cell of a table."""
    first = " ".join(inspect.getdoc(value).split("\n\n")[0].split())
    first = re.split(r"(?<=[.?!])\s+(?=[A-Z])", first)[0]
    first = re.sub(r"``([^`]+)``", r"`\1`", first)
    first = re.sub(r":math:`([^`]+)`", r"$\1$", first)
    first = re.sub(r":(?:func|class|exc|meth):`~?([^`]+)`", lambda found: f"`{found[1].rpartition('.')[2]}`", first)
    return first.replace("|", r"\|")


def signature(value: object) -> str:
    """What a caller may give, where Python's own signature says more: private fields, or one line an overload."""
    parameters = inspect.signature(value).parameters.values()
    shown = [p.replace(annotation=p.empty) for p in parameters if not p.name.startswith("_")]
    if len(shown) == len(parameters) and not typing.get_overloads(value):
        return ""
    return f"({', '.join(str(parameter) for parameter in shown)})"


def remark(room: str, name: str) -> str:
    """The comment `#:` above the line that gives a constant its value."""
    pattern = rf"^#: (.+)\n{name} = "
    for path in sorted((ROOT / "scaling" / room).glob("*.py")):
        if found := re.search(pattern, path.read_text(), flags=re.MULTILINE):
            return f"{found[1][0].upper()}{found[1][1:]}."
    raise SystemExit(f"error: scaling.{room}.{name} needs a comment '#: ...' above it, which becomes its documentation")


def entry(room: str, name: str) -> str:
    """The directive of one public name."""
    value = getattr(room_of(room), name)
    kind = kind_of(value)
    if kind == "module":
        return f".. automodule:: scaling.{room}.{name}\n   :no-members:\n"
    if kind == "data":
        return f".. py:data:: {name}\n   :value: {value!r}\n\n   {remark(room, name)}\n"
    if kind == "function":
        return f".. autofunction:: {name}{signature(value)}\n"
    return f".. auto{kind}:: {name}{signature(value) if kind == 'class' else ''}\n   :members:\n"


def room_page(room: str) -> str:
    """A room: its docstring, then its names; the papers' modules after the functions that handle claims."""
    names = sorted(room_of(room).__all__, key=lambda name: is_module(room, name))
    current, entries = f".. currentmodule:: scaling.{room}\n", []
    for before, name in zip([None, *names], names, strict=False):
        if before is not None and is_module(room, before):
            entries.append(current)
        entries.append(entry(room, name))
    parts = "\n".join([f".. automodule:: scaling.{room}\n   :no-members:\n", current, *entries])
    return f"(room-{room})=\n# scaling.{room}\n\n```{{eval-rst}}\n{parts}```\n"


def front_door() -> str:
    """The table of the front door, and a target for each name under its short path."""
    rows, targets = [], []
    home = homes()
    for name in sorted(set(scaling.__all__) & set(home), key=str.lower):
        value, room = getattr(room_of(home[name]), name), home[name]
        kind = kind_of(value)
        place = f"scaling.{name} <scaling.{room}.{name}>"
        rows.append(f"| {{py:{KINDS[kind]}}}`{place}` | {summary(value)} | [{room}](room-{room}) |\n")
        targets.append(f".. py:{kind}:: scaling.{name}\n   :no-typesetting:\n")
    return f"{''.join(rows)}\n```{{eval-rst}}\n" + "\n".join(targets) + "```\n"


def pages() -> dict[Path, str]:
    """Every page and what is in it."""
    rooms = "\n".join(f"- [{room}](room-{room}): {summary(room_of(room))}" for room in ROOMS)
    front = HEAD.replace("{rooms}", rooms) + front_door()
    return {PAGE: front} | {PAGE.with_suffix("") / f"{room}.md": room_page(room) for room in ROOMS}


def main() -> int:
    written = pages()
    left = set(PAGE.with_suffix("").glob("*.md")) - set(written)
    if "--check" in sys.argv[1:]:
        return int(bool(left) or any(not path.is_file() or path.read_text() != text for path, text in written.items()))
    PAGE.with_suffix("").mkdir(exist_ok=True)
    for path in left:
        path.unlink()
    for path, text in written.items():
        path.write_text(text)
    print(f"{PAGE.relative_to(ROOT)} and a page for each of {len(ROOMS)} rooms written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
