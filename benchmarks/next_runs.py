"""What runs to add are worth: the error of the optimal size with them, and with as much compute spent otherwise.

Runs are simulated under a true law and fitted. For what one more IsoFLOP group costs, runs are suggested and simulated
too, and the fit to all is asked for the size at ``TARGET``. The truths are Besiroglu et al.'s law and a *coupled*
one that the fit cannot express, with the same limits for endless tokens and for an endless model,

    L = E + [(A/N**alpha)**(1/k) + (B/D**beta)**(1/k)]**k,   k = 0.3.

Run by ``make bench BENCH_ARGS=--coverage``, or alone: ``python benchmarks/next_runs.py --tables 100``.
"""

from __future__ import annotations

import argparse
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

import scaling
from scaling.errors import FitError, RunsWarning

#: the budget whose optimal size is wanted, FLOPs
TARGET = 1e23
#: the next IsoFLOP group: its budget, FLOPs, and its sizes; a suggestion may cost as much
GROUP, SIZES = 2e21, 9
#: standard deviation of the noise in ln loss: 0.6 %, as in the digitised runs
NOISE = 0.006
LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
GROUPS, RAGGED = "45 runs in 5 IsoFLOP groups", "60 ragged runs"


@dataclass(frozen=True)
class Coupled:
    """A law whose two terms are joined by k; k = 1 is Chinchilla's."""

    law: scaling.ChinchillaLaw
    k: float

    @property
    def inner(self) -> scaling.ChinchillaLaw:
        """The sum inside, whose optimum is that of the law."""
        law, k = self.law, self.k
        return scaling.ChinchillaLaw(0.0, law.A ** (1 / k), law.B ** (1 / k), law.alpha / k, law.beta / k)

    def loss(self, params: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        return self.law.E + self.inner.loss(params, tokens) ** self.k


def design(kind: str, seed: int) -> pd.DataFrame:
    """Sizes and tokens that know nothing of the truth, up to 6e20 FLOPs or so."""
    if kind == GROUPS:
        budgets = np.geomspace(6e18, 6e20, 5)
        return scaling.simulate.isoflop_design(budgets, SIZES, width=6, center=lambda C: np.sqrt(C / 120))
    ragged = scaling.simulate.chinchilla_like_design(200, seed=seed)
    return ragged[ragged["flops"] < 6.6e20].iloc[:60].reset_index(drop=True)


def for_the_exponent(boot: scaling.Bootstrap, budget: float) -> pd.DataFrame:
    """As suggestions were: for the variance of a, up to three times outside the tokens per parameter at hand."""
    ratios = boot.fit.runs["tokens"] / boot.fit.runs["params"]
    bounds = (ratios.min() / 3, ratios.max() * 3)
    return scaling.suggest_runs(boot, budget, aim="a", couplings=(), tokens_per_param=bounds).runs


def errors(truth: Coupled, kind: str, n_resamples: int, seed: int) -> dict[str, float] | None:
    """ln of the size found over the true one, with each choice of runs; None where the table is refused."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", RunsWarning)
        runs = scaling.simulate_runs(truth, design(kind, seed)[["params", "tokens"]], noise=NOISE, seed=seed)
        try:
            fit = scaling.fit_parametric(runs)
            boot = scaling.bootstrap(fit, n_resamples, seed=seed)
            choices = {
                "no more runs": None,
                "one more IsoFLOP group": scaling.simulate.isoflop_design([GROUP], SIZES, width=6, law=fit.law),
                "suggested for a, the law taken for granted": for_the_exponent(boot, GROUP * SIZES),
                "suggested": scaling.suggest_runs(boot, GROUP * SIZES, TARGET).runs,
            }
        except FitError:
            return None
        true = scaling.compute_optimal(truth.inner, TARGET).params
        return {name: float(np.log(size_with(runs, more, truth, seed) / true)) for name, more in choices.items()}


def size_with(runs: pd.DataFrame, more: pd.DataFrame | None, truth: Coupled, seed: int) -> float:
    """The compute-optimal size at the target, from the runs and those added."""
    if more is not None:
        added = scaling.simulate_runs(truth, more[["params", "tokens"]], noise=NOISE, seed=1_000_000 + seed)
        runs = pd.concat([runs, added], ignore_index=True)
    return float(scaling.compute_optimal(scaling.fit_parametric(runs).candidate, TARGET).params)


def median_with_error(values: np.ndarray) -> tuple[float, float]:
    """A median, and its Monte-Carlo error over resampled tables."""
    drawn = np.random.default_rng(0).integers(0, len(values), (1000, len(values)))
    return float(np.median(values)), float(np.median(values[drawn], axis=1).std())


def study(n_tables: int = 300, n_resamples: int = 100, workers: int = 2) -> pd.DataFrame:
    """One row a truth, design and choice: the median of abs(ln error), and how often the suggestion is closer."""
    rows = []
    with ProcessPoolExecutor(workers) as pool:
        for k in (1.0, 0.3):
            for kind in (GROUPS, RAGGED):
                found = pool.map(partial(errors, Coupled(LAW, k), kind, n_resamples), range(n_tables), chunksize=5)
                off = pd.DataFrame([each for each in found if each is not None]).abs()
                for name, values in off.items():
                    median, error = median_with_error(values.to_numpy())
                    row = {"k": k, "runs at hand": kind, "runs added": name, "median": f"{median:.3f}"}
                    row["Monte-Carlo error"] = f"{error:.3f}"
                    row["suggested is closer"] = (
                        "" if name == "suggested" else f"{(off['suggested'] < values).mean():.0%}"
                    )
                    rows.append(row | {"tables": len(off)})
                    print(*rows[-1].values(), sep=" | ", flush=True)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=300, help="tables a truth and design")
    parser.add_argument("--resamples", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    study(arguments.tables, arguments.resamples, arguments.workers)


if __name__ == "__main__":
    main()
