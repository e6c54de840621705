"""DeepSeek-AI 2024 (arXiv:2401.02954): batch size and allocation. Model scale times tokens must give the compute."""

from __future__ import annotations

from ..sources.numbers import published
from .registry import ROUNDED, reproduces


def constant(place: str) -> float:
    return float(published(f"deepseek2024/{place}"))


_PAIR = [published(f"deepseek2024/{quantity}/coefficient") for quantity in ("model", "tokens")]
reproduces("deepseek2024/tokens/exponent", kind="identity")(lambda: 1 - constant("model/exponent"))
reproduces("deepseek2024/tokens/coefficient", kind="identity", rtol=sum(each.rounding for each in _PAIR), rule=ROUNDED)(
    lambda: 1 / constant("model/coefficient")
)
