"""Sardana et al. 2024 (arXiv:2401.00448): allocations for a demand of inference, and the parametric loss refitted."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..fit.parametric import fit_parametric
from ..fit.result import Fit
from ..laws.chinchilla import ChinchillaLaw
from ..optimum.allocation import Allocation
from ..optimum.inference import CostModel, flop_price, inference_optimal
from ..runs.reading.door import load_runs
from ..sources.numbers import published
from .registry import reproduces

SET = "sardana2024"
CUTS = {"100": 100.0, "250": 250.0, "500": 500.0, "all": np.inf}
#: how far above the minimum, relative, the objective stays with the printed A, B and E and the best exponents
ABOVE = {"100": "6 millionths", "250": "38 millionths", "500": "183 millionths", "all": "91 millionths"}
#: constants of Table 1 that are not the minimum's
OFF = {"100/A", "100/B", "100/E", "250/A", "250/B", "250/E", "500/B", "all/beta", "all/A", "all/B", "all/E"}
NOT_ITS_OWN = "with the A, B and E printed in the same row the best exponent is 0.234, which does not round to 0.24"


@cache
def fit(cut: str) -> Fit:
    """The exact optimum on the runs with at most this many tokens per parameter."""
    runs = load_runs(SET)
    return fit_parametric(runs[runs["tokens_per_param"] <= CUTS[cut]])


def constant(cut: str, quantity: str) -> float:
    return float(getattr(fit(cut).law, quantity))


for _cut, _above in ABOVE.items():
    _reason = (
        "the objective is flat along a valley of constants: with the printed A, B and E it can still come within "
        f"{_above} of the minimum, and L-BFGS-B with default tolerances, the authors' choice, stops anywhere in it"
    )
    for _q in ("alpha", "beta", "A", "B", "E"):
        _off = NOT_ITS_OWN if f"{_cut}/{_q}" == "all/beta" else _reason
        reproduces(
            f"sardana2024/table1/{_cut}/{_q}",
            kind="runs",
            reason=_off if f"{_cut}/{_q}" in OFF else None,
            needs=SET,
        )(partial(constant, _cut, _q))


@reproduces("sardana2024/runs/count", kind="printed twice", needs=SET)
def count() -> float:
    return len(load_runs(SET))


@reproduces("sardana2024/runs/largest_ratio", kind="printed twice", needs=SET)
def largest_ratio() -> float:
    return float(load_runs(SET)["tokens_per_param"].max())


def _number(place: str) -> float:
    return float(published(f"sardana2024/{place}"))


@cache
def law() -> ChinchillaLaw:
    """The constants that the paper's allocations use."""
    return ChinchillaLaw.from_published("sardana2024/constants")


def chinchilla_tokens(params: float, constants: ChinchillaLaw | None = None) -> float:
    """Tokens for which a model of this size is compute-optimal: D such that alpha A / N^alpha = beta B / D^beta."""
    each = constants or law()
    return float((each.beta * each.B / (each.alpha * each.A) * params**each.alpha) ** (1 / each.beta))


def quality(params: float, constants: ChinchillaLaw | None = None) -> float:
    """Loss of the compute-optimal model of this size."""
    return float((constants or law()).loss(params, chinchilla_tokens(params, constants)))


def like_design() -> pd.DataFrame:
    """A design like that of the paper's 47 runs: six sizes, of which only the smallest read many tokens a parameter."""
    ladder = np.array([10, 15, 20, 30, 50, 75, 100, 250, 500, 1000, 5000, 10000])
    family = {150e6: 12, 370e6: 10, 750e6: 9, 1.3e9: 8, 2.5e9: 7, 6e9: 1}  # how far up the ladder each size goes
    return pd.DataFrame([(n, n * r) for n, k in family.items() for r in ladder[:k]], columns=["params", "tokens"])


def compare(
    loss: ArrayLike, demand: ArrayLike, cost: CostModel | None = None, constants: ChinchillaLaw | None = None
) -> dict[str, float | np.ndarray]:
    """The best model beside the Chinchilla model of its loss, both serving the same demand."""
    each = constants or law()
    best, usual = (inference_optimal(each, loss, served, cost) for served in (demand, 0.0))
    ours, theirs = (_spent(plan, demand, cost) for plan in (best, usual))
    return {
        "params": best.params,
        "tokens": best.tokens,
        "tokens_ratio": best.tokens / usual.tokens,
        "params_percent": 100 * best.params / usual.params,
        "tokens_percent": 100 * best.tokens / usual.tokens,
        "flops_percent": 100 * ours / theirs,
        "cost_percent": 100 * ours / theirs,
        "saved_flops": theirs - ours,
        "saved_percent": 100 * (1 - ours / theirs),
        "excess_percent": 100 * (theirs / ours - 1),
    }


def _spent(plan: Allocation, demand: ArrayLike, cost: CostModel | None) -> float | np.ndarray:
    if cost is None:
        return plan.flops + 2 * plan.params * np.asarray(demand)
    return cost.cost(plan.params, plan.tokens, demand)


FLOP_RESULTS = {
    "7B": ("params", "tokens_ratio"),
    "13B": ("params", "saved_flops", "saved_percent"),
    "30B": ("params", "tokens_ratio", "saved_percent"),
    "70B": ("params", "tokens", "saved_percent"),
    "70B_2T": ("excess_percent",),
}


def example(kind: str, case: str) -> tuple[float, float]:
    """Loss and demand of an example in ``flops`` or ``dollars``."""
    served = "inference_tokens" if kind == "flops" else "requests"
    loss, demand = quality(_number(f"{kind}/{case}/target")), _number(f"{kind}/{case}/{served}")
    return loss, demand if kind == "flops" else demand * stated_prices()[1]


def examples(kind: str) -> tuple[list[float], list[float]]:
    """Demands and losses of all examples in ``flops`` or ``dollars``."""
    places = [example(kind, case) for case in (FLOP_RESULTS if kind == "flops" else DOLLAR_RESULTS)]
    return [demand for _, demand in places], [loss for loss, _ in places]


@reproduces(
    {f"sardana2024/flops/{case}/{q}": (case, q) for case, names in FLOP_RESULTS.items() for q in names},
    kind="closed form",
)
def flop_example(case_and_quantity: tuple[str, str]) -> float:
    case, quantity = case_and_quantity
    return float(compare(*example("flops", case))[quantity])


@reproduces("sardana2024/readme/loss/loss", kind="closed form")
def loss_of_a_model() -> float:
    return float(law().loss(_number("readme/loss/params"), _number("readme/loss/tokens")))


def prices(
    training_rent: str, inference_rent: str, utilisation: str, request: str, peak: str = "a100_bf16"
) -> tuple[CostModel, float]:
    """Prices a useful FLOP, and tokens a request, from the places where their parts are printed."""
    training, prompt, generation = (_number(f"{utilisation}/{stage}") for stage in ("training", "prompt", "generation"))
    read, written = (_number(f"{request}/{kind}_tokens") for kind in ("prompt", "generated"))
    rent, int8 = _number(inference_rent), _number("settings/peak/a100_int8")
    cost = CostModel(
        flop_price(_number(training_rent), _number(f"settings/peak/{peak}"), training),
        flop_price(rent, int8, prompt),
        flop_price(rent, int8, generation),
        read / (read + written),
    )
    return cost, read + written


@reproduces(
    {
        f"sardana2024/readme/compute/{q}": q
        for q in ("params", "tokens", "params_percent", "tokens_percent", "flops_percent")
    },
    kind="closed form",
)
def readme_in_flops(quantity: str) -> float:
    loss, demand = (_number(f"readme/compute/{name}") for name in ("loss", "inference_tokens"))
    return float(compare(loss, demand)[quantity])


@reproduces(
    {
        f"sardana2024/readme/cost/{q}": q
        for q in ("params", "tokens", "params_percent", "tokens_percent", "cost_percent")
    },
    kind="closed form",
)
def readme_in_dollars(quantity: str) -> float:
    place = "readme/cost"
    cost, request = prices(
        f"{place}/rent/training", f"{place}/rent/inference", f"{place}/utilisation", f"{place}/request"
    )
    return float(compare(_number(f"{place}/loss"), _number(f"{place}/requests") * request, cost)[quantity])


def calculator(quantity: str, rents: tuple[str, str]) -> float:
    """The cost calculator's example: a Chinchilla model, trained and then serving its requests."""
    place = "readme/calculator"
    cost, request = prices(*rents, "settings/utilisation", f"{place}/request", peak="h100_bf16")
    N, demand = _number(f"{place}/target"), _number(f"{place}/requests") * request
    D = chinchilla_tokens(N)
    return {
        "tokens": D,
        "loss": quality(N),
        "training_flops": 6 * N * D,
        "total_flops": 6 * N * D + 2 * N * demand,
        "training_cost": float(cost.cost(N, D, 0.0)),
        "total_cost": float(cost.cost(N, D, demand)),
    }[quantity]


PASSED = ("readme/calculator/rent/training", "readme/calculator/rent/inference")
DEFAULT = ("settings/rent/h100", "settings/rent/a100_40")
reproduces(
    "sardana2024/readme/calculator/loss",
    kind="closed form",
    rtol=1e-14,
    rule="printed with all the digits that a double has: some units of the last, for another order of the operations",
)(partial(calculator, "loss", PASSED))
for _q, _kind in {"tokens": "closed form", "training_flops": "identity", "total_flops": "identity"}.items():
    reproduces(f"sardana2024/readme/calculator/{_q}", kind=_kind)(partial(calculator, _q, PASSED))
for _q in ("training_cost", "total_cost"):
    reproduces(
        f"sardana2024/readme/calculator/{_q}",
        kind="closed form",
        reason="the script ignores the two rents passed to it; the printed dollars belong to its defaults",
    )(partial(calculator, _q, PASSED))
    reproduces(
        f"sardana2024/readme/calculator/{_q}@default rents",
        kind="closed form",
        change="the script's default rents",
    )(partial(calculator, _q, DEFAULT))
DOLLAR_RESULTS = {
    "30B": ("params", "tokens", "saved_percent"),
    "70B_2T": ("excess_percent",),
    "70B_10T": ("params", "tokens", "saved_percent"),
}
DOLLAR_IDS = {f"dollars/{case}/{q}": (case, q) for case, names in DOLLAR_RESULTS.items() for q in names}
#: grid on which the factor is looked for
FACTORS = np.linspace(0.7, 1.1, 8001)


def stated_prices() -> tuple[CostModel, float]:
    """Prices and tokens a request by the paper's settings and the convention of the authors' code."""
    return prices("settings/rent/a100_80", "settings/rent/a100_40", "settings/utilisation", "settings/request")


def dollar_example(case: str, quantity: str, factor: float | np.ndarray = 1.0) -> float | np.ndarray:
    """A dollar example with the prices of inference multiplied by a factor."""
    cost, _ = stated_prices()
    cost = replace(cost, prompt=factor * cost.prompt, generation=factor * cost.generation)
    return compare(*example("dollars", case), cost)[quantity]


@cache
def allowed_factors() -> dict[str, tuple[float, float]]:
    """For each printed dollar result, the least and the largest factor that give it to its printed digits."""
    allowed = {}
    for place, (case, quantity) in DOLLAR_IDS.items():
        number = published(f"sardana2024/{place}")
        fits = FACTORS[np.abs(dollar_example(case, quantity, FACTORS) - number.value) <= number.half_unit]
        allowed[place] = float(fits.min()), float(fits.max())
    return allowed


def one_factor() -> float:
    """The middle of the factors that give all printed dollar results at once."""
    low, high = np.transpose(list(allowed_factors().values()))
    if low.max() > high.min():
        raise ValueError(f"no single factor gives all results: {low.max()} > {high.min()}")
    return float((low.max() + high.min()) / 2)


@reproduces(
    {f"sardana2024/{place}@one factor": each for place, each in DOLLAR_IDS.items()},
    kind="fitted",
    change="inference at 0.895 of the stated prices: one factor, solved for, gives all seven; it is unexplained",
)
def dollars_with_one_factor(case_and_quantity: tuple[str, str]) -> float:
    return float(dollar_example(*case_and_quantity, one_factor()))


for _place, _each in DOLLAR_IDS.items():
    reproduces(
        f"sardana2024/{_place}",
        kind="closed form",
        reason=None
        if _place == "dollars/30B/params"
        else "the stated prices and utilisations make inference more expensive than the printed results need",
    )(partial(dollar_example, *_each))
