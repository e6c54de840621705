"""What ``summary.json`` and the front page say: the table, its laws with intervals, the chapters, the versions."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from html import escape
from typing import Any
from urllib.parse import quote

import pandas as pd

from .. import __version__
from .._words import format_count, format_flops
from ..diagnostics.approaches import APPROACHES, Approaches, compare_approaches
from ..diagnostics.inspection import inspect_runs
from ..diagnostics.pairing import exponent_of
from ..errors import FitError
from ..fit.result import Fit
from ..runs.meter import find_meter
from .chapters import DONE, Chapter, Outcome
from .pages import fenced

__all__ = ["front_page", "index_of_books", "summarise"]


#: what decides about the numbers and the pages
PACKAGES = ("numpy", "scipy", "pandas", "matplotlib", "papermill", "jupyter-book", "sphinx", "myst-nb")
LEVEL = 0.95


def summarise(
    runs: pd.DataFrame, curves: pd.DataFrame | None, options: dict[str, Any], backend: str | None
) -> dict[str, Any]:
    """The input and its laws; ``options`` are the number of resamples and the seed, which are also reported."""
    reading = runs.attrs["reading"]
    about = {"notes": [*reading["notes"], *runs.attrs["notes"]], "warnings": list(runs.attrs["warnings"])}
    about["looks"] = inspect_runs(runs if curves is None else curves, ()).looks
    table = {**reading, "rows": len(runs), "columns": list(runs.columns), **about, "meter": find_meter(runs).record()}
    found = compare_approaches(runs, curves, options["n_resamples"], options["seed"], backend)
    laws = [{"approach": number} | _law(found, number) for number in APPROACHES]
    differences = {"disagree": found.disagree(LEVEL), "pairs": found.differences(LEVEL).to_dict("records")}
    return {"input": table, "options": options, "laws": laws, "differences": differences, "versions": _versions()}


def _law(found: Approaches, number: int) -> dict[str, Any]:
    """Constants, exponent of the optimal size, and central percentile intervals; or why there are none."""
    why = found.reasons.get(number, "")
    if number not in found.fits:
        return {"status": "not possible", "message": why, "constants": {}, "intervals": None}
    fit = found.fits[number]
    if isinstance(fit, Fit):
        law = {"status": fit.status, "message": fit.message, "constants": dict(fit.candidate.constants)}
        law["constants"]["a"] = exponent_of(fit, "a")(fit.candidate)
        law["certainty"] = _certainty(fit)
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


def _certainty(fit: Fit) -> list[dict[str, Any]]:
    """What the runs know of what the law is fitted for; nothing where it is not identified or leaves no residual."""
    try:
        return fit.certainty(level=LEVEL).to_dict("records")
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


def front_page(summary: dict[str, Any], outcomes: dict[Chapter, Outcome], runs: pd.DataFrame) -> str:
    """The first page, in MyST Markdown; all that comes from the table's text stands in blocks shown as they are."""
    table = summary["input"]
    ranges = {
        "parameters": [format_count(runs["params"].min()), format_count(runs["params"].max())],
        "tokens": [format_count(runs["tokens"].min()), format_count(runs["tokens"].max())],
        "compute [FLOP]": [format_flops(runs["flops"].min()), format_flops(runs["flops"].max())],
        "loss [nats/token]": [f"{runs['loss'].min():.4g}", f"{runs['loss'].max():.4g}"],
    }
    chapters = [f"| [](notebooks/{each.name}.ipynb) | {outcome.kind} |" for each, outcome in outcomes.items()]
    done = sum(outcome.kind == DONE for outcome in outcomes.values())
    read = [", ".join(filter(None, [f"{m['name']} from {m['column']!r}", m["unit"]])) for m in table["mapping"]]
    said = [*table["looks"], *read, *table["notes"], *table["warnings"]]
    lines = [
        "# Scaling laws of your runs",
        f"{table['rows']} runs, and what the chapters of *Scaling laws, recomputed* say of them; {done} of "
        f"{len(outcomes)} chapters came through. The table as it was used is "
        "<a href='runs.csv'>runs.csv</a>; all that this page says, for programs, is in "
        "<a href='summary.json'>summary.json</a>.",
        "## The table\n\n| | smallest | largest |\n|---|---|---|",
        *(f"| {name} | {low} | {high} |" for name, (low, high) in ranges.items()),
        "",
        f"The file has the SHA-256 `{table['sha256']}`.",
        *(["What was noticed on reading it:", fenced("\n".join(said))] if said else []),
        "## The laws\n",
        "$$\nL(N, D) = E + \\frac{A}{N^\\alpha} + \\frac{B}{D^\\beta}, \\qquad N^*(C) \\propto C^a\n$$ (intro-law)\n",
        f"Intervals are central percentiles, {LEVEL:.0%}, of {summary['options']['n_resamples']:,} resampled tables.",
        *(_law_lines(law) for law in summary["laws"]),
        *_difference_lines(summary["differences"]),
        "## The chapters\n\n| chapter | outcome |\n|---|---|",
        *chapters,
    ]
    return _paragraphs(lines)


def _law_lines(law: dict[str, Any]) -> str:
    head = f"**Approach {APPROACHES[law['approach']]}**: {law['status'].replace('_', ' ')}."
    words = [law["message"], law.get("no_intervals", ""), *law.get("remarks", [])]
    rows = ["| constant | value | interval |", "|---|---|---|"]
    for name, value in law.get("constants", {}).items():
        rows.append(f"| `{name}` | {value:.4g} | {_span(*(law['intervals'] or {}).get(name, (None, None)))} |")
    said = [fenced(text) for text in words if text]
    if law.get("certainty"):
        rows += ["", *_certainty_lines(law["certainty"])]
    return "\n\n".join([head, *said, *(["\n".join(rows)] if len(rows) > 2 else [])])


def _certainty_lines(questions: list[dict[str, Any]]) -> list[str]:
    """A table of what the runs know, by profile likelihood."""
    words = {"a": "exponent a", "params": "best size", "loss": "its loss", "E": "E", "k": "coupling k"}
    lines = ["| the runs know, if the law is right | at FLOP | value | 95 % interval | needed | enough |"]
    lines += ["|---|---|---|---|---|---|"]
    for row in questions:
        at = "" if row["flops"] != row["flops"] else format_flops(row["flops"])
        shown = format_count if row["quantity"] == "params" else "{:.3g}".format
        value, low, high = (shown(row[name]) for name in ("value", "low", "high"))
        enough = "yes" if row["enough"] else "no"
        lines.append(f"| {words[row['quantity']]} | {at} | {value} | {low} to {high} | {row['need']} | {enough} |")
    return lines


def _span(low: float | None, high: float | None) -> str:
    """An interval in words; nothing where there is none."""
    known = low is not None and high is not None and low == low and high == high
    return f"{low:.4g} to {high:.4g}" if known else ""


def _difference_lines(differences: dict[str, Any]) -> list[str]:
    if not differences["pairs"]:
        return []
    verdict = "Some difference is not zero" if differences["disagree"] else "No difference is told from zero"
    rows = [
        f"| {each['approaches']} | {each['difference']:.3f} | {_span(each['low'], each['high'])} | {each['drawn']} |"
        for each in differences["pairs"]
    ]
    return [
        "The approaches side by side, by the difference of their exponents $a$:",
        "\n".join(["| approaches | difference | interval | runs drawn |", "|---|---|---|---|", *rows]),
        f"{verdict}, at {LEVEL:.0%} for all pairs together.",
    ]


def _paragraphs(lines: list[str]) -> str:
    """Lines as paragraphs, the rows of a table kept together."""
    text = "\n\n".join(lines)
    return re.sub(r"\|\n\n(?=\|)", "|\n", text) + "\n"


def index_of_books(summaries: dict[str, Any]) -> str:
    """The page that leads to the books of several tables."""
    items = "\n".join(
        f'<li><a href="{quote(name)}/index.html">{escape(each["input"]["name"])}</a>: {each["input"]["rows"]} runs, '
        f"{sum(c['outcome'] == DONE for c in each['chapters'])} of {len(each['chapters'])} chapters</li>"
        for name, each in summaries.items()
    )
    head = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Scaling laws of your runs</title>'
    style = "<style>body{font:1.1rem/1.6 sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}</style></head>"
    return f"{head}{style}<body><h1>Scaling laws of your runs</h1><ul>\n{items}\n</ul></body></html>\n"
