"""Which law predicts expensive runs from cheaper ones? Several laws, one split, held-out errors side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._checks import proper_share
from .._words import format_count
from ..errors import FitError, FitErrorKind
from ..fit.common import EARLIER, chosen_rows
from ..fit.isoflop import LEAST_SIZES
from ..fit.kaplan import fit_kaplan_steps
from ..fit.power_law import fit_power_law
from ..fit.result import Fit
from ..runs.budgets import find_budgets
from ..runs.curves import seed_noise
from .contenders import ADDITIVE, KAPLAN, OF_COMPUTE, OFFSET, Contender
from .splits import HELD_BY, levels_of

__all__ = ["LawComparison", "compare_laws"]


#: most rows that are fitted, and most that are predicted
FITTED, TESTED = 20_000, 100_000
#: fewest runs on either side of the split
LEAST_FITTED, LEAST_TESTED = 6, 2


@dataclass(frozen=True, repr=False)
class LawComparison:
    """Laws fitted to the cheaper runs, and how well each predicts the more expensive ones.

    Attributes
    ----------
    table : DataFrame
        One row a law, the best held-out error first: ``law``, ``equation``, ``constants`` (their number), ``status``,
        ``fitted`` and ``held_out`` (root mean square of ln predicted − ln observed), ``bias`` (their mean on the
        held-out runs), ``largest`` (the largest in size there).
    split : str
        How the runs were divided, in words.
    fits : dict
        Law to :class:`~scaling.fit.Fit`.
    n_fitted, n_tested : int
        Runs on either side.
    noise : float
        Standard deviation of ln loss among runs that share params and tokens, which no law can predict; NaN where
        none do.
    """

    table: pd.DataFrame
    split: str
    fits: dict[str, Fit]
    n_fitted: int
    n_tested: int
    noise: float

    def __repr__(self) -> str:
        return f"{self.split}\n" + self.table.to_string(index=False, float_format="{:.3g}".format)

    def _repr_html_(self) -> str:
        return f"<p>{self.split}</p>" + self.table.to_html(index=False, float_format="{:.3g}".format)


_CANDIDATES = (
    ADDITIVE,
    Contender("without E", "A/N^alpha + B/D^beta", 4, fit_kaplan_steps),
    KAPLAN,
    OF_COMPUTE,
    Contender("size alone", "E + A/N^alpha", 3, fit_power_law, "params", OFFSET),
    Contender("tokens alone", "E + B/D^beta", 3, fit_power_law, "tokens", OFFSET),
)


def compare_laws(
    runs: pd.DataFrame,
    fraction: float = 0.3,
    above: float | None = None,
    seed: int = 0,
    by: str = "flops",
    also: Sequence[Contender] = (),
) -> LawComparison:
    r"""Fit several laws to the cheaper runs and compare their errors on the more expensive ones.

    All are fitted with the same objective, the Huber loss (:math:`\delta = 10^{-3}`) of log-residuals, but for those of
    ``also`` with options of their own. A held-out error
    says how a law extrapolates from these runs to those, and nothing of how it does further out.

    Parameters
    ----------
    runs : DataFrame
        As :func:`~scaling.runs.load_runs` returns; where a ``run`` has several rows, its last one counts. Of a large
        table at most 20,000 runs are fitted and 100,000 predicted, drawn at random from either side.
    fraction : float
        Share of the runs, the largest by ``flops``, to hold out. Where the runs form at least three IsoFLOP groups
        (:func:`~scaling.runs.find_budgets`, four sizes each) that hold nine tenths of them, whole groups are held out:
        the most expensive third or so, at least one.
    above : float, optional
        Hold out every run with more ``flops`` (or ``by``) than this instead.
    seed : int
        Of the draws from a large table.
    by : {"flops", "params", "tokens"}
        What orders the runs: with ``"params"`` the laws predict larger models, with ``"tokens"`` longer training. No
        size, or number of tokens, is then divided; values within 2 % are one.
    also : sequence of Contender, optional
        Laws that take part beside these.

    Returns
    -------
    LawComparison
        The laws, with their errors.

    Raises
    ------
    FitError
        If fewer than six runs are left to fit or two to predict.
    ValueError
        If ``fraction`` does not lie between 0 and 1, or ``by`` is something else.
    """
    proper_share("fraction", fraction)
    if by not in HELD_BY:
        raise ValueError(f"by must be {', '.join(HELD_BY)}, got {by!r}")
    chosen = chosen_rows(runs)
    table = chosen.table
    late, split = _split(table, fraction, above) if by == "flops" else _split_by(table, by, fraction, above)
    if earlier := int((chosen.dropped["reason"] == EARLIER).sum()):
        split += f"; of each run its last row, {earlier:,} earlier ones left out"
    sides = [_part(table[side], most, seed) for side, most in ((~late, FITTED), (late, TESTED))]
    few, held = (side.assign(steps=side["tokens"]).reset_index(drop=True) for side in sides)
    if len(few) < LEAST_FITTED or len(held) < LEAST_TESTED:
        words = f"{split}: {len(few)} runs to fit and {len(held)} to predict"
        raise FitError(f"{words}; at least {LEAST_FITTED} and {LEAST_TESTED} are needed", FitErrorKind.FEW)
    if len(few) + len(held) < len(table):
        split += f"; of these, {len(few):,} and {len(held):,} drawn at random"
    rows, fits = [], {}
    for each in (*_CANDIDATES, *also):
        fit = fits[each.name] = each.fit(few)
        fitted, unseen = (each.errors(fit, side) for side in (few, held))
        rms = [float(np.sqrt(np.mean(e**2))) for e in (fitted, unseen)]
        rows.append((each.name, each.equation, each.constants, fit.status, *rms, unseen.mean(), np.abs(unseen).max()))
    columns = ["law", "equation", "constants", "status", "fitted", "held_out", "bias", "largest"]
    ranked = pd.DataFrame(rows, columns=columns).sort_values("held_out", kind="stable").reset_index(drop=True)
    return LawComparison(ranked, split, fits, int((~late).sum()), int(late.sum()), seed_noise(table))


def _split(table: pd.DataFrame, fraction: float, above: float | None) -> tuple[np.ndarray, str]:
    """Which runs are held out, and how in words."""
    flops = table["flops"].to_numpy()
    if above is not None:
        late = flops > above
        return late, f"fitted: {(~late).sum():,} runs up to {above:.3g} FLOP; predicted: the {late.sum():,} above"
    group = find_budgets(table)
    sizes = table["params"].groupby(group).nunique()
    budgets = np.sort(sizes.index[sizes >= LEAST_SIZES].to_numpy(dtype=float))
    if len(budgets) >= 3 and group.isin(budgets).mean() >= 0.9:
        held = max(1, round(fraction * len(budgets)))
        edge = budgets[-held]
        late = np.where(group.notna(), group >= edge * (1 - 1e-9), flops >= edge)
        words = f"fitted: the {len(budgets) - held} cheapest of {len(budgets)} budgets, {(~late).sum():,} runs"
        return late, f"{words}; predicted: the {late.sum():,} runs from {edge:.3g} FLOP on"
    late = flops > np.quantile(flops, 1 - fraction)
    words = f"fitted: the cheaper {(~late).sum():,} runs (up to {flops[~late].max():.3g} FLOP)"
    return late, f"{words}; predicted: the more expensive {late.sum():,}"


def _split_by(table: pd.DataFrame, by: str, fraction: float, above: float | None) -> tuple[np.ndarray, str]:
    """The same by size or tokens: the highest levels, as many as hold most nearly this share of the runs."""
    values = table[by].to_numpy(float)
    if above is None:
        levels = levels_of(values)
        distinct, counts = np.unique(levels, return_counts=True)
        held = np.cumsum(counts[::-1])[:-1]
        if not len(held):
            raise FitError(f"all runs are of one number of {by}: nothing to hold out by it", FitErrorKind.FEW)
        late = levels >= distinct[::-1][int(np.abs(held - fraction * len(table)).argmin())]
    else:
        late = values > above
    most = format_count(float(values[~late].max())) if not late.all() else "0"
    return late, f"fitted: {(~late).sum():,} runs up to {most} {by}; predicted: the {late.sum():,} with more"


def _part(side: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    return side if len(side) <= most else side.sample(most, random_state=seed)
