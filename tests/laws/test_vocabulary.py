"""The law of vocabularies, and that of the best learning rate: numbers by hand, units, limits, what is refused."""

import numpy as np
import pytest

from scaling import published
from scaling.laws import StepLaw, VocabularyLaw

LAW = VocabularyLaw(A1=2.0, alpha1=0.5, A2=3.0, alpha2=0.5, B=4.0, beta=0.5, E=5.0)


def test_a_number_that_was_computed_by_hand():
    assert LAW.value(4.0, 9.0, 16.0) == 1.0 + 1.0 + 1.0 - 5.0
    assert LAW.value(np.inf, np.inf, np.inf) == -5.0


def test_the_authors_units():
    constants = {"A1": 2.0, "alpha1": 0.5, "A2": 3.0, "alpha2": 0.5, "B": 4.0, "beta": 0.5, "E": 5.0}
    law = VocabularyLaw.of_millions(**constants)
    assert law.value(4e6, 9e6, 16e9) == pytest.approx(-2.0, rel=1e-14)
    assert law.in_millions == pytest.approx(constants)
    read = VocabularyLaw.from_published("tao2024/approach3").in_millions
    assert read["B"] == pytest.approx(float(published("tao2024/approach3/B")))


@pytest.mark.parametrize("lacking", ["A1", "alpha2", "B", "beta", "E"])
def test_a_constant_that_is_missing_is_named(lacking):
    with pytest.raises(TypeError, match=f"missing 1 required positional argument: '{lacking}'"):
        VocabularyLaw.of_millions(**{name: value for name, value in LAW.constants.items() if name != lacking})


def test_what_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="params_vocabulary must be positive, got 0"):
        LAW.value(1e6, 0.0, 1e9)


def test_the_best_rate_and_batch():
    law = StepLaw(c=2.0, mu=-0.5, nu=0.5, d=3.0, delta=0.5)
    assert law.learning_rate(4.0, 9.0) == 3.0 == law.value(4.0, 9.0)
    assert law.batch(16.0) == 12.0
    with pytest.raises(ValueError, match="tokens must be positive"):
        law.batch(0.0)
    read = StepLaw.from_published()
    assert read.learning_rate(1e9, 1e11) < read.learning_rate(1e8, 1e11)
