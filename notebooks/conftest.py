"""Kernels are forked, which saves the imports of each; notebooks that read a downloaded
set of runs are skipped where it cannot be had."""

import nbformat
import pytest

import scaling
from scaling.book.processes import fork_kernels


def sets_needed(path):
    """The downloaded sets that a notebook's code names."""
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return [
        name
        for name in scaling.sources.list_datasets().index
        if f'"{name}"' in code or f"'{name}'" in code
    ]


def pytest_configure():
    fork_kernels()


def pytest_collection_modifyitems(items):
    missing = {}
    for item in items:
        path = item.path
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
