"""Author et al. 2026 (arXiv:0000.00000): what the paper is about, in a few words."""

from __future__ import annotations

from ..laws.chinchilla import ChinchillaLaw
from ..optimum.allocation import compute_optimal
from ..sources.numbers import published
from .registry import reproduces


def number(quantity: str) -> float:
    """A number of this paper."""
    return float(published(f"name2026/{quantity}"))


# Without rtol and rule, ours may differ by half a unit of the last digit that is printed.
@reproduces("name2026/table1/params", kind="closed form", rtol=0.05, rule="what rounding the constants may do to it")
def optimal_params() -> float:
    """The compute-optimal size at the budget of the paper, from the constants of its law."""
    law = ChinchillaLaw.from_published("hoffmann2022")
    return float(compute_optimal(law, number("table1/flops")).params)
