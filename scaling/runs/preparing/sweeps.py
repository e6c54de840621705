"""The best run of each design, where a size was trained on so many tokens with several learning rates or batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..._words import plain
from ...errors import RunsError
from ..curves import last_rows, runs_of
from ..numbers import column_of_numbers, refuse_no_table
from ..problems import repeats
from ..repetition import designs_of
from ..vocabulary import LABELS, LIMITS
from .expressions import as_numbers

__all__ = ["best_of"]

#: names of what is tuned, by which a sweep is known without being told
TUNED = frozenset(
    [
        *("lr", "learningrate", "peaklr", "maxlr", "peaklearningrate", "maxlearningrate", "lrmax", "eta", "batch"),
        *("batchsize", "bs", "globalbatchsize", "weightdecay", "wd", "warmup", "warmupsteps", "beta1", "beta2"),
        *("momentum", "dropout"),
    ]
)
#: words that a column of labels has at most
FEW = 12


def best_of(
    runs: pd.DataFrame,
    by: str | Sequence[str] = ("params", "tokens"),
    over: str | Sequence[str] | None = None,
    how: str = "minimum",
    loss: str = "loss",
) -> pd.DataFrame:
    r"""Keep one row for each design: the run of least loss among those that differ only in what was tuned.

    With ``how="parabola"`` the loss of that row is replaced by the least value of a parabola in :math:`\ln x` through
    it and its two neighbours, along each swept column :math:`x`; where several were swept, the decreases add up. The
    least of several noisy losses is on average below the loss that the best setting reaches: by 1.03 standard
    deviations of the noise where four are equally good.

    Parameters
    ----------
    runs : DataFrame
        One row a run, with the columns named below.
    by : str or sequence of str, default ("params", "tokens")
        What makes a design; numbers are equal if they agree to six digits. Tokens also are if each follows the one
        before within 1.25 %, and all lie within 3 %: whole steps of several batch sizes end on other numbers. The row
        that is kept keeps its own.
    over : str or sequence of str, optional
        What was tuned; by default the columns that are called learning rate, batch size or the like and that vary
        within a design.
    how : {"minimum", "parabola"}
        Whether the loss is that of the row, or that of the parabola.
    loss : str, default "loss"
        The column to be made small.

    Returns
    -------
    DataFrame
        The best row of each design, in the order of the table. ``attrs["notes"]`` says how many rows it was chosen from
        and where the best lies at the edge of its sweep, so that a better one may lie beyond.

    Raises
    ------
    RunsError
        If a column is not there, or named twice, one of losses, tokens or of what was tuned holds no numbers, no column
        is named, or no design has two rows.
    """
    refuse_no_table(runs)
    if how not in ("minimum", "parabola"):
        raise RunsError(f"best_of: how must be 'minimum' or 'parabola', got {how!r}")
    by = [by] if isinstance(by, str) else list(by)
    if not by:
        raise RunsError("--best-of: by names no column, and all rows would be one design: name some, such as params")
    if not runs.index.is_unique:
        runs = runs.reset_index(drop=True)
    for name in (*by, loss, *([over] if isinstance(over, str) else over or ())):
        if name not in runs:
            shown = ", ".join(repr(str(each)) for each in runs.columns[:30])
            raise RunsError(f"--best-of: there is no column {name!r}; columns are {shown}")
    losses = column_of_numbers(runs, loss)
    if (codes := runs_of(runs)) is not None:
        return _best_curves(runs, codes, by, over, how, loss)
    design = designs_of(runs, by)
    order = np.lexsort((losses, design))
    best = order[np.unique(design[order], return_index=True)[1]]
    if len(best) == len(runs):
        raise RunsError(f"--best-of: no two rows agree in {' and '.join(by)}: each is a design of its own")
    swept = _swept(runs, design, by, over)
    table = runs.iloc[np.sort(best)].copy()
    if how == "parabola":
        gain = sum((_gain(runs, design, best, name, swept, losses) for name in swept), np.zeros(len(best)))
        lowered = pd.Series(losses[best] - gain, index=best)
        table[loss] = lowered[np.sort(best)].to_numpy()
    words = f"the best of each {' and '.join(by)} was kept: {len(best):,} of {len(runs):,} rows"
    words += " (its loss is the least value of a parabola)" if how == "parabola" else ""
    words += _apart(runs, design) if "tokens" in by else ""
    notes = [words, *filter(None, (_edge(runs, design, best, name) for name in swept))]
    mixed = [name for name in _labels(runs, design) if name not in (*by, *swept)]
    if mixed:
        told = " and ".join(map(repr, mixed))
        notes.append(f"rows of one design differ in {told}, too: where it tells families apart, the easier one wins")
    if {"params", "tokens", "loss"} <= set(runs.columns):
        before = [note for note in runs.attrs.get("notes", []) if note not in repeats(runs)]
        notes = [*before, *notes, *repeats(table)]
    table.attrs = dict(runs.attrs) | {"notes": notes, "best_of": by}
    return table


def _apart(runs: pd.DataFrame, design: np.ndarray) -> str:
    """How far tokens of one design differ, in words; "" where they do not."""
    least, most = _span(column_of_numbers(runs, "tokens"), design)
    far = float((most / least).max() - 1)
    return f" (tokens of one design differ by up to {far:.1%})" if far >= 5e-4 else ""


def _best_curves(
    runs: pd.DataFrame, codes: np.ndarray, by: list[str], over: str | Sequence[str] | None, how: str, loss: str
) -> pd.DataFrame:
    """All points of the runs whose last ones are best."""
    if how != "minimum":
        raise RunsError(
            "best_of: a parabola has no curve; keep the curves of least last loss, or take last_points first"
        )
    last = last_rows(runs)
    ends = best_of(runs[last], by, over, how, loss)
    kept = np.isin(codes, codes[np.flatnonzero(last)[runs.index[last].isin(ends.index)]])
    table = runs[kept]
    words = f"these are {len(ends):,} training curves, told by their last points: {len(table):,} of {len(runs):,} rows"
    notes = [note for note in ends.attrs["notes"] if note not in repeats(runs[last])]
    table.attrs = dict(runs.attrs) | {"notes": [*notes, words], "best_of": by}
    return table


def _labels(runs: pd.DataFrame, design: np.ndarray) -> list[str]:
    """The columns of few words that vary within a design."""
    words = [n for n in runs.columns if n not in LABELS and not pd.api.types.is_numeric_dtype(runs[n])]
    few = [name for name in words if 1 < runs[name].astype("str").nunique() <= FEW]
    return [str(name) for name in few if runs[name].astype("str").groupby(design).nunique().max() > 1]


def _swept(runs: pd.DataFrame, design: np.ndarray, by: list[str], over: str | Sequence[str] | None) -> list[str]:
    """The columns that were tuned: those that are named, or that are known by name, where they vary in a design."""
    if over is not None:
        return [over] if isinstance(over, str) else list(over)
    names = [name for name in runs.columns if plain(str(name)) in TUNED and name not in (*by, *LIMITS, *LABELS)]
    spans = {name: _span(as_numbers(runs[name]), design) for name in names}
    return [name for name, (least, most) in spans.items() if (least < most).any()]


def _span(values: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest value of each design."""
    least, most = np.full(design.max() + 1, np.inf), np.full(design.max() + 1, -np.inf)
    good = np.isfinite(values)
    np.minimum.at(least, design[good], values[good])
    np.maximum.at(most, design[good], values[good])
    return least, most


def _edge(runs: pd.DataFrame, design: np.ndarray, best: np.ndarray, name: str) -> str:
    """Where the best lies at the edge of its sweep, in words; "" where it never does."""
    values = as_numbers(runs[name])
    least, most = _span(values, design)
    swept = (least < most)[design[best]]
    at_least = swept & (values[best] == least[design[best]])
    at_most = swept & (values[best] == most[design[best]])
    if not (at_least | at_most).any():
        return ""
    parts = [
        f"in {int(mask.sum())} of {int(swept.sum())} designs the best {name!r} is the {word} that was tried"
        for mask, word in ((at_least, "smallest"), (at_most, "largest"))
        if mask.any()
    ]
    return f"{'; '.join(parts)}: a better one may lie beyond, and these losses may be too high"


def _gain(
    runs: pd.DataFrame, design: np.ndarray, best: np.ndarray, name: str, swept: list[str], y: np.ndarray
) -> np.ndarray:
    """How far the parabola through the best row and its neighbours along one column falls below it; 0 at an edge."""
    x = as_numbers(runs[name])
    others = [as_numbers(runs[other]) for other in swept if other != name]
    gain = np.zeros(len(best))
    for place, row in enumerate(best):
        line = np.logical_and.reduce([design == design[row], x > 0, *(each == each[row] for each in others)])
        below, above = x[line & (x < x[row])], x[line & (x > x[row])]
        if not len(below) or not len(above):
            continue
        ends = below.max(), above.min()
        losses = [y[line & (x == end)].min() for end in ends]
        left, right = np.log(ends[0] / x[row]), np.log(ends[1] / x[row])
        slopes = (losses[0] - y[row]) / left, (losses[1] - y[row]) / right
        bend = (slopes[1] - slopes[0]) / (right - left)
        slope = slopes[0] - bend * left
        gain[place] = slope**2 / (4 * bend) if bend > 0 else 0.0
    return gain
