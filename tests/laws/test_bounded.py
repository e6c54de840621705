"""Lovelace et al.'s form: its limits and its turn, by SymPy and by differences."""

import numpy as np
import pytest
import sympy as sp

from scaling import ChinchillaLaw
from scaling.laws import BoundedLaw

LAW = BoundedLaw(E=1.7, L0=10.8, a=50, b=50, c=1e-4, alpha=0.34, beta=0.28, gamma=0.5, delta=0.3)


def test_small_sums_are_hoffmanns_law_and_large_ones_the_ceiling():
    E, L0, h, a, b, x, y, s = sp.symbols("E L_0 h a b x y s", positive=True)
    form = E + (L0 - E) * h / (1 + h)
    small = form.subs(h, s * (a * x + b * y))  # s counts powers of what is small
    assert sp.simplify(sp.series(small, s, 0, 2).removeO() - (E + s * (L0 - E) * (a * x + b * y))) == 0
    assert sp.limit(form, h, sp.oo) == L0
    span = LAW.L0 - LAW.E
    plain = ChinchillaLaw(E=LAW.E, A=span * LAW.a, B=span * LAW.b, alpha=LAW.alpha, beta=LAW.beta)
    far = BoundedLaw(**{**LAW.constants, "c": 0.0})
    N, D = 1e22, 1e26
    assert far.loss(N, D, D) - LAW.E == pytest.approx(plain.loss(N, D) - LAW.E, rel=1e-5)
    assert far.loss(1e-40, D, D) == pytest.approx(LAW.L0, rel=1e-12)


def test_most_params_is_where_the_loss_turns():
    N, D, a, c, alpha, gamma, delta = sp.symbols("N D a c alpha gamma delta", positive=True)
    slope = (a / N**alpha + c * N**gamma / D**delta).diff(N)
    turn = (alpha * a * D**delta / (gamma * c)) ** (1 / (alpha + gamma))
    values = {a: 50, c: 1e-4, alpha: 0.34, gamma: 0.5, delta: 0.3, D: 1e8}
    assert abs(float((slope * N).subs(N, turn).subs(values))) < 1e-12
    unique = np.array([1e6, 1e8, 1e10])
    most = LAW.most_params(unique)
    np.testing.assert_allclose(most[1], float(turn.subs(values)), rtol=1e-12)
    for size, text in zip(most, unique, strict=True):
        here = LAW.loss(size, 1e12, text)
        assert here < LAW.loss(0.9 * size, 1e12, text)
        assert here < LAW.loss(1.1 * size, 1e12, text)


def test_more_reading_never_harms_and_fewer_distinct_tokens_do():
    tokens = np.geomspace(1e6, 1e13, 50)
    assert (np.diff(LAW.loss(1e9, tokens, 1e8)) < 0).all()
    assert (np.diff(LAW.loss(1e9, 1e12, tokens)) < 0).all()
    with pytest.raises(ValueError, match="unique_tokens must be positive"):
        LAW.loss(1e9, 1e12, 0)
