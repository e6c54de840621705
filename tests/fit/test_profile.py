"""Profile-likelihood intervals far beyond the runs, against searches from many starts."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import scaling
from scaling.fit.certainty import _scattered
from scaling.fit.engine.huber import huber_sum
from scaling.fit.engine.profile import ALPHA, BETA, EXPONENT, LOSS, OFFSET, SIZE, Frontier
from scaling.fit.engine.scatter import student

SWEEP = scaling.load_runs("small_sweep")
LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
#: parts of a sweep whose optimum far away is hardly above the irreducible loss, and simulated runs
TABLES = {f"a sweep up to {most:.0e} FLOP": SWEEP[SWEEP["flops"] <= most] for most in (1e13, 3e13, 1e20)}
TABLES |= {
    f"{n} ragged runs": scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(n, seed=n), 0.006, n)
    for n in (12, 40)
}


def frontier_of(runs):
    return Frontier.of(*_scattered(scaling.fit_parametric(runs)))


def least_rise(frontier, log_c, held, value, n_starts=30):
    """Root of the statistic where a coordinate is held, the best of searches from anywhere."""
    rng = np.random.default_rng(0)
    points = np.tile(frontier.point(log_c), (n_starts, 1))
    points[:, LOSS] *= np.exp(rng.uniform(-0.35, 0.35, n_starts))
    points[:, SIZE] += rng.normal(0, 5, n_starts)
    points[:, [ALPHA, BETA]] = np.exp(rng.uniform(np.log(0.02), np.log(2), (n_starts, 2)))
    if held == EXPONENT:
        points[:, [ALPHA, BETA]] = points[:, [ALPHA, BETA]].sum(1, keepdims=True) * [1 - value, value]
    else:
        points[:, held] = value
    points[:, OFFSET] = points[:, LOSS] * (1 - np.exp(rng.uniform(-8, 0, n_starts)))
    _, values = frontier.minimise(points, np.full(n_starts, log_c), np.full(n_starts, held))
    return float(np.sqrt(frontier.scatter.rise(values)).min())


@pytest.mark.slow
@pytest.mark.parametrize("times", [1.0, 1e6])
@pytest.mark.parametrize("name", TABLES)
def test_ends_are_where_no_search_finds_less(name, times):
    """Just inside an end some law reaches the runs as well as the level asks for, and just outside none does."""
    frontier = frontier_of(TABLES[name])
    log_c = float((frontier.log_params + frontier.log_tokens).max() + np.log(times))
    held = np.array([SIZE, LOSS, EXPONENT])
    limit = student(0.95, frontier.scatter.freedom)
    checked = 0
    for place, value, *ends in zip(held, *frontier.intervals(np.full(3, log_c), held, 0.95), strict=True):
        for end in filter(np.isfinite, ends):
            inside, outside = (
                least_rise(frontier, log_c, place, value + share * (end - value)) for share in (0.97, 1.03)
            )
            assert inside < limit < outside, (place, end)
            checked += 1
    assert checked >= 4


@pytest.mark.parametrize("name", TABLES)
def test_the_ends_of_a_loss_fall_with_compute(name):
    """As every law's best loss does."""
    fit = scaling.fit_parametric(TABLES[name])
    rows = fit.certainty(np.geomspace(1, 1e8, 9) * fit.runs["flops"].max()).set_index("quantity").loc["loss"]
    assert (rows[["value", "low", "high"]].diff().iloc[1:] < 2e-3).all(axis=None)
    assert (rows["low"] < rows["value"]).all()
    assert (rows["value"] < rows["high"]).all()


def test_what_is_asked_besides_does_not_matter():
    """An exponent and a size in one search, or in two."""
    frontier = frontier_of(TABLES["a sweep up to 1e+20 FLOP"])
    log_c, held = np.full(2, 40.0), np.array([EXPONENT, SIZE])
    together = frontier.intervals(log_c, held, 0.95)
    alone = [frontier.intervals(log_c[:1], each[None], 0.95) for each in held]
    assert np.allclose(together, np.concatenate(alone, axis=1), rtol=1e-9)


@pytest.mark.parametrize("a", [0.08, 0.11, 0.16, 0.2])
def test_with_an_exponent_on_its_bound_the_profile_of_a_is_the_least_that_another_solver_finds(a):
    """One factor moves both exponents, and stops where the first of them does."""
    steep = scaling.ChinchillaLaw(E=1.0, A=1e16, B=400.0, alpha=2.6, beta=0.3)
    design = scaling.simulate.grid_design(np.geomspace(1e6, 1e8, 6), np.geomspace(2e9, 2e11, 6))
    frontier = frontier_of(scaling.simulate_runs(steep, design, noise=0.001, seed=1))
    log_c = np.array([(frontier.log_params + frontier.log_tokens).max()])
    asked = frontier.asked(log_c, np.array([EXPONENT]))
    found, at = frontier.rise(asked, np.array([a]), asked.start, a - asked.value)
    assert at[0, ALPHA] == pytest.approx(2.0, rel=1e-12)

    def value(z):
        point = [z[0], z[1], z[0] + np.exp(z[2]), z[3], z[3] * a / (1 - a)]
        return float(
            huber_sum(frontier.predict(np.array([point]), log_c)[0][0], frontier.weights, frontier.scatter.delta)
        )

    start = [at[0, OFFSET], at[0, SIZE] + 0.3, np.log(at[0, LOSS] - at[0, OFFSET]), 1.5]
    scale = value(start)
    other = optimize.minimize(
        lambda z: np.log(value(z) / scale), start, method="L-BFGS-B", bounds=[(0, 2), (10, 25), (-12, 2), (0.01, 2)]
    )
    least = np.sqrt(frontier.scatter.rise(value(other.x)) / asked.inflation[0])
    assert found[0] <= least * (1 + 1e-6)
    assert found[0] == pytest.approx(least, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [4, 6, 11, 13, 14, 16])
def test_an_end_is_no_estimate_however_little_the_runs_tell(seed):
    """A search further out may go astray; the next begins where the runs allow it, not in the valley it ended in."""
    N, D = np.exp(np.random.default_rng(seed).uniform([[16], [21]], [[23], [26]], (2, 9)))
    runs = scaling.simulate_runs(LAW, pd.DataFrame({"params": N, "tokens": D}), noise=0.02, seed=seed)
    fit = scaling.fit_parametric(runs, objective="log_squares")
    assert fit.status == "weak"
    rows = fit.certainty()
    assert (rows["low"] < 0.999 * rows["value"]).all()
    assert (rows["high"] > 1.001 * rows["value"]).all()
