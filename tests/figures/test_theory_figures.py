"""Figures of theory: every part and level that was given is drawn, in its colour and place."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from scaling import figures

AVERAGES = {
    name: pd.DataFrame({"value": [level, level + 0.1], "se": [0.01, 0.02]}, index=[2, 5])
    for name, level in {"gibbs": 0.6, "bayes": 0.4}.items()
}
LEVELS = {":": {"gibbs": 0.67, "bayes": 0.5}, "--": {"gibbs": 0.62, "bayes": 0.44}}
SHARES = pd.DataFrame({"feed_forward": [0.6, 0.7], "embedding": [0.4, 0.3]})


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


class TestYardsticks:
    def test_points_and_bars(self):
        ax = figures.plot_yardsticks(AVERAGES, LEVELS)
        points, _, (bars,) = ax.containers[0]
        np.testing.assert_allclose(points.get_xydata(), [[2, 0.6], [5, 0.7]])
        np.testing.assert_allclose(bars.get_segments()[1][:, 1], [0.66, 0.74])

    def test_levels_in_the_colour_of_their_yardstick(self):
        ax = figures.plot_yardsticks(AVERAGES, LEVELS)
        drawn = {(line.get_linestyle(), line.get_color()): line.get_ydata()[0] for line in ax.lines}
        for name, color in zip(AVERAGES, figures.PALETTE, strict=False):
            assert all(drawn[style, color] == levels[name] for style, levels in LEVELS.items())

    def test_legend(self):
        ax = figures.plot_yardsticks(AVERAGES, {})
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Gibbs", "Bayes"]


class TestBlock:
    PARTS = pd.DataFrame(
        {"layer": [False, True, True, False], "parameters": ["a", "b", "c", "d"], "FLOPs": ["p", "q", "r", "s"]},
        index=["embedding", "attention", "feed-forward", "logits"],
    )

    def test_every_text_stands_beside_its_part(self):
        ax = figures.plot_block(self.PARTS, "three times")
        place = {text.get_text(): text.get_position() for text in ax.texts if text.get_text()}
        for name, part in self.PARTS.iterrows():
            assert place[name][1] == place[part["parameters"]][1] == place[part["FLOPs"]][1]
        assert place["parameters"][0] == place["d"][0] < place["FLOPs"][0] == place["s"][0]
        assert list(self.PARTS.index) == sorted(self.PARTS.index, key=lambda name: place[name][1])

    def test_the_frame_holds_the_layer_and_nothing_else(self):
        _, given = plt.subplots()
        ax = figures.plot_block(self.PARTS, "three times", ax=given)
        frame = ax.patches[0].get_bbox()
        inside = {text.get_text() for text in ax.texts if frame.contains(*text.get_position())}
        assert ax is given
        assert inside - {""} == {"attention", "feed-forward", "b", "c", "q", "r", "three times"}

    def test_the_stream_passes_by_what_is_added(self):
        ax = figures.plot_block(self.PARTS, "once", added=[("attention", "feed-forward")])
        way, joint = ax.lines
        height = {text.get_text(): text.get_position()[1] for text in ax.texts if text.get_text()}
        assert height["embedding"] < way.get_ydata().min() < height["attention"]
        assert height["feed-forward"] < way.get_ydata().max() < height["logits"]
        assert joint.get_ydata()[0] == way.get_ydata().max() == height["+"]


class TestShares:
    def test_stack_fills_the_axes(self):
        _, given = plt.subplots()
        ax = figures.plot_shares([1e8, 1e9], SHARES, ax=given)
        assert ax is given
        assert (ax.get_xlim(), ax.get_ylim(), ax.get_xscale()) == ((1e8, 1e9), (0, 1), "log")
        tops = [area.get_paths()[0].vertices[:, 1].max() for area in ax.collections]
        np.testing.assert_allclose(tops, [0.7, 1.0])

    def test_colours_by_part_and_legend_from_the_top(self):
        ax = figures.plot_shares([1e8, 1e9], SHARES, colors={"embedding": "red", "feed_forward": "blue"})
        faces = [area.get_facecolor()[0][:3].tolist() for area in ax.collections]
        assert faces == [[0, 0, 1], [1, 0, 0]]
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["embedding", "feed-forward"]


class TestSizeExponents:
    def test_lines_and_named_levels(self):
        ax = figures.plot_size_exponents([1e3, 1e9], {"1e5": [0.9, 0.8]}, {"Table 6": 0.73})
        curve, level = ax.lines
        np.testing.assert_allclose(curve.get_xydata(), [[1e3, 0.9], [1e9, 0.8]])
        assert (curve.get_label(), level.get_ydata()[0]) == ("1e5", 0.73)
        assert [(text.get_text(), text.xy) for text in ax.texts] == [("Table 6: 0.73", (3e9, 0.73))]

    def test_axes(self):
        ax = figures.plot_size_exponents([1e3, 1e9], {}, {})
        assert ax.get_xscale() == "log"
        assert ax.get_xlabel()
        assert ax.get_ylabel()
