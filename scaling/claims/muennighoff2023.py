"""Muennighoff et al. 2023 (arXiv:2305.16264): what repeated data are worth."""

from __future__ import annotations

from ..data_limits import DataConstrainedLaw
from ._registry import reproduces


def _loss(params: float, tokens: float) -> float:
    return float(DataConstrainedLaw.from_published().loss(params, tokens, 25e9))


@reproduces("muennighoff2023/loss/6.34B_242B_25B", atol=5e-8)
def _smaller_for_longer() -> float:
    return _loss(6.34e9, 242e9)


@reproduces("muennighoff2023/loss/8.67B_178B_25B", atol=5e-8)
def _chinchilla_allocation() -> float:
    return _loss(8.67e9, 178e9)
