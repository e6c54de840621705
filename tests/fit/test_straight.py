"""A power law without an offset, under thresholds far below the noise: convex, and always solved."""

import numpy as np
import pytest
import scipy

from scaling.fit import fit_power_law
from scaling.fit.engine.newton import solve
from scaling.fit.engine.problem import Problem
from scaling.fit.engine.straight import is_straight, solve_straight


def scattered(seed):
    """Points about a power law, or a curved one (odd seeds), with heavy tails; two in three at values that repeat."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([3, 5, 8, 17, 40, 200]))
    x = rng.choice([1e2, 1e3, 1e4], n) if seed % 3 == 0 else np.exp(rng.uniform(5, 14, n))
    return x, (3 * x**-0.4 + seed % 2) * np.exp((0.001, 0.01, 0.2)[seed % 3] * rng.standard_t(3, n))


def problem(x, y):
    return Problem.build(y, (x,), ("coefficient", "exponent"), offset=False, bounds=(-20, 20))


@pytest.mark.parametrize("objective", ["log_huber", "log_squares", "log_absolute"])
def test_noise_above_the_threshold_is_no_trap(objective):
    """By Newton's method alone a third of such tables ended not converged."""
    for seed in range(60):
        x, y = scattered(seed)
        if len(x) < 5 or len(np.unique(x)) < 2:
            continue
        fit = fit_power_law(x, y, objective=objective)
        assert fit.status in ("solved", "weak"), (seed, fit.message)


@pytest.mark.parametrize("delta", [0.1, 1e-3, 1e-5, np.inf])
def test_no_weighting_is_left_unsolved(delta):
    """The gradient vanishes, which of a convex sum is proof; resamples of one distinct x are among them."""
    for seed in range(60):
        x, y = scattered(seed)
        model = problem(x, y).model
        weights = np.random.default_rng(seed).multinomial(len(x), np.ones(len(x)) / len(x), size=6).astype(float)
        theta, _, found = solve_straight(model, weights, delta, np.array([[np.log(y).mean(), 0.0]]))
        assert found.all(), seed
        design = np.column_stack([np.ones(len(x)), np.log(x).mean() - np.log(x)])
        pulls = weights * np.clip(theta @ design.T - np.log(y), -delta, delta)
        assert np.abs(pulls @ design).max() <= 1e-8 * min(delta, 1.0) * np.abs(weights @ np.abs(design)).max()


def test_another_solver_finds_nothing_lower():
    for seed in range(12):
        x, y = scattered(seed)
        fit = fit_power_law(x, y)

        def total(p, x=x, y=y):
            return scipy.special.huber(1e-3, p[0] + p[1] * np.log(x) - np.log(y)).sum()

        start = np.polyfit(np.log(x), np.log(y), 1)[::-1]
        other = scipy.optimize.minimize(total, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14})
        assert fit.value <= other.fun * (1 + 1e-9)
        assert fit.value == pytest.approx(other.fun, rel=1e-3)


def test_only_what_is_linear_counts_as_straight():
    x, y = scattered(4)
    assert is_straight(problem(x, y).model)
    for other in (
        Problem.build(y, (x,), ("offset", "coefficient", "exponent")),
        Problem.build(y, (x,), ("coefficient", "exponent"), offset=False, raw=True),
        Problem.build(y, (x,), ("coefficient", "exponent"), offset=False, tau=0.3),
        Problem.build(y, (x,), ("coefficient", "exponent"), offset=False, fixed={"exponent": 0.4}),
        Problem.build(y, (x, x**2), ("a", "b", "alpha", "beta"), offset=False),
    ):
        assert not is_straight(other.model)


def test_an_exponent_beyond_the_box_ends_at_its_bound():
    x = np.geomspace(1, 2, 8)
    fit = fit_power_law(x, x**-30.0, objective="log_squares")
    assert fit.held == ("exponent",)
    assert abs(fit.candidate.exponent) == pytest.approx(20)


def test_one_weighting_beyond_the_box_leaves_the_others_alone():
    """Two points that nearly coincide ask for an exponent of hundreds; the other weightings are solved as alone."""
    x = np.append(np.geomspace(1e2, 1e6, 9), 1e6 * 1.0001)
    y = 3 * x**-0.4 * np.exp(0.01 * np.random.default_rng(2).standard_normal(10))
    weights = np.ones((3, 10))
    weights[1, :-2] = 0
    model, start = problem(x, y).model, np.array([[np.log(y).mean(), 0.4]])
    together = solve(model, weights, (1e-3,), start)
    alone = solve(model, weights[:1], (1e-3,), start)
    assert together.converged[[0, 2]].all()
    np.testing.assert_allclose(together.theta[[0, 2]], np.repeat(alone.theta, 2, axis=0), rtol=1e-12)
    assert np.all((together.theta >= model.lower) & (together.theta <= model.upper))
