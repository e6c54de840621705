"""The execution of the chapters before Sphinx writes the pages."""

import build_book
import nbformat
import pytest
from jupyter_cache import get_cache

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder with two chapters, of which one fails."""
    (tmp_path / "notebooks").mkdir()
    for name, source in {"01_good": "print(40 + 2)", "02_bad": "def half(x):\n    return x / 0\nhalf(3)"}.items():
        notebook = nbformat.v4.new_notebook(
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            cells=[nbformat.v4.new_code_cell("1"), nbformat.v4.new_code_cell(source)],
        )
        nbformat.write(notebook, tmp_path / "notebooks" / f"{name}.ipynb")
    monkeypatch.setattr(build_book, "ROOT", tmp_path)
    monkeypatch.setattr(build_book.layers, "draw", lambda path: None)
    return tmp_path


def test_executed_chapters_lie_where_sphinx_looks(checkout):
    build_book.execute_chapters(checkout / "cache", 1)
    good = nbformat.read(checkout / "notebooks" / "01_good.ipynb", 4)
    _, merged = get_cache(str(checkout / "cache")).merge_match_into_notebook(good)
    assert merged.cells[1].outputs[0].text == "42\n"
    bad = nbformat.read(checkout / "notebooks" / "02_bad.ipynb", 4)
    with pytest.raises(KeyError):
        get_cache(str(checkout / "cache")).match_cache_notebook(bad)


def test_a_failing_cell_stops_the_build_and_is_told(checkout, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["build_book.py", "--output", str(checkout / "out")])
    assert build_book.main() == 1
    told = capsys.readouterr().err
    assert "chapter notebooks/02_bad.ipynb failed in code cell 2" in told
    assert "def half(x):\n    return x / 0\nhalf(3)" in told
    assert "ZeroDivisionError: division by zero" in told
    assert "01_good" not in told
    assert not (checkout / "out" / "_build" / "html").exists()
