"""Does a law extrapolate? Fit the cheaper runs, predict the more expensive ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._checks import generator, number, proper_share, whole_number, within
from .._parallel import spread
from ..errors import FitError, FitErrorKind
from ..fit.engine.problem import Objective
from ..fit.parametric import fit_parametric, sum_problem
from ..fit.result import Fit
from ..laws.chinchilla import ChinchillaLaw
from ..runs.curves import last_rows, runs_of
from ..runs.table import check_runs

__all__ = ["Holdout", "chance_of_miss", "holdout", "holdout_table"]

#: most runs of a simulated table: chance misses fewer runs by more, so that a part of a large table doubts less
MOST_SIMULATED = 300


@dataclass(frozen=True, repr=False)
class Holdout:
    """A fit to the cheaper runs and its predictions of the more expensive ones.

    Attributes
    ----------
    fit : Fit
        Of the cheaper runs.
    tested : DataFrame
        The held-out runs, the last row of each, with ``predicted`` and ``error`` = ln predicted − ln observed (for
        small errors, the relative error of the loss).
    earlier : int
        Rows that are neither fitted nor predicted, since they are not the last of their run.
    """

    fit: Fit
    tested: pd.DataFrame
    earlier: int = 0

    @property
    def rms(self) -> float:
        """Root mean square of the errors."""
        return float(np.sqrt(np.mean(self.tested["error"] ** 2)))

    def __repr__(self) -> str:
        worst = self.tested["error"].abs().max()
        return (
            f"Holdout: {self.fit.n_runs} runs fitted ({self.fit.status}), {len(self.tested)} predicted; "
            f"rms error {self.rms:.3g}, largest {worst:.3g}"
            + (f"; {self.earlier} earlier rows of these runs left out" if self.earlier else "")
        )


def holdout(
    runs: pd.DataFrame,
    by: str = "flops",
    fraction: float = 0.2,
    above: float | None = None,
    method: Callable[..., Fit] = fit_parametric,
    rows: str = "last",
    **options: Any,
) -> Holdout:
    """Fit the runs with the smallest ``by`` and predict the rest, to see whether the law extrapolates.

    No run is divided: where a ``run`` has several rows, its last one decides on which side it lies, and is what is
    predicted.

    Parameters
    ----------
    runs : DataFrame
        As for :func:`~scaling.fit.fit_parametric`.
    by : str
        Column that orders the runs: ``flops`` (default), ``params``, ``tokens`` or any other number.
    fraction : float
        Share of the runs, those with the largest ``by``, to hold out; ignored when ``above`` is given.
    above : float, optional
        Hold out every run with ``by`` greater than this.
    method : callable, optional
        The fit: :func:`~scaling.fit.fit_parametric`, or another of a law of ``params`` and ``tokens``.
    rows : {"last", "all"}
        Of the runs that are fitted, as for :func:`~scaling.fit.fit_parametric`.
    **options
        Passed to it.

    Returns
    -------
    Holdout
        The fit and its errors.

    Raises
    ------
    FitError
        If the column is missing or holds no numbers, or either part is empty.
    ValueError
        If ``fraction`` does not lie between 0 and 1, or ``above`` is no number.
    """
    if above is not None:
        within("a number", lambda x: ~np.isnan(x), above=number("above", above))
    table = check_runs(runs)
    _checked_column(table, by)
    last = last_rows(table)
    ends = table[last]
    if above is None:
        proper_share("fraction", fraction)
        above = float(np.quantile(ends[by], 1 - fraction))
    late = (ends[by] > above).to_numpy()
    if not late.any() or late.all():
        words = f"holding out {by} > {above:g} leaves {(~late).sum()} runs to fit and {late.sum()} to predict"
        raise FitError(words, FitErrorKind.FEW)
    if rows == "last":
        fitted = ends[~late]
    else:
        codes = runs_of(table) if len(ends) < len(table) else np.arange(len(table))
        fitted, options = table[~np.isin(codes, codes[last][late])], options | {"rows": rows}
    fit = method(fitted, **options)
    tested = ends[late].copy()
    tested["predicted"] = fit.candidate.loss(tested["params"], tested["tokens"])
    tested["error"] = np.log(tested["predicted"] / tested["loss"])
    return Holdout(fit, tested.reset_index(drop=True), len(table) - len(fitted) - len(tested))


def holdout_table(
    runs: pd.DataFrame,
    by: str = "flops",
    fractions: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5),
    backend: str | None = None,
    n_jobs: int = -1,
    **options: Any,
) -> pd.DataFrame:
    """Hold out more and more of the most expensive runs, to see how fast the prediction goes wrong.

    Parameters
    ----------
    runs : DataFrame
        As for :func:`~scaling.diagnostics.holdout`.
    by : str
        Column that orders the runs.
    fractions : sequence of float
        Shares of the runs to hold out, one row each.
    backend : str, optional
        Over what the fits are spread, as for :func:`~scaling.uncertainty.bootstrap`; the table is the same.
    n_jobs : int
        Workers of the backend at a time.
    **options
        As for :func:`~scaling.diagnostics.holdout`.

    Returns
    -------
    DataFrame
        Index ``fraction``; columns ``fitted`` and ``predicted`` (numbers of runs), ``reach`` (the largest ``by`` over
        the largest fitted), ``rms`` and ``worst`` (of ln predicted − ln observed), ``bias`` (its mean), ``status``
        of the fit. A fraction that leaves too little to fit has no errors, and the reason in ``status``.

    Raises
    ------
    FitError, ValueError
        As :func:`~scaling.diagnostics.holdout`, for what is wrong with every fraction alike.
    """
    table = check_runs(runs)
    if not len(fractions):
        raise ValueError("fractions is empty: name at least one share of the runs to hold out")
    for fraction in fractions:
        proper_share("fractions", fraction)
    _checked_column(table, by)
    rows = spread(_row, ((table, by, fraction, options) for fraction in fractions), backend, n_jobs)
    return pd.DataFrame(list(rows), index=pd.Index(fractions, name="fraction"))


def _row(table: pd.DataFrame, by: str, fraction: float, options: dict[str, Any]) -> dict[str, Any]:
    try:
        held = holdout(table, by, fraction, **options)
    except FitError as error:
        return {"status": str(error)}
    error, reach = held.tested["error"], held.tested[by].max() / held.fit.runs[by].max()
    return {
        "fitted": held.fit.n_runs,
        "predicted": len(held.tested),
        "reach": float(reach),
        "rms": held.rms,
        "worst": float(error.abs().max()),
        "bias": float(error.mean()),
        "status": held.fit.status,
    }


def chance_of_miss(
    runs: pd.DataFrame, by: str = "flops", fraction: float = 0.1, n_tables: int = 200, seed: int = 0
) -> float:
    r"""Estimate how often the runs held out would be missed by as much if the law held.

    The law :math:`L = E + A/N^{\alpha} + B/D^{\beta}` fitted to all runs is taken for the truth. Tables of the same
    design are simulated from it, and both fits are made again: to all runs of each, and to the cheaper ones. Counted
    are the tables in which the rms error held out, over the rms residual of the fit to all, is at least what it is on
    the real table. Of twenty runs of a law that holds, those held out are missed by more than twice the residuals in
    about three tables of ten.

    Parameters
    ----------
    runs : DataFrame
        As for :func:`~scaling.diagnostics.holdout`. Of a large table 300 runs are simulated.
    by : str
        Column that orders the runs.
    fraction : float
        Share of the runs that is held out.
    n_tables : int
        Simulated tables; the standard error of a share p is sqrt(p (1 − p) / n_tables).
    seed : int
        Of their noise, which is normal in ln loss and as large as the residuals.

    Returns
    -------
    float
        A share of the tables; NaN where the runs do not identify the law.

    Raises
    ------
    FitError, ValueError
        As :func:`~scaling.diagnostics.holdout`; ``ValueError`` for fewer than one table.
    """
    whole_number("n_tables", n_tables)
    fit, split = fit_parametric(runs), holdout(runs, by, fraction)
    if fit.status == "not_identified":
        return float("nan")
    table = fit.runs.sort_values(by, kind="stable")
    table = table.iloc[np.unique(np.linspace(0, len(table) - 1, MOST_SIMULATED).round().astype(int))]
    late = (table[by] > split.fit.runs[by].max()).to_numpy()
    both = np.array([np.ones(len(table)), ~late])  # weights: of all runs, and of the cheaper ones
    N, D = table["params"].to_numpy(float), table["tokens"].to_numpy(float)
    left, rng = _rms(fit.residuals), generator(seed)
    as_far = 0
    for _ in range(n_tables):
        loss = fit.candidate.loss(N, D) * np.exp(left * rng.standard_normal(len(table)))
        problem = sum_problem(ChinchillaLaw, loss, (N, D))
        start = problem.theta(fit.candidate.constants)
        of_all, of_cheaper = problem.residuals(problem.warm(start, both, Objective()).theta)
        as_far += _rms(of_cheaper[late]) * left >= split.rms * _rms(of_all)
    return as_far / n_tables


def _rms(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def _checked_column(table: pd.DataFrame, by: str) -> None:
    if by not in table:
        raise FitError(f"no column {by!r} to order the runs by; there are {', '.join(map(str, table.columns))}")
    if not pd.api.types.is_numeric_dtype(table[by]):
        raise FitError(f"column {by!r} holds no numbers to order the runs by")
