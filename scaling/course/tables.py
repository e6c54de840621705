"""The tables of runs that a kit may hand on: our own, each with what is known about it."""

from __future__ import annotations

import gzip
from pathlib import Path

from ..sources.files import data_file
from .pages import page, to_html
from .plain import Plain

__all__ = ["TABLES", "write_tables"]

#: the set of our own runs, whose licence lets anybody hand it on, and its tables
SET = "small_sweep"
TABLES = {
    "runs.csv": "runs in which no token is read twice",
    "repeated.csv": "runs on few tokens that are read several times, and beside each as many tokens read once",
    "learning_rates.csv": "the trials from which the learning rates come",
    "experiments.csv": "runs that each vary one thing",
    "curves.csv.gz": "training loss along every run",
}


def write_tables(folder: Path) -> dict[str, str]:
    """Write the tables as CSV, and their passport as a page; what each is, by the name of its file."""
    folder.mkdir()
    written = {}
    for name, about in TABLES.items():
        content = data_file(f"{SET}/{name}").read_bytes()
        target = f"{SET}_{name.removesuffix('.gz')}"
        (folder / target).write_bytes(gzip.decompress(content) if name.endswith(".gz") else content)
        written[target] = about
    passport = Plain(f"data/{SET}/README.md").whole(data_file(f"{SET}/README.md").read_text(encoding="utf-8"))
    (folder / "passport.html").write_text(page(f"{SET}: passport", to_html(passport)), encoding="utf-8")
    return written
