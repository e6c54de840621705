"""The optimum of the coupled law: k cancels, in every answer that asks only how size and tokens are shared out."""

from dataclasses import replace

import numpy as np
import pytest

import scaling
from scaling.laws import CoupledLaw, DataConstrainedLaw
from scaling.optimum import (
    data_constrained_optimal,
    deadweight_compute,
    inference_optimal,
    overtraining_overhead,
    tokens_to_reach,
)
from scaling.runs import Meter

SUM = scaling.ChinchillaLaw(E=0.0, A=5e3, B=1.3e5, alpha=0.46, beta=0.55)
BUDGETS = np.geomspace(1e18, 1e26, 5)
EACH = pytest.mark.parametrize("k", [0.15, 0.7, 1.0, 2.0])


def law_of(k):
    return CoupledLaw(1.8, SUM.A, SUM.B, SUM.alpha, SUM.beta, k)


@EACH
def test_the_optimum_is_that_of_the_sum(k):
    law = law_of(k)
    best, plain = scaling.compute_optimal(law, BUDGETS), scaling.compute_optimal(SUM, BUDGETS)
    np.testing.assert_allclose(best.params, plain.params, rtol=1e-12)
    np.testing.assert_allclose(best.tokens, plain.tokens, rtol=1e-12)
    np.testing.assert_allclose(best.loss, 1.8 + plain.loss**k, rtol=1e-12)
    assert (law.a, law.b) == (SUM.a, SUM.b)
    for step in (0.99, 1.01):
        assert (law.loss(best.params * step, best.tokens / step) > best.loss).all()


@EACH
@pytest.mark.parametrize("question", ["params", "tokens", "loss"])
def test_the_optimum_can_be_asked_four_ways(k, question):
    best = scaling.compute_optimal(law_of(k), BUDGETS)
    again = scaling.compute_optimal(law_of(k), **{question: getattr(best, question)})
    np.testing.assert_allclose(again.flops, best.flops, rtol=1e-9)
    with pytest.raises(ValueError, match="loss must lie above the law's E = 1.8, got 1.7"):
        scaling.compute_optimal(law_of(k), loss=1.7)


def test_another_count_of_compute_moves_it_as_it_moves_that_of_the_sum():
    meter = Meter("power", 3.0, 1.1)
    best, plain = (scaling.compute_optimal(law, 1e21, meter=meter) for law in (law_of(0.3), SUM))
    assert best.params == pytest.approx(plain.params, rel=1e-12)


@EACH
def test_what_is_wasted_and_overtraining_do_not_depend_on_k(k):
    law, N, D = law_of(k), np.geomspace(1e8, 1e11, 4), 3e11
    np.testing.assert_allclose(deadweight_compute(law, N, D), deadweight_compute(SUM, N, D), rtol=1e-12)
    ours, plain = overtraining_overhead(law, 0.5), overtraining_overhead(SUM, 0.5)
    assert ours.tokens == pytest.approx(plain.tokens, rel=1e-12)
    best = scaling.compute_optimal(law, 1e22)
    assert law.loss(best.params / 2, best.tokens * ours.tokens) == pytest.approx(best.loss, rel=1e-12)
    cheaper = scaling.compute_optimal(law, 6 * 1e9 * D - deadweight_compute(law, 1e9, D))
    assert cheaper.loss == pytest.approx(law.loss(1e9, D), rel=1e-12)


@EACH
def test_the_cheapest_model_over_its_life_is_that_of_the_sum(k):
    law = law_of(k)
    loss = law.loss(1e10, 2e11)
    found, plain = (inference_optimal(each, at, 1e12) for each, at in ((law, loss), (SUM, SUM.loss(1e10, 2e11))))
    assert found.params == pytest.approx(plain.params, rel=1e-10)
    assert law.loss(found.params, found.tokens) == pytest.approx(loss, rel=1e-12)
    assert tokens_to_reach(law, found.params, loss) == pytest.approx(found.tokens, rel=1e-8)
    with pytest.raises(ValueError, match="it must lie above the law's E = 1.8"):
        inference_optimal(law, 1.7, 1e12)


@EACH
def test_repeated_data_are_shared_out_as_under_the_sum(k):
    laws = [DataConstrainedLaw(base, 15.4, 5.3) for base in (law_of(k), SUM)]
    ours, plain = (data_constrained_optimal(law, 1e22, 1e10) for law in laws)
    assert ours.tokens == pytest.approx(plain.tokens, rel=1e-10)
    assert ours.loss == pytest.approx(1.8 + plain.loss**k, rel=1e-12)


def test_members_without_an_optimum_get_nan():
    many = replace(law_of(0.3), A=np.array([5e3, 0.0]), k=np.array([0.3, 0.5]))
    best = scaling.compute_optimal(many, 1e21)
    assert np.isnan(best.params).tolist() == [False, True]
    assert best.loss[0] == scaling.compute_optimal(law_of(0.3), 1e21).loss
    assert np.isnan(inference_optimal(many, 3.0, 1e12).tokens).tolist() == [False, True]


def test_the_two_simpler_laws_are_cases_of_it():
    N, D = np.geomspace(1e7, 1e11, 5), np.geomspace(1e12, 1e9, 5)
    additive = replace(SUM, E=1.8)
    np.testing.assert_allclose(law_of(1.0).loss(N, D), additive.loss(N, D), rtol=1e-14)
    np.testing.assert_allclose(CoupledLaw.joining(additive, 0.2).loss(N, 1e30), additive.loss(N, np.inf), rtol=1e-12)
    np.testing.assert_allclose(CoupledLaw.joining(additive, 0.2).loss(1e200, D), additive.loss(np.inf, D), rtol=1e-12)
    kaplan = scaling.laws.KaplanLaw.from_published()
    ratio = kaplan.alpha_N / kaplan.alpha_D
    joint = CoupledLaw(0.0, kaplan.N_c**ratio, kaplan.D_c, ratio, 1.0, kaplan.alpha_D)
    np.testing.assert_allclose(joint.loss(N, D), kaplan.loss(N, D), rtol=1e-12)
