"""Tables larger than memory: seconds and peak memory of each command, and what thinning does to the estimate.

Run by ``python benchmarks/large_tables.py``. It simulates a folder of Parquet in a temporary place (10^8 rows: under
1 GB on disk, removed at the end), once as training curves with the name of their run, once as points without, and runs
``scaling check``, ``fit`` and ``plan`` on it in processes of their own, whose peak memory is the system's count.
``--effect`` simulates many smaller tables instead, of which both the whole and the thinned one are fitted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import scaling
from scaling.diagnostics.approaches import fit_approaches
from scaling.runs.reading import stream

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
FILES, RUNS, NOISE = 20, 10_000, 0.01
COMMANDS = {"check": [], "fit": ["--json"], "plan": ["--flops", "1e24"]}
NAMES = ("alpha", "beta", "a")


def curves(rng: np.random.Generator, rows: int, part: int) -> dict[str, pa.Array | np.ndarray]:
    """Training curves of one file's share of the runs, equally spaced in tokens, in the order of training."""
    runs = RUNS // FILES
    N = np.round(10 ** rng.uniform(7, 10, runs))
    length = 20 * N * 10 ** rng.uniform(-0.7, 0.7, runs)
    steps = rows // runs
    tokens = np.round(np.outer(length, np.arange(1, steps + 1) / steps)).ravel()
    names = pa.array([f"sweep-{part:03d}/run-{k:05d}" for k in range(runs)])
    codes = pa.array(np.repeat(np.arange(runs, dtype=np.int32), steps))
    return {"run": pa.DictionaryArray.from_arrays(codes, names), **losses(rng, np.repeat(N, steps), tokens)}


def points(rng: np.random.Generator, rows: int, _part: int = 0, power: float = 0.5) -> dict[str, np.ndarray]:
    """Points that belong to no named run: of larger models fewer, by this power of their size."""
    sizes = np.round(np.geomspace(1e7, 2e10, 24))
    share = sizes**-power
    N = rng.choice(sizes, rows, p=share / share.sum())
    return losses(rng, N, np.round(20 * N * 10 ** rng.uniform(-0.5, 0.7, rows) * rng.uniform(0.01, 1, rows)))


def losses(rng: np.random.Generator, params: np.ndarray, tokens: np.ndarray) -> dict[str, np.ndarray]:
    loss = LAW.loss(params, tokens) * np.exp(NOISE * rng.standard_normal(len(params)))
    return {"params": params.astype(np.int64), "tokens": tokens.astype(np.int64), "loss": loss.astype(np.float32)}


def measure(command: str, folder: Path) -> str:
    """Seconds, processor seconds and peak memory of a command, in words."""
    start = time.perf_counter()
    call = ["from scaling.cli import main; main()", command, str(folder), *COMMANDS[command]]
    child = subprocess.Popen([sys.executable, "-c", *call], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"scaling {command} failed")
    peak = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    seconds = time.perf_counter() - start
    return f"{seconds:6.1f} s, {used.ru_utime + used.ru_stime:6.1f} s of processors, {peak:5.0f} MB"


def speed(rows: int) -> None:
    for make in (curves, points):
        with tempfile.TemporaryDirectory() as place:
            for part in range(FILES):
                table = pa.table(make(np.random.default_rng(part), rows // FILES, part))
                path = Path(place) / f"part-{part:03d}.parquet"
                pq.write_table(table, path, compression="zstd", use_dictionary=["run", "params"])
                total = sum(file.stat().st_size for file in Path(place).iterdir())
                del table
            print(f"{rows:,} rows of {make.__name__} in {FILES} files, {total / 1e6:,.0f} MB")
            for command in COMMANDS:
                print(f"  scaling {command:5s} {measure(command, Path(place))}", flush=True)
            compare(Path(place))


def compare(folder: Path) -> None:
    """The estimate from what was kept beside the truth."""
    fit = fit_approaches(scaling.load_runs(folder), (3,))[3]
    spread = scaling.uncertainty.subsampled_bootstrap(fit, n_resamples=200)
    for name in NAMES:
        truth, found, error = getattr(LAW, name), getattr(fit.law, name), np.std(getattr(spread.law, name), ddof=1)
        print(f"    {name:5s} {found:.5f}, truth {truth:.5f}, standard error {error:.5f}")


def effect(tables: int, power: float, rows: int = 200_000, drawn: int = 20_000) -> None:
    """Bias and added spread of the estimate from one row in ten, over simulated tables, each with its own draw."""
    stream.WHOLE, stream.DRAWN = rows - 1, drawn
    found, kept = [], []
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "points.parquet"
        for seed in range(tables):
            stream.SEED = seed
            frame = pd.DataFrame(points(np.random.default_rng([1, seed]), rows, power=power)).astype({"loss": float})
            frame.to_parquet(path)
            thin = scaling.load_runs(path)
            plain = frame.sample(len(thin), random_state=seed)
            laws = [scaling.fit_parametric(frame).law, fit_approaches(thin, (3,))[3].law]
            laws.append(scaling.fit_parametric(plain).law)
            found.append([[getattr(law, name) for name in NAMES] for law in laws])
            kept.append(len(thin))
    whole, thinned, plain = np.array(found).transpose(1, 0, 2)
    sampling = whole.std(0, ddof=1)
    print(f"{tables} tables of {rows:,} rows, models of size N by N^-{power:g}, thinned to {np.mean(kept):,.0f}")
    for words, estimate in (("thinned as above, weighted", thinned), ("as many drawn plainly", plain)):
        away = estimate - whole
        added = away.std(0, ddof=1)
        print(f"  {words}")
        for k, name in enumerate(NAMES):
            bias = f"bias {away[:, k].mean():+.6f} ± {added[k] / np.sqrt(tables):.6f}"
            ratio = added[k] / sampling[k]
            spread = f"added spread {added[k]:.6f} ± {added[k] / np.sqrt(2 * tables - 2):.6f}"
            print(f"    {name:5s} {bias}, {spread}; sampling error of the whole {sampling[k]:.6f}, ratio {ratio:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000_000, help="rows of the simulated folders")
    parser.add_argument("--effect", type=int, metavar="TABLES", help="simulate so many tables, whole and thinned")
    arguments = parser.parse_args()
    if arguments.effect is None:
        speed(arguments.rows)
        return
    print("± is the Monte-Carlo standard error")
    for power in (0.5, 1.5):
        effect(arguments.effect, power)


if __name__ == "__main__":
    main()
