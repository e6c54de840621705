"""Kaplan et al. 2020: the laws, the closed forms of Appendix B, and the fits."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import scaling
from scaling.fit.engine.newton import solve
from scaling.fit.engine.objective import evaluate
from scaling.fit.engine.problem import Objective
from scaling.fit.kaplan import _JointProblem
from scaling.laws import CriticalBatch, KaplanLaw, KaplanStepsLaw
from scaling.optimum import KaplanFrontier, KaplanTraining

LAW = KaplanLaw.from_published()
THEORY = KaplanTraining.from_published()
SIZES, TOKENS = np.geomspace(1e4, 1e9, 8), np.geomspace(2e7, 2e10, 7)
BATCH = 2.0**19


def joint_runs(noise=0.0, seed=0):
    return scaling.simulate_runs(LAW, scaling.simulate.grid_design(SIZES, TOKENS), noise=noise, seed=seed)


def step_points(noise=0.0):
    N, S = np.repeat(SIZES, 9), np.tile(np.geomspace(500, 2e5, 9), len(SIZES))
    loss = THEORY.curve.loss(N, S) * np.exp(noise * np.random.default_rng(3).standard_normal(len(N)))
    return pd.DataFrame({"params": N, "steps": S, "loss": loss})


# ------------------------------------------------------------------ the laws


@pytest.mark.parametrize(
    ("ours", "spot"),
    [
        (scaling.laws.kaplan_curve("params")(1e9), 2.3756),
        (scaling.laws.kaplan_curve("tokens")(1e10), 2.2624),
        (scaling.laws.kaplan_curve("min_flops")(8.64e19), 2.6581),
        (LAW.loss(1e9, 1e10), 2.4197),
        (THEORY.curve.loss(1e9, 1e5), 2.4005),
        (THEORY.batch(3.0), 1.069e6),
    ],
)
def test_spot_values_of_the_printed_equations(ours, spot):
    assert ours == pytest.approx(spot, rel=5e-5 if spot < 10 else 5e-4)
    assert isinstance(ours, float)


def test_joint_law_has_the_two_power_laws_as_its_limits():
    N, D = 1e8, 1e9
    assert LAW.loss(N, 1e40) == pytest.approx((LAW.N_c / N) ** LAW.alpha_N, rel=1e-12)
    assert LAW.loss(1e60, D) == pytest.approx((LAW.D_c / D) ** LAW.alpha_D, rel=1e-12)


def test_overfitting_and_the_tokens_that_avoid_it_are_inverse():
    """Equation 4.3, both ways, against its definition by the loss."""
    share = LAW.overfitting(SIZES[:, None], TOKENS)
    np.testing.assert_allclose(share, LAW.loss(SIZES[:, None], TOKENS) / LAW.loss(SIZES[:, None], 1e60) - 1, rtol=1e-9)
    np.testing.assert_allclose(LAW.tokens_to_avoid(SIZES[:, None], share), np.broadcast_to(TOKENS, share.shape))


def test_critical_batch_trades_steps_for_data():
    """Equation 5.1: (S/S_min - 1)(E/E_min - 1) = 1, and at B_crit both are twice the least."""
    steps, loss = 1e4, 3.0
    for batch in (1e4, THEORY.batch(loss), 1e8):
        least_steps = THEORY.batch.min_steps(steps, batch, loss)
        least_data = THEORY.batch.min_flops(steps * batch, batch, loss)
        assert (steps / least_steps - 1) * (steps * batch / least_data - 1) == pytest.approx(1, rel=1e-12)
    assert THEORY.batch.min_steps(steps, THEORY.batch(loss), loss) == pytest.approx(steps / 2, rel=1e-12)


# ------------------------------------------------------------------ Appendix B


def test_best_size_for_a_loss_is_the_same_at_every_batch_and_is_the_minimum():
    for loss in (5.0, 3.0, 2.2):
        for batch in (1e3, BATCH, 1e9):
            best = THEORY.optimal(loss, batch)

            def compute(log_size, loss=loss, batch=batch):
                above = loss - (THEORY.curve.N_c / np.exp(log_size)) ** THEORY.curve.alpha_N
                least = THEORY.curve.S_c * above ** (-1 / THEORY.curve.alpha_S)
                return np.log(6) + log_size + np.log(batch + THEORY.batch(loss)) + np.log(least)

            found = optimize.minimize_scalar(compute, bracket=np.log(best.params) + np.array([-0.5, 0.0, 1.0]))
            assert found.fun == pytest.approx(np.log(best.flops), abs=1e-12)
            assert found.x == pytest.approx(np.log(best.params), abs=1e-6)
            assert best.flops == pytest.approx(6 * best.params * best.tokens, rel=1e-12)


def test_frontier_is_the_optimum_against_min_flops():
    frontier, loss = THEORY.frontier(), np.linspace(1.5, 7, 12)
    best = THEORY.optimal(loss, BATCH)
    least = THEORY.batch.min_flops(best.flops, BATCH, loss)
    np.testing.assert_allclose(frontier.loss(least), loss, rtol=1e-12)
    np.testing.assert_allclose(frontier.params(least), best.params, rtol=1e-12)
    np.testing.assert_allclose(frontier.batch(least), THEORY.batch(loss), rtol=1e-12)
    steps = frontier.steps(least)
    np.testing.assert_allclose(THEORY.curve.loss(best.params, steps), loss, rtol=1e-12)
    np.testing.assert_allclose(6 * best.params * THEORY.batch(loss) * steps, least, rtol=1e-12)
    np.testing.assert_allclose(frontier.tokens(least), 2 * THEORY.batch(loss) * steps, rtol=1e-12)
    np.testing.assert_allclose(THEORY.optimal(loss, THEORY.batch(loss)).tokens, frontier.tokens(least), rtol=1e-12)


def test_best_stopping_point_lies_a_tenth_above_convergence():
    best = THEORY.optimal(3.0, BATCH)
    converged = (THEORY.curve.N_c / best.params) ** THEORY.curve.alpha_N
    assert pytest.approx((1 + THEORY.excess_loss) * converged, rel=1e-12) == 3.0
    assert THEORY.stopping_loss(best.params) == pytest.approx(3.0, rel=1e-12)


def test_steps_are_the_inverse_of_the_loss():
    steps = np.geomspace(100, 1e7, 5)
    loss = THEORY.curve.loss(SIZES[:, None], steps)
    np.testing.assert_allclose(THEORY.curve.steps(SIZES[:, None], loss), np.broadcast_to(steps, loss.shape), rtol=1e-11)
    with pytest.raises(ValueError, match=r"loss must be larger than 2\.347, that of endless training"):
        THEORY.curve.steps([1e9, 1e12], 2.0)


@pytest.mark.parametrize("batch", [1e2, BATCH, 1e10])
def test_size_exponent_is_the_slope(batch):
    up, down = (THEORY.optimal(3.0 * np.exp(s), batch) for s in (1e-5, -1e-5))
    slope = np.log(up.params / down.params) / np.log(up.flops / down.flops)
    assert THEORY.size_exponent(3.0, batch) == pytest.approx(slope, rel=1e-8)


def test_size_exponent_has_its_two_limits():
    curve = THEORY.curve
    assert THEORY.size_exponent(3.0, 1e-9) == pytest.approx(THEORY.frontier().params.exponent, rel=1e-12)
    assert THEORY.size_exponent(3.0, 1e30) == pytest.approx(curve.alpha_S / (curve.alpha_N + curve.alpha_S), rel=1e-12)


def test_excess_flops_is_the_ratio_of_computes():
    k, best = np.array([0.4, 0.6, 1.0, 2.2, 20.0]), THEORY.optimal(3.0, BATCH)
    above = 3.0 - (THEORY.curve.N_c / (k * best.params)) ** THEORY.curve.alpha_N
    steps = THEORY.curve.S_c * above ** (-1 / THEORY.curve.alpha_S)
    flops = 6 * k * best.params * (BATCH + THEORY.batch(3.0)) * steps
    np.testing.assert_allclose(THEORY.excess_flops(k), flops / best.flops, rtol=1e-12)
    with pytest.raises(ValueError, match=r"size_ratio must be larger than 0\.28.*, got 0\.1: a smaller model"):
        THEORY.excess_flops([1.0, 0.1])


def test_stopping_early_is_two_runs_to_one_loss():
    loss, f = 3.0, np.array([0.1, 0.02])
    converged = loss / (1 + f)
    N = THEORY.curve.N_c * converged ** (-1 / THEORY.curve.alpha_N)
    S = THEORY.curve.S_c * (loss - converged) ** (-1 / THEORY.curve.alpha_S)
    ratios = THEORY.stopping_early(*f)
    assert ratios["params"] == pytest.approx(N[0] / N[1], rel=1e-12)
    assert ratios["steps"] == pytest.approx(S[0] / S[1], rel=1e-12)
    assert ratios["flops"] == pytest.approx(N[0] * S[0] / (N[1] * S[1]), rel=1e-12)


def test_loss_of_a_run_solves_its_equation():
    N, S, B = SIZES[:, None, None], np.geomspace(1, 1e7, 8)[:, None], np.geomspace(1e3, 1e9, 5)
    loss = THEORY.loss(N, S, B)
    np.testing.assert_allclose(THEORY.curve.loss(N, THEORY.batch.min_steps(S, B, loss)), loss, rtol=1e-12)
    assert (np.diff(loss, axis=1) < 0).all()
    assert (np.diff(loss, axis=2) < 0).all()


def test_table_6_is_read_at_one_pf_day():
    table = KaplanFrontier.from_published()
    day = float(scaling.published("kaplan2020/flops/pf_day"))
    for name, letter in {"params": "N", "batch": "B", "steps": "S", "tokens": "D"}.items():
        printed = float(scaling.published(f"kaplan2020/allocation/coefficient_{letter}"))
        assert getattr(table, name)(day) == pytest.approx(printed, rel=1e-12)


# ------------------------------------------------------------------ the fits


@pytest.mark.parametrize("objective", ["log_squares", "log_huber", "huber", "log_absolute"])
def test_noise_free_runs_are_recovered(objective):
    fit = scaling.fit.fit_kaplan(joint_runs(), objective=objective)
    assert fit.status == "solved"
    for name, value in LAW.constants.items():
        assert getattr(fit.law, name) == pytest.approx(value, rel=1e-6), name
    steps = scaling.fit.fit_kaplan_steps(step_points(), objective=objective)
    for name, value in THEORY.curve.constants.items():
        assert getattr(steps.law, name) == pytest.approx(value, rel=1e-6), name


@pytest.mark.parametrize("truth", [KaplanLaw(1e9, 1e10, 0.2, 0.3), KaplanLaw(1e18, 1e12, 0.03, 0.3)])
def test_other_laws_are_recovered(truth):
    runs = scaling.simulate_runs(truth, scaling.simulate.grid_design(SIZES, TOKENS))
    fit = scaling.fit.fit_kaplan(runs)
    for name, value in truth.constants.items():
        assert getattr(fit.law, name) == pytest.approx(value, rel=1e-6), name


def test_two_solvers_agree_on_noisy_runs():
    runs = joint_runs(noise=0.02)
    fit = scaling.fit.fit_kaplan(runs, objective="log_squares")
    N, D, L = (np.log(runs[name].to_numpy()) for name in ("params", "tokens", "loss"))

    def residuals(p):
        return p[3] * np.logaddexp(p[2] / p[3] * (p[0] - N), p[1] - D) - L

    start = [np.log(LAW.N_c), np.log(LAW.D_c), LAW.alpha_N, LAW.alpha_D]
    twin = optimize.least_squares(residuals, start, x_scale=[1, 1, 0.01, 0.01], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    assert fit.value <= 2 * twin.cost * (1 + 1e-10)
    assert fit.law.alpha_D == pytest.approx(twin.x[3], rel=1e-5)
    assert np.log(fit.law.N_c) == pytest.approx(twin.x[0], rel=1e-5)
    np.testing.assert_allclose(fit.residuals, -residuals(twin.x), atol=1e-6)

    points = step_points(noise=0.02)
    steps = scaling.fit.fit_kaplan_steps(points, objective="log_squares")
    n, s, y = (np.log(points[name].to_numpy()) for name in ("params", "steps", "loss"))

    def step_residuals(p):
        return np.logaddexp(p[2] * (p[0] - n), p[3] * (p[1] - s)) - y

    start = [np.log(6e13), np.log(2e3), 0.08, 0.7]
    twin = optimize.least_squares(step_residuals, start, x_scale=[1, 1, 0.01, 0.1], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    assert steps.value <= 2 * twin.cost * (1 + 1e-10)
    assert steps.law.alpha_S == pytest.approx(twin.x[3], rel=1e-5)


@pytest.mark.parametrize("raw", [False, True])
def test_derivatives_of_the_joint_problem_agree_with_finite_differences(raw):
    runs = joint_runs(noise=0.02)
    problem = _JointProblem.of(*(runs[name].to_numpy() for name in ("loss", "params", "tokens")), raw)
    theta, weights = np.array([[7.0, 6.5, 0.7, 0.12]]), np.random.default_rng(0).uniform(0.5, 2, (1, len(runs)))
    _, gradient, hessian = evaluate(problem.model, weights, 0.05, theta)
    for j, h in enumerate((1e-6, 1e-6, 1e-6, 1e-7)):
        up, down = (evaluate(problem.model, weights, 0.05, theta + s * h * np.eye(4)[j]) for s in (1, -1))
        assert (up[0] - down[0]) / (2 * h) == pytest.approx(gradient[:, j], rel=1e-5, abs=1e-7)
        np.testing.assert_allclose((up[1] - down[1])[0] / (2 * h), hessian[0, j], rtol=1e-4, atol=1e-3)


def test_part_of_a_joint_problem_is_the_problem_of_that_part():
    runs = joint_runs(noise=0.02)
    problem = _JointProblem.of(*(runs[name].to_numpy() for name in ("loss", "params", "tokens")), False)
    rows, theta = np.arange(0, len(runs), 2), np.array([[7.0, 6.5, 0.7, 0.12]])
    np.testing.assert_allclose(problem.take(rows).residuals(theta), problem.residuals(theta)[:, rows], rtol=1e-13)
    aim = Objective("log_squares")
    start, _ = problem.fresh(np.ones((1, len(runs))), aim, 4)
    again = solve(problem.model, np.ones((1, len(runs))), aim.thresholds(False), start.theta * 1.01)
    assert again.value == pytest.approx(start.value, rel=1e-12)


def test_bootstrap_and_weights_work_as_for_other_laws():
    fit = scaling.fit.fit_kaplan(joint_runs(noise=0.01))
    boot = scaling.bootstrap(fit, 100)
    low, high = boot.interval(0.95, of="alpha_D")
    assert low < fit.law.alpha_D < high
    assert isinstance(boot.law, KaplanLaw)
    heavy = np.ones(len(fit.runs))
    heavy[::2] = 1e6
    assert fit.refit(heavy).law.alpha_D == pytest.approx(scaling.fit.fit_kaplan(fit.runs[::2]).law.alpha_D, rel=1e-4)
    assert len(scaling.bootstrap(scaling.fit.fit_kaplan_steps(step_points(0.01)), 50).samples) == 50


def test_the_size_may_stand_in_another_column():
    runs = joint_runs().drop(columns="flops")
    runs = runs.assign(params_nonembedding=runs["params"], params=runs["params"] + 1e6)
    assert scaling.fit.fit_kaplan(runs, size="params_nonembedding").law.N_c == pytest.approx(LAW.N_c, rel=1e-6)
    points = step_points().rename(columns={"params": "n"})
    assert scaling.fit.fit_kaplan_steps(points, size="n").law.N_c == pytest.approx(THEORY.curve.N_c, rel=1e-6)


def test_tables_that_do_not_identify_the_law_say_so():
    line = scaling.simulate_runs(LAW, scaling.simulate.grid_design(SIZES, [1e9]))
    fit = scaling.fit.fit_kaplan(line)
    assert fit.status == "not_identified"
    assert "1 distinct value of tokens" in fit.message
    with pytest.raises(scaling.FitError, match="add runs at other tokens"):
        fit.law  # noqa: B018
    flat = step_points().assign(loss=lambda t: THEORY.curve.loss(1e8, t["steps"]))
    assert scaling.fit.fit_kaplan_steps(flat).message == "alpha_N = 0.01 (on its bound)"
    noisy = np.exp(0.01 * np.random.default_rng(0).standard_normal(len(SIZES) * len(TOKENS)))
    endless = joint_runs().assign(loss=lambda t: scaling.laws.kaplan_curve("params")(t["params"]) * noisy)
    assert "the loss does not fall with tokens beyond noise" in scaling.fit.fit_kaplan(endless).message


# ------------------------------------------------------------------ hostile input


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: KaplanLaw(1e13, 1e13, 0.0, 0.1), "alpha_N must be positive, got 0"),
        (lambda: KaplanLaw(-1.0, 1e13, 0.1, 0.1), "N_c must be at least 0, got -1"),
        (lambda: KaplanStepsLaw(1e13, 1e3, 0.1, np.nan), "alpha_S must be positive, got nan"),
        (lambda: CriticalBatch(1e8, -0.2), "alpha_B must be positive, got -0.2"),
        (lambda: KaplanTraining(KaplanStepsLaw(0, 1e3, 0.1, 0.7), THEORY.batch), "N_c must be positive, got 0"),
        (lambda: LAW.loss(0, 1e9), "params must be positive, got 0"),
        (lambda: LAW.tokens_to_avoid(1e9, -0.1), "overfitting must be positive, got -0.1"),
        (lambda: THEORY.batch(0), "loss must be positive, got 0"),
        (lambda: THEORY.batch.min_steps(10, -5, 3), "batch must be positive, got -5"),
        (lambda: THEORY.loss(1e9, 0, 1e5), "steps must be positive, got 0"),
        (lambda: THEORY.optimal(np.nan, 1e5), "loss must be positive, got nan"),
        (lambda: THEORY.stopping_early(0.0, 0.02), "excess must be positive, got 0"),
        (lambda: scaling.laws.kaplan_curve("batch"), "no curve of 'batch'; known: params"),
        (
            lambda: scaling.fit.fit_kaplan(joint_runs(), n_starts=0),
            "n_starts must be a whole number, at least 1, got 0",
        ),
        (lambda: scaling.fit.fit_kaplan(joint_runs(), size="n"), "no column 'n'"),
        (lambda: scaling.fit.fit_kaplan(joint_runs().assign(loss=-1.0)), "loss"),
        (lambda: scaling.fit.fit_kaplan_steps(step_points().drop(columns="steps")), "no column 'steps'"),
        (
            lambda: scaling.fit.fit_kaplan_steps(step_points().assign(steps=0)),
            "rows 0.*: 0, and a positive",
        ),
        (
            lambda: scaling.fit.fit_kaplan_steps(step_points().assign(steps="many")),
            "rows 0.*: .many. is not a number",
        ),
        (lambda: scaling.fit.fit_kaplan_steps(step_points()[:0]), "the table is empty"),
    ],
)
def test_what_makes_no_sense_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()
