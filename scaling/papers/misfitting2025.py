"""Li, Kudugunta and Zettlemoyer 2025 (arXiv:2502.18969), (Mis)fitting: the fits stored in their repository."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd
import scipy

from ..fit.parametric import fit_parametric
from ..laws.chinchilla import ChinchillaLaw
from ..optimum.allocation import compute_optimal
from ..runs.reading.door import load_runs
from ..sources.numbers import published
from .registry import reproduces

NEEDS = "misfitting2025"
ALL = "on all 261 runs; the authors' code keeps the best learning rate of each size and number of tokens, 81 runs"
BEST = "the minimum on the 81 runs of the best learning rate, which the label promises; the stored fit is of all 261"
STOPPED = "their optimiser stopped 2e-8, relative, above the least sum of all 261 runs, which is ours"
HALVED = (
    "the authors' smoothing of logs puts a run's only checkpoint at half of its steps, and so at half of its tokens "
    "and its compute"
)
BUDGET = 1e24


@cache
def runs() -> pd.DataFrame:
    """The last checkpoint of every run."""
    return load_runs(NEEDS)


@cache
def best_rates() -> pd.DataFrame:
    """Of each size and number of tokens the run with the least loss."""
    return runs().loc[runs().groupby(["params", "tokens"])["loss"].idxmin()]


def logarithms(law: ChinchillaLaw) -> dict[str, float]:
    """a, b and e are the logarithms of A, B and E."""
    constants = {"a": np.log(law.A), "b": np.log(law.B), "e": np.log(law.E), "alpha": law.alpha, "beta": law.beta}
    return {name: float(value) for name, value in constants.items()}


def law_of(constants: Iterable[float]) -> ChinchillaLaw:
    """The law with these a, b, e, alpha and beta."""
    a, b, e, alpha, beta = constants
    return ChinchillaLaw(E=np.exp(e), A=np.exp(a), B=np.exp(b), alpha=alpha, beta=beta)


def huber_sum(law: ChinchillaLaw, delta: float = 1e-3) -> float:
    """The authors' objective on all runs."""
    misses = np.abs(np.log(runs()["loss"]) - np.log(law.loss(runs()["params"], runs()["tokens"]))).to_numpy()
    near = np.minimum(misses, delta)
    return float(np.sum(near * (misses - near / 2)))


@cache
def form(every_rate: bool = True) -> ChinchillaLaw:
    """The parametric loss by the Huber sum."""
    return fit_parametric(runs() if every_rate else best_rates()).law


@cache
def tied() -> ChinchillaLaw:
    """The same with equal exponents: the least sum over ln A, ln B, ln E and the exponent."""

    def value(x: np.ndarray) -> float:
        return huber_sum(law_of((*x, x[-1])))

    found = np.array([stored("tied", q) for q in ("a", "b", "e", "alpha")])
    for _ in range(2):
        tight = {"xatol": 1e-7, "fatol": 1e-13, "maxfev": 2000}
        found = scipy.optimize.minimize(value, found, method="Nelder-Mead", options=tight).x
    return law_of((*found, found[-1]))


def stored(place: str, quantity: str) -> float:
    """A constant of the authors' stored fits."""
    return float(published(f"misfitting2025/{place}/{quantity}"))


LOGARITHMS = ("a", "b", "e", "alpha", "beta")


@reproduces({f"misfitting2025/form/{q}": q for q in LOGARITHMS}, kind="runs", reason=STOPPED, needs=NEEDS)
def constants(quantity: str) -> float:
    return logarithms(form())[quantity]


@reproduces({f"misfitting2025/form/{q}@best rates": q for q in LOGARITHMS}, kind="runs", reason=BEST, needs=NEEDS)
def constants_of_the_best_rates(quantity: str) -> float:
    return logarithms(form(every_rate=False))[quantity]


@reproduces({f"misfitting2025/tied/{q}": q for q in LOGARITHMS[:4]}, kind="runs", reason=STOPPED, needs=NEEDS)
def constants_of_equal_exponents(quantity: str) -> float:
    return logarithms(tied())[quantity]


@reproduces("misfitting2025/form/objective", kind="runs", change=ALL, needs=NEEDS)
def sum_at_the_stored_constants() -> float:
    return huber_sum(law_of(stored("form", q) for q in LOGARITHMS))


@reproduces("misfitting2025/tied/objective", kind="runs", change=ALL, needs=NEEDS)
def sum_at_the_stored_equal_exponents() -> float:
    return huber_sum(law_of(stored("tied", q) for q in (*LOGARITHMS[:4], "alpha")))


@reproduces(
    {f"misfitting2025/form/at_1e24/{q}": q for q in ("params", "tokens", "loss")},
    kind="runs",
    reason=STOPPED,
    needs=NEEDS,
)
def allocation(quantity: str) -> float:
    return float(getattr(compute_optimal(form(), BUDGET), quantity))


@reproduces({f"misfitting2025/tied/at_1e24/{q}": q for q in ("params", "tokens")}, kind="runs", change=ALL, needs=NEEDS)
def allocation_of_equal_exponents(quantity: str) -> float:
    return float(getattr(compute_optimal(tied(), BUDGET), quantity))


@cache
def interpolated(column: str) -> np.ndarray:
    """Compute and best size, or tokens, of the budgets whose interpolated curve has a minimum inside: (n, 2).

    Of the runs within 10 % of a budget the best of each size; ln loss follows an Akima curve between them, of which 25
    points a gap are looked at.
    """
    table, found = runs(), []
    for budget in 1e16 * 2.0 ** np.arange(12):
        near = table[np.exp(np.abs(np.log(table["flops"] / budget))) <= 1.1]
        if near["params"].nunique() < 3:
            continue
        curve = near.loc[near.groupby("params")["loss"].idxmin()].sort_values(column)
        x, y = np.log(curve[[column, "loss"]].to_numpy()).T
        at = np.linspace(x[0], x[-1], 25 * (len(x) - 1))
        losses = scipy.interpolate.Akima1DInterpolator(x, y)(at)
        if 0 < losses.argmin() < len(at) - 1:
            found.append((budget, np.exp(at[losses.argmin()])))
    return np.array(found)


def line(column: str) -> tuple[float, float]:
    """Exponent and logarithm of the coefficient of the line through these budgets, of which there are two."""
    budgets, best = np.log(interpolated(column)).T
    slope, intercept = np.polyfit(budgets, best, 1)
    return float(slope), float(intercept)


COLUMNS = {"n": "params", "t": "tokens"}


@reproduces(
    {f"misfitting2025/isoflop/{letter}_exponent": column for letter, column in COLUMNS.items()},
    kind="runs",
    needs=NEEDS,
)
def exponent_of_two_budgets(column: str) -> float:
    return line(column)[0]


@reproduces(
    {f"misfitting2025/isoflop/{letter}_coef": column for letter, column in COLUMNS.items()},
    kind="runs",
    reason=HALVED,
    needs=NEEDS,
)
def coefficient_of_two_budgets(column: str) -> float:
    return float(np.exp(line(column)[1]))


@reproduces(
    {f"misfitting2025/isoflop/{letter}_coef@halved": column for letter, column in COLUMNS.items()},
    kind="runs",
    change=f"as stored: {HALVED}",
    needs=NEEDS,
)
def coefficient_as_stored(column: str) -> float:
    """Compute halved, and tokens with it."""
    slope, intercept = line(column)
    return float(np.exp(intercept + slope * np.log(2.0)) / (2.0 if column == "tokens" else 1.0))
