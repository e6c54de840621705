"""``scaling datasets``: which sets of runs there are."""

from __future__ import annotations

import click

from .._words import to_json
from ..sources.datasets import list_datasets
from .command import Command


@click.command("datasets", cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(as_json: bool) -> None:
    """List the sets of runs: embedded, downloaded already, or to be downloaded at first use.

    Example: scaling datasets
    """
    table = list_datasets().reset_index()
    click.echo(to_json(table) if as_json else table.to_string(index=False))
