"""Headers of what is no loss of a token: how far losses spread, where their ends lie, a loss of a word or a byte."""

from __future__ import annotations

import re

from ..._words import plain

#: words of a header; the first are no loss at all, the others may be named by hand
_SPREAD = "std stdev stddev sd stderr se sem var variance count n num ci ci95 iqr cv"
_ENDS = "min max low high lower upper lo hi"
_NO_LOSS, _WORDS = frozenset(_SPREAD.split()), frozenset(f"{_SPREAD} {_ENDS}".split())
#: what a loss may be of, but for tokens
_OF = {
    "word": "word words wort worter mots palabra palabras",
    "byte": "byte bytes",
    "character": "char chars character characters zeichen",
    "document": "document documents doc docs",
    "sequence": "sequence sequences seq seqs",
    "sentence": "sentence sentences line lines paragraph paragraphs",
}
_OTHER = {word: what for what, words in _OF.items() for word in words.split()}
_LOSSES = frozenset(
    [
        "loss",
        "losses",
        "ppl",
        "perplexity",
        "nll",
        "ce",
        "xent",
        "entropy",
        "crossentropy",
        "nats",
        "nat",
        "bits",
        "bit",
    ]
)
#: units of a loss that are known, and words that stand together
_KNOWN = re.compile(r"(?i)(bits?|nats?)[\s_/.-]*(?:per)?[\s_/.-]*(bytes?|chars?|characters?)(?![a-z])")
_GLUED = re.compile(r"(?i)(?<![a-z])(word|byte|char|character|document|sequence|sentence)(?=ppl|perplexity|loss|nll)")


def is_spread(header: str) -> bool:
    """Whether the last word or the first of a header names a spread, a count or an end: ``loss_std``, ``loss_max``."""
    return _at_an_end(header, _WORDS)


def is_no_loss(header: str) -> bool:
    """Whether they name a spread or a count, which is no loss: ``loss_stderr``."""
    return _at_an_end(header, _NO_LOSS)


def _at_an_end(header: str, known: frozenset[str]) -> bool:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header).lower()
    words = [word for word in re.split(r"[^a-z0-9]+", apart) if word]
    return len(words) > 1 and (words[-1] in known or words[0] in known)


def loss_of_another(header: str) -> str:
    """What the loss of this header is of, where that is no token (``ppl (word)``, ``byte_loss``); or nothing."""
    if _KNOWN.search(header):
        return ""
    apart = _GLUED.sub(r"\1 ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header))
    words = [plain(word) for word in re.split(r"[\W_]+", apart)]
    found = next((_OTHER[word] for word in words if word in _OTHER), "")
    return found if found and _LOSSES.intersection(words) else ""
