"""``check``, ``fit``, ``plan``, ``rerun`` and chapter 13 say the same of what a table allows."""

import json
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.book.answers import Answers, Question
from scaling.book.chapters import DONE, chapters_on_runs, execute
from scaling.book.make import as_table
from scaling.book.summary import laws_of
from scaling.cli import main
from scaling.errors import FitError

LAW = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)
BUDGETS = [1e18, 1e19, 1e20, 1e21]
(CHAPTER,) = (chapter for chapter in chapters_on_runs() if chapter.number == "13")
FEW = {"n_resamples": 100, "seed": 0}


def isoflop(budgets=BUDGETS, n_sizes=7, noise=0.003, draw=1, **more):
    design = scaling.simulate.isoflop_design(budgets, n_sizes=n_sizes, width=6.0, law=LAW)
    return scaling.simulate_runs(LAW, design.assign(**more), noise=noise, seed=draw)


def runs_of(params, tokens, noise=0.003, law=LAW):
    design = pd.DataFrame({"params": params, "tokens": tokens})
    return scaling.simulate_runs(law, design, noise=noise, seed=2)


def scattered(n=30):
    rng = np.random.default_rng(2)
    return runs_of(10 ** rng.uniform(7.7, 9.7, n), 10 ** rng.uniform(9, 11.5, n))


def grid(sizes, lengths, **how):
    params, tokens = (
        each.ravel() for each in np.meshgrid(np.geomspace(1e8, 3e9, sizes), np.geomspace(2e9, 1e11, lengths))
    )
    return runs_of(params, tokens, **how)


def curves(n=8, **how):
    return scaling.simulate.simulate_curves(LAW, np.geomspace(5e7, 8e9, n), noise=0.002, seed=5, n_points=24, **how)


def pooled_repeats():
    return pd.concat([isoflop(n_sizes=4, draw=seed).assign(seed=seed) for seed in range(3)], ignore_index=True)


def with_a_divergence():
    runs = isoflop()
    runs.loc[5, "loss"] = 9.5
    return runs


def one_line():
    params = np.geomspace(1e8, 1e10, 15)
    return runs_of(params, 20 * params, noise=0.01)


def flat():
    return scattered().assign(loss=2.5 + np.random.default_rng(1).normal(0, 1e-3, 30))


def without_compute():
    return isoflop().drop(columns="flops")


def budgets_by_name():
    """The compute of each run is only near to that of its group."""
    runs = isoflop(n_sizes=6)
    runs = runs.assign(
        budget=runs["flops"], flops=runs["flops"] * np.random.default_rng(3).uniform(0.95, 1.05, len(runs))
    )
    return runs.assign(tokens=runs["flops"] / (6 * runs["params"]))


#: kind of table → how it is made; what follows the comment cannot be used at all, or not by any approach
TABLES = {
    "budgets with many sizes": isoflop,
    "budgets that are named": budgets_by_name,
    "two budgets": lambda: isoflop(BUDGETS[:2]),
    "one budget": lambda: isoflop(BUDGETS[:1], n_sizes=12),
    "budgets of three sizes": lambda: isoflop(n_sizes=3),
    "repeats": pooled_repeats,
    "scattered": scattered,
    "five runs": lambda: scattered(5),
    "a grid": lambda: grid(6, 5),
    "three sizes": lambda: grid(3, 7),
    "one size": lambda: grid(1, 12),
    "one length": lambda: grid(12, 1),
    "curves": curves,
    "short curves": lambda: curves(9).groupby("run").tail(6),
    "two curves": lambda: curves(2),
    "in step": one_line,
    "noise": flat,
    "much noise": lambda: isoflop(noise=0.3),
    "a divergence": with_a_divergence,
    "no flops": without_compute,
    "no noise": lambda: grid(5, 5, noise=0.0),
    # not usable
    "one run": lambda: scattered(1),
    "no loss": lambda: isoflop().drop(columns="loss"),
    "a negative loss": lambda: isoflop().assign(loss=-1.0),
}


def asked(*arguments):
    return CliRunner().invoke(main, [str(each) for each in arguments])


def by_check(path):
    answer = json.loads(asked("check", path, "--json").output)
    return {int(number): said["possible"] for number, said in answer.get("approaches", {}).items()}


def by_fit(path):
    """What it fits, and whether approach 3 has intervals."""
    with patch("scaling.cli.fit.compare_laws", side_effect=FitError("not asked here")):
        result = asked("fit", path, "--resamples", "20", "--json")
    if result.exit_code:
        assert result.exit_code == 1
        return {}, False
    said = json.loads(result.output)["approaches"]
    return {int(number): each["possible"] for number, each in said.items()}, "resamples" in said["3"]


def by_rerun(table):
    laws = laws_of(Answers(table.runs, table.curves, Question(n_resamples=2)))
    return {law["approach"]: law["status"] not in {"not possible", "not_identified"} for law in laws}


def by_chapter(table, folder):
    """As the chapter reads its files, and what it calls."""
    read = {}
    for name, text in table.for_chapter(CHAPTER).items():
        (folder / f"{name}.csv").write_text(text)
        read[name] = scaling.load_runs(folder / f"{name}.csv", strict=True)
    found = scaling.compare_approaches(read["runs_file"], read.get("curves_file"), n_resamples=2)
    return {
        number: number in found.fits and found.fits[number].status != "not_identified"
        if number == 3
        else number in found.fits
        for number in (1, 2, 3)
    }


def refused(call, *given):
    try:
        return call(*given)
    except scaling.RunsError:
        return {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", TABLES)
def test_all_agree_on_what_a_table_allows(kind, tmp_path):
    path = tmp_path / "runs.csv"
    TABLES[kind]().to_csv(path, index=False)
    possible = by_check(path)
    fitted, intervals = by_fit(path)
    table = refused(lambda: as_table(scaling.load_runs(path)))
    booked = refused(by_rerun, table) if table else {}
    read = refused(by_chapter, table, tmp_path) if table else {}
    planned = asked("plan", path, "--flops", "1e22", "--resamples", "100").exit_code
    none = dict.fromkeys((1, 2, 3), False)
    assert (fitted or none) == (possible or none)
    assert (booked or none) == (possible or none)
    assert (read or none) == (possible or none)
    assert planned == (0 if intervals else 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["scattered", "in step"])
def test_the_chapter_itself_says_the_same(kind):
    table = as_table(scaling.load_runs(TABLES[kind]()))
    outcome = execute(CHAPTER.text, table.for_chapter(CHAPTER), {"n_resamples": 20})
    assert outcome.kind == DONE, outcome
    cells = [cell for cell in json.loads(outcome.notebook)["cells"] if cell["cell_type"] == "code"]
    said = "".join("".join(output.get("text", "")) for cell in cells for output in cell["outputs"])
    assert ("no plan:" in said) == (not by_rerun(table)[3])
