"""Stanić et al. 2023 (arXiv:2309.11197), the Languini Kitchen: models compared at equal accelerator hours."""

from __future__ import annotations

from ..published import published
from ._registry import reproduces


def number(place: str) -> float:
    return float(published(f"stanic2023/{place}"))


@reproduces("stanic2023/6h/steps")
def steps() -> float:
    """Steps in the time of the class: throughput times time over the tokens of a step."""
    tokens = number("6h/throughput") * 3600 * number("6h/hours")
    return tokens / (number("6h/batch") * number("6h/context"))
