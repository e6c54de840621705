"""Figures of studies and of costs: what is drawn is what was given, on the axes that were given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from scaling import figures
from scaling.diagnostics import combine

TRIALS = {
    "narrow": pd.DataFrame({"learning_rate": [0.01, 0.02, 0.04], "loss": [5.0, 4.5, 4.8]}),
    "wide": pd.DataFrame({"learning_rate": [0.005, 0.01, 0.02], "loss": [4.4, 4.1, 4.3]}),
}
CHOSEN = {"narrow": (0.03, 4.6), "wide": (0.008, 4.2)}
EPOCHS = np.array([1.0, 2.0, 4.0])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


class TestLearningRates:
    def test_curves_and_ticks_share_a_colour(self):
        ax = figures.plot_learning_rates(TRIALS, CHOSEN)
        curves, ticks = ax.lines[::2], ax.lines[1::2]
        for (name, each), curve, tick in zip(TRIALS.items(), curves, ticks, strict=True):
            np.testing.assert_allclose(curve.get_xydata(), each)
            np.testing.assert_allclose(tick.get_xydata(), [CHOSEN[name]])
            assert to_hex(curve.get_color()) == to_hex(tick.get_color())
        assert labels(ax) == ["narrow", "wide"]

    def test_no_two_of_many_curves_look_alike(self):
        many = {f"model {number}": TRIALS["wide"] for number in range(12)}
        ax = figures.plot_learning_rates(many, dict.fromkeys(many, CHOSEN["wide"]))
        assert len({to_hex(curve.get_color()) for curve in ax.lines[::2]}) == 12

    def test_every_rate_is_on_the_axis_once(self):
        _, given = plt.subplots()
        ax = figures.plot_learning_rates(TRIALS, CHOSEN, ax=given)
        assert ax is given
        assert ax.get_xscale() == "log"
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.005", "0.01", "0.02", "0.04"]


class TestCostMap:
    DEMANDS, LOSSES = np.geomspace(1e10, 1e12, 5), np.linspace(2.0, 2.4, 4)

    def test_contours_lie_on_their_levels(self):
        ratio = np.broadcast_to(self.LOSSES[:, None] - 1.5, (4, 5))  # rises with the loss only
        ax = figures.plot_cost_map(self.DEMANDS, self.LOSSES, ratio, [0.6, 0.8])
        heights = [path.vertices[:, 1] for path in ax.collections[0].get_paths()]
        np.testing.assert_allclose(np.concatenate(heights).min(), 2.1)
        np.testing.assert_allclose(np.concatenate(heights).max(), 2.3)
        assert sorted(text.get_text() for text in ax.texts) == ["0.6", "0.8"]
        assert not ax.lines

    def test_marks(self):
        _, given = plt.subplots()
        ratio = np.broadcast_to(self.LOSSES[:, None] - 1.5, (4, 5))
        ax = figures.plot_cost_map(self.DEMANDS, self.LOSSES, ratio, [0.7], ([1e11], [2.2]), ax=given)
        assert ax is given
        assert ax.get_xscale() == "log"
        np.testing.assert_allclose(ax.lines[0].get_xydata(), [[1e11, 2.2]])


class TestOvertraining:
    def test_law_runs_and_band(self):
        _, given = plt.subplots()
        ax = figures.plot_overtraining(
            ([20, 200], [3.1, 2.9]), [10, 1000], [3.2, 2.6], ([3.1, 2.4], [3.3, 2.8]), ax=given
        )
        law, runs = ax.lines
        assert ax is given
        np.testing.assert_allclose(law.get_xydata(), [[10, 3.2], [1000, 2.6]])
        np.testing.assert_allclose(runs.get_xydata(), [[20, 3.1], [200, 2.9]])
        heights = ax.collections[0].get_paths()[0].vertices[:, 1]
        assert (heights.min(), heights.max()) == (2.4, 3.3)
        assert labels(ax) == ["the law", "the runs"]

    def test_without_a_band(self):
        ax = figures.plot_overtraining(([20], [3.1]), [10, 1000], [3.2, 2.6], label="of the cheap runs")
        assert not ax.collections
        assert labels(ax)[0] == "of the cheap runs"


class TestWorth:
    def test_runs_curves_and_the_diagonal(self):
        _, given = plt.subplots()
        curves = {"ours": [1, 1.8, 2.5], "theirs": [1, 1.9, 3.4]}
        ax = figures.plot_worth(([1, 2], [1.0, 1.7]), EPOCHS, curves, ax=given)
        runs, *laws, diagonal = ax.lines
        assert ax is given
        np.testing.assert_allclose(runs.get_xydata(), [[1, 1.0], [2, 1.7]])
        for line, worth in zip(laws, curves.values(), strict=True):
            np.testing.assert_allclose(line.get_ydata(), worth)
        np.testing.assert_allclose(diagonal.get_ydata(), EPOCHS)
        assert labels(ax) == ["our runs", "ours", "theirs", "as good as new"]

    def test_axes_double(self):
        ax = figures.plot_worth(([1, 2], [1.0, 1.7]), EPOCHS, {})
        for axis in (ax.xaxis, ax.yaxis):
            assert [tick.get_text() for tick in axis.get_ticklabels()] == ["1", "2", "4", "8", "16"]


class TestAtlas:
    SUMMARY = combine([0.4, 0.5, 0.6], [0.05, 0.05, 0.05])

    @pytest.fixture
    def atlas(self):
        """Two kinds of sets; of the last one only approach 1 says something, and not how well."""
        columns = {f"{name}{end}": np.nan for name in ("a1", "a2", "a3", "a_coupled") for end in ("", "_low", "_high")}
        table = pd.DataFrame(columns, index=["x", "y", "z"]).assign(kind=["grid", "grid", "curves"])
        table.loc[["x", "y"], ["a3", "a3_low", "a3_high"]] = [[0.4, 0.3, 0.6], [0.5, 0.45, 0.55]]
        table.loc["z", "a1"] = 0.7
        return table

    def test_a_row_a_set_below_its_kind(self, atlas):
        ax = figures.plot_atlas(atlas, self.SUMMARY)
        names = [text.get_text() for text in ax.get_yticklabels()]
        assert names == ["grid", "x", "y", "curves", "z"]
        bold = [text.get_text() for text in ax.get_yticklabels() if text.get_weight() == "bold"]
        assert bold == ["grid", "curves"]

    def test_marks_and_intervals_are_those_of_the_table(self, atlas):
        ax = figures.plot_atlas(atlas)
        third = ax.containers[0]
        np.testing.assert_allclose(third.lines[0].get_xdata(), [0.4, 0.5, np.nan])
        np.testing.assert_allclose(third.lines[2][0].get_segments()[0][:, 0], [0.3, 0.6])
        first = ax.containers[3]
        assert first.lines[0].get_xdata()[2] == 0.7
        assert not any(np.ptp(each[:, 0]) for each in first.lines[2][0].get_segments() if len(each))

    def test_the_legend_names_approaches_and_bands(self, atlas):
        ax = figures.plot_atlas(atlas, self.SUMMARY)
        (legend,) = ax.figure.legends
        texts = [text.get_text() for text in legend.get_texts()]
        assert texts[:2] == ["one more source, 95 %", "mean, 95 %"]
        assert "approach 3, coupled law" in texts

    def test_the_mean_is_a_line(self, atlas):
        ax = figures.plot_atlas(atlas, self.SUMMARY)
        assert self.SUMMARY.mean in [line.get_xdata()[0] for line in ax.lines]
