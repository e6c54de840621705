"""Which column of a table is which quantity."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from ..._words import plain
from ..vocabulary import KNOWN_NAMES, TRIPLE
from .flags import known_state
from .hours import read_time, without_hours
from .lacking import lacking_words
from .mapping import Mapped
from .named import named_columns
from .one_epoch import tokens_of_one_epoch
from .other_laws import rising_columns
from .products import Product, other_tokens, tokens_by_parts
from .rivals import ask_of_bits, chosen_rival, rivals_for
from .sizes import named_sizes
from .stated_units import with_units
from .units import Header, read_header

#: names so short that the cells have to look like the quantity, where the table can do without
_WEAK = {"n", "d", "c", "l"}


def map_columns(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    units: Mapping[str, str],
    loss_unit: str | None,
    needs: Sequence[str] | None = None,
    ceiling: float | None = None,
) -> tuple[list[Mapped], Product | None, list[str], list[str]]:
    """The mapping, how what stands in no column follows from others (None: it need not), problems, and notes.

    ``needs`` are the quantities without which the table is of no use, by default the loss and two of the other three.
    With a ``ceiling``, the loss is what a column that rises to it lacks.
    """
    search = _Search(frame, columns)
    search.take_named()
    if ceiling is not None:
        search.take_rising()
        loss_unit = "other"
    search.take_recognised(loss_unit)
    search.take_sizes()
    search.tell_repeated()
    search.take_budget()
    search.take_weak()
    search.ask_of_tokens(units)
    product = search.product()
    search.state_units(units, loss_unit)
    search.mapped = [replace(m, ceiling=ceiling) if m.name == "loss" else m for m in search.mapped]
    search.tell_lacking(product, needs)
    return search.mapped, product, search.problems, search.notes


@dataclass
class _Search:
    """What is known so far of the columns of a table; ``columns`` are those that the caller names.

    ``taken`` are the places of columns that were one of ours at any time, ``weak`` waits for what the others say.
    """

    frame: pd.DataFrame
    columns: Mapping[str, str]
    mapped: list[Mapped] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    weak: list[Mapped] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.headers = {place: read_header(str(name)) for place, name in enumerate(self.frame.columns)}

    @property
    def found(self) -> dict[str, Mapped]:
        """The columns that are a quantity or a label of ours, by our name."""
        return {m.name: m for m in self.mapped}

    def unit_at(self, place: int) -> str | None:
        """The unit that the header at a place states."""
        header: Header | None = self.headers.get(place)
        return header.unit if header else None

    def take(self, m: Mapped) -> None:
        """A column is one of ours."""
        self.mapped.append(m)
        self.taken.add(m.place)

    def take_named(self) -> None:
        """The columns that the caller names."""
        mapped, self.problems = named_columns(self.frame, self.columns)
        for m in mapped:
            self.take(m)

    def take_rising(self) -> None:
        """The column of which the loss is what it lacks of a limit; no other is looked for."""
        if "loss" not in self.columns:
            found, words = rising_columns(self.frame)
            for place in found:
                self.take(Mapped("loss", str(self.frame.columns[place]), place))
            self.problems += words
        self.columns = {**self.columns, "loss": ""}

    def take_recognised(self, loss_unit: str | None) -> None:
        """The columns whose headers name a quantity, one of each."""
        for ours in KNOWN_NAMES:
            if ours in self.found or ours in self.columns:
                continue
            rivals = rivals_for(ours, self.frame, self.headers, self.taken)
            chosen, problems, notes = chosen_rival(ours, rivals)
            self.problems += problems
            self.notes += notes
            if ours == "loss" and loss_unit is None:
                self.problems += ask_of_bits(chosen, rivals)
            if chosen is None:
                continue
            m = Mapped(ours, chosen.header, chosen.place)
            if ours == "status" and m.column != ours and len(self.frame) and not known_state(chosen.cells):
                self.notes.append(f"column {m.column!r} is carried: no word in it says how a run ended")
            elif plain(m.column) in _WEAK and not chosen.fits:
                self.weak.append(m)
            else:
                self.take(m)
        if any(m.name == "params" and re.search("(?<!in)activ", plain(m.column)) for m in self.mapped):
            words = "params are those active for a token: what a mixture of experts has in all is no part of the law"
            self.notes.append(words)

    def take_sizes(self) -> None:
        """Where no column is params, one of models whose names are sizes is."""
        if named := named_sizes(self.frame, self.mapped, self.taken):
            params, words = named
            self.notes.append(words)
            self.mapped = [m for m in self.mapped if m.place != params.place]
            self.take(params)

    def tell_repeated(self) -> None:
        """Tokens may be those of one epoch."""
        self.mapped, words = tokens_of_one_epoch(self.frame, self.mapped, self.columns, self.taken)
        self.problems += words

    def take_budget(self) -> None:
        """Where nothing else says how long runs were, a nominal budget is taken for their FLOPs."""
        found = self.found
        if "budget" not in found or len(found.keys() & TRIPLE) != 1 or found.keys() & {"flops", "unique_tokens"}:
            return
        words = f"flops are those of column {found['budget'].column!r}: a nominal budget may not be what was spent"
        self.notes.append(words)
        self.mapped = [replace(m, name="flops") if m.name == "budget" else m for m in self.mapped]

    def take_weak(self) -> None:
        """Columns of one letter whose numbers are unlike the quantity, where the table cannot do without."""
        found = set(self.found)
        for m in self.weak:
            if m.name == "loss" or len(found.intersection(TRIPLE)) < 2:
                self.take(m)
            else:
                words = f"column {m.column!r} is carried, not taken as {m.name}: its numbers are no such quantity"
                self.notes.append(words)

    def ask_of_tokens(self, units: Mapping[str, str]) -> None:
        """Steps and batch may say something else than the column of tokens."""
        tokens = self.found.get("tokens")
        if tokens and "tokens" not in self.columns:
            unit = units.get("tokens") or self.unit_at(tokens.place)
            problems, notes = other_tokens(self.frame, tokens.column, self.taken, unit)
            self.problems += problems
            self.notes += notes

    def product(self) -> Product | None:
        """How a quantity that may stand in no column follows from others."""
        found = self.found
        if len(found.keys() & TRIPLE) > 1 and "unique_tokens" not in found:
            return None
        product, words = tokens_by_parts(self.frame, {m.name: m.column for m in self.mapped}, self.taken)
        self.problems += words
        return replace(product, asked=product.name in self.columns) if product else None

    def state_units(self, units: Mapping[str, str], loss_unit: str | None) -> None:
        """The units that options and headers state; what counts hours or is in no unit is left out."""
        self.mapped, problems, notes = without_hours(self.mapped, self.columns, units)
        self.problems += problems
        self.notes += notes
        self.mapped, problems, notes = with_units(self.mapped, self.headers, units, loss_unit)
        self.problems += problems
        self.notes += notes

    def tell_lacking(self, product: Product | None, needs: Sequence[str] | None) -> None:
        """What is said of quantities that no column holds, and of which nothing is asked as yet."""
        asked = {ours for ours in KNOWN_NAMES if any(f"--column {ours}=" in words for words in self.problems)}
        asked |= {m.name for m in self.mapped if m.name == "flops" and read_time(m.column)}
        known = self.found.keys() | asked | ({product.name} if product else set())
        places = {m.name: m.place for m in self.mapped}
        self.problems += lacking_words(self.frame, known, self.taken, places, needs)
