"""One vocabulary of argument checks; each raises ``ValueError`` that names the argument and its value."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np
from numpy.typing import ArrayLike

#: up to this level the resamples that a command draws at least are enough; above it so many lie beyond each end
USUAL_LEVEL, BEYOND = 0.95, 1


def within(limits: str, holds: Callable[[np.ndarray], np.ndarray], **arguments: ArrayLike) -> list[np.ndarray]:
    """Arguments as float arrays, each number of which keeps the limits.

    Parameters
    ----------
    limits : str
        In words, to follow "must be".
    holds : callable
        Which numbers of an array keep them.
    **arguments
        Numbers or arrays, by name.

    Raises
    ------
    ValueError
        Naming the first argument with a number for which ``holds`` is false, and the number.
    """
    arrays = []
    for name, value in arguments.items():
        array = np.asarray(value, dtype=float)
        bad = ~holds(array)
        if bad.any():
            raise ValueError(f"{name} must be {limits}, got {array[bad].flat[0]:g}")
        arrays.append(array)
    return arrays


def positive(**arguments: ArrayLike) -> list[np.ndarray]:
    """Arguments as float arrays; ``ValueError`` where a number is not above zero (infinity is)."""
    return within("positive", lambda x: x > 0, **arguments)


def positive_finite(**arguments: ArrayLike) -> list[np.ndarray]:
    """Arguments as float arrays; ``ValueError`` where a number is not above zero, or infinite."""
    return within("positive and finite", lambda x: (x > 0) & np.isfinite(x), **arguments)


def between(name: str, value: float, low: float, high: float) -> None:
    """``ValueError`` for a number that does not lie strictly between two; ``high`` may be infinite."""
    if not low < value < high:
        limit = f"between {low:g} and {high:g}" if np.isfinite(high) else f"larger than {low:g} and finite"
        raise ValueError(f"{name} must be {limit}, got {value!r}")


def proper_share(name: str, value: float) -> None:
    """``ValueError`` for a share, or the level of an interval, that is not above 0 and below 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value}")


def least_resamples(level: float) -> int:
    """How many resamples put one beyond each end of an interval whose level is above 95 %; 0 up to that."""
    return ceil(2 * BEYOND / (1 - level) - 1e-6) if USUAL_LEVEL < level < 1 else 0


def enough_resamples(level: float, resamples: int) -> None:
    """``ValueError`` where there are fewer resamples than the level of an interval needs."""
    if resamples < (needed := least_resamples(level)):
        raise ValueError(f"level {level:.12g} needs {needed:,} resamples or more, got {resamples:,}")


def at_least(name: str, value: float, least: float) -> None:
    """``ValueError`` for a number below the least."""
    if not value >= least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def at_least_zero(name: str, value: float) -> float:
    """The number as a float; ``ValueError`` if it is negative or not finite."""
    if not (value >= 0 and np.isfinite(value)):
        raise ValueError(f"{name} must be a finite number, at least 0, got {value!r}")
    return float(value)


def whole_number(name: str, value: float, least: int = 1) -> int:
    """The number as an int; ``ValueError`` if it has a fraction, is not finite, or lies below the least."""
    if not (np.isfinite(value) and int(value) == value and value >= least):
        raise ValueError(f"{name} must be a whole number, at least {least}, got {value}")
    return int(value)
