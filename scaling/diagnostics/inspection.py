"""What a table of runs can tell before a law is believed: groups, outliers, slips of units, what it identifies."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .._robust import robust_deviation
from .._words import name_rows
from ..errors import FitError
from ..fit.frontier import FrontierFit
from ..fit.isoflop import LEAST_SIZES
from ..fit.parametric import fit_parametric
from ..fit.result import Fit
from ..runs.budgets import find_budgets
from ..runs.curves import last_points, row_weights, runs_of
from ..runs.preparing.cooldowns import several_cooldowns
from ..runs.repetition import repeated_rows
from ..runs.table import check_runs
from .approaches import APPROACH_NAMES, fit_approaches, known_approaches
from .astray import far_from_law, in_thousands, misses, say_astray, slips_of_hand
from .luck import say_shared_luck
from .pooling import Pooling, find_pooling, say_untold
from .scatter import ABOVE, above_pattern, far_above, say_noise
from .skewness import LEAST, residual_skewness
from .spikes import find_spikes

__all__ = ["Inspection", "inspect_runs"]


#: rows of a large table that are fitted, and rows that are compared pair by pair
MOST_FITTED, MOST_PAIRED = 20_000, 3_000
#: runs above the pattern that are named one by one
MOST_SAID = 12
#: a loss so many robust standard deviations above its law is out of the pattern
SIGMAS = 8.0
#: rank correlation of loss and compute, of so many runs at least, by which what is called a loss is none
RISES, LEAST_RISING = 0.6, 5
#: decades between a few runs and all others that make a slip of the unit likely, and what a few are
GAP, FEW = 2.5, 0.1
#: ratios of flops to 6 N D that a slip of a unit makes, in words
_SLIPS = {
    **{10.0**k: f"10^{k}" for k in (-18, -15, -12, -9, -6, -3, 3, 6, 9, 12, 15, 18)},
    1 / 8.64e19: "one PF-day, as if flops were in PF-days",
}


@dataclass(frozen=True, repr=False)
class Inspection:
    """What was found in a table of runs.

    Attributes
    ----------
    groups : DataFrame
        IsoFLOP groups of at least four sizes: ``budget``, ``runs``, ``sizes``, ``smallest``, ``largest``.
    diverged : DataFrame
        Runs whose loss lies above the pattern of the others, labelled as in the table: ``loss``, ``expected``
        (the loss that the others suggest, or that of a smaller run) and ``maybe``, what else could explain it.
    copies : list of str
        Rows that repeat another's params, tokens and loss; in words.
    slips : list of str
        Probable slips of a unit, in words with their rows.
    approaches : dict
        1, 2, 3 to a fit (of at most 20,000 rows), or the :class:`~scaling.errors.FitError` that says why there is none.
    one_sided : str
        That runs lose more than they gain, in words; empty where nothing of the kind shows.
    pooled : list of Pooling
        Why the rows are not one run each of one family: see :func:`~scaling.diagnostics.find_pooling`.
    spikes : DataFrame
        Spikes of training curves, at their end or within: see :func:`~scaling.diagnostics.find_spikes`.
    cooldowns : str
        That runs were cooled down several times, in words; or nothing.
    rising : str
        That the losses rise with compute, as no loss does, in words; or nothing.
    astray : str
        Runs off the law of the others by far more than these stray, but less than those in ``diverged`` and ``slips``,
        in words; or nothing.
    untold : str
        That what a label does cannot be told from what size and length do, in words; or nothing.
    luck : str
        That the rows of one size, budget or number of tokens stray from the law together, in words; or nothing.
    noise : str
        That losses stray too much for runs to be told that diverged, in words; or nothing.
    alone : str
        That rows taken for curves would have a law if they were runs of their own, in words; or nothing.
    """

    groups: pd.DataFrame
    diverged: pd.DataFrame
    copies: list[str]
    slips: list[str]
    approaches: dict[int, Fit | FrontierFit | FitError]
    one_sided: str = ""
    pooled: list[Pooling] = field(default_factory=list)
    spikes: pd.DataFrame = field(default_factory=pd.DataFrame)
    cooldowns: str = ""
    rising: str = ""
    astray: str = ""
    untold: str = ""
    luck: str = ""
    noise: str = ""
    alone: str = ""

    @property
    def looks(self) -> list[str]:
        """All that deserves a look, in words; what speaks against one law for all rows first."""
        words = [each.words for each in self.pooled] + self.slips + self.copies
        if any(each.kind == "experts" for each in self.pooled):
            return words  # what no law of these sizes foresees says nothing of the runs
        if self.rising:
            return [self.rising, *words]  # nor do losses above a pattern that is upside down
        noun = self.diverged.index.name or "row"
        words += [
            f"{noun} {label}: loss {row.loss:.4g}, where the other runs suggest {row.expected:.4g}: {row.maybe}"
            for label, row in zip(self.diverged.index[:MOST_SAID], self.diverged.itertuples(), strict=False)
        ]
        if (more := len(self.diverged) - MOST_SAID) > 0:
            words.append(f"and {more} more runs above what the others suggest")
        if len(self.diverged) and not self.pooled:
            words.append("--drop diverged leaves out the runs above what the others suggest")
        words += [
            f"{noun} {label}: run {str(row.run)[:40]!r} ends on a spike, loss {row.loss:.4g} after {row.before:.4g}, "
            f"and its end is what approaches 2 and 3 take: --drop {label} leaves that point out"
            for label, row in zip(self.spikes.index, self.spikes.itertuples(), strict=True)
            if np.isnan(row.after)
        ]
        within = self.spikes[self.spikes["after"].notna()] if len(self.spikes) else self.spikes
        words += [
            f"{noun} {label}: run {str(row.run)[:40]!r} has a spike, loss {row.loss:.4g} between {row.before:.4g} and "
            f"{row.after:.4g}; no approach heeds it, since its end and the lowest losses are not touched"
            for label, row in zip(within.index[:MOST_SAID], within.itertuples(), strict=False)
        ]
        if (more := len(within) - MOST_SAID) > 0:
            words.append(f"and {more} more spikes within training curves")
        more_words = (self.noise, self.alone, self.astray, self.untold, self.luck, self.cooldowns, self.one_sided)
        return [*words, *filter(None, more_words)]

    @property
    def usable(self) -> bool:
        """Whether at least one approach can be fitted."""
        return any(not isinstance(fit, FitError) for fit in self.approaches.values())

    def __repr__(self) -> str:
        lines = [f"Inspection: {len(self.groups)} IsoFLOP groups, {len(self.diverged)} runs above the pattern"]
        lines += self.looks
        for number, fit in self.approaches.items():
            lines.append(f"  approach {number} ({APPROACH_NAMES[number]}): {verdict(fit)}")
        return "\n".join(lines)


def verdict(fit: Fit | FrontierFit | FitError) -> str:
    """What an approach makes of a table, in one line."""
    if isinstance(fit, FitError):
        return f"no: {fit}"
    if isinstance(fit, FrontierFit):
        return f"yes: {int(fit.points['usable'].sum())} of {len(fit.points)} budgets usable"
    return f"yes: {fit.status}" + (f", {fit.message}" if fit.message else "")


def inspect_runs(runs: pd.DataFrame, which: Iterable[int] = (1, 2, 3)) -> Inspection:
    """Look for groups, outliers and slips of units in a table of runs, and try the three approaches on it.

    Parameters
    ----------
    runs : DataFrame
        As :func:`~scaling.runs.load_runs` or :func:`~scaling.runs.check_runs` returns it. Where a ``run`` has several
        rows, groups and outliers are those of its last one. Of a table above 20,000 runs a random part is fitted.
    which : iterable of int
        The approaches to try.

    Returns
    -------
    Inspection
        What was found.

    Raises
    ------
    RunsError
        If the table cannot be used.
    ValueError
        For an approach that is none of the three.
    """
    which = known_approaches(which)
    table = check_runs(runs)
    ends = last_points(table)
    part = table if len(ends) <= MOST_FITTED else ends.sample(MOST_FITTED, random_state=0).sort_index()
    parametric = fit_parametric(part, weights=row_weights(part))
    law = parametric if parametric.status != "not_identified" else None
    pooled = find_pooling(parametric, part)
    copies = repeated_rows(table, ["params", "tokens", "loss"], every=True)
    told = not copies.any() or any(each.kind == "copies" for each in pooled)
    words = [] if told else [f"{name_rows(table.index, copies)}: copies of each other (params, tokens and loss)"]
    diverged, low = _diverged(ends, law)
    below = [f"{name_rows(ends.index, low)}: {_BELOW}{_by_hand(law, ends, low)}"] if low.any() else []
    far = np.zeros(len(ends), dtype=bool) if law is None else far_from_law(law, ends)
    far &= ~low & ~ends.index.isin(diverged.index)
    if unit := in_thousands(ends, law) if len(ends) <= MOST_PAIRED else "":
        diverged, below, far = diverged[:0], [], far & False  # which the unit explains
        pooled = [Pooling("units", (), unit)]
    untold = say_untold(law) if law is not None and not pooled else ""
    return Inspection(
        groups=_groups(ends),
        diverged=diverged,
        copies=words,
        slips=[*_slips(table), *below],
        approaches=fit_approaches(part, which, parametric=parametric),
        one_sided=residual_skewness(law).words if law is not None and not unit and len(law.runs) >= LEAST else "",
        pooled=pooled,
        spikes=find_spikes(table),
        cooldowns=several_cooldowns(table),
        rising=_rising(ends) if law is None else "",
        noise=say_noise(ends) if law is None and len(ends) <= MOST_PAIRED else "",
        astray=say_astray(law, ends, far) if law is not None else "",
        alone=_alone(table, parametric),
        untold=untold,
        luck=say_shared_luck(law, table) if law is not None and not (pooled or untold) else "",
    )


def _rising(ends: pd.DataFrame) -> str:
    """A question where the losses rise with compute."""
    order = ends["flops"].rank().corr(ends["loss"].rank())
    if len(ends) < LEAST_RISING or not order > RISES:
        return ""
    words = f"the losses rise with compute (rank correlation {order:.2f}): are they an accuracy or a reward?"
    return f"{words} --higher-is-better --ceiling LIMIT fits what is missing of it to the limit"


def _alone(table: pd.DataFrame, fit: Fit) -> str:
    """That the rows of a run may be runs of their own, where the ends of curves have no law and all rows have."""
    if fit.status != "not_identified" or runs_of(table) is None or len(table) > MOST_PAIRED:
        return ""
    if fit_parametric(table, rows="all").status not in ("identified", "weak"):
        return ""
    read_from = {each["name"]: each["column"] for each in table.attrs.get("reading", {}).get("mapping", [])}
    run, tokens = (read_from.get(name, name) for name in ("run", "tokens"))
    words = f"rows of one {run!r} were taken for points of its curve, of which only the last has what a run reaches"
    return f"{words}; if each row is the end of a run of its own, --run {shlex.quote(f'{run},{tokens}')} says so"


_BELOW = "loss far below what the other runs suggest: is it, or params or tokens, in another unit?"


def _by_hand(fit: Fit | None, table: pd.DataFrame, rows: np.ndarray) -> str:
    """The slips that would explain rows, in brackets behind what is said of them."""
    found = {} if fit is None or rows.sum() > MOST_SAID else slips_of_hand(fit, table, rows)
    said = [f"{label}: {words}" for label, words in found.items() if words]
    return f" ({'; '.join(said)})" if said else ""


def without_copies(runs: pd.DataFrame) -> np.ndarray:
    """Which rows (n,) belong to no run that ends with the params, tokens and loss of an earlier one."""
    ends = last_points(runs)
    return _without(runs, ends.index[repeated_rows(ends, ["params", "tokens", "loss"])])


def without_diverged(runs: pd.DataFrame) -> np.ndarray:
    """Which rows (n,) belong to no run that ends above the pattern of the others, as :func:`inspect_runs` has it.

    ``FitError`` where so many lie above it that they are noise.
    """
    ends = last_points(runs)
    part = ends if len(ends) <= MOST_FITTED else ends.sample(MOST_FITTED, random_state=0).sort_index()
    fit = fit_parametric(part, weights=row_weights(part))
    law = fit if fit.status != "not_identified" else None
    if law is None and len(ends) <= MOST_PAIRED and (words := say_noise(ends)):
        raise FitError(f"no runs stand out that diverged: {words}")
    above = _diverged(ends, law)[0]
    return _without(runs, above.index)


def _without(runs: pd.DataFrame, labels: pd.Index) -> np.ndarray:
    """Which rows (n,) belong to no run of which one of these rows is part."""
    rows = runs.index.isin(labels)
    codes = runs_of(runs)
    return ~rows if codes is None else ~np.isin(codes, codes[rows])


def _groups(table: pd.DataFrame) -> pd.DataFrame:
    """IsoFLOP groups with enough sizes for a parabola."""
    grouped = table.groupby(find_budgets(table).to_numpy(), sort=True)["params"]
    groups = grouped.agg(runs="size", sizes="nunique", smallest="min", largest="max")
    return groups[groups["sizes"] >= LEAST_SIZES].rename_axis("budget").reset_index()


def _diverged(table: pd.DataFrame, fit: Fit | None) -> tuple[pd.DataFrame, np.ndarray]:
    """Runs above the pattern, and which rows (n,) lie below it.

    The pattern is the parametric law where the table has one, else that no run does worse than one that had less; then
    a run is also far above the smooth trend of the others.
    """
    loss, below = table["loss"].to_numpy(), np.zeros(len(table), dtype=bool)
    if fit is not None:
        error = misses(fit, table)
        expected = loss / np.exp(error)
        edge = max(np.log1p(ABOVE), SIGMAS * float(robust_deviation(error - np.median(error))))
        out, below = error > edge, error < -edge
    elif len(table) <= MOST_PAIRED:
        expected, above = above_pattern(table)
        out = far_above(table, above)
    else:
        out, expected = below, loss
    found = pd.DataFrame({"loss": loss, "expected": expected}, index=table.index)
    bits = np.abs(found["loss"] / found["expected"] * np.log(2) - 1) < 0.03
    found = found.assign(maybe=np.where(bits, "in bits per token?", "diverged, cut short, or in another unit?"))
    if fit is not None and 0 < out.sum() <= MOST_SAID:
        for label, words in slips_of_hand(fit, table, out).items():
            found.loc[label, "maybe"] += f" {words}" if words else ""
    return found[out], below


def _slips(table: pd.DataFrame) -> list[str]:
    """Probable slips of a unit, in words."""
    N, D, C = (table[name].to_numpy() for name in ("params", "tokens", "flops"))
    ratio, words = C / (6 * N * D), []
    for factor, name in _SLIPS.items():
        hit = np.abs(np.log(ratio / factor)) < np.log(1.5)
        if hit.any():
            text = f"{name_rows(table.index, hit)}: flops is 6·params·tokens times {name}"
            hint = "--unit flops=PF-days" if "PF-day" in name else "params, tokens or flops is in another unit there"
            words.append(f"{text}: {hint}")
    for name in ("params", "tokens"):
        log = np.log10(table[name].to_numpy())
        order = np.sort(log)
        for edge in np.flatnonzero(np.diff(order) > GAP):
            low = log <= order[edge]
            few = low if low.mean() <= 0.5 else ~low
            if few.mean() <= FEW or few.sum() == 1:
                gap = 10 ** (order[edge + 1] - order[edge])
                text = f"{name_rows(table.index, few)}: {name} is a factor {gap:.3g} away from all other runs"
                words.append(f"{text}: in another unit?")
    return words
