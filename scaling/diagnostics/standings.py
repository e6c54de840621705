r"""Which law foresees the expensive runs? A league of laws over many tables, by a protocol fixed beforehand.

The protocol, written down when the code had been tried on three tables (`small_sweep`, `besiroglu2024`,
`sardana2024`) and before it saw any other; it has not been tuned since. Known then was a rough first look at two of the
laws, the Chinchilla and the coupled one, on most of the public tables.

1. **Tables.** One row a run, the last of each; a table that pools settings of what is tuned has the best run of each
   size and number of tokens. The same runs count once, however often they were published. Which public tables take
   part, and why others do not, stands in :data:`~scaling.diagnostics.PUBLIC` and :data:`~scaling.diagnostics.LEFT_OUT`.
2. **Hold-outs.** Three of each table: the runs of the largest budgets, of the largest sizes, and those trained longest
   (tokens a parameter); each the highest levels that hold nearest to a fifth of the runs, no level divided
   (:func:`~scaling.diagnostics.hold_out`). Twelve runs with three sizes and three token counts have to be left.
3. **Fits.** Each law to the runs that are left, by the objective that :func:`~scaling.fit.fit_parametric` has by
   default (the broken power law by least squares), with its default search. The law at the minimum counts, whatever its
   status.
4. **Score.** The root mean square of ln predicted - ln observed over the runs held out, in units of the noise among
   repeated runs where a table has them, and never below it. A law that cannot be fitted, or that does worse than
   the forecast of no change (the mean ln loss of the fitted), counts with this forecast, and is named.
5. **Ranking.** For each law the mean over tables of the mean over hold-outs of
   :math:`\ln(\mathrm{rms}/\mathrm{rms}_\mathrm{Chinchilla})`; every table weighs one.
6. **Uncertainty.** Tables are drawn with replacement, those of one source together, all laws on the same draws. A law
   has won if it comes first in 95 % of the draws, of six sources or more.
7. **Choosing.** Whoever has one table has to choose before seeing the expensive runs: by the fit in sample, by an inner
   hold-out of the same kind, or once for all. What each loses is told against the best law in hindsight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._checks import by_name, generator, whole_number
from .._parallel import spread
from .._words import listed
from ..errors import FitError, FitErrorKind
from ..fit.common import chosen_rows
from ..sources.labels import label_of
from .contenders import ADDITIVE, CONTENDERS, Contender
from .splits import HOLDOUTS
from .trials import STACKING, Trial, try_laws

__all__ = ["League", "league"]

#: share of the draws in which a law has to come first to have won
WON = 0.95
#: fewest sources that can tell: of six, one of two equal laws is ahead on all in 3 % of cases
LEAST_SOURCES = 6
#: interval of the ratios
LEVEL = 0.95
#: ways to choose a law for a table, in the order of the table
IN_SAMPLE, INNER_CHOICE, ELSEWHERE = "best fit in sample", "best on an inner hold-out", "best on the other tables"

#: what the words of the tables mean, for those who see nothing else
RANKING_READ = (
    "How to read it. Each law was fitted to a part of every table of runs and asked for the losses of the runs held "
    f"out: the most expensive, the largest, the longest trained. Its error over that of {ADDITIVE.name} is the mean "
    "over the tables: below 1 it foresees better. A draw takes as many tables again, some twice and some not at all; "
    "*first in draws* is the share of draws in which the law has the least error, *best on tables* on how many "
    "tables it has. *Stacking* is not one more law but a weighted mixture of all. *No forecast* counts the hold-outs "
    'in which a law could not be fitted, or did worse than "the loss stays as it is", and got that forecast instead.'
)
CHOOSING_READ = (
    "*Right* is the share of hold-outs in which this way picked the law that then had the least error; a mixture picks "
    "none. *Hindsight* means that the losses of the runs held out are known, as they are not when one has to choose."
)

SPLIT_COLUMNS = ("table", "holdout", "n_fitted", "n_held", "reach", "noise", "refused")
SCORE_COLUMNS = ("law", "constants", "status", "rms", "noise_units", "fitted", "inner", "bias")


@dataclass(frozen=True, repr=False)
class League:
    """What :func:`league` finds.

    Attributes
    ----------
    scores : DataFrame
        One row a table, hold-out and law: ``table``, ``holdout``, ``law``, ``constants`` (their number), ``status``,
        ``rms`` (of ln loss on the runs held out, as it counts), ``noise_units`` (the same over the noise, NaN where
        unknown), ``fitted`` and ``inner`` (on the fitted runs and the inner hold-outs), ``bias`` (mean error held out).
    splits : DataFrame
        One row a table and hold-out: ``table``, ``holdout``, ``n_fitted``, ``n_held``, ``reach``, ``noise``,
        ``refused`` (why the table does not allow it, or nothing).
    ranking : DataFrame
        One row a law, the best first: ``law``, ``constants``, ``ratio`` (geometric mean over tables of its error over
        Chinchilla's), ``low``, ``high`` (95 %), ``first`` (share of the draws of tables in which it is the best),
        ``best_of`` (tables on which it is), ``no_forecast`` (hold-outs in which it counts with the naive forecast).
    choosing : DataFrame
        One row a way to choose: ``way``, ``times_best`` (geometric mean of the error over that of the best law in
        hindsight), ``low``, ``high``, ``right`` (share of the hold-outs in which the best law was chosen).
    n_draws : int
        Draws of tables.
    sources : int
        Sources that are drawn.
    """

    scores: pd.DataFrame
    splits: pd.DataFrame
    ranking: pd.DataFrame
    choosing: pd.DataFrame
    n_draws: int
    sources: int

    @classmethod
    def of(
        cls,
        scores: pd.DataFrame,
        splits: pd.DataFrame,
        sources: Mapping[str, str] | None = None,
        n_draws: int = 4000,
        seed: int = 0,
    ) -> League:
        """Rank the laws of scores and splits as they stand in another league.

        Parameters
        ----------
        scores, splits : DataFrame
            As ``scores`` and ``splits``.
        sources : mapping, optional
            Name of a table to that of its source; by default each is its own.
        n_draws, seed : int
            Draws of tables.

        Returns
        -------
        League
            With the ranking made anew.

        Raises
        ------
        KeyError
            If a column is missing.
        ValueError
            If ``n_draws`` is no whole number from 1, or ``seed`` none from 0.
        """
        n_draws = whole_number("n_draws", n_draws)
        draws = _Draws.of(list(dict.fromkeys(scores["table"])), sources or {}, n_draws, seed)
        return cls(scores, splits, _ranking(scores, draws), _choosing(scores, draws), n_draws, draws.size)

    def record(self) -> pd.DataFrame:
        """Join splits and scores into one table, for a file; :meth:`of_record` takes it back.

        Returns
        -------
        DataFrame
            A row a score; of a hold-out that was refused, one without a law.
        """
        return self.splits.merge(self.scores, how="left", on=["table", "holdout"])

    @classmethod
    def of_record(cls, record: pd.DataFrame, sources: Mapping[str, str] | None = None) -> League:
        """Rank the laws of such a table, drawn as by default.

        Parameters
        ----------
        record : DataFrame
            As :meth:`record` returns it.
        sources : mapping, optional
            Name of a table to that of its source.

        Returns
        -------
        League
            With the ranking made anew.

        Raises
        ------
        KeyError
            If a column is missing.
        """
        splits = record[list(SPLIT_COLUMNS)].drop_duplicates().reset_index(drop=True).astype({"refused": object})
        scores = record.loc[record["law"].notna(), ["table", "holdout", *SCORE_COLUMNS]].reset_index(drop=True)
        return cls.of(scores, splits.fillna({"refused": ""}), sources)

    @property
    def verdict(self) -> str:
        """The winner and how sure it is, or that no law wins, in words."""
        first, second = (self.ranking.iloc[k] for k in (0, 1))
        error = _simulation(first["first"], self.n_draws)
        share = f"{first['first']:.0%} (± {error:.1%} by simulation)"
        counts = f"{share} of {self.n_draws:,} draws of the {self.sources} sources"
        told = f"{first['law']} has the least error held out, {_times(first)} that of {ADDITIVE.name}"
        if self.sources < LEAST_SOURCES:
            return f"No law wins: {told}, but {self.sources} sources cannot tell, {LEAST_SOURCES} are needed."
        told = f"{told}, and is first in {counts}"
        if first["first"] >= WON:
            return f"{first['law']} wins: {told}. Next is {second['law']}, {_times(second)}."
        rivals = self.ranking.sort_values("first", ascending=False, kind="stable")
        needed = int((rivals["first"].cumsum() < WON).sum()) + 1
        names = listed(list(rivals["law"].iloc[:needed]))
        return f"No law wins: {told}; the best of {WON:.0%} of the draws is one of {needed}: {names}."

    def table(self, holdout: str | None = None) -> pd.DataFrame:
        """Set the errors of the laws side by side.

        Parameters
        ----------
        holdout : str, optional
            One hold-out; by default all.

        Returns
        -------
        DataFrame
            100 ``rms`` (near per cent): a row a table and hold-out, a column a law.

        Raises
        ------
        ValueError
            If no score is of this hold-out.
        """
        there = list(dict.fromkeys(self.scores["holdout"]))
        if holdout is not None and holdout not in there:
            raise ValueError(f"holdout must be one of those with scores, {', '.join(there)}, got {holdout!r}")
        rows = self.scores if holdout is None else self.scores[self.scores["holdout"] == holdout]
        return (
            rows.assign(percent=100 * rows["rms"])
            .pivot(index=["table", "holdout"], columns="law", values="percent")
            .reindex(columns=list(self.ranking["law"]))
        )

    def to_markdown(self) -> str:
        """Write verdict, ranking, the cost of choosing and what was left out.

        Returns
        -------
        str
            Markdown.
        """
        ranking = self.ranking.assign(
            ratio=[_times(row) for _, row in self.ranking.iterrows()],
            first=[f"{x:.0%}" for x in self.ranking["first"]],
        ).drop(columns=["low", "high"])
        choosing = self.choosing.assign(
            times_best=[f"{r.times_best:.2f} [{r.low:.2f}, {r.high:.2f}]" for r in self.choosing.itertuples()],
            right=[f"{x:.0%}" if np.isfinite(x) else "" for x in self.choosing["right"]],
        ).drop(columns=["low", "high"])
        heads = {
            "ratio": f"error over that of {ADDITIVE.name} (95 %)",
            "first": "first in draws",
            "best_of": "best on tables",
            "no_forecast": "no forecast",
        }
        parts = [self.verdict, _markdown(ranking.rename(columns=heads)), RANKING_READ]
        parts += ["What choosing costs, before the expensive runs are seen:"]
        parts += [
            _markdown(choosing.rename(columns={"times_best": "error over the best in hindsight (95 %)"})),
            CHOOSING_READ,
        ]
        return "\n\n".join([*parts, *self._left_out()]) + "\n"

    def _left_out(self) -> list[str]:
        refused = self.splits[self.splits["refused"] != ""]
        if refused.empty:
            return []
        lines = [f"- {label_of(row.table)}, by {row.holdout}: {row.refused}" for row in refused.itertuples()]
        return ["Not possible:", "\n".join(lines)]

    def __repr__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        shown = self.ranking.to_html(index=False, float_format="{:.3g}".format)
        return f"<p>{self.verdict}</p>{shown}" + self.choosing.to_html(index=False, float_format="{:.3g}".format)


def league(
    sets: Mapping[str, pd.DataFrame],
    laws: Sequence[Contender] = CONTENDERS,
    holdout: str | Iterable[str] = tuple(HOLDOUTS),
    *,
    sources: Mapping[str, str] | None = None,
    n_draws: int = 4000,
    seed: int = 0,
    backend: str | None = None,
    n_jobs: int = -1,
) -> League:
    """Fit every law to the cheaper runs of every table, and rank them by their errors on the runs held out.

    The protocol stands at the top of this module, ``scaling/diagnostics/standings.py``.

    Parameters
    ----------
    sets : mapping of name to DataFrame
        Tables of runs. Where a ``run`` has several rows its last one counts.
    laws : sequence of Contender
        By default :data:`~scaling.diagnostics.CONTENDERS`. The Chinchilla law is what the others are measured by, and
        takes part in any case. A mixture of all, ``stacking``, is added: its weights are those with the least squared
        error on hold-outs of the same kind within the fitted runs.
    holdout : str or several
        ``"compute"``, ``"size"``, ``"length"``; by default all three.
    sources : mapping, optional
        Name of a table to that of its source; tables of one source are drawn together. By default each is its own.
    n_draws, seed : int
        Draws of tables, for the uncertainty of the ranking.
    backend : str, optional
        Over what hold-outs are spread, as for :func:`~scaling.uncertainty.bootstrap`.
    n_jobs : int
        Workers of the backend at a time.

    Returns
    -------
    League
        The ranking, and what it rests on.

    Raises
    ------
    FitError
        If no table allows a hold-out, or one cannot be used at all.
    ValueError
        For an unknown hold-out, two laws of one name, or a number of draws below 100.
    TypeError
        If ``sets`` are no tables by name.
    """
    whole_number("n_draws", n_draws, 100)
    by_name(sets)
    kinds = (holdout,) if isinstance(holdout, str) else tuple(holdout)
    if unknown := [kind for kind in kinds if kind not in HOLDOUTS]:
        raise ValueError(f"no hold-out {unknown[0]!r}; there are {', '.join(HOLDOUTS)}")
    contenders = _with_additive(laws)
    tables = {name: chosen_rows(runs).table for name, runs in sets.items()}
    items = [(tables[name], kind, contenders) for name in tables for kind in kinds]
    tried = dict(zip([(n, k) for n in tables for k in kinds], spread(_tried, items, backend, n_jobs), strict=True))
    trials = {key: found for key, found in tried.items() if isinstance(found, Trial)}
    if not trials:
        reasons = "; ".join(f"{name}, {kind}: {why}" for (name, kind), why in tried.items())
        raise FitError(f"no table allows a hold-out: {reasons or 'there are none'}", FitErrorKind.FEW)
    splits = pd.DataFrame([_split_row(name, kind, found) for (name, kind), found in tried.items()])
    constants = {each.name: each.constants for each in contenders}
    rows = [row for key, trial in trials.items() for row in _score_rows(key, trial, constants)]
    scores = pd.DataFrame(rows).astype({"constants": "Int64"})
    return League.of(scores, splits, sources, n_draws, seed)


def _with_additive(laws: Sequence[Contender]) -> tuple[Contender, ...]:
    names = [each.name for each in laws]
    if len(set(names)) < len(names) or STACKING in names:
        raise ValueError(f"laws need names of their own, and none may be {STACKING!r}: {', '.join(names)}")
    return tuple(laws) if ADDITIVE.name in names else (ADDITIVE, *laws)


def _tried(table: pd.DataFrame, kind: str, contenders: tuple[Contender, ...]) -> Trial | str:
    try:
        return try_laws(table, kind, contenders)
    except FitError as error:
        return str(error)


def _split_row(name: str, kind: str, found: Trial | str) -> dict[str, object]:
    if isinstance(found, str):
        return {"table": name, "holdout": kind, "refused": found}
    split = found.split
    sizes = {"n_fitted": len(split.fitted), "n_held": len(split.held), "reach": split.reach}
    return {"table": name, "holdout": kind, **sizes, "noise": found.noise, "refused": ""}


def _score_rows(key: tuple[str, str], trial: Trial, constants: Mapping[str, int]) -> list[dict[str, object]]:
    return [
        {
            "table": key[0],
            "holdout": key[1],
            "law": law,
            "constants": constants.get(law, pd.NA),
            "status": trial.statuses[law],
            "rms": trial.rms(law),
            "noise_units": trial.rms(law) / trial.noise,
            "fitted": trial.fitted.get(law, np.nan),
            "inner": trial.inner.get(law, np.nan),
            "bias": float(errors.mean()),
        }
        for law, errors in trial.errors.items()
    ]


@dataclass(frozen=True)
class _Draws:
    """Tables drawn with replacement: how often each (draws, tables), those of one source alike."""

    tables: list[str]
    counts: np.ndarray
    size: int

    @classmethod
    def of(cls, tables: list[str], sources: Mapping[str, str], n_draws: int, seed: int) -> _Draws:
        codes = pd.factorize(pd.Series([sources.get(name, name) for name in tables]))[0]
        size = int(codes.max()) + 1
        drawn = generator(seed).multinomial(size, np.full(size, 1 / size), n_draws)
        return cls(tables, drawn[:, codes].astype(float), size)

    def means(self, values: pd.DataFrame | pd.Series) -> np.ndarray:
        """Means over the drawn tables of values (tables, ...), one row a draw."""
        array = values.reindex(self.tables).to_numpy()
        return (self.counts @ array) / self.counts.sum(1).reshape(-1, *[1] * (array.ndim - 1))


def _ranking(scores: pd.DataFrame, draws: _Draws) -> pd.DataFrame:
    """Every law over the Chinchilla law, with its spread over draws of tables."""
    each = _log_errors(scores)
    over = each.sub(each[ADDITIVE.name], axis=0).groupby(level="table").mean()
    drawn = draws.means(over)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    best = over.idxmin(axis=1)
    lost = scores["status"].isin(["refused", "naive"]).groupby(scores["law"]).sum()
    table = pd.DataFrame(
        {
            "law": over.columns,
            "constants": scores.groupby("law")["constants"].first().reindex(over.columns).to_numpy(),
            "ratio": np.exp(over.mean().to_numpy()),
            "low": np.exp(low),
            "high": np.exp(high),
            "first": np.bincount(drawn.argmin(1), minlength=len(over.columns)) / len(drawn),
            "best_of": [int((best == law).sum()) for law in over.columns],
            "no_forecast": [int(lost[law]) for law in over.columns],
        }
    )
    return table.astype({"constants": "Int64"}).sort_values("ratio", kind="stable").reset_index(drop=True)


def _choosing(scores: pd.DataFrame, draws: _Draws) -> pd.DataFrame:
    """What every way to choose loses against the best single law in hindsight."""
    each = _log_errors(scores)
    single = each.drop(columns=STACKING)
    best = single.min(axis=1)
    chosen = {way: _picked(scores, column, single) for way, column in ((IN_SAMPLE, "fitted"), (INNER_CHOICE, "inner"))}
    chosen[ELSEWHERE] = _elsewhere(single, draws)
    chosen[f"always {ADDITIVE.name}"] = pd.Series(ADDITIVE.name, single.index)
    rows = []
    for way, laws in chosen.items():
        errors = pd.Series([single.at[key, law] for key, law in laws.items()], single.index)
        rows.append((way, errors - best, float((errors <= best).mean())))
    rows.append((STACKING, each[STACKING] - best, np.nan))
    out = []
    for way, lost, right in rows:
        mean = lost.groupby(level="table").mean()
        low, high = np.quantile(draws.means(mean), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        out.append((way, np.exp(mean.mean()), np.exp(low), np.exp(high), right))
    return pd.DataFrame(out, columns=["way", "times_best", "low", "high", "right"])


def _picked(scores: pd.DataFrame, column: str, single: pd.DataFrame) -> pd.Series:
    """The law with the least of a column in each hold-out; the Chinchilla law where none has one."""
    table = scores[scores["law"] != STACKING].pivot(index=["table", "holdout"], columns="law", values=column)
    table = table.reindex(index=single.index, columns=single.columns)
    filled = table.fillna(np.inf)
    return filled.idxmin(axis=1).where(table.notna().any(axis=1), ADDITIVE.name)


def _elsewhere(single: pd.DataFrame, draws: _Draws) -> pd.Series:
    """For each table the law that is best on the tables of the other sources; Chinchilla's where there are none."""
    over = single.sub(single[ADDITIVE.name], axis=0).groupby(level="table").mean().reindex(draws.tables)
    same = (draws.counts[:, :, None] == draws.counts[:, None, :]).all(0)
    found = {
        name: over[~same[k]].mean().idxmin() if (~same[k]).any() else ADDITIVE.name
        for k, name in enumerate(draws.tables)
    }
    return pd.Series([found[name] for name, _ in single.index], single.index)


def _log_errors(scores: pd.DataFrame) -> pd.DataFrame:
    """ln error, a row a table and hold-out, a column a law in the order of the contenders."""
    names = list(dict.fromkeys(scores["law"]))
    table = scores.pivot(index=["table", "holdout"], columns="law", values="rms")[names]
    return np.log(table.loc[list(dict.fromkeys(zip(scores["table"], scores["holdout"], strict=True)))])


def _simulation(share: float, n_draws: int) -> float:
    """Monte-Carlo standard error of a share."""
    return float(np.sqrt(max(share * (1 - share), 0.0) / n_draws))


def _times(row: pd.Series) -> str:
    return f"{row['ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def _markdown(table: pd.DataFrame) -> str:
    text = table.astype(object).where(table.notna(), "").astype(str)
    rows = [list(map(str, text.columns)), ["---"] * text.shape[1], *text.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
