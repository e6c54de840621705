"""Which approaches an option of ``scaling fit`` reaches: one that reaches none that was asked for is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from click.core import ParameterSource

from .._checks import enough_resamples

POWER = "--law power"
#: parameter: what it belongs to. Those that are not named here belong to all
REACH: dict[str, tuple[str, ...]] = {
    "window": ("--approach 2",),
    "law": ("--approach 3", POWER),
    **dict.fromkeys(("objective", "delta", "rows", "fix", "tie"), ("--approach 3",)),
    **dict.fromkeys(("x", "y"), (POWER,)),
    **dict.fromkeys(("approach", "holdout", "group", "league"), ("--approach 1", "--approach 2", "--approach 3")),
}
#: objectives in which a threshold stands
WITH_DELTA = ("log_huber", "huber")


def refuse_unreached(context: click.Context, asked: Iterable[str]) -> None:
    """``UsageError`` for options that were given and reach nothing of what is ``asked``, such as ``--approach 2``."""
    fitted = set(asked)
    given = {name: value for name, value in context.params.items() if _was_given(context, name)}
    lost = [name for name, belongs in REACH.items() if name in given and fitted.isdisjoint(belongs)]
    if POWER in fitted and lost:
        raise click.UsageError(f"{POWER} takes no {_listed(lost)}: --where chooses points", context)
    homes: dict[str, list[str]] = {}
    for name in lost:
        homes.setdefault(REACH[name][0], []).append(name)
    words = [f"{_listed(names)} {'belong' if names[1:] else 'belongs'} to {home}" for home, names in homes.items()]
    if words:
        what = f", and {' and '.join(fitted)} is asked for" if len(fitted) == 1 else ""
        hint = "" if POWER in homes else ": leave it out, or fit with --approach all"
        raise click.UsageError("; ".join(words) + what + hint, context)
    objective: Any = context.params.get("objective")
    if "delta" in given and objective not in WITH_DELTA:
        takes = " and ".join(WITH_DELTA)
        raise click.UsageError(f"--delta belongs to the objectives {takes}: {objective} has no threshold", context)


def refuse_few_resamples(level: float, resamples: int) -> None:
    """``UsageError`` for the level of intervals whose ends so many resamples do not tell."""
    try:
        enough_resamples(level, resamples)
    except ValueError as error:
        raise click.UsageError(f"--{error}: --resamples says how many") from None


def _was_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) not in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP, None)


def _listed(names: list[str]) -> str:
    options = [f"--{name}" for name in names]
    return " and ".join(filter(None, [", ".join(options[:-1]), options[-1]]))
