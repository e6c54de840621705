"""Optimal allocations: closed form against brute force, published values, arrays, errors."""

import numpy as np
import pytest

import scaling

NAMES = ["hoffmann2022", "hoffmann2022_rounded", "besiroglu2024"]


@pytest.mark.parametrize("name", NAMES)
def test_no_other_split_of_the_budget_is_better(name):
    law, C = scaling.ChinchillaLaw.from_published(name), 5.76e23
    best = scaling.compute_optimal(law, C)
    N = best.params * np.exp(np.linspace(-1, 1, 2001))
    losses = law.loss(N, C / (6 * N))
    assert losses.argmin() == 1000
    assert best.loss == pytest.approx(losses.min(), rel=1e-14)
    assert 6 * best.params * best.tokens == pytest.approx(C, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_first_order_condition(name):
    """alpha A / N^alpha = beta B / D^beta at the optimum (Hoffmann et al. 2022, equation 4)."""
    law = scaling.ChinchillaLaw.from_published(name)
    best = scaling.compute_optimal(law, np.geomspace(1e18, 1e26, 9))
    size, data = law.terms(best.params, best.tokens)
    np.testing.assert_allclose(law.alpha * size, law.beta * data, rtol=1e-12)


def test_exponents_of_the_frontier():
    law = scaling.ChinchillaLaw.from_published("hoffmann2022")
    C = np.geomspace(1e18, 1e26, 9)
    best = scaling.compute_optimal(law, C)
    slope = np.polyfit(np.log(C), np.log(best.params), 1)[0]
    assert slope == pytest.approx(law.a, rel=1e-10)


def test_constants_may_be_arrays():
    laws = scaling.ChinchillaLaw(E=1.7, A=np.array([400.0, 500.0]), B=410.0, alpha=0.34, beta=np.array([0.28, 0.3]))
    both = scaling.compute_optimal(laws, 1e22)
    one = scaling.compute_optimal(scaling.ChinchillaLaw(1.7, 500.0, 410.0, 0.34, 0.3), 1e22)
    assert both.params.shape == (2,)
    assert both.params[1] == pytest.approx(one.params, rel=1e-14)
    table = scaling.compute_optimal(laws, np.geomspace(1e20, 1e22, 3)[:, None])
    assert table.loss.shape == (3, 2)


def test_members_without_an_optimum_are_nan():
    """A resample in which a term vanished must not take the other resamples' interval with it."""
    laws = scaling.ChinchillaLaw(E=1.7, A=np.array([400.0, 0.0]), B=410.0, alpha=0.34, beta=0.28)
    best = scaling.compute_optimal(laws, np.array([1e21, 1e22])[:, None])
    alone = scaling.compute_optimal(scaling.ChinchillaLaw(1.7, 400.0, 410.0, 0.34, 0.28), np.array([1e21, 1e22]))
    for name in ("params", "tokens", "loss"):
        assert np.isnan(getattr(best, name)[:, 1]).all()
        np.testing.assert_allclose(getattr(best, name)[:, 0], getattr(alone, name), rtol=1e-14)


def test_frontier_states_its_own_allocation():
    law = scaling.FrontierLaw(scaling.PowerLaw(0.1, 0.5), scaling.PowerLaw(1 / 0.6, 0.5))
    best = scaling.compute_optimal(law, 6e22)
    assert best.flops == 6 * best.params * best.tokens or best.flops == pytest.approx(6 * best.params * best.tokens)
    assert np.isnan(best.loss)


@pytest.mark.parametrize("flops", [0, -1e20, np.nan, np.inf, [1e20, -1]])
def test_impossible_budgets_are_named(flops):
    with pytest.raises(ValueError, match="flops must be positive"):
        scaling.compute_optimal(scaling.ChinchillaLaw.from_published("hoffmann2022"), flops)


def test_laws_without_an_optimum_are_refused():
    with pytest.raises(ValueError, match="A = 0 is not positive"):
        scaling.compute_optimal(scaling.ChinchillaLaw(1.7, 0.0, 400, 0.3, 0.3), 1e22)
    with pytest.raises(TypeError, match="PowerLaw"):
        scaling.compute_optimal(scaling.PowerLaw(1, 0.5), 1e22)


# ------------------------------------------------------------------ deadweight compute


def test_deadweight_is_the_budget_less_the_one_that_reaches_the_same_loss():
    law, N, D = scaling.ChinchillaLaw.from_published("hoffmann2022_rounded"), 3e9, 4e12
    wasted = scaling.optimum.deadweight_compute(law, N, D)
    assert scaling.compute_optimal(law, 6 * N * D - wasted).loss == pytest.approx(law.loss(N, D), rel=1e-12)


@pytest.mark.parametrize(("ratio", "percent"), [(1.58, 6.3), (1.75, 9.3), (1.116, 0.37)])
def test_deadweight_of_too_many_tokens(ratio, percent):
    """Chinchilla's printed exponents; Czech et al. 2026 have 6 to 10 % for 58 to 75 % more tokens."""
    law = scaling.ChinchillaLaw.from_published("hoffmann2022_rounded")
    best = scaling.compute_optimal(law, 3.8e25)
    share = scaling.optimum.deadweight_compute(law, best.params / ratio, best.tokens * ratio) / 3.8e25
    assert 100 * share == pytest.approx(percent, abs=0.05 if percent > 1 else 0.005)


def test_deadweight_is_zero_at_the_optimum_and_nowhere_negative():
    law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    best = scaling.compute_optimal(law, np.geomspace(1e18, 1e26, 9))
    assert (scaling.optimum.deadweight_compute(law, best.params, best.tokens) <= 1e-12 * best.flops).all()
    sizes, tokens = np.meshgrid(np.geomspace(1e6, 1e12, 13), np.geomspace(1e8, 1e14, 13))
    assert (scaling.optimum.deadweight_compute(law, sizes, tokens) >= 0).all()


def test_deadweight_needs_a_law_of_the_loss():
    with pytest.raises(ValueError, match="tokens must be positive, got 0"):
        scaling.optimum.deadweight_compute(scaling.ChinchillaLaw.from_published("besiroglu2024"), 1e9, 0)
    frontier = scaling.FrontierLaw(scaling.PowerLaw(0.1, 0.5), scaling.PowerLaw(1.0, 0.5))
    with pytest.raises(TypeError, match="FrontierLaw gives no loss away from its optimum"):
        scaling.optimum.deadweight_compute(frontier, 1e9, 1e10)


class Foreign:
    """A law that nobody here has heard of."""

    def loss(self, params, tokens):
        return LAW.loss(params, tokens) ** 1.5


LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
ASKED = {
    "sum": LAW,
    "over-training": scaling.laws.OvertrainingLaw.from_published(),
    "envelope": scaling.laws.RosenfeldLaw(LAW, 11.0),
    "frontier": scaling.FrontierLaw(
        scaling.PowerLaw(0.1, 0.5), scaling.PowerLaw(1.7, 0.5), scaling.PowerLaw(20.0, -0.05, 1.7)
    ),
    "Kaplan's trends": scaling.optimum.KaplanFrontier.from_published(),
    "Kaplan's theory": scaling.optimum.KaplanTraining.from_published().frontier(),
    "foreign": Foreign(),
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("question", ["params", "tokens", "loss"])
def test_every_optimum_can_be_asked_four_ways(name, question):
    best = scaling.compute_optimal(ASKED[name], np.array([1e20, 1e23]))
    again = scaling.compute_optimal(ASKED[name], **{question: getattr(best, question)})
    exact = 1e-5 if name == "foreign" else 1e-10
    np.testing.assert_allclose(again.flops, best.flops, rtol=exact * 30)
    np.testing.assert_allclose(again.params, best.params, rtol=exact * 30)


def test_a_search_finds_what_the_closed_form_says():
    budgets = np.geomspace(1e17, 1e27, 6)
    searched, exact = scaling.compute_optimal(Foreign(), budgets), scaling.compute_optimal(LAW, budgets)
    np.testing.assert_allclose(searched.params, exact.params, rtol=1e-5)
    np.testing.assert_allclose(searched.loss, exact.loss**1.5, rtol=1e-13)


def test_the_optimum_of_resamples_can_be_asked_four_ways_too():
    many = scaling.ChinchillaLaw(np.array([1.8, 1.7]), 480.0, np.array([2000.0, 0.0]), 0.35, 0.37)
    best = scaling.compute_optimal(many, loss=2.5)
    assert np.isnan(best.params[1])
    assert best.loss[0] == pytest.approx(2.5, rel=1e-12)


@pytest.mark.parametrize("question", [{"flops": 1e21}, {"params": 1e9}, {"loss": 2.0}])
@pytest.mark.parametrize("pulls", [(1, 0), (0, 1), (0, 0)], ids=["size alone", "tokens alone", "nothing"])
def test_a_law_that_only_one_of_them_moves_has_no_optimum(pulls, question):
    class Indifferent:
        def loss(self, params, tokens):
            size, data = LAW.terms(params, tokens)
            return LAW.E + pulls[0] * size + pulls[1] * data

    with pytest.raises(ValueError, match="no compute-optimal allocation|has an optimum of this"):
        scaling.compute_optimal(Indifferent(), **question)


@pytest.mark.parametrize(
    ("law", "question", "error", "words"),
    [
        (LAW, {}, ValueError, "ask for one of flops, params, tokens or loss; got none"),
        (LAW, {"flops": 1e20, "loss": 2.0}, ValueError, "got flops, loss"),
        (LAW, {"loss": 1.5}, ValueError, "loss must lie above the law's E"),
        (LAW, {"params": -1.0}, ValueError, "params must be positive and finite, got -1"),
        (ASKED["envelope"], {"loss": 12.0}, ValueError, "below the guess, got 12"),
        (
            scaling.FrontierLaw(scaling.PowerLaw(0.1, 0.5), scaling.PowerLaw(1.7, 0.5)),
            {"loss": 2.0},
            ValueError,
            "this frontier states no loss",
        ),
        (Foreign(), {"loss": 1.0}, ValueError, "no budget up to 1e\\+40 FLOPs has an optimum of this loss"),
        (scaling.laws.KaplanLaw.from_published(), {"flops": 1e20}, TypeError, "read until the loss rises"),
        (scaling.laws.ShapeLaw.from_published(), {"flops": 1e20}, TypeError, "of params, tokens and aspect"),
        (scaling.laws.KaplanStepsLaw.from_published(), {"flops": 1e20}, TypeError, "of params and steps"),
        (scaling.laws.SigmoidLaw(0.25, 0.9, 4.0, 2.5), {"flops": 1e20}, TypeError, "is of loss"),
    ],
)
def test_questions_without_an_answer_are_refused(law, question, error, words):
    with pytest.raises(error, match=words):
        scaling.compute_optimal(law, **question)


def test_an_optimum_that_no_number_tells_is_missing_and_not_zero():
    """As of resampled laws whose terms are as good as alike in nothing: others in the same array keep theirs."""
    constants = ([1.7, 1.7], [400.0, 1e-300], [1000.0, 1e300], [0.34, 0.01], [0.36, 0.012], [1.0, 1.0])
    law = scaling.laws.CoupledLaw(*map(np.array, constants))
    found = scaling.compute_optimal(law, 1e22)
    assert np.isnan(found.params[1])
    assert np.isnan(found.loss[1])
    alone = scaling.compute_optimal(scaling.laws.CoupledLaw(1.7, 400.0, 1000.0, 0.34, 0.36, 1.0), 1e22)
    assert found.params[0] == alone.params
