"""Synthetic runs: the law they follow, their noise, and the designs."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.laws.chinchilla import ChinchillaLaw
from scaling.laws.power import FrontierLaw, PowerLaw
from scaling.runs.table import check_runs
from scaling.simulate import chinchilla_like_design, grid_design, isoflop_design, simulate_curves, simulate_runs

LAW = ChinchillaLaw(E=1.7, A=400.0, B=410.0, alpha=0.34, beta=0.28)
DESIGN = grid_design([1e8, 1e9], [1e9, 1e10, 1e11])


def test_without_noise_the_runs_are_the_law():
    runs = simulate_runs(LAW, DESIGN)
    np.testing.assert_array_equal(runs["loss"], LAW.loss(DESIGN["params"], DESIGN["tokens"]))
    assert "loss" not in DESIGN
    assert check_runs(runs).attrs["warnings"] == []


def test_noise_is_log_normal_with_the_stated_spread():
    design = pd.DataFrame({"params": np.full(20_000, 1e9), "tokens": 1e10})
    runs = simulate_runs(LAW, design, noise=0.02, seed=3)
    z = np.log(runs["loss"] / LAW.loss(1e9, 1e10))
    assert z.std() == pytest.approx(0.02, rel=0.02)  # four standard errors
    assert abs(z.mean()) < 4 * 0.02 / np.sqrt(20_000)
    np.testing.assert_allclose(runs["flops"], 6e19)


def test_the_seed_decides():
    same = [simulate_runs(LAW, DESIGN, 0.01, seed)["loss"] for seed in (1, 1, 2)]
    pd.testing.assert_series_equal(same[0], same[1])
    assert (same[0] != same[2]).all()


def test_rounding_and_carried_columns():
    runs = simulate_runs(LAW, DESIGN.assign(run=range(6)), noise=0.01, decimals=2)
    np.testing.assert_allclose(runs["loss"] * 100, np.round(runs["loss"] * 100), atol=1e-9)
    assert runs["run"].tolist() == list(range(6))


@pytest.mark.parametrize("width", [2, 16])
def test_isoflop_groups_hold_their_budget_and_centre(width):
    budgets = np.array([1e18, 1e20])
    design = isoflop_design(budgets, n_sizes=5, width=width, law=LAW)
    assert list(design.columns) == ["budget", "params", "tokens", "flops"]
    np.testing.assert_allclose(6 * design["params"] * design["tokens"], design["budget"], rtol=1e-14)
    sizes = design["params"].to_numpy().reshape(2, 5)
    np.testing.assert_allclose(sizes[:, -1] / sizes[:, 0], width**2, rtol=1e-12)
    np.testing.assert_allclose(np.diff(np.log(sizes)), 2 * np.log(width) / 4, rtol=1e-12)
    # the centre is the size at which the loss at fixed compute is stationary (Hoffmann et al. 2022, equation 4)
    N, step = sizes[:, 2], 1e-4
    above, below = (LAW.loss(N * f, budgets / (6 * N * f)) for f in (np.exp(step), np.exp(-step)))
    assert np.abs(above - below).max() < 1e-9


def test_isoflop_centres_from_a_frontier_a_function_and_values():
    frontier = FrontierLaw(params=PowerLaw(0.1, 0.5), tokens=PowerLaw(1 / 0.6, 0.5))
    one = isoflop_design([1e18, 1e20], 3, 4, law=frontier)
    two = isoflop_design([1e18, 1e20], 3, 4, center=frontier.params)
    three = isoflop_design([1e18, 1e20], 3, 4, center=[1e8, 1e9])
    pd.testing.assert_frame_equal(one, two)
    np.testing.assert_allclose(one, three, rtol=1e-12)
    assert len(isoflop_design([1e18], n_sizes=1, center=1e8)) == 1


def test_grid_is_every_pair():
    assert len(DESIGN) == 6
    assert len(DESIGN.drop_duplicates(["params", "tokens"])) == 6
    np.testing.assert_array_equal(DESIGN["flops"], 6 * DESIGN["params"] * DESIGN["tokens"])


def test_the_chinchilla_like_design_is_ragged_and_in_range():
    design = chinchilla_like_design()
    assert len(design) == 240
    assert design["budget"].nunique() == 9
    assert design["budget"].isna().sum() == 60
    np.testing.assert_allclose(design["flops"], 6 * design["params"] * design["tokens"], rtol=1e-14)
    assert (np.log(design["flops"] / design["budget"]).dropna().abs() < 0.1).all()
    assert design["params"].between(4e7, 4e10).all()
    assert (design["tokens"] / design["params"]).between(0.4, 500).all()
    pd.testing.assert_frame_equal(design, chinchilla_like_design())
    assert not design.equals(chinchilla_like_design(seed=1))


def test_curves_end_on_the_law_and_lie_above_it_before():
    curves = simulate_curves(LAW, [1e8, 1e9], schedule_gap=0.03, n_points=50)
    assert curves["run"].nunique() == 8
    law = LAW.loss(curves["params"], curves["tokens"])
    ends = curves["tokens"] == curves["horizon"]
    assert ends.sum() == 8
    np.testing.assert_allclose(curves["loss"][ends], law[ends], rtol=1e-14)
    gap = np.log(curves["loss"] / law)
    assert (gap[~ends] > 0).all()
    assert gap.max() < 0.03
    horizons = curves.groupby("params")["horizon"].agg(lambda h: h.max() / h.min())
    np.testing.assert_allclose(horizons, 16)
    np.testing.assert_allclose(curves["flops"], 6 * curves["params"] * curves["tokens"])


def test_without_a_gap_curves_are_the_law_and_noise_is_seeded():
    flat = simulate_curves(LAW, 1e9, schedule_gap=0.0, n_points=10)
    np.testing.assert_allclose(flat["loss"], LAW.loss(1e9, flat["tokens"]))
    one, two = (simulate_curves(LAW, 1e9, n_points=10, noise=0.01, seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: simulate_runs(LAW, DESIGN, noise=-0.1), "noise must be a finite number, at least 0, got -0.1"),
        (lambda: simulate_runs(LAW, DESIGN, noise=np.nan), "noise"),
        (lambda: simulate_runs(LAW, DESIGN.drop(columns="params")), "design has no column 'params'"),
        (lambda: simulate_runs(LAW, DESIGN.assign(tokens=0)), "tokens must be positive and finite, got 0"),
        (lambda: isoflop_design([1e18, -1], law=LAW), "budgets must be positive and finite, got -1"),
        (lambda: isoflop_design([], law=LAW), "budgets is empty"),
        (lambda: isoflop_design([1e18], width=1, law=LAW), "width must be larger than 1 and finite, got 1"),
        (lambda: isoflop_design([1e18], n_sizes=2.5, law=LAW), "n_sizes must be a whole number, at least 1, got 2.5"),
        (lambda: isoflop_design([1e18]), "give either law or center"),
        (lambda: isoflop_design([1e18], law=LAW, center=1e8), "give either law or center"),
        (lambda: grid_design([1e8, np.inf], [1e9]), "params must be positive and finite, got inf"),
        (lambda: chinchilla_like_design(0), "n_runs must be a whole number, at least 1, got 0"),
        (lambda: simulate_curves(LAW, 1e9, schedule_gap=-1), "schedule_gap"),
        (lambda: simulate_curves(LAW, 1e9, tokens_per_param=[0]), "tokens_per_param must be positive"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_law_of_other_columns_is_simulated_from_them():
    """Repeated data: a column more; without that column there is no loss to simulate."""
    law = scaling.laws.DataConstrainedLaw.from_published()
    design = grid_design([1e8, 1e9], [1e9, 1e11]).assign(unique_tokens=1e10)
    runs = simulate_runs(law, design)
    np.testing.assert_allclose(runs["loss"], law.loss(design["params"], design["tokens"], 1e10))
    with pytest.raises(ValueError, match="needs the column 'unique_tokens'"):
        simulate_runs(law, design.drop(columns="unique_tokens"))
    routed = scaling.laws.RoutedLaw.from_published()
    with pytest.raises(ValueError, match="needs the column 'num_experts'"):  # and takes no tokens for experts
        simulate_runs(routed, design)
