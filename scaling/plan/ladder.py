"""Plans at a ladder of budgets: what the file of a law carries, so that a page can say what a plan would."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import FitError
from ..fit.certainty import FACTOR
from ..fit.result import Fit
from ..laws.coupled import SumLaw
from ..optimum.allocation import compute_optimal
from ..runs.meter import Meter, find_meter
from ..uncertainty.resampling import Bootstrap
from .tables import quantities, with_intervals
from .training import with_optimum

__all__ = ["plan_ladder"]

#: how far the ladder reaches below the cheapest run and above the most expensive one
BELOW, ABOVE = 10.0, 100.0
QUANTITIES = ["params", "loss"]


def plan_ladder(
    boot: Bootstrap, level: float = 0.95, others: Iterable[Bootstrap] = (), more: Iterable[float] = ()
) -> list[dict[str, Any]]:
    """Find at each of some budgets how well the best size and its loss are known, and whether a plan would be open.

    Parameters
    ----------
    boot : Bootstrap
        Of a fit of :func:`~scaling.fit.fit_parametric`.
    level : float, default 0.95
        Of the intervals.
    others : iterable of Bootstrap, optional
        Of the same runs by other laws: the intervals are to hold theirs as well.
    more : iterable of float, optional
        Budgets to add to those from a tenth of the cheapest run to a hundred times the most expensive one.

    Returns
    -------
    list of dict
        Two records a budget, from the least on: ``quantity`` (``params``, ``loss``), ``flops``, ``low`` and ``high``,
        which hold the interval of a plan and that of :meth:`Fit.certainty <scaling.fit.Fit.certainty>`, and ``open``,
        whether the runs leave the best size open there. Nothing where no plan can be made.
    """
    fit, meter = boot.fit, find_meter(boot.fit.runs)
    assert isinstance(fit, Fit)
    rungs = _rungs(fit, meter, more)
    try:
        rows = fit.certainty(rungs, level).set_index(["quantity", "flops"])
        own = [_resampled(boot, flops, meter, level) for flops in rungs]
    except FitError:
        return []
    spans = [own, *(_beside(each, rungs, meter, level) for each in others)]
    out = []
    for k, flops in enumerate(rungs):
        drawn = [each[k] for each in spans if each is own or np.isfinite(each[k]["params"]).all()]
        sure, (low, high) = rows.loc["params", flops], np.transpose([each["params"] for each in drawn])
        within = bool(sure["value"] / FACTOR <= low.min() and high.max() <= sure["value"] * FACTOR)
        for quantity in QUANTITIES:
            ends = np.array([rows.loc[quantity, flops][["low", "high"]], *(each[quantity] for each in drawn)], float)
            out.append(
                {
                    "quantity": quantity,
                    "flops": flops,
                    "low": float(ends[:, 0].min()),
                    "high": float(ends[:, 1].max()),
                    "open": not (sure["enough"] and within),
                }
            )
    return out


def _rungs(fit: Fit, meter: Meter, more: Iterable[float]) -> list[float]:
    """Budgets from below the runs to beyond them, as the table counts them."""
    paid = np.asarray(meter.flops(fit.runs["params"].to_numpy(), fit.runs["tokens"].to_numpy()))
    least, most = float(paid.min()), float(paid.max())
    middle, beyond = float(np.sqrt(least * most)), most * float(np.sqrt(ABOVE))
    return sorted({least / BELOW, least, middle, most, beyond, most * ABOVE, *more})


def _beside(boot: Bootstrap, rungs: list[float], meter: Meter, level: float) -> list[dict[str, tuple[float, float]]]:
    """Intervals by another law, which are not known where it has no plan."""
    try:
        return [_resampled(boot, flops, meter, level) for flops in rungs]
    except FitError:
        return [dict.fromkeys(QUANTITIES, (float("nan"), float("nan"))) for _ in rungs]


def _resampled(boot: Bootstrap, flops: float, meter: Meter, level: float) -> dict[str, tuple[float, float]]:
    """Intervals of a plan for a budget, whose ends are not known where they were drawn from laws without an optimum."""
    usable, _ = with_optimum(boot, level)
    law = usable.fit.law
    assert isinstance(law, SumLaw)
    rows = with_intervals(lambda each: quantities(compute_optimal(each, flops, meter=meter)), usable, law, level)
    return {name: (float(rows.loc[name, "low"]), float(rows.loc[name, "high"])) for name in QUANTITIES}
