"""Resamples and budget → runs to add: which would bring the answer closest to the truth?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from .._checks import positive_finite, proper_share, whole_number, within
from .._words import format_count, format_flops
from ..errors import FitError, FitErrorKind
from ..fit.parametric import fit_parametric
from ..fit.result import Fit
from ..laws.chinchilla import ChinchillaLaw
from ..runs.meter import Meter, find_meter
from ..uncertainty.resampling import Bootstrap, bootstrap
from ..uncertainty.subsampling import subsampled_bootstrap
from .search import Design, choose, whitened
from .slopes import AIMS, aim_slopes, aim_value, form_shifts, forms, log_sensitivities
from .training import with_optimum

__all__ = ["NextRuns", "suggest_runs"]


#: sizes, and numbers of tokens for each, that are tried
SIZES, LENGTHS = 32, 24
#: resampled laws over which the criterion is averaged
LAWS = 8
#: how the two terms of the law may join instead: the coupling k of :func:`~scaling.plan.slopes.forms`
COUPLINGS = (0.5, 0.25)
#: runs that the first pass may take at most cost a budget over this many
FIRST_PASSES = (1, 2, 4, 8, 16, 32)
#: two new runs differ by at least this factor in size or in tokens: repeats say nothing of the form of the law
APART = 2.0
#: resamples where only a fit is given
RESAMPLES = 400
#: without a budget to plan for, so many times that of the dearest run
FURTHER = 10.0
#: no run is known better than this in ln loss
LEAST_NOISE = 1e-6


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
        added, whose losses are simulated.
    bias_before, bias_after : float
        By how much the fit would miss the aim if the two terms of the law joined as in the couplings.
    couplings : tuple of float
        The k of that (see :func:`suggest_runs`).
    """

    runs: pd.DataFrame
    budget: float
    aim: str
    flops_planned: float
    estimate: float
    level: float
    width_before: float
    width_after: float
    bias_before: float
    bias_after: float
    couplings: tuple[float, ...]

    @property
    def flops(self) -> float:
        """What the runs cost together."""
        return float(self.runs["flops"].sum())

    def table(self) -> pd.DataFrame:
        """One row for each size and number of tokens: ``repeats`` says how many runs of it, ``flops`` is of one."""
        groups = self.runs.groupby(["params", "tokens"], as_index=False)
        table = groups.agg(repeats=("loss", "size"), flops=("flops", "first"), loss=("loss", "first"))
        table.insert(2, "tokens_per_param", table["tokens"] / table["params"])
        return table.sort_values(["flops", "params"], ignore_index=True)

    def _words(self) -> list[str]:
        """What the runs cost, what they do to the interval, and to the bias."""
        place = "" if self.aim == "a" else f" at {format_flops(self.flops_planned)} FLOPs"
        value, unit = f"{self.estimate:.4g}", AIMS[self.aim]
        before, after = (f"{x:.2g} wide" for x in (self.width_before, self.width_after))
        if self.aim == "params":
            value, unit = format_count(self.estimate), "ln N*"
            before, after = (f"a factor of {np.exp(x):.3g} wide" for x in (self.width_before, self.width_after))
        words = [
            f"{len(self.runs)} runs to add, {format_flops(self.flops)} of {format_flops(self.budget)} FLOPs",
            f"the {self.level:.0%} interval of {AIMS[self.aim]}{place}, {value}: {before}, then {after}",
        ]
        if self.couplings:
            form = ", ".join(f"{k:g}" for k in self.couplings)
            words.append(
                f"were the law's terms joined otherwise (k = {form}), {unit} would be missed by "
                f"{self.bias_before:.2g}, then by {self.bias_after:.2g}"
            )
        return words

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
    couplings: Sequence[float] = COUPLINGS,
    stretch: float = 3.0,
    level: float = 0.95,
) -> NextRuns:
    r"""The runs within a budget that bring the optimum of a training budget closest to the truth.

    Near the fit, the estimate of a number with the derivatives c in the constants, such as :math:`\ln N^*(C)`, has
    the variance and, where the truth's ln L differs by :math:`\phi` from any such law, the bias

    .. math:: v = \tau^2\, c^T M^{-1} c, \qquad b = \sum_i w_i \phi_i\, g_i^T M^{-1} c - h, \qquad
        M = \sum_i w_i\, g_i g_i^T,

    with :math:`g_i` the derivatives of :math:`\ln L(N_i, D_i)` in the constants, :math:`\tau` the noise of a run as
    the objective sees it, and h what the difference does to the number itself. The runs make
    :math:`v + \sum b^2` small: its logarithm, averaged over resampled laws, so that no single one decides (Bayesian
    c-optimality), with one b for each *coupling* k, a way in which the two terms of the law may join instead:

    .. math:: L_k = E + \left[(A N^{-\alpha})^{1/k} + (B D^{-\beta})^{1/k}\right]^k .

    For k = 1 it is the law; on public tables, fits of k lie between .15 and .9. Runs are taken one by one, the best
    that can still be paid for, then exchanged one for another as long as that helps; this is done from several limits
    on the cost of a run in the first pass, and the best set is kept. Any two differ by a factor of 2 or more in size
    or in tokens: repeats say nothing of the form of the law.

    Parameters
    ----------
    found : Fit or Bootstrap
        A fit of :func:`~scaling.fit.fit_parametric` with a law that is identified, or its resamples. A fit alone is
        resampled 400 times.
    budget : float
        FLOPs that the new runs may cost together, positive: 6ND, or what the runs at hand count
        (:func:`~scaling.runs.find_meter`), as all FLOPs here.
    flops : float, optional
        The training budget C at which the optimum is wanted; ten times that of the dearest run if not given.
    aim : {"params", "loss", "a"}
        What is wanted: :math:`\ln N^*(C)`, the loss at the optimum, or :math:`a = \beta/(\alpha + \beta)`.
    max_runs : int, default 12
        How many runs at most.
    max_flops_per_run : float, optional
        FLOPs that one run may cost; by default the whole budget.
    tokens_per_param : (low, high), optional
        Tokens per parameter of the new runs; by default between the least and the most of the runs at hand.
    params : array, optional
        The sizes that can be trained; by default any from the smallest at hand to ``stretch`` times the largest.
    couplings : sequence of float
        The k that are thought of, each positive; none for the variance alone.
    stretch : float, default 3
        Sizes and tokens are sought up to this factor above the largest at hand, at least 1, and never below the least.
    level : float, default 0.95
        Of the intervals whose widths are compared.

    Returns
    -------
    NextRuns
        Both widths are those of bootstrap intervals with as many resamples: for the second, the new runs get losses
        of the fitted law with noise drawn from its residuals, and the larger table is fitted and resampled.

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
    The noise is taken from the median of the absolute log-residuals, and as normal. The formula is a linear one. It
    knows of no form of the law but the couplings, so keep some runs elsewhere to check it.

    References
    ----------
    Chaloner and Verdinelli 1995, Bayesian experimental design: a review, Statistical Science 10, 273-304; Box and
    Draper 1959, A basis for the selection of a response surface design, JASA 54, 622-654, on variance and bias;
    Fedorov 1972, *Theory of Optimal Experiments*, on exchanges; Videau et al. 2026, arXiv:2608.07222, on couplings.

    Examples
    --------
    >>> import scaling
    >>> law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    >>> runs = scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(100), noise=0.01)
    >>> more = scaling.suggest_runs(scaling.fit_parametric(runs), budget=1e22, flops=1e24)
    >>> more.flops <= 1e22, more.width_after < more.width_before
    (True, True)
    """
    fit = found.fit if isinstance(found, Bootstrap) else found
    cap = _check(fit, budget, aim, max_runs, max_flops_per_run, couplings, stretch, level)
    law = fit.law
    target = FURTHER * fit.runs["flops"].max() if flops is None else positive_finite(flops=flops)[0]
    sizes = None if params is None else np.unique(positive_finite(params=params)[0])
    meter = find_meter(fit.runs)
    N, D = _candidates(fit.runs, stretch, tokens_per_param, sizes)
    N, D = _affordable(N, D, cap, meter)
    boot, _ = with_optimum(found if isinstance(found, Bootstrap) else bootstrap(fit, RESAMPLES), level)
    before, slopes, changes = _design(boot, aim, float(target), couplings, N, D, meter)
    cost = meter.flops(N, D)
    caps = [min(cap, budget / n) for n in FIRST_PASSES]
    after, chosen = choose(before, slopes, changes, cost, budget, caps, max_runs, _near(N, D))
    runs = pd.DataFrame({"params": N, "tokens": D, "flops": cost}).iloc[sorted(chosen)].reset_index(drop=True)
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
        bias_before=_typical(before.bias),
        bias_after=_typical(after.bias),
        couplings=tuple(couplings),
    )


def noise_of_a_run(fit: Fit) -> float:
    r"""Standard deviation of ln loss over a run, times what the objective loses against least squares.

    A Huber objective whose threshold is k standard deviations of normal noise has :math:`\mathrm E\psi^2/(\mathrm
    E\psi')^2` times the variance of least squares: 1 for large k, pi/2 for small k (absolute deviations).
    """
    used = fit.weights > 0
    off = np.log(fit.runs["loss"].to_numpy() / fit.candidate.loss(fit.runs["params"], fit.runs["tokens"]))[used]
    degrees = len(off) / max(len(off) - 5, 1)
    normal_mad = 1.0 / scipy.special.ndtri(0.75)  # a normal deviation over its median absolute deviation
    sigma = normal_mad * float(np.median(np.abs(off))) * np.sqrt(degrees)
    if fit.objective == "log_squares" or sigma == 0:
        return sigma
    k = 0.0 if fit.objective == "log_absolute" else fit.delta / fit.unit / sigma
    if k < 1e-4:
        return sigma * np.sqrt(np.pi / 2)
    inside = scipy.special.erf(k / np.sqrt(2))
    square = inside - k * np.sqrt(2 / np.pi) * np.exp(-(k**2) / 2) + k**2 * (1 - inside)
    return float(sigma * np.sqrt(square) / inside)


def _check(
    fit: Fit,
    budget: float,
    aim: str,
    max_runs: int,
    max_flops_per_run: float | None,
    couplings: Sequence[float],
    stretch: float,
    level: float,
) -> float:
    """All arguments but the bounds; what one run may cost."""
    if not isinstance(fit, Fit) or not isinstance(fit.candidate, ChinchillaLaw):
        kind = type(fit.candidate).__name__ if isinstance(fit, Fit) else type(fit).__name__
        raise TypeError(f"runs can be suggested for a fit of a ChinchillaLaw, not for a {kind}")
    cap = budget if max_flops_per_run is None else max_flops_per_run
    limits = "a positive number of FLOPs"
    within(limits, lambda x: (x > 0) & np.isfinite(x), budget=budget, max_flops_per_run=cap)
    if aim not in AIMS:
        raise ValueError(f"aim must be one of {', '.join(AIMS)}, got {aim!r}")
    whole_number("max_runs", max_runs)
    positive_finite(couplings=couplings)
    if not (np.isfinite(stretch) and stretch >= 1):
        raise ValueError(f"stretch must be a finite number, at least 1, got {stretch!r}")
    proper_share("level", level)
    return min(cap, budget)


def _candidates(
    runs: pd.DataFrame, stretch: float, tokens_per_param: tuple[float, float] | None, sizes: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Sizes and tokens within the bounds: even in logarithms, two digits each where the bounds leave room for it."""
    if tokens_per_param is None:
        low, high = (runs["tokens"] / runs["params"]).agg(["min", "max"])
    else:
        (low, high) = positive_finite(tokens_per_param=tokens_per_param)[0]
        if low > high:
            raise ValueError(f"tokens_per_param must be (low, high), got ({low:g}, {high:g})")
    if sizes is None:
        sizes = np.unique(_two_digits(_stretched(runs["params"], stretch, SIZES)))
    N, ratio = (x.ravel() for x in np.meshgrid(sizes, np.geomspace(low, high, LENGTHS), indexing="ij"))
    D = np.clip(_two_digits(N * ratio), low * N, high * N)
    least, *_, most = _stretched(runs["tokens"], stretch, LENGTHS)
    inside = (least <= D) & (most >= D)
    if not inside.any():
        raise ValueError(
            f"no run of the sizes from {format_count(sizes.min())} to {format_count(sizes.max())} with {low:.3g} to "
            f"{high:.3g} tokens per parameter has between {format_count(least)} and {format_count(most)} tokens, "
            f"the least of the runs and {stretch:g} times the most: state other bounds, other sizes or a larger stretch"
        )
    return N[inside], D[inside]


def _stretched(values: pd.Series, stretch: float, count: int) -> np.ndarray:
    return np.geomspace(values.min(), values.max() * stretch, count)


def _two_digits(values: np.ndarray) -> np.ndarray:
    digit = 10 ** (np.floor(np.log10(values)) - 1)
    rounded: np.ndarray = np.round(values / digit) * digit
    return rounded


def _near(N: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Which candidates are too much alike to be taken both, (m, m): size and tokens differ by less than a factor."""
    apart = [np.abs(np.subtract.outer(x, x)) < np.log(APART) for x in (np.log(N), np.log(D))]
    alike: np.ndarray = apart[0] & apart[1]
    return alike


def _affordable(N: np.ndarray, D: np.ndarray, cap: float, meter: Meter) -> tuple[np.ndarray, np.ndarray]:
    cost = meter.flops(N, D)
    if not (cost <= cap).any():
        least = int(cost.argmin())
        raise ValueError(
            f"{cap:g} FLOPs do not pay for the smallest run considered, {format_count(N[least])} parameters on "
            f"{format_count(D[least])} tokens, {format_flops(cost[least])} FLOPs: allow more, or state smaller sizes "
            "or fewer tokens per parameter"
        )
    return N[cost <= cap], D[cost <= cap]


def _design(
    boot: Bootstrap, aim: str, flops: float, couplings: Sequence[float], N: np.ndarray, D: np.ndarray, meter: Meter
) -> tuple[Design, np.ndarray, np.ndarray]:
    """What the runs at hand say, and the slopes and changes of form at the candidates, at a few resampled laws."""
    fit = boot.fit
    used = fit.weights > 0
    weights = np.sqrt(fit.weights[used] / fit.weights.max())
    runs = fit.runs[used]
    places = np.linspace(0, len(boot.samples) - 1, LAWS).round().astype(int)
    laws = replace(boot.law, **{name: value[places] for name, value in boot.law.constants.items()})
    each = laws.as_column()
    free = np.array([name not in fit.held for name in laws.constants])
    slopes, wanted = aim_slopes(laws, aim, flops, meter)[:, free], weights[:, None]
    if not slopes.any():
        words = "the constants that the aim depends on lie on a bound, so that the runs say nothing on how to move them"
        raise FitError(words, FitErrorKind.UNDETERMINED)
    present = wanted * log_sensitivities(each, runs["params"], runs["tokens"])[..., free]
    present, candidates, slopes = whitened(present, log_sensitivities(each, N, D)[..., free], slopes)
    here = wanted * forms(each, runs["params"], runs["tokens"], couplings)
    design = Design(
        inverse=np.broadcast_to(np.eye(free.sum()), (len(places), free.sum(), free.sum())),
        cross=np.einsum("knp,knq->kpq", present, here),
        aim=slopes,
        shift=form_shifts(laws, aim, flops, couplings, meter),
        noise=max(noise_of_a_run(fit), LEAST_NOISE),
    )
    return design, candidates, forms(each, N, D, couplings)


def _width(boot: Bootstrap, aim: str, flops: float, level: float, meter: Meter) -> float:
    low, high = boot.interval(level, lambda law: aim_value(law, aim, flops, meter))
    return float(high - low)


def _enlarged(boot: Bootstrap, runs: pd.DataFrame) -> Bootstrap:
    """The resamples of a larger table: new runs follow the law, with noise drawn from the residuals."""
    fit = boot.fit
    used = fit.runs[fit.weights > 0]
    off = np.log(used["loss"].to_numpy() / fit.law.loss(used["params"], used["tokens"]))
    degrees = np.sqrt(len(off) / max(len(off) - len(fit.law.constants), 1))
    noise = degrees * np.random.default_rng(boot.seed).choice(off, len(runs))
    columns = ["params", "tokens", "loss"]
    table = pd.concat([fit.runs[columns], runs.assign(loss=runs["loss"] * np.exp(noise))[columns]], ignore_index=True)
    weights = np.concatenate([fit.weights, np.full(len(runs), fit.weights.max())])
    larger = fit_parametric(table, objective=fit.objective, delta=fit.delta, n_starts=fit.n_starts, weights=weights)
    return subsampled_bootstrap(larger, n_resamples=len(boot.samples), seed=boot.seed)


def _typical(bias: np.ndarray) -> float:
    """Root mean square over the couplings, the median over the laws."""
    return float(np.median(np.sqrt((bias**2).mean(-1)))) if bias.shape[-1] else 0.0
