"""The same plan under several laws: how far they are apart, beside how far each is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._words import format_count, percent
from .training import Plan

__all__ = ["BetweenLaws", "compare_plans"]

#: what is compared, of the compute-optimal run, and how it is called
QUANTITIES = {"params": "size", "tokens": "tokens", "loss": "loss"}
#: what has a range over all laws
RANGED = (*QUANTITIES, "tokens_per_param")


@dataclass(frozen=True, repr=False)
class BetweenLaws:
    """Compute-optimal runs by several laws.

    Attributes
    ----------
    table : DataFrame
        Indexed by ``law`` and ``quantity`` (``params``, ``tokens``, ``loss``, ``tokens_per_param``): ``estimate``,
        ``low``, ``high``.
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
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Quantity → the ends of the intervals of all laws together; NaN where an end of one is not known.

        They are wider than the interval of any one law, which takes its form for granted, and hold a truth that lies
        between the laws, as one with a product of the two terms may. A truth beside both is not in them.
        """
        rows = self.table.groupby("quantity")
        low, high = rows["low"].min(), rows["high"].max()
        lost = self.table[["low", "high"]].isna().any(axis=1).groupby("quantity").any()
        return {
            name: (np.nan, np.nan) if lost[name] else (float(low[name]), float(high[name]))
            for name in RANGED
            if name in low
        }

    @property
    def over_all(self) -> str:
        """The ranges over all laws, in a sentence."""
        said = []
        for name, noun in QUANTITIES.items():
            low, high = self.ranges[name]
            known = np.isfinite(low) and np.isfinite(high)
            said.append(f"{noun} {f'[{_shown(name, low)}, {_shown(name, high)}]' if known else 'not known'}")
        return f"over {'both' if len(self.laws) == 2 else 'all'} laws: {', '.join(said)}"

    @property
    def laws(self) -> list[str]:
        """Their names."""
        return list(self.table.index.unique("law"))

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
            if name not in QUANTITIES:
                continue
            estimate, low, high = (_shown(name, row[column]) for column in ("estimate", "low", "high"))
            rows.setdefault(law, {})[QUANTITIES[name]] = f"{estimate} [{low}, {high}]"
        shown = pd.DataFrame.from_dict(rows, orient="index").rename_axis(None)
        title = f"between laws, {percent(self.level)}% interval of each"
        return "\n".join([title, shown.to_string(), self.words, self.over_all])


def _shown(name: str, value: float) -> str:
    return f"{value:.4g}" if name == "loss" else format_count(value)


def compare_plans(plans: Mapping[str, Plan]) -> BetweenLaws:
    """Set the compute-optimal runs of plans for one budget under several laws side by side.

    Parameters
    ----------
    plans : mapping of the name of a law to Plan
        Two or more, of one budget and level.

    Returns
    -------
    BetweenLaws
        The optima of the laws, and whether they agree.

    Raises
    ------
    ValueError
        If there are fewer, or they differ in budget or level.
    """
    if len(plans) < 2 or len({(each.flops, each.level) for each in plans.values()}) > 1:
        raise ValueError("plans of two laws or more for one budget, with intervals of one level, can be compared")
    parts = {law: plan.allocation.loc["compute-optimal"].loc[list(RANGED)] for law, plan in plans.items()}
    table = pd.concat(parts, names=["law", "quantity"])[["estimate", "low", "high"]]
    apart, disagree = {}, []
    for name in QUANTITIES:
        rows = table.xs(name, level="quantity")
        apart[name] = float(rows["estimate"].max() / rows["estimate"].min())
        if (rows["low"].max() > rows["estimate"].min()) or (rows["high"].min() < rows["estimate"].max()):
            disagree.append(name)
    return BetweenLaws(table, next(iter(plans.values())).level, apart, tuple(disagree))
