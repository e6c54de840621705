"""The budget explorer: how large a model, on how many tokens, by a published law or by that of one's own runs.

Options of the directive, all of them settings to begin with: ``law`` (a key of ``LAWS``), ``budget`` (FLOP),
``compare`` (parameters of another size), ``serve`` and ``unique`` (tokens), and ``file``, what ``scaling fit --out`` or
``scaling rerun`` wrote: a path beside the page. With ``file`` the explorer opens with that law, its interval and its
warnings, at ten times the compute of the largest run unless a budget is given. So the front page of a small book needs
three lines and, beside it, the record of the fit, which has to have a law of approach 3::

    :::{moving} budget
    :file: summary.json
    :::

Without content the still is a table of budgets, with the best size and tokens by each listed law; a page about one's
own runs has better words of its own to put there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..._words import format_count, format_flops
from ...laws import ChinchillaLaw, DataConstrainedLaw
from ...optimum import compute_optimal
from ...sources import published
from ...sources.files import data_file

__all__ = ["LAWS", "TITLE", "constants", "still"]

TITLE = "Your budget, and the size that suits it"
#: what the explorer opens with, and the powers of ten that are the budgets of the still
BUDGET, POWERS = "1e24", range(21, 27)
#: of a file's records, what the script reads
PARTS = ("constants", "status", "message", "certainty", "plans", "possible", "reason", "approach", "level")
#: the set of runs to which all laws were fitted, and where its passport has their budgets
RUNS, RANGE = "besiroglu2024", re.compile(r"^Ranges: .*flops (\S+) to ([^,\s]+)", re.MULTILINE)


@dataclass(frozen=True)
class Listed:
    """A published law: how it is called, and what is to be known of it."""

    label: str
    note: str

    def constants(self, name: str) -> dict[str, Any]:
        law = (
            DataConstrainedLaw.from_published().base
            if name == "muennighoff2023"
            else ChinchillaLaw.from_published(name)
        )
        return law.constants


LAWS = {
    "besiroglu2024": Listed(
        "Besiroglu et al. (2024)", "The runs of Hoffmann et al., read off a figure and fitted to the minimum."
    ),
    "hoffmann2022_rounded": Listed(
        "Hoffmann et al. (2022), as printed",
        "The constants that most people copy: from a fit that stopped early, then rounded. "
        "They contradict the paper's own advice.",
    ),
    "hoffmann2022": Listed(
        "Hoffmann et al. (2022), before rounding", "From the source of the paper: a fit that stopped early."
    ),
    "muennighoff2023": Listed(
        "Muennighoff et al. (2023)",
        "Fitted to 54 points of a figure of Hoffmann et al., with one exponent for both terms.",
    ),
}


def constants(
    law: str = next(iter(LAWS)),
    budget: str = "",
    compare: str = "0",
    serve: str = "0",
    unique: str = "0",
    file: str = "",
) -> dict[str, Any]:
    """Laws, settings, and the reader's own law if there is one; ``ValueError`` for a law that is not listed."""
    if law not in LAWS:
        raise ValueError(f"no law {law!r}; listed are {', '.join(LAWS)}")
    own = read_record(file) if file else None
    smallest, largest = _budgets_of_the_runs()
    limits = DataConstrainedLaw.from_published()
    peaks = {name: float(published(f"sardana2024/settings/peak/{name}_bf16")) for name in ("h100", "a100")}
    reached = {"smallest": smallest, "largest": largest}
    preset = {"law": law, "budget": float(budget or (_ten_times(own) if own else BUDGET))}
    return {
        "laws": {
            name: {"label": each.label, "note": each.note, "constants": each.constants(name), **reached}
            for name, each in LAWS.items()
        },
        "decays": {"repeated": limits.repeated_tokens, "excess": limits.excess_params},
        "preset": preset | {"compare": float(compare), "serve": float(serve), "unique": float(unique)},
        "peak": {
            "value": peaks["h100"],
            "words": f"In bf16 an H100 has {peaks['h100']:.3g}, an A100 {peaks['a100']:.3g}.",
        },
        "own": own,
    }


def still(**settings: str) -> str:
    """A table in Markdown: the best size and tokens at some budgets, by each law."""
    laws = {each.label: ChinchillaLaw(**each.constants(name)) for name, each in LAWS.items()}
    lines = [f"| budget [FLOP] | {' | '.join(laws)} |", "|---" * (len(laws) + 1) + "|"]
    for power in POWERS:
        best = [compute_optimal(each, 10.0**power) for each in laws.values()]
        cells = [f"{_rounded(each.params)} on {_rounded(each.tokens)}" for each in best]
        lines.append(f"| 10<sup>{power}</sup> | {' | '.join(cells)} |")
    _, largest = _budgets_of_the_runs()
    said = [
        "The best number of parameters, and on how many tokens (B: billion, T: trillion), by four fits to the runs of",
        f"Hoffmann et al. The largest of them took {format_flops(largest)} FLOP: beyond, the laws are extrapolated.",
    ]
    return "\n".join([*said, "", *lines])


def _rounded(value: Any) -> str:
    """A count with two digits, more than which no fit knows."""
    return format_count(float(f"{value:.2g}"))


def read_record(file: str) -> dict[str, Any]:
    """What the script needs of a file of ``scaling fit`` or ``scaling rerun``; ``ValueError`` if it is neither."""
    record = json.loads(Path(file).read_text(encoding="utf-8"))
    laws = record.get("laws") or [{"approach": int(k)} | each for k, each in record.get("approaches", {}).items()]
    chosen = [{k: v for k, v in each.items() if k in PARTS} for each in laws if each["approach"] == 3]
    if not chosen:
        raise ValueError(f"{Path(file).name} has no law of approach 3")
    level = record.get("options", {}).get("level", chosen[0].get("level"))
    name, meter = record["input"].get("name", ""), record.get("meter") or record["input"].get("meter")
    about = {"name": name} | {key: record["input"][key] for key in ("nouns",) if record["input"].get(key)}
    return {"laws": chosen, "input": about, "meter": meter, "options": {"level": level} if level else {}}


def _ten_times(own: dict[str, Any]) -> float:
    """Ten times the compute of the largest run, as far as a record knows it."""
    asked = [row["flops"] for row in own["laws"][0].get("certainty") or [] if row["quantity"] == "params"]
    return 10 * min(asked) * in_6nd(own["meter"]) if asked else float(BUDGET)


def in_6nd(meter: dict[str, Any] | None) -> float:
    """By what a budget is multiplied that a table counts in a multiple of 6 N D, which the figure takes."""
    return 6 / meter["coefficient"] if meter and meter["kind"] == "multiple" else 1.0


def _budgets_of_the_runs() -> tuple[float, float]:
    """The least and the most compute of a run that the laws were fitted to, from the passport of the set."""
    found = RANGE.search(data_file(f"{RUNS}/README.md").read_text(encoding="utf-8"))
    assert found, f"the passport of {RUNS} says its ranges"
    return float(found[1]), float(found[2])
