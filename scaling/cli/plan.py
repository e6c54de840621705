"""``scaling plan``: what to train with a budget, and which runs to add first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import click
import numpy as np
import pandas as pd
from click.core import ParameterSource

from .._words import format_count, format_flops, to_json
from ..diagnostics.approaches import compare_approaches, fit_approaches
from ..diagnostics.discrepancy import Band, Discrepancy, find_discrepancy
from ..diagnostics.inspection import inspect_runs
from ..diagnostics.pairing import MOST_RUNS
from ..diagnostics.ruling import Ruling, better_law, rule_on
from ..errors import FitError
from ..fit.parametric import LAWS
from ..fit.result import Fit
from ..plan.between import BetweenLaws, compare_plans
from ..plan.equal_compute import EqualCompute, suggest_group
from ..plan.next_runs import NextRuns, suggest_runs
from ..plan.training import Plan, plan_training
from ..runs.curves import last_points
from ..uncertainty.resampling import Bootstrap
from ..uncertainty.subsampling import subsampled_bootstrap
from .command import Command, Refusal
from .groups import ONE_UNIT, groups_of_runs, records, refuse_none, without_law
from .options import law_option, runs_options
from .quantity import Quantity
from .reading import read_runs
from .terminal import asked_form, bullets, format_options, grid, heading, interval, say, table_nouns

#: resamples of the law that is not planned by, whose ends only widen a range
OF_THE_OTHER = 400
#: options about runs to add
NEXT = ("next_runs", "next_aim", "next_flops_per_run", "next_tokens_per_param", "next_sizes")


@click.command("plan", cls=Command)
@click.argument("runs", nargs=-1, required=True, metavar="RUNS ...")
@runs_options
@click.option(
    "--flops",
    type=Quantity(),
    required=True,
    help="Training budget, FLOPs: 6 x parameters x tokens, or as the table counts them.",
)
@law_option(
    "auto",
    default="auto",
    words=" auto takes the coupled one where the runs held out tell it to be the better.",
)
@click.option("--group", metavar="COLUMN", help="A plan for the rows of each value of this column, side by side.")
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
    Below it stands the same by the other law (additive or coupled), with the range over both, which holds the best size
    also where the runs follow neither: decide by that.
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
    asked = _Asked(
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
    table, name = read_runs(runs, reading, group), " and ".join(runs)
    if group is None:
        one = _planned(table, name, asked)
        click.echo(to_json(one.result)) if as_json else _print(one)
        return
    each = {label: _of_group(part, label, asked) for label, part in groups_of_runs(table, group).items()}
    refuse_none(each, "plan")
    if as_json:
        click.echo(to_json(records(each, group)))
        return
    for label, found in each.items():
        heading(f"== {group}: {label} ==")
        say(str(found)) if isinstance(found, FitError) else _print(found)
    _side_by_side(each, group, asked)


@dataclass(frozen=True)
class _Asked:
    """What a plan is asked for."""

    flops: float
    law: str
    inference_tokens: float | None
    unique_tokens: float | None
    next_budget: float | None
    next_options: dict[str, Any]
    level: float
    resamples: int
    seed: int


@dataclass(frozen=True)
class _Planned:
    """A plan, and all that is told beside it."""

    fit: Fit
    notes: list[str]
    plan: Plan
    band: Band
    chosen: str
    between: BetweenLaws | FitError | None
    ruling: Ruling | None
    more: NextRuns | EqualCompute | None
    result: dict[str, Any]


def _of_group(table: pd.DataFrame, label: str, asked: _Asked) -> _Planned | FitError:
    """A group's plan, or why it has none; the others go on."""
    try:
        return _planned(table, label, asked)
    except (Refusal, FitError) as refusal:
        return FitError(str(refusal))


def _planned(table: pd.DataFrame, name: str, asked: _Asked) -> _Planned:
    """The plan of one table; ``Refusal`` where it has none."""
    looked = inspect_runs(table, ())
    if looked.pooled:
        words = [f"  - {each.words}" for each in looked.pooled]
        told = [column for each in looked.pooled if each.kind != "checkpoints" for column in each.columns]
        if told:
            named = " and ".join(map(repr, dict.fromkeys(told)))
            words.append(f"  - if one law holds for these rows all the same, plan from a file without {named}")
            words.append("  - a plan is of one family or the best of a sweep: --where chooses rows, --best-of the best")
        raise Refusal("\n".join([f"no plan from one law for all rows of {name}:", *words]))
    law, chosen = _chosen(table, asked.law, asked.seed)
    fit = fit_approaches(table, (3,), law=law)[3]
    if not isinstance(fit, Fit):
        raise Refusal("\n".join([f"no plan without a law: {fit}", *(f"  - {each}" for each in looked.looks)]))
    about = {"notes": [*table.attrs["reading"]["notes"], *table.attrs["notes"]]}
    about |= {"warnings": table.attrs["warnings"], "looks": looked.looks}
    boot = subsampled_bootstrap(fit, n_resamples=asked.resamples, seed=asked.seed)
    found = plan_training(boot, asked.flops, asked.inference_tokens, asked.unique_tokens, asked.level)
    between = _between(table, law, found, asked.resamples, asked.seed)
    ruling = _ruling(table, law, asked, boot)
    if ruling is not None and ruling.follow != 3 and not found.open_question:
        found = replace(found, open_question=ruling.words, notes=(*found.notes, f"open: {_instead(ruling, asked)}"))
    discrepancy = find_discrepancy(fit)
    best = found.allocation.loc["compute-optimal", "estimate"]
    band = discrepancy.band(best["params"], best["tokens"], asked.level)
    more: NextRuns | EqualCompute | None = None
    if asked.next_budget is not None and ruling is not None and ruling.follow is None:
        more = _group_to_add(ruling, asked)
    elif asked.next_budget is not None:
        more = suggest_runs(boot, asked.next_budget, asked.flops, level=asked.level, **asked.next_options)
    result = {"input": table.attrs["reading"], "table": about} | _record(fit, boot, found, more)
    result |= _beyond(discrepancy, band) | _of_laws(law, chosen, between)
    result |= {"approaches": None if ruling is None else asdict(ruling)}
    notes = [*looked.looks, *(each for each in about["notes"] if each not in found.notes), *about["warnings"]]
    why = f"{law}, since {chosen}" if chosen else ""
    return _Planned(fit, notes, found, band, why, between, ruling, more, result)


def _print(one: _Planned) -> None:
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


def _side_by_side(each: Mapping[str, _Planned | FitError], group: str, asked: _Asked) -> None:
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
        title = f"{100 * asked.level:.4g} % interval"
        names = [word for name in ("parameters", "tokens", "loss") for word in (name, f"{title} of {name}")]
        grid(pd.DataFrame(rows, columns=[group, "runs", *names, "size settled"]), (group,))
    bullets(without_law(each) + [ONE_UNIT])


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


def _instead(ruling: Ruling, asked: _Asked) -> str:
    """What to go by where approach 3 is not to be followed."""
    if ruling.follow is None:
        return "the numbers below are those of approach 3, whose formula is in doubt: no size is advised"
    ends = f"[{format_count(ruling.low)}, {format_count(ruling.high)}], {asked.level:.0%}"
    size = f"{format_count(ruling.size)} parameters {ends}"
    return (
        f"by approach {ruling.follow}, which is to be followed here, the best size is {size}; the numbers below are not"
    )


def _group_to_add(ruling: Ruling, asked: _Asked) -> EqualCompute | None:
    """A group around the range of sizes that the ruling leaves, for what may be spent; None without a range."""
    if asked.next_budget is None or not (np.isfinite([ruling.low, ruling.high]).all() and ruling.low > 0):
        return None
    most = asked.next_options["max_flops_per_run"]
    return suggest_group(ruling.low, ruling.high, asked.flops, asked.next_budget, most)


def _print_tables(found: Plan, more: NextRuns | EqualCompute | None) -> None:
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
    """The law to plan by, and why where it is not the usual one and was not named."""
    return (law, "") if law != "auto" else better_law(table, seed)


def _ruling(table: pd.DataFrame, law: str, asked: _Asked, boot: Bootstrap) -> Ruling | None:
    """Which approach to follow; nothing for a table so long that the approaches are not drawn together."""
    if len(last_points(table)) > MOST_RUNS:
        return None
    found = compare_approaches(table, n_resamples=asked.resamples, seed=asked.seed, law=law, parametric=boot)
    return rule_on(found, asked.flops, asked.level, rival=asked.law != "auto")


def _between(table: pd.DataFrame, named: str, found: Plan, resamples: int, seed: int) -> BetweenLaws | FitError:
    """The plan beside that of the other law, or why the other has none."""
    (other,) = set(LAWS) - {named}
    try:
        fit = fit_approaches(table, (3,), law=other)[3]
        if isinstance(fit, FitError):
            raise fit
        if isinstance(fit, Fit) and fit.status == "not_converged":
            raise FitError(f"{fit.status}: {fit.message}")
        boot = subsampled_bootstrap(fit, n_resamples=min(resamples, OF_THE_OTHER), seed=seed)
        with np.errstate(all="ignore"):  # resamples of it may have constants without bounds
            rival = plan_training(boot, found.flops, level=found.level)
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
        told["ranges"] = between.ranges
        record["between_laws"] = {"table": between.table.reset_index()} | told
    return record


def _record(fit: Fit, boot: Bootstrap, found: Plan, more: NextRuns | EqualCompute | None) -> dict[str, Any]:
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
    if isinstance(more, EqualCompute):
        record["next_runs"] = {"aim": "group", "runs": more.table()}
    elif more is not None:
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
    """The loss at the planned optimum, or what rises instead, as the law has it and as it may be where it is wrong."""
    loss: Any = found.allocation.loc[("compute-optimal", "loss")]
    nouns = table_nouns()

    def span(value: float, low: float, high: float) -> str:
        value, low, high = nouns.ends(value, low, high)
        return f"{value:.4g} {'unknown' if np.isnan(low) else f'[{low:.4g}, {high:.4g}]'}"

    lines = [
        f"{nouns.rises or 'loss'} of the compute-optimal run, {found.level:.0%} interval",
        f"  if the form of the law holds:  {span(loss['estimate'], loss['low'], loss['high'])}",
        f"  if it is off as far as these runs show:  {span(*map(float, (band.estimate, band.low, band.high)))}",
    ]
    return "\n".join(lines[:2] + [f"  if it may be off:  cannot say: {band.reason}"] if band.reason else lines)


def _beyond(discrepancy: Discrepancy, band: Band) -> dict[str, Any]:
    """The same for programs, with the forecasts that it rests on."""
    loss = {"estimate": band.estimate, "low": band.low, "high": band.high}
    words = {"loss": loss, "reason": band.reason, "forecasts": discrepancy.forecasts, "p": discrepancy.p}
    return {"discrepancy": words | {"size": discrepancy.size, "noise": discrepancy.noise}}
