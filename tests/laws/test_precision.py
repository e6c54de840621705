"""Kumar et al.'s law of bits: identities, limits, known numbers, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from scaling import compute_optimal
from scaling.laws import PrecisionLaw

PRECISION = PrecisionLaw.from_published()
BARE = PRECISION.without_offsets()


def test_best_bits_with_and_without_the_offsets():
    """Kumar et al. 2024: seven to eight bits need the offsets of Table 2."""
    assert PRECISION.optimal_bits() == pytest.approx(7.00, abs=0.005)
    assert BARE.optimal_bits() == pytest.approx(3.47, abs=0.005)
    mean = (BARE.gamma_w + BARE.gamma_a + BARE.gamma_kv) / 3
    one = PrecisionLaw(BARE.base, mean, mean, mean, 0.06, 0.5, 0.3, 0.6)
    assert one.optimal_bits() == pytest.approx(3.71, abs=0.005)
    assert one.optimal_bits() == pytest.approx(1.9038 * mean, rel=1e-4)


@pytest.mark.parametrize("law", [PRECISION, BARE])
def test_best_bits_minimise_the_cost_of_an_effective_parameter(law):
    found = minimize_scalar(lambda p: p / law.share(p), bounds=(1.05 * law.least_bits + 0.1, 16), method="bounded")
    assert law.optimal_bits() == pytest.approx(found.x, rel=1e-5)


@pytest.mark.parametrize("flops", [1e20, 1e22, 1e24])
def test_best_bits_do_not_depend_on_the_budget(flops):
    """By brute force over bits and sizes, with C = 6/16 N D P."""

    def best_loss(bits):
        params = np.geomspace(1e6, 1e13, 20001)
        return PRECISION.loss(params, 16 * flops / (6 * params * bits), bits).min()

    bits = np.linspace(6, 8, 41)
    assert bits[np.argmin([best_loss(p) for p in bits])] == pytest.approx(7.0, abs=0.051)


@pytest.mark.parametrize(("bits", "share"), [(4, 0.191), (6, 0.611), (8, 0.828), (12, 0.967), (16, 0.994)])
def test_shares_with_offsets(bits, share):
    assert PRECISION.share(bits) == pytest.approx(share, abs=5e-4)


def test_shares_without_offsets_and_by_part():
    assert BARE.share([4, 8]) == pytest.approx([0.639, 0.924], abs=5e-4)
    parts = PRECISION.part_shares(4.0)
    assert [parts[x] for x in ("w", "a", "kv")] == pytest.approx([0.696, 0.331, 0.828], abs=5e-4)
    assert parts["w"] * parts["a"] * parts["kv"] == pytest.approx(PRECISION.share(4.0), rel=1e-12)
    assert PRECISION.share(4.0, np.inf, np.inf) == pytest.approx(parts["w"], rel=1e-12)


def test_at_infinite_precision_it_is_the_base_law():
    assert PRECISION.loss(1e8, 1e10) == PRECISION.base.loss(1e8, 1e10)
    assert PRECISION.loss(1e8, 1e10, 8.0) == PRECISION.base.loss(1e8 * PRECISION.share(8.0), 1e10)


def test_tokens_per_parameter_at_full_precision_are_eighteen_at_every_budget():
    best = compute_optimal(PRECISION.base, [1e20, 1e24])
    assert best.tokens_per_param == pytest.approx([18.01, 18.01], abs=0.005)


@pytest.mark.parametrize(
    ("params", "tokens"),
    [
        (30e6, (1.64e10, 8.86e10, 4.79e11)),
        (220e6, (3.24e10, 1.75e11, 9.48e11)),
        (8e9, (1.11e11, 6.01e11, 3.25e12)),
    ],
)
def test_critical_tokens(params, tokens):
    assert PRECISION.critical_tokens(params, [3, 4, 5]) == pytest.approx(tokens, rel=4e-3)


def test_critical_tokens_are_the_minimum_of_the_quantised_loss():
    tokens = np.geomspace(1e9, 1e13, 40001)
    total = PRECISION.base.loss(1e8, tokens) + PRECISION.quantisation_loss(1e8, tokens, 4.0)
    assert tokens[total.argmin()] == pytest.approx(PRECISION.critical_tokens(1e8, 4.0), rel=5e-4)


def test_loss_added_by_quantising():
    assert PRECISION.quantisation_loss([30e6, 220e6], 26e9, 3) == pytest.approx([0.190, 0.0956], rel=3e-3)


@pytest.mark.parametrize(
    "change",
    [
        dict.fromkeys(("gamma_w", "gamma_a", "gamma_kv"), 1e6),
        dict.fromkeys(("gamma_w", "gamma_a", "gamma_kv"), 1e-6),
        dict(n_w=1e5),
        dict(gamma_w=1e-3, n_w=0.0),
        dict(n_w=0.0, n_a=0.0, n_kv=0.0, gamma_kv=1e5),
    ],
)
def test_the_best_bits_are_best_whatever_their_unit(change):
    law = replace(PRECISION, **change)
    best = law.optimal_bits()
    beyond = best - law.least_bits
    near = law.least_bits + beyond * np.array([0.99, 1.0, 1.01])
    assert (law.share(near) / near).argmax() == 1


def test_precision_refuses():
    with pytest.raises(ValueError, match="gamma_a must be finite, got inf"):
        replace(PRECISION, gamma_a=np.inf).optimal_bits()
    with pytest.raises(ValueError, match="n_w must be a number, got array"):
        replace(PRECISION, n_w=np.array([1.0, 2.0])).optimal_bits()
    with pytest.raises(ValueError, match=r"bits of a must exceed 3\.11.*got 3"):
        PRECISION.share(3.0)
    with pytest.raises(ValueError, match="bits must be positive, got -1"):
        BARE.share(-1.0)
    with pytest.raises(ValueError, match="gamma_w must be positive, got 0"):
        PrecisionLaw(BARE.base, 0.0, 1, 1, 1, 1, 1, 1)
    with pytest.raises(ValueError, match="n_a must be at least 0, got -1"):
        PrecisionLaw(BARE.base, 1, 1, 1, 1, 1, 1, 1, n_a=-1.0)
    with pytest.raises(ValueError, match="known: kumar2024"):
        PrecisionLaw.from_published("kumar2023")
