"""Clark et al.'s law of routed models, and its fit."""

import numpy as np
import pandas as pd
import pytest

from scaling import FitError, bootstrap
from scaling.fit import fit_routed
from scaling.laws import GranularLaw, RoutedLaw

TRUTH = RoutedLaw(-0.083, -0.12, 0.01, 1.11, 2.0, 300.0)


def grid(law=TRUTH, noise=0.0, seed=0):
    params, experts = (x.ravel() for x in np.meshgrid(np.geomspace(1.5e7, 1.3e9, 6), 2.0 ** np.arange(10)))
    loss = law.loss(params, experts) * np.exp(noise * np.random.default_rng(seed).standard_normal(params.size))
    return pd.DataFrame({"params": params, "tokens": 1.3e11, "loss": loss, "num_experts": experts})


def test_a_number_by_hand():
    law = RoutedLaw(-0.1, -0.2, 0.01, 1.0, 2.0, 200.0)
    assert law.effective_experts(1) == pytest.approx(2.0)
    free = 1 / (1 / 2 - 1 / 200)
    e = np.log10(1 / (1 / (9 + free) + 1 / 200))
    assert np.log10(law.loss(1e8, 10)) == pytest.approx(-0.8 - 0.2 * e + 0.08 * e + 1.0)


@pytest.mark.parametrize("router", ["s_base", "rl_r", "hash"])
def test_limits_of_the_effective_experts(router):
    law = RoutedLaw.from_published(router)
    assert law.effective_experts(1) == pytest.approx(law.E_start)
    assert law.effective_experts(1e12) == pytest.approx(law.E_max, rel=1e-6)
    assert (np.diff(law.effective_experts(np.geomspace(1, 1e6, 50))) > 0).all()


def test_experts_help_up_to_the_cutoff_and_no_further():
    law = RoutedLaw.from_published("rl_r")
    assert law.loss(law.cutoff / 2, 256) < law.loss(law.cutoff / 2, 1)
    assert law.loss(law.cutoff, 256) == pytest.approx(law.loss(law.cutoff, 1), rel=1e-12)
    assert law.loss(law.cutoff * 2, 256) > law.loss(law.cutoff * 2, 1)
    assert RoutedLaw(-0.1, -0.2, 0.0, 1.0, 2.0, 200.0).cutoff == np.inf


def test_the_effective_size_is_that_of_a_dense_model_of_the_same_loss():
    size = TRUTH.effective_params(1e8, [1, 2, 64])
    assert size[0] == pytest.approx(1e8)
    np.testing.assert_allclose(TRUTH.loss(size, 1), TRUTH.loss(1e8, [1, 2, 64]), rtol=1e-12)


@pytest.mark.parametrize("objective", ["log_squares", "log_huber", "log_absolute", "squares"])
def test_the_fit_recovers_a_known_law(objective):
    if objective == "squares":
        law = fit_routed(grid(), objective="huber", delta=np.inf).law
    else:
        law = fit_routed(grid(), objective=objective).law
    np.testing.assert_allclose(list(law.constants.values()), list(TRUTH.constants.values()), rtol=1e-5)


def test_the_fit_is_the_least_of_a_search_over_both_experts():
    """With E_start and E_max fixed the rest is linear least squares, written out here."""
    table = grid(noise=0.005)
    fit = fit_routed(table, objective="log_squares")
    x, y = np.log10(table["params"].to_numpy()), np.log(table["loss"].to_numpy())

    def least(start, most):
        e = np.log10(RoutedLaw(0, 0, 0, 0, start, most).effective_experts(table["num_experts"].to_numpy()))
        terms = np.column_stack([x, e, x * e, np.ones_like(x)])
        return np.sum((terms @ np.linalg.lstsq(terms, y, rcond=None)[0] - y) ** 2)

    law = fit.law
    at = least(law.E_start, law.E_max)
    around = [least(law.E_start * p, law.E_max * q) for p in (0.9, 1.0, 1.1) for q in (0.9, 1.0, 1.1)]
    assert at == min(around)
    assert np.sum(fit.residuals**2) == pytest.approx(at, rel=1e-9)
    assert fit.starts_agreeing == fit.n_starts


def test_resamples_scatter_about_the_truth():
    boot = bootstrap(fit_routed(grid(noise=0.005), objective="log_squares"), n_resamples=12, seed=1)
    assert boot.samples["a"].std() > 0
    assert boot.samples["a"].mean() == pytest.approx(TRUTH.a, abs=0.005)


def test_what_is_refused():
    with pytest.raises(FitError, match="the column 'num_experts' is needed"):
        fit_routed(grid().drop(columns="num_experts"))
    with pytest.raises(FitError, match="column 'num_experts', rows 0, 1, .*: 0, and a positive finite number"):
        fit_routed(grid().assign(num_experts=0.0))
    with pytest.raises(FitError, match="num_experts"):
        _ = fit_routed(grid().assign(num_experts=4.0)).law
    with pytest.raises(ValueError, match="params must be positive"):
        TRUTH.loss(-1.0, 2)


# --- granularity ------------------------------------------------------------------------------------------------------


def test_granular_loss_by_hand():
    law = GranularLaw(a=20.0, alpha=0.1, b=30.0, beta=0.2, g=2.0, gamma=0.5, c=0.5)
    assert law.loss(1e10, 1e10, 4) == pytest.approx(0.5 + (1.0 + 20.0) / 10 + 30.0 / 100)


def test_granularity_is_worth_a_factor_in_size_up_to_a_limit():
    law = GranularLaw.from_published()
    size = law.effective_params(1e9, [1, 8, 1e12])
    np.testing.assert_allclose(law.loss(size, 1e11, 1), law.loss(1e9, 1e11, [1, 8, 1e12]), rtol=1e-12)
    assert size[0] == pytest.approx(1e9)
    assert size[2] / 1e9 == pytest.approx((1 + law.g / law.a) ** (1 / law.alpha), rel=1e-5)
