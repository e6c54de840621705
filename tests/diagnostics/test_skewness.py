"""Residuals that lean upwards: the level under normal noise, the power, what is said and where."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.diagnostics import inspect_runs, residual_skewness

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")


def table(n_runs, noise):
    design = scaling.simulate.chinchilla_like_design(n_runs, seed=0)
    runs = scaling.simulate_runs(LAW, design)
    return runs.assign(loss=runs["loss"] * np.exp(noise))


def share(n_runs, n_tables, draw):
    """How many of many tables are called one-sided."""
    fits = (
        scaling.fit_parametric(table(n_runs, draw(np.random.default_rng(k), n_runs)), n_starts=1)
        for k in range(n_tables)
    )
    return np.mean([residual_skewness(fit).one_sided for fit in fits])


@pytest.mark.slow
@pytest.mark.parametrize("n_runs", [20, 240])
def test_normal_noise_is_called_one_sided_in_few_tables(n_runs):
    assert share(n_runs, 80, lambda rng, n: 0.006 * rng.standard_normal(n)) <= 0.1  # 5 % and two standard errors


def test_heavy_tails_on_both_sides_are_not_one_sided():
    assert share(60, 60, lambda rng, n: 0.006 * rng.standard_t(3, n)) <= 0.1


def test_exponential_noise_is_seen():
    assert share(60, 30, lambda rng, n: 0.006 * rng.exponential(size=n)) >= 0.9


def test_the_statistic_by_hand():
    fit = scaling.fit_parametric(table(60, 0.006 * np.random.default_rng(0).exponential(size=60)))
    found, r = residual_skewness(fit), fit.residuals
    away = r - np.median(r)
    cut = np.clip(away, *(sign * 3 * 1.4826 * np.median(np.abs(away)) for sign in (-1, 1)))
    cut -= cut.mean()
    assert found.value == pytest.approx(np.mean(cut**3) / np.mean(cut**2) ** 1.5, rel=1e-12)
    assert found.deviations == pytest.approx(found.value / np.sqrt(6 * 58 / (61 * 63)), rel=1e-12)


@pytest.mark.slow
def test_the_commands_and_the_inspection_say_it(tmp_path):
    runs = table(80, 0.01 * np.random.default_rng(1).exponential(size=80))
    runs.to_csv(tmp_path / "losing.csv", index=False)
    even = table(80, 0.006 * np.random.default_rng(1).standard_normal(80))
    even.to_csv(tmp_path / "even.csv", index=False)
    words = "residuals lean upwards"
    assert words in inspect_runs(runs).one_sided
    assert words in repr(inspect_runs(runs))
    assert inspect_runs(even).one_sided == ""
    for command in (["check"], ["fit", "--approach", "3", "--resamples", "50"]):
        said = CliRunner().invoke(main, [*command, str(tmp_path / "losing.csv")]).output
        assert words in " ".join(said.split())
        assert words not in CliRunner().invoke(main, [*command, str(tmp_path / "even.csv")]).output
    options = ["--approach", "3", "--resamples", "50", "--json"]
    record = json.loads(CliRunner().invoke(main, ["fit", str(tmp_path / "losing.csv"), *options]).output)
    assert words in record["approaches"]["3"]["one_sided"]


def test_few_runs_are_refused():
    with pytest.raises(ValueError, match="runs must be at least 8, got 7"):
        residual_skewness(scaling.fit_parametric(table(7, np.random.default_rng(0).normal(0, 0.01, 7))))
