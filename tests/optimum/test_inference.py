"""Inference-optimal allocations and over-training: against brute force, limits, identities, prices, hostile input."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

import scaling
from scaling import ChinchillaLaw, inference_optimal
from scaling.optimum import CostModel, flop_price, overtraining_overhead

LAWS = [
    ChinchillaLaw.from_published(name)
    for name in ("sardana2024/constants", "hoffmann2022", "besiroglu2024", "sardana2024/table1/all")
]
IDS = ["sardana", "hoffmann", "besiroglu", "sardana refit"]
PRICES = CostModel(training=2.7e-18, prompt=9.8e-19, generation=4.9e-17, prompt_share=0.25)
SETTINGS = settings(max_examples=200)


def whole_flops(law, log_params, loss, demand, weight=1.0):
    """6ND + 2NwD_inf at the tokens that reach the loss; infinite where none do."""
    N = np.exp(log_params)
    left = loss - law.E - law.A * N**-law.alpha
    return np.inf if left <= 0 else N * (6 * (law.B / left) ** (1 / law.beta) + 2 * weight * demand)


@pytest.mark.parametrize("law", LAWS, ids=IDS)
@pytest.mark.parametrize("demand", [0.0, 1e9, 2e12, 1e14, 1e18])
@pytest.mark.parametrize("cost", [None, PRICES], ids=["FLOPs", "dollars"])
def test_no_other_size_is_cheaper(law, demand, cost):
    loss = law.E + 0.3
    best = inference_optimal(law, loss, demand, cost)
    weight = 1.0 if cost is None else cost.weight
    centre = np.log(best.params)
    around = [whole_flops(law, centre + x, loss, demand, weight) for x in np.linspace(-2, 2, 401)]
    assert np.argmin(around) == 200
    smallest = np.log(law.A / 0.3) / law.alpha  # below it no number of tokens is enough
    low = max(centre - 1, smallest + 1e-9 * centre)
    search = dict(bounds=(low, centre + 1), method="bounded", options={"xatol": 1e-10})
    found = optimize.minimize_scalar(lambda x: whole_flops(law, x, loss, demand, weight), **search)
    assert found.x == pytest.approx(centre, abs=1e-6)
    whole = best.flops + weight * best.inference_flops
    assert found.fun * (1 - 1e-9) < whole <= found.fun * (1 + 1e-12)


@pytest.mark.parametrize("law", LAWS, ids=IDS)
@pytest.mark.parametrize("cost", [None, PRICES], ids=["FLOPs", "dollars"])
def test_first_order_condition(law, cost):
    """Both sides of the condition, and the loss, to 1e-12 over twelve decades of demand."""
    loss, demand = law.E + np.geomspace(0.05, 3, 40)[:, None], np.append(0, np.geomspace(1e6, 1e18, 60))
    best = inference_optimal(law, loss, demand, cost)
    size, data = law.terms(best.params, best.tokens)
    weight = 1.0 if cost is None else cost.weight
    np.testing.assert_allclose(
        law.alpha * size / (law.beta * data), 1 + weight * demand / (3 * best.tokens), rtol=1e-12
    )
    np.testing.assert_allclose(law.loss(best.params, best.tokens), best.loss, rtol=1e-12)
    np.testing.assert_allclose(best.flops, 6 * best.params * best.tokens, rtol=1e-15)
    np.testing.assert_allclose(best.inference_flops, 2 * best.params * demand, rtol=1e-15)


@pytest.mark.parametrize("law", LAWS, ids=IDS)
def test_no_demand_is_compute_optimal(law):
    budgets = np.geomspace(1e18, 1e26, 9)
    usual = scaling.compute_optimal(law, budgets)
    best = inference_optimal(law, usual.loss, 0.0)
    np.testing.assert_allclose(best.params, usual.params, rtol=1e-10)
    np.testing.assert_allclose(best.tokens, usual.tokens, rtol=1e-10)


@pytest.mark.parametrize("law", LAWS, ids=IDS)
def test_endless_demand_leaves_the_smallest_model(law):
    """The size tends to (A / (loss - E))**(1/alpha), a fixed share of the compute-optimal one."""
    loss = law.E + 0.4
    usual, best = inference_optimal(law, loss, [0.0, 1e60]).params
    assert best == pytest.approx((law.A / 0.4) ** (1 / law.alpha), rel=1e-6)
    assert best / usual == pytest.approx((1 + law.alpha / law.beta) ** (-1 / law.alpha), rel=1e-6)


@pytest.mark.parametrize("law", LAWS, ids=IDS)
def test_more_demand_smaller_model_on_more_tokens(law):
    best = inference_optimal(law, law.E + 0.3, np.append(0, np.geomspace(1e8, 1e20, 100)))
    assert (np.diff(best.params) < 0).all()
    assert (np.diff(best.tokens) > 0).all()


@pytest.mark.parametrize("law", LAWS, ids=IDS)
def test_the_two_questions_share_one_curve(law):
    """De Vries's tokens for a smaller model are those of the inference-optimal model of that size."""
    loss = law.E + 0.3
    usual, best = inference_optimal(law, loss, 0.0), inference_optimal(law, loss, np.geomspace(1e9, 1e15, 30))
    smaller = overtraining_overhead(law, best.params / usual.params)
    np.testing.assert_allclose(smaller.tokens, best.tokens / usual.tokens, rtol=1e-9)
    np.testing.assert_allclose(smaller.flops, best.flops / usual.flops, rtol=1e-9)


@pytest.mark.parametrize("law", LAWS, ids=IDS)
@pytest.mark.parametrize("C", [1e19, 1e23])
def test_overhead_reaches_the_loss_at_any_budget(law, C):
    best, ratio = scaling.compute_optimal(law, C), np.linspace(0.4, 3, 50)
    smaller = overtraining_overhead(law, ratio)
    reached = law.loss(smaller.params * best.params, smaller.tokens * best.tokens)
    np.testing.assert_allclose(reached, best.loss, rtol=1e-12)
    np.testing.assert_allclose(smaller.flops, smaller.params * smaller.tokens, rtol=1e-15)
    assert (smaller.flops >= 1).all()
    one = overtraining_overhead(law, 1.0)
    assert (one.tokens, one.flops, one.loss) == (1.0, 1.0, 1.0)


def test_overhead_has_a_limit():
    law = LAWS[0]
    limit = (1 + law.alpha / law.beta) ** (-1 / law.alpha)
    assert overtraining_overhead(law, limit * 1.001).tokens > 1e6
    for ratio in (limit * (1 - 1e-12), limit / 2, [0.5, limit / 2]):
        with pytest.raises(ValueError, match=r"size_ratio = 0\.0\d+ is too small.*= 0\.09736"):
            overtraining_overhead(law, ratio)


@pytest.mark.parametrize("ratio", [0, -1, np.nan, np.inf])
def test_impossible_ratios_are_named(ratio):
    with pytest.raises(ValueError, match="size_ratio must be positive and finite"):
        overtraining_overhead(LAWS[0], ratio)


def test_prices():
    price = flop_price(1.5, 312e12, 0.5)
    assert price == pytest.approx(1.5 / 3600 / 156e12, rel=1e-15)
    even = CostModel(price, price, price, prompt_share=0.3)
    assert even.weight == pytest.approx(1, rel=1e-15)
    best, plain = inference_optimal(LAWS[0], 1.95, 1e13, even), inference_optimal(LAWS[0], 1.95, 1e13)
    assert best.params == pytest.approx(plain.params, rel=1e-12)
    assert best.cost == pytest.approx(price * (plain.flops + plain.inference_flops), rel=1e-12)
    assert plain.cost is None
    pricier = CostModel(price, price, 10 * price, prompt_share=0.3)
    assert inference_optimal(LAWS[0], 1.95, 1e13, pricier).params < plain.params
    assert CostModel(price, price, 10 * price, 1.0).weight == pytest.approx(1, rel=1e-15)


def test_only_the_weight_of_the_prices_matters_to_the_size():
    double = CostModel(*(2 * getattr(PRICES, name) for name in ("training", "prompt", "generation")), 0.25)
    one, two = (inference_optimal(LAWS[0], 1.95, 1e13, cost) for cost in (PRICES, double))
    assert two.params == pytest.approx(one.params, rel=1e-12)
    assert two.cost == pytest.approx(2 * one.cost, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"training": 0.0}, "training must be positive and finite, got 0"),
        ({"prompt": -1e-18}, "prompt must be positive"),
        ({"generation": np.inf}, "generation must be positive and finite, got inf"),
        ({"prompt_share": 1.2}, "prompt_share must be between 0 and 1, got 1.2"),
        ({"prompt_share": np.nan}, "prompt_share must be between"),
    ],
)
def test_impossible_prices_are_named(change, match):
    values = dict(training=2e-18, prompt=2e-18, generation=2e-18, prompt_share=0.5) | change
    with pytest.raises(ValueError, match=match):
        CostModel(**values)


@pytest.mark.parametrize("place", range(3))
def test_the_cost_of_less_than_nothing_is_refused(place):
    name = ("params", "tokens", "inference_tokens")[place]
    with pytest.raises(ValueError, match=f"^{name} must be .*, got -1"):
        PRICES.cost(*(-1.0 if k == place else 1e9 for k in range(3)))
    assert PRICES.cost(1e9, 2e10, 0) == pytest.approx(1.2e20 * PRICES.training)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((0, 1e14, 0.5), "dollars_per_hour must be positive and finite, got 0"),
        ((1, -1e14, 0.5), "peak must be positive"),
        ((1, 1e14, 0), "utilisation must be above 0 and at most 1, got 0"),
        ((1, 1e14, 50), "utilisation must be above 0 and at most 1, got 50"),
    ],
)
def test_impossible_hardware_is_named(arguments, match):
    with pytest.raises(ValueError, match=match):
        flop_price(*arguments)


@pytest.mark.parametrize(
    ("loss", "demand", "match"),
    [
        (1.69, 1e12, "loss = 1.69 cannot be reached: it must lie above the law's E = 1.69"),
        ([2.0, 1.5], 1e12, "loss = 1.5 cannot be reached"),
        (np.nan, 1e12, "loss must be a finite number"),
        (np.inf, 1e12, "loss must be a finite number"),
        (2.0, -1.0, "inference_tokens must be at least 0 and finite, got -1"),
        (2.0, [1e12, np.nan], "inference_tokens must be at least 0"),
        (2.0, np.inf, "inference_tokens must be at least 0 and finite, got inf"),
        (np.nextafter(1.69, 2), 1e300, "beyond the range of floating point"),
    ],
)
def test_impossible_demands_are_named(loss, demand, match):
    with pytest.raises(ValueError, match=match):
        inference_optimal(LAWS[0], loss, demand)


@pytest.mark.parametrize(
    "function", [lambda law: inference_optimal(law, 2.0, 1e12), lambda law: overtraining_overhead(law, 0.5)]
)
def test_laws_without_an_optimum_are_refused(function):
    for name in ("A", "B", "alpha", "beta"):
        with pytest.raises(ValueError, match=f"{name} = 0 is not positive"):
            function(ChinchillaLaw(**(LAWS[0].constants | {name: 0.0})))
    with pytest.raises(TypeError, match="PowerLaw"):
        function(scaling.PowerLaw(1, 0.5))


def test_constants_may_be_arrays():
    both = ChinchillaLaw(1.7, np.array([400.0, 500.0]), 410.0, 0.34, np.array([0.28, 0.3]))
    one = ChinchillaLaw(1.7, 500.0, 410.0, 0.34, 0.3)
    table = inference_optimal(both, np.array([1.9, 2.0, 2.1])[:, None], 1e12)
    assert table.params.shape == table.loss.shape == table.inference_flops.shape == (3, 2)
    assert table.params[1, 1] == pytest.approx(inference_optimal(one, 2.0, 1e12).params, rel=1e-14)
    assert overtraining_overhead(both, 0.5).tokens[1] == pytest.approx(
        overtraining_overhead(one, 0.5).tokens, rel=1e-14
    )
    assert isinstance(inference_optimal(one, 2.0, 1e12).params, float)
    assert inference_optimal(one, np.empty(0), 1e12).params.shape == (0,)


def test_members_that_cannot_are_nan():
    """A resample in which a term vanished, or whose E lies above the loss, must not take the others with it."""
    laws = ChinchillaLaw(np.array([1.7, 1.7, 2.5]), np.array([400.0, 0.0, 400.0]), 410.0, 0.34, 0.28)
    best = inference_optimal(laws, 2.0, 1e12, PRICES)
    alone = inference_optimal(ChinchillaLaw(1.7, 400.0, 410.0, 0.34, 0.28), 2.0, 1e12, PRICES)
    for name in ("params", "tokens", "flops", "loss", "inference_flops", "cost"):
        assert np.isnan(getattr(best, name)[1:]).all()
        assert getattr(best, name)[0] == pytest.approx(getattr(alone, name), rel=1e-14)
    with pytest.raises(ValueError, match="loss = 1.6 cannot be reached"):
        inference_optimal(laws, 1.6, 1e12)


def test_overheads_that_cannot_be_had_are_nan():
    laws = ChinchillaLaw(1.7, 400.0, 410.0, np.array([0.34, 1.5]), 0.28)
    limits = (1 + laws.alpha / laws.beta) ** (-1 / laws.alpha)
    between = overtraining_overhead(laws, limits.mean())
    for name in ("params", "tokens", "flops", "loss"):
        assert np.isfinite(getattr(between, name)).tolist() == (limits < limits.mean()).tolist()
    with pytest.raises(ValueError, match="too small"):
        overtraining_overhead(laws, limits.min() / 2)


POSITIVE = st.floats(1e-12, 1e12)
ANY = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, -1.0, 5e-324, 1.7e308]))


def outcome(function, *arguments):
    """The result or the error; a warning fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return function(*arguments)
        except ValueError as error:
            return error


@SETTINGS
@given(st.floats(0, 5), POSITIVE, POSITIVE, st.floats(0.01, 2), st.floats(0.01, 2), ANY, ANY)
def test_an_error_that_helps_or_a_valid_allocation(E, A, B, alpha, beta, loss, demand):
    """Whatever is asked for: the first-order condition holds, or the error says what is wrong."""
    best = outcome(inference_optimal, ChinchillaLaw(E, A, B, alpha, beta), loss, demand)
    if isinstance(best, ValueError):
        assert any(word in str(best) for word in ("loss", "inference_tokens"))
        return
    size, data = A * best.params**-alpha, B * best.tokens**-beta
    assert np.isfinite([best.params, best.tokens, best.flops, best.inference_flops]).all()
    assert size + data == pytest.approx(loss - E, rel=1e-9)
    assert alpha * size == pytest.approx(beta * data * (1 + demand / (3 * best.tokens)), rel=1e-9)


@SETTINGS
@given(st.floats(0.01, 2), st.floats(0.01, 2), ANY)
def test_an_error_that_helps_or_a_valid_overhead(alpha, beta, ratio):
    smaller = outcome(overtraining_overhead, ChinchillaLaw(1.7, 400.0, 410.0, alpha, beta), ratio)
    if isinstance(smaller, ValueError):
        assert "size_ratio" in str(smaller)
        return
    assert np.isfinite([smaller.params, smaller.tokens, smaller.flops]).all()
    balance = beta * smaller.params**-alpha + alpha * smaller.tokens**-beta  # unchanged from the optimum's
    assert balance == pytest.approx(alpha + beta, rel=1e-9)


def test_a_million_broadcast_allocations_are_those_of_one():
    loss, demand = np.linspace(1.8, 3.0, 300)[:, None], np.geomspace(1e8, 1e15, 400)
    grid = inference_optimal(LAWS[0], loss, demand)
    for i, j in ((0, 0), (17, 399), (299, 5), (150, 200)):
        alone = inference_optimal(LAWS[0], loss[i, 0], demand[j])
        assert (grid.params[i, j], grid.tokens[i, j]) == pytest.approx((alone.params, alone.tokens), rel=1e-12)


# --- any law -------------------------------------------------------------------------------------------------------


class Plain:
    """The sum without its name, so that nothing about its form is known."""

    def __init__(self, law):
        self.loss = law.loss


def test_a_law_of_unknown_form_has_the_optimum_of_the_same_law_with_a_name():
    law = scaling.ChinchillaLaw.from_published("sardana2024/constants")
    loss, demand = np.array([[1.8], [1.947], [2.3]]), np.array([0.0, 1e10, 1e13])
    known = scaling.inference_optimal(law, loss, demand)
    found = scaling.inference_optimal(Plain(law), loss, demand)
    np.testing.assert_allclose(found.params, known.params, rtol=1e-6)
    np.testing.assert_allclose(found.tokens, known.tokens, rtol=1e-6)
    total = known.flops + known.inference_flops
    np.testing.assert_allclose(found.flops + found.inference_flops, total, rtol=1e-12)
    np.testing.assert_allclose(law.loss(found.params, found.tokens), np.broadcast_to(loss, (3, 3)), rtol=1e-12)


@pytest.mark.parametrize("demand", [0.0, 1e9, 1e12])
def test_another_law_has_its_own_optimum(demand):
    """Along the curve of equal loss D = D_c / (l**(1/alpha_D) - (N_c/N)**(alpha_N/alpha_D)), on a fine grid."""
    law = scaling.laws.KaplanLaw.from_published()
    N = np.geomspace(2e8, 1e12, 400_001)
    rest = 2.4 ** (1 / law.alpha_D) - (law.N_c / N) ** (law.alpha_N / law.alpha_D)
    N, D = N[rest > 0], law.D_c / rest[rest > 0]
    totals = 6 * N * D + 2 * N * demand
    best = scaling.inference_optimal(Plain(law), 2.4, demand)
    assert best.flops + best.inference_flops == pytest.approx(totals.min(), rel=1e-8)
    assert best.params == pytest.approx(N[totals.argmin()], rel=1e-4)


@pytest.mark.parametrize(
    ("law", "words"),
    [
        (scaling.laws.KaplanLaw.from_published(), "read until the loss rises"),
        (scaling.laws.KaplanStepsLaw.from_published(), "of params and steps, and here params and tokens"),
        (scaling.laws.RoutedLaw.from_published(), "of params and num_experts"),
        (scaling.laws.PrecisionLaw.from_published(), "of params, tokens and bits"),
        (scaling.laws.DataConstrainedLaw.from_published(), "of params, tokens and unique_tokens"),
        (scaling.laws.DownstreamLaw.from_published(), "is of loss"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_a_law_depends_on_is_not_taken_for_tokens(law, words):
    with pytest.raises(TypeError, match=words):
        scaling.inference_optimal(law, 2.6, 1e12)
    if not isinstance(law, scaling.laws.KaplanLaw):  # a data set can be asked for
        with pytest.raises(TypeError, match=words):
            scaling.optimum.tokens_to_reach(law, 1e9, 2.6)


def test_tokens_to_reach_solves_the_law_and_is_infinite_where_none_suffice():
    law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    N, D = np.geomspace(1e7, 1e12, 30), np.geomspace(1e13, 1e9, 30)
    np.testing.assert_allclose(scaling.optimum.tokens_to_reach(law, N, law.loss(N, D)), D, rtol=1e-9)
    assert scaling.optimum.tokens_to_reach(law, 1e7, 1.9) == np.inf
    with pytest.raises(ValueError, match="params must be positive, got -1"):
        scaling.optimum.tokens_to_reach(law, -1, 2.0)


def test_a_loss_that_no_model_reaches_is_named():
    law = scaling.laws.RosenfeldLaw(scaling.ChinchillaLaw.from_published("besiroglu2024"), guess=11.0)
    with pytest.raises(ValueError, match=r"loss = 1.7 cannot be reached: with endless size and data the law has 1\.79"):
        scaling.inference_optimal(law, [2.5, 1.7], 1e12)
    with pytest.raises(TypeError, match="no loss"):
        scaling.inference_optimal("a law", 2.0, 1e12)


@pytest.mark.parametrize("demand", [0.0, 1e12])
@pytest.mark.parametrize("pulls", [(1, 0), (0, 1)], ids=["size alone", "tokens alone"])
def test_a_law_that_only_one_of_them_moves_has_no_cheapest_model(pulls, demand):
    """Not one parameter on 4e11 tokens, nor a billion parameters on one."""
    law = ChinchillaLaw.from_published("besiroglu2024")

    class Indifferent:
        def loss(self, params, tokens):
            size, data = law.terms(params, tokens)
            return law.E + pulls[0] * size + pulls[1] * data

    with pytest.raises(ValueError, match="no cheapest model"):
        inference_optimal(Indifferent(), 2.0, demand)
