"""Optimal allocations: closed form against brute force, published values, arrays, errors."""

import numpy as np
import pytest

import scaling

NAMES = ["hoffmann2022", "hoffmann2022_rounded", "besiroglu2024"]


@pytest.mark.parametrize("name", NAMES)
def test_no_other_split_of_the_budget_is_better(name):
    law, C = scaling.ChinchillaLaw.from_published(name), 5.76e23
    best = scaling.compute_optimal(law, C)
    N = best.params * np.exp(np.linspace(-1, 1, 2001))
    losses = law.loss(N, C / (6 * N))
    assert losses.argmin() == 1000
    assert best.loss == pytest.approx(losses.min(), rel=1e-14)
    assert 6 * best.params * best.tokens == pytest.approx(C, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_first_order_condition(name):
    """alpha A / N^alpha = beta B / D^beta at the optimum (Hoffmann et al. 2022, equation 4)."""
    law = scaling.ChinchillaLaw.from_published(name)
    best = scaling.compute_optimal(law, np.geomspace(1e18, 1e26, 9))
    size, data = law.terms(best.params, best.tokens)
    np.testing.assert_allclose(law.alpha * size, law.beta * data, rtol=1e-12)


def test_exponents_of_the_frontier():
    law = scaling.ChinchillaLaw.from_published("hoffmann2022")
    C = np.geomspace(1e18, 1e26, 9)
    best = scaling.compute_optimal(law, C)
    slope = np.polyfit(np.log(C), np.log(best.params), 1)[0]
    assert slope == pytest.approx(law.a, rel=1e-10)


def test_constants_may_be_arrays():
    laws = scaling.ChinchillaLaw(E=1.7, A=np.array([400.0, 500.0]), B=410.0, alpha=0.34, beta=np.array([0.28, 0.3]))
    both = scaling.compute_optimal(laws, 1e22)
    one = scaling.compute_optimal(scaling.ChinchillaLaw(1.7, 500.0, 410.0, 0.34, 0.3), 1e22)
    assert both.params.shape == (2,)
    assert both.params[1] == pytest.approx(one.params, rel=1e-14)
    table = scaling.compute_optimal(laws, np.geomspace(1e20, 1e22, 3)[:, None])
    assert table.loss.shape == (3, 2)


def test_members_without_an_optimum_are_nan():
    """A resample in which a term vanished must not take the other resamples' interval with it."""
    laws = scaling.ChinchillaLaw(E=1.7, A=np.array([400.0, 0.0]), B=410.0, alpha=0.34, beta=0.28)
    best = scaling.compute_optimal(laws, np.array([1e21, 1e22])[:, None])
    alone = scaling.compute_optimal(scaling.ChinchillaLaw(1.7, 400.0, 410.0, 0.34, 0.28), np.array([1e21, 1e22]))
    for name in ("params", "tokens", "loss"):
        assert np.isnan(getattr(best, name)[:, 1]).all()
        np.testing.assert_allclose(getattr(best, name)[:, 0], getattr(alone, name), rtol=1e-14)


def test_frontier_states_its_own_allocation():
    law = scaling.FrontierLaw(scaling.PowerLaw(0.1, 0.5), scaling.PowerLaw(1 / 0.6, 0.5))
    best = scaling.compute_optimal(law, 6e22)
    assert best.flops == 6 * best.params * best.tokens or best.flops == pytest.approx(6 * best.params * best.tokens)
    assert np.isnan(best.loss)


@pytest.mark.parametrize("flops", [0, -1e20, np.nan, np.inf, [1e20, -1]])
def test_impossible_budgets_are_named(flops):
    with pytest.raises(ValueError, match="flops must be positive"):
        scaling.compute_optimal(scaling.ChinchillaLaw.from_published("hoffmann2022"), flops)


def test_laws_without_an_optimum_are_refused():
    with pytest.raises(ValueError, match="A = 0 is not positive"):
        scaling.compute_optimal(scaling.ChinchillaLaw(1.7, 0.0, 400, 0.3, 0.3), 1e22)
    with pytest.raises(TypeError, match="PowerLaw"):
        scaling.compute_optimal(scaling.PowerLaw(1, 0.5), 1e22)


# ------------------------------------------------------------------ deadweight compute


def test_deadweight_is_the_budget_less_the_one_that_reaches_the_same_loss():
    law, N, D = scaling.ChinchillaLaw.from_published("hoffmann2022_rounded"), 3e9, 4e12
    wasted = scaling.optimum.deadweight_compute(law, N, D)
    assert scaling.compute_optimal(law, 6 * N * D - wasted).loss == pytest.approx(law.loss(N, D), rel=1e-12)


@pytest.mark.parametrize(("ratio", "percent"), [(1.58, 6.3), (1.75, 9.3), (1.116, 0.37)])
def test_deadweight_of_too_many_tokens(ratio, percent):
    """Chinchilla's printed exponents; Czech et al. 2026 have 6 to 10 % for 58 to 75 % more tokens."""
    law = scaling.ChinchillaLaw.from_published("hoffmann2022_rounded")
    best = scaling.compute_optimal(law, 3.8e25)
    share = scaling.optimum.deadweight_compute(law, best.params / ratio, best.tokens * ratio) / 3.8e25
    assert 100 * share == pytest.approx(percent, abs=0.05 if percent > 1 else 0.005)


def test_deadweight_is_zero_at_the_optimum_and_nowhere_negative():
    law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    best = scaling.compute_optimal(law, np.geomspace(1e18, 1e26, 9))
    assert (scaling.optimum.deadweight_compute(law, best.params, best.tokens) <= 1e-12 * best.flops).all()
    sizes, tokens = np.meshgrid(np.geomspace(1e6, 1e12, 13), np.geomspace(1e8, 1e14, 13))
    assert (scaling.optimum.deadweight_compute(law, sizes, tokens) >= 0).all()


def test_deadweight_needs_a_law_of_the_loss():
    with pytest.raises(ValueError, match="tokens must be positive, got 0"):
        scaling.optimum.deadweight_compute(scaling.ChinchillaLaw.from_published("besiroglu2024"), 1e9, 0)
    frontier = scaling.FrontierLaw(scaling.PowerLaw(0.1, 0.5), scaling.PowerLaw(1.0, 0.5))
    with pytest.raises(TypeError, match="FrontierLaw gives no loss away from its optimum"):
        scaling.optimum.deadweight_compute(frontier, 1e9, 1e10)
