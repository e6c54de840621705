"""The three approaches of Hoffmann et al. 2022 side by side, on whatever table there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from .._checks import positive_finite, proper_share, whole_number
from .._words import format_count
from ..errors import FitError, FitErrorKind
from ..fit.common import sound_runs
from ..fit.envelope import fit_envelope
from ..fit.frontier import FrontierFit
from ..fit.isoflop import LEAST_SIZES, fit_isoflop
from ..fit.parametric import fit_parametric
from ..fit.result import Fit
from ..laws.chinchilla import ChinchillaLaw
from ..laws.power import FrontierLaw
from ..optimum.allocation import compute_optimal
from ..runs.budgets import find_budgets
from ..runs.curves import curves_of, last_points, row_weights, runs_of
from ..runs.meter import Meter, find_meter
from ..uncertainty.resampling import Bootstrap, bootstrap
from .pairing import Paired, exponent_of, pair

__all__ = ["APPROACHES", "APPROACH_NAMES", "Approaches", "compare_approaches", "fit_approaches"]


#: what each fits
APPROACH_NAMES = {1: "lower envelope of curves", 2: "IsoFLOP parabolas", 3: "parametric loss"}
#: number and name of each, as tables and figures have it
APPROACHES = {number: f"{number}, {name}" for number, name in APPROACH_NAMES.items()}
#: curves beyond which an envelope costs more memory than it is worth
MOST_CURVES = 500
#: points of curves among which it is looked whether the loss falls
MOST_POINTS = 5_000
#: runs whose numbers of tokens lie within this factor are of nearly one length
ONE_LENGTH = 2.5


def _envelope(runs: pd.DataFrame) -> FrontierFit:
    curves = curves_of(runs)
    by = "run" if "run" in curves else "params"
    points = curves[by].value_counts()
    several = points[points > 1]
    noun = "run" if by == "run" else "size"
    if len(several) < 3 or several.sum() < 0.5 * len(curves):
        words = (
            f"an envelope needs curves, at least two rows of one {noun}: {len(several)} of {len(points)} {noun}s have"
        )
        raise FitError(
            f"{words} them, with {several.sum() / len(curves):.0%} of the rows; add points of training curves",
            FitErrorKind.FEW,
        )
    if len(several) > MOST_CURVES:
        raise FitError(f"{len(several)} curves, above {MOST_CURVES}: try it on a part of them")
    try:
        return fit_envelope(curves)
    except FitError as error:
        if "run" in curves:
            raise
        words = f"{error} (what one size reaches with more and more tokens was taken as its curve: there are final"
        raise FitError(f"{words} losses only)", error.kind) from None


def _isoflop(runs: pd.DataFrame, window: float | None = None) -> FrontierFit:
    ends = last_points(runs)
    sizes = ends["params"].groupby(find_budgets(ends)).nunique()
    if (enough := int((sizes >= LEAST_SIZES).sum())) < 2:
        words = (
            f"{enough} budgets with at least {LEAST_SIZES} sizes, and two are needed: train several sizes with equal"
        )
        raise FitError(f"{words} flops, or name the groups in a column 'budget'", FitErrorKind.FEW)
    return fit_isoflop(runs, window=window)


def fit_approaches(
    runs: pd.DataFrame,
    which: Iterable[int] = (1, 2, 3),
    curves: pd.DataFrame | None = None,
    parametric: Fit | None = None,
    law: str = "additive",
    objective: str = "log_huber",
    delta: float = 1e-3,
    rows: str = "last",
    fixed: Mapping[str, float] | None = None,
    tied: bool = False,
    window: float | None = None,
) -> dict[int, Fit | FrontierFit | FitError]:
    """Fit each approach to a table, or say why there is no fit.

    Whatever says what is possible with a table asks here: the commands, and the book of one's own runs. Approaches 2
    and 3 use the last point of every run, and 3 weighs the rows of a table that was thinned in reading. A parametric
    fit that the table does not identify counts as none; where it is because the loss falls with neither size nor tokens
    beyond noise, or with one only, there is no optimum for the others to find. Of training curves this is asked of all
    their points: runs of one length end at one number of tokens, and yet have an envelope. A law with constants given
    is judged as it is: given exponents or E may make identified what the runs alone do not.

    Parameters
    ----------
    runs : DataFrame
        As :func:`~scaling.runs.load_runs` returns them.
    which : iterable of int
        Of 1, 2 and 3.
    curves : DataFrame, optional
        Training curves for approach 1, where ``runs`` has final losses only.
    parametric : Fit, optional
        The fit of approach 3, where it has been made.
    law, objective : str
        Here and below as for :func:`~scaling.fit.fit_parametric`.
    delta : float
        Huber threshold.
    rows : {"last", "all"}
        Which rows of a run approach 3 takes.
    fixed : dict, optional
        Constants that are given.
    tied : bool
        Whether both exponents are one.
    window : float, optional
        As for :func:`~scaling.fit.fit_isoflop`.

    Returns
    -------
    dict
        Approach to its fit, or to the :class:`~scaling.errors.FitError` that says why there is none.

    Raises
    ------
    ValueError
        For an approach that is none of the three, or options that the fits refuse.
    """
    which = known_approaches(which)
    try:
        runs, curves = sound_runs(runs), None if curves is None else sound_runs(curves)
    except FitError as error:
        return dict.fromkeys(which, error)
    if parametric is None:
        how = {"law": law, "objective": objective, "delta": delta, "rows": rows, "fixed": fixed, "tied": tied}
        parametric = _parametric(runs, **how)
    return _decided(parametric, runs, which, curves, window)


def known_approaches(which: Iterable[int]) -> tuple[int, ...]:
    """The numbers of approaches; ``ValueError`` for anything but some of the three."""
    words = f"which must be some of the approaches {', '.join(map(str, APPROACHES))}, such as (2, 3)"
    if isinstance(which, str) or not isinstance(which, Iterable):
        raise ValueError(f"{words}, got {which!r}")
    numbers = tuple(whole_number("which", each) for each in which)
    if unknown := [each for each in numbers if each not in APPROACHES]:
        raise ValueError(f"{words}, got {unknown[0]!r}")
    return numbers


def _parametric(runs: pd.DataFrame, **how: Any) -> Fit | FitError:
    """Approach 3, by default on the last points, whatever its status."""
    return _attempt(partial(fit_parametric, weights=row_weights(runs), **how), runs)


def _decided(
    parametric: Fit | FitError,
    runs: pd.DataFrame,
    which: Iterable[int],
    curves: pd.DataFrame | None,
    window: float | None = None,
) -> dict[int, Fit | FrontierFit | FitError]:
    points = runs if curves is None else curves
    trained = runs_of(points) is not None
    judged = _attempt(partial(_identified, trained=trained), parametric)
    blind = isinstance(judged, FitError) and judged.kind is FitErrorKind.UNSEEN
    if blind and trained:
        blind = not _falls_along(points)
    out: dict[int, Fit | FrontierFit | FitError] = {}
    for number in which:
        if number == 3 or blind:
            out[number] = judged
        elif number == 1:
            out[number] = _attempt(_envelope, points)
        else:
            out[number] = _attempt(partial(_isoflop, window=window), runs)
    return out


def _falls_along(curves: pd.DataFrame) -> bool:
    """Whether the loss falls with tokens, and with size, among the points of training curves."""
    some = curves if len(curves) <= MOST_POINTS else curves.sample(MOST_POINTS, random_state=0)
    return fit_parametric(some.drop(columns="run")).kind is not FitErrorKind.UNSEEN


def _identified(fit: Fit | FitError, trained: bool) -> Fit:
    """The fit, if the table identifies it; ``trained`` says whether its runs are the ends of training curves."""
    if isinstance(fit, FitError):
        raise fit
    if fit.status != "not_identified":
        return fit
    low, high = float(fit.runs["tokens"].min()), float(fit.runs["tokens"].max())
    if trained and fit.kind is FitErrorKind.UNSEEN and high < ONE_LENGTH * low:
        ends = f"the runs are all of nearly one length: they end at {format_count(low)} to {format_count(high)} tokens"
        words = f"{ends}, and how the loss falls with tokens cannot be told from their ends; add runs of other lengths"
        raise FitError(words, fit.kind)
    raise FitError(fit.message, fit.kind or FitErrorKind.UNDETERMINED)


def _attempt(method: Callable[[Any], Any], given: Any) -> Any:
    """What a method makes of what it is given, or why it makes nothing."""
    try:
        return method(given)
    except FitError as error:
        return error


@dataclass(frozen=True, repr=False)
class Approaches:
    """What each approach finds in a table, and why not where it finds nothing.

    Attributes
    ----------
    fits : dict
        Approach (1, 2 or 3) → its fit, where the table allows one; approach 3 is here whatever its status.
    bootstraps : dict
        Approach → its resamples, where the law is identified and there are runs enough.
    reasons : dict
        Approach → why it has no fit or no resamples, in the words of the error.
    paired : Paired
        The exponents of the approaches that have resamples, on the same runs drawn.
    """

    fits: dict[int, Fit | FrontierFit]
    bootstraps: dict[int, Bootstrap]
    reasons: dict[int, str]
    paired: Paired

    @property
    def laws(self) -> dict[str, ChinchillaLaw | FrontierLaw]:
        """The laws with resamples, by name of approach, as :func:`~scaling.figures.plot_frontier` takes them."""
        return {APPROACHES[number]: self.fits[number].law for number in self.bootstraps}

    def table(self, flops: float, level: float = 0.95) -> pd.DataFrame:
        """List exponents of the optimal size, and best sizes at a budget, with percentile intervals.

        An end that the resamples do not tell is NaN, and ``why_not`` says why.

        Parameters
        ----------
        flops : float
            The budget, positive.
        level : float
            Of the intervals, between 0 and 1.

        Returns
        -------
        DataFrame
            A row an approach: ``a``, ``a_low``, ``a_high``, ``params``, ``params_low``, ``params_high``, ``why_not``.

        Raises
        ------
        ValueError
            If a number is out of its range, or there are too few resamples for the level.
        """
        positive_finite(flops=flops)
        proper_share("level", level)
        rows = {}
        for number, name in APPROACHES.items():
            row: dict[str, Any] = {"why_not": self.reasons.get(number, "")}
            if number in self.bootstraps:
                fit = self.fits[number]
                meter = find_meter(fit.runs) if isinstance(fit, Fit) else None
                questions = {"a": exponent_of(fit, "a"), "params": partial(best_size, flops=flops, meter=meter)}
                for what, of in questions.items():
                    row[what] = of(self.fits[number].law)
                    ends = self.bootstraps[number].percentiles(level, of=of)
                    row[f"{what}_low"], row[f"{what}_high"] = float(ends.low), float(ends.high)
                    said = [row["why_not"], *(f"{what}: {words}" for words in ends.remarks(level))]
                    row["why_not"] = "; ".join(filter(None, said))
            rows[name] = row
        columns = [f"{what}{end}" for what in ("a", "params") for end in ("", "_low", "_high")]
        return pd.DataFrame.from_dict(rows, "index", columns=[*columns, "why_not"]).rename_axis("approach")

    def differences(self, level: float = 0.95) -> pd.DataFrame:
        """List how far the exponents of any two approaches are apart, from resamples of the same runs.

        Two intervals may share numbers while their difference is not zero, since both approaches see one noise.

        Parameters
        ----------
        level : float
            Of the intervals, between 0 and 1.

        Returns
        -------
        DataFrame
            A row a pair: ``approaches``, ``difference``, ``low``, ``high``, and ``drawn``, which says whether both saw
            the same runs.

        Raises
        ------
        ValueError
            If ``level`` does not lie between 0 and 1.
        """
        return self.paired.table(level)

    def disagree(self, level: float = 0.95) -> bool:
        """Tell whether the exponents of some two approaches differ.

        Parameters
        ----------
        level : float
            Of all pairs together, between 0 and 1.

        Returns
        -------
        bool
            Whether they do.

        Raises
        ------
        ValueError
            If ``level`` does not lie between 0 and 1.
        """
        return self.paired.disagree(level)

    def __repr__(self) -> str:
        found = [f"{APPROACHES[n]}: a = {self.fits[n].law.a:.3f}" for n in self.bootstraps]
        return "Approaches: " + "; ".join(found + [f"{APPROACHES[n]}: {why}" for n, why in self.reasons.items()])


def best_size(law: ChinchillaLaw | FrontierLaw, flops: float, meter: Meter | None) -> Any:
    return compute_optimal(law, flops, meter=meter).params


def compare_approaches(
    runs: pd.DataFrame,
    curves: pd.DataFrame | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    backend: str | None = None,
    n_jobs: int = -1,
    law: str = "additive",
    parametric: Bootstrap | None = None,
) -> Approaches:
    """Try all three approaches on a table, each with its bootstrap.

    Parameters
    ----------
    runs : DataFrame
        As :func:`~scaling.runs.load_runs` returns them. Where a ``run`` has several rows they are its training curve:
        approach 1 takes them all, the others the last of each run.
    curves : DataFrame, optional
        Training curves, for approach 1 (see :func:`~scaling.fit.fit_envelope`), where ``runs`` has final losses only;
        without any, the final losses of the runs of one size are taken for its curve.
    n_resamples, seed : int
        As for :func:`~scaling.uncertainty.bootstrap`.
    backend : str, optional
        As there.
    n_jobs : int
        As there.
    law : {"additive", "coupled"}
        Of approach 3.
    parametric : Bootstrap, optional
        The resamples of approach 3, by the same ``n_resamples``, ``seed`` and ``law``, where they have been made.

    Returns
    -------
    Approaches
        What each finds, and why not where it finds nothing.

    Raises
    ------
    FitError
        Only for a table that cannot be used at all.
    ValueError
        For an unknown ``law``, or a number that is out of its range.
    """
    runs, curves = sound_runs(runs), None if curves is None else sound_runs(curves)
    third = _parametric(runs, law=law) if parametric is None else parametric.fit
    if isinstance(third, FitError):
        raise third
    attempts = _decided(third, runs, APPROACHES, curves)
    reasons = {number: str(found) for number, found in attempts.items() if isinstance(found, FitError)}
    fits = {number: found for number, found in attempts.items() if not isinstance(found, FitError)} | {3: third}
    bootstraps = {} if parametric is None else {3: parametric}
    for number in sorted(fits.keys() - reasons.keys() - bootstraps.keys()):
        try:
            bootstraps[number] = bootstrap(fits[number], n_resamples, seed, backend=backend, n_jobs=n_jobs)
        except FitError as error:
            reasons[number] = str(error)
    paired = pair(fits, bootstraps, n_resamples, seed)
    return Approaches(
        dict(sorted(fits.items())), dict(sorted(bootstraps.items())), dict(sorted(reasons.items())), paired
    )
