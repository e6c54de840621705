"""DeepSeek-AI 2024 (arXiv:2401.02954): batch size and allocation. Model scale times tokens must give the compute."""

from __future__ import annotations

from ..sources.numbers import published
from .registry import reproduces


def constant(place: str) -> float:
    return float(published(f"deepseek2024/{place}"))


reproduces("deepseek2024/tokens/exponent")(lambda: 1 - constant("model/exponent"))
# the other coefficient has four digits
reproduces("deepseek2024/tokens/coefficient", rtol=3e-4)(lambda: 1 / constant("model/coefficient"))
