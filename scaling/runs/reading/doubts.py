"""Units that nobody stated, judged by all numbers of a table: what they make unlikely is asked.

Compared are the quantities with each other and, for tables of language models' size, the losses with those that
published runs of the same size reached. Whatever a header or an option states is not doubted.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...laws.chinchilla import ChinchillaLaw
from ..problems import to_numbers
from .columns import Mapped
from .units import BIT

#: the middle one of the different values of a quantity in plain counts is not smaller
_MIDDLE = {"params": 2e4, "tokens": 1e5, "flops": 1e9, "budget": 1e9}
#: tokens per parameter of the longest run of the middle size: more and fewer are asked about
MOST_RATIO, LEAST_RATIO = 1e5, 0.1
#: factors between flops and 6 N D that are a slip of units, and how near they have to be
_THOUSANDS, _NEAR = 10.0 ** np.array([-18, -15, -12, -9, -6, -3, 3, 6, 9, 12, 15, 18]), np.log(1.5)
#: a loss whose least or middle value is above the first two of these, and the largest above the last, is hardly one in
#: nats per token: a guess among 100,000 tokens costs 11.5
_LEAST_LOSS, _MIDDLE_LOSS, _GUESS = 6.0, 9.0, 12.5
#: losses beside those of published runs: between these factors they are believed, and this is how alike a shape is,
#: above and, where nothing else is as low, below
_BELIEVED, _ALIKE, _LIKE = (0.5, 1.28), 0.05, 0.08
#: rows that are looked at, of a large table
MOST = 20_000
#: fewest rows, parameters and tokens for that comparison
_ROWS, _SIZE, _LENGTH = 6, 1e6, 1e7
_TRIPLE = ("params", "tokens", "flops")


@np.errstate(all="ignore")
def doubts(frame: pd.DataFrame, mapped: list[Mapped]) -> list[str]:
    """Questions about units that were assumed, in words with the options that answer them.

    Where runs end on several losses, whichever of them is meant has to raise the question.
    """
    asked = _doubts_of(_ends(frame), mapped)
    return asked if asked and _doubts_of(_ends(frame.iloc[::-1]), mapped) else []


def _doubts_of(frame: pd.DataFrame, mapped: list[Mapped]) -> list[str]:
    """The questions about a table of runs."""
    frame = frame.iloc[:: max(1, len(frame) // MOST)]
    numbers = {name: to_numbers(frame[name])[0] for name in (*_TRIPLE, "budget", "loss") if name in frame}
    assumed = {m.name: m.column for m in mapped if m.source == "assumed"}
    return (
        _small(numbers, assumed)
        or _in_step(numbers, assumed)
        or _per_param(_completed(numbers), assumed)
        or _as_published(_completed(numbers), assumed)
        or _loss(numbers, assumed)
    )


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


def _ask(names: list[str], assumed: Mapping[str, str], units: Mapping[str, str]) -> str:
    """The options that answer a question about units."""
    names = [name for name in names if name in assumed]
    options = " ".join(f"--unit {name}={units.get(name, 'millions')}" for name in names)
    counts = " ".join(f"--unit {name}=count" for name in names)
    return f"{options} (or another unit), or {counts} for the numbers as they are"


def _range(name: str, column: str, values: np.ndarray) -> str:
    good = values[np.isfinite(values) & (values > 0)]
    shown = f"column {column!r}" + (f" ({name})" if name != column else "")
    return f"{shown} runs from {good.min():g} to {good.max():g}"


def _small(numbers: Mapping[str, np.ndarray], assumed: Mapping[str, str]) -> list[str]:
    """Counts that are too small for most rows."""
    small = []
    for name, least in _MIDDLE.items():
        values = numbers.get(name, np.array([]))
        good = np.unique(values[np.isfinite(values) & (values > 0)])
        if name in assumed and len(good) and np.median(good) < least:
            small.append(name)
    if not small:
        return []
    words = " and ".join(_range(name, assumed[name], numbers[name]) for name in small)
    if "params" in small and "tokens" in assumed and "tokens" in numbers:
        small = list(dict.fromkeys([*small, "tokens"]))
    return [f"{words}, little for a count: in which unit is it? {_ask(small, assumed, {})}"]


def _in_step(numbers: Mapping[str, np.ndarray], assumed: Mapping[str, str]) -> list[str]:
    """Flops that are 6 N D times a power of a thousand in most rows."""
    if not set(_TRIPLE) <= set(numbers) or not set(_TRIPLE) & set(assumed):
        return []
    ratio = np.log(numbers["flops"] / (6 * numbers["params"] * numbers["tokens"]))
    ratio = ratio[np.isfinite(ratio)]
    for factor in _THOUSANDS:
        if len(ratio) and (np.abs(ratio - np.log(factor)) < _NEAR).mean() > 0.5:
            names = [name for name in _TRIPLE if name in assumed]
            power = f"10^{round(np.log10(factor))}"
            return [
                f"flops is 6·params·tokens times {power} in most rows, so one of them is in another unit: "
                + _ask(names, assumed, {})
            ]
    return []


def _per_param(numbers: Mapping[str, np.ndarray], assumed: Mapping[str, str]) -> list[str]:
    """Tokens per parameter that no training run has."""
    if not {"params", "tokens"} <= set(numbers) or not set(_TRIPLE) & set(assumed):
        return []
    N, D = numbers["params"], numbers["tokens"]
    good = np.isfinite(N) & np.isfinite(D) & (N > 0) & (D > 0)
    if not good.any():
        return []
    longest = pd.Series(D[good]).groupby(N[good]).max()
    ratio = float(np.median(longest.to_numpy() / longest.index.to_numpy()))
    if LEAST_RATIO <= ratio <= MOST_RATIO:
        return []
    names = [name for name in _TRIPLE if name in assumed]
    return [
        f"the runs of the middle size have up to {ratio:.3g} tokens per parameter, where 1 to 10,000 are usual: "
        f"are params and tokens in the units they seem to be? {_ask(names, assumed, {})}"
    ]


def _shape(law: ChinchillaLaw, N: np.ndarray, D: np.ndarray, loss: np.ndarray) -> tuple[float, float]:
    """How many times the published losses these are, in the middle, and how far rows differ in that."""
    difference = np.log(loss / law.loss(N, D))
    if not np.isfinite(difference).all():
        return np.nan, np.inf
    return float(np.exp(np.median(difference))), float(np.std(difference))


def _as_published(numbers: Mapping[str, np.ndarray], assumed: Mapping[str, str]) -> list[str]:
    """Losses that are those of published runs in other units than those that were assumed, and in these are not."""
    if not {"params", "tokens", "loss"} <= set(numbers):
        return []
    N, D, L = (numbers[name] for name in ("params", "tokens", "loss"))
    good = np.isfinite(N) & np.isfinite(D) & np.isfinite(L) & (N > 0) & (D > 0) & (L > 0)
    N, D, L = N[good], D[good], L[good]
    if len(L) < _ROWS or len(np.unique(N)) < 3 or len(np.unique(D)) < 3:
        return []
    law = ChinchillaLaw.from_published("besiroglu2024")
    level, spread = _shape(law, N, D, L)
    low, high = _BELIEVED
    if low <= level <= high:
        return []
    usual = min(N.min(), np.inf) >= _SIZE and D.min() >= _LENGTH
    if usual and "loss" in assumed:
        return _other_loss(law, N, D, L, level, spread)
    if usual or level > low:
        return []
    if "tokens" not in assumed:
        return []
    for names in (("tokens",), ("params", "tokens")):
        there, alike = _shape(law, N * (1e3 if len(names) > 1 else 1.0), D * 1e3, L)
        if set(names) <= set(assumed) and 0.75 < there < high and alike < min(_ALIKE, spread / 3.2):
            return [
                "the losses are lower than models of so few parameters and tokens reach, and like published ones with "
                f"{' and '.join(names)} in thousands: {_ask(list(names), assumed, dict.fromkeys(names, 'thousands'))}"
            ]
    return []


def _other_loss(
    law: ChinchillaLaw, N: np.ndarray, D: np.ndarray, L: np.ndarray, level: float, spread: float
) -> list[str]:
    """What the losses may be in, where they are not those of published runs in nats per token."""
    as_they_are = "--loss-unit nats takes them as they are"
    times = f"the losses are {level:.2g} times those of published language models of this size"
    kinds = {"a natural logarithm": np.exp(L), "a logarithm to base 10": 10**L}
    other = {"perplexity": np.log(L), "bits": L * BIT}
    if level > 1:
        for unit, nats in other.items():
            there, alike = _shape(law, N, D, nats) if (nats > 0).all() else (np.nan, np.inf)
            if 0.75 < there < 1.25 and alike < 1.5 * _ALIKE:
                name = {"perplexity": "perplexities", "bits": "in bits per token"}[unit]
                return [f"{times}: are they {name}? --loss-unit {unit}; {as_they_are}"]
        return []
    likely = [name for name, nats in kinds.items() if 0.7 < (s := _shape(law, N, D, nats))[0] < 1.3 and s[1] < _LIKE]
    if 0.22 < level < 0.45 and spread < _LIKE:
        likely.append("in bits per byte")
    if not likely:
        return []
    hint = "--loss-unit bits_per_byte --bytes-per-token NUMBER; of a logarithm, add a column with the loss itself"
    return [f"{times}: are they {' or '.join(likely)}? {hint}; {as_they_are}"]


def _loss(numbers: Mapping[str, np.ndarray], assumed: Mapping[str, str]) -> list[str]:
    """Losses that are hardly nats per token, by themselves."""
    values = numbers.get("loss", np.array([]))
    good = values[np.isfinite(values) & (values > 0)]
    if "loss" not in assumed or len(good) < 3:
        return []
    where = _range("loss", assumed["loss"], values)
    as_they_are = "--loss-unit nats takes them as they are"
    if good.max() > _GUESS and (good.min() > _LEAST_LOSS or np.median(good) > _MIDDLE_LOSS):
        return [f"{where}, much for nats per token: is it a perplexity? --loss-unit perplexity; {as_they_are}"]
    N = numbers.get("params", np.array([]))
    if good.max() < 1.0 and (N >= _SIZE / 10).sum() > len(N) / 2:
        hint = (
            "--loss-unit bits_per_byte --bytes-per-token NUMBER; --loss-unit other takes an error rate as it is; of a "
            "logarithm, name the loss itself"
        )
        return [
            f"{where}, little for nats per token: an error rate, bits per byte, or a logarithm? {hint}; {as_they_are}"
        ]
    return []
