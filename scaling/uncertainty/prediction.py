"""What a run scatters about the law, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..fit.result import Fit, as_fit
from ..runs.curves import last_points, seed_noise

__all__ = ["Noise", "noise_of"]

#: repeats with fewer degrees of freedom than this say less of the noise than residuals do
LEAST_FREEDOM = 5
REPEATS, RESIDUALS = "repeated runs", "residuals"
#: what is added to the source where noise is told to grow
GROWING = ", which stray further the more compute a run has"
#: runs from which noise may be told to grow, and the rank correlation of its amount with compute, in its standard
#: deviations, which chance exceeds in one table of a hundred
LEAST_TOLD, TOLD = 20, 2.33
#: powers of compute among which that of the growth is looked for, and halvings of them
POWERS, HALVINGS = (0.0, 2.0), 40


@dataclass(frozen=True)
class Noise:
    """Scatter of ln loss among runs of one size and one number of tokens.

    Attributes
    ----------
    spread : float
        Its standard deviation.
    source : str
        ``repeated runs``, of at least five degrees of freedom; else ``residuals`` of the fit, widened by the square
        root of n over n less the number of constants. Where they grow with compute, more than chance would show in one
        table of a hundred, words say so.
    freedom : int
        Degrees of freedom of the repeats; 0 for residuals.
    residuals : array (n_runs,)
        In ln loss, widened; runs that were set aside are not among them.
    growth : float
        The power of compute (params times tokens) with which noise is told to grow; 0 where it is not.
    center : float
        ln of params times tokens where the noise is ``spread``.
    level : array (n_runs,)
        The residuals as they would be there.
    """

    spread: float
    source: str
    freedom: int
    residuals: np.ndarray
    growth: float
    center: float
    level: np.ndarray

    def times(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray:
        """Compute how many times ``spread`` the noise of a run is; 1 where noise is not told to grow.

        Parameters
        ----------
        params, tokens : float or array
            Of the run.

        Returns
        -------
        float or array
            The factor.
        """
        size, data = (np.log(np.asarray(each, dtype=float)) for each in (params, tokens))
        return np.exp(self.growth * (size + data - self.center))

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Draw from Student's distribution with the freedom of the repeats, or residuals with replacement.

        Where noise grows they are those of a run at ``center``, and :meth:`times` says how much further others stray.

        Parameters
        ----------
        shape : tuple of int
            Of the draws.
        rng : Generator
            NumPy's random numbers.

        Returns
        -------
        array
            Deviations in ln loss, of the shape asked for.
        """
        if self.freedom:
            return self.spread * rng.standard_t(self.freedom, shape)
        return rng.choice(self.level, shape)


def noise_of(fit: Fit, set_aside: Iterable[int] = ()) -> Noise:
    """Estimate the noise of a run about a fitted law of the loss.

    Parameters
    ----------
    fit : Fit
        Of a law of the loss.
    set_aside : iterable of int
        Rows of ``fit.runs`` that are left out.

    Returns
    -------
    Noise
        In ln loss.

    Raises
    ------
    TypeError
        If what is given is no fit.
    IndexError
        If there is no such row.
    """
    used = as_fit(fit).weights > 0
    used[list(set_aside)] = False
    runs = fit.runs[used]
    off = np.log(runs["loss"].to_numpy() / fit.candidate.predict(runs))
    off = off * np.sqrt(len(off) / max(len(off) - len(fit.candidate.constants), 1))
    once = last_points(runs)
    repeats = np.log(once["loss"]).groupby([once["params"], once["tokens"]])
    freedom = len(once) - repeats.ngroups
    if freedom >= LEAST_FREEDOM:
        several = (repeats.transform("size") > 1).to_numpy()
        apart = (np.log(once["loss"]) - repeats.transform("mean")).to_numpy()
        growth, center = _growth(apart[several], _compute(once[several]))
        return Noise(seed_noise(once), _named(REPEATS, growth), freedom, off, growth, center, off)
    last = runs.index.isin(once.index)
    growth, center = _growth(off[last], _compute(once))
    level = off * np.exp(-growth * (_compute(runs) - center))
    return Noise(float(np.sqrt(np.mean(level**2))), _named(RESIDUALS, growth), 0, off, growth, center, level)


def _named(source: str, growth: float) -> str:
    return source + GROWING if growth else source


def _compute(runs: pd.DataFrame) -> np.ndarray:
    """ln of params times tokens (n,), which orders runs by compute however it is counted."""
    return np.log(runs["params"].to_numpy(float)) + np.log(runs["tokens"].to_numpy(float))


def _growth(off: np.ndarray, x: np.ndarray) -> tuple[float, float]:
    r"""The power g of compute with which deviations (n,) grow, and ln compute x (n,) at its mean; 0 where untold.

    Of normal deviations of spread :math:`s e^{g x}` the likelihood is greatest where :math:`\sum_i x_i d_i^2 e^{-2 g
    x_i}` is zero, with x from its mean: it falls with g.
    """
    center = float(x.mean())
    x = x - center
    if len(x) < LEAST_TOLD or np.ptp(x) == 0 or not np.any(off):
        return 0.0, center
    ranks = [pd.Series(each).rank().to_numpy() for each in (np.abs(off), x)]
    if np.corrcoef(*ranks)[0, 1] * np.sqrt(len(x) - 1) < TOLD:
        return 0.0, center
    low, high = POWERS
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if x @ (off**2 * np.exp(-2 * middle * x)) > 0 else (low, middle)
    return low, center
