"""What a fit returns: a law, and what is needed to judge it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import FitError
from ..laws.chinchilla import ChinchillaLaw
from ..laws.power import PowerLaw
from .engine.problem import Problem

__all__ = ["Fit"]


#: the table of rows left out, where there are none
NOTHING = pd.DataFrame({"reason": pd.Series(dtype=object)})


@dataclass(frozen=True, repr=False)
class Fit:
    """A law fitted to runs, and what is needed to judge it.

    Attributes
    ----------
    candidate : ChinchillaLaw or PowerLaw
        The law at the minimum, whatever the status; ``law`` is the same but refuses
        (:class:`~scaling.errors.FitError`) when the status is ``not_identified``.
    value : float
        The objective at the minimum, summed (not averaged) over the runs.
    objective, delta : str, float
        Name of the objective and its Huber threshold (see :func:`~scaling.fit.fit_parametric`).
    status : str
        ``converged``; ``at_bound`` (a constant ended on its bound, e.g. E = 0 exactly); ``weak``
        (identified, but some combination of constants only loosely); ``not_identified``;
        ``not_converged``.
    message : str
        The status in words: which direction is flat and which runs would fix it.
    condition : float
        Condition number of the Jacobian of the log-residuals (columns scaled, logs centred).
    starts_agreeing, n_starts : int
        How many of the starting points reached this objective, of how many.
    runs, dropped : DataFrame
        The rows used, and those left out with a ``reason``.
    weights : array (n_runs,)
    """

    candidate: ChinchillaLaw | PowerLaw
    value: float
    objective: str
    delta: float
    status: str
    message: str
    condition: float
    starts_agreeing: int
    n_starts: int
    runs: pd.DataFrame
    dropped: pd.DataFrame
    weights: np.ndarray
    _problem: Problem = field(compare=False)
    _theta: np.ndarray = field(compare=False)
    _build: Callable[[dict[str, Any]], Any] = field(compare=False)
    _refit: Callable[[ArrayLike], Fit] = field(compare=False)

    @property
    def law(self) -> Any:
        """The fitted law; raises :class:`~scaling.errors.FitError` when the runs do not identify it."""
        if self.status == "not_identified":
            raise FitError(f"{self.message} (fit.candidate holds the law at the minimum all the same)")
        return self.candidate

    @property
    def residuals(self) -> np.ndarray:
        """ln observed − ln predicted (observed − predicted for ``huber``), one a run."""
        return -self._problem.residuals(self._theta[None])[0]

    def predict(self, *arguments: ArrayLike) -> np.ndarray | float:
        """The law at ``params, tokens`` (a power law: at ``x``)."""
        return self.law(*arguments) if isinstance(self.candidate, PowerLaw) else self.law.loss(*arguments)

    def refit(self, weights: ArrayLike) -> Fit:
        """The same fit under other weights, one for each row of ``runs``."""
        return self._refit(weights)

    def summary(self) -> pd.DataFrame:
        """The constants and the diagnostics as a two-column table."""
        rows = [(name, f"{value:.6g}") for name, value in self.candidate.constants.items()]
        rows += [
            ("objective", f"{self.objective}, sum {self.value:.9g} over {len(self.runs)} runs"),
            ("status", self.status + (f": {self.message}" if self.message else "")),
            ("condition", f"{self.condition:.3g}"),
            ("starts agreeing", f"{self.starts_agreeing} of {self.n_starts}"),
        ]
        if len(self.dropped):
            rows.append(("rows left out", str(len(self.dropped))))
        return pd.Series(dict(rows), name="value").to_frame()

    def __repr__(self) -> str:
        rows = self.summary()["value"]
        width = max(map(len, rows.index))
        title = f"Fit of {self.candidate.equation}"
        return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in rows.items())])

    def _repr_html_(self) -> str:
        return f"<p>Fit of <code>{self.candidate.equation}</code></p>" + self.summary().to_html()
