"""The three approaches of Hoffmann et al. 2022 side by side, on whatever table there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .bootstrap import Bootstrap, bootstrap
from .envelope import fit_envelope
from .fit import Fit, FitError, fit_parametric
from .frontier import FrontierFit
from .isoflop import fit_isoflop
from .laws import ChinchillaLaw, FrontierLaw
from .optimum import compute_optimal

__all__ = ["APPROACHES", "Approaches", "compare_approaches", "size_exponent"]

#: number and name of each
APPROACHES = {1: "1, envelope", 2: "2, parabolas", 3: "3, parametric"}


@dataclass(frozen=True, repr=False)
class Approaches:
    """What each approach finds in a table, and why not where it finds nothing.

    Attributes
    ----------
    fits : dict
        Approach (1, 2 or 3) → its fit, where the table allows one; approach 3 is here whatever its status.
    bootstraps : dict
        Approach → its resamples, where the law is identified and there are runs enough.
    reasons : dict
        Approach → why it has no fit or no resamples, in the words of the error.
    """

    fits: dict[int, Fit | FrontierFit]
    bootstraps: dict[int, Bootstrap]
    reasons: dict[int, str]

    @property
    def laws(self) -> dict[str, ChinchillaLaw | FrontierLaw]:
        """The laws with resamples behind them, by the name of the approach, as :func:`plot_frontier` takes them."""
        return {APPROACHES[number]: self.fits[number].law for number in self.bootstraps}

    def table(self, flops: float, level: float = 0.95) -> pd.DataFrame:
        """Exponents of the optimal size, and the best sizes at a budget, with percentile intervals; a row an approach.

        Columns ``a``, ``a_low``, ``a_high``, ``params``, ``params_low``, ``params_high``, ``why_not``.
        """
        rows = {}
        for number, name in APPROACHES.items():
            row: dict[str, Any] = {"why_not": self.reasons.get(number, "")}
            if number in self.bootstraps:
                questions = {"a": size_exponent, "params": lambda law: compute_optimal(law, flops).params}
                for what, of in questions.items():
                    row[what] = of(self.fits[number].law)
                    row[f"{what}_low"], row[f"{what}_high"] = self.bootstraps[number].interval(level, of=of)
            rows[name] = row
        columns = [f"{what}{end}" for what in ("a", "params") for end in ("", "_low", "_high")]
        return pd.DataFrame.from_dict(rows, "index", columns=[*columns, "why_not"]).rename_axis("approach")

    def disagree(self, level: float = 0.95) -> bool:
        """Whether some two intervals for the exponent of the optimal size have nothing in common."""
        ends = [boot.interval(level, of=size_exponent) for boot in self.bootstraps.values()]
        return bool(ends) and max(low for low, _ in ends) > min(high for _, high in ends)

    def __repr__(self) -> str:
        found = [f"{APPROACHES[n]}: a = {size_exponent(self.fits[n].law):.3f}" for n in self.bootstraps]
        return "Approaches: " + "; ".join(found + [f"{APPROACHES[n]}: {why}" for n, why in self.reasons.items()])


def compare_approaches(
    runs: pd.DataFrame,
    curves: pd.DataFrame | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    backend: str | None = None,
    n_jobs: int = -1,
) -> Approaches:
    """Try all three approaches on a table, each with its bootstrap.

    Parameters
    ----------
    runs : DataFrame
        Final losses, as :func:`load_runs` returns them.
    curves : DataFrame, optional
        Training curves, for approach 1 (see :func:`fit_envelope`).
    n_resamples, seed, backend, n_jobs
        As for :func:`bootstrap`.

    Returns
    -------
    Approaches

    Raises
    ------
    FitError
        Only for a table that cannot be used at all.
    """
    makers: dict[int, Callable[[], Fit | FrontierFit]] = {2: lambda: fit_isoflop(runs)}
    if curves is not None:
        makers[1] = lambda: fit_envelope(curves)
    fits: dict[int, Fit | FrontierFit] = {3: fit_parametric(runs)}
    reasons = {} if curves is not None else {1: "needs training curves; there are final losses only"}
    for number, make in makers.items():
        try:
            fits[number] = make()
        except FitError as error:
            reasons[number] = str(error)
    bootstraps = {}
    for number in sorted(fits):
        try:
            bootstraps[number] = bootstrap(fits[number], n_resamples, seed, backend=backend, n_jobs=n_jobs)
        except FitError as error:
            reasons[number] = str(error)
    return Approaches(dict(sorted(fits.items())), bootstraps, dict(sorted(reasons.items())))


def size_exponent(law: ChinchillaLaw | FrontierLaw) -> float | np.ndarray:
    r"""Exponent a of the optimal size, :math:`N^* \propto C^a`; :math:`\beta/(\alpha+\beta)` by the parametric law."""
    return law.a if isinstance(law, FrontierLaw) else law.beta / (law.alpha + law.beta)
