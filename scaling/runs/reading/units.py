"""Column names and units of other people's tables: which quantity a header names, and what one of its units is worth.

Names are matched whole, never by likeness: ``log_params`` is not ``params``. A unit may stand in the header, in
brackets or as its last words (``tokens (B)``, ``params_in_millions``, ``loss_bits_per_token``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ..._words import SCALES, plain
from ..vocabulary import KNOWN_NAMES, LIMITS

#: floating-point operations of one PF-day, and nats of one bit
PF_DAY, BIT = 8.64e19, float(np.log(2.0))
#: names of a loss that carry their unit
_PERPLEXITY = re.compile(r"(final|val|valid|validation|eval|test|train|training|dev)?(ppl|perplexity)(final)?")
COUNT_WORDS = {"count", "counts", "ones", "one", "units", "number", "flop", "flops", "tokens", "params", "parameters"}
_PREFIXES = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21, "y": 1e24}
_NAMED = {"kilo": "k", "mega": "m", "giga": "g", "tera": "t", "peta": "p", "exa": "e", "zetta": "z", "yotta": "y"}
#: words for the unit of a loss
_LOSS_UNITS = {
    "nats": "nat nats natspertoken natstoken natpertoken ln",
    "bits": "bit bits bpt bitspertoken bitstoken bitpertoken",
    "bits_per_byte": "bpb bitsperbyte bitsbyte bitperbyte",
    "nats_per_byte": "natsperbyte natsbyte natperbyte",
    "perplexity": "ppl perplexity",
}
LOSS_UNITS = {word: unit for unit, words in _LOSS_UNITS.items() for word in words.split()}
LOSS_UNITS |= {unit: unit for unit in _LOSS_UNITS} | {unit.replace("_", ""): unit for unit in _LOSS_UNITS}
#: words in brackets that say nothing about the unit
_SAYS_NOTHING = frozenset(
    ["total", "training", "train", "validation", "val", "valid", "test", "eval", "final", "6nd", "estimated", "all"]
) | {"approx", "pertoken"}
UNIT_HELP = "count, thousands, millions, billions, trillions, a power such as 1e18 and, for flops, PF-days or EFLOP"


@dataclass(frozen=True)
class Header:
    """What a header says: our name for its quantity, and the unit it states (None where it states none)."""

    name: str
    unit: str | None = None


def read_header(text: str) -> Header | None:
    """The quantity that a header names, with its unit; None if it names none of ours.

    Where the whole names none, what follows the last dot or slash may: ``config.n_params``, ``summary/loss``.
    """
    found = _read_header(text)
    tail = re.split(r"[./](?!\d)", text[:200])[-1]
    return found or (_read_header(tail) if tail != text[:200] else None)


def _read_header(text: str) -> Header | None:
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.strip())[:200]
    bracket = re.search(r"[(\[{](.*?)[)\]}]", text)
    if bracket and plain(text[: bracket.start()]):
        return _bracketed(text[: bracket.start()] + text[bracket.end() :], bracket[1].strip())
    words = [word for word in re.split(r"[^A-Za-z0-9.+]+", text) if word]
    for split in range(len(words), 0, -1):
        found = _whole(plain("".join(words[:split])))
        unit = [word for word in words[split:] if word.lower() not in ("in", "of", "x")]
        if found is None or (split < len(words) and not unit):
            continue
        if not unit:
            return found
        unit = [word for word in unit if word.lower() not in COUNT_WORDS] if len(unit) > 1 else unit
        if found.unit is None and unit_factor(found.name, " ".join(unit)) is not None:
            return Header(found.name, " ".join(unit))
    return None


def _bracketed(name: str, inside: str) -> Header | None:
    """A header with a word in brackets, which is a unit unless it is known to be none."""
    found, word = _whole(plain(name)), plain(inside)
    if found is None:
        return None
    if found.name == "params" and word in ("nonembedding", "noembedding", "nonemb", "withoutembeddings"):
        return Header("params_nonembedding")
    symbol = {"params": "n", "tokens": "d", "loss": "l", "flops": "c"}.get(found.name)
    if found.unit is not None or word in _SAYS_NOTHING or word == symbol or word.startswith(found.name):
        return found
    return Header(found.name, inside)


def _whole(name: str) -> Header | None:
    if _PERPLEXITY.fullmatch(name):
        return Header("loss", "perplexity")
    for ours, known in KNOWN_NAMES.items():
        if name in known:
            return Header(ours)
    for word, unit in LOSS_UNITS.items():
        if len(word) > 2 and unit != "perplexity" and word != "bit" and word != "nat":
            rest = name.removesuffix(word)
            if rest != name and (
                rest in KNOWN_NAMES["loss"] or rest in ("val", "valid", "validation", "eval", "test", "")
            ):
                return Header("loss", unit)
    match = re.fullmatch(r"(pf|petaflops?|pflops?)s?days?|(.*?)(pfdays?|pflopsdays?|petaflops?s?days?)", name)
    if match and (match[2] is None or match[2] in ("", *KNOWN_NAMES["flops"])):
        return Header("flops", "PF-days")
    return None


def unit_factor(name: str, unit: str) -> float | str | None:
    """What one ``unit`` is worth in ours: a factor, for a loss the name of its unit, or None if it is no unit.

    ``name`` is our name of the quantity.
    """
    word = plain(unit)
    if name == "loss":
        return LOSS_UNITS.get(word)
    if name not in LIMITS:
        return None
    power = re.fullmatch(r"\s*(?:[x×*/]?\s*)?(?:1e|10\s*(?:\^|\*\*)\s*)\+?(\d{1,2})\s*", unit.lower())
    power = power or re.fullmatch(r"\s*e(\d{1,2})\s*", unit.lower())
    if power:
        return 10.0 ** int(power[1])
    if word in SCALES:
        return SCALES[word]
    if word in COUNT_WORDS:
        return 1.0
    if name.startswith(("flops", "budget")):
        if re.fullmatch(r"(pf|pflops?|petaflops?)s?d(ays?)?", word):
            return PF_DAY
        match = re.fullmatch(r"([kmgtpezy]|kilo|mega|giga|tera|peta|exa|zetta|yotta)flops?", word)
        if match:
            return _PREFIXES[_NAMED.get(match[1], match[1])]
    match = re.fullmatch(r"(.*?)(params?|parameters|tokens?|flops?)", word)
    return SCALES.get(match[1]) if match and match[1] else None


def to_nats(values: np.ndarray, unit: str, bytes_per_token: float | None) -> np.ndarray:
    """Losses in nats per token."""
    if unit == "perplexity":
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(values > 0, np.log(values), values)
    factor = {"nats": 1.0, "bits": BIT}.get(unit)
    return values * (factor if factor else float(bytes_per_token) * (BIT if unit == "bits_per_byte" else 1.0))
