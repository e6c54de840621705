"""The multi-power law's paper: what its read-me and its code say, and the law of annealing momentum beside it."""

import numpy as np
import pytest

from scaling import published
from scaling.papers import luo2025
from scaling.sources import is_available

pytestmark = pytest.mark.skipif(not is_available("luo2025"), reason="the curves of luo2025 are not here")


def test_schedules_are_those_that_the_files_record():
    for name in (*luo2025.FITTED, *luo2025.TESTED):
        table = luo2025.curve("25M", name)
        rates = luo2025.schedule(name)[table["step"].to_numpy(int)]
        np.testing.assert_allclose(rates, table["learning_rate"], rtol=1e-3)


@pytest.mark.slow
def test_the_authors_descent_ends_after_as_many_updates_as_the_reasons_say():
    for size, (times, updates) in luo2025.BELOW.items():
        assert luo2025.authors_descent(size)[1] == int(updates)
        table, schedules = luo2025.fitted_curves(size)
        points = luo2025.Curves.of(table, schedules)
        law = luo2025.MultiPowerCurves.of(points, luo2025.EVERY)
        law = luo2025.replace(law, logs=np.log(points.total), centres=(0.0, 0.0))
        constants = np.array([float(published(f"luo2025/{size}/{name}")) for name in luo2025.CONSTANTS])
        value, _ = luo2025._objective(law, constants)
        assert value / luo2025.fit(size).value == pytest.approx(float(times), rel=0.03)


def test_the_descent_hardly_moves_the_worth_of_a_fall():
    decayed = 378.18 * (1 - luo2025.STEP * luo2025.DECAY) ** 81  # from where the simpler law has it
    assert luo2025.authors_descent("25M")[0]["B"] == pytest.approx(decayed, rel=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("size", luo2025.SIZES)
def test_several_starts_reach_the_minimum(size):
    fit = luo2025.fit_multi_power(*luo2025.fitted_curves(size))
    assert fit.starts_agreeing == 4
    assert fit.value == pytest.approx(luo2025.fit(size).value, rel=1e-9)


def test_annealing_momentum_on_curves_that_it_was_not_fitted_to():
    """From the cosine and the constant curve of 24,000 steps; errors in per cent."""
    law = luo2025.momentum_fit("25M", luo2025.FITTED[:2]).law
    assert (law.L0, law.A, law.alpha, law.C) == pytest.approx((3.164, 0.509, 0.524, 0.406), abs=6e-4)
    errors = luo2025.momentum_errors("25M")
    seen = np.sqrt((errors.iloc[:2] ** 2).mean())
    found = seen, errors["wsd_20000_24000"], errors["wsdld_20000_24000"], errors["cosine_72000"]
    assert found == pytest.approx((0.10, 0.14, 0.11, 0.29), abs=5e-3)


@pytest.mark.slow
def test_the_multi_power_law_foresees_the_test_curves_better_than_momentum():
    """Where the descent stopped, and, less so, at the minimum."""
    for size in luo2025.SIZES:
        momentum = luo2025.measures(luo2025.momentum_fit(size).law, size)["RMSE"]
        for law, share in ((luo2025.published_law(size), 0.9), (luo2025.fit(size).candidate, 0.97)):
            assert luo2025.measures(law, size)["RMSE"].mean() < share * momentum.mean()
