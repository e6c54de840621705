"""Clark et al. 2022 (arXiv:2202.01169): one law for dense and routed models."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import scipy

from ..fit.power_law import fit_power_law
from ..fit.result import Fit
from ..fit.routed import fit_routed
from ..laws.power import PowerLaw
from ..laws.routed import ROUTERS, RoutedLaw
from ..sources.datasets import read_dataset
from ..sources.numbers import published
from .registry import reproduces

SET = "clark2022"
LINEAR = ("a", "b", "c", "d")
#: the coefficients that miss the printed digits even with the printed E_start and E_max
NOT_SETTLED = {"s_base": ("b", "d"), "rl_r": ("b", "c")}
PRINTED_EXPERTS = "E_start and E_max are the printed ones; the runs hardly settle all six constants together"
VALLEY = (
    "a flat valley: some constants that round to the printed ones leave less than one per cent more than the least "
)
VALLEY += "root mean square, and 95 % intervals from resampled runs hold every printed constant"
CUTOFF = "a power of ten of -b/c: an interval of 95 % from resampled runs is wider than a factor of twenty"
AVERAGED = "the three seeds of the model of 130M are averaged, beside the five models of seed 42"
CUT_OFF = "0.0786 rounds to 0.079; the printed size at which the loss is one is that of this fit, to its last digit"


@cache
def runs(router: str) -> pd.DataFrame:
    """The runs behind the law of a router, and the dense ones as E = 1, as the authors' notebook selects them."""
    table = read_dataset(SET)
    chosen = table["group"].isin([router, "dense"]) & (table["k"] == 1) & (table["routing_frequency"] == 0.5)
    chosen &= (table["seed"] == 42) & (table["flop_increase"] == 1)
    return table.loc[chosen, ["params", "tokens", "loss", "num_experts"]].reset_index(drop=True)


@cache
def fitted(router: str) -> Fit:
    """The law by least squares of logarithms, as in the paper."""
    return fit_routed(runs(router), objective="log_squares")


def _terms(router: str) -> tuple[np.ndarray, np.ndarray]:
    """What the four linear constants multiply where E_start and E_max are as printed, and log10 of the losses."""
    table = runs(router)
    experts = RoutedLaw.from_published(router).effective_experts(table["num_experts"].to_numpy())
    x, e = np.log10(table["params"].to_numpy()), np.log10(experts)
    return np.column_stack([x, e, x * e, np.ones_like(x)]), np.log10(table["loss"].to_numpy())


def _law(found: np.ndarray, router: str) -> RoutedLaw:
    printed, (a, b, c, d) = RoutedLaw.from_published(router), map(float, found)
    return RoutedLaw(a, b, c, d, printed.E_start, printed.E_max)


@cache
def linear(router: str) -> RoutedLaw:
    """The law with the printed E_start and E_max: the other constants follow by linear least squares."""
    terms, y = _terms(router)
    return _law(np.linalg.lstsq(terms, y, rcond=None)[0], router)


def spread(law: RoutedLaw, router: str) -> float:
    """Root mean square of what a law leaves of log10 of the losses."""
    table = runs(router)
    return float(np.sqrt(np.mean((np.log10(law.predict(table)) - np.log10(table["loss"])) ** 2)))


def nearest_to_print(router: str) -> RoutedLaw:
    """Of the laws that round to the printed constants, with E_start and E_max as printed, the nearest to the runs."""
    terms, y = _terms(router)
    printed = [published(f"{SET}/table3/{router}/{q}") for q in LINEAR]
    low, high = (np.array([float(p) + sign * p.half_unit for p in printed]) for sign in (-1, 1))
    return _law(scipy.optimize.lsq_linear(terms, y, bounds=(low, high)).x, router)


@cache
def dense() -> tuple[float, float]:
    """Exponent of the dense models, and the size at which their loss would be one; seeds of one size are averaged."""
    table = read_dataset(SET).query("group == 'dense' and flop_increase == 1")
    loss = table.groupby("params")["loss"].mean()
    law = fit_power_law(loss.index.to_numpy(), loss.to_numpy(), objective="log_squares").law
    assert isinstance(law, PowerLaw)
    return -float(law.exponent), float(law.inverse(1.0))


_TABLE = {f"{SET}/table3/{router}/{q}": (router, q) for router in ROUTERS for q in LINEAR}
_OPEN = {f"{SET}/table3/{router}/{q}": (router, q) for router, names in NOT_SETTLED.items() for q in names}


@reproduces(_OPEN, kind="runs", reason=VALLEY, needs=SET)
@reproduces({id: key for id, key in _TABLE.items() if id not in _OPEN}, kind="runs", change=PRINTED_EXPERTS, needs=SET)
def coefficient(key: tuple[str, str]) -> float:
    router, name = key
    return float(getattr(linear(router), name))


@reproduces(
    {f"{SET}/table3/{router}/{q}": (router, q) for router in ROUTERS for q in ("E_start", "E_max")},
    kind="runs",
    reason=VALLEY,
    needs=SET,
)
def experts(key: tuple[str, str]) -> float:
    router, name = key
    return float(getattr(fitted(router).law, name))


@reproduces({f"{SET}/cutoff/{router}": router for router in ROUTERS}, kind="runs", reason=CUTOFF, needs=SET)
def cutoff(router: str) -> float:
    law = fitted(router).law
    assert isinstance(law, RoutedLaw)
    return float(law.cutoff)


reproduces(f"{SET}/dense/N_c", kind="runs", change=AVERAGED, needs=SET)(lambda: dense()[1])
reproduces(f"{SET}/dense/alpha_N", kind="runs", reason=CUT_OFF, needs=SET)(lambda: dense()[0])


@reproduces(f"{SET}/tokens", kind="runs", digits=2, needs=SET)
def tokens() -> float:
    """Steps times the tokens of a step, which follow from the FLOPs of a step (the set's passport)."""
    return float(read_dataset(SET)["tokens"].median())
