"""How a quantity follows from the columns of a table, as the option that makes it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..._words import plain
from ..headers import quoted


def derive_option(ours: str, expression: str, headers: Iterable[str]) -> str:
    """The option that makes a quantity, under another name where a column of the table has ours."""
    if ours not in headers:
        return f"--derive {ours}='{expression}'"
    return f"--derive {ours}_made='{expression}' --column {ours}={ours}_made"


def made_of_a_token(header: str, what: str) -> str:
    """What is said of a column with the loss of a word or the like, with the option that makes it one of a token."""
    column, words, count = quoted(header), plain(header), f"TOKENS_PER_{what.upper()}"
    said = f"{header!r} is of a {what}, not of a token"
    if "ppl" in words or "perplexity" in words:
        option = derive_option("loss", f"{column} ** (1 / {count})", [header])
        return f"{said}: {option} --loss-unit perplexity, with the number, makes it the perplexity of a token"
    option = derive_option("loss", f"{column}{' * 0.693147' if 'bit' in words else ''} / {count}", [header])
    return f"{said}: {option}, with the number, makes it nats per token"


def of_logarithm(ours: str, name: str, column: str = "") -> str:
    """How the quantity follows from the column of its logarithm, as an option where the ``name`` says the base."""
    column = column or name
    base = "10" if re.search(r"(?i)log_?\s*10|lg", name) else "2" if re.search(r"(?i)log_?\s*2", name) else ""
    base = base or ("2.718281828459045" if re.match(r"\s*ln", name) else "")
    if not base:
        return "add a column with the quantity itself"
    return derive_option(ours, f"{base} ** {quoted(column)}", [column])
