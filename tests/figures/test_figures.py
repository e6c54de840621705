"""Figures: what is drawn is what was given, axes are labelled, and nothing global changes."""

from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from scaling import figures
from scaling.fit.downstream import fit_downstream
from scaling.fit.parametric import fit_parametric
from scaling.laws.chinchilla import ChinchillaLaw
from scaling.laws.overtraining import SigmoidLaw
from scaling.laws.power import PowerLaw
from scaling.optimum.allocation import compute_optimal
from scaling.runs.nouns import Nouns
from scaling.simulate import chinchilla_like_design, grid_design, isoflop_design, simulate_curves, simulate_runs
from scaling.uncertainty.resampling import bootstrap

matplotlib.use("agg")
LAW = ChinchillaLaw(E=1.7, A=400.0, B=410.0, alpha=0.34, beta=0.28)
RUNS = simulate_runs(LAW, chinchilla_like_design(60), noise=0.01)
CURVES = simulate_curves(LAW, [1e8, 1e9], n_points=20)


def isoflop_result():
    """Two groups; the parabola of the second has no usable minimum."""
    runs = simulate_runs(LAW, isoflop_design([1e19, 1e20], 5, 4, law=LAW))
    rows = []
    for budget, group in runs.groupby("budget"):
        c2, c1, c0 = np.polyfit(np.log(group["params"]), group["loss"], 2)
        size = np.exp(-c1 / (2 * c2))
        rows.append({"budget": budget, "params": size, "loss": c0 - c1**2 / (4 * c2), "c0": c0, "c1": c1, "c2": c2})
    points = pd.DataFrame(rows).assign(usable=[True, False])
    return SimpleNamespace(runs=runs, points=points)


ISOFLOP = isoflop_result()
ENVELOPE = SimpleNamespace(points=pd.DataFrame({"budget": [1e18, 1e19], "loss": [3.4, 3.0]}))
FIT = SimpleNamespace(runs=RUNS, residuals=np.linspace(-0.01, 0.01, len(RUNS)))
BOOT = SimpleNamespace(samples=pd.DataFrame({"alpha": [0.3, 0.4, 0.35], "beta": [0.2, 0.3, 0.25]}), fit=FIT)
LEARNING = pd.DataFrame({"examples": [10, 100, 1000], "error": [0.1, 0.01, 0.001], "error_se": [0.01, 0.001, 0.0001]})
SPREAD = bootstrap(fit_parametric(RUNS), n_resamples=20)
DRAWINGS = {
    "runs": lambda ax=None: figures.plot_runs(RUNS, ax=ax),
    "curves": lambda ax=None: figures.plot_curves(CURVES, ENVELOPE, ax=ax),
    "isoflop": lambda ax=None: figures.plot_isoflop(ISOFLOP, ax=ax),
    "frontier": lambda ax=None: figures.plot_frontier({"law": LAW}, [1e18, 1e22], ax=ax),
    "contours": lambda ax=None: figures.plot_contours(
        LAW, np.geomspace(1e8, 1e10, 20), np.geomspace(1e9, 1e12, 20), ax=ax
    ),
    "learning curves": lambda ax=None: figures.plot_learning_curves({"one": (LEARNING, "error", PowerLaw(1, -1))}, ax),
    "residuals": lambda ax=None: figures.plot_residuals(FIT, ax=ax),
    "bootstrap": lambda ax=None: figures.plot_bootstrap(BOOT, ax=ax),
    "spread": lambda ax=None: figures.plot_spread(SPREAD, [1e19, 1e21, 1e23], ax=ax),
    "landscape": lambda ax=None: figures.plot_landscape([0.3, 0.4], [0.2, 0.3], np.array([[1.0, 2], [3, 4]]), ax=ax),
    "histogram": lambda ax=None: figures.plot_bootstrap(BOOT, y=None, ax=ax),
}


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    plt.close("all")


def lines(ax):
    return {line.get_label(): line.get_xydata() for line in ax.get_lines()}


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_given_axes_are_drawn_on_and_returned(name):
    _, ax = plt.subplots()
    assert DRAWINGS[name](ax) is ax
    assert ax.has_data()
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    ax.figure.canvas.draw()
    ticks = [tick.get_text() for tick in (*ax.get_xticklabels(), *ax.get_yticklabels())]
    assert sum(bool(t) for t in ticks) >= 4


@pytest.mark.parametrize("name", DRAWINGS)
def test_without_axes_a_new_figure_is_made_and_settings_stay(name):
    before = matplotlib.rcParams.copy()
    current = plt.figure()
    ax = DRAWINGS[name]()
    assert ax.figure is not current
    assert matplotlib.rcParams == before


def test_the_style_is_white_and_set_only_on_demand():
    with matplotlib.rc_context():
        figures.set_style()
        assert matplotlib.rcParams["figure.facecolor"] == "white"
        assert matplotlib.rcParams["image.cmap"] == figures.COLORMAP
        colours = map(matplotlib.colors.to_hex, matplotlib.rcParams["axes.prop_cycle"].by_key()["color"])
        assert list(colours) == [colour.lower() for colour in figures.PALETTE]


def test_runs_are_drawn_where_they_are_and_coloured_by_loss():
    ax = figures.plot_runs(RUNS)
    (points,) = ax.collections
    np.testing.assert_array_equal(points.get_offsets(), RUNS[["params", "tokens"]])
    np.testing.assert_array_equal(points.get_array(), RUNS["loss"])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Parameters $N$", "Training tokens $D$")
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert figures.plot_runs(RUNS, x="flops", y="loss").get_xlabel() == "Training compute $C$ [FLOP]"


def test_curves_and_their_envelope():
    ax = figures.plot_curves(CURVES, ENVELOPE)
    drawn = ax.get_lines()
    assert len(drawn) == 8 + 1
    first = CURVES[CURVES["run"] == 0]
    np.testing.assert_array_equal(drawn[0].get_xydata(), first[["flops", "loss"]])
    np.testing.assert_array_equal(lines(ax)["lower envelope"], ENVELOPE.points[["budget", "loss"]])
    assert len(figures.plot_curves(CURVES).get_lines()) == 8


def test_isoflop_shows_groups_parabolas_and_usable_minima():
    ax = figures.plot_isoflop(ISOFLOP)
    points, parabola, unusable, dashed = ax.get_lines()[:4]
    group = ISOFLOP.runs[ISOFLOP.runs["budget"] == 1e19]
    np.testing.assert_array_equal(points.get_xydata(), group[["params", "loss"]])
    x, y = parabola.get_data()
    row = ISOFLOP.points.iloc[0]
    np.testing.assert_allclose(y, row["c0"] + row["c1"] * np.log(x) + row["c2"] * np.log(x) ** 2, rtol=1e-12)
    assert (parabola.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    assert unusable.get_color() == dashed.get_color() != points.get_color()
    np.testing.assert_array_equal(lines(ax)["minimum of the parabola"], ISOFLOP.points[["params", "loss"]][:1])
    assert "no usable minimum" in lines(ax)


@pytest.mark.parametrize("quantity", ["params", "tokens"])
def test_frontier_lines_are_the_optimum_and_points_the_table(quantity):
    budgets = np.array([1e18, 1e20, 1e22])
    table = pd.DataFrame({"budget": [1e19, 1e21], "params": [3e8, 3e9], "tokens": [6e9, 6e10]})
    ax = figures.plot_frontier({"law": LAW}, budgets, {"points": table}, quantity)
    np.testing.assert_allclose(lines(ax)["law"].T, [budgets, getattr(compute_optimal(LAW, budgets), quantity)])
    np.testing.assert_array_equal(lines(ax)["points"], table[["budget", quantity]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["points", "law"]


def test_learning_curves_are_points_with_two_errors_and_their_law():
    ax = figures.plot_learning_curves({"one": (LEARNING, "error", PowerLaw(1, -1)), "two": (LEARNING, "error")})
    points, law = ax.get_lines()[:2]
    np.testing.assert_array_equal(points.get_xydata(), LEARNING[["examples", "error"]])
    x, y = law.get_data()
    np.testing.assert_allclose(y, 1 / x, rtol=1e-12)
    assert law.get_color() == points.get_color()
    (bars,) = ax.containers[0].lines[2]
    np.testing.assert_allclose(
        np.diff([path.vertices[:, 1] for path in bars.get_paths()])[:, 0], 4 * LEARNING["error_se"]
    )
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two"]


def test_contours_are_the_laws_and_the_ridge_is_the_optimum():
    ax = figures.plot_contours(LAW, np.geomspace(1e8, 1e10, 60), np.geomspace(1e9, 1e12, 60), levels=[2.5, 3.0])
    contours = ax.collections[0]
    for level, path in zip(contours.levels, contours.get_paths(), strict=True):
        N, D = path.vertices.T
        np.testing.assert_allclose(LAW.loss(N, D), level, rtol=2e-3)
    ridge = lines(ax)["compute-optimal"]
    np.testing.assert_allclose(ridge[:, 0], compute_optimal(LAW, 6 * ridge.prod(axis=1)).params, rtol=1e-9)
    assert ax.get_xlim() == (1e8, pytest.approx(1e10))


def test_labels_of_contours_are_apart_and_their_gaps_no_wider():
    """Labels are cut out of the contours on the axes as they are shown."""
    sizes, tokens, levels = np.geomspace(6e9, 1e12, 60), np.geomspace(1e11, 1e13, 60), np.arange(1.8, 2.2, 0.02)
    ax = figures.plot_contours(LAW, sizes, tokens, levels=levels)
    labels, inside = [text.get_window_extent() for text in ax.texts], ax.get_window_extent()
    gaps = []
    for path in ax.collections[0].get_paths():
        shown = ax.transData.transform(path.vertices)
        (starts,) = np.nonzero(path.codes[1:] == path.MOVETO) if len(shown) else ((),)
        gaps += [np.hypot(*(shown[start + 1] - shown[start])) for start in starts]
    assert len(gaps) == len(labels) > 8
    assert max(gaps) < max(label.width for label in labels) + 15
    assert all(inside.x0 < label.x0 and label.x1 < inside.x1 for label in labels)
    middles = np.array([(label.x0 + label.width / 2, label.y0 + label.height / 2) for label in labels])
    apart = np.hypot(*(middles[:, None] - middles).transpose(2, 0, 1)) + 1e9 * np.eye(len(labels))
    assert apart.min() > 1.4 * ax.texts[0].get_fontsize() * ax.figure.dpi / 72
    assert all(text.get_bbox_patch() is not None for text in ax.texts)  # no line passes through a number
    turn = np.exp(-1j * np.radians([text.get_rotation() for text in ax.texts]))
    across = np.abs(((middles[:, None] - middles) @ [1, 1j] * turn[:, None]).imag) + 1e9 * np.eye(len(labels))
    beside = (across < 0.9 * ax.texts[0].get_fontsize() * ax.figure.dpi / 72) & (
        apart < 3 * max(x.width for x in labels)
    )
    assert not beside.any()


class TestSurface:
    PARAMS, TOKENS = np.geomspace(1e8, 1e10, 20), np.geomspace(1e9, 1e12, 20)

    def test_every_line_lies_on_the_surface_and_within_it(self):
        ax = figures.plot_surface(LAW, self.PARAMS, self.TOKENS, sizes=[1e9, 5e9], budgets=[1e21])
        assert len(ax.lines) == 4
        for line in ax.lines:
            log_n, log_d, loss = line.get_data_3d()
            np.testing.assert_allclose(LAW.loss(10**log_n, 10**log_d), loss, rtol=1e-12)
            for log_of, low, high in ((log_n, 8, 10), (log_d, 9, 12)):
                assert np.clip(log_of, low, high) == pytest.approx(log_of)

    def test_the_slice_is_of_equal_compute_and_the_frontier_passes_its_lowest_point(self):
        ax = figures.plot_surface(LAW, self.PARAMS, self.TOKENS, budgets=[1e21])
        (log_n, log_d, loss), (best_n, best_d, _) = (line.get_data_3d() for line in ax.lines)
        np.testing.assert_allclose(6 * 10 ** (log_n + log_d), 1e21)
        lowest = np.interp(21 - np.log10(6), best_n + best_d, best_n)
        assert lowest == pytest.approx(log_n[loss.argmin()], abs=0.01)

    def test_a_kind_of_line_is_named_once_and_drawn_on_the_given_axes(self):
        _, given = plt.subplots(subplot_kw={"projection": "3d"})
        ax = figures.plot_surface(LAW, self.PARAMS, self.TOKENS, sizes=[1e9, 5e9], ax=given)
        names = [text.get_text() for text in ax.get_legend().get_texts()]
        assert ax is given
        assert names == ["one size: a training curve", "the frontier: the lowest point of every slice"]
        assert [axis.get_major_formatter()(9) for axis in (ax.xaxis, ax.yaxis)] == ["1B", "1B"]


def test_points_are_marked_by_label():
    points = {"Gopher": (280e9, 300e9), "Chinchilla": (70e9, 1.4e12)}
    ax = figures.plot_contours(LAW, np.geomspace(1e9, 1e12, 5), np.geomspace(1e10, 1e13, 5), points=points)
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert all(tuple(lines[name].get_xydata()[0]) == place for name, place in points.items())


def test_spread_contains_its_fit():
    ax = figures.plot_spread(SPREAD, np.geomspace(1e19, 1e21, 5))
    band = ax.collections[0].get_paths()[0].vertices
    line = ax.get_lines()[1].get_ydata()
    assert band[:, 1].min() < line.min() < line.max() < band[:, 1].max()


def test_residuals_and_samples():
    ax = figures.plot_residuals(FIT, against="params")
    np.testing.assert_array_equal(ax.get_lines()[1].get_xydata(), np.c_[RUNS["params"], FIT.residuals])
    ax = figures.plot_bootstrap(BOOT, "beta", "alpha")
    np.testing.assert_array_equal(ax.get_lines()[0].get_xydata(), BOOT.samples[["beta", "alpha"]])
    assert ax.get_xlabel() == r"$\beta$"
    assert sum(bar.get_height() for bar in figures.plot_bootstrap(BOOT, y=None).patches) == 3


@pytest.mark.parametrize(
    ("value", "count", "flops"),
    [
        (70e9, "70B", "7e10"),
        (1.4e12, "1.4T", "1.4e12"),
        (44e6, "44M", "4.4e7"),
        (768, "768", "7.68e2"),
        (5.76e23, "5.76e23", "5.76e23"),
        (999.9e6, "1B", "1e9"),
    ],
)
def test_numbers_are_written_as_people_say_them(value, count, flops):
    assert figures.format_count(value) == count
    assert figures.format_flops(value) == flops


def test_ratios_are_drawn_by_size_one_panel_below_the_other():
    runs = simulate_runs(LAW, grid_design([1e8, 1e9, 1e10], [1e9, 1e11])).assign(metric_task=0.3)
    axes = figures.plot_ratios(runs, {"loss": "Loss", "metric_task": "A task"}, {"metric_task": 0.25})
    assert [ax.get_ylabel() for ax in axes] == ["Loss", "A task"]
    for params, line in zip(sorted(runs["params"].unique()), axes[0].get_lines(), strict=True):
        group = runs[runs["params"] == params].sort_values("tokens")
        np.testing.assert_array_equal(line.get_xydata(), np.c_[group["tokens"] / params, group["loss"]])
    assert set(axes[1].get_lines()[-1].get_ydata()) == {0.25}
    assert len(axes[0].get_lines()) == runs["params"].nunique() == len(axes[1].get_lines()) - 1


def test_a_task_is_drawn_against_the_loss_with_its_law():
    law = SigmoidLaw(0.25, 0.9, 4.0, 2.5)
    runs = RUNS.assign(metric_task=law.predict(RUNS))
    fit = fit_downstream(runs, "metric_task")
    ax = figures.plot_downstream(fit, runs["metric_task"], "A task")
    loss, share = ax.get_lines()[0].get_data()
    np.testing.assert_allclose(share, law.accuracy(loss), rtol=1e-5)
    assert (loss.min(), loss.max()) == (runs["loss"].min(), runs["loss"].max())
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), runs[["loss", "metric_task"]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Loss $L$ [nats/token]", "A task")


OTHER = Nouns(loss="bits per byte", tokens="images").on(RUNS.copy())
OF_OTHERS = {
    "runs": lambda: figures.plot_runs(OTHER),
    "curves": lambda: figures.plot_curves(Nouns.of(OTHER).on(CURVES.copy()), ENVELOPE),
    "curves of its law": lambda: figures.plot_curves(CURVES, runs=OTHER),
    "isoflop": lambda: figures.plot_isoflop(
        SimpleNamespace(runs=Nouns.of(OTHER).on(ISOFLOP.runs.copy()), points=ISOFLOP.points)
    ),
    "surface": lambda: figures.plot_surface(LAW, [1e8, 1e9], [1e9, 1e10], runs=OTHER),
    "residuals": lambda: figures.plot_residuals(SimpleNamespace(runs=OTHER, residuals=FIT.residuals)),
    "constants": lambda: figures.plot_bootstrap(
        SimpleNamespace(samples=BOOT.samples.assign(E=[1.0, 1.1, 1.2]), fit=SimpleNamespace(runs=OTHER)), x="E"
    ),
}


@pytest.mark.parametrize("name", OF_OTHERS)
def test_runs_of_another_measure_have_their_words_on_the_axes(name):
    ax = OF_OTHERS[name]()
    kinds = ("xlabel", "ylabel", "zlabel")
    said = " ".join(each.properties().get(kind, "") for each in ax.figure.axes for kind in kinds)
    plt.close(ax.figure)
    assert "nats" not in said
    assert "tokens" not in said.lower()
    assert name == "constants" or "bits per byte" in said.lower()
