"""A fit of the over-training law of Gadre et al. 2024 (arXiv:2403.08540)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from .._checks import positive
from ..errors import FitError
from ..laws.overtraining import EXPONENTS, OvertrainingLaw

__all__ = ["fit_overtraining"]


def fit_overtraining(params: ArrayLike, tokens: ArrayLike, loss: ArrayLike) -> OvertrainingLaw:
    """Fit an :class:`~scaling.laws.OvertrainingLaw` by least squares of the loss, as its authors do.

    For a given exponent the law is linear in E, a and b; the exponent is searched on a line, so there are no
    starting values. Nothing keeps the constants positive: look at them.

    Parameters
    ----------
    params, tokens, loss : array (n,)
        Finished runs; n at least 4, with two sizes and two ratios of tokens to parameters or more.

    Raises
    ------
    FitError
        If there are fewer than four runs, or they do not tell the constants apart.
    ValueError
        If a value is not positive.
    """
    N, D, L = (np.atleast_1d(x) for x in positive(params=params, tokens=tokens, loss=loss))
    if len(L) < 4:
        raise FitError(f"four constants cannot be fitted to {len(L)} runs")
    for name, values in (("sizes", N), ("ratios of tokens to parameters", D / N)):
        if np.ptp(np.log(values)) < 0.01:  # a per cent: ratios are rounded to whole steps of training
            raise FitError(f"runs of one value of {name} do not tell the constants apart: add a run with another")

    def solve(eta: float) -> tuple[np.ndarray, float]:
        terms = np.stack([np.ones_like(L), (6 * N**2) ** -eta, (6 * D**2) ** -eta], axis=1)
        scale = terms.max(axis=0)
        constants = np.linalg.lstsq(terms / scale, L, rcond=None)[0] / scale
        return constants, float(np.sum((terms @ constants - L) ** 2))

    grid = np.linspace(*EXPONENTS, 100)
    best = int(np.argmin([solve(eta)[1] for eta in grid]))
    inside = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    eta = minimize_scalar(lambda x: solve(x)[1], bounds=inside, method="bounded", options={"xatol": 1e-12}).x
    return OvertrainingLaw(*map(float, solve(eta)[0]), float(eta))
