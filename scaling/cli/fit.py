"""``scaling fit``: the laws of a table, how sure they are, and how they extrapolate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from .._words import percent, to_json
from ..diagnostics.approaches import APPROACH_NAMES, fit_approaches
from ..diagnostics.choice import BestLaw, best_law
from ..diagnostics.contenders import AS_ASKED, CONTENDERS, QUICK, Contender, as_asked
from ..diagnostics.inspection import inspect_runs
from ..diagnostics.laws import LawComparison, compare_laws
from ..diagnostics.pairing import pair
from ..diagnostics.splits import HELD_BY, HOLDOUTS
from ..errors import FitError
from ..fit.frontier import FrontierFit
from ..fit.result import Fit
from ..runs.curves import counted, last_points
from ..uncertainty.resampling import Bootstrap, bootstrap
from ..uncertainty.subsampling import subsampled_bootstrap
from .command import UNUSABLE, Command, Refusal
from .groups import groups_of_runs, records, refuse_none, side_by_side
from .options import constants_of, law_option, runs_options
from .power import Axes, compute_alone, fit_power
from .reach import POWER, refuse_few_resamples, refuse_unreached
from .reading import read_runs
from .recording import best_record, result_record
from .terminal import bullets, format_options, grid, heading, interval, number, say, table_nouns
from .writing import claim, write_whole

OBJECTIVES = ["log_huber", "huber", "log_squares", "log_absolute", "log_one_sided"]


@click.command("fit", cls=Command)
@click.argument("runs", nargs=-1, required=True, metavar="RUNS ...")
@runs_options
@click.option(
    "--approach", type=click.Choice(["1", "2", "3", "all"]), default="all", help="Which; by default all that can."
)
@law_option("power", words=" power is the law of one variable, y = c + a x^b, of --x and --y.")
@click.option(
    "--objective",
    type=click.Choice(OBJECTIVES),
    default="log_huber",
    show_default=True,
    help="Of approach 3: what is made small (log_one_sided where some runs diverged or were badly tuned).",
)
@click.option(
    "--delta",
    type=click.FloatRange(0, min_open=True),
    default=1e-3,
    show_default=True,
    help="Threshold of Huber's loss.",
)
@click.option(
    "--rows",
    type=click.Choice(["last", "all"]),
    default="last",
    show_default=True,
    help="Of approach 3, where runs have curves: their last points, or all points, resampled by whole runs.",
)
@click.option(
    "--fix",
    multiple=True,
    metavar="NAME=VALUE",
    callback=constants_of,
    help="Of approach 3: a constant given, not fitted, as --fix E=1.7: E, alpha, beta; of the coupled law E or k.",
)
@click.option(
    "--tie",
    type=click.Choice(["alpha=beta"]),
    help="Of approach 3: one exponent for both terms, with which size and tokens grow alike.",
)
@click.option(
    "--window",
    type=click.FloatRange(1, min_open=True),
    help="Of approach 2: only the sizes within this factor of each budget's minimum, either way.",
)
@click.option(
    "--holdout",
    type=click.Choice(list(HELD_BY)),
    help="What orders the runs of which the last are held out; by default flops for the table, and several for the "
    "verdict below it.",
)
@click.option("--x", help="With --law power: params, tokens, flops or a column of the file.")
@click.option("--y", help="With --law power: a column of the file; by default the loss.")
@click.option("--group", metavar="COLUMN", help="A law for the rows of each value of this column, side by side.")
@click.option("--level", default=0.95, type=click.FloatRange(0.0, 1.0, True, True), help="Of the intervals; 0.95.")
@click.option("--resamples", default=1000, type=click.IntRange(2, 100_000), help="Resampled tables; 1000.")
@click.option("--seed", default=0, type=click.IntRange(0), help="Of the resampling; 0.")
@click.option("--out", type=click.Path(path_type=Path), help="Write laws, intervals, versions and checksum as JSON.")
@click.option("--force", is_flag=True, help="Replace a file at --out that this command has not written.")
@click.option("--league", is_flag=True, help="Ask eight laws which foresees best, not three: seconds.")
@format_options
@click.pass_context
def command(
    context: click.Context,
    runs: tuple[str, ...],
    reading: dict[str, Any],
    approach: str,
    law: str,
    objective: str,
    delta: float,
    rows: str,
    fix: dict[str, float],
    tie: str | None,
    window: float | None,
    holdout: str | None,
    x: str | None,
    y: str | None,
    group: str | None,
    level: float,
    resamples: int,
    seed: int,
    out: Path | None,
    force: bool,
    league: bool,
    as_json: bool,
) -> None:
    """Fit scaling laws to a table of training runs: constants, intervals, extrapolation.

    Approaches are those of Hoffmann et al. 2022: 1, the lower envelope of training curves; 2, a parabola at each
    IsoFLOP budget; 3, the loss L = E + A/N^alpha + B/D^beta, or the coupled law of --law. What the table does not
    allow is said with the reason. RUNS and the options of reading are those of `scaling check`.

    \b
    Example:
        scaling fit my_runs.csv
        scaling fit my_runs.csv --approach 3 --resamples 4000 --out fit.json
    """
    refuse_few_resamples(level, resamples)
    if out is not None:
        claim(out, runs, force)
    which = (1, 2, 3) if approach == "all" else (int(approach),)
    refuse_unreached(context, [POWER] if law == "power" else [f"--approach {number}" for number in which])
    if law == "power":
        found = fit_power(runs, reading, Axes(x, y, reading["ceiling"]), level, resamples, seed)
        _told(found.record, found.show, out, runs, force, as_json)
        return
    how = {"law": law, "objective": objective, "delta": delta, "rows": rows, "fixed": fix, "tied": tie is not None}
    kept = as_json or out is not None
    asked = _Asked(which, how | {"window": window}, holdout, level, resamples, seed, league, kept)
    table = read_runs(runs, reading, group)
    if group is None:
        one = _fitted(table, " and ".join(runs), asked)
        _told(one.result, lambda: _print(one, level), out, runs, force, as_json)
    else:
        each = {label: _of_group(part, label, asked) for label, part in groups_of_runs(table, group).items()}
        refuse_none(each, "law")
        _told(records(each, group), lambda: _print_groups(each, group, level), out, runs, force, as_json)


def _told(
    result: dict[str, Any],
    show: Callable[[], None],
    out: Path | None,
    runs: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Write and print what was found."""
    record = to_json(result)
    if out is not None:
        claim(out, runs, force)  # minutes may have passed
        write_whole(out, record + "\n")
    if as_json:
        click.echo(record)
        return
    show()
    if out is not None:
        say("", f"Written: {out}")


def _print_groups(each: dict[str, _Fitted | FitError], group: str, level: float) -> None:
    for label, one in each.items():
        heading(f"== {group}: {label} ==")
        say(str(one)) if isinstance(one, FitError) else _print(one, level)
    side_by_side(each, group, level)


@dataclass(frozen=True)
class _Asked:
    """What a fit is asked for."""

    which: tuple[int, ...]
    how: dict[str, Any]
    holdout: str | None
    level: float
    resamples: int
    seed: int
    league: bool
    kept: bool


@dataclass(frozen=True)
class _Fitted:
    """A table, the fits of its approaches, and all that is told of them."""

    table: pd.DataFrame
    fits: dict[int, Fit | FrontierFit | FitError]
    compared: LawComparison | FitError
    best: BestLaw | FitError
    result: dict[str, Any]


def _of_group(table: pd.DataFrame, label: str, asked: _Asked) -> _Fitted | FitError:
    """A group's fits, or why it has none; the others go on."""
    try:
        return _fitted(table, label, asked)
    except Refusal as refusal:
        return FitError(str(refusal))


def _fitted(table: pd.DataFrame, name: str, asked: _Asked) -> _Fitted:
    """All that one table tells; ``Refusal`` where no approach can be fitted to it."""
    fits, seen = fit_approaches(table, asked.which, **asked.how), inspect_runs(table, ())
    looks = seen.looks
    if all(isinstance(found, FitError) for found in fits.values()):
        reasons = [f"  - approach {k}, {APPROACH_NAMES[k]}: {error}" for k, error in fits.items()]
        reasons += [f"  - {words}" for words in [*looks, *compute_alone(table)]]
        raise Refusal("\n".join([f"nothing can be fitted to {name}:", *reasons]), UNUSABLE)
    boots = {k: _spread(found, asked.resamples, asked.seed) for k, found in fits.items()}
    also = _also(fits.get(3), asked.how)
    laws = CONTENDERS if asked.league else QUICK
    best = _best(table, (*laws, *(law for law in also if law not in laws)), asked.seed, asked.holdout)
    compared = _compared(table, asked.seed, asked.holdout, also)
    spread = {k: boot for k, boot in boots.items() if isinstance(boot, Bootstrap)}
    paired = pair({k: fits[k] for k in spread}, spread, asked.resamples, asked.seed)
    result = result_record(table, fits, boots, compared, asked.level, asked.resamples, asked.seed, asked.kept)
    result |= {"looks": looks, "pooled": [each.words for each in seen.pooled]}
    result["options"] |= asked.how | {"holdout": asked.holdout}
    result["holdout"]["best_law"] = best_record(best)
    level = asked.level
    words, pairs = paired.words(level), paired.table(level)
    result |= {"differences": {"disagree": paired.disagree(level), "words": words, "pairs": pairs}}
    return _Fitted(table, fits, compared, best, result)


def _spread(found: Fit | FrontierFit | FitError, resamples: int, seed: int) -> Bootstrap | FitError:
    """The bootstrap of a fit, or why there is none."""
    try:
        if isinstance(found, FitError):
            return found
        if isinstance(found, FrontierFit) and found.approach == 1:
            return bootstrap(found, resamples, seed)
        return subsampled_bootstrap(found, n_resamples=resamples, seed=seed)
    except FitError as error:
        return error


def _also(fit: Fit | FrontierFit | FitError | None, how: dict[str, Any]) -> tuple[Contender, ...]:
    """The law as it was asked for, where that is none of those that take part anyway."""
    asked = as_asked(**{name: value for name, value in how.items() if name not in ("rows", "window")})
    return (asked,) if asked and isinstance(fit, Fit) else ()


def _compared(table: pd.DataFrame, seed: int, by: str | None, also: tuple[Contender, ...]) -> LawComparison | FitError:
    try:
        return compare_laws(table, seed=seed, by=by or "flops", also=also)
    except FitError as error:
        return error


def _best(table: pd.DataFrame, laws: tuple[Contender, ...], seed: int, by: str | None) -> BestLaw | FitError:
    try:
        return best_law(table, laws, tuple(HOLDOUTS) if by is None else (HELD_BY[by],), seed=seed)
    except FitError as error:
        return error


def _print(found: _Fitted, level: float) -> None:
    table, result, best = found.table, found.result, found.best
    reading = table.attrs["reading"]
    say(f"{reading['name']}: {counted(table)}; {reading['kind']}; sha256 {reading['sha256'][:12]}")
    mapped = [m for m in reading["mapping"] if m["name"] != m["column"] or m["from"] not in ("assumed", None)]
    words = [f"{m['name']} from {m['column']!r}" + (f" in {m['unit']}" if m["unit"] else "") for m in mapped]
    notes = result["notes"] + result["warnings"]
    about, ends = [*filter(None, [table_nouns().about()])], last_points(table)
    if len(ends) < len(table):
        if result["options"]["rows"] == "all":
            words = "a point before the end of a run is not what a shorter run reaches, unless its rate is constant"
            notes.append(f"curves: approach 3 uses all points of {len(ends):,} runs (--rows all): {words}")
        else:
            notes.append(
                f"curves: approaches 2 and 3 and the hold-out use the last point of each of {len(ends):,} runs"
            )
    elif result["options"]["rows"] == "all":
        notes.append("no run of this table has several rows, so --rows all changes nothing")
    bullets(result["looks"], most=40)
    bullets([*(["read: " + "; ".join(words)] if words else []), *about], ours=True)
    bullets(notes, most=40)
    for k, out in result["approaches"].items():
        heading(f"Approach {k}, {APPROACH_NAMES[k]}" + (f": {out['equation']}" if out["possible"] else ""))
        if not out["possible"]:
            bullets([f"not possible: {out['reason']}"])
            continue
        rows = [
            (r["name"], r["estimate"], "given" if r["given"] else interval(r["low"], r["high"]))
            for r in out["constants"]
        ]
        grid(pd.DataFrame(rows, columns=["constant", "estimate", f"{percent(level)} % interval"]), ("constant",))
        bullets(_diagnostics(out))
        bullets([out["leaning"]] if out.get("leaning") else [])
        if out.get("certainty"):
            _print_certainty(out["certainty"], level)
    _print_exponents(result["approaches"], level)
    _print_differences(result["differences"], level)
    _print_holdout(found.compared)
    bullets([best.words if isinstance(best, BestLaw) else f"no law can be told the best: {best}"])


def _print_certainty(rows: list[dict[str, Any]], level: float) -> None:
    """A row a question, with its answer."""
    say("  what the runs know, by profile likelihood, as far as the law is right:")
    words = {"a": "exponent a", "params": "best size", "loss": "its loss", "E": "E", "k": "coupling k"}
    title = f"{percent(level)} % interval"
    columns = ["quantity", "at FLOPs", "value", title, "needed", "enough"]
    nouns = table_nouns()
    lines = []
    for r in rows:
        name, value, ends, need = words[r["quantity"]], r["value"], (r["low"], r["high"]), r["need"]
        if nouns.rises and r["quantity"] == "loss":
            name, need = f"its {nouns.rises}", f"{need} of what is missing"
            value, *ends = nouns.ends(value, *ends)
        lines.append((name, r["flops"], value, interval(*ends), need, r["enough"]))
    grid(pd.DataFrame(lines, columns=columns), ("quantity", "needed"))


def _print_exponents(approaches: dict[int, dict[str, Any]], level: float) -> None:
    heading("Exponents: the best size grows as C^a, the best number of tokens as C^b")
    rows = []
    for k, out in approaches.items():
        if out["possible"]:
            a, b = out["exponents"]["a"], out["exponents"]["b"]
            spans = [interval(x["low"], x["high"]) for x in (a, b)]
            rows.append((f"{k}, {APPROACH_NAMES[k]}", a["estimate"], spans[0], b["estimate"], spans[1]))
    title = f"{percent(level)} % interval"
    grid(pd.DataFrame(rows, columns=["approach", "a", f"{title} of a", "b", f"{title} of b"]), ("approach",))


def _print_differences(differences: dict[str, Any], level: float) -> None:
    pairs = differences["pairs"]
    if not len(pairs):
        return
    heading("Differences of a between approaches, which say more than intervals side by side")
    title = f"{percent(level)} % interval"
    rows = [(p.approaches, p.difference, interval(p.low, p.high), p.drawn) for p in pairs.itertuples()]
    grid(pd.DataFrame(rows, columns=["approaches", "difference", title, "runs drawn"]), ("approaches", "runs drawn"))
    say(f"  {differences['words']}")


def _print_holdout(compared: LawComparison | FitError) -> None:
    heading("Hold-out: laws fitted to the cheaper runs predict the more expensive ones")
    if isinstance(compared, FitError):
        bullets([f"not possible: {compared}"])
        return
    say(f"  {compared.split}")
    grid(compared.table.rename(columns={"held_out": "held out"}), ("law", "equation", "status"))
    if AS_ASKED in compared.fits:
        say(f"  {AS_ASKED} is that of approach 3 above; the others are as they are named, by log_huber")
    say("  errors of ln loss: root mean squares on the runs fitted and held out, mean and largest on those held out")
    if np.isfinite(compared.noise):
        say(f"  repeated runs differ by {number(compared.noise)}, which no law can predict")


def _diagnostics(out: dict[str, Any]) -> list[str]:
    """How far to trust a fit, in words."""
    if "status" in out:
        words = [
            f"status: {out['status']}" + (f" ({out['message']})" if out["message"] else ""),
            f"{out['runs']:,} runs; rms residual {number(out['rms_residual'])} in ln loss; condition "
            f"{number(out['condition'])}; {out['starts_agreeing']} of {out['starts']} starts agree",
        ]
    else:
        words = [f"{out['usable_budgets']:,} of {out['budgets']:,} budgets usable; {out['runs']:,} rows"]
        if out["of_final_losses"]:
            words.append("curves are the final losses of the runs of one size")
        words += [f"{count:,} left out: {reason}" for reason, count in out["left_out"].items()]
    if out.get("one_sided"):
        words.append(out["one_sided"])
    if out.get("given"):
        words.append(f"given by hand, and taken for exact: {out['given']}; no interval knows of an error in it")
    if "resamples" in out:
        shares = {"on a bound": "at_bound", "not identified": "not_identified", "unconverged": "unconverged"}
        words.append("resamples: " + ", ".join(f"{out['resamples'][key]:.1%} {name}" for name, key in shares.items()))
    return words + [f"intervals: {text}" for text in filter(None, [out["note"], *out["remarks"]])]
