"""Runs to add: the rival laws, what a group is worth under them, the search, its bounds, and both widths."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.laws import CoupledLaw
from scaling.plan import next_runs, rivals, search

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
NOISE = 0.006
NAMES = ("E", "A", "B", "alpha", "beta")


def fitted(n=60, seed=0, law=LAW, law_of="additive"):
    runs = scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(n, seed=seed), noise=NOISE, seed=seed)
    return scaling.fit_parametric(runs, law=law_of)


@pytest.fixture(scope="module")
def boot():
    return scaling.bootstrap(fitted(), 100)


def several(*laws):
    return scaling.ChinchillaLaw(*(np.array([getattr(law, name) for law in laws]) for name in NAMES))


def coupled(*k):
    return CoupledLaw.joining(several(*[LAW] * len(k)), np.array(k))


@pytest.mark.parametrize("aim", ["params", "loss"])
@pytest.mark.parametrize("k", [0.3, 0.6, 1.0])
def test_the_optimum_of_a_coupled_law_is_where_its_loss_is_least(aim, k):
    """Minimised on a fine grid along 6 N D = C."""
    flops, law = 1e23, coupled(k)
    N = scaling.compute_optimal(LAW, flops).params * np.exp(np.linspace(-0.5, 0.5, 200_001))
    loss = law.loss(N, flops / (6 * N))
    best = loss.argmin()
    tolerance = 2e-4 if aim == "params" else 1e-9  # flat in the size
    assert rivals.aim_value(law, aim, flops)[0] == pytest.approx(
        np.log(N[best]) if aim == "params" else loss[best], abs=tolerance
    )
    assert rivals.aim_value(law, "a", flops)[0] == pytest.approx(LAW.a)


def test_a_coupling_keeps_both_limits():
    N, D = np.array([1e4, 1e22, 1e9]), np.array([1e25, 1e4, 2e10])
    joined, plain = coupled(0.3, 1.0).as_column().loss(N, D)
    np.testing.assert_allclose(plain, LAW.loss(N, D))
    np.testing.assert_allclose(joined[:2], plain[:2], rtol=1e-5)
    assert joined[2] < plain[2] * np.exp(-0.03)


@pytest.mark.parametrize("k", [0.3, 1.0])
def test_rivals_find_the_coupling_of_the_truth(k):
    design = scaling.simulate.chinchilla_like_design(60)
    loss = coupled(k).loss(design["params"].to_numpy(), design["tokens"].to_numpy())
    start = scaling.fit_parametric(design.assign(loss=loss)).candidate
    found, left = rivals.fit_rivals(design.assign(loss=loss), np.ones((2, 60)), start, (0.1, 1.5), 1e-3)
    np.testing.assert_allclose(found.k, k, rtol=0.01)
    sizes = [rivals.aim_value(law, "params", 1e24) for law in (found, coupled(k))]
    np.testing.assert_allclose(sizes[0], sizes[1][0], atol=0.01)
    assert np.abs(left).max() < 1e-4
    fixed, _ = rivals.fit_rivals(design.assign(loss=loss), np.ones((1, 60)), start, (1, 1), 1e-3)
    assert fixed.k == [1.0]


def test_the_miss_of_a_group_is_that_of_fits_to_simulated_tables(boot):
    """Against one call of the fit for each rival."""
    trial = next_runs.Trial.of(boot.fit, "params", 1e24, (0.1, 1.5), 0)
    N = np.array([5e8, 2e9, 8e9])
    D = 1e21 / 6 / N
    noise = trial.noise * np.random.default_rng(0).standard_normal((next_runs.RIVALS, 3))
    losses = trial.rivals.as_column().loss(N, D) * np.exp(noise)
    off = []
    for loss, true in zip(losses, trial.true, strict=True):
        more = pd.DataFrame({"params": N, "tokens": D, "loss": loss})
        table = pd.concat([boot.fit.runs[["params", "tokens", "loss"]], more])
        off.append(np.log(scaling.compute_optimal(scaling.fit_parametric(table).law, 1e24).params) - true)
    assert trial.miss(N, D) == pytest.approx(np.mean(np.square(off)), rel=1e-6)


def test_runs_are_suggested_for_a_coupled_fit_too():
    """What its trials fit is the coupled law: with rivals of the fitted form alone, little is missed but noise."""
    runs = fitted(80, law=CoupledLaw.joining(LAW, 0.4), law_of="coupled")
    found = scaling.suggest_runs(scaling.bootstrap(runs, 100), 1e22, 1e24, max_runs=6)
    assert found.flops <= 1e22
    assert found.miss_after < found.miss_before
    assert found.estimate == pytest.approx(scaling.compute_optimal(runs.law, 1e24).params)


def test_the_best_group_is_found_where_each_choice_helps_by_itself():
    wanted = search.Group(8, 0.0, 8.0, -0.6)

    def error(group):
        return sum(abs(getattr(group, name) - getattr(wanted, name)) for name in vars(wanted))

    assert search.best_group(search.Group(12), 12, error) == wanted


@pytest.mark.parametrize("sizes", [np.array([1e8, 2e10]), np.array([3e8, 1e9, 5e9])])
def test_runs_of_a_cost_stay_within_every_bound(sizes):
    space = search.Space(sizes, len(sizes) > 2, (2e9, 4e11), (2.0, 90.0))
    for flops in np.geomspace(6 * np.prod(space.cheapest) * 1.001, 1e23, 40):
        N, D = space.of_cost(np.geomspace(1e7, 1e12, 30), flops)
        assert len(N) == 30
        assert (6 * N * D / flops <= 1 + 1e-9).all()
        for values, (low, high) in [(N, (sizes[0], sizes[-1])), (D, space.tokens), (D / N, space.ratio)]:
            assert (values >= low * (1 - 1e-9)).all()
            assert (values <= high * (1 + 1e-9)).all()
        if space.listed:
            assert set(N) <= set(sizes)
    assert not len(space.of_cost(sizes, 6 * np.prod(space.cheapest) * 0.99)[0])


def test_many_runs_are_thinned(boot):
    many = next_runs.Trial.of(fitted(2000), "params", 1e24, (0.1, 1.5), 0)
    assert len(many.runs) == next_runs.FEW
    np.testing.assert_allclose(many.weights, 4.0)


def test_both_widths_are_of_the_bootstrap(boot):
    found = scaling.suggest_runs(boot, 1e22, 1e24, level=0.9)
    low, high = boot.interval(0.9, lambda law: np.log(scaling.compute_optimal(law, 1e24).params))
    assert found.width_before == pytest.approx(high - low)
    larger = next_runs._enlarged(boot, found.runs)
    assert len(larger.fit.runs) == len(boot.fit.runs) + len(found.runs)
    assert len(larger.samples) == len(boot.samples)
    low, high = larger.interval(0.9, lambda law: np.log(scaling.compute_optimal(law, 1e24).params))
    assert found.width_after == pytest.approx(high - low)
    assert found.width_after < found.width_before
    assert found.miss_after < found.miss_before
    assert found.estimate == pytest.approx(scaling.compute_optimal(boot.fit.law, 1e24).params)


@pytest.mark.parametrize("aim", ["loss", "a"])
def test_other_aims_by_name(boot, aim):
    found = scaling.suggest_runs(boot, 1e22, 1e24, aim)
    assert found.estimate == pytest.approx(float(rivals.aim_value(boot.fit.law, aim, 1e24)))
    assert found.miss_after < found.miss_before


def test_runs_keep_the_bounds(boot):
    found = scaling.suggest_runs(
        boot, 1e21, max_runs=7, max_flops_per_run=2e20, tokens_per_param=(10, 40), params=[2e8, 5e8, 9e8]
    )
    assert set(found.runs["params"]) <= {2e8, 5e8, 9e8}
    assert (found.runs["tokens"] / found.runs["params"]).between(10 * (1 - 1e-12), 40 * (1 + 1e-12)).all()
    assert (found.runs["flops"] <= 2e20).all()
    assert found.flops <= 1e21
    assert len(found.runs) <= 7
    assert found.flops_planned == pytest.approx(10 * boot.fit.runs["flops"].max())
    exactly = scaling.suggest_runs(boot, 1e21, tokens_per_param=(20, 20))
    np.testing.assert_allclose(exactly.runs["tokens"] / exactly.runs["params"], 20)


def test_the_same_resamples_give_the_same_runs(boot):
    first, second = scaling.suggest_runs(boot, 1e21), scaling.suggest_runs(boot, 1e21)
    pd.testing.assert_frame_equal(first.runs, second.runs)
    assert first.flops > 0.9e21
    assert np.ptp(np.log(first.runs["flops"])) < 0.1


def test_a_budget_that_pays_for_one_run_buys_one(boot):
    least = boot.fit.runs["flops"].min()
    assert len(scaling.suggest_runs(boot, 1e21, max_runs=1).runs) == 1
    few = scaling.suggest_runs(boot, 1.5 * least)
    assert 1 <= len(few.runs) <= 12
    assert few.flops <= 1.5 * least


def tokens_per_param(runs):
    return runs["tokens"] / runs["params"]


@pytest.mark.slow
def test_on_small_sweep_no_run_leaves_the_tokens_per_parameter_at_hand():
    fit = scaling.fit_parametric(scaling.runs.last_points(scaling.load_runs("small_sweep")))
    found = scaling.suggest_runs(scaling.bootstrap(fit, 100), 1e14, 3e14)
    ratios = tokens_per_param(fit.runs)
    assert tokens_per_param(found.runs).between(ratios.min() * (1 - 1e-9), ratios.max() * (1 + 1e-9)).all()
    assert ratios.max() < 21_500


def test_on_the_chinchilla_runs_no_large_model_sees_hardly_any_tokens():
    if not scaling.sources.is_available("besiroglu2024"):
        pytest.skip("the runs of besiroglu2024 are not at hand")
    runs = scaling.load_runs("besiroglu2024")
    fit = scaling.fit_parametric(runs[runs["loss"] < runs["loss"].nlargest(5).min()])
    found = scaling.suggest_runs(scaling.bootstrap(fit, 100), 1e22, 1e24)
    assert tokens_per_param(found.runs).min() >= tokens_per_param(fit.runs).min() * (1 - 1e-9) > 0.17


def test_a_suggestion_reads_well(boot):
    found = scaling.suggest_runs(boot, 1e21, 1e24)
    for words in ("runs to add", "of 1e21 FLOPs", "N* at 1e24 FLOPs", "a factor of", "ln N*"):
        assert words in repr(found)
    assert "<table" in found._repr_html_()
    assert "as the law says" in repr(scaling.suggest_runs(boot, 1e21, aim="a", couplings=(1, 1)))
    assert found.table()["repeats"].sum() == len(found.runs)


def test_refusals(boot):
    line = pd.DataFrame({"params": np.geomspace(1e8, 1e10, 20)}).assign(tokens=lambda t: 20 * t.params)
    unidentified = scaling.fit_parametric(scaling.simulate_runs(LAW, line, noise=NOISE))
    with pytest.raises(scaling.FitError, match="add runs"):
        scaling.suggest_runs(unidentified, 1e21)
    for arguments, words in [
        ({"budget": -1}, "budget must be a positive number"),
        ({"budget": 1e21, "flops": 0}, "flops must be positive"),
        ({"budget": 1e21, "aim": "b"}, "aim must be one of params, loss, a"),
        ({"budget": 1e21, "max_flops_per_run": 0}, "max_flops_per_run must be"),
        ({"budget": 1e21, "max_runs": 0}, "max_runs must be"),
        ({"budget": 1e21, "stretch": 0.5}, "stretch must be"),
        ({"budget": 1e21, "level": 95}, "level must lie"),
        ({"budget": 1e21, "couplings": (0.0, 1.0)}, "couplings must be positive"),
        ({"budget": 1e21, "couplings": (1.0, 0.5)}, r"couplings must be \(low, high\)"),
        ({"budget": 1e21, "params": [-1e9]}, "params must be positive"),
        ({"budget": 1e21, "tokens_per_param": (40, 10)}, r"tokens_per_param must be \(low, high\)"),
        ({"budget": 1e21, "tokens_per_param": (1e-4, 1e-3)}, "state other bounds"),
        ({"budget": 1e9}, "do not pay for the smallest run considered"),
        ({"budget": 1e21, "max_flops_per_run": 1e9}, "do not pay for the smallest run considered"),
    ]:
        with pytest.raises(ValueError, match=words):
            scaling.suggest_runs(boot, **arguments)
    design = scaling.simulate.isoflop_design([1e19, 1e20, 1e21], law=LAW)
    frontier = scaling.fit_isoflop(scaling.simulate_runs(LAW, design, noise=0.002))
    with pytest.raises(TypeError, match="ChinchillaLaw"):
        scaling.suggest_runs(frontier, 1e21)


@pytest.mark.slow
def test_suggested_runs_bring_the_size_closer_than_one_more_group_where_the_law_is_wrong():
    """Truth is a coupled law, k = 0.3: 12 seeded tables of 45 runs, the same compute on nine sizes at 2e21 FLOPs."""
    truth, target, budget = coupled(0.3), 1e23, 1.8e22
    true = float(rivals.aim_value(truth, "params", target)[0])
    at_hand = scaling.simulate.isoflop_design(np.geomspace(6e18, 6e20, 5), 9, 6, center=lambda C: np.sqrt(C / 120))

    def losses(design, seed):
        N, D = design["params"].to_numpy(), design["tokens"].to_numpy()
        noise = NOISE * np.random.default_rng(seed).standard_normal(len(N))
        return design[["params", "tokens"]].assign(loss=truth.loss(N, D) * np.exp(noise))

    def missed(table):
        return abs(float(np.log(scaling.compute_optimal(scaling.fit_parametric(table).law, target).params)) - true)

    less = []
    for seed in range(12):
        runs = losses(at_hand, seed)
        fit = scaling.fit_parametric(runs)
        group = scaling.simulate.isoflop_design([budget / 9], 9, 6, law=fit.law)
        more = scaling.suggest_runs(scaling.bootstrap(fit, 10), budget, target).runs
        with_each = [missed(pd.concat([runs, losses(each, [seed, 1])])) for each in (more, group)]
        less.append(with_each[0] - with_each[1])
    assert np.mean(less) < -0.01


def test_runs_that_bring_nothing_closer_are_not_told_as_a_gain():
    """One allowed run of a size far from the optimum made the misses twice as large, and stood there as runs to add."""
    found = next_runs.NextRuns(
        pd.DataFrame({"params": [2e9], "tokens": [8e11], "flops": [9.6e21], "loss": [2.17]}),
        *(1e22, "params", 1e23, 3e10, 0.95, 2.0, 1.6, 0.05, 0.11, (0.3, 0.3)),
    )
    assert repr(found).startswith("no group within these bounds brings the answer closer")
    assert "in one table simulated by the law" in repr(found)


@pytest.mark.slow
def test_the_width_of_a_larger_table_knows_that_noise_grows():
    """Runs to add cost most and stray most: their interval was told as narrow as if they strayed as the cheap ones."""
    said, came = [], []
    for seed in range(6):
        rng = np.random.default_rng([seed, 77])
        design = scaling.simulate.chinchilla_like_design(120, seed=seed)[["params", "tokens"]]

        def losses(table, rng=rng):
            spread = 0.003 * (table["params"] * table["tokens"] / 1e19) ** 0.3
            return LAW.loss(table["params"], table["tokens"]) * np.exp(spread * rng.standard_normal(len(table)))

        runs = scaling.check_runs(design.assign(loss=losses(design)))
        boot = scaling.bootstrap(scaling.fit_parametric(runs), 100)
        more = scaling.suggest_runs(boot, 10 * runs["flops"].max(), 100 * runs["flops"].max())
        added = more.runs[["params", "tokens"]]
        both = pd.concat([runs[["params", "tokens", "loss"]], added.assign(loss=losses(added))], ignore_index=True)
        larger = scaling.bootstrap(scaling.fit_parametric(both), 100)
        ends = larger.interval(0.95, of=lambda law, C=more.flops_planned: scaling.compute_optimal(law, C).params)
        said.append(more.width_after)
        came.append(np.log(ends[1] / ends[0]))
    assert 0.9 < np.median(np.array(said) / came) < 1.5  # 0.74 where the new runs strayed as all do
