"""How far off may a law be where no run is yet? A discrepancy beside the law, learnt from what it misses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import positive, proper_share
from .._robust import robust_deviation
from ..errors import FitError, FitErrorKind
from ..fit.certainty import far_below
from ..fit.result import Fit, as_fit
from ..laws.coupled import CoupledLaw, SumLaw
from ..runs.meter import find_meter
from .extrapolation import find_cuts

__all__ = ["Band", "Discrepancy", "find_discrepancy"]


#: over what factor of size or tokens the discrepancy stays alike: e to these powers, all equally likely beforehand
LENGTHS = (2.0, 4.0, 8.0)
#: variance of the discrepancy over that of the noise, as tried
RATIOS = np.geomspace(1e-4, 1e4, 33)
#: residuals count as no more than so many robust standard deviations: a diverged run is not the law's fault
SIGMAS = 5.0
#: most runs that are looked at, spread evenly over compute
MOST_RUNS = 300
#: fewest runs from which anything is learnt or forecast, and fewest forecasts that make a band believed
LEAST_RUNS, LEAST_FORECASTS = 10, 2
#: commands need not wait for SciPy's special functions
NORMAL = NormalDist()
#: forecasts that went as wrong as this would by chance in one table of a hundred
TOO_WRONG = 0.01


@dataclass(frozen=True)
class Band:
    """What runs may reach where the law may be wrong: arrays, one a point, NaN where nothing can be said.

    Attributes
    ----------
    estimate : float or array (...)
        The loss of the law and its discrepancy, nats/token.
    low, high : float or array (...)
        The ends of its interval.
    level : float
        Of the interval.
    reason : str
        Why nothing can be said; empty where something can.
    """

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: float
    reason: str = ""


@dataclass(frozen=True)
class _Seen:
    """Runs as the discrepancy sees them: where they lie (n, 2), the law's slopes (n, 5), and what the law misses (n,).

    ``weights`` are how many runs a row stands for.
    """

    logs: np.ndarray
    slopes: np.ndarray
    missed: np.ndarray
    weights: np.ndarray

    def take(self, rows: np.ndarray) -> _Seen:
        return _Seen(self.logs[rows], self.slopes[rows], self.missed[rows], self.weights[rows])


@dataclass(frozen=True, repr=False)
class Discrepancy:
    """What a law cannot express, as far as its runs show it; see :func:`~scaling.diagnostics.find_discrepancy`.

    Attributes
    ----------
    fit : Fit
        The fit that was looked at.
    size, noise : float
        Standard deviations in ln loss, over the runs: of the discrepancy that no constants of the law make up for, and
        of the noise.
    forecasts : DataFrame
        One row a cut: each next budget (or, without budgets, each next part of the runs) as forecast from all cheaper
        runs: ``cut`` (most expensive run that was used, FLOP), ``reach`` (mean compute over it), ``n_runs``, ``error``
        (mean of ln observed − ln forecast) and ``deviations`` (that error in standard deviations of the forecast).
    p : float
        Probability of forecasts that miss as much, if the band is right; NaN where there is none.
    """

    fit: Fit
    size: float
    noise: float
    forecasts: pd.DataFrame
    p: float
    _process: _Process

    def band(self, params: ArrayLike, tokens: ArrayLike, level: float = 0.95, noise: bool = False) -> Band:
        """Tell where the loss lies: of a mean over many runs, or of one run.

        Parameters
        ----------
        params, tokens : float or array
            Size and tokens, positive; they broadcast.
        level : float
            Of the interval.
        noise : bool
            Whether it is that of one run.

        Returns
        -------
        Band
            Of the broadcast shape.

        Raises
        ------
        ValueError
            If a number is not positive or ``level`` does not lie between 0 and 1.
        """
        proper_share("level", level)
        N, D = np.broadcast_arrays(*positive(params=params, tokens=tokens))
        shape, N, D = N.shape, N.ravel(), D.ravel()
        mean, deviation = self._process.predict(_seen(self.fit.law, N, D), noise)
        far = NORMAL.inv_cdf((1 + level) / 2) * deviation
        law = np.asarray(self.fit.law.loss(N, D))
        reason = self._reason(find_meter(self.fit.runs).flops(N, D))
        silent = np.nan if reason else 0.0
        with np.errstate(over="ignore"):  # far beyond the runs, where nothing is said anyway
            ends = [law * np.exp(mean + shift) + silent for shift in (0.0, -far, far)]
        estimate, low, high = (each.reshape(shape)[()] for each in ends)
        return Band(estimate, low, high, level, reason)

    def _reason(self, flops: np.ndarray) -> str:
        """Why nothing can be said of runs of ``flops``, (n,); nothing where it can."""
        if (known := len(self.forecasts)) < LEAST_FORECASTS:
            said = f"{known} forecast{'s' * (known != 1)} of a larger budget from cheaper ones can be checked"
            return f"{said}, {LEAST_FORECASTS} are needed: add budgets"
        if self.p < TOO_WRONG:
            worst = self.forecasts["deviations"].abs().max()
            return f"forecasts of larger budgets from cheaper ones miss by up to {worst:.1f} standard deviations"
        C = self.fit.runs["flops"]
        if (most := float(flops.max())) / C.max() > C.max() / C.min():
            span = f"{np.log10(most / C.max()):.1f} decades beyond the most expensive run, and the runs span"
            return f"it lies {span} {np.log10(C.max() / C.min()):.1f}"
        below = far_below(float(np.log(flops.min())), np.log(C.to_numpy()))
        return f"it {below}" if below else ""

    def __repr__(self) -> str:
        known = f"{self.size:.2%} of the loss over the runs, beside noise of {self.noise:.2%}"
        head = f"Discrepancy of {self.fit.candidate.equation}: {known}; forecasts p = {self.p:.2g}"
        return f"{head}\n{self.forecasts.to_string(index=False, float_format='{:.3g}'.format)}"


def find_discrepancy(fit: Fit) -> Discrepancy:
    r"""Learn how far a law may be off from what it misses, budget by budget.

    A law has its form from an assumption; its intervals take the form for granted. Here ln loss is the law, plus a
    smooth discrepancy of size and tokens, plus noise:

    .. math:: \ln L_i = \ln \hat L_\theta(N_i, D_i) + \delta(\ln N_i, \ln D_i) + \varepsilon_i, \qquad
        \varepsilon_i \sim \mathcal N(0, \sigma^2 / w_i),

    where :math:`\delta` is a Gaussian process with covariance :math:`\tau^2 (1 + r + r^2/3)\,e^{-r}`,
    :math:`r = \sqrt{5}\,|x - x'| / \ell`, in the plane of :math:`x = (\ln N, \ln D)`. The law's constants are estimated
    with it, to first order and with no prior of their own (universal kriging), so :math:`\delta` is what they cannot
    make up for, and its uncertainty grows with the distance from the runs: slowly to the next budget, to many times
    that a decade on. The scale :math:`\tau^2` is that of the part outside the law, averaged over the runs.

    The likelihood of :math:`\tau/\sigma` and :math:`\ell`, of the part of the residuals that the law's constants leave,
    is the product of the forecasts of each budget from the cheaper ones. It is averaged over :math:`\ell` = 2, 4 and 8
    (factors of e²…e⁸ in size or tokens) and over :math:`\tau/\sigma` under a half-Cauchy prior of scale 1. So where
    nothing shows, the discrepancy is not taken to be zero, but at most comparable with the noise.

    Nothing is said (``Band.reason``) where fewer than two budgets can be forecast from cheaper ones, where those
    forecasts miss by more than chance explains (chi-squared, 1 %), and further beyond the most expensive run, or below
    the cheapest, than the runs span in ln C. Residuals count as at most five robust standard deviations. Of a table of
    more than 300 runs, 300 spread evenly over compute are looked at.

    Parameters
    ----------
    fit : Fit
        Of :func:`~scaling.fit.fit_parametric`, by logarithms of the loss.

    Returns
    -------
    Discrepancy
        How far the law is off, and how well that was foreseen.

    Raises
    ------
    FitError
        If the law is not identified, or by fewer than ten runs.
    TypeError
        If the fit is of another law, of raw losses, or of the law of well-tuned runs (one-sided objectives).

    References
    ----------
    Kennedy and O'Hagan 2001, Bayesian calibration of computer models, Journal of the Royal Statistical Society B 63,
    425-464. Gelman 2006, Prior distributions for variance parameters in hierarchical models, Bayesian Analysis 1,
    515-533.

    Examples
    --------
    >>> import scaling
    >>> law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    >>> runs = scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(100), noise=0.006)
    >>> found = scaling.diagnostics.find_discrepancy(scaling.fit_parametric(runs))
    >>> best = scaling.compute_optimal(law, 6e22)
    >>> band = found.band(best.params, best.tokens)
    >>> bool(band.low < best.loss < band.high)
    True
    """
    if not isinstance(as_fit(fit).candidate, SumLaw) or fit.objective in ("huber", "log_one_sided") or fit.tau != 0.5:
        words = "a ChinchillaLaw or CoupledLaw through the middle of the runs, by logarithms of the loss"
        raise TypeError(f"a discrepancy needs {words}: fit with fit_parametric and objective='log_huber'")
    law, used = fit.law, np.flatnonzero(fit.weights > 0)
    if len(used) < LEAST_RUNS:
        words = f"{len(used)} runs are too few to tell what a law misses from noise: at least {LEAST_RUNS} are needed"
        raise FitError(words, FitErrorKind.FEW)
    order = used[np.argsort(fit.runs["flops"].to_numpy()[used], kind="stable")]
    order = order[np.unique(np.linspace(0, len(order) - 1, min(MOST_RUNS, len(order))).round().astype(int))]
    table = fit.runs.iloc[order]
    edge = SIGMAS * float(robust_deviation(fit.residuals[order]))
    missed = np.clip(fit.residuals[order], -edge, edge)
    weights = fit.weights[order] / fit.weights[order].mean()
    seen = _seen(law, table["params"].to_numpy(float), table["tokens"].to_numpy(float), missed, weights)
    names = ["cut", "reach", "n_runs", "error", "deviations"]
    forecasts, p = pd.DataFrame(list(_forecasts(table, seen)), columns=names), np.nan
    if len(forecasts):
        p = _chance(forecasts["deviations"].to_numpy())
    process = _Process(seen)
    return Discrepancy(fit, process.size, process.noise, forecasts, p, process)


def _seen(law: SumLaw, N: np.ndarray, D: np.ndarray, missed: ArrayLike = 0.0, weights: ArrayLike = 1.0) -> _Seen:
    """Points with the slopes of ln loss there."""
    logs = np.log(np.column_stack([N, D]))
    return _Seen(logs, slopes_of(law, N, D), *(np.broadcast_to(x, N.shape) for x in (missed, weights)))


def slopes_of(law: SumLaw, N: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Slopes of ln loss in E, ln A, ln B, alpha, beta and, where there is one, k, a row a point."""
    size, data = law.terms(N, D)
    coupling = []
    if isinstance(law, CoupledLaw):
        inner, whole = size + data, (size + data) ** law.k
        size, data, coupling = law.k * whole * size / inner, law.k * whole * data / inner, [whole * np.log(inner)]
    parts = np.column_stack([np.ones_like(size), size, data, -np.log(N) * size, -np.log(D) * data, *coupling])
    return np.asarray(parts / np.asarray(law.loss(N, D))[:, None])


def _forecasts(table: pd.DataFrame, seen: _Seen) -> Iterator[tuple[float, float, int, float, float]]:
    """Each next part of the runs as forecast from all cheaper ones."""
    flops = table["flops"].to_numpy()
    edges = [edge for _, edge in find_cuts(table, None)]
    for cut, end in pairwise([*edges, np.inf]):
        before, after = flops <= cut, (flops > cut) & (flops <= end)
        if before.sum() < LEAST_RUNS or not after.any() or not _told_apart(seen.slopes[before]):
            continue
        new = seen.take(after)
        found, deviation = _Process(seen.take(before)).predict(new, noise=True, mean=True)
        error = float(np.average(new.missed, weights=new.weights) - found[0])
        reach = float(np.exp(np.log(flops[after]).mean()) / cut)
        yield float(cut), reach, int(after.sum()), error, error / float(deviation[0])


def _told_apart(slopes: np.ndarray) -> bool:
    """Whether runs tell all constants of a law apart, which repeats of a few designs do not."""
    return bool(np.linalg.matrix_rank(slopes) == slopes.shape[1])


def _chance(deviations: np.ndarray) -> float:
    """Probability of a larger sum of squares of standard normal deviates (chi-squared, after Wilson and Hilferty)."""
    spread = 2.0 / (9.0 * len(deviations))
    return NORMAL.cdf((1.0 - spread - float((deviations**2).mean()) ** (1 / 3)) / np.sqrt(spread))


class _Process:
    """A Gaussian process beside a linearised law, and the mixture of its scales that the runs suggest."""

    def __init__(self, seen: _Seen) -> None:
        self.seen, root = seen, np.sqrt(seen.weights)[:, None]
        n, p = seen.slopes.shape
        self.freedom = n - p
        basis, triangle = np.linalg.qr(seen.slopes * root, mode="complete")
        self.law, self.rest, self.triangle = basis[:, :p] * root, basis[:, p:] * root, triangle[:p]
        left = self.rest.T @ seen.missed
        self.parts, likelihoods = [], []
        for length in LENGTHS:
            alike = _alike(seen.logs, seen.logs, length)
            inner = self.rest.T @ alike @ self.rest
            scale = np.trace(inner) / self.freedom
            spectrum, turn = np.linalg.eigh(inner / scale)
            turned, spread = turn.T @ left, 1.0 + RATIOS[:, None] * np.maximum(spectrum, 0.0)
            variance = np.maximum((turned**2 / spread).mean(1), 1e-300)
            self.parts.append((length, scale, alike / scale, self.rest @ turn, turned, spread, variance))
            likelihoods.append(-0.5 * (np.log(spread).sum(1) + self.freedom * np.log(variance)))
        prior = np.sqrt(RATIOS) / (1.0 + RATIOS)  # of ln ratio, where the root of the ratio is half-Cauchy
        self.weight = np.exp(np.array(likelihoods) - np.max(likelihoods)) * prior
        self.weight /= self.weight.sum()
        variances = np.array([variance for *_, variance in self.parts])
        self.noise = float(np.sqrt((self.weight * variances).sum()))
        self.size = float(np.sqrt((self.weight * variances * RATIOS).sum()))

    def predict(self, new: _Seen, noise: bool, mean: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """What the law misses at each new point, and how far that may be off; or of their weighted ``mean``, as one."""
        seen, slopes, own = self.seen, new.slopes, noise / new.weights
        if mean:
            share = new.weights / new.weights.sum()
            slopes, own = share[None] @ slopes, np.array([share**2 @ own])
        through = self.law @ np.linalg.solve(self.triangle.T, slopes.T)
        straight, known = seen.missed @ through, (through**2 / seen.weights[:, None]).sum(0)
        student = self.freedom / (self.freedom - 2.0)  # the noise is not known either: Student's variance
        found, squared = np.zeros(len(slopes)), np.zeros(len(slopes))
        for (length, scale, within, axes, turned, spread, variance), weight in zip(
            self.parts, self.weight, strict=True
        ):
            between, among = _alike(new.logs, seen.logs, length) / scale, np.full(len(slopes), 1 / scale)
            if mean:
                between, among = share[None] @ between, np.array([share @ _alike(new.logs, new.logs, length) @ share])
                among /= scale
            past = within @ through
            apart = (between - past.T) @ axes
            before = among - 2 * (between * through.T).sum(1) + (through * past).sum(0)
            each = straight[:, None] + (apart * turned) @ (RATIOS[:, None] / spread).T
            told = apart**2 @ (RATIOS[:, None] ** 2 / spread).T
            left = student * variance * np.maximum(RATIOS * before[:, None] - told + (known + own)[:, None], 0.0)
            found += each @ weight
            squared += (left + each**2) @ weight
        return found, np.sqrt(np.maximum(squared - found**2, 1e-300))


def _alike(x: np.ndarray, y: np.ndarray, length: float) -> np.ndarray:
    """Matérn's correlation of smoothness 5/2 between points (n, 2) and (m, 2)."""
    gaps = x[:, None, :] - y[None, :, :]
    r = np.sqrt(5.0 * np.vecdot(gaps, gaps)) / length
    return (1.0 + r + r * r / 3.0) * np.exp(-r)
