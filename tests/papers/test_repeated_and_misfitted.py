"""What the claims of two papers rest on: objectives written out, and designs that know less than was fitted."""

import numpy as np
import pytest

import scaling
from scaling.laws import DataConstrainedLaw
from scaling.papers import misfitting2025, muennighoff2023

needs_misfitting = pytest.mark.skipif(
    not scaling.sources.is_available("misfitting2025"), reason="the runs of misfitting2025 are not here"
)
needs_muennighoff = pytest.mark.skipif(
    not scaling.sources.is_available("muennighoff2023"), reason="the runs of muennighoff2023 are not here"
)


@needs_misfitting
class TestMisfitting:
    def test_the_stored_fit_is_of_every_run_and_just_above_its_least_sum(self):
        stored = misfitting2025.law_of(misfitting2025.stored("form", q) for q in misfitting2025.LOGARITHMS)
        least = scaling.fit_parametric(misfitting2025.runs()).value
        assert misfitting2025.huber_sum(misfitting2025.form()) == pytest.approx(least, rel=1e-12)
        assert 0 < misfitting2025.huber_sum(stored) / least - 1 < 1e-7

    def test_equal_exponents_cost_and_are_no_better_elsewhere(self):
        tied = misfitting2025.tied()
        least = misfitting2025.huber_sum(tied)
        assert least > misfitting2025.huber_sum(misfitting2025.form())
        constants = list(misfitting2025.logarithms(tied).values())
        for change in 1e-3 * np.vstack([np.eye(4), -np.eye(4)]):
            moved = np.array(constants[:4]) + change
            assert misfitting2025.huber_sum(misfitting2025.law_of((*moved, moved[-1]))) > least

    @pytest.mark.parametrize("column", ["params", "tokens"])
    def test_the_line_goes_through_two_budgets(self, column):
        points = misfitting2025.interpolated(column)
        assert points[:, 0] == pytest.approx([2.56e18, 1.024e19])
        slope, intercept = misfitting2025.line(column)
        assert np.exp(intercept) * points[:, 0] ** slope == pytest.approx(points[:, 1], rel=1e-9)


@needs_muennighoff
class TestMuennighoff:
    def test_at_one_epoch_the_law_is_too_low_by_more_than_the_noise(self):
        once = muennighoff2023.finals().query("epochs == 1")
        gaps = once["loss"] - DataConstrainedLaw.from_published().base.loss(once["params"], once["tokens"])
        assert 0.14 < gaps.min() < gaps.max() < 0.23
        own = once["loss"] - muennighoff2023.own_law().loss(once["params"], once["tokens"])
        assert own.abs().max() < 0.03

    def test_the_printed_constants_fit_the_released_runs_nearly_as_well_as_any(self):
        printed = muennighoff2023.shifted_huber_sum(15.387756, 5.309743)
        assert printed < 1.07 * muennighoff2023.shifted_huber_sum(7.06, 7.06)
        assert printed < 0.5 * muennighoff2023.shifted_huber_sum(np.inf, np.inf)

    def test_which_of_the_two_decays_the_released_runs_do_not_say(self):
        """Tokens that decay alone, and both at one rate, fit equally well."""
        alone, both = muennighoff2023.shifted_huber_sum(3.39, np.inf), muennighoff2023.shifted_huber_sum(7.06, 7.06)
        assert alone == pytest.approx(both, rel=0.03)
