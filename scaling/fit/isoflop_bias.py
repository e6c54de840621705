"""The bias of approach 2 where there is no noise at all, in closed form (Czech et al. 2026, arXiv:2603.22339)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .._checks import whole_number, within
from ..laws.chinchilla import ChinchillaLaw
from ..optimum.allocation import compute_optimal
from .frontier import FrontierFit
from .isoflop import LEAST_SIZES

__all__ = ["grid_bias", "parabola_bias"]


def parabola_bias(
    alpha: ArrayLike, beta: ArrayLike, width: ArrayLike = 8.0, n_sizes: int = 15, center: ArrayLike = 1.0
) -> np.ndarray | float:
    r"""Compute the factor by which a parabola misses the optimal size when there is no noise at all.

    At a fixed budget put :math:`N = c N^* e^v`, with c the centre of the grid over the true optimum. Up to a constant
    and a factor the loss :math:`E + A N^{-\alpha} + B D^{-\beta}` is

    .. math:: \ell(v) = \frac{\beta}{\alpha}\,(c e^v)^{-\alpha} + (c e^v)^{\beta}

    and least squares of :math:`c_0 + c_1 v + c_2 v^2` on n equally spaced v from -ln width to ln width has

    .. math::

        c_1 = \frac{\sum v \ell}{\sum v^2}, \qquad
        c_2 = \frac{n \sum v^2 \ell - \sum v^2 \sum \ell}{n \sum v^4 - (\sum v^2)^2}.

    Neither E, A, B nor the budget is left: every :math:`N^*` is multiplied by one factor, every :math:`D^*` divided
    by it, and on grids that lie alike around their optima the exponents stay right.

    Parameters
    ----------
    alpha, beta : float or array
        Exponents of the size and the data term, positive.
    width : float or array, default 8
        The sizes run from centre / width to centre * width; larger than 1.
    n_sizes : int, default 15
        Sizes on the grid, at least 4.
    center : float or array, default 1
        Centre of the grid over the true optimal size, positive. An array, one a budget, describes a drift.

    Returns
    -------
    float or array
        N at the parabola's minimum over the true :math:`N^*`; its log10 is the paper's :math:`\delta w`. NaN where the
        parabola opens downwards. The minimum may lie outside the grid, where :func:`~scaling.fit.fit_isoflop` refuses
        it.

    Raises
    ------
    ValueError
        Naming the argument and its value.

    References
    ----------
    Czech et al. 2026 (arXiv:2603.22339), section on underlying causes, and the derivation beside it; the form for
    grids off their centre is ours.

    Examples
    --------
    >>> round(float(parabola_bias(0.34, 0.28, width=16)), 4)
    1.0537
    """
    whole_number("n_sizes", n_sizes, LEAST_SIZES)
    given = {"alpha": alpha, "beta": beta, "center": center}
    checked = within("finite and larger than 0", lambda x: np.isfinite(x) & (x > 0), **given)
    checked += within("finite and larger than 1", lambda x: np.isfinite(x) & (x > 1), width=width)
    alpha, beta, center, width = (x[..., None] for x in checked)
    v = np.log(width) * np.linspace(-1, 1, int(n_sizes))
    # less its value at the optimum, which changes neither coefficient and saves digits on narrow grids
    x = v + np.log(center)
    loss = beta / alpha * np.expm1(-alpha * x) + np.expm1(beta * x)
    v2, v4 = (v**2).sum(-1), (v**4).sum(-1)
    slope = (v * loss).sum(-1) / v2
    bend = (n_sizes * (v**2 * loss).sum(-1) - v2 * loss.sum(-1)) / (n_sizes * v4 - v2**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        lowest = np.where(bend > 0, -slope / (2 * bend), np.nan)
    return (center[..., 0] * np.exp(lowest))[()]


def grid_bias(fit: FrontierFit, law: ChinchillaLaw) -> np.ndarray:
    """Compute by which factor a fit misses each budget's optimal size, were the law true and the runs without noise.

    :func:`parabola_bias` at the width and the centre of the sizes that each parabola has seen, as if they were equally
    spaced in ln N.

    Parameters
    ----------
    fit : FrontierFit
        Of :func:`~scaling.fit.fit_isoflop`, in compute of 6 N D.
    law : ChinchillaLaw
        The truth.

    Returns
    -------
    array (n_usable,)
        The factors, in the order of the usable rows of ``fit.points``.

    Raises
    ------
    ValueError
        If the law has no optimum.
    TypeError
        If what is given as the law is none of size and tokens.
    """
    points = fit.points[fit.points["usable"]]
    sizes = fit.runs.groupby("budget")["params"].agg(["min", "max"]).loc[points["budget"]]
    low, high = sizes["min"].to_numpy(float), sizes["max"].to_numpy(float)
    optimum = np.asarray(compute_optimal(law, points["budget"].to_numpy(float)).params)
    each = zip(np.sqrt(high / low), points["n_sizes"], np.sqrt(low * high) / optimum, strict=True)
    return np.array([float(parabola_bias(law.alpha, law.beta, w, int(n), center)) for w, n, center in each])
