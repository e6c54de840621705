"""One table, one row a training run: check it, describe it.

The columns everywhere: ``params`` (total, counting embeddings), ``tokens``, ``loss`` (nats per token) and
``flops`` = 6 · params · tokens; optional are ``params_nonembedding``, ``flops_nonembedding``,
``flops_exact``, ``budget`` (nominal IsoFLOP group, empty outside groups), ``unique_tokens`` (those of one epoch),
``run``, ``seed`` and ``status``.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..errors import RunsError, RunsWarning
from .clashes import ARGUMENTS, clash
from .curves import count_runs, last_rows, rows_or_runs, runs_of
from .meter import find_meter, meter_of, other_counts
from .nouns import Nouns
from .numbers import to_numbers
from .problems import column_problems, missing_column, repeats, suspicions, suspicious
from .reading.glance import fits
from .repetition import repeated_rows
from .vocabulary import LABELS, LIMITS, TRIPLE, closest_column

__all__ = ["check_runs", "describe_runs"]


#: the three quantities of C = 6 N D, any two of which are enough
_STANDARD = ("params", "tokens", "loss", "flops")
_OPTIONAL = ("params_nonembedding", "flops_nonembedding", "flops_exact", "budget")


def check_runs(df: pd.DataFrame, *, include_failed: bool = False) -> pd.DataFrame:
    """Check a table of runs and complete it by C = 6 N D.

    Given two of ``params``, ``tokens``, ``flops`` (in a column or in a row), the third follows. Given all
    three, they are kept as they are, and a :class:`~scaling.errors.RunsWarning` names the rows in which ``flops`` is
    off by more than 10 %. Rows that are repeated are counted in ``attrs["notes"]`` and kept: repeated seeds
    are legitimate. Rows whose ``status`` is not ``finished`` are left out with a warning.

    Parameters
    ----------
    df : DataFrame
        At least ``loss`` (nats per token) and two of ``params``, ``tokens``, ``flops``; never changed.
    include_failed : bool, default False
        Keep rows that did not finish; they may lack a loss.

    Returns
    -------
    DataFrame
        A new table: the standard columns first, as finite positive floats; all other columns follow as they came, and
        so do labels of rows, unless they are repeated: then rows are numbered. ``attrs["notes"]`` says what was
        completed or repeated, ``attrs["warnings"]`` what was warned of.

    Raises
    ------
    RunsError
        All that is wrong with the table, at once: a column that is missing or misspelt, cells that are
        not numbers, missing, infinite, zero or negative values, values in the wrong unit, no rows; or rows of one run
        and number of tokens with several losses, of which nothing says which the run reached.
    """
    if not isinstance(df, pd.DataFrame):
        raise RunsError(f"a {type(df).__name__}", ["give a DataFrame; load_runs reads files and named sets"])
    table = checked_table(df, "the table", include_failed)
    if asked := clash(table, answers=ARGUMENTS):
        raise RunsError("the table", [asked])
    return table


def describe_runs(df: pd.DataFrame) -> pd.DataFrame:
    """Summarise a table of runs, one row a quantity.

    The first row counts the runs; its ``distinct`` leaves out rows that repeat another's params, tokens
    and loss. Of training curves, whose rows are points of runs, the first row counts ``rows`` and the second the
    ``runs``.

    Parameters
    ----------
    df : DataFrame
        As for :func:`~scaling.runs.check_runs`.

    Returns
    -------
    DataFrame
        Index ``quantity``; ``count``, ``distinct`` (values), ``min``, ``median``, ``max``.

    Raises
    ------
    RunsError
        For a table that cannot be used.
    """
    runs = check_runs(df)
    repeated = int(repeated_rows(runs, ["params", "tokens", "loss"]).sum())
    rows = {rows_or_runs(runs): {"count": len(runs), "distinct": len(runs) - repeated}}
    rows |= {"runs": {"count": count_runs(runs), "distinct": count_runs(runs)}} if "rows" in rows else {}
    quantities = {name: runs[name] for name in _STANDARD}
    quantities["tokens per param"] = runs["tokens"] / runs["params"]
    quantities |= {name: runs[name] for name in (*_OPTIONAL, "seed") if name in runs}
    for name, column in quantities.items():
        rows[name] = {"count": int(column.notna().sum()), "distinct": column.nunique()}
        if pd.api.types.is_numeric_dtype(column):
            rows[name] |= {"min": column.min(), "median": column.median(), "max": column.max()}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["count", "distinct", "min", "median", "max"])
    return table.rename_axis("quantity").astype({"count": int, "distinct": int})


def checked_table(df: pd.DataFrame, source: str, include_failed: bool, known: list[str] | None = None) -> pd.DataFrame:
    """:func:`~scaling.runs.check_runs`, with the name of the table for its messages.

    Of a part of a larger table ``known`` is what is suspicious in the whole, instead of in the part.
    """
    if df.columns.nlevels > 1:
        raise RunsError(source, ["the columns have several levels: flatten them to plain names"])
    columns = list(df.columns)
    twice = sorted({str(c) for c in columns if columns.count(c) > 1 and c in (*LIMITS, *LABELS)})
    if twice:
        raise RunsError(source, [f"column {name!r} stands there twice: keep one" for name in twice])
    words = _unknown_columns(df)
    notes: list[str] = []
    attrs, nouns = dict(df.attrs), Nouns.of(df)
    df = pd.DataFrame(df, copy=False)  # without its notes, which pandas copies with each column
    if not df.index.is_unique:
        df = df.reset_index(drop=True)
        notes.append("labels of rows are repeated, as after pd.concat: rows are numbered from 0")
    kept, finished = _leave_out_failed(df, source, include_failed, words)
    numbers, problems = _numbers(kept, finished, nouns)
    if problems:
        raise RunsError(source, problems)
    problems = _complete(kept, numbers, notes)
    if problems:
        raise RunsError(source, problems)
    _use_own_count(kept, numbers, notes)
    words += suspicions(kept.index, numbers, nouns) if known is None else known
    table = pd.DataFrame({name: numbers[name] for name in LIMITS if name in numbers}, index=kept.index)
    if any(others := [c not in numbers for c in columns]):
        table = pd.concat([table, kept.loc[:, others]], axis=1)
    notes += repeats(table)
    table.attrs = attrs | {"checked": (len(table), "run" in table)}
    _warn_once(table, words, notes)
    return table


def still_sound(runs: pd.DataFrame) -> bool:
    """Whether a table, or a part of one, is as it was checked, and needs no second check: that costs more than a fit.

    Rows and names of runs may have been added since, and numbers changed, to what is impossible or deserves a word.
    """
    if not isinstance(runs, pd.DataFrame):
        return False
    rows, named = runs.attrs.get("checked", (0, False))
    if not 0 < len(runs) <= rows or ("run" in runs and not named) or "status" in runs:
        return False
    plain = pd.DataFrame(runs, copy=False)  # without its notes, which pandas copies with each column
    columns = {name: plain[name].to_numpy() for name in _STANDARD if name in plain}
    if len(columns) < len(_STANDARD) or any(each.dtype != float or each.ndim != 1 for each in columns.values()):
        return False
    nouns = Nouns.of(runs)
    for name, each in columns.items():
        low, high = nouns.limits[name]
        if not (low <= each.min() and each.max() <= high):  # NaN is neither
            return False
    N, D, loss, _ = columns.values()
    return bool(runs.attrs.get("warnings")) or not suspicious(N, D, loss, nouns)


def _unknown_columns(df: pd.DataFrame) -> list[str]:
    """Words about columns that look like a misspelt optional one, by their cells too: they are carried, not used."""
    columns = list(df.columns)
    unknown = [c for c in columns if c not in (*LIMITS, *LABELS)]
    words = []
    for name in (*TRIPLE, *_OPTIONAL, *LABELS):
        found = closest_column(name, unknown, cutoff=0.8) if name not in columns else None
        if found is not None and (name not in LIMITS or fits(name, df[found], None)):
            words.append(f"column {found!r} is carried but not used; if it is {name!r}, rename it")
    return words


def _leave_out_failed(
    df: pd.DataFrame, source: str, include_failed: bool, words: list[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows to keep and which of them finished; what is left out is added to ``words``."""
    if not len(df):
        raise RunsError(source, ["there are no rows; one row is one training run"])
    if "status" not in df:
        return df, np.ones(len(df), dtype=bool)
    finished = finished_rows(df)
    if include_failed or finished.all():
        return df, finished
    counts = _states(df["status"][~finished]).value_counts().to_dict()
    if not finished.any():
        raise RunsError(source, [none_finished(counts)])
    codes = runs_of(df[[name for name in ("run", "seed") if name in df]])
    words.append(left_out(counts, len(df), None if codes is None else len(np.unique(codes[~finished]))))
    return df[finished], finished[finished]


def finished_rows(df: pd.DataFrame) -> np.ndarray:
    """Which rows (n,) are of runs that finished, by the column ``status``."""
    return (_states(df["status"]) == "finished").to_numpy()


def _states(status: pd.Series) -> pd.Series:
    """Each cell as a plain word; each word of a column of text is looked at once."""

    def plain(cell: object) -> str:
        return cell.strip().lower() if isinstance(cell, str) else "empty"

    if status.dtype == object:  # whose cells may be of any kind, such as lists
        return status.map(plain)
    codes, cells = pd.factorize(status)
    words = np.array([*map(plain, cells), "empty"], dtype=object)
    return pd.Series(words[codes], index=status.index)


def none_finished(counts: Mapping[str, int]) -> str:
    """The problem of a table in which no run finished, from the number of rows of each status."""
    return f"no row has the status 'finished' (found: {_counted(counts)}): there is no run to fit"


def left_out(counts: Mapping[str, int], total: int, runs: int | None = None) -> str:
    """What is said of runs that did not finish, from the number of rows of each status and of all.

    Where rows are points of curves, ``runs`` is the number of runs to which they belong.
    """
    what = "runs left out" if runs is None else f"rows left out, those of {runs} run{'s' * (runs != 1)}"
    return f"{sum(counts.values())} of {total} {what}, status not 'finished': {_counted(counts)}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name[:30]!r} {n}" for name, n in counts.items())


def _numbers(df: pd.DataFrame, finished: np.ndarray, nouns: Nouns) -> tuple[dict[str, np.ndarray], list[str]]:
    """The numeric columns as floats, and all that is wrong with them."""
    given = [name for name in TRIPLE if name in df]
    problems = lacking_columns(list(df.columns))
    parsed = {name: to_numbers(df[name]) for name in LIMITS if name in df}
    absent = sum(np.isnan(parsed[name][0]).astype(np.int8) for name in given) if given else 0
    for name, (values, text) in parsed.items():
        if name == "loss":
            optional = ~finished
            values[optional & ~np.isfinite(values)] = np.nan
        elif name in given:
            optional = np.full(len(df), len(given) == 3) & (absent <= 1)
        else:
            optional = np.ones(len(df), dtype=bool)
        problems += column_problems(name, df[name], values, text, optional, nouns)
    numbers = {name: values for name, (values, _) in parsed.items()}
    return numbers, problems


def lacking_columns(columns: list[Any]) -> list[str]:
    """A problem for each quantity that no column holds and none can follow."""
    unknown = [c for c in columns if c not in (*LIMITS, *LABELS)]
    problems = [] if "loss" in columns else [missing_column("loss", unknown)]
    if sum(name in columns for name in TRIPLE) < 2:
        problems += [missing_column(name, unknown) for name in ("params", "tokens") if name not in columns]
        problems.append("two of 'params', 'tokens' and 'flops' are needed: the third follows from flops = 6 N D")
    return problems


def _complete(df: pd.DataFrame, numbers: dict[str, np.ndarray], notes: list[str]) -> list[str]:
    """Fill in, in place, whichever of params, tokens, flops is missing; problems with what follows."""
    full = {name: numbers.get(name, np.full(len(df), np.nan)) for name in TRIPLE}
    follows = {
        "params": lambda: full["flops"] / (6 * full["tokens"]),
        "tokens": lambda: full["flops"] / (6 * full["params"]),
        "flops": lambda: 6 * full["params"] * full["tokens"],
    }
    problems, noun = [], ""
    for name, formula in follows.items():
        gaps = np.isnan(full[name])
        if not gaps.any():
            continue
        if not noun:
            names = df[[name for name in ("run", "seed") if name in df]]
            noun = rows_or_runs(names.assign(params=numbers["params"]) if "params" in numbers else names)
        filled = np.where(gaps, formula(), full[name])
        found = column_problems(name, pd.Series(filled, index=df.index), filled, np.zeros(len(df), bool), ~gaps)
        problems += [f"{text} (the value follows from flops = 6 N D)" for text in found]
        notes.append(f"{name} of {int(gaps.sum())} {noun} follows from flops = 6 N D")
        full[name] = filled
    numbers |= full
    return problems


def _use_own_count(df: pd.DataFrame, numbers: dict[str, np.ndarray], notes: list[str]) -> None:
    """Notes on a count of compute that is not 6 N D; where only budgets are counted so, flops become that count."""
    column = "flops" if "flops" in df or "budget" not in df else "budget"
    if column == "flops":
        meter = meter_of(*(numbers[name] for name in TRIPLE))
        if not meter.words:
            return
    table = df.drop(columns=list(numbers), errors="ignore").assign(**numbers)
    if column == "budget":
        meter = find_meter(table[last_rows(table)], column)
    if column == "budget" and meter.is_own:
        numbers["flops"] = meter.flops(numbers["params"], numbers["tokens"])
        notes[:] = [note for note in notes if not note.startswith("flops of ")]
        notes.append(f"flops of {len(df)} {rows_or_runs(table)} follows from the count of the budgets")
    if meter.words:
        others = [c for c in df if c not in numbers]
        notes += filter(None, [meter.words, other_counts(table, meter, others)])


def _warn_once(table: pd.DataFrame, words: list[str], notes: list[str]) -> None:
    """Warn of what has not been said of this table before, and keep it all in its attrs."""
    said = list(table.attrs.get("warnings", []))
    new = [text for text in words if text not in said]
    for text in new:
        warnings.warn(text, RunsWarning, stacklevel=4)
    table.attrs["warnings"] = said + new
    table.attrs["notes"] = notes
