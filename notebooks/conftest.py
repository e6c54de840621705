"""nbval compares pictures, too, and measures their letters; without its set of runs, a
replication is skipped.

Kernels are forked, which saves the imports of each. One may be as slow as the machine
is busy: nbval would give up on one that takes a minute to start, or whose output comes
five seconds after its reply.
"""

import re
from pathlib import Path

import letters  # of tools, as stored_pictures
import nbformat
import pytest
import stored_pictures
from nbval.plugin import IPyNbCell, IPyNbFile

import scaling
from scaling.book.processes import fork_kernels

#: seconds after which a kernel is broken, and not only slow
PATIENCE = 900
#: told to each kernel before its first cell: a figure too small to read is an error
WATCH = f"""
import sys
sys.path.append({str(Path(letters.__file__).parent)!r})
import letters
letters.watch()
sys.path.pop()
del sys, letters
"""
compare_texts = IPyNbCell.compare_outputs
start_kernel = IPyNbFile.setup


def compare_outputs(cell, test, ref, skip_compare=None):
    """The texts as nbval compares them, then the pictures."""
    if not compare_texts(cell, test, ref, skip_compare):
        return False
    words = stored_pictures.difference(ref, test)
    cell.comparison_traceback += [words] if words else []
    return not words


def setup(notebook):
    """Start a kernel as nbval does, and have it measure the letters of its figures."""
    start_kernel(notebook)
    reply = notebook.kernel.kc.execute_interactive(
        WATCH, silent=True, store_history=False, timeout=PATIENCE
    )
    assert reply["content"]["status"] == "ok", reply["content"]


IPyNbCell.compare_outputs = compare_outputs
IPyNbFile.setup = setup


def sets_needed(path):
    """The downloaded sets that a notebook's code names."""
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return [
        name
        for name in scaling.sources.list_datasets().index
        if re.search(rf"[\"']{name}[\"'/]", code)
    ]


def pytest_configure():
    fork_kernels()


def pytest_collection_modifyitems(config, items):
    config.option.nbval_kernel_startup_timeout = PATIENCE
    missing = {}
    for item in items:
        path = item.path
        if path.suffix == ".ipynb":
            item.output_timeout = PATIENCE
        if path.suffix != ".ipynb" or path.parent.name != "replications":
            continue
        if path not in missing:
            missing[path] = [
                name
                for name in sets_needed(path)
                if not scaling.sources.is_available(name)
            ]
        if missing[path]:
            reason = (
                f"{path.stem} needs {', '.join(missing[path])}, not on this machine"
            )
            item.add_marker(pytest.mark.skip(reason=reason))
