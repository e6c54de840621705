"""Czech et al. 2026 (arXiv:2603.22339): the bias of approach 2 on surfaces without noise, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pandas as pd

from ..fit.frontier import FrontierFit
from ..fit.isoflop import fit_isoflop
from ..fit.isoflop_bias import parabola_bias
from ..fit.parametric import fit_parametric
from ..fit.result import Fit
from ..laws.chinchilla import ChinchillaLaw
from ..laws.power import FrontierLaw, PowerLaw
from ..optimum.allocation import Allocation, compute_optimal, deadweight_compute
from ..runs.reading.door import load_runs
from ..simulate import isoflop_design, simulate_runs
from ..sources.numbers import published
from .registry import reproduces

BUDGETS = np.logspace(17, 21, 5)
N_SIZES = 15
EXTRAPOLATED_TO = 1e24
OFFSET = 1.0 / 3.0
WIDTHS = {"2x": 2.0, "4x": 4.0, "8x": 8.0, "16x": 16.0}


def surface(name: str) -> ChinchillaLaw:
    """One of the paper's test surfaces: symmetric, chinchilla or asymmetric."""
    constants = ("E", "A", "B", "alpha", "beta")
    return ChinchillaLaw(**{q: float(published(f"czech2026/surface/{name}/{q}")) for q in constants})


def noise_free_runs(law: ChinchillaLaw, width: float, off_centre: np.ndarray | float = 1.0) -> pd.DataFrame:
    """Sizes from ``1/width`` to ``width`` times a centre ``off_centre`` times the optimal size."""
    center = off_centre * compute_optimal(law, BUDGETS).params
    return simulate_runs(law, isoflop_design(BUDGETS, N_SIZES, width, center=center), noise=0.0, seed=0)


def parabolas(runs: pd.DataFrame) -> FrontierLaw:
    """Approach 2 without its safeguard: a minimum counts even where it lies outside the sizes."""
    rows = []
    for budget, group in runs.groupby("budget"):
        c2, c1, _ = np.polyfit(np.log(group["params"]), group["loss"], 2)
        rows.append((np.log(budget), -c1 / (2.0 * c2)))
    a, intercept = np.polyfit(*np.transpose(rows), 1)
    return FrontierLaw(PowerLaw(np.exp(intercept), a), PowerLaw(np.exp(-intercept) / 6.0, 1.0 - a))


def tokens_error(law: ChinchillaLaw, frontier: FrontierLaw) -> float:
    """Error of a frontier's optimal tokens at 1e24 FLOP, in percent."""
    tokens = [compute_optimal(each, EXTRAPOLATED_TO).tokens for each in (frontier, law)]
    return float(100.0 * (tokens[0] / tokens[1] - 1.0))


@reproduces(
    {
        f"czech2026/parabola/{name}/{width}": (name, factor)
        for name in ("chinchilla", "asymmetric")
        for width, factor in WIDTHS.items()
    },
    kind="simulated",
)
def error_on_centred_grids(name_and_width: tuple[str, float]) -> float:
    name, width = name_and_width
    law = surface(name)
    return tokens_error(law, fit_isoflop(noise_free_runs(law, width)).law)


OUTSIDE = "minima outside the sizes tried are used, which fit_isoflop refuses"


@reproduces(
    {f"czech2026/offset/symmetric/{width}": factor for width, factor in WIDTHS.items()},
    kind="simulated",
    change=OUTSIDE,
)
def error_of_a_constant_offset(width: float) -> float:
    law = surface("symmetric")
    return tokens_error(law, parabolas(noise_free_runs(law, width, off_centre=OFFSET)))


DRIFTS = {f"czech2026/drift/symmetric/{width}": ("symmetric", factor) for width, factor in WIDTHS.items()}
DRIFTS |= {f"czech2026/drift/{name}/2x": (name, WIDTHS["2x"]) for name in ("chinchilla", "asymmetric")}


@reproduces(DRIFTS, kind="simulated", change=OUTSIDE)
def error_of_a_drift(name_and_width: tuple[str, float]) -> float:
    """The centre moves evenly, in logarithms, from the optimum to a third of it."""
    name, width = name_and_width
    law = surface(name)
    return tokens_error(law, parabolas(noise_free_runs(law, width, np.geomspace(1.0, OFFSET, BUDGETS.size))))


def closed_form_error(name: str, width: float, center: np.ndarray | float = 1.0) -> float:
    """Error of the optimal tokens at 1e24 FLOP by :func:`~scaling.fit.parabola_bias`, in percent."""
    law = surface(name)
    return _extrapolated_error(parabola_bias(law.alpha, law.beta, width, N_SIZES, center), BUDGETS, EXTRAPOLATED_TO)


def _extrapolated_error(bias: np.ndarray | float, budgets: np.ndarray, flops: float) -> float:
    """Error of D* in percent where a line through the biased sizes is followed to ``flops``."""
    log_bias = np.broadcast_to(np.log(bias), budgets.shape)
    return float(100.0 * np.expm1(-np.polyval(np.polyfit(np.log(budgets), log_bias, 1), np.log(flops))))


CENTRED = {
    f"{name}/{width}": (name, factor) for name in ("chinchilla", "asymmetric") for width, factor in WIDTHS.items()
}


@reproduces(
    {f"czech2026/parabola/{key}@closed form": arguments for key, arguments in CENTRED.items()}, kind="closed form"
)
def closed_form_on_centred_grids(name_and_width: tuple[str, float]) -> float:
    return closed_form_error(*name_and_width)


@reproduces(
    {f"czech2026/offset/symmetric/{width}@closed form": factor for width, factor in WIDTHS.items()},
    kind="closed form",
)
def closed_form_of_a_constant_offset(width: float) -> float:
    return closed_form_error("symmetric", width, OFFSET)


@reproduces({f"{id}@closed form": arguments for id, arguments in DRIFTS.items()}, kind="closed form")
def closed_form_of_a_drift(name_and_width: tuple[str, float]) -> float:
    return closed_form_error(*name_and_width, np.geomspace(1.0, OFFSET, BUDGETS.size))


WIDEST = WIDTHS["16x"]


def log_intercept(name: str, width: float | None = None) -> float:
    """log10 of the optimal tokens at one FLOP: b0 of the paper; by approach 2 where a width is given."""
    law = surface(name)
    shift = np.log10(parabola_bias(law.alpha, law.beta, width, N_SIZES)) if width else 0.0
    return float(np.log10(compute_optimal(law, 1.0).tokens) - shift)


SURFACES = ("chinchilla", "asymmetric")


@reproduces({f"czech2026/recovery/{name}/b": name for name in SURFACES}, kind="simulated")
def exponent_of_tokens(name: str) -> float:
    return float(fit_isoflop(noise_free_runs(surface(name), WIDEST)).b)


@reproduces({f"czech2026/recovery/{name}/b0_true": name for name in SURFACES}, kind="closed form")
def true_intercept(name: str) -> float:
    return log_intercept(name)


@reproduces({f"czech2026/recovery/{name}/b0": name for name in SURFACES}, kind="closed form")
def inferred_intercept(name: str) -> float:
    return log_intercept(name, WIDEST)


@reproduces({f"czech2026/recovery/{name}/b0_error": name for name in SURFACES}, kind="closed form")
def change_of_the_log_intercept(name: str) -> float:
    """In percent of its size; depends on the unit in which compute is counted."""
    return 100.0 * (log_intercept(name, WIDEST) - log_intercept(name)) / abs(log_intercept(name))


@reproduces("czech2026/intercept_error/2x", kind="closed form")
def intercept_error_on_a_narrow_grid() -> float:
    return intercept_error(WIDTHS["2x"])


@reproduces(
    "czech2026/intercept_error/16x",
    kind="closed form",
    reason="by the paper's own formula, 10^dw - 1; the 4.1 printed is the change of the logarithm b0 in percent of b0",
)
def intercept_error_on_a_wide_grid() -> float:
    return intercept_error(WIDEST)


def intercept_error(width: float) -> float:
    """10^dw - 1 on the Chinchilla surface, in percent."""
    law = surface("chinchilla")
    return float(100.0 * (parabola_bias(law.alpha, law.beta, width, N_SIZES) - 1.0))


@reproduces(
    {
        "czech2026/tokens/chinchilla/true": ("chinchilla", 1.0, 0.0),
        "czech2026/tokens/symmetric/true": ("symmetric", 1.0, 0.0),
        "czech2026/tokens/chinchilla/8x": ("chinchilla", 1.0, 1.0),
        "czech2026/tokens/symmetric/offset8x": ("symmetric", OFFSET, 1.0),
        "czech2026/tokens/chinchilla/8x_missing": ("chinchilla", 1.0, None),
        "czech2026/tokens/symmetric/offset8x_excess": ("symmetric", OFFSET, None),
    },
    kind="closed form",
)
def tokens_on_grids_of_8x(arguments: tuple[str, float, float | None]) -> float:
    """The optimal tokens at 1e24 FLOP, true (0), inferred (1), or how far apart the two are (None)."""
    name, center, inferred = arguments
    tokens = float(compute_optimal(surface(name), EXTRAPOLATED_TO).tokens)
    error = closed_form_error(name, WIDTHS["8x"], center) / 100.0
    return abs(tokens * error) if inferred is None else tokens * (1.0 + inferred * error)


COST_BUDGETS = np.logspace(18, 22, 5)
COST_SURFACES = ("llama3", "soda", "sparse_nmm", "chinchilla")


def drift_error(name: str) -> float:
    """Error of the tokens at Llama 3's budget on grids of +-2x that drift to three times the optimum, in percent."""
    alpha, beta = (float(published(f"czech2026/costs/{name}/{q}")) for q in ("alpha", "beta"))
    bias = parabola_bias(alpha, beta, WIDTHS["2x"], N_SIZES, np.geomspace(1.0, OFFSET, COST_BUDGETS.size))
    return _extrapolated_error(bias, COST_BUDGETS, float(published("czech2026/costs/flops")))


@reproduces({f"czech2026/costs/{name}/tokens_error": name for name in COST_SURFACES}, kind="closed form")
def error_at_the_budget_of_llama3(name: str) -> float:
    return drift_error(name)


def deadweight_share(alpha: float, beta: float, ratio: float) -> float:
    """Share of a budget wasted by ``ratio`` times the optimal tokens; E, A, B and the budget do not matter."""
    law = ChinchillaLaw(E=0.0, A=1.0, B=1.0, alpha=alpha, beta=beta)
    best = compute_optimal(law, 1e24)
    return float(deadweight_compute(law, best.params / ratio, best.tokens * ratio) / 1e24)


def drift_deadweight(name: str) -> float:
    """Share of Llama 3's budget wasted by the error of :func:`drift_error`."""
    alpha, beta = (float(published(f"czech2026/costs/{name}/{q}")) for q in ("alpha", "beta"))
    return deadweight_share(alpha, beta, 1.0 + drift_error(name) / 100.0)


@reproduces({f"czech2026/costs/{name}/deadweight": name for name in ("soda", "sparse_nmm")}, kind="closed form")
def deadweight_percent(name: str) -> float:
    return 100.0 * drift_deadweight(name)


def dollars(share: float, peak: float) -> float:
    """What a share of Llama 3's budget costs on H100s of that peak, FLOP/s, at the paper's rent and utilisation."""
    rent, used, flops = (float(published(f"czech2026/costs/{q}")) for q in ("rent", "utilization", "flops"))
    return share * flops / (peak * used * 3600.0) * rent


@reproduces(
    {f"czech2026/costs/{name}/dollars": name for name in ("soda", "sparse_nmm")},
    kind="closed form",
    reason="with the dense peak of an H100; the printed dollars take the rating for sparse matrices, twice as high",
)
def dollars_at_the_dense_peak(name: str) -> float:
    return dollars(drift_deadweight(name), float(published("sardana2024/settings/peak/h100_bf16")))


@reproduces(
    {f"czech2026/costs/{name}/dollars@sparse peak": name for name in ("soda", "sparse_nmm")},
    kind="closed form",
    change="with the peak of an H100 for sparse matrices",
)
def dollars_at_the_sparse_peak(name: str) -> float:
    return dollars(drift_deadweight(name), float(published("czech2026/costs/peak")))


def llama3() -> ChinchillaLaw:
    """The direct fit to the digitised runs of Llama 3."""
    constants = {q: float(published(f"czech2026/llama3/{q}")) for q in ("E", "A", "B")}
    return ChinchillaLaw(**constants, **{q: float(published(f"czech2026/costs/llama3/{q}")) for q in ("alpha", "beta")})


@reproduces("czech2026/llama3/tokens/approach3", kind="closed form")
def tokens_of_llama3() -> float:
    return float(compute_optimal(llama3(), float(published("czech2026/costs/flops"))).tokens)


@reproduces("czech2026/llama3/deadweight", kind="closed form")
def deadweight_of_llama3() -> float:
    """In percent, where approach 2's tokens are used in place of the law's optimum."""
    law, flops = llama3(), float(published("czech2026/costs/flops"))
    tokens = float(published("czech2026/llama3/tokens/approach2"))
    return float(100.0 * deadweight_compute(law, flops / (6.0 * tokens), tokens) / flops)


NEEDS = "czech2026"
LLAMA3_FLOPS = "czech2026/costs/flops"
#: the two direct fits of the repository, and the sums of squares that they make least
SQUARES = {"vpnls": "huber", "approach3": "log_squares"}
STEPS = "both optimisers stop within a billionth of the same minimum"


@cache
def points(group: str = "llama_3") -> pd.DataFrame:
    """The IsoFLOP points of one of the studies."""
    return load_runs(f"{NEEDS}/{group}")


@cache
def llama3_isoflop() -> FrontierFit:
    """Approach 2 on Llama 3's points."""
    return fit_isoflop(points())


@cache
def llama3_fit(name: str) -> Fit:
    """A direct fit to Llama 3's points: least squares of the loss (vpnls) or of its logarithm (approach3)."""
    return fit_parametric(points(), objective=SQUARES[name], delta=np.inf if name == "vpnls" else 1e-3)


@reproduces(
    {f"czech2026/llama3/approach3/{q}": q for q in ("E", "A", "B", "alpha", "beta", "a", "b")}, kind="runs", needs=NEEDS
)
def of_least_squares_of_the_logarithm(quantity: str) -> float:
    return float(getattr(llama3_fit("approach3").law, quantity))


@reproduces(
    {f"czech2026/llama3/{q}": q for q in ("E", "A", "B")} | {f"czech2026/llama3/vpnls/{q}": q for q in ("a", "b")},
    kind="runs",
    needs=NEEDS,
)
def of_least_squares(quantity: str) -> float:
    return float(getattr(llama3_fit("vpnls").law, quantity))


@reproduces(
    {f"czech2026/costs/llama3/{q}": q for q in ("alpha", "beta")}, kind="runs", rtol=1e-9, rule=STEPS, needs=NEEDS
)
def exponents_of_least_squares(quantity: str) -> float:
    return of_least_squares(quantity)


def llama3_frontier() -> FrontierLaw:
    """Sizes and tokens that approach 2 finds best on Llama 3's points."""
    law = llama3_isoflop().law
    return FrontierLaw(law.params, law.tokens)


@reproduces(
    {
        "czech2026/llama3/approach2/a": lambda: llama3_isoflop().a,
        "czech2026/llama3/approach2/b": lambda: llama3_isoflop().b,
        "czech2026/llama3/approach2/log_N": lambda: np.log10(llama3_frontier().params.coefficient),
        "czech2026/llama3/approach2/log_D": lambda: np.log10(llama3_frontier().tokens.coefficient),
        "czech2026/llama3/approach2/params": lambda: inferred().params,
        "czech2026/llama3/approach2/tokens_per_param": lambda: inferred().tokens_per_param,
        "czech2026/llama3/tokens/approach2": lambda: inferred().tokens,
    },
    kind="runs",
    needs=NEEDS,
)
def of_the_parabolas(quantity: Callable[[], float]) -> float:
    return float(quantity())


def inferred() -> Allocation:
    """Llama 3's budget as approach 2 divides it."""
    return compute_optimal(llama3_frontier(), float(published(LLAMA3_FLOPS)))


def true(name: str) -> Allocation:
    """The same budget as a direct fit divides it."""
    return compute_optimal(llama3_fit(name).law, float(published(LLAMA3_FLOPS)))


@reproduces({f"czech2026/llama3/isoflop/tokens{k}": k for k in range(1, 11)}, kind="runs", needs=NEEDS)
def tokens_of_a_parabola(budget: int) -> float:
    return float(llama3_isoflop().points["tokens"].iloc[budget - 1])


def misallocation(name: str, quantity: str) -> float:
    """What approach 2's tokens cost where a direct fit is the truth."""
    law, flops, best, theirs = llama3_fit(name).law, float(published(LLAMA3_FLOPS)), true(name), inferred()
    wasted = float(deadweight_compute(law, theirs.params, theirs.tokens))
    loss = float(law.loss(theirs.params, theirs.tokens))
    return {
        "params": float(best.params),
        "tokens": float(best.tokens),
        "tokens_per_param": float(best.tokens_per_param),
        "loss": float(best.loss),
        "loss_inferred": loss,
        "penalty": loss - float(best.loss),
        "excess": 100.0 * (float(theirs.tokens) / float(best.tokens) - 1.0),
        "deadweight_flops": wasted,
        "deadweight": 100.0 * wasted / flops,
    }[quantity]


COSTS = ("params", "tokens_per_param", "loss", "loss_inferred", "penalty", "excess", "deadweight_flops")
for _name, _more in (("vpnls", {"tokens": "tokens/approach3", "deadweight": "deadweight"}), ("approach3", {})):
    _places = {f"czech2026/llama3/{_name}/{q}": q for q in COSTS} | {
        f"czech2026/llama3/{place}@runs": q for q, place in _more.items()
    }
    if not _more:
        _places |= {f"czech2026/llama3/{_name}/{q}": q for q in ("tokens", "deadweight")}
    reproduces(_places, kind="runs", needs=NEEDS)(partial(misallocation, _name))


@reproduces("czech2026/chinchilla/deadweight", kind="runs", change=OUTSIDE, needs=NEEDS)
def deadweight_on_chinchillas_points() -> float:
    """In percent, at 5.8e23 FLOP, against least squares of ln loss."""
    runs, flops = points("chinchilla"), 5.8e23
    theirs = compute_optimal(parabolas(runs), flops)
    law = fit_parametric(runs, objective="log_squares").law
    return float(100.0 * deadweight_compute(law, theirs.params, theirs.tokens) / flops)


_approach2 = published("hoffmann2022/table2/approach2/a")


@reproduces(
    {f"hoffmann2022/table2/approach2/a@{NEEDS}, {group}": group for group in ("chinchilla", "ml_scalefit")},
    kind="runs",
    atol=(_approach2.high - _approach2.low) / 2,
    rule="half the printed 80 % interval",
    change="on those of Besiroglu et al.'s digitised points that Czech et al. assign to nine budgets",
    needs=NEEDS,
)
def exponent_of_chinchillas_groups(group: str) -> float:
    return float(fit_isoflop(points(group)).a)


@reproduces(
    {f"hoffmann2022/table2/approach3/a@{NEEDS}, {group}": group for group in ("chinchilla", "ml_scalefit")},
    kind="runs",
    reason="the minimum of the same objective on the points near nine budgets, with (chinchilla) or without "
    "(ml_scalefit) the five of largest loss; all 240 give 0.51, and Hoffmann et al.'s optimiser stopped before that",
    needs=NEEDS,
)
def exponent_of_chinchillas_law(group: str) -> float:
    return float(fit_parametric(points(group)).law.a)
