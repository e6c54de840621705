"""What tests of several commands share."""

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
