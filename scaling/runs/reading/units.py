"""Column names and units of other people's tables: which quantity a header names, and what one of its units is worth.

Names are matched whole, never by likeness: ``log_params`` is not ``params``. A unit may stand in the header, in
brackets or as its last words (``tokens (B)``, ``params_in_millions``, ``loss_bits_per_token``).
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

import numpy as np

from ..._words import SCALES, plain
from ..vocabulary import KNOWN_NAMES, LIMITS
from .ratios import read_ratio, without_run
from .spreads import is_spread, loss_of_another

#: floating-point operations of one PF-day, and nats of one bit
PF_DAY, BIT = 8.64e19, float(np.log(2.0))
_PF, _DAYS = "(?:pf|pflops?|petaflops?)", "(?:days?|tage?|jours?|dias?|giorni|dagen|天|日)"
#: names of a loss that carry their unit
_PERPLEXITY = re.compile(
    r"(final|val|valid|validation|eval|test|train|training|dev|token)*(ppl|perplexity|perplexitat|perplexite|"
    r"perplejidad|perplexidade|perplessita|перплексия|困惑度|パープレキシティ|ハーフレキシティ)(final)?"
)
#: the logarithm of a perplexity, which is a loss, and the unit of the loss by its base
_OF_PERPLEXITY = re.compile(
    r"(?i)(?:.*[\s._/-])?(ln|log_?e|log_?2|log)[\s_(\[-]*(?:\w*[\s_-])?(?:ppl|perplexity)\s*[)\]]?"
)
_BASES = {"ln": "nats", "loge": "nats", "log2": "bits", "log": ""}
#: seconds of a time with which operations per second make a count
_TIMES = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "stunden"), 3600.0),
    **dict.fromkeys(("d", "day", "days", "tage", "jours", "dias"), 86400.0),
    **dict.fromkeys(("week", "weeks"), 604800.0),
    **dict.fromkeys(("year", "years"), 31557600.0),
}
#: a rate, unless days follow: a PFLOP/s-day is a count
_PER_SECOND = re.compile(
    r"(?i)(/|\bper\b)\s*(s|sec|seconds?|gpu|device|chip)\b(?!\W*(d\b|days?|h\b|hours?|tage?|jours?|dias?|giorni))"
)
COUNT_WORDS = {
    "anzahl",
    "nombre",
    "numero",
    "number",
    "absolute",
    "raw",
    "count",
    "counts",
    "ones",
    "one",
    "units",
    "flop",
    "flops",
    "tokens",
    "params",
    "parameters",
}
_PREFIXES = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21, "y": 1e24}
_NAMED = {"kilo": "k", "mega": "m", "giga": "g", "tera": "t", "peta": "p", "exa": "e", "zetta": "z", "yotta": "y"}
_FLOP_TIME = rf"({'|'.join([*_NAMED, *_PREFIXES])})f(?:lops?)?s?({'|'.join(_TIMES)})"
#: words for the unit of a loss
_LOSS_UNITS = {
    "nats": "nat nats natspertoken natstoken natpertoken ln",
    "bits": "bit bits bpt bitspertoken bitstoken bitpertoken",
    "bits_per_character": "bpc bitsperchar bitschar bitspercharacter bitscharacter",
    "bits_per_byte": "bpb bitsperbyte bitsbyte bitperbyte",
    "nats_per_byte": "natsperbyte natsbyte natperbyte",
    "perplexity": "ppl perplexity",
    "other": "",
}
LOSS_UNITS = {word: unit for unit, words in _LOSS_UNITS.items() for word in words.split()}
LOSS_UNITS |= {unit: unit for unit in _LOSS_UNITS} | {unit.replace("_", ""): unit for unit in _LOSS_UNITS}
#: words in brackets that say nothing about the unit
_REMARKS = {
    "nothing": "total training train validation val valid test eval final 6nd estimated all approx pertoken heldout "
    "best last mean avg average smoothed ema min sum trained seen active dense incl embeddings inclembeddings "
    "includingembeddings withembeddings c4 pile thepile fineweb wikitext openwebtext slimpajama redpajama",
}
_WITHOUT = frozenset(["nonembedding", "noembedding", "nonemb", "withoutembeddings", "noemb", "excludingembeddings"])
_SAYS_NOTHING = frozenset(_REMARKS["nothing"].split())
UNIT_HELP = "count, thousands, millions, billions, trillions, a power such as 1e18 and, for flops, PF-days or EFLOP"


@dataclass(frozen=True)
class Header:
    """What a header says: our name for its quantity, and the unit it states (None where it states none)."""

    name: str
    unit: str | None = None


@functools.lru_cache(maxsize=4096)
def read_header(text: str) -> Header | None:
    """The quantity that a header names, with its unit; None if it names none of ours, or a ratio or rate of them.

    Where the whole names none, what follows the last dot or slash may: ``config.n_params``, ``summary/loss``.
    """
    text = _written_out(text)
    if plain(text) in KNOWN_NAMES["unique_tokens"]:
        return Header("unique_tokens")
    if unit := unit_of_logarithm(text):
        return Header("loss", unit)
    if read_ratio(text) or loss_of_another(text) or unit == "":
        return None
    text = without_run(text)
    base, *rest = re.split(r"(?=[(\[{])", text, maxsplit=1)
    tail = re.split(r"[./](?!\d)", re.sub(r"\.(?=\s|$)", "", base))[-1] + "".join(rest)
    found, short = _read_header(text), _OF_ONE.sub("", text)
    short = _MEAN.sub("", text) if short == text else short
    if found is None and short != text and (header := read_header(short)) and header.name == "loss":
        return header
    if found and found.name == "loss" and found.unit and is_spread(text):
        return None
    return found or (_read_header(tail) if tail != text else None)


def unit_of_logarithm(text: str) -> str | None:
    """The unit of a loss that a header calls the logarithm of a perplexity: "" without a base, None for others."""
    found = _OF_PERPLEXITY.fullmatch(text.strip())
    return _BASES[plain(found[1])] if found else None


def stated_unit(name: str, text: str) -> str | None:
    """The unit that a header states for our quantity ``name``, whatever else it says; None where it states none.

    ``Training set (M)`` states millions; what stands in brackets and is not known to be anything else is a unit, too.
    """
    text = without_run(_written_out(text))
    if name == "loss" and (unit := unit_of_logarithm(text)) is not None:
        return unit or "nats"
    if (found := read_header(text)) and found.name == name:
        return found.unit
    inside = [part.strip() for part in re.findall(r"[(\[{](.*?)[)\]}]", text)]
    for part in inside:
        if unit := _unit_in(name, part):
            return unit
    words = [word for word in re.split(_BREAK, re.sub(r"[(\[{].*?[)\]}]", " ", text)) if word]
    for split in range(1, len(words)):
        if (unit := _unit_of(name, words[split:])) is not None and unit_factor(name, unit) not in (None, 1.0):
            return unit
    if len(words) == 1 and (name == "loss" or len(words[0]) > 1) and unit_factor(name, words[0]) not in (None, 1.0):
        return words[0]
    if len(words) > 1 and len(plain(words[0])) <= 12 and isinstance(unit_factor(name, words[0]), float):
        return words[0] if unit_factor(name, words[0]) != 1.0 and plain(words[0]) in SCALES else None
    unknown = [part for part in inside if re.search(r"\w|%", part) and not _says_nothing(name, part)]
    return unknown[0] if unknown else None


#: the end of a loss's header that says per what it is, where the unit is the usual one
_OF_ONE = re.compile(r"(?i)[\s_]*(?:/|[\s_]per[\s_])\s*(?:token|tok)s?\s*$")
#: the end of a loss's header that says that it is the mean of several, or the last of a curve
_MEAN = re.compile(r"(?i)[\s_./-]+(?:mean|avg|average|last|latest)\s*$")
#: what separates the words of a header
_BREAK = r"[^\w.+^*]+|_"


def _written_out(text: str) -> str:
    """A header with raised digits, wide letters and signs of multiplication as one types them, and words apart."""
    text = text[:200]
    if not text.isascii():
        text = re.sub("[⁰¹²³⁴-⁹]+", lambda found: "^" + unicodedata.normalize("NFKC", found[0]), text)
        text = unicodedata.normalize("NFKC", text.replace("×", "x").replace("·", " ").replace("⋅", " "))
    text = re.sub(r"\$|\\(times|cdot)|\\", lambda found: "x" if found[1] else "", text)
    text = re.sub(r"\^\{(\d+)\}", r"^\1", text)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.strip())


def _read_header(text: str) -> Header | None:
    bracket = re.search(r"[(\[{](.*?)[)\]}]", text)
    if bracket and plain(text[: bracket.start()]):
        return _bracketed(text[: bracket.start()] + text[bracket.end() :], bracket[1].strip())
    words = [word for word in re.split(_BREAK, text) if plain(word)]
    for split in range(len(words), 0, -1):
        found = _whole(plain("".join(words[:split])))
        if found is None:
            continue
        if split == len(words):
            return found
        unit = _unit_of(found.name, words[split:])
        if found.unit is None and unit is not None and unit_factor(found.name, unit) is not None:
            return Header(found.name, unit)
    for split in range(1, len(words)):
        found, unit = _whole(plain("".join(words[split:]))), " ".join(w for w in words[:split] if plain(w) != "of")
        if found and found.unit is None and found.name in LIMITS and found.name != "loss" and plain(unit) in SCALES:
            return Header(found.name, unit)
    return _glued(plain("".join(words)))


def _unit_of(name: str, words: list[str]) -> str | None:
    """The unit in the last words of a header, without those around it that say nothing."""
    unit = [word for word in words if word.lower() not in ("in", "of", "x", "en", "em")]
    unit = [word for word in unit if plain(word) not in COUNT_WORDS] if len(unit) > 1 else unit
    return " ".join(unit) if unit else None


def _unit_in(name: str, part: str) -> str | None:
    """The unit that words in brackets hold, None where they hold none, as a rate such as ``TFLOP/s`` does."""
    if _PER_SECOND.search(part):
        return None
    words = [word for word in re.split(_BREAK, part) if word]
    telling = [word for word in words if not _says_nothing(name, word)]
    for option in (part, _unit_of(name, words), _unit_of(name, telling)):
        if option and unit_factor(name, option) is not None:
            return option
    return None


def _glued(name: str) -> Header | None:
    """A header in one word that begins with its unit: ``mparams``, ``gtokens``, ``mtok``."""
    match = re.fullmatch(r"([kmgbt])(params?|parameters|tokens?|toks?)", name)
    if match:
        return Header("params" if match[2].startswith("par") else "tokens", match[1])
    match = re.fullmatch(rf"(total|training|train|compute)((?:[kmgtpezy]|{'|'.join(_NAMED)})flops?)", name)
    if match or re.fullmatch(r"(?:[ezy]|exa|zetta|yotta)flops?", name):
        return Header("flops", match[2] if match else name)
    return None


def _bracketed(name: str, inside: str) -> Header | None:
    """A header with a word in brackets, which is a unit unless it is known to be none."""
    found = _whole(plain(name)) or _read_header(name)
    if found is None:
        return None
    parts = [part.strip() for part in re.split(r"[,;]", inside)]
    without = [part for part in parts if plain(part) in _WITHOUT]
    if found.name == "params" and without:
        rest = [part for part in parts if part not in without]
        return Header("params_nonembedding", _unit_in("params", rest[0]) or rest[0] if rest else None)
    if found.unit is not None or found.name not in LIMITS or _says_nothing(found.name, inside):
        return found
    return Header(found.name, _unit_in(found.name, inside) or inside)


def _says_nothing(name: str, inside: str) -> bool:
    """Whether words in brackets are a symbol or a remark rather than a unit."""
    word = plain(inside)
    symbol = {"params": "n", "tokens": "d", "loss": "l", "flops": "c"}.get(name)
    return (
        word in _SAYS_NOTHING
        or word == symbol
        or (bool(word) and word.startswith(name) and unit_factor(name, inside) is None)
    )


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
    match = re.fullmatch(rf"()({_PF}s?{_DAYS})|(.*?)({_PF}s?{_DAYS})", name)
    if match and (match[3] is None or match[3] in ("", *KNOWN_NAMES["flops"])):
        return Header("flops", "PF-days")
    match = re.fullmatch(rf"(.*?)({_FLOP_TIME})", name)
    if match and len(match[4]) > 1 and match[1] in ("", "total", *KNOWN_NAMES["flops"]):
        return Header("flops", match[2])
    return None


def unit_factor(name: str, unit: str) -> float | str | None:
    """What one ``unit`` is worth in ours: a factor, for a loss the name of its unit, or None if it is no unit.

    ``name`` is our name of the quantity.
    """
    unit = _written_out(unit)
    word = plain(unit)
    if name == "loss":
        return LOSS_UNITS.get(word)
    if name not in LIMITS:
        return None
    bare = re.sub(r"\s*(params?|parameters|tokens?|flops?|of|in)\b\s*", "", unit.lower())
    power = re.fullmatch(r"\s*(?:[x*/]?\s*)?(?:1(?:\.0*)?e|10\s*(?:\^|\*\*)\s*)\+?(\d{1,2})\s*", bare)
    power = power or re.fullmatch(r"\s*(?:[x*/]\s*)?e\+?(\d{1,2})\s*", bare)
    if power:
        return 10.0 ** int(power[1])
    if word in SCALES:
        return SCALES[word]
    if word in COUNT_WORDS:
        return 1.0
    if name.startswith(("flops", "budget")):
        if re.fullmatch(rf"{_PF}s?({_DAYS}|d)", word):
            return PF_DAY
        if found := re.fullmatch(_FLOP_TIME, word):
            return _PREFIXES[_NAMED.get(found[1], found[1])] * _TIMES[found[2]]
        if _PER_SECOND.search(unit):
            return None
        match = re.fullmatch(r"([kmgtpezy]|kilo|mega|giga|tera|peta|exa|zetta|yotta)flops?", word)
        if match:
            return _PREFIXES[_NAMED.get(match[1], match[1])]
    match = re.fullmatch(r"(.*?)(params?|parameters|tokens?|toks?|flops?)", word)
    return SCALES.get(match[1]) if match and match[1] else None


def to_nats(values: np.ndarray, unit: str, bytes_per_token: float | None) -> np.ndarray:
    """Losses in nats per token."""
    if unit == "perplexity":
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(values > 0, np.log(values), values)
    factor = {"nats": 1.0, "bits": BIT, "other": 1.0}.get(unit)
    return values * (factor if factor else float(bytes_per_token) * (BIT if unit == "bits_per_byte" else 1.0))
