"""The Llama 3 Herd of Models (arXiv:2407.21783): the budget of its largest model, divided by approach 2.

The points of its Figure 2 were digitised by Czech et al. 2026.
"""

from __future__ import annotations

from ..laws.power import FrontierLaw
from ..optimum.allocation import compute_optimal
from ..sources.numbers import published
from . import czech2026
from .registry import reproduces

NEEDS = czech2026.NEEDS
CUT = "the text cuts the numbers of the figure, 0.537 and 0.299, where rounding gives 0.54 and 0.30"
BUDGET = (
    "402B parameters times 16.55T tokens are 3.99e25 FLOP, five per cent above the budget named beside them; at 4e25 "
    "the figure's law gives 403B and 16.55T"
)


def frontier() -> FrontierLaw:
    """Approach 2 on the digitised points."""
    law = czech2026.llama3_isoflop().law
    assert isinstance(law, FrontierLaw)
    return law


@reproduces("llama2024/figure/alpha", kind="runs", needs=NEEDS)
@reproduces("llama2024/text/alpha", kind="runs", needs=NEEDS, reason=CUT)
def exponent_of_the_tokens() -> float:
    return float(frontier().tokens.exponent)


@reproduces("llama2024/figure/A", kind="runs", needs=NEEDS)
@reproduces("llama2024/text/A", kind="runs", needs=NEEDS, reason=CUT)
def coefficient_of_the_tokens() -> float:
    return float(frontier().tokens.coefficient)


@reproduces({f"llama2024/{q}": q for q in ("params", "tokens")}, kind="runs", needs=NEEDS, reason=BUDGET)
def allocation(quantity: str) -> float:
    """At the budget that the paper names."""
    return float(getattr(compute_optimal(frontier(), float(published("llama2024/flops"))), quantity))


@reproduces("llama2024/flops", kind="identity", reason=BUDGET)
def budget_of_the_pair() -> float:
    return 6.0 * float(published("llama2024/params")) * float(published("llama2024/tokens"))
