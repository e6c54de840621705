"""Jin et al.'s schedules of pruning."""

import pytest
from scipy.integrate import quad

from scaling.laws import PruningSchedule
from scaling.papers import jin2025


@pytest.mark.parametrize("power", [1.0, 3.0, 0.5])
def test_mean_density_is_the_integral(power):
    plan = PruningSchedule(0.6, 0.2, 0.7, power)
    integral, _ = quad(plan.density, 0, 1, points=[0.2, 0.7], epsabs=1e-12)
    assert plan.mean_density == pytest.approx(integral, rel=1e-9)
    for share in (0.0, 0.1, 0.45, 0.7, 0.9, 1.0):
        spent, _ = quad(plan.density, 0, share, points=[0.2, 0.7] if share else None, epsabs=1e-12)
        assert plan.compute_share(share) == pytest.approx(spent / integral, abs=1e-8)


@pytest.mark.parametrize("sparsity", [0.0, 0.2, 0.4, 0.9])
def test_ramps_from_a_quarter_to_three_quarters(sparsity):
    assert PruningSchedule(sparsity, 0.25, 0.75).mean_density == pytest.approx(1 - sparsity / 2, rel=1e-12)
    assert PruningSchedule(sparsity, 0.25, 0.75, 3).mean_density == pytest.approx(1 - 5 * sparsity / 8, rel=1e-12)


def test_numbers_of_the_model_cards():
    """Jin et al. 2025: 25 and 75 per cent are shares of the compute, not of the steps."""
    table = jin2025.table()
    assert table["start, steps"].tolist() == pytest.approx([0.223, 0.192], abs=5e-4)
    assert table["stop, steps"].tolist() == pytest.approx([0.723, 0.680], abs=5e-4)
    assert table["start, compute"].tolist() == pytest.approx([0.2503, 0.2504], abs=5e-5)
    assert table["stop, compute"].tolist() == pytest.approx([0.7517, 0.7491], abs=5e-5)
    assert table["linear"].tolist() == pytest.approx([0.8946, 0.7743], abs=5e-5)
    assert table["cubic"].tolist() == pytest.approx([0.8696, 0.7255], abs=5e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, 0.2, 0.7), "sparsity must be at least 0 and below 1, got 1"),
        ((0.5, 0.7, 0.2), "start < stop"),
        ((0.5, 0.2, 1.1), "start < stop"),
        ((0.5, 0.2, 0.7, 0.0), "power must be positive, got 0"),
    ],
)
def test_pruning_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        PruningSchedule(*arguments)


def test_pruning_refuses_shares_outside_the_run():
    with pytest.raises(ValueError, match=r"lies in 0 to 1, got 1\.5"):
        PruningSchedule(0.5, 0.2, 0.7).density([0.5, 1.5])
