r"""Total against non-embedding counts: what leaving the embeddings out does to a compute-optimal frontier.

Pearce & Song 2024 (arXiv:2406.12907). :math:`N` counts all parameters and :math:`N_{\setminus E}` those without
embeddings; :math:`C = 6ND` and :math:`C_{\setminus E} = 6 N_{\setminus E} D`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .._roots import newton_bracketed
from ..laws.base import Law, only
from ..laws.chinchilla import ChinchillaLaw
from ..sources.numbers import published

__all__ = ["EmbeddingModel", "local_exponent", "nonembedding_flops"]


@dataclass(frozen=True, repr=False)
class EmbeddingModel(Law):
    r"""Total parameters of a family of models of like shape, from those without embeddings (equation 11).

    .. math:: N = N_{\setminus E} + \omega N_{\setminus E}^{\delta}

    Parameters
    ----------
    omega : float or array
        Coefficient, at least 0.
    exponent : float or array, default 1/3
        :math:`\delta`, above 0 and at most 1; 1/3 where the width grows in proportion to the depth.

    Raises
    ------
    ValueError
        If omega is negative or not finite, or the exponent is outside (0, 1].

    References
    ----------
    Pearce & Song 2024 (arXiv:2406.12907), equation 11, as the authors' script has it.

    Examples
    --------
    >>> model = EmbeddingModel.from_published()
    >>> round(float(model.share(1e7)), 3)
    0.506
    """

    omega: float | np.ndarray
    exponent: float | np.ndarray = 1.0 / 3.0

    equation: ClassVar[str] = "N = N_nonembedding + omega * N_nonembedding**exponent"
    columns: ClassVar[tuple[str, ...]] = ("params_nonembedding",)

    def __post_init__(self) -> None:
        omega, exponent = np.asarray(self.omega, dtype=float), np.asarray(self.exponent, dtype=float)
        if (bad := ~(np.isfinite(omega) & (omega >= 0))).any():
            raise ValueError(f"omega must be finite and at least 0, got {omega[bad].flat[0]:g}")
        if (bad := ~((exponent > 0) & (exponent <= 1))).any():
            raise ValueError(f"exponent must be above 0 and at most 1, got {exponent[bad].flat[0]:g}")

    @classmethod
    def from_published(cls, name: str = "pearce2024") -> EmbeddingModel:
        """Read the coefficient of the paper's own curve, whose exponent is 1/3.

        Parameters
        ----------
        name : {"pearce2024"}
            The one set there is.

        Returns
        -------
        EmbeddingModel
            With this coefficient.

        Raises
        ------
        ValueError
            For any other name.
        """
        only(name, "pearce2024")
        return cls(float(published("pearce2024/omega")))

    @classmethod
    def from_shape(cls, vocab: float, aspect: float) -> EmbeddingModel:
        r"""Describe models of width d and d / ``aspect`` layers: :math:`\omega = V(\text{aspect}/12)^{1/3}`.

        From :math:`N_{\setminus E} = 12\,d^3/\text{aspect}` and :math:`Vd` embeddings.

        Parameters
        ----------
        vocab : float
            V, tokens in the vocabulary, positive.
        aspect : float
            Width over the number of layers, positive.

        Returns
        -------
        EmbeddingModel
            With the exponent 1/3.

        Raises
        ------
        ValueError
            If an argument is not a positive number.
        """
        V, ratio = positive(vocab=vocab, aspect=aspect)
        return cls(float(V * (ratio / 12.0) ** (1.0 / 3.0)))

    def embedding(self, params_nonembedding: ArrayLike) -> np.ndarray | float:
        """Count the parameters of the embedding.

        Parameters
        ----------
        params_nonembedding : float or array
            Parameters without embeddings, positive.

        Returns
        -------
        float or array
            Parameters, of the broadcast shape.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (N,) = positive(params_nonembedding=params_nonembedding)
        return (self.omega * N**self.exponent)[()]

    def total(self, params_nonembedding: ArrayLike) -> np.ndarray | float:
        """Count all parameters (equation 11).

        Parameters
        ----------
        params_nonembedding : float or array
            Parameters without embeddings, positive.

        Returns
        -------
        float or array
            Parameters, of the broadcast shape.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (N,) = positive(params_nonembedding=params_nonembedding)
        return (N + self.embedding(N))[()]

    def value(self, *columns: ArrayLike) -> np.ndarray | float:
        """Count all parameters, as :meth:`total` does.

        Parameters
        ----------
        *columns : float or array
            Parameters without embeddings, positive.

        Returns
        -------
        float or array
            Parameters, of the broadcast shape.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        return self.total(*columns)

    def share(self, params_nonembedding: ArrayLike) -> np.ndarray | float:
        """Compute the embedding's share of all parameters.

        Parameters
        ----------
        params_nonembedding : float or array
            Parameters without embeddings, positive.

        Returns
        -------
        float or array
            The share, of the broadcast shape.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        return self.embedding(params_nonembedding) / self.total(params_nonembedding)

    def nonembedding(self, params: ArrayLike) -> np.ndarray | float:
        """Find the parameters without embeddings that make up a total; the inverse of :meth:`total`.

        Newton's method in logarithms, where the total is convex and increasing: it comes down from the total itself
        without ever stepping over the root.

        Parameters
        ----------
        params : float or array
            All parameters, positive.

        Returns
        -------
        float or array
            Parameters without embeddings, of the broadcast shape.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (T,) = positive(params=params)

        omega, power = np.maximum(self.omega, 1e-300), np.asarray(self.exponent, dtype=float)

        def excess(
            x: np.ndarray, total: np.ndarray, omega: np.ndarray, power: np.ndarray
        ) -> tuple[np.ndarray, np.ndarray]:
            # in units of the total: two shares that add up to one at the root
            bare, rest = np.exp(x) / total, omega * np.exp(power * x) / total
            return np.log(bare + rest), (bare + power * rest) / (bare + rest)

        top = np.log(T)
        alone = np.minimum(top, (top - np.log(omega)) / power)  # were there embeddings only
        low = 2.0 * alone - top - 10.0
        return np.exp(newton_bracketed(excess, top, low, top, (T, omega, power), 1e-8))[()]


def _slopes(N: np.ndarray, embedding: EmbeddingModel) -> tuple[np.ndarray, np.ndarray]:
    """d ln N_total / d ln N, and d ln of (N dN_total/dN) / d ln N."""
    rest, p = embedding.embedding(N), embedding.exponent
    return (N + p * rest) / (N + rest), (N + p * p * rest) / (N + p * rest)


def check_law(law: ChinchillaLaw) -> None:
    """``ValueError`` unless both terms of the law are there."""
    positive(A=law.A, B=law.B, alpha=law.alpha, beta=law.beta)


def nonembedding_flops(
    law: ChinchillaLaw, params_nonembedding: ArrayLike, embedding: EmbeddingModel
) -> np.ndarray | float:
    r"""Compute the budget :math:`C_{\setminus E}` at which a size without embeddings is the best (equation 16).

    .. math:: C_{\setminus E} = 6 N_{\setminus E} \left(\frac{\beta B}{\alpha A}\right)^{1/\beta}
              N^{(1+\alpha)/\beta} \left(N_{\setminus E} + \delta\omega N_{\setminus E}^{\delta}\right)^{-1/\beta}

    where N is the total.

    Parameters
    ----------
    law : ChinchillaLaw
        A law of total parameters.
    params_nonembedding : float or array
        Sizes without embeddings, positive.
    embedding : EmbeddingModel
        What the embeddings add to them.

    Returns
    -------
    float or array
        FLOPs, embeddings left out.

    Raises
    ------
    ValueError
        For sizes or constants that are not positive.

    References
    ----------
    Pearce & Song 2024 (arXiv:2406.12907), equation 16, as the authors' script has it.
    """
    check_law(law)
    (N,) = positive(params_nonembedding=params_nonembedding)
    rest = embedding.embedding(N)
    log_tokens = np.log(law.beta * law.B) - np.log(law.alpha * law.A)
    log_tokens = log_tokens + (1 + law.alpha) * np.log(N + rest) - np.log(N + embedding.exponent * rest)
    return (6 * N * np.exp(log_tokens / law.beta))[()]


def local_exponent(law: ChinchillaLaw, params_nonembedding: ArrayLike, embedding: EmbeddingModel) -> np.ndarray | float:
    r"""Compute the exponent g of the best size, both counts without embeddings (equation 20 for an exponent of 1/3).

    .. math:: g = \frac{d\ln N^*_{\setminus E}}{d\ln C_{\setminus E}}, \qquad
              \frac1g = 1 + \frac{1+\alpha}{\beta}\,\frac{N_{\setminus E} + \delta w}{N_{\setminus E} + w}
              - \frac1\beta\,\frac{N_{\setminus E} + \delta^2 w}{N_{\setminus E} + \delta w},
              \qquad w = \omega N_{\setminus E}^{\delta}

    From :math:`\beta/(\beta + \delta\alpha)` for small models to :math:`\beta/(\alpha+\beta)` for large ones, with a
    maximum between that exceeds both.

    Parameters
    ----------
    law : ChinchillaLaw
        A law of total parameters; only its exponents matter.
    params_nonembedding : float or array
        Sizes without embeddings, positive.
    embedding : EmbeddingModel
        What the embeddings add to them.

    Returns
    -------
    float or array
        g, of the broadcast shape.

    Raises
    ------
    ValueError
        For sizes or constants that are not positive.

    References
    ----------
    Pearce & Song 2024 (arXiv:2406.12907), equation 20, at second hand; the authors' script has the formula.
    """
    check_law(law)
    (N,) = positive(params_nonembedding=params_nonembedding)
    first, second = _slopes(N, embedding)
    return (1.0 / (1.0 + ((1.0 + law.alpha) * first - second) / law.beta))[()]
