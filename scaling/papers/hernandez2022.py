"""Hernandez et al. 2022 (arXiv:2205.10487): a small part of the data, repeated often."""

from __future__ import annotations

from ..sources.numbers import published
from .registry import reproduces


@reproduces("hernandez2022/unique_share", kind="identity")
def _unique_share() -> float:
    return 100 - float(published("hernandez2022/repeated_share")) * float(published("hernandez2022/times"))
