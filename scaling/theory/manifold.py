"""Why a loss may fall as a power of the number of pieces: regression on a manifold (Sharma & Kaplan 2020)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from .._checks import generator, positive, whole_number

__all__ = ["simulate_interpolation"]


#: waves that make up a target, and the standard deviation of their wave numbers in each direction
WAVES, WAVE_NUMBER = 6, 2.5
#: the most pieces that a grid or a cloud may have
MOST = 10**7


def simulate_interpolation(
    pieces: ArrayLike,
    dimension: int,
    method: str = "linear",
    ambient: int | None = None,
    targets: int = 8,
    n_test: int = 4000,
    seed: int = 0,
) -> pd.DataFrame:
    r"""Measure how the squared error of regression in N pieces falls with N in ``dimension`` dimensions.

    A piece has the width :math:`h \propto N^{-1/d}`. A function that is constant within each misses a smooth one by
    the order of h, a linear one by :math:`h^2`: squared,

    .. math:: \text{nearest: } N^{-2/d}, \qquad \text{linear: } N^{-4/d}.

    Targets are sums of plane waves on the unit cube, scaled to variance one.

    Parameters
    ----------
    pieces : array (n,)
        Their numbers N, from 1.
    dimension : int
        d, at least 1.
    method : {"linear", "nearest"}
        Multilinear interpolation on a regular grid of N cells, rounded to a whole number to the power d; or the
        value of the nearest of N random points, each of which has a piece for itself.
    ambient : int, optional
        For ``nearest``: bend the cube smoothly into so many dimensions and measure distances there. The
        method then knows nothing of the d coordinates. At least ``2 * dimension + 1``.
    targets : int, default 8
        Functions averaged, the same for every N.
    n_test : int, default 4000
        Random places at which the error is measured.
    seed : int
        Same seed, same targets and places.

    Returns
    -------
    DataFrame
        ``pieces`` (as used) and ``error``.

    Raises
    ------
    ValueError
        Naming the argument and its value.

    References
    ----------
    Sharma & Kaplan 2020 (arXiv:2004.10802): :math:`\alpha \approx 4/d`, with the parameters of a network as pieces.
    """
    (sizes,) = positive(pieces=np.ravel(pieces))
    _check(sizes, dimension, method, ambient, targets, n_test)
    rng = generator(seed)
    waves = rng.normal(0, WAVE_NUMBER, (targets, WAVES, dimension)), rng.uniform(0, 2 * np.pi, (targets, WAVES))
    test = rng.random((n_test, dimension))
    truth = _target(test, *waves)
    bend = rng.normal(0, 1.5, (dimension, ambient or 1)), rng.uniform(0, 2 * np.pi, ambient or 1)
    rows = []
    for size in sizes:
        if method == "linear":
            side = max(1, round(size ** (1 / dimension)))
            guess, used = _interpolate(side, test, waves), side**dimension
        else:
            known, used = rng.random((round(size), dimension)), round(size)
            inputs = [np.sin(x @ bend[0] + bend[1]) if ambient else x for x in (known, test)]
            guess = _target(known, *waves)[scipy.spatial.cKDTree(inputs[0]).query(inputs[1])[1]]
        rows.append((used, float(np.mean((guess - truth) ** 2))))
    return pd.DataFrame(rows, columns=["pieces", "error"])


def _check(sizes: np.ndarray, dimension: int, method: str, ambient: int | None, targets: int, n_test: int) -> None:
    for name, value in (("dimension", dimension), ("targets", targets), ("n_test", n_test)):
        whole_number(name, value)
    if method not in ("linear", "nearest"):
        raise ValueError(f"unknown method {method!r}; use 'linear' or 'nearest'")
    if ambient is not None and (method != "nearest" or ambient < 2 * dimension + 1):
        raise ValueError(f"ambient = {ambient} needs method 'nearest' and at least 2 * dimension + 1 dimensions")
    if sizes.max() > MOST or sizes.min() < 1:
        raise ValueError(f"pieces must lie between 1 and {MOST:g}, got {sizes.min():g} to {sizes.max():g}")


def _target(x: np.ndarray, numbers: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """Values of every target at places (n, d): (n, targets); a sum of cosines of mean square one."""
    return np.cos(np.einsum("nd,twd->ntw", x, numbers) + phases).sum(-1) * np.sqrt(2 / WAVES)


def _interpolate(side: int, test: np.ndarray, waves: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Multilinear interpolation on a grid of ``side`` cells along each axis."""
    axis = np.linspace(0, 1, side + 1)
    dimension = test.shape[1]
    grid = np.stack(np.meshgrid(*[axis] * dimension, indexing="ij"), axis=-1)
    values = _target(grid.reshape(-1, dimension), *waves).reshape(*[side + 1] * dimension, -1)
    return scipy.interpolate.RegularGridInterpolator([axis] * dimension, values)(test)
