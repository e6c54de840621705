"""Run sheets name what there is: sections, figures and exercises of the chapters, and all minutes of a lecture."""

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "book" / "course"
LECTURES = {each["number"]: each for each in yaml.safe_load((FOLDER / "lectures.yml").read_text())}
SHEETS = sorted(FOLDER.glob("lecture_*.md"))


def chapter(number):
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    return json.loads(path.read_text())["cells"]


def found_in(cells):
    """Headings, and labels of figures and exercises."""
    words = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    figures = {cell["metadata"].get("mystnb", {}).get("figure", {}).get("name") for cell in cells}
    headings = {each.strip() for each in re.findall(r"(?m)^#{2,3} (.*)$", words)}
    return headings, figures, set(re.findall(r":label: (ex-\S+)", words))


def test_there_is_a_sheet_for_each_lecture():
    assert [path.stem for path in SHEETS] == [f"lecture_{number}" for number in LECTURES]


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_the_minutes_follow_each_other_to_the_end(path):
    lecture = LECTURES[int(path.stem[-1])]
    spans = [(int(a), int(b)) for a, b in re.findall(r"(?m)^## (\d+)–(\d+): ", path.read_text())]
    assert len(spans) >= 7
    assert [0, *(end for _, end in spans)] == [*(start for start, _ in spans), lecture["minutes"]]
    assert path.read_text().startswith(
        f"# Lecture {lecture['number']}: {lecture['title'][0].lower()}{lecture['title'][1:]}"
    )


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_what_is_read_at_home_is_what_the_sheet_links(path):
    """Beyond the lecture's chapters; the kit has the notebooks."""
    lecture = LECTURES[int(path.stem[-1])]
    linked = dict.fromkeys(re.findall(r"notebooks/([\w/]+)\.ipynb", path.read_text()))
    taught = {each["chapter"] for each in lecture["chapters"]}
    assert [name for name in linked if name[:2] not in taught] == lecture.get("reading", [])


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_what_a_sheet_names_is_there(path):
    """Its sections are those of the lecture's slides, all; its figures and exercises stand in these chapters."""
    lecture, text = LECTURES[int(path.stem[-1])], path.read_text()
    headings, figures, exercises = map(
        set().union, *(found_in(chapter(each["chapter"])) for each in lecture["chapters"])
    )
    wanted = {name for each in lecture["chapters"] for name in each.get("sections", [])}
    named = {words for line in re.findall(r"\*\*Sections?:\*\*.*", text) for words in re.findall(r'"([^"]+)"', line)}
    assert named == wanted
    assert named <= headings
    shown = set(re.findall(r"\{numref\}`([^`]+)`", text))
    assert shown <= figures
    assert shown >= {name for each in lecture["chapters"] for name in each.get("figures", [])}
    assert set(re.findall(r"\{ref\}`(ex-[^`]+)`", text)) <= exercises
    assert re.findall(r"\{ref\}`(ex-[^`]+)`", text.split("## 0–")[0]), "objectives are tied to exercises"
    for part in re.split(r"(?m)^## ", text)[1:]:
        assert re.search(r"\*\*(Ask|Write|Do)", part), part[:40]


@pytest.mark.parametrize("path", [*FOLDER.glob("*.md"), ROOT / "book" / "teaching.md"], ids=lambda path: path.stem)
def test_chapters_that_are_linked_are_there(path):
    for target in re.findall(r"\]\((\.\./[^)#]+|course/[^)#]+)\)", path.read_text()):
        assert (path.parent / target).is_file(), target


def test_the_points_of_the_rubric_are_a_hundred():
    rows = re.findall(r"(?m)^\| (\d+) \| the ", (FOLDER / "projects.md").read_text())
    assert sum(map(int, rows)) == 100


def test_the_weeks_of_the_seminar_name_what_there_is():
    """Seven weeks of 120 minutes, with the chapters of teaching.md; figures and exercises are those of the week's."""
    text = (FOLDER / "seminar.md").read_text()
    weeks = re.split(r"(?m)^## Week \d: .*$", text)[1:]
    planned = re.findall(r"(?m)^\| \d \| (.*?) \|", (ROOT / "book" / "teaching.md").read_text())
    assert len(weeks) == len(planned) == 7
    for week, chapters in zip(weeks, planned, strict=True):
        pages = re.findall(r"notebooks/([\w/]+\.ipynb)", chapters)
        assert re.findall(r"notebooks/([\w/]+\.ipynb)", week.split("Afterwards")[0]) == pages
        spans = [(int(a), int(b)) for a, b in re.findall(r"(?m)^- \*\*(\d+)–(\d+) ", week)]
        assert [0, *(end for _, end in spans)] == [*(start for start, _ in spans), 120]
        cells = [cell for page in pages for cell in json.loads((ROOT / "notebooks" / page).read_text())["cells"]]
        _, figures, exercises = found_in(cells)
        assert set(re.findall(r"\{numref\}`([^`]+)`", week)) <= figures
        assert set(re.findall(r"\{ref\}`([^`]+)`", week)) <= exercises
