"""Headers that say how far losses of a design spread, or where their ends lie, and not the loss itself."""

from __future__ import annotations

import re

#: words of a header; the first are no loss at all, the others may be named by hand
_SPREAD = "std stdev stddev sd stderr se sem var variance count n num ci ci95 iqr cv"
_ENDS = "min max low high lower upper lo hi"
_NO_LOSS, _WORDS = frozenset(_SPREAD.split()), frozenset(f"{_SPREAD} {_ENDS}".split())


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
