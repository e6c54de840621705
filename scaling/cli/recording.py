"""The record of a fit: everything that ``scaling fit`` found, as it goes into a file and is printed from."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd

from .. import __version__
from ..diagnostics.choice import BestLaw
from ..diagnostics.laws import LawComparison
from ..diagnostics.pairing import exponent_of
from ..diagnostics.skewness import LEAST, residual_skewness
from ..errors import FitError
from ..fit.frontier import FrontierFit
from ..fit.isoflop_bias import grid_bias
from ..fit.result import Fit
from ..laws.chinchilla import ChinchillaLaw
from ..plan.ladder import plan_ladder
from ..runs.curves import count_runs
from ..runs.meter import find_meter
from ..runs.nouns import Nouns
from ..uncertainty.resampling import Bootstrap

#: a miss of the best size by this share is worth a word
LEANS = 0.03


def best_record(best: BestLaw | FitError) -> dict[str, Any]:
    """The law that foresees best, as it goes into the file."""
    if isinstance(best, FitError):
        return {"possible": False, "reason": str(best)}
    told = {"law": best.law, "told": best.told, "words": best.words, "ranking": best.ranking}
    return {"possible": True} | told | {"refused": best.refused}


def _constants(found: Fit | FrontierFit) -> dict[str, float]:
    if isinstance(found, Fit):
        return {name: float(value) for name, value in found.candidate.constants.items()}
    law = found.law
    values = {"k_N": law.params.coefficient, "a": law.a, "k_D": law.tokens.coefficient, "b": law.b}
    return {name: float(value) for name, value in values.items()}


def _approach(
    found: Fit | FrontierFit | FitError, boot: Bootstrap | FitError, level: float, kept: bool
) -> dict[str, Any]:
    """Everything about one approach, as it goes into the file."""
    if isinstance(found, FitError):
        return {"possible": False, "reason": str(found)}
    drawn = boot if isinstance(boot, Bootstrap) else None
    law = found.candidate if isinstance(found, Fit) else found.law
    estimates = _constants(found)
    own = {name: exponent_of(found, name) for name in ("a", "b")} if isinstance(found, Fit) else {}
    questions = dict.fromkeys([*estimates, "a", "b"])
    each = {name: drawn.percentiles(level, of=own.get(name, name)) for name in questions} if drawn else {}
    ends = {name: (float(each[name].low), float(each[name].high)) if drawn else (np.nan, np.nan) for name in questions}
    given = found.given if isinstance(found, Fit) else {}
    rows = [
        {"name": k, "estimate": v, "low": ends[k][0], "high": ends[k][1], "given": k in given}
        for k, v in estimates.items()
    ]
    exponents = {name: float(exponent_of(found, name)(law)) for name in ("a", "b")}
    out: dict[str, Any] = {
        "possible": True,
        "equation": law.equation,
        "constants": rows,
        "exponents": {k: {"estimate": v, "low": ends[k][0], "high": ends[k][1]} for k, v in exponents.items()},
        "runs": len(found.runs),
    }
    out |= _about_fit(found, level) if isinstance(found, Fit) else _about_frontier(found)
    if kept and isinstance(found, Fit):
        out["plans"] = plan_ladder(drawn, level) if drawn else []
    if not drawn:
        return out | {"note": f"no intervals: {boot}", "remarks": []}
    shares = {"at_bound": drawn.at_bound, "not_identified": drawn.not_identified, "unconverged": drawn.unconverged}
    known = {*given, *("ab" if isinstance(found, Fit) and (found.tied or {"alpha", "beta"} <= set(given)) else "")}
    remarks = [f"{name}: {words}" for name in each if name not in known for words in each[name].remarks(level)]
    return out | {"resamples": shares, "note": drawn.note, "remarks": remarks}


def _about_fit(found: Fit, level: float) -> dict[str, Any]:
    """How far a parametric fit is to be trusted."""
    return {
        "status": found.status,
        "message": found.message,
        "condition": found.condition,
        "starts_agreeing": found.starts_agreeing,
        "starts": found.n_starts,
        "rms_residual": float(np.sqrt(np.mean(found.residuals**2))),
        "objective": found.objective,
        "delta": found.delta,
        "given": found.given_words,
        "certainty": _certainty(found, level),
        "one_sided": residual_skewness(found).words if len(found.runs) >= LEAST else "",
    }


def _about_frontier(found: FrontierFit) -> dict[str, Any]:
    """Which budgets made a frontier."""
    points = found.points
    return {
        "meter": found.meter.record(),
        "of_final_losses": found.approach == 1 and "run" not in found.runs,
        "budgets": len(points),
        "usable_budgets": int(points["usable"].sum()),
        "left_out": points.loc[~points["usable"], "reason"].value_counts().to_dict(),
    }


def _leaning(fits: dict[int, Fit | FrontierFit | FitError], number: int) -> dict[str, str]:
    """How far the parabolas of approach 2 lean, by the law of approach 3, where that is worth a word."""
    parabolas, fit = fits[number], fits.get(3)
    if number != 2 or not isinstance(parabolas, FrontierFit) or parabolas.meter.is_own:
        return {}
    if not isinstance(fit, Fit) or not isinstance(fit.candidate, ChinchillaLaw) or fit.status != "identified":
        return {}
    off = grid_bias(parabolas, fit.law) - 1
    if np.isnan(off).any() or np.abs(off).max() < LEANS:
        return {}
    span = f"{off.min():+.1%} to {off.max():+.1%}"
    words = f"parabolas lean: were the law of approach 3 true, they would miss the best sizes by {span}"
    why = "without any noise, since the loss is no parabola far from its minimum"
    return {"leaning": f"{words} {why} (--window 3, or a narrower one, uses the sizes near it)"}


def _certainty(found: Fit, level: float) -> list[dict[str, Any]]:
    """What the runs know of what the law is fitted for; nothing where they leave no residual to judge by."""
    try:
        return found.certainty(level=level).to_dict("records")
    except FitError:
        return []


def result_record(
    table: pd.DataFrame,
    fits: dict[int, Fit | FrontierFit | FitError],
    boots: dict[int, Bootstrap | FitError],
    compared: LawComparison | FitError,
    level: float,
    resamples: int,
    seed: int,
    kept: bool,
) -> dict[str, Any]:
    """Everything about the fits of a table; with plans at several budgets where it is kept in a file."""
    versions = {name: metadata.version(name) for name in ("numpy", "scipy", "pandas")}
    about = {"runs": count_runs(table), "rows": len(table), "nouns": Nouns.of(table).record()}
    held: dict[str, Any] = {"possible": False, "reason": str(compared)}
    if isinstance(compared, LawComparison):
        held = {
            "possible": True,
            "split": compared.split,
            "runs_fitted": compared.n_fitted,
            "runs_predicted": compared.n_tested,
            "noise_of_repeats": compared.noise,
            "laws": compared.table,
        }
    return {
        "input": table.attrs["reading"] | about,
        "versions": {"scaling": __version__, "python": platform.python_version(), **versions},
        "options": {"level": level, "resamples": resamples, "seed": seed},
        "approaches": {k: _approach(fits[k], boots[k], level, kept) | _leaning(fits, k) for k in fits},
        "holdout": held,
        "meter": find_meter(table).record(),
        "notes": [*table.attrs["reading"]["notes"], *table.attrs["notes"]],
        "warnings": table.attrs["warnings"],
    }
