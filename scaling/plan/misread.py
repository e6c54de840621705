"""A budget that is none: one so far below the runs that it was meant in another unit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .._words import format_flops
from ..fit.certainty import far_below
from ..laws.coupled import SumLaw
from ..optimum.allocation import compute_optimal, without_optimum
from ..runs.meter import Meter
from ..runs.reading.units import PF_DAY

#: fewer FLOPs are no training run
LEAST = 1e12
#: a loss of more nats is worse than that of a guess among the tokens of any vocabulary
GUESS = 12.5
#: a number is asked about in PF-days where these are within so many times the runs
NEAR = 1e6


def misread_budget(flops: float, paid: pd.Series, seen: pd.Series, law: SumLaw | None, meter: Meter) -> str:
    """Why ``flops`` are no budget for runs that cost ``paid`` each and reached the losses ``seen``, or nothing.

    They are none where they lie further below the cheapest run than the runs span, and either are less than any
    training run costs or buy, by the law of the runs, a loss that is worse than a guess, while the runs do better.
    """
    if not far_below(float(np.log(flops)), np.log(paid.to_numpy(dtype=float))):
        return ""
    words = f"a budget of {format_flops(flops)} FLOPs lies {paid.min() / flops:.2g} times below the cheapest run"
    loss = _expected(law, flops, meter)
    if loss > GUESS > seen.max():
        words += f", where the law expects a loss of {loss:.4g}, worse than a guess"
    elif flops >= LEAST:
        return ""
    meant = flops * PF_DAY
    if paid.min() / NEAR <= meant <= paid.max() * NEAR:
        return f"{words}: is it in PF-days? Then it is {format_flops(meant)} FLOPs (--flops '{flops:g} PF-days')"
    return f"{words}: in which unit is it? FLOPs are wanted, or PF-days (--flops '100 PF-days')"


def _expected(law: SumLaw | None, flops: float, meter: Meter) -> float:
    """The loss that a law expects of a budget; NaN where it has none."""
    if law is None or np.any(without_optimum(law)):
        return float("nan")
    return float(compute_optimal(law, flops, meter=meter).loss)
