"""Where a plan would be open or refused, the budget explorer names no size: files as `scaling fit` writes them."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from moving_pages import opened

import scaling
from scaling.cli import main
from scaling.laws import ChinchillaLaw, CoupledLaw
from scaling.uncertainty import subsampled_bootstrap

LAW = ChinchillaLaw.from_published("besiroglu2024")
COUPLED = CoupledLaw(E=1.8, A=482.0**2, B=2085.4**2, alpha=0.7, beta=0.73, k=0.5)
BUDGETS = np.geomspace(1e17, 1e25, 5)


def table(params, tokens, noise=0.002, law=LAW, **columns):
    rng = np.random.default_rng(0)
    loss = law.loss(params, tokens) * np.exp(noise * rng.normal(size=len(params)))
    return pd.DataFrame({"params": params, "tokens": tokens, "loss": loss, **columns})


def square(sizes=(5e7, 3e9), lengths=(1e9, 6e10), n=6, **rest):
    params, tokens = (x.ravel() for x in np.meshgrid(np.geomspace(*sizes, n), np.geomspace(*lengths, n)))
    return table(params, tokens, **rest)


def ray(spread):
    params = np.geomspace(5e7, 3e9, 14)
    return table(params, 20 * params * np.exp(np.tile([spread, -spread], 7)))


TABLES = {
    "sure": square(),
    "noisy": square(noise=0.1),
    "near a line": ray(0.1),
    "another law": square(law=COUPLED),
    "narrow": square(sizes=(1e8, 2e8), lengths=(2e9, 4e9), n=4),
    "counts another multiple": square().assign(flops=lambda runs: 7.3 * runs.params * runs.tokens),
}


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    page = opened(browser, tmp_path_factory.mktemp("openness"), "budget")
    yield page
    page.context.close()


def recorded(tmp_path, runs, *options):
    """What `scaling fit` writes of a table."""
    runs.to_csv(tmp_path / "runs.csv", index=False)
    given = ["fit", str(tmp_path / "runs.csv"), "--resamples", "200", "--out", str(tmp_path / "fit.json"), *options]
    result = CliRunner().invoke(main, given)
    assert result.exit_code == 0, result.output
    return json.loads((tmp_path / "fit.json").read_text())


def asked(page, record, budgets):
    """Whether the explorer takes a file, and at each budget whether it names a size."""
    known = "([record, budgets]) => { const { readLaw, isOpen, interval, optimum } = scalingFigures.formulas; "
    known += """const law = readLaw(JSON.stringify(record)); return budgets.map((C) => {
      const best = (flops) => optimum(law.constants, flops).params, first = law.sizes[0]?.flops;
      const span = C >= first ? interval(law.sizes, best, C) : null;
      return { open: isOpen(law, best(C), C, span), best: best(C), span };
    }); }"""
    return page.evaluate(known, [record, budgets])


@pytest.mark.filterwarnings("ignore::scaling.errors.RunsWarning")
@pytest.mark.parametrize("name", TABLES)
def test_it_names_a_size_where_a_plan_does(page, tmp_path, name):
    runs = TABLES[name]
    record = recorded(tmp_path, runs, "--approach", "3")
    boot = subsampled_bootstrap(scaling.fit_parametric(scaling.check_runs(runs)), n_resamples=200, seed=0)
    ladder = record["approaches"]["3"]["plans"]
    times = record["meter"]["coefficient"] / 6
    rungs = [row["flops"] for row in ladder if row["quantity"] == "params"]
    for row, each in zip(rungs, asked(page, record, [flops / times for flops in rungs]), strict=True):
        plan = scaling.plan_training(boot, row)
        size = plan.allocation.loc[("compute-optimal", "params")]
        assert each["open"] is bool(plan.open_question)
        assert each["best"] == pytest.approx(size.estimate, rel=1e-6)
        assert each["span"][0] <= size.low * (1 + 1e-9)
        assert size.high <= each["span"][1] * (1 + 1e-9)
    between = BUDGETS[(min(rungs) < BUDGETS)].tolist()
    for flops, each in zip(between, asked(page, record, [flops / times for flops in between]), strict=True):
        assert each["span"][0] <= each["best"] <= each["span"][1]
        if scaling.plan_training(boot, flops).open_question:
            assert each["open"], f"{flops:g}"


def test_far_below_the_runs_nothing_is_named(page, tmp_path):
    record = recorded(tmp_path, TABLES["sure"], "--approach", "3")
    (far,) = asked(page, record, [1e13])
    assert far["open"]


@pytest.mark.parametrize(
    ("runs", "options", "words"),
    [
        (
            square().assign(family=["a", "b"] * 18, loss=lambda runs: runs.loss * np.tile([1.0, 0.9], 18)),
            ["--approach", "3"],
            "One law does not suit all of its rows",
        ),
        (square().assign(family=["a", "b"] * 18), ["--group", "family"], "It has a law for each family"),
        (square(), ["--law", "power", "--x", "flops"], "It has no law of approach 3"),
        (square(), ["--approach", "2"], "It has no law of approach 3"),
        (
            square().assign(flops=lambda runs: 18 * runs.params**1.05 * runs.tokens),
            ["--approach", "3"],
            "It counts compute as 18 N^1.05 D",
        ),
    ],
    ids=["families", "groups", "one variable", "approach 2", "another count"],
)
def test_what_is_no_single_law_of_6nd_is_refused(page, tmp_path, runs, options, words):
    if "--law" in options:
        runs = runs.assign(flops=6 * runs.params * runs.tokens)
    record = recorded(tmp_path, runs, *options)
    told = page.evaluate(
        """text => { try { scalingFigures.formulas.readLaw(text); } catch (error) { return error.message; } }""",
        json.dumps(record),
    )
    assert words in told


def test_too_few_runs_to_plan_from_get_no_size(page, tmp_path):
    params = np.geomspace(5e7, 3e9, 10)
    record = recorded(tmp_path, table(params, 1e20 / 6 / params), "--approach", "3")
    (each,) = asked(page, record, [1e20])
    assert each["open"]
    assert record["approaches"]["3"]["plans"] == []


def test_what_was_noticed_is_said(page, tmp_path):
    record = recorded(tmp_path, TABLES["another law"], "--approach", "3")
    page.set_input_files(
        "input[type=file]", {"name": "fit.json", "mimeType": "", "buffer": json.dumps(record).encode()}
    )
    page.wait_for_function("document.querySelector('.moving-shown').innerText.includes('runs held out best: coupled')")
    page.get_by_label("it will answer requests?").check()
    page.wait_for_function("document.querySelector('.moving-shown').innerText.includes('Without a best size')")
    assert not page.faults
