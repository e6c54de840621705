"""The sets of runs that others made: one module a set, which names it, pins it and reads it.

Each module offers ``SET``, a :class:`~scaling.sources.downloaded.Downloaded`, and ``read``, which turns the files of
the authors into a table in our columns. To add a set is to add its module.
"""

from __future__ import annotations

import importlib
import pkgutil

from ..downloaded import Downloaded

SETS: dict[str, Downloaded] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").SET for module in pkgutil.iter_modules(__path__)
}
