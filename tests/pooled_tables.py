"""Tables whose rows are one run each, and tables whose rows are not: invented, with what is wrong known."""

import numpy as np
import pandas as pd

import scaling


def _law(rng):
    return scaling.ChinchillaLaw(
        E=rng.uniform(1.5, 2.0),
        A=rng.uniform(300, 600),
        B=rng.uniform(400, 2000),
        alpha=rng.uniform(0.3, 0.37),
        beta=rng.uniform(0.28, 0.37),
    )


def _design(rng, law):
    kind = rng.integers(3)
    if kind == 0:
        budgets = np.geomspace(1e18, rng.choice([1e20, 1e21]), rng.integers(4, 9))
        return scaling.simulate.isoflop_design(budgets, n_sizes=int(rng.integers(5, 10)), law=law).drop(
            columns="budget"
        )
    if kind == 1:
        sizes, lengths = np.geomspace(5e7, 3e9, rng.integers(4, 8)), np.geomspace(2e9, 1e11, rng.integers(4, 9))
        return scaling.simulate.grid_design(sizes, lengths)
    return scaling.simulate.chinchilla_like_design(int(rng.integers(40, 150)), seed=int(rng.integers(1000)))


def _noisy(rng, law, design, noise):
    """Losses with normal noise or, in every other table, some that strays three times as far."""
    spread = noise * np.where(rng.random(len(design)) < 0.1 * rng.integers(2), 3.0, 1.0)
    loss = law.loss(design["params"], design["tokens"]) * np.exp(spread * rng.standard_normal(len(design)))
    return design[["params", "tokens"]].assign(loss=loss)


def _with_idle_columns(rng, table):
    """Columns that say nothing of the loss, or only what size, tokens and compute say already."""
    n = len(table)
    for name in rng.choice(["note", "host", "optimizer", "data", "user"], rng.integers(1, 4), replace=False):
        table[name] = rng.choice([f"{name}-{k}" for k in range(rng.integers(2, 7))], n)
    table["lr"] = 0.003 * (table["params"] / 1e8) ** -0.3 if rng.random() < 0.5 else 10 ** rng.uniform(-4, -2, n)
    table["batch_size"] = rng.choice([128, 256, 512], n)
    table["depth"] = np.round(np.log2(table["params"])).astype(int)
    table["model"] = [f"{x / 1e6:.0f}M" for x in table["params"]]
    table["scale"] = np.where(table["params"] > table["params"].median(), "large", "small")
    return table


def sound(seed):
    """One run a row, in every other table with repeats that differ by their seeds."""
    rng = np.random.default_rng([1, seed])
    law = _law(rng)
    design = _design(rng, law)
    if rng.random() < 0.5:
        design = design.loc[np.repeat(design.index, rng.integers(2, 5))].reset_index(drop=True)
    return _with_idle_columns(rng, _noisy(rng, law, design, rng.choice([0.002, 0.005, 0.01, 0.02])))


def sweep(seed, named=True):
    """Learning rates and batch sizes of each design, all runs kept; named otherwise, or not at all."""
    rng = np.random.default_rng([2, seed])
    law = _law(rng)
    design = scaling.simulate.grid_design(np.geomspace(1e8, 2e9, rng.integers(4, 7)), np.geomspace(2e9, 6e10, 4))
    design = design.loc[np.repeat(design.index, rng.integers(6, 25))].reset_index(drop=True)
    table = _noisy(rng, law, design, 0.003)
    rate = 2.0 ** rng.integers(-12, -5, len(table)) if rng.random() < 0.5 else 2.0 ** rng.uniform(-12, -5, len(table))
    best = 2.0 ** rng.uniform(-9.5, -7.5) * (table["params"] / 1e9) ** -0.1
    table["loss"] *= np.exp(rng.uniform(0.005, 0.02) * np.log2(rate / best) ** 2)
    if named:
        table[rng.choice(["lr", "peak_lr", "learning rate", "optim/lr", "max_lr"])] = rate
        table["bs"] = rng.choice([64, 128, 256], len(table))
    return table


def families(seed):
    """Two to four families whose losses differ by a few percent, in one table."""
    rng = np.random.default_rng([3, seed])
    law, many = _law(rng), rng.integers(2, 5)
    parts = []
    for k in range(many):
        part = _noisy(rng, law, _design(rng, law), 0.004)
        part["loss"] *= np.exp(0.04 * k * rng.uniform(0.7, 1.5))
        parts.append(part.assign(**{["family", "arch", "dataset", "corpus"][seed % 4]: f"set {k}"}))
    table = pd.concat(parts, ignore_index=True).sample(frac=1.0, random_state=seed, ignore_index=True)
    return table.assign(note=rng.choice(["a", "b", "c"], len(table)))


def checkpoints(seed):
    """Curves of runs of one to three lengths a size, without a column that names the run."""
    rng = np.random.default_rng([4, seed])
    law, parts = _law(rng), []
    points, lengths = int(rng.integers(15, 60)), rng.choice([1, 2, 3])
    for size in np.geomspace(5e7, 1e9, rng.integers(4, 8)):
        for length in 8e9 * 2.0 ** np.arange(lengths):
            done = np.linspace(0, 1, points + 1)[1:] if seed % 3 else np.geomspace(1e-3, 1, points)
            luck = 0.004 * rng.standard_normal()
            design = pd.DataFrame({"params": size, "tokens": np.round(length * done / 2**19) * 2.0**19})
            design = design[design["tokens"] > 0].drop_duplicates()
            part = _noisy(rng, law, design, 0.002)
            part["loss"] *= np.exp(luck + 0.03 * (1 - part["tokens"] / length))
            parts.append(part.assign(step=part["tokens"] / 2**19, max_steps=length / 2**19))
    table = pd.concat(parts, ignore_index=True)
    return table.sample(frac=1.0, random_state=seed, ignore_index=True) if seed % 2 else table


def experts(seed):
    """Mixtures of experts counted whole, beside what is active of them or beside the number of experts."""
    rng = np.random.default_rng([5, seed])
    law, many = _law(rng), rng.choice([8, 16, 64])
    active = scaling.simulate.grid_design(np.geomspace(5e7, 2e9, 5), np.geomspace(2e9, 1e11, 6))
    table = _noisy(rng, law, active, 0.004)
    share = rng.uniform(0.1, 0.5)
    if seed % 2:
        table[rng.choice(["active_params", "n_active", "activated parameters"])] = table["params"]
    else:
        table[rng.choice(["num_experts", "experts", "n_experts"])] = many
    return table.assign(params=table["params"] / share)
