"""What size and tokens mean on a task: a law of the loss, and a curve from the loss to the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import Law
from .chinchilla import ChinchillaLaw
from .overtraining import DownstreamLaw, SigmoidLaw

__all__ = ["TaskLaw"]


@dataclass(frozen=True, repr=False)
class TaskLaw(Law):
    r"""The share of right answers on a task from size and tokens, in two steps.

    .. math:: \text{Acc}(N, D) = \text{Acc}(L(N, D)), \qquad L(N, D) = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}

    Parameters
    ----------
    first : ChinchillaLaw
        The loss, of a text or of the task's right answers.
    second : SigmoidLaw or DownstreamLaw
        The task at that loss.

    References
    ----------
    Bhagia et al. 2024 (arXiv:2412.04403); Gadre et al. 2024 (arXiv:2403.08540).

    Examples
    --------
    >>> law = TaskLaw(ChinchillaLaw.from_published("besiroglu2024"), SigmoidLaw(0.25, 0.95, slope=5.0, middle=2.3))
    >>> round(float(law.accuracy(7e9, 4e12)), 3)
    0.794
    """

    first: ChinchillaLaw
    second: SigmoidLaw | DownstreamLaw

    equation: ClassVar[str] = "Acc = Acc(L), L = E + A / N**alpha + B / D**beta"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens")

    @property
    def constants(self) -> dict[str, Any]:
        """The constants of both steps by name, the first step's first."""
        return self.first.constants | self.second.constants

    @classmethod
    def of(cls, constants: Mapping[str, Any]) -> TaskLaw:
        """Make the law of the constants of both steps, as :attr:`constants` gives them.

        Parameters
        ----------
        constants : dict
            ``E``, ``A``, ``B``, ``alpha``, ``beta``, and those of the second step; numbers or arrays.

        Returns
        -------
        TaskLaw
            Its second step a :class:`~scaling.laws.DownstreamLaw` where there is a ``gamma``.

        Raises
        ------
        TypeError
            If a constant is missing, or another is given.
        """
        first = {name: constants[name] for name in ("E", "A", "B", "alpha", "beta") if name in constants}
        rest = {name: value for name, value in constants.items() if name not in first}
        return cls(ChinchillaLaw.of(first), (DownstreamLaw if "gamma" in rest else SigmoidLaw).of(rest))

    @classmethod
    def from_published(cls, name: str) -> TaskLaw:
        """Refuse: no place in ``data/published.csv`` has both steps.

        Parameters
        ----------
        name : str
            Any place.

        Returns
        -------
        TaskLaw
            Never.

        Raises
        ------
        ValueError
            Always; it says how to join two steps instead.
        """
        words = f"no published constants named {name!r}: no place has those of both steps"
        raise ValueError(f"{words}; TaskLaw(ChinchillaLaw.from_published(PLACE), SigmoidLaw(...)) joins two")

    def accuracy(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
        """Predict the share of right answers of N parameters trained on D tokens.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        tokens : float or array
            Number of training tokens D, positive.

        Returns
        -------
        float or array
            The share, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        return self.of_loss(self.first.loss(params, tokens))

    def of_loss(self, loss: ArrayLike) -> np.ndarray | float:
        """Predict the share of right answers at a loss.

        Parameters
        ----------
        loss : float or array
            In the unit of the first step, positive.

        Returns
        -------
        float or array
            The share, of the shape of ``loss``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        share = self.second.value(loss)
        return 1 - share if isinstance(self.second, DownstreamLaw) else share

    def value(self, *columns: ArrayLike) -> np.ndarray | float:
        """Predict the share of right answers, as :meth:`accuracy` does.

        Parameters
        ----------
        *columns : float or array
            ``params`` and ``tokens``, positive.

        Returns
        -------
        float or array
            The share, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        return self.accuracy(*columns)
