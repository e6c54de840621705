"""Quanta: exact sums, their asymptotes, and simulations that agree with both."""

import numpy as np
import pytest
from scipy import special

import scaling

ALPHAS = [0.3, 0.6, 1.0, 2.0]


@pytest.mark.parametrize("alpha", ALPHAS)
def test_frequencies_sum_to_one(alpha):
    model = scaling.theory.QuantaModel(alpha)
    k = np.arange(1, 2001)
    assert model.frequency(k).sum() + model.loss_after(2000) == pytest.approx(1, rel=1e-12)
    assert model.loss_after(0) == pytest.approx(1, rel=1e-14)
    assert model.expected_loss(1e-9) == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("needed", [1, 3])
@pytest.mark.parametrize("examples", [1e1, 1e3, 1e5])
def test_expected_loss_is_the_sum(examples, needed):
    """Against the sum over the first million skills and Hurwitz's zeta for the rest, unseen to first order."""
    model, k = scaling.theory.QuantaModel(1.0), np.arange(1, 1_000_001)
    p = model.frequency(k)
    direct = (p * special.gammaincc(needed, p * examples)).sum() + model.loss_after(1e6)
    assert model.expected_loss(examples, needed) == pytest.approx(direct, rel=1e-6)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("needed", [1, 10])
def test_asymptotes(alpha, needed):
    model = scaling.theory.QuantaModel(alpha)
    far = 10.0 ** np.array([10, 11])
    np.testing.assert_allclose(model.expected_loss(far, needed), model.data_law(needed)(far), rtol=1e-4)
    np.testing.assert_allclose(model.loss_after(far), model.params_law(far), rtol=1e-8)
    assert model.data_law(needed).exponent == -model.data_exponent == pytest.approx(-alpha / (1 + alpha))


def test_constant_of_skills_learned_once_seen():
    """A^(1/(1+alpha)) Gamma(alpha/(1+alpha))/(1+alpha), with A = 1/zeta(1+alpha)."""
    for alpha in ALPHAS:
        expected = special.gamma(alpha / (1 + alpha)) / (1 + alpha) * special.zeta(1 + alpha) ** (-1 / (1 + alpha))
        assert scaling.theory.QuantaModel(alpha).data_law().coefficient == pytest.approx(expected, rel=1e-12)


def test_exponents_of_size_and_data_are_tied():
    """alpha_N = alpha_D / (1 - alpha_D)."""
    for alpha in ALPHAS:
        model = scaling.theory.QuantaModel(alpha)
        assert -model.params_law.exponent == pytest.approx(model.data_exponent / (1 - model.data_exponent), rel=1e-12)


@pytest.mark.parametrize(("alpha", "needed"), [(0.4, 1), (0.6, 1), (1.0, 1), (0.6, 5)])
def test_simulation_agrees_with_the_sum(alpha, needed):
    model = scaling.theory.QuantaModel(alpha)
    curve = scaling.theory.simulate_quanta(model, [300, 3000, 30000], needed, repeats=20, seed=1)
    away = (curve["loss"] - model.expected_loss(curve["examples"], needed)) / curve["loss_se"]
    assert away.abs().max() < 4


@pytest.mark.parametrize("alpha", [0.6, 1.0])
def test_simulated_exponent(alpha):
    model = scaling.theory.QuantaModel(alpha)
    found = scaling.theory.measure_exponent(
        scaling.theory.simulate_quanta(model, 10 ** np.arange(3, 5.6, 0.5), seed=2), "loss"
    )
    assert float(found) == pytest.approx(-model.data_exponent, abs=0.02)


def test_more_is_learned_from_more():
    curve = scaling.theory.simulate_quanta(scaling.theory.QuantaModel(0.6), [10, 100, 1000], seed=0)
    assert curve["learned"].is_monotonic_increasing
    assert curve["loss"].is_monotonic_decreasing
    again = scaling.theory.simulate_quanta(scaling.theory.QuantaModel(0.6), [10, 100, 1000], seed=0)
    assert curve.equals(again)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scaling.theory.QuantaModel(0), "alpha must be positive and finite, got 0"),
        (lambda: scaling.theory.QuantaModel(np.inf), "alpha must be positive and finite"),
        (lambda: scaling.theory.QuantaModel(1.0).frequency(0.5), "k must be at least 1, got 0.5"),
        (lambda: scaling.theory.QuantaModel(1.0).loss_after(-1), "learned must be at least 0, got -1"),
        (lambda: scaling.theory.QuantaModel(1.0).expected_loss(0), "examples must be positive, got 0"),
        (
            lambda: scaling.theory.QuantaModel(1.0).expected_loss(10, 0),
            "needed must be a whole number, at least 1, got 0",
        ),
        (lambda: scaling.theory.QuantaModel(1.0).data_law(1.5), "needed must be a whole number"),
        (
            lambda: scaling.theory.simulate_quanta(scaling.theory.QuantaModel(1.0), [0.5]),
            "examples must be at least 1 and finite, got 0.5",
        ),
        (
            lambda: scaling.theory.simulate_quanta(scaling.theory.QuantaModel(1.0), [10], repeats=1),
            "repeats must be a whole number, at least 2, got 1",
        ),
        (
            lambda: scaling.theory.simulate_quanta(scaling.theory.QuantaModel(1.0), [10], repeats=2.5),
            "repeats must be a whole number, at least 2, got 2.5",
        ),
        (
            lambda: scaling.theory.simulate_quanta(scaling.theory.QuantaModel(1.0), [np.inf]),
            "examples must be at least 1 and finite, got inf",
        ),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
