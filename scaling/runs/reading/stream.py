"""A table larger than memory as runs: one pass checks all of its rows and keeps what a fit needs.

Batches of rows come into our units and are judged by the checks of small tables. Where a column names the run, the last
row of each is kept, and beside them a sample of all rows, the curves. Without such a column the sample is all: rows are
drawn with one chance for all, and :data:`FLOOR` of each cell of half an octave in params and tokens at least, each with
the number of rows that it stands for. Which rows these are is a matter of the seed and of the rows' order alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..._words import first_rows
from ...errors import RunsError
from ..curves import rows_or_runs
from ..problems import bad_rows, suspicion_masks, suspicion_words
from ..table import checked_table, left_out, none_finished
from ..vocabulary import LIMITS, STANDS_FOR, TRIPLE
from .doubts import answerable, doubts
from .flags import FINISHED, finished_note, translate_status
from .mapping import advice, mapping_table
from .options import Options
from .our_units import in_our_unit
from .overflow import overflown
from .parquet import ParquetTable, begins_as_parquet, open_parquet
from .stored import StoredColumns, stored_columns
from .thinning import FLOOR, Ends, Sample, filled, joined
from .witnesses import ask_witnesses

if TYPE_CHECKING:
    import pyarrow as pa

#: rows up to which a table is read whole, and runs whose last rows are kept
WHOLE = MOST_RUNS = 1_000_000
#: rows of a larger one that are drawn, on average, and the seed of the draw
DRAWN, SEED = 100_000, 0
#: rows with an impossible value after which reading stops
MOST_BAD = 1_000
#: rows at a time
BATCH = 1 << 16


def large_table(path: Path, names: Iterable[str]) -> ParquetTable | None:
    """The table at a path where it is Parquet with more rows than are read whole, else None."""
    if not (path.is_dir() or (path.is_file() and begins_as_parquet(path))):
        return None
    table = open_parquet(path, names)
    return table if sum(table.rows) > WHOLE else None


@dataclass
class _Tally:
    """How many rows a word is true of, and the first of them."""

    count: int = 0
    first: list[tuple[int, int]] = field(default_factory=list)

    def add(self, file: int, rows: np.ndarray) -> None:
        self.count += len(rows)
        self.first += [(file, int(row)) for row in rows[: 5 - len(self.first)]]

    def words(self, table: ParquetTable) -> str:
        files, rows = (np.array(part) for part in zip(*self.first, strict=True))
        return first_rows(table.labels(files, rows), self.count)


def _within(limits: tuple[float, float], values: np.ndarray) -> bool:
    """Whether all values of a quantity are possible ones, and none is missing."""
    low, high = limits
    return not len(values) or bool(values.min() >= low and values.max() <= high)


@dataclass(frozen=True)
class Thinned:
    """Runs in our columns, checked; how they were read, and a record of the thinning."""

    runs: pd.DataFrame
    mapping: pd.DataFrame
    notes: list[str]
    kind: str
    record: dict[str, Any]


def thin_runs(table: ParquetTable, name: str, options: Options) -> Thinned:
    """One pass over a table: all rows checked, those kept that a fit needs.

    Raises
    ------
    RunsError
        All that is wrong with the table; of very many impossible rows the first, and how far the reading came.
    """
    from tqdm import tqdm  # here, so that smaller tables do not wait for it

    columns = stored_columns(table, name, WHOLE, options)
    found = _Pass(table, columns, options.include_failed, options.skip_bad)
    labels = [columns.source[label] for label in columns.labels]
    total = sum(table.rows)
    with tqdm(total=total, desc="reading", unit=" rows", unit_scale=True, disable=None, delay=1) as bar:
        for file, start, cells in table.batches(list(columns.source.values()), BATCH, labels):
            found.add(file, start, cells)
            bar.update(len(next(iter(cells.values()))))
            if found.hopeless:
                break
    return found.thinned(name)


class _Pass:
    """What one pass over all rows finds and keeps."""

    def __init__(self, table: ParquetTable, columns: StoredColumns, include_failed: bool, skip_bad: bool):
        self.table, self.columns = table, columns
        self.include_failed, self.skip_bad = include_failed, skip_bad
        self.read = self.valid = 0
        self.status: Counter[str] = Counter()
        self.skipped, self.followed = _Tally(), Counter[str]()
        self.odd: dict[str, _Tally] = {}
        self.worst = 1.0
        self.bad: list[pd.DataFrame] = []
        self.odd_counts: list[pd.DataFrame] = []
        self.unbounded: dict[str, tuple[float, float]] = {}
        self.ranges: dict[str, tuple[float, float]] = {}
        self.sample = Sample(DRAWN / sum(table.rows))
        self.ends = Ends(columns.labels["run"], MOST_RUNS + BATCH) if "run" in columns.labels else None
        self.single = False
        self._random = np.random.default_rng(SEED)

    @property
    def hopeless(self) -> bool:
        """Whether so much is wrong that reading on says nothing new."""
        return sum(map(len, self.bad)) > MOST_BAD

    def add(self, file: int, start: int, cells: dict[str, pa.Array]) -> None:
        """Check a batch of rows and keep of them what may be needed."""
        import pyarrow as pa

        numbers = self.columns.numbers(cells)
        size = len(numbers["loss"])
        chance, place = self._random.random(size), np.arange(size)
        self.read += size
        self._widen(numbers)
        finished = self._finished(cells)
        if not self.include_failed:
            numbers, chance, place = _only(finished, numbers, chance, place)
            finished = finished[finished]
        bad, broken, full = self._judged(numbers, finished)
        if bad.any() and sum(map(len, self.odd_counts)) < MOST_BAD:
            self.odd_counts.append(
                pd.DataFrame({n: v[bad] for n, v in numbers.items()}, self._labels(file, start + 1 + place[bad]))
            )
        if self.skip_bad:
            self.skipped.add(file, start + 1 + place[bad])
        wrong = broken if self.skip_bad else bad | broken
        if wrong.any():
            self._witness(file, start + 1 + place[wrong], {k: v[wrong] for k, v in numbers.items()}, finished[wrong])
        numbers, chance, place = _only(~(bad | broken), full, chance, place)
        self._describe(file, start + 1 + place, numbers)

        def take(hit: np.ndarray, more: dict[str, np.ndarray]) -> pa.Table:
            labels = {label: self._label(label, cells, place[hit]) for label in self.columns.labels}
            at = {"file": np.full(len(hit), file), "row": start + 1 + place[hit]}
            return pa.table({name: values[hit] for name, values in numbers.items()} | labels | at | more)

        self.sample.add(numbers["params"], numbers["tokens"], chance, take)
        if self.ends is not None:
            run = cells[self.columns.source["run"]]
            run = run if len(place) == size else run.take(pa.array(place))
            self.ends.add(run, numbers["flops"], numbers["loss"], take)
            self._count_runs()

    def _finished(self, cells: dict[str, pa.Array]) -> np.ndarray:
        """Which rows finished; their words are counted."""
        import pyarrow as pa

        size = len(next(iter(cells.values())))
        if "status" not in self.columns.source:
            return np.ones(size, dtype=bool)
        column = cells[self.columns.source["status"]]
        column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        words = [w.strip().lower() if isinstance(w, str) else "empty" for w in column.dictionary.to_pylist()]
        words.append("empty")
        codes = filled(column.indices)
        for word, rows in zip(words, np.bincount(codes % len(words), minlength=len(words)).tolist(), strict=True):
            self.status[word] += rows
        return np.isin(words, ["finished", *FINISHED])[codes]

    def _widen(self, numbers: dict[str, np.ndarray]) -> None:
        """Smallest and largest of what may be in another unit than ours."""
        for m in self.columns.mapped:
            if m.name in numbers and m.name != "loss" and m.unit is None:
                values = numbers[m.name]
                good = values if _within(LIMITS[m.name], values) else values[np.isfinite(values) & (values > 0)]
                low, high = self.unbounded.get(m.name, (np.inf, -np.inf))
                self.unbounded[m.name] = (good.min(initial=low), good.max(initial=high))

    def _judged(
        self, numbers: dict[str, np.ndarray], finished: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Rows with an impossible value, rows from which one follows, and the numbers completed by C = 6 N D."""
        size = len(finished)
        bad = broken = np.zeros(size, dtype=bool)
        nouns = self.columns.nouns
        if not all(_within(nouns.limits[name], values) for name, values in numbers.items()):
            loss = np.where(~finished & ~np.isfinite(numbers["loss"]), 1.0, numbers["loss"])
            bad = bad_rows(nouns.on(pd.DataFrame(numbers | {"loss": loss}, copy=False)))
        full = {name: numbers.get(name, np.full(size, np.nan)) for name in TRIPLE}
        N, D, C = full.values()
        for name in TRIPLE:
            if (gaps := np.isnan(full[name]) & ~bad).any():
                follows = 6 * N * D if name == "flops" else C / (6 * (D if name == "params" else N))
                whole = np.where(gaps, follows, full[name])
                low, high = LIMITS[name]
                broken = broken | (gaps & ~((whole >= low) & (whole <= high)))
                full[name] = whole
                self.followed[name] += int(gaps.sum())
        return bad, broken, numbers | full

    def _witness(self, file: int, rows: np.ndarray, numbers: dict[str, np.ndarray], finished: np.ndarray) -> None:
        """Keep rows with impossible values for the message."""
        frame = pd.DataFrame(numbers, index=self._labels(file, rows))
        self.bad.append(frame.assign(status=np.where(finished, "finished", "")))

    def _labels(self, file: int, rows: np.ndarray) -> pd.Index:
        return self.table.labels(np.full(len(rows), file), rows)

    def _describe(self, file: int, rows: np.ndarray, numbers: dict[str, np.ndarray]) -> None:
        """Ranges of rows that can be used, and what is odd about them."""
        self.valid += len(rows)
        for name, values in numbers.items():
            low, high = self.ranges.get(name, (np.inf, -np.inf))
            ends = np.fmin.reduce(values, initial=low), np.fmax.reduce(values, initial=high)
            self.ranges[name] = (float(ends[0]), float(ends[1]))
        masks, worst = suspicion_masks(numbers, nouns=self.columns.nouns)
        if abs(np.log(worst)) > abs(np.log(self.worst)):
            self.worst = worst
        for word, mask in masks.items():
            self.odd.setdefault(word, _Tally()).add(file, rows[mask])

    def _label(self, label: str, cells: dict[str, pa.Array], place: np.ndarray) -> pa.Array:
        import pyarrow as pa

        column = cells[self.columns.source[label]].take(pa.array(place))
        column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        return column.cast(self.columns.labels[label])

    def _count_runs(self) -> None:
        """Where every row is a run of its own, there are no curves; ``RunsError`` for more curves than are followed."""
        if self.ends is None or len(self.ends) <= MOST_RUNS:
            return
        if len(self.ends) < self.valid:
            words = f"more than {MOST_RUNS:,} runs, several rows each, are more than are followed in one pass"
            column = self.columns.source["run"]
            hint = "write the last row of each to a file of its own, or read the files of a part of the runs"
            raise RunsError(str(self.table.root), [f"column {column!r} names {words}: {hint}"])
        self.ends, self.single = None, True

    def thinned(self, name: str) -> Thinned:
        """The rows that were kept, checked as a table of their own, with what was found in all."""
        self._refuse(name)
        frame, record = self._kept()
        if "status" in frame:
            frame = translate_status(frame)[0]
        if asked := doubts(frame, self.columns.shown):
            raise RunsError(name, asked)
        known = [left_out(self.status_left, self.read - self.skipped.count)] if self.status_left else []
        words = suspicion_words(self.worst)
        known += [f"{tally.words(self.table)}: {words[key]}" for key, tally in self.odd.items() if tally.count]
        gaps = dict(self.followed)
        if "budget" in frame and "flops" not in self.columns.source:  # budgets may count otherwise than by 6 N D
            frame = frame.drop(columns="flops")
            gaps.pop("flops", None)
        runs = checked_table(self.columns.nouns.on(frame), name, self.include_failed, known)
        if self.ends is not None and (
            several := ask_witnesses(self.ends, self.table, self.columns, self.include_failed, WHOLE, BATCH)
        ):
            raise RunsError(name, [several])
        noun = rows_or_runs(runs)
        followed = [f"{n} of {count} {noun} follows from flops = 6 N D" for n, count in gaps.items()]
        runs.attrs["notes"] = followed + runs.attrs["notes"]
        kind = f"{self.table.kind}, {self.read:,} rows"
        return Thinned(runs, mapping_table(self.columns.shown), self._notes(record), kind, record)

    @property
    def status_left(self) -> dict[str, int]:
        """Words for runs that did not finish and were left out, with their number."""
        done = {"finished", *FINISHED}
        return {} if self.include_failed else {w: n for w, n in self.status.most_common() if n and w not in done}

    def _refuse(self, name: str) -> None:
        """``RunsError`` with all that is wrong."""
        if self.odd_counts and (asked := overflown(pd.concat(self.odd_counts), answerable(self.columns.shown))):
            raise RunsError(name, asked)
        bounds = {m.name: m for m in self.columns.mapped}
        problems = [
            words for n, ends in self.unbounded.items() for words in in_our_unit(bounds[n], pd.Series(ends), None)[2]
        ]
        if self.bad and not (problems and not self.hopeless):
            frame = self.columns.nouns.on(pd.concat(self.bad))
            if "status" not in self.columns.source:
                frame = frame.drop(columns="status")
            try:
                checked_table(frame, name, True)
            except RunsError as error:
                problems += error.problems
            skippable = int(bad_rows(frame).sum())
            problems += advice(mapping_table(self.columns.shown), skippable, self.read, self.skip_bad)
            if self.hopeless:
                total = sum(self.table.rows)
                problems.append(f"reading stopped after {self.read:,} of {total:,} rows: so much is wrong")
        if problems:
            raise RunsError(name, problems)
        if not self.valid:
            if self.status_left and not self.skipped.count:
                raise RunsError(name, [none_finished(self.status_left)])
            raise RunsError(name, ["there are no rows; one row is one training run"])

    def _kept(self) -> tuple[pd.DataFrame, dict[str, Any]]:
        """The rows in the order of the table, and a record of how they were chosen."""
        sample, stands_for = self.sample.rows()
        record: dict[str, Any] = {"rows": self.read, "files": len(self.table.paths), "seed": SEED}
        record |= {"chance": self.sample.share, "least_of_a_cell": FLOOR, "runs": None, "weights": None}
        if self.ends is not None:
            rows = joined([self.ends.rows(), sample])
            record["runs"] = len(self.ends)
        else:
            rows = sample.append_column(STANDS_FOR, [stands_for])
            record["weights"] = STANDS_FOR
        frame = rows.to_pandas().drop_duplicates(["file", "row"]).sort_values(["file", "row"], kind="stable")
        index = self.table.labels(frame["file"].to_numpy(), frame["row"].to_numpy())
        record["kept"] = len(frame)
        record["ranges"] = {name: {"min": low, "max": high} for name, (low, high) in self.ranges.items()}
        return frame.drop(columns=["file", "row"]).set_axis(index), record

    def _notes(self, record: dict[str, Any]) -> list[str]:
        """What was done, in words."""
        notes = [*self.table.notes, *self.columns.notes]
        if self.skipped.count:
            words = "left out, a value is missing or impossible (--skip-bad)"
            notes.append(f"{self.skipped.words(self.table)}: {words}")
        if done := {word: n for word, n in self.status.items() if n and word in FINISHED}:
            notes.append(finished_note(done, sum(done.values())))
        how = (
            f"rows drawn with a chance of {self.sample.share:.3g} (seed {SEED}), and at least {FLOOR} of each cell of "
        )
        how += "half an octave in params and tokens"
        if self.ends is not None:
            how = f"the last row, by flops, of each of {len(self.ends):,} runs; for the curves before them, {how}"
        else:
            how += f"; column {STANDS_FOR!r}, the rows that each stands for, weighs them in approach 3"
        notes.append(f"{self.read:,} rows, more than {WHOLE:,}, were thinned to {record['kept']:,}: {how}")
        if self.single:
            column = self.columns.source["run"]
            words = f"names more than {MOST_RUNS:,} runs and, up to there, none twice: each row was taken for a run"
            notes.append(f"column {column!r} {words}")
        if self.ends is None:
            words = "each row counts as a run of its own; if rows are checkpoints, name the column of their run"
            notes.append(f"{words} (--column run=...), or intervals are far too narrow")
        words = "repeats, groups, gaps and losses out of the pattern were looked for among the kept rows"
        return [*notes, f"{words}; missing or impossible values, units, ranges and 6ND in all rows"]


def _only(mask: np.ndarray, numbers: dict[str, np.ndarray], *others: np.ndarray) -> tuple[Any, ...]:
    """Numbers and arrays where ``mask`` holds."""
    if mask.all():
        return numbers, *others
    return {name: values[mask] for name, values in numbers.items()}, *(other[mask] for other in others)
