"""What runs to add are worth: the error of the optimal size with them, and with as much compute spent otherwise.

Runs are simulated under a true law and fitted. For what one more IsoFLOP group costs, runs are suggested and simulated
too, and the fit to all is asked for the size at ``TARGET``. The truths are Besiroglu et al.'s law and a *coupled*
one that the fit cannot express, with the same limits for endless tokens and for an endless model,

    L = E + [(A/N**alpha)**(1/k) + (B/D**beta)**(1/k)]**k,   k = 0.3,

and one that neither the fit nor the rivals of a suggestion can express: losses that rise with size (:class:`Tilted`).

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
import scipy
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
#: tokens per parameter of the groups at hand; those of ragged runs are narrower, and one more group leaves them
BOUNDS = (20 / 36, 20 * 36)
ONE_MORE, SUGGESTED = "one more IsoFLOP group", "suggested"
WITHIN = "suggested, from 0.56 to 720 tokens a parameter"
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

    def best(self, flops: float) -> float:
        """The compute-optimal size."""
        return float(scaling.compute_optimal(self.inner, flops).params)

    def __str__(self) -> str:
        return f"k = {self.k:g}"


@dataclass(frozen=True)
class Tilted:
    """Chinchilla's law with losses that rise by a share for each decade of size above 1e8, as if badly tuned."""

    law: scaling.ChinchillaLaw
    share: float

    def loss(self, params: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        return self.law.loss(params, tokens) * np.exp(self.share * np.log10(np.asarray(params) / 1e8))

    def best(self, flops: float) -> float:
        """The compute-optimal size."""
        at = np.log(scaling.compute_optimal(self.law, flops).params)
        found = scipy.optimize.minimize_scalar(
            lambda x: self.loss(np.exp(x), flops / 6 / np.exp(x)), bounds=(at - 3, at + 3), method="bounded"
        )
        return float(np.exp(found.x))

    def __str__(self) -> str:
        return f"losses rise by {self.share:.0%} a decade of size"


#: truths, and runs at hand
STUDIED = (
    (Coupled(LAW, 0.3), GROUPS),
    (Coupled(LAW, 0.3), RAGGED),
    (Coupled(LAW, 1.0), GROUPS),
    (Coupled(LAW, 1.0), RAGGED),
    (Tilted(LAW, 0.01), GROUPS),
)


def design(kind: str, seed: int) -> pd.DataFrame:
    """Sizes and tokens that know nothing of the truth, up to 6e20 FLOPs or so."""
    if kind == GROUPS:
        budgets = np.geomspace(6e18, 6e20, 5)
        return scaling.simulate.isoflop_design(budgets, SIZES, width=6, center=lambda C: np.sqrt(C / 120))
    ragged = scaling.simulate.chinchilla_like_design(200, seed=seed)
    return ragged[ragged["flops"] < 6.6e20].iloc[:60].reset_index(drop=True)


def for_the_exponent(fit: scaling.Fit, budget: float, most: int = 12) -> pd.DataFrame:
    """As suggestions were before: c-optimal for a at the fitted law, up to three times outside all that is at hand.

    Runs are taken one by one, then exchanged as long as that helps, from several limits on the cost of a run.
    """
    law, runs = fit.law, fit.runs
    N, D = (np.geomspace(runs[name].min() / 3, runs[name].max() * 3, 48) for name in ("params", "tokens"))
    N, D = (x.ravel() for x in np.meshgrid(N, D))
    low, high = (runs["tokens"] / runs["params"]).agg(["min", "max"])
    ratio, cost = D / N, 6 * N * D
    wanted = (ratio > low / 3) & (ratio < high * 3) & (cost <= budget)
    N, D, cost = N[wanted], D[wanted], cost[wanted]
    here, there = slopes(law, runs["params"].to_numpy(), runs["tokens"].to_numpy()), slopes(law, N, D)
    aim = np.array([0.0, 0.0, 0.0, -law.beta, law.alpha])
    triangle = np.linalg.qr(here, mode="r")  # in its units the information at hand is the identity
    aim, there = np.linalg.solve(triangle.T, aim), np.linalg.solve(triangle.T, there.T).T

    def variances(chosen: list[int]) -> np.ndarray:
        """Of a, with those chosen and each of the candidates."""
        inverse = np.linalg.inv(np.eye(5) + there[chosen].T @ there[chosen])
        pull, leverage = there @ inverse @ aim, 1 + ((there @ inverse) * there).sum(1)
        return aim @ inverse @ aim - pull**2 / leverage

    plans = []
    for share in (1, 2, 4, 8, 16, 32):
        chosen: list[int] = []
        for _ in range(most):
            left = min(budget / share, budget - cost[chosen].sum())
            if not (cost <= left).any():
                break
            chosen.append(int(np.where(cost <= left, variances(chosen), np.inf).argmin()))
        for _ in range(3):
            for place in range(len(chosen)):
                others = chosen[:place] + chosen[place + 1 :]
                affordable = cost <= max(budget - cost[others].sum(), cost[chosen[place]])
                chosen[place] = int(np.where(affordable, variances(others), np.inf).argmin())
        plans.append((variances(chosen[:-1])[chosen[-1]], chosen))
    chosen = min(plans)[1]
    return pd.DataFrame({"params": N[chosen], "tokens": D[chosen]})


def slopes(law: scaling.ChinchillaLaw, N: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Derivatives of ln L in E, ln A, ln B, alpha and beta, (n, 5)."""
    size, data = law.terms(N, D)
    terms = np.array([np.ones_like(N), size, data, -size * np.log(N), -data * np.log(D)])
    return (terms / law.loss(N, D)).T


def errors(truth: Coupled | Tilted, kind: str, n_resamples: int, seed: int) -> dict[str, float] | None:
    """ln of the size found over the true one, with each choice of runs; None where the table is refused."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", RunsWarning)
        runs = scaling.simulate_runs(truth, design(kind, seed)[["params", "tokens"]], noise=NOISE, seed=seed)
        try:
            fit = scaling.fit_parametric(runs)
            boot = scaling.bootstrap(fit, n_resamples, seed=seed)
            choices = {
                "no more runs": None,
                ONE_MORE: scaling.simulate.isoflop_design([GROUP], SIZES, width=6, law=fit.law),
                "suggested for a (as before)": for_the_exponent(fit, GROUP * SIZES),
                SUGGESTED: scaling.suggest_runs(boot, GROUP * SIZES, TARGET).runs,
            }
            if kind == RAGGED:
                more = scaling.suggest_runs(boot, GROUP * SIZES, TARGET, tokens_per_param=BOUNDS)
                choices[WITHIN] = more.runs
        except FitError:
            return None
        true = truth.best(TARGET)
        return {name: float(np.log(size_with(runs, more, truth, seed) / true)) for name, more in choices.items()}


def size_with(runs: pd.DataFrame, more: pd.DataFrame | None, truth: Coupled | Tilted, seed: int) -> float:
    """The compute-optimal size at the target, from the runs and those added."""
    if more is not None:
        added = scaling.simulate_runs(truth, more[["params", "tokens"]], noise=NOISE, seed=1_000_000 + seed)
        runs = pd.concat([runs, added], ignore_index=True)
    return float(scaling.compute_optimal(scaling.fit_parametric(runs).candidate, TARGET).params)


def median_with_error(values: np.ndarray) -> tuple[float, float]:
    """A median, and its Monte-Carlo error over resampled tables."""
    drawn = np.random.default_rng(0).integers(0, len(values), (1000, len(values)))
    return float(np.median(values)), float(np.median(values[drawn], axis=1).std())


def compared(off: pd.DataFrame) -> pd.DataFrame:
    """One row a choice: the median of abs(ln error), and against one more group the share of tables that are closer
    to the truth and the mean difference of abs(ln error), each with its Monte-Carlo error."""
    off, rows = off.abs(), []
    for name, values in off.items():
        median, error = median_with_error(values.to_numpy())
        row = {"runs added": name, "median": f"{median:.3f} ± {error:.3f}"}
        closer, less = (values < off[ONE_MORE]).to_numpy(float), (values - off[ONE_MORE]).to_numpy()
        spread = {"closer": closer, "less": less}
        n = np.sqrt(len(off))
        words = {key: f"{x.mean():.3f} ± {x.std(ddof=1) / n:.3f}" for key, x in spread.items()}
        blank = name == ONE_MORE
        row["closer than the group"] = "" if blank else words["closer"]
        row["mean difference"] = "" if blank else words["less"]
        rows.append(row | {"tables": len(off)})
    return pd.DataFrame(rows)


def study(n_tables: int = 150, n_resamples: int = 50, workers: int = 1, first: int = 5000) -> pd.DataFrame:
    """The comparison for each truth and design, on tables of the seeds from ``first`` on."""
    parts = {}
    with ProcessPoolExecutor(workers) as pool:
        for truth, kind in STUDIED:
            seeds = range(first, first + n_tables)
            found = pool.map(partial(errors, truth, kind, n_resamples), seeds, chunksize=5)
            parts[str(truth), kind] = compared(pd.DataFrame([each for each in found if each is not None]))
            print(f"{truth}, {kind}\n{parts[str(truth), kind].to_string(index=False)}", flush=True)
    return pd.concat(parts, names=["truth", "runs at hand"]).reset_index(["truth", "runs at hand"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=150, help="tables a truth and design")
    parser.add_argument("--resamples", type=int, default=50)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--first", type=int, default=5000, help="seed of the first table")
    arguments = parser.parse_args()
    study(arguments.tables, arguments.resamples, arguments.workers, arguments.first)


if __name__ == "__main__":
    main()
