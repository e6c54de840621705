"""Notebooks that read a downloaded set of runs are skipped where it cannot be had.

A kernel may be as slow as the machine is busy: nbval would give up on one that takes a
minute to start, or whose output comes five seconds after its reply.
"""

import nbformat
import pytest

import scaling

#: seconds after which a kernel is broken, and not only slow
PATIENCE = 900


def sets_needed(path):
    """The downloaded sets that a notebook's code names."""
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return [
        name
        for name in scaling.sources.list_datasets().index
        if f'"{name}"' in code or f"'{name}'" in code
    ]


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
