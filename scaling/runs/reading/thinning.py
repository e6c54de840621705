"""Which rows of a stream are kept: a sample of all, and the last of each run.

Both see every row once, hold no more than they keep, and keep the same rows however the stream is cut into batches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..clashes import ONE

if TYPE_CHECKING:
    import pyarrow as pa

    #: rows by their place in a batch, with columns that are added to them
    Take = Callable[[np.ndarray, dict[str, np.ndarray]], pa.Table]

#: rows of each cell that a sample keeps at least
FLOOR = 20
#: cells of half an octave between the limits of params and tokens
_SIZES, _LENGTHS = 120, 140
#: rows that may wait to be sorted out
_PENDING = 1 << 18
#: runs, the first of a stream, of which every point is looked at
_FIRST = 20


class Sample:
    """Rows drawn with one chance for all, and at least :data:`FLOOR` of each cell of params and tokens."""

    def __init__(self, share: float):
        self.share = share
        self.count = np.zeros(_SIZES * _LENGTHS, dtype=np.int64)
        self._edge = np.ones(_SIZES * _LENGTHS)  # rows of a cell whose number is below are kept
        self._parts: list[pa.Table] = []
        self._new = 0

    def add(self, params: np.ndarray, tokens: np.ndarray, chance: np.ndarray, take: Take) -> None:
        cell = _half_octave(params, _SIZES) * _LENGTHS + _half_octave(tokens, _LENGTHS)
        self.count += np.bincount(cell, minlength=len(self.count))
        hit = np.flatnonzero(chance < self._edge[cell])
        if len(hit):
            self._parts.append(take(hit, {"cell": cell[hit], "chance": chance[hit]}))
            self._new += len(hit)
            if self._new > _PENDING:
                self._settle()

    def _settle(self) -> None:
        """Let go of the rows that others of their cell have displaced."""
        table = joined(self._parts)
        cell, chance = (table.column(name).to_numpy() for name in ("cell", "chance"))
        order = np.lexsort((chance, cell))
        rank = _rank(cell[order])
        last = order[rank == FLOOR - 1]
        self._edge[cell[last]] = np.maximum(chance[last], self.share)
        kept = order[(rank < FLOOR) | (chance[order] < self.share)]
        self._parts, self._new = [table.take(np.sort(kept))], 0

    def rows(self) -> tuple[pa.Table, np.ndarray]:
        """The rows, and the number of rows that each stands for."""
        self._settle()
        table = self._parts[0]
        cell = table.column("cell").to_numpy()
        kept = np.bincount(cell, minlength=len(self.count))
        return table.drop_columns(["cell", "chance"]), self.count[cell] / kept[cell]


def _half_octave(values: np.ndarray, most: int) -> np.ndarray:
    """The exponent of a double and the first bit of its fraction: exact, and the same on every machine."""
    return np.clip((np.ascontiguousarray(values).view(np.int64) >> 51) - 2 * 1023, 0, most - 1)


def _rank(groups: np.ndarray) -> np.ndarray:
    """Place of each row within its group, in rows sorted by group."""
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    return np.arange(len(groups)) - np.repeat(first, np.diff(first, append=len(groups)))


class Ends:
    """The last row, by flops, of each run; of equals the later one. There is ``room`` for so many runs."""

    def __init__(self, kind: pa.DataType, room: int):
        self._kind, self._ids = kind, dict[Any, int]()
        self._most, self._place = np.full(room, -np.inf), np.zeros(room, dtype=np.int64)
        self._low, self._high = np.full(room, np.inf), np.full(room, -np.inf)  # of the losses at the last point
        self._parts: list[pa.Table] = []
        self._points: list[pd.DataFrame] = []
        self._runs = self._stored = self._looked_at = 0

    def __len__(self) -> int:
        return self._runs

    def add(self, run: pa.Array, flops: np.ndarray, loss: np.ndarray, take: Take) -> None:
        ids = self._numbered(run)
        before = self._most[ids]
        np.maximum.at(self._most, ids, flops)
        most = self._most[ids]
        risen = ids[most > before]
        self._low[risen], self._high[risen] = np.inf, -np.inf
        hit = np.flatnonzero(flops == most)
        np.fmin.at(self._low, ids[hit], loss[hit])
        np.fmax.at(self._high, ids[hit], loss[hit])
        self._place[ids[hit]] = self._stored + np.arange(len(hit))
        self._parts.append(take(hit, {}))
        self._stored += len(hit)
        if self._stored > 2 * len(self) + _PENDING:
            self._settle()
        if self._looked_at < _PENDING and len(first := np.flatnonzero(ids < _FIRST)):
            self._points.append(pd.DataFrame({"run": ids[first], "flops": flops[first], "loss": loss[first]}))
            self._looked_at += len(first)

    def apart(self) -> np.ndarray:
        """Numbers of the runs with several losses at their last point, or, of the first runs, at any."""
        ends = np.flatnonzero(self._high[: self._runs] > self._low[: self._runs] * (1 + ONE))
        losses = pd.concat(self._points).groupby(["run", "flops"])["loss"].agg(["min", "max"])
        any_point = losses.index[losses["max"] > losses["min"] * (1 + ONE)].get_level_values("run")
        return np.union1d(ends, any_point).astype(np.int64)

    def named(self, numbers: set[int]) -> tuple[list[Any], np.ndarray]:
        """The names of those of these runs that have one, and the number of each."""
        found = {name: number for name, number in self._ids.items() if number in numbers}
        return list(found), np.array(list(found.values()), dtype=np.int64)

    def last(self, numbers: np.ndarray) -> np.ndarray:
        """The flops at the last point of these runs."""
        return self._most[numbers]

    def _numbered(self, run: pa.Array) -> np.ndarray:
        """The number of each row's run; a row without a name is a run of its own."""
        import pyarrow as pa

        run = run if pa.types.is_dictionary(run.type) else run.dictionary_encode()
        codes, used = pd.factorize(filled(run.indices))  # of a dictionary that may name far more than this batch
        named = used >= 0
        names = run.dictionary.take(pa.array(used[named])).cast(self._kind).to_pylist()
        number = np.empty(len(used), dtype=np.int64)
        number[named] = [self._ids[name] if name in self._ids else self._new(name) for name in names]
        out = number[codes]
        if not named.all():
            nameless = ~named[codes]
            out[nameless] = self._runs + np.arange(nameless.sum())
            self._runs += int(nameless.sum())
        return out

    def _new(self, name: Any) -> int:
        self._ids[name] = self._runs
        self._runs += 1
        return self._ids[name]

    def _settle(self) -> None:
        order = np.argsort(self._place[: self._runs])
        self._parts = [joined(self._parts).take(self._place[order])]
        self._place[order] = np.arange(len(order))
        self._stored = len(order)

    def rows(self) -> pa.Table:
        self._settle()
        return self._parts[0]


def filled(indices: pa.Array) -> np.ndarray:
    """Indices as an array of their own, -1 where there is none."""
    return indices.cast("int64").fill_null(-1).to_numpy(zero_copy_only=False).copy()


def joined(parts: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(parts).combine_chunks()
