"""Losses beside those of published language models of the same size and length: in which units are they alike?

A published law stands for these models: what is compared is its level, and how far rows stray from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from ...laws.chinchilla import ChinchillaLaw
from ..headers import quoted
from .derivations import derive_option
from .mapping import Mapped
from .units import BIT, unit_factor

#: losses beside those of published runs: between these factors they are believed, and this is how alike a shape is,
#: above and, where nothing else is as low, below
_BELIEVED, _ALIKE, _LIKE = (0.5, 1.28), 0.05, 0.08
#: between these factors they are alike in another unit, in which they stray so many times less
_LEVEL, _TIMES = (0.75, 1.28), 3.2
#: losses so many times the published ones are sums, or scaled, where they stray from proportion by less than this
_SUMMED, _PROPORTIONAL = 3.0, 0.1
#: fewest rows, and parameters and tokens of a language model
_ROWS, _SIZE, _LENGTH = 6, 1e6, 1e7
#: a loss whose least value is above this is hardly one in nats per token
LEAST_LOSS = 6.0
_UNITS, _OF_FLOPS = (
    ("count", "thousands", "millions", "billions", "trillions"),
    ("count", "PF-days", "1e15", "1e18", "1e21"),
)


#: what an assumed count may be worth; flops are of any size
_LIKELY = {1.0, 1e3, 1e15, 1e18, 1e21, 8.64e19}


def _known(numbers: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """N, D and losses of the rows that have all three; None for too few of them."""
    if not {"params", "tokens", "loss"} <= set(numbers):
        return None
    N, D, L = (numbers[name] for name in ("params", "tokens", "loss"))
    good = np.isfinite(N) & np.isfinite(D) & np.isfinite(L) & (N > 0) & (D > 0) & (L > 0)
    N, D, L = N[good], D[good], L[good]
    enough = len(L) >= _ROWS and len(np.unique(N)) >= 3 and len(np.unique(D)) >= 3
    return (N, D, L) if enough else None


def _shape(N: np.ndarray, D: np.ndarray, loss: np.ndarray) -> tuple[float, float]:
    """How many times the published losses these are, in the middle, and how far rows differ in that."""
    difference = np.log(loss / ChinchillaLaw.from_published("besiroglu2024").loss(N, D))
    if not np.isfinite(difference).all():
        return np.nan, np.inf
    return float(np.exp(np.median(difference))), float(np.std(difference))


def likely_units(numbers: Mapping[str, np.ndarray], given: Mapping[str, Mapped]) -> dict[str, str]:
    """Other units of size, length or compute than those that were read, with which losses are like published; or none.

    One of two is changed where that is enough. A number that nobody gave a unit to may be in thousands: one in millions
    is too small for a count.
    """
    known, names = _known(numbers), [name for name in ("params", "tokens", "flops") if name in given][:2]
    if known is None or not names:
        return {}
    N, D, L = known
    level, spread = _shape(N, D, L)
    low = level < _BELIEVED[0]  # than models of so few parameters and tokens reach
    read = {name: unit_factor(name, given[name].unit or "count") for name in names}
    likely = []
    for units in product(*(_OF_FLOPS if name == "flops" else _UNITS for name in names)):
        worth = {n: unit_factor(n, u) for n, u in zip(names, units, strict=True)}
        factor = {n: w / f for n, w in worth.items() if isinstance(w, float) and isinstance(f := read[n], float)}
        other = {n: u for n, u in zip(names, units, strict=True) if factor.get(n, 1.0) != 1.0}
        if not other or any(given[n].source == "assumed" and not (low and factor[n] in _LIKELY) for n in other):
            continue
        C = factor.get("flops", 1.0)  # of which what stands in no column follows
        n = N * factor.get("params", C / factor["tokens"] if "params" not in given and "tokens" in factor else 1.0)
        d = D * factor.get("tokens", C / factor["params"] if "tokens" not in given and "params" in factor else 1.0)
        there, alike = _shape(n, d, L)
        if _LEVEL[0] < there < _LEVEL[1] and alike < min(_ALIKE, spread / _TIMES) and 0.1 < np.median(d / n) < 1e5:
            likely.append((len(other), alike, other))
    return min(likely, key=lambda each: each[:2])[2] if likely else {}


def like_published(numbers: Mapping[str, np.ndarray], column: str, stated: bool) -> str:
    """What losses may be in, where they are not those of published runs in nats per token; nothing where they are.

    ``column`` is the header of the losses. Where nats are ``stated`` in it they may still be those of several tokens.
    """
    known = _known(numbers)
    if known is None:
        return ""
    N, D, L = known
    level, spread = _shape(N, D, L)
    if _BELIEVED[0] <= level <= _BELIEVED[1] or N.min() < _SIZE or D.min() < _LENGTH:
        return ""
    as_they_are = "--loss-unit nats takes them as they are"
    times = f"the losses are {level:.2g} times those of published language models of this size"
    if level > 1:
        for unit, nats in {} if stated else {"perplexity": np.log(L), "bits": L * BIT}.items():
            there, alike = _shape(N, D, nats) if (nats > 0).all() else (np.nan, np.inf)
            if 0.75 < there < 1.25 and alike < 1.5 * _ALIKE:
                name = {"perplexity": "perplexities", "bits": "in bits per token"}[unit]
                return f"{times}: are they {name}? --loss-unit {unit}; {as_they_are}"
        if level < _SUMMED or spread > _PROPORTIONAL:
            return ""
        return f"{times}, in proportion: are they {summed(column)}; {as_they_are}"
    if stated:
        return ""
    kinds = {"a natural logarithm": np.exp(L), "a logarithm to base 10": 10**L}
    likely = [name for name, nats in kinds.items() if 0.7 < (s := _shape(N, D, nats))[0] < 1.3 and s[1] < _LIKE]
    if 0.22 < level < 0.45 and spread < _LIKE:
        likely.append("in bits per byte")
    if not likely:
        return ""
    hint = "--loss-unit bits_per_byte --bytes-per-token NUMBER; of a logarithm, add a column with the loss itself"
    return f"{times}: are they {' or '.join(likely)}? {hint}; {as_they_are}"


def summed(column: str) -> str:
    """The question whether losses are sums, or scaled, with the option that makes them nats per token."""
    option = derive_option("loss", f"{quoted(column)} / NUMBER", [column])
    return f"summed over several tokens, or scaled? {option}, with the number, makes them nats per token"


def no_perplexities(numbers: Mapping[str, np.ndarray], column: str, named: bool) -> str:
    """A question where losses are called perplexities, and are much or little for their logarithms.

    ``numbers`` has them in nats per token, ``column`` is their header, and ``named`` says that it calls them so.
    """
    known, L = _known(numbers), numbers["loss"][np.isfinite(numbers["loss"])]
    if not len(L):
        return ""
    words = f"as perplexities the losses run from {L.min():.3g} to {L.max():.3g} nats per token"
    again = "" if named else f"--derive perplexity={quoted(column)} --column loss=perplexity "
    insist = f"{again}--loss-unit perplexity takes them for perplexities all the same"
    much = float(L.min()) > LEAST_LOSS and not named
    if known is not None and known[0].min() >= _SIZE and known[1].min() >= _LENGTH:
        N, D, L = known
        (level, spread), (times, alike) = _shape(N, D, L), _shape(N, D, np.exp(L))
        much |= level > 0.5 * _SUMMED and alike < min(_PROPORTIONAL, spread)
        if level < _BELIEVED[0] and _LEVEL[0] < times < _LEVEL[1] and alike < _ALIKE:
            return f"{words}, and are like published ones as they stand: are they in nats? --loss-unit nats; {insist}"
        words += (
            f", and the numbers themselves are {times:.3g} times the losses of published language models of this size"
        )
    return f"{words}: are they {summed(column)}; {insist}" if much else ""
