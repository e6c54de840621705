"""The Step law's paper: what its claims say about the public runs."""

import pytest

import scaling
from scaling.laws import StepLaw
from scaling.papers import li2025
from scaling.sources import is_available

pytestmark = pytest.mark.skipif(not is_available("steplaw2025"), reason="the runs of steplaw2025 are not here")


def test_the_loss_does_not_tell_the_papers_constants_from_those_of_the_public_runs():
    theirs, ours = (li2025.excess(li2025.grids(), law).mean() for law in (StepLaw.from_published(), li2025.law()))
    assert (theirs, ours) == pytest.approx((0.096, 0.096), abs=1e-3)
    assert li2025.excess(li2025.grids(), StepLaw.from_published()).sem() == pytest.approx(0.023, abs=5e-4)


def test_each_size_less_moves_the_exponent_of_the_rate():
    moved = li2025.without_a_size()["mu"] - li2025.law().mu
    assert moved.abs().max() == pytest.approx(0.045, abs=5e-3)


def test_the_law_holds_for_mixtures_of_experts_by_all_their_parameters():
    runs, law = li2025.grids("moe"), StepLaw.from_published()
    by_all = li2025.excess(runs, law).mean()
    by_active = li2025.excess(runs.assign(params=runs["params_active"]), law).mean()
    assert by_all == pytest.approx(0.16, abs=0.01)
    assert by_active > 3 * by_all


def test_the_best_batch_falls_with_the_size_in_the_public_runs():
    slopes = [
        li2025.regress(runs, "batch_tokens", "params", "tokens")[1]
        for runs in (li2025.best(li2025.grids()), li2025.near_best(li2025.grids()))
    ]
    assert slopes == pytest.approx([-0.35, -0.27], abs=6e-3)
    assert len(li2025.near_best(li2025.grids())) == 129


def test_seventeen_pairs_do_not_settle_an_allocation():
    """The two objectives put the exponent a at .69 and .56."""
    fits = [scaling.fit_parametric(li2025.frontier(), objective=each) for each in ("log_huber", "log_squares")]
    assert [fit.status for fit in fits] == ["weak", "weak"]
    assert [fit.candidate.a for fit in fits] == pytest.approx([0.69, 0.56], abs=6e-3)
