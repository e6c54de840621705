"""Settings for every test: hypothesis draws the same examples each time and is not timed; slow kinds carry a mark."""

import hypothesis
import pytest

hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")

#: a test that asks for this fixture belongs to this kind
KINDS = {"browser": "browser", "script": "torch", "html": "slow", "wheel": "slow"}


def pytest_collection_modifyitems(items):
    for item in items:
        for fixture, mark in KINDS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(getattr(pytest.mark, mark))
