"""Approach 2: parabolas, minima that do not count, groups, noise-free bias by its closed form."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.papers.czech2026 import surface

SYMMETRIC = surface("symmetric")
CHINCHILLA = scaling.ChinchillaLaw.from_published("hoffmann2022_rounded")
BUDGETS = np.geomspace(1e17, 1e21, 5)


def test_symmetric_surface_on_centred_grids_is_recovered_exactly():
    runs = scaling.simulate_runs(
        SYMMETRIC, scaling.simulate.isoflop_design(BUDGETS, n_sizes=15, width=8, law=SYMMETRIC)
    )
    fit = scaling.fit_isoflop(runs)
    assert fit.a == pytest.approx(0.5, abs=1e-10)
    truth = scaling.compute_optimal(SYMMETRIC, BUDGETS)
    np.testing.assert_allclose(fit.points["params"], truth.params, rtol=1e-8)


@pytest.mark.parametrize("width", [2, 4, 8, 16])
def test_bias_without_noise_has_a_closed_form(width):
    """Czech et al. 2026: every N_opt is off by one factor 10^dw that depends on alpha, beta and the grid alone."""
    runs = scaling.simulate_runs(
        CHINCHILLA, scaling.simulate.isoflop_design(BUDGETS, n_sizes=15, width=width, law=CHINCHILLA)
    )
    fit = scaling.fit_isoflop(runs)
    w = np.linspace(-1, 1, 15) * np.log10(width)
    L = CHINCHILLA.beta / CHINCHILLA.alpha * 10 ** (-CHINCHILLA.alpha * w) + 10 ** (CHINCHILLA.beta * w)
    n, w2, w4 = len(w), (w**2).sum(), (w**4).sum()
    a1, a2 = (w * L).sum() / w2, (n * (w**2 * L).sum() - w2 * L.sum()) / (n * w4 - w2**2)
    shift = fit.points["params"] / scaling.compute_optimal(CHINCHILLA, BUDGETS).params
    np.testing.assert_allclose(np.log10(shift), -a1 / (2 * a2), rtol=1e-6)
    assert fit.a == pytest.approx(CHINCHILLA.a, abs=1e-8)


def test_coefficients_are_those_of_the_parabola_in_ln_n():
    runs = scaling.simulate_runs(CHINCHILLA, scaling.simulate.isoflop_design(BUDGETS, law=CHINCHILLA), noise=0.002)
    fit = scaling.fit_isoflop(runs)
    for point in fit.points.itertuples():
        group = runs[runs["budget"] == point.budget]
        u = np.log(group["params"])
        fitted = point.c0 + point.c1 * u + point.c2 * u**2
        np.testing.assert_allclose(
            fitted, np.polyval(np.polyfit(u - u.mean(), group["loss"], 2), u - u.mean()), rtol=1e-9
        )
        assert point.loss == pytest.approx(point.c0 - point.c1**2 / (4 * point.c2), rel=1e-9)


def test_budgets_that_do_not_count_are_named():
    good = scaling.simulate_runs(CHINCHILLA, scaling.simulate.isoflop_design(BUDGETS[:3], law=CHINCHILLA))
    shifted = scaling.simulate.isoflop_design(BUDGETS[3:4], law=CHINCHILLA, width=2)
    shifted["params"] *= 20
    shifted["tokens"] /= 20
    away = scaling.simulate_runs(CHINCHILLA, shifted)
    bent = good[good["budget"] == BUDGETS[0]].assign(budget=BUDGETS[4], flops=BUDGETS[4])
    bent["tokens"] = BUDGETS[4] / (6 * bent["params"])
    bent["loss"] = 6 - bent["loss"]
    thin = scaling.simulate_runs(CHINCHILLA, scaling.simulate.isoflop_design([5e20], n_sizes=3, law=CHINCHILLA))
    fit = scaling.fit_isoflop(pd.concat([good, away, bent, thin], ignore_index=True))
    reasons = fit.points.set_index("budget")["reason"]
    assert (reasons[BUDGETS[:3]] == "").all()
    assert "outside the sizes tried" in reasons[BUDGETS[3]]
    assert "opens downwards" in reasons[BUDGETS[4]]
    assert "3 distinct sizes" in reasons[5e20]
    assert fit.points.loc[~fit.points["usable"], "params"].isna().all()
    assert "3 of 6 budgets usable" in repr(fit)


def test_too_few_budgets_is_an_error_that_names_them():
    runs = scaling.simulate_runs(CHINCHILLA, scaling.simulate.isoflop_design(BUDGETS[:1], law=CHINCHILLA))
    with pytest.raises(scaling.FitError, match="at least two are needed"):
        scaling.fit_isoflop(runs)


def test_groups_form_from_flops_or_from_nominal_budgets():
    runs = scaling.simulate_runs(CHINCHILLA, scaling.simulate.isoflop_design(BUDGETS, law=CHINCHILLA))
    rng = np.random.default_rng(0)
    ragged = runs.drop(columns="budget")
    ragged["tokens"] *= np.exp(0.02 * rng.standard_normal(len(runs)))
    ragged["flops"] = 6 * ragged["params"] * ragged["tokens"]
    ragged["loss"] = CHINCHILLA.loss(ragged["params"], ragged["tokens"])
    assert len(scaling.fit_isoflop(ragged).points) == 5
    some = scaling.fit_isoflop(ragged, budgets=BUDGETS[1:], tolerance=0.2)
    assert some.points["budget"].tolist() == pytest.approx(BUDGETS[1:].tolist())
    assert len(some.dropped) == 9
    assert (some.dropped["reason"] == "belongs to no budget").all()


def test_runs_at_all_budgets_form_no_groups_unless_these_are_named():
    """Ragged runs chain into one group over decades; a parabola through it would be a number without a meaning."""
    design = scaling.simulate.chinchilla_like_design(400).drop(columns="budget")
    runs = scaling.simulate_runs(CHINCHILLA, design)
    with pytest.raises(scaling.FitError, match="name the budgets in a column 'budget'"):
        scaling.fit_isoflop(runs)
    fit = scaling.fit_isoflop(runs, budgets=[6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21])
    assert fit.a == pytest.approx(CHINCHILLA.a, abs=0.03)


@pytest.mark.parametrize("budgets", [[], 1e18, [[1e18, 1e19]], [-1.0, 1e18], [np.nan, 1e18]])
def test_budgets_that_make_no_sense_are_refused(budgets):
    runs = scaling.simulate_runs(SYMMETRIC, scaling.simulate.isoflop_design(BUDGETS, law=SYMMETRIC))
    with pytest.raises(ValueError, match="budgets must be"):
        scaling.fit_isoflop(runs, budgets=budgets)


# ------------------------------------------------------------------ the bias in closed form


@pytest.mark.parametrize("center", [1.0, 1 / 3, 2.5])
@pytest.mark.parametrize("width", [1.5, 2, 8, 16])
@pytest.mark.parametrize("name", ["symmetric", "chinchilla", "asymmetric"])
def test_closed_form_is_the_vertex_of_a_numerical_parabola(name, width, center):
    law, n = surface(name), 15
    v = np.linspace(-1, 1, n) * np.log(width)
    best = scaling.compute_optimal(law, 1e20)
    size = best.params * center * np.exp(v)
    loss = law.loss(size, 1e20 / (6 * size)) - best.loss
    c2, c1, _ = np.linalg.lstsq(np.vander(v / v[-1], 3), loss / np.ptp(loss), rcond=None)[0]
    bias = scaling.fit.parabola_bias(law.alpha, law.beta, width, n, center)
    assert np.log(bias) == pytest.approx(np.log(center) - c1 / (2 * c2) * v[-1], abs=1e-10)


def test_closed_form_is_what_fit_isoflop_finds_on_simulated_runs():
    bias = scaling.fit.parabola_bias(CHINCHILLA.alpha, CHINCHILLA.beta, width=8, n_sizes=15)
    runs = scaling.simulate_runs(CHINCHILLA, scaling.simulate.isoflop_design(BUDGETS, 15, 8, law=CHINCHILLA))
    ratio = scaling.fit_isoflop(runs).points["params"] / scaling.compute_optimal(CHINCHILLA, BUDGETS).params
    np.testing.assert_allclose(ratio, bias, rtol=1e-7)


def test_shift_of_czech_et_al_to_six_decimals():
    """Their grids of ±2x to ±16x on the Chinchilla surface; the widest on the asymmetric one from its intercepts."""
    found = np.log10(scaling.fit.parabola_bias(0.34, 0.28, [2, 4, 8, 16], 15))
    np.testing.assert_allclose(found, [0.001422, 0.005688, 0.012794, 0.022735], atol=6e-7)
    intercepts = [float(scaling.published(f"czech2026/recovery/asymmetric/{name}")) for name in ("b0_true", "b0")]
    assert np.log10(scaling.fit.parabola_bias(0.465, 0.155, 16, 15)) == pytest.approx(-np.diff(intercepts)[0], abs=1e-6)


def test_leading_order_of_the_shift():
    """(alpha - beta) ln 10 / 6 <w^4>/<w^2>, whose relative error falls with the square of the width."""
    errors = []
    for width in (1.1, 1.2, 8.0):
        w = np.linspace(-1, 1, 15) * np.log10(width)
        leading = (0.34 - 0.28) * np.log(10) / 6 * np.mean(w**4) / np.mean(w**2)
        errors.append(leading / np.log10(scaling.fit.parabola_bias(0.34, 0.28, width)) - 1)
    assert abs(errors[0]) < 1e-5
    assert errors[1] / errors[0] == pytest.approx((np.log(1.2) / np.log(1.1)) ** 2, rel=0.05)
    assert errors[2] == pytest.approx(0.0128005 / 0.0127938 - 1, abs=1e-5)


def test_bias_has_the_symmetries_of_the_valley():
    """Exchanging size and data turns the valley round; equal exponents have none on a centred grid."""
    forth, back = (
        scaling.fit.parabola_bias(0.34, 0.28, 8, center=2.0),
        scaling.fit.parabola_bias(0.28, 0.34, 8, center=0.5),
    )
    assert forth * back == pytest.approx(1, rel=1e-12)
    assert scaling.fit.parabola_bias(0.31, 0.31, [2, 100]) == pytest.approx([1, 1], abs=1e-12)


def test_bias_broadcasts():
    found = scaling.fit.parabola_bias([0.34, 0.465], [0.28, 0.155], np.array([[2.0], [4.0], [8.0]]), center=1.2)
    assert found.shape == (3, 2)
    assert found[2, 1] == scaling.fit.parabola_bias(0.465, 0.155, 8.0, center=1.2)
    assert np.ndim(scaling.fit.parabola_bias(0.34, 0.28)) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(alpha=0.0), "alpha must be finite and larger than 0, got 0"),
        (dict(beta=-0.1), "beta must be finite and larger than 0, got -0.1"),
        (dict(width=1.0), "width must be finite and larger than 1, got 1"),
        (dict(center=np.array([1.0, np.nan])), "center must be finite and larger than 0, got nan"),
        (dict(n_sizes=3), "n_sizes must be a whole number, at least 4, got 3"),
        (dict(n_sizes=7.5), "n_sizes must be a whole number"),
    ],
)
def test_bias_names_the_bad_argument(arguments, words):
    with pytest.raises(ValueError, match=words):
        scaling.fit.parabola_bias(**(dict(alpha=0.34, beta=0.28) | arguments))


def plain_resamples(runs, n_resamples, seed, fraction):
    """ln N at the minima by a loop: draw a budget's runs, again if they have too few sizes, and fit a parabola."""
    rng, columns, redrawn = np.random.default_rng(seed), [], 0
    for _, group in runs.groupby("budget"):
        u, loss, n = np.log(group["params"].to_numpy()), group["loss"].to_numpy(), len(group)
        minima = []
        while len(minima) < n_resamples:
            if fraction is None:
                rows = rng.integers(0, n, n)
            else:
                rows = rng.choice(n, max(4, round(fraction * n)), replace=False)
            if len(np.unique(u[rows])) < 4:
                redrawn += 1
                continue
            c2, c1, _ = np.polyfit(u[rows] - u.mean(), loss[rows], 2)
            lowest = u.mean() - c1 / (2 * c2)
            minima.append(lowest if c2 > 0 and u[rows].min() < lowest < u[rows].max() else np.nan)
        columns.append(minima)
    return np.transpose(columns), redrawn


@pytest.mark.parametrize("fraction", [None, 0.8])
@pytest.mark.parametrize(("noise", "repeats"), [(0.004, 1), (0.05, 1), (0.02, 2)])
def test_resamples_are_the_parabolas_of_a_plain_loop(noise, repeats, fraction):
    """Also where some draws have too few sizes, open downwards or have their minimum beyond the sizes drawn."""
    design = scaling.simulate.isoflop_design(BUDGETS, n_sizes=6, law=CHINCHILLA)
    runs = scaling.simulate_runs(CHINCHILLA, pd.concat([design] * repeats, ignore_index=True), noise=noise, seed=3)
    fit = scaling.fit_isoflop(runs)
    minima, log_budgets, note = fit._sampler(150, 5, fraction, False)
    plain, redrawn = plain_resamples(fit.runs, 150, 5, fraction)
    np.testing.assert_allclose(minima, plain, rtol=1e-9)
    assert np.isnan(plain).any() or noise < 0.05
    assert ("redrawn" in note) == (redrawn > 0)
    assert ("as they are" in note) == (fraction is not None)
    assert redrawn or repeats > 1 or fraction
    samples = fit.resample(150, 5, fraction, scaled=False).samples
    for row in (0, 149):
        seen = np.isfinite(plain[row])
        slope = np.polyfit(log_budgets[seen], plain[row, seen], 1)[0] if seen.sum() > 1 else np.nan
        assert samples["a"].iloc[row] == pytest.approx(slope, rel=1e-9, nan_ok=True)
