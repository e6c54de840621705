"""Repeated tokens: limits, monotonicity, the best allocation against brute force, the authors' numbers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from scaling import Allocation, ChinchillaLaw, compute_optimal, data_constrained_optimal
from scaling.laws import DataConstrainedLaw, effective_amount

BASE = ChinchillaLaw.from_published("besiroglu2024")
LAW = DataConstrainedLaw.from_published()
positive = st.floats(1e-3, 1e3)
exponent = st.floats(0.05, 1.5)
decay = st.floats(0.01, 1e3) | st.just(np.inf)


@given(positive, positive)
def test_what_is_new_counts_in_full(share, decay):
    assert effective_amount(min(share, 1.0), 1.0, decay) == min(share, 1.0)


@given(st.floats(1, 1e3), positive, positive)
def test_each_repetition_is_worth_less_than_the_last(epochs, unique, decay):
    worth = effective_amount(np.array([epochs, epochs + 1, epochs + 2]) * unique, unique, decay)
    assert worth[2] - worth[1] <= worth[1] - worth[0] + 1e-9 * unique
    assert np.all(worth <= unique * (1 + decay) * (1 + 1e-12))


def test_it_is_the_integral_of_a_decaying_worth():
    """Muennighoff et al. 2023, section 3.1, in continuous repetitions."""
    integral, _ = quad(lambda repetition: np.exp(-repetition / 15.4), 0, 3)
    assert effective_amount(4.0, 1.0, 15.4) == pytest.approx(1 + integral, rel=1e-12)


@pytest.mark.parametrize(("epochs", "share"), [(2, 0.984), (4, 0.9314), (40, 0.379)])
def test_repeated_tokens_beside_fresh_ones(epochs, share):
    assert effective_amount(epochs, 1.0, LAW.repeated_tokens) / epochs == pytest.approx(share, abs=5e-4)


def test_an_infinite_decay_constant_makes_repeated_tokens_new():
    assert effective_amount(5.0, 1.0, np.inf) == 5.0
    amounts = effective_amount([3.0, 3.0, 0.5], 1.0, [np.inf, 1e9, np.inf])
    np.testing.assert_allclose(amounts, [3.0, 3.0, 0.5], rtol=1e-8)


def test_finite_and_infinite_excess_may_stand_in_one_law():
    law = DataConstrainedLaw(BASE, 15.0, np.array([5.0, np.inf]))
    for i, excess in enumerate([5.0, np.inf]):
        assert law.loss(1e10, 1e10, 1e10)[i] == DataConstrainedLaw(BASE, 15.0, excess).loss(1e10, 1e10, 1e10)


def test_without_repetition_it_is_the_base_law():
    law = DataConstrainedLaw(BASE, 15.0)
    assert law.loss(1e9, 2e10, 2e10) == BASE.loss(1e9, 2e10)
    assert law.loss(1e9, 2e10, 5e11) == BASE.loss(1e9, 2e10)


def test_useful_params_are_those_to_which_the_tokens_are_optimal():
    law = DataConstrainedLaw(BASE, 15.0, 5.0)
    best = compute_optimal(BASE, 1e22)
    assert law.useful_params(best.tokens) == pytest.approx(best.params, rel=1e-9)


def test_excess_parameters_are_worth_less():
    unlimited, limited = DataConstrainedLaw(BASE, 15.0), DataConstrainedLaw(BASE, 15.0, 5.0)
    useful = limited.useful_params(1e10)
    assert limited.loss(0.9 * useful, 1e10, 1e10) == unlimited.loss(0.9 * useful, 1e10, 1e10)
    assert limited.loss(5 * useful, 1e10, 1e10) > unlimited.loss(5 * useful, 1e10, 1e10)


def test_it_broadcasts():
    law = DataConstrainedLaw.from_published()
    losses = law.loss(np.geomspace(1e8, 1e10, 4)[:, None], np.geomspace(1e9, 1e12, 5), 1e10)
    assert losses.shape == (4, 5)
    assert np.isfinite(losses).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((-1, 1, 1), "amount must be positive, got -1"), ((1, 0, 1), "unique .* got 0"), ((1, 1, np.nan), "decay")],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        effective_amount(*arguments)


def test_unknown_constants_are_refused():
    with pytest.raises(ValueError, match="known: muennighoff2023"):
        DataConstrainedLaw.from_published("chinchilla")


# ------------------------------------------------------------------ the best allocation


def balance(law, params, tokens, unique_tokens):
    """Both sides of the first-order condition over one another, from derivatives of the loss by differences."""
    step = 1e-5
    size = law.loss(params * np.exp([-step, step]), tokens, unique_tokens)
    data = law.loss(params, tokens * np.exp([-step, step]), unique_tokens)
    return (size[1] - size[0]) / (data[1] - data[0])


@pytest.mark.parametrize(
    ("flops", "unique", "params", "tokens", "loss"),
    [(1e22, 25e9, 7.0262e9, 237.21e9, 2.222129), (1e24, 1e12, 8.56e10, 1.947e12, None)],
)
def test_known_allocations(flops, unique, params, tokens, loss):
    best = data_constrained_optimal(LAW, flops, unique)
    assert best.params == pytest.approx(params, rel=5e-4)
    assert best.tokens == pytest.approx(tokens, rel=5e-4)
    if loss:
        assert best.loss == pytest.approx(loss, abs=5e-7)
        assert best.tokens / unique == pytest.approx(9.488, abs=5e-4)


def test_outside_the_fitted_range_it_asks_for_hundreds_of_epochs():
    assert data_constrained_optimal(LAW, 1e22, 1e9).tokens / 1e9 == pytest.approx(305, abs=0.5)


@pytest.mark.parametrize("excess", [0.5, 5.3, np.inf])
@pytest.mark.parametrize("repeated", [0.5, 15.4, np.inf])
@pytest.mark.parametrize("budget", [1e20, 1e22, 1e25])
def test_no_other_allocation_has_a_lower_loss(excess, repeated, budget):
    law = DataConstrainedLaw(BASE, repeated, excess)
    best = data_constrained_optimal(law, budget, 1e10)

    def loss(log_tokens):
        return law.loss(budget / 6 / np.exp(log_tokens), np.exp(log_tokens), 1e10)

    grid = np.linspace(np.log(best.tokens) - 8, np.log(best.tokens) + 8, 4001)
    start = grid[np.argmin(loss(grid))]
    found = minimize_scalar(loss, bounds=(start - 0.01, start + 0.01), method="bounded", options={"xatol": 1e-10})
    assert best.loss <= found.fun * (1 + 1e-13)
    if loss(found.x + 0.1) - found.fun > 1e-6:  # else the bottom is flat to the last digit
        assert np.log(best.tokens) == pytest.approx(found.x, abs=1e-4)


@given(exponent, exponent, decay, decay, st.floats(1e-6, 40))
@example(1.40625, 0.109375, 641.0, np.inf, 27.15625)  # Newton's steps go to and fro between two points
def test_the_first_order_condition_holds(alpha, beta, repeated, excess, span):
    law = DataConstrainedLaw(ChinchillaLaw(0.0, 1.0, 1.0, alpha, beta), repeated, excess)
    unique = 1e6
    useful = law.useful_params(unique)
    best = data_constrained_optimal(law, 6 * unique * useful * np.exp(span), unique)
    repetitions, more = best.tokens / unique - 1, best.params / useful - 1

    def log_pull(exponent, repetitions, decay):  # of a term, over its value without repetition
        effective = effective_amount(1 + repetitions, 1.0, decay)
        return np.log1p(repetitions) - (1 + exponent) * np.log(effective) - repetitions / decay

    size, data = log_pull(alpha, more, excess), log_pull(beta, repetitions, repeated)
    assert size == pytest.approx(data, rel=1e-5, abs=1e-9)
    assert best.params * best.tokens * 6 == pytest.approx(best.flops, rel=1e-12)


def test_derivatives_of_the_loss_agree_that_it_is_a_minimum():
    best = data_constrained_optimal(LAW, 1e22, 25e9)
    assert balance(LAW, best.params, best.tokens, 25e9) == pytest.approx(1, abs=1e-5)


@given(st.floats(1e15, 1e28), st.floats(1, 1e6))
def test_plenty_of_data_is_compute_optimal(budget, plenty):
    law = DataConstrainedLaw(BASE, 15.4, 5.3)
    free = compute_optimal(BASE, budget)
    best = data_constrained_optimal(law, budget, free.tokens * plenty * (1 + 1e-12))
    for name in ("params", "tokens", "loss"):
        assert getattr(best, name) == pytest.approx(getattr(free, name), rel=1e-9)


def test_the_solution_is_continuous_where_data_begin_to_bind():
    free = compute_optimal(LAW.base, 1e22)
    best = data_constrained_optimal(LAW, 1e22, free.tokens * (1 - 1e-9))
    assert best.tokens == pytest.approx(free.tokens, rel=1e-8)


def test_repetition_without_decay_is_no_limit():
    free, best = compute_optimal(BASE, 1e24), data_constrained_optimal(DataConstrainedLaw(BASE, np.inf), 1e24, 1e9)
    assert best.tokens == pytest.approx(free.tokens, rel=1e-9)
    assert best.loss == pytest.approx(free.loss, rel=1e-12)


def test_worthless_repetition_leaves_one_epoch():
    best = data_constrained_optimal(DataConstrainedLaw(BASE, 1e-9), 1e24, 1e9)
    assert best.tokens == pytest.approx(1e9, rel=1e-6)


def test_scarcity_costs_loss_and_is_monotone():
    best = data_constrained_optimal(LAW, 1e23, np.geomspace(1e8, 1e13, 200))
    assert (np.diff(best.loss) <= 1e-14).all()
    assert (np.diff(best.tokens) <= 0).all()  # scarce tokens are read more often, and more of them in all
    budgets = data_constrained_optimal(LAW, np.geomspace(1e18, 1e26, 200), 1e10)
    assert (np.diff(budgets.loss) <= 1e-14).all()
    assert (np.diff(budgets.tokens) > 0).all()
    assert (np.diff(budgets.params) > 0).all()


def test_epochs_depend_on_the_overhang_alone():
    """Any coefficients, any budget: only C over the compute for which the tokens suffice, R* and the exponents."""
    epochs = []
    for A, B, unique in ((500.0, 1500.0, 25e9), (3.0, 9e4, 1e7)):
        law = replace(LAW, base=ChinchillaLaw(1.0, A, B, 0.34, 0.3))
        budget = 40 * 6 * unique * law.useful_params(unique)
        epochs.append(data_constrained_optimal(law, budget, unique).tokens / unique)
    assert epochs[0] == pytest.approx(epochs[1], rel=1e-9)


def test_allocations_broadcast_and_take_a_bootstrap():
    law = DataConstrainedLaw(ChinchillaLaw(1.7, np.array([400.0, 0.0, 500.0]), 1500.0, 0.35, 0.36), 15.0, 5.0)
    best = data_constrained_optimal(law, np.geomspace(1e20, 1e24, 4)[:, None], 1e10)
    assert isinstance(best, Allocation)
    assert best.params.shape == best.loss.shape == (4, 3)
    assert np.isnan(best.params[:, 1]).all()
    assert np.isfinite(best.loss[:, [0, 2]]).all()
    single = DataConstrainedLaw(replace(law.base, A=500.0), 15.0, 5.0)
    assert best.tokens[3, 2] == data_constrained_optimal(single, 1e24, 1e10).tokens
    assert data_constrained_optimal(LAW, np.empty(0), 1e10).params.shape == (0,)


@pytest.mark.parametrize(
    ("law", "flops", "unique", "error", "message"),
    [
        (LAW, -1e22, 1e9, ValueError, "flops must be positive, got -1e"),
        (LAW, 1e22, 0, ValueError, "unique_tokens must be positive, got 0"),
        (LAW, np.nan, 1e9, ValueError, "flops must be positive, got nan"),
        (LAW, np.inf, 1e9, ValueError, "flops must be finite, got inf"),
        (LAW, 1e22, np.inf, ValueError, "unique_tokens must be finite, got inf"),
        (LAW, 1e300, 1e-60, ValueError, "beyond the range"),
        (replace(LAW, repeated_tokens=0.0), 1e22, 1e9, ValueError, "repeated_tokens must be positive, got 0"),
        (replace(LAW, excess_params=-1.0), 1e22, 1e9, ValueError, "excess_params must be positive, got -1"),
        (replace(LAW, base=replace(BASE, beta=0.0)), 1e22, 1e9, ValueError, "beta = 0 is not positive"),
        (BASE, 1e22, 1e9, TypeError, "ChinchillaLaw"),
    ],
)
def test_impossible_allocations_are_refused(law, flops, unique, error, message):
    with pytest.raises(error, match=message):
        data_constrained_optimal(law, flops, unique)


@given(*(st.floats(-1e3, 1e3) | st.floats() for _ in range(4)), *(st.floats() for _ in range(2)))
def test_any_input_gives_finite_numbers_or_a_value_error(repeated, excess, alpha, beta, flops, unique):
    law = DataConstrainedLaw(ChinchillaLaw(1.7, 400.0, 1500.0, alpha, beta), repeated, excess)
    try:
        best = data_constrained_optimal(law, flops, unique)
    except ValueError:
        return
    assert all(np.isfinite(x) for x in (best.params, best.tokens, best.loss))
    assert best.params * best.tokens == pytest.approx(flops / 6, rel=1e-6)
