"""Runs to add where no formula is to be trusted: one group of equal compute, whose least loss says the best size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._checks import number, positive_finite
from .._words import format_count, format_flops

__all__ = ["EqualCompute", "suggest_group"]

#: sizes of a group, and the least factor that it spans either way
SIZES, WIDTH = 5, 4.0


@dataclass(frozen=True)
class EqualCompute:
    """A group of runs of equal compute.

    Attributes
    ----------
    runs : DataFrame
        ``params``, ``tokens`` and ``flops`` of each.
    """

    runs: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """List the runs.

        Returns
        -------
        DataFrame
            One row a run.
        """
        return self.runs

    def __str__(self) -> str:
        total, each = float(self.runs["flops"].sum()), float(self.runs["flops"].iloc[0])
        rows = [
            f"  {format_count(row.params)} parameters on {format_count(row.tokens)} tokens"
            for row in self.runs.itertuples()
        ]
        words = (
            f"{len(rows)} runs of equal compute to add, {format_flops(each)} FLOP each, {format_flops(total)} in all:"
        )
        return "\n".join([f"{words} where their least loss lies, no formula is needed", *rows])


def suggest_group(
    low: float, high: float, flops: float, budget: float, max_flops_per_run: float | None = None
) -> EqualCompute:
    r"""Suggest five runs of equal compute around a range of best sizes, as near to what is asked as the budget allows.

    Each run costs :math:`C' = \min(C, \text{budget}/5)`. The range, which is that at C, is moved to C' by
    :math:`N \propto C^{1/2}`, which is near enough to what runs of language models show to centre a group; it spans a
    factor of four either way at least, and the range where that is wider.

    Parameters
    ----------
    low, high : float
        The range of best sizes at ``flops``, in parameters.
    flops : float
        The compute that is asked about.
    budget : float
        FLOPs for all runs of the group.
    max_flops_per_run : float, optional
        No run costs more.

    Returns
    -------
    EqualCompute
        The five runs.

    Raises
    ------
    ValueError
        If one of the numbers is not positive and finite, or ``low`` lies above ``high``.
    """
    given = {"low": low, "high": high, "flops": flops, "budget": budget}
    given |= {} if max_flops_per_run is None else {"max_flops_per_run": max_flops_per_run}
    given = {name: number(name, value) for name, value in given.items()}
    positive_finite(**given)
    low, high, flops, budget = (given[name] for name in ("low", "high", "flops", "budget"))
    if low > high:
        raise ValueError(f"low must not lie above high, got {low:g} and {high:g}: give the smaller size first")
    each = min(flops, budget / SIZES, given.get("max_flops_per_run", np.inf))
    width = max(WIDTH, np.sqrt(high / low))
    sizes = np.sqrt(low * high * each / flops) * np.geomspace(1 / width, width, SIZES)
    return EqualCompute(pd.DataFrame({"params": sizes, "tokens": each / 6 / sizes, "flops": each}))
