"""The table of a command: read as its options say, without the rows that are to be left out."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import numpy as np
import pandas as pd

from .._words import name_rows
from ..diagnostics.inspection import without_copies, without_diverged
from ..diagnostics.pooling import is_tuned, swept_columns
from ..diagnostics.spikes import find_spikes
from ..errors import FitError
from ..runs.curves import last_points
from ..runs.nouns import Nouns
from ..runs.preparing.cooldowns import annealed_points
from ..runs.preparing.joining import joined
from ..runs.preparing.sweeps import best_of
from ..runs.reading.door import loaded, refuse_clash
from ..runs.reading.options import Options
from ..runs.vocabulary import LABELS, LIMITS, STANDS_FOR
from .command import Refusal
from .terminal import call_by

#: what --drop knows by name, beside rows by number
KINDS = ("diverged", "spikes", "copies")
#: unused columns that are named
SHOWN = 12


def read_runs(source: str | tuple[str, ...], reading: dict[str, Any], group: str | None = None) -> pd.DataFrame:
    """A table of runs by the options of :func:`~scaling.cli.options.runs_options`; of several files, all their rows.

    Where the best runs are chosen, they are chosen in each ``group``.
    """
    options = dict(reading)
    sources = (source,) if isinstance(source, str) else source
    drop, by, over, vertex = (options.pop(name) for name in ("drop", "best_of", "over", "vertex"))
    final = options.pop("final")
    if options.pop("higher_is_better") and options["ceiling"] is None:
        raise Refusal(
            "--higher-is-better: to which limit does it rise? --ceiling 1 for an accuracy, --ceiling 100 for one in "
            "per cent, the most that can be had for a reward; what is missing of it is what a law is fitted to"
        )
    if (over or vertex) and not by:
        raise Refusal(f"--{'over' if over else 'vertex'} belongs to --best-of, such as --best-of params,tokens")
    how_read = Options(**options)
    tables = [loaded(sys.stdin.buffer if each == "-" else each, how_read) for each in sources]
    table = tables[0] if len(tables) == 1 else joined(tables)
    if final == "annealed":
        table = annealed_points(table)
    if by:
        named = {m["column"]: m["name"] for m in table.attrs["reading"]["mapping"]}
        keys = [_ours(name, table, named) for name in (*by, *([group] if group else ()))]
        _refuse_mixing(table, [*keys, *over])
        how = "parabola" if vertex else "minimum"
        table = best_of(table, list(dict.fromkeys(keys)), list(over) or None, how)
    if drop:
        kept = _kept(table, drop)
        if not kept.any():
            raise Refusal(f"--drop {' --drop '.join(drop)} leaves no row of {' and '.join(sources)}")
        if not kept.all():
            words = f"{name_rows(table.index, ~kept)} left out (--drop {', '.join(drop)})"
            table = table[kept]
            table.attrs["reading"]["notes"].append(words)
    named = {m["column"]: m["name"] for m in table.attrs["reading"]["mapping"]}
    refuse_clash(table, None if group is None else _ours(group, table, named))
    call_by(Nouns.of(table))
    notes = table.attrs["reading"]["notes"]
    told = " ".join(notes)  # such as columns of which tokens are the product
    unused = [repr(str(name)[:40]) for name in table.columns if name not in (*LIMITS, *LABELS, STANDS_FOR)]
    unused = [name for name in unused if name not in told]
    if unused:
        more = f" and {len(unused) - SHOWN} more" if len(unused) > SHOWN else ""
        plural = "s" if len(unused) > 1 else ""
        notes.append(f"column{plural} not used: {', '.join(unused[:SHOWN])}{more}")
    return table


def _refuse_mixing(table: pd.DataFrame, told: list[str]) -> None:
    """``Refusal`` where the best of each design would be the one of the easier family."""
    strange = [name for name in swept_columns(last_points(table)) if name not in told and not is_tuned(name)]
    if strange:
        first = shlex.quote(strange[0])
        raise Refusal(
            f"--best-of: rows of one design differ in {strange[0]!r}, too, which explains their losses. Was it tuned? "
            f"--over {first} says so. If it tells families apart, the best would be those of the easier one: add it to "
            f"--best-of (with fit --group {first}), or choose one family with --where"
        )


def _ours(name: str, table: pd.DataFrame, named: dict[str, str]) -> str:
    """The column that a name means: one of the table, or by its header in the file."""
    return name if name in table else named.get(name, name)


def _kept(table: pd.DataFrame, drop: tuple[str, ...]) -> np.ndarray:
    """Which rows stay when the runs above the pattern, or rows of these labels, are left out."""
    labels = table.index.astype(str)
    noun = table.index.name or "row"
    kept = np.ones(len(table), dtype=bool)
    for word in drop:
        if word in KINDS:
            continue
        if not (hit := labels == word).any():
            known = ", ".join(map(repr, KINDS))
            raise Refusal(f"--drop {word}: no {noun} {word} is among the runs; {known} or the number of a {noun}")
        kept &= ~hit
    if "copies" in drop:
        kept[kept] = without_copies(table[kept])
    if "spikes" in drop:
        kept &= ~table.index.isin(find_spikes(table).index)
    if "diverged" in drop:
        try:
            kept[kept] = without_diverged(table[kept])
        except FitError as error:
            raise Refusal(f"--drop diverged: {error}") from None
    return kept
