"""The plan of a table beside the other law and the other approaches: all that ``scaling plan`` tells."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from .._checks import least_resamples
from .._words import format_count, percent
from ..diagnostics.approaches import compare_approaches, fit_approaches
from ..diagnostics.discrepancy import Band, find_discrepancy
from ..diagnostics.inspection import inspect_runs
from ..diagnostics.pairing import MOST_RUNS
from ..diagnostics.ruling import Ruling, better_law, rule_on
from ..errors import FitError
from ..fit.certainty import unsettled
from ..fit.parametric import LAWS
from ..fit.result import Fit
from ..plan.between import BetweenLaws, compare_plans
from ..plan.equal_compute import EqualCompute, suggest_group
from ..plan.next_runs import NextRuns, suggest_runs
from ..plan.training import Plan, plan_training
from ..runs.curves import last_points
from ..runs.meter import Meter
from ..uncertainty.resampling import Bootstrap
from ..uncertainty.subsampling import subsampled_bootstrap
from .command import Refusal, refuses_an_argument
from .plan_record import discrepancy_record, laws_record, plan_record

#: resamples of the law that is not planned by, whose ends only widen a range
OF_THE_OTHER = 300
#: said where runs to add are asked for, and no range of sizes is known that they could settle
NO_GROUP = "runs to add: cannot say: no formula is to be followed, and the methods leave no range of sizes to try"
#: runs of a large table that it is fitted to: fewer make its interval, and the range, wider
MOST_FITTED = 100_000


@dataclass(frozen=True)
class Asked:
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
class Planned:
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


def plan_of_group(table: pd.DataFrame, label: str, asked: Asked) -> Planned | FitError:
    """A group's plan, or why it has none; the others go on."""
    try:
        return plan_of_table(table, label, asked)
    except (Refusal, FitError) as refusal:
        return FitError(str(refusal))
    except ValueError as error:  # of runs to add that this group does not allow
        if not refuses_an_argument(error):
            raise
        return FitError(str(error))


def plan_of_table(table: pd.DataFrame, name: str, asked: Asked) -> Planned:
    """The plan of one table; ``Refusal`` where it has none."""
    looked = inspect_runs(table, ())
    if looked.pooled:
        words = [f"  - {each.words}" for each in looked.pooled]
        told = [
            column for each in looked.pooled if each.kind not in ("checkpoints", "measures") for column in each.columns
        ]
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
    if ruling is not None and ruling.follow != 3 and not unsettled(fit, asked.flops, asked.level):
        found = replace(found, open_question=ruling.words, notes=(*found.notes, f"open: {_instead(ruling, asked)}"))
    discrepancy = find_discrepancy(fit)
    best = found.allocation.loc["compute-optimal", "estimate"]
    band = discrepancy.band(best["params"], best["tokens"], asked.level)
    more: NextRuns | EqualCompute | None = None
    if asked.next_budget is not None and ruling is not None and ruling.follow is None:
        more = _group_to_add(ruling, asked, found.meter)
        if more is None:
            found = replace(found, notes=(*found.notes, NO_GROUP))
    elif asked.next_budget is not None:
        more = suggest_runs(boot, asked.next_budget, asked.flops, level=asked.level, **asked.next_options)
    result = {"input": table.attrs["reading"], "table": about} | plan_record(fit, boot, found, more)
    result |= discrepancy_record(discrepancy, band) | laws_record(law, chosen, between)
    result |= {"approaches": None if ruling is None else asdict(ruling)}
    notes = [*looked.looks, *(each for each in about["notes"] if each not in found.notes), *about["warnings"]]
    why = f"{law}, since {chosen}" if chosen else ""
    return Planned(fit, notes, found, band, why, between, ruling, more, result)


def _chosen(table: pd.DataFrame, law: str, seed: int) -> tuple[str, str]:
    """The law to plan by, and why where it is not the usual one and was not named."""
    return (law, "") if law != "auto" else better_law(table, seed)


def _ruling(table: pd.DataFrame, law: str, asked: Asked, boot: Bootstrap) -> Ruling | None:
    """Which approach to follow; nothing for a table so long that the approaches are not drawn together."""
    if len(last_points(table)) > MOST_RUNS:
        return None
    found = compare_approaches(table, n_resamples=asked.resamples, seed=asked.seed, law=law, parametric=boot)
    return rule_on(found, asked.flops, asked.level, rival=asked.law != "auto")


def _between(table: pd.DataFrame, named: str, found: Plan, resamples: int, seed: int) -> BetweenLaws | FitError:
    """The plan beside that of the other law, or why the other has none."""
    (other,) = set(LAWS) - {named}
    try:
        part = table if len(table) <= MOST_FITTED else last_points(table)
        part = part if len(part) <= MOST_FITTED else part.sample(MOST_FITTED, random_state=0).sort_index()
        fit = fit_approaches(part, (3,), law=other)[3]
        if isinstance(fit, FitError):
            raise fit
        if isinstance(fit, Fit) and fit.status == "not_converged":
            raise FitError(f"{fit.status}: {fit.message}")
        most = max(OF_THE_OTHER, least_resamples(found.level))
        boot = subsampled_bootstrap(fit, n_resamples=min(resamples, most), seed=seed)
        with np.errstate(all="ignore"):  # resamples of it may have constants without bounds
            rival = plan_training(boot, found.flops, level=found.level)
    except FitError as error:
        return FitError(f"between laws: the {other} law has no plan: {error}")
    return compare_plans({named: found, other: rival})


def _instead(ruling: Ruling, asked: Asked) -> str:
    """What to go by where approach 3 is not to be followed."""
    if ruling.follow is None:
        return "the numbers below are those of approach 3, whose formula is in doubt: no size is advised"
    ends = f"[{format_count(ruling.low)}, {format_count(ruling.high)}], {percent(asked.level)}%"
    size = f"{format_count(ruling.size)} parameters {ends}"
    return (
        f"by approach {ruling.follow}, which is to be followed here, the best size is {size}; the numbers below are not"
    )


def _group_to_add(ruling: Ruling, asked: Asked, meter: Meter) -> EqualCompute | None:
    """A group around the range of sizes that the ruling leaves, for what may be spent; None without a range."""
    if asked.next_budget is None or not (np.isfinite([ruling.low, ruling.high]).all() and ruling.low > 0):
        return None
    options = {name: value for name, value in asked.next_options.items() if name != "aim"}
    return suggest_group(ruling.low, ruling.high, asked.flops, asked.next_budget, **options, meter=meter)
