"""Speed beside the field's usual way, in the same process, with the objective that each side reaches.

Run by ``make bench``. The usual way is what the papers' notebooks do: SciPy's L-BFGS-B from 4,500
starting points with finite differences, and a loop of SciPy's BFGS over resamples. Of those loops a
sample is run and scaled up; the table says so. ``--coverage`` adds the full simulation of how often
intervals cover the truth (some twenty minutes).
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import wrong_laws
from intervals import study
from next_runs import study as study_next_runs
from scipy import optimize
from statuses import study as statuses
from threadpoolctl import threadpool_limits

import scaling

SAMPLED_STARTS, SAMPLED_RESAMPLES, SAMPLED_BUDGETS, SAMPLED_PARABOLAS = 60, 20, 200, 200


def clock(call: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """Best wall time of a few repeats, and the last result."""
    best, result = np.inf, None
    for _ in range(repeats):
        start = time.perf_counter()
        result = call()
        best = min(best, time.perf_counter() - start)
    return best, result


def table_of_runs() -> tuple[pd.DataFrame, str]:
    """The 240 digitised runs where they can be had, else as many simulated ones."""
    if scaling.sources.is_available("besiroglu2024"):
        runs = scaling.load_runs("besiroglu2024")
        return runs[runs["loss"] < runs["loss"].nlargest(5).min()], "the 240 runs of besiroglu2024"
    law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    return scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(240), noise=0.006), "240 simulated runs"


def usual_objective(runs: pd.DataFrame, weights: np.ndarray | None = None) -> Callable[[np.ndarray], float]:
    """The paper's sum in plain NumPy, as a function of (a, b, e, alpha, beta)."""
    x, y, target = (np.log(runs[name].to_numpy()) for name in ("params", "tokens", "loss"))
    w = np.ones(len(x)) if weights is None else weights

    def objective(z: np.ndarray) -> float:
        a, b, e, alpha, beta = z
        r = np.logaddexp(np.logaddexp(a - alpha * x, b - beta * y), e) - target
        return float((w * np.where(np.abs(r) <= 1e-3, r * r / 2, 1e-3 * (np.abs(r) - 5e-4))).sum())

    return objective


def usual_fit(runs: pd.DataFrame) -> tuple[float, float]:
    """Seconds for all 4,500 starts, from a sample of them, and the lowest objective in the sample."""
    halves = (np.arange(0, 2.5, 0.5),) * 2
    grid = list(itertools.product(np.arange(0, 30, 5), np.arange(0, 30, 5), np.arange(-1, 1.5, 0.5), *halves))
    assert len(grid) == int(scaling.published("hoffmann2022/approach3/n_starts").value)
    chosen = np.random.default_rng(0).choice(len(grid), SAMPLED_STARTS, replace=False)
    objective = usual_objective(runs)
    seconds, found = clock(lambda: min(optimize.minimize(objective, grid[i], method="L-BFGS-B").fun for i in chosen))
    return seconds * len(grid) / SAMPLED_STARTS, found


def usual_bootstrap(runs: pd.DataFrame, start: np.ndarray, n_resamples: int) -> tuple[float, float]:
    """Seconds for a loop of BFGS over all resamples, from a sample, and the mean objective reached."""
    rng = np.random.default_rng(0)
    tables = [runs.iloc[rng.integers(0, len(runs), len(runs))] for _ in range(SAMPLED_RESAMPLES)]
    seconds, found = clock(
        lambda: np.mean([optimize.minimize(usual_objective(t), start, method="BFGS").fun for t in tables])
    )
    return seconds * n_resamples / SAMPLED_RESAMPLES, float(found)


def usual_allocation(law: scaling.ChinchillaLaw, budgets: np.ndarray) -> float:
    """Seconds for one bounded minimisation a budget, from a sample."""
    few = budgets[:: len(budgets) // SAMPLED_BUDGETS]

    def loop() -> None:
        for C in few:
            optimize.minimize_scalar(
                lambda u, C=C: law.loss(np.exp(u), C / (6 * np.exp(u))), bounds=(10, 35), method="bounded"
            )

    return clock(loop)[0] * len(budgets) / len(few)


def usual_inference(law: scaling.ChinchillaLaw, losses: np.ndarray, demands: np.ndarray) -> tuple[float, list[float]]:
    """Seconds for one bounded minimisation over the size for each loss and demand, from a sample; the sizes."""
    loss, demand = (x.ravel() for x in np.broadcast_arrays(losses, demands))
    few = range(0, loss.size, loss.size // SAMPLED_BUDGETS)

    def whole(u: float, i: int) -> float:
        tokens = (law.B / (loss[i] - law.E - law.A * np.exp(-law.alpha * u))) ** (1 / law.beta)
        return np.log(np.exp(u) * (6 * tokens + 2 * demand[i]))

    def search(i: int) -> float:
        smallest = np.log(law.A / (loss[i] - law.E)) / law.alpha
        return np.exp(optimize.minimize_scalar(whole, None, (smallest + 1e-6, smallest + 15), (i,), "bounded").x)

    seconds, sizes = clock(lambda: [search(i) for i in few])
    return seconds * loss.size / len(few), sizes


def usual_data_limit(
    law: scaling.laws.DataConstrainedLaw, budgets: np.ndarray, unique: np.ndarray
) -> tuple[float, np.ndarray]:
    """Seconds for one bounded minimisation over the size for each budget and stock, from a sample; the losses."""
    flops, tokens = (x.ravel() for x in np.broadcast_arrays(budgets, unique))
    few = range(0, flops.size, flops.size // SAMPLED_BUDGETS)

    def loss(u: float, i: int) -> float:
        return law.loss(np.exp(u), flops[i] / (6 * np.exp(u)), tokens[i])

    def search(i: int) -> float:
        centre = np.log(flops[i] / 120) / 2  # 20 tokens a parameter
        return optimize.minimize_scalar(loss, None, (centre - 8, centre + 8), (i,), "bounded").fun

    seconds, losses = clock(lambda: np.array([search(i) for i in few]))
    return seconds * flops.size / len(few), losses


def usual_squares(runs: pd.DataFrame, start: np.ndarray) -> tuple[float, float]:
    """Seconds for SciPy's ``curve_fit`` of ln L from one start, and the sum of squares it reaches."""
    x, y, target = (np.log(runs[name].to_numpy()) for name in ("params", "tokens", "loss"))

    def curve(_: np.ndarray, a: float, b: float, e: float, alpha: float, beta: float) -> np.ndarray:
        return np.log(np.exp(a - alpha * x) + np.exp(b - beta * y) + np.exp(e))

    seconds, (best, _) = clock(lambda: optimize.curve_fit(curve, x, target, start), 20)
    return seconds, float(((curve(x, *best) - target) ** 2).sum())


def usual_parabolas(runs: pd.DataFrame, n_resamples: int) -> tuple[float, float]:
    """Seconds for a loop of ``polyfit`` over resamples and budgets, from a sample, and the standard error of a."""
    rng = np.random.default_rng(0)
    groups = [(np.log(C), np.log(g["params"].to_numpy()), g["loss"].to_numpy()) for C, g in runs.groupby("budget")]

    def slope() -> float:
        minima = []
        for _, u, loss in groups:
            rows = rng.integers(0, len(u), len(u))
            c2, c1, _ = np.polyfit(u[rows] - u.mean(), loss[rows], 2)
            minima.append(u.mean() - c1 / (2 * c2))
        return float(np.polyfit([C for C, *_ in groups], minima, 1)[0])

    seconds, slopes = clock(lambda: [slope() for _ in range(SAMPLED_PARABOLAS)])
    return seconds * n_resamples / SAMPLED_PARABOLAS, float(np.std(slopes))


def memory_of_bootstrap(fit: scaling.Fit) -> float:
    """Most megabytes that 4,000 resamples hold at a time."""
    tracemalloc.start()
    scaling.bootstrap(fit, 4000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def process(*arguments: str) -> float:
    """Seconds of the processor, the median of five, of a Python process with all that it imports."""
    seconds = []
    for _ in range(5):
        child = subprocess.Popen(
            [sys.executable, *arguments], env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(child.pid, 0)
        assert not status, arguments
        seconds.append(used.ru_utime + used.ru_stime)
    return float(np.median(seconds))


def commands() -> pd.DataFrame:
    """What a user waits for: commands on simulated tables, from the start of the interpreter to its end."""
    law, rows = scaling.ChinchillaLaw.from_published("besiroglu2024"), []
    code = "from scaling.cli import main; main()"
    with tempfile.TemporaryDirectory() as folder:
        for n in (240, 100_000, 1_000_000):
            sizes, tokens = np.exp(np.random.default_rng(0).uniform([[18], [21]], [[23], [26]], (2, n)))
            design = pd.DataFrame({"params": sizes.round(), "tokens": tokens.round()})
            runs = scaling.simulate_runs(law, design, noise=0.01)[["params", "tokens", "loss"]]
            runs.to_csv(Path(folder, f"{n}.csv"), index=False)
        asked = [("import pandas", "", ["-c", "import pandas"])]
        for name, n, budget in (
            *(("check", 240, "1.0 s"), ("plan", 240, "1.0 s"), ("check", 100_000, "2 s"), ("fit", 100_000, "4 s")),
            *(("plan", 100_000, "6 s"), ("plan", 1_000_000, "15 s")),
        ):
            more = ["--flops", "1e24"] if name == "plan" else []
            asked.append((f"scaling {name}, {n:,} runs", budget, ["-c", code, name, f"{folder}/{n}.csv", *more]))
        for what, budget, arguments in asked:
            rows.append((what, f"{process(*arguments):.2f}", budget))
    return pd.DataFrame(rows, columns=["whole process", "processor, s", "budget"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coverage", action="store_true", help="add the simulated coverage of the intervals")
    arguments = parser.parse_args()
    runs, described = table_of_runs()
    print(f"On {described}, one thread\n")
    scaling.fit_parametric(runs)
    rows = []

    ours, fit = clock(lambda: scaling.fit_parametric(runs), 20)
    usual, found = usual_fit(runs)
    how = f"4,500 starts of L-BFGS-B (timed on {SAMPLED_STARTS})"
    rows.append(("one fit", how, usual, ours, "10 ms", f"{found:.10f}", f"{fit.value:.10f}"))

    ours, boot = clock(lambda: scaling.bootstrap(fit, 4000), 3)
    law = fit.law
    start = np.array([np.log(law.A), np.log(law.B), np.log(law.E), law.alpha, law.beta])
    usual, found = usual_bootstrap(runs, start, 4000)
    rng = np.random.default_rng(0)
    reached = []
    for row in range(SAMPLED_RESAMPLES):
        z = boot.samples.iloc[row]
        table = runs.iloc[rng.integers(0, len(runs), len(runs))]
        reached.append(usual_objective(table)(np.array([np.log(z.A), np.log(z.B), np.log(z.E), z.alpha, z.beta])))
    how = f"a loop of BFGS (timed on {SAMPLED_RESAMPLES})"
    rows.append(("4,000 resamples", how, usual, ours, "0.6 s", f"{found:.10f}", f"{np.mean(reached):.10f}"))

    ours, squares = clock(lambda: scaling.fit_parametric(runs, objective="log_squares"), 20)
    usual, found = usual_squares(runs, np.array([6.0, 6.0, 0.5, 0.3, 0.3]))
    rows.append(("least squares of logs", "curve_fit from one start", usual, ours, "3 ms"))
    rows[-1] += (f"{found:.10f}", f"{squares.value:.10f}")

    grid = scaling.simulate.isoflop_design(np.geomspace(6e18, 3e21, 9), n_sizes=9, law=law)
    swept = scaling.simulate_runs(law, grid, noise=0.002)
    ours, spread = clock(lambda: scaling.bootstrap(scaling.fit_isoflop(swept), 4000), 3)
    usual, found = usual_parabolas(swept, 4000)
    how = f"a loop of polyfit (timed on {SAMPLED_PARABOLAS})"
    rows.append(("approach 2, 4,000 resamples", how, usual, ours, "0.1 s"))
    rows[-1] += (f"s.e. {found:.3f}", f"s.e. {spread.standard_error()['a']:.3f}")

    budgets = np.geomspace(1e18, 1e26, 1_000_000)
    ours, _ = clock(lambda: scaling.compute_optimal(law, budgets), 3)
    usual = usual_allocation(law, budgets)
    rows.append(
        (
            "1,000,000 compute-optimal allocations",
            f"one search a budget (timed on {SAMPLED_BUDGETS})",
            usual,
            ours,
            "1 s",
            "",
            "",
        )
    )

    losses, demands = np.linspace(law.E + 0.05, law.E + 1, 1000)[:, None], np.geomspace(1e8, 1e15, 1000)
    ours, best = clock(lambda: scaling.inference_optimal(law, losses, demands), 3)
    usual, sizes = usual_inference(law, losses, demands)
    assert np.allclose(sizes, best.params.flat[:: best.params.size // SAMPLED_BUDGETS], rtol=1e-3)
    rows.append(
        ("1,000,000 inference-optimal allocations", f"one search each (timed on {SAMPLED_BUDGETS})", usual, ours, "1 s")
        + ("", "")
    )

    scarce, unique = scaling.laws.DataConstrainedLaw.from_published(), np.geomspace(1e8, 1e14, 1000)
    ours, best = clock(lambda: scaling.data_constrained_optimal(scarce, budgets[::1000, None], unique), 3)
    usual, losses = usual_data_limit(scarce, budgets[::1000, None], unique)
    assert np.all(best.loss.flat[:: best.loss.size // SAMPLED_BUDGETS] <= losses * (1 + 1e-12))
    rows.append(
        ("1,000,000 data-constrained allocations", f"one search each (timed on {SAMPLED_BUDGETS})", usual, ours, "1 s")
        + ("", "")
    )

    truth = scaling.ChinchillaLaw.from_published("besiroglu2024")
    design = pd.concat([scaling.simulate.chinchilla_like_design(1000, seed=s) for s in range(10)], ignore_index=True)
    large = scaling.simulate_runs(truth, pd.concat([design] * 100, ignore_index=True), noise=0.01)
    ours, _ = clock(lambda: scaling.fit_parametric(large))
    rows.append(("one fit, 1,000,000 runs", "", np.nan, ours, "10 s", "", ""))

    N, D, L = np.random.default_rng(0).uniform([[1e8], [1e10], [2]], [[1e10], [1e12], [4]], (3, 10_000_000))
    ours, _ = clock(lambda: scaling.check_runs(pd.DataFrame({"params": N, "tokens": D, "loss": L})))
    rows.append(("a check of 10,000,000 rows", "", np.nan, ours, "5 s", "", ""))

    columns = ["what", "the usual way", "usual, s", "ours, s", "budget", "usual reaches", "ours reaches"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(
        4,
        "ratio",
        [f"{u / o:,.3g}" if u == u else "" for u, o in zip(table["usual, s"], table["ours, s"], strict=True)],
    )
    table["usual, s"] = ["" if np.isnan(u) else f"{u:,.4g}" for u in table["usual, s"]]
    table["ours, s"] = [f"{o:.4f}" for o in table["ours, s"]]
    print(table.to_string(index=False))
    print(f"\nMost memory held by 4,000 resamples: {memory_of_bootstrap(fit):.0f} MB (budget 300 MB)")
    print(f"\n{commands().to_string(index=False)}")
    if arguments.coverage:
        print("\nCoverage of the 95 % intervals of a plan for 1e24 FLOPs (300 tables each, 1,000 resamples a table)")
        study()
        print()
        statuses()
        print("\nError of the compute-optimal size at 1e23 FLOPs with runs added, by what they are (300 tables each)")
        study_next_runs()
        print("\nCoverage of 95 % intervals in extrapolation, by the number of budgets fitted\n")
        design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20, 1e21, 1e22], law=truth)
        print(
            scaling.diagnostics.audit_coverage(truth, design, 0.004, 400, n_resamples=500)
            .round(3)
            .to_string(index=False)
        )
        wrong_laws.studies()


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
