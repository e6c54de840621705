"""The best learning rate and batch size: the Step law of Li et al. 2025 (arXiv:2503.04715)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .base import Law, read_published

__all__ = ["StepLaw"]


@dataclass(frozen=True, repr=False)
class StepLaw(Law):
    r"""The best peak learning rate of a size and a number of tokens, and the best batch.

    .. math:: \eta^*(N, D) = c\,N^{\mu} D^{\nu}, \qquad B^*(D) = d\,D^{\delta}

    N counts parameters without embeddings, and all experts; D tokens; B* tokens a step.

    Parameters
    ----------
    c, mu, nu : float or array
        Of the learning rate.
    d, delta : float or array
        Of the batch.

    References
    ----------
    Li et al. 2025 (arXiv:2503.04715), equation 1, at second hand.

    Examples
    --------
    >>> law = StepLaw.from_published("li2025/eq1")
    >>> float(law.learning_rate(1e9, 1e11).round(5)), float(law.batch(1e11).round(-4))
    (0.00163, 1110000.0)
    """

    c: float | np.ndarray
    mu: float | np.ndarray
    nu: float | np.ndarray
    d: float | np.ndarray
    delta: float | np.ndarray

    equation: ClassVar[str] = "eta = c * N**mu * D**nu, B = d * D**delta"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens")

    @classmethod
    def from_published(cls, name: str = "li2025/eq1") -> StepLaw:
        """Read the constants of equation 1.

        Parameters
        ----------
        name : str
            Their place in ``data/published.csv``.

        Returns
        -------
        StepLaw
            With these constants.

        Raises
        ------
        ValueError
            For a place that does not have them.
        """
        found = read_published(name, "lr/c", "lr/N", "lr/D", "batch/d", "batch/D", known="li2025/eq1")
        return cls(*found.values())

    def learning_rate(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
        """Predict the best peak learning rate.

        Parameters
        ----------
        params : float or array
            Parameters without embeddings, of all experts, positive.
        tokens : float or array
            Number of training tokens D, positive.

        Returns
        -------
        float or array
            The learning rate, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        N, D = positive(params=params, tokens=tokens)
        return np.asarray(self.c * N**self.mu * D**self.nu)[()]

    def batch(self, tokens: ArrayLike) -> np.ndarray | float:
        """Predict the best batch.

        Parameters
        ----------
        tokens : float or array
            Number of training tokens D, positive.

        Returns
        -------
        float or array
            Tokens a step, of the shape of ``tokens``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (D,) = positive(tokens=tokens)
        return np.asarray(self.d * D**self.delta)[()]

    def value(self, *columns: ArrayLike) -> np.ndarray | float:
        """Predict the best peak learning rate, as :meth:`learning_rate` does.

        Parameters
        ----------
        *columns : float or array
            ``params`` and ``tokens``, positive.

        Returns
        -------
        float or array
            The learning rate, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        return self.learning_rate(*columns)
