"""Do runs only lose? Residuals that lean upwards are those of diverged, badly tuned or unlucky runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import at_least
from .._robust import robust_deviation
from ..fit.result import Fit, as_fit

__all__ = ["Skewness", "residual_skewness"]


#: robust standard deviations at which residuals are cut, so that heavy tails on both sides do not count as skewness
CUT = 3.0
#: standard errors from which it is said: under normal noise of at most one table in twenty, of 20 to 240 runs
SAID = 1.65
#: fewest residuals
LEAST = 8


@dataclass(frozen=True)
class Skewness:
    """The skewness of residuals, and how many standard errors it is above that of normal noise.

    Attributes
    ----------
    value : float
        The skewness.
    deviations : float
        How many standard errors it is above that of normal noise.
    """

    value: float
    deviations: float

    @property
    def one_sided(self) -> bool:
        """Whether runs lose more than they gain, beyond chance."""
        return self.deviations > SAID

    @property
    def words(self) -> str:
        """What to know, or nothing."""
        if not self.one_sided:
            return ""
        shown = f"skewness {self.value:.2f}, {self.deviations:.1f} standard errors"
        return (
            f"residuals lean upwards ({shown}): some runs may only lose, diverged or badly tuned; "
            "the objective log_one_sided fits the law of well-tuned ones"
        )


def residual_skewness(fit: Fit) -> Skewness:
    r"""Measure how far the residuals of a fit lean towards runs that do worse than the law.

    The residuals, from their median in robust standard deviations (1.4826 times the median absolute deviation), are
    cut at ±3. Of what is left, with central moments :math:`m_2` and :math:`m_3`, the skewness is compared with its
    standard error under normal noise,

    .. math:: g_1 = \frac{m_3}{m_2^{3/2}}, \qquad \mathrm{se} = \sqrt{\frac{6 (n - 2)}{(n + 1)(n + 3)}}.

    Above 1.65 standard errors runs are called one-sided. Under normal noise fewer than one table in twenty is, since
    the cut and the fit make the residuals more even than draws of their own.

    Parameters
    ----------
    fit : Fit
        By any objective but ``log_one_sided``, which takes skewness for granted; of at least eight runs.

    Returns
    -------
    Skewness
        The skewness, in its own unit and in standard errors.

    Raises
    ------
    ValueError
        For fewer runs.
    TypeError
        If what is given is no fit.
    """
    used = as_fit(fit).residuals[fit.weights > 0]
    at_least("runs", len(used), LEAST)
    away = used - np.median(used)
    spread = float(robust_deviation(away))
    cut = np.clip(away / spread, -CUT, CUT) if spread > 0 else np.sign(away)
    cut, n = cut - cut.mean(), len(cut)
    m2 = float((cut**2).mean())
    value = float((cut**3).mean()) / m2**1.5 if m2 > 0 else 0.0
    return Skewness(value, value / float(np.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))))
