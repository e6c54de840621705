"""``scaling course``: what is in the folder that it makes, and that there is a whole one or none."""

import csv
import html
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.parse
import xml.etree.ElementTree as ET

import planted
import pytest
from click.testing import CliRunner

import scaling
from scaling.book.staging import MARK
from scaling.cli import main
from scaling.course.handouts import errata_quiz, formula_sheet

LINK = re.compile(r'(?:href|src)="([^"#?]+)')


def run(*arguments):
    return CliRunner().invoke(main, ["course", *map(str, arguments)])


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """A kit of three chapters from what their notebooks store."""
    folder = tmp_path_factory.mktemp("course") / "kit"
    given = ["--chapters", "3,06,19", "--title", "Models & laws", "--term", "Spring <1>", "--stored"]
    result = run("--out", folder, *given)
    assert result.exit_code == 0, result.output
    return folder


def test_every_link_of_a_kit_leads_to_a_file_of_it(kit):
    for page in kit.rglob("*.html"):
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            if not link.startswith(("data:", "https:")):
                assert (page.parent / urllib.parse.unquote(html.unescape(link))).exists(), f"{page}: {link}"
    for sheet in kit.glob("style/*.css"):
        for name in re.findall(r'(?:url\(|@import )"([^"]+)"', sheet.read_text(encoding="utf-8")):
            assert (sheet.parent / name).exists()


def test_links_of_notebooks_lead_to_notebooks_beside_them(kit, tmp_path):
    """A folder of them may be handed out alone."""
    found, other = 0, tmp_path / "kit"
    assert run("--out", other, "--chapters", "11,19", "--stored").exit_code == 0  # of which one speaks of the other
    parts = [made / part for made in (kit, other) for part in ("student", "solutions")]
    for path in [path for part in parts for path in part.glob("*.ipynb")]:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for link in re.findall(r"\]\((?!http|attachment)([^)\s]+)\)", "".join(cell["source"])):
                if cell["cell_type"] == "markdown":
                    found += 1
                    assert "/" not in link
                    assert (path.parent / link).is_file(), f"{path.name}: {link}"
    assert found


def test_nothing_of_a_kit_comes_from_a_network(kit):
    for path in [*kit.rglob("*.html"), *kit.rglob("style/*.css")]:
        assert not re.search(r'(?:src|url\()="?https?:|<link[^>]*href="https?:', path.read_text(encoding="utf-8")), path


def test_the_first_page_has_all_that_is_there(kit):
    text = (kit / "index.html").read_text(encoding="utf-8")
    assert "<h1>Models &amp; laws</h1>" in text
    assert "Spring &lt;1&gt;" in text
    linked = {link for link in LINK.findall(text)}
    parts = ["slides/*.html", "student/*", "solutions/*", "checks/*", "handouts/*", "data/*", "lectures/*"]
    parts += ["figures/index.html"]
    assert {path.relative_to(kit).as_posix() for part in parts for path in kit.glob(part)} <= linked
    assert len(list(kit.glob("student/*.ipynb"))) == len(list(kit.glob("solutions/*.ipynb"))) == 3


def test_the_summary_says_what_it_was_made_of(kit):
    said = json.loads((kit / MARK).read_text(encoding="utf-8"))
    assert (said["kit"], said["term"]) == ("Models & laws", "Spring <1>")
    assert [each["chapter"][:2] for each in said["chapters"]] == ["03", "06", "19"]
    assert said["checks"] == {path.name: len(list(path.glob("*.py"))) for path in sorted(kit.glob("checks/*"))}
    assert said["checks"]["03_counting"] == said["checks"]["06_isoflop"] == 3
    assert said["versions"]["scaling"] == scaling.__version__
    assert set(said["slides"]) == {path.stem for path in kit.glob("slides/*.html")}
    for name, about in said["slides"].items():
        assert (kit / f"slides/{name}.html").read_text(encoding="utf-8").count("<section") == about["slides"]


def test_the_tables_are_ours_and_whole(kit):
    (runs,) = kit.glob("data/*_runs.csv")
    with runs.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == scaling.sources.list_datasets().loc["small_sweep", "rows"]
    passport = (kit / "data/passport.html").read_text(encoding="utf-8")
    assert "CC BY 4.0" in passport
    assert "Known defects" in passport
    assert {path.name.split("_")[0] for path in kit.glob("data/*.csv")} == {"small"}


def test_every_figure_has_a_file_a_caption_and_words(kit):
    text = (kit / "figures/index.html").read_text(encoding="utf-8")
    for path in kit.glob("figures/fig-*"):
        entry = re.search(rf'<figure id="{path.stem}">.*?</figure>', text, re.DOTALL)[0]
        assert re.search(r"<strong>Fig\. (?:3|6|19)\.\d+\.</strong> \S", entry)
        assert re.search(r'alt="[^"]{20,}"', entry)
        assert path.read_bytes().startswith(b"\x89PNG")


def test_a_lecture_is_there_if_its_chapters_are(kit, tmp_path):
    assert not list(kit.glob("slides/lecture-*"))
    assert run("--out", tmp_path / "kit", "--lecture", "2", "--stored").exit_code == 0
    assert [path.stem for path in (tmp_path / "kit/slides").glob("lecture-*")] == ["lecture-2"]


def test_what_is_read_at_home_is_in_the_kit(tmp_path):
    """As a notebook, before the lecture and after it; what the run sheet links is that."""
    assert run("--out", tmp_path / "kit", "--lecture", "3", "--stored").exit_code == 0
    for folder in ("student", "solutions"):
        names = {path.name for path in (tmp_path / "kit" / folder).iterdir()}
        assert {"besiroglu_2024.ipynb", "11_fitting_carefully.ipynb"} <= names
    assert not (tmp_path / "kit/slides/11_fitting_carefully.html").exists()
    first = json.loads((tmp_path / "kit/student/besiroglu_2024.ipynb").read_text(encoding="utf-8"))["cells"][0]
    assert "Its cells download the runs that they read" in "".join(first["source"])
    sheet = (tmp_path / "kit/lectures/lecture_3.html").read_text(encoding="utf-8")
    assert '<a href="../student/11_fitting_carefully.ipynb">' in sheet
    assert "read at home" in (tmp_path / "kit/index.html").read_text(encoding="utf-8")


def test_a_kit_is_the_same_each_time(kit, tmp_path):
    given = ["--chapters", "3,6,19", "--title", "Models & laws", "--term", "Spring <1>", "--stored"]
    assert run("--out", tmp_path / "kit", *given).exit_code == 0
    for path in (path for path in kit.rglob("*") if path.is_file()):
        assert path.read_bytes() == (tmp_path / "kit" / path.relative_to(kit)).read_bytes(), path


@pytest.mark.slow
def test_figures_are_drawn_as_vectors(tmp_path):
    first, second = tmp_path / "one", tmp_path / "two"
    for folder in (first, second):
        assert run("--out", folder, "--chapters", "19").exit_code == 0
    names = [path.name for path in first.glob("figures/fig-promises-*.svg")]
    assert names
    for name in names:
        svg = (first / "figures" / name).read_text(encoding="utf-8")
        assert ET.fromstring(svg).tag.endswith("svg")
        assert svg == (second / "figures" / name).read_text(encoding="utf-8")
        assert (first / "figures" / name).with_suffix(".pdf").read_bytes().startswith(b"%PDF")
        assert f"../figures/{name}" in (first / "slides/19_promises.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_chapter_that_fails_makes_no_kit(tmp_path, monkeypatch):
    cells = [planted.words("# Fails"), planted.code("raise ValueError('a reason')")]
    broken = planted.chapter(tmp_path, cells)
    monkeypatch.setattr("scaling.cli.course.chapter_files", lambda: [broken.path])
    result = run("--out", tmp_path / "kit", "--chapters", "21")
    assert result.exit_code == 3
    assert "21_planted" in result.output
    assert "code cell 2 ended with ValueError: a reason" in result.output
    assert "--stored" in result.output
    assert [path.name for path in tmp_path.iterdir()] == [broken.path.name]


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (["--chapters", "77"], 2, "there is no chapter '77'; these there are: 00, 01"),
        (["--chapters", ""], 2, "there is no chapter '';"),
        (["--chapters", "six"], 2, "there is no chapter 'six'"),
        (["--lecture", "4"], 2, "there is no lecture 4; these there are: 1, What is counted, and the law; 2,"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(tmp_path, given, code, words):
    result = run("--out", tmp_path / "kit", "--stored", *given)
    assert result.exit_code == code
    assert words in " ".join(result.output.split())
    assert list(tmp_path.iterdir()) == []


def test_what_stands_there_is_never_overwritten(kit, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "exam.txt").write_text("questions")
    for given in ([], ["--force"]):
        result = run("--out", theirs, "--chapters", "19", "--stored", *given)
        assert result.exit_code == 1
        assert "it is left as it is" in result.output
    assert [path.name for path in theirs.iterdir()] == ["exam.txt"]
    before = (kit / "index.html").read_bytes()
    result = run("--out", kit, "--chapters", "19", "--stored")
    assert result.exit_code == 1
    assert "--force replaces it when the new kit is complete" in result.output
    assert (kit / "index.html").read_bytes() == before


def test_a_book_of_runs_is_no_kit(tmp_path):
    """--force replaces a kit only, and scaling rerun a book only."""
    place = tmp_path / "place"
    assert run("--out", place, "--chapters", "19", "--stored").exit_code == 0
    assert run("--out", place, "--chapters", "19", "--stored", "--force").exit_code == 0
    said = json.loads((place / MARK).read_text())
    (place / MARK).write_text(json.dumps({name: value for name, value in said.items() if name != "kit"}))
    assert run("--out", place, "--chapters", "19", "--stored", "--force").exit_code == 1


def test_what_is_missing_is_named_with_how_to_get_it(tmp_path, monkeypatch):
    found = __import__("importlib.util").util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "sphinx_revealjs" else found(name))
    result = run("--out", tmp_path / "kit")
    assert result.exit_code == 3
    assert "this needs sphinx_revealjs: run pip install -e '.[course]'" in result.output


HELD = """
import signal, sys, time
from pathlib import Path
import scaling.course.kit as kit
from scaling.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what runs in its background
def hold(*_):
    Path(sys.argv[1]).touch()
    time.sleep(600)
kit.write_handouts = hold
main(["course", "--out", sys.argv[2], "--chapters", "19", "--stored"])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_kit_leaves_nothing(tmp_path, number):
    there, place = tmp_path / "there", tmp_path / "place"
    place.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", HELD, there, place / "kit"], env=os.environ, stderr=subprocess.PIPE
    )
    end = time.monotonic() + 120
    while not there.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    assert list(place.glob("kit-*.unfinished"))
    process.send_signal(number)
    words = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert "interrupted" in words
    assert list(place.iterdir()) == []


SHEET = """# Run sheet

:::{admonition} Bring
A {cite:t}`hoffmann2022` in print.
:::

| minute | what |
|---|---|
| 0 | [](../../notebooks/19_promises.ipynb), $x^2$ |
| 5 | [](quiz.md), [](../../notebooks/07_parametric_loss.ipynb) |
"""


def test_pages_for_the_teacher_are_in_the_kit(tmp_path, monkeypatch):
    course = tmp_path / "course"
    course.mkdir()
    (course / "lecture_1.md").write_text(SHEET)
    (course / "quiz.md").write_text("# A quiz\n")
    monkeypatch.setattr("scaling.course.kit.book_file", lambda name: tmp_path / name)
    assert run("--out", tmp_path / "kit", "--chapters", "19", "--stored").exit_code == 0
    page = (tmp_path / "kit/lectures/lecture_1.html").read_text(encoding="utf-8")
    assert "A Hoffmann et al. (2022) in print." in page
    assert '<td><a href="../slides/19_promises.html">chapter 19,' in page
    assert 'href="quiz.html"' in page
    assert "chapter 7, <em>Fit a formula" in page
    assert "<msup>" in page
    first = (tmp_path / "kit/index.html").read_text(encoding="utf-8")
    assert '<a href="lectures/lecture_1.html">Run sheet</a>' in first


def test_the_handouts_say_what_the_book_says():
    sheet = formula_sheet()
    assert sheet.count('class="entry"') == sheet.count("<math display") > 15
    quiz = errata_quiz(lambda page: None)
    assert quiz.count("<details>") > 15
    assert "What was found" in quiz
    assert "{" not in re.sub(r"<[^>]*>", "", quiz)
