"""The cells of recognised columns in our names and units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from ..epochs import remarks as repetition
from ..vocabulary import LIMITS
from .cells import decimal_mark, loss_unit_in, read_numbers, undressed, without_spreads
from .mapping import Mapped
from .our_units import in_our_unit
from .products import Product, per_token_remarks
from .sizes import sizes_in_names
from .text import RawTable


def converted(
    raw: RawTable, mapped: list[Mapped], product: Product | None, decimal: str | None, bytes_per_token: float | None
) -> tuple[pd.DataFrame, list[Mapped], list[str], list[str]]:
    """The frame in our names and units, the mapping with its units, problems, notes."""
    cells = _Cells(raw, mapped)
    cells.undress()
    if problems := cells.find_mark(decimal):
        return raw.frame, cells.mapped, problems, []
    done, problems = cells.in_our_units(bytes_per_token)
    mapped, notes = cells.mapped, cells.notes
    series = {m.name: done[m.name] if m.name in done else raw.frame.iloc[:, m.place] for m in mapped}
    frame = pd.DataFrame(series, index=raw.frame.index)
    if product is not None and not problems:
        follows = product.values(raw.frame, frame, cells.mark)
        mapped, words, problems = _add_product(frame, mapped, product, follows)
        notes += words
    elif {"params", "flops"} <= {*frame} and "tokens" not in frame:
        notes += per_token_remarks(raw.frame, frame)
    whole = _with_others(frame, raw.frame, mapped)
    return whole, mapped, problems, notes if problems else [*notes, *repetition(whole)]


class _Cells:
    """The columns of quantities on the way into our units, by our names; ``text`` are those whose cells are text."""

    def __init__(self, raw: RawTable, mapped: list[Mapped]):
        self.raw, self.mapped = raw, mapped
        self.series = {m.name: raw.frame.iloc[:, m.place] for m in self.numeric}
        self.text = {name for name, column in self.series.items() if _is_text(column)}
        self.mark = "."
        self.notes: list[str] = []

    @property
    def numeric(self) -> list[Mapped]:
        """The columns of quantities."""
        return [m for m in self.mapped if m.name in LIMITS]

    def undress(self) -> None:
        """Leave out what stands around numbers: spreads, names around sizes, and the unit of all losses."""
        for m in self.numeric:
            if m.name in self.text:
                self.series[m.name], count = without_spreads(m.name, undressed(self.series[m.name]))
                words = f"column {m.column!r}: the spreads behind {count} numbers are left out"
                self.notes += [words] if count else []
        if "params" in self.text and (sizes := sizes_in_names(self.series["params"])) is not None:
            self.notes.append("params are the sizes that the names tell: counts may be other numbers")
            self.series["params"] = sizes
        if "loss" in self.text:
            bare, unit = loss_unit_in(self.series["loss"])
            stated = next(m.unit for m in self.mapped if m.name == "loss")
            if unit is not None and stated in (None, unit):
                self.series["loss"] = bare
                told = (replace(m, unit=unit, source="cells") if m.name == "loss" else m for m in self.mapped)
                self.mapped = [*told]

    def find_mark(self, decimal: str | None) -> list[str]:
        """Settle the decimal mark, or return the question; columns with decimal commas are read as text."""
        self.mark = decimal or "."
        text = {name: column for name, column in self.series.items() if name in self.text}
        if decimal == "." or (decimal is None and not any(map(_has_comma, text.values()))):
            return []
        texts = self._read_as_text(text)
        if decimal is None:
            self.mark, problem = decimal_mark(texts)
            if problem:
                return [problem]
        if self.mark == ",":
            self.series |= texts
            self.text |= texts.keys()
            self.notes.append("numbers have decimal commas")
        return []

    def _read_as_text(self, text: Mapping[str, pd.Series]) -> dict[str, pd.Series]:
        """The columns as text: those that were taken for numbers are read again, where the file can be."""
        if self.raw.again is None:
            return dict(text)
        others = [m for m in self.numeric if m.name not in text]
        again = self.raw.again([m.place for m in others]).set_axis([m.name for m in others], axis=1)
        return dict(again.loc[self.raw.frame.index].assign(**text).items())

    def in_our_units(self, bytes_per_token: float | None) -> tuple[dict[str, pd.Series], list[str]]:
        """The columns in our units, and what is unclear about them; the mapping gets their units."""
        done, found, problems = {}, {}, []
        for m in self.numeric:
            column = self.series[m.name]
            own: np.ndarray | None = None
            units: list[str] = []
            if m.name in self.text:
                if m.unit == "other":  # an error or an accuracy, which may be in per cent
                    column = column.astype("str").str.replace(r"\s*%\s*$", "", regex=True).where(column.notna())
                column, own, units = read_numbers(m.name, column, self.mark)
            done[m.name], found[m.name], words = in_our_unit(m, column, bytes_per_token, own, units)
            problems += words
        self.mapped = [found.get(m.name, m) for m in self.mapped]
        return done, problems


def _is_text(column: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _has_comma(column: pd.Series) -> bool:
    return bool(column.astype("str").str.contains(",", regex=False, na=False).any())


def _add_product(
    frame: pd.DataFrame, mapped: list[Mapped], product: Product, follows: pd.Series
) -> tuple[list[Mapped], list[str], list[str]]:
    """Put what follows from other columns into the frame; the mapping with it, notes, and a question."""
    if named := next((m for m in mapped if m.name == product.name), None):
        frame[product.name], used, question = product.beside(named.column, frame[product.name], follows)
        return mapped, [used] if used else [], [question] if question else []
    frame[product.name] = follows
    made = Mapped(product.name, product.words, -1, "count", "product")
    return [*mapped, made], [f"{product.name} = {product.words}"], []


def _with_others(frame: pd.DataFrame, given: pd.DataFrame, mapped: list[Mapped]) -> pd.DataFrame:
    """The columns of ours, then all others as they came."""
    taken = {m.place for m in mapped}
    others = given.iloc[:, [k for k in range(given.shape[1]) if k not in taken]]
    others.columns = [f"{name} (as given)" if name in frame.columns else name for name in others.columns]
    return pd.concat([frame, others], axis=1)
