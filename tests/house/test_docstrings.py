"""Examples in docstrings run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import scaling

MODULES = [m.name for m in pkgutil.walk_packages(scaling.__path__, "scaling.") if not m.name.endswith("__main__")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
