"""Gadre et al.'s laws: over-training, errors on tasks, and the fit."""

import numpy as np
import pandas as pd
import pytest

from scaling import FitError, bootstrap, compute_optimal, published
from scaling.errors import FitErrorKind
from scaling.fit import fit_overtraining
from scaling.laws import DownstreamLaw, OvertrainingLaw
from scaling.papers import gadre2024
from scaling.sources.datasets import is_available


@pytest.mark.parametrize(
    ("name", "best_ratio", "size"), [("c4", 3.36, 113.7), ("redpajama", 7.42, 166.2), ("refinedweb", 5.85, 125.1)]
)
def test_best_ratio_and_coefficients(name, best_ratio, size):
    """Gadre et al. 2024: a = A 6^eta, with A as the authors' script has it."""
    law = OvertrainingLaw.from_published(name)
    assert law.best_ratio == pytest.approx(best_ratio, abs=0.01)
    np.testing.assert_allclose(law.chinchilla.A, size, atol=0.05)
    assert float(published(f"gadre2024/{name}/A")) == size


def test_it_is_the_parametric_loss_in_other_letters():
    law = OvertrainingLaw.from_published()
    params, ratio = np.geomspace(1e7, 1e11, 5)[:, None], np.geomspace(1, 1000, 7)
    np.testing.assert_allclose(
        law.loss(params, ratio * params), law.chinchilla.loss(params, ratio * params), rtol=1e-12
    )
    best = compute_optimal(law.chinchilla, [1e20, 1e24])
    np.testing.assert_allclose(best.tokens_per_param, law.best_ratio, rtol=1e-12)


def test_refit_of_the_five_runs_and_its_predictions():
    law, large = gadre2024.refit(), gadre2024.runs().loc[list(gadre2024.PREDICTED)]
    assert [law.E, law.a, law.b, law.eta] == pytest.approx([1.837, 212.2, 366.7, 0.1364], rel=5e-4)
    predicted = law.loss(large["params"], large["tokens"])
    assert predicted.tolist() == pytest.approx([2.5198, 2.4427], abs=5e-5)
    assert (100 * (predicted / large["loss"] - 1)).tolist() == pytest.approx([0.71, 0.73], abs=0.005)
    errors = DownstreamLaw.from_published().error(predicted)
    assert errors == pytest.approx([0.4925, 0.4719], abs=1.5e-4)


def test_one_run_less_moves_the_optimum():
    table = gadre2024.leave_one_out()
    assert table["M*"].min() < 6
    assert table["M*"].max() > 30
    with pytest.raises(FitError, match="1 distinct value of tokens per parameter"):
        gadre2024.refit("11M_320")


def test_overtraining_fit_recovers_a_known_law():
    truth = OvertrainingLaw(1.9, 150.0, 300.0, 0.13)
    params, ratio = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 4), [5.0, 20.0, 320.0]))
    runs = pd.DataFrame({"params": params, "tokens": ratio * params})
    law = fit_overtraining(runs.assign(loss=truth.predict(runs))).law
    assert list(law.constants.values()) == pytest.approx(list(truth.constants.values()), rel=1e-5)


def test_overtraining_refuses():
    runs = pd.DataFrame({"params": 1e8 * np.arange(1, 5), "tokens": [1e9, 2e9, 8e9, 4e9], "loss": [4.0, 3.5, 3.0, 2.5]})
    with pytest.raises(FitError, match="3 distinct runs cannot determine 4 constants") as few:
        _ = fit_overtraining(runs.head(3)).law
    assert few.value.kind is FitErrorKind.FEW
    with pytest.raises(FitError, match="1 distinct value of params"):
        _ = fit_overtraining(runs.assign(params=1e8, flops=np.nan).drop(columns="flops")).law
    with pytest.raises(FitError, match="'loss', row 3: zero"):
        fit_overtraining(runs.assign(loss=[1.0, 1.0, 1.0, 0.0]))
    with pytest.raises(ValueError, match="known: c4, redpajama, refinedweb"):
        OvertrainingLaw.from_published("pile")
    with pytest.raises(ValueError, match="17 or 46, got 20"):
        DownstreamLaw.from_published("c4", tasks=20)
    with pytest.raises(ValueError, match="flops must be positive"):
        OvertrainingLaw.from_published().loss_of_budget(0, 20)


def test_no_best_ratio_without_two_positive_terms():
    assert np.isnan(OvertrainingLaw(1, 1.0, -1.0, 0.1).best_ratio)
    ratios = OvertrainingLaw(1, np.array([1.0, -1.0]), np.array([4.0, 4.0]), 0.5).best_ratio
    np.testing.assert_array_equal(ratios, [4.0, np.nan])


@pytest.mark.parametrize("tasks", [17, 46])
def test_error_and_loss_are_inverses(tasks):
    law, loss = DownstreamLaw.from_published("c4", tasks), np.linspace(2, 6, 9)
    np.testing.assert_allclose(law.loss(law.error(loss)), loss, rtol=1e-12)
    assert np.all(np.diff(law.error(loss)) > 0)
    with pytest.raises(ValueError, match="error must be below epsilon"):
        law.loss(0.95)


def test_five_runs_carry_no_interval():
    """The authors fit five runs; resamples of them hold three or four distinct ones, and say nothing."""
    fit = fit_overtraining(gadre2024.runs().loc[list(gadre2024.FITTED)])
    with pytest.raises(FitError, match="5 runs are too few to bootstrap 4 constants") as few:
        bootstrap(fit, n_resamples=20)
    assert few.value.kind is FitErrorKind.FEW


@pytest.mark.skipif(not is_available("gadre2024"), reason="the runs of gadre2024 are not here")
def test_the_runs_of_the_set_are_those_that_were_read_before():
    models = gadre2024.models("redpajama")
    for name, run in gadre2024.runs().iterrows():
        here = models[(models["params"] == run["params"]) & (models["tokens"] == run["tokens"])]
        assert here["loss"].tolist() == pytest.approx([run["loss"]], abs=5e-7), name
    assert gadre2024.law_of("redpajama").constants == pytest.approx(gadre2024.refit().constants, rel=1e-4)
