"""The comparison of pictures that nbval leaves out: it lets shades pass and finds what moved."""

import base64
import io
import re
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest
import stored_pictures
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


def picture(dots):
    stream = io.BytesIO()
    Image.fromarray(dots.astype(np.uint8)).save(stream, "png")
    return [{"data": {"image/png": base64.b64encode(stream.getvalue()).decode()}}, {"text": "a line"}]


def test_shades_pass_and_what_moved_is_found():
    blank = np.full((20, 30, 3), 255)
    shaded, moved = blank.copy(), blank.copy()
    shaded[3, 4] -= stored_pictures.SHADES
    moved[5, 6] -= stored_pictures.SHADES + 1
    assert stored_pictures.difference(picture(blank), picture(blank)) == ""
    assert stored_pictures.difference(picture(blank), picture(shaded)) == ""
    assert "1 dots" in (words := stored_pictures.difference(picture(blank), picture(moved)))
    assert "row 5, column 6" in words
    assert "30 by 19 dots" in stored_pictures.difference(picture(blank), picture(blank[1:]))
    assert "1 pictures are stored and 0" in stored_pictures.difference(picture(blank), [{"text": "a line"}])


def test_a_line_may_be_one_dot_away_and_not_two():
    lines = [np.full((20, 30, 3), 255) for _ in range(3)]
    for away, dots in enumerate(lines):
        dots[5 + away, 3:20] = 0
    first, near, far = map(picture, lines)
    assert stored_pictures.difference(first, near) == ""
    assert "34 dots" in stored_pictures.difference(first, far)


def pictures():
    """Two pictures, of which the first is stored as it is drawn."""
    stored = nbformat.v4.new_output("display_data", {"text/plain": "<PIL.Image.Image image mode=RGB size=9x9>"})
    stored.data["image/png"] = picture(np.zeros((9, 9, 3)))[0]["data"]["image/png"]
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    for shade in (0, 255):
        drawn = f"Image.new('RGB', (9, 9), ({shade},) * 3)"
        code = f"from PIL import Image\ndisplay({drawn}, include=['image/png', 'text/plain'])"
        notebook.cells.append(nbformat.v4.new_code_cell(code, outputs=[stored], execution_count=1))
    return notebook


def figures():
    """Two figures, stored as they are drawn, of which the second has a subscript."""
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    for label in ("best size", "$N_b$"):
        code = f"import matplotlib.pyplot as plt\nplt.subplots(figsize=(4.6, 3.4))[1].set_xlabel({label!r})\nplt.show()"
        notebook.cells.append(nbformat.v4.new_code_cell(code))
    drawn = nbclient.NotebookClient(notebook).execute()
    assert [len(cell.outputs) for cell in drawn.cells] == [1, 1]
    return drawn


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What a true run of nbval says of both notebooks, with the settings of ours; the second cell of each fails."""
    folder = tmp_path_factory.mktemp("notebooks")
    nbformat.write(pictures(), folder / "pictures.ipynb")
    nbformat.write(figures(), folder / "figures.ipynb")
    (folder / "conftest.py").write_text((ROOT / "notebooks" / "conftest.py").read_text())
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env", "-c", ROOT / "pyproject.toml"]
    command += ["--rootdir", ROOT, "-p", "no:cacheprovider", folder]
    words = subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout
    assert "2 failed, 2 passed" in words, words
    return words


@pytest.mark.slow
def test_a_notebook_whose_picture_is_another_fails(told):
    assert re.findall(r"FAILED \S*pictures.ipynb::(Cell \d)", told) == ["Cell 1"], told
    assert "81 dots of the picture differ" in told


def test_a_figure_whose_letters_are_too_small_fails(told):
    assert re.findall(r"FAILED \S*figures.ipynb::(Cell \d)", told) == ["Cell 1"], told
    assert "letters smaller than 8 pixels on a phone: '$N_b$'" in told
    assert "'0.0' (" not in told
