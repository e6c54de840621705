"""Shuai et al. 2024 (arXiv:2412.01505): batch size. Its exponents must fit together, and do."""

from __future__ import annotations

from ..sources.numbers import published
from .registry import reproduces


def exponent(quantity: str) -> float:
    return float(published(f"shuai2024/exponents/{quantity}"))


# C is proportional to params times tokens, and tokens are steps times batch
reproduces("shuai2024/exponents/tokens", kind="identity")(lambda: 1 - exponent("params"))
reproduces("shuai2024/exponents/steps", kind="identity")(lambda: exponent("tokens") - exponent("batch"))
