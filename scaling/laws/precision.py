"""Training and serving at few bits: parameters that count for less, and a loss that quantising adds."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np
import scipy
from numpy.typing import ArrayLike

from .._checks import number, positive, within
from .base import Law, only, read_published
from .chinchilla import ChinchillaLaw

__all__ = ["PrecisionLaw"]


#: parts of a model whose precision is chosen: weights, activations, the cache of keys and values
PARTS = ("w", "a", "kv")
#: bits of the training whose cost is 6 N D
FULL_BITS = 16.0
#: where, in the bits of the most precise part beyond the least, the best precision is looked for from
NEAREST = 1e-9
#: a part with so many of its bits beyond its least has nothing more to gain; its exponential is still a number
SATURATED = 700.0


@dataclass(frozen=True, repr=False)
class PrecisionLaw(Law):
    r"""The parametric loss of a model trained, and perhaps quantised afterwards, at few bits.

    .. math::

        L(N, D, P) &= E + \frac{A}{N_{eff}^{\alpha}} + \frac{B}{D^{\beta}}, \\
        N_{eff} &= N \prod_{x \in \{w, a, kv\}} \bigl(1 - e^{-P_x/\gamma_x + n_x}\bigr), \\
        \delta_{PTQ}(N, D, P) &= C_T\, \frac{D^{\gamma_D}}{N^{\gamma_N}}\, e^{-P/\gamma_{post}}.

    The offsets :math:`n_x` stand in the paper's table of fitted constants and not in its formulas.
    Training at P bits costs :math:`C = \tfrac{6}{16} N D P`.

    Parameters
    ----------
    base : ChinchillaLaw
        The law at full precision.
    gamma_w, gamma_a, gamma_kv : float
        Bits over which the loss of parameters in weights, activations and cache falls by e.
    C_T, gamma_D, gamma_N, gamma_post : float
        Constants of the loss added by quantising the weights after training; nats/token, exponents, bits.
    n_w, n_a, n_kv : float
        Offsets, at least 0; the default, 0, is the formula as the text prints it.

    Raises
    ------
    ValueError
        If one of the bits or exponents is not positive, or an offset is negative.

    References
    ----------
    Kumar et al. 2024 (arXiv:2411.04330), equations 2 to 5, Table 2.

    Examples
    --------
    >>> law = PrecisionLaw.from_published()
    >>> round(law.optimal_bits(), 2), round(law.without_offsets().optimal_bits(), 2)
    (7.0, 3.47)
    """

    base: ChinchillaLaw
    gamma_w: float
    gamma_a: float
    gamma_kv: float
    C_T: float
    gamma_D: float
    gamma_N: float
    gamma_post: float
    n_w: float = 0.0
    n_a: float = 0.0
    n_kv: float = 0.0

    equation: ClassVar[str] = "L = E + A / N_eff**alpha + B / D**beta"
    columns: ClassVar[tuple[str, ...]] = ("params", "tokens", "bits")

    def __post_init__(self) -> None:
        for name in ("gamma_w", "gamma_a", "gamma_kv", "C_T", "gamma_D", "gamma_N", "gamma_post"):
            positive(**{name: getattr(self, name)})
        for part in PARTS:
            least = np.min(getattr(self, f"n_{part}"))
            if not least >= 0:
                raise ValueError(f"n_{part} must be at least 0, got {least:g}")

    @classmethod
    def from_published(cls, name: str = "kumar2024") -> PrecisionLaw:
        """Read the constants of the paper's Table 2, offsets included.

        Parameters
        ----------
        name : {"kumar2024"}
            The one set there is.

        Returns
        -------
        PrecisionLaw
            With these constants.

        Raises
        ------
        ValueError
            For any other name.
        """
        only(name, "kumar2024")
        constants = read_published(f"{name}/table2", *(f.name for f in fields(cls) if f.name != "base"))
        return cls(ChinchillaLaw.from_published(f"{name}/table2"), **constants)

    def without_offsets(self) -> PrecisionLaw:
        """Put the same constants into the formula as the text prints it.

        Returns
        -------
        PrecisionLaw
            With offsets of 0.
        """
        return replace(self, n_w=0.0, n_a=0.0, n_kv=0.0)

    @property
    def least_bits(self) -> float:
        """The precision at which the first part is worth nothing: the largest of n_x gamma_x."""
        return max(getattr(self, f"n_{part}") * getattr(self, f"gamma_{part}") for part in PARTS)

    def part_shares(self, bits: ArrayLike) -> dict[str, np.ndarray | float]:
        """Compute the factor of each part in N_eff / N.

        Parameters
        ----------
        bits : float or array
            Precision of all parts, above :attr:`least_bits`.

        Returns
        -------
        dict
            ``w``, ``a`` and ``kv``: a factor each, of the shape of ``bits``.

        Raises
        ------
        ValueError
            At or below :attr:`least_bits`, where the fit has nothing to say.
        """
        (P,) = positive(bits=bits)
        return {part: self._factor(part, P)[()] for part in PARTS}

    def share(
        self, bits: ArrayLike, activations: ArrayLike | None = None, cache: ArrayLike | None = None
    ) -> np.ndarray | float:
        """Compute N_eff / N.

        Parameters
        ----------
        bits : float or array
            Precision of the weights.
        activations, cache : float or array, optional
            Precision of these; by default that of the weights.

        Returns
        -------
        float or array
            The share, of the broadcast shape.

        Raises
        ------
        ValueError
            If a part has no more bits than those at which its factor is zero, or shapes do not broadcast.
        """
        parts = dict(zip(PARTS, (bits, activations, cache), strict=True))
        factors = [
            self._factor(part, *positive(bits=bits if chosen is None else chosen)) for part, chosen in parts.items()
        ]
        return (factors[0] * factors[1] * factors[2])[()]

    def _factor(self, part: str, bits: np.ndarray) -> np.ndarray:
        gamma, offset = getattr(self, f"gamma_{part}"), getattr(self, f"n_{part}")
        if np.any(bits <= gamma * offset):
            limit, low = np.max(gamma * offset), float(np.min(bits))
            raise ValueError(f"bits of {part} must exceed {limit:.4g}, where the share is zero, got {low:g}")
        return -np.expm1(offset - bits / gamma)

    def loss(self, params: ArrayLike, tokens: ArrayLike, bits: ArrayLike = np.inf) -> np.ndarray | float:
        """Predict the loss after training everything at ``bits``.

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        tokens : float or array
            Number of training tokens D, positive.
        bits : float or array
            Above :attr:`least_bits`; by default full precision.

        Returns
        -------
        float or array
            Loss in nats/token, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order. Also for too few bits.
        """
        (N,) = positive(params=params)
        return self.base.loss(N * self.share(bits), tokens)

    def quantisation_loss(self, params: ArrayLike, tokens: ArrayLike, bits: ArrayLike) -> np.ndarray | float:
        """Predict what quantising the weights after training adds to the loss (equation 2).

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        tokens : float or array
            Number of training tokens D, positive.
        bits : float or array
            Bits of a quantised weight, positive.

        Returns
        -------
        float or array
            Nats/token, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        N, D, P = positive(params=params, tokens=tokens, bits=bits)
        return (self.C_T * D**self.gamma_D / N**self.gamma_N * np.exp(-P / self.gamma_post))[()]

    def critical_tokens(self, params: ArrayLike, bits: ArrayLike) -> np.ndarray | float:
        r"""Find the training tokens beyond which more of them harm the quantised model (equation 13).

        .. math:: D_{crit}^{\gamma_D + \beta} = \frac{\beta B N^{\gamma_N} e^{P/\gamma_{post}}}{\gamma_D C_T}

        Parameters
        ----------
        params : float or array
            Number of parameters N, positive.
        bits : float or array
            Bits of a quantised weight, positive.

        Returns
        -------
        float or array
            Number of tokens, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        N, P = positive(params=params, bits=bits)
        beta = self.base.beta
        pull = beta * self.base.B * N**self.gamma_N * np.exp(P / self.gamma_post)
        return ((pull / (self.gamma_D * self.C_T)) ** (1 / (self.gamma_D + beta)))[()]

    def optimal_bits(self) -> float:
        r"""Find the compute-optimal precision, when size, tokens and bits are all free.

        At a given cost :math:`N_{eff} D` is proportional to f(P)/P, with f the share :math:`N_{eff}/N`, so
        the best precision is where :math:`d\ln f/d\ln P = 1`, at every budget and for every base law.

        Returns
        -------
        float
            Bits.

        Raises
        ------
        ValueError
            If a constant of the share is infinite, or an array: the best is sought for one law.
        """
        names = [f"{kind}_{part}" for kind in ("gamma", "n") for part in PARTS]
        constants = {name: number(name, getattr(self, name)) for name in names}
        within("finite", np.isfinite, **constants)
        scales = [constants[f"gamma_{part}"] for part in PARTS]
        start, end = NEAREST * min(scales), max(scales)
        while self._elasticity(end) > 1:
            end *= 2
        while self._elasticity(start) < 1:
            start /= 2
        beyond = scipy.optimize.brentq(lambda bits: self._elasticity(bits) - 1, start, end, xtol=NEAREST * start)
        return float(self.least_bits + beyond)

    def _elasticity(self, beyond: float) -> float:
        """d ln f / d ln P, so many bits beyond the least; it falls from three, or any number, to nothing."""
        total, low = 0.0, self.least_bits
        for part in PARTS:
            gamma, offset = getattr(self, f"gamma_{part}"), getattr(self, f"n_{part}")
            left = (low - offset * gamma + beyond) / gamma
            total += (low + beyond) / gamma / np.expm1(left) if left < SATURATED else 0.0
        return total
