"""The law of Li et al. 2025: its parts, its limit, and a fit that recovers it."""

import numpy as np
import pytest
import sympy as sp

import scaling
from scaling.fit import fit_farseer
from scaling.fit.engine.problem import Objective
from scaling.fit.farseer import LOWER, SCATTER, UPPER, _Surface
from scaling.laws import FarseerLaw

LAW = FarseerLaw(a3=14.5, b3=0.5, gamma=-0.19, a2=-0.11, b2=14.9, beta=0.18, a1=-0.08, b1=0.26, alpha=0.13)
GRID = scaling.simulate.grid_design(np.geomspace(1e7, 1e10, 7), np.geomspace(1e9, 1e12, 7))


def surface(runs):
    N, D, loss = (runs[name].to_numpy(float) for name in ("params", "tokens", "loss"))
    x, y = np.log(N), np.log(D)
    return _Surface(loss, x - x.mean(), y, (x.mean(), y.mean()))


def test_it_is_the_formula():
    N, D = 2e8, 3e10
    floor, data = np.exp(14.5 * N**-0.19 + 0.5), np.exp(-0.11 * N**0.18 + 14.9)
    exponent = np.exp(-0.08 * N**0.13 + 0.26)
    assert (LAW.floor(N), LAW.coefficient(N), LAW.exponent(N)) == pytest.approx((floor, data, exponent), rel=1e-12)
    assert LAW.loss(N, D) == pytest.approx(floor + data / D**exponent, rel=1e-12)


def test_chinchilla_is_its_limit():
    """What is left beside E + A/N^alpha is A^2 / (2 E N^(2 alpha)), by SymPy and in numbers."""
    E, A, N, alpha = sp.symbols("E A N alpha", positive=True)
    left = sp.series(sp.exp(A / E * N**-alpha + sp.log(E)), A, 0, 3).removeO() - E - A * N**-alpha
    assert sp.simplify(left - A**2 / (2 * E * N ** (2 * alpha))) == 0
    plain = scaling.ChinchillaLaw(E=1.8, A=5.0, B=900.0, alpha=0.3, beta=0.3)
    limit = FarseerLaw(5.0 / 1.8, np.log(1.8), -0.3, 0.0, np.log(900.0), 1.0, 0.0, np.log(0.3), 1.0)
    rest = limit.loss(1e9, 1e10) - plain.loss(1e9, 1e10)
    assert rest == pytest.approx(25 / 3.6 * 1e9**-0.6, rel=2e-3)


def test_derivatives_are_exact():
    made = surface(scaling.simulate_runs(LAW, GRID))
    theta = made.made_of_chinchilla(np.ones(len(GRID)), 1)[0] + 0.01 * np.arange(9)
    measured = np.column_stack(
        [(made.predict(theta + step) - made.predict(theta - step)) / 2e-6 for step in 1e-6 * np.eye(9)]
    )
    np.testing.assert_allclose(made.slopes(theta), measured, rtol=1e-5, atol=1e-7)


def test_the_law_is_found_again():
    runs = scaling.simulate_runs(LAW, GRID)
    fit = fit_farseer(runs)
    np.testing.assert_allclose(fit.candidate.predict(runs), runs["loss"], rtol=1e-6)
    assert fit.candidate.exponent(1e9) == pytest.approx(LAW.exponent(1e9), rel=1e-3)
    assert fit.candidate.floor(1e9) == pytest.approx(LAW.floor(1e9), rel=1e-3)


def test_the_constants_are_those_of_the_solver():
    runs = scaling.simulate_runs(LAW, GRID, noise=0.01, seed=2)
    fit = fit_farseer(runs)
    np.testing.assert_allclose(fit.residuals, np.log(runs["loss"] / fit.candidate.predict(runs)), atol=1e-8)


def test_a_power_of_zero_is_no_hole():
    """A power that ends near zero leaves finite constants and the same predictions."""
    made = surface(scaling.simulate_runs(LAW, GRID))
    theta = made.made_of_chinchilla(np.ones(len(GRID)), 1)[0]
    theta[2::3] = 0.0
    law = FarseerLaw(**made.constants(theta))
    np.testing.assert_allclose(law.loss(GRID["params"], GRID["tokens"]), made.predict(theta), rtol=1e-6)


def test_a_table_of_one_size_is_not_identified():
    runs = scaling.simulate_runs(LAW, scaling.simulate.grid_design([1e8], np.geomspace(1e9, 1e12, 30)))
    assert fit_farseer(runs).status == "not_identified"


@pytest.mark.slow
@pytest.mark.parametrize("by", [None, "flops", "params", "ratio"])
@pytest.mark.parametrize("name", ["small_sweep", "besiroglu2024", "sardana2024"])
def test_many_random_starts_find_nothing_lower(name, by):
    """The certificate of the search: thirty starts scattered by another seed, all polished."""
    if not scaling.sources.is_available(name):
        pytest.skip(f"needs the set {name}")
    runs = scaling.load_runs(name).assign(ratio=lambda t: t["tokens"] / t["params"])
    runs = runs if by is None else runs[runs[by] <= runs[by].quantile(0.8)]
    fit, made = fit_farseer(runs), surface(runs)
    rng, ones = np.random.default_rng(7), np.ones(len(runs))
    starts = np.repeat(made.made_of_chinchilla(ones, 5), 3, axis=0)
    scattered = np.clip(starts + SCATTER * rng.normal(size=starts.shape), LOWER, UPPER)
    assert fit.value <= made.form.minimise(ones, Objective(), scattered)[1] * (1 + 1e-9)
