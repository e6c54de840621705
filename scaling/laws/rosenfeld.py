"""The joint form of Rosenfeld et al. 2020 (arXiv:1909.12673)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from .._checks import numbers, positive
from .base import Law, read_published
from .chinchilla import ChinchillaLaw

__all__ = ["RosenfeldLaw"]


@dataclass(frozen=True, repr=False)
class RosenfeldLaw(Law):
    r"""A sum of power terms under an envelope that never rises above a guess (Rosenfeld et al. 2020).

    .. math:: L = \frac{\tilde L}{\sqrt{1 + (\tilde L/\varepsilon_0)^2}}, \qquad
              \tilde L = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}

    The same as :math:`1/L^2 = 1/\tilde L^2 + 1/\varepsilon_0^2`: where the sum is small the law is the sum,
    where it is large the law is :math:`\varepsilon_0`.

    Parameters
    ----------
    base : ChinchillaLaw
        The sum :math:`\tilde L`.
    guess : float or array
        :math:`\varepsilon_0`, the loss or error of a random guess: :math:`\ln V` nats/token for a vocabulary of V
        tokens, 1 - 1/k for the error among k classes.

    Raises
    ------
    ValueError
        If the guess is not positive.

    Notes
    -----
    The paper (arXiv:1909.12673, equations 4 and 5, at second hand) writes the envelope
    :math:`\varepsilon_0\,|\tilde\varepsilon/(\tilde\varepsilon - i\eta)|` and sets the coefficient of the data term
    to 1. Only ratios to :math:`\eta` matter, so that its constants and these are one to one; :attr:`theta` gives
    the paper's.

    Examples
    --------
    >>> law = RosenfeldLaw(ChinchillaLaw(E=2.0, A=400, B=400, alpha=0.34, beta=0.28), guess=7.0)
    >>> law.loss(1, 1).round(3), law.loss(1e15, 1e15).round(3)  # no better than a guess, and all that can be learned
    (np.float64(7.0), np.float64(1.948))
    """

    base: ChinchillaLaw
    guess: float | np.ndarray

    equation: ClassVar[str] = "L = S / sqrt(1 + (S / guess)**2), S = E + A / N**alpha + B / D**beta"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens")

    def __post_init__(self) -> None:
        positive(guess=self.guess)

    @property
    def constants(self) -> dict[str, float | np.ndarray]:
        """The five constants of the sum and the guess, by name."""
        return {**self.base.constants, "guess": self.guess}

    @classmethod
    def of(cls, constants: Mapping[str, Any]) -> Self:
        """Make the law of constants by name: those of the sum, and the guess.

        Parameters
        ----------
        constants : dict
            ``E``, ``A``, ``B``, ``alpha``, ``beta`` and ``guess``.

        Returns
        -------
        RosenfeldLaw
            With these constants.

        Raises
        ------
        TypeError
            If a constant is missing, or another is given.
        ValueError
            If the guess is not positive.
        """
        base = {name: value for name, value in constants.items() if name != "guess"}
        return cls(ChinchillaLaw.of(base), **{name: constants[name] for name in ("guess",) if name in constants})

    @classmethod
    def from_published(cls, name: str) -> Self:
        """Read a published sum and its guess from a place in ``data/published.csv``.

        Parameters
        ----------
        name : str
            The place, below which stand all six constants.

        Returns
        -------
        RosenfeldLaw
            With these constants.

        Raises
        ------
        ValueError
            If one does not stand there.
        """
        return cls.of(read_published(name, "E", "A", "B", "alpha", "beta", "guess"))

    @property
    def theta(self) -> dict[str, float | np.ndarray]:
        """The constants as the paper normalises and names them, with alpha for the data and beta for the model."""
        B = self.base.B
        return {
            "alpha": self.base.beta,
            "beta": self.base.alpha,
            "b": self.base.A / B,
            "c_inf": self.base.E / B,
            "eta": self.guess / B,
        }

    def inner(self, loss: ArrayLike) -> np.ndarray | float:
        """Find the sum below the envelope at a loss.

        Parameters
        ----------
        loss : float or array
            Positive and below the guess.

        Returns
        -------
        float or array
            The sum, in the unit of the guess.

        Raises
        ------
        ValueError
            If a loss is not positive or not below the guess.
        """
        L = numbers("loss", loss)
        if (bad := ~((L > 0) & (np.asarray(self.guess) > L))).any():
            raise ValueError(
                f"loss must be positive and below the guess, got {np.broadcast_to(L, bad.shape)[bad].flat[0]:g}"
            )
        return (L / np.sqrt(1 - (L / self.guess) ** 2))[()]

    def loss(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
        """Predict the loss of N parameters trained on D tokens.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        tokens : float or array
            Number of training tokens D, positive.

        Returns
        -------
        float or array
            Loss in the unit of the guess, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        inner = np.asarray(self.base.loss(params, tokens), dtype=float)
        return (inner / np.sqrt(1 + (inner / self.guess) ** 2))[()]
