"""Villalobos et al. 2022 and 2024 (arXiv:2211.04325, versions 1 and 2): the stock of text."""

from __future__ import annotations

import numpy as np

from ..sources.numbers import large_models, published
from .registry import reproduces


def _number(place: str) -> float:
    return float(published(f"villalobos2022/{place}"))


def crossing(stock: float, growth: float | None = None) -> float:
    """The year in which data sets that grow by ``growth`` (a share a year) reach a growing stock of words.

    Both grow exponentially from October 2022; without ``growth``, data sets at the printed lower bound.
    """
    rate = _number("growth/datasets") / 100 if growth is None else growth
    gain = np.log1p(rate) - np.log1p(_number("growth/stock") / 100)
    return float(_number("largest_set/year") + np.log(stock / _number("largest_set")) / gain)


def growth_needed(stock: float, year: float) -> float:
    """The growth of data sets, a share a year, with which they reach the stock in that year."""
    gain = np.log(stock / _number("largest_set")) / (year - _number("largest_set/year"))
    return float(np.expm1(gain + np.log1p(_number("growth/stock") / 100)))


@reproduces({f"villalobos2022/orders/{end}": end for end in ("low", "high")}, kind="identity")
def _orders_of_magnitude(end: str) -> float:
    return float(np.log10(_number(f"stock/{end}") / _number("largest_set")))


RATE = (
    "two exponentials at the printed rates; that of the data sets is printed as more than 50 % a year, and "
    "75 % gives 2030, 57 % gives 2050"
)


@reproduces(
    {f"villalobos2022/exhaustion/low_quality/{when}": end for when, end in (("from", "low"), ("to", "high"))},
    kind="closed form",
    reason=RATE,
)
def _year(end: str) -> float:
    return crossing(_number(f"stock/{end}"))


@reproduces("villalobos2024/flops", kind="identity")
def _compute() -> float:
    chinchilla = large_models().set_index("name").loc["Chinchilla"]
    tokens = float(published("villalobos2024/tokens"))
    return 6 * tokens**2 * chinchilla["params"] / chinchilla["tokens"]
