"""Tables whose runs read their tokens again and again: said, refused by a plan, and what is advised can be done."""

import re

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.errors import FitError

LAW = scaling.laws.DataConstrainedLaw(scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36), 15.4)
ASKED = ("--flops", "1e21", "--resamples", "100")


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def table(epochs=(1, 2, 4, 8, 16), unique=(5e8, 1e9, 2e9), noise=0.002, seed=0):
    """Runs of four sizes on stocks of tokens that were read so many times."""
    rows = [(N, U * many, U, many) for N in (3e7, 1e8, 3e8, 1e9) for U in unique for many in epochs]
    found = pd.DataFrame(rows, columns=["params", "tokens", "unique_tokens", "epochs"])
    loss = np.asarray(LAW.loss(found["params"], found["tokens"], found["unique_tokens"]))
    return found.assign(loss=loss * np.exp(noise * np.random.default_rng(seed).standard_normal(len(found))))


WAYS = {
    "of one epoch": lambda t: t.drop(columns="tokens"),
    "in total": lambda t: t.drop(columns="unique_tokens"),
    "in total, other names": lambda t: t.drop(columns="unique_tokens").rename(columns={"epochs": "Epoch count"}),
    "both": lambda t: t,
    "no epochs": lambda t: t.drop(columns="epochs"),
    "no epochs, units": lambda t: (
        t.drop(columns="epochs")
        .assign(tokens=t["tokens"] / 1e9, unique_tokens=t["unique_tokens"] / 1e6)
        .rename(columns={"tokens": "Tokens (B)", "unique_tokens": "unique tokens (M)"})
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_many_epochs_are_refused_and_the_advice_leads_to_a_plan(way, tmp_path):
    WAYS[way](table()).to_csv(path := tmp_path / "t.csv", index=False)
    taken = ("--column", "tokens=tokens") if "total" in way else ()  # it is asked whether they are of one epoch
    refused = run("plan", path, *ASKED, *taken)
    assert refused.exit_code == 1
    said = " ".join(refused.output.split())
    assert "24 of 60 runs read their tokens more than four times, up to 16 times" in said
    assert "without" not in said.partition("times")[2]  # dropping the column that tells is no way out
    (where,) = re.findall(r"--where ('[^']+'|\"[^\"]+\")", said)
    for command in (("check",), ("fit", "--resamples", "2")):
        assert "more than four times" in " ".join(run(command[0], path, *command[1:], *taken).output.split())
    planned = run("plan", path, *ASKED, *taken, "--where", where[1:-1])
    assert planned.exit_code == 0, planned.output
    assert "36 runs" in planned.output


@pytest.mark.slow
def test_a_few_repeats_are_a_note(tmp_path):
    """One run in six reads its tokens six times, which noise hides: a plan, but no second discount."""
    some = table((1, 2, 3, 4, 2.5, 6), noise=0.01)
    some.to_csv(path := tmp_path / "t.csv", index=False)
    planned = run("plan", path, *ASKED)
    assert planned.exit_code == 0, planned.output
    assert "tokens are repeated, up to 6 times" in " ".join(planned.output.split())
    refused = run("plan", path, *ASKED, "--unique-tokens", "2B")
    assert refused.exit_code == 1
    assert "12 of 72 runs of the fit read their tokens more than four times" in " ".join(refused.output.split())
    mild = run("plan", path, *ASKED, "--unique-tokens", "2B", "--where", "epochs <= 4")
    assert mild.exit_code == 0, mild.output


def test_no_repeats_are_not_worth_a_word(tmp_path):
    table((1,), (5e8, 1e9, 2e9, 4e9)).to_csv(path := tmp_path / "t.csv", index=False)
    assert "repeated" not in run("check", path).output


def test_where_no_run_has_few_epochs_that_is_said(tmp_path):
    table((6, 12, 20)).drop(columns="tokens").to_csv(path := tmp_path / "t.csv", index=False)
    said = " ".join(run("plan", path, *ASKED).output.split())
    assert "no run reads its tokens at most four times: runs on new tokens are needed" in said
    assert "--where" not in said


def test_the_package_refuses_to_discount_twice():
    runs = scaling.check_runs(table())
    boot = scaling.bootstrap(scaling.fit_parametric(runs), 100, seed=0)
    with pytest.raises(FitError, match="24 of 60 runs of the fit read their tokens more than four times"):
        scaling.plan_training(boot, 1e21, unique_tokens=2e9)
