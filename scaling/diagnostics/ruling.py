"""Which approach to follow where they differ: a rule, with its reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from .._checks import positive_finite, proper_share, whole_number
from .._words import format_count, format_flops, listed
from ..errors import FitError
from ..fit.certainty import ELSEWHERE, far_below, missed, missed_elsewhere
from ..fit.common import sound_runs
from ..fit.frontier import FrontierFit
from ..fit.isoflop import fit_isoflop
from ..fit.parametric import fit_parametric
from ..fit.result import Fit
from ..laws.chinchilla import ChinchillaLaw
from ..runs.curves import last_points, row_weights
from ..runs.meter import Meter, find_meter
from ..uncertainty.intervals import percentiles
from ..uncertainty.subsampling import subsampled_bootstrap
from .approaches import APPROACHES, Approaches, best_size
from .choice import best_law
from .contenders import ADDITIVE, COUPLED, OF_COMPUTE, QUICK
from .luck import say_shared_luck
from .pairing import exponent_of
from .trend import chance_of_trend

__all__ = ["Rival", "Ruling", "better_law", "find_rival", "rule_on"]

#: runs of a large table that choose its law
MOST_ASKED = 20_000
#: an interval of the difference that reaches further than this does not speak of agreement
CLOSE = 0.1
#: sizes that differ by no more than this (in ln N) are the same for any use
SAME_SIZE = 0.05
#: a budget within this factor of the budgets of the parabolas counts as theirs
NEAR = 1.5
#: what an approach takes for granted
ASSUMED = {
    1: "that a run stopped short had the loss of a run planned to be that short",
    2: "that the loss of one budget is a parabola, which the range and the centre of the sizes can tilt",
    3: "that one formula holds for all runs",
}
#: residuals bend where those of a right law do as much in less than this share of tables
BENDS = 0.05
#: said where a law of compute alone does better
FORESEES = "a law of compute alone foresees the most expensive runs better than any"
#: said where a budget lies too far below the runs for any approach
BELOW = "Follow none of them so far down"
#: said of approach 3 where repeated runs refute it
MISSES = "But the formula of approach 3 misses the runs by {:.2g} times as much as repeated runs differ{}."


@dataclass(frozen=True)
class Rival:
    """Another law, which the runs held out prefer, and the best size by it, with its interval.

    Attributes
    ----------
    name : str
        The law's.
    size : float
        The best size by it, in parameters.
    low, high : float
        Its interval.
    """

    name: str
    size: float
    low: float
    high: float


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
        The interval of the approach to follow, or, where there is none, the range of all: no interval, since what
        theirs take for granted is in doubt. NaN where nothing is known.
    agree : bool or None
        Whether they agree; None where the runs do not tell, or there is nothing to compare.
    found : str
        The same in a sentence.
    rule : str
        What to do, and why.
    size : float
        The best size by the approach to follow; NaN without one.
    """

    flops: float
    follow: int | None
    low: float
    high: float
    agree: bool | None
    found: str
    rule: str
    size: float = float("nan")

    @property
    def words(self) -> str:
        """What was found, what to do, and, where no approach is followed, what is left open."""
        words = f"{self.found} {self.rule}"
        if self.follow is None and np.isfinite([self.low, self.high]).all():
            ends = f"{format_count(self.low)} to {format_count(self.high)}"
            ends = f"So far the methods put the best size anywhere from {ends} parameters"
            return f"{words} {ends}, and it may lie outside of that."
        return words


def better_law(runs: pd.DataFrame, seed: int = 0) -> tuple[str, str]:
    """Choose between the additive and the coupled law.

    Two things have to say so: the runs held out (:func:`~scaling.diagnostics.best_law`, in 95 % of their draws), and
    all runs, whose interval of the coupling k excludes 1. Both take runs for independent: where those of one size,
    budget or number of tokens stray from the coupled law together, neither counts. Of a table above 20,000 runs a
    random part is asked.

    Parameters
    ----------
    runs : DataFrame
        As for :func:`~scaling.fit.fit_parametric`.
    seed : int
        Of the draws of the runs held out.

    Returns
    -------
    tuple of str
        ``"coupled"`` where the runs tell that law from the additive one, else ``"additive"``; and why, or nothing.

    Raises
    ------
    FitError
        For a table that cannot be used at all.
    ValueError
        If ``seed`` is no whole number from 0.
    """
    runs = sound_runs(runs)
    if len(runs) > MOST_ASKED and len(ends := last_points(runs)) > MOST_ASKED:
        runs = ends.sample(MOST_ASKED, random_state=0).sort_index()
    try:
        best = best_law(runs, (ADDITIVE, COUPLED), seed=seed)
        if best.told and best.law == COUPLED.name:
            fit = fit_parametric(runs, law="coupled", weights=row_weights(runs))
            k = fit.certainty().set_index("quantity").loc["k"]
            if (k["low"] > 1 or k["high"] < 1) and not say_shared_luck(fit, runs):
                return "coupled", f"{best.words}; and its k is {k['value']:.2f} [{k['low']:.2f}, {k['high']:.2f}]"
    except FitError:
        pass
    return "additive", ""


def find_rival(
    runs: pd.DataFrame, flops: float, level: float = 0.95, n_resamples: int = 1000, seed: int = 0
) -> Rival | None:
    """Find the coupled law's best size for a budget, where the runs tell that law from the additive one in use.

    Parameters
    ----------
    runs : DataFrame
        As for :func:`~scaling.fit.fit_parametric`.
    flops : float
        The budget for which its best size is asked.
    level : float
        Of the interval.
    n_resamples, seed : int
        Number of resamples, and what they are drawn with.

    Returns
    -------
    Rival or None
        None too where the rival, or the hold-out, has no answer.

    Raises
    ------
    FitError
        For a table that cannot be used at all.
    ValueError
        If a number is out of its range.
    """
    positive_finite(flops=flops)
    proper_share("level", level)
    n_resamples, seed = whole_number("n_resamples", n_resamples, 2), whole_number("seed", seed, 0)
    runs = sound_runs(runs)
    name, _ = better_law(runs, seed)
    if name == "additive":
        return None
    fit = fit_parametric(runs, law=name, weights=row_weights(runs))
    try:
        boot = subsampled_bootstrap(fit, n_resamples=n_resamples, seed=seed)
        of = partial(best_size, flops=flops, meter=find_meter(fit.runs))
        ends = boot.percentiles(level, of=of)
        return Rival(name, float(of(fit.law)), float(ends.low), float(ends.high))
    except (FitError, ValueError):
        return None


def rule_on(found: Approaches, flops: float, level: float = 0.95, rival: bool = True) -> Ruling:
    """Rule on whether the approaches agree, and which to follow for a budget.

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
    to approach 3. Nor do they where approaches 2 and 3, with exponents alike, ask for different sizes at the budgets of
    the parabolas, by more than 5 % and more than noise and the tilt of parabolas explain; nor where approach 3 has the
    additive law, the runs tell the coupled one from it (:func:`~scaling.diagnostics.better_law`), and that asks for a
    size outside of approach 3's interval; nor where a law of compute alone foresees the most expensive runs better, in
    95 % of their draws, and approach 3's residuals bend with size and tokens (an F test, 5 %), as where data saturate
    or the law breaks.

    None is followed to a budget further below the cheapest run than the runs span.

    Parameters
    ----------
    found : Approaches
        Of :func:`~scaling.diagnostics.compare_approaches`.
    flops : float
        The budget, positive.
    level : float, default 0.95
        Of all intervals, between 0 and 1.
    rival : bool, default True
        Whether to look for a law that is better than the additive one; not where that has been chosen between them.

    Returns
    -------
    Ruling
        What was found, and what to do.

    Raises
    ------
    ValueError
        If a number is out of its range.
    TypeError
        If what is given is not what :func:`~scaling.diagnostics.compare_approaches` finds.
    """
    if not isinstance(found, Approaches):
        raise TypeError(f"a ruling is on what compare_approaches(runs) finds, not on a {type(found).__name__}")
    positive_finite(flops=flops)
    proper_share("level", level)
    ruling = _by_exponents(found, flops, level)
    there = sorted(found.bootstraps)
    sizes = found.table(flops, level).dropna(subset=["params"])
    if ruling.follow is not None and (below := _far_below(found, flops)):
        return _ruling(flops, None, there, sizes, ruling.agree, ruling.found, below)
    if ruling.follow != 3:
        return ruling
    other = _rival_of(found, flops, level) if rival else None
    if said := _apart_in_size(found, level):
        agree: bool | None = False
    elif other is not None and not ruling.low <= other.size <= ruling.high:
        agree, asks = ruling.agree, f"asks for {format_count(other.size)} parameters"
        said = f"{ruling.found} But the {other.name} law foresees the runs held out better, and {asks}."
    elif lost := _lost_to_compute(found):
        agree, said = ruling.agree, f"{ruling.found} But {lost}"
    else:
        return ruling
    follow, rule = _without_formula(found, there, flops)
    doubted = _ruling(flops, follow, there, sizes, agree, said, f"The formula of approach 3 is in doubt. {rule}")
    if follow is not None or other is None:
        return doubted
    low, high = np.nanmin([doubted.low, other.low, other.size]), np.nanmax([doubted.high, other.high, other.size])
    return replace(doubted, low=float(low), high=float(high))


def _lost_to_compute(found: Approaches) -> str:
    """That compute alone foresees the most expensive runs better than approach 3's law, in words; or nothing.

    Both have to say so: what the law misses bends, and the runs held out tell compute alone from it.
    """
    fit = found.fits[3]
    if not isinstance(fit, Fit) or not chance_of_trend(fit) < BENDS:
        return ""
    try:
        best = best_law(fit.runs, QUICK, ("compute",), seed=found.bootstraps[3].seed)
    except FitError:
        return ""
    if not best.told or best.law != OF_COMPUTE.name:
        return ""
    ratio, low, high = best.ranking.loc[0, ["ratio", "low", "high"]]
    error = f"with {ratio:.2f} [{low:.2f}, {high:.2f}] times the error of the additive law"
    return f"{FORESEES} of size and tokens, {error}, and what approach 3 misses bends with them."


def _far_below(found: Approaches, flops: float) -> str:
    """That no approach is to be followed to a budget far below the runs, in words; nothing where it is not there."""
    paid = next(iter(found.fits.values())).runs["flops"].to_numpy(dtype=float)
    below = far_below(float(np.log(flops)), np.log(paid))
    return f"{BELOW}: the budget {below}. Runs near it would tell." if below else ""


def _rival_of(found: Approaches, flops: float, level: float) -> Rival | None:
    """The rival of approach 3's law, where it is the additive one."""
    fit, boot = found.fits[3], found.bootstraps[3]
    if not isinstance(fit, Fit) or not isinstance(fit.candidate, ChinchillaLaw):
        return None
    return find_rival(fit.runs, flops, level, len(boot.samples), boot.seed)


def _apart_in_size(found: Approaches, level: float) -> str:
    """That approaches 2 and 3 ask for different sizes at the budgets of the parabolas, in words; or nothing."""
    if not {2, 3} <= set(found.bootstraps):
        return ""
    parabolas, fit = found.fits[2], found.fits[3]
    assert isinstance(parabolas, FrontierFit)
    assert isinstance(fit, Fit)
    budgets = parabolas.points.loc[parabolas.points["usable"], "budget"].to_numpy(float)
    meter, exact = find_meter(fit.runs), _exact(found)
    if exact is None:
        return ""
    worst, words = SAME_SIZE, ""
    for flops in (budgets.min(), float(np.exp(np.log(budgets).mean())), budgets.max()):
        of = {2: partial(_log_size, flops=flops, meter=None), 3: partial(_log_size, flops=flops, meter=meter)}
        drawn = found.paired.gaps(2, 3, of)
        if drawn is None:
            return ""
        lean = float(of[2](exact.law) - of[3](fit.law))
        gap = float(of[2](parabolas.law) - of[3](fit.law)) - lean
        ends = percentiles(drawn - lean, 1 - (1 - level) / 3, gap)
        if (ends.low > 0 or ends.high < 0) and abs(gap) > worst:
            worst = abs(gap)
            asked = [format_count(float(np.exp(of[n](found.fits[n].law)))) for n in (2, 3)]
            at = f"at {format_flops(flops)} FLOP for {asked[0]} and {asked[1]} parameters"
            words = (
                f"Approaches 2 and 3 ask for different sizes where both were measured: {at}, which is more than noise"
            )
            words += " and the tilt of parabolas explain."
    return words


def _log_size(law: Any, flops: float, meter: Meter | None) -> Any:
    return np.log(best_size(law, flops, meter))


def _by_exponents(found: Approaches, flops: float, level: float) -> Ruling:
    """The rules 1 to 5."""
    there = sorted(found.bootstraps)
    sizes = found.table(flops, level).dropna(subset=["params"])
    if not there:
        why = "; ".join(dict.fromkeys(found.reasons.values()))
        return Ruling(flops, None, np.nan, np.nan, None, "No approach has an answer.", _sentence(why))
    if len(there) == 1:
        (only,) = there
        said = f"Only approach {APPROACHES[only]}, has an answer."
        if only == 3 and (misses := _missed(found.fits[3])):
            follow, rule = _without_formula(found, there, flops)
            return _ruling(flops, follow, there, sizes, None, said, f"{misses} {rule}")
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
        if misses := _missed(found.fits[3]):
            follow, rule = _without_formula(found, there, flops)
            return _ruling(flops, follow, there, sizes, agree, said, f"{misses} {rule}")
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
    size = float(ends["params"].iloc[0]) if follow is not None and len(ends) else float("nan")
    return Ruling(flops, follow, low, high, agree, said, rule, size)


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
    known = pairs.dropna(subset=["low", "high"])
    ends = known[["low", "high"]].abs().max(axis=None)
    compared, left = _numbers(known if len(known) else pairs), ""
    names = listed(compared)
    if beside := [number for number in _numbers(pairs) if number not in compared]:
        left = f" The resamples do not tell how far approach {listed(beside)} lies from them."
    if not ends <= CLOSE:
        reach = f"by up to {ends:.2f}" if np.isfinite(ends) else "by an amount that the resamples do not tell"
        words = (
            f"Approaches {names} are not told apart, which is not agreement: their exponents may differ {reach} as far"
        )
        return None, f"{words} as these runs know.{left}"
    return True, f"Approaches {names} agree: their exponents differ by no more than {ends:.2f}.{left}"


def _numbers(pairs: pd.DataFrame) -> list[str]:
    """The approaches of some pairs."""
    return [str(number) for number in dict.fromkeys(n for pair in pairs.index for n in pair)]


def _among(found: Approaches, there: list[int], flops: float) -> tuple[int | None, str]:
    """Which of the approaches that do not differ to follow, and why."""
    if 3 not in there:
        return max(there), f"Follow approach {max(there)}: it needs no formula, and approach 3 has no answer here."
    if not (misses := _missed(found.fits[3])):
        return 3, "Follow approach 3, which uses every run and answers the most questions."
    follow, rule = _without_formula(found, there, flops)
    return follow, f"{misses} {rule}"


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


def _missed(fit: Fit | FrontierFit) -> str:
    """That the law misses the runs by more than repeated ones differ, in words; or nothing."""
    assert isinstance(fit, Fit)
    if not (times := missed(fit)):
        return ""
    return MISSES.format(times, f", but {ELSEWHERE}" if missed_elsewhere(fit) else "")


def _lean(found: Approaches) -> float:
    """How much more a approach 2 finds than approach 3 on losses of approach 3's law itself; NaN where none."""
    fit, exact = found.fits[3], _exact(found)
    assert isinstance(fit, Fit)
    return float("nan") if exact is None else exact.a - float(exponent_of(fit, "a")(fit.law))


def _exact(found: Approaches) -> FrontierFit | None:
    """Approach 2 on losses of approach 3's law without any noise; None where it finds nothing there."""
    fit, runs = found.fits[3], found.fits[2].runs
    assert isinstance(fit, Fit)
    try:
        return fit_isoflop(runs.assign(loss=fit.law.loss(runs["params"].to_numpy(), runs["tokens"].to_numpy())))
    except FitError:
        return None


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""
