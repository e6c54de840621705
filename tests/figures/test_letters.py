"""Every figure function's letters, measured as they are drawn, can be read where a phone narrows the figure."""

import letters
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from scaling import figures
from scaling.diagnostics import League, combine
from scaling.fit import fit_downstream, fit_isoflop, fit_parametric
from scaling.laws import ChinchillaLaw, PowerLaw, SigmoidLaw
from scaling.simulate import chinchilla_like_design, isoflop_design, simulate_curves, simulate_runs
from scaling.uncertainty import bootstrap

LAW = ChinchillaLaw(E=1.7, A=400.0, B=410.0, alpha=0.34, beta=0.28)
RUNS = simulate_runs(LAW, chinchilla_like_design(60), noise=0.01)
TASK = RUNS.assign(metric_task=SigmoidLaw(0.25, 0.9, 4.0, 2.5).predict(RUNS))
FIT = fit_parametric(RUNS)
BOOT = bootstrap(FIT, n_resamples=20)
SIZES, TOKENS = np.geomspace(1e8, 1e10, 20), np.geomspace(1e9, 1e12, 20)
LEARNING = pd.DataFrame({"examples": [10, 100, 1000], "error": [0.1, 0.01, 0.001], "error_se": [0.01, 0.001, 0.0001]})
YARDSTICK = {"gibbs": pd.DataFrame({"value": [0.6, 0.7], "se": [0.01, 0.02]}, index=[2, 5])}
PARTS = pd.DataFrame(
    {"layer": [False, True, False], "parameters": ["a", "b\n= 2", "c"], "FLOPs": ["p", "q", "r"]},
    index=["embedding", "attention", "logits"],
)
TRIALS = {"narrow": pd.DataFrame({"learning_rate": [0.01, 0.02, 0.04], "loss": [5.0, 4.5, 4.8]})}
ATLAS = pd.DataFrame(
    {f"{name}{end}": [0.4] for name in ("a1", "a2", "a3", "a_coupled") for end in ("", "_low", "_high")}, index=["x"]
).assign(kind="grid")
AUDIT = pd.DataFrame({"reach": [3.0, 30.0], "predicted": 3.0, "low": 2.9, "high": 3.1, "observed": 3.05})
STUDY = pd.DataFrame({"fitted": "all", "decimals": [2, 3], "noise": [0.0, 1.0], "a": [0.5, 0.51]})
HUBER = pd.DataFrame(
    {"objective": ["log_absolute", "log_huber"], "delta": [0, 1e-3], "a": 0.5, "low": 0.45, "high": 0.55}
)
SCORES = pd.DataFrame(
    [
        (t, "size", law, 5, "solved", e, np.nan, e / 2, e, 0.0)
        for t in "ab"
        for law, e in (("Chinchilla", 0.02), ("b", 0.01), ("stacking", 0.015))
    ],
    columns=["table", "holdout", "law", "constants", "status", "rms", "noise_units", "fitted", "inner", "bias"],
)
LEAGUE = League.of(SCORES, pd.DataFrame({"table": list("ab"), "holdout": "size", "refused": ""}), n_draws=20)
ISOFLOP = fit_isoflop(simulate_runs(LAW, isoflop_design([1e19, 1e20, 1e21], 7, 4, law=LAW), noise=0.002))
DRAWINGS = {
    "plot_atlas": lambda: figures.plot_atlas(ATLAS, combine([0.4, 0.5, 0.6], [0.05, 0.05, 0.05])),
    "plot_audit": lambda: figures.plot_audit({"runs": AUDIT}),
    "plot_block": lambda: figures.plot_block(PARTS, "three times", added=[("attention", "attention")]),
    "plot_bootstrap": lambda: figures.plot_bootstrap(BOOT),
    "plot_contours": lambda: figures.plot_contours(LAW, SIZES, TOKENS, points={"one": (1e9, 2e10)}),
    "plot_cost_map": lambda: figures.plot_cost_map(SIZES, [2.0, 2.4], np.outer([1, 2], TOKENS), [2e9, 1e10]),
    "plot_curves": lambda: figures.plot_curves(simulate_curves(LAW, [1e8, 1e9], n_points=20)),
    "plot_downstream": lambda: figures.plot_downstream(
        fit_downstream(TASK, "metric_task"), TASK["metric_task"], "Task"
    ),
    "plot_foresight": lambda: figures.plot_foresight(SCORES),
    "plot_frontier": lambda: figures.plot_frontier({"law": LAW}, [1e18, 1e22]),
    "plot_isoflop": lambda: figures.plot_isoflop(ISOFLOP),
    "plot_landscape": lambda: figures.plot_landscape([0.3, 0.4], [0.2, 0.3], np.array([[1.0, 2], [3, 4]])),
    "plot_league": lambda: figures.plot_league(LEAGUE),
    "plot_learning_curves": lambda: figures.plot_learning_curves({"one": (LEARNING, "error", PowerLaw(1, -1))}),
    "plot_learning_rates": lambda: figures.plot_learning_rates(TRIALS, {"narrow": (0.03, 4.6)}),
    "plot_overtraining": lambda: figures.plot_overtraining(([20, 200], [3.1, 2.9]), [10, 1000], [3.2, 2.6]),
    "plot_parabola_bias": lambda: figures.plot_parabola_bias({"one": (0.3, 0.4)}),
    "plot_ratios": lambda: figures.plot_ratios(TASK[:4], {"loss": "Loss", "metric_task": "A task"}),
    "plot_residuals": lambda: figures.plot_residuals(FIT),
    "plot_rounded_study": lambda: figures.plot_rounded_study(STUDY, {"a": 0.5}),
    "plot_runs": lambda: figures.plot_runs(RUNS),
    "plot_shares": lambda: figures.plot_shares([1e8, 1e9], pd.DataFrame({"one": [0.6, 0.7], "two": [0.4, 0.3]})),
    "plot_size_exponents": lambda: figures.plot_size_exponents([1e3, 1e9], {"1e5": [0.9, 0.8]}, {"Table 6": 0.73}),
    "plot_spread": lambda: figures.plot_spread(BOOT, [1e19, 1e21, 1e23]),
    "plot_surface": lambda: figures.plot_surface(LAW, SIZES, TOKENS, sizes=[1e9], budgets=[1e21]),
    "plot_thresholds": lambda: figures.plot_thresholds({"as they are": HUBER}),
    "plot_worth": lambda: figures.plot_worth(([1, 2], [1.0, 1.7]), [1.0, 4.0], {"ours": [1, 2.5]}),
    "plot_yardsticks": lambda: figures.plot_yardsticks(YARDSTICK, {":": {"gibbs": 0.67}}),
}


@pytest.fixture(autouse=True)
def _styled():
    with matplotlib.rc_context():
        figures.set_style()
        yield
        plt.close("all")


def test_no_figure_function_is_left_out():
    assert set(DRAWINGS) == {name for name in figures.__all__ if name.startswith("plot_")}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWINGS)
def test_letters_can_be_read_on_a_phone(name):
    DRAWINGS[name]()
    read = letters.letters(plt.gcf())
    assert len(read) > 4
    assert {text: size for text, size in read.items() if size < letters.LEAST} == {}


class TestMeasure:
    def test_a_text_has_the_size_that_it_has_on_the_page(self):
        fig, ax = plt.subplots(figsize=(5.0, 4.0), layout="none")
        ax.axis("off")
        fig.text(0, 0, "left", size=12)
        fig.text(1, 0, "right", size=24, ha="right")
        page = (5.0 + letters.PADDING) * 72
        assert letters.letters(fig, width=page) == pytest.approx({"left": 12, "right": 24}, rel=1e-3)
        assert letters.letters(fig, width=page / 2) == pytest.approx({"left": 6, "right": 12}, rel=1e-3)

    def test_a_wide_page_does_not_widen_the_figure(self):
        fig, ax = plt.subplots()
        ax.set_title("above", size=18)
        assert letters.letters(fig, width=1e6)["above"] == pytest.approx(18 / 72 * fig.dpi)

    @pytest.mark.parametrize(("text", "share"), [("$N^*$", 0.7), ("$N^{a^b}$", 0.49), (r"$\alpha$", 1), ("$N$*", 1)])
    def test_of_a_formula_its_smallest_letter_counts(self, text, share):
        fig, ax = plt.subplots()
        ax.set_xlabel(text)
        ax.set_ylabel("words")
        read = letters.letters(fig)
        assert read[text] == pytest.approx(share * read["words"], rel=0.01)

    def test_what_is_hidden_does_not_count(self):
        fig, ax = plt.subplots()
        ax.set_title("tiny", size=1).set_visible(False)
        assert "tiny" not in letters.letters(fig)

    def test_letters_too_small_are_named(self):
        fig, ax = plt.subplots()
        letters.check(fig)
        ax.set_xlabel("$k_N$")
        with pytest.raises(ValueError, match=r"\$k_N\$.*6\.\d pixels"):
            letters.check(fig)


class TestPowersOfTen:
    @staticmethod
    def ticks(low, high, **figure):
        fig, ax = plt.subplots(**figure)
        ax.loglog([low, high], [low, high])
        ax.margins(0)
        fig.canvas.draw()
        at = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        return [text.get_text() for place, text in at if low * 0.999 <= place <= high * 1.001]

    def test_they_are_written_out_where_they_are_short(self):
        assert self.ticks(0.01, 1000) == ["0.01", "0.1", "1", "10", "100", "1000"]

    def test_they_have_an_exponent_on_the_line_where_they_are_long(self):
        assert self.ticks(1e18, 1e21) == ["1e18", "1e19", "1e20", "1e21"]
        assert {"1e-2", "1", "1e2", "1e6"} <= set(self.ticks(1e-2, 1e6))

    def test_they_are_few_and_do_not_meet(self):
        ticks = self.ticks(1e10, 1e30)
        assert 3 <= len(ticks) <= 7
        assert len(self.ticks(1e10, 1e15, figsize=(2, 2))) <= 3

    def test_within_a_decade_ticks_between_have_labels(self):
        fig, ax = plt.subplots()
        ax.semilogy([0, 1], [2.1e23, 9e23])
        fig.canvas.draw()
        between = [text.get_text() for text in ax.get_yticklabels(minor=True) if text.get_text()]
        assert {"3e23", "6e23"} <= set(between)

    def test_a_scale_of_another_base_works(self):
        fig, ax = plt.subplots()
        ax.set_xscale("log", base=2)
        ax.set_xlim(1, 64)
        fig.canvas.draw()
        assert {"1", "4", "16", "64"} <= {text.get_text() for text in ax.get_xticklabels()}
