"""How often a run a decade beyond the others ends in its 95 % interval, where noise grows or falls with compute.

Run alone: ``python benchmarks/growing_noise.py --tables 100``.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
import pandas as pd
from next_runs import GROUPS, LAW, RAGGED, design
from threadpoolctl import threadpool_limits

import scaling
from scaling.errors import RunsWarning
from scaling.uncertainty.prediction import noise_of

#: powers of compute with which the noise grows, and what it is at the mean ln compute of the table
POWERS, NOISE = (-0.2, 0.0, 0.1, 0.25), 0.005
#: runs whose interval is asked about cost so many times the most expensive one; each is drawn so often
REACH, DRAWS = 10.0, 400


def covered(kind: str, power: float, n_resamples: int, seed: int) -> tuple[float, bool]:
    """The share of new runs in the interval, and whether noise was told to grow."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", RunsWarning)
        rng, runs = np.random.default_rng([seed, 11]), design(kind, seed)[["params", "tokens"]]
        x = np.log(runs["params"] * runs["tokens"])
        off = NOISE * np.exp(power * (x - x.mean())) * rng.standard_normal(len(runs))
        fit = scaling.fit_parametric(runs.assign(loss=LAW.loss(runs["params"], runs["tokens"]) * np.exp(off)))
        best = scaling.compute_optimal(fit.law, REACH * float(np.exp(x.max())) * 6)
        one = scaling.bootstrap(fit, n_resamples, seed=seed).predict(best.params, best.tokens).iloc[0]
        spread = NOISE * np.exp(power * (np.log(best.params * best.tokens) - x.mean()))
        new = LAW.loss(best.params, best.tokens) * np.exp(spread * rng.standard_normal(DRAWS))
        return float(((new >= one["low"]) & (new <= one["high"])).mean()), noise_of(fit).growth > 0


def study(n_tables: int = 100, n_resamples: int = 200, first: int = 0) -> pd.DataFrame:
    """One row a design and power: the coverage with its Monte-Carlo error, and how often growth was told."""
    rows = []
    for kind in (GROUPS, RAGGED):
        for power in POWERS:
            inside, told = np.array([covered(kind, power, n_resamples, first + i) for i in range(n_tables)]).T
            share = f"{inside.mean():.3f} ± {inside.std(ddof=1) / np.sqrt(n_tables):.3f}"
            rows.append({"runs": kind, "power": power, "runs inside": share, "told to grow": f"{told.mean():.2f}"})
            print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=100, help="tables a row")
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="seed of the first table")
    arguments = parser.parse_args()
    print(study(arguments.tables, arguments.resamples, arguments.first).to_markdown(index=False))


if __name__ == "__main__":
    main()
