"""The execution of the chapters before Sphinx writes the pages."""

import contextlib
import io

import build_book
import nbformat
import pytest
from jupyter_cache import get_cache

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A folder with two chapters, of which one fails."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "notebooks").mkdir()
    for name, source in {"01_good": "print(40 + 2)", "02_bad": "def half(x):\n    return x / 0\nhalf(3)"}.items():
        notebook = nbformat.v4.new_notebook(
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            cells=[nbformat.v4.new_code_cell("1"), nbformat.v4.new_code_cell(source)],
        )
        nbformat.write(notebook, folder / "notebooks" / f"{name}.ipynb")
    return folder


@pytest.fixture(scope="module")
def told(checkout):
    """The exit status of a build of the two, and what it said of errors."""
    words = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(words):
        patch.setattr(build_book, "ROOT", checkout)
        patch.setattr(build_book.layers, "draw", lambda path: None)
        patch.setattr("sys.argv", ["build_book.py", "--output", str(checkout / "out")])
        status = build_book.main()
    return status, words.getvalue()


def test_executed_chapters_lie_where_sphinx_looks(checkout, told):
    cache = get_cache(str(checkout / "out" / "_build" / ".jupyter_cache"))
    _, merged = cache.merge_match_into_notebook(nbformat.read(checkout / "notebooks" / "01_good.ipynb", 4))
    assert merged.cells[1].outputs[0].text == "42\n"
    with pytest.raises(KeyError):
        cache.match_cache_notebook(nbformat.read(checkout / "notebooks" / "02_bad.ipynb", 4))


def test_a_failing_cell_stops_the_build_and_is_told(checkout, told):
    status, words = told
    assert status == 1
    assert "chapter notebooks/02_bad.ipynb failed in code cell 2" in words
    assert "def half(x):\n    return x / 0\nhalf(3)" in words
    assert "ZeroDivisionError: division by zero" in words
    assert "01_good" not in words
    assert not (checkout / "out" / "_build" / "html").exists()
