"""One vocabulary of argument checks; each raises ``ValueError`` that names the argument and its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from math import ceil, inf
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

#: up to this level the resamples that a command draws at least are enough; above it so many lie beyond each end
USUAL_LEVEL, BEYOND = 0.95, 1


def numbers(name: str, value: object) -> np.ndarray:
    """The number or numbers of an argument as a float array, NaN where a mask hides one.

    ``ValueError`` for what NumPy would take for numbers and nobody means: truth values, text, dates, complex numbers.
    """
    if isinstance(value, float):
        return np.asarray(value)
    if type(value) is np.ndarray and value.dtype == float:
        return value
    try:
        array = np.ma.asarray(value) if isinstance(value, np.ma.MaskedArray) else np.asarray(value)
    except ValueError as error:  # lists of several lengths
        raise ValueError(f"{name} must be a number or numbers: {error}") from None
    if array.dtype.kind == "O":
        return np.array([number(name, each) for each in array.flat]).reshape(array.shape)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be a number or numbers, got {_shown(array.flat[0] if array.size else array)}")
    array = array.astype(float)
    return np.asarray(array.filled(np.nan) if isinstance(array, np.ma.MaskedArray) else array)


def number(name: str, value: Any) -> float:
    """One real number as a float; ``ValueError`` for anything else, and infinity for a whole number beyond floats."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, Decimal)):
        raise ValueError(f"{name} must be a number, got {_shown(value)}")
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf  # type: ignore[operator]  # whole numbers and fractions have an order


def _shown(value: object) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def same_order(**arguments: Any) -> None:
    """``ValueError`` where Series or tables have the same labels in another order: they would be paired by place."""
    labelled = [each for each in arguments.items() if not isinstance(each[1], (float, np.ndarray))]
    indexes = [(name, value.index) for name, value in labelled if hasattr(value, "iloc")]
    if len(indexes) < 2:
        return
    (first, index), *others = indexes
    for name, other in others:
        if len(other) == len(index) and not other.equals(index) and set(other) == set(index):
            words = f"{first} and {name} have the same labels in another order"
            raise ValueError(f"{words}: bring {name} into that of {first} with .reindex, or give arrays")


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
        Naming the first argument with a number for which ``holds`` is false, and the number; or what is no number, or
        Series of another order.
    """
    same_order(**arguments)
    arrays = []
    for name, value in arguments.items():
        array = numbers(name, value)
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
    if not low < number(name, value) < high:
        limit = f"between {low:g} and {high:g}" if np.isfinite(high) else f"larger than {low:g} and finite"
        raise ValueError(f"{name} must be {limit}, got {value!r}")


def proper_share(name: str, value: float) -> None:
    """``ValueError`` for a share, or the level of an interval, that is not above 0 and below 1."""
    if not 0 < number(name, value) < 1:
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
    if not number(name, value) >= least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def at_least_zero(name: str, value: float) -> float:
    """The number as a float; ``ValueError`` if it is negative or not finite."""
    if not 0 <= (found := number(name, value)) < inf:
        raise ValueError(f"{name} must be a finite number, at least 0, got {value!r}")
    return found


def by_name(sets: Any) -> None:
    """``TypeError`` unless these are tables by name."""
    if not isinstance(sets, Mapping):
        raise TypeError(f"sets must be tables by name, {{name: runs}}, got a {type(sets).__name__}")


def whole_number(name: str, value: float, least: int = 1) -> int:
    """The number as an int; ``ValueError`` if it has a fraction, is not finite, or lies below the least."""
    if not (least <= number(name, value) < inf and int(value) == value):
        raise ValueError(f"{name} must be a whole number, at least {least}, got {value}")
    return int(value)


def generator(seed: Any, *more: int) -> np.random.Generator:
    """Random numbers from a seed, one whole number or several, and from ``more``.

    ``ValueError`` for anything else: with None or a generator, the next call would give other numbers.
    """
    parts = [seed] if np.ndim(seed) == 0 else list(seed)
    found = [whole_number("seed", each, 0) for each in parts]
    return np.random.default_rng([*found, *more])
