"""How often bands cover where the law is wrong, and intervals where runs only lose: the studies behind two tables.

Run by ``make bench BENCH_ARGS=--coverage``, or alone: ``python benchmarks/wrong_laws.py --tables 100``.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import scipy
from threadpoolctl import threadpool_limits

import scaling
from scaling.diagnostics import find_discrepancy, residual_skewness

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
#: standard deviation of the noise in ln loss
NOISE = 0.006
#: the budget of the intervals under one-sided noise, FLOPs
BUDGET = 1e24
#: sizes at which single runs are predicted, as multiples of the planned one
SIZES = np.array([0.3, 0.6, 1.0, 1.7, 3.0])

Surface = Callable[[np.ndarray, np.ndarray], np.ndarray]
Draw = Callable[[np.random.Generator, int], np.ndarray]


def coupled(N: np.ndarray, D: np.ndarray, k: float = 0.3) -> np.ndarray:
    """E + ((A/N^alpha)^(1/k) + (B/D^beta)^(1/k))^k: each term alone is the law's, together they are less than a sum."""
    size, data = LAW.terms(N, D)
    return LAW.E + (size ** (1 / k) + data ** (1 / k)) ** k


def upward(N: np.ndarray, D: np.ndarray) -> np.ndarray:
    """The law, and 1 % more for each decade of size."""
    return LAW.loss(N, D) * (N / 4e7) ** (0.01 / np.log(10))


def nonembedding(N: np.ndarray, D: np.ndarray) -> np.ndarray:
    """The law of total parameters, of runs that are counted without embeddings (Pearce and Song 2024)."""
    return LAW.loss(N + float(scaling.published("pearce2024/omega")) * N ** (1 / 3), D)


def product(share: float) -> Surface:
    """The law, and a term in both variables: that share of their sum at 1e9 parameters and 2e10 tokens."""
    size, data = LAW.terms(1e9, 2e10)
    scale = share * (size + data) / (size * data)

    def surface(N: np.ndarray, D: np.ndarray) -> np.ndarray:
        return LAW.loss(N, D) + scale * np.multiply(*LAW.terms(N, D))

    return surface


TRUTHS: dict[str, Surface] = {
    "the law": LAW.loss,
    "coupled, k = 0.3": coupled,
    "1 % up a decade of size": upward,
    "without embeddings": nonembedding,
}
#: those of which the size is asked
SIZED: dict[str, Surface] = TRUTHS | {f"product, {share:.0%}": product(share) for share in (0.02, 0.05, 0.1, 0.2)}
DESIGNS: dict[str, Callable[[int], pd.DataFrame]] = {
    "63 runs in 7 groups": lambda _: scaling.simulate.isoflop_design(
        np.geomspace(6e18, 3e21, 7), n_sizes=9, width=6, law=LAW
    ),
    "120 ragged runs": lambda seed: scaling.simulate.chinchilla_like_design(120, seed=seed),
}
#: runs whose groups lie about twenty tokens a parameter, wherever their optima are
ASIDE = "54 runs in 6 groups about 20 tokens a parameter"
#: and their noise
QUIET = "a third of it"
GROUPS = [(N, C / 6 / N) for C in np.geomspace(1e18, 3e20, 6) for N in np.sqrt(C / 120) * np.geomspace(1 / 4, 4, 9)]
NOISES: dict[str, Draw] = {
    "normal": lambda rng, n: NOISE * rng.standard_normal(n),
    QUIET: lambda rng, n: NOISE / 3 * rng.standard_normal(n),
    "exponential": lambda rng, n: NOISE * rng.exponential(size=n),
    "normal + exponential": lambda rng, n: NOISE * (rng.exponential(size=n) + 0.5 * rng.standard_normal(n)),
    "normal + half-normal": lambda rng, n: (
        NOISE * (1.7 * np.abs(rng.standard_normal(n)) + 0.5 * rng.standard_normal(n))
    ),
}
OBJECTIVES = {"log_huber": {}, "log_one_sided": {"objective": "log_one_sided"}, "tau = 0.25": {"tau": 0.25}}


def simulate(surface: Surface, design: str, noise: str, seed: int) -> pd.DataFrame:
    runs = pd.DataFrame(GROUPS, columns=["params", "tokens"]) if design == ASIDE else DESIGNS[design](seed)
    exact = surface(*(runs[name].to_numpy() for name in ("params", "tokens")))
    drawn = NOISES[noise](np.random.default_rng([seed, len(runs)]), len(runs))
    return runs.assign(flops=6 * runs["params"] * runs["tokens"], loss=exact * np.exp(drawn))


def valley(surface: Surface, flops: float) -> scipy.optimize.OptimizeResult:
    """The least loss of a budget, and the logarithm of its size."""
    return scipy.optimize.minimize_scalar(
        lambda x: float(surface(np.exp(x), flops / 6 / np.exp(x))), bounds=(14, 30), method="bounded"
    )


def least_loss(surface: Surface, flops: float) -> float:
    """Of all sizes at a budget."""
    return float(valley(surface, flops).fun)


def best_size(surface: Surface, flops: float) -> float:
    """The size of least loss."""
    return float(np.exp(valley(surface, flops).x))


def within(low: float, value: float, high: float) -> bool:
    return bool(low <= value <= high)


def discrepancy_of(name: str, design: str, n_resamples: int, seed: int) -> dict[str, float]:
    """One table: what the band and the law's interval cover a decade beyond the runs, and how wide they are."""
    surface, runs = TRUTHS[name], simulate(TRUTHS[name], design, "normal", seed)
    flops = 10 * float(runs["flops"].max())
    fit, least = scaling.fit_parametric(runs), least_loss(surface, flops)
    best, found = scaling.compute_optimal(fit.law, flops), find_discrepancy(fit)
    boot = scaling.bootstrap(fit, n_resamples, seed)
    low, high = boot.interval(of=lambda law: scaling.compute_optimal(law, flops).loss)
    own = {"its interval": within(low, least, high), "its width": np.log(high / low)}
    sizes = best.params * SIZES
    one = surface(sizes, flops / 6 / sizes) * np.exp(NOISE * np.random.default_rng([seed, 1]).standard_normal(5))
    band, run = found.band(best.params, best.tokens), found.band(sizes, flops / 6 / sizes, noise=True)
    if band.reason:
        return own | {"silent": 1.0}
    about = {"silent": 0.0, "band": within(band.low, least, band.high), "width": np.log(band.high / band.low)}
    return own | about | {"single runs": float(np.mean((run.low <= one) & (one <= run.high)))}


def sizes_of(name: str, design: str, n_resamples: int, seed: int) -> dict[str, float]:
    """One table: whether the best size a decade beyond the runs lies in the interval of each law, and of both."""
    surface = SIZED[name]
    runs = simulate(surface, design, QUIET if design == ASIDE else "normal", seed)
    flops = 10 * float(runs["flops"].max())
    best, spans = np.log(best_size(surface, flops)), {}
    for law in ("additive", "coupled"):
        boot = scaling.bootstrap(scaling.fit_parametric(runs, law=law), n_resamples, seed)
        spans[law] = boot.interval(of=lambda each: np.log(scaling.compute_optimal(each, flops).params))
    spans["both"] = min(low for low, _ in spans.values()), max(high for _, high in spans.values())
    held = {law: within(low, best, high) for law, (low, high) in spans.items()}
    return held | {f"width, {law}": high - low for law, (low, high) in spans.items()}


def one_sided_of(noise: str, design: str, objective: str, n_resamples: int, seed: int) -> dict[str, float]:
    """One table: which intervals hold the law of well-tuned runs, how wide that of a is, whether runs lean."""
    runs, best = simulate(LAW.loss, design, noise, seed), scaling.compute_optimal(LAW, BUDGET)
    fit = scaling.fit_parametric(runs, **OBJECTIVES[objective])
    boot = scaling.bootstrap(fit, n_resamples, seed)
    of = {"a": "a", "E": "E", "N*": lambda law: scaling.compute_optimal(law, BUDGET).params}
    of["L*"] = lambda law: scaling.compute_optimal(law, BUDGET).loss
    truth = {"a": LAW.a, "E": LAW.E, "N*": best.params, "L*": best.loss}
    spans = {name: boot.interval(of=each) for name, each in of.items()}
    hits = {name: within(low, truth[name], high) for name, (low, high) in spans.items()}
    leans = residual_skewness(fit).one_sided if objective == "log_huber" else np.nan
    return hits | {"width of a": spans["a"][1] - spans["a"][0], "said": leans}


def summary(rows: list[dict[str, float]]) -> dict[str, str]:
    """Shares with their largest Monte-Carlo error, and medians of widths."""
    table = pd.DataFrame(rows).astype(float)
    widths = [name for name in table if "width" in name]
    shares, counts = table.drop(columns=widths).mean(), table.count()
    said = shares.map("{:.3f}".format).to_dict() | table[widths].median().map("{:.4f}".format).to_dict()
    error = np.sqrt(np.maximum(shares * (1 - shares), 1 / len(table)) / counts[shares.index]).max()
    return said | {"Monte-Carlo error": f"{error:.3f}"}


def study(one: Callable[[int], dict[str, float]], n_tables: int, **names: str) -> None:
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", scaling.errors.RunsWarning)
        found = names | summary([one(seed) for seed in range(n_tables)])
    print(" | ".join(f"{name} {value}" if name not in names else value for name, value in found.items()), flush=True)


def studies(n_tables: int = 300, n_resamples: int = 200) -> None:
    """Print both tables, a line a cell."""
    print("\nA decade beyond the most expensive run: the law's own 95 % interval and the band of its discrepancy\n")
    for design in DESIGNS:
        for name in TRUTHS:
            study(partial(discrepancy_of, name, design, n_resamples), n_tables, design=design, truth=name)
    print("\nA decade beyond, the best size: 95 % intervals of two laws, and the range over both\n")
    for design in (*DESIGNS, ASIDE):
        for name in SIZED:
            study(partial(sizes_of, name, design, n_resamples), n_tables, design=design, truth=name)
    print("\nRuns that only lose: 95 % intervals of the law of well-tuned runs, at 1e24 FLOPs\n")
    for design in DESIGNS:
        for noise in (each for each in NOISES if each != QUIET):
            for objective in OBJECTIVES:
                one = partial(one_sided_of, noise, design, objective, n_resamples)
                study(one, n_tables, design=design, noise=noise, objective=objective)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=300, help="tables a line")
    parser.add_argument("--resamples", type=int, default=200)
    arguments = parser.parse_args()
    studies(arguments.tables, arguments.resamples)


if __name__ == "__main__":
    main()
