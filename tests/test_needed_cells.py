"""Which cells others need, and which depend on a parameter."""

import pytest
from needed_cells import depending, needed


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        (["a = 1", "b = 2", "c = a"], [0, 2]),
        (["a = 1", "a = 2", "c = a"], [1, 2]),
        (["a = {}", "a['x'] = 1", "b = 1", "c = a"], [0, 1, 3]),
        (["a = []", "a.append(1)", "for each in a:\n    print(each)", "c = a"], [0, 1, 3]),
        (["def f():\n    return a", "a = 1", "b = a", "c = f()"], [0, 1, 3]),
        (["rng = np.random.default_rng(0)", "b = rng.random()", "b = 1", "c = rng.random()"], [0, 1, 3]),
        (["a = 1", "each = 2", "c = [each + a for each in range(3)]"], [0, 2]),
    ],
)
def test_a_cell_needs_those_that_bind_or_change_what_it_reads(cells, kept):
    assert needed(["import numpy as np", *cells], {len(cells)})[-len(kept) :] == [place + 1 for place in kept]


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["a = file", "b = 2", "c = a + b"], [0, 2]),
        (["a = file", "a = 2", "c = a"], [0]),
        (["a = {}", "a['x'] = file", "b = a"], [1, 2]),
        (["a = 1", "if a:\n    file = None", "b = file"], [2]),
        (["def f():\n    return file", "b = 1", "c = f()"], [0, 2]),
        (["a = file", "if 0:\n    a = 1", "b = a"], [0, 2]),
        (["b = [file for file in 'ab']", "c = b"], []),
    ],
)
def test_a_cell_depends_on_what_was_made_of_a_parameter(cells, found):
    assert depending(cells, ["file"]) == found
