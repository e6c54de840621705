"""The numerical core: exact derivatives, bounds as faces, agreement with SciPy and with a slow multi-start twin."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage, optimize

import scaling
from scaling.fit.engine.huber import huber_sum
from scaling.fit.engine.model import Model, Workspace
from scaling.fit.engine.newton import solve, solve_definite
from scaling.fit.engine.objective import evaluate, residuals, value_at
from scaling.fit.engine.problem import Objective, Problem
from scaling.fit.engine.starts import grid_objective, lowest_around, project, starting_points, unit_terms

LAW = scaling.ChinchillaLaw(E=1.7, A=400.0, B=500.0, alpha=0.34, beta=0.3)
NAMES = ("E", "A", "B", "alpha", "beta")


def problem_of(runs):
    variables = tuple(runs[name].to_numpy() for name in ("params", "tokens"))
    return Problem.build(runs["loss"].to_numpy(), variables, ("E", "A", "B", "alpha", "beta"))


def make_problem(noise=0.01, raw=False, seed=0):
    runs = scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(60, seed=seed), noise=noise, seed=seed)
    columns = (runs["params"].to_numpy(), runs["tokens"].to_numpy())
    return Problem.build(runs["loss"].to_numpy(), columns, NAMES, raw=raw)


def models():
    plain = make_problem().model
    x, y = -plain.design[0, :, 1], -plain.design[1, :, 1]
    one, zero = np.ones_like(x), np.zeros_like(x)
    kaplan = Model(
        target=plain.target,
        design=np.array([np.column_stack([one, -x]), np.column_stack([one, -y])]),
        columns=np.array([[0, 2], [1, 3]]),
        lower=np.full(5, -np.inf),
        upper=np.full(5, np.inf),
        typical=np.ones(5),
        scale=4,
    )
    third = replace(
        plain,
        design=np.concatenate([plain.design, [np.column_stack([one, x - y])]]),
        columns=np.array([[1, 3], [2, 4], [5, 6]]),
        lower=np.zeros(7),
        upper=np.ones(7),
        typical=np.ones(7),
    )
    tied = replace(
        plain,
        columns=np.array([[1, 3], [2, 3]]),
        lower=plain.lower[:4],
        upper=plain.upper[:4],
        typical=plain.typical[:4],
    )
    fixed = replace(kaplan, design=np.array([np.column_stack([one, -x]), np.column_stack([one, zero])]))
    return {
        "chinchilla": (plain, [1.6, -0.9, -1.0, 0.3, 0.35]),
        "raw": (make_problem(raw=True).model, [1.6, -0.9, -1.0, 0.3, 0.35]),
        "tied": (tied, [1.6, -0.9, -1.0, 0.3]),
        "free scale": (kaplan, [0.5, 0.4, 0.8, 0.9, 0.4]),
        "free scale and offset": (
            replace(kaplan, offset=3, columns=np.array([[0, 2], [1, 2]])),
            [0.5, 0.4, 0.8, 0.9, 0.4],
        ),
        "constant column": (fixed, [0.5, 0.4, 0.8, 0.9, 0.4]),
        "three terms": (third, [1.5, -0.9, -1.0, 0.3, 0.35, -3.0, 0.2]),
    }


@pytest.mark.parametrize("name", models())
def test_derivatives_agree_with_finite_differences(name):
    model, start = models()[name]
    theta = np.array([start]) + 0.01 * np.random.default_rng(1).standard_normal((1, len(start)))
    weights = np.random.default_rng(2).uniform(0.5, 2, (1, len(model.target)))
    _, gradient, hessian = evaluate(model, weights, 0.05, theta)
    step = 1e-6
    for j in range(theta.shape[1]):
        shift = step * np.eye(theta.shape[1])[j]
        up, down = (evaluate(model, weights, 0.05, theta + s) for s in (shift, -shift))
        assert (up[0] - down[0]) / (2 * step) == pytest.approx(gradient[:, j], rel=1e-6, abs=1e-8)
        np.testing.assert_allclose((up[1] - down[1])[0] / (2 * step), hessian[0, j], rtol=1e-5, atol=1e-5)


def test_value_is_the_papers_sum_of_huber_losses():
    problem = make_problem()
    theta = np.array([[1.6, -0.9, -1.0, 0.3, 0.35]])
    constants = {k: v[0] for k, v in problem.constants(theta).items()}
    runs = scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(60, seed=0), noise=0.01, seed=0)
    terms = [
        np.log(constants["A"]) - constants["alpha"] * np.log(runs["params"]),
        np.log(constants["B"]) - constants["beta"] * np.log(runs["tokens"]),
        np.full(60, np.log(constants["E"])),
    ]
    r = np.logaddexp.reduce(terms) - np.log(runs["loss"])
    huber = np.where(np.abs(r) <= 1e-3, r**2 / 2, 1e-3 * (np.abs(r) - 5e-4)).sum()
    assert evaluate(problem.model, np.ones((1, 60)), 1e-3, theta)[0][0] == pytest.approx(huber, rel=1e-12)


@pytest.mark.parametrize("name", models())
def test_one_theta_for_all_weights_and_small_tiles_change_nothing(name, monkeypatch):
    """More weights than runs, so that each run is looked at once; then one item at a time."""
    model, start = models()[name]
    weights = np.random.default_rng(5).integers(0, 4, (70, len(model.target))).astype(float)
    theta = np.array([start])
    each = evaluate(model, weights, 0.01, np.repeat(theta, 70, axis=0))
    np.testing.assert_allclose(value_at(model, weights, 0.01, np.repeat(theta, 70, axis=0)), each[0], rtol=1e-12)
    shared = evaluate(model, weights, 0.01, theta), evaluate(model, weights[:9], 0.01, theta)
    monkeypatch.setattr("scaling.fit.engine.model.TILE", 1)
    shared += (evaluate(model, weights, 0.01, np.repeat(theta, 70, axis=0)),)
    for found in shared:
        for ours, plain in zip(found, each, strict=True):
            np.testing.assert_allclose(ours, plain[: len(ours)], rtol=1e-10, atol=1e-10 * np.abs(plain).max())


def test_memory_that_is_used_again_keeps_nothing():
    model, start = models()["chinchilla"]
    rng = np.random.default_rng(6)
    weights, theta = rng.uniform(0, 2, (5, 60)), np.array([start]) + 0.05 * rng.standard_normal((5, 5))
    space = Workspace(model, 5)
    evaluate(model, weights + 1, 0.1, theta - 0.01, space)
    for again, alone in zip(
        evaluate(model, weights[:3], 0.1, theta[:3], space), evaluate(model, weights[:3], 0.1, theta[:3]), strict=True
    ):
        np.testing.assert_array_equal(again, alone)


def test_small_systems_are_solved_and_indefinite_ones_named():
    rng = np.random.default_rng(7)
    root, right = rng.standard_normal((30, 4, 4)), rng.standard_normal((30, 4))
    matrices = np.matmul(root, np.swapaxes(root, 1, 2)) + 0.1 * np.eye(4)
    matrices[::3] -= 50 * np.eye(4)
    solved, definite = solve_definite(matrices, right)
    np.testing.assert_array_equal(definite, np.linalg.eigvalsh(matrices).min(1) > 0)
    expected = np.linalg.solve(matrices, right[:, :, None])[:, :, 0]
    np.testing.assert_allclose(solved[definite], expected[definite], rtol=1e-9)


@pytest.mark.parametrize("tile", [1, 500, 10**7])
def test_the_surface_of_starts_is_the_objective_at_each_exponent(monkeypatch, tile):
    monkeypatch.setattr("scaling.fit.engine.starts.TILE", tile)
    problem, grid = make_problem(), np.array([0.1, 0.3, 0.7])
    weights = np.random.default_rng(8).uniform(0, 2, (4, 60))
    columns = unit_terms(problem.basis, [grid] * problem.n_terms)
    coefficients = project(columns, weights)
    surface = grid_objective(columns, weights, coefficients, 0.01)
    for b, i, j in np.ndindex(4, 3, 3):
        relative = np.column_stack([columns[0][:, 0], columns[1][:, i], columns[2][:, j]])
        best, _ = optimize.nnls(relative * np.sqrt(weights[b])[:, None], np.sqrt(weights[b]))
        ours = coefficients[b, 0, i, j]
        if (best > 0).all():
            np.testing.assert_allclose(ours, best, rtol=1e-6)
        assert surface[b, 0, i, j] == pytest.approx(huber_sum(np.log(relative @ ours), weights[b], 0.01), rel=1e-12)


@pytest.mark.parametrize("shape", [(3, 81), (4, 11, 11), (2, 1, 7), (2, 5, 6, 7)])
def test_the_lowest_neighbour_is_that_of_a_filter(shape):
    surface = np.round(np.random.default_rng(0).normal(size=shape), 1)  # with ties
    size = (1, *[3] * (len(shape) - 1))
    assert np.array_equal(lowest_around(surface), ndimage.minimum_filter(surface, size=size, mode="nearest"))


def slow_twin(problem, weights, delta, n_starts, seed):
    """Many random starts, each by SciPy's L-BFGS-B with the exact gradient and tight tolerances."""
    model, rng = problem.model, np.random.default_rng(seed)

    def objective(theta):
        value, gradient, _ = evaluate(model, weights[None], delta, theta[None])
        return value[0] * 1e6, gradient[0] * 1e6

    bounds = list(
        zip(
            np.where(np.isinf(model.lower), None, model.lower),
            np.where(np.isinf(model.upper), None, model.upper),
            strict=True,
        )
    )
    best = np.inf
    starts = [*starting_points(problem.basis, weights[None], 0.01, n_starts)[0]]
    starts += [np.r_[rng.uniform(0, 2), rng.uniform(-3, 1, 2), rng.uniform(0.03, 1, 2)] for _ in range(n_starts)]
    for start in starts:
        for _ in range(3):  # a restart forgets curvature gathered across kinks
            out = optimize.minimize(
                objective,
                start,
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                options={"maxiter": 5000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-10, "maxcor": 30},
            )
            start = out.x
        best = min(best, out.fun / 1e6)
    return best


@pytest.mark.slow
def test_resamples_of_a_flat_table_match_a_slow_multi_start_twin():
    """E runs to zero in many resamples of a law with a small offset: the case that traps warm starts."""
    law = scaling.ChinchillaLaw(E=0.15, A=7.0, B=26.0, alpha=0.077, beta=0.126)
    design = scaling.simulate.grid_design(np.geomspace(1.5e8, 6e9, 5), np.ones(1))
    design = design.loc[design.index.repeat(7)].assign(ratio=np.tile(np.geomspace(10, 100, 7), 5))
    design["tokens"] = design["params"] * design["ratio"]
    runs = scaling.simulate_runs(law, design[["params", "tokens"]].reset_index(drop=True), noise=0.008, seed=3)
    fit = scaling.fit_parametric(runs)
    boot = scaling.bootstrap(fit, 64, seed=5)
    assert boot.at_bound > 0.1
    rng, problem = np.random.default_rng(5), problem_of(runs)
    counts = np.array([np.bincount(rng.integers(0, 35, 35), minlength=35) for _ in range(64)], dtype=float)
    for row in range(0, 64, 8):
        sample = boot.samples.iloc[row]
        law = scaling.ChinchillaLaw(**sample)
        r = np.log(law.loss(runs["params"], runs["tokens"]) / runs["loss"]).to_numpy()
        ours = huber_sum(r, counts[row], 1e-3)
        assert ours <= slow_twin(problem, counts[row], 1e-3, 4, row) * (1 + 1e-6)


def test_a_bound_is_a_face():
    """At E = 0 the other four constants are at their own minimum, and E would have to be negative to go on."""
    law = scaling.ChinchillaLaw(E=0.0, A=20.0, B=30.0, alpha=0.1, beta=0.12)
    runs = scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(80, seed=1), noise=0.01, seed=4)
    fit = scaling.fit_parametric(runs)
    assert fit.candidate.E == 0.0
    assert fit.status == "weak"  # a best size known too loosely is said before a bound
    assert fit.message.endswith("E = 0 (on its bound)")
    problem, law = problem_of(runs), fit.candidate
    heights = np.log([law.A, law.B]) - np.array([law.alpha, law.beta]) * problem.centres
    theta = np.array([0.0, *heights, law.alpha, law.beta])
    _, gradient, _ = evaluate(problem.model, np.ones((1, 80)), 1e-3, theta[None])
    assert gradient[0, 0] > 0
    np.testing.assert_allclose(gradient[0, 1:], 0, atol=1e-10)


def test_chunks_do_not_change_the_solution(monkeypatch):
    problem = make_problem()
    weights = np.random.default_rng(0).integers(0, 3, (40, 60)).astype(float)
    start = np.repeat([[1.7, -0.9, -1.0, 0.33, 0.3]], 40, axis=0)
    whole = solve(problem.model, weights, (1e-3,), start)
    monkeypatch.setattr("scaling.fit.engine.newton.CHUNK", 60)
    apart = solve(problem.model, weights, (1e-3,), start)
    assert whole.converged.all()
    np.testing.assert_allclose(apart.value, whole.value, rtol=1e-11)
    np.testing.assert_allclose(apart.theta, whole.theta, rtol=1e-5, atol=1e-7)


def test_objective_names_are_checked():
    with pytest.raises(ValueError, match="unknown objective 'squares'"):
        Objective("squares")
    with pytest.raises(ValueError, match="delta must be positive"):
        Objective("log_huber", -1)


def test_extreme_thetas_do_not_overflow():
    model = make_problem().model
    theta = np.array([[0.0, 700.0, -700.0, 2.0, 2.0], [1e300, 0.0, 0.0, 0.01, 0.01]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(residuals(model, theta)).all()


@pytest.mark.parametrize("name", models())
def test_the_layout_of_the_arrays_changes_no_bit(name):
    """A model that has travelled to another process has other strides."""
    model, start = models()[name]
    rng = np.random.default_rng(9)
    weights = rng.integers(0, 4, (50, 60)).astype(float)
    theta = np.array([start]) + 0.05 * rng.standard_normal((50, len(start)))
    turned = replace(model, design=np.asfortranarray(model.design))
    assert turned.design.strides != model.design.strides
    for ours, other in zip(evaluate(model, weights, 0.1, theta), evaluate(turned, weights, 0.1, theta), strict=True):
        np.testing.assert_array_equal(ours, other)


def test_theta_and_constants_are_each_others_inverse():
    rng = np.random.default_rng(0)
    N, D, loss = 10 ** rng.uniform(8, 10, 20), 10 ** rng.uniform(9, 11, 20), rng.uniform(2, 3, 20)
    problem = Problem.build(loss, (N, D), ("E", "A", "B", "alpha", "beta"))
    constants = {"E": 1.7, "A": 400.0, "B": 0.0, "alpha": 0.34, "beta": 0.28}
    found = problem.constants(problem.theta(constants)[None])
    assert {name: pytest.approx(float(x[0])) for name, x in found.items()} == constants
