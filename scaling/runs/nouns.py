"""What a table calls its quantities: other fields minimise an error or raise a reward, and count images or episodes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .._words import plain
from .vocabulary import KNOWN_NAMES, LIMITS, UNIT_HINTS

__all__ = ["Nouns"]

#: what stands as it is: code, formulas, marks of HTML, options with what they are given, quotations
_AS_IS = (
    r"(?:parametric loss|^```.*?^```$|`[^`]*`|\$[^$]*\$|<[a-z/!][^>]*>|--[\w-]+[ =]\S*|'[^'\n]*'|[\w.]*[=_/][\w./-]*)"
)
_OURS = r"(?P<head> ?\[nats(?: per |/)token\]| nats (?:per|a) token)"
_OURS += r"|(?P<article>\b[Aa] )?(?<![\w-])(?P<noun>[Tt]okens?|[Ll]oss(?:es)?)(?![\w-])"
_WORDS = re.compile(f"{_AS_IS}|{_OURS}", flags=re.MULTILINE | re.DOTALL)
#: column of our own tables that says what the loss is, where it is not in nats per token
UNIT = "loss_unit"
#: limits of a loss that is not in nats per token
OTHER_LOSS = (1e-12, 1e15)
#: what is counted already, and takes neither an article nor a plural: bits per byte
_COUNTED = re.compile(r"^\w+s per ")
#: words of a header that say how many, not of what
_COUNTING = {"n", "num", "number", "of", "no", "total", "count", "the", "train", "training", "seen"}


@dataclass(frozen=True)
class Nouns:
    """The words for what the runs of a table minimise and what they are trained on.

    Attributes
    ----------
    loss : str
        What is minimised: ``loss``, in nats per token, unless the table measures something else: ``error rate``;
        ``missing accuracy``, what an accuracy lacks of its ceiling.
    tokens : str
        What is counted by D, in the plural: ``images``.
    rises : str
        The quantity that rises, where the loss is what it lacks; else nothing.
    ceiling : float, optional
        The limit to which it rises: loss = ceiling - what rises.
    """

    loss: str = "loss"
    tokens: str = "tokens"
    rises: str = ""
    ceiling: float | None = None

    @property
    def measures_otherwise(self) -> bool:
        """Whether the loss is something else than a loss in nats per token."""
        return self.loss != "loss"

    def said(self, text: str) -> str:
        """Put a text of ours into the table's words; names of columns, options, code and formulas in it stay.

        Parameters
        ----------
        text : str
            With *loss* and *tokens*.

        Returns
        -------
        str
            The text.
        """
        if self == Nouns():
            return text
        return _WORDS.sub(self._said, text)

    def _said(self, found: re.Match[str]) -> str:
        if found["head"]:
            return "" if self.measures_otherwise else found[0]
        ours = found["noun"]
        if not ours:
            return found[0]
        several = ours.lower() in ("tokens", "losses")
        noun = (self.loss if not several else _plural(self.loss)) if ours[0] in "Ll" else self.tokens
        noun = _singular(noun) if ours.lower() == "token" else noun
        article, large = found["article"] or "", ours[0].isupper()
        if article and _COUNTED.search(noun):
            article, large = "", article[0].isupper()
        article = f"{article[0]}n " if article and noun[0].lower() in "aeiou" else article
        return article + (noun[0].upper() + noun[1:] if large else noun)

    def number(self, loss: float) -> str:
        """Write a loss to three decimals, which is what nats per token bear; in another unit to four digits.

        Parameters
        ----------
        loss : float
            The loss.

        Returns
        -------
        str
            The number.
        """
        return f"{loss:.4g}" if self.measures_otherwise else f"{loss:.3f}"

    def ends(self, value: float, low: float, high: float) -> tuple[float, float, float]:
        """Turn a loss and its interval into what rises instead, where that is the table's quantity.

        Parameters
        ----------
        value, low, high : float
            The loss and the ends of its interval.

        Returns
        -------
        tuple of float
            Value, low and high.
        """
        return (self.risen(value), self.risen(high), self.risen(low)) if self.rises else (value, low, high)

    def risen(self, loss: float) -> float:
        """Compute what rises from the loss.

        Parameters
        ----------
        loss : float
            What is missing of the ceiling.

        Returns
        -------
        float
            The ceiling less the loss.
        """
        return (self.ceiling or 0.0) - loss

    def about(self) -> str:
        """Say in a sentence what the words mean.

        Returns
        -------
        str
            Empty where they are the usual ones.
        """
        parts = []
        if self.rises:
            parts.append(f"`loss` is what {self.rises} lacks of {self.ceiling:g}, called {self.loss}")
        elif self.measures_otherwise:
            parts.append(f"`loss` is the {self.loss} of the table, as its numbers are")
        if self.tokens != "tokens":
            parts.append(f"`tokens` are {self.tokens}")
        return f"in this table {', and '.join(parts)}" if parts else ""

    def record(self) -> dict[str, Any]:
        """Give the words to programs.

        Returns
        -------
        dict
            The fields by name.
        """
        return {"loss": self.loss, "tokens": self.tokens, "rises": self.rises, "ceiling": self.ceiling}

    @property
    def limits(self) -> dict[str, tuple[float, float]]:
        """What each quantity can be; a loss in nats per token has closer limits than another."""
        return LIMITS | {"loss": OTHER_LOSS} if self.measures_otherwise else LIMITS

    @property
    def suspicious(self) -> float:
        """A loss above this may be in another unit."""
        return math.inf if self.measures_otherwise else 30.0

    def hint(self, name: str) -> str:
        """Say what the numbers of a quantity should be.

        Parameters
        ----------
        name : str
            A column of ours.

        Returns
        -------
        str
            A clause for a message.
        """
        if name == "loss" and self.rises:
            return f"it is {self.ceiling:g} - {self.rises}; does {self.rises} rise to {self.ceiling:g}? --ceiling LIMIT"
        if name == "loss" and self.measures_otherwise:
            return f"it is the table's {self.loss}, which a law lets fall to a limit of at least 0"
        return UNIT_HINTS.get(name.split("_")[0], UNIT_HINTS["flops"])

    def on(self, runs: pd.DataFrame) -> pd.DataFrame:
        """Write these words into the attributes of a table.

        Parameters
        ----------
        runs : DataFrame
            Changed in place.

        Returns
        -------
        DataFrame
            The same table.
        """
        if self != Nouns():
            runs.attrs["nouns"] = self.record()
        return runs

    @classmethod
    def of(cls, runs: pd.DataFrame) -> Nouns:
        """Read the words of a table.

        Parameters
        ----------
        runs : DataFrame
            As it was read.

        Returns
        -------
        Nouns
            The usual ones where it has none.
        """
        return cls(**(runs.attrs.get("nouns") or {}))


def nouns_of(mapping: Iterable[Mapping[str, Any]], ceiling: float | None = None) -> Nouns:
    """The words of a table, from how its columns were read.

    ``mapping`` has a row a quantity: ``name`` (ours), ``column`` (the file's), ``unit``, ``from``; ``ceiling`` is the
    limit to which the column of the loss rises, where it does.
    """
    rows = {str(row["name"]): row for row in mapping}
    words: dict[str, Any] = {}
    if loss := rows.get("loss"):
        name = _bare(str(loss["column"]))
        if ceiling is not None:
            words |= {"loss": f"missing {name}", "rises": name, "ceiling": ceiling}
        elif loss["unit"] == "other":
            words["loss"] = name if plain(name) not in KNOWN_NAMES["loss"] else "measured loss"
    tokens = rows.get("tokens", {"column": "tokens", "from": ""})
    if tokens["from"] != "product" and (name := _counted(str(tokens["column"]))):
        words["tokens"] = name
    return Nouns(**words)


def _bare(header: str) -> str:
    """A header as words: without what stands in brackets, underscores or the parts before a slash."""
    text = re.sub(r"[(\[{].*?[)\]}]", " ", header.rpartition("/")[2] or header)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.replace("_", " ").replace("%", " "))
    words = [word if word.isupper() else word.lower() for word in re.sub(r"[^\w\s-]", " ", text).split()]
    return " ".join(words)[:40] or "measure"


def _counted(header: str) -> str:
    """What a header counts, in the plural; nothing where it counts tokens, or does not say what."""
    if plain(header) in KNOWN_NAMES["tokens"] or "tok" in plain(header):
        return ""
    words = [word for word in _bare(header).split() if word not in _COUNTING]
    last = words[-1] if words else ""
    return last if re.fullmatch(r"[a-z]{3,}s", last) and not last.endswith("ss") else ""


def _plural(noun: str) -> str:
    if _COUNTED.search(noun):
        return noun
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es" if noun.endswith(("ss", "x", "ch", "sh")) else noun
    return f"{noun[:-1]}ies" if re.search("[^aeiou]y$", noun) else f"{noun}s"


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    return noun[:-2] if noun.endswith(("sses", "xes", "ches", "shes")) else noun.removesuffix("s")
