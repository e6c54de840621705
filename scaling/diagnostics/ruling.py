"""Which approach to follow where they differ: a rule, with its reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._checks import positive_finite
from .._words import format_count, format_flops, listed
from ..errors import FitError
from ..fit.certainty import missed
from ..fit.frontier import FrontierFit
from ..fit.isoflop import fit_isoflop
from ..fit.result import Fit
from .approaches import APPROACHES, Approaches
from .pairing import exponent_of

__all__ = ["Ruling", "rule_on"]

#: an interval of the difference that reaches further than this does not speak of agreement
CLOSE = 0.1
#: a budget within this factor of the budgets of the parabolas counts as theirs
NEAR = 1.5
#: what an approach takes for granted
ASSUMED = {
    1: "that a run stopped short had the loss of a run planned to be that short",
    2: "that the loss of one budget is a parabola, which the range and the centre of the sizes can tilt",
    3: "that one formula holds for all runs",
}
#: said of approach 3 where repeated runs refute it
MISSES = "But the formula of approach 3 misses the runs by {:.2g} times as much as repeated runs differ."


@dataclass(frozen=True)
class Ruling:
    """What the three approaches say together of one budget, and which of them to follow.

    Attributes
    ----------
    flops : float
        The budget that is asked about.
    follow : int or None
        The approach to follow; None where none of them carries a number alone.
    low, high : float
        The best size lies between these: the interval of the approach to follow, or, where there is none, the whole
        range that the approaches leave open. NaN where nothing is known.
    agree : bool or None
        Whether they agree; None where the runs do not tell, or there is nothing to compare.
    found : str
        The same in a sentence.
    rule : str
        What to do, and why.
    """

    flops: float
    follow: int | None
    low: float
    high: float
    agree: bool | None
    found: str
    rule: str

    @property
    def words(self) -> str:
        """What was found, what to do, and, where no approach is followed, what is left open."""
        words = f"{self.found} {self.rule}"
        if self.follow is None and np.isfinite([self.low, self.high]).all():
            ends = f"{format_count(self.low)} to {format_count(self.high)}"
            return f"{words} So far the best size lies anywhere from {ends} parameters."
        return words


def rule_on(found: Approaches, flops: float, level: float = 0.95) -> Ruling:
    """Whether the approaches agree, and which to follow for a budget.

    They are compared by the difference of their exponents a on the same runs drawn, each difference with its own
    interval, at ``level`` for all pairs together. Then:

    1. One approach: nothing tests what it takes for granted.
    2. No difference is told from zero: follow approach 3, which uses every run and answers the most questions. Where
       the intervals of the differences reach beyond 0.1, that is not agreement: the runs do not tell.
    3. Only approach 1 differs: leave it out. Points inside a curve come from runs whose learning rate had not come
       down, so that their losses are too high.
    4. Approaches 2 and 3 differ, and approach 2 finds the same difference on losses of approach 3's law without any
       noise: it is the tilt of parabolas on these sizes. Follow approach 3.
    5. They differ otherwise, or repeated runs say that the formula of approach 3 does not hold: near the budgets of the
       parabolas follow approach 2, which asks only the runs near the optimum. Beyond them follow none: the answer is
       the range of all, and a group of runs of equal compute nearer to the budget would settle it.

    The second half of 5 comes before 1 to 4: where repeated runs say that the formula does not hold, none of them leads
    to approach 3.

    Parameters
    ----------
    found : Approaches
        Of :func:`~scaling.diagnostics.compare_approaches`.
    flops : float
        The budget, positive.
    level : float, default 0.95

    Returns
    -------
    Ruling
    """
    positive_finite(flops=flops)
    there = sorted(found.bootstraps)
    sizes = found.table(flops, level).dropna(subset=["params"])
    if not there:
        why = "; ".join(dict.fromkeys(found.reasons.values()))
        return Ruling(flops, None, np.nan, np.nan, None, "No approach has an answer.", _sentence(why))
    if len(there) == 1:
        (only,) = there
        said = f"Only approach {APPROACHES[only]}, has an answer."
        if only == 3 and (times := _missed(found.fits[3])):
            follow, rule = _without_formula(found, there, flops)
            return _ruling(flops, follow, there, sizes, None, said, f"{MISSES.format(times)} {rule}")
        rule = f"Nothing tests what it takes for granted: {ASSUMED[only]}."
        return _ruling(flops, only, there, sizes, None, said, rule)
    pairs = _pairs(found, level)
    apart = [pair for pair, row in pairs.iterrows() if row["low"] > 0 or row["high"] < 0]
    agree, said = _said(pairs, apart)
    if apart and all(1 in pair for pair in apart):
        rest = [number for number in there if number != 1]
        reason = "Leave approach 1 out: an envelope keeps the luckiest losses, and points inside a training curve come "
        reason += "from a run whose learning rate had not come down."
        follow, rule = _among(found, rest, flops)
        return _ruling(flops, follow, rest, sizes, agree, said, f"{reason} {rule}")
    if (2, 3) in apart:
        if times := _missed(found.fits[3]):
            follow, rule = _without_formula(found, there, flops)
            return _ruling(flops, follow, there, sizes, agree, said, f"{MISSES.format(times)} {rule}")
        lean = _lean(found)
        if pairs.loc[(2, 3), "low"] <= lean <= pairs.loc[(2, 3), "high"]:
            side = "larger" if lean > 0 else "smaller"
            rule = (
                "Follow approach 3: the parabolas of these sizes are tilted. On losses of its law without any noise "
                f"approach 2 finds an exponent {abs(lean):.2g} {side}; what is left of the difference is within noise."
            )
            return _ruling(flops, 3, there, sizes, agree, said, rule)
        reason = "Parabolas on these sizes do not explain it, so the formula of approach 3 is in doubt."
        follow, rule = _without_formula(found, there, flops)
        return _ruling(flops, follow, there, sizes, agree, said, f"{reason} {rule}")
    follow, rule = _among(found, there, flops)
    return _ruling(flops, follow, there, sizes, agree, said, rule)


def _ruling(
    flops: float, follow: int | None, among: list[int], sizes: pd.DataFrame, agree: bool | None, said: str, rule: str
) -> Ruling:
    """The ruling, with the sizes that it leaves open."""
    asked = [APPROACHES[number] for number in (among if follow is None else [follow])]
    ends = sizes[sizes.index.isin(asked)]
    low, high = float(ends["params_low"].min(skipna=False)), float(ends["params_high"].max(skipna=False))
    return Ruling(flops, follow, low, high, agree, said, rule)


def _pairs(found: Approaches, level: float) -> pd.DataFrame:
    """Differences of a, indexed by the numbers of both approaches, at one level for all pairs together."""
    count = len(found.bootstraps)
    table = found.differences(1 - (1 - level) / (count * (count - 1) // 2))
    numbers = [tuple(int(part) for part in pair.split(" less ")) for pair in table["approaches"]]
    return table.set_index(pd.MultiIndex.from_tuples(numbers))


def _said(pairs: pd.DataFrame, apart: list[tuple[int, int]]) -> tuple[bool | None, str]:
    """Which approaches differ, or how far they may."""
    if apart:
        gaps = [
            f"{first} and {second} by {abs(row['difference']):.2g} [{low:.2g}, {high:.2g}]"
            for first, second in apart
            for row in [pairs.loc[(first, second)]]
            for low, high in [sorted(np.sign(row["difference"]) * row[["low", "high"]].to_numpy(float))]
        ]
        return False, f"The approaches disagree: the exponents of {listed(gaps)}, which is more than noise."
    ends = pairs[["low", "high"]].abs().max(axis=None)
    names = listed([str(number) for number in dict.fromkeys(n for pair in pairs.index for n in pair)])
    if not ends <= CLOSE:
        reach = f"by up to {ends:.2f}" if np.isfinite(ends) else "by an amount that the resamples do not tell"
        words = (
            f"Approaches {names} are not told apart, which is not agreement: their exponents may differ {reach} as far"
        )
        return None, f"{words} as these runs know."
    return True, f"Approaches {names} agree: their exponents differ by no more than {ends:.2f}."


def _among(found: Approaches, there: list[int], flops: float) -> tuple[int | None, str]:
    """Which of the approaches that do not differ to follow, and why."""
    if 3 not in there:
        return max(there), f"Follow approach {max(there)}: it needs no formula, and approach 3 has no answer here."
    if not (times := _missed(found.fits[3])):
        return 3, "Follow approach 3, which uses every run and answers the most questions."
    follow, rule = _without_formula(found, there, flops)
    return follow, f"{MISSES.format(times)} {rule}"


def _without_formula(found: Approaches, there: list[int], flops: float) -> tuple[int | None, str]:
    """What to do where the formula of approach 3 does not hold: stay near the runs."""
    if 2 in there and _is_near(found.fits[2], flops):
        return 2, "Follow approach 2, which asks only the runs near the optimum of budgets such as this one."
    where = "and no group of equal compute lies near this budget" if 2 in there else "and there is no approach 2"
    settle = f"Runs of one compute near {format_flops(flops)} FLOP, four sizes or more, would settle it."
    return None, f"Follow none of them alone, {where}. {settle}"


def _is_near(fit: Fit | FrontierFit, flops: float) -> bool:
    assert isinstance(fit, FrontierFit)
    usable = fit.points.loc[fit.points["usable"], "budget"]
    return bool(usable.min() / NEAR <= flops <= usable.max() * NEAR)


def _missed(fit: Fit | FrontierFit) -> float:
    assert isinstance(fit, Fit)
    return missed(fit)


def _lean(found: Approaches) -> float:
    """How much more a approach 2 finds than approach 3 on losses of approach 3's law itself; NaN where none."""
    fit, runs = found.fits[3], found.fits[2].runs
    assert isinstance(fit, Fit)
    exact = runs.assign(loss=fit.law.loss(runs["params"].to_numpy(), runs["tokens"].to_numpy()))
    try:
        return fit_isoflop(exact).a - float(exponent_of(fit, "a")(fit.law))
    except FitError:
        return float("nan")


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""
