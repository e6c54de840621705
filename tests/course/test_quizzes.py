"""Three questions a chapter, the page that is written from them, and what in them can be computed."""

import numpy as np
import pytest
import quizzes
import yaml

import scaling

CHAPTERS = yaml.safe_load((quizzes.FOLDER / "quizzes.yml").read_text())


def test_the_page_is_what_its_tool_writes():
    assert (quizzes.FOLDER / "quizzes.md").read_text() == quizzes.page()


def test_each_chapter_has_three_questions_with_one_right_answer():
    notebooks = sorted(path.name[:2] for path in quizzes.FOLDER.parents[1].glob("notebooks/[0-9][0-9]_*.ipynb"))
    assert [chapter["chapter"] for chapter in CHAPTERS] == notebooks
    for chapter in CHAPTERS:
        assert len(chapter["questions"]) == 3
        for about in chapter["questions"]:
            answers = [about["right"], *(each["says"] for each in about["wrong"])]
            assert len(set(answers)) == 3
            assert all(isinstance(each, str) and each for each in [about["ask"], *answers])
            assert all(len(each["why"]) > 15 for each in about["wrong"])


def test_the_right_answer_stands_in_each_place():
    """Not always in the same one, over all questions."""
    page, places = quizzes.page(), {letter: 0 for letter in "abc"}
    for letter in places:
        places[letter] = page.count(f"- **{letter}** Yes.\n")
    assert sum(places.values()) == 63
    assert min(places.values()) > 12


def said(chapter, place):
    return next(each for each in CHAPTERS if each["chapter"] == chapter)["questions"][place - 1]


def test_numbers_are_those_of_the_package():
    """Every number in an answer that a line can compute."""
    half = scaling.laws.DataConstrainedLaw.from_published("muennighoff2023").repeated_tokens * np.log(2)
    assert said("10", 1)["right"] == f"{half:.1f}"
    exact, rounded = (scaling.ChinchillaLaw.from_published(f"hoffmann2022{end}") for end in ("", "_rounded"))
    model = scaling.sources.large_models().set_index("name").loc["Chinchilla"]
    flops = 6 * model["params"] * model["tokens"]
    sizes = [float(scaling.compute_optimal(law, flops).params) for law in (exact, rounded)]
    assert sizes[1] / sizes[0] == pytest.approx(0.8, abs=0.02)
    shape = scaling.counting.Architecture.from_published("Mixtral-8x7B")
    counts = [scaling.counting.count_params(shape, "as built", active=met) for met in (False, True)]
    assert said("17", 1)["right"] == "{:.0f} and {:.0f} billion".format(*np.array(counts) / 1e9)
    laws = [exact, *(scaling.ChinchillaLaw.from_published(name) for name in ("besiroglu2024",))]
    factors = [10 ** (1 / law.alpha + 1 / law.beta) for law in laws]
    assert 3e5 < min(factors) < max(factors) < 3.5e6
    demand = scaling.ChinchillaLaw(
        **{name: scaling.published(f"sardana2024/constants/{name}").value for name in ("E", "A", "B", "alpha", "beta")}
    )
    assert (1 + demand.alpha / demand.beta) ** (-1 / demand.alpha) == pytest.approx(0.1, abs=0.01)
