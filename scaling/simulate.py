"""A known law in, synthetic runs out: the designs of the papers, and noise that is stated.

A *design* is a table with ``params``, ``tokens`` and ``flops`` = 6 · params · tokens (and ``budget`` where runs
share one); :func:`~scaling.simulate.simulate_runs` adds the ``loss`` of a law to it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ._checks import at_least_zero, between, generator, positive_finite, whole_number
from .laws.base import HasLoss, Law, of_size_and_tokens
from .laws.chinchilla import ChinchillaLaw
from .laws.power import FrontierLaw
from .optimum.allocation import compute_optimal

__all__ = ["chinchilla_like_design", "grid_design", "isoflop_design", "simulate_curves", "simulate_runs"]


def simulate_runs(
    law: HasLoss, design: pd.DataFrame, noise: float = 0.0, seed: int = 0, decimals: int | None = None
) -> pd.DataFrame:
    r"""Simulate runs that follow a law, with log-normal noise.

    .. math:: \ln L_i = \ln L(N_i, D_i) + \sigma z_i

    with every :math:`z_i` drawn from the standard normal distribution.

    Parameters
    ----------
    law : a Law, or anything with ``.loss(params, tokens)``
        The truth, nats/token. Where a law needs other columns, such as ``unique_tokens``, the design has them.
    design : DataFrame
        ``params`` and ``tokens``, one row a run; other columns are carried. Not changed.
    noise : float, default 0
        :math:`\sigma`, the standard deviation of ln loss (0.01 is one per cent).
    seed : int or sequence of int, default 0
        Same seed, same runs.
    decimals : int, optional
        Round the loss to so many decimals, as tables in papers do.

    Returns
    -------
    DataFrame
        The design with ``flops`` (6ND, where the design has none) and ``loss``.

    Raises
    ------
    ValueError
        Naming the argument and its value, or the column that the law needs and the design has not.
    TypeError
        If what is given is no law of the loss, or no table.
    """
    truth = law if isinstance(law, Law) else of_size_and_tokens(law)
    N, D = checked_design(design)
    sigma = at_least_zero("noise", noise)
    loss = truth.predict(design) if isinstance(truth, Law) else np.asarray(truth.loss(N, D), dtype=float)
    if sigma:
        loss = loss * np.exp(sigma * generator(seed).standard_normal(len(design)))
    if decimals is not None:
        loss = np.round(loss, whole_number("decimals", decimals, 0))
    runs = design.copy()
    if "flops" not in runs:
        runs["flops"] = 6 * N * D
    runs["loss"] = loss
    return runs


def checked_design(design: pd.DataFrame) -> list[np.ndarray]:
    """Sizes and tokens of a design; ``TypeError`` for no table, ``ValueError`` for one without them."""
    if not isinstance(design, pd.DataFrame):
        raise TypeError(f"a design is a DataFrame with params and tokens, not a {type(design).__name__}")
    for name in ("params", "tokens"):
        if name not in design:
            raise ValueError(f"design has no column {name!r}; its columns are {list(design.columns)}")
    return _filled(params=design["params"], tokens=design["tokens"])


def isoflop_design(
    budgets: ArrayLike,
    n_sizes: int = 9,
    width: float = 8.0,
    law: ChinchillaLaw | FrontierLaw | None = None,
    center: ArrayLike | Callable[[np.ndarray], ArrayLike] | None = None,
) -> pd.DataFrame:
    """Design IsoFLOP groups: at every budget, sizes equally spaced in ln N around a centre, D = C / 6N.

    Parameters
    ----------
    budgets : array (n_budgets,)
        Training budgets C, FLOPs.
    n_sizes : int, default 9
        Sizes a budget, at least 1.
    width : float, default 8
        Sizes run from centre / width to centre * width; larger than 1.
    law : ChinchillaLaw or FrontierLaw, optional
        The centre is this law's compute-optimal size.
    center : float, array or function of the budgets, optional
        The centre itself, one value a budget; instead of ``law``.

    Returns
    -------
    DataFrame
        ``budget``, ``params``, ``tokens``, ``flops``; ``n_sizes`` rows a budget.

    Raises
    ------
    ValueError
        Naming the argument and its value.
    TypeError
        If the law has no compute-optimal size.
    """
    (C,) = _filled(budgets=np.ravel(budgets))
    (middle,) = _filled(center=_center(C, law, center))
    middle = np.broadcast_to(middle, C.shape)
    between("width", width, 1, np.inf)
    spread = width ** np.linspace(-1, 1, whole_number("n_sizes", n_sizes)) if n_sizes != 1 else np.ones(1)
    budget = np.repeat(C, len(spread))
    return _design(np.outer(middle, spread).ravel(), budget=budget)


def _center(
    budgets: np.ndarray,
    law: ChinchillaLaw | FrontierLaw | None,
    center: ArrayLike | Callable[[np.ndarray], ArrayLike] | None,
) -> ArrayLike:
    if law is not None and center is None:
        return compute_optimal(law, budgets).params
    if law is None and center is not None:
        return center(budgets) if callable(center) else center
    raise ValueError("give either law or center: the sizes must be placed around something")


def grid_design(params: ArrayLike, tokens: ArrayLike) -> pd.DataFrame:
    """Design a grid: every size with every number of tokens.

    Parameters
    ----------
    params : array (n,)
        Sizes N, positive.
    tokens : array (m,)
        Numbers of tokens D, positive.

    Returns
    -------
    DataFrame
        ``params``, ``tokens`` and ``flops`` = 6 N D; n times m rows.

    Raises
    ------
    ValueError
        If a number is not positive and finite, or there is none.
    """
    N, D = _filled(params=np.ravel(params), tokens=np.ravel(tokens))
    return _design(np.repeat(N, len(D)), tokens=np.tile(D, len(N)))


def chinchilla_like_design(n_runs: int = 240, seed: int = 0) -> pd.DataFrame:
    """Generate a ragged design like that of the Chinchilla paper's figure 4.

    Three runs in four belong to one of nine nominal budgets from 6e18 to 3e21 FLOPs, which they miss by a
    few per cent, as points read off a figure do; the others lie anywhere between. Tokens per parameter are
    log-normal around 20 and cut at 0.5 and 400; sizes are rounded to two digits, as families of models are.

    Parameters
    ----------
    n_runs : int, default 240
        How many, at least 1.
    seed : int, default 0
        Same seed, same design.

    Returns
    -------
    DataFrame
        ``budget`` (NaN outside the groups), ``params``, ``tokens``, ``flops``.

    Raises
    ------
    ValueError
        If ``n_runs`` is no whole number from 1, or ``seed`` none from 0.
    """
    n, rng = whole_number("n_runs", n_runs), generator(seed)
    nominal = np.array([6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21])
    grouped = np.arange(n) < round(0.75 * n)
    budget = np.where(grouped, nominal[np.arange(n) % len(nominal)], np.nan)
    anywhere = np.exp(rng.uniform(np.log(nominal[0] / 2), np.log(nominal[-1] * 2), n))
    flops = np.where(grouped, budget * np.exp(rng.normal(0, 0.02, n)), anywhere)
    ratio = np.clip(np.exp(rng.normal(np.log(20), 1.3, n)), 0.5, 400)
    size = np.sqrt(flops / (6 * ratio))
    digit = 10 ** (np.floor(np.log10(size)) - 1)
    size = np.round(size / digit) * digit
    return _design(size, tokens=flops / (6 * size)).assign(budget=budget)[["budget", "params", "tokens", "flops"]]


def simulate_curves(
    law: HasLoss,
    params: ArrayLike,
    tokens_per_param: ArrayLike = (5, 12.6, 31.7, 80),
    schedule_gap: float = 0.03,
    n_points: int = 200,
    noise: float = 0.0,
    seed: int = 0,
) -> pd.DataFrame:
    r"""Simulate training curves for approach 1: each size trained to several horizons, the loss logged on the way.

    The law gives the loss at the end of a run whose learning rate has decayed to the horizon T. Before the
    end the learning rate is still high, and so is the loss. The gap is taken as proportional to what the
    cosine has still to decay:

    .. math::

        \ln L(N, t; T) &= \ln L(N, t) + \sigma z \\
                       &\quad + g\,\tfrac12\bigl(1 + \cos(\pi t/T)\bigr)

    so that it closes at t = T. This is a model of why Hoffmann et al. match the cosine's length to the run
    (section 3.1 and appendix B), not a measurement.

    Parameters
    ----------
    law : Law
        Any law with ``.loss(params, tokens)``, nats/token.
    params : array (n,)
        Model sizes.
    tokens_per_param : array (m,)
        Horizons T / N. The default is four of them spanning a factor of 16, as in the paper.
    schedule_gap : float, default 0.03
        g, the gap in ln loss while the learning rate is at its peak.
    n_points : int, default 200
        Points a curve, equally spaced in tokens up to the horizon.
    noise : float, default 0
        Standard deviation of ln loss at each logged point.
    seed : int, default 0
        Same seed, same curves.

    Returns
    -------
    DataFrame
        ``run`` (0, 1, ...), ``params``, ``tokens``, ``flops``, ``loss``, ``horizon`` (T, tokens).

    Raises
    ------
    ValueError
        Naming the argument and its value.
    TypeError
        If what is given is no law of the loss.
    """
    sizes, ratios = _filled(params=np.ravel(params), tokens_per_param=np.ravel(tokens_per_param))
    gap, points = at_least_zero("schedule_gap", schedule_gap), whole_number("n_points", n_points)
    n_runs = len(sizes) * len(ratios)
    size = np.repeat(sizes, len(ratios) * points)
    horizon = np.repeat(np.outer(sizes, ratios).ravel(), points)
    share = np.tile(np.arange(1, points + 1) / points, n_runs)
    curves = simulate_runs(law, _design(size, tokens=share * horizon), noise=noise, seed=seed)
    curves["loss"] *= np.exp(gap * 0.5 * (1 + np.cos(np.pi * share)))
    curves.insert(0, "run", np.repeat(np.arange(n_runs), points))
    return curves.assign(horizon=horizon)


def _filled(**arguments: ArrayLike) -> list[np.ndarray]:
    """Positive finite numbers, at least one of each."""
    arrays = positive_finite(**arguments)
    for name, array in zip(arguments, arrays, strict=True):
        if not array.size:
            raise ValueError(f"{name} is empty")
    return arrays


def _design(params: np.ndarray, tokens: np.ndarray | None = None, budget: np.ndarray | None = None) -> pd.DataFrame:
    if tokens is None:
        return pd.DataFrame({"budget": budget, "params": params, "tokens": budget / (6 * params), "flops": budget})
    return pd.DataFrame({"params": params, "tokens": tokens, "flops": 6 * params * tokens})
