"""Do two approaches differ? The difference of their exponents when both see the same runs drawn."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

from .._checks import proper_share
from .._words import percent
from ..fit.engine.resamples import draw_counts
from ..fit.frontier import FrontierFit
from ..fit.isoflop import ParabolaDraws
from ..fit.result import Fit
from ..laws.chinchilla import ChinchillaLaw
from ..optimum.allocation import compute_optimal, exponents
from ..runs.meter import Meter, find_meter
from ..uncertainty.intervals import percentiles
from ..uncertainty.resampling import Bootstrap

__all__ = ["Paired", "pair"]


#: runs beyond which the approaches are not drawn together, which would take minutes
MOST_RUNS = 4_000
SAME, OWN = "the same runs", "each its own"


@dataclass(frozen=True)
class Paired:
    """Exponents of the optimal size by several approaches, resample by resample.

    Attributes
    ----------
    estimates : dict
        Approach → a.
    samples : DataFrame
        One row a resample, a column an approach.
    together : tuple of int
        The approaches that saw the same runs drawn. The others have draws of their own, so that a difference
        with one of them has an interval wider than need be.
    """

    estimates: dict[int, float]
    samples: pd.DataFrame
    together: tuple[int, ...]
    _laws: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)

    def gaps(self, first: int, second: int, of: Mapping[int, Callable[[Any], Any]]) -> np.ndarray | None:
        """Compute what one quantity of the laws of two approaches differs by, resample by resample.

        Parameters
        ----------
        first, second : int
            The approaches.
        of : dict
            Approach to a function of its law.

        Returns
        -------
        array or None
            First less second; None without draws.

        Raises
        ------
        KeyError
            If ``of`` lacks one of them.
        """
        if not {first, second} <= set(self._laws):
            return None
        one, other = (np.asarray(of[number](self._laws[number])) for number in (first, second))
        return one - other if one.shape == other.shape else None

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """List the differences of a for all pairs.

        Parameters
        ----------
        level : float
            Of the intervals, between 0 and 1.

        Returns
        -------
        DataFrame
            A row a pair: ``approaches``, ``difference`` of a (first less second), ``low``, ``high``, ``drawn``.

        Raises
        ------
        ValueError
            If ``level`` does not lie between 0 and 1.
        """
        proper_share("level", level)
        rows = []
        for first, second in itertools.combinations(self.estimates, 2):
            gap = self.estimates[first] - self.estimates[second]
            found = percentiles(self.samples[first] - self.samples[second], level, gap)
            drawn = SAME if {first, second} <= set(self.together) else OWN
            rows.append((f"{first} less {second}", gap, float(found.low), float(found.high), drawn))
        return pd.DataFrame(rows, columns=["approaches", "difference", "low", "high", "drawn"])

    def disagree(self, level: float = 0.95) -> bool:
        """Tell whether some difference is not zero.

        Parameters
        ----------
        level : float
            Of all pairs together (each at a stricter one), between 0 and 1.

        Returns
        -------
        bool
            Whether one is.

        Raises
        ------
        ValueError
            If ``level`` does not lie between 0 and 1.
        """
        table = self.table(self._each(level))
        return bool(((table["low"] > 0) | (table["high"] < 0)).any())

    def words(self, level: float = 0.95) -> str:
        """Say whether some difference is told from zero, and of which pairs it is not known and why.

        Parameters
        ----------
        level : float
            Of all pairs together, between 0 and 1.

        Returns
        -------
        str
            A sentence; empty for no pair.

        Raises
        ------
        ValueError
            If ``level`` does not lie between 0 and 1.
        """
        each = self._each(level)
        known, unknown = 0, defaultdict(list)
        for first, second in itertools.combinations(self.estimates, 2):
            gap = self.estimates[first] - self.estimates[second]
            found = percentiles(self.samples[first] - self.samples[second], each, gap)
            if np.isnan([found.low, found.high]).any():
                unknown["; ".join(found.remarks(each))].append(f"{first} and {second}")
            else:
                known += 1
        together = f"at {percent(level)} % for all pairs together"
        if self.disagree(level):
            said = [f"some difference is not zero, {together}"]
        else:
            said = [f"no {'other ' if unknown else ''}difference is told from zero, {together}"] if known else []
        said += [f"not known for approaches {', '.join(pairs)}: {why}" for why, pairs in unknown.items()]
        return "; ".join(said)

    def _each(self, level: float) -> float:
        """The level of each pair with which all together have ``level``."""
        proper_share("level", level)
        pairs = max(len(self.estimates) * (len(self.estimates) - 1) // 2, 1)
        return 1 - (1 - level) / pairs


def pair(fits: Mapping[int, Fit | FrontierFit], boots: Mapping[int, Bootstrap], n_resamples: int, seed: int) -> Paired:
    """Draw the runs once for all approaches that have resamples, and fit each to what was drawn.

    The runs are those of approach 3, drawn within the budgets of approach 2, so that each keeps enough sizes.
    Approach 1 joins where its curves are of these runs (by the column ``run``), and then sees the curves of the runs
    drawn. An approach that cannot join keeps its own draws: approach 1 with other curves, approach 2 where a budget
    has too few sizes to draw runs, and all of them above 4,000 runs.

    Parameters
    ----------
    fits : dict
        Approach (1, 2 or 3) to its fit.
    boots : dict
        Approach to its resamples.
    n_resamples : int
        How often the runs are drawn, at most.
    seed : int
        Of the draws.

    Returns
    -------
    Paired
        The exponents, resample by resample.

    Raises
    ------
    KeyError
        If ``fits`` lacks an approach of ``boots``.
    ValueError
        If ``n_resamples`` or ``seed`` is negative.
    """
    exponent = {number: exponent_of(fits[number], "a") for number in sorted(boots)}
    estimates = {number: float(of(fits[number].law)) for number, of in exponent.items()}
    size = min([n_resamples, *(len(boot.samples) for boot in boots.values())])
    samples = {number: np.asarray(of(boots[number].law))[:size] for number, of in exponent.items()}
    laws = {number: boots[number].law for number in exponent}
    rows = _rows(fits, boots)
    if len(rows) < 2:
        return Paired(estimates, pd.DataFrame(samples), (), laws)
    counts = _counts(fits, rows, size, np.random.default_rng([seed, size]))
    for number, places in rows.items():
        fit, weights = fits[number], counts[:, places]
        if isinstance(fit, Fit):
            weights = weights * fit.weights
            weights[:, list(boots[number].set_aside)] = 0.0
        laws[number] = fit.resampled(weights).law
        samples[number] = np.asarray(exponent[number](laws[number]))
    return Paired(estimates, pd.DataFrame(samples), tuple(rows), laws)


def exponent_of(fit: Fit | FrontierFit, name: str) -> Callable[[Any], Any]:
    """The exponent a or b of a law, in the count of compute of the fitted runs, at the most expensive of them."""
    if isinstance(fit, Fit):
        meter = find_meter(fit.runs)
        if meter.kind in ("power", "sizes"):
            return partial(_own_exponent, meter=meter, flops=float(fit.runs["flops"].max()), which="ab".index(name))
    return attrgetter(name)


def _own_exponent(law: ChinchillaLaw, meter: Meter, flops: float, which: int) -> Any:
    """NaN where the law has no optimum."""
    try:
        best = compute_optimal(law, flops, meter=meter)
    except ValueError:
        return np.nan * np.asarray(law.a)
    return exponents(law, meter, best.params)[which]


def _rows(fits: Mapping[int, Fit | FrontierFit], boots: Mapping[int, Bootstrap]) -> dict[int, np.ndarray]:
    """For each approach that can join: which run of approach 3 each of its rows belongs to."""
    if 3 not in boots or len(fits[3].runs) > MOST_RUNS:
        return {}
    runs = fits[3].runs
    rows = {}
    if 1 in boots and "run" in runs and "run" in fits[1].runs and runs["run"].is_unique:
        places = pd.Index(runs["run"]).get_indexer(fits[1].runs["run"])
        if (places >= 0).all():
            rows[1] = places
    if 2 in boots and _parabolas(fits[2]).draws_runs:
        rows[2] = pd.MultiIndex.from_frame(_named(runs)).get_indexer(pd.MultiIndex.from_frame(_named(fits[2].runs)))
        if (rows[2] < 0).any():
            del rows[2]
    return rows | {3: np.arange(len(runs))}


def _named(runs: pd.DataFrame) -> pd.DataFrame:
    """What tells runs apart: size, tokens, loss, and a count among equals."""
    named = runs[["params", "tokens", "loss"]]
    return named.assign(again=named.groupby(["params", "tokens", "loss"]).cumcount())


def _parabolas(fit: Any) -> ParabolaDraws:
    assert isinstance(fit._sampler, ParabolaDraws)  # approach 2 has no other
    return fit._sampler


def _counts(
    fits: Mapping[int, Fit | FrontierFit], rows: Mapping[int, np.ndarray], size: int, rng: np.random.Generator
) -> np.ndarray:
    """How often each run of approach 3 is drawn, (size, n): within budgets, and the others among themselves."""
    n = len(rows[3])
    counts, alone = np.zeros((size, n)), np.ones(n, bool)
    if 2 in rows:
        for places, drawn in _parabolas(fits[2]).draw(rng, size):
            counts[:, rows[2][places]] = drawn
            alone[rows[2][places]] = False
    rest = np.flatnonzero(alone)
    if len(rest):
        counts[:, rest] = draw_counts(rng, len(rest), size)
    return counts
