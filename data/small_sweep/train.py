"""Train the runs of ``design.csv`` and write what came out: one finished run, one row.

Every run is one process with one thread, so that the same seed on the same machine gives the same loss. Runs that are
in the tables are not repeated; a run that was interrupted goes on from its last checkpoint.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import platform
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

import click
import corpus
import numpy as np
import pandas as pd
import torch
from model import CONTEXT, VOCAB, LanguageModel, Recurrent, Transformer
from tqdm import tqdm

import scaling

HERE = Path(__file__).resolve().parent

WARM_UP = 0.05  # share of the run's steps
FINAL_LEARNING_RATE = 0.1  # of the peak, reached at the run's own last step
BETAS, WEIGHT_DECAY, CLIP = (0.9, 0.95), 0.1, 1.0
VALIDATION_WINDOWS = 4_096
CURVE_POINTS = 40
CHECKPOINT_EVERY = 60  # seconds
# glibc would hand each step's buffers back to the system and have them zeroed again: half of a small run's time
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "1000000000"}
EXPERIMENTS = ("horizon", "batch", "shape", "partly repeated", "length", "quantised", "transfer", "recurrent", "decay")
TABLES = {"learning rates": "learning_rates.csv", "repeated": "repeated.csv"}  # arms not named here: runs.csv
TABLES |= dict.fromkeys(EXPERIMENTS, "experiments.csv")
VARIED = ("schedule", "horizon", "repeated_share", "repeats", "architecture", "weight_decay")
COOLDOWN = 0.2  # share of a run at the end of a constant rate
BITS = (8, 6, 5, 4, 3)


class Spec(NamedTuple):
    """One row of ``design.csv``."""

    run: str
    arm: str
    budget: float  # FLOPs, NaN outside IsoFLOP groups
    d_model: int
    n_layers: int
    n_heads: int
    tokens: int
    unique_tokens: int
    batch_tokens: int
    learning_rate: float
    seed: int
    schedule: str = "cosine"  # or "wsd": warm-up, a constant rate, a linear cooldown
    horizon: float = 1.0  # length of the cosine over that of the run
    repeated_share: float = 0.0  # of what is read, drawn from a small part of the text
    repeats: int = 1  # how often that part is read
    architecture: str = "transformer"  # or "recurrent"
    weight_decay: float = WEIGHT_DECAY

    @property
    def steps(self) -> int:
        return self.tokens // self.batch_tokens

    @property
    def table(self) -> str:
        return TABLES.get(self.arm, "runs.csv")


def read_design(path: Path) -> list[Spec]:
    """The runs in the order in which they are trained."""
    table = pd.read_csv(path)
    return [Spec(**row._asdict()) for row in table[[c for c in Spec._fields if c in table]].itertuples(index=False)]


def read_windows(path: Path) -> np.ndarray:
    """Tokens of a part as overlapping windows, (n, 257): 256 to read and, one to the right, 256 to predict."""
    tokens = np.memmap(path, dtype="<u2", mode="r")
    return np.lib.stride_tricks.sliding_window_view(tokens, CONTEXT + 1)[::CONTEXT]


def draw_order(spec: Spec, n_windows: int) -> np.ndarray:
    """Which window is read when, (steps, batch): no window twice, unless the design asks for fewer unique tokens.

    A repeated subset is the same for every seed and number of epochs, and each epoch has an order of its own.
    """
    needed = spec.steps * spec.batch_tokens // CONTEXT
    unique = spec.unique_tokens // CONTEXT
    if unique > n_windows:
        raise ValueError(f"{spec.run} needs {unique:,} windows and the corpus has {n_windows:,}")
    rng = np.random.default_rng(spec.seed)
    if spec.repeated_share:
        order = rng.permutation(n_windows)[:unique]
        slots = round(spec.repeated_share * needed)
        again = order[needed - slots :]
        order = np.concatenate([order[: needed - slots], np.tile(again, math.ceil(slots / len(again)))[:slots]])
        rng.shuffle(order)
    elif unique >= needed:
        order = rng.permutation(n_windows)[:needed]
    else:
        subset = np.random.default_rng(0).permutation(n_windows)[:unique]
        order = np.concatenate([rng.permutation(subset) for _ in range(math.ceil(needed / unique))])[:needed]
    return order.reshape(spec.steps, -1)


def learning_rate(spec: Spec, step: int) -> float:
    """Linear warm-up, then a cosine to a tenth over this run's length, or over ``horizon`` times as many steps.

    ``wsd`` keeps the peak instead, and falls to a tenth in a straight line over the last fifth of the run.
    """
    warm_up = max(1, round(WARM_UP * spec.steps))
    if step < warm_up:
        return spec.learning_rate * (step + 1) / warm_up
    if spec.schedule == "wsd":
        left = (spec.steps - 1 - step) / max(1, round(COOLDOWN * spec.steps))
        return spec.learning_rate * (FINAL_LEARNING_RATE + (1 - FINAL_LEARNING_RATE) * min(1.0, left))
    share = (step - warm_up) / max(1, spec.horizon * spec.steps - 1 - warm_up)
    return spec.learning_rate * (
        FINAL_LEARNING_RATE + (1 - FINAL_LEARNING_RATE) * 0.5 * (1 + math.cos(math.pi * share))
    )


def take(windows: np.ndarray, rows: np.ndarray, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    batch = torch.from_numpy(windows[rows].astype(np.int64)).to(device)
    return batch[:, :-1], batch[:, 1:]


@torch.no_grad()
def validate(model: LanguageModel, windows: np.ndarray, device: str) -> tuple[float, float]:
    """Mean loss over windows spread evenly over the validation part, nats per token, and its standard error."""
    chosen = np.linspace(0, len(windows) - 1, min(VALIDATION_WINDOWS, len(windows))).astype(int)
    means = []
    for rows in np.array_split(chosen, math.ceil(len(chosen) / 32)):
        losses = model.losses(*take(windows, rows, device))
        means.append(losses.double().mean(1).cpu().numpy())
    each = np.concatenate(means)
    return float(each.mean()), float(each.std(ddof=1) / math.sqrt(len(each)))


@torch.no_grad()
def rounded_losses(model: LanguageModel, windows: np.ndarray, device: str) -> dict[str, float]:
    """Loss with every matrix rounded to a few bits, the same steps for all weights of a row; the model is left so."""
    matrices = [p for p in model.parameters() if p.ndim == 2]
    exact = [matrix.clone() for matrix in matrices]
    losses = {}
    for bits in BITS:
        levels = 2 ** (bits - 1) - 1
        for matrix, weights in zip(matrices, exact, strict=True):
            step = weights.abs().amax(1, keepdim=True) / levels
            matrix.copy_((weights / step).round() * step)
        losses[f"loss_{bits}_bits"] = round(validate(model, windows, device)[0], 5)
    return losses


def losses_by_kind(model: LanguageModel, folder: Path, device: str) -> dict[str, float]:
    """Loss on the code and on the prose of the validation part."""
    parts = {kind: read_windows(folder / f"{kind}.bin") for kind in ("code", "prose")}
    return {f"loss_{kind}": round(validate(model, part, device)[0], 5) for kind, part in parts.items()}


class State:
    """Everything that a run is in the middle of, to be stored and taken up again."""

    def __init__(self, spec: Spec, device: str):
        torch.manual_seed(spec.seed)
        self.model: LanguageModel
        if spec.architecture == "recurrent":
            self.model = Recurrent(spec.d_model, spec.n_layers).to(device)
        else:
            self.model = Transformer(spec.d_model, spec.n_layers, spec.n_heads).to(device)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=spec.learning_rate, betas=BETAS, weight_decay=spec.weight_decay, fused=True
        )
        self.losses: list[float] = []
        self.seconds = self.cpu_seconds = 0.0

    def save(self, path: Path) -> None:
        unfinished = path.with_suffix(".unfinished")
        parts = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        times = {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds}
        torch.save({**parts, **times, "losses": self.losses}, unfinished)
        unfinished.replace(path)

    def load(self, path: Path) -> None:
        stored = torch.load(path)
        self.model.load_state_dict(stored["model"])
        self.optimizer.load_state_dict(stored["optimizer"])
        self.losses, self.seconds, self.cpu_seconds = stored["losses"], stored["seconds"], stored["cpu_seconds"]


def train_run(spec: Spec, folder: Path, checkpoint: Path, device: str = "cpu") -> tuple[dict[str, Any], pd.DataFrame]:
    """Train one run; returns its row and its curve. A loss that is not finite ends it as ``diverged``."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    windows = read_windows(folder / "training.bin")
    order = draw_order(spec, len(windows))
    state = State(spec, device)
    if checkpoint.exists():
        state.load(checkpoint)
    saved = time.monotonic()
    started, cpu_started = time.monotonic() - state.seconds, time.process_time() - state.cpu_seconds
    for step in range(len(state.losses), spec.steps):
        for group in state.optimizer.param_groups:
            group["lr"] = learning_rate(spec, step)
        loss = state.model.loss(*take(windows, order[step], device))
        state.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), CLIP)
        state.optimizer.step()
        state.losses.append(loss.item())
        if not math.isfinite(state.losses[-1]):
            break
        if time.monotonic() - saved > CHECKPOINT_EVERY:
            state.seconds, state.cpu_seconds = time.monotonic() - started, time.process_time() - cpu_started
            state.save(checkpoint)
            saved = time.monotonic()
    state.seconds, state.cpu_seconds = time.monotonic() - started, time.process_time() - cpu_started
    loss, stderr = validate(state.model, read_windows(folder / "validation.bin"), device)
    finished = len(state.losses) == spec.steps and loss < math.log(VOCAB)
    row = _row(spec, state, loss, stderr, "finished" if finished else "diverged", device)
    if spec.arm in EXPERIMENTS:
        row |= {name: getattr(spec, name) for name in VARIED} | {"cpu_seconds": round(state.cpu_seconds, 1)}
    if spec.arm == "transfer":
        row |= losses_by_kind(state.model, folder, device)
    if spec.arm == "quantised":
        row |= rounded_losses(state.model, read_windows(folder / "validation.bin"), device)
    return row, _curve(spec, state)


def _row(spec: Spec, state: State, loss: float, stderr: float, status: str, device: str) -> dict[str, Any]:
    params = sum(p.numel() for p in state.model.parameters())
    outside = ("embedding.weight", "positions.weight", "logits.weight")
    nonembedding = sum(p.numel() for name, p in state.model.named_parameters() if name not in outside)
    tokens = spec.steps * spec.batch_tokens
    exact = float("nan")
    if spec.architecture == "transformer":
        sizes = (spec.d_model, spec.n_layers, spec.n_heads, spec.d_model // spec.n_heads, 4 * spec.d_model)
        shape = scaling.counting.Architecture(*sizes, VOCAB, CONTEXT)
        exact = int(scaling.counting.training_flops(shape, tokens, "chinchilla"))
    where = torch.cuda.get_device_name() if device == "cuda" else f"cpu, {platform.machine()}"
    return dict(
        run=spec.run,
        arm=spec.arm,
        params=params,
        tokens=tokens,
        loss=round(loss, 5),
        flops=6 * params * tokens,
        params_nonembedding=nonembedding,
        flops_nonembedding=6 * nonembedding * tokens,
        flops_exact=exact,
        budget=spec.budget,
        seed=spec.seed,
        status=status,
        loss_stderr=round(stderr, 5),
        d_model=spec.d_model,
        n_layers=spec.n_layers,
        n_heads=spec.n_heads,
        learning_rate=spec.learning_rate,
        batch_tokens=spec.batch_tokens,
        steps=spec.steps,
        unique_tokens=min(spec.unique_tokens, tokens),
        seconds=round(state.seconds, 1),
        device=where,
    )


def _curve(spec: Spec, state: State) -> pd.DataFrame:
    """Training loss along the run: at log-spaced steps, the mean of the last tenth of the steps so far."""
    done = len(state.losses)
    steps = np.unique(np.geomspace(max(1, done // 100), done, CURVE_POINTS).astype(int)) if done else []
    losses = np.array(state.losses)
    means = [losses[step - math.ceil(step / 10) : step].mean() for step in steps]
    return pd.DataFrame({"run": spec.run, "tokens": np.array(steps) * spec.batch_tokens, "loss": np.round(means, 4)})


def append(path: Path, rows: pd.DataFrame) -> None:
    """Add rows to a table so that the file is at every moment either the old or the new one."""
    if path.exists():
        old = pd.read_csv(path)
        rows = pd.concat([old[~old["run"].isin(rows["run"])], rows])
    unfinished = path.with_name(f"unfinished-{path.name}")
    compression = {"method": "gzip", "mtime": 0} if path.suffix == ".gz" else None
    rows.to_csv(unfinished, index=False, lineterminator="\n", compression=compression)
    unfinished.replace(path)


def read_tables(out: Path) -> pd.DataFrame:
    """Run, loss and status of everything that has a row."""
    columns = ["run", "loss", "status"]
    paths = [path for name in ("runs.csv", *dict.fromkeys(TABLES.values())) if (path := out / name).exists()]
    return pd.concat([pd.DataFrame(columns=columns), *(pd.read_csv(path, usecols=columns) for path in paths)])


def follow_the_parent() -> None:
    """End this worker when the sweep that started it has been killed, so that two sweeps never share a run."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def sweep(specs: Sequence[Spec], folder: Path, out: Path, workers: int, device: str = "cpu") -> Iterator[dict]:
    """Train what has no row yet, in order, several at a time; yields the rows as they are written."""
    checkpoints = out / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    os.environ |= KEEP_MEMORY
    done = set(read_tables(out)["run"])
    waiting = [spec for spec in specs if spec.run not in done]
    running: dict[Future, Spec] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=follow_the_parent) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    spec = waiting.pop(0)
                    running[pool.submit(train_run, spec, folder, checkpoints / f"{spec.run}.pt", device)] = spec
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    spec = running.pop(future)
                    row, curve = future.result()
                    append(out / "curves.csv.gz", curve)
                    append(out / spec.table, pd.DataFrame([row]))  # the row comes last: it says that all is there
                    (checkpoints / f"{spec.run}.pt").unlink(missing_ok=True)
                    yield row
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list((pool._processes or {}).values()):
                process.terminate()
            raise


def compare(row: dict) -> str:
    """The loss beside the recorded one, if this run is in the project's tables."""
    recorded = read_tables(HERE)
    known = recorded.loc[recorded["run"] == row["run"], "loss"]
    words = f"{row['run']}: {row['status']}, loss {row['loss']:.5f}, {row['flops'] / row['seconds'] / 1e9:.1f} GFLOP/s"
    return words + (f", recorded {known.iloc[0]:.5f}" if len(known) else "")


def measure_peak(size: int = 1_024, repeats: int = 20) -> float:
    """FLOP/s of one core in the fastest of some products of large matrices, the most that training could reach."""
    torch.set_num_threads(1)
    matrix, fastest = torch.ones(size, size), math.inf
    for _ in range(repeats):
        started = time.perf_counter()
        matrix @ matrix
        fastest = min(fastest, time.perf_counter() - started)
    return 2 * size**3 / fastest


@click.command()
@click.argument("runs", nargs=-1)
@click.option("--design", type=click.Path(path_type=Path, exists=True), default=HERE / "design.csv", show_default=False)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("sweep"), help="Where rows go.")
@click.option("--corpus", "folder", type=click.Path(path_type=Path, file_okay=False), default=corpus.CACHE)
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count(), help="Runs at a time, one thread each.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu")
def main(runs: tuple[str, ...], design: Path, out: Path, folder: Path, workers: int, device: str) -> None:
    """Train RUNS of the design (all, if none is named) and write the tables into --out.

    Example: train.py c1e11-d16 --out sweep
    """
    specs = read_design(design)
    if unknown := set(runs) - {spec.run for spec in specs}:
        raise click.ClickException(f"not in {design}: {', '.join(sorted(unknown))}")
    chosen = [spec for spec in specs if not runs or spec.run in runs]
    corpus.build(folder)
    done = set(read_tables(out)["run"])
    todo = [spec for spec in chosen if spec.run not in done]
    click.echo(f"{len(chosen) - len(todo)} of {len(chosen)} runs are finished in {out}; {len(todo)} to go")
    peak, spent, started = workers * measure_peak(), 0, time.monotonic()
    try:
        with tqdm(total=len(todo), unit="run") as progress:
            for row in sweep(todo, folder, out, workers, device):
                progress.write(compare(row))
                progress.update()
                spent += row["flops"]
    except (OSError, MemoryError, BrokenProcessPool, RuntimeError) as error:
        raise click.ClickException(
            f"the sweep stopped: {error}\nFinished runs and checkpoints are kept in {out}; run again to go on."
        ) from error
    except KeyboardInterrupt:
        raise click.ClickException(f"interrupted; finished runs and checkpoints are kept in {out}") from None
    seconds = time.monotonic() - started
    rate = spent / seconds
    share = f"{rate / 1e9:.1f} GFLOP/s, {rate / peak:.0%} of the peak of {workers} cores"
    click.echo(f"{spent:.3g} FLOP in {seconds:.0f} s: {share}" if todo else "nothing to do")


if __name__ == "__main__":
    main()
