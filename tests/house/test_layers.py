"""The rooms and their layers: the rule is kept, a breach is found, and the pages about the rooms say what is so."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import api_page
import layers
import pytest

import scaling

ROOT = Path(__file__).resolve().parents[2]
ROWS = layers.layers()


def lint_imports(folder):
    """The tool's verdict on the package in this folder."""
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_no_room_imports_from_above():
    verdict = lint_imports(ROOT)
    assert verdict.returncode == 0, verdict.stdout
    kept = len(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"])
    assert f"Contracts: {kept} kept, 0 broken." in verdict.stdout


@pytest.mark.parametrize(
    ("module", "line", "found"),
    [
        ("laws/base.py", "from ..plan import plan_training", "scaling.laws is not allowed to import scaling.plan"),
        ("fit/engine/newton.py", "from ...laws.base import Law", "scaling.fit.engine is not allowed to import"),
    ],
)
def test_a_breach_is_found(module, line, found, tmp_path):
    shutil.copytree(ROOT / "scaling", tmp_path / "scaling", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "scaling" / module).open("a") as file:
        file.write(f"\n{line}\n")
    verdict = lint_imports(tmp_path)
    assert verdict.returncode != 0
    assert found in verdict.stdout


def test_every_room_is_on_a_layer():
    package = ROOT / "scaling"
    rooms = [path.parent.name for path in package.glob("*/__init__.py")] + [path.stem for path in package.glob("*.py")]
    assert sorted(set(rooms) - {"__init__", "__main__"}) == sorted(sum(ROWS, []))


def test_the_picture_shows_the_imports(tmp_path):
    """Arrows that were left out follow from those that are drawn, and all of them point down."""
    arrows = layers.imports()
    drawn = layers.reduced(arrows)
    assert sum(map(len, drawn.values())) < sum(map(len, arrows.values()))
    assert all(layers.reachable(drawn, room) == layers.reachable(arrows, room) for room in arrows)
    height = {room: y for room, (_, y) in layers.places(ROWS).items()}
    assert all(height[room] > height[end] for room, ends in drawn.items() for end in ends)
    layers.draw(tmp_path / "layers.svg")
    assert "<svg" in (tmp_path / "layers.svg").read_text()


def test_the_picture_is_the_same_each_time(tmp_path):
    for name in ("one.svg", "two.svg"):
        layers.draw(tmp_path / name)
    assert (tmp_path / "one.svg").read_text() == (tmp_path / "two.svg").read_text()


def test_the_page_on_the_rooms_has_every_room():
    page = (ROOT / "book/architecture.md").read_text()
    table = re.findall(r"^\| `(\w+)(?:/|\.py)` \|", page, flags=re.MULTILINE)
    assert set(table) >= {r for r in sum(ROWS, []) if r[0] != "_"}
    alt = re.search(r":alt: (.*)", page)[1]
    assert [room for room in sum(ROWS[:-1], []) if room not in alt] == []


# --- the page of docstrings ------------------------------------------------------------------------------------------


def test_the_pages_of_docstrings_are_what_their_script_writes():
    there = [ROOT / "book/api.md", *(ROOT / "book/api").glob("*.md")]
    assert {path: path.read_text() for path in there} == api_page.pages(), "python tools/api_page.py writes them anew"


def test_the_page_of_docstrings_goes_up_the_layers():
    """As its first paragraph says; the errors, on the ground, come last."""
    height = {room: -row for row, rooms in enumerate(ROWS) for room in rooms}
    *rooms, last = api_page.ROOMS
    assert [height[room] for room in rooms] == sorted(height[room] for room in rooms)
    assert last == "errors"
    assert set(api_page.ROOMS) == {name for name in scaling.__all__ if name in height}


def test_every_name_of_the_front_door_lives_in_one_room():
    offered = [name for room in api_page.ROOMS for name in api_page.room_of(room).__all__]
    names = set(scaling.__all__) - set(api_page.ROOMS)
    assert {name: offered.count(name) for name in names} == dict.fromkeys(names, 1)


@pytest.mark.parametrize(("name", "room"), scaling._ROOM_OF.items())
def test_a_name_of_the_last_version_works_and_says_the_new_one(name, room):
    with pytest.warns(DeprecationWarning, match=rf"scaling\.{name} is now scaling\.{room}\.{name}"):
        assert getattr(scaling, name) is getattr(api_page.room_of(room), name)
