"""Figures of a league: what they draw is what the league holds."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from scaling.diagnostics import League
from scaling.figures import plot_foresight, plot_league


@pytest.fixture
def found():
    """Three tables, two hold-outs, two laws and the mixture."""
    rng, rows = np.random.default_rng(0), []
    for table in "abc":
        for kind in ("compute", "size"):
            for law, level in (("Chinchilla", 0.02), ("other", 0.01), ("stacking", 0.012)):
                rms = level * np.exp(rng.normal(0, 0.1))
                fitted = np.nan if law == "stacking" else rms / 2
                rows.append((table, kind, law, 5, "solved", rms, np.nan, fitted, fitted, 0.0))
    names = ["table", "holdout", "law", "constants", "status", "rms", "noise_units", "fitted", "inner", "bias"]
    splits = pd.DataFrame({"table": list("abc"), "holdout": "compute", "refused": ""})
    return League.of(pd.DataFrame(rows, columns=names), splits, n_draws=200)


def test_a_league_is_drawn_best_first_from_the_top(found):
    ax = plot_league(found)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[::-1] == found.ranking["law"].tolist()
    dots = next(line for line in ax.lines if line.get_marker() == "o")
    np.testing.assert_allclose(dots.get_xdata()[::-1], found.ranking["ratio"])
    strokes = [line for line in ax.lines if line.get_marker() == "|" and len(line.get_xdata())]
    assert [len(line.get_xdata()) for line in strokes] == [3, 3, 3]
    plt.close(ax.figure)


def test_foresight_draws_what_was_fitted_and_what_was_held_out(found):
    ax = plot_foresight(found.scores)
    drawn = sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() in "os^")
    assert drawn == 12  # the mixture is fitted to nothing
    assert {text.get_text() for text in ax.figure.legends[0].get_texts()} == {
        "Chinchilla",
        "other",
        "held out by compute",
        "held out by size",
    }
    plt.close(ax.figure)
