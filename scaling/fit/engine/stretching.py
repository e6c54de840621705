r"""From the spread of subsamples to that of the estimate.

A mean over m of n runs, drawn without replacement, varies about the mean over all n with the variance
:math:`\sigma^2 (1/m - 1/n)`, the mean over all n about the truth with :math:`\sigma^2/n`. So deviations of fits to
subsamples are :math:`\sqrt{(n - m)/m}` times as long as those of the fit itself.
"""

from __future__ import annotations

import numpy as np

from ...errors import FitError, FitErrorKind
from .newton import uncharted
from .problem import Problem


def stretch(drawn: int, n: int) -> float:
    """By how much deviations of fits to ``drawn`` of ``n`` runs are stretched; ``FitError`` where none is left out."""
    if drawn >= n:
        words = f"a part of {drawn} of {n} runs leaves none out: draw a smaller share, or with replacement"
        raise FitError(f"{words} (fraction=None)", FitErrorKind.FEW)
    return float(np.sqrt(drawn / (n - drawn)))


def words_of_parts(drawn: int, n: int, factor: float, scaled: bool, noun: str = "runs") -> str:
    """What was done with draws of a part of the runs."""
    parts = f"parts of {drawn:,} of {n:,} {noun}"
    return f"{parts}, deviations times {factor:.3g}" if scaled else f"{parts}, as they are: not the spread of the fit"


def stretched(problem: Problem, theta: np.ndarray, each: np.ndarray, factor: float) -> np.ndarray:
    """Thetas (B, p) whose deviations from ``theta`` (p,) are ``factor`` times as long, within the bounds.

    In coordinates in which they are nearly normal: the level and the slopes at the centre of the table, which the runs
    know well, and the exponents. Where E would be negative it is zero, and the exponents are larger by one factor, so
    that level and slopes are kept.
    """
    model = problem.model
    if not model.has_chart:
        return np.clip(theta + factor * (each - theta), model.lower, model.upper)
    assert model.offset is not None  # or it has no chart
    heights, exponents = model.columns.T
    centre = _chart(problem, theta[None])
    chart = np.clip(centre + factor * (_chart(problem, each) - centre), model.chart_lower, model.upper)
    level = np.maximum(chart[:, model.offset], np.finfo(float).tiny)
    terms = (np.exp(chart[:, heights]) / chart[:, exponents]).sum(1)
    chart[:, exponents] *= np.maximum(terms / level, 1.0)[:, None]
    chart[:, exponents] = np.minimum(chart[:, exponents], model.upper[exponents])
    return np.clip(uncharted(model, chart), model.lower, model.upper)


def _chart(problem: Problem, theta: np.ndarray) -> np.ndarray:
    """Level, logarithms of the slopes, and exponents; :func:`~scaling.fit.engine.newton.uncharted` goes back."""
    model = problem.model
    heights, exponents = model.columns.T
    chart = theta.copy()
    chart[:, heights] += np.log(theta[:, exponents])
    chart[:, model.offset] += np.exp(theta[:, heights]).sum(1)
    return chart
