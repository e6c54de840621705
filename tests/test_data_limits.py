"""Repeated tokens: limits, monotonicity, the authors' numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from scaling import ChinchillaLaw, DataConstrainedLaw, compute_optimal, effective_amount

BASE = ChinchillaLaw.from_published("besiroglu2024")
positive = st.floats(1e-3, 1e3)


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
    [((-1, 1, 1), "amount must be positive, got -1"), ((1, 0, 1), "unique .* got 0"), ((1, 1, np.nan), "half_life")],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        effective_amount(*arguments)


def test_unknown_constants_are_refused():
    with pytest.raises(ValueError, match="known: muennighoff2023"):
        DataConstrainedLaw.from_published("chinchilla")
