"""Porian et al. 2024 (arXiv:2406.19146): from Kaplan's exponent to Chinchilla's, one cause at a time.

Their runs are not at hand, so their exponents are not recomputed and there is no claim about them. What can be computed
is what their printed numbers say of each other.
"""

from __future__ import annotations

from ..sources.numbers import published
from .registry import reproduces


def number(name: str) -> float:
    return float(published(f"porian2024/{name}"))


@reproduces("porian2024/budgets/largest", kind="identity")
def largest_budget() -> float:
    return number("budgets/smallest") * 2.0 ** (number("budgets/count") - 1.0)


def rule(quantity: str) -> float:
    """The fitted power law of the size, at the size at which the rounded rule is anchored."""
    coefficient, exponent = (number(f"rules/{quantity}/{part}") for part in ("coefficient", "exponent"))
    return coefficient * number("rules/rounded/params") ** exponent


@reproduces("porian2024/rules/rounded/batch", kind="closed form", digits=2)
def batch_of_the_rounded_rule() -> float:
    return rule("batch")


@reproduces("porian2024/rules/rounded/learning_rate", kind="closed form")
def learning_rate_of_the_rounded_rule() -> float:
    return rule("learning_rate")
