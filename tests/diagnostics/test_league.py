"""The league of laws: hold-outs, scores by hand, the ranking of a truth that is known, and what it says."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.diagnostics import (
    HOLDOUTS,
    LEFT_OUT,
    PUBLIC,
    QUICK,
    Contender,
    League,
    best_law,
    best_of_each,
    hold_out,
    league,
    public_tables,
    recorded_league,
)
from scaling.diagnostics.contenders import ADDITIVE, COUPLED, OF_COMPUTE
from scaling.diagnostics.standings import _Draws
from scaling.diagnostics.trials import STACKING, stacking_weights, try_laws
from scaling.fit import fit_farseer, fit_parametric

PLAIN = scaling.ChinchillaLaw(E=1.8, A=400.0, B=1200.0, alpha=0.34, beta=0.32)
JOINED = scaling.laws.CoupledLaw(E=1.2, A=1e8, B=1e8, alpha=0.9, beta=0.8, k=0.25)
GRID = scaling.simulate.grid_design(np.geomspace(1e7, 3e9, 7), np.geomspace(3e8, 1e12, 7))
TWO = (ADDITIVE, COUPLED)


def table(law, seed=0, noise=0.005):
    return scaling.simulate_runs(law, GRID, noise=noise, seed=seed)


@pytest.fixture(scope="module")
def found():
    """A league of six tables by three laws, half of either truth."""
    sets = {f"plain {k}": table(PLAIN, k) for k in range(3)} | {f"joined {k}": table(JOINED, k) for k in range(3)}
    return league(sets, (ADDITIVE, COUPLED, OF_COMPUTE), "size", n_draws=1000)


# --- hold-outs


def test_whole_levels_nearest_to_a_fifth_are_held_out():
    runs = table(PLAIN)
    for by, column in (("size", runs["params"]), ("length", runs["tokens"] / runs["params"])):
        split = hold_out(runs, by)
        ratio = {"size": lambda t: t["params"], "length": lambda t: t["tokens"] / t["params"]}[by]
        assert ratio(split.held).min() > ratio(split.fitted).max()
        assert len(split.held) + len(split.fitted) == 49
        assert abs(len(split.held) / 49 - 0.2) < 0.08
        assert split.reach == pytest.approx(column.max() / ratio(split.fitted).max())
    assert len(hold_out(runs, "size").held) == 7  # one size of seven; two would be further from a fifth


def test_a_budget_is_not_divided():
    design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20, 1e21], n_sizes=6, law=PLAIN)
    split = hold_out(scaling.simulate_runs(PLAIN, design), "compute")
    assert len(split.held) == 6
    assert split.reach == pytest.approx(10)
    assert "held out: the 6 most expensive (10 times the compute of the fitted)" in split.words


def test_values_that_follow_each_other_without_a_gap_are_no_level():
    """A thousand sizes 0.1 % apart: they would be one level by steps, and nothing could be held out."""
    sizes = 1e8 * 1.001 ** np.arange(1000)
    runs = pd.DataFrame({"params": sizes, "tokens": np.tile([1e9, 1e10, 1e11, 1e12], 250)})
    runs = scaling.simulate_runs(PLAIN, runs)
    assert len(hold_out(runs, "size").held) == 200


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (table(PLAIN).head(10), "nothing to hold out|are needed"),
        (table(PLAIN)[lambda t: t["params"] < 1e8], "sizes left to fit, and 3 are needed"),
    ],
)
def test_small_tables_allow_no_hold_out(runs, words):
    with pytest.raises(scaling.FitError, match=words):
        hold_out(runs, "size")


def test_an_unknown_hold_out_is_refused():
    with pytest.raises(ValueError, match="no hold-out 'price'; there are compute, size, length"):
        hold_out(table(PLAIN), "price")
    with pytest.raises(ValueError, match="no hold-out 'price'"):
        league({"a": table(PLAIN)}, holdout="price")


# --- one trial


def test_a_score_by_hand():
    runs = table(PLAIN)
    trial = try_laws(runs, "compute", TWO, inner=False)
    fit = fit_parametric(trial.split.fitted)
    errors = np.log(fit.candidate.predict(trial.split.held) / trial.split.held["loss"])
    np.testing.assert_allclose(trial.errors["Chinchilla"], errors, rtol=1e-12)
    assert trial.rms("Chinchilla") == pytest.approx(np.sqrt(np.mean(errors**2)))
    assert trial.fitted["Chinchilla"] == pytest.approx(np.sqrt(np.mean(fit.residuals**2)))


def test_no_error_counts_below_the_noise_of_repeats():
    runs = pd.concat([table(PLAIN, 1), table(PLAIN, 2)], ignore_index=True)
    trial = try_laws(runs, "size", TWO, inner=False)
    assert trial.noise == pytest.approx(0.005, rel=0.4)
    exact = dict.fromkeys(trial.errors, np.zeros(3))
    assert type(trial)(**{**vars(trial), "errors": exact}).rms("coupled") == trial.noise


def test_a_law_that_cannot_be_fitted_counts_with_the_naive_forecast():
    def refuse(runs, **options):
        raise scaling.FitError("no")

    def wild(runs, **options):
        return _Wild(fit_parametric(runs, **options))

    laws = (ADDITIVE, Contender("never", "", 1, refuse), Contender("wild", "", 1, wild))
    trial = try_laws(table(PLAIN), "length", laws, inner=False)
    forecast = np.log(trial.split.fitted["loss"]).mean() - np.log(trial.split.held["loss"].to_numpy())
    for law, status in (("never", "refused"), ("wild", "naive")):
        np.testing.assert_allclose(trial.errors[law], forecast)
        assert trial.statuses[law] == status


class _Wild:
    """A fit whose law predicts a thousand times too much."""

    def __init__(self, fit):
        self.status, self.candidate, self._law = "solved", self, fit.candidate

    def predict(self, table):
        return 1000 * self._law.predict(table)


def test_stacking_weights_are_those_of_the_least_squares():
    """Two forecasts with opposite errors make a perfect one; one that is better in all gets everything."""
    weights = stacking_weights({"a": np.array([0.02, 0.04]), "b": np.array([-0.01, -0.02])})
    assert weights == pytest.approx({"a": 1 / 3, "b": 2 / 3}, abs=1e-5)
    assert stacking_weights({"a": np.array([0.1, 0.1]), "b": np.array([0.2, 0.3])}) == pytest.approx({"a": 1, "b": 0})
    assert stacking_weights({"a": np.array([]), "b": np.array([])}) == {"a": 0.5, "b": 0.5}


def test_the_mixture_is_made_of_the_forecasts():
    trial = try_laws(table(JOINED), "compute", TWO)
    assert sum(trial.weights.values()) == pytest.approx(1)
    mixed = sum(weight * trial.errors[law] for law, weight in trial.weights.items())
    np.testing.assert_allclose(trial.errors[STACKING], mixed, rtol=1e-12)


# --- the league


def test_the_ranking_is_ordered_and_adds_up(found):
    ranking = found.ranking.set_index("law")
    assert ranking["ratio"].is_monotonic_increasing
    assert ranking.loc["Chinchilla", ["ratio", "low", "high"]].tolist() == [1, 1, 1]
    assert ranking["first"].sum() == pytest.approx(1)
    assert ranking["best_of"].sum() == 6


def test_every_table_weighs_one():
    """The mean over tables of means over hold-outs."""
    design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20], n_sizes=5, law=PLAIN)
    sets = {"grid": table(PLAIN), "budgets": scaling.simulate_runs(PLAIN, design, noise=0.005)}
    found = league(sets, (ADDITIVE, OF_COMPUTE), ("size", "compute"), n_draws=100)
    log = np.log(found.scores.pivot(index=["table", "holdout"], columns="law", values="rms"))
    means = (log["compute alone"] - log["Chinchilla"]).groupby("table").mean()
    assert found.ranking.set_index("law").loc["compute alone", "ratio"] == pytest.approx(np.exp(means.mean()))


def test_the_truth_is_found_where_it_is_known(found):
    errors = np.log(found.scores.pivot(index="law", columns=["table", "holdout"], values="rms"))
    joined = errors[[key for key in errors if key[0].startswith("joined")]]
    assert (joined.loc["coupled"] - joined.loc["Chinchilla"]).mean() < np.log(0.5)


def test_the_same_seed_gives_the_same_league():
    one, other = (league({"a": table(JOINED)}, (ADDITIVE, OF_COMPUTE), "size", n_draws=100) for _ in range(2))
    pd.testing.assert_frame_equal(one.scores, other.scores)
    pd.testing.assert_frame_equal(one.ranking, other.ranking)
    pd.testing.assert_frame_equal(one.choosing, other.choosing)


def test_the_cost_of_choosing_is_measured_against_hindsight(found):
    ways = found.choosing.set_index("way")
    single = ways.drop(index=STACKING)
    assert (single["times_best"] >= 1).all()
    assert ((single["right"] >= 0) & (single["right"] <= 1)).all()
    log = np.log(found.scores.pivot(index=["table", "holdout"], columns="law", values="rms").drop(columns=STACKING))
    always = (log["Chinchilla"] - log.min(axis=1)).groupby("table").mean().mean()
    assert ways.loc["always Chinchilla", "times_best"] == pytest.approx(np.exp(always))


def test_sources_are_drawn_whole():
    draws = _Draws.of(["a", "b", "c"], {"a": "x", "b": "x"}, 200, seed=0)
    assert draws.size == 2
    assert (draws.counts[:, 0] == draws.counts[:, 1]).all()
    assert set(draws.counts[:, 0] + draws.counts[:, 2]) == {2}


def test_few_sources_cannot_tell():
    found = league({"a": table(JOINED)}, TWO, holdout="compute", n_draws=100)
    assert "1 sources cannot tell, 6 are needed" in found.verdict


def test_the_words_name_the_winner_and_how_sure_it_is(found):
    first, text = found.ranking["law"].iloc[0], found.to_markdown()
    assert text == repr(found)
    assert text.splitlines()[0] == found.verdict
    assert first in found.verdict
    assert found.verdict.startswith(("No law wins: ", f"{first} wins: "))
    assert f"| {first} |" in text
    assert "by simulation) of 1,000 draws of the 6 sources" in found.verdict
    assert "<table" in found._repr_html_()
    errors = found.table("size")
    assert errors.shape == (6, 4)


def test_every_word_of_the_tables_is_explained_below_them(found):
    ranking, choosing = found.to_markdown().split("What choosing costs")
    of_ranking = "stacking", "no forecast", "first in draws", "best on tables"
    for text, words in ((ranking, of_ranking), (choosing, ("right", "hindsight"))):
        table, said = text.rsplit("|\n\n", 1)
        for word in words:
            assert word in table.lower()
            assert f"*{word}*" in " ".join(said.lower().split())


def test_a_record_gives_the_league_back(found, tmp_path):
    found.record().to_csv(tmp_path / "league.csv", index=False, float_format="%.10g")
    again = League.of_record(pd.read_csv(tmp_path / "league.csv"))
    np.testing.assert_allclose(again.ranking["ratio"], found.ranking["ratio"], rtol=1e-8)
    assert again.ranking["law"].tolist() == found.ranking["law"].tolist()
    same = ["way", "times_best", "right"]
    pd.testing.assert_frame_equal(again.choosing[same], found.choosing[same], rtol=1e-6)


def test_what_is_not_possible_is_named():
    small = table(PLAIN).head(12)
    found = league({"good": table(PLAIN), "small": small}, (ADDITIVE,), n_draws=100)
    assert set(found.splits.loc[found.splits["refused"] != "", "table"]) == {"small"}
    assert "- small, by compute: " in found.to_markdown()
    with pytest.raises(scaling.FitError, match="no table allows a hold-out: small, compute"):
        league({"small": small})


def test_names_that_there_are_not_are_refused(found):
    with pytest.raises(ValueError, match="holdout must be one of those with scores, size, got 'zzz'"):
        found.table("zzz")
    assert len(found.table("size")) == 6
    with pytest.raises(ValueError, match="n_draws must be a whole number, at least 1, got 0"):
        League.of(found.scores, found.splits, n_draws=0)
    for names, words in ((["typo"], "no table 'typo'; the league has small_sweep"), ("small_sweep", "a list of names")):
        with pytest.raises(ValueError, match=words):
            public_tables(names)


def test_laws_need_names_of_their_own():
    with pytest.raises(ValueError, match="names of their own"):
        league({"a": table(PLAIN)}, (ADDITIVE, ADDITIVE))
    assert "Chinchilla" in set(league({"a": table(PLAIN)}, (OF_COMPUTE,), "size", n_draws=100).ranking["law"])


# --- one table


def test_the_best_law_of_a_table_is_the_one_it_was_drawn_from():
    best = best_law(table(JOINED), TWO)
    assert (best.law, best.told) == ("coupled", True)
    assert best.words.startswith("coupled foresees best: it misses the runs held out (")
    assert best.ranking["first"].sum() == pytest.approx(1)


def test_equal_laws_are_not_told_apart():
    """The coupled law contains the truth, too."""
    best = best_law(table(PLAIN, seed=3), TWO)
    assert not best.told
    assert best.words.startswith("the held-out runs do not tell ")
    assert " and " in best.words
    assert repr(best).splitlines()[0] == best.words


def test_a_table_too_small_for_a_hold_out_is_refused():
    with pytest.raises(scaling.FitError, match="the table allows no hold-out: compute: "):
        best_law(table(PLAIN).head(9))
    with pytest.raises(ValueError, match="n_draws must be"):
        best_law(table(PLAIN), n_draws=3)


# --- the public tables


def test_the_best_of_each_pair():
    runs = pd.DataFrame({"params": [1, 1, 2, 2.0], "tokens": [5, 5, 5, 6.0], "loss": [3, 2, 4, 5.0]})
    assert best_of_each(runs)["loss"].tolist() == [2, 4, 5]


def test_every_named_set_takes_part_or_it_is_said_why_not():
    named = {each.name for each in PUBLIC} | set(LEFT_OUT)
    whole = {name.split("/")[0] for name in named}
    assert set(scaling.sources.list_datasets().index) <= whole, "a row in PUBLIC, or a reason in LEFT_OUT"
    assert not {each.name for each in PUBLIC} & set(LEFT_OUT)
    assert all(LEFT_OUT.values())


def test_the_record_is_that_of_the_public_tables():
    """Its tables are those of the list, and a table that is always here comes out as it says."""
    found = recorded_league()
    assert set(found.splits["table"]) == {each.name for each in PUBLIC}
    trial = try_laws(scaling.load_runs("small_sweep"), "size", TWO, inner=False)
    rows = found.scores.set_index(["table", "holdout", "law"])["rms"]
    for law in ("Chinchilla", "coupled"):
        assert trial.rms(law) == pytest.approx(rows["small_sweep", "size", law], rel=1e-4)


def test_the_quick_laws_are_no_more_than_asked():
    assert {each.name for each in QUICK} == {"Chinchilla", "coupled", "compute alone"}
    assert fit_farseer not in [each.method for each in QUICK]
    assert list(HOLDOUTS) == ["compute", "size", "length"]
