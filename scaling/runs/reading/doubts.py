"""Units and columns judged by all numbers of a table: what they make unlikely is asked.

Compared are the quantities with each other and the losses with those that published runs of the same size reached
(:mod:`.likeness`). A header may be wrong as a guess may; what an option states is not doubted.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ..numbers import to_numbers
from ..vocabulary import TRIPLE
from .glance import glance
from .likeness import LEAST_LOSS, like_published, likely_units, no_perplexities, summed
from .mapping import Mapped
from .overflow import overflown
from .units import stated_unit

#: the middle one of the different values of a quantity in plain counts is not smaller
_MIDDLE = {"params": 2e4, "tokens": 1e5, "flops": 1e9, "budget": 1e9}
#: tokens per parameter of the longest run of the middle size: more and fewer are asked about
MOST_RATIO, LEAST_RATIO = 1e5, 1.0
#: many studies have so many, and no model so many parameters
USUAL_RATIO, LARGEST = 2e3, 1e14
#: factors between flops and 6 N D that are a slip of units, and how near they have to be
_THOUSANDS, _NEAR = 10.0 ** np.array([-18, -15, -12, -9, -6, -3, 3, 6, 9, 12, 15, 18]), np.log(1.5)
#: neither is one whose middle value is above the first of these, and the largest above the last: a guess among 100,000
#: tokens costs 11.5
_MIDDLE_LOSS, _GUESS = 9.0, 12.5
#: rows that are looked at, of a large table
MOST = 20_000
#: models of so many parameters have a loss of one nat per token at least
_SIZE = 1e5
#: a column says the same as a quantity that follows from others where so many rows lie within this of it
_SAME, _NEAR_SAME = 0.9, 0.02


@np.errstate(all="ignore")
def doubts(frame: pd.DataFrame, mapped: list[Mapped]) -> list[str]:
    """Questions about what no option states, in words with the options that answer them.

    Where runs end on several losses, whichever of them is meant has to raise the question.
    """
    if words := overflown(frame.iloc[:: max(1, len(frame) // MOST)], answerable(mapped)):
        return words
    asked = _doubts_of(_ends(frame), mapped)
    return asked if asked and _doubts_of(_ends(frame.iloc[::-1]), mapped) else []


def _doubts_of(frame: pd.DataFrame, mapped: list[Mapped]) -> list[str]:
    """The questions about a table of runs."""
    given = answerable(mapped)
    frame = frame.iloc[:: max(1, len(frame) // MOST)]
    numbers = {name: to_numbers(frame[name])[0] for name in (*TRIPLE, "budget", "loss") if name in frame}
    assumed = {name: m.column for name, m in given.items() if m.source == "assumed"}
    return (
        _small(numbers, given)
        or _in_step(numbers, given)
        or _per_param(frame, numbers, given, mapped)
        or _as_published(_completed(numbers), given)
        or _converted(_completed(numbers), mapped)
        or _loss(numbers, assumed)
    )


#: words for units of a loss in text beside a table
_UNITS = (
    (r"bits?[\s/_-]*(?:per[\s_-]*)?(?:byte|character|char)|bp[bc]\b", "bits_per_byte"),
    (r"(?<![-\d])bits?\b|bpt\b|base[\s-]*2\b|log_?2\b", "bits"),
    (r"perplexit|\bppl", "perplexity"),
)
_OF_LOSS = r"(?i)loss|entropy|\bnll|verlust|perte"


def units_beside(aside: Iterable[str], mapped: list[Mapped]) -> list[str]:
    """A question where text above or below a table names a unit of its losses that no header and no option does."""
    loss = next((m for m in mapped if m.name == "loss" and m.source == "assumed"), None)
    if loss is None:
        return []
    for line in aside:
        for pattern, unit in _UNITS:
            if re.search(_OF_LOSS, line) and re.search(rf"(?i)(?<![a-z]){pattern}", line):
                words = f"{line[:60]!r} stands beside the table: --loss-unit {unit} takes column {loss.column!r} so"
                return [f"{words}, --loss-unit nats as the numbers are"]
    return []


def answerable(mapped: list[Mapped]) -> dict[str, Mapped]:
    """The quantities of which no option says how they are to be read, by name."""
    return {m.name: m for m in mapped if m.source in ("assumed", "header", "cells")}


def _ends(frame: pd.DataFrame) -> pd.DataFrame:
    """The last points of training curves: the first ones are like no published run."""
    if "run" not in frame or "tokens" not in frame or not frame["run"].duplicated().any():
        return frame
    order = np.argsort(to_numbers(frame["tokens"])[0], kind="stable")
    return frame.iloc[np.sort(order[~frame["run"].iloc[order].duplicated(keep="last").to_numpy()])]


def _completed(numbers: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The numbers with params or tokens from flops = 6 N D where they are lacking."""
    full = dict(numbers)
    if "flops" in full:
        for name, other in (("tokens", "params"), ("params", "tokens")):
            if name not in full and other in full:
                full[name] = full["flops"] / (6 * full[other])
    return full


def _ask(names: list[str], given: Mapping[str, Mapped], units: Mapping[str, str]) -> str:
    """The options that answer a question about units; ``units`` are those that are likely."""
    names = [name for name in names if name in given]
    stated = {name: given[name].unit or "count" if given[name].source == "header" else "count" for name in names}
    other = units or {name: "count" if stated[name] != "count" else "millions" for name in names}
    options = " ".join(
        f"other units in the cells of {given[name].column!r}"
        if given[name].source == "cells"
        else f"--unit {name}={shlex.quote(unit)}"
        for name, unit in other.items()
    )
    as_they_are = " ".join(f"--unit {name}={shlex.quote(unit)}" for name, unit in stated.items())
    return f"{options} (or another unit), or {as_they_are} for the numbers as they are"


def _range(name: str, column: str, values: np.ndarray) -> str:
    good = values[np.isfinite(values) & (values > 0)]
    shown = f"column {column!r}" + (f" ({name})" if name != column else "")
    return f"{shown} runs from {good.min():g} to {good.max():g}"


def _small(numbers: Mapping[str, np.ndarray], given: Mapping[str, Mapped]) -> list[str]:
    """Counts in no stated unit that are too small for most rows."""
    small = []
    for name, least in _MIDDLE.items():
        values = numbers.get(name, np.array([]))
        good = np.unique(values[np.isfinite(values) & (values > 0)])
        if name in given and given[name].source == "assumed" and len(good) and np.median(good) < least:
            small.append(name)
    if not small:
        return []
    words = " and ".join(_range(name, given[name].column, numbers[name]) for name in small)
    if "params" in small and "tokens" in numbers and "tokens" in given and given["tokens"].source == "assumed":
        small = list(dict.fromkeys([*small, "tokens"]))
    return [f"{words}, little for a count: in which unit is it? {_ask(small, given, {})}"]


def _in_step(numbers: Mapping[str, np.ndarray], given: Mapping[str, Mapped]) -> list[str]:
    """Flops that are 6 N D times a power of a thousand in most rows."""
    if not set(TRIPLE) <= set(numbers) or not set(TRIPLE) & set(given):
        return []
    ratio = np.log(numbers["flops"] / (6 * numbers["params"] * numbers["tokens"]))
    ratio = ratio[np.isfinite(ratio)]
    for factor in _THOUSANDS:
        if len(ratio) and (np.abs(ratio - np.log(factor)) < _NEAR).mean() > 0.5:
            power = f"10^{round(np.log10(factor))}"
            return [
                f"flops is 6·params·tokens times {power} in most rows, so one of them is in another unit: "
                + _ask([*TRIPLE], given, {})
            ]
    return []


def _per_param(
    frame: pd.DataFrame, numbers: Mapping[str, np.ndarray], given: Mapping[str, Mapped], mapped: list[Mapped]
) -> list[str]:
    """Tokens per parameter that hardly any training run has."""
    numbers = _completed(numbers)
    if not {"params", "tokens"} <= set(numbers) or not set(TRIPLE) & set(given):
        return []
    N, D = numbers["params"], numbers["tokens"]
    good = np.isfinite(N) & np.isfinite(D) & (N > 0) & (D > 0)
    if not good.any():
        return []
    ratio = _longest(N[good], D[good])
    if LEAST_RATIO <= ratio <= MOST_RATIO:
        return []
    exchanged = _exchanged(frame, numbers, mapped) if ratio < LEAST_RATIO else ""
    return [
        f"the runs of the middle size have up to {ratio:.3g} tokens per parameter, where 1 to 10,000 are usual: "
        f"{exchanged}are params and tokens in the units they seem to be? "
        + _ask([*TRIPLE], given, likely_units(numbers, given))
    ]


def _longest(N: np.ndarray, D: np.ndarray) -> float:
    """Tokens per parameter of the longest run of each size, in the middle."""
    longest = pd.Series(D).groupby(N).max()
    return float(np.median(longest.to_numpy() / longest.index.to_numpy()))


def _plausible(numbers: Mapping[str, np.ndarray]) -> bool:
    """Whether sizes and tokens per parameter are those of many studies."""
    N, D = numbers["params"], numbers["tokens"]
    good = np.isfinite(N) & np.isfinite(D) & (N > 0) & (D > 0)
    return LEAST_RATIO <= _longest(N[good], D[good]) <= USUAL_RATIO and bool(N[good].max() < LARGEST)


def _exchanged(frame: pd.DataFrame, numbers: Mapping[str, np.ndarray], mapped: list[Mapped]) -> str:
    """A question whether params and tokens are exchanged, with the options that exchange them."""
    held = {m.name: m.column for m in mapped if m.name in ("params", "tokens") and m.source != "product"}
    if len(held) == 1:  # the other follows from flops = 6 N D, or stands in a column whose name does not say so
        (lacking,) = {"params", "tokens"} - set(held)
        taken = {m.name for m in mapped}
        for name in frame.columns:
            apart = np.abs(glance(lacking, frame[name], len(frame)) / numbers[lacking] - 1) if name not in taken else 1
            if np.mean(apart < _NEAR_SAME) > _SAME:
                held[lacking] = str(name)
                break
    other = {"params": "tokens", "tokens": "params"}
    if not held or any(m.source == "product" and m.name in other for m in mapped):
        return ""
    options = " ".join(f"--column {other[name]}={shlex.quote(column)}" for name, column in held.items())
    columns = " and ".join(map(repr, held.values()))
    return (
        f"do {columns} hold the other of the two? {options} exchanges them; or "
        if len(held) > 1
        else (f"does {columns} hold the {other[next(iter(held))]}? {options}; or ")
    )


def _as_published(numbers: Mapping[str, np.ndarray], given: Mapping[str, Mapped]) -> list[str]:
    """Losses that are like published ones in other units than those that were read, and in these are not.

    A unit that is stated is doubted where the numbers by themselves are odd, too.
    """
    loss = given.get("loss")
    if (
        loss
        and loss.unit in (None, "nats")
        and (words := like_published(numbers, loss.column, loss.source != "assumed"))
    ):
        return [words]
    units = likely_units(numbers, given)
    if not units or (any(given[name].source != "assumed" for name in units) and _plausible(numbers)):
        return []
    said = " and ".join(f"{name} in {unit}" for name, unit in units.items())
    return [
        "the losses are not those of models of so many parameters and tokens, and like published ones with "
        f"{said.replace('in count', 'as counts')}: {_ask([*units], given, units)}"
    ]


def _converted(numbers: Mapping[str, np.ndarray], mapped: list[Mapped]) -> list[str]:
    """Losses that a header or an option alone calls perplexities, and that are none."""
    loss = next((m for m in mapped if m.name == "loss" and m.unit == "perplexity"), None)
    named = loss is not None and stated_unit("loss", loss.column) == "perplexity"
    if loss is None or "loss" not in numbers or (named and loss.source == "option"):
        return []
    return [*filter(None, [no_perplexities(numbers, loss.column, loss.source != "option")])]


def _loss(numbers: Mapping[str, np.ndarray], assumed: Mapping[str, str]) -> list[str]:
    """Losses that are hardly nats per token, by themselves."""
    values = numbers.get("loss", np.array([]))
    good = values[np.isfinite(values) & (values > 0)]
    if "loss" not in assumed or len(good) < 3:
        return []
    where = _range("loss", assumed["loss"], values)
    as_they_are = "--loss-unit nats takes them as they are"
    if good.max() > _GUESS and (good.min() > LEAST_LOSS or np.median(good) > _MIDDLE_LOSS):
        asked = f"is it a perplexity? --loss-unit perplexity; or {summed(assumed['loss'])}"
        return [f"{where}, much for nats per token: {asked}; {as_they_are}"]
    N = numbers.get("params", np.array([]))
    if good.max() < 1.0 and (N >= _SIZE).sum() > len(N) / 2:
        hint = (
            "--loss-unit bits_per_byte --bytes-per-token NUMBER; --loss-unit other takes an error rate as it is; of a "
            "logarithm, name the loss itself"
        )
        return [
            f"{where}, little for nats per token: an error rate, bits per byte, or a logarithm? {hint}; {as_they_are}"
        ]
    return []
