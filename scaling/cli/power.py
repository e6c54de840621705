"""The law of one variable, y = c + a x^b, of a table that need not hold more than two columns."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from .. import __version__
from .._words import percent
from ..diagnostics.skewness import LEAST as SKEWED
from ..diagnostics.skewness import residual_skewness
from ..diagnostics.trend import chance_of_trend
from ..errors import FitError, RunsError
from ..fit.power_law import fit_power_law, profiled
from ..fit.result import Fit
from ..laws.base import Law
from ..runs.preparing.expressions import as_numbers
from ..runs.preparing.sweeps import best_of
from ..runs.reading.mapping import told
from ..runs.reading.other_laws import is_accuracy
from ..runs.reading.table import RunsTable, read_table
from ..uncertainty.intervals import Interval
from ..uncertainty.resampling import Bootstrap, bootstrap
from .command import UNUSABLE, Refusal
from .terminal import bullets, grid, heading, interval, number, say

QUANTITIES = ("flops", "params", "tokens")
#: points of a law of three constants that leave something to judge it by
LEAST = 5
#: points up to which intervals reach as far as the profile likelihood does: resamples of so few lie too near together
FEW = 200
#: root mean square of residuals of ln y beyond which points are no one curve
ONE_CURVE = 0.03
#: residuals bend where those of a right law do as much in less than this share of tables
BENDS = 0.02


@dataclass(frozen=True)
class Axes:
    """The two columns and, where y rises, the limit it rises to."""

    x: str | None
    y: str | None
    ceiling: float | None


@dataclass(frozen=True)
class Power:
    """A law of one variable and how it was found."""

    fit: Fit
    boot: Bootstrap
    record: dict[str, Any]
    level: float
    y: str

    def show(self) -> None:
        """Print it."""
        told = self.record
        say(f"{told['input']['name']}: {told['points']:,} points; {told['input']['kind']}")
        mapped = [m for m in told["input"]["mapping"] if m["name"] in (told["x"], self.y)]
        words = [f"{m['name']} from {m['column']!r}" + (f" in {m['unit']}" if m["unit"] else "") for m in mapped]
        bullets([*(["read: " + "; ".join(words)] if words else []), *told["notes"]])
        heading(f"{told['equation']}, where x is {told['x']} and y is {told['y']}")
        rows = [(r["name"], r["estimate"], interval(r["low"], r["high"])) for r in told["constants"]]
        title = f"{percent(self.level)} % interval"
        grid(pd.DataFrame(rows, columns=["constant", "estimate", title]), ("constant",))
        bullets([f"status: {told['status']}" + (f" ({told['message']})" if told["message"] else "")])
        bullets([f"rms residual {number(told['rms_residual'])} in ln y", *told["remarks"]])
        heading("Beyond the points, as far as the law is right")
        limit, name = told["ceiling"], told["y"]
        if limit is None:
            ahead = [(r["x"], r["y"], interval(r["low"], r["high"])) for r in told["ahead"]]
        else:
            name = self.y
            ahead = [(r["x"], limit - r["y"], interval(limit - r["high"], limit - r["low"])) for r in told["ahead"]]
        grid(pd.DataFrame(ahead, columns=[told["x"], name, title]))


@dataclass(frozen=True)
class _Points:
    """Columns x and y of a table, as they are fitted, and what was done to them."""

    table: RunsTable
    frame: pd.DataFrame
    x: str
    y: str
    notes: list[str]


def fit_power(
    sources: tuple[str, ...], reading: dict[str, Any], axes: Axes, level: float, resamples: int, seed: int
) -> Power:
    """Read two columns and fit the law; ``Refusal`` where they do not go together."""
    if len(sources) > 1:
        raise Refusal("--law power takes one table: put the points into one file")
    options, chosen = _options(reading, axes)
    table = _read(sys.stdin.buffer if sources[0] == "-" else sources[0], options, axes)
    read = _best(_positive(_columns(table, axes), axes), *chosen)
    points, x, y, notes = read.frame, read.x, read.y, read.notes
    different = points[x].nunique()
    if different < LEAST:
        raise Refusal(f"{different} different values of {x}: a law of three constants needs {LEAST} at least", UNUSABLE)
    if len(points) > 2 * different:
        notes.append(
            f"many points share their {x}: the law is of their middle; of the best, --best-of {x} keeps the least"
        )
    fit = fit_power_law(points[x], points[y], offset=True)
    if fit.status == "not_identified":
        raise Refusal(
            f"{y} against {x}: {fit.message}".replace("the loss", y).replace(" with x ", f" with {x} "), UNUSABLE
        )
    boot = bootstrap(fit, resamples, seed)
    story = {"name": str(sources[0]), "sha256": table.sha256, "kind": table.kind, "mapping": told(table.mapping)}
    record = {"input": story, "notes": notes, "ceiling": axes.ceiling}
    name = f"{axes.ceiling:g} - {y}" if axes.ceiling is not None else y
    return Power(fit, boot, record | _record(fit, boot, points[x], x, name, level), level, y)


def _options(reading: dict[str, Any], axes: Axes) -> tuple[dict[str, Any], tuple[list[str], list[str]]]:
    """The options that a table is read by, and the columns of which the best points are kept, each over others."""
    options = dict(reading)
    by, over, vertex, drop = (options.pop(name) for name in ("best_of", "over", "vertex", "drop"))
    options.pop("skip_bad")
    if options.pop("higher_is_better") and axes.ceiling is None:
        raise Refusal(f"--higher-is-better: to which limit does {axes.y or 'the loss'} rise? --ceiling LIMIT says it")
    options.pop("ceiling")
    final = options.pop("final")
    if drop or vertex or final != "last":
        named = "drop" if drop else "vertex" if vertex else "final"
        raise Refusal(f"--{named} is not known to --law power: --where chooses points")
    return options, (list(by), list(over))


def _columns(table: RunsTable, axes: Axes) -> _Points:
    """The two columns that the axes name, as numbers."""
    frame, notes = table.frame, list(table.notes)
    if axes.x == "flops" and "flops" not in frame:
        frame = frame.assign(flops=6 * as_numbers(frame["params"]) * as_numbers(frame["tokens"]))
        notes.append("flops = 6 N D")
    ours = _ours(table)
    x, y = (name if name in frame else ours.get(name, name) for name in (axes.x or _only(frame), axes.y or "loss"))
    for option, name in (("--x", x), ("--y", y)):
        if name not in frame:
            shown = ", ".join(repr(str(each)) for each in frame.columns[:30])
            raise Refusal(f"{option} {name}: there is no such column; columns are {shown}")
    points = frame.assign(**{x: as_numbers(frame[x]), y: as_numbers(frame[y])})
    _refuse_limit(y, frame[y], points[y], axes.ceiling)
    return _Points(table, points, x, y, notes)


def _positive(read: _Points, axes: Axes) -> _Points:
    """The points that have a logarithm: of y, or of what it lacks to its ceiling."""
    points, x, y, notes = read.frame, read.x, read.y, [*read.notes]
    if axes.ceiling is not None:
        points = points.assign(**{y: axes.ceiling - points[y]})
        notes.append(f"what is missing of {y} to {axes.ceiling:g} is fitted")
    good = (np.isfinite(points[[x, y]]) & (points[[x, y]] > 0)).all(axis=1)
    if not good.all():
        lost = int((~good).sum())
        notes.append(f"{lost:,} of {len(good):,} rows left out: no positive number in {x!r} or {y!r}")
    return replace(read, frame=points[good], notes=notes)


def _best(read: _Points, by: list[str], over: list[str]) -> _Points:
    """Of points that agree in the columns ``by`` the best."""
    if not by:
        return read
    ours = _ours(read.table)
    points = best_of(read.frame, [ours.get(name, name) for name in by], over or None, loss=read.y)
    return replace(read, frame=points, notes=[*read.notes, *points.attrs["notes"]])


def _ours(table: RunsTable) -> dict[str, str]:
    """Our names of the columns of a file."""
    return dict(zip(table.mapping["column"], table.mapping["name"], strict=True))


def _refuse_limit(name: str, column: pd.Series, values: pd.Series, ceiling: float | None) -> None:
    """``Refusal`` for a share that rises to a limit which is not named, or lies above the one that is."""
    most = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
    if ceiling is None and is_accuracy(name, column):
        limit = 1 if most <= 1 else 100
        raise Refusal(
            f"--y {name}: it rises to a limit, and c + a x^b to none: --ceiling {limit} fits what is missing to it"
        )
    if ceiling is not None and most >= ceiling:
        percent = "; is it per cent? --ceiling 100" if ceiling == 1 and most <= 100 else ""
        raise Refusal(f"--ceiling {ceiling:g}: {name!r} reaches {most:g}, which is not below it{percent}")


def _read(source: Any, options: dict[str, Any], axes: Axes) -> RunsTable:
    """The table, in which size and tokens may stand for compute."""
    needs = [name for name in (axes.x, axes.y or "loss") if name in (*QUANTITIES, "loss")]
    try:
        return read_table(source, **options, needs=needs)
    except RunsError:
        if "flops" not in needs or not isinstance(source, str):
            raise
        return read_table(source, **options, needs=[*(n for n in needs if n != "flops"), "params", "tokens"])


def _only(frame: pd.DataFrame) -> str:
    """The one quantity that the table holds."""
    found = [name for name in QUANTITIES if name in frame]
    if len(found) == 1:
        return found[0]
    shown = " or ".join(f"--x {name}" for name in found) if found else "--x COLUMN"
    columns = ", ".join(repr(str(each)) for each in frame.columns[:30])
    raise Refusal(f"against what? {shown} says it; columns are {columns}")


def _record(fit: Fit, boot: Bootstrap, x: pd.Series, x_name: str, y_name: str, level: float) -> dict[str, Any]:
    """All that is told of a law, as it goes into a file."""
    constants = {name: float(value) for name, value in fit.candidate.constants.items()}
    spans = {name: boot.percentiles(level, of=name) for name in constants}
    places = [factor * float(x.max()) for factor in (10.0, 100.0)]
    at_places = [boot.percentiles(level, of=partial(_value, at=at)) for at in places]
    if len(x) <= FEW:
        own, beyond = profiled(fit, level, places)
        spans = {name: _both(span, own[name]) for name, span in spans.items()}
        at_places = [_both(span, tuple(ends)) for span, ends in zip(at_places, beyond, strict=True)]
    ahead = [
        {"x": at, "y": float(_value(fit.candidate, at)), "low": float(span.low), "high": float(span.high)}
        for at, span in zip(places, at_places, strict=True)
    ]
    remarks = [f"{name}: {words}" for name in constants for words in spans[name].remarks(level)]
    off = float(np.sqrt(np.mean(fit.residuals**2)))
    if off > ONE_CURVE:
        words = f"the points lie {off:.1%} off this line (rms): something besides {x_name} varies among them"
        remarks.append(f"{words}, and the forecast is of their mixture, not of the best at each {x_name}")
    if chance_of_trend(fit) < BENDS:
        words = f"what this law misses bends with {x_name} by more than noise, as where a line breaks"
        remarks.append(f"{words}: the forecast beyond the points, and its interval, are not to be relied on")
    if len(x) >= SKEWED and (lean := residual_skewness(fit)).words:
        words = (
            f"residuals lean upwards (skewness {lean.value:.2f}): some points may only lose, badly tuned or cut short"
        )
        remarks.append(f"{words}; the line is of their middle, and that of the best lies lower")
    bound = constants.get("offset") == 0.0
    remarks += ["the constant c is 0, the least it may be: the points show no floor"] if bound else []
    return {
        "versions": {"scaling": __version__},
        "equation": "y = c + a x^b",
        "x": x_name,
        "y": y_name,
        "points": len(x),
        "constants": [
            {
                "name": {"offset": "c", "coefficient": "a", "exponent": "b"}[name],
                "estimate": constants[name],
                "low": float(spans[name].low),
                "high": float(spans[name].high),
            }
            for name in ("offset", "coefficient", "exponent")
        ],
        "status": fit.status,
        "message": fit.message,
        "rms_residual": float(np.sqrt(np.mean(fit.residuals**2))),
        "remarks": remarks,
        "ahead": ahead,
    }


def _both(span: Interval, ends: tuple[float, float]) -> Interval:
    """The percentiles of resamples and these ends of a profile likelihood, as one interval; none where one is not."""
    return replace(span, low=np.minimum(span.low, ends[0]), high=np.maximum(span.high, ends[1]))


def _value(law: Law, at: float) -> np.ndarray | float:
    return law.value(at)


def compute_alone(table: pd.DataFrame) -> list[str]:
    """The law in compute alone, as an offer where size and tokens cannot be told apart; nothing where it has none."""
    try:
        fit = fit_power_law(table["flops"], table["loss"], offset=True)
    except FitError:
        return []
    off = float(np.sqrt(np.mean(fit.residuals**2)))
    if table["flops"].nunique() < LEAST or fit.status != "solved" or off > ONE_CURVE:
        return []
    c, a, b = (fit.candidate.constants[name] for name in ("offset", "coefficient", "exponent"))
    words = f"in compute alone the loss is {number(c)} + {number(a)} C^{number(b)} along these runs, best or not"
    return [f"{words}: scaling fit --law power --x flops gives its intervals"]
