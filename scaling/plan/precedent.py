"""Runs, a budget and a planned loss → whether some run has already done better with less."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .._checks import positive_finite
from .._words import format_flops
from ..runs.curves import seed_noise
from ..runs.numbers import positive_columns

__all__ = ["already_reached"]

#: a loss is lower than planned if it is so by this share, and by this many times what repeated runs differ
SHARE, NOISES = 0.01, 4
#: a run that costs at most this many times the budget counts as no more expensive
SLACK = 1.01


def already_reached(runs: pd.DataFrame, flops: float, loss: float) -> str:
    """Look for a run that refutes a planned loss: no more expensive than the budget, and better by more than noise.

    A law that expects less of a budget than some run has shown is wrong there, however narrow its intervals are.
    Better is by more than a per cent, and by more than four times the scatter of repeated runs where there are any.

    Parameters
    ----------
    runs : DataFrame
        One row a run, with ``params``, ``tokens``, ``flops`` and ``loss``.
    flops : float
        The budget.
    loss : float
        The loss that the law expects of the best run for it.

    Returns
    -------
    str
        The run and both losses, in a sentence; nothing where no run is better.

    Raises
    ------
    RunsError
        If a column is not there, or holds no positive finite numbers.
    ValueError
        If the budget or the loss is not positive and finite.
    """
    positive_finite(flops=flops, loss=loss)
    cost, reached = positive_columns(runs, "flops", "loss")
    paid = np.flatnonzero(cost <= SLACK * flops)
    if not len(paid):
        return ""
    best = paid[reached[paid].argmin()]
    margin = np.fmax(SHARE, NOISES * seed_noise(runs))
    if not np.log(loss / reached[best]) > margin:
        return ""
    return (
        f"a run of the table with {format_flops(cost[best])} FLOP already reached a loss of {reached[best]:.4g}, "
        f"below the {loss:.4g} that the law expects of {format_flops(flops)} FLOP: do not rely on this loss, nor on "
        "a size that rests on this law alone"
    )
