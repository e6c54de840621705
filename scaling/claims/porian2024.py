"""Porian et al. 2024 (arXiv:2406.19146): from Kaplan's exponent to Chinchilla's, one cause at a time."""

from __future__ import annotations

from ..published import published
from ._registry import reproduces

#: in the order in which the causes are removed
STEPS = ("kaplan", "head", "warmup", "decay", "tuned")


def number(name: str) -> float:
    return float(published(f"porian2024/{name}"))


@reproduces("porian2024/budgets/largest")
def largest_budget() -> float:
    return number("budgets/smallest") * 2.0 ** (number("budgets/count") - 1.0)


@reproduces(
    {f"porian2024/refinedweb/{step}": step for step in STEPS},
    change="read from the authors' stored fits, not refitted: we do not have their runs",
)
def exponent_in_the_stored_fits(step: str) -> float:
    return number(f"results/refinedweb/{step}")
