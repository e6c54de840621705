"""The three approaches on one table: what each gives, or why it cannot be used."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from .envelope import fit_envelope
from .fit import Fit, FitError, fit_parametric
from .frontier import FrontierFit
from .isoflop import fit_isoflop

NAMES = {1: "lower envelope of curves", 2: "IsoFLOP parabolas", 3: "parametric loss"}
#: curves beyond which an envelope costs more memory than it is worth
MOST_CURVES = 500


def curves_of(runs: pd.DataFrame) -> pd.DataFrame:
    """The table as curves: where every ``run`` has one row only, the runs of one size make a curve."""
    return runs.drop(columns="run") if "run" in runs and not runs["run"].duplicated().any() else runs


def last_points(runs: pd.DataFrame) -> pd.DataFrame:
    """The last row (by flops) of every run where runs have several, as curves do; else the table itself.

    Earlier points of a curve are not what a run of that length would have reached, and not independent of the last.
    """
    if "run" not in runs or not runs["run"].dropna().duplicated().any():
        return runs
    run = pd.factorize(runs["run"])[0]
    order = np.lexsort((runs["flops"].to_numpy(), run))
    last = np.diff(run[order], append=-2) != 0
    return runs.iloc[np.sort(order[last | (run[order] < 0)])]


def _envelope(runs: pd.DataFrame) -> FrontierFit:
    curves = curves_of(runs)
    by = "run" if "run" in curves else "params"
    several = int((curves[by].value_counts() > 1).sum())
    if several < 3:
        words = f"{several} of the {curves[by].nunique()} curves (rows of one {'run' if by == 'run' else 'size'}) have"
        raise FitError(f"{words} two points or more; an envelope needs at least three: add points of training curves")
    if several > MOST_CURVES:
        raise FitError(f"{several} curves, above {MOST_CURVES}: try it on a part of them")
    return fit_envelope(curves)


def fit_approaches(runs: pd.DataFrame, which: Iterable[int] = (1, 2, 3)) -> dict[int, Fit | FrontierFit | FitError]:
    """Each approach's fit, or the :class:`FitError` that says why there is none.

    Approaches 2 and 3 use the last point of every run. A parametric fit that the table does not identify counts
    as none.
    """
    methods = {1: _envelope, 2: fit_isoflop, 3: fit_parametric}
    out: dict[int, Fit | FrontierFit | FitError] = {}
    for number in which:
        try:
            out[number] = methods[number](runs if number == 1 else last_points(runs))
            if isinstance(out[number], Fit):
                out[number].law  # noqa: B018 (refuses a fit that is not identified)
        except FitError as error:
            out[number] = error
    return out
