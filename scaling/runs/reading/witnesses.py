"""Runs of a stream that are read once more, with all of their columns: has one of them several ends?"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from ...errors import RunsWarning
from ..clashes import Answers, clash
from ..problems import bad_rows
from ..table import checked_table
from .flags import translate_status
from .mapping import mapping_table, told
from .parquet import ParquetTable
from .stored import StoredColumns
from .thinning import Ends, filled

#: runs of which all rows are read again, and of which the last are, at most
MOST, MOST_OTHERS = 200, 2_000
_CHOOSE = "in reading a table of more than {whole:,} rows none are chosen: write "


def ask_witnesses(
    ends: Ends, table: ParquetTable, columns: StoredColumns, include_failed: bool, whole: int, batch: int
) -> str:
    """The question of :func:`~scaling.runs.clashes.clash` about a table of more than ``whole`` rows, or nothing.

    Where runs have several losses at one point, all rows of some of these are read, and the last of some others, in the
    proportion in which they are in the table.
    """
    apart = ends.apart()
    if not len(apart):
        return ""
    some = _spread(apart, max(1, min(MOST, whole * len(ends) // sum(table.rows))))
    others = np.setdiff1d(np.arange(len(ends)), apart)
    others = _spread(others, min(MOST_OTHERS, -(-len(others) * len(some) // len(apart))))
    frame = translate_status(_rows_of(ends, some, others, table, columns, batch))[0]
    frame = columns.nouns.on(frame[~bad_rows(frame)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RunsWarning)  # what is odd is said of the whole table
        runs = checked_table(frame, table.root.name, include_failed, [])
    runs.attrs["reading"] = {"mapping": told(mapping_table(columns.shown))}
    choose = _CHOOSE.format(whole=whole)
    answers = Answers(
        untold=f"{choose}one row of each to a file of its own; if all are runs, write a column that names each",
        runs="write a column that names runs by {names}, and read it as the run (--column run=...)",
        rows=f"{choose}those where {{where}} holds, or others, to a file of their own",
        more="others",
    )
    return clash(runs, answers=answers)


def _spread(numbers: np.ndarray, most: int) -> np.ndarray:
    """So many of the numbers, from all over them."""
    return numbers[np.linspace(0, len(numbers) - 1, min(most, len(numbers))).astype(int)]


def _rows_of(
    ends: Ends, some: np.ndarray, others: np.ndarray, table: ParquetTable, columns: StoredColumns, batch: int
) -> pd.DataFrame:
    """All rows of some runs and the last of others: those of ours in our units and under our names."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, ours, parts = columns.labels["run"], {m.place for m in columns.mapped}, []
    theirs = [name for place, name in enumerate(table.types) if place not in ours]
    names, numbers = ends.named({*some.tolist(), *others.tolist()})
    entire, last = np.isin(numbers, some), ends.last(numbers)
    for file, start, cells in table.batches(list(table.types), batch, []):
        place = filled(pc.index_in(cells[columns.source["run"]].cast(kind), pa.array(names, kind)))
        at = np.flatnonzero(place >= 0)
        read = pd.DataFrame({name: values[at] for name, values in columns.numbers(cells).items()})
        N, D, C = (read.get(name, np.nan) for name in ("params", "tokens", "flops"))
        kept = entire[place[at]] | (np.where(np.isnan(C), 6 * N * D, C) == last[place[at]])
        if kept.any():
            at = at[kept]
            cell = {name: column.take(pa.array(at)).to_pandas().to_numpy() for name, column in cells.items()}
            more = {label: cell[columns.source[label]] for label in columns.labels} | {
                name: cell[name] for name in theirs
            }
            parts.append(read[kept].assign(**more).set_axis(table.labels(np.full(len(at), file), start + 1 + at)))
    return pd.concat(parts)
