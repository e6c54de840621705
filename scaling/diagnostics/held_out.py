"""Does a law extrapolate? Fit the cheaper runs, predict the more expensive ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._checks import proper_share
from .._parallel import spread
from ..errors import FitError, FitErrorKind
from ..fit.parametric import fit_parametric
from ..fit.result import Fit
from ..runs.curves import last_rows, runs_of
from ..runs.table import check_runs

__all__ = ["Holdout", "holdout", "holdout_table"]


@dataclass(frozen=True, repr=False)
class Holdout:
    """A fit to the cheaper runs and its predictions of the more expensive ones.

    ``tested`` has the held-out runs, the last row of each, with ``predicted`` and ``error`` = ln predicted − ln
    observed (for small errors, the relative error of the loss). ``earlier`` counts the rows that are neither fitted
    nor predicted, since they are not the last of their run.
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
    """Fit the runs with the smallest ``by`` and predict the rest: does the law extrapolate?

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

    Raises
    ------
    FitError
        If the column is missing or holds no numbers, or either part is empty.
    ValueError
        If ``fraction`` does not lie between 0 and 1.
    """
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
    """Hold out more and more of the most expensive runs: how fast does the prediction go wrong?

    Parameters
    ----------
    runs, by, **options
        As for :func:`~scaling.diagnostics.holdout`.
    fractions : sequence of float
        Shares of the runs to hold out, one row each.
    backend, n_jobs
        A backend of joblib's over which the fits are spread, as for :func:`~scaling.uncertainty.bootstrap`; the table
        is the same.

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


def _checked_column(table: pd.DataFrame, by: str) -> None:
    if by not in table:
        raise FitError(f"no column {by!r} to order the runs by; there are {', '.join(map(str, table.columns))}")
    if not pd.api.types.is_numeric_dtype(table[by]):
        raise FitError(f"column {by!r} holds no numbers to order the runs by")
