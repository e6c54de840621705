"""Every chapter: its anatomy, and its run from the first cell to the last by papermill, on two tables of runs.

That the stored outputs are what the code gives is checked by nbval, which collects the notebooks themselves.
"""

import ast
import functools
import re
from pathlib import Path

import leaks
import nbformat
import papermill
import pytest
from executed import with_checks

import scaling
from scaling.book.chapters import DONE, Chapter
from scaling.book.processes import fork_kernels
from scaling.sources.files import chapter_files

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(
    path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.ipynb") if "checkpoints" not in str(path)
)
CHAPTERS = [name for name in NOTEBOOKS if not name.startswith("replications/")]
REPLICATIONS = [name for name in NOTEBOOKS if name.startswith("replications/")]
#: seconds after which a kernel that has not started is broken, and not only slow
PATIENCE = 900
# what a reader takes in at once
LONGEST_LINE, LONGEST_CELL, LONGEST_FUNCTION, LONGEST_DRAWING = 88, 25, 8, 12
# numbers this small are rounding, which is another on every processor (but not a p-value, its digits, a tolerance)
ROUNDING = re.compile(r"\d(?:\.\d+)?e-(?:1[3-9]|[2-9]\d)\b")
AS_SMALL = {"1.2e-16", "1.222e-16", "2.2e-18", "5e-18", "5e-17", "5e-16", "2e-14", "5e-14", "7e-13", "9.9e-13"}


@functools.cache
def read(name):
    return nbformat.read(FOLDER / name, as_version=4)


def code_cells(name):
    return [cell for cell in read(name).cells if cell.cell_type == "code"]


def parameters_of(name):
    """Names in the cell tagged `parameters`."""
    return set(papermill.inspect_notebook(str(FOLDER / name)))


def execute(name, folder, **parameters):
    """Run a chapter in its own folder; a parameter that it does not have is refused, which papermill would not do."""
    unknown = set(parameters) - parameters_of(name)
    if unknown:
        raise ValueError(f"{name} has no parameter {', '.join(sorted(unknown))}; it has {sorted(parameters_of(name))}")
    papermill.execute_notebook(
        str(FOLDER / name),
        str(folder / Path(name).name),
        parameters=parameters,
        cwd=str((FOLDER / name).parent),
        kernel_name="python3",
        progress_bar=False,
        request_save_on_cell_execute=False,
        start_timeout=PATIENCE,
    )


def few_resamples(name):
    return {"n_resamples": 50} if "n_resamples" in parameters_of(name) else {}


def skip_without_sets(name):
    """Only a replication may need a downloaded set; a chapter must run without any."""
    if name not in REPLICATIONS:
        return
    code = "\n".join(cell.source for cell in code_cells(name))
    missing = [
        each
        for each in scaling.sources.list_datasets().index
        if re.search(rf"[\"']{each}[\"'/]", code) and not scaling.sources.is_available(each)
    ]
    if missing:
        pytest.skip(f"{name} needs the downloaded set {', '.join(missing)}, which is not on this machine")


def texts(output):
    """Every stored text of an output: streams and each textual form of a result."""
    if output.output_type == "stream":
        return [output.text]
    return [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]


def lines_that_draw(code):
    """Numbers of the lines of every statement that names a figure or its axes; of a loop, only its head."""
    lines, drawing = set(), {"ax", "axes", "fig", "plt"}
    statements = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.stmt)]
    for statement in sorted(statements, key=lambda node: node.lineno):
        last = statement.body[0].lineno - 1 if hasattr(statement, "body") else statement.end_lineno
        names = [node for node in ast.walk(statement) if isinstance(node, ast.Name) and node.lineno <= last]
        read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
        if drawing & {name.id for name in names}:
            lines |= set(range(statement.lineno, last + 1))
        if "plt" in read:  # fig, (upper, lower) = plt.subplots(2)
            drawing |= {name.id for name in names} - read
    return lines


@pytest.fixture(scope="module", autouse=True)
def _quick_kernels():
    fork_kernels()


# --- anatomy -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NOTEBOOKS)
class TestAnatomy:
    def test_one_parameters_cell(self, name):
        tagged = [cell for cell in code_cells(name) if "parameters" in cell.metadata.get("tags", [])]
        assert len(tagged) == 1

    def test_outputs_are_stored_and_whole(self, name):
        outputs = [output for cell in code_cells(name) for output in cell.outputs]
        assert outputs
        assert not [output for output in outputs if output.output_type == "error"]
        assert not [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
        assert all(cell.execution_count for cell in code_cells(name) if cell.source.strip())

    def test_nothing_of_the_machine_is_stored(self, name):
        notebook = read(name)
        assert notebook.metadata.kernelspec.name == "python3"
        assert "version" not in notebook.metadata.get("language_info", {})
        assert not [cell.id for cell in notebook.cells if "execution" in cell.metadata]
        stored = "\n".join(text for cell in code_cells(name) for output in cell.outputs for text in texts(output))
        assert not re.search(r"(?<![\w.])/(root|work|tmp|home|Users|opt|usr)/|\b0x[0-9a-f]{6,}", stored)

    def test_no_rounding_is_stored(self, name):
        """What differs from one processor to the next; `make portable` finds the rest by running."""
        stored = "\n".join(text for cell in code_cells(name) for output in cell.outputs for text in texts(output))
        assert set(ROUNDING.findall(stored)) <= AS_SMALL

    def test_lines_fit_the_page(self, name):
        assert not [line for cell in code_cells(name) for line in cell.source.splitlines() if len(line) > LONGEST_LINE]

    def test_cells_are_short(self, name):
        lengths = {cell.id: len(cell.source.splitlines()) for cell in code_cells(name)}
        assert not {cell: length for cell, length in lengths.items() if length > LONGEST_CELL}

    def test_functions_are_short(self, name):
        """A notebook calls, shows and asserts: it defines no function longer than a few lines."""
        for cell in code_cells(name):
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.FunctionDef):
                    assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name

    def test_long_drawings_are_in_the_package(self, name):
        lengths = {cell.id: len(lines_that_draw(cell.source)) for cell in code_cells(name)}
        assert not {cell: length for cell, length in lengths.items() if length > LONGEST_DRAWING}

    def test_figures_have_caption_and_alt_text(self, name):
        for cell in code_cells(name):
            if any("image/png" in output.get("data", {}) for output in cell.outputs):
                about = cell.metadata.get("mystnb", {})
                assert about.get("figure", {}).get("caption"), cell.id
                assert len(about.get("image", {}).get("alt", "")) > 20, cell.id

    def test_begins_with_a_title(self, name):
        assert re.match(r"(\(.*\)=\n)?# \S", read(name).cells[0].source)


@functools.cache
def rows_of(name):
    return leaks.rows_of(scaling.sources.read_dataset(name))


@pytest.mark.parametrize("name", REPLICATIONS)
class TestReplications:
    def test_says_that_outputs_are_stored(self, name):
        prose = " ".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")
        assert "stored" in prose

    def test_no_rows_of_the_set_are_stored(self, name):
        stored = "\n".join(text for cell in code_cells(name) for output in cell.outputs for text in texts(output))
        assert max((table.count("<tr") for table in stored.split("</table>")), default=0) <= 30
        for each in scaling.sources.list_datasets().query("kind == 'downloaded'").index:
            if scaling.sources.is_available(each):
                assert leaks.shown(rows_of(each), leaks.triples_in(stored)) <= 8


def test_lines_that_draw():
    code = (
        "fig, (upper, lower) = plt.subplots(2)\ny = 1\nfor x in axes:\n    y = 2\n    upper.plot(\n        y\n    )\n"
    )
    assert lines_that_draw(code) == {1, 3, 5, 6, 7}


# --- execution -----------------------------------------------------------------------------------------------------


TAKE_A_TABLE = [name for name in CHAPTERS if "runs_file" in parameters_of(name)]
RESAMPLE = [name for name in CHAPTERS if "n_resamples" in parameters_of(name) and name not in TAKE_A_TABLE]


@pytest.mark.slow
@pytest.mark.parametrize("chapter", [Chapter(path) for path in chapter_files()], ids=lambda chapter: chapter.name)
def test_runs_as_it_is(chapter):
    """By papermill, for its page and with the checks of its exercises. (Cell by cell, nbval runs every notebook.)"""
    outcome = with_checks(chapter)
    assert outcome.kind == DONE, f"{outcome.error}: {outcome.message}\n{outcome.source}"


@pytest.mark.slow
@pytest.mark.parametrize("name", RESAMPLE + REPLICATIONS)
def test_runs_with_few_resamples(name, tmp_path):
    """The chapters that take a table do so below."""
    skip_without_sets(name)
    execute(name, tmp_path, **few_resamples(name))


@pytest.fixture(scope="module")
def other_runs(tmp_path_factory):
    """Tables of runs that no chapter has seen: another law, other budgets, another seed."""
    folder = tmp_path_factory.mktemp("runs")
    law = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)
    design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20, 1e21], n_sizes=9, width=6.0, law=law)
    scaling.simulate_runs(law, design, noise=0.003, seed=11).to_csv(folder / "runs.csv", index=False)
    return folder / "runs.csv"


@pytest.mark.slow
@pytest.mark.parametrize("name", TAKE_A_TABLE)
def test_runs_with_another_table(name, tmp_path, other_runs):
    execute(name, tmp_path, runs_file=str(other_runs), **few_resamples(name))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_refuses_an_unknown_parameter(name, tmp_path):
    with pytest.raises(ValueError, match="has no parameter run_file"):
        execute(name, tmp_path, run_file="runs.csv")
