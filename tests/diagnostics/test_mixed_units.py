"""A few runs whose params or tokens are in another unit than the others: named together, and not planned with."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from scaling.cli import main
from scaling.diagnostics import inspect_runs
from scaling.laws.chinchilla import ChinchillaLaw
from scaling.runs import check_runs

LAW = ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.32)
pytestmark = pytest.mark.filterwarnings("ignore::scaling.errors.RunsWarning")
TIMES = {1e3: "a thousand times as small", 1e-3: "a thousand times as large", 1e-6: "a million times as large"}


@pytest.fixture(scope="module")
def runs():
    N, ratio = (x.ravel() for x in np.meshgrid(np.geomspace(5e7, 3.2e9, 7).round(-6), [5, 10, 20, 40, 80]))
    noise = np.random.default_rng(0).normal(0, 0.003, len(N))
    return pd.DataFrame({"params": N, "tokens": N * ratio, "loss": LAW.loss(N, N * ratio) * np.exp(noise)})


#: a model of fifty parameters is a count, which is asked about elsewhere
KINDS = [("tokens", 1e3), ("tokens", 1e-3), ("tokens", 1e-6), ("params", 1e3), ("params", 1e-3)]


@pytest.mark.parametrize(("name", "factor"), KINDS)
@pytest.mark.parametrize("rows", [[12], [3, 10, 17, 24, 31]])
def test_runs_in_another_unit_are_named_with_it(tmp_path, runs, name, factor, rows):
    table = runs.astype(float)
    table.loc[rows, name] *= factor
    found = inspect_runs(check_runs(table), ())
    assert [each.kind for each in found.pooled] == ["units"]
    shown = ", ".join(map(str, rows))
    assert found.pooled[0].words.startswith(
        f"row{'s' if len(rows) > 1 else ''} {shown}: with {name} {TIMES[factor]} there"
    )
    assert f"--drop {','.join(map(str, rows))} leaves them out" in found.pooled[0].words
    assert not len(found.diverged)
    assert not found.astray
    if name == "tokens" and factor == 1e3:
        table.to_csv(path := tmp_path / "runs.csv", index=False)
        plan = CliRunner().invoke(main, ["plan", str(path), "--flops", "1e22", "--resamples", "100"])
        assert plan.exit_code == 1
        assert "a thousand times as small" in plan.output


def test_runs_that_were_trained_much_longer_are_in_no_other_unit(runs):
    table = runs.astype(float)
    table.loc[[3, 10, 17, 24, 31], "tokens"] *= 1e3
    table["loss"] = LAW.loss(table["params"], table["tokens"]) * np.exp(np.random.default_rng(1).normal(0, 0.003, 35))
    assert not inspect_runs(check_runs(table), ()).pooled


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("name", "factor"), [("tokens", 1e3), ("tokens", 1e-3), ("params", 1e3)])
def test_they_are_named_also_where_their_ratio_is_one_that_others_have(name, factor, seed):
    rng = np.random.default_rng(seed)
    N, ratio = (x.ravel() for x in np.meshgrid(np.geomspace(2e7, 3e9, 8).round(-5), np.geomspace(1, 1000, 7)))
    loss = LAW.loss(N, N * ratio) * np.exp(rng.normal(0, 0.004, len(N)))
    table = pd.DataFrame({"params": N, "tokens": N * ratio, "loss": loss})
    rows = np.sort(rng.choice(len(table), 3, replace=False))
    table.loc[rows, name] *= factor
    found = inspect_runs(check_runs(table), ())
    assert found.pooled[0].words.startswith(f"rows {', '.join(map(str, rows))}: with {name} {TIMES[factor]} there")


def test_runs_that_diverged_are_in_no_other_unit():
    rng, taken = np.random.default_rng(0), 0
    for _ in range(20):
        N, ratio = (x.ravel() for x in np.meshgrid(np.geomspace(5e7, 3.2e9, 7).round(-6), [5, 10, 20, 40, 80]))
        loss = LAW.loss(N, N * ratio) * np.exp(rng.normal(0, 0.003, len(N)))
        loss[rng.choice(len(N), 3, replace=False)] *= rng.uniform(1.05, 1.6, 3)
        found = inspect_runs(check_runs(pd.DataFrame({"params": N, "tokens": N * ratio, "loss": loss})), ())
        taken += any(each.kind == "units" for each in found.pooled)
    assert taken <= 1
