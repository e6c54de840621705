"""The columns of a Parquet table that are read, and their numbers in our units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...errors import RunsError
from ..nouns import Nouns, nouns_of
from ..table import lacking_columns
from ..vocabulary import LABELS, LIMITS
from .columns import map_columns
from .flags import is_flag, says_failed
from .mapping import Mapped, mapping_table, told
from .options import Options
from .our_units import in_our_unit
from .parquet import ParquetTable
from .text import unique_names

if TYPE_CHECKING:
    import pyarrow as pa

#: rows in which a column is looked at for what it says
LOOKED_AT = 10_000


@dataclass(frozen=True)
class StoredColumns:
    """What is read: our columns, how they become floats in our units, and the type of each label."""

    mapped: list[Mapped]
    shown: list[Mapped]
    source: dict[str, str]
    bytes_per_token: float | None
    labels: dict[str, pa.DataType]
    notes: list[str]
    nouns: Nouns = Nouns()

    def numbers(self, cells: Mapping[str, pa.Array]) -> dict[str, np.ndarray]:
        """The quantities in our units; NaN where there is nothing."""
        out = {}
        for m in self.mapped:
            if m.name in LIMITS:
                raw = pd.Series(_floats(cells[self.source[m.name]]))
                out[m.name] = in_our_unit(m, raw, self.bytes_per_token)[0].to_numpy(dtype=float)
        return out


def _floats(column: pa.Array) -> np.ndarray:
    import pyarrow as pa

    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def stored_columns(table: ParquetTable, name: str, whole: int, options: Options) -> StoredColumns:
    """The columns to read; ``RunsError`` where one is missing, can be read in two ways or holds no numbers.

    ``whole`` is the number of rows up to which text is read as well.
    """
    import pyarrow as pa

    options.check(name)
    theirs = list(table.types)
    notes: list[str] = []
    if options.strict:
        names = (*LIMITS, *LABELS)
        mapped = [Mapped(n, n, theirs.index(n), "nats" if n == "loss" else "count") for n in names if n in theirs]
        problems = lacking_columns(theirs)
    else:
        frame = pd.DataFrame(columns=unique_names([column.strip() for column in theirs]))
        how = dict(options.columns or {}), dict(options.units or {}), options.loss_unit
        mapped, product, problems, notes = map_columns(frame, *how, ceiling=options.ceiling)
        if product is not None and product.name not in {m.name for m in mapped}:
            follows = f"{product.name} would be {product.words}: of a table of more than {whole:,} rows"
            problems.append(f"{follows}, it has to stand in a column of its own")
    labels, shown = {}, []
    for m in mapped:
        kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in table.types[theirs[m.place]]]
        if m.name not in LIMITS:
            plain = {kind for kind in kinds if not pa.types.is_null(kind)}
            labels[m.name] = plain.pop() if len(plain) == 1 else pa.string()
            shown.append(m)
            continue
        _, found, words = in_our_unit(m, pd.Series(dtype=float), options.bytes_per_token)
        shown.append(found)
        problems += words
        other = next((file for file, kind in enumerate(kinds) if not _is_number(kind)), None)
        if other is not None:
            text = f"column {m.column!r} ({m.name}) is stored as {kinds[other]} in {table.name(other)}"
            hint = f"of a table of more than {whole:,} rows, numbers only are read: store it as numbers"
            problems.append(f"{text}; {hint}")
    read = {m.place for m in mapped}
    for column in _flags(table, [column for k, column in enumerate(theirs) if k not in read]):
        remedy = "write it as a column 'status' with the word finished, or leave those rows out"
        problems.append(f"column {column!r} says which runs failed; of more than {whole:,} rows, {remedy}")
    if problems:
        raise RunsError(name, problems)
    unread = [column for k, column in enumerate(theirs) if k not in read]
    unread = [column for column in unread if not column.startswith("__index_level_")]
    if unread:
        some = ", ".join(repr(column[:40]) for column in unread[:10])
        notes.append(f"not read: columns {some}" + (f" and {len(unread) - 10} more" if len(unread) > 10 else ""))
    source = {m.name: theirs[m.place] for m in mapped}
    nouns = Nouns() if options.strict else nouns_of(told(mapping_table(shown)), options.ceiling)
    shown = [] if options.strict else shown
    return StoredColumns(mapped, shown, source, options.bytes_per_token, labels, notes, nouns)


def _flags(table: ParquetTable, columns: list[str]) -> list[str]:
    """Columns that say which runs failed, by their headers and by their cells in the first rows."""
    named = [column for column in columns if is_flag(column)]
    if not named:
        return []
    first = next((cells for _, _, cells in table.batches(named, LOOKED_AT, []) if len(cells[named[0]])), {})
    return [column for column, cells in first.items() if says_failed(column, cells.to_pandas())]


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    return any(test(kind) for test in tests)
