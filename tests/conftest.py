"""Settings for every test: hypothesis draws the same examples each time and is not timed; slow kinds carry a mark.

Spread over processes (``-n 2 --dist loadfile``), what takes longest is begun first, so that no process waits long for
the last one.
"""

import os
import sys

import hypothesis
import pytest
from by_file import BUILT, by_file

# jsonschema would compile the grammars of forty kinds of addresses when nbformat imports it: a second, for no use here
sys.modules.setdefault("rfc3987_syntax", None)

# an error that a command does not foresee passes through it, so that a test fails by it
os.environ.setdefault("SCALING_DEBUG", "1")

hypothesis.settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")

#: a test that asks for this fixture belongs to this kind
KINDS = {"browser": "browser", "script": "torch", "html": "slow", "wheel": "slow", "chapter": "slow", "book": "slow"}


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests of a process: Playwright does not start twice in one."""
    from visits import chromium  # takes a while, and most tests open no pages

    with chromium() as browser:
        yield browser


def pytest_collection_modifyitems(config, items):
    for item in items:
        for fixture, mark in KINDS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(getattr(pytest.mark, mark))
    if hasattr(config, "workerinput"):  # one of several processes
        slow = {item.path for item in items if any(map(item.get_closest_marker, ("slow", "browser", "torch")))}
        items.sort(key=lambda item: (not item.nodeid.startswith(BUILT), item.path not in slow))


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, which may not be there
def pytest_xdist_make_scheduler(config, log):
    if config.option.dist == "loadfile":
        config.option.loadscopereorder = False  # by the number of tests, a hundred quick ones come before a long one
        return by_file(config, log)
    return None
