"""Roots and minima of many functions at once, each in a bracket."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: most steps of a search for a root; Newton's take five or so
MOST_STEPS = 200


def root(
    excess: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Roots of rising functions, each in its bracket: Newton's steps, halving where one would leave it."""
    u = (low + high) / 2
    for _ in range(MOST_STEPS):
        value, slope = excess(u)
        low, high = np.where(value <= 0, u, low), np.where(value >= 0, u, high)
        step = u - value / slope
        new = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        done = np.abs(new - u) <= 4e-15 * (1 + np.abs(u))
        u = new
        if done.all():
            break
    return u


def lowest(function: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Minima of functions with one valley, each in its bracket, by golden section."""
    golden = (np.sqrt(5) - 1) / 2
    a, b = high - golden * (high - low), low + golden * (high - low)
    fa, fb = function(a), function(b)
    while (high - low).max() > 1e-9:
        left = fa <= fb
        low, high = np.where(left, low, a), np.where(left, b, high)
        new = np.where(left, high - golden * (high - low), low + golden * (high - low))
        value = function(new)
        a, b = np.where(left, new, b), np.where(left, a, new)
        fa, fb = np.where(left, value, fb), np.where(left, fa, value)
    return (low + high) / 2
