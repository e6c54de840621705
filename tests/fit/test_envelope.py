"""Approach 1 on simulated curves: recovery, the ends of the range, and what smoothing may not do."""

import numpy as np
import pytest

from scaling.errors import FitError
from scaling.fit.envelope import fit_envelope
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
