"""What the statuses of a fit are worth: how many tables are called identified, and how many of these keep the promise.

Runs are simulated on Besiroglu et al.'s surface with noise of 0.6 %. ``identified`` promises the best size at ten times
the largest run's compute within a factor of two (95 %). Part of ``make bench BENCH_ARGS=--coverage``, or alone:
``python benchmarks/statuses.py --tables 100``.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

import scaling

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
NOISE, RUNS, FLAT_RUNS = 0.006, (6, 8, 12, 20, 40, 120), 60
FLAT_NOISE = (0.01, 0.003, 0.001, 0.0005, 0.0001)
#: where the truth is asked for, in units of the most expensive run's compute, and the questions
REACH = 10.0


def ragged(n: int, seed: int) -> pd.DataFrame:
    return scaling.simulate.chinchilla_like_design(n, seed=seed)


def scattered(n: int, seed: int) -> pd.DataFrame:
    """Sizes and tokens per parameter drawn evenly in logarithms, from 30M to 10B and 4 to 100."""
    rng = np.random.default_rng([seed, n])
    params = 10 ** rng.uniform(7.5, 10, n)
    return pd.DataFrame({"params": params, "tokens": 20 * params * 10 ** rng.uniform(-0.7, 0.7, n)})


def tell(n: int, tables: int, make: object) -> dict[str, object]:
    """A row of the table: how often identified, how often rightly so, and how often the intervals hold the truth."""
    named, kept, held = 0, 0, []
    for seed in range(tables):
        runs = scaling.simulate_runs(LAW, make(n, seed), noise=NOISE, seed=10_000 + seed)
        fit = scaling.fit_parametric(runs)
        if fit.status == "not_identified":
            continue
        flops = REACH * float((6 * fit.runs["params"] * fit.runs["tokens"]).max())
        best, truth = scaling.compute_optimal(fit.law, flops), scaling.compute_optimal(LAW, flops)
        named += fit.status == "identified"
        kept += fit.status == "identified" and abs(np.log(best.params / truth.params)) < np.log(2)
        if n > 5:
            asked = fit.certainty(flops)
            true = np.array([LAW.a, truth.params, truth.loss])
            held.append((asked["low"] <= true) & (true <= asked["high"]))
    row = {"design": make.__name__, "runs": n, "identified": named / tables}
    row["of these kept"] = f"{share(kept, named)}"
    for name, x in zip(("a", "best size", "loss"), np.transpose(held), strict=True):
        row[f"interval of {name}"] = share(int(x.sum()), len(x))
    return row


def share(part: int, whole: int) -> str:
    """A share with its Monte-Carlo error."""
    p = part / whole if whole else np.nan
    return f"{p:.3f} ± {np.sqrt(p * (1 - p) / max(whole, 1)):.3f}"


def flat(noise: float, tables: int) -> dict[str, object]:
    """Statuses of tables in which the loss depends on tokens alone."""
    found = []
    for seed in range(tables):
        design, rng = ragged(FLAT_RUNS, seed), np.random.default_rng(10_000 + seed)
        loss = (LAW.E + LAW.B / design["tokens"] ** LAW.beta) * np.exp(noise * rng.standard_normal(FLAT_RUNS))
        found.append(scaling.fit_parametric(design.assign(loss=loss)).status)
    return (
        {"noise": noise}
        | {name: found.count(name) for name in ("not_identified", "weak", "identified")}
        | {"other": sum(name not in ("not_identified", "weak", "identified") for name in found)}
    )


def study(tables: int = 400) -> None:
    print(f"Statuses and profile-likelihood intervals (95 %) at ten times the largest compute, {tables} tables each\n")
    rows = [tell(n, tables, make) for make in (ragged, scattered) for n in RUNS]
    print(pd.DataFrame(rows).to_string(index=False))
    print(f"\nThe loss depends on tokens alone, {FLAT_RUNS} runs, {tables} tables each\n")
    print(pd.DataFrame([flat(noise, tables) for noise in FLAT_NOISE]).to_string(index=False))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=400)
    with threadpool_limits(1):
        study(parser.parse_args().tables)
