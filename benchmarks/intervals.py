"""How often the 95 % intervals of a plan cover the truth: the study behind the table in the book's status page.

Runs are simulated on a known surface, fitted, resampled and planned with, as ``scaling plan`` does it, many times.
Run by ``make bench BENCH_ARGS=--coverage``, or alone: ``python benchmarks/intervals.py --tables 100``.
"""

from __future__ import annotations

import argparse
import itertools
import warnings
import zlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

import scaling
from scaling.papers.czech2026 import surface

#: the budget that is planned for, FLOPs; the designs end at 3e21
BUDGET = 1e24
#: standard deviation of the noise in ln loss: 0.6 %, as in the digitised runs
NOISE = 0.006
SURFACES = {
    "besiroglu": scaling.ChinchillaLaw.from_published("besiroglu2024"),
    "symmetric": surface("symmetric"),
    "asymmetric": surface("asymmetric"),
}
GROUPS, RAGGED = "63 runs in 7 IsoFLOP groups", "120 ragged runs"
#: training curves of forty ragged runs, ten rows each, and what is made of the rows
CURVES, POINTS = 40, 10
LAST, BY_RUN, BY_ROW = "curves, last points", "curves, all rows by run", "curves, each row as a run"
#: of the noise of a curve's row: what its run shares, which is all of the noise elsewhere, and what is its own
OWN_NOISE = 0.001
CELLS = ((GROUPS, "normal"), (GROUPS, "heavy tails"), (RAGGED, "normal"))
CELLS += ((LAST, "normal"), (BY_RUN, "normal"), (BY_ROW, "normal"))


def design(kind: str, law: scaling.ChinchillaLaw, seed: int) -> pd.DataFrame:
    """Sizes and tokens: groups centred on the surface's optimum, or a ragged set that knows nothing of it."""
    if kind == GROUPS:
        return scaling.simulate.isoflop_design(np.geomspace(6e18, 3e21, 7), n_sizes=9, width=6, law=law)
    if kind == RAGGED:
        return scaling.simulate.chinchilla_like_design(120, seed=seed)
    ends = scaling.simulate.chinchilla_like_design(CURVES, seed=seed).drop(columns=["budget", "flops"])
    rows = ends.loc[np.repeat(ends.index, POINTS)].rename_axis("run").reset_index()
    return rows.assign(tokens=rows["tokens"] * np.tile(np.arange(1, POINTS + 1) / POINTS, CURVES))


def simulate(law: scaling.ChinchillaLaw, kind: str, noise: str, seed: int) -> pd.DataFrame:
    """A table of runs; heavy tails are Student's with three degrees of freedom, of the same standard deviation."""
    runs = scaling.simulate_runs(law, design(kind, law, seed))
    rng = np.random.default_rng([seed, zlib.crc32(repr((law, noise)).encode())])  # each cell of the study its own
    if "run" in runs:
        shared, own = rng.standard_normal(CURVES)[runs["run"]], rng.standard_normal(len(runs))
        return runs.assign(loss=runs["loss"] * np.exp(NOISE * shared + OWN_NOISE * own))
    z = rng.standard_normal(len(runs)) if noise == "normal" else rng.standard_t(3, len(runs)) / np.sqrt(3)
    return runs.assign(loss=runs["loss"] * np.exp(NOISE * z))


def fitted(runs: pd.DataFrame, kind: str) -> scaling.Fit:
    """Of curves the last points, as by default, all rows, or all as if each were a run of its own."""
    if kind == BY_ROW:
        return scaling.fit_parametric(runs.drop(columns="run"))
    return scaling.fit_parametric(runs, rows="all" if kind == BY_RUN else "last")


def truth(law: scaling.ChinchillaLaw) -> pd.Series:
    best = scaling.compute_optimal(law, BUDGET)
    return pd.Series({"exponent": law.a, "params": best.params, "loss": best.loss})


def covered(law: scaling.ChinchillaLaw, kind: str, noise: str, n_resamples: int, seed: int) -> pd.Series | None:
    """Which intervals of one table's plan hold the truth; None where the table is refused."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", scaling.errors.RunsWarning)
        try:
            fit = fitted(simulate(law, kind, noise, seed), kind)
            plan = scaling.plan_training(scaling.bootstrap(fit, n_resamples, seed=seed), BUDGET)
        except scaling.FitError:
            return None
    rows, wanted = plan.allocation.loc["compute-optimal"], truth(law)
    return (rows["low"][wanted.index] <= wanted) & (wanted <= rows["high"][wanted.index])


def study(
    n_tables: int = 300, n_resamples: int = 1000, workers: int = 2, surfaces: tuple[str, ...] = tuple(SURFACES)
) -> pd.DataFrame:
    """One row a surface, design and noise: the shares covered, the largest Monte-Carlo error, the tables refused."""
    rows = []
    with ProcessPoolExecutor(workers) as pool:
        for name, (kind, noise) in itertools.product(surfaces, CELLS):
            law = SURFACES[name]
            found = list(pool.map(partial(covered, law, kind, noise, n_resamples), range(n_tables), chunksize=10))
            hits = pd.DataFrame([hit for hit in found if hit is not None])
            shares, n = hits.mean(), len(hits)
            error = np.sqrt(np.maximum(shares * (1 - shares), 1 / n) / n).max()
            row = {"surface": name, "design": kind, "noise": noise} | shares.map("{:.3f}".format).to_dict()
            rows.append(row | {"Monte-Carlo error": f"{error:.3f}", "refused": f"{n_tables - n} of {n_tables}"})
            print(*rows[-1].values(), sep=" | ", flush=True)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=300, help="tables a surface, design and noise")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--surface", choices=SURFACES, action="append", help="only this one; may be repeated")
    arguments = parser.parse_args()
    surfaces = tuple(arguments.surface or SURFACES)
    study(arguments.tables, arguments.resamples, arguments.workers, surfaces)


if __name__ == "__main__":
    main()
