"""High noise is no divergence, and runs that diverged are found where no law is."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.diagnostics import inspect_runs
from scaling.diagnostics.inspection import without_diverged

LAW = scaling.ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.32)


def table(noise, seed, sizes=7, lengths=5):
    design = scaling.simulate.grid_design(np.geomspace(5e7, 3.2e9, sizes), np.geomspace(2e9, 6e10, lengths))
    return scaling.simulate_runs(LAW, design, noise=noise, seed=seed)


def test_noise_of_a_fifth_is_said_and_nothing_is_dropped():
    said = flagged = 0
    for seed in range(12):
        runs = table(0.2, seed)
        looked = inspect_runs(runs)
        flagged += len(looked.diverged) > 0
        if looked.noise:
            said += 1
            assert "noise, by which" in " ".join(looked.looks)
            with pytest.raises(scaling.FitError, match="no runs stand out that diverged: the losses stray by about"):
                without_diverged(runs)
    assert said >= 6
    assert flagged <= 1


@pytest.mark.parametrize("share", [0.2, 0.4])
def test_runs_that_diverged_are_found_without_a_law(share):
    found = []
    for seed in range(5):
        runs = table(0.005, seed, sizes=1, lengths=20)
        assert scaling.fit_parametric(runs).status == "not_identified"
        bad = np.random.default_rng(seed).permutation(len(runs))[: round(share * len(runs))]
        bad = bad[bad > 0]  # what the shortest run should have lost nothing says
        runs.loc[bad, "loss"] *= 1.9
        looked = inspect_runs(runs)
        assert set(looked.diverged.index) <= set(bad)
        found.append(len(looked.diverged) / len(bad))
        assert without_diverged(runs).sum() == len(runs) - len(looked.diverged)
    assert np.mean(found) > 0.8


def test_the_command_refuses_to_drop_noise(tmp_path):
    from click.testing import CliRunner

    from scaling.cli import main

    seed = next(s for s in range(20) if inspect_runs(table(0.25, s)).noise)
    pd.DataFrame(table(0.25, seed)).to_csv(tmp_path / "t.csv", index=False)
    result = CliRunner().invoke(main, ["check", str(tmp_path / "t.csv"), "--drop", "diverged"])
    assert result.exit_code == 1
    assert "--drop diverged: no runs stand out that diverged: the losses stray by about" in result.stderr
