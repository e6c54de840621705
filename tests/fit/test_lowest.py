"""The default search of every fit ends as low as is known, on small tables with much noise."""

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
#: the lowest objectives known of tables on which earlier searches ended above them, by 2 to 38 % and by 1 %
KNOWN = {
    ("Farseer", 2): 2.002771e-4,
    ("Farseer", 6): 1.166068e-5,
    ("Farseer", 11): 4.221183e-4,
    ("Farseer", 14): 3.842543e-4,
    ("Farseer", 16): 5.325428e-5,
    ("Farseer", 18): 1.057276e-5,
    ("broken", 5): 7.852674e-4,
}


def runs(seed):
    design = scaling.simulate.isoflop_design(BUDGETS[: 3 + seed % 2], n_sizes=5 + seed % 3, law=LAW)
    return scaling.simulate_runs(LAW, design, noise=(0.003, 0.01, 0.03)[seed % 3], seed=seed)


@pytest.mark.parametrize(("name", "seed"), KNOWN)
def test_the_lowest_known_is_reached(name, seed):
    assert FITS[name](runs(seed), 4).value <= KNOWN[name, seed] * (1 + 1e-3)


@pytest.mark.parametrize("name", [name for name in FITS if name != "Farseer"])
def test_three_times_as_many_starts_find_nothing_lower(name):
    """One table of nine is allowed."""
    above = 0
    for seed in range(9):
        few, many = (FITS[name](runs(seed), n).value for n in (4, 12))
        above += few > many * (1 + 1e-4)
    assert above <= 1
