"""Clark et al.'s table, refitted: what the reasons of its claims say is so."""

import numpy as np
import pytest

import scaling
from scaling.laws import RoutedLaw
from scaling.papers import clark2022
from scaling.sources.datasets import is_available

pytestmark = pytest.mark.skipif(not is_available("clark2022"), reason="the runs of clark2022 are not here")
each_router = pytest.mark.parametrize("router", ["s_base", "rl_r", "hash"])


@each_router
def test_what_rounds_to_the_print_is_as_near_to_the_runs(router):
    best, printed = clark2022.fitted(router).law, clark2022.nearest_to_print(router)
    rounded = RoutedLaw.from_published(router)
    for name, half in {"a": 5e-4, "b": 5e-4, "c": 5e-4, "d": 5e-4}.items():
        assert abs(getattr(printed, name) - getattr(rounded, name)) <= half * (1 + 1e-9)
    assert 1 < clark2022.spread(printed, router) / clark2022.spread(best, router) < 1.01
    assert clark2022.spread(best, router) < 0.0034


@pytest.mark.slow  # some tens of seconds: each resample is searched anew
@each_router
def test_intervals_hold_the_printed_constants_and_leave_the_cutoff_open(router):
    samples = scaling.bootstrap(clark2022.fitted(router), n_resamples=200, seed=0).samples
    for name, value in RoutedLaw.from_published(router).constants.items():
        low, high = np.quantile(samples[name], [0.025, 0.975])
        assert low < value < high, name
    low, high = np.quantile(10 ** (-samples["b"] / samples["c"]), [0.025, 0.975])
    assert high / low > 20
