"""The record of a plan: its numbers for programs, beside those of the other law and of how far laws missed."""

from __future__ import annotations

from typing import Any

from ..diagnostics.discrepancy import Band, Discrepancy
from ..errors import FitError
from ..fit.result import Fit
from ..plan.between import BetweenLaws
from ..plan.equal_compute import EqualCompute
from ..plan.next_runs import NextRuns
from ..plan.training import Plan
from ..uncertainty.resampling import Bootstrap


def plan_record(fit: Fit, boot: Bootstrap, found: Plan, more: NextRuns | EqualCompute | None) -> dict[str, Any]:
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


def laws_record(named: str, chosen: str, between: BetweenLaws | FitError | None) -> dict[str, Any]:
    """The law by name, why it was chosen, and the spread between laws, for programs."""
    record: dict[str, Any] = {"law_name": named, "law_chosen": chosen or None, "between_laws": None}
    if isinstance(between, FitError):
        record["between_laws"] = {"reason": str(between)}
    elif between is not None:
        told = {"disagree": list(between.disagree), "apart": between.apart, "words": between.words}
        told["ranges"] = between.ranges
        record["between_laws"] = {"table": between.table.reset_index()} | told
    return record


def discrepancy_record(discrepancy: Discrepancy, band: Band) -> dict[str, Any]:
    """The loss where the form of the law may be off, for programs, with the forecasts that it rests on."""
    loss = {"estimate": band.estimate, "low": band.low, "high": band.high}
    words = {"loss": loss, "reason": band.reason, "forecasts": discrepancy.forecasts, "p": discrepancy.p}
    return {"discrepancy": words | {"size": discrepancy.size, "noise": discrepancy.noise}}
