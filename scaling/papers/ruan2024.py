"""Ruan et al. 2024 (arXiv:2405.10938): public models in few dimensions, and which of them tell most of the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from ..sources.datasets import read_dataset
from ..sources.numbers import published
from .registry import reproduces

SET = "ruan2024"
#: the paper's families of base models, from the authors' code
FAMILIES = (
    *("Llama-2", "Llama", "Llama-3", "Qwen1.5", "Qwen", "Mistral", "Mixtral", "Yi", "Gemma", "Falcon", "Phi"),
    *("Pythia", "BLOOM", "GPT-Neo/J", "OPT", "MPT", "XGLM", "CodeLlama", "StarCoder", "StarCoder2", "DeepSeek-Coder"),
)
#: models of these families that the file has gained since the paper
LATER = ("Qwen/Qwen1.5-110B", "mistralai/Mistral-Nemo-Base-2407", "mistralai/Mixtral-8x22B-v0.1")
BENCHMARKS = (
    *("metric_mmlu", "metric_arc_challenge", "metric_hellaswag", "metric_winograd", "metric_truthfulqa"),
    *("metric_gsm8k", "metric_xwinograd", "metric_humaneval"),
)
WITHOUT = "without three models of the same families that the file has gained since"
#: the family that every choice has to take, and how many it may take
ALWAYS, MOST_FAMILIES = "Llama-2", 10
#: components that a choice has to tell
COMPONENTS = 3
#: where filling in stops: scores that lie so near their reconstruction, or so many rounds
CLOSE, ROUNDS = 1e-4, 1000


def models(largest: float = np.inf) -> pd.DataFrame:
    """The paper's models of at most so many parameters, in the order of the file."""
    table = read_dataset(SET)
    return table[table["family"].isin(FAMILIES) & ~table["run"].isin(LATER) & (table["params"] <= largest)]


def filled(table: pd.DataFrame) -> np.ndarray:
    """Scores (models, benchmarks), the missing ones filled in by the first component, in turns, as the authors do."""
    raw = table[list(BENCHMARKS)].to_numpy(float)
    mean, spread = np.nanmean(raw, 0), np.nanstd(raw, 0)
    scores = (raw - mean) / spread
    missing = np.isnan(scores)
    scores[missing] = 0.0
    for _ in range(ROUNDS):
        centre = scores.mean(0)
        left, size, right = np.linalg.svd(scores - centre, full_matrices=False)
        again = size[0] * np.outer(left[:, 0], right[0]) + centre
        if np.allclose(scores, again, atol=CLOSE):
            break
        scores[missing] = again[missing]
    return (scores * spread + mean).clip(0, 1)


def components(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The principal components of each model (models, 8), and the share of the variance of each (8,)."""
    scores = filled(table)
    left, size, _ = np.linalg.svd(scores - scores.mean(0), full_matrices=False)
    return left * size, size**2 / (size**2).sum()


@reproduces(f"{SET}/abstract/models", kind="runs", digits=1, change=WITHOUT, needs=SET)
def count() -> float:
    return len(models())


@reproduces({f"{SET}/variance/{n}": n for n in (1, 3)}, kind="runs", change=WITHOUT, needs=SET)
def share_of_variance(n: int) -> float:
    """Of the first components, in per cent."""
    return float(100 * components(models())[1][:n].sum())


@dataclass(frozen=True)
class Choices:
    """Every choice of families that has ``ALWAYS`` and at least one more: how many models, and how well they tell."""

    models: np.ndarray
    value: np.ndarray


@cache
def choices(largest: float = np.inf) -> Choices:
    """The authors' criterion for each choice S of families, the trace of X'X (X_S' X_S)^-1, negative (V-optimality).

    X are the first components of all models, X_S those of the chosen ones.
    """
    table = models(largest)
    X = components(table)[0][:, :COMPONENTS]
    family = table["family"].to_numpy()
    others = [name for name in FAMILIES if name in set(family) - {ALWAYS}]
    gram = np.array([X[family == name].T @ X[family == name] for name in (*others, ALWAYS)])
    size = np.array([(family == name).sum() for name in (*others, ALWAYS)])
    each = np.arange(1, 2 ** len(others))
    taken = ((each[:, None] >> np.arange(len(others))) & 1).astype(np.int8)
    taken = taken[taken.sum(1) < MOST_FAMILIES]
    count = taken @ size[:-1] + size[-1]
    told = np.full(len(taken), -np.inf)
    enough = count >= COMPONENTS
    chosen = np.tensordot(taken[enough].astype(float), gram[:-1], 1) + gram[-1]
    told[enough] = -np.trace(np.linalg.solve(chosen, np.broadcast_to(X.T @ X, chosen.shape)), axis1=1, axis2=2)
    return Choices(count, told)


def _largest(place: str) -> float:
    return np.inf if place == "any_size" else float(published(f"{SET}/selection/{place}/largest"))


BUDGETS = (4, 8, 12, 16, 20, 24, 28, 32, 36)
PLACES = ("any_size", "small")


@reproduces({f"{SET}/selection/{place}/count": place for place in PLACES}, kind="runs", change=WITHOUT, needs=SET)
def number_of_choices(place: str) -> float:
    return len(choices(_largest(place)).value)


@reproduces(
    {f"{SET}/selection/{place}/{budget}": (place, budget) for place in PLACES for budget in BUDGETS},
    kind="runs",
    change=WITHOUT,
    needs=SET,
)
def best_choice(place_and_budget: tuple[str, int]) -> float:
    """The criterion of the best choice of at most so many models."""
    place, budget = place_and_budget
    found = choices(_largest(place))
    return float(found.value[found.models <= budget].max())
