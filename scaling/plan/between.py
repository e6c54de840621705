"""The same plan under several laws: how far they are apart, beside how far each is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from .._words import format_count
from .training import Plan

__all__ = ["BetweenLaws", "compare_plans"]

#: what is compared, of the compute-optimal run, and how it is called
QUANTITIES = {"params": "size", "tokens": "tokens", "loss": "loss"}


@dataclass(frozen=True, repr=False)
class BetweenLaws:
    """Compute-optimal runs by several laws.

    Attributes
    ----------
    table : DataFrame
        Indexed by ``law`` and ``quantity`` (``params``, ``tokens``, ``loss``): ``estimate``, ``low``, ``high``.
    level : float
        Of the intervals.
    apart : dict
        Quantity → the largest estimate over the least.
    disagree : tuple of str
        Quantities of which some law's estimate lies outside another law's interval.
    """

    table: pd.DataFrame
    level: float
    apart: dict[str, float]
    disagree: tuple[str, ...]

    @property
    def words(self) -> str:
        """Whether the laws agree, in a sentence."""
        factors = ", ".join(f"{QUANTITIES[name]} a factor of {self.apart[name]:.3g}" for name in QUANTITIES)
        if not self.disagree:
            return f"the laws agree: every estimate lies within the others' intervals ({factors} apart)"
        names = " and ".join(QUANTITIES[name] for name in self.disagree)
        return f"the laws disagree on {names}: an estimate lies outside another law's interval ({factors} apart)"

    def __repr__(self) -> str:
        rows: dict[str, dict[str, str]] = {}
        for (law, name), row in self.table.iterrows():
            estimate, low, high = (_shown(name, row[column]) for column in ("estimate", "low", "high"))
            rows.setdefault(law, {})[QUANTITIES[name]] = f"{estimate} [{low}, {high}]"
        shown = pd.DataFrame.from_dict(rows, orient="index").rename_axis(None)
        return f"between laws, {self.level:.0%} interval of each\n{shown.to_string()}\n{self.words}"


def _shown(name: str, value: float) -> str:
    return f"{value:.4g}" if name == "loss" else format_count(value)


def compare_plans(plans: Mapping[str, Plan]) -> BetweenLaws:
    """The compute-optimal runs of plans for one budget under several laws, side by side.

    Parameters
    ----------
    plans : mapping of the name of a law to Plan
        Two or more, of one budget and level; ``ValueError`` otherwise.
    """
    if len(plans) < 2 or len({(each.flops, each.level) for each in plans.values()}) > 1:
        raise ValueError("plans of two laws or more for one budget, with intervals of one level, can be compared")
    parts = {law: plan.allocation.loc["compute-optimal"].loc[list(QUANTITIES)] for law, plan in plans.items()}
    table = pd.concat(parts, names=["law", "quantity"])[["estimate", "low", "high"]]
    apart, disagree = {}, []
    for name in QUANTITIES:
        rows = table.xs(name, level="quantity")
        apart[name] = float(rows["estimate"].max() / rows["estimate"].min())
        if (rows["low"].max() > rows["estimate"].min()) or (rows["high"].min() < rows["estimate"].max()):
            disagree.append(name)
    return BetweenLaws(table, next(iter(plans.values())).level, apart, tuple(disagree))
