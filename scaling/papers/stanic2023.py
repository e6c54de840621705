"""Stanić et al. 2023 (arXiv:2309.11197), the Languini Kitchen: models compared at equal accelerator hours."""

from __future__ import annotations

import numpy as np

from ..sources.numbers import published
from .registry import reproduces


def number(place: str) -> float:
    return float(published(f"stanic2023/{place}"))


@reproduces("stanic2023/6h/steps", kind="identity")
def steps() -> float:
    """Steps in the time of the class: throughput times time over the tokens of a step."""
    tokens = number("6h/throughput") * 3600 * number("6h/hours")
    return tokens / (number("6h/batch") * number("6h/context"))


def simulate_crossing(slopes: tuple[float, float], noise: float, draws: int = 4000, seed: int = 0) -> np.ndarray:
    """Hours at which two fitted lines meet that truly meet where the paper's do.

    Each line is a power law of the hours with one of the ``slopes``, seen in five classes from 6 to 96 hours
    through relative noise, and fitted by least squares of the logarithms.
    """
    crossing, rng = number("crossing"), np.random.default_rng(seed)
    hours = np.log(number("6h/hours") * 2.0 ** np.arange(5) / crossing)
    seen = np.outer(slopes, hours) + rng.normal(0, noise, (draws, 2, 5))
    slope, level = np.polyfit(hours, seen.reshape(-1, 5).T, 1).reshape(2, draws, 2)
    return crossing * np.exp(-(level[:, 0] - level[:, 1]) / (slope[:, 0] - slope[:, 1]))
