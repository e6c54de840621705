"""One vocabulary of argument checks; each raises ``ValueError`` that names the argument and its value."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def positive_finite(name: str, value: ArrayLike) -> np.ndarray:
    array = np.asarray(value, dtype=float)
    bad = ~((array > 0) & np.isfinite(array))
    if bad.any():
        raise ValueError(f"{name} must be positive and finite, got {array[bad].flat[0]:g}")
    return array


def positive(**arguments: ArrayLike) -> list[np.ndarray]:
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


def between(name: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        limit = f"between {low:g} and {high:g}" if np.isfinite(high) else f"larger than {low:g} and finite"
        raise ValueError(f"{name} must be {limit}, got {value!r}")


def at_least_zero(name: str, value: float) -> float:
    if not (value >= 0 and np.isfinite(value)):
        raise ValueError(f"{name} must be a finite number, at least 0, got {value!r}")
    return float(value)


def positive_values(name: str, values: ArrayLike) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    bad = ~((array > 0) & np.isfinite(array))
    if bad.any():
        raise ValueError(f"{name} must be positive and finite, got {array[bad].flat[0]:g}")
    if not array.size:
        raise ValueError(f"{name} is empty")
    return array


def whole_number(name: str, value: int, least: int = 1) -> int:
    if not (np.isfinite(value) and int(value) == value and value >= least):
        raise ValueError(f"{name} must be a whole number, at least {least}, got {value}")
    return int(value)
