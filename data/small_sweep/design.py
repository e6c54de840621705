"""Write ``design.csv``: which runs are trained, in which order.

The learning rates come first, then IsoFLOP groups from the smallest budget up, then repeats, over-training and
repeated data; at the end the experiments, each of which varies one thing that the other runs keep.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent

VOCAB, CONTEXT = 1_024, 256

#: widths of each IsoFLOP group, over a factor of seven to twenty-two in size around its minimum
GROUPS = {
    3e10: (4, 6, 8, 10, 12, 16, 20, 24),
    1e11: (6, 8, 10, 12, 16, 20, 24, 32, 40),
    3e11: (6, 8, 12, 16, 20, 24, 32, 40, 48),
    1e12: (8, 12, 16, 20, 24, 32, 40, 48, 64),
    3e12: (12, 16, 20, 24, 32, 48, 64, 80),
    1e13: (16, 24, 32, 40, 48, 64, 80, 96),
    3.2e13: (32, 40, 48, 64, 80, 96, 112),
}
#: budgets at which learning rates are tried: widths, and rates
TRIALS = {
    3e10: ((8, 16), (4e-3, 8e-3, 16e-3, 32e-3, 64e-3)),
    1e11: ((8, 16, 32), (2e-3, 4e-3, 8e-3, 16e-3, 32e-3, 64e-3)),
    1e12: ((24, 48), (8e-3, 16e-3, 32e-3, 64e-3)),
    3e12: ((64,), (8e-3, 16e-3, 32e-3)),
}
REPEATS = {3e10: 12, 1e11: 16, 3e11: 24, 1e12: 24, 3e12: 32}  # budgets and widths of the runs trained with other seeds
N_REPEATS = 5
OVERTRAINED_WIDTH, OVERTRAINED = 8, (40, 160, 640, 2_560, 7_500)  # tokens per parameter
REPEATED_WIDTH, REPEATED_TOKENS, EPOCHS = 32, 2**18, (1, 2, 4, 8, 16)
DECAYS = (0.03, 0.1, 0.3, 1.0, 3.0)
#: the experiments: all near the best size of one budget
BUDGET, WIDTH = 3e11, 20
HORIZONS, HORIZON_SEEDS = (1.0, 1.25, 1.5, 2.0, 5.0), 3  # length of the cosine over that of the run
BATCHES, FACTORS = (256, 512, 1_024, 2_048, 4_096), (0.5, 1.0, 2.0)  # tokens a step; rates over the usual one
SHAPES = {1: 26, 2: 24, 3: 22, 4: 21, 6: 19, 10: 16}  # layers, and the width at which the size is the same
SHARE, TIMES = 0.1, (1, 4, 16, 64, 384)  # of the text that is repeated, and how often
LENGTHS = (0.125, 0.25, 0.5, 0.75, 1.0)  # over that of the run of the budget
QUANTISED_WIDTH, QUANTISED = 12, (5, 20, 80, 250)  # tokens per parameter
RECURRENT = {"recurrent": (16, 28, 48), "transformer": (12, 20, 32)}  # widths
PARTS = (0.25, 0.5, 1.0)  # lengths
TRANSFER = {1e11: (8, 12, 16, 24), 3e11: (12, 16, 24, 32)}


def shape(d_model: int) -> dict[str, int]:
    """One layer and one head for every sixteen of width, as far as integers allow."""
    return dict(d_model=d_model, n_layers=max(1, int(d_model / 16 + 0.5)), n_heads=max(1, d_model // 16))


def params(d_model: int, n_layers: int | None = None) -> int:
    """Embedding, logits and positions, twelve d² a layer, and the gains of the norms."""
    layers = n_layers or shape(d_model)["n_layers"]
    return (2 * VOCAB + CONTEXT) * d_model + layers * (12 * d_model**2 + 2 * d_model) + d_model


def batch_tokens(flops: float) -> int:
    """Tokens of a step: 512 at 1e11 FLOP and as the root of the budget, so that the steps grow as well."""
    return 2 ** round(9 + math.log2(flops / 1e11) / 2)


def learning_rate(d_model: int) -> float:
    """Near the best of the trials: 0.04, and above a width of 24 one over the width."""
    return min(0.04, round(1 / d_model, 4))


def trained(run: str, arm: str, d_model: int, tokens: float, flops: float, **others: float) -> dict:
    """One run, its tokens rounded to whole steps."""
    batch = batch_tokens(flops)
    tokens = max(1, round(tokens / batch)) * batch
    standard = dict(budget=float("nan"), tokens=tokens, unique_tokens=tokens, batch_tokens=batch)
    standard |= dict(learning_rate=learning_rate(d_model), seed=0)
    standard |= dict(schedule="cosine", horizon=1.0, repeated_share=0.0, repeats=1)
    standard |= dict(architecture="transformer", weight_decay=0.1)
    return dict(run=run, arm=arm) | shape(d_model) | standard | others


def tokens_for(flops: float, d_model: int) -> float:
    """Tokens that spend a budget, D = C/(6N)."""
    return flops / (6 * params(d_model))


def scientific(flops: float) -> str:
    return f"{flops:g}".replace("+", "")


def learning_rate_trials() -> Iterator[dict]:
    """Rates at small, medium and large sizes of the smaller budgets."""
    for flops, (widths, rates) in TRIALS.items():
        for d_model in widths:
            for rate in rates:
                name = f"rate-{scientific(flops)}-d{d_model}-{1e3 * rate:g}e-3"
                tokens = tokens_for(flops, d_model)
                yield trained(name, "learning rates", d_model, tokens, flops, learning_rate=rate)


def group(flops: float) -> Iterator[dict]:
    """One IsoFLOP group, and with it the repeats of one of its runs."""
    for d_model in GROUPS[flops]:
        name = f"c{scientific(flops)}-d{d_model}"
        tokens = tokens_for(flops, d_model)
        yield trained(name, "isoflop", d_model, tokens, flops, budget=flops)
        for seed in range(1, N_REPEATS + 1) if REPEATS.get(flops) == d_model else ():
            yield trained(f"{name}-s{seed}", "isoflop", d_model, tokens, flops, budget=flops, seed=seed)


def overtrained(ratios: Sequence[int]) -> Iterator[dict]:
    """One small size, far beyond twenty tokens per parameter."""
    for ratio in ratios:
        tokens = ratio * params(OVERTRAINED_WIDTH)
        flops = 6 * params(OVERTRAINED_WIDTH) * tokens
        yield trained(f"over-d{OVERTRAINED_WIDTH}-{ratio}", "overtrained", OVERTRAINED_WIDTH, tokens, flops)


def repeated() -> Iterator[dict]:
    """One size on a small subset, read once to many times; and beside each the same number of tokens read once."""
    flops = 6 * params(REPEATED_WIDTH) * REPEATED_TOKENS
    for epochs in EPOCHS:
        tokens = epochs * REPEATED_TOKENS
        for unique in sorted({REPEATED_TOKENS, tokens}):
            name = f"unique-{unique // 2**10}k-of-{tokens // 2**10}k"
            yield trained(name, "repeated", REPEATED_WIDTH, tokens, flops, unique_tokens=unique)


def horizons() -> Iterator[dict]:
    """Cosines that are longer than their run."""
    for seed in range(HORIZON_SEEDS):
        for horizon in HORIZONS:
            name = f"horizon-{horizon:g}-s{seed}"
            yield trained(name, "horizon", WIDTH, tokens_for(BUDGET, WIDTH), BUDGET, horizon=horizon, seed=seed)


def batches() -> Iterator[dict]:
    """Batches, each with three learning rates, for as many tokens."""
    tokens = round(tokens_for(BUDGET, WIDTH) / max(BATCHES)) * max(BATCHES)
    for batch in BATCHES:
        for factor in FACTORS:
            rate = factor * learning_rate(WIDTH)
            options = dict(batch_tokens=batch, learning_rate=rate, tokens=tokens, unique_tokens=tokens)
            yield trained(f"batch-{batch}-rate-{factor:g}", "batch", WIDTH, tokens, BUDGET) | options


def shapes() -> Iterator[dict]:
    """Few wide layers or many narrow ones, of one size."""
    for seed in (0, 1):
        for n_layers, d_model in SHAPES.items():
            form = dict(n_layers=n_layers, n_heads=1)
            tokens = BUDGET / (6 * params(d_model, n_layers))
            yield trained(f"shape-{n_layers}-s{seed}", "shape", d_model, tokens, BUDGET, seed=seed, **form)


def partly_repeated() -> Iterator[dict]:
    """Nine tenths of the text read once, and a tenth of the reading on a small part read again and again."""
    for seed in (0, 1):
        for times in TIMES:
            run = trained(f"share-{times}-s{seed}", "partly repeated", WIDTH, tokens_for(BUDGET, WIDTH), BUDGET)
            windows = run["tokens"] // CONTEXT
            slots = round(SHARE * windows)
            unique = (windows - slots + max(1, round(slots / times))) * CONTEXT
            yield run | dict(repeated_share=SHARE, repeats=times, unique_tokens=unique, seed=seed)


def lengths() -> Iterator[dict]:
    """Runs of five lengths: a cosine each, or one constant rate with a cooldown at each."""
    for schedule in ("cosine", "wsd"):
        for length in LENGTHS:
            tokens = length * tokens_for(BUDGET, WIDTH)
            yield trained(f"{schedule}-{length:g}", "length", WIDTH, tokens, BUDGET, schedule=schedule)


def quantised() -> Iterator[dict]:
    """One size, trained longer and longer, whose weights are rounded afterwards."""
    for ratio in QUANTISED:
        tokens = ratio * params(QUANTISED_WIDTH)
        flops = 6 * params(QUANTISED_WIDTH) * tokens
        yield trained(f"bits-d{QUANTISED_WIDTH}-{ratio}", "quantised", QUANTISED_WIDTH, tokens, flops)


def transfer() -> Iterator[dict]:
    """Sizes at two budgets, validated on code and on prose apart."""
    for flops, widths in TRANSFER.items():
        for d_model in widths:
            name = f"transfer-{scientific(flops)}-d{d_model}"
            yield trained(name, "transfer", d_model, tokens_for(flops, d_model), flops)


def recurrent() -> Iterator[dict]:
    """Recurrent networks and transformers, three sizes and three lengths of each, to be compared by their time."""
    for architecture, widths in RECURRENT.items():
        for d_model in widths:
            for length in PARTS:
                name = f"{architecture}-d{d_model}-{length:g}"
                tokens = length * tokens_for(BUDGET, WIDTH)
                yield trained(name, "recurrent", d_model, tokens, BUDGET, architecture=architecture)


def decays() -> Iterator[dict]:
    """Few tokens read sixteen times under weaker and stronger decay of the weights."""
    flops, tokens = 6 * params(REPEATED_WIDTH) * REPEATED_TOKENS, max(EPOCHS) * REPEATED_TOKENS
    for decay in DECAYS:
        options = dict(weight_decay=decay, unique_tokens=REPEATED_TOKENS)
        yield trained(f"decay-{decay:g}", "decay", REPEATED_WIDTH, tokens, flops, **options)


def experiments() -> Iterator[dict]:
    """All of these."""
    for each in (horizons, batches, shapes, partly_repeated, lengths, quantised, transfer, recurrent, decays):
        yield from each()


def design() -> pd.DataFrame:
    """All runs in the order in which they are trained."""
    rows = [*learning_rate_trials(), *(run for flops in GROUPS if flops < 1e13 for run in group(flops))]
    rows += [*repeated(), *overtrained(OVERTRAINED[:-1]), *group(1e13), *group(3.2e13)]
    return pd.DataFrame([*rows, *overtrained(OVERTRAINED[-1:]), *experiments()])


if __name__ == "__main__":
    design().to_csv(HERE / "design.csv", index=False, lineterminator="\n")
