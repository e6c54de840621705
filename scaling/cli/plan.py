"""``scaling plan``: what to train with a budget, and which runs to add first."""

from __future__ import annotations

from typing import Any

import click

from .._words import to_json
from ..diagnostics.approaches import fit_approaches
from ..fit.result import Fit
from ..plan.next_runs import NextRuns, suggest_runs
from ..plan.training import Plan, plan_training
from ..runs.reading.door import load_runs
from ..uncertainty.resampling import Bootstrap
from ..uncertainty.subsampling import subsampled_bootstrap
from .command import Command, Refusal
from .options import runs_options
from .quantity import Quantity
from .terminal import bullets


@click.command("plan", cls=Command)
@click.argument("runs")
@runs_options
@click.option("--flops", type=Quantity(), required=True, help="Training budget, FLOPs: 6 x parameters x tokens.")
@click.option("--inference-tokens", type=Quantity(zero=True), help="Tokens the model will read and write in its life.")
@click.option("--unique-tokens", type=Quantity(), help="Distinct tokens at hand, where they are limited.")
@click.option("--next-budget", type=Quantity(), help="Suggest runs to add that cost no more FLOPs than this together.")
@click.option("--next-runs", type=click.IntRange(1, 1000), default=12, show_default=True, help="At most so many.")
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of all intervals.",
)
@click.option("--resamples", type=click.IntRange(100, 1_000_000), default=1000, show_default=True, help="Refits.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed, same numbers.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def command(
    runs: str,
    reading: dict[str, Any],
    flops: float,
    inference_tokens: float | None,
    unique_tokens: float | None,
    next_budget: float | None,
    next_runs: int,
    level: float,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    """Plan a training run from RUNS, a table of smaller ones (as for `scaling check`).

    Prints the compute-optimal size and tokens for the budget with their intervals, what another size would cost,
    and how far a smaller model of the same loss pays. Numbers may be written 1e24, 70B or 1.4T. Of a table above
    4,000 runs, as many are resampled and their spread is scaled to all, unless a few runs decide; a note says so.

    \b
    Example: scaling plan my_runs.csv --flops 1e24

    \b
    A model that will serve ten trillion tokens, from a stock of five trillion to train on:
        scaling plan my_runs.csv --flops 1e24 --inference-tokens 10T --unique-tokens 5T

    \b
    Which runs to add first, for 1e21 FLOPs in all, to know the exponent better:
        scaling plan my_runs.csv --flops 1e24 --next-budget 1e21
    """
    table = load_runs(runs, **reading)
    fit = fit_approaches(table, (3,))[3]
    if not isinstance(fit, Fit):
        raise Refusal(f"no plan without a law: {fit}")
    boot = subsampled_bootstrap(fit, n_resamples=resamples, seed=seed)
    found = plan_training(boot, flops, inference_tokens, unique_tokens, level)
    more = None if next_budget is None else suggest_runs(boot, next_budget, max_runs=next_runs, level=level)
    if as_json:
        click.echo(to_json({"input": table.attrs["reading"]} | _record(fit, boot, found, more)))
        return
    if "thinning" in table.attrs["reading"]:
        bullets(table.attrs["reading"]["notes"])
    click.echo(f"{len(fit.runs)} runs: {fit.law}\n\n{found}")
    if more is not None:
        click.echo(f"\n{more}")


def _record(fit: Fit, boot: Bootstrap, found: Plan, more: NextRuns | None) -> dict[str, Any]:
    """All numbers of the plan; null where something cannot be reached."""
    record = {
        "runs": len(fit.runs),
        "law": fit.law.constants,
        "status": fit.status,
        "flops": found.flops,
        "reach": found.reach,
        "level": found.level,
        "resamples": len(boot.samples),
        "seed": boot.seed,
        "notes": found.notes,
        "allocation": found.table(),
        "off_optimum": found.off_optimum,
        "overtraining": found.overtraining,
    }
    if more is not None:
        names = ("budget", "flops", "width_before", "width_after")
        record["next_runs"] = {name: getattr(more, name) for name in names} | {"runs": more.table()}
    return record
