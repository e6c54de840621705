"""Compute-optimal frontiers without a loss formula: what approaches 1 and 2 have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import FitError, FitErrorKind
from ..laws.power import FrontierLaw, PowerLaw
from ..runs.meter import Meter
from .result import Resampled, checked_draws, rows_of_weights

__all__ = ["FrontierFit"]


class Sampler(Protocol):
    """How runs are drawn anew: ln N at the budgets of many tables, (B, k), and the budgets' logarithms."""

    def __call__(
        self, n_resamples: int, seed: int, fraction: float | None, scaled: bool
    ) -> tuple[np.ndarray, np.ndarray, str]: ...

    def under(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


class Tokens(Protocol):
    """ln D of runs of ln N (B, k) at budgets ln C (k,), in a count of compute that is not 6 N D; and ln C, (B, k)."""

    def __call__(self, log_params: np.ndarray, log_flops: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


@dataclass(frozen=True, repr=False)
class FrontierFit:
    """Optimal sizes and token counts as power laws of the budget, and the points they rest on.

    Attributes
    ----------
    law : FrontierLaw
        N_opt = k_N C^a and D_opt = k_D C^b, each by least squares of logarithms over the usable points. With C = 6 N D,
        b = 1 - a; in another count of compute both are measured.
    approach : int
        1 (envelope of training curves) or 2 (IsoFLOP parabolas).
    points : DataFrame
        One row a budget: ``budget``, ``params``, ``tokens``, ``loss``, ``usable`` and, where not
        usable, the ``reason``. Approach 2 adds ``n_sizes``, ``curvature`` and the parabola's
        ``c0``, ``c1``, ``c2`` in ln N.
    runs, dropped : DataFrame
        The rows used, and those left out with a ``reason``.
    meter : Meter
        What C counts.
    """

    law: FrontierLaw
    approach: int
    points: pd.DataFrame
    runs: pd.DataFrame
    dropped: pd.DataFrame
    _sampler: Sampler = field(compare=False)
    meter: Meter = field(default_factory=Meter)
    _tokens: Tokens | None = field(default=None, compare=False)

    @property
    def a(self) -> float:
        """Exponent of the optimal size, N_opt ∝ C^a."""
        return float(self.law.a)

    @property
    def b(self) -> float:
        """Exponent of the optimal token count, D_opt ∝ C^b."""
        return float(self.law.b)

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

        All at once and in this process: ``backend`` and ``n_jobs`` are taken and not needed. Approach 1 draws curves,
        approach 2 runs within their budget, and neither anything else.

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
            If a number is out of its range, or a column ``by`` is given.
        """
        n_resamples, seed = checked_draws(n_resamples, seed, fraction)
        if by is not None:
            drawn = "whole curves" if self.approach == 1 else "the runs of each budget"
            raise ValueError(f"approach {self.approach} draws {drawn}, not groups of one {by!r}")
        log_params, log_flops, note = self._sampler(n_resamples, seed, fraction, scaled)
        return _resampled(log_params, log_flops, note, self._tokens)

    def resampled(self, weights: ArrayLike) -> Resampled:
        """Make the fit again under each row of weights.

        In approach 1 a curve is there or not: where none of its rows has a weight, it is not.

        Parameters
        ----------
        weights : array (B, n)
            For the n rows of ``runs``.

        Returns
        -------
        Resampled
            B frontiers.

        Raises
        ------
        ValueError
            If there is no row, one has not one weight for each row of ``runs``, or a weight is negative or not finite.
        """
        drawn = self._sampler.under(rows_of_weights(weights, len(self.runs)))
        return _resampled(*drawn, tokens=self._tokens)

    def __repr__(self) -> str:
        usable = int(self.points["usable"].sum())
        lines = [
            f"Approach {self.approach}: N_opt = {self.law.params.coefficient:.4g} C^{self.a:.4f}, "
            f"D_opt = {self.law.tokens.coefficient:.4g} C^{self.b:.4f}",
            f"  {usable} of {len(self.points)} budgets usable; {len(self.runs)} rows used, "
            f"{len(self.dropped)} left out",
        ]
        lines += [f"  {self.meter.words}"] if self.meter.words else []
        lines += [f"  {count} rows left out: {why}" for why, count in self.dropped["reason"].value_counts().items()]
        reasons = self.points.loc[~self.points["usable"], "reason"].value_counts()
        return "\n".join(lines + [f"  {count} left out: {reason}" for reason, count in reasons.items()])

    def _repr_html_(self) -> str:
        head, *rest = repr(self).splitlines()
        return f"<p>{head}</p><ul>" + "".join(f"<li>{line.strip()}</li>" for line in rest) + "</ul>"


def _resampled(
    log_params: np.ndarray, log_flops: np.ndarray, note: str = "", tokens: Tokens | None = None
) -> Resampled:
    law = _frontier(log_flops, log_params, tokens)
    samples = constants_of(law)
    return Resampled(samples, law, not_identified=float(samples.isna().any(axis=1).mean()), note=note)


def constants_of(law: FrontierLaw) -> pd.DataFrame:
    """The constants of a frontier with arrays of them, a column each."""
    columns = {"k_N": law.params.coefficient, "a": law.a, "k_D": law.tokens.coefficient, "b": law.b}
    return pd.DataFrame(columns)


def _lines(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares intercepts and slopes of y (B, k) on x (k,) or (B, k), ignoring NaN; NaN below two points."""
    seen = np.isfinite(y)
    count = seen.sum(-1)
    x = np.where(seen, x, 0.0)
    y = np.where(seen, y, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        x_mean, y_mean = x.sum(-1) / count, y.sum(-1) / count
        dx = np.where(seen, x - x_mean[..., None], 0.0)
        spread = (dx**2).sum(-1)
        slope = np.where((count > 1) & (spread > 0), (dx * y).sum(-1) / spread, np.nan)
    return y_mean - slope * x_mean, slope


def _frontier(log_flops: np.ndarray, log_params: np.ndarray, tokens: Tokens | None) -> FrontierLaw:
    """The frontiers (B,) with N_opt = exp(intercept) C^slope and D_opt = C / (6 N_opt), or a line of its own."""
    if tokens is None:
        intercept, slope = _lines(log_flops, log_params)
        return FrontierLaw(PowerLaw(np.exp(intercept), slope), PowerLaw(np.exp(-intercept) / 6, 1 - slope))
    log_tokens, log_flops = tokens(log_params, log_flops)
    lines = (_lines(log_flops, each) for each in (log_params, log_tokens))
    return FrontierLaw(*(PowerLaw(np.exp(intercept), slope) for intercept, slope in lines))


def fit_frontier(
    approach: int,
    points: pd.DataFrame,
    runs: pd.DataFrame,
    dropped: pd.DataFrame,
    sampler: Sampler,
    meter: Meter,
    tokens: Tokens | None,
) -> FrontierFit:
    """The lines through the usable points; where C is not 6 N D, ``tokens`` says what each optimum was trained on."""
    if tokens is not None:
        points = points.assign(tokens=np.exp(tokens(*_logs(points))[0][0]))
    good = points[points["usable"]]
    if good["budget"].nunique() < 2:
        bad = points[~points["usable"]]
        if len(bad) <= 8:
            reasons = "; ".join(f"{r.budget:.3g}: {r.reason}" for r in bad.itertuples())
        else:
            reasons = "; ".join(f"{count} of them: {reason}" for reason, count in bad["reason"].value_counts().items())
        reasons = f" ({reasons})" if reasons else ""
        hint = "; name the budgets in a column 'budget'" if approach == 2 else ""
        found = f"{len(good)} usable budget{'' if len(good) == 1 else 's'}"
        raise FitError(f"{found}, at least two are needed for a slope{reasons}{hint}", FitErrorKind.FEW)
    log_params, log_flops = _logs(good)
    law = _frontier(log_flops, log_params, tokens)
    lines = (PowerLaw(np.ravel(x.coefficient)[0], np.ravel(x.exponent)[0]) for x in (law.params, law.tokens))
    return FrontierFit(FrontierLaw(*lines), approach, points, runs, dropped, sampler, meter, tokens)


def _logs(points: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """ln N (1, k) and ln C (k,) of the optima."""
    return np.log(points["params"].to_numpy(float))[None], np.log(points["budget"].to_numpy(float))
