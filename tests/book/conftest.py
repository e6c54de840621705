"""A browser for the tests of moving figures."""

import pytest
from moving_pages import chromium


@pytest.fixture(scope="session")
def browser():
    with chromium() as browser:
        yield browser
