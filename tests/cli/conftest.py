"""What tests of several commands share."""

import numpy as np
import pandas as pd
import pytest

import scaling


@pytest.fixture(scope="session")
def sound_table(tmp_path_factory):
    """A table of fifteen runs that every command can use; it is read and never written to."""
    path = tmp_path_factory.mktemp("sound") / "runs.csv"
    law = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)
    design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20], n_sizes=5, law=law)
    scaling.simulate_runs(law, design, noise=0.004, seed=1).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def logged_curves(tmp_path_factory):
    """Points of the training curves of sixteen runs, by steps, and of two that crashed; every point is a row."""
    rng, rows = np.random.default_rng(0), []
    law = scaling.ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.36)
    for size in (2e7, 5e7, 1.2e8, 3e8, 7e8, 1.5e9):
        for ratio in (8, 20, 50):
            steps, luck = round(size * ratio / (256 * 1024)), rng.normal(0, 0.002)
            cut = (size, ratio) in ((5e7, 50), (3e8, 8))
            for k in range(1, 26 if cut else 41):
                step = max(1, steps * k // 40)
                loss = float(law.loss(size, step * 256 * 1024)) * (1 + 0.06 * (1 - k / 40))
                rows.append((f"{size:g}-{ratio}", step, loss * np.exp(luck + rng.normal(0, 0.001)), size, cut))
    table = pd.DataFrame(rows, columns=["run", "_step", "eval/loss", "n_params", "cut"])
    table["State"] = np.where(table.pop("cut"), "crashed", "finished")
    table.assign(batch_size=256, seq_len=1024).to_csv(path := tmp_path_factory.mktemp("curves") / "c.csv", index=False)
    return path
