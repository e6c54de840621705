"""The laws of a schedule of the learning rate: schedules, sums by hand, limits, arrays, and what is refused."""

import numpy as np
import pytest

from scaling.laws import MomentumLaw, MultiPowerLaw, learning_rates
from scaling.laws.schedule import Changes

LAW = MultiPowerLaw(L0=3.0, A=0.5, alpha=0.5, B=360.0, C=2.0, beta=0.6, gamma=0.64)
MOMENTUM = MomentumLaw(L0=3.0, A=0.5, alpha=0.5, C=0.4, momentum=0.9)
LAWS = pytest.mark.parametrize("law", [LAW, MOMENTUM], ids=lambda law: type(law).__name__)
COSINE = learning_rates(2000, "cosine", peak=3e-4, end=3e-5, warmup=200)


def by_hand(law, rates, t):
    """The double sum of the docstring, term by term."""
    drop = 0.0
    for k in range(1, t + 1):
        since = sum(rates[k : t + 1])
        drop += (rates[k - 1] - rates[k]) * (1 - (1 + law.C * rates[k] ** -law.gamma * since) ** -law.beta)
    return law.L0 + law.A * sum(rates[: t + 1]) ** -law.alpha - law.B * drop


def test_the_double_sum():
    rates = [0.0, 1e-4, 3e-4, 3e-4, 2e-4, 5e-5, 5e-5, 1e-5]
    found = LAW.loss(rates)
    assert found[0] == np.inf
    np.testing.assert_allclose(found[1:], [by_hand(LAW, rates, t) for t in range(1, 8)], rtol=1e-13)
    np.testing.assert_allclose(LAW.loss(rates, [6, 2]), [by_hand(LAW, rates, 6), by_hand(LAW, rates, 2)], rtol=1e-13)


def test_the_momentum():
    m1, m2 = 1.0, 0.9 * 1.0 + 2.0  # falls of 1 and 2 after a rise, which does not count
    rates = np.array([1.0, 4.0, 3.0, 1.0])
    expected = 3.0 + 0.5 / np.sqrt(9.0) - 0.4 * (m1 + m2)
    assert MOMENTUM.loss(rates, 3) == pytest.approx(expected, rel=1e-14)


@LAWS
def test_a_rate_that_never_changes_leaves_a_power_law(law):
    steps = np.arange(1, 50)
    np.testing.assert_allclose(law.loss(np.full(50, 2e-4), steps), 3 + 0.5 * (2e-4 * (steps + 1)) ** -0.5, rtol=1e-14)


@LAWS
def test_a_fall_lowers_the_loss_beside_the_same_sum_of_rates(law):
    fallen = learning_rates(2000, "stage", peak=3e-4, end=3e-5, decay=1000)
    steps = round(fallen.sum() / 3e-4)
    assert law.loss(fallen, 1999) < law.loss(np.full(steps, 3e-4), steps - 1)


@LAWS
def test_later_rates_change_nothing_before_them(law):
    np.testing.assert_allclose(law.loss(COSINE, [500, 900]), law.loss(COSINE[:1000], [500, 900]), rtol=1e-12)


@LAWS
def test_arrays_of_constants_as_columns_give_a_row_each(law):
    several = type(law).of({name: np.array([value, 1.01 * value]) for name, value in law.constants.items()})
    found = several.as_column().loss(COSINE, [300, 1000, 1999])
    assert found.shape == (2, 3)
    np.testing.assert_allclose(found[0], law.loss(COSINE, [300, 1000, 1999]), rtol=1e-13)


def test_neighbouring_changes_may_stand_as_one():
    steps = np.array([300, 1000, 1999])
    exact, merged = Changes.of(COSINE, steps), Changes.of(COSINE, steps, every=8)
    assert len(merged.fall) < len(exact.fall) / 7
    for each in (exact, merged):
        np.testing.assert_allclose(each.total, np.cumsum(COSINE)[steps])
        np.testing.assert_allclose([each.fall[:m].sum() for m in each.seen], COSINE[0] - COSINE[steps], atol=1e-18)


@LAWS
def test_no_steps_have_no_losses(law):
    assert law.loss(COSINE, []).shape == (0,)


@LAWS
def test_what_is_refused(law):
    with pytest.raises(ValueError, match="learning_rate must be positive, got 0"):
        law.loss([1e-4, 0.0, 1e-4])
    with pytest.raises(ValueError, match="steps must be whole and at most 1, the last that has a rate, got 2"):
        law.loss([1e-4, 1e-4], [0, 2])
    with pytest.raises(ValueError, match="got 0.5"):
        law.loss([1e-4, 1e-4], 0.5)


@pytest.mark.parametrize("shape", ["cosine", "linear", "exponential", "stage"])
def test_schedules(shape):
    rates = learning_rates(100, shape, peak=2.0, end=0.5, warmup=11, decay=40)
    np.testing.assert_allclose(rates[:11], np.linspace(0, 2, 11))
    assert (rates[11:40] == 2).all()
    assert (np.diff(rates[40:]) <= 0).all()
    middle = {"cosine": 1.25, "linear": 1.25, "exponential": 1.0, "stage": 0.5}
    assert rates[70] == pytest.approx(middle[shape])
    assert rates[99] == pytest.approx(0.5, abs=0.05)


def test_schedules_that_make_no_sense_are_refused():
    assert learning_rates(3, peak=1.0).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="unknown shape 'step'; one of constant, cosine"):
        learning_rates(10, "step", peak=1.0)
    with pytest.raises(ValueError, match="must come in this order, got 5, 3, 10"):
        learning_rates(10, "linear", peak=1.0, warmup=5, decay=3)
    with pytest.raises(ValueError, match="peak must be positive"):
        learning_rates(10, peak=0.0)
    for end, words in ((-3.0, "at least 0, got -3.0"), (2.0, "end must be at most the peak, 1"), (np.nan, "got nan")):
        with pytest.raises(ValueError, match=words):
            learning_rates(5, "linear", peak=1.0, end=end)
    with pytest.raises(ValueError, match="end must be above 0 for an exponential fall"):
        learning_rates(5, "exponential", peak=1.0)
