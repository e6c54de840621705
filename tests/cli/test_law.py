"""``--law coupled``: fit and plan print what the package computes with the coupled law."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.laws import CoupledLaw

TRUTH = CoupledLaw.joining(scaling.ChinchillaLaw.from_published("besiroglu2024"), 0.4)


def run(*arguments):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("coupled") / "runs.csv"
    design = scaling.simulate.grid_design(np.geomspace(1e8, 1e10, 7), np.geomspace(2e9, 2e11, 7))
    scaling.simulate_runs(TRUTH, design, noise=0.004, seed=1).to_csv(path, index=False)
    return path


def test_fit(table):
    answer = json.loads(run("fit", table, "--approach", 3, "--law", "coupled", "--resamples", 100, "--json"))
    assert answer["options"]["law"] == "coupled"
    found, fit = answer["approaches"]["3"], scaling.fit_parametric(scaling.load_runs(table), law="coupled")
    assert found["equation"] == CoupledLaw.equation
    estimates = {row["name"]: row["estimate"] for row in found["constants"]}
    assert estimates == pytest.approx(fit.law.constants)
    assert [row["quantity"] for row in found["certainty"]][-2:] == ["E", "k"]
    assert found["exponents"]["a"]["low"] < TRUTH.a < found["exponents"]["a"]["high"]
    words = run("fit", table, "--approach", 3, "--law", "coupled", "--resamples", 100)
    assert "coupling k" in words
    assert "not 1" in words


@pytest.mark.slow
def test_plan(table):
    options = ("--flops", "1e23", "--resamples", 100, "--seed", 2)
    record = json.loads(run("plan", table, "--law", "coupled", *options, "--json"))
    fit = scaling.fit_parametric(scaling.load_runs(table), law="coupled")
    assert record["equation"] == CoupledLaw.equation
    assert record["law"] == pytest.approx(fit.law.constants)
    plan = scaling.plan_training(scaling.bootstrap(fit, 100, seed=2), 1e23)
    pd.testing.assert_frame_equal(pd.DataFrame(record["allocation"]), plan.table())
    additive = json.loads(run("plan", table, "--law", "additive", *options, "--json"))
    assert additive["equation"] == scaling.ChinchillaLaw.equation
    chosen = json.loads(run("plan", table, *options, "--json"))  # the runs tell the coupled law, which was their truth
    assert chosen["equation"] == CoupledLaw.equation
    assert "its k is" in chosen["law_chosen"]


def test_help_says_which_laws_there_are():
    for command, laws in (("fit", "additive|coupled|power"), ("plan", "additive|coupled|auto")):
        words = run(command, "--help")
        assert f"--law [{laws}]" in words
        assert "(A/N^alpha + B/D^beta)^k" in " ".join(words.split())
