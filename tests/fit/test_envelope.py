"""Approach 1 on simulated curves: recovery, the ends of the range, and what smoothing may not do."""

import numpy as np
import pandas as pd
import pytest

from scaling.errors import FitError
from scaling.fit.envelope import EnvelopeDraws, _lowest, fit_envelope
from scaling.laws.chinchilla import ChinchillaLaw
from scaling.optimum.allocation import compute_optimal
from scaling.simulate import simulate_curves

LAW = ChinchillaLaw(E=1.7, A=400.0, B=410.0, alpha=0.34, beta=0.28)
A_TRUE = LAW.a
SIZES = np.geomspace(7e7, 1.6e10, 25)


def test_ideal_curves_give_the_exponent_and_the_frontier():
    fit = fit_envelope(simulate_curves(LAW, SIZES, schedule_gap=0.0))
    assert fit.a == pytest.approx(A_TRUE, abs=0.01)  # the sizes are a staircase
    good = fit.points[fit.points["usable"]]
    ratio = good["params"] / compute_optimal(LAW, good["budget"]).params
    assert np.abs(np.log(ratio)).max() < np.log(SIZES[1] / SIZES[0])  # one step of the sizes


def test_budgets_are_one_stretch_between_the_smallest_and_the_largest_size():
    """With a schedule gap, sizes inside win again outside that stretch: there the optimum is out of reach."""
    points = fit_envelope(simulate_curves(LAW, SIZES, schedule_gap=0.03)).points
    good = points[points["usable"]]
    ends = np.isclose(points["params"], SIZES[0]) | np.isclose(points["params"], SIZES[-1])
    beyond = points[ends]
    assert not beyond["budget"].between(good["budget"].min(), good["budget"].max()).any()
    assert points.loc[~points["usable"], "reason"].str.contains("beyond").all()


@pytest.mark.parametrize("window", [2, 10])
def test_smoothing_smooth_curves_changes_nothing(window):
    """The filter flattens the steep first steps; kept, they made large sizes look optimal at small budgets."""
    curves = simulate_curves(LAW, SIZES, schedule_gap=0.0, n_points=1000)
    assert fit_envelope(curves, window=window).a == pytest.approx(fit_envelope(curves).a, abs=0.002)


def test_a_window_longer_than_the_curves_leaves_none():
    curves = simulate_curves(LAW, SIZES[::6])
    with pytest.raises(FitError, match="curves"):
        fit_envelope(curves, window=1e9)
    with pytest.raises(ValueError, match="window"):
        fit_envelope(curves, window=-1)


def plain_lowest(losses, log_sizes, present):
    """The lowest curve at each budget of one drawn set of curves, by a loop; -1 where none, and whether it counts."""
    best, reached = [], np.isfinite(losses) & present[:, None]
    inside = []
    for losses_here, here in zip(losses.T, reached.T, strict=True):
        lowest = min(np.flatnonzero(here), key=lambda i: losses_here[i], default=-1)
        sizes = log_sizes[here]
        best.append(lowest)
        inside.append(lowest >= 0 and sizes.min() < log_sizes[lowest] < sizes.max())
    size = np.array([log_sizes[i] if i >= 0 else np.nan for i in best])
    low = np.flatnonzero(size == log_sizes[present].min()).max(initial=-1)
    high = np.flatnonzero(size == log_sizes[present].max()).min(initial=len(size))
    return np.array(best), np.array(inside) & (np.arange(len(size)) > low) & (np.arange(len(size)) < high)


def test_drawn_curves_are_compared_as_by_a_plain_loop():
    """Random losses, several curves of one size, and budgets that some curves, or all that are drawn, do not reach."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        curves, budgets = rng.integers(3, 12), rng.integers(2, 30)
        losses = np.where(rng.random((curves, budgets)) < 0.3, np.inf, rng.random((curves, budgets)))
        log_sizes, present = np.log(rng.integers(1, 6, curves)), rng.random((10, curves)) < 0.6
        present[:, 0] = True
        best, usable = _lowest(losses, log_sizes, present)
        for row in range(10):
            lowest, counts = plain_lowest(losses, log_sizes, present[row])
            np.testing.assert_array_equal(best[row], lowest)
            np.testing.assert_array_equal(usable[row], counts)


def test_one_size_that_wins_everywhere_is_refused():
    """Curves of a law in which size hardly matters: the middle size is made best at every budget."""
    rows = [
        {"run": k, "params": size, "tokens": tokens, "loss": 2 + 100 / tokens**0.25 + 0.3 * (k != 2)}
        for k, size in enumerate(np.geomspace(1e8, 1e10, 5))
        for tokens in 1e21 / (6 * size) * np.geomspace(0.01, 1, 40)
    ]
    with pytest.raises(FitError, match="one size, 1B, is best wherever smaller and larger ones can be compared"):
        fit_envelope(pd.DataFrame(rows))


def test_resamples_in_which_one_size_wins_everywhere_have_no_slope():
    losses = np.array([[3.0, 3.0, 3.0], [2.0, 2.0, 2.1], [2.1, 2.1, 2.0], [3.0, 3.0, 3.0]])
    draws = EnvelopeDraws(losses, np.log([1e7, 1e8, 1e9, 1e10]), np.log([1e18, 1e19, 1e20]), [])
    sizes, _, _ = draws(200, 0, None, True)
    values = [np.unique(row[np.isfinite(row)]) for row in sizes]
    assert {len(each) for each in values} <= {0, 2}
    assert any(len(each) == 2 for each in values)
