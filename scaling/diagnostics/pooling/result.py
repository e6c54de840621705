"""What speaks against one law for all rows, and advice that several kinds of it share."""

from __future__ import annotations

from dataclasses import dataclass

CHOOSE = "The rows have to be chosen first"
BEST = f"{CHOOSE}: --best-of params,tokens keeps the one of least loss of each"
ONE = "--best-of params,tokens keeps one of each"


@dataclass(frozen=True)
class Pooling:
    """Why the rows of a table are not one run each of one family.

    Attributes
    ----------
    kind : str
        ``checkpoints``, ``repeated``, ``copies``, ``evaluations``, ``sweep``, ``measures``, ``families``, ``appended``,
        ``unfinished``, ``experts`` or ``units``.
    columns : tuple of str
        Those that tell.
    words : str
        What was seen, and what to do.
    """

    kind: str
    columns: tuple[str, ...]
    words: str
