"""A plan follows what the runs say of its law: sizes where both were measured, and another law that foresees better."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.diagnostics import better_law, compare_approaches, find_rival, rule_on
from scaling.laws import CoupledLaw

BASE = scaling.ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.36)
JOINED = CoupledLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.36, k=0.6)
BUDGETS = np.geomspace(1e18, 3e20, 6)
INSIDE, BEYOND = 1e20, 3e21


def run(*words):
    return CliRunner().invoke(main, [*map(str, words)])


def groups(law, seed, noise=0.002):
    return noisy(law.loss, seed, noise)


def noisy(loss, seed, noise):
    """Groups about twenty tokens a parameter, which is not where the optima of these laws lie."""
    rows = [(N, C / 6 / N) for C in BUDGETS for N in np.sqrt(C / 120) * np.geomspace(1 / 4, 4, 9)]
    runs = pd.DataFrame(rows, columns=["params", "tokens"])
    spread = np.exp(np.random.default_rng(seed).normal(0, noise, len(runs)))
    return scaling.check_runs(runs.assign(loss=loss(runs["params"], runs["tokens"]) * spread))


class Bent:
    """A law of which no formula here is a case: the term of the size bends."""

    @staticmethod
    def loss(N, D):
        return 1.7 + 400 * N**-0.34 * (1 + (N / 3e8) ** 2) ** -0.08 + 1000 * D**-0.36

    @classmethod
    def best(cls, C):
        N = np.geomspace(1e6, 1e13, 200_001)
        return float(N[np.argmin(cls.loss(N, C / 6 / N))])


@pytest.mark.slow
def test_the_law_that_holds_is_followed():
    """No false alarm: of an additive truth approach 3 is followed, at budgets among the runs and beyond them."""
    for seed in range(5):
        runs = groups(BASE, seed)
        found = compare_approaches(runs, n_resamples=200)
        for flops in (INSIDE, BEYOND):
            assert rule_on(found, flops).follow == 3
            assert find_rival(runs, flops) is None


@pytest.mark.slow
def test_exponents_alike_are_no_agreement_where_sizes_differ():
    """Of a coupled truth approaches 2 and 3 find one exponent and two sizes; approach 2 is right where it measured."""
    truth = float(scaling.compute_optimal(JOINED, INSIDE).params)
    for seed in range(5):
        found = compare_approaches(groups(JOINED, seed), n_resamples=200)
        ruling = rule_on(found, INSIDE)
        assert ruling.follow == 2
        assert ruling.agree is False
        assert "ask for different sizes where both were measured" in ruling.found
        assert ruling.low <= truth <= ruling.high
        assert ruling.low <= ruling.size <= ruling.high
        assert rule_on(found, BEYOND).follow is None


@pytest.mark.slow
def test_a_rival_that_foresees_better_is_in_the_range():
    truth = float(scaling.compute_optimal(JOINED, BEYOND).params)
    for seed in range(3):
        runs = groups(JOINED, seed)
        rival = find_rival(runs, BEYOND, n_resamples=200)
        assert rival.name == "coupled"
        ruling = rule_on(compare_approaches(runs, n_resamples=200), BEYOND)
        assert ruling.follow is None
        assert ruling.low <= min(rival.low, truth)
        assert ruling.high >= rival.high
        assert "it may lie outside of that" in ruling.words


def test_the_better_law_is_told_by_held_out_runs_and_by_all_runs():
    assert [better_law(groups(BASE, seed))[0] for seed in range(5)] == ["additive"] * 5
    names = [better_law(groups(JOINED, seed)) for seed in range(5)]
    assert [name for name, _ in names] == ["coupled"] * 5
    assert all("its k is 0." in words for _, words in names)


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    path = tmp_path_factory.mktemp("joined") / "runs.csv"
    groups(JOINED, 0).to_csv(path, index=False)
    return path


def plan_of(path, *words):
    return json.loads(run("plan", path, "--resamples", 200, *words, "--json").output)


def test_a_plan_takes_the_law_that_the_runs_tell(joined):
    """And its ruling is of the same law: it holds the number that the plan prints."""
    truth = float(scaling.compute_optimal(JOINED, BEYOND).params)
    record = plan_of(joined, "--flops", BEYOND)
    assert record["law_name"] == "coupled"
    size = next(row for row in record["allocation"] if row["quantity"] == "params")
    assert size["low"] <= truth <= size["high"]
    assert record["approaches"]["follow"] == 3
    assert record["approaches"]["low"] == pytest.approx(size["low"], rel=0.1)
    assert record["approaches"]["low"] <= size["estimate"] <= record["approaches"]["high"]


def test_a_plan_by_the_other_law_is_an_open_question(joined):
    record = plan_of(joined, "--flops", BEYOND, "--law", "additive")
    assert record["approaches"]["follow"] is None
    assert record["open_question"]
    assert record["off_optimum"] is None
    near = plan_of(joined, "--flops", INSIDE, "--law", "additive")
    assert near["approaches"]["follow"] == 2
    assert any("by approach 2, which is to be followed here, the best size is" in note for note in near["notes"])
    truth = float(scaling.compute_optimal(JOINED, INSIDE).params)
    assert near["approaches"]["low"] <= truth <= near["approaches"]["high"]


def test_runs_to_add_where_the_formula_is_in_doubt_need_none(tmp_path):
    """A group of equal compute around the sizes that are possible; with it approach 2 comes near the truth there."""
    runs, budget = noisy(Bent.loss, 0, 0.002), 5e21
    runs.to_csv(tmp_path / "runs.csv", index=False)
    words = ("--flops", BEYOND, "--next-budget", budget)
    record = plan_of(tmp_path / "runs.csv", *words)
    assert record["approaches"]["follow"] is None
    assert record["open_question"]
    group = pd.DataFrame(record["next_runs"]["runs"])
    assert record["next_runs"]["aim"] == "group"
    assert len(group) >= 5
    assert group["flops"].sum() <= budget * (1 + 1e-9)
    assert np.ptp(group["flops"]) < 1e-6 * group["flops"].mean()
    assert np.allclose(6 * group["params"] * group["tokens"], group["flops"])
    assert group["params"].min() < Bent.best(float(group["flops"].iloc[0])) < group["params"].max()
    text = run("plan", tmp_path / "runs.csv", "--resamples", 200, *words).output
    assert "5 runs of equal compute to add" in text
    assert "it may lie outside of that" in text
    added = group.assign(loss=Bent.loss(group["params"], group["tokens"]))[["params", "tokens", "loss"]]
    both = scaling.check_runs(pd.concat([runs[["params", "tokens", "loss"]], added], ignore_index=True))
    near = float(group["flops"].iloc[0])
    ruling = rule_on(compare_approaches(both, n_resamples=200), near)
    assert ruling.follow == 2
    assert ruling.size == pytest.approx(Bent.best(near), rel=0.25)


@pytest.mark.parametrize(
    "option",
    [
        ("--next-aim", "loss"),
        ("--next-runs", 5),
        ("--next-size", "1e9"),
        ("--next-flops-per-run", "1e20"),
        ("--next-tokens-per-param", 5, 50),
    ],
)
def test_options_about_runs_to_add_need_a_budget_for_them(option, joined):
    done = run("plan", joined, "--flops", BEYOND, *option)
    assert done.exit_code == 2
    assert f"{option[0]}: these are about runs to add, which --next-budget FLOPS asks for" in done.output


def test_a_group_keeps_to_what_may_be_spent():
    for budget, most, each in ((5e21, None, 1e21), (1e30, None, 1e22), (1e30, 1e20, 1e20)):
        group = scaling.plan.suggest_group(1e9, 4e9, 1e22, budget, most).table()
        assert group["flops"].to_numpy() == pytest.approx(each)
        assert np.exp(np.log(group["params"]).mean()) == pytest.approx(2e9 * (each / 1e22) ** 0.5)
        assert group["params"].max() / group["params"].min() == pytest.approx(16)
    with pytest.raises(ValueError, match="budget must be"):
        scaling.plan.suggest_group(1e9, 4e9, 1e22, 0.0)
    with pytest.raises(ValueError, match="low must not lie above high"):
        scaling.plan.suggest_group(4e9, 1e9, 1e22, 1e22)


def test_a_group_keeps_to_the_runs_that_are_allowed():
    ask = (1e9, 4e9, 1e22, 1e30)
    ratio = 1e22 / 6 / scaling.plan.suggest_group(*ask).table()["params"] ** 2
    low, high = 2 * ratio.min(), ratio.max() / 1.5
    group = scaling.plan.suggest_group(*ask, tokens_per_param=(low, high)).table()
    each = group["tokens"] / group["params"]
    assert len(group) == 5
    assert low * 0.999 < each.min() < each.max() < high * 1.001
    sizes = [5e8, 9e8, 2e9, 5e9, 9e9, 1e11]
    assert list(scaling.plan.suggest_group(*ask, params=sizes).table()["params"]) == sizes[:5]
    assert len(scaling.plan.suggest_group(*ask, max_runs=4).table()) == 4
    refused = "no 4 of the sizes that are allowed hold 1B to 4B parameters"
    for bounds in ({"params": [1e9, 2e9, 4e9]}, {"params": [1e8, 2e8, 3e8, 4e8]}, {"tokens_per_param": (1, 20)}):
        with pytest.raises(ValueError, match=refused):
            scaling.plan.suggest_group(*ask, **bounds)
    with pytest.raises(ValueError, match="takes 4 runs or more, at most 3 are allowed"):
        scaling.plan.suggest_group(*ask, max_runs=3)


def test_a_group_costs_what_the_table_counts():
    meter = scaling.runs.Meter(kind="power", coefficient=10.0, params=0.9)
    group = scaling.plan.suggest_group(1e9, 4e9, 1e22, 1e22, meter=meter).table()
    assert group["flops"].sum() == pytest.approx(1e22)
    np.testing.assert_allclose(meter.flops(group["params"], group["tokens"]), group["flops"])


def test_a_group_to_add_keeps_to_the_options(tmp_path):
    """They were taken in silence, and five runs of any size suggested."""
    noisy(Bent.loss, 0, 0.002).to_csv(tmp_path / "runs.csv", index=False)
    options = ("--flops", BEYOND, "--next-budget", 5e21)
    done = run("plan", tmp_path / "runs.csv", "--resamples", 100, *options, "--next-runs", 3)
    assert done.exit_code == 1
    assert "at most 3 are allowed" in done.output


@pytest.mark.parametrize("most", [-1, 0, np.nan, "1e20"])
def test_a_cap_on_a_run_is_a_positive_number(most):
    with pytest.raises(ValueError, match="max_flops_per_run must be (positive and finite|a number), got"):
        scaling.plan.suggest_group(1e9, 4e9, 1e21, 1e21, max_flops_per_run=most)


@pytest.mark.parametrize("number", [-1, 0, 2.5])
def test_a_number_of_resamples_is_refused_where_none_are_needed(number):
    with pytest.raises(ValueError, match="n_resamples must be a whole number, at least 2"):
        find_rival(groups(BASE, 0), 1e21, n_resamples=number)


@pytest.mark.slow
def test_noise_that_budgets_share_is_no_other_law():
    """Of an additive truth the coupled law was taken in 30 of 120 such tables, its k told from 1."""
    chosen = []
    for seed in range(12):
        rng = np.random.default_rng([seed, 5])
        heights = rng.normal(0, 0.01, len(BUDGETS))
        runs = groups(BASE, seed)
        of = np.abs(np.log(runs["flops"].to_numpy()[:, None] / BUDGETS)).argmin(1)
        chosen.append(better_law(runs.assign(loss=runs["loss"] * np.exp(heights[of])))[0])
    assert chosen.count("coupled") <= 1
