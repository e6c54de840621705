"""The table of runs that a command is given: the options of reading it, and the table, checked and in our columns."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from ..fit.parametric import LAWS


def _pairs(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """``OURS=THEIRS`` options as a dictionary."""
    pairs = {}
    for value in values:
        ours, mark, theirs = value.partition("=")
        if not (mark and ours.strip() and theirs.strip()):
            raise click.BadParameter(f"{value!r} is not of the form {option.metavar}", context, option)
        if ours.strip() in pairs:
            raise click.BadParameter(f"{ours.strip()!r} is given twice", context, option)
        pairs[ours.strip()] = theirs.strip().strip("'\"")
    return pairs


_OPTIONS = (
    click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="OURS=THEIRS",
        callback=_pairs,
        help="The column that holds a quantity: --column params='Model Size'.",
    ),
    click.option(
        "--unit",
        "units",
        multiple=True,
        metavar="OURS=UNIT",
        callback=_pairs,
        help="The unit of its numbers: count, millions, billions, 1e18, PF-days ...: --unit params=millions.",
    ),
    click.option(
        "--loss-unit",
        type=click.Choice(["nats", "bits", "bits_per_byte", "nats_per_byte", "perplexity"]),
        help="The unit of the loss, per token unless it says otherwise.",
    ),
    click.option("--bytes-per-token", type=float, help="Bytes in one token, for a loss per byte."),
    click.option("--delimiter", help="What separates the fields, where this is not plain."),
    click.option("--decimal", type=click.Choice([".", ","]), help="The decimal mark, where this is not plain."),
    click.option("--encoding", help="The encoding of the file, where this is not plain."),
    click.option("--skip-bad", is_flag=True, help="Leave out rows with a missing or impossible value, and say which."),
)


def _words(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Values that may be given one by one or with commas between them."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


_DROP = click.option(
    "--drop",
    multiple=True,
    metavar="WHAT",
    callback=_words,
    help="Leave out rows: 'diverged', the runs above what all others suggest, or lines by number: --drop 22,29.",
)


law_option = click.option(
    "--law",
    type=click.Choice(list(LAWS)),
    default="additive",
    show_default=True,
    help="Of approach 3: additive, E + A/N^alpha + B/D^beta, or coupled, E + (A/N^alpha + B/D^beta)^k.",
)


def runs_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of reading a table; the command gets them as ``reading``, for ``read_runs``."""
    names = ("columns", "units", "loss_unit", "bytes_per_token", "delimiter", "decimal", "encoding", "skip_bad", "drop")

    @functools.wraps(command)
    def wrapper(*args: Any, **options: Any) -> Any:
        reading = {name: options.pop(name) for name in names}
        return command(*args, reading=reading, **options)

    for option in reversed((*_OPTIONS, _DROP)):
        wrapper = option(wrapper)
    return wrapper
