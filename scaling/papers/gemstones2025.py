"""McLeish et al. 2025 (arXiv:2502.06857), Gemstones: which laws follow from models of many shapes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import scipy

from ..fit.engine.problem import Objective
from ..fit.parametric import fit_parametric
from ..laws.chinchilla import ChinchillaLaw
from ..sources.datasets import read_dataset
from ..sources.numbers import published
from .registry import reproduces

SET = "gemstones2025"
#: steps between the checkpoints that the authors' fits of the parametric law take, and the last one at half the rate
EVERY, LAST_AT_HALF = 2_385, 23_840
VOCABULARY = 50_304
CENT = "a per cent of the constant: rows, law and objective are the same, and only where the search stops may differ"
SHORT = "the stored fit is no minimum: on the same rows its objective is what the file says, and there is a lower one"
SAME = "the same sums over the same rows: only the order of additions may differ"
CONSTANTS = ("alpha", "beta", "lnA", "lnB", "lnE")
#: the authors' fits: what their files call hot, hot_100b+, hot_120b+_only and lr_ablation_hot
FITS = ("to100b", "to100b_nonembedding", "to350b", "to350b_nonembedding", "above120b", "half_rate")
#: the constants that lie more than a per cent from the minimum
STOPPED_SHORT = {("to100b", name) for name in ("alpha", "beta", "lnA", "lnB")} | {
    ("half_rate", name) for name in ("beta", "lnB")
}


@cache
def checkpoints(name: str) -> pd.DataFrame:
    """All checkpoints of one of the authors' selections."""
    table = read_dataset(SET)
    table = table[table["group"] == ("half_rate" if name == "half_rate" else "full_rate")]
    if name.startswith("to100b"):
        table = table[table["tokens"] < 1.001e11]
    return table.reset_index(drop=True)


@cache
def fitted_rows(name: str) -> pd.DataFrame:
    """The checkpoints that the parametric law is fitted to: one in ten billion tokens."""
    table = checkpoints(name)
    table = table[(table["steps"] % EVERY == 0) | (table["steps"] == LAST_AT_HALF)]
    if name == "above120b":
        table = table[table["tokens"] > 1.2e11]
    if name.endswith("nonembedding"):
        # as in the authors' script for this law, which takes off one of the two tables
        table = table.assign(params=table["params"] - float(VOCABULARY) * table["width"])
    return table[["params", "tokens", "loss"]].reset_index(drop=True)


@cache
def parametric(name: str, delta: float = 1e-4) -> ChinchillaLaw:
    """The parametric law of all rows, each taken for a run as the authors take it."""
    law = fit_parametric(fitted_rows(name), delta=delta).candidate
    assert isinstance(law, ChinchillaLaw)
    return law


def constants(law: ChinchillaLaw) -> dict[str, float]:
    """The law's constants in the letters of the authors' files."""
    logs = {f"ln{letter}": float(np.log(getattr(law, letter))) for letter in "ABE"}
    return {"alpha": float(law.alpha), "beta": float(law.beta), **logs}


def stored(name: str) -> ChinchillaLaw:
    """The authors' own constants."""
    alpha, beta, *logs = (float(published(f"{SET}/approach3/{name}/{q}")) for q in CONSTANTS)
    A, B, E = map(float, np.exp(logs))
    return ChinchillaLaw(E, A, B, alpha, beta)


def objective(law: ChinchillaLaw, name: str) -> float:
    """What the authors minimise: the sum of Huber's losses of the logarithms, delta 1e-4."""
    rows, aim = fitted_rows(name), Objective("log_huber", 1e-4)
    residuals = np.log(law.predict(rows)) - np.log(rows["loss"].to_numpy())
    return float(aim.sum(residuals, np.ones(len(rows))))


@cache
def hull(name: str) -> pd.DataFrame:
    """The checkpoints on the lower convex hull of loss against compute, both as logarithms: the authors' frontier."""
    table = checkpoints(name)
    corner = [2 * table["flops"].max(), 2 * table["loss"].max()]
    points = np.log(np.vstack([corner, table[["flops", "loss"]].to_numpy()]))
    corners = scipy.spatial.ConvexHull(points).vertices
    found = table.iloc[corners[corners > 0] - 1].sort_values("flops").reset_index(drop=True)
    return found[(found["loss"].diff() < 0) | (found.index == 0)]


@cache
def frontier(name: str, quantity: str) -> tuple[float, float]:
    """Exponent of the optimal size or tokens against compute, and its logarithm at one FLOP."""
    column = "params_nonembedding" if name.endswith("nonembedding") else quantity
    corners = hull(name)
    slope, intercept = np.polyfit(np.log(corners["flops"]), np.log(corners[column]), 1)
    return float(slope), float(intercept)


def below_the_stored(name: str) -> float:
    """How far the minimum lies below the authors' constants, as a share of the objective."""
    return 1 - objective(parametric(name), name) / objective(stored(name), name)


@reproduces({f"{SET}/approach3/{name}/objective": name for name in FITS}, kind="runs", rtol=1e-5, rule=SAME, needs=SET)
def objective_at_the_stored_constants(name: str) -> float:
    return objective(stored(name), name)


_KEYS = {f"{SET}/approach3/{name}/{q}": (name, q) for name in FITS for q in CONSTANTS}
_SHORT = {id: key for id, key in _KEYS.items() if key in STOPPED_SHORT}


@reproduces(_SHORT, kind="runs", rtol=0.01, rule=CENT, reason=SHORT, needs=SET)
@reproduces({id: key for id, key in _KEYS.items() if id not in _SHORT}, kind="runs", rtol=0.01, rule=CENT, needs=SET)
def constant(key: tuple[str, str]) -> float:
    name, quantity = key
    return constants(parametric(name))[quantity]


@reproduces(
    {f"{SET}/approach3_delta3/{name}/{q}": (name, q) for name in ("to100b", "to350b") for q in ("alpha", "beta")},
    kind="runs",
    rtol=0.01,
    rule=CENT,
    needs=SET,
)
def constant_at_a_wider_threshold(key: tuple[str, str]) -> float:
    name, quantity = key
    return constants(parametric(name, 1e-3))[quantity]


_FRONTIERS = [
    (name, "params") for name in ("to100b", "to350b", "half_rate", "to100b_nonembedding", "to350b_nonembedding")
]
_FRONTIERS += [(name, "tokens") for name in ("to100b", "to350b", "half_rate")]


@reproduces(
    {
        f"{SET}/approach1/{n}/{q}/{part}": (n, q, k)
        for n, q in _FRONTIERS
        for k, part in enumerate(("exponent", "intercept"))
    },
    kind="runs",
    rtol=1e-8,
    rule=SAME,
    needs=SET,
)
def envelope(key: tuple[str, str, int]) -> float:
    name, quantity, part = key
    return frontier(name, quantity)[part]
