"""What a run scatters about the law, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..fit.result import Fit, as_fit
from ..runs.curves import last_points, seed_noise

__all__ = ["Noise", "noise_of"]

#: repeats with fewer degrees of freedom than this say less of the noise than residuals do
LEAST_FREEDOM = 5
REPEATS, RESIDUALS = "repeated runs", "residuals"


@dataclass(frozen=True)
class Noise:
    """Scatter of ln loss among runs of one size and one number of tokens.

    Attributes
    ----------
    spread : float
        Its standard deviation.
    source : str
        ``repeated runs``, of at least five degrees of freedom; else ``residuals`` of the fit, widened by the square
        root of n over n less the number of constants.
    freedom : int
        Degrees of freedom of the repeats; 0 for residuals.
    residuals : array (n_runs,)
        In ln loss, widened; runs that were set aside are not among them.
    """

    spread: float
    source: str
    freedom: int
    residuals: np.ndarray

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Draw from Student's distribution with the freedom of the repeats, or residuals with replacement.

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
        if self.source == REPEATS:
            return self.spread * rng.standard_t(self.freedom, shape)
        return rng.choice(self.residuals, shape)


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
    freedom = len(once) - once.groupby(["params", "tokens"]).ngroups
    if freedom >= LEAST_FREEDOM:
        return Noise(seed_noise(once), REPEATS, freedom, off)
    return Noise(float(np.sqrt(np.mean(off**2))), RESIDUALS, 0, off)
