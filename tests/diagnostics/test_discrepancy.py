"""Bands where the law is wrong: exact against dense algebra, they cover what the law misses, and can say nothing."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, norm

import scaling
from scaling.diagnostics import discrepancy, find_discrepancy

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
NOISE = 0.006
GROUPS = scaling.simulate.isoflop_design(np.geomspace(6e18, 3e21, 7), n_sizes=9, width=6, law=LAW)


@dataclass(frozen=True)
class Coupled:
    """E + ((A/N^alpha)^(1/k) + (B/D^beta)^(1/k))^k: size and data substitute for each other unlike in the law."""

    law: scaling.ChinchillaLaw
    k: float = 0.3

    def loss(self, params, tokens):
        size, data = self.law.terms(params, tokens)
        return self.law.E + (size ** (1 / self.k) + data ** (1 / self.k)) ** self.k


def simulated(law, seed, design=GROUPS, noise=NOISE):
    return scaling.simulate_runs(law, design, noise, seed)


def at_optimum(fit, flops):
    best = scaling.compute_optimal(fit.law, flops)
    return best.params, best.tokens


def test_predictions_are_those_of_dense_algebra(monkeypatch):
    """One scale and one length: the conditional normal distribution with constants of a huge prior variance."""
    monkeypatch.setattr(discrepancy, "LENGTHS", (4.0,))
    monkeypatch.setattr(discrepancy, "RATIOS", np.array([2.0]))
    runs = simulated(LAW, 0).iloc[::2]
    weights = np.random.default_rng(0).uniform(0.5, 2, len(runs))
    fit = scaling.fit_parametric(runs, objective="log_squares", weights=weights)
    found = find_discrepancy(fit)
    N, D, w = fit.runs["params"].to_numpy(), fit.runs["tokens"].to_numpy(), weights / weights.mean()
    new = np.array([1e9, 1e10]), np.array([1e11, 1e12])

    def slopes(N, D):
        step, theta = 1e-6, np.array(list(fit.law.constants.values()))
        turned = [scaling.ChinchillaLaw(*(theta * (1 + sign * step * unit))) for unit in np.eye(5) for sign in (1, -1)]
        logs = [np.log(law.loss(N, D)) for law in turned]
        return np.column_stack([(up - down) / (2 * step) for up, down in zip(logs[::2], logs[1::2], strict=True)])

    def alike(one, other):
        r = np.sqrt(5 * sum((np.log(x)[:, None] - np.log(y)) ** 2 for x, y in zip(one, other, strict=True))) / 4
        return (1 + r + r**2 / 3) * np.exp(-r)

    H, h, K = slopes(N, D), slopes(*new), alike((N, D), (N, D))
    basis = np.linalg.qr(H * np.sqrt(w)[:, None], mode="complete")[0][:, 5:] * np.sqrt(w)[:, None]
    scale = np.trace(basis.T @ K @ basis) / (len(N) - 5)
    missed, ratio = fit.residuals, 2.0
    noise = np.diag(1 / w)
    V = ratio * K / scale + noise
    left = basis.T @ missed
    variance = left @ np.linalg.solve(basis.T @ V @ basis, left) / (len(N) - 5)
    inverse = np.linalg.inv(V)
    constants = np.linalg.solve(H.T @ inverse @ H, H.T @ inverse @ missed)
    cross = ratio * alike(new, (N, D)) / scale
    mean = h @ constants + cross @ inverse @ (missed - H @ constants)
    rest = h - cross @ inverse @ H
    spread = ratio / scale - np.diag(cross @ inverse @ cross.T)
    spread += np.diag(rest @ np.linalg.solve(H.T @ inverse @ H, rest.T)) + 1.0
    band = found.band(*new, level=0.9, noise=True)
    np.testing.assert_allclose(np.log(band.estimate / fit.law.loss(*new)), mean, rtol=1e-4)
    half = norm.ppf(0.95) * np.sqrt(variance * spread * (len(N) - 5) / (len(N) - 7))
    np.testing.assert_allclose(np.log(band.high / band.low) / 2, half, rtol=1e-4)


@pytest.mark.slow
def test_a_decade_out_the_band_covers_a_coupled_law_where_the_laws_interval_does_not():
    truth, flops, hits, own = Coupled(LAW), 3e22, [], []
    sizes = np.geomspace(1e9, 1e12, 4001)
    least = truth.loss(sizes, flops / 6 / sizes).min()
    for seed in range(20):
        fit = scaling.fit_parametric(simulated(truth, seed))
        band = find_discrepancy(fit).band(*at_optimum(fit, flops))
        hits.append(band.low <= least <= band.high)
        low, high = scaling.bootstrap(fit, 64, seed).interval(of=lambda law: scaling.compute_optimal(law, flops).loss)
        own.append(low <= least <= high)
    assert np.mean(hits) >= 0.85
    assert np.mean(own) < 0.2


@pytest.mark.slow
def test_of_a_law_that_holds_the_band_covers_and_is_little_wider():
    flops, silent, hits, ratio = 3e22, [], [], []
    least = scaling.compute_optimal(LAW, flops).loss
    for seed in range(30):
        fit = scaling.fit_parametric(simulated(LAW, seed))
        band = find_discrepancy(fit).band(*at_optimum(fit, flops))
        silent.append(bool(band.reason))
        if band.reason:
            continue
        hits.append(band.low <= least <= band.high)
        low, high = scaling.bootstrap(fit, 64, seed).interval(of=lambda law: scaling.compute_optimal(law, flops).loss)
        ratio.append(np.log(band.high / band.low) / np.log(high / low))
    assert np.mean(silent) <= 0.05
    assert np.mean(hits) >= 0.9
    assert np.median(ratio) < 1.6


@pytest.mark.slow
def test_single_runs_a_decade_out_are_covered():
    inside = []
    for seed in range(20):
        truth = Coupled(LAW)
        fit = scaling.fit_parametric(simulated(truth, seed))
        sizes = at_optimum(fit, 3e22)[0] * np.array([0.4, 1.0, 2.5])
        runs = simulated(truth, 1000 + seed, pd.DataFrame({"params": sizes, "tokens": 3e22 / 6 / sizes}))
        band = find_discrepancy(fit).band(runs["params"], runs["tokens"], noise=True)
        inside.append((band.low <= runs["loss"]) & (runs["loss"] <= band.high))
    assert np.mean(inside) >= 0.85


def test_the_band_grows_with_the_distance():
    found = find_discrepancy(scaling.fit_parametric(simulated(Coupled(LAW), 0)))
    flops = np.geomspace(3e21, 3e23, 5)
    best = scaling.compute_optimal(found.fit.law, flops)
    band, run = (found.band(best.params, best.tokens, noise=noise) for noise in (False, True))
    width = np.log(band.high / band.low)
    assert (np.diff(width) > 0).all()
    assert width[-1] > 4 * width[0]
    assert (np.log(run.high / run.low) > width).all()
    assert found.size > found.noise == pytest.approx(NOISE, rel=0.3)


def test_without_noise_the_band_is_the_law():
    found = find_discrepancy(scaling.fit_parametric(simulated(LAW, 0, noise=0.0)))
    best = scaling.compute_optimal(LAW, 1e23)
    band = found.band(best.params, best.tokens)
    np.testing.assert_allclose([band.low, band.high], best.loss, rtol=1e-8)


def test_a_diverged_run_hardly_moves_the_band():
    runs = simulated(LAW, 1)
    spoilt = runs.assign(loss=runs["loss"].where(runs.index != 30, runs["loss"] * 1.5))
    (low, high), (other_low, other_high) = (
        ((band := find_discrepancy(fit).band(*at_optimum(fit, 3e22))).low, band.high)
        for fit in map(scaling.fit_parametric, (runs, spoilt))
    )
    assert np.log(other_high / other_low) < 1.5 * np.log(high / low)


def test_a_large_table_is_thinned_evenly():
    runs = pd.concat([simulated(LAW, seed) for seed in range(10)], ignore_index=True)
    found = find_discrepancy(scaling.fit_parametric(runs))
    assert found.forecasts["n_runs"].sum() < discrepancy.MOST_RUNS
    assert not found.band(*at_optimum(found.fit, 3e22)).reason


def test_the_chance_of_forecasts_that_miss():
    for n in (2, 4, 11):
        deviations = np.random.default_rng(n).normal(0, 1.5, n)
        exact = chi2.sf((deviations**2).sum(), n)
        assert discrepancy._chance(deviations) == pytest.approx(exact, abs=0.01)


# ------------------------------------------------------------------ what cannot be said


def test_too_few_budgets():
    design = scaling.simulate.isoflop_design([1e19, 1e20, 1e21], n_sizes=7, law=LAW)
    found = find_discrepancy(scaling.fit_parametric(simulated(LAW, 0, design)))
    band = found.band([1e10, 2e10], 2e11)
    assert "1 forecast of a larger budget from cheaper ones can be checked, 2 are needed: add budgets" in band.reason
    assert np.isnan([*band.estimate, *band.low, *band.high]).all()


def test_further_than_the_runs_span():
    found = find_discrepancy(scaling.fit_parametric(simulated(LAW, 0)))
    assert not found.band(*at_optimum(found.fit, 1e24)).reason
    words = found.band(*at_optimum(found.fit, 3e24)).reason
    assert "3.0 decades beyond the most expensive run, and the runs span 2.7" in words


def test_forecasts_that_went_wrong():
    runs = simulated(LAW, 0)
    flops = runs["flops"].max()
    jump = np.where(runs["flops"] > flops / 2, 1.06, 1.0)  # the largest budget was trained otherwise
    found = find_discrepancy(scaling.fit_parametric(runs.assign(loss=runs["loss"] * jump)))
    assert found.p < 0.01
    squares = (found.forecasts["deviations"] ** 2).sum()
    assert found.p == pytest.approx(chi2.sf(squares, len(found.forecasts)), abs=1e-4)
    assert "forecasts of larger budgets from cheaper ones miss by up to" in found.band(1e10, 2e11).reason


def test_what_has_no_discrepancy_is_refused():
    with pytest.raises(TypeError, match="fit_parametric"):
        find_discrepancy(scaling.fit_parametric(simulated(LAW, 0), objective="huber"))
    with pytest.raises(TypeError, match="fit_parametric"):
        find_discrepancy(scaling.fit_power_law(GROUPS["flops"], simulated(LAW, 0)["loss"]))
    with pytest.raises(scaling.FitError, match="9 runs are too few"):
        find_discrepancy(scaling.fit_parametric(simulated(LAW, 0).iloc[::7]))
    with pytest.raises(scaling.FitError, match="token"):
        find_discrepancy(
            scaling.fit_parametric(simulated(LAW, 0, GROUPS.assign(tokens=1e10, flops=GROUPS["params"] * 6e10)))
        )
    with pytest.raises(ValueError, match="level"):
        find_discrepancy(scaling.fit_parametric(simulated(LAW, 0))).band(1e9, 1e10, level=1.0)


def test_many_repeats_of_few_designs_are_no_forecast_of_the_next():
    law = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36)
    design = scaling.simulate.grid_design([5e7, 1e8, 2e8, 4e8, 8e8, 1.6e9], [2e9, 5e9, 1e10, 2e10, 4e10])
    design = pd.concat([design] * 40, ignore_index=True)
    runs = scaling.simulate_runs(law, design, noise=0.003, seed=0)
    found = find_discrepancy(scaling.fit_parametric(runs))
    assert np.isfinite(found.forecasts.to_numpy()).all()
    assert len(found.forecasts) >= 2
