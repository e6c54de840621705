"""The law of Author et al. 2026: its number by hand, its limits, its arrays, its round trip, and what it refuses."""

import numpy as np
import pytest

import scaling
from scaling.fit import fit_name
from scaling.laws import NameLaw

LAW = NameLaw(E=1.7, A=400.0, B=400.0, alpha=0.34, beta=0.28)
DESIGN = scaling.simulate.grid_design(np.geomspace(1e8, 1e10, 5), np.geomspace(1e9, 1e11, 5))


def test_a_number_that_was_computed_by_hand():
    assert NameLaw(E=1.0, A=10.0, B=100.0, alpha=0.5, beta=1.0).loss(100.0, 50.0) == 1.0 + 1.0 + 2.0


def test_without_limits_of_size_and_data_the_irreducible_loss_remains():
    assert LAW.loss(np.inf, np.inf) == LAW.E
    assert LAW.loss(1e9, np.inf) < LAW.loss(1e9, 1e10) < LAW.loss(1e8, 1e10)


def test_constants_of_resamples_and_arrays_of_runs_broadcast():
    many = NameLaw(E=np.array([1.7, 1.8, 1.9]), A=400.0, B=400.0, alpha=0.34, beta=0.28)
    assert many.loss(np.full((4, 1), 1e9), 1e10).shape == (4, 3)


def test_it_predicts_the_rows_of_a_table():
    runs = scaling.simulate_runs(LAW, DESIGN)
    np.testing.assert_allclose(LAW.predict(runs), runs["loss"])
    with pytest.raises(ValueError, match="tokens"):
        LAW.predict(runs.drop(columns="tokens"))


def test_published_constants_are_read_from_the_table():
    assert NameLaw.from_published("hoffmann2022/eq10").alpha == float(scaling.published("hoffmann2022/eq10/alpha"))
    with pytest.raises(ValueError, match="no published constants"):
        NameLaw.from_published("hoffmann2022/eq99")


def test_runs_without_noise_give_the_law_back():
    found = fit_name(scaling.simulate_runs(LAW, DESIGN)).law
    assert isinstance(found, NameLaw)
    np.testing.assert_allclose(list(found.constants.values()), list(LAW.constants.values()), rtol=1e-6)


def test_what_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="tokens must be positive"):
        LAW.loss(1e9, 0.0)
