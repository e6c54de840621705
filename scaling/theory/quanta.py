"""Skills learned one at a time whose sum is a smooth curve: the quantization model of Michaud et al. 2023."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from .._checks import generator, positive, positive_finite, whole_number, within
from ..laws.power import PowerLaw

__all__ = ["QuantaModel", "simulate_quanta"]


#: quanta up to this one are summed one by one; beyond, an integral
ONE_BY_ONE = 1000
#: nodes of the integral over the logarithm of the number of a quantum, and how far it reaches
NODES, REACH = 600, 60.0


@dataclass(frozen=True)
class QuantaModel:
    r"""Endlessly many skills, each learned all at once, used at frequencies that fall as a power of their rank.

    .. math:: p_k = \frac{k^{-(1+\alpha)}}{\zeta(1+\alpha)}, \qquad k = 1, 2, \dots

    The loss is the share of the uses whose skill has not been learned: each use then costs one unit, and nothing
    else does.

    Parameters
    ----------
    alpha : float
        Positive.

    Raises
    ------
    ValueError
        If ``alpha`` is not positive and finite.

    References
    ----------
    Michaud, Liu, Girit & Tegmark 2023 (arXiv:2303.13506). The sums and constants are derived here.
    """

    alpha: float

    def __post_init__(self) -> None:
        positive_finite(alpha=self.alpha)

    @property
    def norm(self) -> float:
        """The sum of all k to the power -(1 + alpha), Riemann's zeta."""
        return float(special.zeta(1 + self.alpha))

    @property
    def data_exponent(self) -> float:
        r""":math:`\alpha_D = \alpha/(1+\alpha)`, with which the loss falls with examples; also that of steps."""
        return self.alpha / (1 + self.alpha)

    def frequency(self, k: ArrayLike) -> np.ndarray | float:
        """Compute the share of the examples that use the k-th skill.

        Parameters
        ----------
        k : float or array
            Rank, at least 1.

        Returns
        -------
        float or array
            The share, of the shape of ``k``.

        Raises
        ------
        ValueError
            If a rank is below 1.
        """
        (rank,) = within("at least 1", lambda x: x >= 1, k=k)
        return (rank ** -(1 + self.alpha) / self.norm)[()]

    def loss_after(self, learned: ArrayLike) -> np.ndarray | float:
        """Compute the loss when the most frequent skills are known: the exact sum of what is left.

        Parameters
        ----------
        learned : float or array
            How many are known, at least 0; fractions are cut off.

        Returns
        -------
        float or array
            Share of the uses, of the shape of ``learned``.

        Raises
        ------
        ValueError
            If a number is negative.
        """
        (n,) = within("at least 0", lambda x: x >= 0, learned=learned)
        return (special.zeta(1 + self.alpha, np.floor(n) + 1) / self.norm)[()]

    def expected_loss(self, examples: ArrayLike, needed: int = 1) -> np.ndarray | float:
        r"""Compute the expected loss, if a skill is learned once it has been seen ``needed`` times.

        .. math:: \sum_k p_k\,\Pr[\mathrm{Poisson}(p_k D) < \tau]

        The number of examples D is itself taken as a Poisson variable of that mean, which makes the skills independent.

        Parameters
        ----------
        examples : float or array
            D, positive.
        needed : int
            tau, at least 1.

        Returns
        -------
        float or array
            Share of the uses, of the shape of ``examples``.

        Raises
        ------
        ValueError
            If ``examples`` is not positive, or ``needed`` is no whole number from 1.
        """
        (D,) = positive(examples=examples)
        tau = whole_number("needed", needed)
        rank, weight = self._quadrature
        p = self.frequency(rank)
        return (special.gammaincc(tau, np.multiply.outer(D, p)) @ (weight * p))[()]

    @property
    def _quadrature(self) -> tuple[np.ndarray, np.ndarray]:
        """Ranks and weights of a sum over all skills: the first singly, the rest by the midpoint rule's integral."""
        x, w = np.polynomial.legendre.leggauss(NODES)
        low = np.log(ONE_BY_ONE + 0.5)
        span = REACH / self.alpha
        u = low + span * (x + 1) / 2
        rank = np.concatenate([np.arange(1, ONE_BY_ONE + 1), np.exp(u)])
        return rank, np.concatenate([np.ones(ONE_BY_ONE), w * span / 2 * np.exp(u)])

    @property
    def params_law(self) -> PowerLaw:
        r"""What the loss tends to when n skills are known: :math:`n^{-\alpha} / (\alpha\,\zeta(1+\alpha))`."""
        return PowerLaw(1 / (self.alpha * self.norm), -self.alpha)

    def data_law(self, needed: int = 1) -> PowerLaw:
        r"""Derive what the expected loss tends to after many examples.

        .. math:: \frac{\Gamma(\tau + s)}{\Gamma(\tau)\,s\,(1+\alpha)}\,\zeta(1+\alpha)^{-1/(1+\alpha)}\,D^{-s}

        with :math:`s = \alpha/(1+\alpha)`.

        Parameters
        ----------
        needed : int
            tau, at least 1.

        Returns
        -------
        PowerLaw
            Share of the uses, of the number of examples D.

        Raises
        ------
        ValueError
            If ``needed`` is no whole number from 1.
        """
        tau, s = whole_number("needed", needed), self.data_exponent
        ratio = np.exp(special.gammaln(tau + s) - special.gammaln(tau))
        return PowerLaw(float(ratio / (s * (1 + self.alpha)) * self.norm ** (-1 / (1 + self.alpha))), -s)


def simulate_quanta(
    model: QuantaModel, examples: ArrayLike, needed: int = 1, repeats: int = 10, seed: int = 0
) -> pd.DataFrame:
    """Draw examples, learn what has been seen often enough, and add up what has not been learned.

    Each example uses one skill, drawn by NumPy's Zipf distribution, from all of them: nothing is cut off.

    Parameters
    ----------
    model : QuantaModel
        The skills and their frequencies.
    examples : array (n,)
        Numbers of examples, at least 1 and finite, fractions cut off; each is drawn anew.
    needed : int, default 1
        Times that a skill has to be seen.
    repeats : int, default 10
        Draws averaged, at least 2.
    seed : int
        Same seed, same draws.

    Returns
    -------
    DataFrame
        ``examples``, ``loss`` and its standard error ``loss_se``, ``learned`` (skills known, on average).

    Raises
    ------
    ValueError
        Naming the argument and its value.
    """
    (sizes,) = within("at least 1 and finite", lambda x: (x >= 1) & np.isfinite(x), examples=np.ravel(examples))
    tau = whole_number("needed", needed)
    repeats = whole_number("repeats", repeats, 2)
    rng = generator(seed)
    rows = []
    for size in sizes.astype(int):
        losses, counts = [], []
        for _ in range(repeats):
            seen, times = np.unique(rng.zipf(1 + model.alpha, size), return_counts=True)
            known = seen[times >= tau]
            losses.append(1 - float(np.sum(model.frequency(known))) if len(known) else 1.0)
            counts.append(len(known))
        error = np.std(losses, ddof=1) / np.sqrt(repeats)
        rows.append((size, np.mean(losses), error, np.mean(counts)))
    return pd.DataFrame(rows, columns=["examples", "loss", "loss_se", "learned"])
