"""Resamples and budget → the group of runs to add: which would bring the answer closest to the truth?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import number, positive_finite, proper_share, whole_number, within
from .._robust import robust_deviation
from .._words import format_count, format_flops, percent
from ..fit.engine.problem import Objective
from ..fit.parametric import fit_parametric, law_name, sum_problem
from ..fit.result import Fit
from ..laws.coupled import CoupledLaw, SumLaw
from ..optimum.allocation import compute_optimal
from ..runs.meter import Meter, find_meter
from ..runs.nouns import Nouns
from ..uncertainty.prediction import Noise, noise_of
from ..uncertainty.resampling import Bootstrap, bootstrap
from ..uncertainty.subsampling import subsampled_bootstrap
from .rivals import AIMS, SIX_N_D, aim_value, fit_rivals
from .search import Group, Space, best_group
from .training import with_optimum

__all__ = ["NextRuns", "suggest_runs"]


#: resampled laws with which new runs are simulated
RIVALS = 24
#: how the two terms of the law may join instead: the range of the coupling k
COUPLINGS = (0.1, 1.5)
#: runs at hand, beyond which so many of them stand for all while groups are compared
FEW = 500
#: resamples where only a fit is given
RESAMPLES = 400
#: said of a group that is the best of those tried and no better than none
NO_GAIN = (
    "no group within these bounds brings the answer closer to the truth of the rivals: of those tried this is best"
)
#: without a budget to plan for, so many times that of the most expensive run
FURTHER = 10.0
#: no run is known better than this in ln loss
LEAST_NOISE = 1e-6
#: a refit without an optimum counts as if it missed by this
LOST = 3.0


@dataclass(frozen=True, repr=False)
class NextRuns:
    """Runs to add, and what they do to the interval of what is asked.

    Attributes
    ----------
    runs : DataFrame
        ``params``, ``tokens``, ``flops`` (6ND, or as the runs at hand count them) and the ``loss`` that the law
        predicts; one row a run, so that a run which were to be repeated with another seed would stand there as often.
    budget : float
        FLOPs that all runs together may cost.
    aim : str
        What they were chosen for: ``params``, the logarithm of the compute-optimal size; ``loss``, that of the
        optimum; or ``a``, the exponent of the size.
    flops_planned : float
        The training budget at which the size, or the loss, is wanted.
    estimate : float
        Of the aim, with the fitted law; the size itself for ``params``.
    level : float
        Of the intervals.
    width_before, width_after : float
        Width of the bootstrap interval of the aim (of ln N* for ``params``) with the runs at hand, and with those
        added, whose losses are simulated. Of 240 simulated tables with noise that does not grow, one in nine came out
        wider by half and more than was said; one in four where it grew by the power 0.25 of compute.
    miss_before, miss_after : float
        By how much the fit misses the aim of the rivals (of ln N* for ``params``), root mean square, without the runs
        and with them.
    couplings : tuple of float
        The least and the largest k of the rivals (see :func:`suggest_runs`).
    """

    runs: pd.DataFrame
    budget: float
    aim: str
    flops_planned: float
    estimate: float
    level: float
    width_before: float
    width_after: float
    miss_before: float
    miss_after: float
    couplings: tuple[float, float]

    @property
    def flops(self) -> float:
        """What the runs cost together."""
        return float(self.runs["flops"].sum())

    def table(self) -> pd.DataFrame:
        """List the runs, one row for each size and number of tokens.

        Returns
        -------
        DataFrame
            ``params``, ``tokens``, ``tokens_per_param``, ``repeats`` (how many runs of it), ``flops`` (of one),
            ``loss``.
        """
        groups = self.runs.groupby(["params", "tokens"], as_index=False)
        table = groups.agg(repeats=("loss", "size"), flops=("flops", "first"), loss=("loss", "first"))
        table.insert(2, "tokens_per_param", table["tokens"] / table["params"])
        return table.sort_values(["flops", "params"], ignore_index=True)

    def _words(self) -> list[str]:
        """What the runs cost, what they do to the interval, and to the bias."""
        place = "" if self.aim == "a" else f" at {format_flops(self.flops_planned)} FLOPs"
        value, unit = f"{self.estimate:.4g}", AIMS[self.aim]
        before, after = (f"{x:.2g}" for x in (self.width_before, self.width_after))
        if self.aim == "params":
            value, unit = format_count(self.estimate), "ln N*"
            before, after = (f"a factor of {np.exp(x):.3g}" for x in (self.width_before, self.width_after))
        low, high = self.couplings
        form = "as the law says (k = 1)" if low == high == 1 else f"by k from {low:.2g} to {high:.2g}"
        words = [
            f"{len(self.runs)} runs to add, {format_flops(self.flops)} of {format_flops(self.budget)} FLOPs",
            f"the {percent(self.level)}% interval of {AIMS[self.aim]}{place}, {value}: {before} wide; with them, in "
            f"one table simulated by the law, {after}",
            f"were truth one of the rival laws, whose terms join {form}, {unit} would be missed by "
            f"{self.miss_before:.2g}, then by {self.miss_after:.2g}",
        ]
        return words if self.miss_after < self.miss_before else [NO_GAIN, *words]

    def _readable(self) -> pd.DataFrame:
        counts = {"params": format_count, "tokens": format_count, "flops": format_flops}
        formats = counts | {"tokens_per_param": "{:.3g}".format, "loss": "{:.3f}".format}
        table = self.table()
        return table.assign(**{name: table[name].map(form) for name, form in formats.items()})

    def __repr__(self) -> str:
        return "\n".join([*self._words(), self._readable().to_string(index=False)])

    def _repr_html_(self) -> str:
        return f"<p>{'; '.join(self._words())}</p>" + self._readable().to_html(index=False)


def suggest_runs(
    found: Fit | Bootstrap,
    budget: float,
    flops: float | None = None,
    aim: str = "params",
    *,
    max_runs: int = 12,
    max_flops_per_run: float | None = None,
    tokens_per_param: tuple[float, float] | None = None,
    params: ArrayLike | None = None,
    couplings: tuple[float, float] = COUPLINGS,
    stretch: float = 3.0,
    level: float = 0.95,
) -> NextRuns:
    r"""Suggest the runs within a budget that bring the optimum of a training budget closest to the truth.

    They are one IsoFLOP group, and it is chosen by trying it out:

    1. *Rivals* of the fitted law are fitted to 24 resamples of the runs. Their terms may join in another way,

       .. math:: L = E + \left[(A N^{-\alpha})^{1/k} + (B D^{-\beta})^{1/k}\right]^k ,

       with k free in a range (``couplings``); for k = 1 it is the law itself. On public tables, fits of k lie between
       0.15 and 0.9.
    2. A group has n runs, each as expensive as the budget over n (or ``max_flops_per_run``) allows, of sizes about the
       optimum of the rivals there. Each rival in turn is taken for the truth: the group's losses are simulated with
       its noise, the law is fitted to all runs, and misses what the rival says of the aim.
    3. The group with the least mean square of these misses is suggested. Its centre is moved, its width, the crowding
       of its sizes towards both ends (up to two sizes with repeats) and n changed in turn, as long as that helps.

    So the fit inherits, where it is extrapolated, neither its own wrong centre nor the noise of few runs.

    Parameters
    ----------
    found : Fit or Bootstrap
        A fit of :func:`~scaling.fit.fit_parametric` with a law that is identified, or its resamples. A fit alone is
        resampled 400 times.
    budget : float
        FLOPs that the new runs may cost together, positive: 6ND, or what the runs at hand count
        (:func:`~scaling.runs.find_meter`), as all FLOPs here.
    flops : float, optional
        The training budget C at which the optimum is wanted; ten times that of the most expensive run if not given.
    aim : {"params", "loss", "a"}
        What is wanted: :math:`\ln N^*(C)`, the loss at the optimum, or :math:`a = \beta/(\alpha + \beta)`.
    max_runs : int, default 12
        How many runs at most; groups of two thirds and of a third of it are tried too.
    max_flops_per_run : float, optional
        FLOPs that one run may cost; by default the whole budget.
    tokens_per_param : (low, high), optional
        Tokens per parameter of the new runs; by default between the least and the most of the runs at hand.
    params : array (n_sizes,), optional
        The sizes that can be trained; by default any from the smallest at hand to ``stretch`` times the largest.
    couplings : (low, high), default (0.1, 1.5)
        The range of k, positive; (1, 1) takes the law for granted.
    stretch : float, default 3
        Sizes and tokens are sought up to this factor above the largest at hand, at least 1, and never below the least.
    level : float, default 0.95
        Of the intervals whose widths are compared.

    Returns
    -------
    NextRuns
        Both widths are those of bootstrap intervals with as many resamples: for the second, the new runs get losses
        of the fitted law with noise drawn from its residuals, and the larger table is fitted and resampled. That is one
        table that may be: where new runs say little, the second interval may come out the wider one.

    Raises
    ------
    FitError
        If the law is not identified (the message says which runs would help), has fewer than 12 runs, or more than a
        tenth of its resamples have no optimum.
    ValueError
        If a number is out of its range, or no run within the bounds can be paid for.
    TypeError
        If the fit is not of the parametric loss.

    Notes
    -----
    The rivals know of no form of the law but the couplings, so keep some runs elsewhere to check it. Of more than 500
    runs, as many drawn at random stand for all while groups are compared. The same resamples give the same runs.

    References
    ----------
    Box and Draper 1959, A basis for the selection of a response surface design, JASA 54, 622-654, on variance and bias;
    Chaloner and Verdinelli 1995, Bayesian experimental design: a review, Statistical Science 10, 273-304; Videau et al.
    2026, arXiv:2608.07222, on couplings.

    Examples
    --------
    >>> import scaling
    >>> law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    >>> runs = scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(100), noise=0.01)
    >>> more = scaling.suggest_runs(scaling.fit_parametric(runs), budget=1e22, flops=1e24)
    >>> more.flops <= 1e22, more.miss_after < more.miss_before
    (True, True)
    """
    fit = found.fit if isinstance(found, Bootstrap) else found
    budget, cap = _check(fit, budget, aim, max_runs, max_flops_per_run, couplings, stretch, level)
    law = fit.law
    target = FURTHER * fit.runs["flops"].max() if flops is None else positive_finite(flops=number("flops", flops))[0]
    meter = find_meter(fit.runs)
    space = _space(fit.runs, stretch, tokens_per_param, params, meter)
    most = _affordable(space, budget, cap, max_runs)
    boot, _ = with_optimum(found if isinstance(found, Bootstrap) else bootstrap(fit, RESAMPLES), level)
    trial = Trial.of(fit, aim, float(target), couplings, boot.seed, meter)

    def runs_of(group: Group) -> tuple[np.ndarray, np.ndarray]:
        cost = min(cap, budget / group.count)
        return space.of_cost(group.sizes(trial.centre(cost)), cost)

    best = best_group(Group(most), most, lambda group: trial.miss(*runs_of(group)))
    N, D = runs_of(best)
    runs = pd.DataFrame({"params": N, "tokens": D, "flops": meter.flops(N, D)}).sort_values("params", ignore_index=True)
    runs["loss"] = law.loss(runs["params"], runs["tokens"])
    estimate = float(aim_value(law, aim, target, meter))
    return NextRuns(
        runs=runs,
        budget=float(budget),
        aim=aim,
        flops_planned=float(target),
        estimate=float(np.exp(estimate)) if aim == "params" else estimate,
        level=level,
        width_before=_width(boot, aim, target, level, meter),
        width_after=_width(_enlarged(boot, runs), aim, target, level, meter),
        miss_before=float(np.sqrt(((estimate - trial.true) ** 2).mean())),
        miss_after=float(np.sqrt(trial.miss(N, D))),
        couplings=(float(np.min(trial.rivals.k)), float(np.max(trial.rivals.k))),
    )


@dataclass(frozen=True)
class Trial:
    """Runs at hand (some of them, where they are many), and rivals under which more are simulated."""

    runs: pd.DataFrame
    weights: np.ndarray
    fit: Fit
    rivals: CoupledLaw
    true: np.ndarray
    noise: float
    growth: Noise
    aim: str
    flops: float
    seed: int
    meter: Meter

    @classmethod
    def of(
        cls, fit: Fit, aim: str, flops: float, couplings: tuple[float, float], seed: int, meter: Meter = SIX_N_D
    ) -> Trial:
        """The rivals of a fit: of resamples of its runs."""
        rng = np.random.default_rng([seed, len(fit.runs)])
        rows = np.flatnonzero(fit.weights > 0)
        weights = fit.weights / fit.weights.max()
        if len(rows) > FEW:
            weights = weights * (len(rows) / FEW)
            rows = np.sort(rng.choice(rows, FEW, replace=False))
        runs, weights, n = fit.runs.iloc[rows], weights[rows], len(rows)
        counts = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(RIVALS)]
        off = np.log(runs["loss"] / fit.candidate.loss(runs["params"], runs["tokens"])).to_numpy()
        each = np.array([np.ones(n), *counts]) * weights
        like = fit.candidate.parted if isinstance(fit.candidate, CoupledLaw) else fit.candidate
        found, left = fit_rivals(runs, each, like, couplings, _spread(off))
        rivals = found.of({name: value[1:] for name, value in found.constants.items()})
        true = aim_value(rivals, aim, flops, meter)
        return cls(runs, weights, fit, rivals, true, _spread(left), noise_of(fit), aim, flops, seed, meter)

    def centre(self, flops: float) -> float:
        """The size that the rivals think best, their median."""
        return float(np.median(compute_optimal(self.rivals, flops, meter=self.meter).params))

    def miss(self, N: np.ndarray, D: np.ndarray) -> float:
        """Mean square, over the rivals, of what a fit with these runs makes of the aim less what the rival says.

        One problem holds the runs at hand and those of all rivals, the others' with weight zero, so that all fits are
        solved in one batch.
        """
        J, m = len(self.true), len(N)
        if m == 0:
            return np.inf
        noise = self.noise * self.growth.times(N, D) * np.random.default_rng(self.seed).standard_normal((J, m))
        more = [np.tile(N, J), np.tile(D, J), (self.rivals.as_column().loss(N, D) * np.exp(noise)).ravel()]
        here = [self.runs[name].to_numpy(float) for name in ("params", "tokens", "loss")]
        params, tokens, loss = (np.concatenate(pair) for pair in zip(here, more, strict=True))
        aim = Objective(self.fit.objective, self.fit.delta)
        kind, given = type(self.fit.candidate), {"fixed": self.fit.given, "tied": self.fit.tied}
        problem = sum_problem(kind, loss, (params, tokens), raw=aim.raw, **given)
        weights = np.hstack([np.tile(self.weights, (J, 1)), np.kron(np.eye(J), np.full(m, self.weights.max()))])
        solved = problem.warm(problem.theta(self.fit.candidate.constants), weights, aim)
        with np.errstate(all="ignore"):
            law = self.fit._build(**problem.constants(solved.theta))
            off = aim_value(law, self.aim, self.flops, self.meter) - self.true
        return float((np.where(np.isfinite(off), off, LOST) ** 2).mean())


def _spread(off: np.ndarray) -> float:
    """Standard deviation of deviations, from the median of their amounts, as if they were normal."""
    degrees = np.sqrt(len(off) / max(len(off) - 6, 1))
    return max(float(robust_deviation(off) * degrees), LEAST_NOISE)


def _check(
    fit: Fit,
    budget: float,
    aim: str,
    max_runs: int,
    max_flops_per_run: float | None,
    couplings: tuple[float, float],
    stretch: float,
    level: float,
) -> tuple[float, float]:
    """All arguments but the bounds; the budget, and what one run may cost."""
    if not isinstance(fit, Fit) or not isinstance(fit.candidate, SumLaw):
        kind = type(fit.candidate).__name__ if isinstance(fit, Fit) else type(fit).__name__
        raise TypeError(f"runs can be suggested for a fit of a ChinchillaLaw or a CoupledLaw, not for a {kind}")
    cap = budget if max_flops_per_run is None else max_flops_per_run
    limits = "a positive number of FLOPs"
    budget, cap = number("budget", budget), number("max_flops_per_run", cap)
    within(limits, lambda x: (x > 0) & np.isfinite(x), budget=budget, max_flops_per_run=cap)
    if aim not in AIMS:
        raise ValueError(f"aim must be one of {', '.join(AIMS)}, got {aim!r}")
    whole_number("max_runs", max_runs)
    positive_finite(couplings=couplings)
    if len(couplings) != 2 or couplings[0] > couplings[1]:
        raise ValueError(f"couplings must be (low, high), got {couplings!r}")
    if not 1 <= number("stretch", stretch) < np.inf:
        raise ValueError(f"stretch must be a finite number, at least 1, got {stretch!r}")
    proper_share("level", level)
    return budget, min(cap, budget)


def _space(
    runs: pd.DataFrame,
    stretch: float,
    tokens_per_param: tuple[float, float] | None,
    params: ArrayLike | None,
    meter: Meter,
) -> Space:
    """The bounds, and that there is any run within them."""
    if tokens_per_param is None:
        low, high = (runs["tokens"] / runs["params"]).agg(["min", "max"])
    else:
        (low, high) = positive_finite(tokens_per_param=tokens_per_param)[0]
        if low > high:
            raise ValueError(f"tokens_per_param must be (low, high), got ({low:g}, {high:g})")
    N, D = runs["params"], runs["tokens"]
    least, most = float(D.min()), float(D.max() * stretch)
    if params is None:
        sizes = np.array([N.min(), N.max() * stretch])
        reachable = max(sizes[0], least / high) <= min(sizes[1], most / low)
    else:
        sizes = np.unique(positive_finite(params=params)[0])
        sizes = sizes[(sizes * high >= least) & (sizes * low <= most)]
        reachable = len(sizes) > 0
    if not reachable:
        known = np.ravel(np.asarray(params, dtype=float)) if params is not None else sizes
        raise ValueError(
            f"no run of the sizes from {format_count(known.min())} to {format_count(known.max())} with {low:.3g} to "
            f"{high:.3g} tokens per parameter has between {format_count(least)} and {format_count(most)} tokens, "
            f"the least of the runs and {stretch:g} times the most: state other bounds, other sizes or a larger stretch"
        )
    return Space(sizes, params is not None, (least, most), (float(low), float(high)), meter)


def _affordable(space: Space, budget: float, cap: float, max_runs: int) -> int:
    """How many runs can be paid for at most."""
    N, D = space.cheapest
    least = float(space.meter.flops(N, D)) * (1 + 1e-9)
    if least > cap:
        raise ValueError(
            f"{cap:g} FLOPs do not pay for the smallest run considered, {format_count(N)} parameters on "
            f"{format_count(D)} tokens, {format_flops(least)} FLOPs: allow more, or state smaller sizes "
            "or fewer tokens per parameter"
        )
    return min(max_runs, int(budget / least))


def _width(boot: Bootstrap, aim: str, flops: float, level: float, meter: Meter) -> float:
    low, high = boot.interval(level, lambda law: aim_value(law, aim, flops, meter))
    return float(high - low)


def _enlarged(boot: Bootstrap, runs: pd.DataFrame) -> Bootstrap:
    """The resamples of a larger table: new runs follow the law, with noise drawn from the residuals."""
    fit, scatter = boot.fit, noise_of(boot.fit)
    noise = np.random.default_rng(boot.seed).choice(scatter.level, len(runs))
    noise *= scatter.times(runs["params"], runs["tokens"])
    columns = ["params", "tokens", "loss"]
    table = pd.concat([fit.runs[columns], runs.assign(loss=runs["loss"] * np.exp(noise))[columns]], ignore_index=True)
    table = Nouns.of(fit.runs).on(table)
    weights = np.concatenate([fit.weights, np.full(len(runs), fit.weights.max())])
    options: dict[str, Any] = {name: getattr(fit, name) for name in ("objective", "delta", "n_starts")}
    larger = fit_parametric(table, weights=weights, law=law_name(fit), **options)
    return subsampled_bootstrap(larger, n_resamples=len(boot.samples), seed=boot.seed)
