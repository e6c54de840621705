"""Runs of one size and number of tokens that differ by more than luck: a sweep of what is tuned."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...errors import FitError
from ...fit.certainty import LEAST_FREEDOM
from ...fit.parametric import fit_parametric
from ...runs.headers import carried
from ...runs.numbers import positive_columns
from ...runs.repetition import designs_of
from .designs import varies
from .explanations import explained_by
from .levels import explaining, levels_of
from .result import BEST, Pooling

#: standard deviation of ln loss among repeats below which a sweep does not matter to a law
MATTERS = 0.005
#: repeats without a column that explains them are a sweep from this spread on ...
WIDE = 0.02
#: ... where their least losses follow the law so many times closer than normal noise of that spread would
CLOSER = 2.0


def swept_columns(runs: pd.DataFrame) -> tuple[str, ...]:
    """Find the columns that explain how runs of one size and number of tokens differ.

    Parameters
    ----------
    runs : DataFrame
        ``params``, ``tokens`` and ``loss``, positive, and the columns of settings.

    Returns
    -------
    tuple of str
        The columns, the strongest first; empty where none explains it.

    Raises
    ------
    RunsError
        If one of the three is missing, or a value in it is no positive finite number.
    """
    positive_columns(runs, "params", "tokens", "loss")
    found = find_sweep(runs)
    return () if found is None else found.columns


def find_sweep(runs: pd.DataFrame) -> Pooling | None:
    """Repeats of one design that differ by more than luck."""
    design = designs_of(runs)
    counts = np.bincount(design)
    many = counts[design] > 1
    if many.sum() < 8:
        return None
    rows, codes = runs[many], np.unique(design[many], return_inverse=True)[1]
    log = np.log(rows["loss"].to_numpy())
    away = log - (np.bincount(codes, log) / np.bincount(codes))[codes]
    designs = codes.max() + 1
    spread = float(np.sqrt((away**2).sum() / (len(away) - designs)))
    if spread < MATTERS:
        return None
    each = {name: levels for name, column in carried(rows) if (levels := levels_of(name, column)) is not None}
    within = {name: levels for name, levels in each.items() if varies(levels, codes)}
    found = explaining(within, away, designs)
    seen = f"{len(away):,} rows share params and tokens with others and differ by {spread:.1%} in loss"
    if found:
        names = tuple(name for name, _ in found)
        numbers = all(pd.api.types.is_numeric_dtype(rows[name]) for name in names if name in rows)
        return explained_by(names, seen, within=True, numbers=numbers, multiplied="unique_tokens" in rows)
    if spread > WIDE and _far_beyond(rows, spread):
        words = f"{seen}, far more than the best of each differ from a law: they are no repeats of one run"
        return Pooling("sweep", (), f"{words}. {BEST}")
    return None


def _far_beyond(runs: pd.DataFrame, spread: float) -> bool:
    """Whether the least losses of all designs follow their law far closer than normal noise of this spread would."""
    least = runs.loc[runs.groupby(designs_of(runs))["loss"].idxmin()]
    try:
        best = fit_parametric(least)
    except FitError:
        return False
    freedom = len(least) - len(best.candidate.constants)
    if freedom < LEAST_FREEDOM or best.status == "not_identified":
        return False
    scatter = float(np.sqrt((best.residuals**2).sum() / freedom))
    # the least of k normal draws spreads by 1 / (1 + 0.3 ln k) of one, to 2 % for up to ten of them
    return spread > CLOSER * scatter * (1 + 0.3 * np.log(len(runs) / len(least)))
