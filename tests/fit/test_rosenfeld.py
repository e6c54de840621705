"""Rosenfeld's law: its limits, the paper's normalisation, and a fit that recovers it."""

import numpy as np
import pytest
from scipy import optimize

import scaling
from scaling.fit.engine.huber import huber_sum
from scaling.fit.least_squares import RelativeSquares
from scaling.fit.rosenfeld import _Envelope

BASE = scaling.ChinchillaLaw(E=1.7, A=400, B=900, alpha=0.34, beta=0.28)
LAW = scaling.laws.RosenfeldLaw(BASE, guess=7.0)
GRID = scaling.simulate.grid_design(np.geomspace(1e4, 1e9, 7), np.geomspace(2e6, 2e12, 7))


def constants(law):
    return np.array(list(law.constants.values()))


def test_inverse_squares_add():
    """1/L^2 = 1/S^2 + 1/guess^2."""
    loss, inner = LAW.loss(GRID["params"], GRID["tokens"]), BASE.loss(GRID["params"], GRID["tokens"])
    np.testing.assert_allclose(loss**-2, inner**-2 + LAW.guess**-2, rtol=1e-12)


def test_limits():
    assert LAW.loss(1e-30, 1e-30) == pytest.approx(7.0, rel=1e-6)
    assert LAW.loss(np.inf, np.inf) == pytest.approx(1.7 / np.hypot(1, 1.7 / 7), rel=1e-12)
    high = scaling.laws.RosenfeldLaw(BASE, guess=1e9)
    np.testing.assert_allclose(high.loss(1e6, 1e8), BASE.loss(1e6, 1e8), rtol=1e-12)


def test_the_papers_form():
    """Equations 4 and 5 with the constants of ``theta``: eps0 |e / (e - i eta)|, a = 1."""
    n, m = GRID["tokens"].to_numpy(), GRID["params"].to_numpy()
    theta = LAW.theta
    assert list(theta) == ["alpha", "beta", "b", "c_inf", "eta"]
    inner = n ** -theta["alpha"] + theta["b"] * m ** -theta["beta"] + theta["c_inf"]
    np.testing.assert_allclose(LAW.guess * np.abs(inner / (inner - 1j * theta["eta"])), LAW.loss(m, n), rtol=1e-12)


def test_one_of_the_papers_six_constants_is_redundant():
    """The Jacobian in (a, b, c, eta) at fixed exponents has rank three: a = 1 is a choice of unit."""
    x, y = GRID["tokens"].to_numpy() ** -0.28, GRID["params"].to_numpy() ** -0.34

    def law(q):
        inner = q[0] * x + q[1] * y + q[2]
        return inner / np.hypot(inner, q[3])

    q = np.array([900.0, 400.0, 1.7, 7.0])
    columns = np.column_stack([(law(q + h) - law(q - h)) / 2e-6 for h in np.diag(1e-6 * q)])
    values = np.linalg.svd(columns, compute_uv=False)
    assert values[3] < 1e-6 * values[0] < 1e-3 * values[2]


def test_the_envelope_moves_no_optimum():
    """The loss is a rising function of the sum, so that the best allocation is the sum's."""
    best = scaling.compute_optimal(BASE, 1e20)
    sizes = best.params * np.geomspace(0.5, 2, 401)
    losses = LAW.loss(sizes, 1e20 / 6 / sizes)
    assert sizes[losses.argmin()] == pytest.approx(best.params, rel=2e-3)


def test_constants_may_be_arrays():
    law = scaling.laws.RosenfeldLaw(BASE, guess=np.array([5.0, 7.0]))
    assert law.loss(1e6, 1e8).shape == (2,)
    assert "<2 values>" in repr(law)
    assert law.loss(1e6, 1e8)[1] == LAW.loss(1e6, 1e8)


@pytest.mark.parametrize("guess", [0, -1.0, np.nan, "text"])
def test_a_guess_must_be_positive(guess):
    words = "guess must be a number" if isinstance(guess, str) else "guess must be positive"
    with pytest.raises(ValueError, match=words):
        scaling.laws.RosenfeldLaw(BASE, guess)
    with pytest.raises(ValueError, match=words):
        scaling.fit.fit_rosenfeld(scaling.simulate_runs(LAW, GRID), guess=guess)


def test_bad_arguments():
    with pytest.raises(ValueError, match="tokens must be positive, got -1"):
        LAW.loss(1e6, -1)
    runs = scaling.simulate_runs(LAW, GRID)
    with pytest.raises(ValueError, match="n_starts must be a whole number, at least 1"):
        scaling.fit.fit_rosenfeld(runs, guess=7.0, n_starts=0)
    with pytest.raises(scaling.FitError, match="is not below the guess"):
        scaling.fit.fit_rosenfeld(runs, guess=1.0)
    with pytest.raises(scaling.FitError, match="weights"):
        scaling.fit.fit_rosenfeld(runs, guess=7.0, weights=[1.0])


@pytest.mark.parametrize("guess", [3.5, 7.0, 20.0])
@pytest.mark.parametrize("E", [0.8, 1.7])
def test_recovers_a_known_truth(guess, E):
    truth = scaling.laws.RosenfeldLaw(scaling.ChinchillaLaw(E, 400, 900, 0.34, 0.28), guess)
    fit = scaling.fit.fit_rosenfeld(scaling.simulate_runs(truth, GRID), guess=guess)
    assert fit.status == "solved"
    np.testing.assert_allclose(constants(fit.law), constants(truth), rtol=1e-6)
    assert fit.value < 1e-20


def test_recovers_the_exponents_of_the_papers_table():
    """Pairs from 0.22 to 1.16: exponents three times those of language models."""
    table = scaling.sources.published_table("rosenfeld2020/table2")["value"]
    for data in ("imagenet", "dtd", "aircraft", "wikitext2"):
        alpha, beta = table[f"rosenfeld2020/table2/{data}/model"], table[f"rosenfeld2020/table2/{data}/data"]
        truth = scaling.laws.RosenfeldLaw(scaling.ChinchillaLaw(0.2, 1e4**alpha, 1e7**beta, alpha, beta), 0.999)
        fit = scaling.fit.fit_rosenfeld(scaling.simulate_runs(truth, GRID), guess=0.999)
        np.testing.assert_allclose(constants(fit.law), constants(truth), rtol=1e-6)


def test_is_a_minimum():
    """No small step in any direction lowers the objective; derivatives are those of finite differences."""
    runs = scaling.simulate_runs(LAW, GRID, noise=0.02, seed=3)
    fit = scaling.fit.fit_rosenfeld(runs, guess=7.0, objective="relative_squares")
    N, D, loss = (runs[name].to_numpy() for name in ("params", "tokens", "loss"))
    logs = np.log(N), np.log(D)
    centres = np.array([x.mean() for x in logs])
    form, law = (
        _Envelope(loss, tuple(x - c for x, c in zip(logs, centres, strict=True)), centres, 7.0).form,
        fit.law.base,
    )
    heights = np.log([law.A, law.B]) - np.array([law.alpha, law.beta]) * centres
    theta, aim = np.array([law.E, *heights, law.alpha, law.beta]), RelativeSquares()
    for k, step in enumerate(np.diag(1e-6 * np.ones(5))):
        ahead, behind = (form.residuals(theta + sign * step, aim) for sign in (1, -1))
        np.testing.assert_allclose(form.jacobian(theta, aim)[:, k], (ahead - behind) / 2e-6, atol=1e-8)
        assert min((ahead**2).sum(), (behind**2).sum()) >= fit.value
    assert fit.value == pytest.approx(float((fit.residuals**2).sum()), rel=1e-12)


def test_hubers_loss_lies_between_squares_and_absolute_values():
    """The same runs by the default objective: as low as a simplex search from there can get."""
    runs = scaling.simulate_runs(LAW, GRID, noise=0.02, seed=3)
    fit = scaling.fit.fit_rosenfeld(runs, guess=7.0)
    assert fit.objective == "log_huber"
    N, D, observed = (runs[name].to_numpy() for name in ("params", "tokens", "loss"))

    def objective(c):
        law = scaling.laws.RosenfeldLaw.of(dict(zip(LAW.constants, [*c, 7.0], strict=True)))
        return huber_sum(np.log(law.loss(N, D) / observed), np.ones(len(N)), 1e-3)

    best = constants(fit.law)[:5]
    assert fit.value == pytest.approx(objective(best), rel=1e-12)
    polished = optimize.minimize(objective, best, method="Nelder-Mead", options={"xatol": 1e-12, "fatol": 1e-15})
    assert polished.fun >= fit.value * (1 - 1e-6)


def test_weights_and_refit():
    """A row of weight two counts like two rows; a row of weight zero is not there."""
    runs = scaling.simulate_runs(LAW, GRID, noise=0.02, seed=4)
    fit = scaling.fit.fit_rosenfeld(runs, guess=7.0)
    weights = np.ones(len(runs))
    weights[0], weights[1] = 2, 0
    rows = [0, 0, *range(2, len(runs))]
    twice = scaling.fit.fit_rosenfeld(runs.iloc[rows].reset_index(drop=True), guess=7.0)
    np.testing.assert_allclose(constants(fit.refit(weights).law), constants(twice.law), rtol=1e-6)


def test_an_offset_of_zero_is_a_bound():
    truth = scaling.laws.RosenfeldLaw(scaling.ChinchillaLaw(0, 400, 900, 0.34, 0.28), 7.0)
    fit = scaling.fit.fit_rosenfeld(scaling.simulate_runs(truth, GRID, noise=0.03, seed=1), guess=7.0)
    assert fit.status in ("solved", "at_bound")
    assert fit.candidate.base.E < 0.2
    low = scaling.simulate_runs(truth, GRID)
    low["loss"] *= low["loss"] ** 0.1
    fit = scaling.fit.fit_rosenfeld(low, guess=9.0)
    assert fit.candidate.base.E == 0
    assert fit.status == "at_bound"


def test_says_what_it_cannot_know():
    flat = scaling.simulate_runs(LAW, GRID)
    one_size = flat[flat["params"] == flat["params"].min()]
    assert scaling.fit.fit_rosenfeld(one_size, guess=7.0).status == "not_identified"
    with pytest.raises(scaling.FitError, match="1 distinct value of params"):
        _ = scaling.fit.fit_rosenfeld(one_size, guess=7.0).law
    rng = np.random.default_rng(0)
    shuffled = flat.assign(params=rng.permutation(flat["params"]), flops=np.nan).drop(columns="flops")
    shuffled["loss"] = LAW.loss(1e7, shuffled["tokens"]) * np.exp(rng.normal(0, 0.05, len(flat)))
    assert "does not fall with params" in scaling.fit.fit_rosenfeld(shuffled, guess=7.0).message
    few = flat.iloc[[0, 8, 16, 24]]
    assert "4 distinct runs cannot determine 5 constants" in scaling.fit.fit_rosenfeld(few, guess=7.0).message


def test_is_bootstrapped_by_making_it_again():
    fit = scaling.fit.fit_rosenfeld(scaling.simulate_runs(LAW, GRID, noise=0.01), guess=7.0, n_starts=1)
    boot = scaling.bootstrap(fit, n_resamples=12, seed=1)
    assert boot.fresh_starts
    assert list(boot.samples) == list(LAW.constants)
    weights = np.bincount(np.random.default_rng(1).integers(0, len(GRID), len(GRID)), minlength=len(GRID))
    np.testing.assert_allclose(boot.samples.iloc[0], constants(fit.refit(weights.astype(float)).candidate), rtol=1e-9)
