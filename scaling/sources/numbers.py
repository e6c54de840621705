"""The papers' numbers. Their one home is ``data/published.csv``; nobody types them anywhere else."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import cache

import pandas as pd

from ..errors import UnknownPublishedError
from .files import data_file

__all__ = ["Published", "large_models", "published", "published_table"]

#: the word of the column ``known`` for a number that was not read at its source
SECONDARY = "secondary"


@dataclass(frozen=True)
class Published:
    """One number as a paper prints it.

    Attributes
    ----------
    id : str
        ``paper/place/.../quantity``, such as ``hoffmann2022/table2/approach3/a``.
    quantity : str
        What the number is, in words.
    value : float
        The number, in ``unit``.
    low, high : float
        The interval printed with it, NaN where none is printed; ``note`` says of which kind.
    unit : str
        ``1`` for a pure number.
    locator : str
        Where in the paper: table, equation, section.
    known : str
        How the number is known to us: ``read in the paper``, ``read in the authors' code``,
        ``secondary`` (from notes on the paper) or ``recomputed``.
    note : str
        What a reader should know before using it; empty if nothing.
    printed : str
        The number with the digits that the paper gives, such as ``0.50``.

    Examples
    --------
    >>> record = published("hoffmann2022/table2/approach3/a")
    >>> float(record), record.low, record.high
    (0.46, 0.454, 0.455)
    """

    id: str
    quantity: str
    value: float
    low: float
    high: float
    unit: str
    locator: str
    known: str
    note: str
    printed: str

    @property
    def half_unit(self) -> float:
        """Half a unit of the last printed digit: how far rounding alone may have moved the value."""
        return 0.5 * 10.0 ** int(Decimal(self.printed).as_tuple().exponent)

    @property
    def rounding(self) -> float:
        """The same as a share of the value."""
        return self.half_unit / abs(self.value)

    @property
    def hand(self) -> str:
        """``first`` or ``second``: whether the number was read at its source."""
        return "second" if self.known == SECONDARY else "first"

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        interval = "" if math.isnan(self.low) else f" [{self.low:g}, {self.high:g}]"
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.id}: {self.printed}{interval}{unit} [{self.locator}; {self.known}]"


@cache
def _records() -> dict[str, Published]:
    table = pd.read_csv(data_file("published.csv"), dtype=str)
    text = ["id", "quantity", "unit", "locator", "known", "note"]
    table[text] = table[text].fillna("")
    table["printed"] = table["value"]
    table = table.astype({name: float for name in ("value", "low", "high")})
    records = [Published(**row) for row in table.to_dict("records")]
    return {record.id: record for record in records}


def published(id: str) -> Published:
    """Look up a published number by its id.

    Parameters
    ----------
    id : str
        ``paper/place/.../quantity``, such as ``hoffmann2022/table2/approach3/a``.

    Returns
    -------
    Published
        The number, and where it stands.

    Raises
    ------
    UnknownPublishedError
        If no number has this id. It is a ``KeyError`` whose message lists the closest ids.
    """
    records = _records()
    if id not in records:
        close = get_close_matches(str(id), records, n=3, cutoff=0.6)
        hint = f"; did you mean {', '.join(close)}?" if close else "; published_table() lists every id"
        raise UnknownPublishedError(f"no published number is called {id!r}{hint}")
    return records[id]


def places_of(names: Iterable[str]) -> list[str]:
    """The places below which all of these numbers stand."""
    records, (first, *rest) = _records(), names
    places = [id.removesuffix(f"/{first}") for id in records if id.endswith(f"/{first}")]
    return [place for place in places if all(f"{place}/{name}" in records for name in rest)]


def published_table(source: str = "") -> pd.DataFrame:
    """List all published numbers whose id is ``source`` or lies below it, one row each, in file order.

    Parameters
    ----------
    source : str
        A paper or a part of one: ``"hoffmann2022"``, ``"hoffmann2022/table2"``. Empty: everything.

    Returns
    -------
    DataFrame
        Index ``id``; the other columns are the attributes of :class:`~scaling.sources.Published`.

    Raises
    ------
    UnknownPublishedError
        If nothing lies below ``source``.
    """
    records = _records()
    prefix = source.rstrip("/")
    chosen = [r for r in records.values() if not prefix or r.id == prefix or r.id.startswith(f"{prefix}/")]
    if not chosen:
        roots = sorted({"/".join(id.split("/")[:depth]) for id in records for depth in (1, 2)})
        close = get_close_matches(prefix, roots, n=3, cutoff=0.5)
        papers = sorted({id.split("/")[0] for id in records})
        hint = f"; did you mean {', '.join(close)}?" if close else f"; papers: {', '.join(papers)}"
        raise UnknownPublishedError(f"no published numbers lie below {source!r}{hint}")
    return pd.DataFrame([vars(record) for record in chosen]).set_index("id")


def large_models() -> pd.DataFrame:
    """Load large models and the tokens that they were trained on (Hoffmann et al. 2022, Table 1).

    Returns
    -------
    DataFrame
        One row a model: ``name``, ``params`` (count), ``tokens`` (count).
    """
    return pd.read_csv(data_file("large_models.csv"))
