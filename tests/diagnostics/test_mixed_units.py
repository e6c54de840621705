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
TIMES = {1e3: "a thousand times as small", 1e-3: "a thousand times as large", 1e-6: "a million times as large"}


@pytest.fixture(scope="module")
def runs():
    N, ratio = (x.ravel() for x in np.meshgrid(np.geomspace(5e7, 3.2e9, 7).round(-6), [5, 10, 20, 40, 80]))
    noise = np.random.default_rng(0).normal(0, 0.003, len(N))
    return pd.DataFrame({"params": N, "tokens": N * ratio, "loss": LAW.loss(N, N * ratio) * np.exp(noise)})


@pytest.mark.parametrize("factor", [1e3, 1e-3, 1e-6])
@pytest.mark.parametrize("name", ["tokens", "params"])
@pytest.mark.parametrize("rows", [[12], [3, 10, 17, 24, 31]])
def test_runs_in_another_unit_are_named_with_it(tmp_path, runs, name, factor, rows):
    if name == "params" and factor == 1e-6:
        pytest.skip("a model of fifty parameters is a count, which is asked about")
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
