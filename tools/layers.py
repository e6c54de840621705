"""Draw the rooms of the package, layer by layer, from the code: `book/_static/layers.svg`.

The layers are those of the contract in pyproject.toml, the arrows are the imports that grimp finds. An arrow that
follows from two others is left out. `tools/build_book.py` draws the picture before each build, so that it is never
out of date; that is also why the picture is not committed.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import grimp
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "book" / "_static" / "layers.svg"
#: where a room stands in its row, so that no arrow runs through another room; a room not named here goes to the right
PLACES = {"cli": 2.0, "book": 3.1, "papers": 4.9, "plan": 0.4, "figures": 6.3, "diagnostics": 3.3, "uncertainty": 0.9}
PLACES |= {
    "course": 3.1,
    "fit": 1.65,
    "simulate": 5.6,
    "optimum": 4.3,
    "runs": 2.2,
    "counting": 8.8,
    "theory": 7.2,
    "laws": 4.5,
}
PLACES |= {
    "sources": 2.2,
    "_words": -2.4,
    "_robust": -0.8,
    "_parallel": 0.8,
    "errors": 2.4,
    "_checks": 4.5,
    "_roots": 7.0,
}
WIDTH, HEIGHT = 1.45, 0.62
INK, GROUND, ROOM, HELPER = "#1f2d3d", "white", "#dcebf7", "#eeeeee"


def layers() -> list[list[str]]:
    """The rooms of each layer, the highest layer first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (rows,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return [[room.strip() for room in row.split("|")] for row in rows]


def imports() -> dict[str, set[str]]:
    """The rooms that each room imports from; imports that only a type checker follows are left out."""
    graph = grimp.build_graph("scaling", exclude_type_checking_imports=True, cache_dir=None)
    arrows: dict[str, set[str]] = {}
    for module in sorted(graph.modules - {"scaling.__main__"}):
        for imported in graph.find_modules_directly_imported_by(module):
            one, other = (name.split(".")[1] if "." in name else "" for name in (module, imported))
            if one and other and one != other:
                arrows.setdefault(one, set()).add(other)
    return arrows


def reachable(arrows: dict[str, set[str]], room: str) -> set[str]:
    """Every room that is reached from this one along the arrows."""
    found: set[str] = set()
    waiting = list(arrows.get(room, ()))
    while waiting:
        if (each := waiting.pop()) not in found:
            found.add(each)
            waiting += arrows.get(each, ())
    return found


def reduced(arrows: dict[str, set[str]]) -> dict[str, list[str]]:
    """The arrows without those that a longer way implies."""
    implied = {room: set().union(*(reachable(arrows, each) for each in ends)) for room, ends in arrows.items()}
    return {room: sorted(ends - implied[room]) for room, ends in arrows.items()}


def places(rows: list[list[str]]) -> dict[str, tuple[float, float]]:
    """The middle of each room's box."""
    found = {}
    for height, row in zip(range(len(rows), 0, -1), rows, strict=True):
        new = 8.8 + 1.1 * WIDTH
        for room in row:
            found[room] = (PLACES.get(room, new), float(height))
            new += WIDTH * 1.1 * (room not in PLACES)
    return found


def draw(path: Path) -> None:
    rows = layers()
    at = places(rows)
    fig, ax = plt.subplots(figsize=(8, 8.2), facecolor=GROUND, layout="constrained")
    left, right = (end(x for x, _ in at.values()) for end in (min, max))
    for height in range(1, len(rows) + 1):
        ax.axhspan(height - 0.42, height + 0.42, color="#f6f6f3", zorder=0)
    for room, ends in reduced(imports()).items():
        for other in ends:
            (x, y), (u, v) = at[room], at[other]
            ends_at = (x, y - HEIGHT / 2), (u, v + HEIGHT / 2)
            style = dict(arrowstyle="-|>", mutation_scale=9, color="#5b6b7b", lw=1, shrinkA=0, shrinkB=1, zorder=1)
            ax.add_patch(FancyArrowPatch(*ends_at, **style))
    for room, (x, y) in at.items():
        colour = HELPER if room in rows[-1] else ROOM
        corner = (x - WIDTH / 2, y - HEIGHT / 2)
        box = dict(boxstyle="round,pad=0,rounding_size=0.12", facecolor=colour, edgecolor=INK, lw=0.8, zorder=2)
        ax.add_patch(FancyBboxPatch(corner, WIDTH, HEIGHT, **box))
        ax.text(x, y, room, ha="center", va="center", color=INK, fontsize=10.5, zorder=3)
    ax.set(xlim=(left - WIDTH, right + WIDTH), ylim=(0.4, len(rows) + 0.6))
    ax.axis("off")
    path.parent.mkdir(parents=True, exist_ok=True)
    with plt.rc_context({"svg.hashsalt": "layers"}):
        fig.savefig(path, metadata={"Date": None})
    plt.close(fig)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if sys.argv[1:] else PICTURE)
