"""The directive that places a figure: what Sphinx makes of it."""

import io
import json
import re
import shutil

import pytest
from sphinx.application import Sphinx

from scaling import ChinchillaLaw, compute_optimal
from scaling.sources.files import book_file

pytestmark = pytest.mark.slow

PAGES = {
    "index": '# One figure\n\n:::{moving} budget\n:budget: 1e22\n:title: A <b> & "c"\n\nThe *still* itself.\n:::\n',
    "two": "# Two figures\n\n:::{moving} budget\n:::\n\n:::{moving} budget\n:::\n\n:::{moving} two-laws\n:::\n",
    "none": "# No figure\n",
    "own": "# Own\n\n:::{moving} budget\n:file: data/fit.json\n:::\n",
}
FIT = {
    "input": {"name": "</script><b>"},
    "approaches": {"3": {"constants": [], "status": "solved", "differences": [1]}},
    "differences": "not for the page",
}


def build(folder, pages):
    """Pages as HTML by name, and what Sphinx complains of."""
    source = folder / "source"
    (source / "data").mkdir(parents=True)
    (source / "data" / "fit.json").write_text(json.dumps(FIT))
    for name, text in pages.items():
        (source / f"{name}.md").write_text(f"---\norphan: true\n---\n{text}")
    shutil.copytree(book_file("_static"), source / "_static")
    settings = {"extensions": ["myst_parser", "scaling.book.moving"], "myst_enable_extensions": ["colon_fence"]}
    settings |= {"html_static_path": ["_static"]}
    words = io.StringIO()
    app = Sphinx(source, None, folder / "html", folder / "trees", "html", settings, status=None, warning=words)
    app.build()
    return {name: (folder / "html" / f"{name}.html").read_text() for name in pages}, words.getvalue()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pages, complaints = build(tmp_path_factory.mktemp("site"), PAGES)
    assert not complaints
    return pages


def constants(page, place=0):
    return json.loads(re.findall(r'<script type="application/json">(.*?)</script>', page)[place])


def test_a_page_loads_the_scripts_of_its_figures_and_no_others(site):
    loaded = {name: re.findall(r'src="_static/moving/([\w-]+)\.js', page) for name, page in site.items()}
    assert loaded["index"] == ["core", "budget"]
    assert loaded["two"] == ["core", "budget", "two-laws"]
    assert loaded["none"] == []
    assert [name for name, page in site.items() if "moving.css" in page] == ["index", "two", "own"]


def test_what_stands_in_the_directive_is_the_still(site):
    assert '<div class="moving-still"><p>The <em>still</em> itself.</p>' in site["index"].replace("\n", "")


def test_a_figure_without_content_has_a_still_of_its_own(site):
    rows = re.findall(r"10<sup>(\d+)</sup>.*?<p>(\S+ on \S+)</p>", site["two"], flags=re.DOTALL)[:6]
    assert [int(power) for power, _ in rows] == [21, 22, 23, 24, 25, 26]
    law = ChinchillaLaw.from_published("besiroglu2024")
    for power, cell in rows:
        best = compute_optimal(law, float(f"1e{power}"))
        said = [float(each[:-1]) * {"B": 1e9, "T": 1e12}[each[-1]] for each in cell.split(" on ")]
        assert said == pytest.approx([best.params, best.tokens], rel=0.06)
    picture = re.search(r'<svg role="img" aria-label="([^"]+)".*?</svg>', site["two"], flags=re.DOTALL)
    assert "both laws go through the same dots" in picture[1]
    assert "Loss [nats/token]" in picture[0]


def test_constants_come_from_the_package(site):
    given = constants(site["index"])
    assert given["title"] == 'A <b> & "c"'
    assert given["preset"]["budget"] == 1e22
    assert given["laws"]["hoffmann2022_rounded"]["constants"]["A"] == 406.4


def test_two_figures_of_a_kind_have_two_names(site):
    assert re.findall(r'class="moving" id="([\w-]+)"', site["two"]) == [
        "moving-budget",
        "moving-budget-2",
        "moving-two-laws",
    ]


def test_a_file_beside_the_page_is_read_and_cannot_leave_its_script(site):
    own = constants(site["own"])["own"]
    assert own["input"]["name"] == "</script><b>"
    assert own["laws"] == [{"approach": 3, "constants": [], "status": "solved"}]
    assert "not for the page" not in site["own"]


@pytest.mark.parametrize(
    ("directive", "words"),
    [
        (":::{moving} clock\n:::", "the moving figure 'clock' cannot be placed"),
        (":::{moving} budget\n:lawn: green\n:::", "unexpected keyword argument 'lawn'"),
        (":::{moving} budget\n:law: green\n:::", "no law 'green'; listed are besiroglu2024"),
        (":::{moving} budget\n:file: gone.json\n:::", "gone.json"),
        (":::{moving} two-laws\n:up-to: 5\n:::", "runs can be fitted up to 1e+12"),
    ],
)
def test_what_cannot_be_placed_is_an_error_in_words(tmp_path, directive, words):
    _, complaints = build(tmp_path, {"index": f"# A page\n\n{directive}\n"})
    assert words in complaints
