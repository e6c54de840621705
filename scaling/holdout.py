"""Does a law extrapolate? Fit the cheaper runs, predict the dearer ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .fit import Fit, FitError, fit_parametric
from .runs import check_runs

__all__ = ["Holdout", "holdout"]


@dataclass(frozen=True, repr=False)
class Holdout:
    """A fit to the cheaper runs and its predictions of the dearer ones.

    ``tested`` has the held-out rows with ``predicted`` and ``error`` = ln predicted − ln observed
    (for small errors, the relative error of the loss).
    """

    fit: Fit
    tested: pd.DataFrame

    @property
    def rms(self) -> float:
        """Root mean square of the errors."""
        return float(np.sqrt(np.mean(self.tested["error"] ** 2)))

    def __repr__(self) -> str:
        worst = self.tested["error"].abs().max()
        return (
            f"Holdout: {len(self.fit.runs)} runs fitted ({self.fit.status}), {len(self.tested)} predicted; "
            f"rms error {self.rms:.3g}, largest {worst:.3g}"
        )


def holdout(
    runs: pd.DataFrame,
    by: str = "flops",
    fraction: float = 0.2,
    above: float | None = None,
    method: Callable[..., Fit] = fit_parametric,
    **options: Any,
) -> Holdout:
    """Fit the runs with the smallest ``by`` and predict the rest: does the law extrapolate?

    Parameters
    ----------
    runs : DataFrame
        As for :func:`fit_parametric`.
    by : str
        Column that orders the runs: ``flops`` (default), ``params``, ``tokens`` or any other number.
    fraction : float
        Share of the runs, those with the largest ``by``, to hold out; ignored when ``above`` is given.
    above : float, optional
        Hold out every run with ``by`` greater than this.
    method : callable, optional
        The fit: :func:`fit_parametric`, or another of a law of ``params`` and ``tokens``.
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
    if by not in table:
        raise FitError(f"no column {by!r} to order the runs by; there are {', '.join(map(str, table.columns))}")
    if not pd.api.types.is_numeric_dtype(table[by]):
        raise FitError(f"column {by!r} holds no numbers to order the runs by")
    if above is None:
        if not 0 < fraction < 1:
            raise ValueError(f"fraction must lie between 0 and 1, got {fraction}")
        above = float(np.quantile(table[by], 1 - fraction))
    late = table[by] > above
    if not late.any() or late.all():
        raise FitError(f"holding out {by} > {above:g} leaves {(~late).sum()} runs to fit and {late.sum()} to predict")
    fit = method(table[~late], **options)
    tested = table[late].copy()
    tested["predicted"] = fit.candidate.loss(tested["params"], tested["tokens"])
    tested["error"] = np.log(tested["predicted"] / tested["loss"])
    return Holdout(fit, tested.reset_index(drop=True))
