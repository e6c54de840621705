"""``scaling plan``: what to train with a budget, and which runs to add first."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
import pandas as pd

from .._words import to_json
from ..diagnostics.approaches import compare_approaches, fit_approaches
from ..diagnostics.choice import best_law
from ..diagnostics.contenders import ADDITIVE, COUPLED
from ..diagnostics.discrepancy import Band, Discrepancy, find_discrepancy
from ..diagnostics.inspection import inspect_runs
from ..diagnostics.pairing import MOST_RUNS
from ..diagnostics.ruling import Ruling, rule_on
from ..errors import FitError
from ..fit.parametric import LAWS
from ..fit.result import Fit
from ..plan.between import BetweenLaws, compare_plans
from ..plan.next_runs import NextRuns, suggest_runs
from ..plan.training import Plan, plan_training
from ..runs.curves import last_points
from ..uncertainty.resampling import Bootstrap
from ..uncertainty.subsampling import subsampled_bootstrap
from .command import Command, Refusal
from .options import law_option, runs_options
from .quantity import Quantity
from .reading import read_runs
from .terminal import asked_form, bullets, format_options, grid, heading, say


@click.command("plan", cls=Command)
@click.argument("runs", nargs=-1, required=True, metavar="RUNS ...")
@runs_options
@click.option(
    "--flops",
    type=Quantity(),
    required=True,
    help="Training budget, FLOPs: 6 x parameters x tokens, or as the table counts them.",
)
@law_option("auto", words=" auto takes the one that foresees the held-out runs better, and shows both.")
@click.option("--inference-tokens", type=Quantity(zero=True), help="Tokens the model will read and write in its life.")
@click.option("--unique-tokens", type=Quantity(), help="Distinct tokens at hand, where they are limited.")
@click.option("--next-budget", type=Quantity(), help="Suggest runs to add that cost no more FLOPs than this together.")
@click.option("--next-runs", type=click.IntRange(1, 1000), default=12, show_default=True, help="At most so many.")
@click.option(
    "--next-aim",
    type=click.Choice(["params", "loss", "a"]),
    default="params",
    show_default=True,
    help="What they shall tell: the optimal size or the loss at --flops, or the exponent of the size.",
)
@click.option("--next-flops-per-run", type=Quantity(), help="No suggested run costs more FLOPs than this.")
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
    table = read_runs(runs, reading)
    looked = inspect_runs(table, ())
    if looked.pooled:
        words = [f"  - {each.words}" for each in looked.pooled]
        told = [name for each in looked.pooled if each.kind != "checkpoints" for name in each.columns]
        if told:
            named = " and ".join(map(repr, dict.fromkeys(told)))
            words.append(f"  - if one law holds for these rows all the same, plan from a file without {named}")
            words.append("  - a plan is of one family or the best of a sweep: --where chooses rows, --best-of the best")
        raise Refusal("\n".join([f"no plan from one law for all rows of {' and '.join(runs)}:", *words]))
    named, chosen = _chosen(table, law, seed)
    fit = fit_approaches(table, (3,), law=named)[3]
    if not isinstance(fit, Fit):
        raise Refusal("\n".join([f"no plan without a law: {fit}", *(f"  - {each}" for each in looked.looks)]))
    about = {"notes": [*table.attrs["reading"]["notes"], *table.attrs["notes"]]}
    about |= {"warnings": table.attrs["warnings"], "looks": looked.looks}
    boot = subsampled_bootstrap(fit, n_resamples=resamples, seed=seed)
    found = plan_training(boot, flops, inference_tokens, unique_tokens, level)
    between = None if law == "additive" else _between(table, named, found, resamples, seed)
    ruling = _ruling(table, flops, level, resamples, seed)
    discrepancy = find_discrepancy(fit)
    best = found.allocation.loc["compute-optimal", "estimate"]
    band = discrepancy.band(best["params"], best["tokens"], level)
    more = None
    if next_budget is not None:
        more = suggest_runs(
            boot,
            next_budget,
            flops,
            next_aim,
            max_runs=next_runs,
            max_flops_per_run=next_flops_per_run,
            tokens_per_param=next_tokens_per_param,
            params=list(next_sizes) or None,
            level=level,
        )
    if as_json:
        click.echo(
            to_json(
                {"input": table.attrs["reading"], "table": about}
                | _record(fit, boot, found, more)
                | _beyond(discrepancy, band)
                | _of_laws(named, chosen, between)
                | {"approaches": None if ruling is None else asdict(ruling)}
            )
        )
        return
    notes = [each for each in about["notes"] if each not in found.notes]
    bullets([*about["looks"], *notes, *about["warnings"]], most=40)
    about_law = "" if found.open_question else f": {fit.law}"
    if asked_form() != "table":
        say(f"{len(fit.runs)} runs{about_law}")
        _print_tables(found, more)
        words = [line.strip() for line in _both(found, band).splitlines()]
        words += [f"approaches: {ruling.words}"] if ruling is not None else []
        words += [f"law: {named}, since {chosen}"] if chosen else []
        bullets(words + str(between or "").splitlines()[-1:])
        return
    click.echo(f"{len(fit.runs)} runs{about_law}\n\n{found}\n\n{_both(found, band)}")
    if chosen:
        click.echo(f"\nlaw: {named}, since {chosen}")
    if between is not None:
        click.echo(f"\n{between}")
    if ruling is not None:
        click.echo(f"\napproaches: {ruling.words}")
    if more is not None:
        click.echo(f"\n{more}")


def _print_tables(found: Plan, more: NextRuns | None) -> None:
    """The tables of a plan with plain numbers, in the form that was asked for."""
    heading(found.title)
    bullets(list(found.notes))
    for caption, rows in found.tables().items():
        heading(f"{caption}, {found.level:.0%} interval")
        grid(rows, ("problem", "quantity"))
    if more is not None:
        heading("runs to add")
        grid(more.table())


def _chosen(table: pd.DataFrame, law: str, seed: int) -> tuple[str, str]:
    """The law to plan by, and why where it was not named."""
    if law != "auto":
        return law, ""
    try:
        best = best_law(table, (ADDITIVE, COUPLED), seed=seed)
    except FitError as error:
        return "additive", str(error)
    return ("coupled" if best.law == COUPLED.name else "additive"), best.words


def _ruling(table: pd.DataFrame, flops: float, level: float, resamples: int, seed: int) -> Ruling | None:
    """Which approach to follow; nothing for a table so long that the approaches are not drawn together."""
    if len(last_points(table)) > MOST_RUNS:
        return None
    return rule_on(compare_approaches(table, n_resamples=resamples, seed=seed), flops, level)


def _between(table: pd.DataFrame, named: str, found: Plan, resamples: int, seed: int) -> BetweenLaws | FitError:
    """The plan beside that of the other law, or why the other has none."""
    (other,) = set(LAWS) - {named}
    try:
        fit = fit_approaches(table, (3,), law=other)[3]
        if isinstance(fit, FitError):
            raise fit
        rival = plan_training(
            subsampled_bootstrap(fit, n_resamples=resamples, seed=seed), found.flops, level=found.level
        )
    except FitError as error:
        return FitError(f"between laws: the {other} law has no plan: {error}")
    return compare_plans({named: found, other: rival})


def _of_laws(named: str, chosen: str, between: BetweenLaws | FitError | None) -> dict[str, Any]:
    """The law by name, why it was chosen, and the spread between laws, for programs."""
    record: dict[str, Any] = {"law_name": named, "law_chosen": chosen or None, "between_laws": None}
    if isinstance(between, FitError):
        record["between_laws"] = {"reason": str(between)}
    elif between is not None:
        told = {"disagree": list(between.disagree), "apart": between.apart, "words": between.words}
        record["between_laws"] = {"table": between.table.reset_index()} | told
    return record


def _record(fit: Fit, boot: Bootstrap, found: Plan, more: NextRuns | None) -> dict[str, Any]:
    """All numbers of the plan; null where something cannot be reached."""
    record = {
        "runs": len(fit.runs),
        "law": None if found.open_question else fit.law.constants,
        "equation": fit.candidate.equation,
        "constants": _constants(boot, found.level),
        "status": fit.status,
        "message": fit.message,
        "open_question": found.open_question,
        "flops": found.flops,
        "reach": found.reach,
        "level": found.level,
        "resamples": len(boot.samples),
        "seed": boot.seed,
        "noise": {"spread": found.noise, "from": found.noise_from},
        "meter": found.meter.record(),
        "notes": found.notes,
        "allocation": found.table(),
        "off_optimum": None if found.open_question else found.off_optimum,
        "overtraining": None if found.open_question else found.overtraining,
    }
    if more is not None:
        names = ["budget", "flops", "aim", "flops_planned", "estimate", "level", "couplings"]
        names += ["width_before", "width_after", "miss_before", "miss_after"]
        record["next_runs"] = {name: getattr(more, name) for name in names} | {"runs": more.table()}
    return record


def _constants(boot: Bootstrap, level: float) -> dict[str, dict[str, float]]:
    """The constants of the law, each with its interval."""
    out = {}
    for name, value in boot.fit.law.constants.items():
        found = boot.percentiles(level, of=name)
        out[name] = {"estimate": float(value), "low": float(found.low), "high": float(found.high)}
    return out


def _both(found: Plan, band: Band) -> str:
    """The loss at the planned optimum, as the law has it and as it may be where the law is wrong."""
    loss = found.allocation.loc[("compute-optimal", "loss")]
    lines = [
        f"loss of the compute-optimal run, {found.level:.0%} interval",
        f"  if the form of the law holds:  {loss['estimate']:.4g} [{loss['low']:.4g}, {loss['high']:.4g}]",
        f"  if it is off as far as these runs show:  {band.estimate:.4g} [{band.low:.4g}, {band.high:.4g}]",
    ]
    return "\n".join(lines[:2] + [f"  if it may be off:  cannot say: {band.reason}"] if band.reason else lines)


def _beyond(discrepancy: Discrepancy, band: Band) -> dict[str, Any]:
    """The same for programs, with the forecasts that it rests on."""
    loss = {"estimate": band.estimate, "low": band.low, "high": band.high}
    words = {"loss": loss, "reason": band.reason, "forecasts": discrepancy.forecasts, "p": discrepancy.p}
    return {"discrepancy": words | {"size": discrepancy.size, "noise": discrepancy.noise}}
