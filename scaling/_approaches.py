"""The three approaches on one table: what each gives, or why it cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from .envelope import fit_envelope
from .fit import Fit, FitError, fit_parametric
from .frontier import FrontierFit
from .isoflop import LEAST_SIZES, find_budgets, fit_isoflop

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
    points = curves[by].value_counts()
    several = points[points > 1]
    noun = "run" if by == "run" else "size"
    if len(several) < 3 or several.sum() < 0.5 * len(curves):
        words = (
            f"an envelope needs curves, at least two rows of one {noun}: {len(several)} of {len(points)} {noun}s have"
        )
        raise FitError(
            f"{words} them, with {several.sum() / len(curves):.0%} of the rows; add points of training curves"
        )
    if len(several) > MOST_CURVES:
        raise FitError(f"{len(several)} curves, above {MOST_CURVES}: try it on a part of them")
    return fit_envelope(curves)


def _isoflop(runs: pd.DataFrame) -> FrontierFit:
    sizes = runs["params"].groupby(find_budgets(runs)).nunique()
    if (enough := int((sizes >= LEAST_SIZES).sum())) < 2:
        words = (
            f"{enough} budgets with at least {LEAST_SIZES} sizes, and two are needed: train several sizes with equal"
        )
        raise FitError(f"{words} flops, or name the groups in a column 'budget'")
    return fit_isoflop(runs)


def fit_approaches(runs: pd.DataFrame, which: Iterable[int] = (1, 2, 3)) -> dict[int, Fit | FrontierFit | FitError]:
    """Each approach's fit, or the :class:`FitError` that says why there is none.

    Approaches 2 and 3 use the last point of every run. A parametric fit that the table does not identify counts
    as none; where it is because the loss falls with neither size nor tokens beyond noise, or with one only, there is
    no optimum for the others to find.
    """
    ends = last_points(runs)
    parametric = _attempt(fit_parametric, ends)
    blind = isinstance(parametric, FitError) and "does not fall with" in str(parametric)
    out: dict[int, Fit | FrontierFit | FitError] = {}
    for number in which:
        if number == 3 or blind:
            out[number] = parametric
        else:
            out[number] = _attempt(_envelope, runs) if number == 1 else _attempt(_isoflop, ends)
    return out


def _attempt(method: Callable[[pd.DataFrame], Fit | FrontierFit], runs: pd.DataFrame) -> Fit | FrontierFit | FitError:
    try:
        found = method(runs)
        if isinstance(found, Fit):
            found.law  # noqa: B018 (refuses a fit that is not identified)
        return found
    except FitError as error:
        return error
