"""A fit of the embeddings' share over a family of models (Pearce & Song 2024, arXiv:2406.12907, equation 11)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import whole_number
from ..counting.embeddings import EmbeddingModel
from ..errors import FitError
from .common import checked_weights, floats, in_one_order
from .least_squares import Form, finish_form, nothing_unseen, objective_of
from .result import NOTHING, Fit

__all__ = ["fit_embedding_model"]

#: where the exponent is looked for
EXPONENTS = (1e-3, 1.0)


@dataclass(frozen=True)
class _Total:
    """N + exp(height + delta x) with x = ln N, centred; theta is (height, delta), or (height,) where delta is held."""

    bare: np.ndarray
    total: np.ndarray
    held: float | None

    @property
    def center(self) -> float:
        return float(np.log(self.bare).mean())

    def _rest(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the embeddings, and x."""
        x = np.log(self.bare) - self.center
        return np.exp(theta[0] + (theta[1] if self.held is None else self.held) * x), x

    def predict(self, theta: np.ndarray) -> np.ndarray:
        return self.bare + self._rest(theta)[0]

    def slopes(self, theta: np.ndarray) -> np.ndarray:
        rest, x = self._rest(theta)
        return np.column_stack([rest, rest * x])[:, : len(theta)]

    def constants(self, theta: np.ndarray) -> dict[str, float]:
        delta = float(theta[1]) if self.held is None else self.held
        found = {"omega": float(np.exp(theta[0] - delta * self.center))}
        return found | ({"exponent": delta} if self.held is None else {})

    def starts(self, count: int) -> np.ndarray:
        height = np.full(count, np.log(self.total - self.bare).mean())
        return np.column_stack([height, np.linspace(1 / 3, 0.9, count)])[:, : 2 if self.held is None else 1]

    @property
    def form(self) -> Form:
        free = 2 if self.held is None else 1
        return Form(
            observed=self.total,
            predict=self.predict,
            slopes=self.slopes,
            lower=np.array([-np.inf, EXPONENTS[0]])[:free],
            upper=np.array([np.inf, EXPONENTS[1]])[:free],
            scale=np.array([1.0, 0.1])[:free],
        )


def fit_embedding_model(
    params_nonembedding: ArrayLike,
    params: ArrayLike,
    *,
    exponent: float | None = None,
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
) -> Fit:
    r"""Fit :math:`N = N_{\setminus E} + \omega N_{\setminus E}^{\delta}` to the counts of a list of models.

    Parameters
    ----------
    params_nonembedding, params : array (n,)
        Counts without and with the embeddings, positive; the latter larger.
    exponent : float, optional
        Holds :math:`\delta` there; by default both constants are fitted.
    objective : str
        As in :func:`~scaling.fit.fit_parametric`, with the total count in place of the loss.
    delta : float
        Its Huber threshold.
    weights : array (n,), optional
        As there; one a model.
    n_starts : int
        As there.

    Returns
    -------
    Fit
        Of an :class:`~scaling.counting.EmbeddingModel`; ``status`` says whether the sizes determine its constants.

    Raises
    ------
    FitError
        For counts that are not positive, that differ in number, or totals that are not larger.
    ValueError
        For an unknown objective, a ``delta`` or an ``n_starts`` that makes no sense.

    References
    ----------
    Pearce & Song 2024 (arXiv:2406.12907), equation 11.
    """
    aim = objective_of(objective, delta)
    N, T = _counts(params_nonembedding, params)
    w = checked_weights(weights, len(N))
    held = None if exponent is None else float(exponent)
    law = _Total(N, T, held)
    return finish_form(
        law.form,
        w,
        aim,
        law.starts(whole_number("n_starts", n_starts)),
        constants=law.constants,
        variables={"params_nonembedding": N},
        least=2 if held is None else 1,
        unseen=nothing_unseen,
        build=EmbeddingModel if held is None else partial(EmbeddingModel, exponent=held),
        again=partial(
            fit_embedding_model, N, T, exponent=exponent, objective=objective, delta=delta, n_starts=n_starts
        ),
        runs=pd.DataFrame({"params_nonembedding": N, "params": T}),
        dropped=NOTHING.copy(deep=False),
    )


def _counts(bare: ArrayLike, total: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    in_one_order(params_nonembedding=bare, params=total)
    N, T = np.atleast_1d(floats("params_nonembedding", bare)), np.atleast_1d(floats("params", total))
    if N.shape != T.shape or N.ndim != 1 or not len(N):
        raise FitError(f"give as many counts with as without embeddings, got shapes {T.shape} and {N.shape}")
    for name, x in (("params_nonembedding", N), ("params", T)):
        if (bad := ~(np.isfinite(x) & (x > 0))).any():
            raise FitError(f"{name} must be positive, got {x[bad][0]:g}")
    if (T <= N).any():
        raise FitError(f"params must be larger than params_nonembedding, got {T[T <= N][0]:g} and {N[T <= N][0]:g}")
    return N, T
