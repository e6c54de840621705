"""The built book, its server and a visit to its pages, for the tests of the house."""

import subprocess
import sys
from pathlib import Path

import pytest
from visits import Visit, served

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def html(tmp_path_factory):
    """The pages, built by the command that `make book` uses; a warning or a failing cell fails here."""
    folder = tmp_path_factory.mktemp("book")
    command = [sys.executable, ROOT / "tools" / "build_book.py", "--output", folder]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-2000:]
    return folder / "_build" / "html"


@pytest.fixture(scope="session")
def site(html):
    """Address of a server of the pages on this machine."""
    with served(html) as address:
        yield address


@pytest.fixture
def visit(browser, site):
    with Visit(browser, site) as visit:
        yield visit


@pytest.fixture(scope="session")
def asked(browser, html, site):
    """What is wrong with the pages, by kind."""
    from asked import every_page

    return every_page(browser, html, site)
