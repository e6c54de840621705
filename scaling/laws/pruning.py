"""Sparse pre-training: a model that loses parameters while it is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["PruningSchedule"]


@dataclass(frozen=True)
class PruningSchedule:
    r"""The share of parameters that are left, from the first step to the last.

    With t the share of the steps taken and :math:`u = (t - t_0)/(t_1 - t_0)`, kept between 0 and 1,

    .. math:: \text{density}(t) = 1 - s\,\bigl[1 - (1 - u)^p\bigr].

    Parameters
    ----------
    sparsity : float
        s, the share of the parameters removed in the end; at least 0, below 1.
    start, stop : float
        :math:`t_0 < t_1`, shares of the *steps* in [0, 1].
    power : float
        p: 1 removes parameters at a constant rate, 3 is the usual cubic schedule, which is quick at first.

    Raises
    ------
    ValueError
        Outside these ranges.

    References
    ----------
    Jin et al. 2025 (arXiv:2501.12486): with the mean density times the size in the place of N, one law holds
    for sparse and dense training.

    Examples
    --------
    >>> PruningSchedule(0.4, 0.25, 0.75).mean_density, PruningSchedule(0.4, 0.25, 0.75, power=3).mean_density
    (0.8, 0.75)
    """

    sparsity: float
    start: float
    stop: float
    power: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.sparsity < 1:
            raise ValueError(f"sparsity must be at least 0 and below 1, got {self.sparsity:g}")
        if not 0 <= self.start < self.stop <= 1:
            raise ValueError(f"start and stop must satisfy 0 <= start < stop <= 1, got {self.start:g}, {self.stop:g}")
        if not self.power > 0:
            raise ValueError(f"power must be positive, got {self.power:g}")

    def _progress(self, share: ArrayLike) -> np.ndarray:
        t = np.asarray(share, dtype=float)
        if np.any(~((t >= 0) & (t <= 1))):
            raise ValueError(f"a share of the steps lies in 0 to 1, got {t[~((t >= 0) & (t <= 1))].flat[0]:g}")
        return np.clip((t - self.start) / (self.stop - self.start), 0, 1)

    def density(self, share: ArrayLike) -> np.ndarray | float:
        """Compute the share of the parameters that is left.

        Parameters
        ----------
        share : float or array
            Share of the steps taken, in [0, 1].

        Returns
        -------
        float or array
            The density, of the shape of ``share``.

        Raises
        ------
        ValueError
            For a share outside [0, 1].
        """
        return (1 - self.sparsity * (1 - (1 - self._progress(share)) ** self.power))[()]

    @property
    def mean_density(self) -> float:
        """The average over all steps: average parameter count over size."""
        ramp = (self.stop - self.start) * self.power / (self.power + 1)
        return 1 - self.sparsity * (ramp + 1 - self.stop)

    def compute_share(self, share: ArrayLike) -> np.ndarray | float:
        """Compute the share of the training compute spent, if a step costs as its density.

        Parameters
        ----------
        share : float or array
            Share of the steps taken, in [0, 1].

        Returns
        -------
        float or array
            Of the shape of ``share``.

        Raises
        ------
        ValueError
            For a share outside [0, 1].
        """
        t, u = np.asarray(share, dtype=float), self._progress(share)
        left = (1 - (1 - u) ** (self.power + 1)) / (self.power + 1)  # integral of (1 - u)^p
        removed = self.sparsity * ((self.stop - self.start) * (u - left) + np.maximum(t - self.stop, 0))
        return ((t - removed) / self.mean_density)[()]
