"""Runs to add: derivatives, the formula of the variance, the search, and that the runs do what is promised."""

import itertools

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.plan import next_runs

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
NOISE = 0.006


def fitted(n=60, seed=0, law=LAW, **options):
    runs = scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(n, seed=seed), noise=NOISE, seed=seed)
    return scaling.fit_parametric(runs, **options)


def exponent(law):
    return law.a


def test_sensitivities_are_derivatives():
    N, D = np.array([1e7, 3e9, 7e10]), np.array([4e11, 2e10, 1e12])
    found = next_runs.log_sensitivities(LAW, N, D)
    point = np.array([LAW.E, np.log(LAW.A), np.log(LAW.B), LAW.alpha, LAW.beta])

    def log_loss(z):
        return np.log(scaling.ChinchillaLaw(z[0], np.exp(z[1]), np.exp(z[2]), z[3], z[4]).loss(N, D))

    for column, step in enumerate(1e-6 * np.eye(5)):
        slope = (log_loss(point + step) - log_loss(point - step)) / 2e-6
        np.testing.assert_allclose(found[:, column], slope, rtol=1e-6, atol=1e-9)


def delta_variance(law, runs):
    """The textbook's formula in one line, without any update."""
    rows = next_runs.log_sensitivities(law, runs["params"], runs["tokens"])
    aim = np.array([0, 0, 0, -law.beta, law.alpha]) / (law.alpha + law.beta) ** 2
    return aim @ np.linalg.inv(rows.T @ rows) @ aim


def test_predicted_widths_are_those_of_the_formula():
    fit = fitted()
    found = scaling.suggest_runs(fit, 1e21)
    both = pd.concat([fit.runs, found.runs])
    ratio = np.sqrt(delta_variance(fit.law, both) / delta_variance(fit.law, fit.runs))
    assert found.width_after / found.width_before == pytest.approx(ratio, rel=1e-6)
    unit = 2 * 1.959964 * next_runs.noise_of_a_run(fit)
    assert found.width_before == pytest.approx(unit * np.sqrt(delta_variance(fit.law, fit.runs)), rel=1e-5)
    assert found.exponent == exponent(fit.law)


def test_resamples_give_the_width_and_the_same_runs():
    fit = fitted(120)
    boot = scaling.bootstrap(fit, 300)
    low, high = boot.interval(0.9, of=exponent)
    alone, found = (scaling.suggest_runs(each, 1e21, level=0.9) for each in (fit, boot))
    pd.testing.assert_frame_equal(alone.runs, found.runs)
    assert found.width_before == high - low
    assert found.width_after / found.width_before == pytest.approx(alone.width_after / alone.width_before)
    assert 0.5 < alone.width_before / found.width_before < 2


def test_the_noise_of_a_run_as_each_objective_sees_it():
    normal = [fitted(2000, objective=name) for name in ("log_squares", "log_absolute", "log_huber")]
    squares, absolute, huber = map(next_runs.noise_of_a_run, normal)
    assert squares == pytest.approx(NOISE, rel=0.08)
    assert absolute / squares == pytest.approx(np.sqrt(np.pi / 2), rel=0.02)
    assert squares < huber < absolute
    wide = fitted(2000, objective="log_huber", delta=1.0)
    assert next_runs.noise_of_a_run(wide) == pytest.approx(squares, rel=0.02)
    exact = scaling.fit_parametric(scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(60)))
    assert scaling.suggest_runs(exact, 1e21).width_before == pytest.approx(0, abs=1e-6)


def test_small_searches_find_the_best_set(monkeypatch):
    monkeypatch.setattr(next_runs, "GRID_POINTS", 5)
    fit = fitted()
    budget = 3e20
    found = scaling.suggest_runs(fit, budget, max_runs=3, stretch=1.0)
    N, D = next_runs._candidates(fit.runs, 1.0, budget)
    everything = [
        delta_variance(fit.law, pd.concat([fit.runs, pd.DataFrame({"params": N[list(i)], "tokens": D[list(i)]})]))
        for i in itertools.combinations_with_replacement(range(len(N)), 3)
        if (6 * N * D)[list(i)].sum() <= budget
    ]
    reached = (found.width_after / found.width_before) ** 2 * delta_variance(fit.law, fit.runs)
    assert reached == pytest.approx(min(everything), rel=1e-6)


def test_limits_are_kept():
    fit = fitted()
    found = scaling.suggest_runs(fit, 1e21, max_runs=7, per_run=2e20, stretch=1.5)
    assert len(found.runs) <= 7
    assert found.flops <= 1e21
    assert (found.runs["flops"] <= 2e20).all()
    for name in ("params", "tokens"):
        rounding = 1.05  # to two digits
        assert (
            found.runs[name].between(fit.runs[name].min() / 1.5 / rounding, fit.runs[name].max() * 1.5 * rounding).all()
        )
    table = found.table()
    assert table["repeats"].sum() == len(found.runs)
    np.testing.assert_allclose(table["flops"] * table["repeats"], 6 * table.params * table.tokens * table.repeats)
    more = scaling.suggest_runs(fit, 1e22, max_runs=7)
    assert more.width_after < found.width_after < found.width_before


def test_a_suggestion_reads_well():
    found = scaling.suggest_runs(fitted(), 1e21)
    assert "runs to add" in repr(found)
    assert "of 1e21 FLOPs" in repr(found)
    assert "<table" in found._repr_html_()


def test_refusals():
    line = pd.DataFrame({"params": np.geomspace(1e8, 1e10, 20)}).assign(tokens=lambda t: 20 * t.params)
    unidentified = scaling.fit_parametric(scaling.simulate_runs(LAW, line, noise=NOISE))
    with pytest.raises(scaling.FitError, match="add runs"):
        scaling.suggest_runs(unidentified, 1e21)
    fit = fitted()
    for arguments, words in [
        ({"budget": -1}, "budget must be a positive number"),
        ({"budget": 1e21, "per_run": 0}, "per_run must be"),
        ({"budget": 1e21, "max_runs": 0}, "max_runs must be"),
        ({"budget": 1e21, "stretch": 0.5}, "stretch must be"),
        ({"budget": 1e21, "level": 95}, "level must lie"),
        ({"budget": 1e9}, "do not pay for the smallest run considered"),
    ]:
        with pytest.raises(ValueError, match=words):
            scaling.suggest_runs(fit, **arguments)
    design = scaling.simulate.isoflop_design([1e19, 1e20, 1e21], law=LAW)
    frontier = scaling.fit_isoflop(scaling.simulate_runs(LAW, design, noise=0.002))
    with pytest.raises(TypeError, match="ChinchillaLaw"):
        scaling.suggest_runs(frontier, 1e21)


@pytest.mark.slow
def test_suggested_runs_beat_chance_and_more_of_the_same():
    """Over simulated tables, the interval of a shrinks most with the runs suggested, for the same FLOPs and number."""
    budget, n_more, tables = 2e21, 10, 12
    widths = {"before": [], "suggested": [], "at random": [], "more of the same": []}
    promised, errors = [], {name: [] for name in widths}
    for seed in range(tables):
        rng = np.random.default_rng(seed)
        design = scaling.simulate.chinchilla_like_design(60, seed=seed)
        runs = scaling.simulate_runs(LAW, design, noise=NOISE, seed=seed)
        fit = scaling.fit_parametric(runs)
        found = scaling.suggest_runs(fit, budget, max_runs=n_more)
        N, D = next_runs._candidates(fit.runs, 3.0, budget)
        choices = {
            "suggested": found.runs[["params", "tokens"]],
            "at random": drawn(pd.DataFrame({"params": N, "tokens": D}), found.flops, len(found.runs), rng),
            "more of the same": drawn(design[["params", "tokens"]], found.flops, len(found.runs), rng),
            "before": design[["params", "tokens"]].iloc[:0],
        }
        for name, more in choices.items():
            more = scaling.simulate_runs(LAW, more, noise=NOISE, seed=1000 + seed) if len(more) else more
            together = scaling.fit_parametric(pd.concat([runs, more])[["params", "tokens", "loss"]])
            low, high = scaling.bootstrap(together, 200, seed=seed).interval(0.95, of=exponent)
            widths[name].append(high - low)
            errors[name].append(exponent(together.law) - exponent(LAW))
        promised.append(found.width_after / found.width_before)
    mean = {name: np.mean(values) for name, values in widths.items()}
    for other in ("at random", "more of the same"):
        assert mean["suggested"] < 0.8 * mean[other], mean
        wins = np.sum(np.array(widths["suggested"]) < widths[other])
        assert wins >= 11, (other, wins)  # were it a toss, 1 time in 300
    assert np.std(errors["suggested"]) < np.std(errors["before"])
    assert mean["suggested"] / mean["before"] == pytest.approx(np.mean(promised), rel=0.5)


def drawn(candidates, budget, count, rng):
    """Runs drawn at random until there are ``count`` or the budget is spent, so that both sides cost about the same."""
    best, spent = [], 0.0
    for row in rng.permutation(len(candidates)):
        cost = 6 * candidates["params"].iloc[row] * candidates["tokens"].iloc[row]
        if len(best) < count and spent + cost <= budget:
            best.append(row)
            spent += cost
    return candidates.iloc[best].reset_index(drop=True)
