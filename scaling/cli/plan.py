"""``scaling plan``: what to train with a budget, and which runs to add first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import numpy as np
import pandas as pd
from click.core import ParameterSource

from .._words import format_flops, percent, to_json
from ..diagnostics.discrepancy import Band
from ..errors import FitError
from ..plan.equal_compute import EqualCompute
from ..plan.next_runs import NextRuns
from ..plan.training import Plan
from .command import Command
from .groups import ONE_UNIT, groups_of_runs, records, refuse_none, without_law
from .options import law_option, runs_options
from .planning import Asked, Planned, plan_of_group, plan_of_table
from .quantity import Compute, Quantity
from .reach import refuse_few_resamples
from .reading import read_runs
from .terminal import asked_form, bullets, format_options, grid, heading, interval, say, table_nouns

#: options about runs to add
NEXT = ("next_runs", "next_aim", "next_flops_per_run", "next_tokens_per_param", "next_sizes")


@click.command("plan", cls=Command)
@click.argument("runs", nargs=-1, required=True, metavar="RUNS ...")
@runs_options
@click.option(
    "--flops",
    type=Compute(),
    required=True,
    help="Training budget, FLOPs or '100 PF-days': 6 x parameters x tokens, or as the table counts them.",
)
@law_option(
    "auto",
    default="auto",
    words=" auto takes the coupled one where the runs held out tell it to be the better.",
)
@click.option("--group", metavar="COLUMN", help="A plan for the rows of each value of this column, side by side.")
@click.option("--inference-tokens", type=Quantity(zero=True), help="Tokens the model will read and write in its life.")
@click.option("--unique-tokens", type=Quantity(), help="Distinct tokens at hand, where they are limited.")
@click.option("--next-budget", type=Compute(), help="Suggest runs to add that cost no more FLOPs than this together.")
@click.option("--next-runs", type=click.IntRange(1, 1000), default=12, show_default=True, help="At most so many.")
@click.option(
    "--next-aim",
    type=click.Choice(["params", "loss", "a"]),
    default="params",
    show_default=True,
    help="What they shall tell: the optimal size or the loss at --flops, or the exponent of the size.",
)
@click.option("--next-flops-per-run", type=Compute(), help="No suggested run costs more FLOPs than this.")
@click.option(
    "--next-tokens-per-param",
    type=Quantity(),
    nargs=2,
    metavar="LOW HIGH",
    help="Their tokens per parameter; by default as in the runs.",
)
@click.option("--next-size", "next_sizes", type=Quantity(), multiple=True, help="A size that can be trained; repeat.")
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of all intervals.",
)
@click.option("--resamples", type=click.IntRange(100, 1_000_000), default=1000, show_default=True, help="Refits.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed, same numbers.")
@format_options
def command(
    runs: tuple[str, ...],
    reading: dict[str, Any],
    flops: float,
    law: str,
    group: str | None,
    inference_tokens: float | None,
    unique_tokens: float | None,
    next_budget: float | None,
    next_runs: int,
    next_aim: str,
    next_flops_per_run: float | None,
    next_tokens_per_param: tuple[float, float] | None,
    next_sizes: tuple[float, ...],
    level: float,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    """Plan a training run from RUNS, a table of smaller ones (as for `scaling check`).

    Prints the compute-optimal size and tokens for the budget with their intervals, the loss to expect (of the law,
    and of one run with its noise), what another size would cost, and how far a smaller model of the same loss pays.
    Where the runs do not settle the size within a factor of two, it says so and why, and gives intervals only.
    Below it stands the same by the other law (additive or coupled), with the range over both: decide by that, since
    nothing says that runs follow either form. What neither law can express is not in it.
    It sets the three approaches side by side on the same runs drawn, and says which of them to follow, and why.
    Numbers may be written 1e24, 70B or 1.4T. Of a table above 4,000 runs, as many are resampled and their spread is
    scaled to all, unless a few runs decide; a note says so.

    \b
    Example: scaling plan my_runs.csv --flops 1e24

    \b
    A model that will serve ten trillion tokens, from a stock of five trillion to train on:
        scaling plan my_runs.csv --flops 1e24 --inference-tokens 10T --unique-tokens 5T

    \b
    Which runs to add first, for 1e21 FLOPs in all, to know the optimal size for 1e24 better:
        scaling plan my_runs.csv --flops 1e24 --next-budget 1e21
    """
    asked = Asked(
        flops=flops,
        law=law,
        inference_tokens=inference_tokens,
        unique_tokens=unique_tokens,
        next_budget=next_budget,
        next_options={
            "aim": next_aim,
            "max_runs": next_runs,
            "max_flops_per_run": next_flops_per_run,
            "tokens_per_param": next_tokens_per_param,
            "params": list(next_sizes) or None,
        },
        level=level,
        resamples=resamples,
        seed=seed,
    )
    _refuse_idle(next_budget)
    refuse_few_resamples(level, resamples)
    table, name = read_runs(runs, reading, group), " and ".join(runs)
    if group is None:
        one = plan_of_table(table, name, asked)
        click.echo(to_json(one.result)) if as_json else _print(one)
        return
    each = {label: plan_of_group(part, label, asked) for label, part in groups_of_runs(table, group).items()}
    refuse_none(each, "plan")
    if as_json:
        click.echo(to_json(records(each, group)))
        return
    for label, found in each.items():
        heading(f"== {group}: {label} ==")
        say(str(found)) if isinstance(found, FitError) else _print(found)
    _side_by_side(each, group, asked)


def _refuse_idle(next_budget: float | None) -> None:
    """A usage error for options about runs to add where none are asked for."""
    context = click.get_current_context()
    idle = [
        each
        for each in context.command.params
        if each.name in NEXT and context.get_parameter_source(each.name) is ParameterSource.COMMANDLINE
    ]
    if next_budget is None and idle:
        names = ", ".join(each.opts[0] for each in idle)
        raise click.UsageError(f"{names}: these are about runs to add, which --next-budget FLOPS asks for")


def _print(one: Planned) -> None:
    found = one.plan
    bullets(one.notes, most=40)
    title = f"{len(one.fit.runs)} runs" + ("" if found.open_question else f": {one.fit.law}")
    loss, said = _both(found, one.band), table_nouns().said
    if asked_form() != "table":
        say(title)
        _print_tables(found, one.more)
        words = [line.strip() for line in loss.splitlines()]
        words += [f"approaches: {one.ruling.words}"] if one.ruling is not None else []
        words += [f"law: {one.chosen}"] if one.chosen else []
        bullets(words + str(one.between or "").splitlines()[-2:])
        return
    click.echo(f"{title}\n\n{found.told(said)}\n\n{said(loss)}")
    if one.chosen:
        click.echo(f"\nlaw: {one.chosen}")
    if one.between is not None:
        click.echo(f"\n{said(str(one.between))}")
    if one.ruling is not None:
        click.echo(f"\napproaches: {said(one.ruling.words)}")
    if one.more is not None:
        click.echo(f"\n{said(str(one.more))}")


def _print_tables(found: Plan, more: NextRuns | EqualCompute | None) -> None:
    """The tables of a plan with plain numbers, in the form that was asked for."""
    heading(found.title)
    bullets(list(found.notes))
    for caption, rows in found.tables().items():
        heading(f"{caption}, {percent(found.level)}% interval")
        grid(rows, ("problem", "quantity"))
    if more is not None:
        heading("runs to add")
        grid(more.table())


def _both(found: Plan, band: Band) -> str:
    """The loss at the planned optimum, or what rises instead, as the law has it and as it may be where it is wrong."""
    loss: Any = found.allocation.loc[("compute-optimal", "loss")]
    nouns = table_nouns()

    def span(value: float, low: float, high: float) -> str:
        value, low, high = nouns.ends(value, low, high)
        return f"{value:.4g} {'unknown' if np.isnan(low) else f'[{low:.4g}, {high:.4g}]'}"

    lines = [
        f"{nouns.rises or 'loss'} of the compute-optimal run, {percent(found.level)}% interval",
        f"  if the form of the law holds:  {span(loss['estimate'], loss['low'], loss['high'])}",
        f"  if it is off as far as these runs show:  {span(*map(float, (band.estimate, band.low, band.high)))}",
    ]
    return "\n".join(lines[:2] + [f"  if it may be off:  cannot say: {band.reason}"] if band.reason else lines)


def _side_by_side(each: Mapping[str, Planned | FitError], group: str, asked: Asked) -> None:
    """A row a group: what to train, with intervals, and whether the runs settle it."""
    rows: list[tuple[Any, ...]] = []
    for label, one in each.items():
        if isinstance(one, FitError):
            continue
        best = one.plan.allocation.loc["compute-optimal"]
        cells = [
            cell
            for name in ("params", "tokens", "loss")
            for cell in (best.loc[name, "estimate"], interval(best.loc[name, "low"], best.loc[name, "high"]))
        ]
        rows.append((label, len(one.fit.runs), *cells, not one.plan.open_question))
    heading(f"Side by side: what to train with {format_flops(asked.flops)} FLOPs, for each {group}")
    if rows:
        title = f"{percent(asked.level)} % interval"
        names = [word for name in ("parameters", "tokens", "loss") for word in (name, f"{title} of {name}")]
        grid(pd.DataFrame(rows, columns=[group, "runs", *names, "size settled"]), (group,))
    bullets(without_law(each) + [ONE_UNIT])
