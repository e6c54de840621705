"""How often the 95 % intervals of a plan cover the truth: the study behind the table in the book's status page.

Runs are simulated on a known surface, fitted, resampled and planned with, as ``scaling plan`` does it, many times.
Run by ``make bench BENCH_ARGS=--coverage``, or alone: ``python benchmarks/intervals.py --tables 100``. Alone it has
further studies: ``--study parts`` (samples of 80 % of the runs, as they are and scaled), ``--study runs`` (predictions
of a run), ``--study diverged`` (four diverged runs of 109) and ``--study differences`` (approach 2 less approach 3).
"""

from __future__ import annotations

import argparse
import itertools
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

import scaling
from scaling.fit.engine.resamples import Resamples
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
#: a law without irreducible loss
NO_FLOOR = scaling.ChinchillaLaw(E=0.0, A=20.0, B=40.0, alpha=0.12, beta=0.14)
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
    """Which intervals of one table's plan hold the truth, and NaN where an end is not known; None if it is refused."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", scaling.errors.RunsWarning)
        try:
            fit = fitted(simulate(law, kind, noise, seed), kind)
            plan = scaling.plan_training(scaling.bootstrap(fit, n_resamples, seed=seed), BUDGET)
        except scaling.FitError:
            return None
    rows, wanted = plan.allocation.loc["compute-optimal"], truth(law)
    low, high = rows["low"][wanted.index], rows["high"][wanted.index]
    return ((low <= wanted) & (wanted <= high)).where(low.notna() & high.notna(), np.nan).astype(float)


def study(
    n_tables: int = 300, n_resamples: int = 1000, workers: int = 2, surfaces: tuple[str, ...] = tuple(SURFACES)
) -> pd.DataFrame:
    """One row a surface, design and noise: shares covered, the largest Monte-Carlo error, tables without an answer.

    These are refused, or have resamples without an optimum so many that an end is said to be not known.
    """
    rows = []
    with ProcessPoolExecutor(workers) as pool:
        for name, (kind, noise) in itertools.product(surfaces, CELLS):
            law = SURFACES[name]
            found = list(pool.map(partial(covered, law, kind, noise, n_resamples), range(n_tables), chunksize=10))
            hits = pd.DataFrame([hit for hit in found if hit is not None])
            shares, n = hits.mean(), int(hits.count().min())
            error = np.sqrt(np.maximum(shares * (1 - shares), 1 / max(n, 1)) / max(n, 1)).max()
            row = {"surface": name, "design": kind, "noise": noise} | shares.map("{:.3f}".format).to_dict()
            row |= {"Monte-Carlo error": f"{error:.3f}", "not known": f"{len(hits) - n} of {n_tables}"}
            rows.append(row | {"refused": f"{n_tables - len(hits)} of {n_tables}"})
            print(*rows[-1].values(), sep=" | ", flush=True)
    return pd.DataFrame(rows)


def hits_of_parts(approach: int, scaled: bool, n_resamples: int, seed: int) -> dict[str, bool]:
    """Whether intervals from samples of 80 % hold the truth; that of approach 2 is what it finds without noise."""
    law = SURFACES["besiroglu"]
    runs = simulate(law, GROUPS if approach == 2 else RAGGED, "normal", seed)
    fit = (scaling.fit_isoflop if approach == 2 else scaling.fit_parametric)(runs)
    exact = scaling.fit_isoflop(scaling.simulate_runs(law, design(GROUPS, law, seed))).law if approach == 2 else law
    boot = scaling.bootstrap(fit, n_resamples, seed, fraction=0.8, scaled=scaled)
    return {
        "exponent": _inside(boot.percentiles(of="a"), exact.a),
        "params": _inside(boot.percentiles(of=_best_size), float(_best_size(exact))),
    }


def hits_of_runs(kind: str, noise: str, repeats: int, n_resamples: int, seed: int) -> dict[str, float]:
    """Shares of the law's losses and of new runs in their intervals, at the largest budget and ten times beyond."""
    law = SURFACES["besiroglu"]
    runs = pd.concat([simulate(law, kind, noise, seed + 10**6 * k) for k in range(repeats)], ignore_index=True)
    boot = scaling.bootstrap(scaling.fit_parametric(runs), n_resamples, seed)
    best = scaling.compute_optimal(law, np.array([3e21, 3e22]))
    rng = np.random.default_rng([seed, 1])
    z = rng.standard_normal(2) if noise == "normal" else rng.standard_t(3, 2) / np.sqrt(3)
    mean, one = (boot.predict(best.params, best.tokens, noise=with_noise) for with_noise in (False, True))
    ended = best.loss * np.exp(NOISE * z)
    return {
        "mean": float(((mean["low"] <= best.loss) & (best.loss <= mean["high"])).mean()),
        "run": float(((one["low"] <= ended) & (ended <= one["high"])).mean()),
        "run in the interval of the mean": float(((mean["low"] <= ended) & (ended <= mean["high"])).mean()),
    }


def hits_of_diverged(where: str, n_resamples: int, seed: int) -> dict[str, float]:
    """Coverage where four of 109 runs lost 20 to 100 %, and the upper end of the size over that of the clean table."""
    law = SURFACES["besiroglu"]
    clean = scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(109, seed=seed), NOISE, seed)
    rng = np.random.default_rng([seed, 2])
    order = {"anywhere": np.arange(109), "expensive": np.argsort(-clean["flops"]), "short": np.argsort(clean["tokens"])}
    among = np.asarray(order[where])[: 109 if where == "anywhere" else 8]
    bad = clean.copy()
    bad.loc[rng.choice(among, 4, replace=False), "loss"] *= rng.uniform(1.2, 2.0, 4)
    fit = scaling.fit_parametric(bad)
    boot = scaling.bootstrap(fit, n_resamples, seed)
    wanted = scaling.bootstrap(scaling.fit_parametric(clean), n_resamples, seed).percentiles(of=_best_size)
    plain = fit.resampled(next(iter(Resamples(109, n_resamples, seed)))).law
    sizes, ends = boot.percentiles(of=_best_size), np.nanquantile(_best_size(plain), 0.975)
    return {
        "exponent": _inside(boot.percentiles(of="a"), law.a),
        "params": _inside(sizes, float(_best_size(law))),
        "upper end over clean": float(sizes.high / wanted.high),
        "the same, all runs drawn": float(ends / wanted.high),
    }


def hits_of_differences(n_resamples: int, seed: int) -> dict[str, float]:
    """Whether the interval of approach 2 less approach 3 holds what they differ by without noise, and its width."""
    law = SURFACES["besiroglu"]
    gap = scaling.fit_isoflop(scaling.simulate_runs(law, design(GROUPS, law, seed))).a - law.a
    found = scaling.compare_approaches(simulate(law, GROUPS, "normal", seed), n_resamples=n_resamples, seed=seed)
    row = found.differences().iloc[0]
    low, high = np.quantile(found.bootstraps[2].law.a - found.bootstraps[3].law.a, [0.025, 0.975])
    return {
        "difference": bool(row.low <= gap <= row.high),
        "width over that of own draws": (row.high - row.low) / (high - low),
    }


def hits_of_frontiers(approach: int, drift: float, n_resamples: int, seed: int) -> dict[str, bool]:
    """Whether intervals of approaches 1 and 2 hold the law's exponent, and what the approach finds without noise.

    The centres of the groups may drift away from the optimum, by this power of the budget.
    """
    law = SURFACES["besiroglu"]
    if approach == 1:
        sizes = np.geomspace(3e7, 3e10, 14)
        exact = scaling.simulate.simulate_curves(law, sizes)
        curve = pd.factorize(exact["run"])[0]
        shift = NOISE * np.random.default_rng([seed, 3]).standard_normal(curve.max() + 1)
        runs = exact.assign(loss=exact["loss"] * np.exp(shift[curve]))
        method = scaling.fit_envelope
    else:
        groups, budgets = design(GROUPS, law, seed), np.geomspace(6e18, 3e21, 7)
        moved = groups["params"] * (groups["budget"] / np.sqrt(budgets[0] * budgets[-1])) ** drift
        groups = groups.assign(params=moved, tokens=groups["budget"] / 6 / moved)
        exact = scaling.simulate_runs(law, groups)
        z = np.random.default_rng([seed, 3]).standard_normal(len(groups))
        runs, method = exact.assign(loss=exact["loss"] * np.exp(NOISE * z)), scaling.fit_isoflop
    interval = scaling.bootstrap(method(runs), n_resamples, seed).percentiles(of="a")
    return {"a of the law": _inside(interval, law.a), "a without noise": _inside(interval, method(exact).a)}


def hits_of_noise(law: scaling.ChinchillaLaw, kind: str, n_resamples: int, seed: int) -> dict[str, bool]:
    """Approach 3 where E is zero, and where noise differs: 1.2 % at the least compute, .2 % at the most."""
    exact = scaling.simulate_runs(law, design(RAGGED, law, seed))
    x = np.log(exact["flops"])
    share = (x - x.min()) / np.ptp(x)
    sd = NOISE if kind == "even" else 0.012 * (0.002 / 0.012) ** share
    z = np.random.default_rng([seed, 4]).standard_normal(len(exact))
    boot = scaling.bootstrap(
        scaling.fit_parametric(exact.assign(loss=exact["loss"] * np.exp(sd * z))), n_resamples, seed
    )
    best = scaling.compute_optimal(law, BUDGET)
    return {
        "a": _inside(boot.percentiles(of="a"), law.a),
        "size": _inside(boot.percentiles(of=_best_size), float(best.params)),
        "loss": _inside(boot.percentiles(of=_least_loss), float(best.loss)),
    }


def _least_loss(law: scaling.ChinchillaLaw) -> np.ndarray:
    return scaling.compute_optimal(law, BUDGET).loss


def _best_size(law: scaling.ChinchillaLaw) -> np.ndarray:
    return scaling.compute_optimal(law, BUDGET).params


def _inside(found: Any, truth: float) -> bool:
    return bool(found.low <= truth <= found.high)


def _one(measure: Callable[..., dict[str, float]], seed: int) -> dict[str, float] | None:
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", scaling.errors.RunsWarning)
        try:
            return measure(seed=seed)
        except scaling.FitError:
            return None


STUDIES = {
    "parts": {
        f"approach {approach}, 80 % {'scaled' if scaled else 'as they are'}": partial(hits_of_parts, approach, scaled)
        for approach in (3, 2)
        for scaled in (True, False)
    },
    "runs": {
        f"{kind}, {noise} noise, {'repeated' if repeats > 1 else 'once'}": partial(hits_of_runs, kind, noise, repeats)
        for kind, noise, repeats in ((RAGGED, "normal", 1), (RAGGED, "heavy tails", 1), (GROUPS, "normal", 2))
    },
    "diverged": {where: partial(hits_of_diverged, where) for where in ("anywhere", "expensive", "short")},
    "differences": {GROUPS: hits_of_differences},
    "frontiers": {
        "approach 1, curves of 14 sizes": partial(hits_of_frontiers, 1, 0.0),
        "approach 2, groups": partial(hits_of_frontiers, 2, 0.0),
        "approach 2, centres that drift": partial(hits_of_frontiers, 2, 0.15),
    },
    "noise": {
        "E = 0": partial(hits_of_noise, NO_FLOOR, "even"),
        "noise that falls with compute": partial(hits_of_noise, SURFACES["besiroglu"], "falling"),
    },
}


def further_study(name: str, n_tables: int, n_resamples: int, workers: int) -> None:
    """Print one row a case: means over tables with their Monte-Carlo errors, and quantiles of ratios."""
    with ProcessPoolExecutor(workers) as pool:
        for case, measure in STUDIES[name].items():
            each = pool.map(partial(_one, partial(measure, n_resamples=n_resamples)), range(n_tables), chunksize=10)
            found = pd.DataFrame([row for row in each if row is not None]).astype(float)
            errors = found.std(ddof=1) / np.sqrt(len(found))
            words = [
                f"{column}: median {found[column].median():.2f}, 95th percentile {found[column].quantile(0.95):.2f}"
                if " over " in column or "all runs drawn" in column
                else f"{column}: {found[column].mean():.3f} ± {errors[column]:.3f}"
                for column in found
            ]
            print(case, *words, f"refused {n_tables - len(found)} of {n_tables}", sep=" | ", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=300, help="tables a surface, design and noise")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--surface", choices=SURFACES, action="append", help="only this one; may be repeated")
    parser.add_argument("--study", choices=STUDIES, help="a further study instead")
    arguments = parser.parse_args()
    if arguments.study:
        further_study(arguments.study, arguments.tables, arguments.resamples, arguments.workers)
        return
    surfaces = tuple(arguments.surface or SURFACES)
    study(arguments.tables, arguments.resamples, arguments.workers, surfaces)


if __name__ == "__main__":
    main()
