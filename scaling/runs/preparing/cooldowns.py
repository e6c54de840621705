"""The final points of runs that were cooled down several times: each end of a cooldown is a run of its own length."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..._words import name_rows, plain
from ...errors import RunsError
from ..curves import runs_of
from ..numbers import column_of_numbers
from .expressions import as_numbers

__all__ = ["annealed_points"]

#: a learning rate that has come down to this share of the highest of its run is cooled down
COOL = 0.1
#: rows beyond which it is not looked for several cooldowns that nobody has asked about
MOST_ROWS = 200_000
_RATES = frozenset(["lr", "learningrate", "currentlr", "trainlr", "lrvalue"])
_FLAGS = frozenset(["annealed", "anneal", "cooldown", "cooled", "decayed", "iscooldown", "isannealed", "isdecay"])


def annealed_points(runs: pd.DataFrame, column: str | None = None) -> pd.DataFrame:
    """Keep the rows at which a cooldown of the learning rate ends, as runs of their own.

    With a constant learning rate and a cooldown at the end, one run gives several final losses: it is cooled down from
    a stored state at several lengths. The points before are not what a run of that length would have reached.

    Parameters
    ----------
    runs : DataFrame
        Training curves with a column ``run``, and one that holds the learning rate of each row, or says whether it is
        part of a cooldown.
    column : str, optional
        That column; by default the one called ``lr``, ``learning_rate``, ``cooldown``, ``annealed`` or the like.

    Returns
    -------
    DataFrame
        One row a cooldown, its last: the learning rate is at most a tenth of the highest that the run had before, and
        rises again or ends there; or the flag holds there and no longer after. ``run`` has the tokens in its name.

    Raises
    ------
    RunsError
        If no column names the run or tells the cooldowns, there is no such ``column`` or none of ``tokens``, tokens are
        no numbers, or no cooldown ends.
    """
    codes = runs_of(runs)
    if codes is None:
        raise RunsError("--final annealed: each row is a run of its own; a column that names the run is needed (--run)")
    name = _told_by(runs) if column is None else column
    if not isinstance(name, str):
        raise RunsError(f"--final annealed: column must be the name of one column, got {name!r}")
    if name not in runs:
        raise RunsError(f"--final annealed: there is no column {name!r} to tell the cooldowns; {_shown(runs)}")
    tokens = column_of_numbers(runs, "tokens")
    if (gaps := np.isnan(tokens)).any():
        rows = name_rows(runs.index, gaps)
        raise RunsError(f"--final annealed: column 'tokens', {rows}: missing value, which the order of points needs")
    ends = _all_ends(runs, codes, name)
    if not ends.any():
        raise RunsError(f"--final annealed: in no run does a cooldown end, by column {name!r}")
    table = runs[ends].copy()
    lengths = [f"{run} after {read:.4g} tokens" for run, read in zip(table["run"], tokens[ends], strict=True)]
    table["run"] = lengths
    without = len(np.unique(codes)) - len(np.unique(codes[ends]))
    words = f"{len(table):,} ends of cooldowns, by column {name!r}, are the runs: of {len(runs):,} rows"
    words += f"; {without:,} runs have none and are left out" if without else ""
    table.attrs = dict(runs.attrs) | {"notes": [*runs.attrs.get("notes", []), words]}
    return table


def several_cooldowns(runs: pd.DataFrame) -> str:
    """That runs have several cooldowns, of which only the last end counts unless more is asked for; or nothing."""
    codes = runs_of(runs)
    found = [str(name) for name in runs.columns if plain(str(name)) in _RATES | _FLAGS]
    if codes is None or len(found) != 1 or len(runs) > MOST_ROWS:
        return ""
    ends = np.bincount(codes[_all_ends(runs, codes, found[0])])
    if not (ends > 1).any():
        return ""
    words = f"{int((ends > 1).sum()):,} runs were cooled down several times, by column {found[0]!r}"
    return f"{words}: each of the {int(ends.sum()):,} ends is a final loss, and only the last is used: --final annealed"


def _all_ends(runs: pd.DataFrame, codes: np.ndarray, name: str) -> np.ndarray:
    """Which rows (n,) end a cooldown."""
    values = as_numbers(runs[name].map({"True": 1, "False": 0, True: 1, False: 0}).fillna(runs[name]).infer_objects())
    order = np.lexsort((column_of_numbers(runs, "tokens"), codes))
    ends = np.zeros(len(runs), dtype=bool)
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        ends[rows] = _ends(values[rows], plain(name) in _FLAGS)
    return ends


def _told_by(runs: pd.DataFrame) -> str:
    """The column that tells cooldowns."""
    found = [str(name) for name in runs.columns if plain(str(name)) in _RATES | _FLAGS]
    if len(found) != 1:
        why = f"{' and '.join(map(repr, found))} could each tell it" if found else "no column tells it"
        raise RunsError(f"--final annealed: which rows are cooled down? {why}; {_shown(runs)}")
    return found[0]


def _shown(runs: pd.DataFrame) -> str:
    return f"columns are {', '.join(repr(str(name)) for name in runs.columns[:30])}"


def _ends(values: np.ndarray, flag: bool) -> np.ndarray:
    """Which points of one curve, in order, are the last of a cooldown."""
    if flag:
        cool = values > 0
        following = np.append(cool[1:], False)
        return cool & ~following
    highest = np.fmax.accumulate(np.where(np.isfinite(values), values, -np.inf))
    cool = (values <= COOL * highest) & (highest > 0)
    return cool & np.append(values[1:] > values[:-1], True)
