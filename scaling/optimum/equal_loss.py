"""Sizes and tokens of equal loss, for any law: the curve, and its cheapest point for a demand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .._roots import find_root, in_places, lowest
from ..laws.base import HasLoss, of_size_and_tokens

__all__ = ["tokens_to_reach"]


#: logarithm of the size or tokens up to which the cheapest point lies at the end of the curve
LEAST = float(np.log(2.0))
#: logarithms of the sizes and token counts that are searched
RANGE = (0.0, np.log(1e40))


def tokens_to_reach(law: HasLoss, params: ArrayLike, loss: ArrayLike) -> np.ndarray | float:
    r"""Find the tokens :math:`D` on which a model of ``params`` reaches a loss, :math:`L(N, D) = \ell`.

    A bracketed root for any law that falls with the tokens; infinite where no number of them suffices.

    Parameters
    ----------
    law : Law
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
    TypeError
        If the law is not one of size and tokens alone.

    Examples
    --------
    >>> from scaling import ChinchillaLaw
    >>> law = ChinchillaLaw.from_published("sardana2024/constants")
    >>> f"{tokens_to_reach(law, 7e9, law.loss(13e9, 576.5e9)):.3g}"  # what a 13B model learns from 576.5 billion
    '1.24e+12'
    """
    N, target = positive(params=params, loss=loss)
    return np.exp(_log_tokens(of_size_and_tokens(law), np.log(N), target))[()]


def cheapest(law: HasLoss, loss: np.ndarray, demand: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Size and tokens that minimise 6 N D + 2 N ``demand`` at a loss, for any law with one valley along the curve.

    Raises ``ValueError`` where no model of any size reaches the loss, or only one of size and tokens matters.
    """
    floor = np.asarray(law.loss(*np.exp([RANGE[1], RANGE[1]])))
    target, demand, floor = np.broadcast_arrays(loss, demand, floor)
    if np.any(target <= floor):
        short = target <= floor
        raise ValueError(
            f"loss = {target[short].flat[0]:g} cannot be reached: with endless size and data the law has "
            f"{floor[short].flat[0]:g}"
        )

    def log_total(x: np.ndarray) -> np.ndarray:
        y = _log_tokens(law, x, target)
        return x + np.logaddexp(np.log(6.0) + y, np.log(2.0 * np.maximum(demand, 1e-300)))

    smallest = _log_root(lambda x: target - law.loss(np.exp(x), np.exp(RANGE[1])), target.shape)
    low, high, place = smallest + 1e-9, np.full(target.shape, RANGE[1]), _places(target.shape)
    x = lowest(in_places(log_total, target.shape), low, high, (place,))
    y = _log_tokens(law, x, target)
    if not np.all(np.minimum(x, y) > LEAST):
        raise ValueError("the law has no cheapest model: size or tokens alone reach the loss, the other going to one")
    return np.exp(x), np.exp(y)


def _log_tokens(law: HasLoss, x: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Logarithm of the tokens on the curve of equal loss at sizes e^x; infinite where it does not get there."""
    N = np.exp(x)
    least = np.asarray(law.loss(N, np.exp(RANGE[1])))
    shape = np.broadcast_shapes(np.shape(target), least.shape)
    return np.where(least >= target, np.inf, _log_root(lambda y: target - law.loss(N, np.exp(y)), shape))


def _log_root(rise: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Root of a function that rises over the range, and its lower end where it is above zero even there."""
    found = find_root(in_places(rise, shape), RANGE, (_places(shape),)).x
    return np.where(rise(np.full(shape, RANGE[0])) >= 0, RANGE[0], found)


def _places(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(math.prod(shape)).reshape(shape)
