"""The formulas of the papers: frozen dataclasses, vectorised, that know no data.

Symbols are those of the papers: ``N`` parameters, ``D`` tokens, ``C`` training FLOPs, ``L`` loss in
nats per token. Constants may be arrays (one entry a bootstrap resample); they broadcast against the
arguments by NumPy's rules.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .published import UnknownPublishedError, published

__all__ = ["ChinchillaLaw", "FrontierLaw", "PowerLaw", "RosenfeldLaw"]


def _positive(**arguments: ArrayLike) -> list[np.ndarray]:
    """Float arrays, each checked to be positive; the error names the argument and the value."""
    arrays = []
    for name, value in arguments.items():
        array = np.asarray(value, dtype=float)
        bad = ~(array > 0)
        if bad.any():
            worst = array[bad].flat[0]
            raise ValueError(f"{name} must be positive, got {worst:g}")
        arrays.append(array)
    return arrays


class _Law:
    """What every law shares: a readable form and access to its constants by name."""

    equation: ClassVar[str] = ""

    @property
    def constants(self) -> dict[str, float | np.ndarray]:
        """The constants by name, in the order of the equation."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def __repr__(self) -> str:
        parts = []
        for name, value in self.constants.items():
            if value is None:
                continue
            if np.ndim(value):
                parts.append(f"{name}=<{np.size(value)} values>")
            else:
                parts.append(f"{name}={value!r}" if isinstance(value, _Law) else f"{name}={value:.6g}")
        return f"{type(self).__name__}({', '.join(parts)})"


@dataclass(frozen=True, repr=False)
class PowerLaw(_Law):
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
    Hestness et al. 2017 write it :math:`\varepsilon(m) = \alpha m^{\beta_g} + \gamma`.
    """

    coefficient: float | np.ndarray
    exponent: float | np.ndarray
    offset: float | np.ndarray = 0.0

    equation: ClassVar[str] = "y = offset + coefficient * x**exponent"

    def __call__(self, x: ArrayLike) -> np.ndarray | float:
        """Value at ``x`` (positive); raises ``ValueError`` otherwise."""
        (x,) = _positive(x=x)
        return (self.offset + self.coefficient * x**self.exponent)[()]

    def inverse(self, y: ArrayLike) -> np.ndarray | float:
        """The ``x`` at which the law takes the value ``y``; raises ``ValueError`` if it never does."""
        ratio = (np.asarray(y, dtype=float) - self.offset) / self.coefficient
        if np.any(~(ratio > 0)):
            raise ValueError(f"no x gives y = {np.asarray(y)!s}: the law's offset is {self.offset}")
        return (ratio ** (1.0 / np.asarray(self.exponent)))[()]


@dataclass(frozen=True, repr=False)
class ChinchillaLaw(_Law):
    r"""Hoffmann et al.'s parametric loss (arXiv:2203.15556, equation 2; fitted as equation 10).

    .. math:: L(N, D) = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}

    Parameters
    ----------
    E : float or array
        Irreducible loss, nats/token, at least 0.
    A, B : float or array
        Coefficients of the size and the data term (nats/token at one parameter, one token).
    alpha, beta : float or array
        Exponents of the size and the data term.

    Examples
    --------
    >>> law = ChinchillaLaw.from_published("hoffmann2022")
    >>> round(float(law.loss(70e9, 1.4e12)), 3)
    1.921
    """

    E: float | np.ndarray
    A: float | np.ndarray
    B: float | np.ndarray
    alpha: float | np.ndarray
    beta: float | np.ndarray

    equation: ClassVar[str] = "L = E + A / N**alpha + B / D**beta"
    #: where each named set of constants stands in ``data/published.csv``
    published_sets: ClassVar[dict[str, str]] = {
        "hoffmann2022": "hoffmann2022/tex",
        "hoffmann2022_rounded": "hoffmann2022/eq10",
        "besiroglu2024": "besiroglu2024/estimates",
    }

    @classmethod
    def from_published(cls, name: str) -> ChinchillaLaw:
        """A published set of constants by name.

        Either one of ``ChinchillaLaw.published_sets``: ``hoffmann2022`` are the unrounded constants of the
        paper's TeX source, ``hoffmann2022_rounded`` the printed ones (equation 10), ``besiroglu2024`` the
        estimates of arXiv:2404.10102; or the place of five constants in ``data/published.csv``, such as
        ``sardana2024/constants``. Raises ``ValueError`` for an unknown name.
        """
        prefix = cls.published_sets.get(name, name)
        try:
            return cls(**{f.name: float(published(f"{prefix}/{f.name}")) for f in fields(cls)})
        except UnknownPublishedError as error:
            known = ", ".join(cls.published_sets)
            raise ValueError(
                f"no published constants named {name!r}; known: {known}, or a place such as sardana2024/constants"
            ) from error

    def terms(self, params: ArrayLike, tokens: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """The size term A/N^alpha and the data term B/D^beta, nats/token."""
        N, D = _positive(params=params, tokens=tokens)
        return self.A * N**-self.alpha, self.B * D**-self.beta

    def loss(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
        """Loss in nats/token at ``params`` and ``tokens`` (positive); ``ValueError`` otherwise."""
        size, data = self.terms(params, tokens)
        return np.asarray(self.E + size + data)[()]

    def rounded(self, decimals: dict[str, int]) -> ChinchillaLaw:
        """The same law with some constants rounded, e.g. ``{"alpha": 2, "beta": 2}``."""
        return replace(self, **{name: round(float(getattr(self, name)), d) for name, d in decimals.items()})


@dataclass(frozen=True, repr=False)
class RosenfeldLaw(_Law):
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

    Notes
    -----
    The paper (arXiv:1909.12673, equations 4 and 5) writes the envelope
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

    def __post_init__(self) -> None:
        _positive(guess=self.guess)

    @property
    def constants(self) -> dict[str, float | np.ndarray]:
        """The five constants of the sum and the guess, by name."""
        return {**self.base.constants, "guess": self.guess}

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

    def loss(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
        """Loss, in the unit of the guess, at ``params`` and ``tokens`` (positive); ``ValueError`` otherwise."""
        inner = np.asarray(self.base.loss(params, tokens), dtype=float)
        return (inner / np.sqrt(1 + (inner / self.guess) ** 2))[()]


@dataclass(frozen=True, repr=False)
class FrontierLaw(_Law):
    r"""Compute-optimal sizes and token counts as two power laws of the training budget.

    .. math:: N_{opt} = k_N C^{a}, \qquad D_{opt} = k_D C^{b}

    What approaches 1 and 2 of Hoffmann et al. 2022 (sections 3.1, 3.2) estimate. ``params``,
    ``tokens`` and (where known) ``loss`` are :class:`PowerLaw` of the budget in FLOPs.
    """

    params: PowerLaw
    tokens: PowerLaw
    loss: PowerLaw | None = None

    equation: ClassVar[str] = "N_opt = k_N * C**a, D_opt = k_D * C**b"

    @property
    def a(self) -> float | np.ndarray:
        """Exponent of the optimal size."""
        return self.params.exponent

    @property
    def b(self) -> float | np.ndarray:
        """Exponent of the optimal number of tokens."""
        return self.tokens.exponent
