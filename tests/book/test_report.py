"""The front page of a stranger's book: an answer with its interval, and no word that only a programmer knows."""

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from reports import BUDGETS, LAW, asked, isoflop

import scaling
from scaling._words import to_json
from scaling.book.answers import AGAINST, FOR, NOTHING, NUMBER, RANGE, UNKNOWN, Answers, Question
from scaling.book.pictures import LOSSES, MOST_DOTS, SIZES, draw
from scaling.book.report import front_page, headline
from scaling.book.summary import summarise
from scaling.book.wording import amount, escaped, factor, interval, much, sentence


def swept():
    """Learning rates that nobody has tuned, in one table with what matters."""
    table = pd.concat([isoflop(noise=0.0, lr=rate) for rate in (1e-3, 3e-3, 1e-2)], ignore_index=True)
    return table.assign(loss=table["loss"] * (1 + 30 * (table["lr"] - 3e-3)))


def one_length():
    """Curves of runs that all end at one number of tokens."""
    each = [
        scaling.simulate.simulate_curves(LAW, [size], (2e10 / size,), n_points=30, noise=0.01, seed=seed).assign(
            run=seed
        )
        for seed, size in enumerate(np.geomspace(3e7, 3e9, 9))
    ]
    return pd.concat(each, ignore_index=True)


@pytest.fixture(scope="module")
def answers():
    """One table that settles its answer, and some that do not, each for its own reason."""
    tables = {"good": isoflop(), "noisy": isoflop(0.03, 8, BUDGETS[:2]), "swept": swept()}
    found = {name: asked(table) for name, table in tables.items()}
    return found | {"served": asked(isoflop(), 1e21, 1e13), "misfit": asked("small_sweep")}


@pytest.fixture(scope="module")
def summaries(answers):
    return {name: summarise(each) for name, each in answers.items()}


def page(answers, summaries, name):
    return front_page(summaries[name], {}, answers[name].runs).replace("\u00a0", " ")


# --- the answer ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_table_that_settles_its_question_gets_a_number_with_its_interval(answers, summaries):
    answer = summaries["good"]["answer"]
    best = scaling.compute_optimal(answers["good"].found.fits[3].law, 1e22)
    assert (answer["kind"], answer["approach"], answer["flops"]) == (NUMBER, 3, pytest.approx(1e22))
    size, low, high = answer["params"]
    assert size == pytest.approx(float(best.params))
    assert low < scaling.compute_optimal(LAW, 1e22).params < high
    words = headline(answer)
    assert words.startswith(f"With 10²² FLOP, train a model of {much(size)} parameters on {much(answer['tokens'][0])}")
    assert words.endswith(f"between {much(low)} and {much(high)} (95 % interval).")
    assert f"**{words}**" in page(answers, summaries, "good")


@pytest.mark.parametrize("name", ["noisy", "misfit"])
def test_what_is_not_settled_has_no_single_number(answers, summaries, name):
    answer = summaries[name]["answer"]
    assert answer["kind"] == RANGE
    words = headline(answer)
    assert words.startswith("These runs do not settle what to train with ")
    box = page(answers, summaries, name).split(":::")[1]
    assert "Why: " in box
    assert "train a model of" not in box
    assert "What would change that: " in box
    if answers[name].plan.open_question:  # nor does the plan have one
        plan = page(answers, summaries, name).split("## The plan")[1].split("##")[0]
        assert "| | 95 % interval |" in plan
        assert "| best |" not in plan


def test_rows_that_are_not_one_run_each_get_no_answer(answers, summaries):
    answer, text = summaries["swept"]["answer"], page(answers, summaries, "swept")
    assert answer["kind"] == NOTHING
    assert headline(answer).startswith("These runs do not tell what to train with ")
    assert "Why: " in text
    assert answers["swept"].looked.pooled
    for section in ("The plan", "What the runs know", "The runs to add first", "Another budget"):
        assert f"## {section}" not in text


def test_curves_of_one_length_get_no_number_without_an_interval():
    found = asked(one_length())
    answer = summarise(found)["answer"]
    assert answer["kind"] == RANGE
    assert headline(answer).endswith(", nor how far off any size may be.")
    assert "its interval is not known" in answer["why"]
    assert not all(np.isfinite(answer["params"][1:]))
    text = front_page(summarise(found), {}, found.runs)
    assert "there is no number to trust, and no range" in text
    assert "tell no law that could describe them" in text
    pictures = [part.split(":::")[0] for part in text.split(":::{figure}")[1:]]
    assert len(pictures) == 2
    assert not any("best size with" in each or "fitted law" in each for each in pictures)
    words = " ".join(" ".join(ET.fromstring(each).itertext()) for each in draw(found, answer["kind"]).values())
    assert "best size, approach" not in words  # a line without a band would look sure
    assert "fitted" not in words


@pytest.mark.slow
def test_an_approach_without_a_formula_can_be_the_one_to_follow():
    found = asked("small_sweep", flops=3e13)
    answer = summarise(found)["answer"]
    assert (answer["kind"], answer["approach"]) == (NUMBER, 2)
    fit = found.found.fits[2]
    assert answer["params"][0] == pytest.approx(fit.law.params(3e13))
    assert answer["params"][1] < answer["params"][0] < answer["params"][2]
    assert answer["tokens"][0] == pytest.approx(3e13 / 6 / answer["params"][0])
    assert "loss" not in answer


def test_the_budget_and_the_tokens_to_serve_are_those_asked_for(answers, summaries):
    answer, text = summaries["served"]["answer"], page(answers, summaries, "served")
    assert (answer["flops"], answer["asked"], answer["inference_tokens"]) == (1e21, True, 1e13)
    assert text.startswith("# What to train with 10²¹ FLOP\n")
    assert "No budget was named" not in text
    assert "**Cheapest over its life, if it will serve 10 trillion tokens**" in text
    assert "so this is for ten times that of your most expensive run, 10²¹ FLOP" in page(answers, summaries, "good")


# --- how far to trust it ---------------------------------------------------------------------------------------------


def test_every_check_speaks_and_is_counted(answers, summaries):
    speaks = {name: [each["speaks"] for each in one["answer"]["checks"]] for name, one in summaries.items()}
    assert speaks["good"] == [FOR, UNKNOWN, FOR, FOR, FOR, FOR]
    assert speaks["misfit"][:2] == [AGAINST, AGAINST]
    assert speaks["swept"] == []
    assert "Of six checks below, five speak for it and none speak against it; one cannot" in page(
        answers, summaries, "good"
    )


@pytest.mark.slow
def test_a_budget_far_from_the_runs_is_told():
    checks = asked(isoflop(), 1e25).record()["checks"]
    assert checks[-1]["speaks"] == AGAINST
    assert checks[-1]["found"] == "it is 10 thousand times that of the most expensive run"
    below = asked(isoflop(), 1e15).record()["checks"]
    assert below[-1]["speaks"] == AGAINST
    assert "below that of the cheapest run" in below[-1]["found"]


def test_a_budget_below_all_that_the_runs_say_has_no_number():
    low = asked(isoflop(), 1e13)
    assert low.brief()["kind"] == RANGE
    text = front_page(summarise(low), {}, low.runs)
    assert "the budget lies further below the cheapest run than the runs span" in text
    unit = asked(isoflop(), 5000).record()
    assert unit["kind"] == NOTHING
    assert "is it in PF-days? Then it is 4.32e23 FLOPs" in unit["why"]


def test_another_budget_takes_the_same_fits(answers):
    other = answers["good"].at(3e21)
    assert other.found is answers["good"].found
    assert other.flops == 3e21
    assert other.brief()["params"][0] == pytest.approx(asked(isoflop(), 3e21).brief()["params"][0])
    assert answers["good"].flops == pytest.approx(1e22)


def test_runs_that_are_set_aside_do_not_stray():
    table = isoflop()
    table.loc[[3, 17], "loss"] *= [1.8, 3.0]
    (found,) = [each["found"] for each in asked(table, 1e22).record()["checks"] if "describe" in each["question"]]
    share = float(re.search(r"stray by ([\d.]+)%", found)[1])
    assert share < 1
    assert f"without 2 of {len(table)} that lie far from it" in found


def test_no_approach_is_to_be_followed_where_rows_are_pooled(answers, summaries):
    assert "follow approach" not in page(answers, summaries, "swept").lower()
    assert "Which to follow.** None of them" in page(answers, summaries, "swept")
    assert page(answers, summaries, "swept").count("which 'lr' explains".replace("'", "\\'")) == 1


def test_a_range_has_one_interval_in_its_answer(answers, summaries):
    box = page(answers, summaries, "noisy").split(":::")[1]
    assert box.count("anywhere from") == 1


def test_an_interval_over_both_laws_beyond_a_factor_of_two_is_no_number():
    """The law with its terms added knows the size; with coupled terms it reaches further."""
    rng = np.random.default_rng(24)
    n, sizes, lengths = int(rng.integers(4, 7)), 10 ** rng.uniform(8.7, 9.7), 10 ** rng.uniform(10, 11)
    grid = np.meshgrid(np.geomspace(5e7, sizes, n), np.geomspace(1e9, lengths, n))
    design = pd.DataFrame(dict(zip(("params", "tokens"), map(np.ravel, grid), strict=True)))
    law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    one = asked(scaling.simulate_runs(law, design, noise=10 ** rng.uniform(-2.7, -1.9), seed=24))
    answer = one.record()
    assert not answer["plan"]["open_question"]
    value, low, high = answer["params"]
    assert low < value / 2 or high > value * 2
    assert answer["kind"] == RANGE
    assert answer["checks"][0]["speaks"] == AGAINST
    assert "do not settle" in headline(answer)


def test_the_figure_that_moves_knows_what_the_answer_knows(answers, summaries):
    for name in ("good", "noisy", "misfit"):
        answer = summaries[name]["answer"]
        rows = [row for row in summaries[name]["laws"][2]["plans"] if row["flops"] == answer["flops"]]
        size, loss = (next(row for row in rows if row["quantity"] == each) for each in ("params", "loss"))
        assert size["open"] is loss["open"] is (answer["kind"] != NUMBER)
        if answer["approach"] == 3:
            assert size["low"] <= answer["params"][1] <= answer["params"][2] <= size["high"]
    assert all(row["open"] for row in summaries["misfit"]["laws"][2]["plans"])  # another approach, or none, is followed


@pytest.mark.parametrize(("power", "budget"), [(1.0, 6 / 7.3), (1.05, None)])
def test_a_count_of_its_own_is_turned_into_that_of_the_figure_or_there_is_none(answers, summaries, power, budget):
    table = isoflop()
    table["flops"] = 7.3 * table["params"] ** power * table["tokens"]
    one = asked(table)
    said = front_page(summarise(one), {}, one.runs)
    assert (":::{moving} budget" in said) is (budget is not None)
    if budget:
        assert f":budget: {one.flops * budget:.6g}" in said


def test_how_a_table_was_read_is_no_ground_for_distrust(answers, summaries):
    summary = dict(summaries["good"])
    read = ["column not used: 'Model'", "flops of 45 runs follows from flops = 6 N D", "tokens = 'a' x 'b'"]
    doubt = "in 2 of 9 designs the best 'lr' is the largest that was tried"
    summary["input"] = summary["input"] | {"notes": [*read, doubt]}
    text = front_page(summary, {}, answers["good"].runs)
    distrust, table = text.split("## What to distrust")[1].split("## The table")
    table = table.split("## The laws")[0]
    assert all(escaped(sentence(each)) in table and escaped(sentence(each)) not in distrust for each in read)
    assert escaped(sentence(doubt)) in distrust


def test_a_count_of_compute_of_its_own_is_told_once_and_its_exponent_where_it_holds():
    """Where compute is no power of the size, neither is the best size one of compute: an exponent is of one budget."""
    table = isoflop().drop(columns="flops")
    table["budget"] = 6 * table["tokens"] * (table["params"] - 100 * table["params"] ** (2 / 3))
    answer = asked(table, 1e22)
    summary = summarise(answer)
    assert json.loads(to_json(summary))["input"]["meter"]["kind"] == "sizes"
    text = front_page(summary, {}, answer.runs).replace("\u00a0", " ")
    assert text.count("is not 6") == 1
    (row,) = re.findall(r"\| How fast does the best size.*", text)
    assert f"| {amount(answer.runs['flops'].max())} |" in row
    assert "at this budget" in text


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["good", "noisy", "swept", "served", "misfit"])
def test_no_identifier_and_no_list_is_among_the_words(answers, summaries, name):
    text = page(answers, summaries, name).split("## The table")[0]
    text = re.sub(r":::\{.*|^:\w+:.*$", "", text, flags=re.MULTILINE)  # directives, which readers do not see
    words = re.sub(r"`--[^`]*`", "", text).replace("\\", "")  # options are as they are typed
    for each in (
        "params",
        "flops",
        "budgets=",
        "not_identified",
        "suggest_runs",
        "fit.candidate",
        "nan",
        "None",
        "inf ",
    ):
        assert each not in words, each
    assert not re.search(r"(?<![\d'])\.\d", words), "a decimal without its zero"


def test_sections_stand_in_their_order(answers, summaries):
    text = page(answers, summaries, "good")
    heads = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert heads == [
        *("How far to trust it", "What the runs know, and how well", "The plan", "What to distrust"),
        *("The runs to add first", "Another budget", "The table", "The laws", "The chapters"),
    ]
    assert len(re.findall(r"^\| .* (once|twice|\w+ times) \|$", text, flags=re.MULTILINE)) in (1, 2, 3)


def test_a_note_is_said_once_and_as_it_is(answers, summaries):
    summary = dict(summaries["good"])
    hostile = "<script>document.title = 1</script> [x](javascript:alert(1)) {raw}`html` $x$ **b**"
    summary["input"] = summary["input"] | {"notes": [hostile, hostile, summary["answer"]["checks"][2]["found"]]}
    text = front_page(summary, {}, answers["good"].runs)
    said = text.split("## What to distrust")[1].split("##")[0]
    assert said.count("document\\.title") == 1
    assert not re.search(r"(?<!\\)[<>\[\]{}$`*](?!\*)", said.replace("\n- ", "\n"))
    assert "Approaches" not in said  # a check has said it


@pytest.mark.parametrize(
    ("value", "words"),
    [(3.09e9, "3.1 billion"), (19.4e6, "19 million"), (153e3, "150 thousand"), (999.9e6, "1 billion"), (42.0, "42")],
)
def test_counts_as_people_say_them(value, words):
    assert much(value) == words


def test_other_numbers_in_words():
    assert (amount(3.2e14), amount(1e24), amount(9.96e20)) == ("3.2 × 10¹⁴", "10²⁴", "10²¹")
    assert (much(2e15), much(np.inf)) == ("2 × 10¹⁵", "any number")
    assert (factor(2.44), factor(123.4), factor(4.2e6)) == ("2.4", "123", "4.2 million")
    assert (interval(0.42, 0.61), interval(np.nan, 1.0), interval(None, None)) == (
        *("[0.42, 0.61]", "not known", "not known"),
    )
    assert sentence("flops of 20 runs follows from flops = 6 N D") == (
        "Compute of 20 runs follows from compute = 6 × parameters × tokens."
    )
    assert sentence("params of 20 runs follows from flops = 6 N D") == (
        "Parameters of 20 runs follows from compute = 6 × parameters × tokens."
    )
    assert sentence("not known for 1.08e22 FLOPs (--flops 1e24)") == "Not known for 1.1 × 10²² FLOP (--flops 1e24)."
    assert escaped("a_b\n`c`") == "a\\_b \\`c\\`"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("--drop diverged leaves them out", "`--drop` diverged leaves them out"),
        ("--best-of params,tokens --over lr, say", "`--best-of params,tokens` `--over` lr\\, say"),
        ("so --column params='Model Size (B)'.", "So `--column params='Model Size (B)'`\\."),
        ("--derive params='a_b + c' takes it", "`--derive params='a_b + c'` takes it"),
        ("--run N,total_steps: that", "`--run N,total_steps`\\: that"),
        ("x-y --where a=`b`", "X\\-y `--where a=`\\`b\\`"),
    ],
)
def test_options_stand_as_they_are_typed(words, shown):
    """A page makes dashes of two hyphens and curls quotes in anything but code, and our columns are no words there."""
    assert escaped(sentence(words)).removesuffix("\\.") == shown.removesuffix("\\.")


# --- the picture -----------------------------------------------------------------------------------------------------


def words_of(pictures):
    return {name: " ".join(ET.fromstring(picture).itertext()) for name, picture in pictures.items()}


def test_the_pictures_are_the_same_each_time_and_have_words_as_text(answers, summaries):
    first = draw(answers["good"], summaries["good"]["answer"]["kind"])
    assert first == draw(answers["good"], NUMBER)
    words = words_of(first)
    assert list(words) == [LOSSES, SIZES]
    assert "best size, approach 3" in words[SIZES]
    assert "least loss by the fitted law" in words[LOSSES]
    assert "approach" not in str(words_of(draw(answers["swept"], NOTHING)))


#: what a page leaves a picture on a phone 360 pixels wide (measured), and the least size of a letter there
PHONE, LEAST = 312, 8.0


def test_the_pictures_can_be_read_on_a_phone(answers):
    for picture in draw(answers["good"], NUMBER).values():
        width = float(re.search(r'viewBox="0 0 (\S+)', picture)[1])
        sizes = [float(size) for size in re.findall(r"font(?:-size)?: (?:\w+ )?([\d.]+)px", picture)]
        assert len(sizes) > 5
        assert min(sizes) * PHONE / width >= LEAST


def test_the_pictures_of_many_runs_stay_light(answers):
    many = pd.concat([answers["good"].runs] * 200, ignore_index=True)
    assert len(many) > 5 * MOST_DOTS
    light = Answers(many, None, Question(1e22))
    light.__dict__.update(found=answers["good"].found, looked=answers["good"].looked, ruling=answers["good"].ruling)
    assert sum(map(len, draw(light, NUMBER).values())) < 400_000
