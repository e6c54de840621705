"""The solvable random-feature model: identities, limits, and students trained by linear algebra."""

import numpy as np
import pytest

import scaling
from scaling._roots import LARGEST, lowest, newton_bracketed

RIDGES = np.array([1e-3, 1e-2, 0.1, 1, 10])


@pytest.fixture(scope="module")
def world():
    return scaling.theory.RandomFeatureModel(0.6, 4000)


@pytest.mark.parametrize("latent", [400, 4000, 1_000_000])
@pytest.mark.parametrize("kappa", [1e-7, 1e-4, 0.1, 10.0])
def test_dimensions_are_the_sums(latent, kappa):
    model = scaling.theory.RandomFeatureModel(0.6, latent)
    share = 1 / (1 + kappa / model.spectrum(np.arange(1, latent + 1)))
    np.testing.assert_allclose(model.dimensions(kappa), [share.sum(), (share**2).sum()], rtol=1e-12)


def test_fixed_point_solves_its_equation(world):
    N, T, ridge = np.meshgrid([5, 100, 3000], [7, 100, 2e4], [1e-8, 1e-2, 50.0])
    kappa = world.fixed_point(N, T, ridge)
    d1, _ = world.dimensions(kappa)
    np.testing.assert_allclose(kappa * (T - d1) * (1 - d1 / N), ridge, rtol=1e-10, atol=1e-12)
    bare = world.fixed_point([5, 100, 3000], [7, 1e9, 200])
    np.testing.assert_allclose(world.dimensions(bare)[0], [5, 100, 200], rtol=1e-12)


def test_ridgeless_is_the_limit_of_a_small_ridge(world):
    for N, T in ((100, 300), (300, 100), (10, 11)):
        assert world.loss(N, T, 1e-9) == pytest.approx(world.loss(N, T, 0), rel=1e-4)


def test_ridgeless_is_symmetric_and_diverges(world):
    assert world.loss(100, 300, 0) == pytest.approx(world.loss(300, 100, 0), rel=1e-12)
    assert world.loss(100, 100, 0) == np.inf
    kappa = world.fixed_point(100, 300)
    assert world.loss(100, 300, 0) == pytest.approx(kappa * 100 / (1 - 100 / 300), rel=1e-12)


def test_infinite_samples_or_parameters(world):
    assert world.loss(50, np.inf, 0) == pytest.approx(50 * world.fixed_point(50, 1e9), rel=1e-9)
    for ridge in (None, 0.1):
        assert world.loss(np.inf, 50, ridge) == pytest.approx(world.loss(1e13, 50, ridge), rel=1e-6)


def test_best_ridge_is_a_minimum_and_symmetric(world):
    ridge, loss = world.best_ridge([100, 300, 200], [300, 100, 200])
    for factor in (0.9, 1.1):
        assert (world.loss([100, 300, 200], [300, 100, 200], factor * ridge) > loss).all()
    np.testing.assert_allclose(world.loss([100, 300, 200], [300, 100, 200], ridge), loss, rtol=1e-12)
    assert loss[0] == pytest.approx(loss[1], rel=1e-12)


def test_a_table_of_losses(world):
    """Numbers found beforehand by a slow calculation: N = T = 200, and N = 300 with T = 100."""
    np.testing.assert_allclose(world.loss(200, 200, RIDGES), [0.760, 0.322, 0.208, 0.247, 0.461], atol=6e-4)
    np.testing.assert_allclose(world.loss(300, 100, RIDGES), [0.284, 0.269, 0.243, 0.310, 0.593], atol=6e-4)
    np.testing.assert_allclose(world.loss([12, 100, 400], 1600, 0), [0.692, 0.203, 0.0965], rtol=3e-3)


@pytest.mark.parametrize(
    ("alpha", "slope", "penalty", "constant", "closed"),
    [(0.3, -0.313, 1.369, 5.02, 5.37), (0.6, -0.598, 1.638, 3.318, 3.341), (1.0, -0.995, 1.995, 2.461, 2.467)],
)
def test_large_worlds(alpha, slope, penalty, constant, closed):
    model, n = scaling.theory.RandomFeatureModel(alpha), 100 * 2 ** np.arange(5)
    assert np.polyfit(np.log(n), np.log(model.loss(n, n)), 1)[0] == pytest.approx(slope, abs=6e-4)
    assert model.loss(200, 200) / model.loss(200, np.inf, 0) == pytest.approx(penalty, abs=6e-4)
    assert model.fixed_point(400, np.inf) * 400 ** (1 + alpha) == pytest.approx(constant, rel=2e-3)
    assert model.asymptote.coefficient == pytest.approx(closed, rel=2e-3)


def test_asymptote_of_an_endless_spectrum():
    for alpha in (0.6, 1.0, 2.0):
        model = scaling.theory.RandomFeatureModel(alpha, 10**12)
        assert model.loss(1e5, np.inf, 0) == pytest.approx(model.asymptote(1e5), rel=1e-3)
        assert model.local_exponent(1e5) == pytest.approx(-alpha, rel=1e-3)


def test_local_exponent_is_the_slope(world):
    near = world.loss([99.99, 100.01], np.inf, 0)
    slope = np.log(near[1] / near[0]) / np.log(100.01 / 99.99)
    assert world.local_exponent(100) == pytest.approx(slope, rel=1e-6)
    assert world.local_exponent(3900) < -5


def test_additive_only_for_alpha_one():
    """alpha = 1: L = kappa_N N (1 + N/T) under the best ridge; below, less than that."""
    t = np.array([200, 400, 800, 1600])
    one, half = scaling.theory.RandomFeatureModel(1.0), scaling.theory.RandomFeatureModel(0.6)
    np.testing.assert_allclose(one.loss(200, t) / one.loss(200, np.inf, 0), 1 + 200 / t, rtol=3e-3)
    found = half.loss(200, t[1:]) / half.loss(200, np.inf, 0)
    np.testing.assert_allclose(found, [1.370, 1.207, 1.112], atol=6e-4)


def test_equiparameterization():
    n = 800 * 2.0 ** np.arange(-2, 3)
    expected = [0.14620, 0.11004, 0.09864, 0.11004, 0.14620]
    np.testing.assert_allclose(scaling.theory.RandomFeatureModel(0.6).loss(n, 800**2 / n), expected, atol=6e-6)


def test_a_small_world_is_learned_completely():
    model = scaling.theory.RandomFeatureModel(0.6, 400)
    np.testing.assert_allclose(model.loss([200, 300, 390], np.inf, 0), [0.0552, 0.0213, 0.0018], atol=6e-5)


def test_students_follow_the_theory(world):
    table = scaling.theory.simulate_random_features(world, 200, 200, RIDGES, repeats=12, seed=0)
    np.testing.assert_allclose(table["loss"], world.loss(200, 200, RIDGES), rtol=0.08)
    small = scaling.theory.RandomFeatureModel(0.6, 1000)
    table = scaling.theory.simulate_random_features(small, [50, 100, 400], [400, 400, 100], repeats=6, seed=1)
    np.testing.assert_allclose(table["loss"], small.loss(table["params"], table["samples"], 0), rtol=0.1)
    best = scaling.theory.simulate_random_features(small, [50, 200], 200, None, repeats=6, seed=2)
    np.testing.assert_allclose(best["ridge"], small.best_ridge([50, 200], 200)[0])
    np.testing.assert_allclose(best["loss"], small.loss([50, 200], 200), rtol=0.1)


def test_same_seed_same_students():
    model = scaling.theory.RandomFeatureModel(1.0, 100)
    first, again = (scaling.theory.simulate_random_features(model, 10, [20, 30], [0, 1], seed=7) for _ in range(2))
    assert first.equals(again)
    assert len(first) == 4
    assert first["ridge"].tolist() == [0, 1, 0, 1]


def test_serves_as_a_table_of_runs():
    """Its loss under the best ridge is any other law's: all three methods find N = sqrt(C/6)."""
    model = scaling.theory.RandomFeatureModel(0.6, 10**12)
    design = scaling.simulate.isoflop_design(
        6 * np.geomspace(3e7, 3e10, 5), width=5, center=lambda flops: np.sqrt(flops / 6)
    )
    runs = scaling.simulate_runs(model, design)
    assert scaling.fit_isoflop(runs).a == pytest.approx(0.5, abs=1e-6)
    law = scaling.fit_parametric(runs, objective="log_squares").candidate
    assert law.alpha == pytest.approx(law.beta, rel=1e-4)


def test_shapes(world):
    assert np.ndim(world.loss(10, 20)) == 0
    assert world.loss([[10, 20]], [[30], [40]], 0.1).shape == (2, 2)
    assert world.best_ridge([[10, 20]], [[30], [40]])[0].shape == (2, 2)
    assert world.fixed_point(10, [20, 30]).shape == (2,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scaling.theory.RandomFeatureModel(0), "alpha must be positive and finite, got 0"),
        (lambda: scaling.theory.RandomFeatureModel(1.0, 1), "latent must be a whole number, at least 2, got 1"),
        (lambda: scaling.theory.RandomFeatureModel(1.0, 10).spectrum(11), "index must lie between 1 and 10"),
        (lambda: scaling.theory.RandomFeatureModel(1.0, 10).loss(10, 20), "must stay below latent = 10, got 10"),
        (lambda: scaling.theory.RandomFeatureModel(1.0, 10).loss(0, 20), "params must be positive, got 0"),
        (
            lambda: scaling.theory.RandomFeatureModel(1.0, 10).loss(2, 3, -1),
            "ridge must be finite and at least 0, got -1",
        ),
        (lambda: scaling.theory.RandomFeatureModel(1.0, 10).dimensions(0), "kappa must be positive, got 0"),
        (
            lambda: scaling.theory.simulate_random_features(scaling.theory.RandomFeatureModel(1.0, 10), 2, 3, -1),
            "ridge must be",
        ),
        (
            lambda: scaling.theory.simulate_random_features(
                scaling.theory.RandomFeatureModel(1.0, 10), 2, 3, repeats=1
            ),
            "repeats",
        ),
        (
            lambda: scaling.theory.simulate_random_features(
                scaling.theory.RandomFeatureModel(1.0, 10), 2, 3, teachers=0
            ),
            "teachers",
        ),
        (
            lambda: scaling.theory.simulate_random_features(
                scaling.theory.RandomFeatureModel(1.0, 10), 2, 3, teachers=1.5
            ),
            "teachers must be a whole number, at least 1, got 1.5",
        ),
        (
            lambda: scaling.theory.simulate_random_features(scaling.theory.RandomFeatureModel(1.0, 10), np.inf, 3),
            "params must be at least 1 and finite, got inf",
        ),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_searches():
    target = np.array([0.1, 3.0, 50.0])
    found = newton_bracketed(lambda u, t: (np.exp(u) - t, np.exp(u)), 0.0, -30.0, LARGEST, (target,), 1e-8)
    np.testing.assert_allclose(np.exp(found), target, rtol=1e-13)
    valley = lowest(lambda u, t: (u - t) ** 2, target - 3, target + 9, (target,))
    np.testing.assert_allclose(valley, target, atol=1e-7)
    ends = lowest(lambda u, slope: slope * u, np.zeros(2), np.ones(2), (np.array([1.0, -1.0]),))
    np.testing.assert_allclose(ends, [0.0, 1.0])
