"""``scaling datasets``: which sets of runs there are, and what is in one of them."""

from __future__ import annotations

import shutil
import textwrap
from typing import Any

import click
import pandas as pd

from .._words import to_json
from ..sources.datasets import (
    dataset_checksum,
    fetch,
    find_dataset,
    is_available,
    list_datasets,
    passport_of,
    read_dataset,
)
from ..sources.downloaded import Downloaded
from .command import Command
from .terminal import asked_form, bullets, format_options, grid, heading, say

#: the least width of the last column of the list
NARROWEST = 20


@click.command("datasets", cls=Command)
@click.argument("name", required=False)
@format_options
def command(name: str | None, as_json: bool) -> None:
    """List the sets of runs: embedded, downloaded already, or to be downloaded at first use.

    With NAME, tell of one set: its files, groups and columns, and where its passport stands. Nothing is downloaded.
    Every command that takes a table takes the name of a set, or of a group of one, such as gadre2024/c4.

    \b
    Example:
        scaling datasets
        scaling datasets gadre2024
    """
    if name is None:
        table = list_datasets().reset_index()
        if as_json:
            click.echo(to_json(table))
        else:
            _print_list(table) if asked_form() == "table" else grid(table, tuple(table))
    else:
        about = _about(name)
        click.echo(to_json(about)) if as_json else _print_one(about)


def _print_list(table: pd.DataFrame) -> None:
    """One set an entry; what it is, and its groups, are broken to the width of the terminal."""
    head = ["set", "rows", "licence", "here"]
    facts = [[d.name, f"{d.rows:,}", d.licence, "yes" if d.available else "no"] for d in table.itertuples(index=False)]
    widths = [max(map(len, column)) for column in zip(head, *facts, strict=True)]
    left = sum(widths) + 2 * len(widths)
    rest = max(shutil.get_terminal_size().columns - left, NARROWEST)
    say(_line([*head, "what"], widths))
    for row, source, groups in zip(facts, table["source"], table["groups"], strict=True):
        first, *others = textwrap.wrap(source + (f"; groups {groups}" if groups else ""), rest)
        say(_line([*row, first], widths), *(" " * left + other for other in others))


def _line(cells: list[str], widths: list[int]) -> str:
    name, rows, licence, here, what = cells
    return f"{name:{widths[0]}}  {rows:>{widths[1]}}  {licence:{widths[2]}}  {here:{widths[3]}}  {what}"


def _about(name: str) -> dict[str, Any]:
    """What there is to know of a set, or of one group, without downloading it."""
    dataset, group = find_dataset(name)
    about = dict(
        name=name,
        kind=dataset.kind,
        rows=dataset.groups[group] if group else dataset.rows,
        licence=dataset.licence,
        source=dataset.source,
        available=is_available(name),
        sha256=dataset_checksum(name),
        passport=str(passport_of(dataset)),
        groups=dict(dataset.groups),
    )
    if isinstance(dataset, Downloaded):
        about |= dict(repository=dataset.repository, commit=dataset.commit, place=str(dataset.place))
        about["files"] = [dict(file=pin.file, bytes=pin.bytes, sha256=pin.sha256) for pin in dataset.files]
    else:
        about |= dict(place=str(fetch(name)), files=[])
    about["columns"] = _columns(read_dataset(name)) if about["available"] else []
    return about


def _columns(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A row a column: how many cells are filled, how many differ, and the range of numbers."""
    rows = []
    for name, column in table.items():
        numeric = pd.api.types.is_numeric_dtype(column)
        least, most = (float(column.min()), float(column.max())) if numeric else (None, None)
        rows.append(dict(column=name, filled=int(column.notna().sum()), distinct=column.nunique(), min=least, max=most))
    return rows


def _print_one(about: dict[str, Any]) -> None:
    say(f"{about['name']}: {about['source']}")
    say(f"{about['rows']:,} rows; {about['kind']}; licence: {about['licence']}; sha256 {about['sha256'][:12]}")
    if "repository" in about:
        say(f"from github.com/{about['repository']} at commit {about['commit'][:12]}")
    say(f"{'here' if about['available'] else 'to be downloaded at first use'}: {about['place']}")
    say(f"passport: {about['passport']}")
    if about["groups"]:
        heading("Groups")
        bullets(
            [f"{about['name'].partition('/')[0]}/{group}: {rows:,} rows" for group, rows in about["groups"].items()]
        )
    if len(about["files"]) > 1:
        total = sum(file["bytes"] for file in about["files"])
        heading(f"{len(about['files'])} files, {total:,} bytes")
        bullets([f"{file['file']}, {file['bytes']:,} bytes" for file in about["files"]])
    if about["columns"]:
        heading("Columns")
        grid(pd.DataFrame(about["columns"]), ("column",))
