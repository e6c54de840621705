"""Power laws of one variable, and the pair of them that is a compute-optimal frontier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import numbers, positive
from .base import Law

__all__ = ["FrontierLaw", "PowerLaw"]


@dataclass(frozen=True, repr=False)
class PowerLaw(Law):
    r"""A power law of one variable, with an optional offset.

    .. math:: y = \text{offset} + \text{coefficient}\cdot x^{\text{exponent}}

    Parameters
    ----------
    coefficient : float or array
        Value of the power term at ``x = 1``, in the unit of ``y``.
    exponent : float or array
        Signed: learning curves fall (negative), compute-optimal sizes grow (positive).
    offset : float or array, default 0
        What is left at infinite ``x`` (for a falling law), in the unit of ``y``.

    Notes
    -----
    Hestness et al. 2017 (arXiv:1712.00409; at second hand) write it :math:`\varepsilon(m) = \alpha m^{\beta_g} +
    \gamma`.
    """

    coefficient: float | np.ndarray
    exponent: float | np.ndarray
    offset: float | np.ndarray = 0.0

    equation: ClassVar[str] = "y = offset + coefficient * x**exponent"
    columns: ClassVar[tuple[str, ...]] = ("x",)

    def __call__(self, x: ArrayLike) -> np.ndarray | float:
        """Value at ``x`` (positive); raises ``ValueError`` otherwise."""
        (x,) = positive(x=x)
        return (self.offset + self.coefficient * x**self.exponent)[()]

    def value(self, *columns: ArrayLike) -> np.ndarray | float:
        """Evaluate the law at ``x``; the same as calling it.

        Parameters
        ----------
        *columns : float or array
            ``x`` alone, positive.

        Returns
        -------
        float or array
            y, of the shape of ``x``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        return self(*columns)

    def inverse(self, y: ArrayLike) -> np.ndarray | float:
        """Find the ``x`` at which the law takes the value ``y``.

        Parameters
        ----------
        y : float or array
            On the side of the offset on which the law runs.

        Returns
        -------
        float or array
            x, of the shape of ``y``.

        Raises
        ------
        ValueError
            If the law never takes such a value, or it is no number.
        """
        ratio = (numbers("y", y) - self.offset) / self.coefficient
        if np.any(~(ratio > 0)):
            raise ValueError(f"no x gives y = {np.asarray(y)!s}: the law's offset is {self.offset}")
        return (ratio ** (1.0 / np.asarray(self.exponent)))[()]


@dataclass(frozen=True, repr=False)
class FrontierLaw(Law):
    r"""Compute-optimal sizes and token counts as two power laws of the training budget.

    .. math:: N_{opt} = k_N C^{a}, \qquad D_{opt} = k_D C^{b}

    What approaches 1 and 2 of Hoffmann et al. 2022 (sections 3.1, 3.2) estimate.

    Parameters
    ----------
    params, tokens : PowerLaw
        The best number of parameters and of tokens, of the budget in FLOPs.
    loss : PowerLaw, optional
        Where known, the loss that they reach, nats/token, of the budget in FLOPs.
    """

    params: PowerLaw
    tokens: PowerLaw
    loss: PowerLaw | None = None

    equation: ClassVar[str] = "N_opt = k_N * C**a, D_opt = k_D * C**b"
    columns: ClassVar[tuple[str, ...]] = ("flops",)

    @classmethod
    def from_published(cls, name: str) -> FrontierLaw:
        """Refuse: no place in ``data/published.csv`` has two power laws.

        Parameters
        ----------
        name : str
            Any place.

        Returns
        -------
        FrontierLaw
            Never.

        Raises
        ------
        ValueError
            Always; it says how to make one of numbers instead.
        """
        words = f"no published constants named {name!r}: no place has two power laws"
        raise ValueError(f"{words}; FrontierLaw(PowerLaw(k_N, a), PowerLaw(k_D, b)) makes one of numbers")

    def value(self, *columns: ArrayLike) -> np.ndarray | float:
        """Predict the optimal size at a budget.

        Parameters
        ----------
        *columns : float or array
            The budget alone, FLOPs, positive.

        Returns
        -------
        float or array
            Number of parameters, of the shape of the budget.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        return self.params(*columns)

    @property
    def a(self) -> float | np.ndarray:
        """Exponent of the optimal size."""
        return self.params.exponent

    @property
    def b(self) -> float | np.ndarray:
        """Exponent of the optimal number of tokens."""
        return self.tokens.exponent
