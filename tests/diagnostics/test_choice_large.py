"""The draws of many held-out runs."""

import numpy as np

from scaling.diagnostics import choice
from scaling.diagnostics.trials import Trial


def test_means_of_many_squares_are_drawn_as_those_of_single_runs(monkeypatch):
    rng = np.random.default_rng(0)
    n = 3000
    common = rng.normal(size=n)
    errors = {"one": 0.01 * common, "other": 0.012 * common + 0.004 * rng.normal(size=n)}
    trial = object.__new__(Trial)
    object.__setattr__(trial, "errors", errors)
    object.__setattr__(trial, "noise", np.nan)
    normal = choice._drawn(trial, ["one", "other"], 4000, np.random.default_rng(1))
    monkeypatch.setattr(choice, "MOST_DRAWN", n)
    single = choice._drawn(trial, ["one", "other"], 4000, np.random.default_rng(2))
    for values in (normal - single.mean(0), single - single.mean(0)):
        assert np.abs(values.mean(0)).max() < 4 * single.std(0).max() / np.sqrt(4000) * 2**0.5
    np.testing.assert_allclose(normal.std(0), single.std(0), rtol=0.06)
    ratio = [np.diff(each, axis=1).std() for each in (normal, single)]
    np.testing.assert_allclose(ratio[0], ratio[1], rtol=0.06)
