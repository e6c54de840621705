"""The default search of every fit ends as low as four times as many starts do, on small tables with much noise."""

import pytest

import scaling
from scaling import fit

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
BUDGETS = (1e19, 1e20, 1e21, 1e22)
FITS = {
    "parametric": lambda runs, n: fit.fit_parametric(runs, n_starts=n),
    "coupled": lambda runs, n: fit.fit_parametric(runs, law="coupled", n_starts=n),
    "power law": lambda runs, n: fit.fit_power_law(runs["flops"], runs["loss"], offset=True, n_starts=n),
    "broken": lambda runs, n: fit.fit_broken_power_law(runs["flops"], runs["loss"], n_starts=n),
    "Kaplan": lambda runs, n: fit.fit_kaplan(runs, n_starts=n),
    "Kaplan, steps": lambda runs, n: fit.fit_kaplan_steps(runs.assign(steps=runs["tokens"] / 5e5), n_starts=n),
    "Rosenfeld": lambda runs, n: fit.fit_rosenfeld(runs, guess=11.0, n_starts=n),
    "tied": lambda runs, n: fit.fit_overtraining(runs, n_starts=n),
    "Farseer": lambda runs, n: fit.fit_farseer(runs, n_starts=n),
}


def runs(seed):
    design = scaling.simulate.isoflop_design(BUDGETS[: 3 + seed % 2], n_sizes=5 + seed % 3, law=LAW)
    return scaling.simulate_runs(LAW, design, noise=(0.003, 0.01, 0.03)[seed % 3], seed=seed)


@pytest.mark.parametrize("name", FITS)
def test_more_starts_find_nothing_lower(name):
    """One table of twelve is allowed; Farseer's law missed one of five, by up to a third of its objective."""
    above = 0
    for seed in range(12):
        table = runs(seed)
        few, many = (FITS[name](table, n).value for n in (4, 16))
        above += few > many * (1 + 1e-4)
    assert above <= 1
