"""Laws: values, inverses, constants by name, errors."""

import numpy as np
import pytest

import scaling


def test_chinchilla_is_its_formula():
    law = scaling.ChinchillaLaw(E=1.7, A=400.0, B=410.0, alpha=0.34, beta=0.28)
    N, D = np.geomspace(1e7, 1e12, 6)[:, None], np.geomspace(1e9, 1e13, 5)
    np.testing.assert_allclose(law.loss(N, D), 1.7 + 400 / N**0.34 + 410 / D**0.28, rtol=1e-13)
    assert isinstance(law.loss(1e9, 1e10), float)


def test_published_sets_come_from_the_table():
    law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    assert float(scaling.published("besiroglu2024/estimates/A")) == law.A
    with pytest.raises(ValueError, match="known: hoffmann2022"):
        scaling.ChinchillaLaw.from_published("chinchilla")


@pytest.mark.parametrize(
    ("params", "tokens", "match"),
    [(0, 1e9, "params must be positive, got 0"), (1e9, [-1, 1], "tokens must be positive, got -1"), (np.nan, 1, "nan")],
)
def test_arguments_must_be_positive(params, tokens, match):
    with pytest.raises(ValueError, match=match):
        scaling.ChinchillaLaw.from_published("hoffmann2022").loss(params, tokens)


def test_power_law_and_its_inverse():
    law = scaling.PowerLaw(3.0, -0.4, 1.2)
    x = np.geomspace(1, 1e8, 9)
    np.testing.assert_allclose(law.inverse(law(x)), x, rtol=1e-10)
    with pytest.raises(ValueError, match="offset"):
        law.inverse(1.1)
    with pytest.raises(ValueError, match="x must be positive"):
        law(0)


def test_rounding_a_law_names_what_is_rounded():
    law = scaling.ChinchillaLaw.from_published("hoffmann2022")
    rounded = law.rounded({"alpha": 2, "beta": 2})
    assert (rounded.alpha, rounded.beta) == (0.34, 0.28)
    assert rounded.A == law.A


def test_laws_print_their_constants():
    assert (
        repr(scaling.ChinchillaLaw(1.7, 400.25, 410, 0.34, 0.28))
        == "ChinchillaLaw(E=1.7, A=400.25, B=410, alpha=0.34, beta=0.28)"
    )
    assert "<3 values>" in repr(scaling.PowerLaw(np.ones(3), 0.5))


def test_a_frontier_without_a_loss_prints_itself():
    curves = scaling.simulate.simulate_curves(
        scaling.ChinchillaLaw.from_published("besiroglu2024"), np.geomspace(3e7, 3e10, 20)
    )
    law = scaling.fit_envelope(curves).law
    assert repr(scaling.FrontierLaw(law.params, law.tokens)).startswith("FrontierLaw(params=PowerLaw(")
    assert "loss" not in repr(scaling.FrontierLaw(law.params, law.tokens))


def test_constants_that_are_arrays_become_columns():
    many = scaling.ChinchillaLaw(np.array([1.7, 1.8]), 400.0, np.array([410.0, 420.0]), 0.34, 0.28)
    N = np.geomspace(1e8, 1e10, 3)
    found = many.as_column().loss(N, 20 * N)
    np.testing.assert_array_equal(found[1], scaling.ChinchillaLaw(1.8, 400.0, 420.0, 0.34, 0.28).loss(N, 20 * N))
    for law in (scaling.laws.DataConstrainedLaw(many, 15.0), scaling.laws.RosenfeldLaw(many, 11.0)):
        assert law.as_column().base.B.shape == (2, 1)


def test_the_exponents_of_the_optimum_are_the_slopes_of_the_optima():
    law = scaling.ChinchillaLaw(E=1.7, A=400.0, B=900.0, alpha=0.4, beta=0.1)
    best = scaling.compute_optimal(law, np.array([1e20, 1e24]))
    assert (law.a, law.b) == pytest.approx((0.2, 0.8), rel=1e-12)
    assert np.diff(np.log(best.params))[0] / np.log(1e4) == pytest.approx(0.2, rel=1e-10)
    assert np.diff(np.log(best.tokens))[0] / np.log(1e4) == pytest.approx(0.8, rel=1e-10)
