"""De Vries 2023, "Go smol or go home": what a smaller model of the same loss costs to train."""

from __future__ import annotations

from functools import partial

from ..laws.chinchilla import ChinchillaLaw
from ..optimum.allocation import compute_optimal
from ..optimum.inference import inference_optimal, overtraining_overhead
from ..sources.numbers import published
from . import sardana2024
from .registry import ROUNDED, reproduces

BUDGETS = ("2.21e19", "1.62e20", "2.46e22", "1e23", "1.71e24")
CUT = "the printed digits are cut off, not rounded"
A_UNIT = "a unit of the last printed digit, because the post cuts the others off"
#: how each printed overhead stands to the formula
CHANGES = {size: CUT for size in ("0.57", "0.50", "0.25")}
REASONS = {
    "0.46": "the formula that gives the post's own table of tokens gives more; we found no reason",
    "0.40": "the formula that gives the post's own table of tokens gives more; we found no reason",
    "0.30": "a round number: the tokens in the post's own table make it 106 %",
}


def _number(place: str) -> float:
    return float(published(f"devries2023/{place}"))


def law() -> ChinchillaLaw:
    """The post's fit to Hoffmann et al.'s Table A3; Sardana et al. took it over."""
    return sardana2024.law()


def overhead(size_ratio: float) -> float:
    """Extra training compute in percent."""
    return float(100 * (overtraining_overhead(law(), size_ratio).flops - 1))


for _size in ("0.75", "0.60", "0.57", "0.50", "0.46", "0.40", "0.30", "0.25"):
    reproduces(
        f"devries2023/overhead/{_size}",
        kind="closed form",
        atol=1.0 if _size in CHANGES else None,
        rule=A_UNIT if _size in CHANGES else None,
        change=CHANGES.get(_size),
        reason=REASONS.get(_size),
    )(partial(overhead, float(_size)))


@reproduces({f"devries2023/table/{budget}/params": float(budget) for budget in BUDGETS}, kind="closed form")
def best_size(budget: float) -> float:
    return float(compute_optimal(law(), budget).params)


@reproduces(
    {
        f"devries2023/table/{budget}/tokens/{size}": (float(budget), float(size))
        for budget in BUDGETS
        for size in ("1", "0.5", "0.3")
    },
    kind="closed form",
)
def tokens_of_a_smaller_model(budget_and_size: tuple[float, float]) -> float:
    budget, size = budget_and_size
    return float(compute_optimal(law(), budget).tokens * overtraining_overhead(law(), size).tokens)


@reproduces("devries2023/llama7b/flops", kind="identity")
def compute_of_llama() -> float:
    return 6 * _number("llama7b/params") * _number("llama7b/tokens")


def best_of_a_model(model: str, quantity: str) -> float:
    return float(getattr(compute_optimal(law(), _number(f"{model}/flops")), quantity))


for _model in ("llama7b", "santacoder"):
    for _q in ("params", "tokens"):
        _slack = sum(published(f"devries2023/{_model}/{each}").rounding for each in ("flops", f"best_{_q}"))
        reproduces(f"devries2023/{_model}/best_{_q}", kind="closed form", rtol=_slack, rule=ROUNDED)(
            partial(best_of_a_model, _model, _q)
        )


@reproduces("devries2023/llama7b/size_ratio", kind="closed form", atol=0.01, rule=A_UNIT, change=CUT)
def size_ratio_of_llama() -> float:
    """LLaMA-7B over the compute-optimal model that reaches its loss."""
    N = _number("llama7b/params")
    return float(N / inference_optimal(law(), law().loss(N, _number("llama7b/tokens")), 0.0).params)


@reproduces(
    {f"devries2023/quoted/{q}": q for q in ("E", "alpha")},
    kind="printed twice",
    reason="misquoted from Hoffmann et al.; the post computes with other exponents, and no overhead depends on E",
)
def quoted(quantity: str) -> float:
    return float(published(f"hoffmann2022/eq10/{quantity}"))
