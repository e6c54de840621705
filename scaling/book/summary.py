"""What ``summary.json`` says: the table, what it answers, its laws with intervals, the versions."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

from .. import __version__
from ..diagnostics.approaches import APPROACHES, Approaches
from ..diagnostics.pairing import exponent_of
from ..errors import FitError
from ..fit.result import Fit
from ..runs.meter import find_meter
from ..runs.nouns import Nouns
from .answers import LEVEL, Answers

__all__ = ["laws_of", "summarise"]


#: what decides about the numbers and the pages
PACKAGES = ("numpy", "scipy", "pandas", "matplotlib", "papermill", "jupyter-book", "sphinx", "myst-nb")


def summarise(answers: Answers) -> dict[str, Any]:
    """The input, its laws, and what they answer; with the number of resamples and the seed."""
    runs, found, asked = answers.runs, answers.found, answers.question
    reading = runs.attrs["reading"]
    about = {"notes": [*reading["notes"], *runs.attrs["notes"]], "warnings": list(runs.attrs["warnings"])}
    about |= {"looks": answers.looked.looks, "pooled": [each.kind for each in answers.looked.pooled]}
    table = {**reading, "rows": len(runs), "columns": list(runs.columns), **about, "meter": find_meter(runs).record()}
    table["nouns"] = Nouns.of(runs).record()
    differences = {
        "disagree": found.disagree(LEVEL),
        "words": found.paired.words(LEVEL),
        "pairs": found.differences(LEVEL).to_dict("records"),
    }
    return {
        "input": table,
        "options": {"n_resamples": asked.n_resamples, "seed": asked.seed},
        "answer": answers.record(),
        "laws": laws_of(answers),
        "differences": differences,
        "versions": _versions(),
    }


def laws_of(answers: Answers) -> list[dict[str, Any]]:
    """What each approach finds, or why it finds nothing."""
    laws = [{"approach": number} | _law(answers.found, number, answers.flops) for number in APPROACHES]
    return [law | {"plans": answers.ladder()} if law["approach"] == 3 else law for law in laws]


def _law(found: Approaches, number: int, flops: float) -> dict[str, Any]:
    """Constants, exponent of the optimal size, and central percentile intervals; or why there are none."""
    why = found.reasons.get(number, "")
    if number not in found.fits:
        return {"status": "not possible", "message": why, "constants": {}, "intervals": None}
    fit = found.fits[number]
    if isinstance(fit, Fit):
        law = {"status": fit.status, "message": fit.message, "constants": dict(fit.candidate.constants)}
        law["constants"]["a"] = exponent_of(fit, "a")(fit.candidate)
        law["certainty"] = _certainty(fit)
        law["asked"] = _certainty(fit, sorted({float(fit.runs["flops"].max()), flops}))
    else:
        law = {"status": "fitted", "message": "", "constants": {"k_N": fit.law.params.coefficient, "a": fit.a}}
    if number not in found.bootstraps:
        return law | {"intervals": None, "no_intervals": "" if law["message"] and law["message"] in why else why}
    boot = found.bootstraps[number]
    own = {"a": exponent_of(fit, "a")} if isinstance(fit, Fit) else {}
    found = {name: boot.percentiles(LEVEL, of=own.get(name, name)) for name in law["constants"]}
    rows = {name: [float(each.low), float(each.high)] for name, each in found.items()}
    remarks = [f"{name}: {words}" for name, each in found.items() for words in each.remarks(LEVEL)]
    return law | {"level": LEVEL, "intervals": rows, "remarks": [*filter(None, [boot.note]), *remarks]}


def _certainty(fit: Fit, flops: list[float] | None = None) -> list[dict[str, Any]]:
    """What the runs know of what the law is fitted for; nothing where it is not identified or leaves no residual."""
    try:
        return fit.certainty(flops, LEVEL).to_dict("records")
    except FitError:
        return []


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "scaling": __version__}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
