"""The page that leads to the books of several tables, and sets what they say side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from .._words import format_count, listed
from ..runs.nouns import Nouns
from ..sources.labels import label_of
from .answers import NUMBER, RANGE, TIMES, Answers
from .chapters import DONE
from .wording import amount, factor, in_words, interval, much, sentence

__all__ = ["common_budget", "comparison_page"]

STYLE = """
:root { color-scheme: light dark }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem } h2 { font-size: 1.25rem; margin-top: 2rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .92rem }
th, td { text-align: left; vertical-align: top; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid #8886 }
th[scope=row] { min-width: 9rem; overflow-wrap: anywhere }
td:last-child:not(:nth-child(7)) { min-width: 17rem }
.ends { white-space: nowrap }
@media print { body { font-size: 9.5pt; margin: 0; max-width: none } .wide { overflow: visible } a { color: inherit } }
"""
#: losses whose ranges do not meet may be of different tokenisers, texts or units
APART = "The losses of {} do not overlap: they may be of different tokenisers, texts or units."


def common_budget(answers: Mapping[str, Answers]) -> float:
    """The budget at which several tables are set side by side: as asked, or the least that one is asked about alone.

    So no table is asked about further from its runs than in its own book.
    """
    return min(each.flops for each in answers.values())


def comparison_page(summaries: Mapping[str, dict[str, Any]], compared: Mapping[str, dict[str, Any]]) -> str:
    """The page, from the summaries of the books and from their answers at one budget."""
    flops = next(iter(compared.values()))["flops"]
    asked = next(iter(compared.values()))["asked"]
    least = "" if asked else " No budget was named: it is ten times the most expensive run of the table that has least."
    answers = _table(
        [
            "table",
            f"best size at {amount(flops)} FLOP",
            "tokens",
            "tokens per parameter",
            "expected loss",
            "how sure",
        ],
        [_answer_row(name, summaries[name], compared[name]) for name in summaries],
    )
    laws = _table(
        ["table", "E", "α, of the size", "β, of the tokens", "exponent of the best size", "status"],
        [_law_row(name, summary) for name, summary in summaries.items()],
    )
    tables = _table(
        ["table", "runs", "parameters", "tokens", "compute [FLOP]", "loss", "chapters"],
        [_table_row(name, summaries[name], compared[name]) for name in summaries],
    )
    cautions = "".join(f"<li>{escape(each)}</li>" for each in cautions_on(summaries, compared))
    parts = [
        f"<h1>{len(summaries)} tables of runs, side by side</h1>",
        f"<p>All intervals are 95 %. Every table is asked about one budget, {amount(flops)} FLOP.{least} "
        "The book of a table has the reasons.</p>",
        f"<h2>What to train</h2>{answers}",
        f"<h2>Before you compare them</h2><ul>{cautions}</ul>",
        "<h2>The laws</h2><p>L = E + A / N<sup>α</sup> + B / D<sup>β</sup>, N parameters and D tokens, by "
        f"the parametric fit of each table.</p>{laws}",
        f"<h2>The tables</h2>{tables}",
    ]
    head = '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    head += '<meta name="viewport" content="width=device-width, initial-scale=1">'
    head += f"<title>{len(summaries)} tables of runs, side by side</title><style>{STYLE}</style></head>"
    return f"{head}<body><main>{''.join(parts)}</main></body></html>\n"


def cautions_on(summaries: Mapping[str, dict[str, Any]], compared: Mapping[str, dict[str, Any]]) -> list[str]:
    """Where the tables are not comparable, or not known to be."""
    said = [
        "A loss in nats per token depends on the tokeniser and on the text. Tables do not say theirs: compare losses "
        "only where you know them to be the same. Sizes and exponents can be compared, with care."
    ]
    ranges = {name: each["ranges"]["loss"] for name, each in compared.items()}
    names = list(summaries)
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            (low, high), (other_low, other_high) = ranges[first], ranges[second]
            if high < other_low or other_high < low:
                said.append(APART.format(f"{_name(summaries[first])} and {_name(summaries[second])}"))
    counted = [_name(each) for each in summaries.values() if "params_nonembedding" in each["input"]["columns"]]
    if 0 < len(counted) < len(summaries):
        said.append(
            f"Only {listed(counted)} {_says(counted)} how many parameters lie outside the embeddings. Whether the "
            "other sizes count embeddings is not known, and for small models it moves the exponent."
        )
    elif not counted:
        said.append(
            "No table says whether its parameters count the embeddings; for small models it moves the exponent."
        )
    if own := [_name(each) for each in summaries.values() if each["input"]["meter"]["kind"] != "6ND"]:
        words = f"The compute of {listed(own)} is not six times parameters times tokens"
        said.append(f"{words}, so that one budget need not be the same in all tables.")
    for each in summaries.values():
        about = Nouns(**each["input"]["nouns"]).about()
        said += [f"In {_name(each)} {about.removeprefix('in this table ').replace('`', '')}."] if about else []
    if units := [f"{_name(each)} ({told})" for each in summaries.values() if (told := _loss_unit(each))]:
        said.append(f"Losses were converted to nats per token: {listed(units)}.")
    far = [_name(summaries[name]) for name, each in compared.items() if not _is_near(each)]
    if far:
        said.append(f"The budget lies more than {TIMES:g} times beyond the runs of {listed(far)}, or below them.")
    sums: dict[str, list[str]] = {}
    for each in summaries.values():
        sums.setdefault(each["input"]["sha256"], []).append(_name(each))
    said += [f"{listed(same)} are one and the same file." for same in sums.values() if len(same) > 1]
    return said


def _is_near(answer: dict[str, Any]) -> bool:
    least, most = answer["ranges"]["flops"]
    return bool(least / TIMES <= answer["flops"] * (1 + 1e-9) and answer["flops"] <= most * TIMES * (1 + 1e-9))


def _answer_row(name: str, summary: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    number = Nouns(**summary["input"]["nouns"]).number
    shown = {"params": much, "tokens": much, "tokens_per_param": factor, "loss": number}
    cells = [_part(answer, key, form) for key, form in shown.items()]
    told = {NUMBER: "a number with its interval", RANGE: "an interval only: the runs leave it open"}
    if answer["kind"] == RANGE and not all(math.isfinite(end) for end in answer["params"][1:]):
        told = {RANGE: "neither a number nor an interval: the runs leave it open"}
    why = told.get(answer["kind"]) or escape(sentence(answer["why"]).removesuffix("."))
    least, _ = answer["ranges"]["flops"]
    reach = "the budget lies within that of the runs"
    if answer["reach"] > 1:
        reach = f"the budget is {factor(answer['reach'])} times that of the most expensive run"
    elif answer["flops"] < least:
        reach = f"the budget is {factor(least / answer['flops'])} times below that of the cheapest run"
    return [_link(name, summary), *cells, f"{why}; {reach}"]


def _part(answer: dict[str, Any], key: str, shown: Any) -> str:
    if key not in answer:
        return "not known"
    value, low, high = answer[key]
    if value is None or answer["kind"] != NUMBER:
        return _ends(f"{shown(low)} to {shown(high)}") if math.isfinite(low) and math.isfinite(high) else "not known"
    return f"{shown(value)}<br>{_ends(f'{shown(low)} to {shown(high)}')}" if math.isfinite(low + high) else shown(value)


def _law_row(name: str, summary: dict[str, Any]) -> list[str]:
    (law,) = [each for each in summary["laws"] if each["approach"] == 3]
    cells = []
    for constant in ("E", "alpha", "beta", "a"):
        low, high = (law.get("intervals") or {}).get(constant, (None, None))
        value = law["constants"].get(constant)
        cells.append("none" if value is None else f"{value:.3g}<br>{_ends(interval(low, high))}")
    status = law["status"].replace("_", " ") + (f": {in_words(law['message'])}" if law["message"] else "")
    return [_link(name, summary), *cells, escape(status)]


def _table_row(name: str, summary: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    shown = {"params": format_count, "tokens": format_count, "flops": amount, "loss": "{:.3g}".format}
    spans = [" to ".join(form(end) for end in answer["ranges"][key]) for key, form in shown.items()]
    done = sum(each["outcome"] == DONE for each in summary["chapters"])
    return [_link(name, summary), f"{summary['input']['rows']:,}", *spans, f"{done} of {len(summary['chapters'])}"]


def _table(heads: list[str], rows: list[list[str]]) -> str:
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for first, *cells in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _name(summary: dict[str, Any]) -> str:
    return label_of(str(summary["input"]["name"]))


def _ends(words: str) -> str:
    return f'<span class="ends">{words}</span>'


def _link(name: str, summary: dict[str, Any]) -> str:
    return f'<a href="{quote(name)}/index.html">{escape(_name(summary))}</a>'


def _loss_unit(summary: dict[str, Any]) -> str:
    """From what unit the loss was converted; nothing where it was not."""
    units = [str(each["unit"] or "") for each in summary["input"]["mapping"] if each["name"] == "loss"]
    usual = ("nats", "other")
    if summary["input"]["nouns"]["rises"]:
        return ""
    return next((unit for unit in units if not unit.startswith(usual)), "")


def _says(names: list[str]) -> str:
    return "says" if len(names) == 1 else "say"
