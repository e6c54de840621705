"""Chinchilla's law seen by a study that leaves out the embeddings (Pearce & Song 2024, arXiv:2406.12907)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import positive
from ..laws.chinchilla import ChinchillaLaw
from .embeddings import EmbeddingModel, check_law

__all__ = ["KaplanView", "kaplan_view"]


COUNTS = ("nonembedding", "total")


@dataclass(frozen=True, repr=False)
class KaplanView:
    """The best of a list of sizes at each budget, in one way of counting, and power laws through them.

    Attributes
    ----------
    count : str
        ``nonembedding`` or ``total``: what ``params`` and ``flops`` count.
    points : DataFrame
        One row a budget: ``flops``, ``params``, ``tokens``, ``loss`` (nats/token).
    offset : float
        The irreducible loss of the law, nats/token.
    """

    count: str
    points: pd.DataFrame
    offset: float

    def _slope(self, values: pd.Series) -> float:
        return float(np.polyfit(np.log(self.points["flops"]), np.log(values), 1)[0])

    @property
    def size_exponent(self) -> float:
        """Exponent a of N ∝ C^a, by least squares in logarithms."""
        return self._slope(self.points["params"])

    @property
    def loss_exponent(self) -> float:
        """Exponent of the loss itself, as if it fell to zero."""
        return self._slope(self.points["loss"])

    @property
    def reducible_exponent(self) -> float:
        """Exponent of the loss above the law's offset."""
        return self._slope(self.points["loss"] - self.offset)

    def __repr__(self) -> str:
        return (
            f"KaplanView of {len(self.points)} budgets, {self.count} counts: N ∝ C^{self.size_exponent:.3f}, "
            f"L ∝ C^{self.loss_exponent:.3f}, L - E ∝ C^{self.reducible_exponent:.3f}"
        )


def kaplan_view(
    law: ChinchillaLaw,
    params_nonembedding: ArrayLike,
    flops: ArrayLike,
    embedding: EmbeddingModel,
    count: str = "nonembedding",
) -> KaplanView:
    """Simulate a study of compute-optimal sizes without noise, and read it in one way of counting.

    At each budget every size gets the tokens that the budget buys by that count, C = 6 N D; the size of least loss
    is the best. The loss is the law's, at the total count and those tokens.

    Parameters
    ----------
    law : ChinchillaLaw
        The truth, a law of total parameters.
    params_nonembedding : array (n_sizes,)
        The sizes that are trained, without embeddings, positive.
    flops : array (n_budgets,)
        Budgets in FLOPs, in the same way of counting; at least two different ones.
    embedding : EmbeddingModel
        What the embeddings add to the sizes.
    count : {"nonembedding", "total"}
        What is counted, in size and compute.

    Returns
    -------
    KaplanView
        The best size at each budget.

    Raises
    ------
    ValueError
        For sizes, budgets or constants that are not positive, fewer than two budgets, or another ``count``.

    References
    ----------
    After the simulation in the script of Pearce & Song 2024 (arXiv:2406.12907).
    """
    check_law(law)
    if count not in COUNTS:
        raise ValueError(f"count must be 'nonembedding' or 'total', got {count!r}")
    N, C = (np.ravel(x) for x in positive(params_nonembedding=params_nonembedding, flops=flops))
    if len(np.unique(C)) < 2:
        raise ValueError(f"at least two budgets are needed for an exponent, got {len(np.unique(C))}")
    total = np.asarray(embedding.total(N))
    counted = N if count == "nonembedding" else total
    loss = np.asarray(law.loss(total, C[:, None] / (6 * counted)))
    best = loss.argmin(1)
    points = {"flops": C, "params": counted[best], "tokens": C / (6 * counted[best]), "loss": loss.min(1)}
    return KaplanView(count, pd.DataFrame(points), float(law.E))
