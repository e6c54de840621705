"""Which law foresees the expensive runs of one table best, and do these runs tell?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._checks import generator, whole_number
from .._words import listed
from ..errors import FitError, FitErrorKind
from ..fit.common import chosen_rows
from .contenders import ADDITIVE, QUICK, Contender
from .splits import HOLDOUTS, named
from .trials import Trial, try_laws

__all__ = ["BestLaw", "best_law"]

#: share of the draws in which a law has to come first to be told from the others
TOLD = 0.95
#: interval of the ratios
LEVEL = 0.95
#: said of a law that is told: of tables of the additive law one in nine tells another, since the fits are not drawn
AS_FITTED = "the fits left as they are: other runs to fit might put another law first"
#: runs held out of which each draw is made one by one; the mean of more is as good as normal
MOST_DRAWN = 2000


@dataclass(frozen=True, repr=False)
class BestLaw:
    """The laws of a table, ranked by what they foresee.

    Attributes
    ----------
    ranking : DataFrame
        One row a law, the best first: ``law``, ``constants``, ``rms`` (geometric mean over the hold-outs of the root
        mean square of ln predicted − ln observed), ``ratio`` (the same over that of the Chinchilla law), ``low``,
        ``high`` (95 %), ``first`` (share of the draws of held-out runs in which it is the best).
    trials : dict
        Hold-out → what was fitted, held out and predicted.
    refused : dict
        Hold-out → why the table does not allow it.
    n_draws : int
        Draws of the held-out runs.
    """

    ranking: pd.DataFrame
    trials: dict[str, Trial]
    refused: dict[str, str]
    n_draws: int

    @property
    def law(self) -> str:
        """Name of the law with the least error."""
        return str(self.ranking["law"].iloc[0])

    @property
    def told(self) -> bool:
        """Whether the held-out runs tell it from the others: it is first in 95 % of the draws."""
        return bool(self.ranking["first"].iloc[0] >= TOLD)

    @property
    def words(self) -> str:
        """The best law and how sure that is, in a sentence."""
        first = self.ranking.iloc[0]
        kinds = ", ".join(f"{len(trial.split.held)} {named(kind)}" for kind, trial in self.trials.items())
        error = f"misses the runs held out ({kinds}) by {first['rms']:.2g}"
        share = f"first in {first['first']:.0%} of {self.n_draws:,} draws of them"
        if first["law"] != ADDITIVE.name:
            ratio = f"{first['ratio']:.2f} [{first['low']:.2f}, {first['high']:.2f}] times the error of {ADDITIVE.name}"
            error += f", {ratio}"
        if self.told:
            return f"{first['law']} foresees best: it {error}; {share}, {AS_FITTED}"
        rivals = self.ranking.sort_values("first", ascending=False, kind="stable")
        needed = int((rivals["first"].cumsum() < TOLD).sum()) + 1
        names = listed(list(rivals["law"].iloc[:needed]))
        return f"the held-out runs do not tell {names} apart; {first['law']} {error}, and is {share}"

    def __repr__(self) -> str:
        lines = [self.words, self.ranking.to_string(index=False, float_format="{:.3g}".format)]
        return "\n".join(lines + [f"no hold-out by {kind}: {why}" for kind, why in self.refused.items()])

    def _repr_html_(self) -> str:
        return f"<p>{self.words}</p>" + self.ranking.to_html(index=False, float_format="{:.3g}".format)


def best_law(
    runs: pd.DataFrame,
    laws: Sequence[Contender] = QUICK,
    holdout: str | Sequence[str] = tuple(HOLDOUTS),
    n_draws: int = 2000,
    seed: int = 0,
) -> BestLaw:
    r"""Choose the law of a table that foresees its most expensive, largest and longest runs best, from the others.

    Hold-outs, fits and scores are those of :func:`~scaling.diagnostics.league`. The uncertainty is that of the runs
    held out: they are drawn with replacement, all laws on the same draws (of more than 2,000 runs the means of squares
    are drawn from the normal law that they then have). The fits are not drawn: of simulated tables of the additive law
    (45 runs in groups, 60 ragged ones) about one in nine told the coupled law. It says nothing of how the laws do
    further out, and a choice among laws is one more thing that these runs are used for.

    Parameters
    ----------
    runs : DataFrame
        As for :func:`~scaling.fit.fit_parametric`; where a ``run`` has several rows its last one counts.
    laws : sequence of Contender
        By default three that take few milliseconds; :data:`~scaling.diagnostics.CONTENDERS` are all. The Chinchilla
        law, by which the others are measured, takes part in any case.
    holdout : str or sequence of str
        Of ``"compute"``, ``"size"``, ``"length"``, which is tokens per parameter, and ``"tokens"``.
    n_draws, seed : int
        Draws of the held-out runs.

    Returns
    -------
    BestLaw
        The laws, ranked.

    Raises
    ------
    FitError
        If the table cannot be used, or allows no hold-out.
    ValueError
        For an unknown hold-out or a number of draws below 100.
    """
    whole_number("n_draws", n_draws, 100)
    table = chosen_rows(runs).table
    contenders = tuple(laws) if ADDITIVE in laws else (ADDITIVE, *laws)
    trials, refused = {}, {}
    for kind in [holdout] if isinstance(holdout, str) else holdout:
        try:
            trials[kind] = try_laws(table, kind, contenders, inner=False)
        except FitError as error:
            refused[kind] = str(error)
    if not trials:
        reasons = "; ".join(f"{kind}: {why}" for kind, why in refused.items())
        raise FitError(f"the table allows no hold-out: {reasons}", FitErrorKind.FEW)
    return BestLaw(_ranking(trials, contenders, n_draws, seed), trials, refused, n_draws)


def _ranking(trials: dict[str, Trial], contenders: Sequence[Contender], n_draws: int, seed: int) -> pd.DataFrame:
    names, rng = [each.name for each in contenders], generator(seed)
    found = np.mean([[np.log(trial.rms(law)) for law in names] for trial in trials.values()], axis=0)
    drawn = np.mean([_drawn(trial, names, n_draws, rng) for trial in trials.values()], axis=0)
    base = names.index(ADDITIVE.name)
    low, high = np.quantile(drawn - drawn[:, [base]], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    table = pd.DataFrame(
        {
            "law": names,
            "constants": [each.constants for each in contenders],
            "rms": np.exp(found),
            "ratio": np.exp(found - found[base]),
            "low": np.exp(low),
            "high": np.exp(high),
            "first": np.bincount(drawn.argmin(1), minlength=len(names)) / n_draws,
        }
    )
    return table.sort_values("rms", kind="stable").reset_index(drop=True)


def _drawn(trial: Trial, names: list[str], n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """ln error of each law on runs drawn from those held out, (draws, laws)."""
    squares = np.column_stack([trial.errors[law] ** 2 for law in names])
    n = len(squares)
    if n > MOST_DRAWN:
        spread = np.atleast_2d(np.cov(squares, rowvar=False)) / n
        mean = np.maximum(rng.multivariate_normal(squares.mean(0), spread, n_draws), 0.0)
    else:
        mean = rng.multinomial(n, np.full(n, 1 / n), n_draws) @ squares / n
    floor = trial.noise**2 if np.isfinite(trial.noise) else 0.0
    return 0.5 * np.log(np.maximum(mean, max(floor, 1e-300)))
