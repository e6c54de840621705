"""The page of errata: what rests on a number at second hand says so and stands by itself."""

import re
from pathlib import Path

import pytest

from scaling.papers import scorecard

PAGE = (Path(__file__).resolve().parents[2] / "book/errata.md").read_text()
FIRST, SECOND = PAGE.split("## Known at second hand")
HEADING = r"^#{2,3} (.+)$"


def entries(part):
    """The paragraphs that begin with a name in bold."""
    found = [each for each in part.split("\n\n") if each.startswith("**")]
    assert found
    return found


def test_entries_at_second_hand_say_so_and_no_others_do():
    assert [each for each in entries(SECOND) if "at second hand" not in each] == []
    assert [each for each in entries(FIRST) if re.search("second hand|from notes", each)] == []


@pytest.mark.slow
def test_a_paper_whose_differences_are_all_at_second_hand_stands_with_them():
    """De Vries's post, for one."""
    card = scorecard()
    differs = card[card["verdict"] == "differs"]
    hands = differs.groupby(differs["id"].str.split("/").str[0])["known"].agg(set)
    papers = [paper for paper, hand in hands.items() if hand == {"second"}]
    assert "devries2023" in papers
    for paper in papers:
        assert [each for each in re.findall(HEADING, FIRST, re.M) if heading(each).startswith(paper)] == []


def heading(text):
    """The heading of a paper as the beginning of an id: De Vries 2023 as devries2023."""
    return re.sub(r"( et al\.| and [A-Z]\w+)|[ ,]", "", text).lower()


def test_headings_are_read_as_ids():
    headings = [heading(each) for each in re.findall(HEADING, PAGE, re.M)]
    for paper in ("kaplan2020", "hoffmann2022", "devries2023", "besiroglu2024", "sardana2024", "pearce2024"):
        assert any(each.startswith(paper) for each in headings), paper


def test_every_entry_names_the_chapter_that_shows_it_and_is_an_error():
    for entry in entries(PAGE):
        assert "](../notebooks/" in entry, entry[:60]
        assert not re.search("not an error", entry, re.I), entry[:60]
