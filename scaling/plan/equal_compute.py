"""Runs to add where no formula is to be trusted: one group of equal compute, whose least loss says the best size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import number, positive_finite, whole_number
from .._words import format_count, format_flops
from ..runs.meter import Meter
from .rivals import SIX_N_D

__all__ = ["EqualCompute", "suggest_group"]

#: sizes of a group, the fewest that tell a parabola, and the least factor that it spans either way
SIZES, FEWEST, WIDTH = 5, 4, 4.0


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
    low: float,
    high: float,
    flops: float,
    budget: float,
    max_flops_per_run: float | None = None,
    *,
    max_runs: int = SIZES,
    tokens_per_param: tuple[float, float] | None = None,
    params: ArrayLike | None = None,
    meter: Meter = SIX_N_D,
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
    max_runs : int, default 5
        How many runs at most, at least four; more than five are not suggested.
    tokens_per_param : (low, high), optional
        Tokens per parameter of the runs: the group is narrower where it must be, and still holds the range.
    params : array (n_sizes,), optional
        The sizes that can be trained; those nearest to the sizes of the group are taken.
    meter : Meter, optional
        How the FLOPs are counted; 6ND if not given.

    Returns
    -------
    EqualCompute
        The runs.

    Raises
    ------
    ValueError
        If one of the numbers is not positive and finite, ``low`` lies above ``high``, or no four sizes within what is
        asked hold the range.
    """
    given = {"low": low, "high": high, "flops": flops, "budget": budget}
    given |= {} if max_flops_per_run is None else {"max_flops_per_run": max_flops_per_run}
    given = {name: number(name, value) for name, value in given.items()}
    positive_finite(**given)
    low, high, flops, budget = (given[name] for name in ("low", "high", "flops", "budget"))
    if low > high:
        raise ValueError(f"low must not lie above high, got {low:g} and {high:g}: give the smaller size first")
    if whole_number("max_runs", max_runs) < FEWEST:
        raise ValueError(f"a group of equal compute takes {FEWEST} runs or more, at most {max_runs} are allowed")
    count = min(SIZES, max_runs)
    each = min(flops, budget / count, given.get("max_flops_per_run", np.inf))
    width, moved = max(WIDTH, np.sqrt(high / low)), np.sqrt(each / flops)
    sizes = np.sqrt(low * high) * moved * np.geomspace(1 / width, width, count)
    if tokens_per_param is not None:
        sizes = _within(sizes, positive_finite(tokens_per_param=tokens_per_param)[0], each, meter)
    if params is not None:
        there = np.unique(positive_finite(params=params)[0])
        sizes = there[np.unique(np.abs(np.log(sizes)[:, None] - np.log(there)).argmin(1))]
    if len(sizes) < FEWEST or sizes[0] > low * moved * (1 + 1e-9) or sizes[-1] < high * moved * (1 - 1e-9):
        span = f"{format_count(low * moved)} to {format_count(high * moved)}"
        words = f"no group of equal compute: no {FEWEST} of the sizes that are allowed hold {span} parameters"
        raise ValueError(f"{words}, between which the best size for {format_flops(each)} FLOPs may lie")
    return EqualCompute(pd.DataFrame({"params": sizes, "tokens": meter.tokens_for(each, sizes), "flops": each}))


def _within(sizes: np.ndarray, ratio: np.ndarray, flops: float, meter: Meter) -> np.ndarray:
    """As many sizes over the part of a group that has so many tokens a parameter; none where there is no such part."""
    least, most = sizes[0], sizes[-1]
    fine = np.geomspace(least, most, 1001)
    each = meter.tokens_for(flops, fine) / fine
    fine = fine[(each >= ratio[0]) & (each <= ratio[1])]
    return np.geomspace(fine[0], fine[-1], len(sizes)) if len(fine) else fine
