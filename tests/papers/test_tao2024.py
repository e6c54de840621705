"""The vocabularies' paper: its approach 3 as coded and as meant, its envelope."""

import numpy as np
import pytest

from scaling.laws import VocabularyLaw
from scaling.papers import tao2024
from scaling.sources import is_available

pytestmark = pytest.mark.skipif(not is_available("tao2024"), reason="the runs of tao2024 are not here")
PRINTED = VocabularyLaw.from_published("tao2024/approach3")


def test_the_authors_constants_are_in_the_valley_of_their_objective():
    above = tao2024.objective(PRINTED) / tao2024.fit()[1] - 1
    assert above == pytest.approx(6.3e-6, abs=2e-7)
    assert tao2024.objective(tao2024.fit()[0]) == pytest.approx(tao2024.fit()[1], rel=1e-12)


def test_their_code_counts_tokens_that_were_not_there():
    over = tao2024.fitted_runs()["tokens"] / tao2024.fitted_runs(as_coded=False)["tokens"]
    assert (over.min(), over.max()) == pytest.approx((2.65, 3.01), abs=0.01)
    assert len(over) == 1054
    missed = PRINTED.predict(tao2024.fitted_runs(as_coded=False)) - tao2024.fitted_runs()["unigram_normalised"]
    assert missed.mean() == pytest.approx(0.46, abs=0.01)


def test_no_constants_are_better_than_those_of_the_fit():
    law, value = tao2024.fit()
    for name in ("A1", "A2", "alpha2", "B", "E"):
        for factor in (0.999, 1.001):
            moved = VocabularyLaw.of({**law.constants, name: factor * law.constants[name]})
            assert tao2024.objective(moved) > value


def test_the_best_vocabulary_is_where_its_derivative_vanishes():
    found = tao2024.best_vocabulary(PRINTED, 7e9, 4096, 7e21)
    around = [PRINTED.value(7e9, 4096 * v, 7e21 / (6 * (7e9 + 4096 * v))) for v in (0.9 * found, found, 1.1 * found)]
    assert around[1] == min(around)
    assert tao2024.vocabulary_of_70b(PRINTED) == pytest.approx(218e3, rel=1e-3)
    assert tao2024.vocabulary_of_70b(tao2024.fit(as_coded=False)[0]) == pytest.approx(66e3, rel=0.01)


def test_the_envelope_has_ever_lower_losses():
    points = tao2024.envelope()
    assert len(points) == 125
    assert points["flops"].is_monotonic_increasing
    assert (np.diff(points["loss"]) < 0).all()


@pytest.mark.slow
def test_the_runs_do_not_tell_the_best_vocabulary_by_approach_3():
    low, high = np.percentile(tao2024.resampled(60, seed=0), [10, 90])
    assert low < 60e3
    assert high > 2e6
    low, high = np.percentile(tao2024.resampled(60, seed=0, as_coded=False), [10, 90])
    assert low < 1e3
    assert high > 5e5
