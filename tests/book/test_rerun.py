"""``scaling rerun``: a stranger's table becomes a book, whole or not at all."""

import hashlib
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import held
import nbformat
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from full_disk import FullDisk
from needed_cells import depending, needed

import scaling
from scaling.book.chapters import DONE, FAILED, NOT_POSSIBLE, Chapter, Outcome, chapters_on_runs, execute
from scaling.book.make import _plain_csv, _plain_labels, as_table
from scaling.book.pages import fenced, write_sources
from scaling.book.processes import shared_processes
from scaling.book.staging import MARK, staged
from scaling.cli import main
from scaling.cli.rerun import _names
from scaling.sources.files import chapter_files

MODULE = importlib.import_module("scaling.cli.rerun")
LAW = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)
HOSTILE = [
    "<script>document.title = 'taken'</script>",
    '"><img src=x onerror="document.title=1">',
    "{raw} html `<b>`",
    "```{raw} html\n<script>1</script>",
    "$\\href{javascript:alert(1)}{x}$",
    "[x](javascript:alert(1))",
    "=HYPERLINK(1)",
]


def isoflop_grid():
    design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20, 1e21], n_sizes=8, width=6.0, law=LAW)
    return scaling.simulate_runs(LAW, design, noise=0.003, seed=1)


def scattered():
    rng = np.random.default_rng(2)
    params, tokens = 10 ** rng.uniform(7.7, 9.7, 60), 10 ** rng.uniform(9, 11.5, 60)
    return scaling.simulate_runs(LAW, pd.DataFrame({"params": params, "tokens": tokens}), noise=0.005, seed=2)


def overtrained():
    return scaling.simulate_runs(LAW, scaling.papers.sardana2024.like_design(), noise=0.005, seed=3)


def with_repeats():
    """Repeats under other seeds, counts without embeddings, and names that nobody would choose."""
    design = scaling.simulate.isoflop_design([3e17, 3e18, 3e19], n_sizes=7, width=5.0, law=LAW)
    table = pd.concat([design.assign(seed=seed) for seed in range(3)], ignore_index=True)
    inner = scaling.counting.EmbeddingModel(1e4).nonembedding(table["params"])
    names = [f"{HOSTILE[row % len(HOSTILE)]} {row}" for row in range(len(table))]
    return scaling.simulate_runs(LAW, table.assign(params_nonembedding=inner, run=names), noise=0.004, seed=4)


def final_checkpoints():
    curves = scaling.simulate.simulate_curves(LAW, np.geomspace(5e7, 8e9, 12), noise=0.002, seed=5, n_points=40)
    return curves.groupby("run").tail(1)


TABLES = {make.__name__: make for make in (scattered, overtrained, final_checkpoints)}
FEW = {"n_resamples": 20}


def run(*arguments):
    result = CliRunner().invoke(main, ["rerun", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def mark(version):
    """What the book of a version says of itself."""
    return json.dumps({"versions": {"scaling": version}, "chapters": []})


def code_of(notebook):
    return [cell for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]


def cells_by_table(chapter):
    """The code of a chapter: cells that depend on what a test gives it, these with those that they need, and all."""
    cells = code_of(chapter.text)
    sources = ["".join(cell["source"]) for cell in cells]
    found = depending(sources, {"runs_file", "curves_file", *FEW})
    first = {place for place, cell in enumerate(cells) if "parameters" in cell["metadata"].get("tags", [])}
    kept = needed(sources, {*found, *first})
    return [cells[place] for place in found], [cells[place] for place in kept], cells


def without_the_rest(chapter):
    """A chapter, as text, of the cells that depend on its table: what the others give is the same with each."""
    return json.dumps(json.loads(chapter.text) | {"cells": cells_by_table(chapter)[1]})


def told(cell):
    """All words of the outputs of a cell."""
    forms = [
        form
        for each in cell["outputs"]
        for form in sorted({"text/": each.get("text", ""), **each.get("data", {})}.items())
    ]
    return "".join("".join(words) for kind, words in forms if kind.startswith("text/"))


def written(folder):
    """Every file below a folder with its checksum."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# --- the chapters on five kinds of tables ----------------------------------------------------------------------------


def test_chapters_are_those_with_the_parameter():
    numbers = {chapter.number for chapter in chapters_on_runs()}
    assert {"05", "06", "07", "08", "09", "13"} <= numbers
    assert not {"01", "03", "12", "14"} & numbers


@pytest.mark.slow
@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("chapter", chapters_on_runs(), ids=lambda chapter: chapter.number)
def test_every_chapter_takes_every_kind_of_table(chapter, kind):
    """It comes through, or says that the table lacks what it needs.

    A table with repeats makes the book below; budgets with many sizes are given to every chapter with its own tests.
    They are given to whole chapters; here are the cells that depend on the table.
    """
    few = {name: value for name, value in FEW.items() if name in chapter.parameters}
    table = as_table(scaling.check_runs(TABLES[kind]()))
    outcome = execute(without_the_rest(chapter), table.for_chapter(chapter), few)
    assert outcome.kind == DONE or (outcome.kind == NOT_POSSIBLE and chapter.number == "06"), outcome
    stored = outcome.notebook or outcome.message
    assert "chapter-" not in stored, "the folder of the run has got into the pages"


def curves_of_one_length():
    """Nine curves whose ends settle no law of both, since all have read nearly the same."""
    ends = pd.DataFrame({"params": np.geomspace(2e6, 3e7, 9), "tokens": np.linspace(8e8, 1.3e9, 9)})
    rows = [
        scaling.simulate_runs(LAW, pd.DataFrame({"params": N, "tokens": np.geomspace(3e6, D, 60)}), 0.002, seed=seed)
        for seed, (N, D) in enumerate(ends.to_numpy())
    ]
    return pd.concat([each.assign(run=f"run {k}") for k, each in enumerate(rows)], ignore_index=True)


SETTLE_NOTHING = {
    "05": (curves_of_one_length, "The published law stands in for the truth."),
    "07": (lambda: curves_of_one_length().query("run == 'run 3'"), "1 distinct value of params"),
    "13": (lambda: curves_of_one_length().query("run == 'run 3'").drop(columns="run"), "1 distinct value of params"),
}


@pytest.mark.slow
@pytest.mark.parametrize("number", SETTLE_NOTHING)
def test_a_table_that_settles_nothing_is_told_why(number):
    """It is not a failure of the chapter, and the reason is the table's own."""
    chapter = next(chapter for chapter in chapters_on_runs() if chapter.number == number)
    make, words = SETTLE_NOTHING[number]
    few = {name: value for name, value in FEW.items() if name in chapter.parameters}
    outcome = execute(without_the_rest(chapter), as_table(scaling.check_runs(make())).for_chapter(chapter), few)
    assert outcome.kind == (NOT_POSSIBLE if number == "07" else DONE), outcome
    assert words in (outcome.notebook or outcome.message)


def test_a_curve_table_gives_curves_to_those_who_want_them():
    curves = scaling.check_runs(scaling.simulate.simulate_curves(LAW, [1e8, 1e9], n_points=30))
    table = as_table(curves)
    assert len(table.runs) == curves["run"].nunique()
    assert (table.runs["loss"].to_numpy() == curves.groupby("run")["loss"].last().to_numpy()).all()
    lines = {c.number: {k: v.count("\n") - 1 for k, v in table.for_chapter(c).items()} for c in chapters_on_runs()}
    assert lines["05"] == {"runs_file": len(curves)}
    assert lines["07"] == {"runs_file": len(table.runs)}
    assert lines["13"] == {"runs_file": len(table.runs), "curves_file": len(curves)}


def test_a_run_with_a_few_rows_counts_once_as_everywhere():
    runs = scaling.check_runs(overtrained().assign(run=overtrained()["params"].astype(str)))
    table = as_table(runs)
    assert len(table.runs) == runs["run"].nunique() < len(table.curves) == len(runs)
    assert table.runs.equals(scaling.runs.last_points(runs))
    assert table.runs.attrs["notes"][-1] == "curves: the runs are the last rows of 6 runs, with 47 rows in all"


@pytest.mark.slow
@pytest.mark.parametrize("number", ["07", "09", "11", "13"])
def test_a_chapter_counts_a_curve_once(number):
    """Also where it is given the curves themselves, as by a reader who executes it alone."""
    chapter = next(chapter for chapter in chapters_on_runs() if chapter.number == number)
    curves = scaling.simulate.simulate_curves(LAW, np.geomspace(5e7, 8e9, 12), noise=0.002, seed=5, n_points=5)
    few = {name: value for name, value in FEW.items() if name in chapter.parameters}
    outcome = execute(without_the_rest(chapter), {"runs_file": curves.to_csv(index=False)}, few)
    assert outcome.kind == DONE, outcome
    assert "48 runs" in outcome.notebook


def test_one_name_for_several_sizes_makes_no_curve():
    assert as_table(scaling.check_runs(isoflop_grid().assign(run="mine"))).curves is None


# --- one book, from start to finish ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A book with hostile names in its table, made in a home, a working folder and a place of their own."""
    place = tmp_path_factory.mktemp("rerun")
    for name in ("home", "tmp", "here", "out"):
        (place / name).mkdir()
    with_repeats().to_csv(place / "here" / "my runs.csv", index=False)
    environment = os.environ | {"HOME": str(place / "home"), "TMPDIR": str(place / "tmp")}
    # what importing the package writes for itself is not this command's
    environment |= {"MPLCONFIGDIR": str(tmp_path_factory.mktemp("matplotlib"))}
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        environment.pop(name, None)
    before = written(place)
    command = [Path(sys.executable).with_name("scaling"), "rerun", "my runs.csv", "--out", "../out/book"]
    done = subprocess.run(
        [*command, "--resamples", "50", "--json"], cwd=place / "here", env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return place, before, json.loads(done.stdout)


def test_the_book_opens(book):
    folder = book[0] / "out" / "book"
    text = (folder / "index.html").read_text()
    for chapter in chapters_on_runs():
        page = f"notebooks/{chapter.name}.html"
        assert (folder / page).is_file()
        assert page in text
        shown = re.findall(r'<h\d><span class="section-number">(\d+)\. ', (folder / page).read_text())
        assert shown == [str(int(chapter.number))]
    assert (folder / "_static" / "formulas" / "stix-two-math.woff2").is_file()
    assert "<math" in text


@pytest.mark.parametrize("chapter", chapters_on_runs(), ids=lambda chapter: chapter.number)
def test_what_does_not_depend_on_the_table_is_as_stored(book, chapter):
    """With the whole chapter and a table that is not its own: so nothing that does is left out above."""
    path = book[0] / "out" / "book" / "_sources" / "notebooks" / f"{chapter.name}.ipynb"
    executed = {cell["id"]: cell for cell in code_of(path.read_text())}
    depends, _, cells = cells_by_table(chapter)
    others = [cell for cell in cells if cell not in depends]
    assert {cell["id"]: told(executed[cell["id"]]) for cell in others} == {cell["id"]: told(cell) for cell in others}
    assert [told(executed[cell["id"]]) for cell in depends] != [told(cell) for cell in depends]


def test_nothing_outside_is_written(book):
    place, before, _ = book
    after = written(place)
    assert {name: after.get(name) for name in before} == before
    assert not [name for name in after.keys() - before.keys() if not name.startswith("out/book/")]
    assert [path.name for path in (place / "out").iterdir()] == ["book"]


def test_the_summary(book):
    place, _, printed = book
    summary = json.loads((place / "out" / "book" / MARK).read_text())
    assert summary == printed
    runs = place / "here" / "my runs.csv"
    assert summary["input"]["sha256"] == hashlib.sha256(runs.read_bytes()).hexdigest()
    assert summary["input"]["rows"] == len(with_repeats())
    assert summary["versions"]["scaling"] == scaling.__version__
    assert [each["outcome"] for each in summary["chapters"]] == [DONE] * len(chapters_on_runs())
    assert not summary["complaints"]
    fit = scaling.fit_parametric(scaling.load_runs(runs))
    (parametric,) = [law for law in summary["laws"] if law["approach"] == 3]
    assert parametric["constants"]["alpha"] == fit.law.alpha
    interval = scaling.bootstrap(fit, 50, 0).interval(0.95).loc["alpha"]
    assert parametric["intervals"]["alpha"] == pytest.approx([interval.low, interval.high], rel=1e-12)


def test_no_link_is_dead(book):
    folder = book[0] / "out" / "book"
    dead = []
    for path in folder.rglob("*.html"):
        if "_static" in path.parts:  # the theme's own templates
            continue
        text = path.read_text()
        assert not re.search(r'src="(https?:)?//', text), path
        for link in re.findall(r'(?:href|src)="([^"#?]+)', text):
            if not re.match(r"[a-z]+:|//", link) and not (path.parent / link).exists():
                dead.append(f"{path.name}: {link}")
    assert not dead


def test_no_hostile_string_is_markup(book):
    folder = book[0] / "out" / "book"
    for path in folder.rglob("*"):
        if path.suffix in {".html", ".ipynb", ".js"} and "_static" not in path.parts:
            text = path.read_text()
            for words in ("document.title", "onerror", "javascript:alert", "HYPERLINK("):
                assert words not in text, (path, words)
    # the table keeps the words, as labels that neither a page nor a spreadsheet takes for more
    assert not re.search(r"[<>`]|(^|,)[=+@-][A-Za-z]", (folder / "runs.csv").read_text(), flags=re.MULTILINE)


def test_no_path_of_the_machine_is_in_the_pages(book):
    folder = book[0] / "out" / "book"
    for path in folder.rglob("*"):
        if path.suffix in {".html", ".ipynb", ".json"} and "_static" not in path.parts:
            assert str(book[0]) not in path.read_text(), path
            assert "unfinished" not in path.read_text(), path


# --- hostile text ----------------------------------------------------------------------------------------------------


def test_labels_are_plain_and_as_distinct_as_before():
    labels = pd.Series([*HOSTILE, HOSTILE[0], None, "<b>", "{b}", 7])
    plain = _plain_labels(labels)
    assert not plain.dropna().astype(str).str.contains(r"[<>`$\[\]{}\\\"'&|*]").any()
    assert plain.nunique() == labels.nunique()
    assert plain[0] == plain[len(HOSTILE)]
    assert pd.isna(plain[len(HOSTILE) + 1])


def test_only_our_columns_go_into_the_book():
    runs = isoflop_grid().assign(note=HOSTILE[0], seed=HOSTILE[1])
    text = _plain_csv(scaling.check_runs(runs))
    assert "note" not in text
    assert not re.search("[<>]", text)
    pd.testing.assert_series_equal(pd.read_csv(pd.io.common.StringIO(text))["loss"], runs["loss"])


@pytest.mark.parametrize("words", HOSTILE)
def test_words_in_a_block_cannot_end_it(words):
    fence, *inside, last = fenced(words).splitlines()
    assert last == fence.removesuffix("text")
    assert last not in "\n".join(inside)


def test_names_of_several_books():
    assert _names(("a/runs.csv", "b/runs.csv", "<x>.csv", "..csv", "__.csv")) == ["runs", "runs-2", "x", "csv", "table"]


# --- chapters that fail ----------------------------------------------------------------------------------------------


TEXT = "# Chapter {}\n\nSee [](03_counting.ipynb), {{eq}}`parametric-law` and [](../book/data.md)."


def small_chapter(folder, name, source):
    """A chapter of two cells in the place of a real one."""
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    notebook.cells = [
        nbformat.v4.new_markdown_cell(TEXT.format(name)),
        nbformat.v4.new_code_cell("runs_file = None", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(source),
    ]
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return Chapter(folder / f"{name}.ipynb")


@pytest.fixture
def warm(monkeypatch):
    """One process from which the chapters of many books are forked: the book above had its own."""
    monkeypatch.setattr("scaling.book.chapters.chapter_processes", lambda: nullcontext(shared_processes()))


@pytest.fixture
def chapters(tmp_path, monkeypatch, warm):
    """Four small chapters: one comes through, one fails, one cannot be done, one loses its kernel."""
    sources = {
        "21_good": "import pandas as pd\nprint(len(pd.read_csv(runs_file)), 'runs')",
        "22_bad": "1 / 0  # ```",
        "23_no": "class FitError(ValueError): pass\nraise FitError('<b>two groups are needed</b>')",
        "24_dead": "import os\nos._exit(1)",
    }
    (tmp_path / "chapters").mkdir()
    made = [small_chapter(tmp_path / "chapters", name, source) for name, source in sources.items()]
    monkeypatch.setattr(MODULE, "chapters_on_runs", lambda: made)
    return made


@pytest.mark.slow
def test_a_failing_chapter_is_shown_and_the_others_go_on(chapters, tmp_path):
    isoflop_grid().to_csv(tmp_path / "runs.csv", index=False)
    result = run(tmp_path / "runs.csv", "--out", tmp_path / "book")
    assert result.exit_code == 3
    assert "2 of the chapters failed" in result.output
    assert "ZeroDivisionError: division by zero" in result.output
    assert "1 / 0" in result.output
    summary = json.loads((tmp_path / "book" / MARK).read_text())
    assert [each["outcome"] for each in summary["chapters"]] == [DONE, FAILED, NOT_POSSIBLE, FAILED]
    assert not summary["complaints"]
    pages = {each.number: (tmp_path / "book" / "notebooks" / f"{each.name}.html").read_text() for each in chapters}
    assert "32 runs" in pages["21"]
    assert "Count" in pages["21"]
    assert "ZeroDivisionError" in pages["22"]
    assert "two groups are needed" in pages["23"]
    assert "<b>two" not in pages["23"]
    assert "went on without it" in pages["24"]


@pytest.mark.slow
def test_references_to_what_is_not_there_become_words(chapters, tmp_path):
    outcomes = {chapters[0]: execute(chapters[0].text, {"runs_file": "loss\n1\n"}, {})}
    write_sources(tmp_path / "book", "# Front\n\n[](book/notation.md), [gone](book/status.md)", outcomes, "A title")
    text = nbformat.read(tmp_path / "book" / "notebooks" / "21_good.ipynb", 4).cells[0].source
    assert "](" not in text
    assert "{eq}" not in text
    assert "*Fit a formula to all runs: parametric loss, approach 3*" in text
    assert (tmp_path / "book" / "index.md").read_text() == "# Front\n\n[](book/notation.md), gone"


def test_a_figure_that_was_not_drawn_is_not_referred_to(tmp_path):
    """Its caption is in the notebook all the same, below the cell that would have drawn it."""
    path = chapter_files()[6]
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell["metadata"].get("mystnb", {}).get("figure", {}).get("name") == "fig-isoflop-valley":
            cell["outputs"] = []
    assert ":name: fig-isoflop-valley" in json.dumps(notebook)
    outcomes = {Chapter(path): Outcome(DONE, json.dumps(notebook))}
    write_sources(tmp_path / "book", "# Front", outcomes, "A title")
    text = (tmp_path / "book" / "notebooks" / path.name).read_text()
    assert "{numref}`fig-isoflop-surface`" in text
    assert "{numref}`fig-isoflop-valley`" not in text


@pytest.mark.slow
def test_the_report_and_the_chapters_follow_what_is_asked(tmp_path, monkeypatch, warm):
    made = [small_chapter(tmp_path, "21_budget", "print('asked about', flops)")]
    notebook = json.loads(made[0].text)
    notebook["cells"][1]["source"] = "runs_file = None\nflops = None"
    made[0].path.write_text(json.dumps(notebook))
    monkeypatch.setattr(MODULE, "chapters_on_runs", lambda: [Chapter(made[0].path)])
    isoflop_grid().to_csv(tmp_path / "runs.csv", index=False)
    few = ("--resamples", 50, "--flops", "3e22", "-p", "inference_tokens=2T")
    result = run(tmp_path / "runs.csv", "--out", tmp_path / "book", *few)
    assert result.exit_code == 0, result.output
    assert "asked about 3e+22" in (tmp_path / "book" / "notebooks" / "21_budget.html").read_text()
    summary = json.loads((tmp_path / "book" / MARK).read_text())
    assert (summary["answer"]["flops"], summary["answer"]["inference_tokens"]) == (3e22, 2e12)
    front = (tmp_path / "book" / "index.html").read_text().replace("\u00a0", " ")
    assert "What to train with 3 × 10²² FLOP" in front
    assert "if it will serve 2 trillion tokens" in front
    for picture in ("report-loss.svg", "report-size.svg"):
        assert picture in front
        assert (tmp_path / "book" / "_images" / picture).is_file()
    assert (tmp_path / "book" / "_static" / "report.css").is_file()
    assert not summary["complaints"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["width=3"], "nothing takes a 'width'; these can be asked: flops (the training budget, in FLOPs) and "),
        (["flops"], "write flops= and a number, such as flops=1e24"),
        (["flops="], "write flops= and a number"),
        (["flops=much"], "-p flops: 'much' is not a number"),
        (["flops=0"], "-p flops: '0' is out of range: it must be positive and finite"),
        (["inference_tokens=-1"], "-p inference_tokens: '-1' is out of range: it must be at least 0 and finite"),
        (["flops=1e24", "flops=1e25"], "-p flops is given twice"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(table, tmp_path, given, words):
    result = run(table, "--out", tmp_path / "book", *(part for each in given for part in ("-p", each)))
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())
    assert not (tmp_path / "book").exists()


def test_an_option_and_a_parameter_ask_the_same_once(table, tmp_path):
    result = run(table, "--out", tmp_path / "book", "--flops", "10 PF-days", "-p", "flops=1e24")
    assert result.exit_code == 2
    assert "-p flops is given twice" in result.output


@pytest.mark.slow
def test_several_tables_make_several_books(chapters, tmp_path, monkeypatch):
    monkeypatch.setattr(MODULE, "chapters_on_runs", lambda: chapters[:1])
    isoflop_grid().to_csv(tmp_path / "first.csv", index=False)
    overtrained().to_csv(tmp_path / "second.csv", index=False)
    result = run(tmp_path / "first.csv", tmp_path / "second.csv", "--out", tmp_path / "books", "--json")
    assert result.exit_code == 0, result.output
    folder = tmp_path / "books"
    assert json.loads(result.stdout) == json.loads((folder / MARK).read_text())
    for name, runs in (("first", 32), ("second", 47)):
        assert f"{runs} runs" in (folder / name / "notebooks" / "21_good.html").read_text()
        assert json.loads((folder / name / MARK).read_text())["input"]["rows"] == runs
        assert f'href="{name}/index.html"' in (folder / "index.html").read_text()
    assert "2 tables of runs, side by side" in (folder / "index.html").read_text()


@pytest.mark.slow
def test_several_tables_appear_together_or_not_at_all(tmp_path, capsys):
    """Without room for the page that sets them side by side, which is written last, none of the books is there."""
    isoflop_grid().to_csv(tmp_path / "first.csv", index=False)
    overtrained().to_csv(tmp_path / "second.csv", index=False)
    place, chapters = tmp_path / "place", [held.chapter(tmp_path, "21_good", "")]
    place.mkdir()

    tables = [tmp_path / "first.csv", tmp_path / "second.csv"]

    def make(disk):
        with disk, pytest.raises(SystemExit) as end:
            held.rerun([*tables, "--out", place / "books", "--resamples", "2"], chapters)
        return end.value.code

    disk = FullDisk(place)
    assert make(disk) == 0
    assert written(place / "books").keys() >= {"index.html", MARK, "first/index.html", "second/index.html"}
    shutil.rmtree(place / "books")
    for at in range(disk.count - 3, disk.count + 1):
        assert make(FullDisk(place, at)) == 3
        assert not any(place.iterdir()), at


@pytest.mark.slow
def test_a_cluster_makes_the_same_book(chapters, tmp_path, monkeypatch):
    """Chapters and resamples on two workers of a Dask cluster, which see nothing of this machine's folders.

    One of them is killed when the first chapter has come back.
    """
    distributed = pytest.importorskip("distributed")
    from scaling._parallel import cluster as module

    killed, whole = [], module.spread_over

    def spread_over(*given):
        for outcome in whole(*given):
            if not killed:
                killed.append(min(distributed.get_client().run(os.getpid).values()))
                os.kill(killed[0], signal.SIGKILL)
            yield outcome

    isoflop_grid().to_csv(tmp_path / "runs.csv", index=False)
    assert run(tmp_path / "runs.csv", "--out", tmp_path / "here").exit_code == 3
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        monkeypatch.setattr(module, "spread_over", spread_over)
        on_it = ("--backend", "dask", "--scheduler", cluster.scheduler_address)
        done = run(tmp_path / "runs.csv", "--out", tmp_path / "there", *on_it)
    assert done.exit_code == 3, done.output
    assert killed
    here, there = (json.loads((tmp_path / name / MARK).read_text()) for name in ("here", "there"))
    assert here == there


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path):
    isoflop_grid().to_csv(tmp_path / "runs.csv", index=False)
    return tmp_path / "runs.csv"


def test_an_earlier_book_is_refused_without_force(table, tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / MARK).write_text(mark("old"))
    result = run(table, "--out", tmp_path / "book")
    assert result.exit_code == 1
    assert "--force" in result.output
    assert written(tmp_path / "book").keys() == {MARK}


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_folder_of_other_files_is_never_replaced(table, tmp_path, force):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    result = run(table, "--out", tmp_path / "thesis", *force)
    assert result.exit_code == 1
    assert "left as it is" in result.output
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"


@pytest.mark.parametrize(
    "said", ["{}", "[]", '{"loss": 2.1}', '{"versions": {"other": "1"}, "chapters": []}', "no JSON"]
)
def test_another_program_s_summary_is_not_taken_for_a_book(table, tmp_path, said):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / MARK).write_text(said)
    (tmp_path / "logs" / "weights").write_text("years of work")
    result = run(table, "--out", tmp_path / "logs", "--force")
    assert result.exit_code == 1
    assert "left as it is" in result.output
    assert written(tmp_path / "logs").keys() == {MARK, "weights"}


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_link_is_not_followed_and_not_replaced(table, tmp_path, force):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    for name, kind in (("link", "is a link"), ("dangling", "is a link"), ("pipe", "name a folder"), ("runs.csv", "")):
        result = run(table, "--out", tmp_path / name, *force)
        assert result.exit_code == 1
        assert kind in result.output
    assert run(table, "--out", tmp_path / "link" / "..", *force).exit_code == 1
    assert (tmp_path / "link").is_symlink()
    assert not any((tmp_path / "theirs").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "link", "pipe", "runs.csv", "theirs"]


def test_a_folder_that_is_the_table_gets_no_book(table, tmp_path):
    (tmp_path / "packed").mkdir()
    scaling.load_runs(table).to_parquet(tmp_path / "packed" / "part.parquet")
    result = run(tmp_path / "packed", "--out", tmp_path / "packed" / "book")
    assert result.exit_code == 1
    assert "lies inside the table" in result.output


def test_other_refusals(table, tmp_path):
    assert "there is no folder" in run(table, "--out", tmp_path / "no" / "book").output
    assert "is a file" in run(table, "--out", table).output or "lies inside" in run(table, "--out", table).output
    assert "lies inside" in run(table, "--out", tmp_path, "--force").output
    wrong = run(table, "--out", tmp_path / "book", "--chapters", "05,99")
    assert wrong.exit_code == 2
    assert "no chapter 99" in wrong.output
    assert run(table, "--out", tmp_path / "book", "--backend", "dask").exit_code == 2
    assert run(tmp_path / "absent.csv", "--out", tmp_path / "book").exit_code == 1
    assert "nobody of this name" in run(table, "--out", "~no.such.user/book").output
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]


def test_says_what_to_install(table, tmp_path, monkeypatch):
    monkeypatch.setattr(MODULE, "NEEDED", ("papermill", "no_such_module"))
    result = run(table, "--out", tmp_path / "book")
    assert result.exit_code == 3
    assert "no_such_module" in result.output
    assert "pip install -e '.[book]'" in result.output


# --- whole or not at all ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exchange", [True, False])
def test_a_staged_folder_replaces_the_old_one_whole(tmp_path, exchange, monkeypatch):
    if not exchange:
        monkeypatch.setattr("scaling.book.staging._exchange", lambda one, other: False)
    target = tmp_path / "b[o]ok"
    for version in ("old", "new"):
        with staged(target, force=True) as (result, work):
            (work / "scrap").write_text("")
            (result / MARK).write_text(mark(version))
            (result / version).write_text("")
        assert written(target).keys() == {MARK, version}
        assert [path.name for path in tmp_path.iterdir()] == ["b[o]ok"]


def test_an_error_leaves_the_old_one(tmp_path):
    with staged(tmp_path / "book", force=False) as (result, _):
        (result / MARK).write_text(mark("old"))

    def fail():
        with staged(tmp_path / "book", force=True) as (result, _):
            (result / MARK).write_text(mark("new"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (tmp_path / "book" / MARK).read_text() == mark("old")
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


def test_where_names_cannot_be_exchanged_a_failure_puts_the_old_one_back(tmp_path, monkeypatch):
    with staged(tmp_path / "book", force=False) as (result, _):
        (result / MARK).write_text(mark("old"))
    monkeypatch.setattr("scaling.book.staging._exchange", lambda one, other: False)

    def replace_it():
        with FullDisk(tmp_path) as disk, staged(tmp_path / "book", force=True) as (result, _):
            (result / MARK).write_text(mark("new"))
            disk.at = disk.count + 2  # of the two renamings

    with pytest.raises(OSError, match="No space left"):
        replace_it()
    assert (tmp_path / "book" / MARK).read_text() == mark("old")
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


@pytest.mark.slow
def test_on_a_full_disk_the_old_book_stays(table, tmp_path, capsys):
    """At every file, folder and renaming of the command's own, the last ones included."""
    place = tmp_path / "place"
    place.mkdir()
    chapters = [held.chapter(tmp_path, "21_good", "")]

    def make(disk):
        with disk, pytest.raises(SystemExit) as end:
            held.rerun([table, "--out", place / "book", "--resamples", "2", "--force"], chapters)
        return end.value.code, disk.count

    assert make(FullDisk(place)) > (0, 20)
    before = written(place)
    code, count = make(FullDisk(place))
    assert code == 0
    assert written(place) == before
    for at in range(1, count + 1):
        capsys.readouterr()
        code, _ = make(FullDisk(place, at))
        assert code == 3, at
        *_, last = capsys.readouterr().err.splitlines()
        assert last.startswith(f"error: no book was made, and nothing at {place / 'book'} was changed: "), at
        assert last.endswith("no space is left on the disk"), at
        assert written(place) == before, at
        assert [path.name for path in place.iterdir()] == ["book"], at


def test_leftovers_of_killed_runs_are_removed_and_those_of_live_ones_are_not(tmp_path):
    (tmp_path / "book-dead.unfinished" / "work").mkdir(parents=True)
    (tmp_path / "book-dead.replaced").mkdir()
    (tmp_path / "book-dead.replaced" / MARK).write_text(mark("old"))
    with staged(tmp_path / "book", force=True) as (first, _):
        assert (tmp_path / "book" / MARK).read_text() == mark("old")  # killed between two renamings: put back
        with staged(tmp_path / "book", force=True) as (second, _):
            (second / MARK).write_text(mark("second"))
        assert first.is_dir()
        (first / MARK).write_text(mark("first"))
    assert (tmp_path / "book" / MARK).read_text() == mark("first")
    assert [path.name for path in tmp_path.iterdir()] == ["book"]
