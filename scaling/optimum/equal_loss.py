"""Sizes and tokens of equal loss, for any law: the curve, and its cheapest point for a demand."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .._roots import lowest, root
from ..laws.base import HasLoss

__all__ = ["tokens_to_reach"]


#: logarithms of the sizes and token counts that are searched
RANGE = (0.0, np.log(1e40))
#: step of the numerical slope, in the logarithm of the tokens
STEP = 1e-5


def tokens_to_reach(law: HasLoss, params: ArrayLike, loss: ArrayLike) -> np.ndarray | float:
    r"""Tokens :math:`D` on which a model of ``params`` reaches a loss, :math:`L(N, D) = \ell`.

    A bracketed root for any law that falls with the tokens; infinite where no number of them suffices.

    Parameters
    ----------
    law
        Anything with ``loss(params, tokens)`` in nats/token.
    params : float or array
        Size, positive.
    loss : float or array
        The loss to reach, nats/token, positive; broadcasts against ``params``.

    Returns
    -------
    float or array
        Tokens, at least 1.

    Raises
    ------
    ValueError
        If ``params`` or ``loss`` is not positive.

    Examples
    --------
    >>> from scaling import ChinchillaLaw
    >>> law = ChinchillaLaw.from_published("sardana2024/constants")
    >>> f"{tokens_to_reach(law, 7e9, law.loss(13e9, 576.5e9)):.3g}"  # what a 13B model learns from 576.5 billion
    '1.24e+12'
    """
    N, target = np.broadcast_arrays(*positive(params=params, loss=loss))
    return np.exp(_log_tokens(law, np.log(N), target))[()]


def cheapest(law: HasLoss, loss: np.ndarray, demand: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Size and tokens that minimise 6 N D + 2 N ``demand`` at a loss, for any law with one valley along the curve.

    Raises ``ValueError`` where no model of any size reaches the loss.
    """
    target, demand = np.broadcast_arrays(loss, demand)
    floor = np.broadcast_to(law.loss(*np.exp([RANGE[1], RANGE[1]])), target.shape)
    if np.any(target <= floor):
        worst = target[target <= floor].flat[0]
        raise ValueError(
            f"loss = {worst:g} cannot be reached: with endless size and data the law has {floor.flat[0]:g}"
        )

    def log_total(x: np.ndarray) -> np.ndarray:
        y = _log_tokens(law, x, target)
        return x + np.logaddexp(np.log(6.0) + y, np.log(2.0 * np.maximum(demand, 1e-300)))

    def excess(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _short(law, x, np.full_like(x, RANGE[1]), target, axis=0)

    low, high = (np.full(target.shape, limit) for limit in RANGE)
    x = lowest(log_total, np.maximum(root(excess, low, high), low) + 1e-9, high)
    return np.exp(x), np.exp(_log_tokens(law, x, target))


def _log_tokens(law: HasLoss, x: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Logarithm of the tokens on the curve of equal loss at sizes e^x; infinite where it does not get there."""
    low, high = (np.full(np.shape(x), limit) for limit in RANGE)
    y = root(lambda y: _short(law, x, y, target, axis=1), low, high)
    return np.where(law.loss(np.exp(x), np.exp(high)) >= target, np.inf, y)


def _short(law: HasLoss, x: np.ndarray, y: np.ndarray, target: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """How far the loss lies below the target, rising in both logarithms, and its slope along one of them."""
    step = (STEP, 0.0) if axis == 0 else (0.0, STEP)
    ahead, behind = (law.loss(np.exp(x + s * step[0]), np.exp(y + s * step[1])) for s in (1, -1))
    slope = np.maximum((behind - ahead) / (2 * STEP), 1e-300)
    return target - law.loss(np.exp(x), np.exp(y)), slope
