"""Muennighoff et al. 2023 (arXiv:2305.16264): what repeated data are worth."""

from __future__ import annotations

from ..laws.repetition import DataConstrainedLaw
from ..optimum.allocation import Allocation
from ..optimum.limited_data import data_constrained_optimal
from ..sources.numbers import published
from .registry import MEASURED, reproduces

UNIQUE_TOKENS = 25e9
LEVEL = (
    "the formula, with the constants of the read-me, lies .13 and .15 below the losses logged for the two "
    "trained models; it puts them in the right order"
)
FLAT = (
    "our number is the exact minimum of the authors' formula at their budget; the bottom is so flat that theirs "
    "costs about .0001 nats a token"
)


def loss(params: float, tokens: float) -> float:
    """The law's loss at 25 billion unique tokens."""
    return float(DataConstrainedLaw.from_published().loss(params, tokens, UNIQUE_TOKENS))


def best() -> Allocation:
    """The exact optimum of the law at the budget of the model that the authors trained as optimal."""
    budget = float(published("muennighoff2023/allocation/flops"))
    return data_constrained_optimal(DataConstrainedLaw.from_published(), budget, UNIQUE_TOKENS)


def lost_by_the_authors_allocation() -> float:
    """Nats a token between the model that the authors trained as optimal and the optimum, by their formula."""
    optimum, params = best(), float(published("muennighoff2023/allocation/params"))
    return loss(params, optimum.flops / 6 / params) - float(optimum.loss)


PAIR = {"6.34B_242B_25B": (6.34e9, 242e9), "8.67B_178B_25B": (8.67e9, 178e9)}


@reproduces({f"muennighoff2023/loss/{name}": pair for name, pair in PAIR.items()}, kind="closed form")
def _loss_of_the_formula(pair: tuple[float, float]) -> float:
    return loss(*pair)


@reproduces(
    {f"muennighoff2023/measured/{name}": pair for name, pair in PAIR.items()},
    kind="closed form",
    atol=0.01,
    rule=MEASURED,
    reason=LEVEL,
)
def _loss_of_the_trained_models(pair: tuple[float, float]) -> float:
    return loss(*pair)


@reproduces("muennighoff2023/allocation/params", kind="closed form", reason=FLAT)
def _params() -> float:
    return float(best().params)


@reproduces("muennighoff2023/allocation/epochs", kind="closed form", reason=FLAT)
def _epochs() -> float:
    return float(best().tokens / UNIQUE_TOKENS)
