"""The shape of a model: how wide for its depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .base import Law, only, read_published
from .chinchilla import ChinchillaLaw

__all__ = ["ShapeLaw"]


@dataclass(frozen=True, repr=False)
class ShapeLaw(Law):
    r"""The parametric loss, raised for models that are wide for their depth.

    .. math:: L = \Bigl(E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}\Bigr)\,(1 + \varepsilon R^{\gamma}),
        \qquad R = \frac{d_{model}}{n_{layers}}

    With positive constants it grows with R: it can say what width costs, and not that depth costs too.

    Parameters
    ----------
    base : ChinchillaLaw
        The law of an infinitely deep and narrow model.
    epsilon, gamma : float or array
        Coefficient and exponent of the aspect ratio R.

    References
    ----------
    Bian, Yan & Venkataraman 2025 (arXiv:2501.18107), who tie gamma, alpha and beta to one number.

    Examples
    --------
    >>> law = ShapeLaw.from_published()
    >>> round(float(law.loss(1e9, 2e10, 256.0) / law.loss(1e9, 2e10, 64.0)), 3)
    1.02
    """

    base: ChinchillaLaw
    epsilon: float | np.ndarray
    gamma: float | np.ndarray

    equation: ClassVar[str] = "L = (E + A / N**alpha + B / D**beta) * (1 + epsilon * R**gamma)"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens", "aspect")

    @classmethod
    def from_published(cls, name: str = "bian2025") -> ShapeLaw:
        """Read the constants of the authors' fit.

        Parameters
        ----------
        name : {"bian2025"}
            The one set there is.

        Returns
        -------
        ShapeLaw
            With these constants.

        Raises
        ------
        ValueError
            For any other name.
        """
        only(name, "bian2025")
        constants = read_published(f"{name}/law", "epsilon", "gamma")
        return cls(ChinchillaLaw.from_published(f"{name}/law"), **constants)

    def loss(self, params: ArrayLike, tokens: ArrayLike, aspect: ArrayLike) -> np.ndarray | float:
        """Predict the loss of N parameters of a shape, trained on D tokens.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        tokens : float or array
            Number of training tokens D, positive.
        aspect : float or array
            R, width over depth, positive.

        Returns
        -------
        float or array
            Loss in nats/token, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        (R,) = positive(aspect=aspect)
        return (self.base.loss(params, tokens) * (1 + self.epsilon * R**self.gamma))[()]
