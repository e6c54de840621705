"""Sharma & Kaplan 2020 (arXiv:2004.10802): the dimension of the data manifold."""

from __future__ import annotations

import numpy as np

from ..theory.manifold import simulate_interpolation
from .registry import CHOSEN, reproduces

#: numbers of pieces, by dimension: whole sides of a grid, fine enough for the asymptotic form
SIDES = {1: 2 ** np.arange(5, 10), 2: 2 ** np.arange(4, 9), 3: 2 ** np.arange(3, 7)}


@reproduces({f"sharma2020/exponent_times_dimension@d = {d}": d for d in SIDES}, kind="simulated", atol=0.1, rule=CHOSEN)
def exponent_times_dimension(dimension: int) -> float:
    """How fast the squared error of linear pieces falls with their number, times the dimension."""
    curve = simulate_interpolation(SIDES[dimension] ** float(dimension), dimension)
    return -dimension * float(np.polyfit(np.log(curve["pieces"]), np.log(curve["error"]), 1)[0])
