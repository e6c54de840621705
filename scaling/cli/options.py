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


def constants_of(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    """``NAME=VALUE`` options as a dictionary of numbers."""
    out = {}
    for name, text in _pairs(context, option, values).items():
        try:
            out[name] = float(text)
        except ValueError:
            raise click.BadParameter(f"{name}: {text!r} is not a number", context, option) from None
    return out


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
        type=click.Choice(["nats", "bits", "bits_per_byte", "nats_per_byte", "perplexity", "other"]),
        help="The unit of the loss, per token unless it says otherwise; other: an error, as its numbers are.",
    ),
    click.option(
        "--higher-is-better",
        is_flag=True,
        help="The column of the loss rises, as an accuracy or a reward does; --ceiling says to which limit.",
    ),
    click.option(
        "--ceiling",
        type=float,
        help="The limit to which it rises, as 1 for an accuracy: the loss is what is missing of it.",
    ),
    click.option("--bytes-per-token", type=float, help="Bytes in one token, for a loss per byte."),
    click.option("--delimiter", help="What separates the fields, where this is not plain."),
    click.option("--decimal", type=click.Choice([".", ","]), help="The decimal mark, where this is not plain."),
    click.option("--encoding", help="The encoding of the file, where this is not plain."),
    click.option("--sheet", help="The sheet of a workbook, where several have cells."),
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
    help="Leave out rows: 'diverged', the runs above what all others suggest, 'spikes', points far above their curve, "
    "'copies', all but the first of runs alike in size, tokens and loss, or lines by number: --drop 22,29.",
)


_PREPARING = (
    click.option(
        "--derive",
        multiple=True,
        metavar="NAME=EXPR",
        callback=_pairs,
        help="A new column by arithmetic on those of the file: --derive tokens='steps * batch_size * 2048'.",
    ),
    click.option(
        "--where",
        multiple=True,
        metavar="EXPR",
        help="Keep the rows for which this holds: --where \"optimizer == 'adam' and params > 1e8\"; repeat.",
    ),
    click.option(
        "--run",
        multiple=True,
        metavar="COL[,COL]",
        callback=_words,
        help="The columns that together name a run, where rows are points of training curves: --run N,steps,lr.",
    ),
    click.option(
        "--curves",
        type=click.Path(),
        help="A second file with the points of the runs' training curves; the names of the runs join the two.",
    ),
    click.option(
        "--final",
        type=click.Choice(["last", "annealed"]),
        default="last",
        help="The final points of a run: its last row, or each end of a cooldown of its learning rate.",
    ),
    click.option(
        "--best-of",
        multiple=True,
        metavar="COL[,COL]",
        callback=_words,
        help="Of rows that agree in these keep the one of least loss, as of a sweep: --best-of params,tokens.",
    ),
    click.option(
        "--over",
        multiple=True,
        metavar="COL[,COL]",
        callback=_words,
        help="With --best-of: what was tuned, by default what is called learning rate, batch size or the like.",
    ),
    click.option(
        "--vertex",
        is_flag=True,
        help="With --best-of: the least value of a parabola in ln x through the best and its neighbours.",
    ),
    _DROP,
)


def law_option(*more: str, words: str = "", default: str = "additive") -> Callable[..., Any]:
    """The option that names the law of approach 3; ``more`` are choices of one command, told in ``words``."""
    return click.option(
        "--law",
        type=click.Choice([*LAWS, *more]),
        default=default,
        show_default=True,
        help=f"Of approach 3: additive, E + A/N^alpha + B/D^beta, or coupled, E + (A/N^alpha + B/D^beta)^k.{words}",
    )


def runs_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of reading a table; the command gets them as ``reading``, for ``read_runs``."""
    names = [
        "columns",
        "units",
        "loss_unit",
        "bytes_per_token",
        "higher_is_better",
        "ceiling",
        "delimiter",
        "decimal",
        "encoding",
        "sheet",
        "skip_bad",
    ]
    names += ["derive", "where", "run", "curves", "final", "best_of", "over", "vertex", "drop"]

    @functools.wraps(command)
    def wrapper(*args: Any, **options: Any) -> Any:
        reading = {name: options.pop(name) for name in names}
        return command(*args, reading=reading, **options)

    for option in reversed((*_OPTIONS, *_PREPARING)):
        wrapper = option(wrapper)
    return wrapper
