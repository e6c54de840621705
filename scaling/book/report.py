"""The front page of a book of one's own runs: a report for whoever decides, and below it what an engineer wants."""

from __future__ import annotations

import math
import re
from typing import Any

import pandas as pd

from .._words import format_count, format_flops
from ..diagnostics.approaches import APPROACHES
from ..diagnostics.ruling import BELOW, FORESEES
from ..runs.nouns import Nouns
from .answers import AGAINST, FOR, NOTHING, NUMBER, RANGE, UNKNOWN
from .chapters import DONE, Chapter, Outcome
from .moving.budget import in_6nd
from .pages import fenced
from .pictures import LOSSES, SIZES
from .staging import MARK
from .wording import amount, count, escaped, factor, in_words, interval, much, sentence, times

__all__ = ["front_page", "headline"]

#: what a check says, in the table of checks
SPEAKS = {FOR: "for", AGAINST: "against", UNKNOWN: "cannot be told"}
#: what the law is asked
ASKED = {"a": "How fast does the best size grow with compute (exponent)?", "params": "Best size", "loss": "Loss there"}
#: sizes other than the advised
SHARES = {0.25: "a quarter", 0.5: "half", 2.0: "twice", 4.0: "four times"}
#: quantities of a plan, and how they are said; losses in the unit of the table
PLANNED = {
    "params": ("parameters", much),
    "tokens": ("tokens to train on", much),
    "tokens_per_param": ("tokens per parameter", factor),
    "loss": ("loss the law expects [nats per token]", None),
    "loss_of_a_run": ("loss of one such run, with its noise", None),
    "exponent": ("exponent with which the size grows with compute, at this budget", "{:.2f}".format),
    "flops": ("training compute [FLOP]", amount),
    "total_flops": ("training and use together [FLOP]", amount),
    "compute_saved": ("saved over its life", "{:.0%}".format),
}
CONSTANTS = {
    "E": "$E$, the loss that no model falls below",
    "A": "$A$, of the term of the size",
    "B": "$B$, of the term of the tokens",
    "alpha": r"$\alpha$, exponent of the size",
    "beta": r"$\beta$, exponent of the tokens",
    "a": "$a$, exponent of the best size in compute",
    "k_N": "$k_N$, best size at one FLOP",
}
#: notes that only say how a table was read, and no ground for distrust
_READ = re.compile(
    r"columns? not used|column .* is carried|numbers have decimal|\w+ (of [\d,]+ (runs|rows) follows from|= )",
    flags=re.DOTALL,
)
#: what is said of a table with a count of compute of its own
COUNTED = "is not 6·params·tokens but"


def front_page(summary: dict[str, Any], outcomes: dict[Chapter, Outcome], runs: pd.DataFrame) -> str:
    """The first page, in MyST Markdown; what comes from the table's text is escaped, or stands as it is in a block."""
    answer, nouns = summary["answer"], _nouns(summary)
    parts = [
        f"# What to train with {amount(answer['flops'])} FLOP",
        f"A report on {summary['input']['rows']:,} training runs.",
        *_words(nouns),
        _answer(answer, nouns),
        _pictures(summary),
        *_checks(answer),
        *_known(summary),
        *_plan(answer, nouns),
        *_distrust(summary),
        *_next_runs(answer, nouns),
        *_explorer(summary),
        *_table(summary, runs),
        *_laws(summary),
        *_chapters(outcomes),
    ]
    return _unbroken(nouns.said("\n\n".join(parts))) + "\n"


def _nouns(summary: dict[str, Any]) -> Nouns:
    return Nouns(**summary["input"]["nouns"])


def _words(nouns: Nouns) -> list[str]:
    """What the table's own words mean, where they are not the usual ones."""
    return [sentence(nouns.about())] if nouns.about() else []


def headline(answer: dict[str, Any]) -> str:
    """The answer in one sentence."""
    budget = f"{amount(answer['flops'])} FLOP"
    if answer["kind"] == NOTHING:
        return f"These runs do not tell what to train with {budget}."
    _, low, high = answer["params"]
    if answer["kind"] == NUMBER:
        size, tokens = much(answer["params"][0]), much(answer["tokens"][0])
        span = f"the runs put the best size between {much(low)} and {much(high)} (95 % interval)"
        return f"With {budget}, train a model of {size} parameters on {tokens} tokens; {span}."
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"These runs do not settle what to train with {budget}, nor how far off any size may be."
    span = f"the best size lies anywhere from {much(low)} to {much(high)} parameters (95 % interval)"
    if answer["approach"] is None:  # their intervals take for granted what is in doubt
        span = f"the methods put the best size anywhere from {much(low)} to {much(high)} parameters"
        span += ", and it may lie outside of that"
    return f"These runs do not settle what to train with {budget}: {span}."


def _answer(answer: dict[str, Any], nouns: Nouns) -> str:
    """The box at the top: the answer, how far to trust it, what would change that."""
    lines = [f"**{headline(answer)}**"]
    if answer["kind"] == NUMBER and "loss" in answer:
        value, low, high = nouns.ends(*answer["loss"])
        name, ends = nouns.rises or "loss", interval(low, high, nouns.number)
        article = "an" if name[0].lower() in "aeiou" else "a"
        lines.append(f"The law expects {article} {name} of {nouns.number(value)} {ends} nats per token.")
    if answer["kind"] != NUMBER:
        lines.append(f"Why: {_why(answer)}")
    if answer["checks"]:
        lines.append(f"How far to trust it: {_checked(answer)}")
    if change := _what_would_change(answer):
        lines.append(f"What would change that: {change}")
    if not answer["asked"]:
        most = amount(answer["flops"] / answer["reach"])
        lines.append(f"No budget was named, so this is for ten times that of your most expensive run, {most} FLOP.")
    return "\n".join([":::{admonition} The answer", ":class: important report-answer", "", "\n\n".join(lines), ":::"])


def _why(answer: dict[str, Any]) -> str:
    """Why there is no number."""
    if answer["kind"] == NOTHING or answer["approach"] is not None:
        words = answer["why"].partition(": it lies anywhere")[0]  # the range stands in the line above
        return escaped(sentence(words))
    if answer["ruling"]["rule"].startswith(BELOW):
        return "the budget lies further below the cheapest run than the runs span. Runs near it would tell."
    doubt = "the fitted law misses these runs by far more than repeated runs differ"
    if answer["ruling"]["agree"] is False:
        doubt = "the methods that were tried on these runs disagree by more than noise"
    elif FORESEES in answer["ruling"]["found"]:
        doubt = "a law of compute alone foresees the most expensive runs better than the law of size and tokens"
    elif "foresees the runs held out better" in answer["ruling"]["found"]:
        doubt = "another law foresees the runs held out better, and asks for another size"
    settle = "Runs of equal compute near the budget, of four sizes or more, would settle it."
    return f"{doubt}, and the budget lies beyond the runs that could decide between them. {settle}"


def _checked(answer: dict[str, Any]) -> str:
    """How far to trust the answer, by the checks."""
    said = {name: sum(each["speaks"] == name for each in answer["checks"]) for name in SPEAKS}
    each = {name: f"{count(number)} {'speaks' if number == 1 else 'speak'}" for name, number in said.items()}
    total = f"Of {count(len(answer['checks']))} checks below,"
    left = f"; {count(said[UNKNOWN])} cannot be made with these runs." if said[UNKNOWN] else "."
    if answer["kind"] != NUMBER:
        ends = all(math.isfinite(end) for end in answer["params"][1:])
        trust = "the range, not a number inside it." if ends else "there is no number to trust, and no range."
        return f"{trust} {total} {each[AGAINST]} against a number{left}"
    trust = "with care: much could not be checked." if said[UNKNOWN] > 1 else "well, as far as these runs can tell."
    if said[AGAINST]:
        trust = "with care." if said[AGAINST] == 1 else "little; take it for a first guess."
    return f"{trust} {total} {each[FOR]} for it and {each[AGAINST]} against it{left}"


def _what_would_change(answer: dict[str, Any]) -> str:
    """What would make the answer surer."""
    more = answer["next_runs"]
    if answer["kind"] == RANGE and answer["approach"] is None:
        return "a group of runs of equal compute, of four sizes or more, as near to the budget as can be."
    if answer["kind"] == NUMBER or "runs" not in more:
        return ""
    before, after = (math.exp(more[name]) for name in ("width_before", "width_after"))
    added = sum(row["repeats"] for row in more["runs"])
    cost = f"{count(added)} more run{'s' * (added != 1)}, {amount(more['flops'])} FLOP in all"
    if not after < before:
        they = ("is", "it") if added == 1 else ("are", "they")
        return f"{cost}, listed below, {they[0]} the first to add; {they[1]} alone will not settle it."
    return (
        f"{cost}, would narrow the interval from a factor of {factor(before)} to one of {factor(after)}, as far as the "
        f"law is right; {'it is' if added == 1 else 'they are'} listed below."
    )


def _pictures(summary: dict[str, Any]) -> str:
    """The pictures with their captions and their words for who cannot see them, which say what is drawn and no more."""
    answer = summary["answer"]
    drawn = answer["kind"] != NOTHING
    law = drawn and _parametric(summary)["intervals"] is not None
    known = drawn and all(math.isfinite(end) for end in answer["params"][1:])
    bands = "with its 95 % interval" if answer["approach"] else "by every approach with an answer, and 95 % intervals"
    loss = "The loss of each run against its compute" + ", over a falling line, the least loss of the fitted law" * law
    size = "The parameters of each run against its compute" + ", with a rising line in a band, the best size" * known
    budget = " Dotted: the budget that was asked about."
    above = f"Each run, lighter for a larger model{', and the least loss that the fitted law expects' * law}.{budget}"
    below = (
        f"The size of each run, and the best size {bands}.{budget}"
        if known
        else (f"The size of each run.{budget} No best size is drawn, because none is known with an interval.")
    )
    figures = [
        "\n".join([f":::{{figure}} {name}", ":width: 100%", f":alt: {alt}.", "", caption, ":::"])
        for name, alt, caption in ((LOSSES, loss, above), (SIZES, size, below))
    ]
    return "\n".join(["::::{container} report-pictures", *figures, "::::"])


def _checks(answer: dict[str, Any]) -> list[str]:
    if not answer["checks"]:
        return []
    lines = ["| check | what was found | speaks |", "|---|---|---|"]
    lines += [
        _row(each["question"], escaped(sentence(each["found"])), SPEAKS[each["speaks"]]) for each in answer["checks"]
    ]
    return ["## How far to trust it", "\n".join(lines)]


def _known(summary: dict[str, Any]) -> list[str]:
    """The certainty table in words."""
    law = _parametric(summary)
    rows = [row for row in law.get("asked") or [] if row["quantity"] in ASKED]
    if not rows or summary["answer"]["kind"] == NOTHING:
        return []
    answer, bent = summary["answer"], summary["input"]["meter"]["kind"] == "sizes"
    nouns = _nouns(summary)
    local = amount(answer["flops"] / answer["reach"]) if bent else "any"
    lines = [
        _row("question", "at compute [FLOP]", "answer", "95 % interval", "enough to decide?"),
        "|---|---|---|---|---|",
    ]
    for row in rows:
        shown = {"params": much, "a": "{:.2f}".format, "loss": nouns.number}[row["quantity"]]
        at = amount(row["flops"]) if math.isfinite(row["flops"]) else local
        ends = row["value"], row["low"], row["high"]
        value, low, high = map(shown, nouns.ends(*ends) if row["quantity"] == "loss" else ends)
        need = row["need"].replace("%", " %").replace("factor", "a factor of")
        enough = "yes" if row["enough"] else f"no, that takes {need}"
        asked = f"{nouns.rises} there" if nouns.rises and row["quantity"] == "loss" else ASKED[row["quantity"]]
        lines.append(_row(sentence(asked).rstrip("."), at, value, f"{low} to {high}", enough))
    return [
        "## What the runs know, and how well",
        "At the compute of the most expensive run and at the asked budget, if the law is right. These intervals hold "
        "every law that the runs allow; those of the plan come from resampled runs. Where they differ, take the wider.",
        "\n".join(lines),
    ]


def _plan(answer: dict[str, Any], nouns: Nouns) -> list[str]:
    plan = answer["plan"]
    if plan is None or answer["kind"] == NOTHING:
        return []
    parts, rows = ["## The plan"], pd.DataFrame(plan["allocation"])
    if plan["open_question"]:
        parts.append("The runs leave the size open, so the plan has intervals and no single numbers.")
    elif answer["approach"] != 3:
        parts.append("By the fitted law, for comparison: the answer above does not rest on it.")
    elif answer.get("over_laws"):
        parts.append(
            "By the law whose terms are added. The intervals of the answer at the top are wider: they hold those of "
            "the law with coupled terms as well, since nothing says that the runs follow either form. Decide by them."
        )
    titles = {"compute-optimal": "Least loss for the budget"}
    if answer["inference_tokens"]:
        titles["with inference"] = f"Cheapest over its life, if it will serve {much(answer['inference_tokens'])} tokens"
    for problem, title in titles.items():
        parts += [f"**{title}**", _allocation(rows[rows["problem"] == problem], bool(plan["open_question"]), nouns)]
    if plan["off_optimum"]:
        parts += ["**What another size would cost**", _other_sizes(plan["off_optimum"], nouns)]
    return parts


def _allocation(rows: pd.DataFrame, opened: bool, nouns: Nouns) -> str:
    lines = ["| | 95 % interval |", "|---|---|"] if opened else ["| | best | 95 % interval |", "|---|---|---|"]
    for row in rows.itertuples():
        name, form = PLANNED[row.quantity]
        estimate, low, high = row.estimate, row.low, row.high
        shown = form or nouns.number
        if form is None:
            estimate, low, high = nouns.ends(estimate, low, high)
            name = name.replace("loss", nouns.rises) if nouns.rises else name
        known = math.isfinite(low) and math.isfinite(high)
        ends = f"{shown(low)} to {shown(high)}" if known else "not known"
        lines.append(_row(name, ends) if opened else _row(name, shown(estimate), ends))
    return "\n".join(lines)


def _other_sizes(rows: list[dict[str, Any]], nouns: Nouns) -> str:
    lines = [_row("another size", "parameters", "loss above the best", "share of the budget that it wastes")]
    lines += ["|---|---|---|---|"]
    for row in rows:
        if row["size_ratio"] in SHARES:
            loss = interval(row["extra_loss_low"], row["extra_loss_high"], nouns.number)
            waste = interval(row["compute_wasted_low"], row["compute_wasted_high"], "{:.0%}".format)
            cells = [f"{nouns.number(row['extra_loss'])} {loss}", f"{row['compute_wasted']:.0%} {waste}"]
            lines.append(_row(SHARES[row["size_ratio"]], much(row["params"]), *cells))
    return "\n".join(lines)


def _explorer(summary: dict[str, Any]) -> list[str]:
    """A figure in which the budget can be moved, by the reader's own law; nothing without one."""
    law = _parametric(summary)
    answer, meter = summary["answer"], summary["input"]["meter"]
    if answer["kind"] == NOTHING or law["status"] == "not_identified" or not law["constants"]:
        return []
    if meter["kind"] in ("power", "sizes"):  # by which another size is best than by 6 N D
        return []
    figure = [":::{moving} budget", f":file: {MARK}", f":budget: {answer['flops'] * in_6nd(meter):.6g}", ""]
    figure += ["In a browser with JavaScript, the budget can be moved here.", ":::"]
    return ["## Another budget", "\n".join(figure)]


def _distrust(summary: dict[str, Any]) -> list[str]:
    """What the plan says of itself, and what was noticed in the table: what the checks have not said."""
    table, answer = summary["input"], summary["answer"]
    checked = [_key(each["found"]) for each in answer["checks"]]
    checked += [_key(answer["why"])] if answer["kind"] == NOTHING else []
    plan = answer["plan"]["notes"] if answer["plan"] and answer["kind"] != NOTHING else []
    said: dict[str, str] = {}
    noticed = [note for note in table["notes"] if not _READ.match(note)]
    for note in [*plan, *table["looks"], *table["warnings"], *noticed]:
        if COUNTED in note and any(_key(COUNTED) in other for other in said):
            continue
        if not any(_key(note) in other or other in _key(note) for other in [*checked, *said]):
            said[_key(note)] = f"- {escaped(sentence(note))}"
    always = (
        "- An interval knows the noise of the runs. It does not know a learning rate that suited small models only, or "
        "a bend beyond the most expensive run."
    )
    return ["## What to distrust", "\n".join([*said.values(), always])]


def _key(words: str) -> str:
    """Letters and digits of a sentence, by which one that was said before is known."""
    return re.sub(r"\W+", "", in_words(words).casefold())


def _next_runs(answer: dict[str, Any], nouns: Nouns) -> list[str]:
    more, head = answer["next_runs"], "## The runs to add first"
    if answer["kind"] == NOTHING:
        return []
    if "runs" not in more:
        return [head, f"No single run can be named. {escaped(sentence(more['reason']))}"]
    lines = [_row("parameters", "tokens", "tokens per parameter", "compute [FLOP]", "expected loss", "how often")]
    lines += ["|---|---|---|---|---|---|"]
    for row in more["runs"]:
        cells = [much(row["params"]), much(row["tokens"]), factor(row["tokens_per_param"]), amount(row["flops"])]
        lines.append(_row(*cells, nouns.number(row["loss"]), times(row["repeats"])))
    before, after = (factor(math.exp(more[name])) for name in ("width_before", "width_after"))
    miss, missed = (f"{math.expm1(more[name]):.0%}" for name in ("miss_before", "miss_after"))
    spans, misses = (
        f"{now} instead of {then}" if now != then else f"{now} as it is without them"
        for now, then in ((after, before), (missed, miss))
    )
    words = (
        f"No run costs more than your most expensive one; all together cost {amount(more['flops'])} FLOP. With their "
        f"losses simulated, the interval of the best size spans a factor of {spans}; and were "
        f"another law true, the best size would be missed by {misses}."
    )
    return [head, "\n".join(lines), words]


def _table(summary: dict[str, Any], runs: pd.DataFrame) -> list[str]:
    table = summary["input"]
    ranges = {
        "parameters": (format_count, runs["params"]),
        "tokens": (format_count, runs["tokens"]),
        "compute [FLOP]": (format_flops, runs["flops"]),
        "loss [nats per token]": ("{:.4g}".format, runs["loss"]),
    }
    lines = ["| | smallest | largest |", "|---|---|---|"]
    lines += [_row(name, shown(each.min()), shown(each.max())) for name, (shown, each) in ranges.items()]
    read = [", ".join(filter(None, [f"{m['name']} from {m['column']!r}", m["unit"]])) for m in table["mapping"]]
    notes = [f"- {escaped(sentence(note))}" for note in table["notes"] if _READ.match(note)]
    return [
        "## The table",
        "\n".join(lines),
        "The table as it was used is <a href='runs.csv'>runs.csv</a>; all that this page says, for programs, is in "
        f"<a href='summary.json'>summary.json</a>. The SHA-256 of the file begins with "
        f"`{table['sha256'][:16]}`.",
        *(["How its columns were read:", fenced("\n".join(read))] if read else []),
        *(["\n".join(notes)] if notes else []),
    ]


def _laws(summary: dict[str, Any]) -> list[str]:
    resamples = summary["options"]["n_resamples"]
    ruling = summary["answer"]["ruling"]
    rule = escaped(f"{sentence(ruling['found'])} {sentence(ruling['rule'])}")
    if summary["answer"]["kind"] == NOTHING and not summary["answer"]["checks"] and summary["input"].get("pooled"):
        rule = "None of them: the rows are not one run each of one family, as is said above."
    return [
        "## The laws",
        "$$\nL(N, D) = E + \\frac{A}{N^\\alpha} + \\frac{B}{D^\\beta}, \\qquad N^*(C) \\propto C^a\n$$ (intro-law)",
        f"$N$ counts parameters, $D$ tokens, $C$ compute. Intervals are 95 %, from {resamples:,} resampled tables.",
        *(_law(law) for law in summary["laws"]),
        *_differences(summary["differences"]),
        f"**Which to follow.** {rule}",
    ]


def _law(law: dict[str, Any]) -> str:
    said = [escaped(sentence(each)) for each in (law["message"], law.get("no_intervals", "")) if each]
    said += [_remark(each) for each in law.get("remarks", [])]
    lines = ["| constant | value | 95 % interval |", "|---|---|---|"]
    for name, value in law.get("constants", {}).items():
        low, high = (law["intervals"] or {}).get(name, (math.nan, math.nan))
        lines.append(_row(CONSTANTS.get(name, name), f"{value:.4g}", interval(low, high, "{:.4g}".format)))
    head = f"**Approach {APPROACHES[law['approach']]}**: {law['status'].replace('_', ' ')}. {' '.join(said)}".rstrip()
    return "\n\n".join([head, *(["\n".join(lines)] if len(lines) > 2 else [])])


def _remark(words: str) -> str:
    """What is to be known of an interval; the constant by its letter."""
    name, colon, rest = words.partition(": ")
    if colon and name in CONSTANTS:
        return f"{CONSTANTS[name].split(',')[0]}: {escaped(in_words(rest))}."
    return escaped(sentence(words))


def _parametric(summary: dict[str, Any]) -> dict[str, Any]:
    (law,) = [each for each in summary["laws"] if each["approach"] == 3]
    return law


def _differences(differences: dict[str, Any]) -> list[str]:
    if not differences["pairs"]:
        return []
    lines = ["| approaches | difference of $a$ | 95 % interval | runs drawn |", "|---|---|---|---|"]
    for each in differences["pairs"]:
        ends = interval(each["low"], each["high"], "{:.2g}".format)
        lines.append(_row(each["approaches"], f"{each['difference']:.2g}", ends, each["drawn"]))
    said = escaped(sentence(differences["words"]))
    return ["**The approaches side by side**, by the difference of their exponents:", "\n".join(lines), said]


def _chapters(outcomes: dict[Chapter, Outcome]) -> list[str]:
    done = sum(outcome.kind == DONE for outcome in outcomes.values())
    rows = [_row(f"[](notebooks/{each.name}.ipynb)", outcome.kind) for each, outcome in outcomes.items()]
    words = (
        f"The chapters of *Scaling laws, recomputed* on these runs: {done} of {len(outcomes)} came through. "
        "For another budget, or a model that will serve many tokens, make the book again with `--flops 1e24` or "
        "`--inference-tokens 1e13`."
    )
    return ["## The chapters", words, "\n".join(["| chapter | outcome |", "|---|---|", *rows])]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _unbroken(text: str) -> str:
    """No line ends between a number and what belongs to it."""
    text = text.replace(" × 10", "\u00a0×\u00a010").replace("95 %", "95\u00a0%")
    return re.sub(r"(\d) (thousand|million|billion|trillion)\b", "\\1\u00a0\\2", text)
