"""Fit and budget → runs to add: which would narrow the interval of the exponent most?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from .._checks import proper_share, whole_number, within
from .._words import format_count, format_flops
from ..errors import FitError, FitErrorKind
from ..fit.result import Fit
from ..laws.chinchilla import ChinchillaLaw
from ..uncertainty.resampling import Bootstrap

__all__ = ["NextRuns", "suggest_runs"]


#: sizes and numbers of tokens tried, each
GRID_POINTS = 32
#: runs that the first pass may take at most cost a budget over this many
FIRST_PASSES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
#: rounds of exchanges; three or four are enough
MOST_ROUNDS = 50
#: an exchange must lower the variance by more than this share
IMPROVES = 1e-9


@dataclass(frozen=True, repr=False)
class NextRuns:
    """Runs to add, and what they do to the interval of a, the exponent of the optimal size.

    Attributes
    ----------
    runs : DataFrame
        ``params``, ``tokens``, ``flops`` = 6ND and the ``loss`` that the law predicts; one row a run, so that a
        run which is to be repeated with another seed stands there as often.
    budget : float
        FLOPs that all runs together may cost.
    exponent : float
        a, by which the compute-optimal size grows with compute.
    level : float
        Of the intervals.
    width_before, width_after : float
        Width of the interval of a with the runs at hand, and predicted with those added.
    """

    runs: pd.DataFrame
    budget: float
    exponent: float
    level: float
    width_before: float
    width_after: float

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

    def _words(self) -> str:
        return (
            f"{len(self.runs)} runs to add, {format_flops(self.flops)} of {format_flops(self.budget)} FLOPs: "
            f"the {self.level:.0%} interval of a = {self.exponent:.3f}, {self.width_before:.2g} wide, "
            f"should become {self.width_after:.2g} wide"
        )

    def _readable(self) -> pd.DataFrame:
        counts = {"params": format_count, "tokens": format_count, "flops": format_flops}
        formats = counts | {"tokens_per_param": "{:.3g}".format, "loss": "{:.3f}".format}
        table = self.table()
        return table.assign(**{name: table[name].map(form) for name, form in formats.items()})

    def __repr__(self) -> str:
        return f"{self._words()}\n{self._readable().to_string(index=False)}"

    def _repr_html_(self) -> str:
        return f"<p>{self._words()}</p>" + self._readable().to_html(index=False)


def suggest_runs(
    found: Fit | Bootstrap,
    budget: float,
    max_runs: int = 12,
    per_run: float | None = None,
    stretch: float = 3.0,
    level: float = 0.95,
) -> NextRuns:
    r"""The runs within a budget that narrow the interval of the exponent a most, if the law holds.

    Near the fit, the estimate of :math:`a = \beta/(\alpha + \beta)` has the variance

    .. math:: \operatorname{var} a = \tau^2\, c^T M^{-1} c, \qquad M = \sum_i w_i\, g_i g_i^T,

    with :math:`g_i` the derivatives of :math:`\ln L(N_i, D_i)` in the constants, :math:`c` those of a, and
    :math:`\tau` the noise of a run as the objective sees it. A set of runs that makes it least is *c-optimal*.
    A run :math:`g` added lowers it by (Sherman and Morrison)

    .. math:: \tau^2 \frac{(g^T M^{-1} c)^2}{1 + g^T M^{-1} g},

    so that all candidates are judged at once. Runs are taken one by one, the best that can still be paid for,
    then exchanged one for another as long as that helps; this is done from several limits on the cost of a run
    in the first pass, and the best set is kept.

    Parameters
    ----------
    found : Fit or Bootstrap
        A fit of :func:`~scaling.fit.fit_parametric` with a law that is identified, or its resamples. With resamples,
        ``width_before`` is the width of their interval of a, and only the ratio of the widths is predicted; with a
        fit alone, both come from the formula and the noise of the residuals.
    budget : float
        FLOPs (6ND) that the new runs may cost together, positive.
    max_runs : int, default 12
        How many runs at most.
    per_run : float, optional
        FLOPs that one run may cost; by default the whole budget.
    stretch : float, default 3
        Sizes, tokens and tokens per parameter are sought up to this factor outside the ranges of the runs at hand,
        at least 1: further out the law itself is in doubt.
    level : float, default 0.95
        Of the intervals whose widths are compared.

    Returns
    -------
    NextRuns

    Raises
    ------
    FitError
        If the law is not identified (the message says which runs would help), or both exponents lie on a bound.
    ValueError
        If a number is out of its range, or the budget does not pay for the smallest candidate.
    TypeError
        If the fit is not of the parametric loss.

    Notes
    -----
    The noise is taken from the median of the absolute log-residuals, and as normal; a change of it changes both
    widths by the same factor, and not the runs. The formula is a linear one: where the law is only weakly known, its
    interval is too narrow, and that of resamples is to be preferred. Optimal designs put repeats on a few points;
    they trust the form of the law, so keep some runs elsewhere to check it.

    References
    ----------
    Pukelsheim 2006, *Optimal Design of Experiments*, on c-optimality; Fedorov 1972, *Theory of Optimal
    Experiments*, on exchanges.

    Examples
    --------
    >>> import scaling
    >>> law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    >>> runs = scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(100), noise=0.01)
    >>> more = scaling.suggest_runs(scaling.fit_parametric(runs), budget=1e21)
    >>> more.flops <= 1e21, more.width_after < more.width_before
    (True, True)
    """
    fit = found.fit if isinstance(found, Bootstrap) else found
    cap = _check(fit, budget, max_runs, per_run, stretch, level)
    law = fit.law
    N, D = _candidates(fit.runs, stretch, cap)
    if not len(N):
        cheapest = format_flops(float(np.min(6 * np.prod(_candidates(fit.runs, stretch, np.inf), axis=0))))
        raise ValueError(f"{cap:g} FLOPs do not pay for the smallest run considered, of {cheapest} FLOPs")
    free = np.array([name not in fit.held for name in law.constants])
    aim = np.array([0.0, 0.0, 0.0, -law.beta, law.alpha])[free] / (law.alpha + law.beta) ** 2
    if not aim.any():
        words = "both exponents lie on a bound, so that the runs say nothing on how to move them"
        raise FitError(words, FitErrorKind.UNDETERMINED)
    used = fit.runs[fit.weights > 0]
    weights = np.sqrt(fit.weights[fit.weights > 0] / fit.weights.max())[:, None]
    present = weights * log_sensitivities(law, used["params"], used["tokens"])[:, free]
    triangle = np.linalg.qr(present, mode="r")  # in its units the information at hand is the identity
    aim = scipy.linalg.solve_triangular(triangle, aim, trans="T")
    rows = scipy.linalg.solve_triangular(triangle, log_sensitivities(law, N, D)[:, free].T, trans="T").T
    cost = 6 * N * D
    plans = [_choose(rows, cost, aim, budget, min(cap, budget / share), max_runs) for share in FIRST_PASSES]
    variance, chosen = min(plans, key=lambda each: each[0])
    runs = pd.DataFrame({"params": N, "tokens": D, "flops": cost}).iloc[sorted(chosen)].reset_index(drop=True)
    runs["loss"] = law.loss(runs["params"], runs["tokens"])
    if isinstance(found, Bootstrap):
        low, high = found.interval(level, of="a")
        before = high - low
        if not np.isfinite(before):
            words = "too many resamples have no exponent a for an interval that runs could narrow"
            raise FitError(words, FitErrorKind.UNDETERMINED)
    else:
        before = 2 * scipy.special.ndtri((1 + level) / 2) * noise_of_a_run(fit) * np.sqrt(aim @ aim)
    after = before * np.sqrt(variance / (aim @ aim))
    return NextRuns(runs, float(budget), float(law.a), level, float(before), float(after))


def log_sensitivities(law: ChinchillaLaw, params: ArrayLike, tokens: ArrayLike) -> np.ndarray:
    """Derivatives of ln L in E, ln A, ln B, alpha and beta at each run, (n, 5)."""
    N, D = np.asarray(params, dtype=float), np.asarray(tokens, dtype=float)
    size, data = law.A * N**-law.alpha, law.B * D**-law.beta
    terms = np.array([np.ones_like(N), size, data, -size * np.log(N), -data * np.log(D)])
    return (terms / (law.E + size + data)).T


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


def _check(fit: Fit, budget: float, max_runs: int, per_run: float | None, stretch: float, level: float) -> float:
    """All arguments; what one run may cost."""
    if not isinstance(fit, Fit) or not isinstance(fit.candidate, ChinchillaLaw):
        kind = type(fit.candidate).__name__ if isinstance(fit, Fit) else type(fit).__name__
        raise TypeError(f"runs can be suggested for a fit of a ChinchillaLaw, not for a {kind}")
    cap = budget if per_run is None else per_run
    within("a positive number of FLOPs", lambda x: (x > 0) & np.isfinite(x), budget=budget, per_run=cap)
    whole_number("max_runs", max_runs)
    if not (np.isfinite(stretch) and stretch >= 1):
        raise ValueError(f"stretch must be a finite number, at least 1, got {stretch!r}")
    proper_share("level", level)
    return min(cap, budget)


def _candidates(runs: pd.DataFrame, stretch: float, cap: float) -> tuple[np.ndarray, np.ndarray]:
    """Sizes and tokens on a grid in logarithms, two digits each: affordable, and not too unlike the runs at hand."""
    axes = []
    for name in ("params", "tokens"):
        values = np.geomspace(runs[name].min() / stretch, runs[name].max() * stretch, GRID_POINTS)
        digit = 10 ** (np.floor(np.log10(values)) - 1)
        axes.append(np.unique(np.round(values / digit) * digit))
    N, D = (x.ravel() for x in np.meshgrid(*axes, indexing="ij"))
    ratios = runs["tokens"] / runs["params"]
    cost, ratio = 6 * N * D, D / N
    wanted = (cost <= cap) & (ratio >= ratios.min() / stretch) & (ratio <= ratios.max() * stretch)
    return N[wanted], D[wanted]


def _gains(rows: np.ndarray, inverse: np.ndarray, aim: np.ndarray) -> np.ndarray:
    """By how much each candidate would lower aim' inverse aim."""
    return (rows @ (inverse @ aim)) ** 2 / (1 + np.einsum("ij,jk,ik->i", rows, inverse, rows))


def _updated(inverse: np.ndarray, row: np.ndarray, sign: int) -> np.ndarray:
    """The inverse information with a run added (+1) or taken away (-1)."""
    along = inverse @ row
    return inverse - sign * np.outer(along, along) / (1 + sign * (row @ along))


def _choose(
    rows: np.ndarray, cost: np.ndarray, aim: np.ndarray, budget: float, cap: float, max_runs: int
) -> tuple[float, list[int]]:
    """Variance and candidates: one after the other under a cap on the cost of each, then by exchange without it."""
    inverse, chosen, left = np.eye(len(aim)), [], budget
    for _ in range(max_runs):
        gains = np.where(cost <= min(cap, left), _gains(rows, inverse, aim), -np.inf)
        best = int(gains.argmax())
        if not gains[best] > 0:
            break
        inverse, left = _updated(inverse, rows[best], +1), left - cost[best]
        chosen.append(best)
    for _ in range(MOST_ROUNDS):
        before = aim @ inverse @ aim
        for place, old in enumerate(chosen):
            without = _updated(inverse, rows[old], -1)
            gains = np.where(cost <= left + cost[old], _gains(rows, without, aim), -np.inf)
            gains[old] = max(gains[old], 0.0)
            best = int(gains.argmax())
            if gains[best] > gains[old]:
                chosen[place], left = best, left + cost[old] - cost[best]
            inverse = _updated(without, rows[chosen[place]], +1)
        if aim @ inverse @ aim >= before * (1 - IMPROVES):
            break
    return float(aim @ inverse @ aim), chosen
