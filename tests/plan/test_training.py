"""Plans: every number against the routine it comes from, the definitions, refusals, the coverage of intervals."""

import warnings
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import scaling
from scaling.fit.certainty import unsettled
from scaling.papers import muennighoff2023
from scaling.papers.czech2026 import surface
from scaling.plan.training import MISSES
from scaling.sources import is_available

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
BUDGET, DEMAND, UNIQUE = 1e22, 5e12, 5e10


@pytest.fixture(scope="module")
def boot():
    runs = scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(120), noise=0.006, seed=3)
    return scaling.bootstrap(scaling.fit_parametric(runs), 300, seed=1)


@pytest.fixture(scope="module")
def plan(boot):
    return scaling.plan_training(boot, BUDGET, DEMAND, UNIQUE)


@pytest.mark.parametrize("flops", [10**22, Decimal("1e22"), np.float32(1e22), np.array(1e22)])
def test_a_budget_of_any_kind_of_number_is_the_same(boot, plan, flops):
    assert scaling.plan_training(boot, flops).allocation.estimate.iloc[0] == pytest.approx(
        plan.allocation.estimate.iloc[0], rel=1e-6
    )


@pytest.mark.parametrize("given", [None, LAW, pd.DataFrame()])
def test_what_is_no_bootstrap_is_refused_with_what_makes_one(given):
    with pytest.raises(TypeError, match=r"a plan needs resamples, not a \w+: scaling.bootstrap\(fit\) makes them"):
        scaling.plan_training(given, 1e22)


def test_allocation_is_the_optimum_and_its_spread(boot, plan):
    rows, best = plan.allocation.loc["compute-optimal"], scaling.compute_optimal(boot.fit.law, BUDGET)
    for name in ("params", "tokens", "tokens_per_param", "loss"):
        assert rows.estimate[name] == getattr(best, name)
        spread = boot.interval(0.95, of=lambda law, name=name: getattr(scaling.compute_optimal(law, BUDGET), name))
        assert (rows.low[name], rows.high[name]) == pytest.approx(spread, rel=1e-12)
    assert rows.estimate["exponent"] == boot.fit.law.a
    assert (rows.low <= rows.estimate).all()
    assert (rows.estimate <= rows.high).all()


def test_a_wider_level_gives_wider_intervals(boot, plan):
    narrow = scaling.plan_training(boot, BUDGET, level=0.5).allocation
    wide = plan.allocation.loc[narrow.index]
    assert ((narrow.high - narrow.low) < (wide.high - wide.low)).all()


def test_serving_reaches_the_same_loss_with_the_least_compute(boot, plan):
    law, found = boot.fit.law, plan.allocation.estimate["with inference"]
    best = scaling.compute_optimal(law, BUDGET)
    assert found.loss == best.loss
    assert law.loss(found.params, found.tokens) == pytest.approx(best.loss, rel=1e-9)

    def total(log_size):
        size = np.exp(log_size)
        tokens = (law.B / (best.loss - law.E - law.A * size**-law.alpha)) ** (1 / law.beta)
        return 6 * size * tokens + 2 * size * DEMAND

    bounds = (np.log(best.params / 4), np.log(best.params))
    searched = optimize.minimize_scalar(total, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    assert found.total_flops == pytest.approx(searched.fun, rel=1e-9)
    assert found.compute_saved == pytest.approx(1 - searched.fun / (BUDGET + 2 * best.params * DEMAND), rel=1e-6)
    assert found.flops == pytest.approx(6 * found.params * found.tokens)


def test_without_demand_serving_is_the_compute_optimum(boot):
    plan = scaling.plan_training(boot, BUDGET, inference_tokens=0)
    both = plan.allocation.estimate
    assert "unknown" not in repr(plan)
    assert "-0.0%" not in repr(plan)
    assert plan.allocation.loc[("with inference", "total_flops")].tolist() == [BUDGET] * 3
    assert both["with inference"].params == pytest.approx(both["compute-optimal"].params, rel=1e-9)
    assert both["with inference"].compute_saved == pytest.approx(0, abs=1e-12)


def test_limited_data_takes_the_published_decay(boot, plan):
    found = plan.allocation.estimate["limited data"]
    published = scaling.laws.DataConstrainedLaw.from_published()
    law = replace(published, base=boot.fit.law)
    best = scaling.data_constrained_optimal(law, BUDGET, UNIQUE)
    assert (found.params, found.tokens, found.loss) == (best.params, best.tokens, best.loss)
    assert found.epochs == best.tokens / UNIQUE > 1
    plenty = scaling.plan_training(boot, BUDGET, unique_tokens=1e15).allocation.estimate
    assert plenty["limited data"].epochs == 1
    assert plenty["limited data"].extra_loss == 0
    assert plenty["limited data"].params == pytest.approx(plenty["compute-optimal"].params)


def test_wasted_compute_is_what_the_same_loss_would_have_cost(boot, plan):
    law, table = boot.fit.law, plan.off_optimum.set_index("size_ratio")
    assert list(table.index) == [0.25, 0.5, 1, 2, 4]
    for row in table.itertuples():
        assert law.loss(row.params, row.tokens) == row.loss
        assert 6 * row.params * row.tokens == pytest.approx(BUDGET)
        enough = scaling.compute_optimal(law, BUDGET * (1 - row.compute_wasted))
        assert enough.loss == pytest.approx(row.loss, rel=1e-12)
        assert row.compute_wasted_low <= row.compute_wasted_high
    assert table.extra_loss[1] == 0 < table.extra_loss_high[1]  # the price of not knowing the law better
    assert (table.loc[[0.25, 4], "compute_wasted"] > 0.2).all()


def test_regret_is_taken_under_each_resample(boot, plan):
    size = plan.off_optimum.params[0]
    waste = [
        scaling.ChinchillaLaw(**row).loss(size, BUDGET / (6 * size))
        - scaling.compute_optimal(scaling.ChinchillaLaw(**row), BUDGET).loss
        for row in boot.samples.to_dict("records")
    ]
    ends = plan.off_optimum.loc[0, ["extra_loss_low", "extra_loss_high"]]
    assert tuple(ends) == pytest.approx(tuple(np.quantile(waste, [0.025, 0.975])), rel=1e-6)


def test_smaller_models_of_the_same_loss(boot, plan):
    law, best = boot.fit.law, scaling.compute_optimal(boot.fit.law, BUDGET)
    assert plan.overtraining.size_ratio.iloc[[0, -1]].tolist() == [1, 0.25]
    for row in plan.overtraining.itertuples():
        assert law.loss(row.params, row.tokens) == pytest.approx(best.loss, rel=1e-12)
        assert 6 * row.params * row.tokens / BUDGET - 1 == pytest.approx(row.training_overhead, abs=1e-9)
        if row.size_ratio < 1:  # after so many tokens both have cost the same
            served = row.pays_after
            assert 6 * row.params * row.tokens + 2 * row.params * served == pytest.approx(
                BUDGET + 2 * best.params * served
            )
    assert np.isnan(plan.overtraining.pays_after[0])


def test_sizes_that_no_data_can_help_are_out_of_reach(boot):
    steep = scaling.ChinchillaLaw(E=1.7, A=1e6, B=4e5, alpha=0.9, beta=0.6)
    samples = boot.samples.assign(**steep.constants)
    law = scaling.ChinchillaLaw(**{name: column.to_numpy() for name, column in samples.items()})
    same = replace(boot, samples=samples, law=law, fit=replace(boot.fit, candidate=steep))
    plan = scaling.plan_training(same, BUDGET)
    table = plan.overtraining.set_index("size_ratio")
    below = table.index < (1 + 0.9 / 0.6) ** (-1 / 0.9)
    assert below.tolist() == [False] * 6 + [True] * 2
    assert (table.tokens.isna() == below).all()
    assert (np.isinf(table.training_overhead_high) == below).all()
    assert "out of reach" in repr(plan)


def test_far_budgets_are_warned_of_with_the_factor(boot):
    largest = boot.fit.runs["flops"].max()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scaling.plan_training(boot, 2 * largest).notes == ()
    with pytest.warns(scaling.errors.RunsWarning, match="400 times that of the most expensive run"):
        plan = scaling.plan_training(boot, 400 * largest)
    assert plan.reach == pytest.approx(400)
    assert "400 times" in repr(plan)


def test_a_budget_further_below_the_runs_than_they_span_is_open(boot):
    paid = boot.fit.runs["flops"]
    near, far = (paid.min() / (paid.max() / paid.min()) ** times for times in (0.9, 1.1))
    assert not scaling.plan_training(boot, near).open_question
    assert "decades below the cheapest run" in scaling.plan_training(boot, far).open_question
    enough = boot.fit.certainty([near, far]).query("quantity == 'params'").set_index("flops")["enough"]
    assert enough.to_dict() == {near: True, far: False}


def test_a_budget_worse_than_a_guess_is_another_unit(boot):
    with pytest.raises(scaling.FitError, match="worse than a guess: in which unit is it"):
        scaling.plan_training(boot, 1e10)
    with pytest.raises(scaling.FitError, match=r"is it in PF-days\? Then it is 4.32e23 FLOPs"):
        scaling.plan_training(boot, 5000)
    runs = boot.fit.runs.assign(loss=lambda table: 10 * table["loss"])  # of no unit that a guess is known in
    other = scaling.bootstrap(scaling.fit_parametric(runs), 100)
    assert scaling.plan_training(other, 1e12).open_question


def test_a_run_that_did_better_for_less_speaks_against_the_plan():
    runs = scaling.load_runs("small_sweep")
    boot = scaling.bootstrap(scaling.fit_parametric(runs), 100, seed=0)
    for times in (1, 5):
        plan = scaling.plan_training(boot, times * 3.2e13)
        expected = plan.allocation.loc[("compute-optimal", "loss"), "estimate"]
        assert runs["loss"].min() < expected
        words = f"3.2e13 FLOP already reached a loss of 2.809, below the {expected:.4g} that the law expects"
        assert words in plan.notes[0]
        assert words in repr(plan)


def test_only_a_run_that_is_better_by_more_than_noise_and_not_more_expensive_refutes_a_loss():
    runs = pd.DataFrame({"params": [1e6, 1e6, 1e7], "tokens": [2e7, 2e7, 2e8], "loss": [3.0, 3.0, 2.0]})
    runs["flops"] = 6 * runs["params"] * runs["tokens"]
    cheap, expensive = runs["flops"].iloc[[0, 2]]
    assert "a loss of 3, below the 3.1" in scaling.plan.already_reached(runs, cheap, 3.1)
    assert scaling.plan.already_reached(runs, cheap, 3.02) == ""
    assert scaling.plan.already_reached(runs, cheap / 2, 3.1) == ""
    assert "a loss of 2, below the 3.1" in scaling.plan.already_reached(runs, expensive, 3.1)
    noisy = runs.assign(loss=[3.0, 3.1, 2.0])
    assert scaling.plan.already_reached(noisy, cheap, 3.1) == ""


def test_resamples_without_an_optimum(boot):
    def spoilt(rows):
        samples = boot.samples.copy()
        samples.loc[: rows - 1, "A"] = 0.0
        law = scaling.ChinchillaLaw(**{name: column.to_numpy() for name, column in samples.items()})
        return replace(boot, samples=samples, law=law)

    plan = scaling.plan_training(spoilt(15), BUDGET, DEMAND, UNIQUE)
    assert "5.0% of the resamples have no optimum" in plan.notes[0]
    assert len(plan.boot.samples) == len(boot.samples) - 15
    assert "the ends are unknown" in plan.notes[0]
    assert plan.allocation[["low", "high"]].isna().all(axis=None)
    assert "unknown" in repr(plan)
    few = scaling.plan_training(spoilt(6), BUDGET, DEMAND, UNIQUE)
    assert "2.0% of the resamples have no optimum: they count as beyond either end" in few.notes[0]
    assert np.isfinite(few.allocation.to_numpy()).all()
    with pytest.raises(scaling.FitError, match="50% of the resamples have no optimum"):
        scaling.plan_training(spoilt(150), BUDGET)


def test_a_size_that_the_printed_interval_leaves_open_is_open():
    """Noise that rises with compute: profile likelihood takes it for even, and called the size known."""
    design = scaling.simulate.chinchilla_like_design(40, seed=2)
    share = np.log(design["flops"] / design["flops"].min()) / np.log(design["flops"].max() / design["flops"].min())
    runs = scaling.simulate_runs(LAW, design)
    seen = 0
    for seed in range(3):
        noise = 0.001 * 20**share * np.random.default_rng(seed).standard_normal(len(runs))
        boot = scaling.bootstrap(scaling.fit_parametric(runs.assign(loss=runs["loss"] * np.exp(noise))), 100)
        found = scaling.plan_training(boot, BUDGET)
        size = found.allocation.loc[("compute-optimal", "params")]
        wide = not size.estimate / 2 <= size.low <= size.high <= 2 * size.estimate
        assert not wide or found.open_question
        if wide and not unsettled(boot.fit, BUDGET):
            seen += 1
            assert "is not known within a factor of 2 (95%): it lies anywhere from" in found.open_question
            assert "size ratio" not in repr(found)
    assert seen


def test_a_plan_reads_well(plan):
    words = repr(plan)
    for part in (
        "Plan for 1e22",
        "compute-optimal",
        "with inference",
        "limited data",
        "another size",
        "smaller models",
    ):
        assert part in words
        assert part in plan._repr_html_()
    assert max(map(len, words.splitlines())) <= 120
    table = plan.table()
    assert list(table.columns) == ["problem", "quantity", "estimate", "low", "high"]
    assert len(table) == len(plan.allocation)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"flops": -1e24}, "flops must be positive and finite, got -1e"),
        ({"flops": np.inf}, "flops must be positive"),
        ({"flops": 1e22, "inference_tokens": -1}, "inference_tokens must be at least 0"),
        ({"flops": 1e22, "unique_tokens": 0}, "unique_tokens must be positive"),
        ({"flops": 1e22, "level": 95}, "level must lie between 0 and 1, got 95"),
    ],
)
def test_bad_numbers_are_refused(boot, arguments, words):
    with pytest.raises(ValueError, match=words):
        scaling.plan_training(boot, **arguments)


def test_only_the_parametric_loss_carries_a_plan():
    design = scaling.simulate.isoflop_design([1e19, 1e20, 1e21], law=LAW)
    frontier = scaling.fit_isoflop(scaling.simulate_runs(LAW, design, noise=0.002))
    with pytest.raises(TypeError, match="FrontierLaw"):
        scaling.plan_training(scaling.bootstrap(frontier, 20), 1e22)


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """The small version of the study in benchmarks/intervals.py, its three surfaces together."""
    surfaces, tables, hits = (LAW, surface("symmetric"), surface("asymmetric")), 40, 0
    for law in surfaces:
        best = scaling.compute_optimal(law, 1e23)
        truth = pd.Series({"exponent": law.a, "params": best.params, "loss": best.loss})
        design = scaling.simulate.isoflop_design(np.geomspace(6e18, 3e21, 7), n_sizes=9, width=6, law=law)
        for seed in range(tables):
            fit = scaling.fit_parametric(scaling.simulate_runs(law, design, noise=0.006, seed=seed))
            with pytest.warns(scaling.errors.RunsWarning):
                plan = scaling.plan_training(scaling.bootstrap(fit, 300, seed=seed), 1e23)
            rows = plan.allocation.loc["compute-optimal"].loc[truth.index]
            hits = hits + ((rows.low <= truth) & (truth <= rows.high))
    # were the coverage 0.92, any of the three counts would be lower once in 10,000 such tests
    assert (hits >= stats.binom.ppf(1e-4 / 3, len(surfaces) * tables, 0.92)).all(), hits


@pytest.mark.slow
@pytest.mark.skipif(not is_available("muennighoff2023"), reason="the runs of muennighoff2023 are not here")
def test_what_is_said_of_repeated_tokens_is_what_the_released_runs_show():
    assert sorted(muennighoff2023.finals()["epochs"].unique())[-2:] == list(MISSES)
    for epochs, share in MISSES.items():
        assert round(max(muennighoff2023.missed(epochs)), 2) == share


def test_what_serving_asks_for_far_beyond_the_runs_is_told(boot):
    """Ten million tokens a parameter stood there with intervals of a few per cent and no word."""
    runs, budget = boot.fit.runs, float(boot.fit.runs["flops"].max())
    far = scaling.plan_training(boot, budget, 1e20)
    told = [note for note in far.notes if note.startswith("with inference: ")]
    served = far.allocation.loc["with inference", "estimate"]
    ratio = served["tokens_per_param"] / (runs["tokens"] / runs["params"]).max()
    assert len(told) == 1
    assert f"{ratio:.3g} times the tokens per parameter of the run that has most" in told[0]
    near = scaling.plan_training(boot, budget, 1e9)
    assert not any(note.startswith("with inference: ") for note in near.notes)
