"""The law of well-tuned runs: exact derivatives, two solvers, truths that come back, resamples, refusals."""

from dataclasses import replace

import numpy as np
import pytest
import scipy

import scaling
from scaling.fit import noise_scales
from scaling.fit.engine.composed import composed_losses
from scaling.fit.engine.objective import evaluate, losses, value_at
from scaling.fit.engine.one_sided import OneSidedProblem
from scaling.fit.engine.problem import Objective, Problem

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
DESIGN = scaling.simulate.isoflop_design(np.geomspace(6e18, 3e21, 7), n_sizes=9, width=6, law=LAW)


def losing(seed, normal=0.003, loss=0.01, design=DESIGN, kind="half_normal"):
    rng = np.random.default_rng(seed)
    lost = np.abs(rng.standard_normal(len(design))) if kind == "half_normal" else rng.exponential(size=len(design))
    runs = scaling.simulate_runs(LAW, design)
    return runs.assign(loss=runs["loss"] * np.exp(normal * rng.standard_normal(len(design)) + loss * lost))


def problem_of(runs):
    columns = tuple(runs[name].to_numpy(float) for name in ("params", "tokens"))
    return Problem.build(runs["loss"].to_numpy(), columns, ("E", "A", "B", "alpha", "beta"))


def three_points(runs):
    """A problem, and thetas a little off its minima of least squares with scales of noise that vary."""
    plain, weights = problem_of(runs), np.random.default_rng(0).uniform(0.5, 2.0, (3, len(runs)))
    squares, _ = plain.fresh(weights, Objective("log_squares"), 2)
    theta = np.column_stack([squares.theta * 1.003, np.log([0.008, 0.01, 0.02]), [0.5, 2.0, 30.0]])
    return plain, weights, theta


@pytest.mark.parametrize("kind", ["likelihood", "tau"])
def test_derivatives_are_those_of_differences(kind):
    plain, weights, theta = three_points(losing(0))
    if kind == "likelihood":
        model = OneSidedProblem.of(plain).model
    else:
        model, theta = replace(plain.model, tau=0.2), theta[:, :5]
    value, gradient, hessian = evaluate(model, weights, 0.003, theta)
    np.testing.assert_allclose(value_at(model, weights, 0.003, theta), value, rtol=1e-12)
    np.testing.assert_allclose((losses(model, 0.003, theta) * weights).sum(1), value, rtol=1e-12)
    for j, unit in enumerate(np.eye(model.n_params)):
        step = 1e-6 * model.typical[j] * unit
        up, down = (evaluate(model, weights, 0.003, theta + s) for s in (step, -step))
        first, second = ((a - b) / (2e-6 * model.typical[j]) for a, b in zip(up[:2], down[:2], strict=True))
        np.testing.assert_allclose(first, gradient[:, j], rtol=1e-6)
        np.testing.assert_allclose(second, hessian[:, j], atol=1e-6 * np.abs(hessian[:, j]).max())


def test_the_likelihood_is_that_of_a_normal_and_a_half_normal_part():
    normal, half, r = 0.004, 0.011, np.linspace(-0.03, 0.03, 13)[None]
    grid = np.linspace(0, 0.15, 40_001)
    inside = scipy.stats.norm.pdf(-r.T - grid, scale=normal) * scipy.stats.halfnorm.pdf(grid, scale=half)
    density = scipy.integrate.trapezoid(inside, grid, axis=1)
    sigma, skew = np.hypot(normal, half), half / normal
    found = composed_losses(r, np.array([[np.log(sigma)]]), np.array([[skew]]))[0][0]
    np.testing.assert_allclose(found - found[0], -np.log(density / density[0]), rtol=1e-6, atol=1e-8)


def test_another_solver_finds_the_same_minimum():
    fit = scaling.fit_parametric(losing(1), objective="log_one_sided")
    problem, theta = fit._minimum.problem, fit._minimum.theta
    ones = np.ones((1, len(DESIGN)))

    def sum_and_slope(x):
        value, gradient, _ = evaluate(problem.model, ones, np.inf, x[None])
        return value[0], gradient[0]

    options = {"gtol": 1e-9, "maxiter": 5000}
    other = scipy.optimize.minimize(sum_and_slope, theta * 1.001, jac=True, method="BFGS", options=options)
    assert fit.value == pytest.approx(other.fun, rel=1e-12)
    np.testing.assert_allclose(theta, other.x, atol=1e-4)


def test_with_many_runs_the_law_and_both_scales_come_back():
    design = scaling.simulate.chinchilla_like_design(20_000)
    fit = scaling.fit_parametric(losing(2, design=design), objective="log_one_sided")
    assert noise_scales(fit) == pytest.approx((0.003, 0.01), rel=0.1)
    assert fit.law.a == pytest.approx(LAW.a, abs=0.003)
    assert pytest.approx(LAW.E, rel=0.003) == fit.law.E
    plain = scaling.fit_parametric(losing(2, design=design))
    assert np.log(plain.predict(1e10, 1e11) / LAW.loss(1e10, 1e11)) > 0.005  # through the middle of the runs
    assert np.log(fit.predict(1e10, 1e11) / LAW.loss(1e10, 1e11)) == pytest.approx(0, abs=5e-4)


def test_a_loss_of_all_runs_alike_leaves_the_exponent_and_the_size():
    runs = losing(3)
    fit, other = (
        scaling.fit_parametric(table, objective="log_one_sided")
        for table in (runs, runs.assign(loss=1.05 * runs["loss"]))
    )
    assert pytest.approx(1.05 * fit.law.E, rel=1e-6) == other.law.E
    assert other.law.a == pytest.approx(fit.law.a, rel=1e-6)
    sizes = [scaling.compute_optimal(each.law, 1e24).params for each in (fit, other)]
    assert sizes[1] == pytest.approx(sizes[0], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "normal"), [("half_normal", 0.003), ("exponential", 0.0)])
def test_resamples_cover_the_law_of_well_tuned_runs(kind, normal):
    best, hits = scaling.compute_optimal(LAW, 1e24), []
    for seed in range(12):
        fit = scaling.fit_parametric(losing(seed, normal, 0.006, kind=kind), objective="log_one_sided")
        boot = scaling.bootstrap(fit, 60, seed)
        assert boot.unconverged == 0
        spans = [boot.interval(of="a"), boot.interval(of=lambda law: scaling.compute_optimal(law, 1e24).params)]
        hits.append([low <= true <= high for (low, high), true in zip(spans, (LAW.a, best.params), strict=True)])
    assert (np.sum(hits, axis=0) >= 9).all()  # of twelve; at .92, fewer in one table of a hundred


def test_resamples_are_solved_as_refits_are():
    fit = scaling.fit_parametric(losing(4), objective="log_one_sided")
    boot = scaling.bootstrap(fit, 6, seed=0)
    counts = next(iter(scaling.fit.result.Resamples(len(DESIGN), 6, 0)))
    for row, weights in zip(boot.samples.itertuples(index=False), counts, strict=True):
        again = fit.refit(weights).candidate
        np.testing.assert_allclose(row, list(again.constants.values()), rtol=1e-5)


def test_symmetric_noise_needs_no_one_sided_part():
    runs = scaling.simulate_runs(LAW, DESIGN, noise=0.006, seed=6)
    fit, squares = (scaling.fit_parametric(runs, objective=name) for name in ("log_one_sided", "log_squares"))
    normal, half = noise_scales(fit)
    if half < 1e-3 * normal:  # this table leans downwards
        assert fit.law.a == pytest.approx(squares.law.a, abs=1e-6)
    assert normal + half < 0.012


# ------------------------------------------------------------------ the asymmetric penalty


def test_tau_is_a_share_of_the_runs_and_a_half_changes_nothing():
    runs = losing(5)
    for tau in (0.1, 0.3):
        below = scaling.fit_parametric(runs, tau=tau, delta=1e-5).residuals < 0
        assert below.mean() == pytest.approx(tau, abs=0.06)
    default, half = scaling.fit_parametric(runs), scaling.fit_parametric(runs, tau=0.5)
    assert default.law == half.law
    assert "tau" not in repr(half)
    assert "log_huber (tau = 0.1)" in repr(scaling.fit_parametric(runs, tau=0.1))


def test_squares_with_tau_are_an_expectile():
    fit = scaling.fit_parametric(losing(6), objective="log_squares", tau=0.2)
    slopes = fit._minimum.problem.jacobian(fit._minimum.theta)
    weight = np.where(fit.residuals > 0, 0.2, 0.8)
    balance = slopes.T @ (weight * fit.residuals) / (np.abs(slopes).T @ (weight * np.abs(fit.residuals)))
    np.testing.assert_allclose(balance, 0, atol=1e-8)


def test_resamples_keep_tau():
    fit = scaling.fit_parametric(losing(7), tau=0.25)
    boot = scaling.bootstrap(fit, 40, seed=0)
    assert boot.samples["E"].median() == pytest.approx(fit.law.E, rel=0.02)
    assert fit.refit(np.ones(len(DESIGN))).law.a == pytest.approx(fit.law.a, rel=1e-9)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tau": 1.0}, "tau must lie between 0 and 1"),
        ({"tau": 0.3, "objective": "log_absolute"}, "tau goes with 'log_huber'"),
        ({"tau": 0.3, "objective": "log_one_sided"}, "tau = 0.3 goes with other objectives"),
    ],
)
def test_choices_that_make_no_sense_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        scaling.fit_parametric(losing(0), **options)


def test_only_this_likelihood_has_scales():
    with pytest.raises(TypeError, match="fit with objective='log_one_sided'"):
        noise_scales(scaling.fit_parametric(losing(0)))
    with pytest.raises(ValueError, match="log_one_sided"):
        scaling.fit_power_law(DESIGN["flops"], losing(0)["loss"], objective="log_one_sided")


def test_what_least_squares_cannot_identify_is_not_identified():
    line = DESIGN.assign(tokens=20 * DESIGN["params"]).drop(columns="flops")
    fit = scaling.fit_parametric(losing(0, design=line), objective="log_one_sided")
    assert fit.status == "not_identified"
    with pytest.raises(scaling.FitError):
        fit.law  # noqa: B018
