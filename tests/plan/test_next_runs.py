"""Runs to add: derivatives, the formulas of variance and bias, the search, its bounds, and both widths."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.plan import next_runs, search, slopes

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
NOISE = 0.006
NAMES = ("E", "A", "B", "alpha", "beta")


def fitted(n=60, seed=0, law=LAW, **options):
    runs = scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(n, seed=seed), noise=NOISE, seed=seed)
    return scaling.fit_parametric(runs, **options)


@pytest.fixture(scope="module")
def boot():
    return scaling.bootstrap(fitted(), 100)


def law_at(z):
    return scaling.ChinchillaLaw(z[0], np.exp(z[1]), np.exp(z[2]), z[3], z[4])


POINT = np.array([LAW.E, np.log(LAW.A), np.log(LAW.B), LAW.alpha, LAW.beta])


def slope(of):
    """Central differences of a function of the law in E, ln A, ln B, alpha and beta."""
    return np.array([(of(law_at(POINT + h)) - of(law_at(POINT - h))) / 2e-6 for h in 1e-6 * np.eye(5)])


def several(*laws):
    return scaling.ChinchillaLaw(*(np.array([getattr(law, name) for law in laws]) for name in NAMES))


def test_sensitivities_are_derivatives():
    N, D = np.array([1e7, 3e9, 7e10]), np.array([4e11, 2e10, 1e12])
    wanted = slope(lambda law: np.log(law.loss(N, D))).T
    np.testing.assert_allclose(slopes.log_sensitivities(LAW, N, D), wanted, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("aim", slopes.AIMS)
def test_slopes_of_the_aims_are_derivatives(aim):
    wanted = slope(lambda law: slopes.aim_value(law, aim, 1e24))
    np.testing.assert_allclose(slopes.aim_slopes(several(LAW), aim, 1e24)[0], wanted, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("aim", ["params", "loss"])
@pytest.mark.parametrize("k", [0.3, 0.6, 1.0])
def test_a_coupling_moves_the_optimum_as_the_formula_says(aim, k):
    """Against the coupled loss minimised on a fine grid along 6 N D = C."""
    flops = 1e23
    N = scaling.compute_optimal(LAW, flops).params * np.exp(np.linspace(-0.5, 0.5, 200_001))
    loss = LAW.loss(N, flops / (6 * N)) * np.exp(slopes.forms(LAW, N, flops / (6 * N), [k])[:, 0])
    best = loss.argmin()
    found = np.log(N[best]) if aim == "params" else loss[best]
    shift = slopes.form_shifts(several(LAW), aim, flops, [k])[0, 0]
    tolerance = 2e-4 if aim == "params" else 1e-9  # flat in the size
    assert found - slopes.aim_value(LAW, aim, flops) == pytest.approx(shift, abs=tolerance)


def test_a_coupling_keeps_both_limits():
    changes = slopes.forms(LAW, [1e4, 1e22, 1e9], [1e25, 1e4, 2e10], [0.3])[:, 0]
    np.testing.assert_allclose(changes[:2], 0, atol=1e-5)
    assert changes[2] < -0.03


def random_design(rng, K=3, n=30, p=5, q=2):
    rows, forms = rng.normal(size=(K, n, p)), rng.normal(size=(K, n, q))
    inverse = np.linalg.inv(np.einsum("knp,knr->kpr", rows, rows))
    design = search.Design(
        inverse, np.einsum("knp,knq->kpq", rows, forms), rng.normal(size=(K, p)), rng.normal(size=(K, q)), 0.5
    )
    return design, rows, forms


def test_the_criterion_is_that_of_least_squares():
    """Variance and bias of a projection by the normal equations, by hand, and after a run is added or taken away."""
    rng = np.random.default_rng(0)
    design, rows, forms = random_design(rng)
    more, more_forms = rng.normal(size=(3, 7, 5)), rng.normal(size=(3, 7, 2))
    for i, value in enumerate(design.with_each(more, more_forms)):
        G, F = (np.concatenate([a, b[:, [i]]], axis=1) for a, b in ((rows, more), (forms, more_forms)))
        terms = []
        for g, f, c, h in zip(G, F, design.aim, design.shift, strict=True):
            bias = c @ np.linalg.lstsq(g, f, rcond=None)[0] - h
            terms.append(np.log(0.25 * c @ np.linalg.inv(g.T @ g) @ c + bias @ bias))
        assert value == pytest.approx(np.mean(terms), rel=1e-9)
        added = design.changed(more[:, i], more_forms[:, i], +1)
        assert added.criterion == pytest.approx(value, rel=1e-9)
        assert added.changed(more[:, i], more_forms[:, i], -1).criterion == pytest.approx(design.criterion, rel=1e-9)


def test_the_search_is_nearly_the_best_of_all_sets():
    rng = np.random.default_rng(1)
    design, *_ = random_design(rng)
    more, more_forms, cost = rng.normal(size=(3, 9, 5)), rng.normal(size=(3, 9, 2)), rng.uniform(1, 3, 9)
    near = np.eye(9, dtype=bool)
    found, chosen = search.choose(design, more, more_forms, cost, 5.0, (5.0, 2.5), 3, near)
    values = [design.criterion]
    for i in range(9):
        for j in range(i):
            for k in range(j):
                if cost[[i, j, k]].sum() <= 5.0:
                    each = design
                    for row in (i, j, k):
                        each = each.changed(more[:, row], more_forms[:, row], +1)
                    values.append(each.criterion)
    assert cost[chosen].sum() <= 5.0
    assert len(set(chosen)) == len(chosen)
    assert found.criterion <= np.quantile(values, 0.05)


def test_both_widths_are_of_the_bootstrap(boot):
    found = scaling.suggest_runs(boot, 1e21, 1e24, level=0.9)
    low, high = boot.interval(0.9, lambda law: np.log(scaling.compute_optimal(law, 1e24).params))
    assert found.width_before == pytest.approx(high - low)
    larger = next_runs._enlarged(boot, found.runs)
    assert len(larger.fit.runs) == len(boot.fit.runs) + len(found.runs)
    assert len(larger.samples) == len(boot.samples)
    low, high = larger.interval(0.9, lambda law: np.log(scaling.compute_optimal(law, 1e24).params))
    assert found.width_after == pytest.approx(high - low)
    assert found.width_after < found.width_before
    assert found.bias_after < found.bias_before
    assert found.estimate == pytest.approx(scaling.compute_optimal(boot.fit.law, 1e24).params)


@pytest.mark.parametrize("aim", ["loss", "a"])
def test_other_aims_by_name(boot, aim):
    found = scaling.suggest_runs(boot, 1e21, 1e24, aim)
    assert found.estimate == pytest.approx(float(slopes.aim_value(boot.fit.law, aim, 1e24)))
    assert found.width_after < found.width_before


def test_the_noise_of_a_run_as_each_objective_sees_it():
    normal = [fitted(2000, objective=name) for name in ("log_squares", "log_absolute", "log_huber")]
    squares, absolute, huber = map(next_runs.noise_of_a_run, normal)
    assert squares == pytest.approx(NOISE, rel=0.08)
    assert absolute / squares == pytest.approx(np.sqrt(np.pi / 2), rel=0.02)
    assert squares < huber < absolute
    wide = fitted(2000, objective="log_huber", delta=1.0)
    assert next_runs.noise_of_a_run(wide) == pytest.approx(squares, rel=0.02)


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


def test_no_two_runs_are_alike(boot):
    runs = np.log(scaling.suggest_runs(boot, 1e21).runs[["params", "tokens"]].to_numpy())
    apart = np.abs(runs[:, None] - runs[None]).max(-1) + 9 * np.eye(len(runs))
    assert apart.min() >= np.log(next_runs.APART)


def tokens_per_param(runs):
    return runs["tokens"] / runs["params"]


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
    assert "joined otherwise" not in repr(scaling.suggest_runs(boot, 1e21, aim="a", couplings=()))
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
        ({"budget": 1e21, "couplings": [0.0]}, "couplings must be positive"),
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
