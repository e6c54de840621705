"""How sure is a fit? The table is resampled, and every resample solved to its optimum."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import enough_resamples, positive, proper_share, whole_number
from ..errors import FitError, FitErrorKind, RunsWarning
from ..fit.frontier import FrontierFit, constants_of
from ..fit.result import Fit, as_fit, samples_of
from ..laws.base import Law
from .intervals import Interval, percentiles
from .prediction import noise_of

__all__ = ["Bootstrap", "bootstrap"]


#: a law of so many constants needs runs enough: fewer than this say little about their spread
MANY_CONSTANTS, LEAST_RUNS = 4, 12


@dataclass(frozen=True, repr=False)
class Bootstrap:
    """The spread of a fit over resampled tables.

    Attributes
    ----------
    samples : DataFrame
        One row a resample, one column a constant.
    law : law
        The fitted law with arrays of constants, so that ``compute_optimal(boot.law, flops)`` and
        any other function of a law give the spread of anything.
    at_bound, not_identified, unconverged : float
        Shares of the resamples with a constant on its bound, with too few distinct runs or a term
        that vanished, and without convergence.
    fresh_starts : bool
        Whether the pilot found warm starts trapped, so that every resample got starts of its own.
    note : str
        What was done otherwise than to draw all runs with replacement, and that fewer than twelve were drawn, whose
        intervals are too narrow; empty where neither is so.
    set_aside : tuple of int
        Rows of ``fit.runs`` that were not drawn, since a robust fit sets them aside.
    lost : int
        Resamples left out of ``samples`` and ``law`` because they have no answer; intervals count them as unknown.
    fit : Fit or FrontierFit
        What was resampled.
    seed : int
        Of the draws.
    """

    samples: pd.DataFrame
    law: Any
    fit: Fit | FrontierFit
    seed: int
    at_bound: float
    not_identified: float
    unconverged: float
    fresh_starts: bool
    note: str = ""
    set_aside: tuple[int, ...] = ()
    lost: int = 0

    def interval(self, level: float = 0.95, of: str | Callable[[Any], Any] | None = None) -> Any:
        """Compute a percentile interval, central, at a level.

        A resample without a value (NaN) counts as lying beyond either end; where more than (1 - level)/2 of them have
        none, the ends are not known and are NaN. Percentiles that miss the estimate are widened to it. Of both, a
        :class:`~scaling.errors.RunsWarning` tells.

        Parameters
        ----------
        level : float
            Between 0 and 1; 0.8 gives the papers' 10th to 90th percentile.
        of : str or callable, optional
            A column of ``samples``; an attribute of the law, such as ``"a"``; or a function of the law (it is given
            ``boot.law`` and may return any array whose first axis is the resamples). By default, every column.

        Returns
        -------
        DataFrame or tuple
            Columns ``low`` and ``high``, a row a constant; with ``of``, the pair (low, high).

        Raises
        ------
        FitError
            If all resamples give one and the same value: they do not say how sure it is. Among several quantities,
            such a one has the ends NaN.
        ValueError
            If ``level`` does not lie between 0 and 1, or is above 0.95 and leaves no resample beyond an end,
            or ``of`` names no constant, or gives no number for each resample.
        """
        found = self.percentiles(level, of)
        remarks = found.remarks(level)
        if found.flat.all():
            raise FitError(f"{_called(of)}: {remarks[0]}", FitErrorKind.UNDETERMINED)
        for words in remarks:
            warnings.warn(f"{_called(of)}: {words}", RunsWarning, stacklevel=2)
        if of is None:
            return pd.DataFrame({"low": found.low, "high": found.high}, index=self.samples.columns)
        return (found.low[()], found.high[()])

    def percentiles(self, level: float = 0.95, of: str | Callable[[Any], Any] | None = None) -> Interval:
        """Compute an interval as arrays, without the warnings and errors of :meth:`interval`.

        What is to be said of them is in :meth:`Interval.remarks <scaling.uncertainty.Interval.remarks>`.

        Parameters
        ----------
        level : float
            As for :meth:`interval`.
        of : str or callable, optional
            As for :meth:`interval`.

        Returns
        -------
        Interval
            One entry a quantity.

        Raises
        ------
        ValueError
            As of :meth:`interval`.
        """
        proper_share("level", level)
        enough_resamples(level, len(self.samples) + self.lost)
        if not (of is None or isinstance(of, str) or callable(of)):
            raise ValueError(f"of must be a name or a function of the law, got {of!r}")
        if of is None:
            values, estimate = self.samples.to_numpy(), self._estimates.to_numpy()
        elif isinstance(of, str):
            if of not in self.samples and not hasattr(self.law, of):
                raise ValueError(f"no constant {of!r}; there are {', '.join(self.samples.columns)}")
            if of in self.samples:
                values, estimate = self.samples[of].to_numpy(), self._estimates[of].to_numpy()
            else:
                values, estimate = np.asarray(getattr(self.law, of)), np.asarray(getattr(self._point, of))
        else:
            values, estimate = np.asarray(of(self.law)), np.asarray(of(self._point))
        if values.dtype.kind not in "biuf" or values.shape[:1] != self.samples.shape[:1]:
            raise ValueError(f"{of!r} is not one number for each of the {len(self.samples):,} resamples")
        known = estimate.shape == (1, *values.shape[1:])
        return percentiles(values, level, estimate[0] if known else None, self.lost)

    @property
    def _point(self) -> Any:
        """The fitted law with arrays of one entry, so that what takes ``law`` takes it too."""
        return _as_arrays(self.fit.law if isinstance(self.fit, FrontierFit) else self.fit.candidate)

    @property
    def _estimates(self) -> pd.DataFrame:
        """The fitted constants as a row of ``samples``."""
        return constants_of(self._point) if isinstance(self.fit, FrontierFit) else samples_of(self._point)

    def predict(self, params: ArrayLike, tokens: ArrayLike, level: float = 0.95, noise: bool = True) -> pd.DataFrame:
        """Predict the loss of a run that is still to be trained, with the interval in which it will end.

        Where ``noise`` is false, the interval is that of the law's mean alone, which says how well the law is known
        and not how far a run strays from it.

        Parameters
        ----------
        params, tokens : float or array
            Size and tokens of each run; they broadcast.
        level : float
            Of the intervals, between 0 and 1.
        noise : bool
            Whether each resample's loss gets a draw of the noise of a run. It is taken from runs that share size and
            tokens, where there are enough of them (five degrees of freedom), else from the residuals of the fit.
            Repeats know nothing of how far the law itself is off. Where either grows with compute, by more than chance
            would show in one table of a hundred, it is drawn as large as it has grown for the run.

        Returns
        -------
        DataFrame
            One row a run: ``params``, ``tokens``, ``estimate`` (the fitted law's loss), ``low``, ``high``, ``noise``
            (standard deviation of ln loss, 0 without noise) and ``noise_from`` (``repeated runs`` or ``residuals``,
            with words where they grow; or ``none``).

        Raises
        ------
        ValueError
            If a size or a number of tokens is not positive, or ``level`` is out of its range.
        TypeError
            If the law is not one of the loss at params and tokens.
        """
        if not isinstance(self.fit, Fit) or self.fit.candidate.columns != ("params", "tokens"):
            raise TypeError(f"a {type(self.law).__name__} does not predict the loss from params and tokens")
        N, D = (np.ravel(x) for x in np.broadcast_arrays(*positive(params=params, tokens=tokens)))
        proper_share("level", level)
        enough_resamples(level, len(self.samples) + self.lost)
        draws = np.log(self.law.as_column().value(N, D))
        spread, source = np.zeros(len(N)), "none"
        if noise:
            scatter = noise_of(self.fit, self.set_aside)
            times = scatter.times(N, D)
            spread, source = scatter.spread * times, scatter.source
            draws = draws + times * scatter.draw(draws.shape, np.random.default_rng([self.seed, len(draws)]))
        estimate = np.asarray(self.fit.candidate.value(N, D))
        found = percentiles(np.exp(draws), level, estimate, self.lost)
        table = {"params": N, "tokens": D, "estimate": estimate, "low": found.low, "high": found.high}
        return pd.DataFrame(table | {"noise": spread, "noise_from": source})

    def standard_error(self) -> pd.Series:
        """Compute the standard deviation over the resamples.

        Returns
        -------
        Series
            One a constant.
        """
        return self.samples.std(ddof=1)

    def _table(self) -> pd.DataFrame:
        found = self.percentiles(0.95)
        table = pd.DataFrame({"low": found.low, "high": found.high}, index=self.samples.columns)
        return table.assign(se=self.standard_error())

    def __repr__(self) -> str:
        table = self._table()
        shares = f"at bound {self.at_bound:.1%}, not identified {self.not_identified:.1%}"
        shares += f", unconverged {self.unconverged:.1%}"
        starts = "fresh" if self.fresh_starts else "warm"
        head = f"Bootstrap of {len(self.samples)} resamples (seed {self.seed}, {starts} starts): {shares}"
        return "\n".join(filter(None, [head, self.note, table.to_string(float_format="{:.5g}".format)]))

    def _repr_html_(self) -> str:
        head, *rest = repr(self).splitlines()
        table = self._table()
        return f"<p>{head}. {self.note}</p>" + table.to_html(float_format="{:.5g}".format)


def bootstrap(
    fit: Fit | FrontierFit,
    n_resamples: int = 4000,
    seed: int = 0,
    fraction: float | None = None,
    backend: str | None = None,
    n_jobs: int = -1,
    by: str | None = None,
    scaled: bool = True,
) -> Bootstrap:
    r"""Resample the runs of a fit: draw as many as there are, with replacement, and fit again.

    Resamples are as robust as the fit. Huber's objective gives a diverged run one vote; a resample may draw it four
    times, and then the law bends. So runs more than twelve noises from a robust fit (noise by the median of the
    absolute residuals) are not drawn, and ``note`` says so, unless the fit leans on them: unless it lies beyond
    resamples of the others.

    The unit is the run: where a fit has several rows of each (``rows="all"`` of :func:`~scaling.fit.fit_parametric`),
    whole runs are drawn, each with all its rows, since these share its luck.

    Parameters
    ----------
    fit : Fit or FrontierFit
        The fit whose spread is wanted.
    n_resamples : int
        Number of resampled tables.
    seed : int
        Of the random generator; the same seed gives the same samples.
    fraction : float, optional
        Draw this share f of the runs without replacement instead; in approach 2 at least four runs a budget. Fits to
        such parts lie nearer together than the fit to the truth, so their deviations from the fit are scaled by
        :math:`\sqrt{f/(1-f)}` (2 for 0.8): in the level and the slopes of the law, or in ln N at each budget.
    backend : str, optional
        Over what blocks of resamples are spread: ``"loky"`` for processes of this machine, by joblib; ``"dask"`` for
        the cluster of an open ``distributed.Client``, whose workers may come and go: the blocks of one that is lost are
        done by another. The samples are the same as without one. The frontiers of approaches 1 and 2 are resampled in
        one pass and take no notice of it.
    n_jobs : int
        Workers of the backend at a time; -1 for all that it has.
    by : str, optional
        A column of the runs: draw whole groups of rows that are equal in it, such as ``"params"`` where the runs of one
        size share more than chance. For fits of a law.
    scaled : bool
        False takes the fits to parts as they are, as papers do (Hoffmann et al. 2022, Table 2, have percentiles of
        samples of 80 %); their percentiles are not a confidence interval.

    Returns
    -------
    Bootstrap
        The constants of each resample.

    Raises
    ------
    FitError
        If the fit is not identified, fewer than 12 runs (or groups) would be drawn for a law of four constants or
        more, or ``fraction`` leaves no run out.
    ValueError
        If ``n_resamples``, ``fraction`` or ``seed`` is out of its range, ``by`` names no column or one that divides a
        run, or the backend ``"dask"`` has no client.
    TypeError
        If what is given is no fit.
    ImportError
        If the backend needs a package that is not installed; the message names it.
    BrokenExecutor
        (of ``concurrent.futures``) If one block has ended each worker that took it, or no worker is left and none has
        come for as long as Dask's ``no-workers-timeout`` says, five minutes where it is not set.
    ConnectionError
        If the scheduler of the cluster is lost.
    """
    n_resamples, seed = whole_number("n_resamples", n_resamples, 2), whole_number("seed", seed, 0)
    if fraction is not None:
        proper_share("fraction", fraction)
    if not isinstance(fit, FrontierFit):
        _refuse(as_fit(fit), fraction, by)
    found = fit.resample(n_resamples, seed, fraction, scaled=scaled, backend=backend, n_jobs=n_jobs, by=by)
    if isinstance(fit, Fit) and (drawn := fit.drawn(by)[0]) < LEAST_RUNS:
        few = f"resamples of {drawn} points lie too near together: intervals hold the truth less often than they say"
        found = replace(found, note="; ".join(filter(None, [found.note, few])))
    return Bootstrap(fit=fit, seed=seed, **vars(found))


def _called(of: str | Callable[[Any], Any] | None) -> str:
    return "interval of the constants" if of is None else f"interval of {of!r}" if isinstance(of, str) else "interval"


def _as_arrays(law: Any) -> Any:
    """A law whose constants are arrays of one entry."""
    return replace(law, **{each.name: _as_array(getattr(law, each.name)) for each in fields(law)})


def _as_array(value: Any) -> Any:
    if isinstance(value, Law):
        return _as_arrays(value)
    return None if value is None else np.asarray(value)[None]


def _refuse(fit: Fit, fraction: float | None, by: str | None) -> None:
    """A law that is not identified has no spread, and five constants need runs enough."""
    fit.law  # noqa: B018 (refuses a fit that is not identified)
    used, _ = fit.drawn(by)
    drawn = used if fraction is None else round(fraction * used)
    if len(fit.candidate.constants) >= MANY_CONSTANTS and drawn < LEAST_RUNS:
        what = "runs" if by is None else f"groups of one {by}"
        words = f"{drawn} {what} are too few to bootstrap {len(fit.candidate.constants)} constants"
        raise FitError(f"{words}: at least {LEAST_RUNS} are needed", FitErrorKind.FEW)
