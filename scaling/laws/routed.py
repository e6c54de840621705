"""Routed models: the loss from the parameters that a token meets, and from how many experts of what size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .base import Law, only, read_published

__all__ = ["GranularLaw", "RoutedLaw"]


#: the ways to send tokens to experts that have published constants
ROUTERS = ("s_base", "rl_r", "hash")


@dataclass(frozen=True, repr=False)
class RoutedLaw(Law):
    r"""The loss of a routed model at a fixed number of tokens.

    .. math:: \log_{10} L = a \log_{10} N + b \log_{10}\hat E + c \log_{10} N \log_{10}\hat E + d,
        \qquad \frac{1}{\hat E} = \frac{1}{E - 1 + \bigl(\tfrac{1}{E_{start}} - \tfrac{1}{E_{max}}\bigr)^{-1}}
        + \frac{1}{E_{max}}

    N are the parameters that one token meets, E is the number of experts of a routed layer. The effective number
    :math:`\hat E` of experts is :math:`E_{start}` for a dense model (E = 1) and never reaches :math:`E_{max}`. With
    c > 0 experts help less the larger the model is, up to :attr:`cutoff`.

    Parameters
    ----------
    a, b, c, d : float or array
        The coefficients; a and b are negative.
    E_start, E_max : float or array
        Effective experts of a dense model, and of one with experts without end.

    References
    ----------
    Clark et al. 2022 (arXiv:2202.01169), equation 1 and Table 3, at second hand; all of their models saw the same
    tokens.

    Examples
    --------
    >>> law = RoutedLaw.from_published("s_base")
    >>> round(float(law.loss(1e9, 64) / law.loss(1e9, 1)), 3)
    0.913
    """

    a: float | np.ndarray
    b: float | np.ndarray
    c: float | np.ndarray
    d: float | np.ndarray
    E_start: float | np.ndarray
    E_max: float | np.ndarray

    equation: ClassVar[str] = "log10 L = a * log10 N + b * log10 Ê + c * log10 N * log10 Ê + d, Ê of E experts"
    columns: ClassVar[tuple[str, ...]] = ("params", "num_experts")

    @classmethod
    def from_published(cls, name: str = "s_base") -> RoutedLaw:
        """Read the constants of Table 3 for a router.

        Parameters
        ----------
        name : {"s_base", "rl_r", "hash"}
            The router.

        Returns
        -------
        RoutedLaw
            With these constants.

        Raises
        ------
        ValueError
            For any other name.
        """
        names = ("a", "b", "c", "d", "E_start", "E_max")
        return cls(**read_published(f"clark2022/table3/{name}", *names, known=", ".join(ROUTERS), called=name))

    def effective_experts(self, num_experts: ArrayLike) -> np.ndarray | float:
        """Compute the effective number of experts.

        Parameters
        ----------
        num_experts : float or array
            E, experts of a routed layer, positive.

        Returns
        -------
        float or array
            Of the shape of ``num_experts``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (E,) = positive(num_experts=num_experts)
        free = 1 / (1 / np.asarray(self.E_start, float) - 1 / np.asarray(self.E_max, float))
        return (1 / (1 / (E - 1 + free) + 1 / np.asarray(self.E_max, float)))[()]

    def loss(self, params: ArrayLike, num_experts: ArrayLike) -> np.ndarray | float:
        """Predict the loss of a routed model (equation 1).

        Parameters
        ----------
        params : float or array
            N, the parameters that a token meets, positive.
        num_experts : float or array
            E, experts of a routed layer, positive.

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
        N, _ = positive(params=params, num_experts=num_experts)
        x, e = np.log10(N), np.log10(self.effective_experts(num_experts))
        return (10 ** (self.a * x + self.b * e + self.c * x * e + self.d))[()]

    def effective_params(self, params: ArrayLike, num_experts: ArrayLike) -> np.ndarray | float:
        """Find the size of the dense model with the same loss (equation 11).

        Parameters
        ----------
        params : float or array
            N, the parameters that a token meets, positive.
        num_experts : float or array
            E, experts of a routed layer, positive.

        Returns
        -------
        float or array
            Number of parameters, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        N, _ = positive(params=params, num_experts=num_experts)
        x, e, start = np.log10(N), np.log10(self.effective_experts(num_experts)), np.log10(self.E_start)
        gained = x * (self.a + self.c * e) + self.b * (e - start)
        return (10 ** (gained / (self.a + self.c * start)))[()]

    @property
    def cutoff(self) -> np.ndarray | float:
        """The size from which on more experts do not help, 10^(-b/c); infinite unless c is positive."""
        b, c = np.asarray(self.b, float), np.asarray(self.c, float)
        power = np.divide(-b, c, out=np.full(np.broadcast(b, c).shape, np.inf), where=c > 0)
        return (10**power)[()]


@dataclass(frozen=True, repr=False)
class GranularLaw(Law):
    r"""The loss of a model whose experts are cut into finer ones.

    .. math:: L(N, D, G) = c + \frac{g\,G^{-\gamma} + a}{N^{\alpha}} + \frac{b}{D^{\beta}}

    At granularity G an expert is 1/G as wide as the feed-forward layer of a dense model; there are G times as many,
    and a token meets G times as many, so that parameters and FLOPs stay, but for the router.

    Parameters
    ----------
    a, alpha : float or array
        What size gives at a granularity without end; with ``g`` at G = 1. The exponent of the size.
    b, beta : float or array
        Coefficient and exponent of the tokens.
    g, gamma : float or array
        What granularity can take away at most, and the exponent with which it does.
    c : float or array
        The loss that remains, nats/token.

    References
    ----------
    Krajewski et al. 2024 (arXiv:2402.07871); form and constants at second hand, which do not say whether N counts the
    experts that a token does not meet.

    Examples
    --------
    >>> law = GranularLaw.from_published()
    >>> round(float(law.effective_params(1.0, 16)), 2)
    2.13
    """

    a: float | np.ndarray
    alpha: float | np.ndarray
    b: float | np.ndarray
    beta: float | np.ndarray
    g: float | np.ndarray
    gamma: float | np.ndarray
    c: float | np.ndarray

    equation: ClassVar[str] = "L = c + (g / G**gamma + a) / N**alpha + b / D**beta"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens", "granularity")

    @classmethod
    def from_published(cls, name: str = "krajewski2024") -> GranularLaw:
        """Read the paper's constants.

        Parameters
        ----------
        name : {"krajewski2024"}
            The one set there is.

        Returns
        -------
        GranularLaw
            With these constants.

        Raises
        ------
        ValueError
            For any other name.
        """
        only(name, "krajewski2024")
        return super().from_published(f"{name}/constants")

    def loss(self, params: ArrayLike, tokens: ArrayLike, granularity: ArrayLike) -> np.ndarray | float:
        """Predict the loss of a model of fine experts.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        tokens : float or array
            Number of training tokens D, positive.
        granularity : float or array
            G, positive.

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
        N, D, G = positive(params=params, tokens=tokens, granularity=granularity)
        return (self.c + (self.g / G**self.gamma + self.a) / N**self.alpha + self.b / D**self.beta)[()]

    def effective_params(self, params: ArrayLike, granularity: ArrayLike) -> np.ndarray | float:
        """Find the size of a model of granularity 1 with the same loss.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        granularity : float or array
            G, positive.

        Returns
        -------
        float or array
            Number of parameters, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        N, G = positive(params=params, granularity=granularity)
        left = (self.a + self.g / G**self.gamma) / (self.a + self.g)
        return (N * left ** (-1 / np.asarray(self.alpha, float)))[()]
