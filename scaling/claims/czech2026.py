"""Czech et al. 2026 (arXiv:2603.22339): the bias of approach 2, on surfaces without noise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..isoflop import fit_isoflop
from ..laws import ChinchillaLaw, FrontierLaw, PowerLaw
from ..optimum import compute_optimal
from ..published import published
from ..simulate import isoflop_design, simulate_runs
from ._registry import reproduces

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
    }
)
def error_on_centred_grids(name_and_width: tuple[str, float]) -> float:
    name, width = name_and_width
    law = surface(name)
    return tokens_error(law, fit_isoflop(noise_free_runs(law, width)).law)


OUTSIDE = "minima outside the sizes tried are used, which fit_isoflop refuses"


@reproduces({f"czech2026/offset/symmetric/{width}": factor for width, factor in WIDTHS.items()}, change=OUTSIDE)
def error_of_a_constant_offset(width: float) -> float:
    law = surface("symmetric")
    return tokens_error(law, parabolas(noise_free_runs(law, width, off_centre=OFFSET)))


DRIFTS = {f"czech2026/drift/symmetric/{width}": ("symmetric", factor) for width, factor in WIDTHS.items()}
DRIFTS |= {f"czech2026/drift/{name}/2x": (name, WIDTHS["2x"]) for name in ("chinchilla", "asymmetric")}


@reproduces(DRIFTS, change=OUTSIDE)
def error_of_a_drift(name_and_width: tuple[str, float]) -> float:
    """The centre moves evenly, in logarithms, from the optimum to a third of it."""
    name, width = name_and_width
    law = surface(name)
    return tokens_error(law, parabolas(noise_free_runs(law, width, np.geomspace(1.0, OFFSET, BUDGETS.size))))
