"""Headers that name no quantity of ours though its word is in them: ratios, rates and logarithms."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..._words import plain
from ..vocabulary import KNOWN_NAMES

_QUANTITIES = ("params", "tokens", "flops", "loss")
#: what stands between the two halves of a ratio, as a word of its own
_PER = re.compile(r"(?i)\s+(?:per|over|pro|par|por|je|to|vs|2)\s+|\s*÷\s*|(?<=.)每(?=.)|\s*:\s*")
#: what tokens, FLOPs and time are spent per, and what is spent on a token
_SPENT = {
    "per": "s sec secs second seconds min minute minutes h hr hrs hour hours day days week step steps iter iters "
    "iteration iterations batch update gpu gpus device devices node chip accelerator sample samples example "
    "examples sequence seq image images byte bytes char chars character characters word words epoch epochs "
    "dollar usd watt joule layer layers sekunde sekunden stunde stunden seconde secondes heure segundo "
    "segundos 秒 时 小时",
    "on": "ms us ns s sec secs second seconds time hours cost usd eur dollars price energy j joule joules wh kwh "
    "mwh byte bytes gb mb kb memory latency gpu gpuhours char chars characters words macs mac ops flop "
    "samples",
}
_DENOMINATORS, _NUMERATORS = (frozenset(words.split()) for words in _SPENT.values())
#: words of a count that end a header and make no ratio: tokens per run
_OF_ONE_RUN = re.compile(r"(?i)[\s_-]+per[\s_-]+(run|model|experiment|training([\s_-]+run)?)\b")
_WHOLE = {
    "tpp": ("tokens", "params"),
    "toksperparam": ("tokens", "params"),
    "tokperparam": ("tokens", "params"),
    "tokenparamratio": ("tokens", "params"),
    "tps": ("tokens", ""),
}
_LOSS_OF_ONE = {"token", "tokens", "byte", "bytes", "char", "chars", "character", "characters", "word", "words", "tok"}
_LOGARITHM = re.compile(
    r"(?i)\s*(?:.*[\s._/-])?(?:log|ln|lg|log[_ ]?10|log[_ ]?2|log[_ ]?e)(?:[\s_(\[-].*|(?-i:[A-Z])\w*)"
)


@dataclass(frozen=True)
class Ratio:
    """Our names for what is divided and for what divides it; empty where it is none of our quantities."""

    over: str
    under: str


def without_run(text: str) -> str:
    """A header without words that say that the count is that of one run."""
    return _OF_ONE_RUN.sub("", text)


def read_ratio(text: str) -> Ratio | None:
    """The ratio or rate that a header names, as ``tokens/param``, ``FLOPs per token`` and ``tok/s`` do, or None.

    A loss per token is none: it is how losses are given.
    """
    text = re.sub(r"[(\[{].*?[)\]}]", " ", without_run(text))[:200]
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    words = " ".join(re.split(r"[\s_.-]+", text.strip()))
    whole = plain(words.rpartition("/")[2])
    if whole in _WHOLE:
        return Ratio(*_WHOLE[whole])
    if whole.endswith("ratio") or whole.endswith("quotient"):
        halves = [word for word in re.split(r"[\s/:]+", words) if plain(word) not in ("ratio", "quotient", "to")]
        return Ratio(_quantity(halves[-2]) if len(halves) > 1 else "", _quantity(halves[-1]) if len(halves) > 1 else "")
    if whole.endswith("rate") and _quantity(whole.removesuffix("rate")):
        return Ratio(_quantity(whole.removesuffix("rate")), "")
    halves = _PER.split(words)
    if len(halves) > 1:
        over, under = halves[-2].rpartition("/")[2], halves[-1]
        if _is_loss(over) and plain(under) in _LOSS_OF_ONE:
            return None
        known = _quantity(over), _quantity(under)
        plain_word = re.search(r"(?i)\s(per|over|pro|par|por|je)\s|÷|每", words)
        return Ratio(*known) if plain_word or (all(known) and known[0] != known[1]) or _timed(over, under) else None
    if "/" not in words:
        return None
    before, _, under = words.rpartition("/")
    over = before.rpartition("/")[2]
    known = _quantity(over), _quantity(under)
    if _is_loss(over) and plain(under) in _LOSS_OF_ONE:
        return None
    if _timed(over, under) or (all(known) and known[0] != known[1] and known[0] != "loss"):
        return Ratio(*known)
    return None


def is_logarithm(text: str) -> bool:
    """Whether a header names the logarithm of something: ``log10(N)``, ``log_params``, ``lnLoss``."""
    return bool(_LOGARITHM.fullmatch(text.strip()))


def _quantity(words: str) -> str:
    name = plain(words)
    if name in ("d", "n", "c"):
        return {"d": "tokens", "n": "params", "c": "flops"}[name]
    if re.fullmatch(r"(?:[kmgtpezy]|kilo|mega|giga|tera|peta|exa|zetta|yotta)flops?", name):
        return "flops"
    for ours in _QUANTITIES:
        if name in KNOWN_NAMES[ours] or (len(name) > 2 and name + "s" in KNOWN_NAMES[ours]):
            return ours
    last = plain(words.split(" ")[-1])
    return _quantity(last) if last and last != name else ""


def _is_loss(words: str) -> bool:
    return _quantity(words) == "loss" or plain(words.split(" ")[-1]) in ("nats", "nat", "bits", "bit", "perplexity")


def _timed(over: str, under: str) -> bool:
    """Whether one half is a quantity of ours and the other what it is spent on or per."""
    return (bool(_quantity(over)) and not _is_loss(over) and plain(under) in _DENOMINATORS) or (
        plain(over) in _NUMERATORS and _quantity(under) in ("tokens", "params", "flops")
    )
