"""What few points say of a law of one variable, and constants on the limits of a search."""

import numpy as np
import pandas as pd
import pytest
import scipy

import scaling
from scaling.fit.engine.scatter import scatter, student
from scaling.fit.power_law import profiled
from scaling.laws import RoutedLaw, SigmoidLaw


def points(n, offset, noise, seed, decades=2):
    x = np.geomspace(1, 10**decades, n)
    rng = np.random.default_rng([seed, n])
    return x, (offset + x**-0.15) * np.exp(noise * rng.standard_normal(n)), offset + (10 * x.max()) ** -0.15


def test_the_interval_is_that_of_the_profile_likelihood():
    x, y, _ = points(8, 0.5, 0.004, 0)
    fit = scaling.fit_power_law(x, y, offset=True, objective="log_squares")
    _, ((low, high),) = profiled(fit, 0.95, [10 * x.max()])
    problem = fit._minimum.problem
    found = scatter(problem, fit._minimum.theta, np.ones(8), fit._minimum.objective, 3)

    def rise(value, start):
        def squares(free):
            c, b = free
            law = c + (value - c) * (x / (10 * x.max())) ** -b
            return 0.5 * np.sum((np.log(np.maximum(law, 1e-9)) - np.log(y)) ** 2)

        least = scipy.optimize.minimize(squares, start, bounds=[(0, value), (0.01, 2)], method="Nelder-Mead")
        return 2 * (least.fun - found.value) / found.unit

    start = [fit.law.offset, -fit.law.exponent]
    limit = student(0.95, 5) ** 2
    assert [rise(end, start) for end in (low, high)] == pytest.approx([limit, limit], rel=0.03)


def test_intervals_of_few_points_hold_the_truth_where_the_offset_is_zero():
    held, percentiles = [], []
    for seed in range(24):
        x, y, truth = points(5, 0.0, 0.01, seed)
        fit = scaling.fit_power_law(x, y, offset=True)
        _, ((low, high),) = profiled(fit, 0.95, [10 * x.max()])
        held.append(low <= truth <= high)
        found = scaling.bootstrap(fit, 100, seed).percentiles(0.9, of=lambda law: law.value(1000.0))
        percentiles.append(bool(found.low <= truth <= found.high))
    assert np.mean(held) > 0.85
    assert np.mean(held) > np.mean(percentiles)


@pytest.mark.parametrize("n", [5, 8])
def test_points_beyond_the_threshold_of_huber_are_followed_to_their_minimum(n):
    statuses = set()
    for seed in range(12):
        x, y, _ = points(n, 0.1, 0.03, seed, 1)
        fits = [scaling.fit_power_law(a, b, offset=True) for a, b in ((x, y), (x[::-1], y[::-1]), (1e9 * x, 1.7 * y))]
        assert len({fit.status for fit in fits}) == 1
        assert [fit.value for fit in fits] == pytest.approx([fits[0].value] * 3, rel=1e-9)
        statuses.add(fits[0].status)
        moved = fits[0].residuals + np.linspace(-1e-3, 1e-3, 9)[:, None]
        delta = fits[0].delta
        huber = np.where(np.abs(moved) < delta, moved**2 / 2, delta * (np.abs(moved) - delta / 2)).sum(1)
        assert fits[0].value <= huber.min() * (1 + 1e-9)
    assert "not_converged" not in statuses


def test_so_few_resamples_say_that_their_intervals_are_too_narrow():
    x, y, _ = points(8, 0.5, 0.01, 0)
    assert "too near together" in scaling.bootstrap(scaling.fit_power_law(x, y, offset=True), 50).note
    x, y, _ = points(20, 0.5, 0.01, 0)
    assert scaling.bootstrap(scaling.fit_power_law(x, y, offset=True), 50).note == ""


def task(low, high, noise, n=12, seed=0):
    loss, law = np.linspace(low, high, n), SigmoidLaw(0.25, 0.9, slope=4.0, middle=2.5)
    share = law.predict(pd.DataFrame({"loss": loss})) + noise * np.random.default_rng(seed).standard_normal(n)
    size = np.geomspace(1e7, 1e10, n)
    return pd.DataFrame({"params": size, "tokens": 20 * size, "loss": loss, "task": np.clip(share, 0.001, 0.999)})


@pytest.mark.parametrize("form", ["sigmoid", "exponential"])
def test_a_share_that_ends_on_its_limit_is_told(form):
    runs = task(*((2.6, 3.4) if form == "sigmoid" else (2.4, 2.6)), 0.02)
    fit = scaling.fit.fit_downstream(runs, "task", form=form, objective="huber", delta=np.inf)
    name = "ceiling" if form == "sigmoid" else "epsilon"
    assert fit.candidate.constants[name] == 1.0
    assert fit.held == (name,)
    assert f"{name} = 1 (on its bound)" in fit.message
    assert fit.status == "at_bound"


def routed(noise, seed, without=(), most=7):
    law = RoutedLaw(-0.083, -0.12, 0.01, 1.11, 2.0, 300.0)
    N, E = (each.ravel() for each in np.meshgrid(np.geomspace(1e7, 1e9, 5), 2.0 ** np.arange(most + 1)))
    seen = {"N": N, "E": E} | {name: np.full_like(N, 1e8 if name == "N" else 1.0) for name in without}
    loss = law.loss(seen["N"], seen["E"]) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(N)))
    return pd.DataFrame({"params": N, "tokens": 1.3e11, "num_experts": E, "loss": loss})


def test_experts_or_sizes_that_do_nothing_are_told():
    for seed in range(3):
        assert scaling.fit.fit_routed(routed(0.003, seed)).status == "solved"
        idle = scaling.fit.fit_routed(routed(0.003, seed, "E"))
        assert idle.status in ("not_identified", "weak")
        same = scaling.fit.fit_routed(routed(0.003, seed, "NE"))
        assert same.status in ("not_identified", "weak")
    idle = scaling.fit.fit_routed(routed(0.01, 0, "E"), objective="log_squares")
    assert idle.message == "the loss does not fall with num_experts beyond noise: check that column, or widen its range"


def test_a_bound_does_not_hide_that_constants_trade_off():
    found = [scaling.fit.fit_routed(routed(0.003, seed, most=3)) for seed in range(6)]
    held = [fit for fit in found if fit.held]
    assert any(fit.status == "weak" for fit in held)
    for fit in held:
        assert (fit.condition > 1e3) == (fit.status == "weak")
        assert "(on its bound)" in fit.message


def test_a_break_that_is_not_seen_is_told():
    x = np.geomspace(1, 1e4, 40)
    broken = scaling.laws.BrokenPowerLaw(coefficient=2.0, exponent=0.1, breaks=1e2, changes=0.3, widths=0.5, offset=0.5)
    for seed in range(4):
        noise = np.exp(0.003 * np.random.default_rng(seed).standard_normal(40))
        plain = scaling.fit.fit_broken_power_law(x, (1 + 2 * x**-0.3) * noise)
        assert plain.status in ("weak", "not_identified")
        assert scaling.fit.fit_broken_power_law(x, broken.value(x) * noise).status == "solved"
