"""Profile-likelihood intervals far beyond the runs, against searches from many starts."""

import numpy as np
import pytest

import scaling
from scaling.fit.certainty import _scattered
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
