"""Several tables side by side: each at one budget, and what makes them hard to compare."""

import re

import numpy as np
import pytest
from reports import LAW, asked, isoflop

import scaling
from scaling.book.answers import NOTHING, RANGE
from scaling.book.chapters import DONE
from scaling.book.comparison import cautions_on, common_budget, comparison_page
from scaling.book.summary import summarise


def renamed(summary, name):
    told = summary | {"chapters": [{"outcome": DONE}, {"outcome": "failed"}]}
    return told | {"input": summary["input"] | {"name": name, "sha256": name}}


@pytest.fixture(scope="module")
def answers():
    inner = scaling.counting.EmbeddingModel(1e4)
    counted = isoflop(budgets=[3e17, 3e18, 3e19])
    return {
        "large": asked(isoflop()),
        "small": asked(counted.assign(params_nonembedding=inner.nonembedding(counted["params"]))),
    }


@pytest.fixture(scope="module")
def summaries(answers):
    return {name: renamed(summarise(each), f"{name}.csv") for name, each in answers.items()}


def at_one_budget(answers):
    flops = common_budget(answers)
    return {name: each.at(flops).brief() | {"asked": False} for name, each in answers.items()}


def test_the_budget_is_that_of_the_table_with_the_least(answers):
    assert common_budget(answers) == pytest.approx(3e20)
    assert common_budget({"a": asked(isoflop(), 5e21), "b": asked(isoflop(), 5e21)}) == 5e21


@pytest.mark.slow
def test_a_row_a_table_with_its_size_and_its_interval(answers, summaries):
    html = comparison_page(summaries, at_one_budget(answers))
    assert html.count('<a href="large/index.html">large.csv</a>') == 3
    assert "<h1>2 tables of runs, side by side</h1>" in html
    assert "one budget, 3 × 10²⁰ FLOP. No budget was named" in html
    best = scaling.compute_optimal(LAW, 3e20).params
    for name, each in at_one_budget(answers).items():
        low, high = each["params"][1:]
        assert low < best < high, name
    assert "a number with its interval; the budget lies within that of the runs" in html
    assert "the budget is 10 times that of the most expensive run" in html
    assert "1 of 2" in html
    assert not re.search(r"nan|None|_", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))


def test_what_is_not_known_is_no_interval(answers, summaries):
    brief = at_one_budget(answers)
    brief["small"] = brief["small"] | {"kind": RANGE, "params": (None, np.nan, np.nan)}
    brief["large"] = brief["large"] | {"kind": NOTHING, "why": "the rows are no runs."}
    html = comparison_page(summaries, brief)
    assert "neither a number nor an interval" in html
    assert "The rows are no runs; the budget" in html


@pytest.mark.slow
def test_what_makes_tables_hard_to_compare_is_said(answers, summaries):
    said = " ".join(cautions_on(summaries, at_one_budget(answers)))
    assert "depends on the tokeniser" in said
    assert "Only small.csv says how many parameters lie outside the embeddings" in said
    assert "do not overlap" not in said
    shifted = at_one_budget(answers)
    shifted["small"]["ranges"] = shifted["small"]["ranges"] | {"loss": (10.0, 11.0)}
    assert "The losses of large.csv and small.csv do not overlap" in " ".join(cautions_on(summaries, shifted))
    same = {name: each | {"input": each["input"] | {"sha256": "0"}} for name, each in summaries.items()}
    assert "large.csv and small.csv are one and the same file." in cautions_on(same, at_one_budget(answers))
    own = {**summaries, "large": summaries["large"] | {}}
    own["large"]["input"] = own["large"]["input"] | {"meter": {"kind": "power"}}
    assert "The compute of large.csv is not six times" in " ".join(cautions_on(own, at_one_budget(answers)))
    far = {name: each.at(1e25).brief() | {"asked": True} for name, each in answers.items()}
    assert "beyond the runs of large.csv and small.csv" in " ".join(cautions_on(summaries, far))


def test_names_are_no_markup(answers, summaries):
    hostile = {**summaries, "large": renamed(summaries["large"], "<b>large</b>")}
    html = comparison_page(hostile, at_one_budget(answers))
    assert "<b>large" not in html
    assert "&lt;b&gt;large&lt;/b&gt;" in html
