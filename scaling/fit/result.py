"""What a fit returns: a law, and what is needed to judge it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import numbers, proper_share, whole_number
from .._parallel import spread
from ..errors import FitError, FitErrorKind
from ..laws.base import Law
from ..runs.curves import groups_of
from .certainty import certainty, known
from .engine.problem import Objective, Problem
from .engine.resamples import PILOT, Resamples, on_bound, solve_resamples
from .engine.setting_aside import far_off, leans
from .engine.stretching import stretch, stretched, words_of_parts

__all__ = ["Fit", "Resampled"]

#: the table of rows left out, where there are none
NOTHING = pd.DataFrame({"reason": pd.Series(dtype=object)})


def rows_of_weights(weights: ArrayLike, n: int) -> np.ndarray:
    """Rows of weights (B, n), each finite and not negative, for the n rows of a fit; ``ValueError`` for others."""
    each = np.atleast_2d(numbers("weights", weights))
    if each.ndim != 2 or each.shape[1] != n or not len(each):
        shape = np.shape(weights)
        raise ValueError(f"weights must be one row or more of a number for each of the {n} runs, got shape {shape}")
    if (bad := ~((each >= 0) & np.isfinite(each))).any():
        raise ValueError(f"weights must be finite and not negative, got {each[bad][0]:g}")
    return each


def checked_draws(n_resamples: int, seed: int, fraction: float | None) -> tuple[int, int]:
    """Number of resamples and seed; ``ValueError`` for one that is none, or a fraction that is no proper share."""
    if fraction is not None:
        proper_share("fraction", fraction)
    return whole_number("n_resamples", n_resamples), whole_number("seed", seed, 0)


@dataclass(frozen=True)
class Minimum:
    """Where the engine ended; arrays only."""

    problem: Problem
    theta: np.ndarray
    objective: Objective


@dataclass(frozen=True)
class Resampled:
    """What becomes of a fit's constants when its runs are drawn anew (see :func:`~scaling.uncertainty.bootstrap`).

    Attributes
    ----------
    samples : DataFrame
        One row a resample, one column a constant.
    law : law
        The same as one law with arrays of constants.
    at_bound, not_identified, unconverged : float
        Shares of the resamples.
    fresh_starts : bool
        Whether every resample got starts of its own.
    note : str
        A remark, or nothing.
    set_aside : tuple of int
        Rows of the fit's runs that no resample draws, since the fit set them aside.
    """

    samples: pd.DataFrame
    law: Any
    at_bound: float = 0.0
    not_identified: float = 0.0
    unconverged: float = 0.0
    fresh_starts: bool = False
    note: str = ""
    set_aside: tuple[int, ...] = ()


@dataclass(frozen=True, repr=False)
class Fit:
    """A law fitted to runs, and what is needed to judge it. It can be pickled.

    Attributes
    ----------
    candidate : Law
        The law at the minimum, whatever the status; ``law`` is the same but refuses
        (:class:`~scaling.errors.FitError`) when the status is ``not_identified``.
    value : float
        The objective at the minimum, summed (not averaged) over the runs.
    objective, delta : str, float
        Name of the objective and its Huber threshold (see :func:`~scaling.fit.fit_parametric`).
    status : str
        ``identified``: the runs settle what the law is fitted for, by default the best size at ten times the largest
        run's compute within a factor of two (95 %; see :meth:`certainty`), with five residual degrees of freedom at
        least, and no lack of fit beside the noise of repeated runs. ``solved``, of laws without such a question: the
        minimum was found and to first order the runs tell the constants apart. ``at_bound``: as these, with a constant
        on its bound, e.g. E = 0 exactly. ``weak``: the minimum was found, and what is asked is not settled, as the
        message says. ``not_identified``; ``not_converged``.
    message : str
        The status in words: which direction is flat and which runs would fix it.
    kind : FitErrorKind or None
        Why the law is not identified; None for every other status.
    condition : float
        Condition number of the Jacobian of the log-residuals (columns scaled, logs centred).
    starts_agreeing, n_starts : int
        How many of the starting points reached this objective, of how many.
    runs, dropped : DataFrame
        The rows used, and those left out with a ``reason``.
    weights : array (n_runs,)
        Of the rows used.
    residuals : array (n_runs,)
        ln observed − ln predicted (observed − predicted for ``huber``), one a run.
    held : tuple of str
        Constants that ended on a bound.
    given : dict
        Constants that were given and not fitted (``fixed`` of :func:`~scaling.fit.fit_parametric`).
    tied : bool
        Whether alpha and beta are one constant.
    tau : float
        Weight of runs above the law beside those below it; 0.5 counts both alike.
    clusters : array (n_rows,) or None
        The run of each row, as whole numbers, where runs have several rows; None where each row is a run of its own.
    """

    candidate: Law
    value: float
    objective: str
    delta: float
    status: str
    message: str
    kind: FitErrorKind | None
    condition: float
    starts_agreeing: int
    n_starts: int
    runs: pd.DataFrame
    dropped: pd.DataFrame
    weights: np.ndarray
    residuals: np.ndarray
    held: tuple[str, ...]
    _again: Callable[..., Fit] = field(compare=False)
    _build: Callable[..., Law] = field(compare=False)
    clusters: np.ndarray | None = field(default=None, compare=False)
    _minimum: Minimum | None = field(default=None, compare=False)
    _asked: Callable[..., tuple[str, bool]] | None = field(default=None, compare=False)
    tau: float = 0.5

    @property
    def law(self) -> Any:
        """The fitted law; raises :class:`~scaling.errors.FitError` when the runs do not identify it."""
        if self.status == "not_identified":
            words = f"{self.message} (fit.candidate holds the law at the minimum all the same)"
            raise FitError(words, self.kind or FitErrorKind.UNDETERMINED)
        return self.candidate

    def certainty(self, flops: ArrayLike | None = None, level: float = 0.95) -> pd.DataFrame:
        r"""Answer what a fitted law is asked for, with profile-likelihood intervals.

        For the exponent :math:`a = \beta/(\alpha+\beta)`, and for the best size :math:`N^*(C)` and the loss
        :math:`L^*(C)` there at each budget, the interval holds the values q at which

        .. math:: \frac{2\,[\min_{\theta:\,q(\theta) = q} S(\theta) - \min S]}{\text{unit}} \le t^2_{n-p},

        with S the sum of Huber losses of the fit's residuals at the threshold 1.345 of their standard deviation
        (squares, where the fit is of squares), the unit their mean square as noise makes it, and t the quantile of
        Student's distribution with n runs less p constants. Each minimum is over the other constants, within the bounds
        of the fit. Of a :class:`~scaling.laws.CoupledLaw` the same is said of E and k, which trade off. An
        interval includes the estimate; an end that the runs do not set is 0 or infinite (for a, 0 or 1). A law that is
        wrong, or wrong beyond the runs, is not in these intervals. Where the runs count their compute otherwise than by
        6 N D (:func:`~scaling.runs.find_meter`), budgets are in their count, and a is the exponent of the best size in
        it, which is asked about at the most expensive run.

        Parameters
        ----------
        flops : array (n,), optional
            Budgets; by default 1, 10 and 100 times the compute of the most expensive run.
        level : float, default 0.95
            Of the intervals.

        Returns
        -------
        DataFrame
            One row a question: ``quantity`` (``a``, ``params``, ``loss``, of a coupled law ``E`` and ``k``), ``flops``
            (NaN for what is the same at all), ``value``, ``low``, ``high``, ``need`` in words and ``enough``, whether
            the interval lies within it: a to 0.1 either way, a size to a factor of two, a loss to 2 %, E away from 0
            and k from 1, where the law is a simpler one. Nothing is enough where the status is ``weak`` whatever the
            interval: below five residual degrees of freedom, beyond runs of one compute, where the law misses repeated
            runs. Nor is it at a budget further below the cheapest run than the runs span.

        Raises
        ------
        FitError
            If the fit is not identified, leaves no residual, or is not of a law with a compute-optimal frontier.
        ValueError
            If a budget is not positive or ``level`` not between 0 and 1.

        References
        ----------
        Venzon and Moolgavkar 1988, Applied Statistics 37, 87-94; for Huber's loss, Huber 1981, Robust Statistics,
        section 7.10.
        """
        return certainty(self, flops, level)

    def known(self, quantity: str, level: float = 0.95) -> str:
        """Say how well one quantity of :meth:`certainty` is known: where there is no interval, the reason.

        Parameters
        ----------
        quantity : str
            ``a``, and of a coupled law ``E`` or ``k``; for the best size or the loss at budgets ask
            :meth:`certainty`.
        level : float, default 0.95
            Of the interval.

        Returns
        -------
        str
            Such as ``0.13 [0.12, 0.15]``, or "not known" and what the runs lack.

        Raises
        ------
        ValueError
            If the law has no such quantity.
        """
        return known(self, quantity, level)

    @property
    def given(self) -> dict[str, float]:
        """Constants that were given and not fitted, by name; of tied exponents that are, both."""
        if self._minimum is None:
            return {}
        fixed = self._minimum.problem.fixed
        return fixed | ({"beta": fixed["alpha"]} if self.tied and "alpha" in fixed else {})

    @property
    def given_words(self) -> str:
        """What was given by hand, in words, or nothing."""
        words = [f"{name} = {value:g}" for name, value in self.given.items()]
        return ", ".join(words + ["alpha = beta"] * (self.tied and "alpha" not in self.given))

    @property
    def tied(self) -> bool:
        """Whether the law was fitted with one exponent for both of its terms."""
        return self._minimum is not None and self._minimum.problem.model.tied and "beta" in self.candidate.constants

    @property
    def n_runs(self) -> int:
        """How many runs have weight; a run counts once, however many rows it has."""
        used = self.weights > 0
        return int(used.sum()) if self.clusters is None else len(np.unique(self.clusters[used]))

    @property
    def unit(self) -> float:
        """What a residual is to be compared with: the typical loss for raw residuals, 1 for logarithms."""
        return float(np.median(self.runs["loss"])) if self.objective == "huber" and "loss" in self.runs else 1.0

    def predict(self, *columns: ArrayLike) -> Any:
        """Evaluate the fitted law.

        Parameters
        ----------
        *columns : float or array, or one DataFrame
            Values of the law's ``columns`` in their order, or a table that has them.

        Returns
        -------
        float or array
            Of the broadcast shape, or one a row.

        Raises
        ------
        FitError
            If the runs do not identify the law.
        ValueError
            If a value is not a positive number, or the table lacks a column.
        TypeError
            If there are more or fewer arguments than columns.
        """
        if len(columns) == 1 and isinstance(columns[0], pd.DataFrame):
            return self.law.predict(columns[0])
        return self.law.value(*columns)

    def law_of(self, constants: Mapping[str, ArrayLike]) -> Any:
        """Make a law of this kind with other constants.

        Parameters
        ----------
        constants : dict
            Numbers or arrays by name.

        Returns
        -------
        Law
            Of the kind of ``candidate``.

        Raises
        ------
        TypeError
            If a constant is missing, or another is given.
        """
        return type(self.candidate).of(constants)

    def refit(self, weights: ArrayLike) -> Fit:
        """Make the same fit under other weights.

        Parameters
        ----------
        weights : array (n_runs,)
            One for each row of ``runs``.

        Returns
        -------
        Fit
            With these weights.

        Raises
        ------
        FitError
            If weights are negative, not finite, all zero, or not one a row.
        """
        return self._again(weights=weights)

    def resampled(self, weights: ArrayLike) -> Resampled:
        """Make the fit again under each row of weights.

        Started at this minimum: right where the weights are much like those of this fit.

        Parameters
        ----------
        weights : array (B, n_runs)
            One for each row of ``runs``, B times.

        Returns
        -------
        Resampled
            B laws.

        Raises
        ------
        ValueError
            If there is no row, one has not one weight for each row of ``runs``, or a weight is negative or not finite.
        FitError
            Of a fit by SciPy, if all weights of a row are zero.
        """
        each = rows_of_weights(weights, len(self.runs))
        if self._minimum is None:
            return _summed([self.refit(row) for row in each])
        problem, theta, aim = self._minimum.problem, self._minimum.theta, self._minimum.objective
        solution = problem.warm(theta, each, aim)
        law = self._build(**problem.constants(solution.theta))
        lost = problem.absent(solution.theta).any(1) | ((each > 0).sum(1) < problem.model.n_free)
        return Resampled(
            samples_of(law),
            law,
            at_bound=float(on_bound(problem, solution.theta).mean()),
            not_identified=float(lost.mean()),
            unconverged=float(1 - solution.converged.mean()),
        )

    def resample(
        self,
        n_resamples: int,
        seed: int,
        fraction: float | None = None,
        *,
        scaled: bool = True,
        backend: str | None = None,
        n_jobs: int = -1,
        by: str | None = None,
    ) -> Resampled:
        """Draw the runs anew and fit again (see :func:`~scaling.uncertainty.bootstrap`).

        The engine solves all resamples as one batch; fits by SciPy are made again one by one, which takes long.

        Parameters
        ----------
        n_resamples : int
            How many.
        seed : int
            Of the draws.
        fraction : float, optional
            Here and below as for that function.
        scaled : bool
            Whether fits to parts are scaled.
        backend : str, optional
            Over what resamples are spread.
        n_jobs : int
            Workers at a time.
        by : str, optional
            Column whose groups are drawn whole.

        Returns
        -------
        Resampled
            The constants of each resample.

        Raises
        ------
        ValueError
            If a number is out of its range, ``by`` names no column or one that divides a run, or the backend has no
            client.
        """
        n_resamples, seed = checked_draws(n_resamples, seed, fraction)
        used = np.flatnonzero(self.weights > 0)
        base = self.weights[used] / self.weights.max()
        drawn, clusters = self.drawn(by)
        resamples = Resamples(drawn, n_resamples, seed, fraction, clusters)
        if self._minimum is None:
            plain = self._one_by_one(used, base, resamples, by, backend, n_jobs)
            law, words = plain.law, _words_of(resamples, scaled)
            if scaled and fraction is not None:
                law = stretched_law(law, self.candidate, stretch(resamples.drawn, resamples.n))
            note = "; ".join(filter(None, [plain.note, words]))
            return replace(plain, samples=samples_of(law), law=law, note=note)
        minimum = replace(self._minimum, problem=self._minimum.problem.take(used))
        minimum, kept, words = _without_outliers(minimum, base, resamples)
        resamples = _among(resamples, kept)
        problem, centre, aim = minimum.problem, minimum.theta, minimum.objective
        found = solve_resamples(problem, centre, base[kept], aim, resamples, backend, n_jobs)
        theta = found.theta
        if scaled and fraction is not None:
            theta = stretched(problem, centre, theta, stretch(resamples.drawn, resamples.n))
        law = self._build(**problem.constants(theta))
        shares = (float(found.held.mean()), float(found.lost.mean()), float(1 - found.converged.mean()))
        note = "; ".join(filter(None, [_drawn_whole(resamples, by), _words_of(resamples, scaled), words]))
        aside = tuple(np.delete(used, kept).tolist())
        return Resampled(samples_of(law), law, *shares, found.fresh_starts, note, aside)

    def drawn(self, by: str | None = None) -> tuple[int, np.ndarray | None]:
        """Count the runs, or groups of one ``by``, that a bootstrap draws from, and name that of each row with weight.

        Parameters
        ----------
        by : str, optional
            A column of the runs.

        Returns
        -------
        tuple of int and array
            The number, and a whole number a row; None where a row is a run of its own.

        Raises
        ------
        ValueError
            If there is no such column, or it divides a run.
        """
        used, codes = self.weights > 0, self.clusters
        if by is not None:
            if by not in self.runs:
                raise ValueError(f"no column {by!r} to draw by; there are {', '.join(map(str, self.runs.columns))}")
            codes = groups_of(self.runs[by])
            if self.clusters is not None and len(np.unique([codes, self.clusters], axis=1).T) > self.clusters.max() + 1:
                raise ValueError(f"rows of one run differ in {by!r}, and a run is drawn whole")
        if codes is None:
            return int(used.sum()), None
        distinct, each = np.unique(codes[used], return_inverse=True)
        return len(distinct), each

    def _one_by_one(
        self,
        used: np.ndarray,
        base: np.ndarray,
        resamples: Resamples,
        by: str | None,
        backend: str | None,
        n_jobs: int,
    ) -> Resampled:
        items = []
        for counts in resamples:
            rows = np.zeros((len(counts), len(self.weights)))
            rows[:, used] = counts * base
            items += [(self._again, row) for row in rows]
        found = _summed(list(spread(_refitted, items, backend, n_jobs)))
        return replace(found, fresh_starts=True, note=_drawn_whole(resamples, by))

    def summary(self) -> pd.DataFrame:
        """Put the constants and the diagnostics into a table.

        Returns
        -------
        DataFrame
            One column, ``value``, of text.
        """
        constants = self.candidate.constants.items()
        rows = [(name, ", ".join(f"{each:.6g}" for each in np.ravel(value))) for name, value in constants]
        name = self.objective if self.tau == 0.5 else f"{self.objective} (tau = {self.tau:g})"
        rows += [
            ("objective", f"{name}, sum {self.value:.9g} over {self._counted}"),
            *([("given", given)] if (given := self.given_words) else []),
            ("status", self.status + (f": {self.message}" if self.message else "")),
            ("condition", f"{self.condition:.3g}"),
            ("starts agreeing", f"{self.starts_agreeing} of {self.n_starts}"),
        ]
        if len(self.dropped):
            reasons = self.dropped["reason"].value_counts().items()
            rows.append(("rows left out", ", ".join(f"{count}: {reason}" for reason, count in reasons)))
        return pd.Series(dict(rows), name="value").to_frame()

    @property
    def _counted(self) -> str:
        rows = len(self.runs)
        return f"{rows} runs" if self.clusters is None else f"{rows} rows of {self.clusters.max() + 1} runs"

    def __repr__(self) -> str:
        rows = self.summary()["value"]
        width = max(map(len, rows.index))
        title = f"Fit of {self.candidate.equation}"
        return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in rows.items())])

    def _repr_html_(self) -> str:
        return f"<p>Fit of <code>{self.candidate.equation}</code></p>" + self.summary().to_html()


def as_fit(found: Any) -> Fit:
    """The fit; ``TypeError`` for anything else, which says what makes one of it."""
    if isinstance(found, Fit):
        return found
    kind = type(found).__name__
    if isinstance(found, pd.DataFrame):
        raise TypeError("a fit is needed, not a table: fit_parametric(runs), or another of scaling.fit, makes one")
    if isinstance(getattr(found, "fit", None), Fit):
        raise TypeError(f"a fit is needed, not a {kind}: give its .fit")
    raise TypeError(f"a fit is needed, such as fit_parametric(runs) makes, not a {kind}")


def _drawn_whole(resamples: Resamples, by: str | None) -> str:
    """What is drawn, in words, where it is not single rows."""
    if resamples.clusters is None:
        return ""
    return f"drawn: whole {'runs' if by is None else f'groups of one {by}'}, {resamples.n} in all"


def _refitted(again: Callable[..., Fit], weights: np.ndarray) -> Fit:
    return again(weights=weights)


def _words_of(resamples: Resamples, scaled: bool) -> str:
    """What to know of draws of a part of the runs."""
    if resamples.fraction is None:
        return ""
    return words_of_parts(resamples.drawn, resamples.n, stretch(resamples.drawn, resamples.n), scaled)


def _among(resamples: Resamples, kept: np.ndarray) -> Resamples:
    """The same draws from some of the rows only."""
    if resamples.clusters is None:
        return replace(resamples, n=len(kept))
    left, codes = np.unique(resamples.clusters[kept], return_inverse=True)
    return replace(resamples, n=len(left), clusters=codes)


def _without_outliers(minimum: Minimum, base: np.ndarray, resamples: Resamples) -> tuple[Minimum, np.ndarray, str]:
    """The minimum among the runs that a robust fit did not set aside, which runs these are, and a remark.

    All of them where none lies far off, or where the fit leans on those that do.
    """
    problem, theta, aim = minimum.problem, minimum.theta, minimum.objective
    far = far_off(problem, theta, aim)
    everyone, kept = np.arange(len(far)), np.flatnonzero(~far)
    if len(kept) == len(far):
        return minimum, everyone, ""
    s, them, are = ("s", "it", "it is") if far.sum() == 1 else ("", "them", "they are")
    words = f"{far.sum()} of {len(far)} runs lie{s} far from the fit"
    rest = problem.take(kept)
    without = rest.warm(theta, base[None, kept], aim).theta[0]
    pilot = next(iter(replace(_among(resamples, kept), n_resamples=PILOT, fraction=None)))
    if leans(theta, without, rest.warm(without, pilot * base[kept], aim).theta):
        return minimum, everyone, f"{words} and move{s} it: {are} drawn like the others"
    return replace(minimum, problem=rest, theta=without), kept, f"{words}, which sets {them} aside: {are} not drawn"


def stretched_law(law: Law, centre: Law, factor: float) -> Law:
    """A law of arrays whose deviations from ``centre`` are ``factor`` times as long.

    Constants that are positive throughout deviate by their logarithms, and none changes its sign.
    """
    columns = {}
    for name, values in law.constants.items():
        each, at = np.asarray(values), np.asarray(centre.constants[name])
        if (each > 0).all() and (at > 0).all():
            columns[name] = at * (each / at) ** factor
        else:
            moved = at + factor * (each - at)
            columns[name] = np.maximum(moved, 0.0) if (each >= 0).all() and (at >= 0).all() else moved
    return type(law).of(columns)


def _summed(fits: list[Fit]) -> Resampled:
    """Fits of one kind as one law with arrays of constants."""
    tables = [fit.candidate.constants for fit in fits]
    law = type(fits[0].candidate).of({name: np.array([table[name] for table in tables]) for name in tables[0]})
    status = np.array([fit.status for fit in fits])
    return Resampled(
        samples_of(law),
        law,
        at_bound=float(np.mean(status == "at_bound")),
        not_identified=float(np.mean(status == "not_identified")),
        unconverged=float(np.mean(status == "not_converged")),
    )


def samples_of(law: Law) -> pd.DataFrame:
    """Arrays of constants as columns; of constants that are lists themselves, one each."""
    columns: dict[str, np.ndarray] = {}
    for name, values in law.constants.items():
        each = np.asarray(values)
        columns |= {name: each} if each.ndim < 2 else {f"{name} {k + 1}": x for k, x in enumerate(each.T)}
    return pd.DataFrame(columns)
