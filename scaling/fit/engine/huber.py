"""Huber losses of residuals, summed, and the tilt that makes quantiles of them."""

from __future__ import annotations

import numpy as np


def huber_sum(r: np.ndarray, weights: np.ndarray, delta: float) -> np.ndarray:
    """Sum of weighted Huber losses over the last axis; ``delta`` may be infinite (half squares)."""
    if np.isinf(delta):
        return 0.5 * np.vecdot(weights, r * r)
    c = np.minimum(np.maximum(r, -delta), delta)
    rest = 0.5 * c
    np.subtract(r, rest, out=rest)
    rest *= c
    return np.vecdot(weights, rest)


def tilt(r: np.ndarray, tau: float) -> np.ndarray:
    """Twice the weight ``tau`` of residuals below zero, and twice 1 - ``tau`` of the others."""
    return np.where(r < 0, 2.0 * tau, 2.0 - 2.0 * tau)
